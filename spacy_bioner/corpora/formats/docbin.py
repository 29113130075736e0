"""DocBin → Records: Docs as a corpus format of their own, ours or anybody's.

A Doc that `align` made gives its record back, but for mentions that were lost or stood twice: the
corpus' offsets are in `doc.user_data["bioner_gold"]`, and `doc.user_data["bioner_record"]` holds
sections, metadata, sentence starts, fragments, attributes and claimed texts where the record had
them. Any other Doc gives its tokens as words, its sentence borders where it has them, and as
mentions `doc.ents`, followed by the spans of `doc.spans["gold"]` or "sc" that are not among them.
"""

from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bioner.corpora.docbin import (
    DAMAGE,
    damaged,
    list_docbins,
    read_docbin,
    write_docbin,
    write_shards,
)
from spacy_bioner.corpora.formats.capabilities import DUPLICATES, FEATURES
from spacy_bioner.corpora.formats.concept_ids import split_kb_id
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.read_errors import FILE, ReadErrors, skip_or_raise
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import leads_to_stream
from spacy_bioner.gold import ID_KEY, RECORD_KEY, SPANS_KEY, gold_mentions, has_gold_rows
from spacy_bioner.records import Fragment, Mention, Record

# The first is ours, the second spaCy's usual name for span categories.
_SPAN_KEYS = (SPANS_KEY, "sc")


def read_docbin_records(
    path: PathLike, *, problems: Optional[ReadErrors] = None
) -> Iterator[Record]:
    """Stream the documents of a .spacy file, or of all those in a folder.

    YIELDS (Record): Docs without an id are numbered over all files.
    RAISES (CorpusError): No such file, not a DocBin, or no document in it.
    """
    count = 0
    for file in list_docbins(path):
        # A new vocabulary for each file: strings of the last one are not needed any more.
        vocab = Vocab()
        try:
            for doc in read_docbin(file, vocab):
                count += 1
                yield _check(doc, file, default_id=str(count))
        except CorpusError as error:
            skip_or_raise(error, FILE, problems)
    if not count:
        raise CorpusError("found no document in it, expected .spacy files", path=path, line=1)


def write_docbin_or_shards(docs: Iterable[Doc], path: PathLike) -> int:
    """Write one file where the name ends in .spacy or leads to a pipe, otherwise a folder of them.

    RETURNS (int): The number of Docs.
    """
    if Path(path).suffix.lower() == ".spacy" or leads_to_stream(Path(path)):
        return write_docbin(docs, path)
    return write_shards(docs, path)


def to_record(doc: Doc, *, default_id: str = "") -> Record:
    """Turn a Doc into a record.

    default_id (str): The identifier of a Doc that has none in `doc.user_data["bioner_id"]`.
    """
    identifier = str(doc.user_data.get(ID_KEY, default_id))
    if has_gold_rows(doc):
        return _restore(doc, identifier)
    starts: Tuple[int, ...] = ()
    if doc.has_annotation("SENT_START"):
        starts = tuple(token.idx for token in doc if token.is_sent_start)
    return Record(
        id=identifier,
        text=doc.text,
        mentions=tuple(map(_to_mention, _list_spans(doc))),
        words=_list_words(doc),
        sentence_starts=starts,
    )


def _check(doc: Doc, path: Path, *, default_id: str) -> Record:
    try:
        return to_record(doc, default_id=default_id)
    except DAMAGE as error:
        raise damaged(path, error) from error


def _restore(doc: Doc, identifier: str) -> Record:
    rest = doc.user_data.get(RECORD_KEY, {})
    fragments = {i: tuple((a, b) for a, b in pieces) for i, pieces in rest.get("fragments", ())}
    attributes = {i: tuple((a, b) for a, b in pairs) for i, pairs in rest.get("attributes", ())}
    texts = dict(rest.get("texts", ()))
    text = doc.text
    mentions: List[Mention] = []
    for index, row in enumerate(gold_mentions(doc)):
        mention = Mention(
            start_char=int(row.start_char),
            end_char=int(row.end_char),
            label=str(row.label),
            text=str(texts.get(index, text[row.start_char : row.end_char])),
            concept_ids=tuple(map(str, row.concept_ids)),
            fragments=fragments.get(index, ()),
            attributes=attributes.get(index, ()),
        )
        mentions.append(mention)
    return Record(
        id=identifier,
        text=text,
        mentions=tuple(mentions),
        sections=tuple((name, start, end) for name, start, end in rest.get("sections", ())),
        words=_list_words(doc) if rest.get("own_words") else (),
        sentence_starts=tuple(rest.get("sentence_starts", ())),
        meta=dict(rest.get("meta", {})),
    )


def _list_words(doc: Doc) -> Tuple[Fragment, ...]:
    return tuple((t.idx, t.idx + len(t)) for t in doc if not t.text.isspace())


def _list_spans(doc: Doc) -> Iterator[Span]:
    seen = set()
    groups: List[Any] = [doc.ents, *(doc.spans[key] for key in _SPAN_KEYS if key in doc.spans)]
    for group in groups:
        for span in group:
            # spaCy takes the numbers of a stored span as they are.
            if not 0 <= span.start <= span.end <= len(doc):
                raise ValueError(f"found a span of the tokens {span.start} to {span.end}")
            key = (span.start, span.end, span.label)
            if key not in seen:
                yield span
            seen.add(key)


def _to_mention(span: Span) -> Mention:
    concept_ids = split_kb_id(span.kb_id_)
    return Mention(span.start_char, span.end_char, span.label_, span.text, concept_ids)


FORMAT = Format(
    "spacy",
    "spaCy's DocBin: a file ending in .spacy, or a folder of them",
    read_docbin_records,
    write_docbin_or_shards,
    aliases=("docbin",),
    carried=frozenset(FEATURES) - {DUPLICATES},
    takes_docs=True,
    holds_docs=True,
    endings=(".spacy",),
    folder_endings=(".spacy",),
)
