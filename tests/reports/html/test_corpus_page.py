import re
from html.parser import HTMLParser

import numpy
import pytest

pytest.importorskip("matplotlib")

from spacy_bioner.corpora.statistics.corpus import CorpusTally, describe_corpus
from spacy_bioner.corpora.statistics.vocabulary_overlap import measure_overlap
from spacy_bioner.records import Mention, Record
from spacy_bioner.reports.html import corpus_page
from spacy_bioner.reports.html.corpus_page import render_corpus_page
from spacy_bioner.reports.plots.word_clouds import has_word_clouds, lay_out_cloud
from spacy_bioner.reports.text.corpora.corpus import render_corpus_summary
from spacy_bioner.reports.text.corpora.corpus_tables import tabulate_overview

VOID = {"meta", "link", "img", "br", "hr", "input"}
HOSTILE = '<script>alert("x")</script>'
TEXT = f"Aspirin and aspirin for {HOSTILE} cancer."
needs_clouds = pytest.mark.skipif(not has_word_clouds(), reason="wordcloud is not installed")


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects what tests ask for."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.data = [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self._note(tag, dict(attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self._note(tag, dict(attributes))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data.append(data)

    def _note(self, tag, attributes):
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for name in ("src", "href", "xlink:href", "data", "action", "poster", "srcset"):
            if name in attributes:
                self.links.append(attributes[name])


def make_tally(name="train", label="Chemical"):
    tally = CorpusTally(name)
    start = TEXT.index("<")
    mentions = (
        Mention(0, 7, label, "", ("D1",)),
        Mention(12, 19, "Disease", "", ("D2",)),
        Mention(start, start + len(HOSTILE), label),
    )
    tally.add(Record("1", TEXT, mentions))
    tally.add(Record(HOSTILE, "Nothing here."))
    return tally


def render(label="Chemical", **settings):
    tallies = [make_tally(name, label) for name in ("train", "test")]
    overlap = measure_overlap(*(tally.inventory for tally in tallies))
    return render_corpus_page([tally.statistics() for tally in tallies], [overlap], **settings)


@pytest.fixture(scope="module")
def html():
    return render()


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_page_is_well_formed_with_unique_ids(page):
    assert len(page.ids) == len(set(page.ids))
    assert [tag for tag, _ in page.tags].count("h1") == 1


def test_page_asks_for_nothing_outside_itself(html, page):
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in page.tags}
    styles = re.findall(r"url\(([^)]*)\)", html)
    assert all(target.startswith("#") for target in styles)
    assert "@import" not in html
    assert not re.findall(r"(?:https?:)?//\w[^\s\"<]*", html)


def test_text_of_the_corpus_is_escaped(html):
    assert "<script" not in html
    assert "&lt;script&gt;alert" in html


def test_labels_are_escaped_in_plots_as_well():
    html = render(HOSTILE)
    Page(html)
    assert "<script" not in html


def test_page_is_readable_without_seeing_it(page):
    assert dict(page.tags[0][1]) == {"lang": "en"}
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert pictures
    assert all(item["role"] == "img" and item["aria-label"] for item in pictures)
    tables = [tag for tag, _ in page.tags if tag in ("table", "caption")]
    assert tables[::2] == ["table"] * (len(tables) // 2)
    assert tables[1::2] == ["caption"] * (len(tables) // 2)
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")


def test_page_has_the_numbers_as_tables(page):
    text = " ".join("".join(page.data).split())
    assert "Numbers of each corpus" in text
    assert "Seen in train" in text
    assert "Documents without mentions 1: <script>alert" in text


def test_page_follows_light_and_dark(html):
    assert "@media (prefers-color-scheme: dark)" in html
    light, dark = re.findall(r":root \{(.*?)\}", html, re.DOTALL)
    colors = [set(re.findall(r"(--[a-z0-9]+): #", part)) for part in (light, dark)]
    assert colors[0] == colors[1]
    assert set(re.findall(r"var\((--(?!font)[a-z0-9]+)\)", html)) <= colors[0]


def test_the_same_corpus_gives_the_same_page(html):
    assert render() == html


@pytest.mark.parametrize(
    "records",
    [[], [Record("1", "")], [Record("1", "x", (Mention(0, 1, "X"),))]],
    ids=["no document", "no text", "one mention"],
)
def test_small_corpora_have_a_page(records):
    corpus = describe_corpus(records, "small")
    Page(render_corpus_page([corpus]))
    assert "small" in render_corpus_summary([corpus])


@needs_clouds
def test_page_has_a_cloud_for_each_label(page):
    clouds = [item for tag, item in page.tags if tag == "svg" and item["class"] == "cloud"]
    assert len(clouds) == 4


def test_page_says_that_clouds_cannot_be_drawn(monkeypatch):
    monkeypatch.setattr(corpus_page, "has_word_clouds", lambda: False)
    html = render()
    assert "the library for them is not installed" in html
    assert '<svg class="cloud"' not in html


def test_page_without_clouds_says_so():
    assert "Word clouds were not asked for." in render(clouds=False)


@needs_clouds
def test_cloud_places_words_within_the_picture_without_overlap():
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    font = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
    cloud = lay_out_cloud({f"mention {number}": 50 - number for number in range(30)})
    assert cloud is not None
    assert len(cloud.words) > 20
    seen = numpy.zeros((cloud.height, cloud.width), dtype=bool)
    for word in cloud.words:
        picture = Image.new("1", (cloud.width, cloud.height))
        sized = ImageFont.truetype(font, word.size)
        ImageDraw.Draw(picture).text((word.x, word.y), word.text, fill=1, font=sized, anchor="ls")
        ink = numpy.asarray(picture)
        assert not (seen & ink).any()
        assert not ink[:, [0, -1]].any()
        assert not ink[[0, -1]].any()
        assert word.width == pytest.approx(sized.getlength(word.text), abs=0.1)
        seen |= ink


@needs_clouds
def test_cloud_is_the_same_every_time():
    counts = {"aspirin": 5, "heparin": 3, "β-carotene": 1}
    assert lay_out_cloud(counts) == lay_out_cloud(counts)
    assert [word.count for word in lay_out_cloud(counts).words] == [5, 3, 1]


@needs_clouds
def test_cloud_of_one_long_mention_is_cut():
    (word,) = lay_out_cloud({"x" * 300: 1}).words
    assert word.text == "x" * 31 + "…"


@needs_clouds
@pytest.mark.parametrize("counts", [{}, {" ": 3}])
def test_cloud_of_nothing_is_none(counts):
    assert lay_out_cloud(counts) is None


def test_overview_puts_a_dash_for_a_ratio_of_nothing():
    table = tabulate_overview([describe_corpus([], "none")])
    rows = dict(table.rows)
    assert (rows["documents"], rows["… for 100 words"], rows["… effective number"]) == (
        *("0", "–", "–"),
    )


def test_summary_shows_numbers_labels_overlap_and_names():
    tallies = [make_tally("train"), make_tally("test")]
    overlap = measure_overlap(*(tally.inventory for tally in tallies))
    text = render_corpus_summary([tally.statistics() for tally in tallies], [overlap])
    assert re.search(r"documents +2 +2\n", text)
    assert re.search(r"Chemical +2 \(66\.7 %\) +2 \(66\.7 %\)\n", text)
    assert re.search(r"test +surface +3 +3 +100\.0 %", text)
    assert f"train: 1 document without mentions: {HOSTILE}" in text
    assert "nested" not in text
