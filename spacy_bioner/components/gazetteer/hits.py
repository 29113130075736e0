"""What terms and patterns find in a Doc: grouped by place and label, and written down.

A Doc of an abstract has some twenty hits: nothing here is done twice for one, and next to nothing
for a Doc that has none.
"""

from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span, SpanGroup

from spacy_bioner.architectures.pieces.alignment import token_offsets
from spacy_bioner.doc_ents import EntityRow
from spacy_bioner.knowledge.terms import TOKEN_SEPARATOR
from spacy_bioner.ledger import LEDGER_KEY, Row, locate, open_rows

Place = Tuple[int, int, str]
"""The first token, the token behind the last, and the label."""

Found = Tuple[int, int, int, str, str, str, bool]
"""The first token, minus the token behind the last, a rank that is given once, label, id, name, and
whether a pattern has found it: in order they are sorted as they are looked at."""

Name = Tuple[bool, str, str]
"""Whether it is of a term, a name, and its id."""


class Hit:
    """What was found at one place under one label.

    names (List[Name]): Those of patterns first.
    is_inner (bool): It is of patterns, and lies within something longer.
    """

    __slots__ = ("end", "is_inner", "label", "names", "start")

    def __init__(
        self, start: int, end: int, label: str, names: List[Name], is_inner: bool = False
    ) -> None:
        self.start = start
        self.end = end
        self.label = label
        self.is_inner = is_inner
        self.names = names

    @property
    def place(self) -> Place:
        """Where it stands, and the label."""
        return self.start, self.end, self.label


def group_hits(found: Iterable[Found], *, nested: bool) -> List[Hit]:
    """Group what was found by place and label.

    found (Iterable[Found]): Sorted.
    nested (bool): Keep what lies within something longer; without, only patterns do, which may
        take the place of a longer one that loses against a third.
    RETURNS (List[Hit]): In the order of the text, the longest first.
    """
    hits: Dict[Place, Hit] = {}
    last_start = last_end = -1
    for start, minus_end, _, label, identifier, name, is_pattern in found:
        end = -minus_end
        is_inner = not nested and end <= last_end and (start, end) != (last_start, last_end)
        if is_inner and not is_pattern:
            continue
        if not is_inner:
            last_start, last_end = start, end
        hit = hits.get((start, end, label))
        if hit is None:
            hit = hits[start, end, label] = Hit(start, end, label, [], is_inner)
        hit.names.append((not is_pattern, name, identifier))
    for hit in hits.values():
        if len(hit.names) > 1:
            hit.names.sort(key=_is_of_term)
    return list(hits.values())


def write_hits(
    doc: Doc,
    source: str,
    hits: Sequence[Hit],
    *,
    confidence: Optional[float],
    notes: Mapping[Place, str],
) -> List[EntityRow]:
    """Make a span group of hits, and enter them into the ledger, which has none of this source yet.

    notes (Mapping[Place, str]): What the ledger says behind the name of a hit.
    RETURNS (List[EntityRow]): What each hit would be as an entity.
    """
    doc.spans[source] = group = SpanGroup(doc, name=source)
    if not hits:
        return []
    ledger: Dict[str, List[Row]] = doc.user_data.setdefault(LEDGER_KEY, {})
    starts, ends = (side.tolist() for side in token_offsets(doc))
    number = doc.vocab.strings.add
    # One span is stamped into the group again and again: making one takes five times as long.
    span = Span(doc, 0, 1)
    rows = []
    for hit in hits:
        start, end, label, names = hit.start, hit.end, hit.label, hit.names
        is_term, name, ids = names[0]
        kb_id = ids
        if len(names) > 1:
            is_term, name, kb_id, ids = _merge(doc, hit)
        span.start, span.end = start, end
        span.start_char, span.end_char = start_char, end_char = starts[start], ends[end - 1]
        span.label, span.kb_id = label_number, kb_number = number(label), number(kb_id)
        span.id = span_number = 0 if is_term else kb_number
        group.append(span)
        rows.append((start, end, label_number, kb_number, span_number))
        if TOKEN_SEPARATOR in name:
            name = name.replace(TOKEN_SEPARATOR, " ")
        row: Row = {
            "start_char": start_char,
            "end_char": end_char,
            "label": label,
            "source": source,
            "confidence": confidence,
            "concept_id": ids,
            "rule": name or span.text,
        }
        if notes and (note := notes.get(hit.place)):
            row["rule"] += note
        place = locate(start_char, end_char)
        if place in ledger:
            open_rows(doc, place).append(row)
        else:
            ledger[place] = [row]
    return rows


def _merge(doc: Doc, hit: Hit) -> Tuple[bool, str, str, str]:
    """Merge the names of a hit: whether the first is of a term, it, its id, and all ids by bars."""
    # A name that is spelled as in the text tells more than one that differs in case.
    text = doc[hit.start : hit.end].text
    named = sorted(hit.names, key=lambda item: item[0] and item[1] != text)
    ids = list(dict.fromkeys(item[2] for item in named if item[2]))
    is_term, name, identifier = named[0]
    # A pattern without an id gives none to the span.
    is_term = is_term or not identifier
    return is_term, name, ids[0] if ids else "", "|".join(ids)


def _is_of_term(name: Name) -> bool:
    return name[0]
