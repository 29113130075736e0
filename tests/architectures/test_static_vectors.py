"""Word vectors of the vocabulary under a linear layer: states, gradients, round trips."""

import pickle

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.vectors import Vectors
from thinc.api import Model

from spacy_bioner.architectures.composition import build_attribute_embedding, build_concatenation
from spacy_bioner.architectures.static_vectors import build_static_vectors
from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.errors import ConfigError
from tests.conftest import TOKENIZER

WORDS = ["rats", "in", "Naloxone"]
TABLE = np.arange(12, dtype="float32").reshape(3, 4) / 10


def with_vectors(**settings):
    """Make a pipeline whose vocabulary has vectors of four numbers."""
    nlp = spacy.blank("en", config=TOKENIZER)
    settings = {"data": TABLE.copy(), "keys": WORDS, **settings}
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, **settings)
    return nlp


@pytest.fixture
def nlp():
    return with_vectors()


def make_model(nlp, **settings) -> Model:
    model = build_static_vectors(3, **settings)
    model.initialize(X=[nlp("rats")])
    return model


def weights_of(model):
    linear = torch_shims(model)[0].module
    return linear.weight.detach().numpy(), linear.bias.detach().numpy()


def test_states_are_vectors_under_the_layer_and_zeros_for_unknown_words(nlp):
    model = make_model(nlp)
    weight, bias = weights_of(model)
    docs = [nlp("Naloxone in"), nlp(""), nlp("zz rats")]
    looked_up = [TABLE[[2, 1]], TABLE[:0], np.stack([np.zeros(4, "f"), TABLE[0]])]
    rows = model.predict(docs)
    assert [part.shape for part in rows] == [(2, 3), (0, 3), (2, 3)]
    for part, vectors in zip(rows, looked_up):
        assert_allclose(part, vectors @ weight.T + bias, atol=1e-6)


def test_words_are_looked_up_by_the_attribute_of_the_vectors():
    nlp = with_vectors(attr="LOWER")
    first, second = make_model(nlp).predict([nlp("RATS rats")])[0]
    assert_array_equal(first, second)


def test_vectors_of_half_precision_serve_as_well():
    nlp = with_vectors(data=TABLE.astype("float16"))
    model = make_model(nlp)
    weight, bias = weights_of(model)
    assert_allclose(model.predict([nlp("rats")])[0], TABLE[:1] @ weight.T + bias, atol=1e-3)


def test_vectors_of_n_grams_know_every_word():
    table = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    hashing = {"mode": "floret", "minn": 2, "maxn": 3, "hash_count": 2}
    nlp = with_vectors(data=table, keys=None, **hashing)
    model = make_model(nlp)
    weight, bias = weights_of(model)
    doc = nlp("zz rats")
    vectors = np.stack([token.vector for token in doc])
    assert_allclose(model.predict([doc])[0], vectors @ weight.T + bias, atol=1e-6)


def test_the_gradient_reaches_the_layer_and_no_vector(nlp):
    model = make_model(nlp)
    rows, backprop = model.begin_update([nlp("Naloxone zz"), nlp("rats")])
    backprop([np.ones_like(part) for part in rows])
    linear = torch_shims(model)[0].module
    assert_allclose(linear.weight.grad.numpy(), np.tile(TABLE[0] + TABLE[2], (3, 1)), rtol=1e-6)
    assert linear.bias.grad.tolist() == [3, 3, 3]
    assert_array_equal(nlp.vocab.vectors.data, TABLE)


def test_the_layer_has_a_rate_of_its_own(nlp):
    (shim,) = torch_shims(make_model(nlp, lr_scale=7.0))
    assert [shim.lr_scale(name) for name in ("weight", "bias")] == [7.0, 7.0]


def test_vectors_are_a_part_like_others(nlp):
    model = build_concatenation(build_attribute_embedding(50, 4), build_static_vectors(3))
    doc = nlp("rats in")
    model.initialize(X=[doc])
    assert model.get_dim("nO") == 7
    assert_array_equal(model.predict([doc])[0][:, 4:], model.layers[1].predict([doc])[0])


@pytest.mark.parametrize("way", ["bytes", "pickle"])
def test_the_layer_survives_a_round_trip(nlp, way):
    model = make_model(nlp)
    if way == "bytes":
        again = build_static_vectors(3).from_bytes(model.to_bytes())
    else:
        again = pickle.loads(pickle.dumps(model))
    doc = nlp("rats zz")
    assert_array_equal(again.predict([doc])[0], model.predict([doc])[0])


def test_vectors_are_saved_by_the_vocabulary_alone(nlp):
    (shim,) = torch_shims(make_model(nlp))
    assert {name: tuple(rows.shape) for name, rows in shim.module.state_dict().items()} == {
        "weight": (3, 4),
        "bias": (3,),
    }


def test_a_pipeline_without_vectors_is_refused(blank_nlp):
    with pytest.raises(ConfigError, match=r"no word vectors; .*--paths\.vectors FOLDER"):
        build_static_vectors(3).initialize(X=[blank_nlp("rats")])


def test_vectors_of_another_length_are_refused(nlp, blank_nlp):
    model = make_model(nlp)
    with pytest.raises(ConfigError, match="have 0 numbers each, expected 4, as in training"):
        model.predict([blank_nlp("rats")])
