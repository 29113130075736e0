"""What was measured of a pipeline, as tables for a terminal."""

from typing import TYPE_CHECKING, Any, List, Mapping, Optional

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.bootstrap.significance import PairedComparison
from spacy_bioner.evaluation.evaluation import Measurement
from spacy_bioner.evaluation.metrics.confusion import Confusion
from spacy_bioner.evaluation.metrics.error_types import count_mistakes
from spacy_bioner.evaluation.metrics.partial_matching import SCHEMES
from spacy_bioner.evaluation.metrics.token_level import TokenScores
from spacy_bioner.evaluation.scores import (
    ACCURACY,
    BRIER,
    CALIBRATION_ERROR,
    EXACT,
    LOG_LOSS,
    SCORE_NAMES,
    TOKEN_ACCURACY,
    Average,
    Counts,
    Metric,
)
from spacy_bioner.reports.scores import (
    DASH,
    format_decimal,
    format_decimal_interval,
    format_ends,
    format_interval,
    format_percent,
    merge_equal,
    render_scores,
)
from spacy_bioner.reports.tables import render_table
from spacy_bioner.training.results.exports import Exported

if TYPE_CHECKING:
    from spacy_bioner.evaluation.runner import PipelineEvaluation


FEW = 10
"""Below so many documents that differ, an exact randomization has few outcomes."""
MEANINGS = {
    "strict": "offsets and label",
    "exact": "offsets, any label",
    "partial": "some overlap, any label, counts half",
    "type": "some overlap and the label",
}


def render_evaluation(
    evaluation: "PipelineEvaluation",
    measurement: Optional["Measurement"] = None,
    group: Optional["Measurement"] = None,
    *,
    details: bool = False,
) -> str:
    """Render a table for each source of predictions that differs, intervals and throughput.

    measurement (Optional[Measurement]): What was measured of the pipeline's entities.
    group (Optional[Measurement]): The same of its span group, where one was asked for.
    details (bool): All of that, instead of intervals and the number of mistakes.
    """
    from spacy_bioner.evaluation.runner import TITLES

    tables = merge_equal({TITLES[source]: scores for source, scores in evaluation.scores.items()})
    parts = [render_scores(scores, title=title) for title, scores in tables.items()]
    titled = {"doc.ents": measurement, "The span group": group}
    for title, item in titled.items():
        if item is None:
            continue
        summary = render_summary(item)
        parts.append(f"{title}\n\n{summary}" if group is not None else summary)
        if details:
            parts.append(render_details(item))
    pace = evaluation.pace
    speed = pace.words_per_second
    rate = f": {speed:,.0f} words/s" if speed else ""
    noun = "document" if evaluation.n_docs == 1 else "documents"
    parts.append(
        f"{evaluation.n_docs:,} {noun} with {pace.n_words:,} words (split at white space) "
        f"in {pace.seconds:,.1f} s{rate}"
    )
    return "\n" + "\n\n".join(parts) + "\n"


def render_summary(found: Measurement) -> str:
    """Render scores with intervals, the averages, and how many mistakes there are of each kind."""
    intervals = found.intervals
    header = ["type", "gold", *(f"{name} with interval" for name in ("precision", "recall", "F1"))]
    rows = [
        [label or "(none)", f"{found.strict.by_type[label].gold:,}", *_cells(row)]
        for label, row in intervals.by_type.items()
    ]
    for name in ("macro", "weighted"):
        average: Average = getattr(found.strict, name)
        kinds = f"{average.n_types} types"
        rows.append([f"{name} average", kinds, *_cells(intervals.averages[name])])
    total = ["all types", f"{found.strict.micro.gold:,}", *_cells(intervals.averages["micro"])]
    table = render_table(header, rows, right=range(1, 5), total=total)
    lines = [
        f"entity-level accuracy {share_cell(found, ACCURACY)}: right mentions for each one that "
        "is in gold or was predicted, tp / (tp + fp + fn)",
        f"exact-match rate {share_cell(found, EXACT)}: documents in which exactly "
        f"the gold mentions were predicted, {found.strict.n_exact:,} of {found.strict.n_docs:,}",
        f"intervals: {100 * intervals.level:g} % of {intervals.n_resamples:,} bootstrap resamples "
        f"of {_count_documents(intervals.n_docs)}, seed {intervals.seed}",
        _list_mistakes(found),
    ]
    return "\n".join([table, "", *(f"  * {line}" for line in lines)])


def _count_documents(number: int) -> str:
    if number == 1:
        return "1 document, which says nothing of others"
    return f"{number:,} documents" + (", too few to say much" if number < FEW else "")


def render_details(found: Measurement) -> str:
    """Render all that is not in the summary."""
    parts = [
        _title("Partial matches", _render_schemes(found)),
        _title("Recall of gold mentions by kind", _render_strata(found)),
        _title(
            "Gold labels (rows) by what was predicted (columns)", _render_confusion(found.confusion)
        ),
        _title("Tokens: misleading beside the scores of mentions", _render_tokens(found)),
    ]
    if found.calibration is not None and found.calibration.n:
        table = _render_calibration(found)
        parts.append(_title("Confidence against outcome", table))
        parts.append(_title("Thresholds with the best F1 here", _render_sweeps(found)))
    if found.concepts is not None:
        parts.append(_title("Concept ids of documents", _render_concepts(found)))
    parts += [f"  * {name} could not be measured: {why}" for name, why in found.missing.items()]
    return "\n\n".join(parts)


def render_paired(compared: PairedComparison, first: str, second: str) -> str:
    """Render how a second system differs from a first one on the same documents."""
    rows = []
    for name, title in zip(SCORE_NAMES, ("precision", "recall", "F1")):
        item = getattr(compared, name)
        values = [getattr(counts, name) for counts in (compared.first, compared.second)]
        difference = item.difference
        shown = DASH if difference.value is None else f"{100 * difference.value:+.2f}"
        ends = format_ends(difference, signed=True)
        rows.append(
            [title, *map(format_percent, values), f"{shown} {ends}".rstrip(), f"{item.p:.4f}"]
        )
    table = render_table(
        ("", first, second, "difference with interval", "p"), rows, right=range(1, 5)
    )
    note = (
        f"  * {compared.n_docs:,} documents, {compared.n_equal:,} of them with equal counts; p by "
        f"approximate randomization ({compared.n_shuffles:,} exchanges), interval by paired "
        f"bootstrap ({compared.n_resamples:,} resamples), seed {compared.seed}"
    )
    few = explain_p(compared)
    return f"{table}\n\n{note}" + (f"\n  * {few}" if few else "")


def render_export(exported: Exported) -> str:
    """Render where an exported pipeline is, and how it differs from the trained one."""
    table = render_paired(exported.compared, "trained", exported.precision)
    lines = [
        table,
        f"  * entities differ in {exported.n_changed:,} of {exported.compared.n_docs:,} documents",
    ]
    if exported.kept:
        lines.append(
            f"  * {len(exported.kept)} of {exported.n_products} products stay in float32, for "
            f"accuracy: {', '.join(exported.kept)}"
        )
    lines += ["", f"{exported.output}: {exported.precision}, {exported.n_bytes / 1e6:.1f} MB"]
    return "\n".join(lines)


def explain_p(compared: PairedComparison) -> str:
    """Say from where on p can be small, where few documents differ; "" where enough do."""
    n_other = compared.n_docs - compared.n_equal
    if n_other >= FEW:
        return ""
    differ = "1 document differs in its" if n_other == 1 else f"{n_other} documents differ in their"
    least = min(1.0, 2.0 ** (1 - n_other))
    return f"only {differ} counts, so p cannot be below {least:.3g}, whatever the interval"


def _title(title: str, table: str) -> str:
    return f"{title}\n\n{table}"


def _cells(row: Mapping[str, Interval]) -> List[str]:
    return [format_interval(row[name]) for name in SCORE_NAMES]


def _list_mistakes(found: Measurement) -> str:
    counts = count_mistakes(item for mistakes in found.mistakes for item in mistakes)
    total = sum(counts.values())
    if not total:
        return "no mistakes"
    named = ", ".join(f"{n:,} {kind}" for kind, n in counts.items() if n)
    return f"{total:,} mistakes: {named}"


def _render_schemes(found: Measurement) -> str:
    header = ["match", "correct", "incorrect", "partial", "missed", "spurious"]
    rows = []
    for scheme in SCHEMES:
        item = found.schemes[scheme]
        integers = (item.correct, item.incorrect, item.partial, item.missed, item.spurious)
        shares = [share_cell(found, Metric(scheme, name)) for name in SCORE_NAMES]
        rows.append([f"{scheme}: {MEANINGS[scheme]}", *(f"{n:,}" for n in integers), *shares])
    header += ["P", "R", "F1"]
    return render_table(header, rows, right=range(1, len(header)))


def list_strata_rows(found: Measurement) -> List[List[str]]:
    """Return division, kind, gold, found and recall with its interval of each kind of mention."""
    return [
        [
            item.division,
            item.name,
            f"{item.gold:,}",
            f"{item.found:,}",
            share_cell(found, item.metric),
        ]
        for item in found.strata
    ]


def _render_strata(found: Measurement) -> str:
    rows = list_strata_rows(found)
    return render_table(("by", "kind", "gold", "found", "recall"), rows, right=(2, 3, 4))


def calibration_cells(found: Measurement) -> List[str]:
    """Write expected calibration error, Brier score and log loss, with their intervals."""
    metrics = (CALIBRATION_ERROR, BRIER, LOG_LOSS)
    return [format_decimal_interval(found.shares[metric]) for metric in metrics]


def share_cell(found: Measurement, metric: Metric) -> str:
    """Write a share, per cent, with its interval."""
    return format_interval(found.shares[metric])


def list_confusion_rows(confusion: Confusion) -> List[List[str]]:
    """Return each gold label with its numbers by predicted label; a dash for 0."""
    return [
        [label, *(f"{number:,}" if number else DASH for number in row)]
        for label, row in zip(confusion.labels, confusion.matrix.tolist())
    ]


def _render_confusion(confusion: Confusion) -> str:
    rows = list_confusion_rows(confusion)
    return render_table(("", *confusion.labels), rows, right=range(1, len(confusion.labels) + 1))


def _render_tokens(found: Measurement) -> str:
    tokens: TokenScores = found.tokens
    rows = list_token_rows(found)
    header = ("tag", "gold", "predicted", "P", "R", "F1")
    table = render_table(header, rows[:-1], right=range(1, 6), total=rows[-1])
    accuracy = share_cell(found, TOKEN_ACCURACY)
    notes = [f"accuracy {accuracy} of {tokens.n_tokens:,} tokens, O included"]
    if found.areas:
        areas = format_areas(found.areas)
        notes.append(f"area under the ROC curve, each label against all else: {areas}")
    return "\n".join([table, "", *(f"  * {note}" for note in notes)])


def list_token_rows(found: Measurement) -> List[List[str]]:
    """Return gold, predicted, P, R and F1 of each tag, of all but O in the last row."""
    every = [
        *((tag, tag, counts) for tag, counts in found.tokens.by_tag.items()),
        ("all but O", None, found.tokens.micro),
    ]
    return [_counts_row(found, "tokens", *item) for item in every]


def list_concept_rows(found: Measurement) -> List[List[str]]:
    """Return gold, predicted, P, R and F1 of each label's concepts, of all in the last row."""
    concepts = found.concepts or {}
    every = [
        *((label or "(none)", label, counts) for label, counts in concepts.items()),
        ("all types", None, sum(concepts.values(), Counts())),
    ]
    return [_counts_row(found, "concepts", *item) for item in every]


def format_areas(areas: Mapping[str, Interval]) -> str:
    """Write areas under curves by label, with their intervals."""
    return ", ".join(
        f"{label or '(none)'} {format_decimal_interval(area)}" for label, area in areas.items()
    )


def _render_calibration(found: Measurement) -> str:
    calibration: Any = found.calibration
    n_without = found.judged.n_without if found.judged else 0
    rows = [
        [
            f"{item.low:.1f} to {item.high:.1f}",
            f"{item.n:,}",
            format_decimal(item.confidence),
            format_decimal(item.right),
        ]
        for item in calibration.bins
        if item.n
    ]
    table = render_table(("confidence", "predicted", "mean", "right"), rows, right=(1, 2, 3))
    error, brier, loss = calibration_cells(found)
    note = f"expected calibration error {error}, Brier score {brier}, log loss {loss}"
    if n_without:
        note += f"\n  * {n_without:,} predictions have no confidence: no threshold leaves them out"
    return f"{table}\n\n  * {note}"


def list_sweep_rows(found: Measurement) -> List[List[str]]:
    """Return type, average precision, F1 of all, best F1 and its threshold of each sweep."""
    rows = []
    for item in found.sweeps:
        best, all_kept = item.best(), item.points[0]
        area = found.shares[Metric("average", "precision", item.label)]
        scores = (all_kept.counts.f_score, best.counts.f_score)
        rows.append(
            [
                "all types" if item.label is None else item.label or "(none)",
                format_decimal_interval(area),
                *map(format_percent, scores),
                f"{best.threshold:.3f}",
            ]
        )
    return rows


def _render_sweeps(found: Measurement) -> str:
    rows = list_sweep_rows(found)
    header = ("type", "average precision", "F1 of all", "best F1", "threshold")
    note = "  * chosen on these documents: choose thresholds on dev, then score test"
    return render_table(header, rows, right=range(1, 5)) + f"\n\n{note}"


def _render_concepts(found: Measurement) -> str:
    header = ("type", "gold", "predicted", "P", "R", "F1")
    rows = list_concept_rows(found)
    return render_table(header, rows[:-1], right=range(1, 6), total=rows[-1])


def _counts_row(
    found: Measurement, group: str, title: str, kind: Optional[str], counts: Counts
) -> List[str]:
    scores = [share_cell(found, Metric(group, score, kind)) for score in SCORE_NAMES]
    return [title, f"{counts.gold:,}", f"{counts.predicted:,}", *scores]
