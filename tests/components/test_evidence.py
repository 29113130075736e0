import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_bioner.components.evidence import (
    SOURCE_ORDER_KEY,
    Evidence,
    add_evidence,
    clear_evidence,
    register_extensions,
    span_evidence,
)


@pytest.fixture
def doc():
    register_extensions()
    return Doc(spacy.blank("en").vocab, words=["acute", "asthma"], spaces=[True, False])


def span(doc, label="Disease"):
    return doc.char_span(6, 12, label=label)


def test_two_labels_on_one_span_do_not_overwrite_each_other(doc):
    add_evidence(doc, Evidence(6, 12, "Disease", "a", 0.9))
    add_evidence(doc, Evidence(6, 12, "Finding", "a", 0.2))
    assert span(doc, "Disease")._.confidence == 0.9
    assert span(doc, "Finding")._.confidence == 0.2


def test_same_label_and_source_is_replaced(doc):
    add_evidence(doc, Evidence(6, 12, "Disease", "a", 0.9))
    add_evidence(doc, Evidence(6, 12, "Disease", "a", 0.3))
    assert [entry.confidence for entry in span_evidence(span(doc))] == [0.3]


def test_what_is_replaced_keeps_its_place(doc):
    for source, confidence in (("a", 0.1), ("b", 0.2), ("a", 0.3)):
        add_evidence(doc, Evidence(6, 12, "Disease", source, confidence))
    found = [(entry.source, entry.confidence) for entry in span_evidence(span(doc))]
    assert found == [("a", 0.3), ("b", 0.2)]


def test_declared_order_puts_a_source_first(doc):
    for source in ("c", "a", "b"):
        add_evidence(doc, Evidence(6, 12, "Disease", source))
    assert span(doc)._.source == "c"
    doc.user_data[SOURCE_ORDER_KEY] = ["b", "a"]
    assert [entry["source"] for entry in span(doc)._.evidence] == ["b", "a", "c"]


def test_span_without_evidence_has_none(doc):
    assert (span(doc)._.source, span(doc)._.confidence, span(doc)._.evidence) == (None, None, [])


def test_clear_evidence_removes_one_source_only(doc):
    add_evidence(doc, Evidence(6, 12, "Disease", "a"))
    add_evidence(doc, Evidence(6, 12, "Disease", "b"))
    add_evidence(doc, Evidence(0, 5, "Disease", "a"))
    clear_evidence(doc, "a")
    assert [entry.source for entry in span_evidence(span(doc))] == ["b"]
    assert span_evidence(doc.char_span(0, 5, label="Disease")) == ()


@pytest.mark.parametrize("carrier", ["bytes", "docbin"])
def test_evidence_survives_serialization(doc, carrier):
    entry = Evidence(6, 12, "Disease", "a", 0.9, "MESH:D001249", "asthma")
    add_evidence(doc, entry)
    if carrier == "bytes":
        copy = Doc(doc.vocab).from_bytes(doc.to_bytes())
    else:
        data = DocBin(docs=[doc], store_user_data=True).to_bytes()
        copy = next(DocBin().from_bytes(data).get_docs(doc.vocab))
    assert span_evidence(span(copy)) == (entry,)
