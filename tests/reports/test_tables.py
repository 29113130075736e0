import html
import re

import pytest

from spacy_bioner.reports.tables import (
    display_width,
    escape_markdown,
    quote_code,
    render_markdown_table,
    render_table,
    shorten,
)


def test_render_table_aligns_by_display_width():
    table = render_table(("term", "n"), [("TNF-α", "7"), ("肺炎", "12")], right=[1], indent=0)
    assert table.splitlines() == ["term    n", "─────  ──", "TNF-α   7", "肺炎   12"]


def test_render_table_without_rows_keeps_its_head():
    assert render_table(("text", "label"), [], indent=0) == "text  label\n────  ─────"


def test_render_table_leaves_no_trailing_space():
    lines = render_table(("a", "long head"), [("x", "y")]).splitlines()
    assert lines == ["  a  long head", "  ─  ─────────", "  x  y"]


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("aspirin", 7),
        ("β-blocker", 9),
        ("e\u0301", 1),
        ("肺", 2),
        ("\u2764\ufe0f", 1),
        ("\U0001f468\u200d\U0001f469", 4),
    ],
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


HOSTILE = (
    "a|b",
    "a\\|b",
    "a\\\\|b",
    "ends with \\",
    "two\nlines",
    "<script>alert(1)</script>",
    "<https://evil.example>",
    "<!-- hidden",
    "`code`",
    "**loud**",
    "__loud__",
    "[link](javascript:alert(1))",
    "![image](https://evil.example/x.png)",
    "~~gone~~",
    "p < 0.05",
    "B_cell_type",
)


def _cells_of(markdown: str) -> list:
    """The markup of each cell of the first column of the rendered Markdown."""
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    markup = parser.enable("strikethrough").render(markdown)
    rows = re.findall(r"<tr>\s*<td>(.*?)</td>\s*<td>(.*?)</td>\s*</tr>", markup, re.DOTALL)
    assert len(rows) == markdown.count("\n") - 1
    assert all(second == "end" for _, second in rows)
    return [first for first, _ in rows]


def test_markdown_shows_what_files_say_as_it_is() -> None:
    rows = [(escape_markdown(text), "end") for text in HOSTILE]
    shown = _cells_of(render_markdown_table(("label", "x"), rows))
    assert not any("<" in cell for cell in shown)
    assert list(map(html.unescape, shown)) == [text.replace("\n", "\\n") for text in HOSTILE]


def test_a_markdown_table_keeps_its_shape_whatever_its_cells_are() -> None:
    rows = [(text, "end") for text in HOSTILE]
    shown = _cells_of(render_markdown_table(("label", "x"), rows))
    assert not any("<script" in cell or "<!--" in cell for cell in shown)


@pytest.mark.parametrize("name", ["plain", "a`b", "``", "`x", "a|b", "<b>", "x\ny\x1b"])
def test_code_is_quoted_in_as_many_ticks_as_it_takes(name: str) -> None:
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    markup = parser.render(quote_code(name)).strip()
    shown = name.replace("\n", "\\n").replace("\x1b", "\\x1b")
    assert html.unescape(markup) == f"<p><code>{shown}</code></p>"


def test_cells_of_a_terminal_table_stay_on_their_line() -> None:
    table = render_table(("label",), [("a\nb",), ("\x1b[2J",)], total=("x\r",), indent=0)
    rule = "───────"
    assert table.splitlines() == ["label", rule, "a\\nb", "\\x1b[2J", rule, "x\\r"]
