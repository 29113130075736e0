"""Concepts of the 2010 i2b2/VA challenge: a folder of .txt and .con files.

    c="chest pain" 3:0 3:1||t="problem"

Line numbers count from 1, tokens of a line from 0 and at white space; both ends belong to the
concept. The release has the two kinds in folders of their own ("txt" and "concept"), which take no
part in a document's name. Assertions (.ast, in a folder "ast" or beside) become the attribute
("assertion", VALUE) of the problem they are about; relations (.rel) are counted in
`meta["relations_skipped"]`.

The quoted text is in small letters with single spaces. Where it is otherwise the text of these
tokens, the mention gets the text's own spelling.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.files import PathLike, read_lines
from spacy_bioner.corpora.losses import DUPLICATES, LINE_BREAKS, MENTIONS, OVERLAPS
from spacy_bioner.corpora.paired_files import (
    Pair,
    find_pairs,
    list_by_name,
    read_whole,
    writing_pairs,
)
from spacy_bioner.corpora.problems import (
    ANNOTATION,
    FILE,
    Problems,
    at_least_one,
    skip_or_raise,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Fragment, Mention, Record

CARRIES: FrozenSet[str] = frozenset((MENTIONS, OVERLAPS, DUPLICATES, LINE_BREAKS))
INSIDE_TOKENS = "borders of mentions inside white-space tokens"
ASSERTION = "assertion"
ENDING = ".con"
_FOLDERS = frozenset(("txt", "concept", "concepts", "ast", "rel"))
_FORM = 'c="TEXT" LINE:TOKEN LINE:TOKEN||t="TYPE"'
# The text may have quotation marks of its own, so it ends at the last place where the rest fits.
_CONCEPT = re.compile(
    r'c="(?P<text>.*)" (?P<start>\d{1,9}:\d{1,9}) (?P<end>\d{1,9}:\d{1,9})'
    r'\|\|t="(?P<label>[^"]+)"(?:\|\|a="(?P<value>[^"]+)")?'
)
_TOKEN = re.compile(r"\S+")


def read_i2b2(path: PathLike, *, problems: Optional[Problems] = None) -> Iterator[Record]:
    """Stream the documents of a folder by name, or the one that a file belongs to.

    YIELDS (Record): With `words`, the white-space tokens, and `sentence_starts`, the lines.
    RAISES (CorpusError): A file without its partner, a malformed line, a token that is not there.
    """
    path = Path(path)
    others = {ending: list_by_name(path, ending, _FOLDERS) for ending in (".ast", ".rel")}
    error = CorpusError("found no document, expected .txt and .con files", path=path, line=1)
    pairs = find_pairs(path, ENDING, folders=_FOLDERS, problems=problems)
    yield from at_least_one(_read_pairs(pairs, others, problems), error)


def write_i2b2(records: Iterable[Record], folder: PathLike) -> int:
    """Write a .txt and a .con file for each record, named by its id, into a new folder.

    A mention is written as the white-space tokens that it touches; `find_i2b2_losses` counts
    those that grow by that.
    RETURNS (int): The number of documents.
    RAISES (CorpusError): A folder that has files, an id that cannot name a file or stands twice, a
        label with a quotation mark.
    """
    with writing_pairs(folder) as writer:
        for record in records:
            lines = list(_format(record, Path(folder)))
            writer.write(record.id, record.text, ENDING, lines)
        return writer.count


def find_i2b2_losses(record: Record) -> "Counter[str]":
    """Count the mentions that begin or end inside a white-space token."""
    tokens = _Tokens(record.text)
    grown = sum(
        tokens.widen(m.start_char, m.end_char) != (m.start_char, m.end_char)
        for m in record.mentions
    )
    return Counter({INSIDE_TOKENS: grown}) if grown else Counter()


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
        """Give the token at LINE:TOKEN; None where there is none."""
        line, token = map(int, place.split(":"))
        if not 1 <= line <= len(self.lines) or token >= len(self.lines[line - 1]):
            return None
        return self.lines[line - 1][token]

    def touched(self, start: int, end: int) -> Tuple[int, int]:
        """Give the first and the last token that an interval touches."""
        return bisect_right(self._ends, start), bisect_left(self._starts, end) - 1

    def widen(self, start: int, end: int) -> Fragment:
        """Grow an interval to the tokens that it touches."""
        first, last = self.touched(start, end)
        return (self._starts[first], self._ends[last]) if first <= last else (start, end)

    def places(self, start: int, end: int) -> Optional[str]:
        """Give "LINE:TOKEN LINE:TOKEN" of an interval; None where it touches no token."""
        first, last = self.touched(start, end)
        return f"{self._places[first]} {self._places[last]}" if first <= last else None


def _read_pairs(
    pairs: Iterable[Pair], others: Dict[str, Dict[str, Path]], problems: Optional[Problems]
) -> Iterator[Record]:
    for pair in pairs:
        try:
            text = read_whole(pair.text).removeprefix("\ufeff")
            tokens = _Tokens(text)
            mentions = list(_read_concepts(pair.annotation, text, tokens, problems))
            assertions = others[".ast"].get(pair.name)
            if assertions is not None:
                mentions = _add_assertions(mentions, assertions, text, tokens, problems)
            relations = _count_lines(others[".rel"].get(pair.name))
        except CorpusError as error:
            skip_or_raise(error, FILE, problems)
            continue
        yield Record(
            pair.name,
            text,
            tuple(mentions),
            words=tuple(tokens.flat),
            sentence_starts=tuple(row[0][0] for row in tokens.lines if row),
            meta={"relations_skipped": str(relations)} if relations else {},
        )


def _read_concepts(
    path: Path, text: str, tokens: _Tokens, problems: Optional[Problems]
) -> Iterator[Mention]:
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            yield _read_concept(line, text, tokens, path, number)
        except CorpusError as error:
            skip_or_raise(error, ANNOTATION, problems)


def _read_concept(line: str, text: str, tokens: _Tokens, path: Path, number: int) -> Mention:
    match = _CONCEPT.fullmatch(line.strip())
    if not match:
        message = f"found {line.strip()[:60]!r}, expected {_FORM}"
        raise CorpusError(message, path=path, line=number)
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
    mentions: List[Mention],
    path: Path,
    text: str,
    tokens: _Tokens,
    problems: Optional[Problems],
) -> List[Mention]:
    values = {
        (item.start_char, item.end_char, item.label): item.attributes
        for item in _read_concepts(path, text, tokens, problems)
    }
    return [
        Mention(
            **{
                **vars(mention),
                "attributes": values.get((mention.start_char, mention.end_char, mention.label), ()),
            }
        )
        for mention in mentions
    ]


def _count_lines(path: Optional[Path]) -> int:
    return 0 if path is None else sum(bool(line.strip()) for _, line in read_lines(path))


def _format(record: Record, folder: Path) -> Iterator[str]:
    tokens = _Tokens(record.text)
    for mention in record.mentions:
        if '"' in mention.label or not mention.label.strip():
            message = f"document {record.id}: found the label {mention.label!r}, expected a name"
            raise CorpusError(f"{message} without quotation marks", path=folder)
        place = tokens.places(mention.start_char, mention.end_char)
        if place is None:
            continue
        start, end = tokens.widen(mention.start_char, mention.end_char)
        surface = " ".join(record.text[start:end].lower().split())
        yield f'c="{surface}" {place}||t="{mention.label}"'
