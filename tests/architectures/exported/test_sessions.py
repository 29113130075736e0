import threading

import pytest

from spacy_bioner.architectures.exported import sessions
from spacy_bioner.architectures.exported.sessions import GraphRunner, open_session
from spacy_bioner.errors import EncoderError


@pytest.fixture
def runner(monkeypatch):
    """Its sessions are the numbers of their threads."""
    monkeypatch.setattr(sessions, "open_session", lambda graph, threads: threads)
    return GraphRunner(b"", 3)


def test_fewer_batches_than_threads_share_all_of_them(runner):
    use = lambda session, batch: (session, batch, threading.current_thread())  # noqa: E731
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
