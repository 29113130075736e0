"""Entities and spans of spaCy's EntityRuler and SpanRuler, entered into the ledger.

Both give what they find the id of its pattern (`ent_id_`, `span.id_`), and leave no word of who
found it. A ruler of the pipeline that has a pattern of this label and id is the source, and the id
is the concept id.
"""

from typing import Any, Dict, List, Optional, Set, Tuple, Union
from weakref import WeakKeyDictionary

from spacy.language import Language
from spacy.pipeline import EntityRuler, SpanRuler
from spacy.tokens import Doc, Span

from spacy_bioner.components.evidence import Evidence, add_evidence, register_extensions
from spacy_bioner.ledger import find_rows

Ruler = Union[EntityRuler, SpanRuler]

Pairs = Set[Tuple[str, str]]

# Labels and ids of a ruler's patterns, what they were held in, and how many there were.
_known: "WeakKeyDictionary[Ruler, Tuple[Tuple[Any, ...], int, Pairs]]" = WeakKeyDictionary()


def credit_rulers(doc: Doc, nlp: Optional[Language]) -> None:
    """Enter the entities that the rulers of a pipeline have found, unless they are there.

    Entities without an id may be anybody's: nothing is entered for them, unless they stand in the
    span group of a SpanRuler.

    nlp (Optional[Language]): The pipeline; without one nothing is entered.
    """
    for name, ruler in list_rulers(nlp).items():
        pairs = _list_pairs(ruler)
        spans = doc.spans.get(group_of(ruler), ())
        places = {(span.start, span.end, span.label) for span in spans}
        for ent in doc.ents:
            is_known = ent.id and (ent.label_, ent.id_) in pairs
            if is_known or (ent.start, ent.end, ent.label) in places:
                _credit(ent, name)


def list_rulers(nlp: Optional[Language]) -> Dict[str, Ruler]:
    """Return the rulers of a pipeline by the names of the components."""
    pipes = nlp.pipeline if nlp is not None else ()
    return {name: pipe for name, pipe in pipes if isinstance(pipe, (EntityRuler, SpanRuler))}


def group_of(ruler: Ruler) -> str:
    """Return the key of a SpanRuler's span group; empty for an EntityRuler."""
    return str(getattr(ruler, "spans_key", None) or "")


def _credit(ent: Span, name: str) -> None:
    rows = find_rows(ent)
    # Who gives this id already has set it.
    ids = {part for row in rows for part in (row["concept_id"], *row["concept_id"].split("|"))}
    if not any(row["source"] == name for row in rows) and ent.id_ not in ids - {""}:
        # No component of ours may be in the pipeline.
        register_extensions()
        place = (ent.start_char, ent.end_char, ent.label_)
        add_evidence(ent.doc, Evidence(*place, name, concept_id=ent.id_))


def _list_pairs(ruler: Ruler) -> Pairs:
    held, size, pairs = _known.get(ruler, ((), -1, set()))
    holders = _list_holders(ruler)
    if size != len(ruler) or any(old is not new for old, new in zip(held, holders, strict=True)):
        rows: List[Dict[str, Any]] = ruler.patterns
        pairs = {(row["label"], row["id"]) for row in rows if row.get("id")}
        _known[ruler] = holders, len(ruler), pairs
    return pairs


def _list_holders(ruler: Ruler) -> Tuple[Any, ...]:
    """List what holds the patterns: rulers add to it, and make it anew when one is taken out."""
    if isinstance(ruler, EntityRuler):
        return ruler.token_patterns, ruler.phrase_patterns
    return (ruler.patterns,)
