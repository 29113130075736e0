"""Rows of a word and a tag, and records: what CoNLL files and tables share.

A reader turns its file into items: a `Sentence`, or a string where a document of that name (empty
when it has none) starts. In a file without documents each sentence is a record of its own.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, chain, pairwise
from operator import add
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, Optional, Tuple, Union

from spacy.tokens import Doc

from spacy_bioner.corpora.formats.capabilities import MENTIONS, SENTENCES, WORDS
from spacy_bioner.corpora.formats.read_errors import (
    ANNOTATION,
    DOCUMENT,
    ReadErrors,
    skip_or_raise,
)
from spacy_bioner.corpora.formats.reading_notes import note_counts
from spacy_bioner.corpora.formats.tagged.scheme_detection import TagSurvey
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.gold import ID_KEY
from spacy_bioner.records import Fragment, Mention, Record
from spacy_bioner.sentences import sentence_flags, sentence_starts
from spacy_bioner.tags import (
    OUTSIDE,
    TokenSpan,
    detect_scheme,
    repair,
    spans_to_tags,
    tags_to_spans,
)

REPAIRED_KEY = "tags_repaired"
# The text between words is not carried either: one space comes back. A document without sentence
# borders comes back as one sentence.
CARRIED = frozenset((MENTIONS, WORDS, SENTENCES))
_LINE_BREAKS = str.maketrans("\n\r\t", "   ")
_MAX_CACHED_RUN = 16
_STARTING = ("B-", "S-", "U-")


@dataclass
class Sentence:
    """The rows of one sentence.

    lines (List[int]): The line of each word.
    spaces (List[bool]): Whether a space follows each word; empty where the file does not say.
    name (str): What the file calls it; may be empty.
    error (Optional[CorpusError]): The first malformed row; the sentence is then left out.
    faults (List[Tuple[int, CorpusError]]): All of them, each with the number of words before it.
    """

    words: List[str] = field(default_factory=list)
    tags: List[str] = field(default_factory=list)
    lines: List[int] = field(default_factory=list)
    spaces: List[bool] = field(default_factory=list)
    name: str = ""
    error: Optional[CorpusError] = None
    faults: List[Tuple[int, CorpusError]] = field(default_factory=list)

    def note(self, error: CorpusError) -> None:
        """Take note of a malformed row."""
        self.error = self.error or error
        self.faults.append((len(self.words), error))

    def __bool__(self) -> bool:
        return bool(self.words) or self.error is not None


Item = Union[Sentence, str]


def split_sentences(items: Iterable[Item]) -> Iterator[Item]:
    """Part what has no borders of sentences by its text, but never within a mention.

    Of a part with malformed rows the first is its error.
    """
    for item in items:
        if isinstance(item, str):
            yield item
            continue
        borders = [*_find_borders(item), len(item.words)]
        faults = list(item.faults)
        for start, end in pairwise(borders):
            is_last = end == len(item.words)
            own = [error for place, error in faults if is_last or place < end]
            faults = faults[len(own) :]
            yield Sentence(
                item.words[start:end],
                item.tags[start:end],
                item.lines[start:end],
                item.spaces[start:end],
                error=own[0] if own else None,
            )


def _find_borders(sentence: Sentence) -> List[int]:
    """Return the words with which sentences start; the first is one of them."""
    text, starts, _ = _join_words([sentence])
    flags = sentence_flags(starts[: len(sentence.words)], sentence_starts(text))
    borders = [0]
    for index in range(1, len(flags)):
        before, tag = sentence.tags[index - 1 : index + 1]
        # A tag that may go on with the one before it, in whatever scheme.
        is_inside = before != OUTSIDE and tag != OUTSIDE and tag[:2] not in _STARTING
        if flags[index] and not is_inside:
            borders.append(index)
    return borders


def find_conflict(items: Iterable[Item]) -> int:
    """Return the first line whose tag no scheme has together with those before; 1 without any."""
    seen: List[str] = []
    for item in items:
        if isinstance(item, str):
            continue
        for line, tag in zip(item.lines, item.tags):
            if tag[:2] in seen:
                continue
            seen.append(tag[:2])
            try:
                detect_scheme([[f"{mark}X" for mark in seen if mark != OUTSIDE]])
            except LabelError:
                return line
    return 1


def survey_and_make_records(
    read_items: Callable[[], Iterable[Item]], path: Path, *, problems: Optional[ReadErrors]
) -> Iterator[Record]:
    """Read a file twice: for the scheme of its tags and whether it has documents, and for records.

    read_items (Callable[[], Iterable[Item]]): Streams the items of the file anew.
    RAISES (CorpusError): Tags that no single scheme has, with the line; see `make_records`.
    """
    survey, has_documents = TagSurvey(), False
    for item in read_items():
        if isinstance(item, Sentence):
            survey.add(["", *item.tags, ""])
        else:
            has_documents = True
    try:
        scheme = survey.choose_scheme(lenient=problems is not None)
    except LabelError as error:
        line = find_conflict(read_items())
        raise CorpusError(str(error), path=path, line=line) from error
    yield from make_records(
        read_items(), path, scheme=scheme, has_documents=has_documents, problems=problems
    )


def make_records(
    items: Iterable[Item],
    path: PathLike,
    *,
    scheme: str,
    has_documents: bool,
    problems: Optional[ReadErrors],
) -> Iterator[Record]:
    """Gather sentences to records; unnamed ones are numbered, those that are left out as well.

    A malformed sentence is left out of its document (an annotation in the count); a document of
    which nothing else is left goes with it, and so does a record that is one sentence.

    RAISES (CorpusError): A malformed row when strict; a file without any record.
    """
    stem, number, found = Path(path).stem, 0, 0
    for name, sentences in _gather(items, has_documents):
        number += 1
        name = name or f"{stem}-{number}"
        sound = [sentence for sentence in sentences if sentence.error is None]
        for error in (sentence.error for sentence in sentences if sentence.error):
            skip_or_raise(error, ANNOTATION if has_documents else DOCUMENT, problems)
        if sentences and not sound:
            if has_documents and sentences[0].error:
                message = f"found no sound sentence in document {name}, expected one at least"
                line = sentences[0].error.line
                skip_or_raise(CorpusError(message, path=path, line=line), DOCUMENT, problems)
            continue
        found += 1
        yield _make_record(name, sound, scheme)
    if not found:
        message = "found no token, expected rows of a word and a tag"
        raise CorpusError(message, path=path, line=1)


def tagged_words(doc: Doc, scheme: str, name: str) -> List[Tuple[bool, str, str]]:
    """List a Doc's tokens as (starts a sentence, word, tag); those of white space are left out.

    A sentence border within an entity is left out as well: it would part the entity.
    RAISES (CorpusError): A word or label with white space at an end, which readers drop.
    """
    tokens = [token for token in doc if token.text.strip()]
    place = {token.i: index for index, token in enumerate(tokens)}
    spans: List[TokenSpan] = []
    for entity in doc.ents:
        inside = [place[token.i] for token in entity if token.i in place]
        if inside:
            _check_writable("label", entity.label_, name)
            spans.append((inside[0], inside[-1] + 1, entity.label_))
    tags = spans_to_tags(spans, len(tokens), scheme)
    within = {index for start, end, _ in spans for index in range(start + 1, end)}
    rows: List[Tuple[bool, str, str]] = []
    following = 0
    for index, (token, tag) in enumerate(zip(tokens, tags, strict=True)):
        # White space between two tokens may carry the mark.
        marked = any(doc[i].is_sent_start for i in range(following, token.i + 1))
        border = not index or (marked and index not in within)
        word = token.text.translate(_LINE_BREAKS)
        _check_writable("word", word, name)
        rows.append((border, word, tag))
        following = token.i + 1
    return rows


def document_id(doc: Doc, number: int) -> str:
    """Return the identifier that `align` leaves on a Doc, else its number."""
    return str(doc.user_data.get(ID_KEY, number))


def _gather(items: Iterable[Item], has_documents: bool) -> Iterator[Tuple[str, List[Sentence]]]:
    """Stream (name, sentences) of each record; the name is empty when the file gives none."""
    name: Optional[str] = None
    sentences: List[Sentence] = []
    for item in items:
        if isinstance(item, str):
            # A marker right behind one without a name names the same document.
            if sentences or name:
                yield name or "", sentences
            name, sentences = item, []
        elif has_documents:
            sentences.append(item)
        else:
            yield item.name, [item]
    if sentences or name is not None:
        yield name or "", sentences


def _make_record(name: str, sentences: List[Sentence], scheme: str) -> Record:
    """Join the words, by single spaces but where the file has none, and read the mentions off the
    tags."""
    text, starts, words = _join_words(sentences)
    borders: List[int] = []
    mentions: List[Mention] = []
    first = repaired = 0
    for sentence in sentences:
        borders.append(starts[first])
        spans, changed = _read_tags(sentence.tags, scheme)
        repaired += changed
        for start, end, label in spans:
            left, right = words[first + start][0], words[first + end - 1][1]
            line = sentence.lines[start]
            mentions.append(Mention(left, right, label, text[left:right], line=line))
        first += len(sentence.words)
    return Record(
        id=name,
        text=text,
        mentions=tuple(mentions),
        words=words,
        sentence_starts=tuple(borders),
        reading_notes=note_counts({REPAIRED_KEY: repaired}),
    )


def _join_words(sentences: List[Sentence]) -> Tuple[str, List[int], Tuple[Fragment, ...]]:
    """Return the text, the start of each word and one more, and the borders of the words."""
    spelled = [word for sentence in sentences for word in sentence.words]
    lengths = [len(word) for word in spelled]
    if not any(sentence.spaces for sentence in sentences):
        text = " ".join(spelled)
        starts = list(accumulate((length + 1 for length in lengths), initial=0))
        return text, starts, tuple(zip(starts, map(add, starts, lengths)))
    gaps: List[bool] = []
    for sentence in sentences:
        gaps += sentence.spaces or [True] * len(sentence.words)
    text = "".join(word + " " * gap for word, gap in zip(spelled, gaps, strict=True))
    starts = list(accumulate(map(add, lengths, gaps), initial=0))
    return text.removesuffix(" " * gaps[-1]), starts, tuple(zip(starts, map(add, starts, lengths)))


def _read_tags(tags: List[str], scheme: str) -> Tuple[List[TokenSpan], int]:
    """Read the spans off repaired tags, and count the repairs.

    "O" ends whatever is open in every scheme, so the stretches between are read on their own: a
    corpus has few different ones.
    """
    spans: List[TokenSpan] = []
    changed = 0
    if tags.count(OUTSIDE) == len(tags):
        return spans, changed
    start = -1
    for position, tag in enumerate(chain(tags, (OUTSIDE,))):
        if tag != OUTSIDE:
            start = position if start < 0 else start
        elif start >= 0:
            run = tuple(tags[start:position])
            read = _read_short_run if len(run) <= _MAX_CACHED_RUN else _read_run
            found, repairs = read(run, scheme)
            spans += [(start + left, start + right, label) for left, right, label in found]
            changed += repairs
            start = -1
    return spans, changed


def _read_run(tags: Tuple[str, ...], scheme: str) -> Tuple[Tuple[TokenSpan, ...], int]:
    repaired, changed = repair(tags, scheme)
    return tuple(tags_to_spans(repaired)), changed


_read_short_run = lru_cache(maxsize=1 << 14)(_read_run)


def _check_writable(kind: str, value: str, name: str) -> None:
    if value != value.strip() or value.translate(_LINE_BREAKS) != value:
        message = (
            f"document {name}: found {kind} {value!r}, "
            "expected none with white space at an end, tab or line break"
        )
        raise CorpusError(message)
