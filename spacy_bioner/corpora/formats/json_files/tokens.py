"""JSON of words with tags, or with stretches of words: read only.

    {"tokens": ["We", "gave", "aspirin"], "ner_tags": ["O", "O", "B-Chemical"]}
    {"tokenized_text": ["We", "gave", "aspirin"], "ner": [[2, 2, "chemical"]]}

Where words stand in a text of the file, that is the text; else they are joined by single spaces,
or as "trailing_whitespace" says. See `token_keys` for who writes so; the last word of a stretch is
named by GLiNER and SciERC, the one behind it by SpERT.
"""

from itertools import accumulate, chain
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.containers import (
    read_beside,
    stream_documents,
)
from spacy_bioner.corpora.formats.json_files.fields.checked import Fields, describe
from spacy_bioner.corpora.formats.json_files.fields.span_documents import (
    find_words,
    read_id,
    read_meta,
)
from spacy_bioner.corpora.formats.json_files.fields.span_keys import find_text, get_at
from spacy_bioner.corpora.formats.json_files.fields.tag_lists import TagLists, find_names
from spacy_bioner.corpora.formats.json_files.fields.token_keys import (
    find_tags,
    find_token_spans,
    iter_rows,
)
from spacy_bioner.corpora.formats.json_files.reader import Item
from spacy_bioner.corpora.formats.json_files.shapes import find_documents
from spacy_bioner.corpora.formats.read_errors import DOCUMENT, ReadErrors, at_least_one, read_each
from spacy_bioner.corpora.formats.reading_notes import add_note
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Fragment, Mention, Record

_WORDS_OF = {
    "gliner": "tokenized_text",
    "scierc": "sentences",
    "spert": "tokens",
    "w2ner": "sentence",
}
_BESIDE = frozenset(
    ("features", "names", "label_names", "tag_names", "label_list", "id2label", "label2id")
)


def read_json_tokens(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Record]:
    """Stream the documents; those without an "id" are numbered.

    YIELDS (Record): With `words` and, where the file tells, `sentence_starts`.
    RAISES (CorpusError): Malformed JSON or tags; numbers as tags, in a file without their names.
    """
    path = Path(path)
    container = find_documents(path)

    def stream(noted: Optional[ReadErrors]) -> Iterator[Item]:
        return stream_documents(path, container, problems=noted)

    beside = read_beside(path, container)
    error = CorpusError("found no words, expected objects with words", path=path, line=1)
    yield from at_least_one(read_token_documents(path, stream, beside, problems), error)


def read_token_documents(
    path: Path,
    stream: Callable[[Optional[ReadErrors]], Iterator[Item]],
    beside: Mapping[str, Any],
    problems: Optional[ReadErrors],
) -> Iterator[Record]:
    """Read objects of words with tags, or with stretches of words, from wherever they come.

    stream (Callable[[Optional[ReadErrors]], Iterator[Item]]): Gives (line, object); called twice.
    beside (Mapping[str, Any]): What the file says beside its documents, such as names of tags.
    """
    reader = _TokenReader(path, stream, beside, problems)
    reader.survey()
    yield from reader.read()


class _TokenReader:
    def __init__(
        self,
        path: Path,
        stream: Callable[[Optional[ReadErrors]], Iterator[Item]],
        beside: Mapping[str, Any],
        problems: Optional[ReadErrors],
    ) -> None:
        self.path = path
        self.stream = stream
        self.beside = dict(beside)
        self.problems = problems
        self.tags = TagLists()

    def survey(self) -> None:
        """Look at all tags, to tell their scheme."""
        for line, value in self._stream(ReadErrors(keep=0)):
            if isinstance(value, dict) and find_token_spans(value) is None:
                keys = find_tags(value)
                if keys:
                    self.tags.add(self._name_tags(Fields(value, self.path, line), keys[1]))
        try:
            self.tags.settle(lenient=self.problems is not None)
        except LabelError as error:
            raise CorpusError(str(error), path=self.path) from error

    def read(self) -> Iterator[Record]:
        """Stream the records."""
        documents = enumerate(self._stream(self.problems), start=1)
        return read_each(documents, self._read_one, self.problems, unit=DOCUMENT)

    def _read_one(self, item: Tuple[int, Item]) -> Record:
        number, (line, value) = item
        return self._to_record(Fields(value, self.path, line), str(number))

    def _stream(self, problems: Optional[ReadErrors]) -> Iterator[Item]:
        for line, value in self.stream(problems):
            for row in iter_rows(value):
                yield line, row

    def _to_record(self, fields: Fields, number: str) -> Record:
        kind = find_token_spans(fields.value)
        if kind:
            return _read_token_spans(fields, kind, number, self.problems)
        keys = find_tags(fields.value)
        if keys is None:
            shown = ", ".join(list(fields.value)[:10]) or "none"
            raise fields.error(f"found the keys {shown}, expected words and as many tags")
        words = list(fields.value[keys[0]])
        tags = self._name_tags(fields, keys[1])
        if len(words) != len(tags):
            raise fields.error(f"found {len(tags)} tags for {len(words)} words, expected as many")
        try:
            spans, repaired = self.tags.read(tags)
        except LabelError as error:
            raise fields.error(str(error)) from error
        text, places = place_words(fields, words, taken=keys[0])
        mentions = [mention_of(text, places, [(a, b)], label, fields) for a, b, label in spans]
        record = _make_record(fields, number, text, places, mentions, {*keys, *_BESIDE})
        return add_note(record, "tags_repaired", repaired)

    def _name_tags(self, fields: Fields, key: str) -> List[str]:
        tags = fields.value[key]
        if tags and all(isinstance(tag, str) and tag.isdecimal() for tag in tags):
            tags = [int(tag) for tag in tags]
        if all(isinstance(tag, str) for tag in tags):
            return list(fields.texts(tags, key))
        names = find_names(fields.value, key) or find_names(self.beside, key)
        if names is None:
            raise fields.error(
                f"found numbers as {key!r} ({describe(tags)}), expected the names of labels: write "
                'them into the file ({"names": ["O", "B-…"], "data": […]}), or names for numbers '
                f"(datasets has them in features[{key!r}].feature.names)"
            )
        unknown = next((tag for tag in tags if tag not in names), None)
        if unknown is not None:
            raise fields.error(f"found tag {describe(unknown)}, expected one of {len(names)} names")
        return [names[tag] for tag in tags]


def place_words(
    fields: Fields, words: Sequence[str], *, taken: str = ""
) -> Tuple[str, Tuple[Fragment, ...]]:
    """Return the text of a document of words, and where each word stands in it."""
    words = fields.texts(list(words), "words")
    path = find_text(fields.value)
    if path is not None and path[0] != taken:
        text = fields.texts([get_at(fields.value, path)], "a text")[0]
        places = find_words(text, list(words))
        if len(places) == len(words):
            return text, places
    spaces = fields.value.get("trailing_whitespace")
    if not isinstance(spaces, list) or len(spaces) != len(words):
        spaces = [True] * (len(words) - 1) + [False]
    ends = list(
        accumulate(len(word) + bool(space) for word, space in zip(words, spaces, strict=False))
    )
    text = "".join(word + " " * bool(space) for word, space in zip(words, spaces, strict=False))
    starts = [0, *ends]
    return text, tuple((start, start + len(word)) for start, word in zip(starts, words))


def mention_of(
    text: str,
    places: Sequence[Fragment],
    runs: Sequence[Tuple[int, int]],
    label: str,
    fields: Fields,
) -> Mention:
    """Make a mention of runs of words, given as (first, behind the last).

    RAISES (CorpusError): Words that are not there.
    """
    for first, last in runs:
        if not 0 <= first < last <= len(places):
            found = f"found a span of words {first} to {last - 1}"
            raise fields.error(f"{found}, expected words 0 to {len(places) - 1}")
    pieces = [(places[first][0], places[last - 1][1]) for first, last in runs]
    start, end = pieces[0][0], pieces[-1][1]
    fragments = tuple(pieces) if len(pieces) > 1 else ()
    return Mention(start, end, label, text[start:end], fragments=fragments, line=fields.line)


def _read_token_spans(
    fields: Fields, kind: str, number: str, problems: Optional[ReadErrors]
) -> Record:
    key = _WORDS_OF[kind]
    sentences = fields.value[key] if kind == "scierc" else []
    words = list(chain.from_iterable(sentences)) if kind == "scierc" else fields.value[key]
    text, places = place_words(fields, words, taken=key)
    spans_field = "entities" if kind == "spert" else "ner"
    items = fields.value[spans_field]
    if kind == "scierc":
        items = [item for sentence in items for item in (sentence or [])]

    def read(item: Any) -> Mention:
        runs, label = _read_token_span(item, kind, fields)
        return mention_of(text, places, runs, label, fields)

    mentions = list(read_each(items, read, problems))
    taken = {key, spans_field, "sentences"}
    record = _make_record(fields, number, text, places, mentions, taken)
    firsts = list(accumulate((len(sentence) for sentence in sentences), initial=0))[:-1]
    starts = tuple(places[first][0] for first in firsts if first < len(places))
    return Record(**{**vars(record), "sentence_starts": starts})


def _read_token_span(item: Any, kind: str, fields: Fields) -> Tuple[List[Tuple[int, int]], str]:
    if kind in ("gliner", "scierc"):
        first, last, label = fields.row(item, (int, int, str), "span of words")[:3]
        return [(first, last + 1)], fields.texts([label], "a label")[0]
    span = fields.inner(item, "span")
    if kind == "spert":
        return [(span.get("start", int), span.get("end", int))], span.text("type")
    index = span.get("index", list)
    numbers = sorted(span.row(index, (int,) * max(1, len(index)), "index of words"))
    runs: List[Tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number:
            runs[-1] = (runs[-1][0], number + 1)
        else:
            runs.append((number, number + 1))
    return runs, span.text("type")


def _make_record(
    fields: Fields,
    number: str,
    text: str,
    places: Sequence[Fragment],
    mentions: Sequence[Mention],
    taken: "set[str]",
) -> Record:
    id_key, own_id = read_id(fields)
    path = find_text(fields.value)
    read = {*taken, id_key, "trailing_whitespace", *([path[0]] if path else [])}
    words = tuple(place for place in places if text[slice(*place)].strip())
    meta, notes = read_meta(fields, read, 0)
    return Record(
        own_id or number, text, tuple(mentions), words=words, meta=meta, reading_notes=notes
    )


FORMAT = Format(
    "json_tokens",
    "JSON of words with tags or spans of words: datasets, GLiNER, SciERC, SpERT",
    read_json_tokens,
    aliases=("gliner", "scierc", "spert", "datasets", "hf"),
)
