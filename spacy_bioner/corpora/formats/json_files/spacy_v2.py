"""spaCy's training data before version 3, as JSON: read only.

    [{"id": 0, "paragraphs": [{"raw": "…", "sentences": [
      {"tokens": [{"orth": "…", "ner": "O"}]}]}]}]

Each paragraph is a document. Its mentions are the BILUO tags of its tokens; where no token has one,
the "entities" of the paragraph, as offsets in its text. Tokens without a tag, or with "-", were not
annotated: they are read as outside, and counted in `reading_notes["tags_missing"]`.
"""

from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.containers import Container
from spacy_bioner.corpora.formats.json_files.fields.checked import Fields, as_text, span_of
from spacy_bioner.corpora.formats.json_files.fields.span_documents import find_words
from spacy_bioner.corpora.formats.json_files.fields.span_fields import read_span
from spacy_bioner.corpora.formats.json_files.fields.tag_lists import MISSING, TagLists
from spacy_bioner.corpora.formats.json_files.shapes import find_documents, read_documents
from spacy_bioner.corpora.formats.json_files.tokens import mention_of
from spacy_bioner.corpora.formats.read_errors import DOCUMENT, ReadErrors, at_least_one, read_each
from spacy_bioner.corpora.formats.reading_notes import add_warning, note_counts
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Fragment, Mention, Record
from spacy_bioner.tags import OUTSIDE

_OTHER_TEXT = "the words are not those of the raw text: their own, joined, was taken"
_Tokens = List[Fields]


def read_spacy_v2(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Record]:
    """Stream the paragraphs; of a document with several each has its number behind the id.

    RAISES (CorpusError): Malformed JSON, tokens or tags.
    """
    path = Path(path)
    container = find_documents(path)
    tags = TagLists()
    for _, paragraph in _stream_paragraphs(path, container, ReadErrors(keep=0)):
        tags.add(_list_tags(_list_tokens(paragraph))[0])
    try:
        tags.settle(lenient=problems is not None)
    except LabelError as error:
        raise CorpusError(str(error), path=path) from error
    nothing = CorpusError("found no paragraph, expected some in each document", path=path, line=1)
    yield from at_least_one(_read(path, container, tags, problems), nothing)


def _read(
    path: Path, container: Container, tags: TagLists, problems: Optional[ReadErrors]
) -> Iterator[Record]:
    paragraphs = _stream_paragraphs(path, container, problems)
    return read_each(
        paragraphs, lambda item: _to_record(*item, tags, problems), problems, unit=DOCUMENT
    )


def _stream_paragraphs(
    path: Path, container: Container, problems: Optional[ReadErrors]
) -> Iterator[Tuple[str, Fields]]:
    documents = read_documents(path, _read_document, problems, container=container)
    for name, paragraphs in documents:
        for place, paragraph in enumerate(paragraphs, start=1):
            yield (name if len(paragraphs) == 1 else f"{name}-{place}"), paragraph


def _read_document(document: Fields, number: str) -> Tuple[str, List[Fields]]:
    paragraphs = document.objects("paragraphs", "paragraph")
    name = document.name("id") or number
    # A malformed token is found here, so that it takes its document with it and no more.
    for paragraph in paragraphs:
        _list_tokens(paragraph)
    return name, paragraphs


def _list_tokens(paragraph: Fields) -> List[_Tokens]:
    sentences = paragraph.objects("sentences", "sentence")
    found = [sentence.objects("tokens", "token") for sentence in sentences]
    for token in (token for sentence in found for token in sentence):
        token.text("orth")
    return found


def _list_tags(sentences: List[_Tokens]) -> Tuple[List[str], int]:
    """Return the tags of a paragraph, and how many of them are missing."""
    found = [token.value.get("ner") for sentence in sentences for token in sentence]
    missing = sum(tag in MISSING for tag in found if not isinstance(tag, (list, dict)))
    return [OUTSIDE if _is_missing(tag) else as_text(tag) for tag in found], missing


def _is_missing(tag: Any) -> bool:
    return not isinstance(tag, (list, dict)) and tag in MISSING


def _to_record(
    name: str, paragraph: Fields, tags: TagLists, problems: Optional[ReadErrors]
) -> Record:
    sentences = _list_tokens(paragraph)
    text, places, is_other = _place(paragraph, sentences)
    found, missing = _list_tags(sentences)
    try:
        spans, repaired = tags.read(found)
    except LabelError as error:
        raise paragraph.error(str(error)) from error
    mentions: List[Mention] = [
        mention_of(text, places, [(first, last)], label, paragraph) for first, last, label in spans
    ]
    if missing == len(found):
        items = paragraph.get("entities", list, [])
        read = read_each(items, lambda item: list(read_span(item, paragraph, text)), problems)
        mentions = [
            span_of(text, m.start_char, m.end_char, m.label, m.text, line=m.line)
            for several in read
            for m in several
        ]
    counts = {
        "tags_repaired": repaired,
        "tags_missing": missing if missing < len(found) else 0,
        "document_labels_skipped": len(paragraph.get("cats", list, [])),
    }
    firsts: List[int] = []
    at = 0
    for sentence in sentences:
        firsts += [places[at][0]] if sentence else []
        at += len(sentence)
    record = Record(
        name,
        text,
        tuple(mentions),
        words=tuple(place for place in places if text[slice(*place)].strip()),
        sentence_starts=tuple(firsts),
        reading_notes=note_counts(counts),
    )
    return add_warning(record, _OTHER_TEXT) if is_other else record


def _place(paragraph: Fields, sentences: List[_Tokens]) -> Tuple[str, Tuple[Fragment, ...], bool]:
    """Return the text, where its words are, and whether it is another than the raw one."""
    tokens = [token for sentence in sentences for token in sentence]
    words = [token.text("orth") for token in tokens]
    raw = paragraph.text("raw", "")
    places = find_words(raw, words)
    if raw and len(places) == len(words):
        return raw, places, False
    found: List[Fragment] = []
    text = ""
    for index, (word, token) in enumerate(zip(words, tokens, strict=True)):
        found.append((len(text), len(text) + len(word)))
        is_last = index == len(words) - 1
        text += word + ("" if is_last or token.value.get("space") == "" else " ")
    return text, tuple(found), bool(raw)


FORMAT = Format("spacy_v2", "spaCy's training JSON before version 3", read_spacy_v2)
