"""What Europe PMC's annotation service returns, as JSON: read only.

    [{"source": "MED", "extId": "1", "annotations": [{"prefix": "We gave ", "exact": "aspirin",
      "postfix": " to rats", "type": "Chemicals", "tags": [{"name": "…", "uri": "…"}]}]}]

The service does not return the text of an article, only the characters around each mention. So each
mention becomes a document: a piece of text in which nothing else is marked, which a warning says.
"""

from functools import partial
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.fields.checked import Fields
from spacy_bioner.corpora.formats.json_files.shapes import read_documents
from spacy_bioner.corpora.formats.read_errors import ReadErrors, at_least_one, read_each
from spacy_bioner.corpora.formats.reading_notes import add_warning
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Mention, Record

_SNIPPETS = (
    "the file has no texts: each mention is a document made of the characters around it, "
    "in which other mentions are not marked"
)
_META_KEYS = ("section", "provider", "frequency")


def read_europepmc(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Record]:
    """Stream a document for each annotation; its id is SOURCE:ARTICLE-NUMBER.

    RAISES (CorpusError): Malformed JSON; an annotation without its text or type.
    """
    path = Path(path)
    error = CorpusError("found no annotation, expected articles with some", path=path, line=1)
    yield from at_least_one(_read(path, problems), error)


def _read(path: Path, problems: Optional[ReadErrors]) -> Iterator[Record]:
    for name, annotations in read_documents(path, _read_article, problems, what="article"):
        items = enumerate(annotations, start=1)
        yield from read_each(items, partial(_to_record, name), problems)


def _read_article(article: Fields, number: str) -> Tuple[str, List[Fields]]:
    names = [article.name(key) for key in ("source", "extId")]
    name = ":".join(filter(None, names)) or article.name("pmcid") or number
    return name, article.objects("annotations", "annotation")


def _to_record(name: str, item: Tuple[int, Fields]) -> Record:
    number, annotation = item
    before, exact = annotation.text("prefix", ""), annotation.text("exact")
    tags = annotation.objects("tags", "tag")
    concepts = tuple(filter(None, (tag.text("uri", "") for tag in tags)))
    start, end = len(before), len(before) + len(exact)
    names = tuple(("name", tag.text("name")) for tag in tags if tag.value.get("name"))
    mention = Mention(
        start,
        end,
        annotation.text("type"),
        exact,
        concept_ids=concepts,
        line=annotation.line,
        attributes=names,
    )
    text = before + exact + annotation.text("postfix", "")
    record = Record(f"{name}-{number}", text, (mention,), meta=_read_meta(annotation))
    return add_warning(record, _SNIPPETS)


def _read_meta(annotation: Fields) -> Dict[str, str]:
    plain = {key: annotation.value.get(key) for key in _META_KEYS}
    return annotation.meta({key: value for key, value in plain.items() if value is not None})


FORMAT = Format("europepmc", "annotations of Europe PMC (JSON)", read_europepmc)
