"""Strategies, schemes and contexts as `bioner` trains them."""

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bioner.architectures.pieces.subword_labels import every_piece
from spacy_bioner.errors import ConfigError
from tests.conftest import TOKENIZER, entities_of, learn_by_heart

# Neither zaltrap nor egfr is in the tiny vocabulary: both are one piece a letter.
TEXTS = ["Naloxone reverses zaltrap in rats.", "The effect of clonidine egfr."]
GOLD = [
    [("Naloxone", "Chemical"), ("zaltrap", "Chemical")],
    [("clonidine egfr", "Gene")],
]
POOLING = ("mean", "first", "x", "parent")


def make_nlp(tiny_bert, *, crf=False, scheme="BIO", adversary=None, **encoder):
    nlp = spacy.blank("en", config=TOKENIZER)
    model = {"crf": crf, "encoder": {"name": str(tiny_bert), "precision": "float32", **encoder}}
    nlp.add_pipe("bioner", config={"model": model, "scheme": scheme, "adversary": adversary})
    return nlp


@pytest.fixture
def examples(make_example):
    return [
        make_example(
            text, [(start := text.index(name), start + len(name), label) for name, label in gold]
        )
        for text, gold in zip(TEXTS, GOLD)
    ]


@pytest.mark.parametrize("pooling", POOLING)
def test_each_strategy_learns_two_documents_by_heart(tiny_bert, examples, pooling, tmp_path):
    nlp = make_nlp(tiny_bert, pooling=pooling)
    learn_by_heart(nlp, examples)
    assert [entities_of(nlp(text)) for text in TEXTS] == GOLD
    nlp.to_disk(tmp_path / "model")
    again = spacy.load(tmp_path / "model")
    assert again.get_pipe("bioner").model.get_ref("encoder").attrs["pooling"] == pooling
    texts = [TEXTS[0], "", " \n ", TEXTS[1], f"{TEXTS[0]} {TEXTS[1]} " * 12]
    for text, doc in zip(texts, again.pipe(texts, batch_size=5)):
        alone = nlp(text)
        assert entities_of(doc) == entities_of(alone)
        for left, right in zip(doc.ents, alone.ents):
            assert left._.confidence == pytest.approx(right._.confidence, abs=1e-4)


@pytest.mark.parametrize("pooling", ["x", "parent"])
def test_gradients_of_single_pieces_are_those_of_finite_differences(tiny_bert, examples, pooling):
    nlp = make_nlp(tiny_bert, pooling=pooling)
    nlp.initialize(lambda: examples)
    component = nlp.get_pipe("bioner")
    docs = [example.predicted for example in examples]
    with every_piece(component.model):
        emissions = component.model.predict(docs)
        _, gradients = component.get_loss(examples, emissions)
        # Row 0 is a token, the last one a continuation.
        for row, column in [(0, 0), (-1, 1), (-1, -1)]:
            values = []
            for sign in (1, -1):
                moved = [rows.astype("float32").copy() for rows in emissions]
                moved[1][row, column] += sign * 1e-2
                values.append(component.get_loss(examples, moved)[0])
            slope = (values[0] - values[1]) / 2e-2
            assert gradients[1][row, column] == pytest.approx(slope, abs=1e-4)


def test_the_loss_of_single_pieces_is_a_mean_over_them(tiny_bert, make_example):
    nlp = make_nlp(tiny_bert, pooling="x")
    example = make_example("zz in rats", [(0, 2, "Gene")])
    nlp.initialize(lambda: [example])
    component = nlp.get_pipe("bioner")
    emissions = np.log(np.array([[1, 2, 3, 4]] * 4, dtype="float32") / 10)
    with every_piece(component.model):
        loss, _ = component.get_loss([example], [emissions])
    # B-Gene, O, O and X: 0.2, 0.1, 0.1 and 0.4.
    assert loss == pytest.approx(-np.log([0.2, 0.1, 0.1, 0.4]).mean(), rel=1e-5)


@pytest.mark.parametrize("pooling", ["x", "parent"])
@pytest.mark.parametrize("method", ["fgsm", "pgd", "vat"])
def test_single_pieces_are_trained_under_attack(tiny_bert, examples, pooling, method):
    adversary = {"@misc": "spacy_bioner.Adversary.v1", "method": method, "steps": 2, "epsilon": 0.1}
    nlp = make_nlp(tiny_bert, pooling=pooling, adversary=adversary)
    learn_by_heart(nlp, examples, steps=30)
    losses = nlp.update(examples)
    assert np.isfinite(losses["bioner_adversarial"])
    assert [entities_of(nlp(text)) for text in TEXTS] == GOLD


def test_class_weights_and_a_tag_x_go_together(tiny_bert, examples):
    objective = {"@misc": "spacy_bioner.TaggingObjective.v1", "class_weights": {"Gene": 2.0}}
    nlp = spacy.blank("en", config=TOKENIZER)
    model = {"encoder": {"name": str(tiny_bert), "precision": "float32", "pooling": "x"}}
    nlp.add_pipe("bioner", config={"model": model, "objective": objective})
    learn_by_heart(nlp, examples)
    assert [entities_of(nlp(text)) for text in TEXTS] == GOLD


def test_x_is_refused_with_a_crf(tiny_bert):
    with pytest.raises(ConfigError, match="set crf = false"):
        make_nlp(tiny_bert, pooling="x", crf=True)


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("scheme", ["IO", "BIO", "BIOES", "BILOU"])
def test_each_scheme_learns_and_loads_again(tiny_bert, make_example, scheme, crf, tmp_path):
    text = "Naloxone clonidine in rats of hypertension"
    adjacent = [(0, 8, "Chemical"), (9, 18, "Chemical")]
    example = make_example(text, [*adjacent, (22, 42, "Disease")])
    nlp = make_nlp(tiny_bert, scheme=scheme, crf=crf)
    learn_by_heart(nlp, [example], steps=60)
    nlp.to_disk(tmp_path / "model")
    again = spacy.load(tmp_path / "model")
    separate = [("Naloxone", "Chemical"), ("clonidine", "Chemical")]
    # The limit of IO: neighbours of one label are one mention.
    merged = [("Naloxone clonidine", "Chemical")]
    expected = [*(merged if scheme == "IO" else separate), ("rats of hypertension", "Disease")]
    assert entities_of(nlp(text)) == expected
    assert entities_of(again(text)) == expected


@pytest.mark.parametrize("unit", ["sentence", "neighbours", "document"])
def test_each_context_learns(tiny_bert, examples, unit):
    nlp = make_nlp(tiny_bert, unit=unit)
    learn_by_heart(nlp, examples)
    assert [entities_of(nlp(text)) for text in TEXTS] == GOLD


@pytest.mark.parametrize("pooling", POOLING)
def test_truncate_predicts_nothing_behind_the_end(tiny_bert, make_example, pooling):
    text = "Naloxone reverses the effect of clonidine in rats of Naloxone"
    example = make_example(text, [(0, 8, "Chemical"), (53, 61, "Chemical")])
    nlp = make_nlp(tiny_bert, pooling=pooling, truncate=True, window=6)
    learn_by_heart(nlp, [example])
    assert entities_of(nlp(text)) == [("Naloxone", "Chemical")]


def test_truncate_teaches_nothing_behind_the_end(tiny_bert, make_example):
    example = make_example("rats in rats in rats", [(16, 20, "Species")])
    nlp = make_nlp(tiny_bert, truncate=True, window=5)
    nlp.initialize(lambda: [example])
    component = nlp.get_pipe("bioner")
    emissions = np.zeros((5, 3), dtype="float32")
    _, (gradient,) = component.get_loss([example], [emissions])
    assert gradient.any(axis=1).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("scheme", ["IO", "BIO", "BIOES", "BILOU"])
def test_a_crf_learns_mentions_that_truncate_cuts(tiny_bert, make_example, scheme):
    text = "rats in Naloxone clonidine hypertension in rats"
    example = make_example(text, [(0, 4, "Species"), (8, 39, "Chemical")])
    nlp = make_nlp(tiny_bert, truncate=True, window=6, crf=True, scheme=scheme)
    learn_by_heart(nlp, [example], steps=60)
    losses = nlp.update([example])
    # A loss of 0 may come out below it, by the rounding of its terms.
    assert -1e-4 < losses["bioner"] < 0.5
    assert entities_of(nlp(text))[0] == ("rats", "Species")
    assert all(ent.end <= 4 for ent in nlp(text).ents)


def test_tokens_without_pieces_are_taught_as_before(tiny_bert, blank_nlp):
    # A token of white space has no piece; a strategy gives it a row of its own all the same.
    words = ["zz", "\n\n", "rats"]
    reference = Doc(blank_nlp.vocab, words=words, spaces=[False, False, False])
    reference.set_ents([Span(reference, 0, 1, label="Gene")], default="outside")
    example = Example(Doc(blank_nlp.vocab, words=words, spaces=[False] * 3), reference)
    nlp = make_nlp(tiny_bert, pooling="x")
    nlp.initialize(lambda: [example])
    component = nlp.get_pipe("bioner")
    with every_piece(component.model), torch.no_grad():
        (rows,) = component.model.predict([example.predicted])
    assert rows.shape == (4, 4)
