import subprocess
import sys

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal

from spacy_bioner.architectures.decoding import learned_transitions
from spacy_bioner.architectures.exported.blocks import BLOCK
from spacy_bioner.architectures.exported.classifier import build_exported_classifier
from spacy_bioner.architectures.exported.onnx_encoder import build_onnx_encoder
from spacy_bioner.errors import EncoderError
from tests.architectures.exported.conftest import TEXTS
from tests.conftest import TOKENIZER, learn_by_heart


def train(encoder, example, *, crf=False, **settings):
    """Train a pipeline in float32 on one example, with settings of its encoder."""
    nlp = spacy.blank("en", config=TOKENIZER)
    model = {"encoder": {"name": str(encoder), "precision": "float32", **settings}, "crf": crf}
    nlp.add_pipe("bioner", config={"model": model})
    learn_by_heart(nlp, [example])
    return nlp


@pytest.fixture
def docs(trained_nlp):
    return [trained_nlp.make_doc(text) for text in TEXTS]


def test_emissions_are_those_of_torch(export_model, trained_nlp, docs):
    trained = trained_nlp.get_pipe("bioner").model
    trained.get_ref("encoder").shims[0].set_precision("float32")
    filled = [doc for doc in docs if len(doc)]
    expected = trained.predict(filled)
    for own, other in zip(export_model("float32").predict(filled), expected, strict=True):
        assert own.shape == other.shape
        assert_allclose(own, other, atol=1e-5)


def test_emissions_are_those_of_the_head_on_pooled_states(export_model, docs):
    model = export_model("float32")
    states = model.get_ref("encoder").predict(docs)
    expected = model.get_ref("output_layer").predict(states)
    for own, other in zip(model.predict(docs), expected, strict=True):
        assert_allclose(own, other, atol=1e-5)


def test_emissions_do_not_depend_on_what_else_is_in_the_batch(export_model, docs):
    model = export_model("int8")
    for doc, expected in zip(docs, model.predict(docs), strict=True):
        assert_array_equal(model.predict([doc])[0], expected)


def test_transitions_of_a_crf_are_kept(tiny_bert, make_example, export_model):
    example = make_example("hypertension in rats", [(0, 12, "Disease")])
    nlp = train(tiny_bert, example, crf=True)
    trained = nlp.get_pipe("bioner").model
    expected = learned_transitions(trained)
    assert np.abs(expected[0]).max() > 0
    exported = export_model("int8", nlp)
    assert_array_equal(learned_transitions(exported)[0], expected[0])
    again = build_exported_classifier(build_onnx_encoder(), nO=exported.get_dim("nO"))
    again.from_bytes(exported.to_bytes())
    for own, other in zip(learned_transitions(again), expected, strict=True):
        assert_array_equal(own, other)
    assert learned_transitions(export_model("int8")) is None


def test_column_of_continuations_is_left_out(tiny_bert, make_example, export_model):
    example = make_example("hypertension in rats", [(0, 12, "Disease")])
    nlp = train(tiny_bert, example, pooling="x")
    model = export_model("float32", nlp)
    doc = nlp.make_doc("hypertension in rats")
    assert (
        model.get_dim("nO") == len(nlp.get_pipe("bioner").tags) == model.predict([doc])[0].shape[1]
    )


def test_more_rows_than_a_block_are_scored(export_model, trained_nlp):
    model = export_model("float32")
    doc = trained_nlp.make_doc("hypertension in rats " * BLOCK)
    rows = model.predict([doc])[0]
    assert rows.shape == (3 * BLOCK, 5)
    assert np.isfinite(rows).all()


def test_training_and_starting_from_nothing_are_refused(export_model, docs):
    with pytest.raises(EncoderError, match="cannot be trained"):
        export_model("int8").begin_update(docs)
    with pytest.raises(EncoderError, match="has no weights of its own"):
        build_exported_classifier(build_onnx_encoder(), nO=5).initialize()


@pytest.fixture
def exported_nlp(export_model, trained_nlp):
    """A pipeline of an exported model that two threads run."""
    component = trained_nlp.get_pipe("bioner")
    saved = export_model("int8").to_bytes()
    model = build_exported_classifier(build_onnx_encoder(threads=2)).from_bytes(saved)
    nlp = spacy.blank("en", config=TOKENIZER)
    exported = nlp.add_pipe("bioner")
    exported.model, exported.cfg = model, component.cfg
    return nlp


def confidences(doc):
    return [(ent.start, ent.end, ent.label_, ent._.confidence) for ent in doc.ents]


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_documents_of_a_stream_are_those_of_single_calls(exported_nlp, batch_size):
    texts = TEXTS * 4
    expected = [confidences(exported_nlp(text)) for text in texts]
    assert any(expected)
    docs = list(exported_nlp.pipe(texts, batch_size=batch_size))
    assert [doc.text for doc in docs] == texts
    assert [confidences(doc) for doc in docs] == expected


def test_a_batch_that_fails_is_left_to_the_error_handler(exported_nlp, monkeypatch):
    component = exported_nlp.get_pipe("bioner")
    predict, failed = component.predict, []

    def fail(docs):
        if any("rats" in doc.text for doc in docs):
            raise ValueError("no rats")
        return predict(docs)

    monkeypatch.setattr(component, "predict", fail)
    exported_nlp.set_error_handler(lambda name, proc, docs, error: failed.append((len(docs), name)))
    texts = [TEXTS[0], TEXTS[0], TEXTS[1], TEXTS[0], TEXTS[5]]
    docs = list(exported_nlp.pipe(texts, batch_size=2))
    assert [doc.text for doc in docs] == [TEXTS[0], TEXTS[0], TEXTS[5]]
    assert failed == [(2, "bioner")]


def test_documents_are_found_behind_the_last_line_of_a_program(exported_folder):
    code = f"""if True:
        import spacy, threading, time
        settings = {{"components": {{"bioner": {{"model": {{"encoder": {{"threads": 2}}}}}}}}}}
        nlp = spacy.load({str(exported_folder)!r}, config=settings)
        texts = ["hypertension in rats. Naloxone reverses the effect of clonidine."] * 300

        def work():
            threading.main_thread().join()
            time.sleep(0.2)
            print(sum(len(doc.ents) for doc in nlp.pipe(texts)), len(nlp(texts[0] * 9).ents))

        threading.Thread(target=work).start()
        stream = nlp.pipe(texts)
        print(len(next(stream).ents))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["3", "900", "27"], done.stderr
