"""Scaled confidences and thresholds, on Docs that are annotated by hand."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.components.confidence import ConfidenceFilter
from spacy_bioner.components.evidence import Evidence, add_evidence, span_evidence
from spacy_bioner.components.overlaps import OverlapResolver, read_rejections
from spacy_bioner.errors import ConfigError

WORDS = ["aspirin", "eases", "severe", "headache", "today"]


@pytest.fixture
def doc() -> Doc:
    doc = Doc(spacy.blank("en").vocab, words=WORDS)
    own = [Span(doc, 0, 1, "Chemical"), Span(doc, 3, 4, "Disease")]
    doc.spans["bioner"] = own
    doc.set_ents(own, default="outside")
    for span, value in zip(own, (0.9, 0.6)):
        add_evidence(doc, Evidence(span.start_char, span.end_char, span.label_, "bioner", value))
    return doc


def texts(doc: Doc) -> list[str]:
    return [ent.text for ent in doc.ents]


def test_nothing_changes_by_default(doc: Doc) -> None:
    ConfidenceFilter()(doc)
    assert texts(doc) == ["aspirin", "headache"]
    assert [ent._.confidence for ent in doc.ents] == [0.9, 0.6]
    assert read_rejections(doc) == ()


def test_entities_below_the_threshold_leave_with_a_reason(doc: Doc) -> None:
    ConfidenceFilter(threshold=0.7)(doc)
    assert texts(doc) == ["aspirin"]
    assert [span.text for span in doc.spans["bioner"]] == ["aspirin", "headache"]
    (rejection,) = read_rejections(doc)
    assert (rejection.start_char, rejection.label, rejection.source) == (21, "Disease", "bioner")
    assert rejection.reason == "confidence 0.600 below 0.700"
    assert doc[3].ent_iob_ == "O"


def test_what_was_left_out_does_not_come_back_by_the_overlaps(doc: Doc) -> None:
    OverlapResolver()(ConfidenceFilter(threshold=0.7)(doc))
    assert texts(doc) == ["aspirin"]


def test_labels_have_thresholds_of_their_own(doc: Doc) -> None:
    ConfidenceFilter(threshold=0.7, thresholds={"Disease": 0.6, "Chemical": 0.95})(doc)
    assert texts(doc) == ["headache"]


def test_confidences_are_scaled_once(doc: Doc) -> None:
    component = ConfidenceFilter(temperature=2.0, threshold=0.6)
    for _ in range(2):
        component(doc)
        # The odds of 9 to 1 become 3 to 1, those of 3 to 2 the root of that.
        assert doc.ents[0]._.confidence == pytest.approx(0.75)
        assert span_evidence(doc.spans["bioner"][1])[0].confidence == pytest.approx(
            0.5505, abs=1e-4
        )
        assert texts(doc) == ["aspirin"]


def test_what_others_propose_as_well_stays(doc: Doc) -> None:
    add_evidence(doc, Evidence(21, 29, "Disease", "bioner_gazetteer"))
    ConfidenceFilter(threshold=0.7)(doc)
    assert texts(doc) == ["aspirin", "headache"]


def test_the_result_survives_a_docbin(doc: Doc) -> None:
    ConfidenceFilter(temperature=2.0, threshold=0.6)(doc)
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    (copy,) = DocBin(store_user_data=True).from_bytes(stored).get_docs(doc.vocab)
    assert copy.ents[0]._.confidence == pytest.approx(0.75)
    assert read_rejections(copy) == read_rejections(doc)


def test_a_pipeline_keeps_its_settings(tmp_path) -> None:
    nlp = spacy.blank("en")
    settings = {"temperature": 1.7, "thresholds": [["Disease", 0.4], ["A:b=[c]#", 0.5]]}
    nlp.add_pipe("bioner_confidence", config=settings)
    nlp.to_disk(tmp_path)
    component = spacy.load(tmp_path).get_pipe("bioner_confidence")
    assert (component.temperature, component.thresholds) == (
        1.7,
        {"Disease": 0.4, "A:b=[c]#": 0.5},
    )


def test_thresholds_that_are_no_pairs_are_refused() -> None:
    nlp = spacy.blank("en")
    for pairs in ([["Disease"]], [["Disease", "x"]], [[["Disease"], 0.5]]):
        with pytest.raises(ConfigError, match="expected \\[\\[LABEL, NUMBER\\], …\\]"):
            nlp.add_pipe("bioner_confidence", config={"thresholds": pairs})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, "found temperature 0, expected more than 0"),
        ({"bias": float("inf")}, "found bias inf, expected a finite number"),
        ({"threshold": 1.5}, r"found threshold 1\.5, expected 0 to 1"),
        ({"thresholds": {"Gene": -1.0}}, "found threshold -1 of Gene, expected 0 to 1"),
    ],
)
def test_wrong_settings_are_refused(settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        ConfidenceFilter(**settings)
