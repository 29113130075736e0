"""Batches and memory: what does not fit is learned from in halves, with the same result, and long
documents go through a model few at a time."""

import logging
from typing import Any, Callable, Iterable, Iterator, List, Sequence

from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model

from spacy_bioner.errors import TrainingDataError
from spacy_bioner.layers.out_of_memory import free_memory, is_out_of_memory

logger = logging.getLogger(__name__)
# What a model holds of each token counts in kilobytes.
MOST_TOKENS = 50_000

Learn = Callable[[List[Example], float], None]


def bounded_batches(stream: Iterable[Doc], size: int) -> Iterator[List[Doc]]:
    """Group Docs, in order: at most `size` together, and `MOST_TOKENS` tokens, or a single one."""
    batch: List[Doc] = []
    n_tokens = 0
    for doc in stream:
        if batch and (len(batch) >= size or n_tokens + len(doc) > MOST_TOKENS):
            yield batch
            batch, n_tokens = [], 0
        batch.append(doc)
        n_tokens += len(doc)
    if batch:
        yield batch


def learn_in_parts(
    model: Model, examples: Sequence[Example], weights: Sequence[int], learn: Learn
) -> int:
    """Learn from a batch, or from halves of it where it does not fit into memory, and so on.

    Gradients that are there already stay as they are, also when an attempt fails half-way.

    model (Model): Whose torch gradients `learn` adds to.
    examples (Sequence[Example]): The batch.
    weights (Sequence[int]): How much each example counts in the mean over the batch.
    learn (Callable): Learns from some examples, their loss and gradient times a share of 1.
    RETURNS (int): How often something was halved.
    RAISES (TrainingDataError): Where a single document does not fit.
    """
    total = max(sum(weights), 1)
    waiting = [(0, len(examples))]
    n_splits = 0
    while waiting:
        start, end = waiting.pop()
        share = sum(weights[start:end]) / total if end - start < len(examples) else 1.0
        if _fits(model, learn, list(examples[start:end]), share):
            continue
        if end - start == 1:
            doc = examples[start].predicted
            raise TrainingDataError(
                f"a document of {len(doc):,} tokens ({doc.text[:40]!r}…) does not fit into memory "
                "for training: set checkpointing = true, or a smaller window or batch_pieces"
            )
        n_splits += 1
        middle = (start + end) // 2
        logger.warning("out of memory: a batch of %d documents is halved", end - start)
        waiting += [(middle, end), (start, middle)]
    return n_splits


def _fits(model: Model, learn: Learn, examples: List[Example], share: float) -> bool:
    before = _copy_gradients(model)
    try:
        learn(examples, share)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    else:
        return True
    # Outside of the handler: see `free_memory`.
    for parameter, gradient in before:
        parameter.grad = gradient
    free_memory()
    return False


def _copy_gradients(model: Model) -> List[Any]:
    """Keep gradients of batches before this one; where there are none, nothing is copied."""
    from spacy_bioner.architectures.torch_bridge import torch_shims

    return [
        (parameter, None if parameter.grad is None else parameter.grad.clone())
        for shim in torch_shims(model)
        for parameter in shim.module.parameters()
    ]
