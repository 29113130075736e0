"""The configs that ship: nothing is left to defaults, and what they have in comments works."""

import re
from pathlib import Path

import numpy as np
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.cli.init_config import fill_config
from spacy.training import Corpus
from spacy.training.initialize import init_nlp
from spacy.util import load_model_from_config
from spacy.vectors import Vectors
from thinc.api import Adam, Config

from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.gold import DATASET_KEY
from tests.paths import ROOT

# The others are no training configs, or their encoder is another package's.
OWN = ("transformer", "fusion", "cnn_bilstm_crf", "spancat", "span_finder", "feature_crf")
PARTS = "components.bioner.model.encoder.encoder.*."


def read_with(name: str, part: str, **overrides: object) -> Config:
    """Read a config without the comment marks before the section of one part."""
    text = (ROOT / "configs" / f"{name}.cfg").read_text(encoding="utf8")
    section = re.compile(rf"^# \[{re.escape(PARTS + part)}\]\n(# .*\n)+", re.MULTILINE)
    switched, n_sections = section.subn(lambda m: re.sub("^# ", "", m[0], flags=re.M), text)
    assert n_sections == 1
    return Config().from_str(switched, interpolate=False, overrides=overrides)


def settings_of(config: dict, path: tuple = ()) -> set:
    """List the dotted keys of a config."""
    keys = set()
    for key, value in config.items():
        inner = settings_of(value, (*path, key)) if isinstance(value, dict) else set()
        keys |= inner or {".".join((*path, key))}
    return keys


@pytest.mark.parametrize("name", OWN)
def test_a_config_leaves_nothing_to_defaults(name, tmp_path):
    config = ROOT / "configs" / f"{name}.cfg"
    before, after = fill_config(tmp_path / "filled.cfg", config, silent=True)
    assert settings_of(after) - settings_of(before) == set()


@pytest.fixture
def corpus(make_example, tmp_path) -> Path:
    docs = [
        make_example("Naloxone in rats", [(0, 8, "Chemical")]).reference,
        make_example("hypertension", [(0, 12, "Disease")]).reference,
    ]
    write_docbin(docs, tmp_path / "two.spacy")
    return tmp_path / "two.spacy"


@pytest.fixture
def vectors(tmp_path) -> Path:
    """A pipeline of nothing but three word vectors, as `spacy init vectors` writes it."""
    nlp = spacy.blank("en")
    table = np.arange(15, dtype="float32").reshape(3, 5)
    words = ["Naloxone", "rats", "hypertension"]
    nlp.vocab.vectors = Vectors(data=table, keys=words, strings=nlp.vocab.strings)
    nlp.to_disk(tmp_path / "vectors")
    return tmp_path / "vectors"


@pytest.fixture
def with_vectors(corpus, vectors):
    """The pipeline of cnn_bilstm_crf.cfg with its word vectors switched on, and its examples."""
    paths = {"paths.train": corpus, "paths.dev": corpus, "paths.vectors": vectors}
    overrides = {key: str(path) for key, path in paths.items()}
    nlp = init_nlp(read_with("cnn_bilstm_crf", "vectors", **overrides))
    return nlp, list(Corpus(corpus)(nlp))


def linear_of(nlp):
    (layer,) = (
        node for node in nlp.get_pipe("bioner").model.walk() if node.name == "static_vectors"
    )
    return torch_shims(layer)[0].module


def test_vectors_switched_on_train_their_layer_and_stay_as_they_are(with_vectors):
    nlp, examples = with_vectors
    before = linear_of(nlp).weight.detach().clone()
    table = nlp.vocab.vectors.data.copy()
    assert table.shape == (3, 5)
    losses = nlp.update(examples, sgd=False)
    assert losses["bioner"] > 0
    assert linear_of(nlp).weight.grad.abs().sum() > 0
    nlp.get_pipe("bioner").finish_update(Adam(0.001))
    assert (linear_of(nlp).weight - before).abs().max() > 0
    assert_array_equal(nlp.vocab.vectors.data, table)


def test_vectors_and_their_layer_are_saved_with_the_pipeline(with_vectors, tmp_path):
    nlp, _ = with_vectors
    nlp.to_disk(tmp_path / "model")
    again = spacy.load(tmp_path / "model")
    assert_array_equal(again.vocab.vectors.data, nlp.vocab.vectors.data)
    texts = ["Naloxone in rats", "", "zz hypertension"]
    together = again.get_pipe("bioner").predict([again.make_doc(text) for text in texts])
    for text, rows in zip(texts, together):
        np.testing.assert_allclose(nlp.get_pipe("bioner").predict([nlp(text)])[0], rows, atol=1e-6)
    assert [doc.text for doc in again.pipe(texts)] == texts


def test_datasets_switched_on_are_a_part_of_the_fusion(tiny_bert, make_example):
    encoder = {f"{PARTS}transformer.name": str(tiny_bert)}
    nlp = load_model_from_config(read_with("fusion", "dataset", **encoder))
    example = make_example("Naloxone in rats", [(0, 8, "Chemical")])
    nlp.initialize(lambda: [example])
    (layer,) = (
        node for node in nlp.get_pipe("bioner").model.walk() if node.name == "dataset_embedding"
    )
    example.predicted.user_data[DATASET_KEY] = "ncbi_disease"
    nlp.update([example], sgd=False)
    gradient = torch_shims(layer)[0].module.weight.grad
    assert gradient.abs().sum(dim=1).gt(0).tolist() == [False, True]
