"""Words that may stand for each other, or be left out: learned from the names of a store.

Two forms of a label that differ in one word ("breast cancer", "breast carcinoma") name one concept
or two. How often the one and how often the other happens is counted for each pair of words, the
empty word included ("breast cancer", "familial breast cancer"), and what a pair is worth is the
part of cases in which the concept stays.
"""

import sqlite3
from collections import Counter
from itertools import combinations
from typing import FrozenSet, Iterator, List, Tuple

# Forms of more words are sentences, with a context of their own each.
MAX_WORDS = 6
# A context in which more words stand is none: "… disease".
MAX_ALTERNATIVES = 64
MIN_RIGHT = 2
MIN_BELIEF = 0.2

Alternative = Tuple[str, FrozenSet[int]]
"""A word of a context, and the concepts that the whole form names."""


def write_edits(db: sqlite3.Connection) -> None:
    """Learn the pairs of words of each label, and write both ways of each."""
    db.execute("CREATE TEMP TABLE context (label INTEGER, rest TEXT, word TEXT, form TEXT)")
    db.executemany("INSERT INTO context VALUES (?, ?, ?, ?)", _list_contexts(db))
    db.execute("CREATE INDEX temp.context_rest ON context (label, rest)")
    right: Counter[Tuple[int, str, str]] = Counter()
    for label, alternatives in _group(db):
        for one, other in _pair(alternatives):
            if one[1] & other[1]:
                right[label, one[0], other[0]] += 1
    kept = {pair for pair, count in right.items() if count >= MIN_RIGHT}
    wrong: Counter[Tuple[int, str, str]] = Counter()
    for label, alternatives in _group(db):
        for one, other in _pair(alternatives):
            pair = (label, one[0], other[0])
            if pair in kept and not one[1] & other[1]:
                wrong[pair] += 1
    rows = []
    for pair in sorted(kept):
        belief = right[pair] / (right[pair] + wrong[pair] + 1)
        if belief >= MIN_BELIEF:
            label, old, new = pair
            rows += [(label, old, new, belief), (label, new, old, belief)]
    db.executemany("INSERT INTO edit VALUES (?, ?, ?, ?)", rows)
    db.execute("DROP TABLE temp.context")


def read_edits(db: sqlite3.Connection, label: int, old: str) -> List[Tuple[str, float]]:
    """Return the words that may stand for one, "" for none, and how much that is to be believed."""
    query = "SELECT new, belief FROM edit WHERE label = ? AND old = ? ORDER BY belief DESC, new"
    return db.execute(query, (label, old)).fetchall()


def _list_contexts(db: sqlite3.Connection) -> Iterator[Tuple[int, str, str, str]]:
    for label, key in db.execute("SELECT label, key FROM form").fetchall():
        words = key.split()
        if not 1 <= len(words) <= MAX_WORDS:
            continue
        # The form is the context of what has one word more.
        yield label, key, "", key
        if len(words) > 1:
            for at, word in enumerate(words):
                yield label, " ".join(words[:at] + words[at + 1 :]), word, key


def _group(db: sqlite3.Connection) -> Iterator[Tuple[int, List[Alternative]]]:
    """Stream the alternatives of each context of a label."""
    query = "SELECT label, rest, word, form FROM temp.context ORDER BY label, rest"
    known: Tuple[int, str] = (-1, "")
    rows: List[Tuple[str, str]] = []
    for label, rest, word, form in db.execute(query):
        if (label, rest) != known:
            yield from _name(db, known[0], rows)
            known, rows = (label, rest), []
        rows.append((word, form))
    yield from _name(db, known[0], rows)


def _name(
    db: sqlite3.Connection, label: int, rows: List[Tuple[str, str]]
) -> Iterator[Tuple[int, List[Alternative]]]:
    if not 2 <= len(rows) <= MAX_ALTERNATIVES:
        return
    query = (
        "SELECT concept FROM name JOIN concept ON concept.number = name.concept "
        "WHERE form = ? AND label = ?"
    )
    yield (
        label,
        [
            (word, frozenset(row[0] for row in db.execute(query, (form, label))))
            for word, form in rows
        ],
    )


def _pair(alternatives: List[Alternative]) -> Iterator[Tuple[Alternative, Alternative]]:
    return combinations(sorted(alternatives, key=lambda item: item[0]), 2)
