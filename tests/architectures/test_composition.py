"""Parts of token states: shapes, gradients, round trips, and what they refuse."""

from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Model
from transformers import BertConfig, BertModel

from spacy_bioner.architectures.adversary import tapped
from spacy_bioner.architectures.composition import (
    build_attribute_embedding,
    build_character_encoder,
    build_concatenation,
    build_dataset_embedding,
    build_sequence_lstm,
)
from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import DATASET_KEY
from spacy_bioner.layers.char_encoder import CharacterEncoder, character_ids
from tests.conftest import TOKENIZER, entities_of, learn_by_heart

ARCHITECTURES = "@architectures"


def parts() -> List[Model]:
    return [
        build_character_encoder("cnn", width=6),
        build_attribute_embedding(50, 4, "SHAPE"),
        build_attribute_embedding(100, 8),
    ]


def check_gradient(model: Model, docs: list, name: str) -> None:
    """Compare a parameter's gradient with a finite difference of the summed output."""
    rows, backprop = model.begin_update(docs)
    backprop([np.ones_like(part) for part in rows])
    weights = dict(torch_shims(model)[-1].module.named_parameters())[name]
    index = int(weights.grad.abs().argmax())
    slope = float(weights.grad.flatten()[index])
    sums = []
    for sign in (1, -1):
        with torch.no_grad():
            weights.view(-1)[index] += sign * 1e-2
        sums.append(sum(float(part.sum()) for part in model.predict(docs)))
        with torch.no_grad():
            weights.view(-1)[index] -= sign * 1e-2
    assert slope == pytest.approx((sums[0] - sums[1]) / 2e-2, rel=2e-2)


@pytest.mark.parametrize("kind", ["lstm", "cnn"])
def test_characters_give_a_state_per_token(kind, blank_nlp):
    model = build_character_encoder(kind, 5, 6)
    model.initialize()
    docs = [blank_nlp("rats in rats"), blank_nlp(""), blank_nlp("β-blockers")]
    rows = model.predict(docs)
    assert [part.shape for part in rows] == [(len(doc), 6) for doc in docs]
    assert np.array_equal(rows[0][0], rows[0][2])
    assert not np.array_equal(rows[0][0], rows[0][1])


@pytest.mark.parametrize("kind", ["lstm", "cnn"])
def test_the_state_of_a_word_does_not_depend_on_the_others(kind):
    torch.manual_seed(0)
    module = CharacterEncoder(kind, 5, 6).eval()
    alone = module(torch.from_numpy(character_ids(["rat"])), torch.tensor([0]))
    ids = torch.from_numpy(character_ids(["rat", "hypertension"]))
    together = module(ids, torch.tensor([0]))
    torch.testing.assert_close(alone, together)


def test_long_words_keep_both_ends():
    ids = character_ids(["a" * 30 + "b" * 30])
    assert ids.shape == (1, 40)
    assert len(set(ids[0, :20])) == len(set(ids[0, 20:])) == 1


@pytest.mark.parametrize("kind", ["lstm", "cnn"])
def test_gradients_of_characters_are_those_of_finite_differences(kind, blank_nlp):
    torch.manual_seed(0)
    model = build_character_encoder(kind, 5, 6)
    model.initialize()
    check_gradient(model, [blank_nlp("rats in rats")], "embed.weight")


def test_gradients_of_an_lstm_reach_what_is_below(blank_nlp):
    torch.manual_seed(0)
    model = build_sequence_lstm(build_attribute_embedding(50, 4), 6, dropout=0.0)
    model.initialize()
    check_gradient(model, [blank_nlp("rats in rats"), blank_nlp("")], "weight")


def test_an_lstm_gives_the_same_in_a_batch_and_alone(blank_nlp):
    model = build_sequence_lstm(build_attribute_embedding(50, 4), 6)
    model.initialize()
    docs = [blank_nlp("rats in rats"), blank_nlp(""), blank_nlp("Naloxone")]
    together = model.predict(docs)
    for doc, rows in zip(docs, together):
        np.testing.assert_allclose(rows, model.predict([doc])[0], atol=1e-6)


def test_a_concatenation_holds_its_parts_in_order(blank_nlp):
    own = parts()
    model = build_concatenation(*own)
    model.initialize()
    doc = blank_nlp("rats in rats")
    assert model.get_dim("nO") == 18
    expected = np.hstack([part.predict([doc])[0] for part in own])
    assert np.array_equal(model.predict([doc])[0], expected)


def test_a_concatenation_gives_each_part_its_gradient(blank_nlp):
    model = build_concatenation(*parts())
    model.initialize()
    rows, backprop = model.begin_update([blank_nlp("rats")])
    gradient = np.zeros_like(rows[0])
    gradient[:, 6:10] = 1.0
    backprop([gradient])
    sums = []
    for shim in torch_shims(model):
        found = [p.grad.abs().sum().item() for p in shim.module.parameters() if p.grad is not None]
        sums.append(sum(found))
    assert sums[0] == sums[2] == 0
    assert sums[1] == 4


def test_datasets_have_vectors_and_other_texts_their_mean(blank_nlp):
    model = build_dataset_embedding(["a", "b"], width=3)
    model.initialize()
    docs = [blank_nlp("rats") for _ in range(3)]
    docs[0].user_data[DATASET_KEY] = "a"
    docs[1].user_data[DATASET_KEY] = "b"
    first, second, other = (rows[0] for rows in model.predict(docs))
    np.testing.assert_allclose(other, (first + second) / 2, rtol=1e-6)
    docs[2].user_data[DATASET_KEY] = "c"
    with pytest.raises(ConfigError, match="found corpus 'c', expected one of a, b"):
        model.predict(docs)


@Language.component("test_length_as_pos")
def length_as_pos(doc: Doc) -> Doc:
    """Stand in for a tagger: words of more than four letters are nouns."""
    for token in doc:
        token.pos_ = "NOUN" if len(token) > 4 else "X"
    return doc


@pytest.fixture
def with_pos() -> Language:
    """A stand-in for a tagger, and `bioner` on nothing but what that says."""
    nlp = spacy.blank("en", config=TOKENIZER)
    nlp.add_pipe("test_length_as_pos")
    encoder = {
        ARCHITECTURES: "spacy_bioner.AttributeEmbedding.v1",
        "rows": 100,
        "width": 8,
        "attribute": "POS",
        "lr_scale": 1.0,
    }
    nlp.add_pipe("bioner", config={"model": {"encoder": encoder, "dropout": 0.0}})
    nlp.config["training"]["annotating_components"] = ["test_length_as_pos"]
    return nlp


def test_part_of_speech_of_an_annotating_component_is_learned_from(with_pos, make_example):
    example = make_example("Naloxone in rats", [(0, 8, "Chemical")])
    with_pos.initialize(lambda: [example])
    annotates = with_pos.config["training"]["annotating_components"]
    optimizer = with_pos.resume_training()
    optimizer.learn_rate = 0.05
    for _ in range(30):
        with_pos.update([example], sgd=optimizer, annotates=annotates)
    # Of a word that it has not seen, it knows the part of speech alone.
    assert entities_of(with_pos("in clonidine")) == [("clonidine", "Chemical")]


def test_states_differ_between_parts_of_speech_and_not_within_them(blank_nlp):
    model = build_attribute_embedding(100, 8, "POS")
    model.initialize()
    first, second, third = model.predict([length_as_pos(blank_nlp("rats in Naloxone"))])[0]
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_part_of_speech_must_be_there(blank_nlp):
    model = build_attribute_embedding(attribute="POS")
    model.initialize()
    with pytest.raises(ConfigError, match="no such annotation; put a component"):
        model.predict([blank_nlp("rats")])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: build_character_encoder("rnn"), "kind = 'rnn': expected lstm or cnn"),
        (lambda: build_character_encoder("lstm", width=5), "width = 5: expected an even number"),
        (build_concatenation, "has no parts"),
    ],
)
def test_wrong_settings_are_refused(build, message):
    with pytest.raises(ConfigError, match=message):
        build()


@pytest.fixture
def fusion(tiny_bert: Any) -> Language:
    """Transformer, characters and shapes, concatenated, under a BiLSTM and a CRF."""
    nlp = spacy.blank("en", config=TOKENIZER)
    transformer = {
        ARCHITECTURES: "spacy_bioner.TransformerEncoder.v1",
        "name": str(tiny_bert),
        "precision": "float32",
    }
    characters = {ARCHITECTURES: "spacy_bioner.CharacterEncoder.v1", "width": 8}
    shape = {
        ARCHITECTURES: "spacy_bioner.AttributeEmbedding.v1",
        "rows": 100,
        "width": 8,
        "attribute": "SHAPE",
    }
    composed = {
        ARCHITECTURES: "spacy_bioner.Concatenation.v1",
        "*": {"transformer": transformer, "characters": characters, "shape": shape},
    }
    lstm = {
        ARCHITECTURES: "spacy_bioner.SequenceLstm.v1",
        "encoder": composed,
        "width": 16,
        "lr_scale": 1.0,
    }
    model = {
        ARCHITECTURES: "spacy_bioner.TokenClassifier.v1",
        "encoder": lstm,
        "crf": True,
        "crf_lr_scale": 1.0,
    }
    nlp.add_pipe("bioner", config={"model": model})
    return nlp


def test_the_whole_composition_learns_and_survives_a_round_trip(fusion, make_example, tmp_path):
    text = "Naloxone in hypertension"
    example = make_example(text, [(0, 8, "Chemical"), (12, 24, "Disease")])
    learn_by_heart(fusion, [example], steps=60)
    expected = [("Naloxone", "Chemical"), ("hypertension", "Disease")]
    assert entities_of(fusion(text)) == expected
    fusion.to_disk(tmp_path / "model")
    assert entities_of(spacy.load(tmp_path / "model")(text)) == expected


@pytest.fixture(scope="module")
def second_bert(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another BERT, with a vocabulary of its own: single characters, in lower case."""
    folder = tmp_path_factory.mktemp("scibert-tiny")
    pieces = (tiny_bert / "vocab.txt").read_text(encoding="utf8").split()
    pieces = [p for p in reversed(pieces) if p == p.lower() and len(p) < 4] + pieces[:5]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf8")
    torch.manual_seed(1)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    limits = {"intermediate_size": 32, "max_position_embeddings": 32}
    BertModel(BertConfig(vocab_size=len(pieces), **size, **limits)).save_pretrained(folder)
    return folder


@pytest.fixture
def two_encoders(tiny_bert: Path, second_bert: Path) -> Language:
    """The states of two transformers side by side, trained under attack."""
    nlp = spacy.blank("en", config=TOKENIZER)
    encoders = {
        name: {
            ARCHITECTURES: "spacy_bioner.TransformerEncoder.v1",
            "name": str(folder),
            "precision": "float32",
        }
        for name, folder in {"biobert": tiny_bert, "scibert": second_bert}.items()
    }
    encoder = {ARCHITECTURES: "spacy_bioner.Concatenation.v1", "*": encoders}
    adversary = {"@misc": "spacy_bioner.Adversary.v1", "method": "fgsm", "epsilon": 0.5}
    model = {"encoder": encoder, "crf": True, "crf_lr_scale": 1.0}
    nlp.add_pipe("bioner", config={"model": model, "adversary": adversary})
    return nlp


TWO = ("Naloxone in hypertension", [(0, 8, "Chemical"), (12, 24, "Disease")])


def test_two_transformers_learn_and_survive_a_round_trip(two_encoders, make_example, tmp_path):
    learn_by_heart(two_encoders, [make_example(*TWO)], steps=40)
    component = two_encoders.get_pipe("bioner")
    assert component.model.get_ref("encoder").get_dim("nO") == 48
    assert entities_of(two_encoders(TWO[0])) == [
        ("Naloxone", "Chemical"),
        ("hypertension", "Disease"),
    ]
    two_encoders.to_disk(tmp_path / "model")
    again = spacy.load(tmp_path / "model")
    docs = [two_encoders.make_doc(text) for text in (TWO[0], "zz " * 40)]
    for ours, theirs in zip(component.predict(docs), again.get_pipe("bioner").predict(docs)):
        assert np.array_equal(ours, theirs)


def test_both_transformers_learn_and_are_attacked(two_encoders, make_example):
    example = make_example(*TWO)
    two_encoders.initialize(lambda: [example])
    component = two_encoders.get_pipe("bioner")
    losses = two_encoders.update([example], sgd=False)
    assert losses["bioner_adversarial"] > 0
    for shim in torch_shims(component.model):
        assert all(p.grad is not None for p in shim.module.parameters())
    with tapped(component.model, dropout=False) as taps:
        component.adversary.perturb(
            component.model, [example.predicted], lambda rows: component.get_loss([example], rows)
        )
        sizes = [float(torch.cat(tap.deltas).flatten(1).norm()) for tap in taps]
    assert sizes == pytest.approx([0.5, 0.5], rel=1e-4)


def test_an_lstm_reads_the_words_as_if_no_line_break_stood_between_them(blank_nlp):
    model = build_sequence_lstm(build_concatenation(*parts()), width=6, dropout=0.0)
    model.initialize()
    plain, broken = (
        blank_nlp("rats in hypertension"),
        blank_nlp("\nrats\r\n in\u200b hypertension "),
    )
    (expected,), (states,) = model.predict([plain]), model.predict([broken])
    rows = [token.i for token in broken if token.text.isalpha()]
    np.testing.assert_allclose(states[rows], expected, atol=1e-6)
    assert not np.delete(states, rows, axis=0).any()
    assert model.predict([blank_nlp("\n")])[0].shape == (1, 6)
    check_gradient(model, [broken], "weight")
