"""Scores of a pipeline that is loaded, and of Docs that it gave."""

from typing import TYPE_CHECKING

from spacy_bioner.public_names import offer_names

if TYPE_CHECKING:
    from spacy_bioner.evaluation.evaluation import Measurement as Measurement
    from spacy_bioner.evaluation.evaluation import measure as measure
    from spacy_bioner.evaluation.matching import Comparison as Comparison
    from spacy_bioner.evaluation.matching import compare_docs as compare_docs
    from spacy_bioner.evaluation.matching import score_mentions as score_mentions
    from spacy_bioner.evaluation.runner import DocumentEvaluation as DocumentEvaluation
    from spacy_bioner.evaluation.runner import PipelineEvaluation as PipelineEvaluation
    from spacy_bioner.evaluation.runner import evaluate_documents as evaluate_documents
    from spacy_bioner.evaluation.runner import evaluate_pipeline as evaluate_pipeline
    from spacy_bioner.evaluation.scores import Average as Average
    from spacy_bioner.evaluation.scores import Counts as Counts
    from spacy_bioner.evaluation.scores import Metric as Metric
    from spacy_bioner.evaluation.scores import Scores as Scores

__getattr__, __dir__, __all__ = offer_names(
    __name__,
    {
        "evaluation": ("Measurement", "measure"),
        "matching": ("Comparison", "compare_docs", "score_mentions"),
        "runner": (
            "DocumentEvaluation",
            "PipelineEvaluation",
            "evaluate_documents",
            "evaluate_pipeline",
        ),
        "scores": ("Average", "Counts", "Metric", "Scores"),
    },
)
