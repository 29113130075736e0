"""The weights of a feature CRF: trained by CRFsuite (Okazaki, 2007), used without it.

CRFsuite sees features and tags as numbers, so that no character of a word can disturb its files.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Tuple

import numpy as np

from spacy_bioner.components.token_features import BIAS
from spacy_bioner.errors import ConfigError, TrainingDataError
from spacy_bioner.extras import require

# The score of a tag that no training token has.
NEVER = -1000.0
# Sequences: the features of each token, and the number of each token's tag.
Sequences = Iterable[Tuple[List[List[str]], Sequence[int]]]


@dataclass(frozen=True)
class CrfWeights:
    """A linear-chain CRF over features.

    features (Dict[str, int]): The row of each feature that has a weight; that of `BIAS` is 0.
    states (np.ndarray): Weights of tags by feature; float32, shape (features, tags).
    transitions (np.ndarray): Weight of tag j behind tag i; float32, shape (tags, tags).
    losses (Tuple[float, ...]): Negative log-likelihood and penalties after each iteration of the
        training, summed over the training set.
    """

    features: Dict[str, int]
    states: np.ndarray
    transitions: np.ndarray
    losses: Tuple[float, ...] = ()

    def emissions(self, tokens: Sequence[Sequence[str]]) -> np.ndarray:
        """Score the tags of tokens by their features; float32, shape (tokens, tags)."""
        if not tokens:
            return np.zeros((0, self.states.shape[1]), dtype=np.float32)
        rows: List[int] = []
        starts: List[int] = []
        for names in tokens:
            starts.append(len(rows))
            rows.append(0)
            rows += [row for name in names if (row := self.features.get(name, 0))]
        return np.add.reduceat(self.states[rows], starts, axis=0)

    def to_plain(self) -> Dict[str, Any]:
        """Return everything as data for msgpack."""
        return {
            "features": list(self.features),
            "states": self.states.tobytes(),
            "transitions": self.transitions.tobytes(),
            "losses": list(self.losses),
        }

    @classmethod
    def from_plain(cls, data: Dict[str, Any]) -> "CrfWeights":
        """Take back what `to_plain` gave."""
        features = {name: row for row, name in enumerate(data["features"])}
        states = np.frombuffer(data["states"], dtype=np.float32).reshape(len(features), -1)
        transitions = np.frombuffer(data["transitions"], dtype=np.float32)
        transitions = transitions.reshape(states.shape[1], states.shape[1])
        return cls(features, states, transitions, tuple(data["losses"]))


def check_crfsuite() -> None:
    """RAISES (MissingExtraError): Where python-crfsuite is not installed."""
    require("pycrfsuite", extra="baselines", who="training 'bioner_feature_crf'")


def train_weights(
    sequences: Sequences, n_tags: int, *, c1: float, c2: float, max_iterations: int, min_count: int
) -> CrfWeights:
    """Train by L-BFGS; a sequence that is met again is read again, nothing is sampled.

    n_tags (int): Tags are numbers below it; 0 is "O".
    c1 (float): L1 penalty: the higher, the fewer features keep a weight.
    c2 (float): L2 penalty.
    max_iterations (int): Stop then at the latest.
    min_count (int): Leave out features that occur less often.
    RAISES (ConfigError): Without python-crfsuite, and for settings that cannot be.
    RAISES (TrainingDataError): For no token at all.
    """
    check_crfsuite()
    if c1 < 0 or c2 < 0 or max_iterations < 1 or min_count < 1:
        raise ConfigError(
            f"found c1 = {c1:g}, c2 = {c2:g}, max_iterations = {max_iterations}, min_count = "
            f"{min_count}, expected penalties of 0 or more, and numbers of 1 or more"
        )
    import pycrfsuite

    settings = {"c1": c1, "c2": c2, "max_iterations": max_iterations, "feature.minfreq": min_count}
    trainer = pycrfsuite.Trainer("lbfgs", settings, verbose=False)
    names = _append(trainer, sequences)
    if not names:
        raise TrainingDataError("found no token to train on, expected documents with text")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "crf")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        learned = tagger.info()
        tagger.close()
    losses = tuple(entry["loss"] for entry in trainer.logparser.iterations)
    return replace(_collect(learned, names, n_tags), losses=losses)


def _append(trainer: Any, sequences: Sequences) -> List[str]:
    """Hand sequences over; RETURNS (List[str]): The features by the number they have got."""
    numbers: Dict[str, str] = {}
    for features, tags in sequences:
        if not features:
            continue
        rows = [[numbers.setdefault(name, str(len(numbers))) for name in row] for row in features]
        trainer.append(rows, [str(tag) for tag in tags])
    return list(numbers)


def _collect(learned: Any, names: Sequence[str], n_tags: int) -> CrfWeights:
    kept = {BIAS: 0}
    for number, _ in learned.state_features:
        kept.setdefault(names[int(number)], len(kept))
    states = np.zeros((len(kept), n_tags), dtype=np.float32)
    for (number, tag), weight in learned.state_features.items():
        states[kept[names[int(number)]], int(tag)] = weight
    states[0, [tag for tag in range(n_tags) if str(tag) not in learned.labels]] = NEVER
    transitions = np.zeros((n_tags, n_tags), dtype=np.float32)
    for (left, right), weight in learned.transitions.items():
        transitions[int(left), int(right)] = weight
    return CrfWeights(kept, states, transitions)
