import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest
from thinc.api import Model, Shim

from spacy_bioner.architectures.exported.onnx_encoder import OnnxShim
from spacy_bioner.architectures.exported.sessions import AbandonedError, check_stopped
from spacy_bioner.components.look_ahead import DEPTH, count_ahead, predict_ahead

place = ContextVar("place", default="")


def follow(batches, *, depth, predict=str.upper):
    """List what is taken from the stream and what is given, in order."""
    log = []

    def stream():
        for batch in batches:
            if isinstance(batch, Exception):
                raise batch
            log.append(f"take {batch}")
            yield batch

    try:
        for batch, get_result in predict_ahead(predict, stream(), depth=depth):
            log.append(f"{batch} is {get_result()}")
    except ValueError as error:
        log.append(f"failed: {error}")
    return log


def test_without_depth_nothing_is_taken_ahead():
    assert follow("ab", depth=0) == ["take a", "a is A", "take b", "b is B"]
    assert follow("", depth=0) == follow("", depth=2) == []


def test_with_depth_so_many_batches_are_taken_ahead():
    taken = ["take a", "take b", "take c", "a is A", "take d", "b is B", "c is C", "d is D"]
    assert follow("abcd", depth=2) == taken


def test_a_batch_is_predicted_while_those_before_are_read():
    started = threading.Event()

    def predict(batch):
        if batch == "b":
            started.set()
        return batch

    batches = predict_ahead(predict, "abc", depth=1)
    next(batches)
    assert started.wait(20)
    assert [batch for batch, _ in batches] == ["b", "c"]


@pytest.mark.parametrize("depth", [0, 1, 2, 9])
def test_a_stream_that_fails_is_told_behind_the_batches_before(depth):
    log = follow(["a", "b", ValueError("no c"), "d"], depth=depth)
    assert [line for line in log if "take" not in line] == ["a is A", "b is B", "failed: no c"]


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_batch_that_fails_costs_the_others_nothing(depth):
    results = []
    for batch, get_result in predict_ahead(int, ["1", "x", "3"], depth=depth):
        try:
            results.append(get_result())
        except ValueError:
            results.append(f"{batch} failed")
    assert results == [1, "x failed", 3]


def test_batches_are_predicted_in_the_context_of_who_asks():
    place.set("here")
    found = predict_ahead(lambda batch: place.get(), "ab", depth=2)
    assert [get_result() for _, get_result in found] == ["here", "here"]


def test_who_stops_early_waits_for_nothing():
    went_on, ended = threading.Event(), threading.Event()

    def predict(batch):
        if batch != "a":
            went_on.wait(20)
            try:
                check_stopped()
            except AbandonedError:
                ended.set()
                raise

    batches = predict_ahead(predict, "abcdef", depth=2)
    next(batches)
    batches.close()
    assert not went_on.is_set()
    went_on.set()
    assert ended.wait(20)


def test_what_was_stopped_is_predicted_by_who_asks_for_it():
    def predict(batch):
        if threading.current_thread() is not threading.main_thread():
            raise AbandonedError
        return batch.upper()

    found = predict_ahead(predict, "abc", depth=2)
    assert [get_result() for _, get_result in found] == ["A", "B", "C"]


def test_a_forked_process_goes_on_by_itself():
    code = """if True:
        import os, threading
        from spacy_bioner.components.look_ahead import predict_ahead

        parent, release = os.getpid(), threading.Event()

        def predict(batch):
            if os.getpid() == parent and batch != "a":
                release.wait(20)
            return batch.upper()

        found = predict_ahead(predict, "abc", depth=2)
        next(found)
        child = os.fork()
        if not child:
            print([get_result() for _, get_result in found], flush=True)
            os._exit(0)
        print(os.waitpid(child, 0)[1], flush=True)
        release.set()
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split("\n")[:2] == ["['B', 'C']", "0"], done.stderr


def make_model(threads, *, is_ready=True, others=()):
    shim = OnnxShim()
    shim.graph = b"graph" if is_ready else b""
    shim.follow({"threads": threads})
    return Model("encoder", lambda model, docs, is_train: None, shims=[shim, *others])


def test_only_exported_encoders_with_threads_compute_ahead():
    assert count_ahead(make_model(2), 64) == DEPTH
    assert count_ahead(make_model(1), 64) == 0
    assert count_ahead(make_model(2, is_ready=False), 64) == 0
    assert count_ahead(make_model(2, others=[Shim(None)]), 64) == 0
    assert count_ahead(Model("other", lambda model, docs, is_train: None), 64) == 0


def test_who_asks_for_single_documents_gets_each_before_the_next_is_taken():
    assert count_ahead(make_model(2), 1) == 0
