"""Batches that a model computes while those before them are annotated and read by others."""

import os
import threading
from collections import deque
from contextvars import copy_context
from typing import Any, Callable, Deque, Iterable, Iterator, List, Optional, Tuple

from spacy.tokens import Doc
from thinc.api import Model

from spacy_bioner.architectures.exported.onnx_encoder import OnnxShim
from spacy_bioner.architectures.exported.sessions import STOPPED, AbandonedError

# Batches of Docs under way beside the one that is asked for: one computes, one is laid out.
DEPTH = 2
Predict = Callable[[List[Doc]], Any]


def count_ahead(model: Model, batch_size: int) -> int:
    """Return how many batches a model is to compute ahead of what was asked for.

    Only models whose encoders are all exported, and have several threads, do: they compute outside
    of Python. Who asks for batches of one wants each document before giving the next one.
    """
    shims = [shim for node in model.walk() for shim in node.shims]
    if batch_size < 2 or not shims:
        return 0
    for shim in shims:
        if not isinstance(shim, OnnxShim) or not shim.is_ready or shim.runner.threads < 2:
            return 0
    return DEPTH


def predict_ahead(
    predict: Predict, batches: Iterable[List[Doc]], *, depth: int
) -> Iterator[Tuple[List[Doc], Callable[[], Any]]]:
    """Start to predict batches before their results are asked for.

    What nobody reads to its end stops at the next batch of the encoder; nothing waits for it.

    depth (int): How many batches are taken from the stream ahead; with 0, none is.
    YIELDS (Tuple[List[Doc], Callable]): Each batch, and what gives its result: `predict`'s, or its
        exception. Where the stream itself fails, that is told behind the batches before it.
    """
    waiting: Deque[_Ahead] = deque()
    failures: List[Exception] = []
    stopped = threading.Event()
    try:
        for docs in _until_failure(batches, failures):
            waiting.append(_Ahead(predict, docs, stopped if depth else None))
            if len(waiting) > depth:
                yield _take(waiting)
        while waiting:
            yield _take(waiting)
    finally:
        stopped.set()
    if failures:
        raise failures[0]


class _Ahead:
    """A batch that a thread of its own predicts, or who asks for the result.

    stopped (Optional[threading.Event]): Set once nobody asks for it any more; None for no thread.
    """

    def __init__(
        self, predict: Predict, docs: List[Doc], stopped: Optional[threading.Event]
    ) -> None:
        self.predict = predict
        self.docs = docs
        self._process = os.getpid()
        self._found: List[Any] = []
        self._error: Optional[BaseException] = None
        self._thread: Optional[threading.Thread] = None
        if stopped is not None:
            self._start(stopped)

    def get(self) -> Any:
        """Return what was predicted, or raise what went wrong.

        In a forked process there is no thread, and at the interpreter's end it stops: then the
        batch is predicted here.
        """
        if self._thread is not None and self._process == os.getpid():
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found[0] if self._found else self.predict(self.docs)

    def _start(self, stopped: threading.Event) -> None:
        context = copy_context()
        context.run(STOPPED.set, stopped)
        thread = threading.Thread(target=context.run, args=(self._run,), name="bioner-ahead")
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is ending.
            return
        self._thread = thread

    def _run(self) -> None:
        try:
            self._found = [self.predict(self.docs)]
        except AbandonedError:
            pass
        except BaseException as error:  # for who asks for the result
            self._error = error


def _until_failure(batches: Iterable[List[Doc]], failures: List[Exception]) -> Iterator[List[Doc]]:
    try:
        yield from batches
    except Exception as error:  # whatever a tokenizer or a component before this one raises
        failures.append(error)


def _take(waiting: "Deque[_Ahead]") -> Tuple[List[Doc], Callable[[], Any]]:
    ahead = waiting.popleft()
    return ahead.docs, ahead.get
