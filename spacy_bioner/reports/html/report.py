"""The page of `bioner report`: what it is made of, and its sections in their order."""

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Sequence, Tuple

from spacy_bioner.corpora.statistics.corpus import CorpusStatistics
from spacy_bioner.evaluation.evaluation import Measurement
from spacy_bioner.evaluation.metrics.error_contexts import Case
from spacy_bioner.evaluation.robustness import Robustness
from spacy_bioner.reports.html.elements import Drawings
from spacy_bioner.reports.html.experiment_sections import (
    make_ablation_section,
    make_robustness_section,
)
from spacy_bioner.reports.html.run_page import render_run_page
from spacy_bioner.reports.html.run_sections import (
    list_facts,
    make_card_section,
    make_concept_section,
    make_confidence_section,
    make_corpus_section,
    make_mistake_section,
    make_recall_section,
    make_score_section,
    make_threshold_section,
    make_token_section,
    make_training_section,
)
from spacy_bioner.reports.text.model_card import LIMITS
from spacy_bioner.reports.text.run_facts import list_run_rows, list_source_rows
from spacy_bioner.training.loggers import Evaluation
from spacy_bioner.training.results.experiments import AblationRow
from spacy_bioner.training.results.model_facts import CorpusFacts, EncoderFacts, RunFacts

Facts = Sequence[Tuple[str, str]]
"""Names and values, in order."""


@dataclass(frozen=True)
class ReportData:
    """All that the page says of a run; what is empty has no section.

    pipeline (str): The name of what was scored.
    cases (Sequence[Case]): Its mistakes in their contexts.
    thresholds (Mapping[str, float]): Of its confidence filter.
    training (Sequence[Evaluation]): The run's log.
    rates (Sequence[float]): The learning rate of each step, where it is known.
    robustness (Sequence[Robustness]): Of this pipeline or others.
    is_attacked (bool): Whether this one is among them.
    ablation (Sequence[AblationRow]): What parts of a pipeline are worth.
    is_ablated (bool): Whether they are parts of this one.
    corpora (Sequence[CorpusStatistics]): The scored documents, then those of training.
    shared (Sequence[str]): What is to be known of documents in both.
    run (Optional[RunFacts]): What was run: pipeline, command, environment.
    encoder (Optional[EncoderFacts]): That the pipeline was trained from.
    learned_from (Optional[CorpusFacts]): The corpus of its training.
    settings (Facts): Of the training.
    limits (Sequence[str]): What its user has to know.
    warnings (Sequence[str]): What a reader of the numbers has to know first.
    stored (Mapping[str, Any]): All measures as plain data, for a file beside the page.
    """

    title: str
    pipeline: str
    measurement: Measurement
    cases: Sequence[Case]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    training: Sequence[Evaluation] = ()
    rates: Sequence[float] = ()
    robustness: Sequence[Robustness] = ()
    is_attacked: bool = False
    ablation: Sequence[AblationRow] = ()
    is_ablated: bool = False
    corpora: Sequence[CorpusStatistics] = ()
    shared: Sequence[str] = ()
    run: Optional[RunFacts] = None
    encoder: Optional[EncoderFacts] = None
    learned_from: Optional[CorpusFacts] = None
    settings: Facts = ()
    limits: Sequence[str] = LIMITS
    warnings: Sequence[str] = ()
    stored: Mapping[str, Any] = field(default_factory=dict)


def render_report(data: ReportData) -> Tuple[str, Drawings]:
    """Render the page and the figures in it, within `plot_style`."""
    drawings: Drawings = {}
    found = data.measurement
    sections = [
        make_score_section(drawings, found),
        make_training_section(drawings, data.training, data.rates),
        make_mistake_section(drawings, found),
        make_recall_section(drawings, found),
        make_confidence_section(drawings, found),
        make_threshold_section(drawings, found, data.thresholds),
        make_token_section(found),
        make_concept_section(found),
        make_robustness_section(drawings, data.robustness, is_own=data.is_attacked),
        make_ablation_section(drawings, data.ablation, is_own=data.is_ablated),
        make_corpus_section(drawings, data.corpora, data.shared),
        make_card_section(
            list_run_rows(data.run) if data.run else (),
            list_source_rows(data.encoder, data.learned_from),
            data.settings,
            limits=data.limits,
        ),
    ]
    page = render_run_page(
        data.title,
        [*list_facts(found), ("scored pipeline", data.pipeline)],
        [section for section in sections if section is not None],
        data.cases,
        warnings=data.warnings,
    )
    return page, drawings
