"""Gold rows on a Doc, and the mentions that are read from them."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_bioner.errors import CorpusError
from spacy_bioner.gold import (
    GOLD_KEY,
    GoldMention,
    gold_mentions,
    has_gold_rows,
    list_gold,
    list_gold_mentions,
    list_predicted,
    normalize_concept_id,
    relabel_gold,
    write_gold,
)
from spacy_bioner.records import Mention

MENTIONS = (Mention(0, 7, "Chemical", "", ("D1", "D2")), Mention(14, 26, "Disease"))


@pytest.fixture
def doc() -> Doc:
    words = ["Aspirin", "eases", "colon", "cancer", "pain", "."]
    return Doc(Vocab(), words=words, spaces=[True, True, True, True, False, False])


def test_rows_are_plain_data(doc):
    write_gold(doc, MENTIONS)
    assert doc.user_data[GOLD_KEY] == [[0, 7, "Chemical", ["D1", "D2"]], [14, 26, "Disease", []]]
    assert gold_mentions(doc) == MENTIONS


def test_rows_come_back_from_a_docbin(doc):
    write_gold(doc, MENTIONS)
    stored = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (read,) = DocBin(store_user_data=True).from_bytes(stored).get_docs(Vocab())
    assert gold_mentions(read) == MENTIONS


def test_rows_of_no_mention_are_rows(doc):
    assert (has_gold_rows(doc), gold_mentions(doc)) == (False, ())
    write_gold(doc, ())
    assert (has_gold_rows(doc), gold_mentions(doc)) == (True, ())


def test_relabel_gold_renames_what_has_a_new_name(doc):
    relabel_gold(doc, {"Chemical": "Drug"})
    assert not has_gold_rows(doc)
    write_gold(doc, MENTIONS)
    relabel_gold(doc, {"Chemical": "Drug"})
    assert doc.user_data[GOLD_KEY] == [[0, 7, "Drug", ["D1", "D2"]], [14, 26, "Disease", []]]


def test_list_gold_prefers_corpus_offsets_to_entities(doc):
    doc.ents = [Span(doc, 0, 1, label="Chemical")]
    doc.user_data["bioner_gold"] = [[0, 6, "Chemical", ["MESH:D001241"]], [14, 26, "Disease", []]]
    assert list_gold(doc) == [(0, 6, "Chemical"), (14, 26, "Disease")]


def test_list_gold_without_corpus_offsets_gives_entities(doc):
    doc.ents = [Span(doc, 2, 4, label="Disease")]
    assert list_gold(doc) == [(14, 26, "Disease")]


def test_list_gold_tells_no_entities_from_no_annotation(doc):
    assert list_gold(doc) is None
    doc.ents = []
    assert list_gold(doc) == []


def test_list_gold_of_empty_doc_is_empty():
    assert list_gold(Doc(Vocab())) == []


def test_list_predicted_reads_span_group_with_overlaps(doc):
    doc.spans["bioner"] = [Span(doc, 2, 4, label="Disease"), Span(doc, 2, 3, label="Anatomy")]
    expected = [(14, 26, "Disease"), (14, 19, "Anatomy")]
    assert list_predicted(doc, spans_key="bioner") == expected


def test_list_predicted_without_the_group_is_empty(doc):
    assert list_predicted(doc, spans_key="bioner") == []


def test_a_mention_of_nothing_to_see_keeps_its_offsets():
    gold = Doc(Vocab(), words=["a", "\u200b"], spaces=[False, False])
    gold.user_data["bioner_gold"] = [[1, 2, "Drug", []], [1, 9, "Drug", []]]
    assert list_gold(gold) == [(1, 2, "Drug"), (1, 9, "Drug")]


def test_mentions_that_stand_twice_count_once() -> None:
    gold = spacy.blank("en")("ASA and Aspirin")
    gold.user_data[GOLD_KEY] = [[0, 3, "Chemical", ["D1"]]] * 2
    assert list_gold_mentions(gold) == [GoldMention((0, 3, "Chemical"), "ASA", ("D1",))]


def test_a_mention_that_stands_twice_has_the_concepts_of_both() -> None:
    doc = spacy.blank("en")("fever")
    doc.user_data[GOLD_KEY] = [[0, 5, "Disease", ["D1", "-1"]], [0, 5, "Disease", ["D2"]]]
    (mention,) = list_gold_mentions(doc)
    # "-1" is how corpora write that there is none.
    assert mention.concept_ids == ("D1", "D2")


@pytest.mark.parametrize(
    "row",
    [(0, 7, "C"), (0, 7, "C", None), (0, 7, "C", [1]), (0, 7, "C", "D009"), ("0", 7, "C", []), 5],
)
def test_a_row_that_is_none_is_refused(row):
    doc = Doc(Vocab(), words=["Aspirin"])
    doc.user_data[GOLD_KEY] = [row]
    for read in (gold_mentions, list_gold, list_gold_mentions):
        with pytest.raises(CorpusError, match="found a gold row"):
            read(doc)


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("D003920", "D003920"),
        ("MESH:D003920", "D003920"),
        ("mesh: D003920", "D003920"),
        ("NCBIGene:348", "348"),
        ("NCBITaxon:9606", "9606"),
        ("ICD10CM:E11.9", "E11.9"),
        ("MIM:143100", "OMIM:143100"),
        ("OMIM:143100", "OMIM:143100"),
        ("MESH:D1+OMIM:2", "D1+OMIM:2"),
        ("UBERON:0000002", "UBERON:0000002"),
        ("c|SUB|A:G", "c|SUB|A:G"),
        ("MESH:", "MESH:"),
        ("", ""),
    ],
)
def test_ids_are_compared_without_what_adds_nothing(written, compared):
    assert normalize_concept_id(written) == compared
