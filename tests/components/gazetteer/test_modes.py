"""What lists do to the entities that stand, on Docs made by hand."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.components.entities import write_entities
from spacy_bioner.components.evidence import span_evidence
from spacy_bioner.components.gazetteer.modes import MODES, Modes
from spacy_bioner.components.overlaps import OverlapResolver, Rejection, read_rejections
from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.terms import Term

WORDS = ["aspirin", "eased", "severe", "gout", "and", "heart", "failure", "of", "the", "liver"]
TERMS = [
    Term("aspirin", "Chemical", "C1"),
    Term("gout", "Disease", "D1"),
    Term("heart failure", "Disease", "D2"),
    Term("liver", "Anatomy", "A1"),
]
# Of the model: right, too long, another label, and what no list has.
ASPIRIN, SEVERE_GOUT, FAILURE = (0, 1, "Chemical"), (2, 4, "Disease"), (5, 7, "Chemical")
EASED = (1, 2, "Gene")
MODEL = [ASPIRIN, EASED, SEVERE_GOUT, FAILURE]


@pytest.fixture
def nlp():
    return spacy.blank("en")


def run(nlp, *, spans=MODEL, confidences=None, terms=TERMS, twice=False, **config):
    doc = Doc(nlp.vocab, words=WORDS)
    write_entities(doc, "bioner", spans, confidences or [0.6] * len(spans))
    component = nlp.create_pipe("bioner_gazetteer", config=config)
    component.name = "lists"
    component.add_terms(terms)
    component(doc)
    if twice:
        before = doc.to_bytes()
        assert component(doc).to_bytes() == before
    return doc


def places(spans):
    return [(span.start, span.end, span.label_) for span in spans]


def said(doc):
    return [
        (doc.char_span(r.start_char, r.end_char).text, r.label, r.source, r.reason)
        for r in read_rejections(doc)
    ]


@pytest.mark.parametrize("mode", MODES)
def test_twice_over_a_doc_changes_nothing(nlp, mode):
    doc = run(nlp, mode=mode, confidence=0.5, twice=True)
    assert doc.ents


@pytest.mark.parametrize("mode", MODES)
def test_docs_that_were_stored_are_annotated_alike(nlp, mode):
    def store(doc):
        stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
        (again,) = DocBin(store_user_data=True).from_bytes(stored).get_docs(nlp.vocab)
        return again

    def tell(doc):
        return places(doc.ents), doc._.bioner_evidence, doc._.bioner_rejections

    component = nlp.create_pipe("bioner_gazetteer", config={"mode": mode, "confidence": 0.5})
    component.add_terms(TERMS)
    doc = Doc(nlp.vocab, words=WORDS)
    write_entities(doc, "bioner", MODEL, [0.6] * 4)
    again = store(doc)
    expected = tell(component(doc))
    assert tell(component(again)) == expected
    # And once more, with other lists, over what was stored behind them.
    again = store(again)
    component.clear()
    component.add_terms(TERMS[:1])
    assert tell(component(again)) == tell(component(doc))


def test_fill_adds_where_nothing_stands(nlp):
    doc = run(nlp)
    assert places(doc.ents) == [*MODEL, (9, 10, "Anatomy")]
    assert len(doc.spans["lists"]) == 4
    assert said(doc) == []


def test_override_takes_the_place_of_what_it_overlaps(nlp):
    doc = run(nlp, mode="override")
    assert places(doc.ents) == [
        ASPIRIN,
        EASED,
        (3, 4, "Disease"),
        (5, 7, "Disease"),
        (9, 10, "Anatomy"),
    ]
    assert said(doc) == [
        ("severe gout", "Disease", "bioner", "the lists have 'gout' as Disease (override)"),
        (
            "heart failure",
            "Chemical",
            "bioner",
            "the lists have 'heart failure' as Disease (override)",
        ),
    ]


def test_override_names_an_entity_that_it_agrees_with(nlp):
    doc = run(nlp, mode="override")
    assert (doc.ents[0].kb_id_, doc.ents[0].id_) == ("C1", "")
    assert [e.source for e in span_evidence(doc.ents[0])] == ["bioner", "lists"]


def test_what_is_overridden_does_not_come_back_with_overlaps(nlp):
    doc = OverlapResolver(sources=["bioner", "lists"])(run(nlp, mode="override"))
    assert places(doc.ents)[2:4] == [(3, 4, "Disease"), (5, 7, "Disease")]
    # With "fill" the longer one wins, then the model.
    doc = OverlapResolver(sources=["bioner", "lists"])(run(nlp))
    assert places(doc.ents)[2:4] == [SEVERE_GOUT, FAILURE]


def test_filter_rejects_what_the_lists_know_under_another_label_only(nlp):
    doc = run(nlp, mode="filter")
    assert places(doc.ents) == [ASPIRIN, EASED, SEVERE_GOUT]
    assert said(doc) == [
        (
            "heart failure",
            "Chemical",
            "bioner",
            "the lists have 'heart failure' as Disease (filter)",
        )
    ]
    assert places(doc.spans["bioner"]) == MODEL
    # The lists add nothing; where they agree they give the id.
    assert [(span.text, span.kb_id_) for span in doc.spans["lists"]] == [("aspirin", "C1")]
    assert places(OverlapResolver(sources=["bioner", "lists"])(doc).ents) == [
        ASPIRIN,
        EASED,
        SEVERE_GOUT,
    ]
    assert doc.ents[0].kb_id_ == "C1"


def test_filter_keeps_what_one_of_the_lists_confirms(nlp):
    terms = [*TERMS, Term("heart failure", "Chemical", "C9")]
    doc = run(nlp, mode="filter", terms=terms)
    assert places(doc.ents) == MODEL
    assert said(doc) == []


def test_filter_needs_the_same_borders(nlp):
    # "severe gout" and "eased" are no names of the lists, "heart" is within a longer one.
    terms = [Term("heart", "Anatomy"), Term("heart failure", "Disease"), Term("gout", "Gene")]
    spans = [(2, 4, "Disease"), (5, 6, "Gene")]
    assert places(run(nlp, spans=spans, mode="filter", terms=terms).ents) == spans
    nested = run(nlp, spans=spans, mode="filter", terms=terms, nested=True)
    assert places(nested.ents) == [(2, 4, "Disease")]


def test_filter_takes_entities_of_whoever_set_them(nlp):
    doc = Doc(nlp.vocab, words=WORDS)
    doc.ents = [Span(doc, 3, 4, "Gene")]
    component = nlp.create_pipe("bioner_gazetteer", config={"mode": "filter"})
    component.add_terms(TERMS)
    component(doc)
    assert doc.ents == ()
    assert read_rejections(doc) == (
        Rejection(21, 25, "Gene", "", component.name, "the lists have 'gout' as Disease (filter)"),
    )


def test_without_set_ents_objections_are_entered_only(nlp):
    doc = run(nlp, mode="filter", set_ents=False)
    assert places(doc.ents) == MODEL
    assert len(said(doc)) == 1
    assert places(OverlapResolver(sources=["bioner"])(doc).ents) == [ASPIRIN, EASED, SEVERE_GOUT]


def test_boost_raises_what_the_lists_have_as_well(nlp):
    doc = run(nlp, mode="boost", confidence=0.5, confidences=[0.6, 0.7, 0.8, 0.9])
    assert places(doc.ents) == MODEL
    # 1 - (1 - 0.6) (1 - 0.5)
    assert [ent._.confidence for ent in doc.ents] == pytest.approx([0.8, 0.7, 0.8, 0.9])
    own = [entry for entry in span_evidence(doc.ents[0]) if entry.source == "lists"]
    assert [(entry.confidence, entry.rule) for entry in own] == [
        (0.5, "aspirin; raised bioner 0.600 → 0.800")
    ]
    assert places(doc.spans["lists"]) == [ASPIRIN]
    assert said(doc) == []


def test_boost_is_taken_back_when_the_lists_change(nlp):
    doc = Doc(nlp.vocab, words=WORDS)
    write_entities(doc, "bioner", MODEL, [0.6] * 4)
    config = {"mode": "boost", "confidence": 0.5}
    component = nlp.create_pipe("bioner_gazetteer", config=config)
    component.add_terms(TERMS)
    assert component(doc).ents[0]._.confidence == pytest.approx(0.8)
    component.clear()
    component.add_terms([Term("rats", "Species")])
    assert component(doc).ents[0]._.confidence == 0.6
    # A tagger that runs again writes its own.
    component.add_terms(TERMS)
    write_entities(component(doc), "bioner", MODEL, [0.2] * 4)
    assert component(doc).ents[0]._.confidence == pytest.approx(0.6)


def test_raised_confidences_pass_a_threshold(nlp):
    doc = run(nlp, mode="boost", confidence=0.5)
    nlp.add_pipe("bioner_confidence", config={"threshold": 0.7})(doc)
    assert places(doc.ents) == [ASPIRIN]


def test_labels_have_modes_of_their_own(nlp):
    modes = [["Disease", "filter"], ["Anatomy", "fill"]]
    doc = run(nlp, mode="boost", modes=modes, confidence=0.5, twice=True)
    assert places(doc.ents) == [ASPIRIN, EASED, SEVERE_GOUT, (9, 10, "Anatomy")]
    assert doc.ents[0]._.confidence == pytest.approx(0.8)
    modes = [["Disease", "override"]]
    doc = run(nlp, modes=modes, twice=True)
    assert places(doc.ents) == [
        ASPIRIN, EASED, (3, 4, "Disease"), (5, 7, "Disease"), (9, 10, "Anatomy"),
    ]  # fmt: skip


def test_overwrite_ents_is_override(nlp):
    assert places(run(nlp, overwrite_ents=True).ents) == places(run(nlp, mode="override").ents)


def test_modes_are_kept_with_the_pipeline(nlp, tmp_path):
    config = {"mode": "filter", "modes": [["[X]=#", "boost"]], "confidence": 0.9}
    nlp.add_pipe("bioner_gazetteer", config=config).add_terms(TERMS)
    nlp.to_disk(tmp_path / "model")
    component = spacy.load(tmp_path / "model").get_pipe("bioner_gazetteer")
    assert (component.mode, component.modes) == ("filter", {"[X]=#": "boost"})
    assert component.boosts


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"mode": "drop"}, "found mode 'drop', expected one of fill, filter, boost, override"),
        ({"modes": [["A", "drop"]]}, "found mode 'drop'"),
        ({"mode": "boost"}, "found mode 'boost' without 'confidence'"),
        ({"modes": [["A", "boost"]]}, "found mode 'boost' without 'confidence'"),
        ({"mode": "boost", "confidence": 1.5}, "found confidence 1.5, expected 0 to 1"),
        ({"mode": "filter", "overwrite_ents": True}, "found overwrite_ents with mode 'filter'"),
    ],
)
def test_modes_that_make_no_sense_are_refused(nlp, config, message):
    with pytest.raises(ConfigError, match=f"bioner_gazetteer: {message}"):
        nlp.add_pipe("bioner_gazetteer", config=config)


@pytest.mark.parametrize("pairs", [[["A"]], [["A", "fill", "B"]], ["A"], [[1, "fill"]]])
def test_modes_are_pairs(pairs):
    with pytest.raises(ConfigError, match=r"found modes .*, expected \[\[LABEL, MODE\], …\]"):
        Modes("lists", by_label=pairs)
