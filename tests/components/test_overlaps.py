import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.components.evidence import Evidence, add_evidence, span_evidence
from spacy_bioner.components.overlaps import (
    CANDIDATES_KEY,
    OverlapResolver,
    Rejection,
    clear_rejections,
    read_rejections,
    reject,
)

WORDS = ["severe", "acute", "kidney", "injury", "in", "rats"]


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.fixture
def doc(nlp):
    return Doc(nlp.vocab, words=WORDS)


def add_group(doc, source, *spans, confidence=None, evidence=True):
    """Write spans given as (start, end, label, kb_id) the way a component does."""
    group = [Span(doc, start, end, label, kb_id=kb_id) for start, end, label, kb_id in spans]
    doc.spans[source] = group
    for span in group if evidence else ():
        entry = Evidence(
            span.start_char, span.end_char, span.label_, source, confidence, span.kb_id_
        )
        add_evidence(doc, entry)


def rows(spans):
    return [(span.start, span.end, span.label_, span.kb_id_) for span in spans]


def test_longest_span_wins_over_a_preferred_source(doc):
    add_group(doc, "bioner", (2, 3, "Anatomy", ""))
    add_group(doc, "bioner_gazetteer", (1, 4, "Disease", "D1"))
    assert rows(OverlapResolver()(doc).ents) == [(1, 4, "Disease", "D1")]


def test_declared_order_decides_between_equal_lengths(doc):
    add_group(doc, "bioner", (1, 3, "A", ""))
    add_group(doc, "bioner_gazetteer", (2, 4, "B", ""))
    assert rows(OverlapResolver()(doc).ents) == [(1, 3, "A", "")]
    order = ["bioner_gazetteer", "bioner"]
    assert rows(OverlapResolver(sources=order)(doc).ents) == [(2, 4, "B", "")]


def test_all_candidates_stay_in_a_span_group(doc):
    add_group(doc, "bioner", (2, 3, "Anatomy", ""), (5, 6, "Species", ""))
    add_group(doc, "bioner_gazetteer", (1, 4, "Disease", "D1"))
    doc = OverlapResolver()(doc)
    assert rows(doc.spans[CANDIDATES_KEY]) == [
        (1, 4, "Disease", "D1"),
        (2, 3, "Anatomy", ""),
        (5, 6, "Species", ""),
    ]


def test_two_sources_make_one_ent_with_the_identifier_of_either(doc):
    add_group(doc, "bioner", (1, 4, "Disease", ""), confidence=0.9)
    add_group(doc, "bioner_gazetteer", (1, 4, "Disease", "D1"))
    doc = OverlapResolver()(doc)
    assert rows(doc.ents) == [(1, 4, "Disease", "D1")]
    assert (doc.ents[0]._.source, doc.ents[0]._.confidence) == ("bioner", 0.9)
    assert [entry["source"] for entry in doc.ents[0]._.evidence] == ["bioner", "bioner_gazetteer"]
    assert len(doc.spans[CANDIDATES_KEY]) == 1


def test_identifier_of_the_preferred_source_counts(doc):
    add_group(doc, "bioner", (1, 4, "Disease", "D7"))
    add_group(doc, "bioner_gazetteer", (1, 4, "Disease", "D1"))
    assert rows(OverlapResolver()(doc).ents) == [(1, 4, "Disease", "D7")]


def test_ents_without_evidence_take_part_and_get_some(doc):
    doc.ents = [Span(doc, 1, 4, "Disease", kb_id="D3")]
    add_group(doc, "bioner_gazetteer", (2, 3, "Anatomy", ""))
    doc = OverlapResolver(ents_source="ner")(doc)
    assert rows(doc.ents) == [(1, 4, "Disease", "D3")]
    (entry,) = span_evidence(doc.ents[0])
    assert (entry.source, entry.confidence, entry.concept_id) == ("ner", None, "D3")


@pytest.mark.parametrize(
    ("sources", "label"), [(["ner", "bioner_gazetteer"], "A"), (["bioner_gazetteer", "ner"], "B")]
)
def test_ents_source_has_a_place_in_the_order(doc, sources, label):
    doc.ents = [Span(doc, 1, 3, "A")]
    add_group(doc, "bioner_gazetteer", (2, 4, "B", ""))
    doc = OverlapResolver(sources=sources, ents_source="ner")(doc)
    assert [ent.label_ for ent in doc.ents] == [label]


def test_ents_of_a_source_that_is_not_declared_come_last(doc):
    add_group(doc, "mine", (1, 3, "A", ""), (5, 6, "C", ""))
    doc.ents = list(doc.spans["mine"])
    add_group(doc, "bioner", (2, 4, "B", ""))
    doc = OverlapResolver()(doc)
    assert [(ent.label_, ent._.source) for ent in doc.ents] == [("B", "bioner"), ("C", "mine")]


def test_declared_group_without_evidence_gets_some(doc):
    add_group(doc, "rules", (1, 4, "Disease", "D1"), evidence=False)
    doc = OverlapResolver(sources=["rules"])(doc)
    assert (doc.ents[0]._.source, doc.ents[0]._.evidence[0]["concept_id"]) == ("rules", "D1")


def test_group_that_is_not_declared_is_ignored(doc):
    add_group(doc, "gold", (1, 4, "Disease", ""))
    assert OverlapResolver()(doc).ents == ()


def test_rejected_proposal_is_not_chosen_but_stays_a_candidate(doc):
    add_group(doc, "bioner_gazetteer", (1, 4, "Disease", ""), (2, 3, "Anatomy", ""))
    span = doc.spans["bioner_gazetteer"][0]
    offsets = (span.start_char, span.end_char)
    reject(doc, Rejection(*offsets, "Disease", "bioner_gazetteer", "filter", "test"))
    doc = OverlapResolver()(doc)
    assert rows(doc.ents) == [(2, 3, "Anatomy", "")]
    assert len(doc.spans[CANDIDATES_KEY]) == 2


@pytest.mark.parametrize(("source", "kept"), [("bioner_gazetteer", 1), ("", 0)])
def test_rejection_is_of_one_source_or_of_all(doc, source, kept):
    add_group(doc, "bioner", (5, 6, "Species", ""))
    add_group(doc, "bioner_gazetteer", (5, 6, "Species", ""))
    span = doc.spans["bioner"][0]
    reject(doc, Rejection(span.start_char, span.end_char, "Species", source, "filter"))
    assert len(OverlapResolver()(doc).ents) == kept


def test_rejections_are_entered_once_and_withdrawn_by_component(doc):
    first, second = Rejection(0, 6, "A", "x", "f"), Rejection(0, 6, "A", "x", "g")
    for entry in (first, second, first):
        reject(doc, entry)
    assert read_rejections(doc) == (first, second)
    clear_rejections(doc, "f")
    assert read_rejections(doc) == (second,)


def test_twice_over_a_doc_changes_nothing(doc):
    doc.ents = [Span(doc, 2, 3, "Anatomy")]
    add_group(doc, "bioner", (1, 4, "Disease", ""))
    add_group(doc, "bioner_gazetteer", (1, 4, "Disease", "D1"), (5, 6, "Species", "9"))
    resolver = OverlapResolver()
    before = resolver(doc).to_bytes()
    assert len(doc.spans[CANDIDATES_KEY]) == 3
    assert resolver(doc).to_bytes() == before


@pytest.mark.parametrize("words", [[], [" "], ["\n", " "]])
def test_empty_doc(nlp, words):
    doc = OverlapResolver()(Doc(nlp.vocab, words=words))
    assert doc.ents == ()
    assert len(doc.spans[CANDIDATES_KEY]) == 0


def test_result_survives_docbin(nlp, doc):
    doc.ents = [Span(doc, 1, 4, "Disease", kb_id="D3")]
    data = DocBin(docs=[OverlapResolver()(doc)], store_user_data=True).to_bytes()
    copy = next(DocBin().from_bytes(data).get_docs(nlp.vocab))
    assert rows(copy.ents) == rows(copy.spans[CANDIDATES_KEY]) == [(1, 4, "Disease", "D3")]
    assert copy.ents[0]._.source == "ents"


def add_ruler(nlp):
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "Disease", "pattern": "acute kidney injury", "id": "D1"}])
    nlp.add_pipe("bioner_overlaps", config={"ents_source": "entity_ruler"})


def test_pipeline_disk_round_trip(nlp, tmp_path):
    add_ruler(nlp)
    nlp.to_disk(tmp_path / "model")
    doc = spacy.load(tmp_path / "model")(" ".join(WORDS))
    assert [(ent.text, ent._.source) for ent in doc.ents] == [
        ("acute kidney injury", "entity_ruler")
    ]


def test_pipeline_in_two_processes(nlp):
    add_ruler(nlp)
    docs = list(nlp.pipe([" ".join(WORDS), "", " "], n_process=2, batch_size=1))
    assert [[ent._.source for ent in doc.ents] for doc in docs] == [["entity_ruler"], [], []]


def test_identifiers_of_an_entity_ruler_stay_when_the_pipes_run_again():
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "DISEASE", "pattern": "RA", "id": "R1"}])
    gazetteer = nlp.add_pipe("bioner_gazetteer")
    gazetteer.add_patterns([{"label": "DISEASE", "pattern": "RA", "id": "MESH:D001172"}])
    nlp.add_pipe("bioner_overlaps")
    doc = nlp("RA pressure rose.")
    for _ in range(2):
        assert [(e.text, e.id_, e.kb_id_) for e in doc.ents] == [("RA", "R1", "MESH:D001172")]
        assert [token.ent_id_ for token in doc] == ["R1", "", "", ""]
        for _, pipe in nlp.pipeline:
            doc = pipe(doc)


def test_an_id_of_nobody_knows_whom_stays_what_it_is(doc):
    doc.ents = [Span(doc, 2, 3, "Anatomy", span_id="X")]
    for _ in range(2):
        (ent,) = OverlapResolver()(doc).ents
        assert (ent.id_, ent.kb_id_, ent._.source) == ("X", "", "ents")
