"""Flags on the tokens of the names of a term table; needs no torch."""

from dataclasses import asdict
from pathlib import PurePath
from typing import Any, Callable, Dict, List, Optional, Sequence, cast

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from spacy_bioner.architectures.pieces.alignment import token_offsets
from spacy_bioner.knowledge.matcher import TermMatch, TermMatcher

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
    texts = ((doc.text, *token_offsets(doc)) for doc in docs)
    drawn: Dict[str, bool] = {}
    found: List[Any] = []
    for doc, matches in zip(docs, matcher.find_all(texts, nested=False), strict=True):
        flags = np.zeros((len(doc), N_PLACES * len(labels)), dtype=np.float32)
        for match in matches:
            if leaves_out is None or not _is_left_out(doc, match, drawn, leaves_out):
                _mark(flags, match, columns[matcher.table[match.term_index].label])
        found.append(flags)
    return found


def describe_table(model: Model) -> Optional[Dict[str, Any]]:
    """Say which terms are features of a model, and where they come from; None without any.

    RETURNS (Optional[Dict[str, Any]]): The file's name, the number of terms, sources and rules, as
        values of JSON.
    """
    for node in model.walk():
        if node.name in (FEATURES, EXPORTED_FEATURES):
            shim = cast(Any, node.shims[0])
            table = (shim if node.name == EXPORTED_FEATURES else shim.module).matcher.table
            return {
                "table": PurePath(node.attrs["path"] or "").name,
                "n_terms": len(table),
                "sources": [asdict(source) for source in table.sources],
                "rules": dict(table.rules),
            }
    return None


def _mark(flags: NDArray[np.float32], match: TermMatch, column: int) -> None:
    start, last = match.start, match.end - 1
    if start == last:
        flags[start, column + SINGLE] = 1
        return
    flags[start, column + BEGIN] = 1
    flags[start + 1 : last, column + INSIDE] = 1
    flags[last, column + END] = 1


def _is_left_out(
    doc: Doc, match: TermMatch, drawn: Dict[str, bool], leaves_out: Callable[[], bool]
) -> bool:
    name = doc[match.start : match.end].text.lower()
    if name not in drawn:
        drawn[name] = leaves_out()
    return drawn[name]
