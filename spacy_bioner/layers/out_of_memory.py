"""When memory runs out, on a GPU or on the CPU: tell it, free what can be, go on with less."""

import gc
import logging
from typing import Any, Callable

logger = logging.getLogger(__name__)
# What torch says where it has no exception of its own: on the CPU.
_SIGNS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception says that memory ran out, on a GPU or on the CPU."""
    # By name: torch need not be imported for it.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def free_memory() -> None:
    """Let go of what nobody refers to any more. Call it outside of the exception's handler, whose
    traceback holds what filled the memory."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def run_in_halves(run: Callable[..., Any], *rows: Any) -> Any:
    """Run on tensors, or on halves of their rows where memory does not hold all, and so on.

    run (Callable): Takes the tensors, all of as many rows, and returns one of as many.
    RAISES (RuntimeError): As torch does, where memory does not hold a single row.
    """
    n_rows = len(rows[0])
    try:
        return run(*rows)
    except (RuntimeError, MemoryError) as error:
        if n_rows < 2 or not is_out_of_memory(error):
            raise
    free_memory()
    logger.warning(
        "out of memory: a batch of %d windows is halved; set the encoder's batch_pieces lower",
        n_rows,
    )
    import torch

    middle = n_rows // 2
    parts = (tuple(own[:middle] for own in rows), tuple(own[middle:] for own in rows))
    return torch.cat([run_in_halves(run, *part) for part in parts])
