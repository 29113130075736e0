"""Back-translation: a text through another language and back, with its mentions found again."""

import random
from collections import Counter
from dataclasses import replace
from itertools import accumulate
from typing import Callable, Dict, List, Optional, Pattern, Sequence

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Record
from spacy_bioner.sentences import sentence_starts
from spacy_bioner.transforms.augmentation.editing import MentionGroup, edit_record, find_groups
from spacy_bioner.transforms.augmentation.projection import (
    Piece,
    compile_known,
    find_mentions,
    find_placeholders,
    mask,
    project,
)
from spacy_bioner.transforms.offsets import Edit

UNITS = ("sentence", "document")
Translate = Callable[[List[str]], List[str]]


class BackTranslation:
    """Rewrites what is between mentions; where a mention is not found again, nothing.

    translate (Callable[[List[str]], List[str]]): Gives each text in other words: its translation
        translated back.
    unit (str): What is translated as one. "sentence": a sentence whose mentions cannot all be found
        again stays as it is. "document": then there is no variant of the document.
    placeholder (Optional[str]): What stands for mentions in the texts to translate, with "{}" for
        their number ("ENTITY{}"); None leaves them in and looks for what they say.
    count (Counter[str]): Pieces so far: "projected", "unchanged" and "refused".
    RAISES (ConfigError): An unknown unit, or a placeholder without one "{}" in it.
    """

    def __init__(
        self,
        translate: Translate,
        *,
        unit: str = "sentence",
        placeholder: Optional[str] = None,
    ) -> None:
        if unit not in UNITS:
            raise ConfigError(f"found unit {unit!r}, expected one of {', '.join(UNITS)}")
        if placeholder is not None and not _is_usable(placeholder):
            message = f"found placeholder {placeholder!r}, expected a word with '{{}}' in it"
            raise ConfigError(f"{message} for the number, such as 'ENTITY{{}}'")
        self.translate = translate
        self.unit = unit
        self.placeholder = placeholder
        self.count: Counter[str] = Counter()

    def __call__(self, record: Record, rng: random.Random) -> Optional[Record]:
        """Return a variant of a record.

        rng (Random): Not used: chance is up to the translator.
        RETURNS (Optional[Record]): None where pieces were refused and none was projected.
        RAISES (ConfigError): A translator that gives another number of texts, or no strings.
        """
        groups = find_groups(record)
        known = compile_known(record, groups)
        pieces = _cut(record, groups, whole=self.unit == "document")
        sources = [self._write(record, piece) for piece in pieces]
        asked = [source for source in sources if source is not None]
        answers = iter(_translate(self.translate, asked))
        edits: List[Edit] = []
        growth: List[int] = []
        outcomes: Counter[str] = Counter()
        for piece, source in zip(pieces, sources, strict=True):
            found = None
            if source is not None:
                found = self._project(record, piece, next(answers), known)
            changed = [e for e in found or [] if record.text[e.start : e.end] != e.new]
            outcomes["refused" if found is None else "projected" if changed else "unchanged"] += 1
            edits += changed
            growth.append(sum(len(e.new) - (e.end - e.start) for e in changed))
        self.count += outcomes
        if not edits:
            return None if outcomes["refused"] else record
        edited = edit_record(record, _join_insertions(edits))
        return _cover_pieces(record, edited, pieces, growth, whole=self.unit == "document")

    def _write(self, record: Record, piece: Piece) -> Optional[str]:
        if self.placeholder is None:
            return record.text[piece.start : piece.end]
        return mask(record, piece, self.placeholder)

    def _project(
        self, record: Record, piece: Piece, answer: str, known: Pattern[str]
    ) -> Optional[List[Edit]]:
        text = answer.strip()
        if self.placeholder is None:
            places = find_mentions(record, piece, text)
        else:
            places = find_placeholders(text, self.placeholder, len(piece.groups))
        if not text or places is None:
            return None
        masked = self.placeholder is not None
        return project(record, piece, text, places, known, masked=masked)


def _translate(translate: Translate, texts: List[str]) -> List[str]:
    answers = list(translate(texts)) if texts else []
    if len(answers) != len(texts) or not all(isinstance(answer, str) for answer in answers):
        message = f"the translator gave {len(answers)} texts, expected {len(texts)} strings"
        raise ConfigError(f"{message}, one for each text that it gets")
    return answers


def _cut(record: Record, groups: Sequence[MentionGroup], *, whole: bool) -> List[Piece]:
    """Cut a record at sentences and sections, never within a group, without space at the ends."""
    cuts = {start for _, start, _ in record.sections} | {end for _, _, end in record.sections}
    if not whole:
        cuts.update(record.sentence_starts or sentence_starts(record.text))
    inner = sorted(
        cut
        for cut in cuts
        if 0 < cut < len(record.text) and not any(g.start < cut < g.end for g in groups)
    )
    pieces: List[Piece] = []
    for start, end in zip([0, *inner], [*inner, len(record.text)], strict=True):
        text = record.text[start:end]
        if any(map(str.isalpha, text)):
            members = tuple(g for g in groups if start <= g.start and g.end <= end)
            left, right = end - len(text.lstrip()), start + len(text.rstrip())
            # A mention that ends in a space, which some corpora have, keeps it.
            left = min([left, *(group.start for group in members)])
            right = max([right, *(group.end for group in members)])
            pieces.append(Piece(left, right, members))
    return pieces


def _join_insertions(edits: List[Edit]) -> List[Edit]:
    """Make one of two insertions at one offset, as pieces without a space between them give."""
    insertions: Dict[int, str] = {}
    for edit in edits:
        if edit.start == edit.end:
            insertions[edit.start] = insertions.get(edit.start, "") + edit.new
    others = [edit for edit in edits if edit.start < edit.end]
    return others + [Edit(at, at, new) for at, new in insertions.items()]


def _cover_pieces(
    record: Record, edited: Record, pieces: List[Piece], growth: List[int], *, whole: bool
) -> Record:
    """Let sections and sentences have what was put in front of or behind their mentions."""
    shifts = list(accumulate(growth, initial=0))

    def is_inside(offset: int) -> bool:
        return any(piece.start < offset < piece.end for piece in pieces)

    def move_start(offset: int) -> int:
        return offset + shifts[sum(piece.end <= offset for piece in pieces)]

    def move_end(offset: int) -> int:
        return offset + shifts[sum(piece.start < offset for piece in pieces)]

    sections = tuple(
        (
            name,
            new_start if is_inside(start) else move_start(start),
            new_end if is_inside(end) else move_end(end),
        )
        for (name, start, end), (_, new_start, new_end) in zip(
            record.sections, edited.sections, strict=True
        )
    )
    # Within a translated document the corpus' sentences are not known any more.
    starts = () if whole else (at for at in record.sentence_starts if not is_inside(at))
    return replace(edited, sections=sections, sentence_starts=tuple(map(move_start, starts)))


def _is_usable(placeholder: str) -> bool:
    return placeholder.count("{}") == 1 and placeholder.replace("{}", "0").isalnum()
