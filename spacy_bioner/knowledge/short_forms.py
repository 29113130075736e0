"""What short forms stand for, given the entities that a text's long forms are."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from daachorse import CharwiseDoubleArrayAhoCorasick

from spacy_bioner.knowledge.definitions import Definition
from spacy_bioner.knowledge.long_forms import abbreviates


@dataclass(frozen=True)
class ProposedEntity:
    """An entity that some component proposes.

    start_char (int): Offset of its first character.
    end_char (int): Offset behind its last character.
    label (str): The entity type.
    source (str): Who proposes it; empty if unknown.
    kb_id (str): Its identifier; empty if it has none.
    confidence (Optional[float]): Between 0 and 1; None if unknown.
    """

    start_char: int
    end_char: int
    label: str
    source: str = ""
    kb_id: str = ""
    confidence: Optional[float] = None


@dataclass(frozen=True)
class Meaning:
    """What a definition says about its short form.

    entity (Optional[ProposedEntity]): The long form as an entity; None if it is not one.
    unsupported (bool): No proposal so much as touches the long form.
    """

    definition: Definition
    entity: Optional[ProposedEntity]
    unsupported: bool


def find_meanings(
    text: str, definitions: Sequence[Definition], proposals: Sequence[ProposedEntity]
) -> List[Meaning]:
    """Find the entity that each long form is.

    A later definition by the same words shares the entity of the first that has one.
    definitions (Sequence[Definition]): As they follow in the text.
    proposals (Sequence[ProposedEntity]): The preferred source first.
    RETURNS (List[Meaning]): One per definition, in the same order.
    """
    index = _ProposalIndex(proposals)
    found = [_find_entity(text, definition, index) for definition in definitions]
    known: Dict[Tuple[str, str], ProposedEntity] = {}
    for definition, entity in zip(definitions, found, strict=True):
        if entity is not None:
            known.setdefault(_wording(definition), entity)
    meanings = []
    for definition, entity in zip(definitions, found, strict=True):
        shared = entity or known.get(_wording(definition))
        touched = index.touches(definition.long_start, definition.long_end)
        meanings.append(Meaning(definition, shared, unsupported=not touched and shared is None))
    return meanings


def find_occurrences(text: str, meanings: Sequence[Meaning]) -> Iterator[Tuple[int, int, Meaning]]:
    """Find where short forms occur as words, also in the plural or singular.

    Of several definitions of one short form the last one before an occurrence counts, or the first
    one of all. A single letter means what its definition says at the definition only: elsewhere it
    may be an article, or stand in "vitamin E".
    YIELDS (Tuple[int, int, Meaning]): Character offsets, ascending, and the meaning.
    """
    by_form: Dict[str, List[Meaning]] = defaultdict(list)
    for meaning in sorted(meanings, key=lambda meaning: meaning.definition.short_start):
        by_form[meaning.definition.short_text].append(meaning)
    spelled = {form: form for form in by_form}
    for form in by_form:
        for variant in _number_variants(form):
            spelled.setdefault(variant, form)
    starts_of = {
        form: [meaning.definition.short_start for meaning in own] for form, own in by_form.items()
    }
    for start, end in _find_words(text, list(spelled)):
        form = spelled[text[start:end]]
        candidates, starts = by_form[form], starts_of[form]
        if end - start == 1 and start not in starts:
            continue
        yield start, end, candidates[max(0, bisect_right(starts, start) - 1)]


class _ProposalIndex:
    """Proposals by their end, and the stretches of text that they cover."""

    def __init__(self, proposals: Sequence[ProposedEntity]) -> None:
        self.by_end: Dict[int, List[ProposedEntity]] = defaultdict(list)
        for proposal in proposals:
            self.by_end[proposal.end_char].append(proposal)
        offsets = sorted((proposal.start_char, proposal.end_char) for proposal in proposals)
        self._starts = [start for start, _ in offsets]
        self._furthest_ends = list(accumulate((end for _, end in offsets), max))

    def touches(self, start_char: int, end_char: int) -> bool:
        """Tell whether any proposal overlaps a stretch of text."""
        before = bisect_left(self._starts, end_char)
        return before > 0 and self._furthest_ends[before - 1] > start_char


def _find_words(text: str, forms: List[str]) -> Iterator[Tuple[int, int]]:
    """Find the forms as whole words, the longest where several overlap, in linear time."""
    if not forms:
        return
    found = CharwiseDoubleArrayAhoCorasick(forms).find_overlapping(text)
    last_end = 0
    for start, end, _ in sorted(found, key=lambda match: (match[0], -match[1])):
        inside = text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()
        if start >= last_end and not inside:
            yield start, end
            last_end = end


def _find_entity(
    text: str, definition: Definition, index: _ProposalIndex
) -> Optional[ProposedEntity]:
    """Choose the proposal that is the long form; the identifier may come from another one."""
    proposals = index.by_end.get(definition.long_end, [])
    graded = [
        (grade, position)
        for position, proposal in enumerate(proposals)
        if (grade := _grade(text, definition, proposal)) is not None
    ]
    if not graded:
        return None
    best = proposals[min(graded)[1]]
    kb_ids = (
        proposal.kb_id
        for proposal in proposals
        if (proposal.start_char, proposal.label) == (best.start_char, best.label)
    )
    return replace(best, kb_id=next((kb_id for kb_id in kb_ids if kb_id), ""))


def _grade(text: str, definition: Definition, proposal: ProposedEntity) -> Optional[int]:
    """Rank how well an entity that ends with a long form fits it; None if it does not.

    The algorithm takes the shortest long form, so an entity may start earlier: "multiple myeloma
    (MM)". Entities that end elsewhere do not count: in "breast cancer susceptibility gene (BRCA)"
    the disease is not what the short form means. On the train and dev parts of NCBI-disease, BC5CDR
    and BioRED the short form has the entity's label in 1,341 of 1,349 definitions of grade 0, 51
    of 56 of grade 1; with other entities at the long form it is an entity at
    all in 74 of 453 (`benchmarks/abbreviations.py`).
    """
    if proposal.start_char == definition.long_start:
        return 0
    fits = abbreviates(definition.short_text, text[proposal.start_char : proposal.end_char])
    if proposal.start_char > definition.long_start:
        return 2 if fits else None
    lead = text[proposal.start_char : definition.long_start].split()
    return 1 if fits or len(lead) == 1 else None


def _wording(definition: Definition) -> Tuple[str, str]:
    return definition.short_text, definition.long_text.lower()


def _number_variants(short: str) -> List[str]:
    """Return the plural of "NSAID" and the singular of "NSAIDs"."""
    if len(short) > 2 and short.endswith("s") and short[-2].isupper():
        return [short[:-1]]
    return [short + "s"] if short[-1].isupper() else []
