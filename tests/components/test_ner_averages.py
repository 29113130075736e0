"""What `spacy train` makes of a pipeline: averaged weights, equal seeds, an early stop."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
import torch
from spacy.language import Language
from thinc.api import Adam

from spacy_bioner.apps.profiles import load_profile
from spacy_bioner.apps.training.train import train
from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.corpora.docbin import write_docbin
from tests.paths import ROOT

Weights = Dict[str, torch.Tensor]
TEXTS = [
    ("Naloxone reverses clonidine.", [(0, 8, "Chemical"), (18, 27, "Chemical")]),
    ("hypertension in rats", [(0, 12, "Disease")]),
    ("the effect of Naloxone", [(14, 22, "Chemical")]),
]
SEEN: List[Weights] = []


def weights_of(nlp: Language) -> Weights:
    shims = torch_shims(nlp.get_pipe("bioner").model)
    return {
        f"{index}.{name}": weight.detach().clone()
        for index, shim in enumerate(shims)
        for name, weight in shim.module.named_parameters()
    }


@spacy.registry.callbacks("test_averages.remember.v1")
def remember_weights() -> Any:
    """Make a `before_update` that notes the weights before each step."""
    return lambda nlp, step: SEEN.append(weights_of(nlp))


def mean_of(steps: List[Weights]) -> Weights:
    """Average the weights after each step; step t has weight max(1 / t, 10 / (t + 10))."""
    mean = steps[0]
    for t, weights in enumerate(steps[1:], 2):
        share = max(1 / t, 10 / (t + 10))
        mean = {name: mean[name] + share * (rows - mean[name]) for name, rows in weights.items()}
    return mean


def assert_close(found: Weights, expected: Weights) -> None:
    assert found.keys() == expected.keys()
    for name, rows in found.items():
        torch.testing.assert_close(rows, expected[name], rtol=1e-5, atol=1e-6, msg=name)


def same(left: Weights, right: Weights) -> bool:
    return all(torch.equal(rows, right[name]) for name, rows in left.items())


@pytest.fixture
def run(tiny_bert, make_example, tmp_path, monkeypatch):
    """Trains the flagship's profile for three steps on the tiny BERT; gives model-best."""
    monkeypatch.chdir(ROOT)
    docs = [make_example(text, entities).reference for text, entities in TEXTS]
    for split in ("train", "dev"):
        write_docbin(docs, tmp_path / "corpus" / f"{split}.spacy")
    fast = {
        "components.bioner.model.encoder.precision": "float32",
        "training.optimizer.learn_rate": 0.001,
        "training.eval_frequency": 2,
        # A document a step.
        "training.batcher.size": 3,
    }

    def build(name: str, *, seed: int = 0, steps: int = 2, **overrides: Any) -> Path:
        settings = {**fast, **{key.replace("__", "."): v for key, v in overrides.items()}}
        return train(
            load_profile("biobert", encoder=str(tiny_bert)),
            tmp_path / "corpus",
            tmp_path / name,
            seed=seed,
            max_steps=steps,
            log_path=tmp_path / f"{name}.jsonl",
            overrides=settings,
        )

    return build


def test_averaged_weights_are_those_that_are_saved(bioner_nlp, make_example, tmp_path):
    examples = [make_example(text, entities) for text, entities in TEXTS]
    bioner_nlp.initialize(lambda: examples)
    optimizer = Adam(0.001, use_averages=True)
    steps = []
    for _ in range(3):
        bioner_nlp.update(examples, sgd=optimizer)
        steps.append(weights_of(bioner_nlp))
    with bioner_nlp.use_params(optimizer.averages):
        bioner_nlp.to_disk(tmp_path / "model")
    saved = weights_of(spacy.load(tmp_path / "model"))
    assert_close(saved, mean_of(steps))
    assert not same(saved, steps[-1])
    assert same(weights_of(bioner_nlp), steps[-1])


def test_the_best_model_holds_the_averaged_weights(run):
    SEEN.clear()
    remember = {"@callbacks": "test_averages.remember.v1"}
    best = run("averaged", training__optimizer__use_averages=True, training__before_update=remember)
    averaged = weights_of(spacy.load(best))
    last = weights_of(spacy.load(run("plain").parent / "model-last"))
    # Before each of three steps, and after the third one; averaging changes no step.
    assert len(SEEN) == 3
    assert_close(averaged, mean_of([*SEEN[1:], last]))
    assert not same(averaged, last)


def test_equal_seeds_give_equal_weights(run):
    first, second, other = (
        weights_of(spacy.load(run(name, seed=seed).parent / "model-last"))
        for name, seed in (("first", 1), ("second", 1), ("other", 2))
    )
    assert same(first, second)
    assert not same(first, other)


def test_patience_stops_training_early(run, tmp_path):
    # Nothing is learned, so no evaluation is better than the first, at step 0.
    run(
        "patient",
        steps=20,
        training__patience=4,
        training__optimizer__learn_rate=0.0,
    )
    log = (tmp_path / "patient.jsonl").read_text(encoding="utf8")
    assert [json.loads(line)["step"] for line in log.splitlines()] == [0, 2, 4]
