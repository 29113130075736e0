"""Ids of spaCy's rulers are concept ids, and their components the sources."""

import pytest
import spacy
from spacy.tokens import Doc, Span
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.components.evidence import span_evidence
from spacy_bioner.components.rulers import credit_rulers, list_rulers
from spacy_bioner.evaluation.metrics.concepts import list_concepts

PATTERNS = [
    {"label": "Disease", "pattern": "Parkinson disease", "id": "MESH:D010300"},
    {"label": "Disease", "pattern": "gout"},
]
TEXT = "Parkinson disease (PD) and gout; PD is not gout."
FACTORIES = {
    "entity_ruler": {},
    "future_entity_ruler": {},
    "span_ruler": {"annotate_ents": True},
}


@pytest.fixture(params=FACTORIES)
def nlp(request):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe(request.param, name="mine", config=FACTORIES[request.param])
    ruler.add_patterns(PATTERNS)
    return nlp


def rows(doc):
    return [(ent.text, ent.kb_id_ or ent.id_, ent._.source) for ent in doc.ents]


def test_the_ruler_is_the_source_and_its_id_the_concept(nlp):
    nlp.add_pipe("bioner_overlaps")
    doc = nlp(TEXT)
    (entry,) = span_evidence(doc.ents[0])
    assert (entry.source, entry.concept_id) == ("mine", "MESH:D010300")
    assert doc.ents[0].id_ == "MESH:D010300"


def test_short_forms_get_the_id(nlp):
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_overlaps")
    doc = nlp(TEXT)
    assert [row[:2] for row in rows(doc)] == [
        ("Parkinson disease", "MESH:D010300"),
        ("PD", "MESH:D010300"),
        ("gout", ""),
        ("PD", "MESH:D010300"),
        ("gout", ""),
    ]
    assert rows(doc)[0][2] == "mine"
    assert rows(doc)[1][2] == "bioner_abbreviations"
    before = doc.to_bytes()
    assert nlp.get_pipe("bioner_overlaps")(doc).to_bytes() == before


def test_evaluate_counts_the_concepts(nlp):
    assert list_concepts(nlp(TEXT)) == {("Disease", "D010300")}


def test_show_names_ruler_and_id(nlp, tmp_path):
    nlp.to_disk(tmp_path / "model")
    result = CliRunner().invoke(
        app, ["show", str(tmp_path / "model"), "--text", TEXT], catch_exceptions=False
    )
    first = result.stdout.splitlines()[2]
    assert first.split() == ["Parkinson", "disease", "Disease", "–", "mine", "MESH:D010300"]


def test_annotate_names_ruler_and_id(nlp):
    from spacy_bioner import annotate

    (document,) = annotate([TEXT], nlp)
    first = document.entities[0]
    assert (first.source, first.concept_ids) == ("mine", ("MESH:D010300",))


def test_the_pipeline_goes_to_other_processes(nlp):
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_overlaps")
    docs = list(nlp.pipe([TEXT, "", TEXT], n_process=2, batch_size=1))
    assert [rows(doc) for doc in docs] == [rows(nlp(TEXT)), [], rows(nlp(TEXT))]


@pytest.mark.parametrize("source", ["mine", "group"])
def test_a_group_of_spans_is_a_source(source):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("span_ruler", name="mine", config={"spans_key": "group"})
    ruler.add_patterns(PATTERNS)
    nlp.add_pipe("bioner_abbreviations", config={"sources": [source]})
    nlp.add_pipe("bioner_overlaps", config={"sources": [source, "bioner_abbreviations"]})
    doc = nlp(TEXT)
    assert rows(doc) == [
        ("Parkinson disease", "MESH:D010300", "mine"),
        ("PD", "MESH:D010300", "bioner_abbreviations"),
        ("gout", "", "mine"),
        ("PD", "MESH:D010300", "bioner_abbreviations"),
        ("gout", "", "mine"),
    ]
    before = doc.to_bytes()
    assert nlp.get_pipe("bioner_overlaps")(doc).to_bytes() == before


@pytest.mark.parametrize(
    ("sources", "label"),
    [
        (["mine", "bioner"], "A"),
        (["bioner", "mine"], "B"),
        (["ents", "bioner"], "A"),
        (["bioner", "ents"], "B"),
        (["bioner"], "B"),
    ],
)
def test_a_ruler_has_a_place_in_the_order(sources, label):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler", name="mine").add_patterns(
        [{"label": "A", "pattern": "x y", "id": "1"}]
    )
    resolver = nlp.add_pipe("bioner_overlaps", config={"sources": sources})
    doc = nlp.get_pipe("mine")(nlp.make_doc("x y z"))
    doc.spans["bioner"] = [Span(doc, 1, 3, "B")]
    before = resolver(doc).to_bytes()
    assert [ent.label_ for ent in doc.ents] == [label]
    assert resolver(doc).to_bytes() == before


def test_of_two_rulers_each_has_its_own():
    nlp = spacy.blank("en")
    for name, word in (("first", "gout"), ("second", "asthma")):
        patterns = [{"label": "Disease", "pattern": word, "id": word}]
        nlp.add_pipe("entity_ruler", name=name).add_patterns(patterns)
    nlp.add_pipe("bioner_overlaps")
    assert rows(nlp("asthma and gout")) == [
        ("asthma", "asthma", "second"),
        ("gout", "gout", "first"),
    ]
    nlp.get_pipe("first").add_patterns([{"label": "Disease", "pattern": "flu", "id": "F"}])
    assert rows(nlp("flu")) == [("flu", "F", "first")]


def test_an_id_that_no_pattern_has_is_somebody_elses():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    doc = Doc(nlp.vocab, words=["a", "b"])
    doc.ents = [Span(doc, 0, 1, "Disease", span_id="X"), Span(doc, 1, 2, "Disease")]
    credit_rulers(doc, nlp)
    assert doc.user_data == {}
    assert list_rulers(None) == {}


def test_a_group_that_is_no_source_proposes_nothing():
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler", name="mine").add_patterns(PATTERNS)
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_overlaps")
    doc = nlp(TEXT)
    assert doc.ents == ()
    assert doc._.bioner_evidence == []


def test_a_group_is_not_believed_about_short_forms_if_asked_for():
    nlp = spacy.blank("en")
    patterns = [{"label": "Disease", "pattern": "RA", "id": "D1"}]
    nlp.add_pipe("span_ruler", name="mine").add_patterns(patterns)
    config = {"sources": ["mine"], "drop_from": ["mine"]}
    nlp.add_pipe("bioner_abbreviations", config=config)
    nlp.add_pipe("bioner_overlaps", config={"sources": ["mine"]})
    doc = nlp("The right atrium (RA) was large.")
    assert doc.ents == ()
    assert [row["source"] for row in doc._.bioner_rejections] == ["mine"]


def test_patterns_that_take_the_place_of_as_many_others_are_known(nlp):
    nlp.add_pipe("bioner_overlaps")
    assert rows(nlp(TEXT))[0] == ("Parkinson disease", "MESH:D010300", "mine")
    ruler = nlp.get_pipe("mine")
    ruler.clear()
    other = {"label": "Disease", "pattern": "gout", "id": "MESH:D006073"}
    ruler.add_patterns([other, {"label": "Disease", "pattern": "PD"}])
    credited = [row for row in rows(nlp(TEXT)) if row[1]]
    assert credited == [("gout", "MESH:D006073", "mine")] * 2
