"""Sessions of onnxruntime, and batches that go through them side by side."""

import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Sequence, TypeVar

from spacy_bioner.cores import count_threads
from spacy_bioner.errors import EncoderError

Batch = TypeVar("Batch")
Result = TypeVar("Result")
# The end of a session waits for its threads, which a forked process does not have: there, sessions
# of the process that it comes from never end.
_OPEN: "weakref.WeakSet[Any]" = weakref.WeakSet()
_INHERITED: List[Any] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _INHERITED.extend(_OPEN))


class GraphRunner:
    """A graph that is ready to run in this process.

    Several batches go through one session, a thread for each: they wait for nobody, where threads
    that share a batch meet behind every product. Fewer batches than threads go through another
    session one after the other, and all threads share each.

    threads (int): How many compute at a time; 0: see `count_threads`.
    """

    def __init__(self, graph: bytes, threads: int = 0) -> None:
        # Neither sessions nor threads survive a fork.
        self.process = os.getpid()
        self.graph = graph
        self.threads = threads or count_threads()
        self._sessions: Dict[int, Any] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(self.threads, "bioner-onnx")

    def run_each(
        self, use: Callable[[Any, Batch], Result], batches: Sequence[Batch]
    ) -> Iterator[Result]:
        """Use a session on each batch.

        use (Callable): Takes a session and a batch; several calls run at a time.
        YIELDS (Result): What it returns, in the order of the batches.
        RAISES (EncoderError): See `open_session`.
        """
        if self.threads == 1 or len(batches) < self.threads:
            return map(partial(use, self.find_session(self.threads)), batches)
        return self._pool.map(partial(use, self.find_session(1)), batches)

    def find_session(self, threads: int) -> Any:
        """Return the session of which so many threads share each product; opens it at first."""
        with self._lock:
            if threads not in self._sessions:
                self._sessions[threads] = open_session(self.graph, threads)
            return self._sessions[threads]


def open_session(graph: bytes, threads: int = 0) -> Any:
    """Open a session on the CPU.

    threads (int): Of one product; 0: see `count_threads`.
    RAISES (EncoderError): Where onnxruntime cannot run the graph.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or count_threads()
    options.inter_op_num_threads = 1
    # What pays is in the graph already; more would fuse additions and normalizations, see `graph`.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    # Errors only: it warns of processors that it does not know.
    options.log_severity_level = 3
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
