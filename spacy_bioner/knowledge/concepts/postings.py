"""The index of character grams: which forms of a label have a gram, and how like a text they are.

Likeness is the cosine of the angle between two sets of grams, weighted by how rare they are. Common
grams weigh next to nothing. Gram by gram, the forms that have it are read from the file.
"""

import sqlite3
from array import array
from collections import defaultdict
from typing import DefaultDict, Iterable, List, Tuple

import numpy as np
from numpy.typing import NDArray

from spacy_bioner.knowledge.concepts.keys import WORD_MARK, list_grams

# Forms whose grams are in memory at a time.
_PART = 50_000


def write_forms(db: sqlite3.Connection) -> None:
    """Number the forms of all names, those of a label in a row, and index their grams."""
    db.execute(
        "INSERT INTO form (key, label) SELECT DISTINCT name.form, concept.label FROM name "
        "JOIN concept ON concept.number = name.concept WHERE name.form != '' "
        "ORDER BY concept.label, name.form"
    )
    labels = db.execute("SELECT label, min(number), count(*) FROM form GROUP BY label").fetchall()
    for label, first, n_forms in labels:
        db.execute(
            "UPDATE label SET first = ?, n_forms = ? WHERE number = ?", (first, n_forms, label)
        )
        _write_grams(db, label, first)
        _write_norms(db, label, n_forms)


def weigh(n_with: NDArray[np.int64], n_forms: int) -> NDArray[np.float64]:
    """Return the weights of grams that so many forms have."""
    return np.log((n_forms + 1) / (n_with + 0.5))


def _write_grams(db: sqlite3.Connection, label: int, first: int) -> None:
    found: DefaultDict[str, array[int]] = defaultdict(lambda: array("I"))
    rows = db.execute("SELECT number, key FROM form WHERE label = ? ORDER BY number", (label,))
    for count, (number, key) in enumerate(rows, start=1):
        for gram in list_grams(key):
            found[gram].append(number - first)
        if count % _PART == 0:
            _flush(db, label, found)
    _flush(db, label, found)


def _flush(db: sqlite3.Connection, label: int, found: DefaultDict[str, "array[int]"]) -> None:
    rows = ((label, gram, np.array(found[gram], dtype="<u4").tobytes()) for gram in sorted(found))
    db.executemany("INSERT INTO gram VALUES (?, ?, ?)", rows)
    found.clear()


def _write_norms(db: sqlite3.Connection, label: int, n_forms: int) -> None:
    squares = np.zeros(n_forms, dtype=np.float64)
    for gram, size in db.execute(
        "SELECT gram, sum(length(forms)) / 4 FROM gram WHERE label = ? GROUP BY gram", (label,)
    ).fetchall():
        weight = float(weigh(np.array(size), n_forms))
        for numbers in read_parts(db, label, gram):
            squares[numbers] += weight * weight
    blob = np.sqrt(squares).astype("<f4").tobytes()
    db.execute("INSERT INTO norm VALUES (?, ?)", (label, blob))


def read_parts(db: sqlite3.Connection, label: int, gram: str) -> List[NDArray[np.uint32]]:
    """Read which forms of a label have a gram, counted from the label's first."""
    query = "SELECT forms FROM gram WHERE label = ? AND gram = ?"
    return [np.frombuffer(blob, dtype="<u4") for (blob,) in db.execute(query, (label, gram))]


class GramIndex:
    """The grams of one label's forms.

    first (int): Number of the label's first form.
    """

    def __init__(self, db: sqlite3.Connection, label: int, first: int, n_forms: int) -> None:
        self._db, self._label, self._first, self._n_forms = db, label, first, n_forms
        (blob,) = db.execute("SELECT norms FROM norm WHERE label = ?", (label,)).fetchone()
        self._norms: NDArray[np.float32] = np.frombuffer(blob, dtype="<f4")

    def weigh_word(self, word: str) -> float:
        """Return how much a word says: the logarithm of how rare it is among the forms."""
        size = sum(map(len, read_parts(self._db, self._label, f"{WORD_MARK}{word}")))
        return float(weigh(np.array(size), self._n_forms))

    def search(self, form: str, *, n_best: int) -> List[Tuple[int, float]]:
        """Return the forms most like one: their numbers, and the cosines; the best first."""
        overlap = np.zeros(self._n_forms, dtype=np.float64)
        square = 0.0
        for gram in list_grams(form):
            parts = read_parts(self._db, self._label, gram)
            size = sum(map(len, parts))
            weight = float(weigh(np.array(size), self._n_forms))
            square += weight * weight
            for numbers in parts:
                overlap[numbers] += weight * weight
        touched = np.flatnonzero(overlap)
        if not len(touched):
            return []
        likeness = overlap[touched] / (self._norms[touched] * np.sqrt(square))
        best = _choose_best(likeness, n_best)
        return [(self._first + int(touched[at]), float(likeness[at])) for at in best]


def _choose_best(values: NDArray[np.float64], n_best: int) -> Iterable[int]:
    """Return where the greatest values stand; of equal ones the first."""
    if len(values) > n_best:
        # All that are as great as the last of the best.
        least = np.partition(values, -n_best)[-n_best]
        places = np.flatnonzero(values >= least)
    else:
        places = np.arange(len(values))
    order = np.argsort(-values[places], kind="stable")[:n_best]
    chosen: List[int] = places[order].tolist()
    return chosen
