import re

import pytest

pytest.importorskip("matplotlib")

from xml.etree import ElementTree

from spacy_bioner.corpora.statistics.corpus import CorpusTally, describe_corpus
from spacy_bioner.corpora.statistics.vocabulary_overlap import measure_overlap
from spacy_bioner.errors import ConfigError
from spacy_bioner.extras import install_command
from spacy_bioner.records import Mention, Record
from spacy_bioner.reports.plots.corpora_compared import (
    plot_label_shares,
    plot_overlap,
    plot_overlap_by_label,
)
from spacy_bioner.reports.plots.corpus import (
    plot_labels,
    plot_lengths,
    plot_mention_lengths,
    plot_tags,
    share_lengths,
)
from spacy_bioner.reports.plots.row_plots import format_share
from spacy_bioner.reports.plots.style import (
    COLORS,
    make_drawable,
    make_figure,
    plot_style,
    render_picture,
    render_svg,
    require_matplotlib,
)

WORDS = "a b c d e f g h i j k l"
HOSTILE = "<script>$\\alpha_{&\"'-->"
ALL = (plot_lengths, plot_labels, plot_tags, plot_mention_lengths)


def make_corpus(labels, name="train"):
    """Make a corpus of one document in which every label has one mention."""
    mentions = tuple(Mention(0, 1, label) for label in labels)
    tally = CorpusTally(name)
    tally.add(Record("1", WORDS, mentions))
    return tally


def list_texts(svg):
    root = ElementTree.fromstring(svg)
    return ["".join(item.itertext()) for item in root.iter() if item.tag.endswith("text")]


@pytest.mark.parametrize("plot", ALL)
@pytest.mark.parametrize(
    "records",
    [
        [],
        [Record("1", "")],
        [Record("1", WORDS)],
        [Record("1", WORDS, (Mention(0, 3, "X"),))],
        [Record("1", WORDS, (Mention(90, 93, "X", "gone"),))],
    ],
    ids=["no document", "no text", "no mention", "one mention", "beyond the text"],
)
def test_small_corpora_can_be_drawn(plot, records):
    with plot_style():
        svg = render_svg(plot(describe_corpus(records)), name="p", description="x")
    assert svg.startswith("<svg")


@pytest.mark.parametrize("plot", [*ALL, plot_label_shares])
def test_every_one_of_many_labels_has_a_row(plot):
    labels = [f"Type_{number}" for number in range(41)]
    corpus = make_corpus(labels).statistics()
    with plot_style():
        figure = plot([corpus] if plot is plot_label_shares else corpus)
        texts = list_texts(render_svg(figure, name="p", description="x"))
    if plot is not plot_lengths:
        assert set(labels) <= set(texts)
        # A row of 0.24 inches holds a line of 9 points.
        assert figure.get_size_inches()[1] > 41 * 0.24


def test_labels_are_drawn_as_they_are_written():
    with plot_style():
        figure = plot_labels(make_corpus([HOSTILE]).statistics())
        svg = render_svg(figure, name="p", description=HOSTILE)
    assert HOSTILE in list_texts(svg)
    assert "<script" not in svg
    assert ElementTree.fromstring(svg).get("aria-label") == HOSTILE


def test_what_no_font_can_draw_is_replaced():
    assert make_drawable("a\x00\ud800\u202eb\n c") == "a\ufffd\ufffd\ufffdb c"
    with plot_style():
        figure = plot_labels(make_corpus(["half \ud800", "漢字"]).statistics())
        texts = list_texts(render_svg(figure, name="p", description="x"))
    assert {"half \ufffd", "漢字"} <= set(texts)


def test_svg_takes_its_colors_from_the_page():
    with plot_style():
        svg = render_svg(plot_labels(make_corpus(["X"]).statistics()), name="p", description="x")
    assert "var(--c1)" in svg
    assert "var(--fg)" in svg
    assert not [code for code in COLORS.values() if code in svg]


def test_svg_has_no_style_sheet_comment_or_date_of_its_own():
    with plot_style():
        svg = render_svg(plot_lengths(make_corpus(["X"]).statistics()), name="p", description="x")
    assert not [mark for mark in ("<style", "<!--", "<metadata", "<?xml", "DOCTYPE") if mark in svg]


def test_svg_ids_have_the_name_in_front_and_references_follow():
    with plot_style():
        svg = render_svg(plot_lengths(make_corpus(["X"]).statistics()), name="p1", description="x")
    root = ElementTree.fromstring(svg)
    ids = [item.get("id") for item in root.iter() if item.get("id")]
    assert ids
    assert all(name.startswith("p1-") for name in ids)
    assert len(set(ids)) == len(ids)
    used = [v[1:] for item in root.iter() for k, v in item.attrib.items() if k.endswith("href")]
    assert set(used) <= set(ids)


def test_drawing_twice_gives_the_same():
    with plot_style():
        first, second = (
            render_svg(plot_tags(make_corpus(["X"]).statistics()), name="p", description="x")
            for _ in range(2)
        )
    assert first == second


def test_style_leaves_the_users_settings_alone():
    import matplotlib

    before = matplotlib.rcParams["font.size"]
    with plot_style():
        assert matplotlib.rcParams["text.parse_math"] is False
    assert matplotlib.rcParams["font.size"] == before
    assert matplotlib.rcParams["text.parse_math"] is True


def test_a_figure_becomes_a_picture():
    with plot_style():
        assert render_picture(make_figure(1, 1), "png").startswith(b"\x89PNG")


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=re.escape(install_command("corpora"))):
        require_matplotlib()


def test_overlaps_are_drawn_with_their_shares():
    train, test = make_corpus(["X", "Y"]), make_corpus(["X"], "test")
    overlap = measure_overlap(train.inventory, test.inventory, names=("train", "test"))
    with plot_style():
        texts = list_texts(render_svg(plot_overlap([overlap]), name="p", description="x"))
        by_label = list_texts(render_svg(plot_overlap_by_label(overlap), name="p", description="x"))
    assert {"test: surface", "test: surface and label", "test: concept"} <= set(texts)
    assert texts.count("none to look for") == 2
    assert "X" in by_label
    # No mention has a concept, so there is nothing to explain in the legend.
    assert "concept" not in by_label


def test_an_overlap_of_nothing_can_be_drawn():
    empty = CorpusTally("test").inventory
    overlap = measure_overlap(empty, empty)
    with plot_style():
        for figure in (plot_overlap([overlap]), plot_overlap_by_label(overlap)):
            assert render_svg(figure, name="p", description="x")


def test_lengths_of_mentions_are_shared_out():
    mentions = (Mention(0, 1, "X"), Mention(0, 1, "X"), Mention(0, 3, "X"), Mention(0, 23, "X"))
    (label,) = describe_corpus([Record("1", WORDS, mentions)]).labels
    assert share_lengths(label) == [0.5, 0.25, 0, 0, 0, 0, 0, 0, 0.25]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (0.001, "<1%"), (0.5, "50%"), (0.999, ">99%"), (1.0, "100%")],
)
def test_shares_never_round_to_none_or_all(share, text):
    assert format_share(share) == text
