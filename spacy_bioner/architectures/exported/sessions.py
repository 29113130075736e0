"""Sessions of onnxruntime, and batches that go through them side by side.

Threads are started for each run, not kept: kept ones end before those that a program leaves running
behind its last line, and are not there in a forked process.
"""

import ctypes
import os
import threading
import weakref
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, TypeVar

from spacy_bioner.cores import count_threads
from spacy_bioner.errors import EncoderError

Batch = TypeVar("Batch")
Result = TypeVar("Result")
# Set in the context of work that somebody may come to want no more.
STOPPED: ContextVar[Optional[threading.Event]] = ContextVar("bioner_stopped", default=None)
_OPEN: "weakref.WeakSet[Any]" = weakref.WeakSet()
_MAKING = threading.Lock()


def making() -> threading.Lock:
    """Return the lock under which runners are made; a forked process has its own."""
    return _MAKING


class AbandonedError(Exception):
    """Nobody waits for the result any more."""


def _begin_forked() -> None:
    global _MAKING
    _MAKING = threading.Lock()
    # The end of a session waits for its threads, which a forked process does not have: there,
    # sessions of the process that it comes from never end.
    for session in list(_OPEN):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_forked)


class GraphRunner:
    """A graph that is ready to run in this process.

    Several batches go through one session, a thread for each: they wait for nobody, where threads
    that share a batch meet behind every product. Fewer batches than threads go through another
    session one after the other, and all threads share each.

    threads (int): How many batches are computed at a time; 0: see `count_threads`.
    """

    def __init__(self, graph: bytes, threads: int = 0) -> None:
        # Sessions do not survive a fork.
        self.process = os.getpid()
        self.graph = graph
        self.threads = threads or count_threads()
        self._sessions: Dict[int, Any] = {}
        self._lock = threading.Lock()
        # Of all runs that are under way.
        self._slots = threading.Semaphore(self.threads)

    def run_each(
        self, use: Callable[[Any, Batch], Result], batches: Sequence[Batch]
    ) -> Iterator[Result]:
        """Use a session on each batch.

        use (Callable): Takes a session and a batch; several calls run at a time.
        YIELDS (Result): What it returns, in the order of the batches.
        RAISES (EncoderError): See `open_session`.
        RAISES (AbandonedError): Between two batches, where `STOPPED` is set.
        """
        if self.threads == 1 or len(batches) < self.threads:
            session = self.find_session(self.threads)
            for batch in batches:
                check_stopped()
                yield use(session, batch)
            return
        run = _Run(partial(use, self.find_session(1)), batches, self._slots)
        yield from run.finish(self.threads - 1)

    def find_session(self, threads: int) -> Any:
        """Return the session of which so many threads share each product; opens it at first."""
        with self._lock:
            if threads not in self._sessions:
                self._sessions[threads] = open_session(self.graph, threads)
            return self._sessions[threads]


def check_stopped() -> None:
    """Go on, unless nobody may want the result.

    RAISES (AbandonedError): Where `STOPPED` is set in this context, and at the interpreter's end.
    """
    stopped = STOPPED.get()
    # At the interpreter's end the main thread waits for all others.
    if stopped and (stopped.is_set() or not threading.main_thread().is_alive()):
        raise AbandonedError


class _Run:
    """Batches that the caller's thread and helpers compute, each taking the next that is left."""

    def __init__(
        self, use: Callable[[Any], Any], batches: Sequence[Any], slots: threading.Semaphore
    ) -> None:
        self.use = use
        self.batches = batches
        self.slots = slots
        self._results: List[Any] = [None] * len(batches)
        self._errors: List[BaseException] = []
        self._left = iter(range(len(batches)))
        self._lock = threading.Lock()

    def finish(self, n_helpers: int) -> List[Any]:
        """Compute all batches."""
        helpers = self._start(n_helpers)
        try:
            self._work()
        finally:
            # An interrupt comes to the caller's thread alone.
            self._left = iter(())
            for helper in helpers:
                helper.join()
        if self._errors:
            raise self._errors[0]
        return self._results

    def _start(self, n_helpers: int) -> List[threading.Thread]:
        helpers: List[threading.Thread] = []
        for _ in range(n_helpers):
            run = copy_context().run
            helper = threading.Thread(target=run, args=(self._work,), name="bioner-onnx")
            try:
                helper.start()
            except RuntimeError:
                # The interpreter is ending: the caller's thread does it all.
                break
            helpers.append(helper)
        return helpers

    def _work(self) -> None:
        try:
            while (number := self._take()) is not None:
                check_stopped()
                with self.slots:
                    self._results[number] = self.use(self.batches[number])
        except BaseException as error:  # whatever it is, the caller's thread raises it
            self._errors.append(error)
            self._left = iter(())

    def _take(self) -> Optional[int]:
        with self._lock:
            return next(self._left, None)


def make_options(threads: int = 0) -> Any:
    """Return the settings of a session; see `open_session`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or count_threads()
    options.inter_op_num_threads = 1
    # What pays is in the graph already; more would fuse additions and normalizations, see `graph`.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    # Errors only: it warns of processors that it does not know.
    options.log_severity_level = 3
    return options


def open_session(graph: bytes, threads: int = 0) -> Any:
    """Open a session on the CPU.

    threads (int): Of one product; 0: see `count_threads`.
    RAISES (EncoderError): Where onnxruntime cannot run the graph.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    options = make_options(threads)
    kinds = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented")
    refused = tuple(getattr(states, kind) for kind in kinds)
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except refused as error:
        reason = str(error).strip().splitlines()[0]
        raise EncoderError(
            f"exported encoder: onnxruntime {onnxruntime.__version__} cannot run the graph "
            f"({reason}); install a newer onnxruntime, or export the pipeline again"
        ) from error
    _OPEN.add(session)
    return session
