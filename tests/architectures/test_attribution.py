"""Integrated gradients through our own backward pass: exact where that can be known."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("captum")

import numpy as np
import spacy
from spacy.tokens import Doc

from spacy_bioner.architectures.adversary import find_encoders
from spacy_bioner.architectures.attribution import integrate_gradients
from spacy_bioner.architectures.decoding import log_softmax
from spacy_bioner.architectures.pieces.control_pieces import find_stand_in
from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.explanation.occlusion import cover
from tests.conftest import learn_by_heart, make_bioner_nlp

KNOWN = "Naloxone reverses the effect of clonidine."


def tagger_of(nlp):
    component = nlp.get_pipe("bioner")
    return component, component.tags.index("B-Chemical")


def test_words_share_out_the_whole_change_of_the_score(trained_nlp) -> None:
    component, chemical = tagger_of(trained_nlp)
    doc = trained_nlp.make_doc(KNOWN)
    found = integrate_gradients(component.model, doc, [[(0, chemical)], [(5, chemical)]])
    log_probs = component.predict([doc])[0]
    for attribution, token in zip(found, (0, 5)):
        assert attribution.score == pytest.approx(log_probs[token, chemical], abs=1e-4)
        assert attribution.values.sum() + attribution.error == pytest.approx(
            attribution.score - attribution.baseline
        )
        assert abs(attribution.error) < 0.1 * abs(attribution.score - attribution.baseline) + 0.02


def test_more_steps_miss_less(trained_nlp) -> None:
    component, chemical = tagger_of(trained_nlp)
    doc = trained_nlp.make_doc(KNOWN)
    few, many = (
        integrate_gradients(component.model, doc, [[(0, chemical)]], n_steps=steps)[0]
        for steps in (2, 100)
    )
    assert abs(many.error) < abs(few.error)
    assert abs(many.error) < 0.01


def test_the_baseline_is_the_text_of_masks(trained_nlp) -> None:
    """Masks as words, one piece each, are what a sentence of one-piece words starts from."""
    component, chemical = tagger_of(trained_nlp)
    doc = trained_nlp.make_doc("Naloxone reverses the effect of clonidine")
    attribution = integrate_gradients(component.model, doc, [[(0, chemical)]], n_steps=2)[0]
    masked = cover(
        doc, range(len(doc)), find_stand_in(find_encoders(component.model)[0].shims[0].tokenizer)
    )
    log_probs = component.predict([masked])[0]
    assert attribution.baseline == pytest.approx(log_probs[0, chemical], abs=1e-4)


@pytest.mark.parametrize("settings", [
    {"unit": "document"}, {"unit": "neighbours"}, {"pooling": "first"}, {"window": 8, "overlap": 3},
])  # fmt: skip
def test_it_holds_for_other_layouts(tiny_bert, make_example, settings) -> None:
    nlp = make_bioner_nlp(str(tiny_bert))
    encoder = {"name": str(tiny_bert), "precision": "float32", **settings}
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": nlp.config["nlp"]["tokenizer"]}})
    nlp.add_pipe("bioner", config={"model": {"encoder": encoder}})
    text = "hypertension in rats. Naloxone reverses the effect of clonidine in rats."
    learn_by_heart(nlp, [make_example(text, [(0, 12, "Disease"), (22, 30, "Chemical")])], steps=8)
    component, chemical = tagger_of(nlp)
    doc = nlp.make_doc(text)
    attribution = integrate_gradients(component.model, doc, [[(4, chemical)]], n_steps=100)[0]
    assert attribution.values.shape == (len(doc),)
    assert abs(attribution.error) < 0.02 + 0.05 * abs(attribution.score - attribution.baseline)


def test_two_encoders_and_layers_behind_them_share_the_score(tiny_bert, make_example) -> None:
    part = {"@architectures": "spacy_bioner.TransformerEncoder.v1", "name": str(tiny_bert)}
    part["precision"] = "float32"
    # What does not come from encoders has gradients of its own weights alone.
    characters = {"@architectures": "spacy_bioner.CharacterEncoder.v1", "kind": "lstm"}
    shape = {"@architectures": "spacy_bioner.AttributeEmbedding.v1", "attribute": "SHAPE"}
    parts = {"first": part, "second": dict(part), "characters": characters, "shape": shape}
    both = {"@architectures": "spacy_bioner.Concatenation.v1", "*": parts}
    lstm = {"@architectures": "spacy_bioner.SequenceLstm.v1", "encoder": both, "width": 16}
    nlp = make_bioner_nlp(str(tiny_bert))
    nlp.remove_pipe("bioner")
    nlp.add_pipe("bioner", config={"model": {"encoder": lstm}})
    learn_by_heart(nlp, [make_example(KNOWN, [(0, 8, "Chemical")])], steps=5)
    component, chemical = tagger_of(nlp)
    assert len(find_encoders(component.model)) == 2
    doc = nlp.make_doc(KNOWN)
    attribution = integrate_gradients(component.model, doc, [[(0, chemical)]], n_steps=100)[0]
    assert abs(attribution.error) < 0.02 + 0.05 * abs(attribution.score - attribution.baseline)


def test_nothing_is_left_changed(trained_nlp) -> None:
    component, chemical = tagger_of(trained_nlp)
    doc = trained_nlp.make_doc(KNOWN)
    weights = [p for shim in torch_shims(component.model) for p in shim.module.parameters()]
    before = [(p.requires_grad, p.detach().clone()) for p in weights]
    scores = component.predict([doc])[0]
    integrate_gradients(component.model, doc, [[(0, chemical)]], n_steps=2)
    assert all(p.grad is None for p in weights)
    assert all(p.requires_grad == was and bool((p == old).all()) for p, (was, old) in
               zip(weights, before))  # fmt: skip
    assert np.array_equal(component.predict([doc])[0], scores)
    # It can still be trained.
    learn = trained_nlp.resume_training()
    component.finish_update(learn)


def test_scores_are_those_of_the_emissions(trained_nlp) -> None:
    component, chemical = tagger_of(trained_nlp)
    doc = trained_nlp.make_doc(KNOWN)
    emissions = component.model.predict([doc])[0]
    target = [(0, chemical), (1, 0)]
    attribution = integrate_gradients(component.model, doc, [target], n_steps=2)[0]
    rows = log_softmax(emissions)
    assert attribution.score == pytest.approx(rows[0, chemical] + rows[1, 0], abs=1e-4)


def test_settings_and_models_that_cannot_be_are_refused(trained_nlp) -> None:
    component, chemical = tagger_of(trained_nlp)
    doc = trained_nlp.make_doc(KNOWN)
    with pytest.raises(ConfigError, match="found 1 steps, expected 2 or more"):
        integrate_gradients(component.model, doc, [[(0, chemical)]], n_steps=1)


def test_a_piece_of_two_tokens_is_shared_out_between_them(trained_nlp) -> None:
    component, chemical = tagger_of(trained_nlp)
    words = ["Nalo", "xone", "reverses", "the", "effect"]
    doc = Doc(trained_nlp.vocab, words=words, spaces=[False, True, True, True, False])
    attribution = integrate_gradients(component.model, doc, [[(0, chemical)]], n_steps=100)[0]
    assert abs(attribution.error) < 0.01
    # "Naloxone" is one piece.
    first, second = attribution.values[:2]
    assert first == pytest.approx(second)
    assert abs(first) > 10 * np.abs(attribution.values[2:]).max()
