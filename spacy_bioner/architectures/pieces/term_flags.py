"""Flags on the tokens of the names of a term table; needs no torch."""

from pathlib import PurePath
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, cast

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc, Span
from thinc.api import Model
from thinc.types import Floats2d

from spacy_bioner.architectures.pieces.alignment import tokenized_text
from spacy_bioner.knowledge.matcher import TermMatcher
from spacy_bioner.knowledge.table import TermTable

# A token begins, continues, ends or is a name: four flags for each label, as in BIOES.
BEGIN, INSIDE, END, SINGLE = range(4)
N_PLACES = 4
FEATURES, EXPORTED_FEATURES = "term_features", "exported_term_features"


def flag_terms(
    matcher: TermMatcher,
    docs: Sequence[Doc],
    *,
    leaves_out: Optional[Callable[[], bool]] = None,
) -> List[Floats2d]:
    """Mark the tokens of the longest names.

    leaves_out (Optional[Callable[[], bool]]): Draws for each name that stands in the texts whether
        it counts as unknown, wherever it stands.
    RETURNS (List[Floats2d]): 0 or 1 for each Doc; float32, shape (tokens, 4 × labels of the table),
        in the order of its labels.
    """
    labels = matcher.table.labels
    columns = {label: N_PLACES * index for index, label in enumerate(labels)}
    places = matcher.find_places(map(tokenized_text, docs), nested=False)
    drawn: Dict[str, bool] = {}
    found: List[Any] = []
    for doc, own in zip(docs, places, strict=True):
        flags = np.zeros((len(doc), N_PLACES * len(labels)), dtype=np.float32)
        for start, end, terms in own:
            if leaves_out is None or not _is_left_out(doc[start:end], drawn, leaves_out):
                for label in {matcher.table.label(index) for index in terms}:
                    _mark(flags[start:end], columns[label])
        found.append(flags)
    return found


def find_table(model: Model) -> Optional[Tuple[str, TermTable]]:
    """Return the terms that are features of a model, and the name of their file; None without."""
    for node in model.walk():
        if node.name in (FEATURES, EXPORTED_FEATURES):
            shim = cast(Any, node.shims[0])
            table = (shim if node.name == EXPORTED_FEATURES else shim.module).matcher.table
            # Pipelines of before have the whole path.
            return PurePath(node.attrs["path"] or "").name, table
    return None


def _mark(name: NDArray[np.float32], column: int) -> None:
    if len(name) == 1:
        name[0, column + SINGLE] = 1
        return
    name[0, column + BEGIN] = 1
    name[1:-1, column + INSIDE] = 1
    name[-1, column + END] = 1


def _is_left_out(span: Span, drawn: Dict[str, bool], leaves_out: Callable[[], bool]) -> bool:
    name = span.text.lower()
    if name not in drawn:
        drawn[name] = leaves_out()
    return drawn[name]
