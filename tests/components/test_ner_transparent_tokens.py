"""White space and characters without width change neither entities nor confidences nor learning."""

from functools import cache

import numpy as np
import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Span
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_bioner.architectures.pieces.subword_labels import read_words
from spacy_bioner.blanks import is_blank, squeeze
from spacy_bioner.components.tag_probabilities import read_tag_probabilities
from tests.conftest import TOKENIZER, learn_by_heart, make_bioner_nlp

CLASSIFIER = "spacy_bioner.TokenClassifier.v1"
TEXT = "Naloxone reverses the effect of rats in clonidine. It rose hypertension in rats."
NAMES = [(0, 17, "Chemical"), (32, 49, "Chemical"), (59, 71, "Disease")]
GAPS = {
    "line break": "\n",
    "windows": "\r\n",
    "old mac": "\r",
    "indented": "\n    ",
    "two blanks": "  ",
    "blank and break": " \n",
    "tab": "\t",
    "no-break": "\u00a0",
    "narrow": "\u202f",
    "figure": "\u2007",
    "thin": "\u2009",
    "ideographic": "\u3000",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "next line": "\u0085",
    "form feed": "\x0c",
    "zero width": "\u200b ",
    "soft hyphen": "\u00ad ",
    "soft hyphen and break": "\u00ad\n",
    "nul": " \x00 ",
    "control": "\x9b ",
    "byte order mark": " \ufeff",
    "marks of direction": "\u200e \u202c\u2069",
    "joiners": "\u200d\u200c\u2060 \ufe0f",
    "mixed": "\t\u200b\r\n\u00a0\u00ad ",
}
SYSTEMS = [
    {"unit": "sentence"},
    {"unit": "neighbours"},
    {"unit": "document"},
    {"pooling": "first"},
    {"pooling": "x"},
    {"pooling": "parent"},
    {"crf": True, "unit": "sentence"},
    {"crf": True, "unit": "neighbours"},
    {"crf": True, "unit": "document", "pooling": "first"},
]
FEW = [SYSTEMS[0], SYSTEMS[4], SYSTEMS[6]]


def name_system(chosen):
    return "-".join(map(str, chosen.values()))


@pytest.fixture(scope="module")
def make_nlp(tiny_bert):
    """Makes a pipeline that knows TEXT by heart."""

    @cache
    def build(items):
        chosen = dict(items)
        model = {"crf": chosen.pop("crf", False), "dropout": 0.0}
        model["encoder"] = {"name": str(tiny_bert), "precision": "float32", **chosen}
        nlp = make_bioner_nlp(str(tiny_bert), model=model)
        learn_by_heart(nlp, [annotate(nlp, TEXT)], steps=30)
        return nlp

    return lambda chosen: build(tuple(chosen.items()))


def annotate(nlp, text):
    """Make an Example whose names are where TEXT has them."""
    doc, places = nlp.make_doc(text), squeeze(text).places
    starts = [(places[start], places[end - 1] + 1, label) for start, end, label in NAMES]
    doc.set_ents([doc.char_span(*span) for span in starts], default="outside")
    return Example(nlp.make_doc(text), doc)


def read(doc):
    """Return the entities as they read, with their confidences."""
    return [(squeeze(ent.text).text, ent.label_, ent._.confidence) for ent in doc.ents]


def check_same(nlp, text):
    expected, doc = read(nlp(TEXT)), nlp(text)
    found = read(doc)
    assert len(expected) == 3
    assert [item[:2] for item in found] == [item[:2] for item in expected]
    assert [item[2] for item in found] == pytest.approx([item[2] for item in expected], abs=1e-5)
    for ent in doc.ents:
        assert not is_blank(ent.text[0])
        assert not is_blank(ent.text[-1])


@pytest.mark.parametrize("chosen", SYSTEMS, ids=name_system)
def test_gaps_change_neither_entities_nor_confidences(make_nlp, chosen):
    nlp = make_nlp(chosen)
    for gap in GAPS.values():
        check_same(nlp, TEXT.replace(" ", gap))
        check_same(nlp, gap + TEXT + gap)


@pytest.mark.parametrize("chosen", SYSTEMS, ids=name_system)
@pytest.mark.parametrize("mark", ["\u00ad", "\u200b", "\u2060", "\ufeff", "\x00", "\u202d"])
def test_a_mark_within_a_word_changes_nothing(make_nlp, chosen, mark):
    nlp = make_nlp(chosen)
    check_same(nlp, TEXT.replace("Nalo", f"Nalo{mark}").replace("tens", f"t{mark}ens{mark}"))
    check_same(nlp, TEXT.replace("e ", f"e{mark} ").replace(" r", f" {mark}r"))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(gaps=st.lists(st.lists(st.sampled_from(sorted(GAPS.values())), max_size=2), min_size=12))
def test_mixed_gaps_change_nothing(make_nlp, gaps):
    words = TEXT.split(" ")
    # Two line breaks would be a blank line, which parts sentences.
    joined = ["".join(gap).replace("\n", "", "".join(gap).count("\n") - 1) for gap in gaps]
    text = words[0] + "".join(f" {gap}{word}" for gap, word in zip(joined, words[1:]))
    check_same(make_nlp(SYSTEMS[7]), text)


@pytest.mark.parametrize("chosen", FEW, ids=name_system)
def test_texts_of_nothing_but_blanks_have_no_entities(make_nlp, chosen):
    nlp = make_nlp(chosen)
    texts = ["", "\n", "\u200b", " \x00\n", "\u00ad" * 3, TEXT]
    docs = list(nlp.pipe(texts))
    assert [len(doc.ents) for doc in docs] == [0, 0, 0, 0, 0, 3]
    assert [doc.text for doc in docs] == texts
    examples = [annotate_nothing(nlp, text) for text in texts[:-1]]
    assert nlp.get_pipe("bioner").update(examples)["bioner"] == 0.0


def annotate_nothing(nlp, text):
    doc = nlp.make_doc(text)
    doc.set_ents([], default="outside")
    return Example(nlp.make_doc(text), doc)


@pytest.mark.parametrize("chosen", FEW, ids=name_system)
@pytest.mark.parametrize("attack", ["none", "fgsm", "vat"])
def test_gradients_are_those_of_the_words_alone(make_nlp, monkeypatch, chosen, attack):
    from spacy_bioner.architectures.adversary import make_adversary
    from spacy_bioner.architectures.torch_bridge import torch_shims

    nlp = make_nlp(chosen)
    component = nlp.get_pipe("bioner")
    monkeypatch.setattr(component, "adversary", make_adversary(attack, epsilon=0.1))

    def learn(text):
        # The encoder drops states in training.
        fix_random_seed(0)
        losses = component.update([annotate(nlp, text)], drop=0.0)
        shims = torch_shims(component.model)
        weights = [weight for shim in shims for weight in shim.module.parameters()]
        found = [w.grad.numpy().copy() for w in weights if w.grad is not None]
        for weight in weights:
            weight.grad = None
        return losses, found

    losses, expected = learn(TEXT)
    for gap in ["\n    ", "\u200b\xa0"]:
        text = f"{gap}{TEXT}{gap}".replace(" ", gap).replace("Nalo", "Nalo\u00ad")
        values, found = learn(text)
        assert values == pytest.approx(losses, rel=1e-3)
        assert len(found) == len(expected) > 5
        for left, right in zip(found, expected):
            np.testing.assert_allclose(left, right, atol=1e-5)


@pytest.mark.parametrize("chosen", [{"crf": False}, {"crf": True}], ids=["softmax", "crf"])
@pytest.mark.parametrize("scheme", ["BIO", "BIOES", "IO"])
def test_gold_with_line_breaks_is_learned(tiny_bert, chosen, scheme):
    text = TEXT.replace(" ", "\n").replace("reverses", "rever\u00adses")
    model = {**chosen, "encoder": {"name": str(tiny_bert), "precision": "float32"}}
    nlp = make_bioner_nlp(str(tiny_bert), model=model, scheme=scheme)
    learn_by_heart(nlp, [annotate(nlp, text)], steps=30)
    names = [TEXT[start:end] for start, end, _ in NAMES]
    for other in (text, TEXT):
        assert [squeeze(ent.text).text for ent in nlp(other).ents] == names


def test_gold_that_ends_in_white_space_is_learned_as_if_it_did_not(make_nlp):
    nlp = make_nlp(SYSTEMS[6])
    component = nlp.get_pipe("bioner")
    doc = nlp.make_doc("\nNaloxone\nreverses\n\u200b")
    doc.set_ents([Span(doc, 0, len(doc), label="Chemical")])
    emissions = np.random.default_rng(0).normal(size=(len(doc), 5)).astype("float32")
    plain = nlp.make_doc("Naloxone reverses")
    plain.set_ents([Span(plain, 0, 2, label="Chemical")])
    rows = [token.i for token in doc if not is_blank(token.text)]
    loss, (gradient,) = component.get_loss([Example(doc.copy(), doc)], [emissions])
    expected, (right,) = component.get_loss([Example(plain.copy(), plain)], [emissions[rows]])
    assert loss == pytest.approx(expected)
    np.testing.assert_allclose(gradient[rows], right, atol=1e-6)
    assert not np.delete(gradient, rows, axis=0).any()


@pytest.mark.parametrize("chosen", FEW, ids=name_system)
def test_every_token_has_a_row_and_every_span_a_probability(make_nlp, chosen):
    nlp = make_nlp(chosen)
    component = nlp.get_pipe("bioner")
    plain = nlp(TEXT)
    doc = nlp(TEXT.replace(" ", " \n"))
    (rows,), (expected,) = component.predict([doc]), component.predict([plain])
    assert (len(rows), len(expected)) == (len(doc), len(plain))
    (words,) = read_words(component.model, [doc])
    np.testing.assert_allclose(rows[words.starts], expected, atol=1e-4)
    blanks = [token.i for token in doc if is_blank(token.text)]
    assert np.exp(rows[blanks])[:, 0].tolist() == [1.0] * len(blanks)
    probabilities, known = (read_tag_probabilities(component, [one])[0] for one in (doc, plain))
    for ent, other in zip(doc.ents, plain.ents):
        place = (ent.start, ent.end, ent.label_)
        assert probabilities.confidence(*place) == pytest.approx(ent._.confidence, abs=1e-6)
        found = probabilities.alternatives(*place)
        readings = known.alternatives(other.start, other.end, other.label_)
        assert [squeeze(doc[item.start : item.end].text).text for item in found] == [
            plain[item.start : item.end].text for item in readings
        ]
        assert not any(is_blank(doc[item.end - 1].text) for item in found)


def test_words_owe_the_same_to_each_other(make_nlp):
    pytest.importorskip("captum")
    from spacy_bioner.architectures.attribution import integrate_gradients

    component = make_nlp(SYSTEMS[6]).get_pipe("bioner")

    def attribute(text):
        doc = make_nlp(SYSTEMS[6])(text)
        (probabilities,) = read_tag_probabilities(component, [doc])
        ent = doc.ents[0]
        tags = probabilities.places(ent.start, ent.end, ent.label_)
        (found,) = integrate_gradients(component.model, doc, [tags], n_steps=2)
        return found, probabilities.words.starts

    (expected, _), (found, starts) = attribute(TEXT), attribute(TEXT.replace(" ", "\r\n "))
    np.testing.assert_allclose(found.values[starts], expected.values, atol=1e-4)
    assert not np.delete(found.values, starts).any()
    assert found.score == pytest.approx(expected.score, abs=1e-5)


def test_characters_that_the_tokenizer_drops_are_transparent(make_nlp):
    # Of a document: behind such a character no sentence starts.
    nlp = make_nlp(SYSTEMS[8])
    expected = read(nlp(TEXT))
    for mark in ("\ufffd", "\uf061"):
        found = read(nlp(TEXT.replace(" ", f" {mark} ")))
        assert [name.replace(f"{mark} ", "") for name, _, _ in found] == [
            name for name, _, _ in expected
        ]
        confidences = [item[2] for item in expected]
        assert [item[2] for item in found] == pytest.approx(confidences, abs=1e-5)


def test_a_saved_pipeline_reads_line_breaks_as_the_one_in_memory(make_nlp, tmp_path):
    nlp = make_nlp(SYSTEMS[6])
    nlp.to_disk(tmp_path / "model")
    check_same(spacy.load(tmp_path / "model"), TEXT.replace(" ", "\n"))


@pytest.mark.parametrize("crf", [False, True])
def test_entities_of_an_encoder_without_pieces_go_on_behind_line_breaks(tiny_bert, crf):
    cnn = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        **{"pretrained_vectors": None, "width": 32, "depth": 1, "embed_size": 200},
        **{"window_size": 1, "maxout_pieces": 2, "subword_features": True},
    }
    lstm = {"@architectures": "spacy_bioner.SequenceLstm.v1", "width": 32, "dropout": 0.0}
    characters = {"@architectures": "spacy_bioner.CharacterEncoder.v1", "width": 32}
    for encoder in (cnn, {**lstm, "encoder": characters}):
        nlp = spacy.blank("en", config=TOKENIZER)
        model = {"crf": crf, "dropout": 0.0, "encoder": encoder}
        nlp.add_pipe("bioner", config={"model": {"@architectures": CLASSIFIER, **model}})
        texts = [TEXT, TEXT.replace(" ", "\n")]
        learn_by_heart(nlp, [annotate(nlp, text) for text in texts], steps=60)
        for text in texts:
            found = [squeeze(ent.text).text for ent in nlp(text).ents]
            assert found == [TEXT[start:end] for start, end, _ in NAMES]
        if encoder is not cnn:
            check_same(nlp, f"\n{TEXT}\u200b".replace(" ", "\r\n    "))
