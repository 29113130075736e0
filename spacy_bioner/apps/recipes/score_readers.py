"""Rows for a recipe's summary from the JSON of the commands that have scores."""

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Mapping

from spacy_bioner.training.results.recipes import ScoreRow

_SPANS = "spans"


def _read_evaluation(title: str, data: Any) -> Iterator[ScoreRow]:
    split = Path(data["corpus"]).stem
    labels = f", {' and '.join(data['labels'])} only" if data.get("labels") else ""
    group = data.get("spans_key")
    for source, name in (("pipeline", ""), (_SPANS, f", all of doc.spans[{group!r}]")):
        if source in data["scores"]:
            row = data["scores"][source]["micro"]
            yield _make_row(title + name, f"{split}{labels}", row)


def _read_comparison(title: str, data: Any) -> Iterator[ScoreRow]:
    for item in data:
        scores = item["scores"] or {}
        values = {name: scores[name]["value"] for name in scores if isinstance(scores[name], dict)}
        yield _make_row(f"{item['name']} ({item['source']})", "test", values)


def _read_folds(title: str, data: Any) -> Iterator[ScoreRow]:
    number = len(data["folds"])
    yield _make_row(title, f"training documents, {number} folds", data["pooled"])


READERS: Dict[str, Callable[[str, Any], Iterator[ScoreRow]]] = {
    "evaluate": _read_evaluation,
    "compare": _read_comparison,
    "kfold": _read_folds,
}


def _make_row(system: str, data: str, values: Mapping[str, Any]) -> ScoreRow:
    shares = {name: values.get(name) for name in ("precision", "recall", "f_score")}
    percents = {name: None if v is None else 100 * v for name, v in shares.items()}
    return ScoreRow(system, data, mentions=values.get("gold"), **percents)
