"""The numbers of a corpus as tables, for the terminal and for the page."""

from typing import List, Optional, Sequence, Tuple

from spacy_bioner.corpora.statistics.corpus import (
    TOP_MENTIONS,
    CorpusStatistics,
    LabelStatistics,
)
from spacy_bioner.corpora.statistics.lengths import Lengths
from spacy_bioner.corpora.statistics.mention_counts import Ambiguity
from spacy_bioner.corpora.statistics.vocabulary_overlap import MEASURES, Overlap, SeenShare
from spacy_bioner.reports.scores import DASH
from spacy_bioner.reports.tables import Table

MAX_READINGS = 4


def tabulate_overview(corpora: Sequence[CorpusStatistics]) -> Table:
    """Put what can be said in one number side by side, a column a corpus."""
    rows: List[Tuple[str, ...]] = [
        ("documents", *(whole(c.documents) for c in corpora)),
        ("… without mentions", *(whole(c.n_documents_without_mentions) for c in corpora)),
        ("sentences", *(whole(c.sentences) for c in corpora)),
        ("words", *(whole(c.words) for c in corpora)),
        ("characters", *(whole(c.characters) for c in corpora)),
        ("mentions", *(whole(c.mentions) for c in corpora)),
        ("… for 100 words", *(_ratio(100 * c.mentions, c.words) for c in corpora)),
        ("different surfaces", *(whole(c.surfaces) for c in corpora)),
        ("… with one mention", *(whole(c.singletons) for c in corpora)),
        ("different concepts", *(whole(c.concepts) for c in corpora)),
        ("surfaces with several labels", *(whole(c.n_label_ambiguity) for c in corpora)),
        ("surfaces with several concepts", *(whole(c.n_concept_ambiguity) for c in corpora)),
    ]
    kinds = list(dict.fromkeys(kind for corpus in corpora for kind in corpus.nesting))
    rows += [(f"mentions, {kind}", *(whole(c.nesting[kind]) for c in corpora)) for kind in kinds]
    rows += [
        ("mentions that do not fit the text", *(whole(c.unusable) for c in corpora)),
        ("labels", *(whole(len(c.labels)) for c in corpora)),
        ("… effective number", *(decimal(c.effective_labels) for c in corpora)),
        ("… entropy (bits)", *(decimal(c.entropy) for c in corpora)),
        ("… most frequent / rarest", *(decimal(c.imbalance) for c in corpora)),
        ("share of words outside (O)", *(percent(c.outside_share) for c in corpora)),
        ("median words in a document", *(_quantile(c.document_words.median) for c in corpora)),
        ("median words in a sentence", *(_quantile(c.sentence_words.median) for c in corpora)),
        ("median words in a mention", *(_quantile(c.mention_words.median) for c in corpora)),
    ]
    return _table("Numbers of each corpus", ("", *(c.name for c in corpora)), rows, text_columns=1)


def tabulate_label_counts(corpora: Sequence[CorpusStatistics]) -> Table:
    """Put the mentions of each label side by side, a column a corpus."""
    names = list(dict.fromkeys(label.label for corpus in corpora for label in corpus.labels))
    counts = [{label.label: label.mentions for label in corpus.labels} for corpus in corpora]
    rows = []
    for name in names:
        cells = [
            f"{whole(count.get(name, 0))} {_in_brackets(count.get(name, 0), corpus.mentions)}"
            for count, corpus in zip(counts, corpora, strict=True)
        ]
        rows.append((name, *cells))
    header = ("label", *(corpus.name for corpus in corpora))
    return _table("Mentions of each label", header, rows, text_columns=1)


def tabulate_labels(corpus: CorpusStatistics) -> Table:
    """List the labels of a corpus, the most frequent first."""
    rows = [
        (
            label.label,
            whole(label.mentions),
            percent(label.mentions / corpus.mentions),
            whole(label.documents),
            whole(label.surfaces),
            whole(label.singletons),
            whole(label.concepts),
            whole(label.without_concept),
            decimal(label.words.mean),
            whole(label.words.maximum),
        )
        for label in corpus.labels
    ]
    header = (
        *("label", "mentions", "share", "documents", "surfaces", "singletons", "concepts"),
        *("without concept", "mean words", "longest"),
    )
    return _table("Labels in numbers", header, rows, text_columns=1)


def tabulate_tags(corpus: CorpusStatistics) -> Table:
    """List the BIO tags with their words."""
    rows = [(tag, whole(n), percent(_share(n, corpus.words))) for tag, n in corpus.tags]
    return _table("Words with each tag", ("tag", "words", "share"), rows, text_columns=1)


def tabulate_lengths(corpus: CorpusStatistics) -> Table:
    """Sum up each distribution of lengths in a row."""
    rows = [
        (
            f"{lengths.of}: {lengths.unit}",
            whole(lengths.count),
            whole(lengths.minimum),
            _quantile(lengths.lower_quartile),
            _quantile(lengths.median),
            decimal(lengths.mean),
            _quantile(lengths.upper_quartile),
            _quantile(lengths.percentile_95),
            whole(lengths.maximum),
            whole(lengths.n_outliers),
        )
        for lengths in list_lengths(corpus)
    ]
    header = (
        *("", "number", "shortest", "lower quartile", "median", "mean", "upper quartile"),
        *("95 %", "longest", "outliers"),
    )
    return _table("Distributions of lengths", header, rows, text_columns=1)


def tabulate_outliers(lengths: Lengths) -> Table:
    """Name the documents, sentences or mentions of unusual length."""
    shown = len(lengths.outliers)
    number = whole(lengths.n_outliers)
    if shown < lengths.n_outliers:
        number = f"{shown} of {number}"
    caption = f"{lengths.of.capitalize()} of unusual length ({number})"
    if lengths.of == "documents":
        rows = [(whole(item.length), item.document) for item in lengths.outliers]
        return _table(caption, (lengths.unit, "document"), rows, right=(0,))
    located = [
        (whole(item.length), item.document, str(item.start_char), item.text)
        for item in lengths.outliers
    ]
    return _table(caption, (lengths.unit, "document", "offset", "text"), located, right=(0, 2))


def tabulate_top(label: LabelStatistics) -> Table:
    """List the most frequent mentions of a label."""
    rows = [
        (surface, whole(count), percent(count / label.mentions))
        for surface, count in label.top[:TOP_MENTIONS]
    ]
    caption = f"Most frequent mentions of {label.label}"
    return _table(caption, ("mention", "number", "share"), rows, text_columns=1)


def tabulate_ambiguity(items: Sequence[Ambiguity], total: int, reading: str) -> Table:
    """List surfaces with several readings.

    total (int): How many there are in all.
    reading (str): What they have several of: "labels" or "concepts".
    """
    rows = []
    for item in items:
        readings = [f"{name} {whole(count)}" for name, count in item.readings[:MAX_READINGS]]
        if len(item.readings) > MAX_READINGS:
            readings.append(f"{len(item.readings) - MAX_READINGS} more")
        rows.append((item.surface, whole(item.mentions), ", ".join(readings)))
    number = whole(total) if len(rows) == total else f"{len(rows)} of {whole(total)}"
    caption = f"Surfaces with several {reading} ({number})"
    return _table(caption, ("surface", "mentions", reading), rows, right=(1,))


def tabulate_overlap(overlaps: Sequence[Overlap]) -> Table:
    """List what was seen in training, for all mentions."""
    rows = [
        (overlap.other, share.measure, *_share_cells(share))
        for overlap in overlaps
        for share in overlap.of_label()
    ]
    header = ("corpus", "seen", *_SHARE_HEADER)
    caption = f"Seen in {overlaps[0].train}" if overlaps else "Seen in training"
    return _table(caption, header, rows, text_columns=2)


def tabulate_overlap_by_label(overlap: Overlap) -> Table:
    """List what was seen in training, label by label: the share of mentions, and their number."""
    labels = list(dict.fromkeys(share.label for share in overlap.shares if share.label))
    rows = []
    for label in labels:
        shares = overlap.of_label(label)
        cells = [percent(share.mention_share) for share in shares]
        rows.append((label, whole(shares[0].mentions), *cells))
    header = ("label", "mentions", *MEASURES)
    caption = f"Mentions of {overlap.other} seen in {overlap.train}"
    return _table(caption, header, rows, text_columns=1)


def list_lengths(corpus: CorpusStatistics) -> Tuple[Lengths, ...]:
    """Return the distributions that are shown of a corpus."""
    return (
        corpus.document_words,
        corpus.sentence_words,
        corpus.mention_words,
        corpus.mention_characters,
    )


def whole(number: Optional[int]) -> str:
    """Write a whole number; a dash for None."""
    return DASH if number is None else f"{number:,}"


def decimal(number: Optional[float]) -> str:
    """Write a number with two decimals, fewer where it is great; a dash for None."""
    if number is None:
        return DASH
    return f"{number:,.0f}" if number >= 1000 else f"{number:,.2f}"


def percent(share: Optional[float]) -> str:
    """Write a share of 0 to 1 as a percentage with one decimal; a dash for None."""
    return DASH if share is None else f"{100 * share:.1f} %"


_SHARE_HEADER = ("mentions", "of", "share", "different", "of", "share")


def _share_cells(share: SeenShare) -> Tuple[str, ...]:
    return (
        whole(share.mentions_seen),
        whole(share.mentions),
        percent(share.mention_share),
        whole(share.distinct_seen),
        whole(share.distinct),
        percent(share.distinct_share),
    )


def _quantile(number: Optional[float]) -> str:
    return DASH if number is None else f"{number:,g}"


def _ratio(over: float, under: float) -> str:
    return decimal(_share(over, under))


def _share(part: float, of: float) -> Optional[float]:
    return part / of if of else None


def _in_brackets(part: int, of: int) -> str:
    return f"({percent(_share(part, of))})"


def _table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    text_columns: int = 0,
    right: Sequence[int] = (),
) -> Table:
    """Make a table; with `text_columns`, all columns behind these hold numbers."""
    numbers = range(text_columns, len(header)) if text_columns else right
    return Table(caption, tuple(header), tuple(map(tuple, rows)), frozenset(numbers))
