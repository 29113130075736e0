"""Batches that a model computes while those before them are annotated and read by others."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, Callable, Deque, Iterable, Iterator, List, Tuple

from spacy.tokens import Doc
from thinc.api import Model

# Batches of Docs under way: one computes, the next one is laid out meanwhile.
DEPTH = 2
Result = Callable[[], Any]


def count_ahead(model: Model, batch_size: int) -> int:
    """Return how many batches a model is to compute ahead of what was asked for.

    Only exported encoders with several threads do: they compute outside of Python. Who asks for
    batches of one wants each document before giving the next one.
    """
    encoders = [node for node in model.walk() if "threads" in node.attrs and node.shims]
    if batch_size < 2 or not encoders:
        return 0
    shims: List[Any] = [node.shims[0] for node in encoders]
    return DEPTH if all(shim.is_ready and shim.runner.threads > 1 for shim in shims) else 0


def predict_ahead(
    predict: Callable[[List[Doc]], Any], batches: Iterable[List[Doc]], *, depth: int
) -> Iterator[Tuple[List[Doc], Result]]:
    """Start to predict batches before their results are asked for.

    depth (int): How many batches are taken from the stream ahead; with 0, none is.
    YIELDS (Tuple[List[Doc], Callable]): Each batch, and what gives its result: `predict`'s, or its
        exception. Where the stream itself fails, that is told behind the batches before it.
    """
    if not depth:
        yield from ((docs, partial(predict, docs)) for docs in batches)
        return
    waiting: Deque[Tuple[List[Doc], Future[Any]]] = deque()
    failures: List[Exception] = []
    pool = ThreadPoolExecutor(depth, "bioner-ahead")
    try:
        for docs in _until_failure(batches, failures):
            waiting.append((docs, pool.submit(copy_context().run, predict, docs)))
            if len(waiting) > depth:
                yield _take(waiting)
        while waiting:
            yield _take(waiting)
    finally:
        pool.shutdown(cancel_futures=True)
    if failures:
        raise failures[0]


def _until_failure(batches: Iterable[List[Doc]], failures: List[Exception]) -> Iterator[List[Doc]]:
    try:
        yield from batches
    except Exception as error:  # whatever a tokenizer or a component before this one raises
        failures.append(error)


def _take(waiting: Deque[Tuple[List[Doc], "Future[Any]"]]) -> Tuple[List[Doc], Result]:
    docs, future = waiting.popleft()
    return docs, future.result
