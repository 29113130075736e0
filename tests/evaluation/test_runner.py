import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from spacy_bioner.evaluation.runner import evaluate_pipeline, score_without_terms
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.knowledge.terms import Term


@Language.component("test_evaluation_proposer")
def propose_first_token(doc: Doc) -> Doc:
    doc.spans["bioner"] = [Span(doc, 0, 1, label="Chemical")] if len(doc) else []
    return doc


@pytest.fixture
def ruler() -> Language:
    nlp = spacy.blank("en")
    patterns = [{"label": "Disease", "pattern": "cancer"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    return nlp


def _gold(nlp, text, *mentions):
    doc = nlp.make_doc(text)
    doc.user_data["bioner_gold"] = [[*mention, []] for mention in mentions]
    return doc


def test_evaluate_pipeline_scores_entities_and_counts_words(ruler):
    gold = [
        _gold(ruler, "cancer  and pain", (0, 6, "Disease"), (12, 16, "Disease")),
        _gold(ruler, ""),
    ]
    evaluation = evaluate_pipeline(ruler, gold)
    assert evaluation.scores["pipeline"].micro == Counts(tp=1, fn=1)
    assert (evaluation.n_docs, evaluation.pace.n_words) == (2, 3)
    assert list(evaluation.scores) == ["pipeline"]


def test_evaluate_pipeline_scores_the_model_alone_from_its_span_group(ruler):
    ruler.add_pipe("test_evaluation_proposer")
    gold = [_gold(ruler, "Aspirin cancer", (0, 7, "Chemical"), (8, 14, "Disease"))]
    scores = evaluate_pipeline(ruler, gold).scores
    assert scores["model"].by_type == {"Chemical": Counts(tp=1), "Disease": Counts(fn=1)}
    assert scores["pipeline"].by_type == {"Chemical": Counts(fn=1), "Disease": Counts(tp=1)}


def test_evaluate_pipeline_names_gold_labels_that_no_component_has(ruler):
    gold = [_gold(ruler, "cancer", (0, 6, "Gene"))]
    scores = evaluate_pipeline(ruler, gold).scores["pipeline"]
    assert scores.labels_unknown_to_model == ("Gene",)
    assert scores.labels_unknown_to_gold == ("Disease",)


def test_evaluate_pipeline_of_no_documents_gives_no_speed(ruler):
    evaluation = evaluate_pipeline(ruler, [])
    assert evaluation.pace.words_per_second is None
    assert evaluation.to_json()["n_mentions"] == 0


def test_a_pipeline_is_scored_without_its_terms_too(ruler):
    gazetteer = ruler.add_pipe("bioner_gazetteer")
    gold = [_gold(ruler, "cancer, pain", (0, 6, "Disease"), (8, 12, "Disease"))]
    assert score_without_terms(ruler, gold) is None
    gazetteer.add_terms([Term("pain", "Disease")])
    assert evaluate_pipeline(ruler, gold).scores["pipeline"].micro == Counts(tp=2)
    without = score_without_terms(ruler, gold)
    assert without.by_type == {"Disease": Counts(tp=1, fn=1)}
    assert ruler.pipe_names == ["entity_ruler", "bioner_gazetteer"]
