"""One self-contained HTML page on a corpus: plots, tables, word clouds. It loads nothing."""

from typing import Any, Callable, Sequence, Tuple

from markupsafe import Markup

from spacy_bioner.corpora.statistics.corpus import CorpusStatistics, LabelStatistics
from spacy_bioner.corpora.statistics.vocabulary_overlap import Overlap
from spacy_bioner.corpora.statistics.words import WORD_RULE
from spacy_bioner.extras import name_extra
from spacy_bioner.reports.html.elements import CorpusSection, LabelCard, Plot
from spacy_bioner.reports.html.pages import render_page
from spacy_bioner.reports.plots import corpora_compared as comparisons
from spacy_bioner.reports.plots import corpus as plots
from spacy_bioner.reports.plots.style import plot_style, render_svg, require_matplotlib
from spacy_bioner.reports.plots.word_clouds import has_word_clouds, lay_out_cloud
from spacy_bioner.reports.tables import Table
from spacy_bioner.reports.text.corpora import corpus_tables as tables
from spacy_bioner.reports.text.corpora.corpus_tables import decimal, percent, whole

TEMPLATE = "corpus.html.j2"
MAX_CLOUDS = 60
"""Labels of one corpus that get a word cloud, the most frequent ones."""


def render_corpus_page(
    corpora: Sequence[CorpusStatistics],
    overlaps: Sequence[Overlap] = (),
    *,
    title: str = "",
    clouds: bool = True,
) -> str:
    """Render the page.

    corpora (Sequence[CorpusStatistics]): At least one; the others are compared with the first.
    overlaps (Sequence[Overlap]): Of the others with the first.
    title (str): Of the page; by default the names of the corpora.
    clouds (bool): Draw word clouds, where the library for them is installed.
    RAISES (ConfigError): When matplotlib is not installed.
    """
    require_matplotlib()
    drawn = clouds and has_word_clouds()
    with plot_style():
        sections = [
            _make_section(corpus, f"corpus-{number}", drawn)
            for number, corpus in enumerate(corpora, start=1)
        ]
        shares = _draw_shares(corpora) if len(corpora) > 1 else None
        seen = _draw_overlap(overlaps) if overlaps else None
        seen_by_label = [
            _draw_overlap_by_label(overlap, number) for number, overlap in enumerate(overlaps, 1)
        ]
    return render_page(
        TEMPLATE,
        title=title or "Corpus report: " + ", ".join(corpus.name for corpus in corpora),
        word_rule=WORD_RULE,
        corpora=corpora,
        sections=sections,
        overview=tables.tabulate_overview(corpora),
        label_counts=tables.tabulate_label_counts(corpora),
        shares=shares,
        overlaps=overlaps,
        overlap_table=tables.tabulate_overlap(overlaps),
        seen=seen,
        seen_by_label=seen_by_label,
        cloud_note=_explain_clouds(clouds, max(len(corpus.labels) for corpus in corpora)),
    )


def _make_section(corpus: CorpusStatistics, anchor: str, clouds: bool) -> CorpusSection:
    def draw(make: Callable[[CorpusStatistics], Any], caption: str) -> Plot:
        return _render(make(corpus), f"{anchor}-{make.__name__}", caption)

    return CorpusSection(
        corpus,
        anchor,
        facts=_list_facts(corpus),
        lengths=draw(
            plots.plot_lengths,
            f"How long the documents, sentences and mentions of {corpus.name} are. Bars give "
            "numbers, the line is the median; lengths beyond the far fence share the hatched bar.",
        ),
        labels=draw(plots.plot_labels, f"Mentions of each label in {corpus.name}."),
        tags=draw(
            plots.plot_tags, f"Words of {corpus.name} with each BIO tag, on a logarithmic scale."
        ),
        mention_lengths=draw(
            plots.plot_mention_lengths,
            f"How many words the mentions of each label in {corpus.name} have, "
            "as shares of the label's mentions.",
        ),
        tables={
            "lengths": tables.tabulate_lengths(corpus),
            "labels": tables.tabulate_labels(corpus),
            "tags": tables.tabulate_tags(corpus),
            "label_ambiguity": tables.tabulate_ambiguity(
                corpus.label_ambiguity, corpus.n_label_ambiguity, "labels"
            ),
            "concept_ambiguity": tables.tabulate_ambiguity(
                corpus.concept_ambiguity, corpus.n_concept_ambiguity, "concepts"
            ),
        },
        outliers=tuple(
            tables.tabulate_outliers(lengths)
            for lengths in tables.list_lengths(corpus)[:3]
            if lengths.outliers
        ),
        cards=tuple(
            _make_card(label, clouds and number < MAX_CLOUDS)
            for number, label in enumerate(corpus.labels)
        ),
    )


def _make_card(label: LabelStatistics, clouds: bool) -> LabelCard:
    cloud = lay_out_cloud(dict(label.top)) if clouds else None
    return LabelCard(label, tables.tabulate_top(label), cloud)


def _list_facts(corpus: CorpusStatistics) -> Tuple[Tuple[str, str], ...]:
    """Pick the numbers that stand large at the head of a section."""
    return (
        ("documents", whole(corpus.documents)),
        ("sentences", whole(corpus.sentences)),
        ("words", whole(corpus.words)),
        ("mentions", whole(corpus.mentions)),
        ("labels", whole(len(corpus.labels))),
        ("words outside", percent(corpus.outside_share)),
        ("most frequent / rarest label", decimal(corpus.imbalance)),
        ("different surfaces", whole(corpus.surfaces)),
    )


def _draw_shares(corpora: Sequence[CorpusStatistics]) -> Plot:
    names = ", ".join(corpus.name for corpus in corpora)
    caption = f"How the mentions of {names} spread over the labels."
    return _render(comparisons.plot_label_shares(corpora), "shares", caption)


def _draw_overlap(overlaps: Sequence[Overlap]) -> Plot:
    caption = (
        f"Share of the mentions, and of the different ones, that {overlaps[0].train} has as well: "
        "by surface, by surface and label, by concept id."
    )
    return _render(comparisons.plot_overlap(overlaps), "overlap", caption)


def _draw_overlap_by_label(overlap: Overlap, number: int) -> Tuple[Plot, Table]:
    caption = (
        f"Share of the mentions of each label in {overlap.other} that {overlap.train} has as well."
    )
    figure = comparisons.plot_overlap_by_label(overlap)
    table = tables.tabulate_overlap_by_label(overlap)
    return _render(figure, f"overlap-{number}", caption), table


def _render(figure: Any, name: str, caption: str) -> Plot:
    return Plot(Markup(render_svg(figure, name=name, description=caption)), caption)


def _explain_clouds(wanted: bool, labels: int) -> str:
    """Say why word clouds are missing; empty when none is."""
    if not wanted:
        return "Word clouds were not asked for."
    if not has_word_clouds():
        return (
            "There are no word clouds: the library for them is not installed "
            f"({name_extra('corpora')})."
        )
    if labels > MAX_CLOUDS:
        return f"Only the {MAX_CLOUDS} most frequent labels have a word cloud."
    return ""
