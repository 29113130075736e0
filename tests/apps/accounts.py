"""Accounts of corpora as `bioner prepare` writes them, as far as a model card reads them."""

import json


def write_account(path, **labels):
    """Write the account of a corpus of three training documents.

    labels (Tuple[int, int]): All mentions of a label, and those that are exact.
    """
    by_label = {
        label: {"total": total, "exact": exact, "widened": 0, "narrowed": 0}
        for label, (total, exact) in labels.items()
    }
    count = {"total": sum(total for total, _ in labels.values()), "by_label": by_label}
    data = {
        "name": "tiny",
        "title": "Tiny corpus",
        "licence": "CC0-1.0",
        "splits": {"train": {"documents": 3, "count": count}},
    }
    path.write_text(json.dumps(data), encoding="utf-8")
    return path
