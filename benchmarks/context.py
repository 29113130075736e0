"""How often is what a statement says of its entities told right?

    python benchmarks/context.py

Prints one Markdown table: hand-worked cases by kind (tests/cases/context), those that the cues were
made with and those that were set aside; right is an entity of which all five values are right, and
in a column of its own also whose statement it is. medspaCy's ConText and sectionizer join in where
medspaCy is installed, with their own rules; what they call uncertain is what we do.
"""

import argparse
from collections import defaultdict
from importlib import import_module
from importlib.util import find_spec
from typing import Callable, Dict, FrozenSet, List, Optional, Sequence, Tuple

import spacy
from _common import percent, show
from _context_cases import PARTS, Case, read_cases
from spacy.tokens import Doc

from spacy_bioner.components.context.context import ContextDetector
from spacy_bioner.components.tokenizer import make_tokenizer
from spacy_bioner.ledger import CONTEXT_VALUES

Answer = Tuple[FrozenSet[str], str]
"""The values of an entity, and whose statement it is."""

_OF_MEDSPACY = {
    "is_negated": "negated",
    "is_uncertain": "uncertain",
    "is_historical": "historical",
    "is_family": "family",
    "is_hypothetical": "hypothetical",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    cases = [case for part in PARTS for case in read_cases(part)]
    ours = list(map(ask_ours(), cases))
    theirs = list(map(ask_medspacy(), cases)) if find_spec("medspacy") else None
    show(tabulate(cases, ours, theirs), left=2, n=f"{len(cases)} cases", seed="none")


def ask_ours() -> Callable[[Case], List[Answer]]:
    nlp = spacy.blank("en")
    nlp.tokenizer = make_tokenizer()(nlp)
    detect = ContextDetector()

    def ask(case: Case) -> List[Answer]:
        doc = detect(_mark(nlp.make_doc(case.text), case))
        return [
            (frozenset(v for v in CONTEXT_VALUES if ent._.get(v)), ent._.experiencer)
            for ent in doc.ents
        ]

    return ask


def ask_medspacy() -> Callable[[Case], List[Answer]]:
    """Return what asks medspaCy's ConText and sectionizer, with their own rules."""
    import_module("medspacy")
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    context = nlp.add_pipe("medspacy_context")
    sectionizer = nlp.add_pipe("medspacy_sectionizer")

    def ask(case: Case) -> List[Answer]:
        doc = _mark(nlp.make_doc(case.text), case)
        for component in (nlp.get_pipe("sentencizer"), context, sectionizer):
            doc = component(doc)
        return [
            (frozenset(value for name, value in _OF_MEDSPACY.items() if ent._.get(name)), "")
            for ent in doc.ents
        ]

    return ask


def _mark(doc: Doc, case: Case) -> Doc:
    """Set the entities; all words that one of them touches."""
    doc.ents = [
        doc.char_span(e.start, e.end, label="PROBLEM", alignment_mode="expand")
        for e in case.entities
    ]
    return doc


def tabulate(
    cases: Sequence[Case],
    ours: Sequence[List[Answer]],
    theirs: Optional[Sequence[List[Answer]]],
) -> List[Sequence[str]]:
    """Make the rows: kinds within parts, the parts, and the values over all."""
    groups: Dict[Tuple[str, str], List[int]] = defaultdict(list)
    for number, case in enumerate(cases):
        groups[case.part, case.kind].append(number)
    for part in PARTS:
        groups[part, "all"] = [number for number, case in enumerate(cases) if case.part == part]
    rows: List[Sequence[str]] = [
        ("cases", "kind", "n", "entities", "right", "with experiencer", "medspaCy right")
    ]
    for (part, kind), numbers in groups.items():
        chosen = [cases[number] for number in numbers]
        mine = [ours[number] for number in numbers]
        n_entities = sum(len(case.entities) for case in chosen)
        shares = [_share(chosen, mine), _share(chosen, mine, with_who=True)]
        if theirs is not None:
            shares.append(_share(chosen, [theirs[number] for number in numbers]))
        cells = [percent(share) for share in shares]
        cells += ["–"] * (3 - len(cells))
        rows.append((part, kind, str(len(chosen)), str(n_entities), *cells))
    return rows


def _share(
    cases: Sequence[Case], answers: Sequence[List[Answer]], *, with_who: bool = False
) -> float:
    right = [
        values == entity.values and (who == entity.who or not with_who)
        for case, given in zip(cases, answers, strict=True)
        for entity, (values, who) in zip(case.entities, given, strict=True)
    ]
    return sum(right) / len(right)


if __name__ == "__main__":
    main()
