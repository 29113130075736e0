"""The parts of a run's page: what was measured, as plots and tables with a word on each."""

from dataclasses import asdict
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.evaluation.bootstrap.ratios import name_score
from spacy_bioner.evaluation.evaluation import Measurement
from spacy_bioner.evaluation.metrics.error_types import count_mistakes
from spacy_bioner.evaluation.metrics.partial_matching import SCHEMES
from spacy_bioner.evaluation.scores import SCORE_NAMES
from spacy_bioner.reports.html.elements import Drawings, Plot, Section, draw_plot, make_table
from spacy_bioner.reports.plots import evaluation as plots
from spacy_bioner.reports.plots.training import plot_training
from spacy_bioner.reports.scores import (
    DASH,
    footnotes,
    format_decimal_interval,
    format_ends,
    format_interval,
    format_percent,
)
from spacy_bioner.reports.text.evaluation import (
    MEANINGS,
    format_areas,
    list_concept_rows,
    list_confusion_rows,
    list_strata_rows,
    list_sweep_rows,
    list_token_rows,
    share_cell,
)
from spacy_bioner.training.loggers import Evaluation


def make_sections(
    found: Measurement,
    *,
    training: Sequence[Evaluation] = (),
    rates: Sequence[float] = (),
    thresholds: Optional[Mapping[str, float]] = None,
) -> Tuple[List[Section], Drawings]:
    """Make the sections of a page, within `plot_style`.

    training (Sequence[Evaluation]): The run's log; without, there are no curves.
    rates (Sequence[float]): The learning rate of each step, where it is known.
    thresholds (Optional[Mapping[str, float]]): Those of the pipeline, marked in the curves.
    RETURNS (Tuple[List[Section], Dict[str, Drawing]]): The sections, and the figures in them.
    """
    drawings: Drawings = {}

    def draw(name: str, figure: Any, caption: str, data: Any) -> Plot:
        return draw_plot(drawings, name, figure, caption, data)

    sections = [_make_scores(found, draw)]
    if training:
        caption = (
            "Losses, scores on the development data and learning rate where it is known, by step."
        )
        log = [asdict(evaluation) for evaluation in training]
        figure = plot_training(training, rates=rates)
        curves = draw("training", figure, caption, log)
        sections.append(Section("training", "Training", plots=(curves,)))
    sections += [_make_mistakes(found, draw), _make_strata(found, draw)]
    if found.calibration is not None and found.calibration.n:
        sections += _make_confidence(found, draw, thresholds or {})
    else:
        reason = found.missing.get("calibration", "no prediction has a confidence")
        line = f"Calibration and thresholds could not be measured: {reason}."
        sections.append(Section("calibration", "Confidence", lines=(line,)))
    sections.append(_make_tokens(found))
    if found.concepts is not None:
        sections.append(_make_concepts(found))
    return sections, drawings


def list_facts(found: Measurement) -> List[Tuple[str, str]]:
    """Pick the numbers that stand large at the head of the page."""
    micro, interval = found.strict.micro, found.intervals.averages["micro"]["f_score"]
    return [
        ("strict F1", format_percent(micro.f_score)),
        (f"its {100 * found.intervals.level:g} % interval", format_ends(interval)),
        ("precision", format_percent(micro.precision)),
        ("recall", format_percent(micro.recall)),
        ("documents", f"{found.strict.n_docs:,}"),
        ("gold mentions", f"{micro.gold:,}"),
        ("exact-match rate", format_percent(found.strict.exact_rate)),
        ("entity-level accuracy", format_percent(micro.accuracy)),
    ]


def _make_scores(found: Measurement, draw: Any) -> Section:
    intervals = found.intervals
    rows: List[Tuple[str, ...]] = []
    averages = [(name, intervals.averages[name]) for name in ("micro", "macro", "weighted")]
    for label, row in (*intervals.by_type.items(), *averages):
        counts = found.strict.by_type.get(label)
        if label == "micro":
            counts = found.strict.micro
        integers = (counts.gold, counts.predicted, counts.tp) if counts else (None,) * 3
        cells = [DASH if number is None else f"{number:,}" for number in integers]
        scores = [format_interval(row[name]) for name in SCORE_NAMES]
        rows.append((label or "(none)", *cells, *scores))
    header = ("type", "gold", "predicted", "right", "precision", "recall", "F1")
    schemes = [
        (
            f"{name}: {MEANINGS[name]}",
            *(share_cell(found, name_score(name, score)) for score in SCORE_NAMES),
        )
        for name in SCHEMES
    ]
    about = (
        f"A prediction is right when its offsets and its label are those of a gold mention. "
        f"In brackets: {100 * intervals.level:g} % of {intervals.n_resamples:,} bootstrap "
        f"resamples of {intervals.n_docs:,} documents, seed {intervals.seed}. micro counts all "
        "mentions alike, macro all types, weighted each type by its gold mentions."
    )
    others = (
        f"Entity-level accuracy {share_cell(found, 'accuracy')}: right mentions for each one that "
        "is in gold or was predicted, tp / (tp + fp + fn). Exact-match rate "
        f"{share_cell(found, 'exact')}: documents with exactly the gold mentions predicted."
    )
    caption = "Strict F1 of each type, with its interval."
    return Section(
        "scores",
        "Scores",
        lines=(about, others, *footnotes(found.strict)),
        plots=(
            draw("types", plots.plot_type_scores(intervals.by_type), caption, intervals.to_json()),
        ),
        tables=(make_table("Strict scores with intervals", header, rows),),
        folded=(make_table("Partial matches", ("match", "P", "R", "F1"), schemes),),
    )


def _make_mistakes(found: Measurement, draw: Any) -> Section:
    counts = count_mistakes(item for mistakes in found.mistakes for item in mistakes)
    confusion = found.confusion
    rows = list_confusion_rows(confusion)
    return Section(
        "kinds",
        "Kinds of mistakes",
        plots=(
            draw("mistakes", plots.plot_mistakes(counts), "Mistakes of each kind.", counts),
            draw(
                "confusion",
                plots.plot_confusion(confusion),
                "Gold labels by predicted labels; O stands for no mention. Mentions are paired by "
                "overlap, so boundary errors with the right label stand on the diagonal.",
                confusion.to_json(),
            ),
        ),
        folded=(
            make_table("Gold labels (rows) by predicted labels", ("", *confusion.labels), rows),
        ),
    )


def _make_strata(found: Measurement, draw: Any) -> Section:
    rows = list_strata_rows(found)
    has_novelty = any(item.division == "novelty" for item in found.strata)
    line = (
        "What was seen in training can be answered from memory; the rest tells how well a "
        "model generalizes."
        if has_novelty
        else "Give the training documents (--train) to see recall of what was not seen in them."
    )
    header = ("by", "kind", "gold", "found", "recall")
    return Section(
        "recall",
        "Recall by kind of mention",
        lines=(line, "Lengths are in words that white space divides."),
        plots=(
            draw(
                "recall",
                plots.plot_strata(found.strata, found.shares),
                "Recall of gold mentions.",
                [{**vars(item), "recall": item.recall} for item in found.strata],
            ),
        ),
        folded=(make_table("Recall of gold mentions", header, rows, text_columns=2),),
    )


def _make_confidence(
    found: Measurement, draw: Any, thresholds: Mapping[str, float]
) -> List[Section]:
    calibration = found.calibration
    if calibration is None:
        return []
    error, brier, loss = (
        format_decimal_interval(found.shares[name])
        for name in ("calibration error", "Brier score", "log loss")
    )
    line = (
        f"Expected calibration error {error}, Brier score {brier}, log loss {loss}, of "
        f"{calibration.n:,} predictions. On the dashed line, confidence is what it says."
    )
    if found.judged is not None and found.judged.n_without:
        line += f" {found.judged.n_without:,} predictions have no confidence and are always kept."
    rows = list_sweep_rows(found)
    header = ("type", "average precision", "F1 of all", "best F1", "at threshold")
    caption = "The share of predictions that are right, by confidence, over how many there are."
    curves = "Precision by recall, and F1 by the least confidence that is kept."
    return [
        Section(
            "calibration",
            "Confidence",
            lines=(line,),
            plots=(
                draw(
                    "calibration",
                    plots.plot_calibration(calibration),
                    caption,
                    calibration.to_json(),
                ),
            ),
        ),
        Section(
            "thresholds",
            "Thresholds",
            lines=(
                "Thresholds that are chosen here would be judged by what they were chosen on: "
                "bioner calibrate chooses them on development data.",
            ),
            plots=(
                draw(
                    "thresholds",
                    plots.plot_thresholds(found.sweeps, thresholds),
                    curves,
                    [item.to_json() for item in found.sweeps],
                ),
            ),
            folded=(make_table("Thresholds with the best F1 on these documents", header, rows),),
        ),
    ]


def _make_concepts(found: Measurement) -> Section:
    rows = list_concept_rows(found)
    line = "Sets of concept ids by document, wherever in it they stand: what curation asks for."
    header = ("type", "gold", "predicted", "P", "R", "F1")
    table = make_table("Concept ids of documents", header, rows)
    return Section("concepts", "Concepts", lines=(line,), tables=(table,))


def _make_tokens(found: Measurement) -> Section:
    rows = list_token_rows(found)
    lines = [
        f"Accuracy {share_cell(found, 'tokens')} of {found.tokens.n_tokens:,} tokens, "
        "those outside of all mentions included. Many papers report no other figures; they say "
        "little of whole mentions."
    ]
    if found.areas:
        areas = format_areas(found.areas)
        lines.append(f"Areas under the ROC curves, each label against all else: {areas}.")
    header = ("tag", "gold", "predicted", "P", "R", "F1")
    return Section(
        "tokens",
        "Tokens",
        lines=tuple(lines),
        folded=(make_table("Scores of tokens", header, rows),),
    )
