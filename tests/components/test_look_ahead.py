import threading
from contextvars import ContextVar
from types import SimpleNamespace

import pytest
from thinc.api import Model, Shim

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


def test_who_stops_early_leaves_no_threads():
    batches = predict_ahead(str.upper, "abcdef", depth=2)
    next(batches)
    batches.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("bioner-ahead")]


class Ready(Shim):
    is_ready = True
    runner = SimpleNamespace(threads=2)


def make_model(threads, *, is_ready=True):
    shim = Ready(None)
    shim.is_ready, shim.runner = is_ready, SimpleNamespace(threads=threads)
    return Model("encoder", lambda model, docs, is_train: None, attrs={"threads": 0}, shims=[shim])


def test_only_exported_encoders_with_threads_compute_ahead():
    assert count_ahead(make_model(2), 64) == DEPTH
    assert count_ahead(make_model(1), 64) == 0
    assert count_ahead(make_model(2, is_ready=False), 64) == 0
    assert count_ahead(Model("other", lambda model, docs, is_train: None), 64) == 0


def test_who_asks_for_single_documents_gets_each_before_the_next_is_taken():
    assert count_ahead(make_model(2), 1) == 0
