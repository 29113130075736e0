"""Matrix products whose rows do not depend on how many there are."""

from typing import Any

import numpy as np

# Rows of one product. Their number decides how BLAS adds up: with always the same one, a token's
# emissions do not depend on what else is in the batch.
BLOCK = 64


def multiply(weights: np.ndarray, rows: Any) -> np.ndarray:
    """Return `rows @ weights`, block by block."""
    n_whole = len(rows) - len(rows) % BLOCK
    rest = np.zeros((BLOCK, rows.shape[1]), dtype=np.float32)
    rest[: len(rows) - n_whole] = rows[n_whole:]
    whole = rows[:n_whole].reshape(-1, BLOCK, rows.shape[1]) @ weights
    product = np.concatenate([whole.reshape(n_whole, weights.shape[1]), rest @ weights])
    return product[: len(rows)]
