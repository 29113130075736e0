"""Ensembles of trained pipelines: average or stacked opinions, judged on development documents.

Weights are learned on these documents too, so they are judged by cross-fitting: those of each fold
are learned on the other folds. What is below the best member says so, in the outcome, in the
pipeline's meta and in `ensemble.json` beside it.
"""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_bioner import __version__
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.training.ensemble_members import (
    COMPONENT,
    Member,
    Opinions,
    ask_members,
    combine,
    load_members,
)
from spacy_bioner.components.gold_tags import allowed_tags
from spacy_bioner.components.ner import TokenNER
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.evaluation.bootstrap.intervals import bootstrap_scores, count_documents
from spacy_bioner.evaluation.matching import compare_docs, score_mentions
from spacy_bioner.evaluation.scores import Scores
from spacy_bioner.files.digests import digest
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.lines import check_is_file
from spacy_bioner.files.replacing import replacing_folder
from spacy_bioner.files.same_files import check_apart, is_same
from spacy_bioner.gold import list_gold
from spacy_bioner.training.results.ensemble import AVERAGE, STACKED, EnsembleOutcome, JudgedSystem

ACCOUNT = "ensemble.json"
BEST = "best"
METHODS = (AVERAGE, STACKED, BEST)


@dataclass(frozen=True)
class EnsembleSettings:
    """How members are combined.

    method (str): "average", "stacked", or "best": whichever of them has the better F1 on dev.
    l2 (float): Holds stacked weights near equal ones; see `layers.opinion_pool.fit_weights`.
    per_tag (bool): Whether each tag has weights of its own.
    folds (int): Of dev, for cross-fitting.
    """

    method: str = BEST
    l2: float = 1.0
    per_tag: bool = False
    folds: int = 5

    def check(self) -> None:
        """RAISES (ConfigError): For an unknown method, fewer than two folds, or l2 below 0."""
        if self.method not in METHODS:
            raise ConfigError(f"--method: found {self.method}, expected {', '.join(METHODS)}")
        if self.folds < 2 or not 0 <= self.l2 < float("inf"):
            raise ConfigError(
                f"found {self.folds} folds and l2 = {self.l2:g}, expected two folds or more and "
                "0 or more"
            )


@guards_outputs("output", inputs=("dev",), replaced=("output",))
def make_ensemble(
    sources: Sequence[str],
    dev: Path,
    output: Path,
    settings: EnsembleSettings,
    *,
    gpu_id: int = -1,
    report: Callable[[str], None] = lambda line: None,
) -> EnsembleOutcome:
    """Combine trained pipelines, judge the ensemble on dev and write it as one pipeline.

    sources (Sequence[str]): Pipeline folders or packages.
    dev (Path): A DocBin with entities. Never the test documents: what is chosen here depends on it.
    output (Path): The folder to write; an earlier pipeline is replaced when this one is whole.
    RAISES (BionerError): Members that cannot be combined, documents without entities, fewer of
        them than folds, or an output that is a member or no pipeline.
    """
    settings.check()
    check_is_file(dev)
    _check_output(output, sources)
    members = load_members(sources, gpu_id=gpu_id)
    gold = _read_gold(dev, members[0].nlp, settings)
    report(f"{len(members)} members score {len(gold)} documents")
    opinions = ask_members(members, [doc.text for doc in gold])
    outcome, nlp = _judge(members, opinions, gold, settings)
    _write(outcome, nlp, _describe(members, dev, gold), output)
    return outcome


def _check_output(output: Path, sources: Sequence[str]) -> None:
    if output.is_file():
        raise CorpusError("found a file, expected the name of a folder to make", path=output)
    if any(is_same(output, source) for source in sources):
        raise ConfigError(f"--output {output} is one of the members; name another folder")
    check_apart([output], sources, replaced=[output])
    if output.is_dir() and any(output.iterdir()) and not (output / "config.cfg").is_file():
        raise ConfigError(
            f"--output {output}: found a folder with other content, expected a new folder or an "
            "earlier pipeline; name another one"
        )


def _read_gold(dev: Path, nlp: Language, settings: EnsembleSettings) -> List[Doc]:
    gold = [doc for doc in read_docbin(dev, nlp.vocab) if len(doc)]
    if not any(list_gold(doc) for doc in gold):
        message = "found no entity in it, expected annotated documents"
        raise CorpusError(f"{message}; weights and scores need them", path=dev)
    if len(gold) < settings.folds:
        message = f"found {len(gold)} documents for {settings.folds} folds"
        raise CorpusError(f"{message}; name fewer with --folds, or take more documents", path=dev)
    return gold


def _judge(
    members: Sequence[Member],
    opinions: Sequence[Opinions],
    gold: List[Doc],
    settings: EnsembleSettings,
) -> Tuple[EnsembleOutcome, Language]:
    import torch

    from spacy_bioner.layers.opinion_pool import pool_opinions

    tagger = members[0].tagger
    docs = [members[0].nlp.make_doc(doc.text) for doc in gold]
    known = [
        allowed_tags(Example(doc, own), tagger.tags, tagger.cfg["scheme"])
        for doc, own in zip(docs, gold)
    ]
    allowed = torch.from_numpy(np.concatenate(known))
    log_probs = torch.from_numpy(np.stack([own.log_probs for own in opinions]))
    equal = torch.full((len(members), len(tagger.tags)), 1.0 / len(members))
    learned, fair = _stack(log_probs, allowed, [len(doc) for doc in docs], settings)
    nlp = combine(members, equal.numpy())
    judge = _Judge(docs, gold, allowed)
    alone = [
        judge(member.name, member.tagger, own.scores, torch.from_numpy(own.log_probs))
        for member, own in zip(members, opinions)
    ]
    pooled = {
        AVERAGE: pool_opinions(log_probs, equal),
        "stacked, in sample": pool_opinions(log_probs, learned),
        "stacked, cross-fitted": fair,
    }
    whole: Any = nlp.get_pipe(COMPONENT)
    average, stacked, cross_fitted = (
        judge(name, whole, judge.split(rows), rows) for name, rows in pooled.items()
    )
    chosen = settings.method
    if chosen == BEST:
        chosen = STACKED if cross_fitted.f_score > average.f_score else AVERAGE
    outcome = EnsembleOutcome(
        sources=tuple(member.source for member in members),
        tags=tagger.tags,
        members=tuple(alone),
        average=average,
        stacked=stacked,
        cross_fitted=cross_fitted,
        chosen=chosen,
        weights={AVERAGE: equal.numpy(), STACKED: learned.numpy()},
        settings=asdict(settings),
    )
    return outcome, nlp


def _stack(log_probs: Any, allowed: Any, lengths: Sequence[int], settings: EnsembleSettings) -> Any:
    """Learn weights on all documents; and pool each fold by those learned on the others.

    Documents go to the folds in turn.
    """
    import torch

    from spacy_bioner.layers.opinion_pool import fit_weights, pool_opinions

    fit = partial(fit_weights, l2=settings.l2, per_tag=settings.per_tag)
    turns = np.arange(len(lengths)) % settings.folds
    fold = torch.from_numpy(np.repeat(turns, lengths))
    fair = torch.zeros_like(log_probs[0])
    for number in range(settings.folds):
        inside = fold == number
        own = fit(log_probs[:, ~inside], allowed[~inside])
        fair[inside] = pool_opinions(log_probs[:, inside], own)
    return fit(log_probs, allowed), fair


class _Judge:
    """Scores what `bioner` components make of the same documents.

    docs (List[Doc]): Get the entities of what is judged, one after the other.
    gold (List[Doc]): The same texts, annotated.
    allowed (torch.Tensor): What is known of each token's tag; bool, shape (tokens, tags).
    """

    def __init__(self, docs: List[Doc], gold: List[Doc], allowed: Any) -> None:
        self.docs = docs
        self.gold = gold
        self.allowed = allowed

    def __call__(
        self, name: str, tagger: TokenNER, scores: List[np.ndarray], log_probs: Any
    ) -> JudgedSystem:
        from spacy_bioner.layers.losses import mean_over_known, tag_loss

        tagger.set_annotations(self.docs, scores)
        comparisons = [compare_docs(gold, doc) for gold, doc in zip(self.gold, self.docs)]
        nats = mean_over_known(tag_loss(log_probs.double(), self.allowed), self.allowed)
        return JudgedSystem(
            name,
            score_mentions(comparisons, model_labels=tagger.labels),
            bootstrap_scores(count_documents(comparisons)),
            float(nats),
        )

    def split(self, rows: Any) -> List[np.ndarray]:
        """Divide the rows of all tokens by Doc."""
        return np.split(rows.numpy(), np.cumsum([len(doc) for doc in self.docs])[:-1])


def _write(outcome: EnsembleOutcome, nlp: Language, facts: Dict[str, Any], output: Path) -> None:
    from spacy_bioner.architectures.ensemble import set_pool_weights

    tagger: Any = nlp.get_pipe(COMPONENT)
    set_pool_weights(tagger.model, outcome.weights[outcome.chosen])
    account = {**outcome.to_json(), **facts}
    short = ("chosen", "below_best_member", "verdict", "best_member", "dev")
    nlp.meta["ensemble"] = {key: account[key] for key in short}
    nlp.meta["performance"] = _performance(outcome.counted.scores)
    with replacing_folder(output) as folder:
        nlp.to_disk(folder)
        write_json(folder / ACCOUNT, account)


def _describe(members: Sequence[Member], dev: Path, gold: Sequence[Doc]) -> Dict[str, Any]:
    return {
        "dev": {"path": str(dev), "sha256": digest(dev), "documents": len(gold)},
        "fingerprints": [member.fingerprint() for member in members],
        "crf": [member.is_crf for member in members],
        "spacy_bioner": __version__,
    }


def _performance(scores: Scores) -> Dict[str, Any]:
    """Return scores under the names that `spacy train` writes to a pipeline's meta."""
    types = {
        label: {"p": counts.precision, "r": counts.recall, "f": counts.f_score}
        for label, counts in sorted(scores.by_type.items())
    }
    total = scores.micro
    micro = {"ents_f": total.f_score, "ents_p": total.precision, "ents_r": total.recall}
    return {**micro, "ents_per_type": types}
