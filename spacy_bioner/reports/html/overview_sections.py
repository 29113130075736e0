"""The parts of a page that compares runs, from what was stored of each."""

from typing import Dict, List, Optional, Sequence, Tuple

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.bootstrap.significance import PairedComparison
from spacy_bioner.evaluation.scores import (
    ACCURACY,
    BRIER,
    CALIBRATION_ERROR,
    EXACT,
    LOG_LOSS,
    SCORE_NAMES,
    Metric,
)
from spacy_bioner.reports.html.elements import Drawings, Section, draw_plot, make_table
from spacy_bioner.reports.plots import overview as plots
from spacy_bioner.reports.scores import DASH, format_decimal_interval, format_interval
from spacy_bioner.reports.text.evaluation import explain_p
from spacy_bioner.training.results.experiments import StoredRun

# Figures as the JSON of a calibration calls them, and their intervals.
CALIBRATION = {
    "expected_calibration_error": CALIBRATION_ERROR,
    "brier": BRIER,
    "log_loss": LOG_LOSS,
}


def make_overview(runs: Sequence[StoredRun]) -> Tuple[List[Section], Drawings]:
    """Make the sections of a page, within `plot_style`."""
    drawings: Drawings = {}
    sections = [_make_scores(runs, drawings), _make_differences(runs)]
    if any(run.training for run in runs):
        sections.append(_make_training(runs, drawings))
    sections += [_make_mistakes(runs, drawings), _make_strata(runs, drawings)]
    if any(run.measured["calibration"] for run in runs):
        sections.append(_make_confidence(runs, drawings))
    if any(run.attacked for run in runs):
        sections.append(_make_robustness(runs, drawings))
    return [section for section in sections if section is not None], drawings


def _make_scores(runs: Sequence[StoredRun], drawings: Drawings) -> Section:
    rows: List[Tuple[str, ...]] = []
    others: List[Tuple[str, ...]] = []
    for run in runs:
        averages, scores = run.measured["intervals"]["averages"], run.data["scores"]["pipeline"]
        speed = run.data.get("words_per_second")
        sizes = (f"{run.data['n_docs']:,}", f"{scores['micro']['gold']:,}")
        micro = [format_interval(Interval(**averages["micro"][name])) for name in SCORE_NAMES]
        rows.append((run.name, *sizes, *micro))
        others.append(
            (
                run.name,
                format_interval(Interval(**averages["macro"]["f_score"])),
                format_interval(_find_share(run, ACCURACY, scores["micro"]["accuracy"])),
                format_interval(_find_share(run, EXACT, scores["exact_rate"])),
                f"{speed:,.0f}" if speed else DASH,
            )
        )
    header = ("run", "documents", "gold", "precision", "recall", "F1")
    other_header = ("run", "macro F1", "entity accuracy", "exact match", "words/s")
    by_type = {
        run.name: {
            label: row["f_score"]["value"]
            for label, row in run.measured["intervals"]["by_type"].items()
        }
        for run in runs
    }
    made = runs[0].measured["intervals"]
    about = (
        "Strict match of offsets and label, per cent, with bootstrap intervals over documents "
        f"({100 * made['level']:g} %, {made['n_resamples']:,} resamples). They know nothing of "
        "training seeds. Speeds were measured at different times."
    )
    plot = draw_plot(
        drawings,
        "types",
        plots.plot_shares(by_type, axis="strict F1"),
        "Strict F1 of each type.",
        by_type,
    )
    return Section(
        "scores",
        "Scores",
        lines=(about,),
        plots=(plot,),
        tables=(
            make_table("Runs", header, rows),
            make_table("Other figures", other_header, others),
        ),
    )


def _find_share(run: StoredRun, metric: Metric, value: Optional[float]) -> Interval:
    """Return a figure with its interval, where the evaluation has stored one."""
    found = run.measured.get("shares", {}).get(metric.words)
    return Interval(value, None, None) if found is None else Interval(**found)


def _make_differences(runs: Sequence[StoredRun]) -> Optional[Section]:
    rows: List[Tuple[str, ...]] = []
    made: Optional[PairedComparison] = None
    for run in runs:
        if run.compared is None:
            continue
        made = run.compared
        cells = []
        for name in SCORE_NAMES:
            item = getattr(run.compared, name)
            value = item.difference
            known = None not in (value.value, value.low, value.high)
            cells.append(
                f"{100 * value.value:+.2f} [{100 * value.low:+.2f}, {100 * value.high:+.2f}]"
                if known
                else DASH
            )
        rows.append((run.name, *cells, f"{run.compared.f_score.p:.4f}"))
    if made is None:
        return None
    line = (
        f"Points more than {runs[0].name} has, on the same {made.n_docs:,} documents: paired "
        f"bootstrap intervals; p of F1 by approximate randomization ({made.n_shuffles:,} "
        "exchanges)."
    )
    few = [(run.name, explain_p(run.compared)) for run in runs if run.compared is not None]
    header = ("run", "precision", "recall", "F1", "p")
    return Section(
        "differences",
        "Differences",
        lines=(line, *(f"{name}: {note}." for name, note in few if note)),
        tables=(make_table(f"Against {runs[0].name}", header, rows),),
    )


def _make_training(runs: Sequence[StoredRun], drawings: Drawings) -> Section:
    curves: Dict[str, List[Tuple[float, float]]] = {
        run.name: [
            (row["step"], row["scores"]["ents_f"])
            for row in run.training
            if isinstance(row["scores"].get("ents_f"), float)
        ]
        for run in runs
    }
    figure = plots.plot_curves({"Development data": curves}, x="step", y="strict F1")
    caption = "F1 on the development data by step."
    plot = draw_plot(drawings, "training", figure, caption, curves)
    return Section("training", "Training", plots=(plot,))


def _make_mistakes(runs: Sequence[StoredRun], drawings: Drawings) -> Section:
    counts = {run.name: dict(run.measured["mistakes"]) for run in runs}
    figure = plots.plot_numbers(counts, axis="mistakes")
    plot = draw_plot(drawings, "mistakes", figure, "Mistakes of each kind.", counts)
    return Section("mistake-kinds", "Kinds of mistakes", plots=(plot,))


def _make_strata(runs: Sequence[StoredRun], drawings: Drawings) -> Section:
    recalls = {
        run.name: {
            f"{row['division']}: {row['name']}": row["recall"]
            for row in run.measured["strata"]
            if row["gold"]
        }
        for run in runs
    }
    figure = plots.plot_shares(recalls, axis="recall")
    caption = "Recall of gold mentions of each kind."
    plot = draw_plot(drawings, "recall", figure, caption, recalls)
    return Section("recall", "Recall by kind of mention", plots=(plot,))


def _make_confidence(runs: Sequence[StoredRun], drawings: Drawings) -> Section:
    curves = {
        run.name: [
            (row["confidence"], row["right"])
            for row in (run.measured["calibration"] or {"bins": ()})["bins"]
            if row["n"]
        ]
        for run in runs
    }
    figure = plots.plot_curves(
        {"Confidence against outcome": curves}, x="confidence", y="right", diagonal=True
    )
    caption = "The share of predictions that are right, by confidence."
    plot = draw_plot(drawings, "calibration", figure, caption, curves)
    rows = []
    for run in runs:
        found = run.measured["calibration"]
        cells = [
            format_decimal_interval(_find_share(run, metric, found and found[key]))
            for key, metric in CALIBRATION.items()
        ]
        rows.append((run.name, *cells))
    header = ("run", "expected calibration error", "Brier score", "log loss")
    return Section(
        "calibration",
        "Confidence",
        plots=(plot,),
        tables=(make_table("Calibration", header, rows),),
    )


def _make_robustness(runs: Sequence[StoredRun], drawings: Drawings) -> Section:
    attacks: Dict[str, Dict[str, Optional[float]]] = {}
    for run in runs:
        if run.attacked is None:
            continue
        rows = [run.attacked["clean"], *run.attacked["text"], *run.attacked["curve"]]
        attacks[run.name] = {
            row["attack"] + ("" if row["strength"] is None else f", ε = {row['strength']:g}"): row[
                "f_score"
            ]
            for row in rows
        }
    figure = plots.plot_shares(attacks, axis="strict F1")
    caption = "F1 without an attack and under each."
    plot = draw_plot(drawings, "robustness", figure, caption, attacks)
    return Section("robustness", "Robustness", plots=(plot,))
