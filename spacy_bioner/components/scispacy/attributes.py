"""The attributes of scispaCy: `doc._.abbreviations`, `span._.long_form` and `span._.kb_ents`.

Where scispaCy has defined them they are its own: they are read, and filled only where they are
empty. Where nobody has, they can be offered as getters on what this package leaves on a Doc, so
that a script written for scispaCy goes on. Getters leave no spans in `doc.user_data`, which could
not be saved. scispaCy defines its attributes anew when one of its components is made.
"""

from typing import Any, Dict, Iterator, List, Optional, Tuple

from spacy.tokens import Doc, Span

from spacy_bioner.doc_ents import concept_of
from spacy_bioner.knowledge.definitions import Definition
from spacy_bioner.knowledge.short_forms import find_meanings, find_occurrences
from spacy_bioner.ledger import list_abbreviations

ABBREVIATIONS = "abbreviations"
LONG_FORM = "long_form"
KB_ENTS = "kb_ents"
CONCEPTS = "concepts"

ScoredConcept = Tuple[str, float]


def read_definitions(doc: Doc) -> List[Definition]:
    """Read what scispaCy's `AbbreviationDetector` has found.

    It lists every occurrence of a short form; one is returned for each pair, the nearest one to the
    long form. Both of its forms are read, spans and (`make_serializable`) dicts.

    RETURNS (List[Definition]): In order of the short forms; empty where scispaCy was not there.
    """
    if not Doc.has_extension(ABBREVIATIONS) or _is_ours(Doc, ABBREVIATIONS):
        return []
    found: Dict[Tuple[str, int, int], Tuple[int, Definition]] = {}
    for short, long in _list_pairs(doc):
        gap = max(short.start_char - long.end_char, long.start_char - short.end_char)
        key = (short.text, long.start, long.end)
        if key not in found or gap < found[key][0]:
            found[key] = (gap, _define(short, long))
    return sorted((one for _, one in found.values()), key=lambda one: one.short_start)


def read_kb_ents(span: Span) -> List[ScoredConcept]:
    """Read what scispaCy's `EntityLinker` has found for an entity, the best concept first."""
    if not Span.has_extension(KB_ENTS) or _is_ours(Span, KB_ENTS):
        return []
    return [(str(concept_id), float(score)) for concept_id, score in getattr(span._, KB_ENTS) or ()]


def offer_attributes() -> None:
    """Define the attributes as getters, those excepted that somebody has defined before."""
    for (kind, name), getter in _GETTERS.items():
        if not kind.has_extension(name):
            kind.set_extension(name, getter=getter)


def fill_attributes(doc: Doc) -> None:
    """Fill scispaCy's own attributes where they are empty.

    The spans that it keeps in them cannot be saved with a Doc, whoever has written them.
    """
    if not _is_ours(Doc, ABBREVIATIONS) and not getattr(doc._, ABBREVIATIONS):
        pairs = list_short_forms(doc)
        if not _is_ours(Span, LONG_FORM):
            for short, long in pairs:
                setattr(short._, LONG_FORM, long)
        setattr(doc._, ABBREVIATIONS, [short for short, _ in pairs])
    if not _is_ours(Span, KB_ENTS):
        for ent in doc.ents:
            if not getattr(ent._, KB_ENTS) and (concepts := list_concepts(ent)):
                setattr(ent._, KB_ENTS, concepts)


def list_short_forms(doc: Doc) -> List[Tuple[Span, Span]]:
    """List the occurrences of short forms in a Doc, each with its long form."""
    definitions = [Definition(**row) for row in list_abbreviations(doc)]
    pairs = []
    for start, end, meaning in find_occurrences(doc.text, find_meanings(doc.text, definitions, [])):
        short = doc.char_span(start, end)
        long = doc.char_span(meaning.definition.long_start, meaning.definition.long_end)
        if short is not None and long is not None:
            pairs.append((short, long))
    return pairs


def list_concepts(span: Span) -> List[ScoredConcept]:
    """List the concepts of a span with their scores: those of a linker, else the one that a
    gazetteer or ruler has found, with 1."""
    linked = getattr(span._, CONCEPTS, None) if Span.has_extension(CONCEPTS) else None
    if linked:
        return [(row["id"], float(row["score"])) for row in linked]
    concept_id = concept_of(span)
    return [(concept_id, 1.0)] if concept_id else []


def _list_pairs(doc: Doc) -> Iterator[Tuple[Span, Span]]:
    for entry in getattr(doc._, ABBREVIATIONS) or ():
        if isinstance(entry, Span):
            long = getattr(entry._, LONG_FORM, None) if Span.has_extension(LONG_FORM) else None
            if isinstance(long, Span):
                yield entry, long
        elif isinstance(entry, dict) and {"short_start", "long_start"} <= entry.keys():
            short = doc[entry["short_start"] : entry["short_end"]]
            yield short, doc[entry["long_start"] : entry["long_end"]]


def _define(short: Span, long: Span) -> Definition:
    return Definition(
        short.start_char, short.end_char, short.text, long.start_char, long.end_char, long.text
    )


def _get_abbreviations(doc: Doc) -> List[Span]:
    return [short for short, _ in list_short_forms(doc)]


def _get_long_form(span: Span) -> Optional[Span]:
    pairs = list_short_forms(span.doc)
    place = (span.start, span.end)
    return next((long for short, long in pairs if (short.start, short.end) == place), None)


_GETTERS: Dict[Tuple[Any, str], Any] = {
    (Doc, ABBREVIATIONS): _get_abbreviations,
    (Span, LONG_FORM): _get_long_form,
    (Span, KB_ENTS): list_concepts,
}


def _is_ours(kind: Any, name: str) -> bool:
    return kind.get_extension(name)[2] is _GETTERS[kind, name]
