import threading
import time
from contextvars import copy_context
from threading import Thread

import pytest

from spacy_bioner.architectures.exported import sessions
from spacy_bioner.architectures.exported.sessions import (
    STOPPED,
    AbandonedError,
    GraphRunner,
    open_session,
)
from spacy_bioner.errors import EncoderError


@pytest.fixture
def runner(monkeypatch):
    """Its sessions are the numbers of their threads."""
    monkeypatch.setattr(sessions, "open_session", lambda graph, threads: threads)
    return GraphRunner(b"", 3)


def test_fewer_batches_than_threads_share_all_of_them(runner):
    def use(session, batch):
        return session, batch, threading.current_thread()

    here = threading.current_thread()
    assert list(runner.run_each(use, "ab")) == [(3, "a", here), (3, "b", here)]
    assert list(GraphRunner(b"", 1).run_each(use, "abc")) == [(1, own, here) for own in "abc"]
    assert list(runner.run_each(use, "")) == []


def test_more_batches_run_side_by_side_and_come_in_order(runner):
    together = threading.Barrier(3, timeout=20)

    def use(session, batch):
        together.wait()
        return session, batch

    assert list(runner.run_each(use, "abcdef")) == [(1, own) for own in "abcdef"]


def test_what_fails_in_a_thread_is_told(runner):
    with pytest.raises(ValueError, match="invalid literal"):
        list(runner.run_each(lambda session, batch: int(batch), ["1", "2", "x", "4"]))
    assert list(runner.run_each(lambda session, batch: int(batch), ["1", "2", "3"])) == [1, 2, 3]


def test_what_nobody_waits_for_stops_at_the_next_batch(runner):
    stopped, seen = threading.Event(), []

    def use(session, batch):
        seen.append(batch)
        stopped.set()

    for batches in ("abcdefghi", "ab"):
        seen.clear()
        stopped.clear()
        context = copy_context()
        context.run(STOPPED.set, stopped)
        with pytest.raises(AbandonedError):
            context.run(list, runner.run_each(use, batches))
        assert 1 <= len(seen) < len(batches)
    stopped.set()
    assert len(list(runner.run_each(use, "abcd"))) == 4


def test_no_more_batches_than_threads_are_computed_at_a_time(runner):
    running, most, lock = [], [], threading.Lock()

    def use(session, batch):
        with lock:
            running.append(batch)
            most.append(len(running))
        time.sleep(0.005)
        with lock:
            running.remove(batch)

    runs = [Thread(target=lambda: list(runner.run_each(use, range(9)))) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(most) == 27
    assert max(most) == 3


def test_an_interrupt_leaves_no_threads(runner):
    here = threading.current_thread()

    def use(session, batch):
        if threading.current_thread() is here:
            raise KeyboardInterrupt
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        list(runner.run_each(use, range(500)))
    assert not [one for one in threading.enumerate() if one.name == "bioner-onnx"]


def test_a_session_is_opened_once(monkeypatch):
    opened = []
    monkeypatch.setattr(sessions, "open_session", lambda *given: opened.append(given))
    runner = GraphRunner(b"graph", 2)
    for _ in range(2):
        list(runner.run_each(lambda session, batch: None, "a"))
        list(runner.run_each(lambda session, batch: None, "abcd"))
    assert opened == [(b"graph", 2), (b"graph", 1)]


def test_threads_are_those_of_the_process_where_none_are_named(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert GraphRunner(b"").threads == 5


def test_what_onnxruntime_cannot_run_is_refused():
    with pytest.raises(EncoderError, match="install a newer onnxruntime"):
        open_session(b"\x08\x07")
