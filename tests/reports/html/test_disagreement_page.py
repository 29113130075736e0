import re
from html.parser import HTMLParser

import pytest

from spacy_bioner.evaluation.disagreement import RuledDocument, RuledEntity, compare_rules

pytest.importorskip("jinja2")

from spacy_bioner.reports.html.disagreement_page import render_disagreement_page

TEXT = "The <b>drug</b> insulin & glucose."
LABELS = {"drugs": ["Chemical"], "genes": ["Chemical", "Gene"], "other": ["Disease"]}
VOID = {"meta", "br"}


class Balance(HTMLParser):
    """Finds elements that are not closed."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def render(notes=(), **entities):
    found = compare_rules([RuledDocument("<id>", TEXT, entities)], LABELS)
    return render_disagreement_page(found, title="A & B", notes=notes)


def test_a_place_has_its_sentence_and_every_reading():
    start = TEXT.index("insulin")
    page = render(
        drugs=[RuledEntity(start, start + 7, "Chemical", 0.9)],
        genes=[RuledEntity(start + 2, start + 7, "Gene", 0.75)],
    )
    assert "The &lt;b&gt;drug&lt;/b&gt; <mark>insulin</mark> &amp; glucose." in page
    assert '<span class="id">&lt;id&gt;</span>' in page
    assert re.findall(r'class="entity t(\d)">(\w+) <span class="num">([.\d]+)', page) == [
        ("1", "Chemical", "0.90"),
        ("2", "Gene", "0.75"),
    ]
    assert '<span class="part">sulin</span>' in page
    assert page.count('title="annotates no such label">·</span>') == 1
    assert "1 corpus disagrees: 1 place" in page
    parser = Balance()
    parser.feed(page)
    assert parser.open == []


def test_what_is_left_out_is_told():
    assert "<strong>Note:</strong> 3 &lt; 4" in render(notes=["3 < 4"])


def test_agreement_is_told():
    assert "The corpora agree on everything." in render()
