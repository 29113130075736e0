"""Vectors of corpora: in the encoder's embeddings, and chosen for a pipeline."""

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc

from spacy_bioner.architectures.datasets import choose_dataset, dataset_rows, list_datasets
from spacy_bioner.architectures.encoders import build_transformer_encoder
from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import DATASET_KEY
from spacy_bioner.layers.dataset_vectors import DatasetVectors

TEXTS = ["insulin", "aspirin lowers fever. It helps.", "insulin and aspirin"]


@spacy.Language.factory("tests_with_model")
class WithModel:
    """Does nothing, and has a model."""

    def __init__(self, nlp, name):
        self.model = None

    def __call__(self, doc):
        return doc


@pytest.fixture
def model(tiny_bert, blank_nlp):
    built = build_transformer_encoder(str(tiny_bert), datasets=["drugs", "genes"])
    built.initialize(X=[blank_nlp.make_doc("insulin")])
    return built


def make_docs(nlp, *names: str) -> list[Doc]:
    docs = [nlp.make_doc(text) for text in TEXTS]
    for doc, name in zip(docs, names):
        if name:
            doc.user_data[DATASET_KEY] = name
    return docs


def vectors(model) -> DatasetVectors:
    return model.shims[0].module.datasets


def test_vectors_start_without_effect(model, tiny_bert, blank_nlp) -> None:
    plain = build_transformer_encoder(str(tiny_bert))
    plain.initialize(X=[blank_nlp.make_doc("insulin")])
    plain.shims[0].module.load_state_dict(
        {k: v for k, v in model.shims[0].module.state_dict().items() if k != "datasets.weight"}
    )
    docs = make_docs(blank_nlp, "drugs", "genes")
    for with_vectors, without in zip(model.predict(docs), plain.predict(docs), strict=True):
        assert with_vectors == pytest.approx(without, abs=1e-6)


def test_each_text_gets_the_vector_of_its_own_corpus(model, blank_nlp) -> None:
    with torch.no_grad():
        vectors(model).weight.copy_(torch.randn_like(vectors(model).weight))
    together = model.predict(make_docs(blank_nlp, "drugs", "genes", ""))
    alone = [model.predict([doc])[0] for doc in make_docs(blank_nlp, "drugs", "genes", "")]
    for left, right in zip(together, alone, strict=True):
        assert left == pytest.approx(right, abs=1e-5)
    swapped = model.predict(make_docs(blank_nlp, "genes", "drugs", ""))
    assert np.abs(together[0] - swapped[0]).max() > 1e-2
    assert np.abs(together[1] - swapped[1]).max() > 1e-2
    # The mean of both vectors, where no corpus is named.
    with torch.no_grad():
        vectors(model).weight[:] = vectors(model).weight.mean(dim=0)
    assert together[2] == pytest.approx(model.predict(make_docs(blank_nlp))[2], abs=1e-5)


def test_only_the_vectors_of_the_corpora_in_a_batch_learn(model, blank_nlp) -> None:
    docs = make_docs(blank_nlp, "genes", "genes", "genes")
    states, backprop = model.begin_update(docs)
    backprop([np.ones_like(rows) + rows for rows in states])
    gradient = vectors(model).weight.grad
    assert gradient[0].abs().max() == 0.0
    assert gradient[1].abs().max() > 0.0
    assert model.shims[0].lr_scale("datasets.weight") == 10.0


def test_vectors_are_saved_with_the_encoder(model, tiny_bert, blank_nlp) -> None:
    with torch.no_grad():
        vectors(model).weight.copy_(torch.randn_like(vectors(model).weight))
    other = build_transformer_encoder("nowhere", datasets=["drugs", "genes"], dataset="drugs")
    other.from_bytes(model.to_bytes())
    named = model.predict(make_docs(blank_nlp, "drugs", "drugs", "drugs"))
    for left, right in zip(other.predict(make_docs(blank_nlp)), named, strict=True):
        assert left == pytest.approx(right, abs=1e-6)


def test_a_pipeline_reads_by_the_rules_that_are_chosen(model, blank_nlp) -> None:
    with torch.no_grad():
        vectors(model).weight.copy_(torch.randn_like(vectors(model).weight))
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    pipe = nlp.add_pipe("bioner")
    pipe.model = model
    choose_dataset(nlp, "genes")
    chosen = model.predict(make_docs(blank_nlp))
    named = model.predict(make_docs(blank_nlp, "genes", "genes", "genes"))
    assert all(np.array_equal(left, right) for left, right in zip(chosen, named, strict=True))
    choose_dataset(nlp, "")
    assert not np.array_equal(chosen[0], model.predict(make_docs(blank_nlp))[0])
    with pytest.raises(ConfigError, match="found corpus 'cells', expected one of drugs, genes"):
        choose_dataset(nlp, "cells")


def test_corpora_of_a_pipeline_are_those_that_all_its_encoders_know(model, tiny_bert, blank_nlp):
    nlp = spacy.blank("en")
    assert list_datasets(nlp) == []
    other = build_transformer_encoder(str(tiny_bert), datasets=["genes", "cells"])
    other.initialize(X=[blank_nlp.make_doc("insulin")])
    for name, own in (("one", model), ("two", other)):
        nlp.add_pipe("tests_with_model", name=name, config={})
        nlp.get_pipe(name).model = own
        assert list_datasets(nlp) == (["drugs", "genes"] if name == "one" else ["genes"])


def test_a_pipeline_without_vectors_says_so() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    with pytest.raises(ConfigError, match="no component has learned a vector per corpus"):
        choose_dataset(nlp, "genes")


def test_unknown_corpora_are_named(blank_nlp) -> None:
    docs = make_docs(blank_nlp, "cells")
    with pytest.raises(ConfigError, match="found corpus 'cells', expected one of drugs, genes"):
        dataset_rows(docs, ["drugs", "genes"])
    assert dataset_rows(make_docs(blank_nlp, "", "drugs"), ["genes", "drugs"]).tolist() == [
        -1,
        1,
        -1,
    ]
