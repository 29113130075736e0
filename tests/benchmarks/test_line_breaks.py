from importlib import import_module

import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.transforms.offsets import OffsetMap

TEXT = "one two three four five six seven eight nine hypertension"


@pytest.fixture
def script():
    pytest.importorskip("torch")
    return import_module("line_breaks")


def test_every_seventh_blank_is_replaced(script):
    edits = script.replace_blanks(TEXT, gaps=("\n",))
    assert [(edit.start, edit.end, edit.new) for edit in edits] == [(33, 34, "\n")]


def test_wrapped_lines_are_not_too_long(script):
    text = f"{TEXT} {TEXT} {TEXT}"
    wrapped = OffsetMap(script.wrap(text, gap="\n")).apply(text)
    assert wrapped.replace("\n", " ") == text
    assert [len(line) <= script.WIDTH for line in wrapped.split("\n")] == [True] * 3


def test_every_seventh_long_word_is_split(script):
    text = "hypertension " * 14
    split = OffsetMap(script.split_words(text)).apply(text)
    assert split.split(" ")[6:14:7] == ["hypert\u00adension", "hypert\u200bension"]


def test_entities_with_odd_borders_are_counted(script):
    doc = Doc(Vocab(), words=["a", "\n"])
    doc.set_ents([Span(doc, 0, 2, label="X")])
    assert script.count_odd([doc]) == 1
    doc.set_ents([Span(doc, 0, 1, label="X")])
    assert script.count_odd([doc]) == 0


def test_the_same_counts_do_not_differ(script):
    counts = [Counts(tp=1), Counts(tp=1, fn=2)]
    assert script.compare(counts, counts) == ("+0.00", "[+0.00, +0.00]")
