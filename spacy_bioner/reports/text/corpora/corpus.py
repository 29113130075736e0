"""A corpus in numbers, as text for a terminal."""

from dataclasses import replace
from typing import List, Sequence

from spacy_bioner.corpora.statistics.corpus import CorpusStatistics
from spacy_bioner.corpora.statistics.vocabulary_overlap import Overlap
from spacy_bioner.reports.scores import DASH
from spacy_bioner.reports.tables import Table, render_table, shorten
from spacy_bioner.reports.text.corpora.corpus_tables import (
    list_lengths,
    tabulate_label_counts,
    tabulate_overlap,
    tabulate_overview,
    whole,
)

SHOWN_LABELS = 12
SHOWN_NAMES = 3
SHOWN_WIDTH = 44
_ALWAYS = frozenset(("documents", "sentences", "words", "mentions", "labels"))


def render_corpus_summary(
    corpora: Sequence[CorpusStatistics], overlaps: Sequence[Overlap] = ()
) -> str:
    """Render what is most worth knowing of one or more corpora; the page has all of it.

    overlaps (Sequence[Overlap]): Of the corpora behind the first, with the first.
    """
    overview = tabulate_overview(corpora)
    # What no corpus has is left to the page.
    rows = [row for row in overview.rows if row[0] in _ALWAYS or set(row[1:]) - {"0", DASH}]
    parts = [_render(replace(overview, rows=tuple(rows)))]
    labels = tabulate_label_counts(corpora)
    if labels.rows:
        parts.append(_render(labels, rows=SHOWN_LABELS))
    if overlaps:
        parts.append(_render(tabulate_overlap(overlaps)))
    notes = [line for corpus in corpora for line in _list_notes(corpus)]
    if notes:
        parts.append("\n".join(notes))
    return "\n\n".join(parts)


def _render(table: Table, *, rows: int = 0) -> str:
    shown = [[shorten(cell, SHOWN_WIDTH) for cell in row] for row in table.rows]
    left = len(shown) - rows
    more = f"\n  … {left} more" if rows and left > 0 else ""
    shown = shown[:rows] if rows else shown
    header = [shorten(cell, SHOWN_WIDTH) for cell in table.header]
    return f"{table.caption}\n{render_table(header, shown, right=table.right)}{more}"


def _list_notes(corpus: CorpusStatistics) -> List[str]:
    notes: List[str] = []
    for lengths in list_lengths(corpus)[:3]:
        names = [f"{item.document} ({whole(item.length)})" for item in lengths.outliers]
        what = f"{lengths.of} of unusual length in words"
        notes += _note(corpus, lengths.n_outliers, what, names)
    names = list(corpus.documents_without_mentions)
    notes += _note(corpus, corpus.n_documents_without_mentions, "documents without mentions", names)
    for items, total, readings in (
        (corpus.label_ambiguity, corpus.n_label_ambiguity, "labels"),
        (corpus.concept_ambiguity, corpus.n_concept_ambiguity, "concepts"),
    ):
        names = [
            f"{item.surface} ({', '.join(name for name, _ in item.readings)})" for item in items
        ]
        notes += _note(corpus, total, f"surfaces with several {readings}", names)
    return notes


def _note(corpus: CorpusStatistics, number: int, what: str, names: Sequence[str]) -> List[str]:
    if not number:
        return []
    noun, _, rest = what.partition(" ")
    counted = f"{whole(number)} {noun if number > 1 else noun.removesuffix('s')} {rest}"
    shown = [shorten(name, SHOWN_WIDTH) for name in names[:SHOWN_NAMES]]
    more = ", …" if number > len(shown) else ""
    return [f"{corpus.name}: {counted}: {', '.join(shown)}{more}"]
