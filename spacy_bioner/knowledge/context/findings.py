"""What is said of the entities of a text: denied, unsure, past, somebody else's, only thought of.

A cue reaches from its place to the end of the sentence, to words that end its scope, to the next
cue of its kind, or so many words as its table says. Behind an entity it is about the nearest one
before it, and those that are listed with that. A head may say something of its whole section.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Dict, Iterator, List, Sequence, Tuple

import numpy as np

from spacy_bioner.blanks import count_before, is_squeezed, squeeze
from spacy_bioner.knowledge.context.cues import BACKWARD, BOTH, FORWARD, TERMINATE, CueTable
from spacy_bioner.knowledge.context.heads import SectionTable
from spacy_bioner.knowledge.context.matching import (
    CueMatch,
    CueSentence,
    match_cues,
    read_sentence,
)
from spacy_bioner.knowledge.context.sections import TextSection, section_at

Place = Tuple[int, int]

SECTION = "section"
# What is listed together is denied, unsure or of a relative together; years are of one event.
_LISTED = ("negated", "uncertain", "family", "other")
_SEPARATORS = frozenset((",", "and", "or", "nor", "/", "&"))
_MAX_GAP, _MAX_FILLERS = 5, 2
# A cue that reaches less is about one entity alone.
_MIN_LIST_REACH = 3


@dataclass(frozen=True)
class Finding:
    """What a cue says of an entity; offsets are those of characters.

    sets (str): "negated", "uncertain", "historical", "family", "hypothetical" or "other".
    cue (str): What stands there.
    cue_start (int): Where the cue starts.
    cue_end (int): Where it ends.
    direction (str): "forward" or "backward"; "section" for the head of a section.
    scope_start (int): Where its scope starts.
    scope_end (int): Where it ends.
    rule (str): Name of the group of cues, or "section" and its label.
    who (str): Whose statement it is, such as "mother"; empty where the cue does not say.
    """

    sets: str
    cue: str
    cue_start: int
    cue_end: int
    direction: str
    scope_start: int
    scope_end: int
    rule: str
    who: str = ""


def find_context(
    text: str,
    entities: Sequence[Place],
    *,
    sentence_starts: Sequence[int],
    sections: Sequence[TextSection],
    cues: CueTable,
    heads: SectionTable,
    terms: Sequence[Place] = (),
) -> Dict[Place, List[Finding]]:
    """Find what a text says of its entities; linear in the text.

    entities (Sequence[Tuple[int, int]]): Their offsets; they do not overlap.
    sentence_starts (Sequence[int]): Where sentences start, ascending.
    sections (Sequence[TextSection]): The sections of the text; a head is no part of a sentence.
    cues (CueTable): What to look for.
    heads (SectionTable): What sections say.
    terms (Sequence[Tuple[int, int]]): Further stretches in which there are no cues.
    RETURNS (Dict[Tuple[int, int], List[Finding]]): Those of each entity of which anything is said,
        those of its section last.
    """
    if not entities:
        return {}
    borders = {0, len(text), *sentence_starts}
    borders.update(border for s in sections for border in (s.start_char, s.head_end))
    ordered = sorted(set(entities))
    found = _find_by_cues(text, ordered, sorted({*terms}), sorted(borders), cues)
    for entity in ordered:
        section = section_at(sections, entity[0])
        if section is not None and section.label in heads.values:
            found[entity] += _of_section(text, section, heads.values[section.label])
    return {entity: findings for entity, findings in found.items() if findings}


def _of_section(text: str, section: TextSection, values: Sequence[str]) -> List[Finding]:
    place = (section.head_start, section.head_end)
    scope = (section.head_end, section.end_char)
    rule = f"{SECTION} {section.label}"
    return [
        Finding(
            value, text[slice(*place)], *place, SECTION, *scope, rule,
            "family" if value == "family" else "",
        )
        for value in values
    ]  # fmt: skip


def _find_by_cues(
    text: str, entities: List[Place], terms: List[Place], borders: List[int], cues: CueTable
) -> Dict[Place, List[Finding]]:
    """Find what cues say, in the text as it reads: without line breaks and invisible characters."""
    if is_squeezed(text):
        return _find_plain(text, entities, terms, borders, cues)
    squeezed = squeeze(text)
    before, places = count_before(squeezed.kept), squeezed.places
    short, others = (
        [(int(before[start]), int(before[end])) for start, end in group]
        for group in (entities, terms)
    )
    found = _find_plain(squeezed.text, short, others, before[np.array(borders)].tolist(), cues)

    def move(start: int, end: int) -> Place:
        last = int(places[end - 1]) + 1 if end > start else int(places[min(start, len(places) - 1)])
        return (int(places[start]) if end > start else last), last

    moved: Dict[Place, List[Finding]] = defaultdict(list)
    for entity, here in zip(entities, short):
        for finding in found[here]:
            cue = move(finding.cue_start, finding.cue_end)
            scope = move(finding.scope_start, finding.scope_end)
            moved[entity].append(
                replace(
                    finding,
                    cue_start=cue[0],
                    cue_end=cue[1],
                    scope_start=scope[0],
                    scope_end=scope[1],
                )
            )
    return moved


def _find_plain(
    text: str, entities: List[Place], terms: List[Place], borders: List[int], cues: CueTable
) -> Dict[Place, List[Finding]]:
    found: Dict[Place, List[Finding]] = defaultdict(list)
    starts, term_starts = ([start for start, _ in group] for group in (entities, terms))
    for start, end in pairwise(borders):
        here = entities[bisect_left(starts, start) : bisect_left(starts, end)]
        if not here:
            continue
        others = terms[bisect_left(term_starts, start) : bisect_left(term_starts, end)]
        sentence = read_sentence(text, start, end, here, others)
        for value, matches in match_cues(text, sentence, cues).items():
            for number, finding in _apply(text, sentence, value, matches):
                found[here[number]].append(finding)
    return found


def _apply(
    text: str, sentence: CueSentence, value: str, matches: List[CueMatch]
) -> Iterator[Tuple[int, Finding]]:
    """Yield what the cues of one value say, with the number of the entity."""
    ends = [match for match in matches if match.cue.direction == TERMINATE]
    forward = [match for match in matches if match.cue.direction in (FORWARD, BOTH)]
    backward = [match for match in matches if match.cue.direction in (BACKWARD, BOTH)]
    yield from _apply_forward(text, sentence, value, forward, ends)
    yield from _apply_backward(text, sentence, value, backward, ends)


def _apply_forward(
    text: str, sentence: CueSentence, value: str, cues: List[CueMatch], ends: List[CueMatch]
) -> Iterator[Tuple[int, Finding]]:
    stops = sorted([match.start for match in (*cues, *ends)])
    cue_ends = [match.end for match in cues]
    for number, (start, _) in enumerate(sentence.entities):
        place = bisect_right(cue_ends, start) - 1
        if place < 0:
            continue
        match = cues[place]
        stop = bisect_left(stops, match.end)
        limit = stops[stop] if stop < len(stops) else len(sentence.words)
        if match.cue.reach:
            most = sentence.n_words[match.end] + match.cue.reach
            limit = min(limit, bisect_left(sentence.n_words, most, lo=match.end))
        if start < limit:
            yield number, _report(text, sentence, value, match, FORWARD, (match.end, limit))


def _apply_backward(
    text: str, sentence: CueSentence, value: str, cues: List[CueMatch], ends: List[CueMatch]
) -> Iterator[Tuple[int, Finding]]:
    stops = sorted([match.end for match in (*cues, *ends)])
    entity_ends = [end for _, end in sentence.entities]
    for match in cues:
        stop = bisect_right(stops, match.start) - 1
        limit = stops[stop] if stop >= 0 else 0
        number = bisect_right(entity_ends, match.start) - 1
        reach = match.cue.reach or len(sentence.words)
        if number < 0 or sentence.entities[number][0] < limit:
            continue
        if sentence.n_words[match.start] - sentence.n_words[entity_ends[number]] > reach:
            continue
        last = number
        if value in _LISTED and reach >= _MIN_LIST_REACH:
            number = _first_listed(sentence, number, limit)
        scope = (sentence.entities[number][0], match.start)
        for listed in range(number, last + 1):
            yield listed, _report(text, sentence, value, match, BACKWARD, scope)


def _first_listed(sentence: CueSentence, number: int, limit: int) -> int:
    """Return the first of the entities that are listed with one, up to it."""
    while number and sentence.entities[number - 1][0] >= limit:
        gap = _gap(sentence, number)
        separators = [word for word in gap if word in _SEPARATORS]
        n_fillers = len(gap) - len(separators)
        if not separators or n_fillers > _MAX_FILLERS or len(gap) > _MAX_GAP:
            break
        if separators[0] == "," and len(separators) > 1 and not _continues(sentence, number - 1):
            # "pneumonia, and embolism was ruled out" are two clauses, not a list of two.
            break
        number -= 1
    return number


def _continues(sentence: CueSentence, number: int) -> bool:
    return number > 0 and "," in _gap(sentence, number)[:_MAX_GAP]


def _gap(sentence: CueSentence, number: int) -> List[str]:
    """Return the words between an entity and the one before it, as far as a list may have them."""
    start, end = sentence.entities[number - 1][1], sentence.entities[number][0]
    return sentence.words[start : min(end, start + _MAX_GAP + 1)]


def _report(
    text: str, sentence: CueSentence, value: str, match: CueMatch, direction: str, scope: Place
) -> Finding:
    start = sentence.offsets[match.start][0]
    end = sentence.offsets[match.end - 1][1]
    first, behind = scope
    scope_start = sentence.offsets[first][0] if first < len(sentence.offsets) else end
    scope_end = sentence.offsets[behind - 1][1] if behind > first else scope_start
    cue = match.cue
    return Finding(
        value, text[start:end], start, end, direction, scope_start, scope_end, cue.rule, cue.who
    )
