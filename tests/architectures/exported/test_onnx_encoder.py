import hashlib
import pickle
from copy import deepcopy

import numpy as np
import onnx
import pytest
import spacy
import srsly
from numpy.testing import assert_allclose, assert_array_equal

from spacy_bioner.architectures.exported import conversion, onnx_encoder, sessions
from spacy_bioner.architectures.exported.onnx_encoder import (
    OnnxShim,
    add_rows,
    build_onnx_encoder,
)
from spacy_bioner.errors import EncoderError, MissingExtraError
from tests.architectures.exported.conftest import TEXTS

SETTINGS = [
    {},
    {"unit": "document"},
    {"unit": "neighbours", "window": 20, "overlap": 4},
    {"unit": "document", "window": 12, "overlap": 3},
    {"pooling": "first"},
]


@pytest.fixture
def docs(trained_nlp):
    return [trained_nlp.make_doc(text) for text in TEXTS]


@pytest.mark.parametrize("settings", SETTINGS)
def test_states_of_float32_are_those_of_torch(export_model, trained_folder, docs, settings):
    prefix = "components.bioner.model.encoder"
    changed = {f"{prefix}.{key}": value for key, value in settings.items()}
    trained = spacy.load(trained_folder, config={f"{prefix}.precision": "float32", **changed})
    expected = trained.get_pipe("bioner").model.get_ref("encoder").predict(docs)
    found = export_model("float32", **settings).get_ref("encoder").predict(docs)
    for own, other in zip(found, expected, strict=True):
        assert own.shape == other.shape
        assert_allclose(own, other, atol=1e-5)


@pytest.mark.parametrize("settings", SETTINGS)
def test_states_of_int8_do_not_depend_on_what_else_is_in_the_batch(export_model, docs, settings):
    encoder = export_model("int8", **settings).get_ref("encoder")
    together = encoder.predict(docs)
    for doc, expected in zip(docs, together, strict=True):
        assert_array_equal(encoder.predict([doc])[0], expected)
        if len(doc):
            assert_array_equal(encoder.predict([docs[2], doc, docs[1]])[1], expected)


@pytest.mark.parametrize("threads", [2, 3, 9])
def test_states_of_int8_do_not_depend_on_threads(export_model, docs, threads):
    """Of as many batches as threads or more, each thread has its own; else all share each."""
    encoder = export_model("int8").get_ref("encoder")
    encoder.attrs["batch_pieces"] = 8
    expected = np.concatenate(encoder.predict(docs))
    other = build_onnx_encoder(threads=threads, batch_pieces=8).from_bytes(encoder.to_bytes())
    assert_array_equal(np.concatenate(other.predict(docs)), expected)


def test_states_of_int8_are_near_those_of_float32(export_model, docs):
    plain, small = (
        np.concatenate(export_model(precision).get_ref("encoder").predict(docs))
        for precision in ("float32", "int8")
    )
    difference = np.sqrt(np.mean((plain - small) ** 2) / np.mean(plain**2))
    assert 1e-4 < difference < 0.05


def test_windows_of_a_batch_are_of_one_length(export_model, docs):
    """What they attend to needs no mask."""
    encoder = export_model("int8", unit="sentence").get_ref("encoder")
    shim, sizes = encoder.shims[0], []
    run_each = shim.run_each

    def note(batches, take):
        sizes.extend(batch.mask.shape for batch in batches)
        assert all(batch.mask.all() for batch in batches)
        return run_each(batches, take)

    shim.run_each = note
    encoder.predict(docs)
    assert len({length for _, length in sizes}) == len(sizes) > 2
    assert "mask" not in {
        name for node in onnx.load_from_string(shim.graph).graph.node for name in node.input
    }


def test_graphs_of_form_1_are_read(export_model, docs, monkeypatch):
    """Their attention has masks; so have graphs of families whose attention is no single node."""
    expected = export_model("int8").get_ref("encoder").predict(docs)
    monkeypatch.setattr(conversion, "drop_masks", lambda graph: None)
    encoder = export_model("int8").get_ref("encoder")
    shim = encoder.shims[0]
    nodes = onnx.load_from_string(shim.graph).graph.node
    assert "mask" in {name for node in nodes for name in node.input}
    shim.from_bytes(srsly.msgpack_dumps({**srsly.msgpack_loads(shim.to_bytes()), "version": 1}))
    assert_array_equal(np.concatenate(encoder.predict(docs)), np.concatenate(expected))


def test_tokens_that_are_cut_off_are_counted(export_model, docs):
    encoder = export_model("int8", unit="document", window=10, truncate=True).get_ref("encoder")
    encoder.predict([docs[2]])
    assert encoder.shims[0].n_unseen > 20


def test_encoder_is_the_same_from_bytes_copied_and_pickled(export_model, docs):
    encoder = export_model("int8").get_ref("encoder")
    expected = np.concatenate(encoder.predict(docs))
    loaded = build_onnx_encoder().from_bytes(encoder.to_bytes())
    shim = pickle.loads(pickle.dumps(encoder.shims[0]))
    for other in (loaded, encoder.copy(), deepcopy(encoder)):
        assert_array_equal(np.concatenate(other.predict(docs)), expected)
    assert shim.graph == encoder.shims[0].graph
    assert shim._runner is None


def test_copies_read_control_pieces_as_text(export_model, trained_nlp):
    trained = trained_nlp.get_pipe("bioner").model.get_ref("encoder")
    for encoder in (export_model("int8").get_ref("encoder"), trained):
        shim = encoder.shims[0]
        expected = shim.reader.encode("a [MASK] b", add_special_tokens=False).ids
        assert shim.tokenizer.token_to_id("[MASK]") not in expected
        for other in (pickle.loads(pickle.dumps(shim)), deepcopy(shim), shim.copy()):
            assert other.reader.encode("a [MASK] b", add_special_tokens=False).ids == expected


def test_settings_of_the_config_win_over_saved_ones(export_model):
    saved = export_model("int8", unit="document").get_ref("encoder").to_bytes()
    encoder = build_onnx_encoder(unit="sentence", threads=3).from_bytes(saved)
    assert (encoder.attrs["unit"], encoder.attrs["threads"]) == ("sentence", 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 99}, "found form 99, expected 2"),
        ({"sha256": "0"}, "it is damaged"),
        ({"content": b"other"}, "it is damaged"),
        ({"content": None}, "cannot run the graph"),
    ],
)
def test_what_is_damaged_or_of_another_version_is_refused(export_model, docs, change, words):
    shim = export_model("int8").get_ref("encoder").shims[0]
    message = {**srsly.msgpack_loads(shim.to_bytes()), **change}
    if message["content"] is None:
        saved = srsly.msgpack_loads(srsly.msgpack_loads(shim.to_bytes())["content"])
        message["content"] = srsly.msgpack_dumps({**saved, "graph": b"no graph"})
        message["sha256"] = hashlib.sha256(message["content"]).hexdigest()

    def load_and_run():
        twin = build_onnx_encoder()
        twin.shims[0].from_bytes(srsly.msgpack_dumps(message))
        twin.set_dim("nO", 32)
        twin.predict(docs[:1])

    with pytest.raises(EncoderError, match=words):
        load_and_run()


def test_a_damaged_table_is_refused(export_model):
    shim = export_model("int8").get_ref("encoder").shims[0]
    saved = bytearray(shim.to_bytes())
    saved[saved.index(shim.arrays["table"].tobytes()) + 40] ^= 1
    with pytest.raises(EncoderError, match="it is damaged"):
        build_onnx_encoder().shims[0].from_bytes(bytes(saved))


def test_what_is_no_saved_encoder_is_refused():
    with pytest.raises(EncoderError, match="found form None"):
        build_onnx_encoder().shims[0].from_bytes(srsly.msgpack_dumps([1]))


def test_without_onnxruntime_loading_says_what_to_install(export_model, monkeypatch):
    saved = export_model("int8").get_ref("encoder").to_bytes()

    def refuse(*names, **words):
        raise MissingExtraError(f"{words['who']} needs {names[0]}", name=names[0])

    monkeypatch.setattr(onnx_encoder, "require", refuse)
    with pytest.raises(MissingExtraError, match="an exported pipeline needs onnxruntime"):
        build_onnx_encoder().from_bytes(saved)


def test_encoder_without_weights_and_training_are_refused(export_model, docs):
    empty = build_onnx_encoder()
    empty.set_dim("nO", 32)
    for call in (empty.initialize, lambda: empty.predict(docs)):
        with pytest.raises(EncoderError, match="has no weights of its own"):
            call()
    with pytest.raises(EncoderError, match="cannot be trained"):
        export_model("int8").get_ref("encoder").begin_update(docs)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"unit": "page"}, "unit = 'page'"),
        ({"pooling": "max"}, "pooling = 'max'"),
        ({"overlap": 600}, "overlap = 600"),
        ({"window": 2, "overlap": 0, "truncate": True}, "window = 2"),
        ({"threads": -1}, "threads = -1"),
    ],
)
def test_settings_that_are_none_are_refused(settings, words):
    with pytest.raises(EncoderError, match=words):
        build_onnx_encoder(**settings)


def test_a_graph_is_opened_again_in_another_process(export_model, docs, monkeypatch):
    shim = export_model("int8").get_ref("encoder").shims[0]
    runner = shim.runner
    assert shim.runner is runner
    monkeypatch.setattr(sessions.os, "getpid", lambda: runner.process + 1)
    assert shim.runner is not runner


def test_rows_are_added_in_order():
    pooled = np.zeros((4, 1), dtype=np.float32)
    target = np.array([2, 0, 2, 3, 3, 3])
    add_rows(pooled, target, np.array([[1], [2], [4], [8], [16], [32]], dtype=np.float32))
    assert pooled.ravel().tolist() == [2, 0, 5, 56]
    add_rows(pooled, np.zeros(0, np.int64), np.zeros((0, 1), np.float32))
    assert pooled.ravel().tolist() == [2, 0, 5, 56]


def test_shim_without_a_graph_goes_through_bytes():
    shim = OnnxShim()
    shim.follow({})
    assert not shim.from_bytes(shim.to_bytes()).is_ready
