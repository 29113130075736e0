"""A training from its start to its scores on the test set, as k-fold and comparisons need it."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Dict

from spacy.language import Language

from spacy_bioner.apps.training.drawn_training import train_and_draw
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.training.memory import read_peak_memory
from spacy_bioner.apps.profiles import Profile
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.evaluation.pipelines import DocumentEvaluation, evaluate_documents


@dataclass(frozen=True)
class TestedTraining:
    """What came of a training.

    nlp (Language): The best checkpoint.
    evaluation (DocumentEvaluation): On the test set.
    seconds (float): Of training, with the evaluations on the development set in them.
    peak_memory (int): The most memory that the process had held by the end of training, in bytes.
    """

    nlp: Language
    evaluation: DocumentEvaluation
    seconds: float
    peak_memory: int

    @property
    def outcome(self) -> Dict[str, Any]:
        """The F1 on the development set, and scores and counts by document on the test set."""
        return {
            "dev_f_score": self.nlp.meta.get("performance", {}).get("ents_f"),
            "scores": self.evaluation.scores.to_json(),
            "document_counts": [[item.tp, item.fp, item.fn] for item in self.evaluation.counts],
        }


def train_and_test(
    profile: Profile, corpus_dir: Path, folder: Path, *, title: str = "", **training: Any
) -> TestedTraining:
    """Train a profile into FOLDER/model, draw its curves, and test the best checkpoint.

    corpus_dir (Path): The folder with train.spacy, dev.spacy and test.spacy.
    training (Any): Settings of `apps.training.train`: gpu_id, seed, max_steps, overrides.
    """
    drawn: Any = {"log_path": folder / "training.jsonl", "name": "curves", "title": title}
    start = perf_counter()
    best = train_and_draw(profile, corpus_dir, folder / "model", **drawn, **training)
    seconds, peak = perf_counter() - start, read_peak_memory()
    nlp = load_pipeline(str(best), gpu_id=training["gpu_id"])
    evaluation = evaluate_documents(nlp, read_docbin(corpus_dir / "test.spacy", nlp.vocab))
    return TestedTraining(nlp, evaluation, seconds, peak)
