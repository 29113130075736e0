"""Noise: characters changed in mentions and around them, words changed around them."""

import random
import re
from typing import Iterable, Iterator, List, Mapping, Optional, Set, Tuple

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Fragment, Record
from spacy_bioner.transforms.augmentation.editing import (
    Augmentation,
    check_share,
    edit_record,
    find_context,
    find_free_mentions,
)
from spacy_bioner.transforms.augmentation.noise_kinds import NOISE_KINDS, change_case
from spacy_bioner.transforms.offsets import Edit

PLACES = ("mentions", "context", "all")
UNITS = ("place", "mention")
# For `per="place"`, where most texts get a handful of changes.
DEFAULT_RATES: Mapping[str, float] = {
    "typo": 0.005,
    "ocr": 0.005,
    "case": 0.01,
    "hyphen": 0.1,
    "greek": 0.3,
}
_UNIT = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
# A word with spaces around it that are not a mention's neighbours on the other side.
_CONTEXT_WORD = re.compile(r"(?<= )[A-Za-z]{2,}(?= )")


def make_add_noise(
    rates: Mapping[str, float] = DEFAULT_RATES, *, per: str = "place", where: str = "all"
) -> Augmentation:
    """Change characters as typists, scanners and publishers do.

    Kinds: "typo" (a letter inserted, dropped, replaced by its neighbour on the keyboard, or two
    swapped; not in words of up to three letters nor in symbols), "ocr" (l/1, O/0, rn/m …), "case",
    "hyphen" (IL-2, IL 2, IL2), "greek" (α, alpha, a). White space is never put in place of all of a
    mention, and no edit crosses a mention's border.

    rates (Mapping[str, float]): The probability of each kind.
    per (str): "place": of each place where the kind may strike, such as a letter for typos or a
        word for case. "mention": of each mention, which then gets the kind once (case all over it);
        in the context of each word.
    where (str): "mentions", "context" (what no mention covers) or "all".
    RAISES (ConfigError): An unknown kind, place or unit; a rate that is no share.
    """
    _check_choice(per, UNITS, "per")
    _check_choice(where, PLACES, "where")
    for kind, rate in rates.items():
        _check_choice(kind, tuple(NOISE_KINDS), "rates")
        check_share(rate, f"rates.{kind}")

    def add_noise(record: Record, rng: random.Random) -> Record:
        edits: List[Edit] = []
        if where != "context":
            for index in find_free_mentions(record):
                mention = record.mentions[index]
                surface = record.text[mention.start_char : mention.end_char]
                changes = _add_to_mention(surface, rates, per, rng)
                edits += _shift(changes, mention.start_char)
        if where != "mentions":
            for start, end in find_context(record):
                changes = _add_to_context(record.text[start:end], rates, per, rng)
                edits += _shift(changes, start)
        return edit_record(record, edits)

    return add_noise


def make_add_word_noise(
    *, delete: float = 0.02, insert: float = 0.02, substitute: float = 0.02
) -> Augmentation:
    """Delete, insert or replace words outside of mentions.

    Only words of letters between two spaces are touched, so that mentions keep a space or a sign
    as their neighbour. New words come from the same document, from outside of mentions.

    delete (float): The share of the words that are deleted.
    insert (float): The share of the words that get another one in front.
    substitute (float): The share of the words that are replaced.
    RAISES (ConfigError): A share below 0, or more than 1 of all together.
    """
    for name, share in (("delete", delete), ("insert", insert), ("substitute", substitute)):
        check_share(share, name)
    check_share(delete + insert + substitute, "delete + insert + substitute")

    def add_word_noise(record: Record, rng: random.Random) -> Record:
        words = [
            (start + match.start(), start + match.end())
            for start, end in find_context(record)
            for match in _CONTEXT_WORD.finditer(record.text[start:end])
        ]
        texts = [record.text[start:end] for start, end in words]
        edits: List[Edit] = []
        for start, end in words:
            draw = rng.random()
            if draw < delete:
                edits.append(Edit(start, end + 1, ""))
            elif draw < delete + insert:
                old = record.text[start:end]
                edits.append(Edit(start, end, f"{rng.choice(texts)} {old}"))
            elif draw < delete + insert + substitute:
                edits.append(Edit(start, end, rng.choice(texts)))
        return edit_record(record, edits)

    return add_word_noise


def _add_to_mention(
    surface: str, rates: Mapping[str, float], per: str, rng: random.Random
) -> List[Edit]:
    if per == "place":
        changes = _change_places(surface, rates, rng)
    else:
        changes = _change_once(surface, (0, len(surface)), rates, rng)
    # A mention of one letter could be gone, or have become a sign.
    left = _apply(surface, changes)
    usable = any(map(str.isalnum, left)) and left.strip() == left
    return changes if usable or not any(map(str.isalnum, surface)) else []


def _add_to_context(
    text: str, rates: Mapping[str, float], per: str, rng: random.Random
) -> List[Edit]:
    if per == "place":
        return _change_places(text, rates, rng)
    changes: List[Edit] = []
    for match in _UNIT.finditer(text):
        changes += _change_once(text, match.span(), rates, rng)
    return changes


def _change_places(text: str, rates: Mapping[str, float], rng: random.Random) -> List[Edit]:
    taken: Set[int] = set()
    changes: List[Edit] = []
    for kind, rate in rates.items():
        noise = NOISE_KINDS[kind]
        hits = [place for place in noise.find(text) if rng.random() < rate]
        found = [noise.change(text, *place, rng) for place in hits]
        changes += _keep_apart(found, taken)
    return changes


def _change_once(
    text: str, unit: Fragment, rates: Mapping[str, float], rng: random.Random
) -> List[Edit]:
    """Strike a mention or a word at most once with each kind."""
    start, end = unit
    taken: Set[int] = set()
    changes: List[Edit] = []
    for kind, rate in rates.items():
        if rng.random() >= rate:
            continue
        noise, stretch = NOISE_KINDS[kind], text[start:end]
        places = [(0, len(stretch))] if kind == "case" else list(noise.find(stretch))
        if places:
            change = change_case if kind == "case" else noise.change
            found = change(stretch, *rng.choice(places), rng)
            changes += _shift(list(_keep_apart([found], taken)), start)
    return changes


def _keep_apart(edits: Iterable[Optional[Edit]], taken: Set[int]) -> Iterator[Edit]:
    """Leave out edits of characters that an earlier one replaces."""
    for edit in edits:
        if edit is not None and taken.isdisjoint(range(edit.start, edit.end)):
            taken.update(range(edit.start, edit.end))
            yield edit


def _apply(text: str, edits: List[Edit]) -> str:
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def _shift(edits: List[Edit], offset: int) -> List[Edit]:
    return [Edit(edit.start + offset, edit.end + offset, edit.new) for edit in edits]


def _check_choice(value: str, allowed: Tuple[str, ...], name: str) -> None:
    if value not in allowed:
        raise ConfigError(f"found {name} {value!r}, expected one of {', '.join(allowed)}")
