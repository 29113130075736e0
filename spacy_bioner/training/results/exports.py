"""What an export came to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Sequence

from spacy_bioner.evaluation.bootstrap.significance import PairedComparison

# Where a pipeline's meta has what `Exported.to_json` gives.
META_KEY = "export"


@dataclass(frozen=True)
class Exported:
    """An exported pipeline beside the one that it was made from, on development documents.

    output (Path): Its folder.
    precision (str): "float32" or "int8".
    kept (Sequence[str]): Products that stayed in float32, for accuracy; of how many: `n_products`.
    compared (PairedComparison): First the trained one in float32, second the exported one.
    n_changed (int): Documents whose entities differ.
    n_bytes (int): Of the folder.
    """

    output: Path
    precision: str
    kept: Sequence[str]
    n_products: int
    compared: PairedComparison
    n_changed: int
    n_bytes: int

    def to_json(self) -> Dict[str, Any]:
        """Return what is kept in the pipeline's meta."""
        return {
            "precision": self.precision,
            "kept_in_float32": list(self.kept),
            "n_products": self.n_products,
            "compared": self.compared.to_json(),
            "n_changed": self.n_changed,
        }
