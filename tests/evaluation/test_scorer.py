import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_bioner.evaluation.scorer import make_entity_scorer

WORDS = ["Aspirin", "eases", "pain"]


@pytest.fixture
def vocab() -> Vocab:
    return Vocab()


def _make_doc(vocab, *entities) -> Doc:
    doc = Doc(vocab, words=WORDS)
    doc.ents = [Span(doc, start, end, label=label) for start, end, label in entities]
    return doc


def test_scorer_gives_spacy_keys_from_counts(vocab):
    gold = _make_doc(vocab, (0, 1, "Chemical"), (2, 3, "Disease"))
    predicted = _make_doc(vocab, (0, 1, "Chemical"), (1, 2, "Disease"), (2, 3, "Chemical"))
    assert make_entity_scorer()([Example(predicted, gold)]) == {
        "ents_p": 1 / 3,
        "ents_r": 1 / 2,
        "ents_f": 2 / 5,
        "ents_per_type": {
            "Chemical": {"p": 1 / 2, "r": 1.0, "f": 2 / 3, "tp": 1, "fp": 1, "fn": 0},
            "Disease": {"p": 0.0, "r": 0.0, "f": 0.0, "tp": 0, "fp": 1, "fn": 1},
        },
    }


def test_scorer_equals_spacys_own_on_entities(vocab):
    gold = _make_doc(vocab, (0, 1, "Chemical"), (2, 3, "Disease"))
    predicted = _make_doc(vocab, (0, 1, "Chemical"), (1, 3, "Disease"))
    example = Example(predicted, gold)
    theirs = spacy.scorer.get_ner_prf([example])
    ours = make_entity_scorer()([example])
    for key in ("ents_p", "ents_r", "ents_f"):
        assert ours[key] == pytest.approx(theirs[key])


def test_scorer_uses_corpus_offsets_where_the_reference_has_them(vocab):
    gold = _make_doc(vocab, (0, 1, "Chemical"))
    gold.user_data["bioner_gold"] = [[0, 6, "Chemical", []]]
    example = Example(_make_doc(vocab, (0, 1, "Chemical")), gold)
    assert make_entity_scorer()([example])["ents_f"] == 0.0


def test_scorer_reads_a_span_group(vocab):
    predicted = _make_doc(vocab)
    predicted.spans["bioner"] = [Span(predicted, 0, 1, label="Chemical")]
    example = Example(predicted, _make_doc(vocab, (0, 1, "Chemical")))
    assert make_entity_scorer(spans_key="bioner")([example])["ents_f"] == 1.0


def test_scorer_without_prediction_is_zero_rather_than_none(vocab):
    scores = make_entity_scorer()([Example(_make_doc(vocab), _make_doc(vocab, (0, 1, "Gene")))])
    assert (scores["ents_p"], scores["ents_r"], scores["ents_f"]) == (0.0, 0.0, 0.0)


def test_scorer_without_gold_and_prediction_is_none(vocab):
    scores = make_entity_scorer()([Example(_make_doc(vocab), _make_doc(vocab))])
    assert set(scores.values()) == {None}


def test_scorer_ignores_component_settings(vocab):
    example = Example(_make_doc(vocab), _make_doc(vocab, (0, 1, "Gene")))
    assert make_entity_scorer()([example], labels=("Gene",), threshold=0.5)["ents_r"] == 0.0


def test_scorer_is_registered():
    assert spacy.registry.scorers.get("spacy_bioner.EntityScorer.v1") is make_entity_scorer


def test_scorer_takes_a_reference_whose_spacing_is_unknown(vocab):
    predicted = Doc(
        vocab, words=["IL", "-", "2", "gene", "."], spaces=[False, False, True, False, False]
    )
    predicted.ents = [Span(predicted, 0, 4, label="Gene")]
    gold = {"words": ["IL-2", "gene", "."], "entities": ["B-Gene", "L-Gene", "O"]}
    example = Example.from_dict(predicted, gold)
    assert example.reference.text != predicted.text
    assert make_entity_scorer()([example])["ents_f"] == 1.0
