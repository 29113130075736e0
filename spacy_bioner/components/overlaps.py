"""One policy for `doc.ents`: gather what all components propose, choose without overlap.

A component that knows better than an earlier one does not delete the other's proposal: it enters
a rejection (`reject`). The proposal stays in `doc.spans` and is not chosen.
"""

from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span

from spacy_bioner.components.evidence import (
    Evidence,
    add_evidence,
    copy_without_identifier_of,
    list_identifying,
    register_extensions,
)
from spacy_bioner.components.rulers import credit_rulers, group_of, list_rulers
from spacy_bioner.doc_ents import add_identifiers, concept_of, replace_ents
from spacy_bioner.ledger import (
    REJECTIONS_KEY,
    SOURCE_ORDER_KEY,
    enter_rejection,
    find_rows,
    has_source,
    list_doc_evidence,
    list_rejections,
)
from spacy_bioner.spans import select_flat

CANDIDATES_KEY = "bioner_candidates"

DEFAULT_CONFIG: Dict[str, Any] = {
    "sources": ["bioner", "ents", "bioner_gazetteer", "bioner_abbreviations"],
    "ents_source": "ents",
}


@Language.factory(
    "bioner_overlaps",
    default_config=DEFAULT_CONFIG,
    requires=["doc.spans"],
    assigns=["doc.ents", "doc.spans", "token.ent_iob", "token.ent_type", "token.ent_kb_id"],
)
def make_overlaps(
    nlp: Language, name: str, sources: List[str], ents_source: str
) -> "OverlapResolver":
    """Make the component; it has no state besides its settings."""
    return OverlapResolver(name, sources=sources, ents_source=ents_source, nlp=nlp)


@dataclass(frozen=True)
class Rejection:
    """Why a component holds that another one's proposal is wrong.

    start_char (int): Offset of the proposal's first character.
    end_char (int): Offset behind its last character.
    label (str): The proposed label.
    source (str): The component that proposed it; empty to object whoever proposed it.
    rejected_by (str): The component that objects.
    reason (str): In that component's own terms.
    """

    start_char: int
    end_char: int
    label: str
    source: str
    rejected_by: str
    reason: str = ""


@dataclass
class Candidate:
    """A span and the sources that propose it with this label, less those that were rejected.

    named (List[Tuple[FrozenSet[str], Span]]): The span as it was found, with its identifiers, and
        who gives these.
    """

    span: Span
    sources: List[str] = field(default_factory=list)
    named: List[Tuple[FrozenSet[str], Span]] = field(default_factory=list)

    def take_identifiers(self) -> None:
        """Add to the span the identifiers of the first sources that were not rejected."""
        for givers, span in self.named:
            if not self.sources or not givers.isdisjoint(self.sources):
                add_identifiers(self.span, span)


class OverlapResolver(Pipe):
    """Chooses `doc.ents`: the longest span wins, then the source named first, then the first start.

    All candidates, chosen or not, stand in `doc.spans["bioner_candidates"]`, one per offsets and
    label, with the identifier of the first source that has one. Afterwards every entity has
    evidence. Running the component again changes nothing.

    name (str): Name of the component.
    sources (Iterable[str]): Span groups, the preferred one first; spaCy's rulers by the name of the
        component or that of its group. Entities that stand in `doc.ents` by other sources take part
        as well, after these.
    ents_source (str): Source name for entities in `doc.ents` without evidence, such as those of
        spaCy's `ner`; its place in `sources` ranks them, and those of rulers that are not in
        `sources`.
    nlp (Optional[Language]): The pipeline, whose rulers are named as sources.
    """

    def __init__(
        self,
        name: str = "bioner_overlaps",
        *,
        sources: Iterable[str] = tuple(DEFAULT_CONFIG["sources"]),
        ents_source: str = DEFAULT_CONFIG["ents_source"],
        nlp: Optional[Language] = None,
    ) -> None:
        register_extensions()
        self.name = name
        self.sources = list(sources)
        self.ents_source = ents_source
        self.nlp = nlp

    def __call__(self, doc: Doc) -> Doc:
        """Choose the entities of a Doc."""
        credit_rulers(doc, self.nlp)
        groups = {name: group_of(ruler) for name, ruler in list_rulers(self.nlp).items()}
        ranks = self._rank_sources(groups)
        doc.user_data[SOURCE_ORDER_KEY] = sorted(ranks, key=lambda name: ranks[name])
        candidates = self._gather(doc, groups)
        chosen, _ = select_flat(
            [candidate for candidate in candidates if candidate.sources],
            interval=lambda candidate: (candidate.span.start, candidate.span.end),
            priority=lambda candidate: min(
                ranks.get(name, len(self.sources)) for name in candidate.sources
            ),
        )
        doc.spans[CANDIDATES_KEY] = [candidate.span for candidate in candidates]
        replace_ents(doc, [candidate.span for candidate in chosen])
        return doc

    def _rank_sources(self, groups: Mapping[str, str]) -> Dict[str, int]:
        """Rank the sources; rulers that are not declared are where entities are.

        groups (Mapping[str, str]): The span groups of rulers by their names; empty where they have
            none.
        """
        ranks = {source: rank for rank, source in enumerate(self.sources)}
        for name, group in groups.items():
            rank = ranks.get(group, ranks.get(self.ents_source, len(self.sources)))
            ranks.setdefault(name, rank)
        return ranks

    def _gather(self, doc: Doc, groups: Mapping[str, str]) -> List[Candidate]:
        """Collect the candidates by position, the longest first."""
        found: Dict[Tuple[int, int, str], Candidate] = {}
        owners = {group: name for name, group in groups.items() if group}
        for source in self.sources:
            group = groups.get(source) or source
            if source == self.ents_source:
                self._collect(found, self._list_ents(doc, groups), source=None)
            elif source in groups and not groups[source]:
                self._collect(found, _recorded(doc, source, is_ruler=True), source=None)
            elif group in doc.spans:
                owner = owners.get(group)
                spans = doc.spans[group]
                self._collect(found, spans, source=owner or source, is_ruler=owner is not None)
        self._collect(found, self._list_ents(doc, groups), source=None)
        _drop_rejected(doc, found.values())
        for candidate in found.values():
            candidate.take_identifiers()
        return sorted(found.values(), key=lambda candidate: _position(candidate.span))

    def _list_ents(self, doc: Doc, groups: Mapping[str, str]) -> List[Span]:
        """List entities without a group: those that stand, and those that lost before."""
        declared = {*self.sources}
        rulers = [name for name, group in groups.items() if declared.isdisjoint((name, group))]
        names = [self.ents_source, *rulers]
        lost = (_recorded(doc, name, is_ruler=name in groups) for name in dict.fromkeys(names))
        return [*chain.from_iterable(lost), *doc.ents]

    def _collect(
        self,
        found: Dict[Tuple[int, int, str], Candidate],
        spans: Iterable[Span],
        *,
        source: Optional[str],
        is_ruler: bool = False,
    ) -> None:
        """Add the spans of a group, or entities (no `source`), whose source the ledger tells.

        is_ruler (bool): The group is of a ruler, whose ids (`id_`) are concept ids.
        """
        for span in spans:
            recorded = [row["source"] for row in find_rows(span)]
            names = [source] if source else recorded
            key = (span.start, span.end, span.label_)
            names = names or [self.ents_source]
            if key not in found:
                found[key] = Candidate(_copy_plain(span))
            candidate = found[key]
            givers = [source] if source else list_identifying(span) or names
            candidate.named.append((frozenset(givers), span))
            for name in names:
                if name not in candidate.sources:
                    candidate.sources.append(name)
                if name not in recorded:
                    _vouch(span, name, concept_of(span) if is_ruler else span.kb_id_)


def reject(doc: Doc, rejection: Rejection) -> None:
    """Enter an objection against a proposal; entering it again replaces the reason."""
    enter_rejection(doc, asdict(rejection))


def clear_rejections(doc: Doc, rejected_by: str) -> None:
    """Withdraw all objections of one component."""
    rows = doc.user_data.get(REJECTIONS_KEY, {})
    for key in [key for key, row in rows.items() if row["rejected_by"] == rejected_by]:
        del rows[key]


def read_rejections(doc: Doc) -> Tuple[Rejection, ...]:
    """Return all objections in the order in which they were entered.

    `doc._.bioner_rejections` has the same as a list of dicts.
    """
    return tuple(Rejection(**row) for row in list_rejections(doc))


def withdraw_ents(doc: Doc, source: str) -> None:
    """Take those entities out of `doc.ents` that only this source vouches for, and from others
    the identifiers that only it gives.

    A component does so before it looks at a Doc that it may have seen before. An entity with an
    `id` of its own is somebody else's, such as the EntityRuler's: the gazetteer gives patterns
    theirs as `kb_id` as well.
    """
    if not has_source(doc, source):
        return
    kept = [
        copy_without_identifier_of(ent, {source})
        for ent in doc.ents
        if ent.id not in (0, ent.kb_id) or {row["source"] for row in find_rows(ent)} != {source}
    ]
    if kept != list(doc.ents):
        replace_ents(doc, kept)


def _drop_rejected(doc: Doc, candidates: Iterable[Candidate]) -> None:
    rejected = {
        (entry.start_char, entry.end_char, entry.label, entry.source)
        for entry in read_rejections(doc)
    }
    for candidate in candidates:
        span = candidate.span
        key = (span.start_char, span.end_char, span.label_)
        candidate.sources = [
            name
            for name in candidate.sources
            if (*key, name) not in rejected and (*key, "") not in rejected
        ]


def _recorded(doc: Doc, source: str, *, is_ruler: bool) -> List[Span]:
    """Rebuild the spans of a source that has no span group from the ledger.

    Entities that lost against a longer one are in no other place when the component runs again.
    is_ruler (bool): Its ids are those of spans (`id_`), which spaCy's rulers set.
    """
    before = {_position(span): span for span in doc.spans.get(CANDIDATES_KEY, ())}
    spans = []
    for row in list_doc_evidence(doc):
        if row["source"] == source:
            concept = row["concept_id"]
            kb_id, span_id = ("", concept) if is_ruler else (concept, "")
            span = doc.char_span(
                row["start_char"], row["end_char"], row["label"], kb_id=kb_id, span_id=span_id
            )
            if span is not None and (same := before.get(_position(span))):
                # The ledger has one identifier; `id` is another.
                add_identifiers(span, same)
            spans.extend([span] if span is not None else [])
    return spans


def _vouch(span: Span, source: str, concept_id: str) -> None:
    place = (span.start_char, span.end_char, span.label_)
    add_evidence(span.doc, Evidence(*place, source, concept_id=concept_id))


def _copy_plain(span: Span) -> Span:
    return Span(span.doc, span.start, span.end, span.label)


def _position(span: Span) -> Tuple[int, int, str]:
    return span.start, -span.end, span.label_
