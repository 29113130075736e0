import pytest

from spacy_bioner.reports.tables import display_width, render_markdown_table, render_table, shorten


def test_render_table_aligns_by_display_width():
    table = render_table(("term", "n"), [("TNF-α", "7"), ("肺炎", "12")], right=[1], indent=0)
    assert table.splitlines() == ["term    n", "─────  ──", "TNF-α   7", "肺炎   12"]


def test_render_table_without_rows_keeps_its_head():
    assert render_table(("text", "label"), [], indent=0) == "text  label\n────  ─────"


def test_render_table_leaves_no_trailing_space():
    lines = render_table(("a", "long head"), [("x", "y")]).splitlines()
    assert lines == ["  a  long head", "  ─  ─────────", "  x  y"]


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("aspirin", 7), ("β-blocker", 9), ("e\u0301", 1), ("肺", 2)]
)
def test_display_width_counts_columns(text, width):
    assert display_width(text) == width


def test_shorten_cuts_with_an_ellipsis():
    assert shorten("non-small cell lung cancer", 11) == "non-small…"


def test_shorten_joins_lines():
    assert shorten("colon\n  cancer", 20) == "colon cancer"


def test_render_markdown_table_aligns_source_and_numbers():
    table = render_markdown_table(("type", "n"), [("a|b", "7"), ("Disease", "12")], right=[1])
    assert table.splitlines() == [
        "| type    |   n |",
        "| ------- | --: |",
        "| a\\|b    |   7 |",
        "| Disease |  12 |",
    ]
