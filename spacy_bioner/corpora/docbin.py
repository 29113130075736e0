"""Docs on disk: DocBins that keep gold spans, sentence starts and user data."""

import zlib
from typing import Iterable, Iterator

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_bioner.corpora.files import PathLike, check_is_file, replacing
from spacy_bioner.errors import CorpusError

# HEAD is left out: with it a DocBin derives sentence starts from parses, which a corpus of
# entities does not have.
ATTRIBUTES = ("ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "ENT_ID", "SENT_START")


def write_docbin(docs: Iterable[Doc], path: PathLike) -> int:
    """Write Docs with their user data, replacing the file only when all of them are written.

    RETURNS (int): The number of Docs.
    """
    doc_bin = DocBin(attrs=ATTRIBUTES, store_user_data=True)
    for doc in docs:
        doc_bin.add(doc)
    with replacing(path) as temporary:
        temporary.write_bytes(doc_bin.to_bytes())
    return len(doc_bin)


def read_docbin(path: PathLike, vocab: Vocab) -> Iterator[Doc]:
    """Stream the Docs of a DocBin file.

    RAISES (CorpusError): No such file, or not a DocBin.
    """
    path = check_is_file(path)
    try:
        doc_bin = DocBin(store_user_data=True).from_bytes(path.read_bytes())
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        message = f"found no DocBin ({error}), expected a .spacy file of `bioner convert`"
        raise CorpusError(message, path=path) from error
    yield from doc_bin.get_docs(vocab)
