"""The parts of a run's page: what was measured, as plots and tables with a word on each."""

from dataclasses import asdict
from typing import List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.corpora.statistics.corpus import CorpusStatistics
from spacy_bioner.evaluation.bootstrap.by_type import MICRO
from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.evaluation import Measurement
from spacy_bioner.evaluation.metrics.error_types import count_mistakes
from spacy_bioner.evaluation.metrics.partial_matching import SCHEMES
from spacy_bioner.evaluation.scores import (
    ACCURACY,
    EXACT,
    SCORE_NAMES,
    TOKEN_ACCURACY,
    Counts,
    Metric,
)
from spacy_bioner.reports.html.elements import Drawings, Section, draw_plot, make_table
from spacy_bioner.reports.plots import corpora_compared as comparison_plots
from spacy_bioner.reports.plots import corpus as corpus_plots
from spacy_bioner.reports.plots import evaluation as plots
from spacy_bioner.reports.plots.training import plot_training
from spacy_bioner.reports.scores import (
    DASH,
    footnotes,
    format_ends,
    format_interval,
    format_percent,
)
from spacy_bioner.reports.text.corpora import corpus_tables
from spacy_bioner.reports.text.evaluation import (
    MEANINGS,
    calibration_cells,
    format_areas,
    list_concept_rows,
    list_confusion_rows,
    list_strata_rows,
    list_sweep_rows,
    list_token_rows,
    share_cell,
)
from spacy_bioner.reports.text.model_card import LIMITS
from spacy_bioner.training.loggers import Evaluation


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


def make_score_section(drawings: Drawings, found: Measurement) -> Section:
    """Show strict scores with their intervals, and those of partial matches."""
    intervals = found.intervals
    header = ("type", "gold", "predicted", "right", "precision", "recall", "F1")
    schemes = [
        (
            f"{name}: {MEANINGS[name]}",
            *(share_cell(found, Metric(name, score)) for score in SCORE_NAMES),
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
        f"Entity-level accuracy {share_cell(found, ACCURACY)}: right mentions for each one that "
        "is in gold or was predicted, tp / (tp + fp + fn). Exact-match rate "
        f"{share_cell(found, EXACT)}: documents with exactly the gold mentions predicted."
    )
    return Section(
        "scores",
        "Scores",
        lines=(about, others, *footnotes(found.strict)),
        plots=(
            draw_plot(
                drawings,
                "types",
                plots.plot_type_scores(intervals.by_type),
                "Strict F1 of each type, with its interval.",
                intervals.to_json(),
            ),
        ),
        tables=(make_table("Strict scores with intervals", header, _list_scores(found)),),
        folded=(make_table("Partial matches", ("match", "P", "R", "F1"), schemes),),
    )


def make_corpus_section(
    drawings: Drawings, corpora: Sequence[CorpusStatistics], warnings: Sequence[str]
) -> Optional[Section]:
    """Describe the documents that were scored, and those of training where they are known.

    corpora (Sequence[CorpusStatistics]): The scored ones first; without any there is no section.
    warnings (Sequence[str]): Such as documents that are in both.
    """
    if not corpora:
        return None
    if len(corpora) > 1:
        figure = comparison_plots.plot_label_shares(corpora)
        caption = "The share of each label in the mentions."
    else:
        figure, caption = corpus_plots.plot_labels(corpora[0]), "Mentions of each label."
    data = {item.name: {label.label: label.mentions for label in item.labels} for item in corpora}
    plots = (
        draw_plot(drawings, "labels", figure, caption, data),
        draw_plot(
            drawings,
            "lengths",
            corpus_plots.plot_lengths(corpora[0]),
            f"How long documents, sentences and mentions are ({corpora[0].name}).",
            corpora[0].to_json(),
        ),
    )
    tables = (
        corpus_tables.tabulate_overview(corpora),
        corpus_tables.tabulate_label_counts(corpora),
    )
    lines = (
        "Words are tokens here; elsewhere on this page they are what white space divides.",
        *(f"{line[0].upper()}{line[1:]}." for line in warnings),
    )
    return Section("corpus", "Data", lines=lines, plots=plots, folded=tables)


def make_card_section(
    about: Sequence[Tuple[str, str]],
    data: Sequence[Tuple[str, str]],
    settings: Sequence[Tuple[str, str]],
    *,
    limits: Sequence[str] = LIMITS,
) -> Section:
    """Say what the pipeline is, what it learned from, and what it is not for.

    about (Sequence[Tuple[str, str]]): What was run: pipeline, command, environment.
    data (Sequence[Tuple[str, str]]): Encoder and corpora with their licences.
    settings (Sequence[Tuple[str, str]]): Of its training.
    limits (Sequence[str]): What its user has to know.
    """
    tables = [make_table("What was run", ("", ""), about, text_columns=2)]
    if data:
        tables.append(make_table("What it learned from", ("", ""), data, text_columns=2))
    folded = []
    if settings:
        folded.append(make_table("Settings of its training", ("", ""), settings, text_columns=2))
    return Section(
        "card",
        "Model card",
        lines=tuple(limits),
        tables=tuple(tables),
        folded=tuple(folded),
    )


def _list_scores(found: Measurement) -> List[Tuple[str, ...]]:
    # A type may be called as an average is.
    rows = [
        (label, found.strict.by_type.get(label), scores)
        for label, scores in found.intervals.by_type.items()
    ]
    for name, scores in found.intervals.averages.items():
        rows.append((name, found.strict.micro if name == MICRO else None, scores))
    return [_list_cells(*row) for row in rows]


def _list_cells(
    label: str, counts: Optional[Counts], scores: Mapping[str, Interval]
) -> Tuple[str, ...]:
    numbers = (counts.gold, counts.predicted, counts.tp) if counts else (None,) * 3
    cells = [DASH if number is None else f"{number:,}" for number in numbers]
    return (label or "(none)", *cells, *(format_interval(scores[name]) for name in SCORE_NAMES))


def make_training_section(
    drawings: Drawings, training: Sequence[Evaluation], rates: Sequence[float]
) -> Optional[Section]:
    """Draw the curves of a training; None without its log.

    training (Sequence[Evaluation]): The log.
    rates (Sequence[float]): The learning rate of each step, where it is known.
    """
    if not training:
        return None
    caption = "Losses, scores on the development data and learning rate where it is known, by step."
    log = [asdict(evaluation) for evaluation in training]
    curves = draw_plot(drawings, "training", plot_training(training, rates=rates), caption, log)
    return Section("training", "Training", plots=(curves,))


def make_mistake_section(drawings: Drawings, found: Measurement) -> Section:
    """Count mistakes by kind, and gold labels by predicted ones."""
    counts = count_mistakes(item for mistakes in found.mistakes for item in mistakes)
    confusion = found.confusion
    rows = list_confusion_rows(confusion)
    return Section(
        "kinds",
        "Kinds of mistakes",
        plots=(
            draw_plot(
                drawings, "mistakes", plots.plot_mistakes(counts), "Mistakes of each kind.", counts
            ),
            draw_plot(
                drawings,
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


def make_recall_section(drawings: Drawings, found: Measurement) -> Section:
    """Show recall by what makes a gold mention easy or hard."""
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
            draw_plot(
                drawings,
                "recall",
                plots.plot_strata(found.strata, found.shares),
                "Recall of gold mentions.",
                [{**vars(item), "recall": item.recall} for item in found.strata],
            ),
        ),
        folded=(make_table("Recall of gold mentions", header, rows, text_columns=2),),
    )


def make_confidence_section(drawings: Drawings, found: Measurement) -> Section:
    """Hold confidences against outcomes, or say why there is nothing to hold."""
    calibration = found.calibration
    if calibration is None or not calibration.n:
        reason = found.missing.get("calibration", "no prediction has a confidence")
        line = f"Calibration and thresholds could not be measured: {reason}."
        return Section("calibration", "Confidence", lines=(line,))
    error, brier, loss = calibration_cells(found)
    line = (
        f"Expected calibration error {error}, Brier score {brier}, log loss {loss}, of "
        f"{calibration.n:,} predictions. On the dashed line, confidence is what it says."
    )
    if found.judged is not None and found.judged.n_without:
        line += f" {found.judged.n_without:,} predictions have no confidence and are always kept."
    caption = "The share of predictions that are right, by confidence, over how many there are."
    figure = plots.plot_calibration(calibration)
    plot = draw_plot(drawings, "calibration", figure, caption, calibration.to_json())
    return Section("calibration", "Confidence", lines=(line,), plots=(plot,))


def make_threshold_section(
    drawings: Drawings, found: Measurement, thresholds: Mapping[str, float]
) -> Optional[Section]:
    """Show what is kept at each threshold; None without confidences.

    thresholds (Mapping[str, float]): Those of the pipeline, marked in the curves.
    """
    if found.calibration is None or not found.calibration.n:
        return None
    line = (
        "Thresholds that are chosen here would be judged by what they were chosen on: "
        "bioner calibrate chooses them on development data."
    )
    plot = draw_plot(
        drawings,
        "thresholds",
        plots.plot_thresholds(found.sweeps, thresholds),
        "Precision by recall, and F1 by the least confidence that is kept.",
        [item.to_json() for item in found.sweeps],
    )
    header = ("type", "average precision", "F1 of all", "best F1", "at threshold")
    rows = list_sweep_rows(found)
    table = make_table("Thresholds with the best F1 on these documents", header, rows)
    return Section("thresholds", "Thresholds", lines=(line,), plots=(plot,), folded=(table,))


def make_token_section(found: Measurement) -> Section:
    """Show the scores of tokens."""
    rows = list_token_rows(found)
    lines = [
        f"Accuracy {share_cell(found, TOKEN_ACCURACY)} of {found.tokens.n_tokens:,} tokens, "
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


def make_concept_section(found: Measurement) -> Optional[Section]:
    """Show the scores of concept ids; None where they could not be measured."""
    if found.concepts is None:
        return None
    rows = list_concept_rows(found)
    line = "Sets of concept ids by document, wherever in it they stand: what curation asks for."
    header = ("type", "gold", "predicted", "P", "R", "F1")
    table = make_table("Concept ids of documents", header, rows)
    return Section("concepts", "Concepts", lines=(line,), tables=(table,))
