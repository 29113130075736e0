"""What is annotated inconsistently, and how far annotations agree, as tables."""

from typing import Any, Optional, Sequence, Tuple

from spacy_bioner.corpora.mention_checks import TEXT_DIFFERS
from spacy_bioner.corpora.quality.agreement import (
    DISAGREEMENTS,
    Agreement,
    LabelAgreement,
    cohen_kappa,
    one_against_rest,
)
from spacy_bioner.corpora.quality.consistency import Place
from spacy_bioner.corpora.quality.report import QualityReport, Suspicion
from spacy_bioner.corpora.quality.suspicious_spans import RESPELLED
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.reports.tables import ELLIPSIS, render_table, shorten

WIDTH = 44
QUOTED = 24
DASH = "–"


def render_quality(report: QualityReport, *, top: int = 10) -> str:
    """Show the numbers and the most frequent findings of each kind."""
    conflicts, omissions = report.label_conflicts, report.omissions
    borders = report.border_conflicts
    unlabelled = sum(item.unlabelled for item in omissions)
    parts = sum(item.part for item in borders)
    return "\n\n".join(
        [
            f"documents: {report.documents:,}, mentions: {report.mentions:,}",
            f"surfaces with several labels: {len(conflicts):,}"
            + _table(
                ("surface", "labels", "examples"),
                [
                    (_cut(item.surface), _labels(item.labels), _places(item.examples))
                    for item in conflicts[:top]
                ],
            ),
            f"surfaces annotated in places only: {len(omissions):,} ({unlabelled:,} times not)"
            + _table(
                ("surface", "labels", "annotated", "not", "share not", "not annotated in"),
                [
                    (
                        _cut(item.surface),
                        _labels(item.labels),
                        f"{item.annotated:,}",
                        f"{item.unlabelled:,}",
                        f"{item.rate:.0%}",
                        _places(item.examples),
                    )
                    for item in omissions[:top]
                ],
                right=(2, 3, 4),
            ),
            f"surfaces of which a part is annotated in places: {len(borders):,} ({parts:,} times)"
            + _table(
                ("whole", "times", "part only", "times", "label", "part only in"),
                [
                    (
                        _cut(item.longer),
                        f"{item.whole:,}",
                        _cut(item.shorter),
                        f"{item.part:,}",
                        item.label,
                        _places(item.examples),
                    )
                    for item in borders[:top]
                ],
                right=(1, 3),
            ),
            f"suspicious spans: {sum(item.count for item in report.suspicions):,}"
            + _table(
                ("suspicion", "times", "examples"),
                [
                    (item.kind, f"{item.count:,}", _texts(item))
                    for item in report.suspicions
                    if item.count
                ],
                right=(1,),
            ),
        ]
    )


def render_agreement(agreement: Agreement, *, top: int = 10) -> str:
    """Show the scores of B against A by label, kappa, and the first disagreements."""
    rows = [
        (label or "(none)", row, cohen_kappa(one_against_rest(agreement.words, label)))
        for label, row in sorted(agreement.labels.items())
    ]
    total = _score("all", agreement.total(), cohen_kappa(agreement.words))
    header = ("label", "in A", "in B", "equal", "strict F1", "overlapping", "relaxed F1", "kappa")
    table = render_table(header, [_score(*row) for row in rows], right=range(1, 8), total=total)
    kinds = [(kind, f"{number:,}") for kind, number in agreement.count_kinds().items()]
    compared = f"documents compared: {agreement.documents:,}"
    alone = f"{len(agreement.only_a):,} only in A, {len(agreement.only_b):,} only in B"
    choices = sum(agreement.choices.values())
    parts = [
        f"{compared} ({alone})",
        table,
        "kappa: by word, with its label or none; by label: that one against all others\n"
        f"kappa of the labels of {choices:,} mentions with equal borders: "
        f"{_number(cohen_kappa(agreement.choices))}",
        f"disagreements: {len(agreement.disagreements):,}" + _table(("kind", "times"), kinds, (1,)),
    ]
    for kind in DISAGREEMENTS if top else ():
        items = [item for item in agreement.disagreements if item.kind == kind]
        if items:
            shown = [(_mention(item.a), _mention(item.b)) for item in items[:top]]
            parts.append(f"{kind}: {len(items):,}" + _table(("A", "B"), shown))
    return "\n\n".join(parts)


def _score(label: str, row: LabelAgreement, kappa: Optional[float]) -> Tuple[str, ...]:
    def f_score(both: int) -> str:
        return _number(Counts(both, row.in_b - both, row.in_a - both).f_score)

    return (
        label,
        f"{row.in_a:,}",
        f"{row.in_b:,}",
        f"{row.strict:,}",
        f_score(row.strict),
        f"{row.relaxed:,}",
        f_score(row.relaxed),
        _number(kappa),
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    return "\n\n" + render_table(header, rows, right=right) if rows else ""


def _number(value: Optional[float]) -> str:
    return DASH if value is None else f"{value:.4f}"


def _cut(text: str) -> str:
    return shorten(text, WIDTH)


def _labels(labels: Any) -> str:
    return ", ".join(f"{label} {number:,}" for label, number in labels.items())


def _places(places: Sequence[Place]) -> str:
    return ", ".join(str(place) for place in places)


def _texts(item: Suspicion) -> str:
    shows_claim = item.kind in (TEXT_DIFFERS, RESPELLED)
    return "; ".join(f"{place} {_quote(place, shows_claim)}" for place in item.examples)


def _quote(place: Place, shows_claim: bool) -> str:
    # As it is, white space included: it may be all that differs.
    found, claimed = (
        repr(text if len(text) <= QUOTED else text[: QUOTED - 1] + ELLIPSIS)
        for text in (place.text, place.claimed)
    )
    return f"{found}, said to be {claimed}" if shows_claim else found


def _mention(place: Optional[Place]) -> str:
    return f"{place} {_cut(place.text)} ({place.label})" if place else DASH
