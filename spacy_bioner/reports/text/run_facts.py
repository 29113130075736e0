"""What was run and what it had learned from, as the rows of a page's tables."""

from typing import List, Optional, Tuple

from spacy_bioner.reports.scores import DASH
from spacy_bioner.reports.text.model_card import NOT_RECORDED
from spacy_bioner.training.results.model_facts import CorpusFacts, EncoderFacts, RunFacts

NOT_STATED = "not stated"


def list_run_rows(run: RunFacts) -> List[Tuple[str, str]]:
    """Return names and values of what was run."""
    speed = run.words_per_second
    return [
        ("scored", run.scored),
        ("pipeline", run.pipeline),
        ("components", ", ".join(run.components)),
        ("licence", run.licence or NOT_STATED),
        ("what it is", run.description or NOT_STATED),
        ("trained with seed", NOT_STATED if run.seed is None else str(run.seed)),
        ("gold documents", run.documents),
        ("labels scored", ", ".join(sorted(run.labels)) or "all"),
        ("throughput", f"{speed:,.0f} words/s, {run.n_words:,} words" if speed else DASH),
        ("command", run.command),
        ("environment", run.environment),
    ]


def list_source_rows(
    encoder: Optional[EncoderFacts], corpus: Optional[CorpusFacts]
) -> List[Tuple[str, str]]:
    """Return names and values of what a pipeline learned from, as far as it is known."""
    rows = []
    if encoder is not None:
        rows += [("encoder", encoder.name), ("its licence", encoder.licence or NOT_RECORDED)]
    if corpus is not None:
        mentions = ", ".join(f"{label} {n:,}" for label, n in sorted(corpus.n_mentions.items()))
        documents = NOT_RECORDED if corpus.n_docs is None else f"{corpus.n_docs:,}"
        rows += [
            ("corpus", corpus.name or NOT_RECORDED),
            ("its licence", corpus.licence or NOT_RECORDED),
            ("training documents", documents),
            ("training mentions", mentions or NOT_RECORDED),
        ]
    return rows
