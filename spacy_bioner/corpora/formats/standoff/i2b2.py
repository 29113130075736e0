"""Concepts of the 2010 i2b2/VA challenge: a folder of .txt and .con files.

    c="chest pain" 3:0 3:1||t="problem"

Line numbers count from 1, tokens of a line from 0 and at white space; both ends belong to the
concept. The release has the two kinds in folders of their own ("txt" and "concept"), which take no
part in a document's name. Assertions (.ast, in a folder "ast" or beside) become the attribute
("assertion", VALUE) of the problem they are about; relations (.rel) are counted in
`reading_notes["relations_skipped"]`. Line ends stay as they are: no offset depends on them.

The quoted text is in small letters with single spaces. Where it is otherwise the text of these
tokens, the mention gets the text's own spelling.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Match, Optional, Tuple

from spacy_bioner.corpora.formats.capabilities import (
    DUPLICATES,
    LINE_BREAKS,
    MENTIONS,
    OVERLAPS,
    SENTENCES,
    WORDS,
)
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.read_errors import (
    ANNOTATION,
    FILE,
    ReadErrors,
    at_least_one,
    skip_or_raise,
)
from spacy_bioner.corpora.formats.reading_notes import note_counts
from spacy_bioner.corpora.formats.standoff.paired_files import (
    BYTE_ORDER_MARK,
    Pair,
    find_pairs,
    read_whole,
    writing_pairs,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, read_lines
from spacy_bioner.records import Fragment, Mention, Record

INSIDE_TOKENS = "borders of mentions inside white-space tokens"
NO_TOKEN = "mentions without a white-space token"
ASSERTION = "assertion"
ENDING = ".con"
_FOLDERS = frozenset(("txt", "concept", "concepts", "ast", "rel"))
_FORM = 'c="TEXT" LINE:TOKEN LINE:TOKEN||t="TYPE"'
_ASSERTION_FORM = f'{_FORM}||a="VALUE"'
# The text may have quotation marks of its own, so it ends at the last place where the rest fits.
_CONCEPT = re.compile(
    r'c="(?P<text>.*)" (?P<start>\d{1,9}:\d{1,9}) (?P<end>\d{1,9}:\d{1,9})'
    r'\|\|t="(?P<label>[^"]+)"(?:\|\|a="(?P<value>[^"]+)")?',
    re.ASCII,
)
_TOKEN = re.compile(r"\S+")


def read_i2b2(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Record]:
    """Stream the documents of a folder by name, or the one that a file belongs to.

    YIELDS (Record): With `words`, the white-space tokens, and `sentence_starts`, the lines.
    RAISES (CorpusError): A file without its partner, a malformed line, a token that is not there.
    """
    path = Path(path)
    error = CorpusError("found no document, expected .txt and .con files", path=path, line=1)
    others = (".ast", ".rel")
    found = find_pairs(path, ENDING, folders=_FOLDERS, others=others, problems=problems)
    records = found.note_strays(_read_pairs(found.pairs, problems))
    yield from at_least_one(records, error)


def write_i2b2(records: Iterable[Record], folder: PathLike) -> int:
    """Write a .txt and a .con file for each record, named by its id, into a new folder.

    A mention is written as the white-space tokens that it touches; `find_i2b2_losses` counts
    those that grow by that, and those that touch none and are left out.
    RETURNS (int): The number of documents.
    RAISES (CorpusError): A folder that has files, an id that cannot name a file or stands twice, a
        label with a quotation mark or a line break.
    """
    with writing_pairs(folder, ENDING, folders=_FOLDERS) as writer:
        for record in records:
            lines = list(_format(record, Path(folder)))
            # A mark at the start is no part of a text, unless there are two of them.
            mark = BYTE_ORDER_MARK if record.text.startswith(BYTE_ORDER_MARK) else ""
            writer.write(record.id, mark + record.text, lines)
        return writer.count


def find_i2b2_losses(record: Record) -> "Counter[str]":
    """Count the mentions that begin or end inside a white-space token, or touch none.

    They are losses beside those of `capabilities.find_losses` with what the format carries.
    """
    tokens = _Tokens(record.text)
    losses: Counter[str] = Counter()
    for mention in record.mentions:
        interval = (mention.start_char, mention.end_char)
        place = tokens.touched(*interval)
        if place is None:
            losses[NO_TOKEN] += 1
        elif tokens.cover(*place) != interval:
            losses[INSIDE_TOKENS] += 1
    return losses


class _Tokens:
    """The white-space tokens of a text, by line and position."""

    def __init__(self, text: str) -> None:
        self.lines: List[List[Fragment]] = []
        self.flat: List[Fragment] = []
        self._places: List[str] = []
        start = 0
        for number, line in enumerate(text.split("\n"), start=1):
            row = [(start + m.start(), start + m.end()) for m in _TOKEN.finditer(line)]
            self.lines.append(row)
            self.flat += row
            self._places += [f"{number}:{index}" for index in range(len(row))]
            start += len(line) + 1
        self._starts = [token[0] for token in self.flat]
        self._ends = [token[1] for token in self.flat]

    def find(self, place: str) -> Optional[Fragment]:
        """Return the token at LINE:TOKEN; None where there is none."""
        line, token = map(int, place.split(":"))
        if not 1 <= line <= len(self.lines) or token >= len(self.lines[line - 1]):
            return None
        return self.lines[line - 1][token]

    def touched(self, start: int, end: int) -> Optional[Tuple[int, int]]:
        """Number the first and the last token that an interval touches, if there is one."""
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end) - 1
        return (first, last) if start < end and first <= last else None

    def cover(self, first: int, last: int) -> Fragment:
        """Return the interval from a token to another."""
        return self._starts[first], self._ends[last]

    def places(self, first: int, last: int) -> str:
        """Return "LINE:TOKEN LINE:TOKEN" for a token and another."""
        return f"{self._places[first]} {self._places[last]}"


def _read_pairs(pairs: Iterable[Pair], problems: Optional[ReadErrors]) -> Iterator[Record]:
    for pair in pairs:
        try:
            text = read_whole(pair.text).removeprefix(BYTE_ORDER_MARK)
            tokens = _Tokens(text)
            mentions = list(_read_mentions(pair.annotation, text, tokens, problems))
            if ".ast" in pair.others:
                found = _read_mentions(pair.others[".ast"], text, tokens, problems, asserts=True)
                mentions = _add_assertions(mentions, found, pair, problems)
            relations = _count_lines(pair.others.get(".rel"))
        except CorpusError as error:
            skip_or_raise(error, FILE, problems)
            continue
        yield Record(
            pair.name,
            text,
            tuple(mentions),
            words=tuple(tokens.flat),
            sentence_starts=tuple(row[0][0] for row in tokens.lines if row),
            reading_notes=note_counts({"relations_skipped": relations}),
        )


def _read_mentions(
    path: Path,
    text: str,
    tokens: _Tokens,
    problems: Optional[ReadErrors],
    *,
    asserts: bool = False,
) -> Iterator[Mention]:
    """Read the lines of a file; those of an .ast file are to have an assertion."""
    for number, line in read_lines(path):
        if not line.strip():
            continue
        match = _CONCEPT.fullmatch(line.strip())
        try:
            if match is None or (asserts and not match["value"]):
                form = _ASSERTION_FORM if asserts else _FORM
                message = f"found {line.strip()[:60]!r}, expected {form}"
                raise CorpusError(message, path=path, line=number)
            yield _to_mention(match, text, tokens, path, number)
        except CorpusError as error:
            skip_or_raise(error, ANNOTATION, problems)


def _to_mention(match: Match[str], text: str, tokens: _Tokens, path: Path, number: int) -> Mention:
    borders = []
    for name in ("start", "end"):
        token = tokens.find(match[name])
        if token is None:
            raise CorpusError(_describe(match[name], tokens), path=path, line=number)
        borders.append(token)
    start, end = borders[0][0], borders[1][1]
    if start >= end:
        message = f"found a concept from {match['start']} to {match['end']}, expected start first"
        raise CorpusError(message, path=path, line=number)
    found = text[start:end]
    same = " ".join(found.lower().split()) == " ".join(match["text"].lower().split())
    attributes = ((ASSERTION, match["value"]),) if match["value"] else ()
    surface = found if same else match["text"]
    return Mention(start, end, match["label"], surface, line=number, attributes=attributes)


def _describe(place: str, tokens: _Tokens) -> str:
    line, token = place.split(":")
    number = int(line)
    if not 1 <= number <= len(tokens.lines):
        return f"found line {line} in {place}, expected 1 to {len(tokens.lines)}"
    count = len(tokens.lines[number - 1])
    return f"found token {token} in {place}, expected one of the {count} in line {line}, from 0"


def _add_assertions(
    mentions: List[Mention], found: Iterable[Mention], pair: Pair, problems: Optional[ReadErrors]
) -> List[Mention]:
    known = {_key(mention) for mention in mentions}
    values: Dict[Tuple[int, int, str], List[Tuple[str, str]]] = {}
    for item in found:
        if _key(item) in known:
            values.setdefault(_key(item), []).extend(item.attributes)
            continue
        message = f"found an assertion about {item.text!r}, expected a concept of that place and "
        message += f"type in {pair.annotation.name}"
        error = CorpusError(message, path=pair.others[".ast"], line=item.line)
        skip_or_raise(error, ANNOTATION, problems)
    return [
        replace(mention, attributes=tuple(values.get(_key(mention), mention.attributes)))
        for mention in mentions
    ]


def _key(mention: Mention) -> Tuple[int, int, str]:
    return mention.start_char, mention.end_char, mention.label


def _count_lines(path: Optional[Path]) -> int:
    return 0 if path is None else sum(bool(line.strip()) for _, line in read_lines(path))


def _format(record: Record, folder: Path) -> Iterator[str]:
    tokens = _Tokens(record.text)
    for mention in record.mentions:
        label = mention.label
        if not label.strip() or any(char in label for char in '"\n\r'):
            message = f"document {record.id}: found the label {label!r}, expected a name of one "
            raise CorpusError(f"{message}line without quotation marks", path=folder)
        place = tokens.touched(mention.start_char, mention.end_char)
        if place is None:
            continue
        start, end = tokens.cover(*place)
        surface = " ".join(record.text[start:end].lower().split())
        yield f'c="{surface}" {tokens.places(*place)}||t="{label}"'


FORMAT = Format(
    "i2b2",
    "i2b2/n2c2 2010 concepts: a folder of .txt and .con files",
    read_i2b2,
    write_i2b2,
    carried=frozenset((MENTIONS, OVERLAPS, DUPLICATES, LINE_BREAKS)),
    is_folder=True,
    folder_endings=(ENDING,),
    derives=frozenset((WORDS, SENTENCES)),
    losses=find_i2b2_losses,
)
