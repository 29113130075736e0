"""Two evaluations on the same documents, as `bioner evaluate --output` wrote them, compared."""

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.significance import PairedComparison, compare_systems
from spacy_bioner.evaluation.scores import Counts

EXPECTED = "expected the JSON of `bioner evaluate --output`"


def compare_evaluations(
    first: Path, second: Path, *, seed: int = 0, n_resamples: int, n_shuffles: int
) -> PairedComparison:
    """Compare two evaluations.

    RAISES (ConfigError): No such file, a file of another kind, and evaluations of different
        documents or labels.
    """
    left, right = read_evaluation(first), read_evaluation(second)
    other = find_difference(left, right)
    if other:
        raise ConfigError(
            f"{first} and {second}: found other {other} in one than in the other; evaluate "
            "both on the same file, with the same --label"
        )
    return compare_systems(
        _list_counts(left),
        _list_counts(right),
        seed=seed,
        n_resamples=n_resamples,
        n_shuffles=n_shuffles,
    )


def find_difference(left: Mapping[str, Any], right: Mapping[str, Any]) -> Optional[str]:
    """Say why two evaluations cannot be compared: by "documents", "labels" or "gold mentions".

    left, right (Mapping[str, Any]): As `read_evaluation` gives them.
    RETURNS (Optional[str]): None where they can.
    """
    # Evaluations of before texts were told apart have none.
    texts = [data.get("texts") for data in (left, right)]
    if left["ids"] != right["ids"] or (None not in texts and texts[0] != texts[1]):
        return "documents"
    if left.get("labels") != right.get("labels"):
        return "labels"
    gold = [[counts.gold for counts in _list_counts(data)] for data in (left, right)]
    return None if gold[0] == gold[1] else "gold mentions"


def read_evaluation(path: Path) -> Dict[str, Any]:
    """Read what `bioner evaluate --output` or `bioner report` has written.

    RAISES (ConfigError): No such file, and one of another kind.
    """
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise ConfigError(f"{path}: found {what}, {EXPECTED}")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: found no JSON ({error}), {EXPECTED}") from error
    measured = data.get("measurement") if isinstance(data, dict) else None
    if not isinstance(measured, dict) or "documents" not in measured:
        raise ConfigError(f"{path}: found no counts of documents, {EXPECTED}")
    return data


def _list_counts(data: Mapping[str, Any]) -> List[Counts]:
    return [Counts(*row) for row in data["measurement"]["documents"]]
