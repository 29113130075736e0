"""In what offsets are counted: characters, UTF-16 code units, UTF-8 bytes or grapheme clusters.

Python counts characters (code points), JavaScript and Java UTF-16 code units, some services bytes,
and some editors grapheme clusters. They differ behind an emoji, an accent of its own, a CR LF, or
(bytes) any letter that is not ASCII. A file rarely says which, but its text tells: an annotation
that repeats its text is right in one unit only, and one that does not cuts words in the wrong ones.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.offsets.graphemes import cluster_starts
from spacy_bioner.corpora.formats.read_errors import ReadErrors, read_each
from spacy_bioner.corpora.formats.reading_notes import add_warning
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Mention, Record

CHARACTERS, UTF_16, GRAPHEMES, BYTES = "characters", "utf-16", "graphemes", "bytes"
UNITS = (CHARACTERS, UTF_16, GRAPHEMES, BYTES)
TITLES = {
    CHARACTERS: "characters",
    UTF_16: "UTF-16 code units",
    GRAPHEMES: "grapheme clusters",
    BYTES: "UTF-8 bytes",
}
# Gold may cut words here and there; one unit must explain nearly all that tells.
_SHARE = 0.9
# About as many characters of texts, and what takes as much memory as that, are held.
_HELD = 1 << 25
_MENTION_SIZE = 250
_BEHIND = float("inf")
_OTHER_TEXT = (
    "most mentions of the file cut words: their offsets may be of another text "
    "(with its HTML, line ends or white space as they were)"
)
_ENDS_INCLUDED = "ends were taken as those of the last character, as mentions claim their texts"
_Step = Tuple[int, int, int, int]
"""Offset in the unit, width in it, offset in characters, their number."""


class OffsetTable:
    """Translates offsets of one text.

    text (str): The text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._steps: Dict[str, List[_Step]] = {}

    def translate(self, offset: int, unit: str) -> Optional[int]:
        """Return the offset in characters; None within a character and beyond the text.

        Where the unit is the same as characters all over the text, it is the offset itself.
        """
        if unit == CHARACTERS or _is_plain(self.text):
            return offset
        if unit not in self._steps:
            self._steps[unit] = list(_list_steps(self.text, unit))
        steps = self._steps[unit]
        if not steps or offset <= 0:
            return offset if not steps or offset == 0 else None
        place = bisect_right(steps, (offset, _BEHIND)) - 1
        if place < 0:
            return offset
        start, width, first, characters = steps[place]
        if start < offset < start + width:
            return None
        found = first if offset == start else first + characters + offset - start - width
        return found if found <= len(self.text) else None

    def move(self, mention: Mention, unit: str) -> Optional[Mention]:
        """Return a mention with offsets in characters; None where they are none of the unit."""
        if unit == CHARACTERS:
            return mention
        return move_mention(mention, partial(self.translate, unit=unit))


@dataclass
class UnitSurvey:
    """Which unit makes how many mentions of a file right, of those that it moves.

    telling (Counter[str]): Mentions that are elsewhere in a unit than in characters, by unit.
    right (Counter[str]): Of these, the ones that stand right in the unit.
    as_characters (Counter[str]): Of these, the ones that stand right in characters.
    unclaimed (int): Mentions that do not claim their text.
    cutting (int): Of these, the ones that cut words in characters.
    claimed (int): Mentions that claim their text.
    included (int): Of these, the ones that are right if the end is that of the last character.
    """

    unclaimed: int = 0
    cutting: int = 0
    claimed: int = 0
    included: int = 0
    telling: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    as_characters: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Look at the mentions of one more document; `text` is what the annotation repeats."""
        is_plain = _is_plain(record.text)
        table = OffsetTable(record.text)
        for mention in record.mentions:
            is_right = stands_right(mention, record.text)
            if not mention.text:
                self.unclaimed += 1
                self.cutting += not is_right
            else:
                self.claimed += 1
                self.included += not is_right and stands_right(_lengthen(mention), record.text)
            if is_plain:
                continue
            for unit in UNITS[1:]:
                moved = table.move(mention, unit)
                if moved != mention:
                    self.telling[unit] += 1
                    self.as_characters[unit] += is_right
                    self.right[unit] += moved is not None and stands_right(moved, record.text)

    def choose(self) -> str:
        """Choose the unit: characters, unless another explains nearly all, and they few."""
        clear = [
            unit
            for unit in UNITS[1:]
            if self.right[unit] >= _SHARE * self.telling[unit] > 0
            and self.as_characters[unit] <= self.telling[unit] / 2
            and self.right[unit] > self.as_characters[unit]
        ]
        return max(clear, key=lambda unit: self.right[unit], default=CHARACTERS)

    @property
    def includes_ends(self) -> bool:
        """Tell whether the file gives the offset of the last character, not the one behind it."""
        return self.included == self.claimed > 0

    @property
    def cuts_most(self) -> bool:
        """Tell whether most mentions cut words, as where their offsets are of another text."""
        return self.cutting > self.unclaimed / 2


def move_mention(mention: Mention, translate: Callable[[int], Optional[int]]) -> Optional[Mention]:
    """Return a mention with other offsets; None where one of them has no translation."""
    pairs = [(mention.start_char, mention.end_char), *mention.fragments]
    moved = [(translate(start), translate(end)) for start, end in pairs]
    found = [(start, end) for start, end in moved if start is not None and end is not None]
    if len(found) != len(pairs):
        return None
    (start, end), *fragments = found
    return replace(mention, start_char=start, end_char=end, fragments=tuple(fragments))


def stands_right(mention: Mention, text: str) -> bool:
    """Tell whether a mention covers what it claims or, if it claims nothing, whole words."""
    if mention.text:
        return _covers_claim(mention, text)
    return all(_covers_words(text, start, end) for start, end in mention.pieces)


def read_in_characters(
    read: Callable[[Optional[ReadErrors]], Iterable[Record]],
    offsets: Optional[str],
    *,
    path: PathLike,
    problems: Optional[ReadErrors] = None,
) -> Iterator[Record]:
    """Stream records with offsets in characters, whatever the file counts in.

    A file is read twice, unless it is small: its end may tell what is meant at its start.

    read (Callable[[Optional[ReadErrors]], Iterable[Record]]): Reads the file; a mention whose
        annotation does not repeat its text has none.
    offsets (Optional[str]): One of `UNITS`; None finds it.
    path (PathLike): The file, for messages.
    problems (Optional[ReadErrors]): Takes note of what cannot be read, and of mentions whose
        offsets are none of the unit.
    YIELDS (Record): Mentions have the text at their offsets where they claimed none. Documents
        whose offsets were, or may be, in another unit have a warning.
    """
    if offsets is not None and offsets not in UNITS:
        raise CorpusError(f"found offsets {offsets!r}, expected one of {', '.join(UNITS)}")
    if offsets is not None:
        for record in read(problems):
            move = partial(_move_strictly, OffsetTable(record.text), record.id, offsets, path)
            mentions = read_each(record.mentions, move, problems)
            yield _add_texts(replace(record, mentions=tuple(mentions)))
        return
    found = UnitSurvey()
    held = _survey_and_hold(read, found)
    unit = found.choose()
    for record in read(problems) if held is None else held:
        yield _add_texts(_settle(record, found, unit))


def _survey_and_hold(
    read: Callable[[Optional[ReadErrors]], Iterable[Record]], survey: UnitSurvey
) -> Optional[List[Record]]:
    """Look at all documents. RETURNS: They, if they are few and nothing is wrong with them."""
    noted = ReadErrors(keep=0)
    held: List[Record] = []
    size = 0
    for record in read(noted):
        survey.add(record)
        size += len(record.text) + _MENTION_SIZE * len(record.mentions)
        if size <= _HELD:
            held.append(record)
    return held if size <= _HELD and not noted.skipped else None


def _settle(record: Record, found: UnitSurvey, unit: str) -> Record:
    """Return a record as all the file says that it is meant."""
    if found.includes_ends and record.mentions:
        lengthened = tuple(map(_lengthen, record.mentions))
        record = add_warning(replace(record, mentions=lengthened), _ENDS_INCLUDED)
    moved = _move_by_text(record, unit=unit)
    if unit == CHARACTERS and found.cuts_most and _cuts_words(moved):
        return add_warning(moved, _OTHER_TEXT)
    return moved


def _move_strictly(
    table: OffsetTable, document: str, unit: str, path: PathLike, mention: Mention
) -> Mention:
    moved = table.move(mention, unit)
    if moved is None:
        place = f"{mention.start_char}-{mention.end_char} of document {document}"
        message = (
            f"found {mention.label!r} at {place}, expected offsets in {TITLES[unit]} "
            "within the text; choose another --offsets"
        )
        raise CorpusError(message, path=path, line=mention.line)
    return moved


def _move_by_text(record: Record, *, unit: str) -> Record:
    if _is_plain(record.text):
        return record
    table = OffsetTable(record.text)
    mentions: List[Mention] = []
    units: Counter[str] = Counter()
    doubtful: Counter[str] = Counter()
    for mention in record.mentions:
        chosen = _choose_unit(mention, table, unit)
        moved = table.move(mention, chosen) or mention
        mentions.append(moved)
        units[chosen] += moved != mention
        if not moved.text and not stands_right(moved, record.text):
            doubtful.update(_other_units(mention, table, chosen))
    if +units:
        titles = " and ".join(TITLES[name] for name in UNITS if units[name])
        taken = f"offsets were taken as {titles}, which fit the text where characters do not"
        record = add_warning(record, f"{taken}; --offsets characters takes them as they stand")
    elif doubtful:
        titles = " or ".join(TITLES[name] for name in UNITS if doubtful[name])
        record = add_warning(
            record,
            f"mentions cut words, and would not if their offsets were {titles}; "
            "look at them, and name the unit with --offsets if so",
        )
    return replace(record, mentions=tuple(mentions))


def _choose_unit(mention: Mention, table: OffsetTable, unit: str) -> str:
    """Choose the unit of one mention: the file's, unless what it claims stands elsewhere."""
    if not mention.text:
        return unit
    for candidate in (unit, *UNITS):
        moved = table.move(mention, candidate)
        if moved is not None and _covers_claim(moved, table.text):
            return candidate
    return unit


def _other_units(mention: Mention, table: OffsetTable, chosen: str) -> Iterator[str]:
    for unit in UNITS:
        moved = table.move(mention, unit) if unit != chosen else None
        if moved is not None and moved != mention and stands_right(moved, table.text):
            yield unit


def _is_plain(text: str) -> bool:
    """Tell whether all units are the same in a text."""
    return text.isascii() and "\r\n" not in text


def _lengthen(mention: Mention) -> Mention:
    """Return a mention with the character at its end."""
    fragments = tuple((start, end + 1) for start, end in mention.fragments)
    return replace(mention, end_char=mention.end_char + 1, fragments=fragments)


def _cuts_words(record: Record) -> bool:
    return any(not m.text and not stands_right(m, record.text) for m in record.mentions)


def _add_texts(record: Record) -> Record:
    if all(mention.text for mention in record.mentions):
        return record
    mentions = tuple(
        mention
        if mention.text
        else replace(
            mention, text=record.text[max(0, mention.start_char) : max(0, mention.end_char)]
        )
        for mention in record.mentions
    )
    return replace(record, mentions=mentions)


def _covers_claim(mention: Mention, text: str) -> bool:
    if mention.start_char < 0:
        return False
    joined = "".join(text[start:end] for start, end in mention.pieces)
    return mention.text in (
        text[mention.start_char : mention.end_char], joined, mention.covered(text)
    )  # fmt: skip


def _covers_words(text: str, start: int, end: int) -> bool:
    if not 0 <= start < end <= len(text):
        return False
    if text[start].isspace() or text[end - 1].isspace():
        return False
    # Punctuation and invisible characters alone are no words.
    if not any(map(str.isalnum, text[start:end])):
        return False
    return not (_is_within_word(text, start) or _is_within_word(text, end))


def _is_within_word(text: str, offset: int) -> bool:
    if not 0 < offset < len(text) or not text[offset - 1].isalnum():
        return False
    # Of scripts without capitals some have no blanks between words.
    if unicodedata.category(text[offset]) == "Lo":
        return False
    return text[offset].isalnum() or len(cluster_starts(text[offset - 1 : offset + 1])) == 1


def _list_steps(text: str, unit: str) -> Iterator[_Step]:
    """Stream the places where the unit and characters do not go on alike."""
    if unit == GRAPHEMES:
        starts = [*cluster_starts(text), len(text)]
        for offset, (start, end) in enumerate(zip(starts, starts[1:])):
            if end - start > 1:
                yield offset, 1, start, end - start
        return
    pattern, codec, size = _WIDE[unit]
    more = 0
    for match in pattern.finditer(text):
        width = len(match[0].encode(codec, "surrogatepass")) // size
        yield match.start() + more, width, match.start(), 1
        more += width - 1


_WIDE = {
    UTF_16: (re.compile("[\U00010000-\U0010ffff]"), "utf-16-le", 2),
    BYTES: (re.compile("[^\x00-\x7f]"), "utf-8", 1),
}
