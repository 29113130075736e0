import json
import re
import sys

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.blanks import squeeze
from spacy_bioner.components.crf_weights import NEVER, CrfWeights, train_weights
from spacy_bioner.errors import ConfigError, LabelError, TrainingDataError
from spacy_bioner.extras import install_command

from ..conftest import TOKENIZER, entities_of

pycrfsuite = pytest.importorskip("pycrfsuite", reason="needs the extra [baselines]")

NAME = "bioner_feature_crf"
TEXTS = [
    ("Naloxone reverses the effect of clonidine.", [(0, 8, "Chemical"), (32, 41, "Chemical")]),
    ("hypertension in rats. Naloxone", [(0, 12, "Disease"), (22, 30, "Chemical")]),
    ("acute renal failure", [(0, 19, "Disease")]),
]
SETTINGS = {"c1": 0.0, "c2": 0.01, "max_iterations": 50, "min_count": 1}
UNSEEN = ["", " \n", "Clonidine.\n\nHypertension of 3 rats, and acute renal failure"]


@Language.component("test_feature_crf_tagger")
def tag_everything(doc):
    for token in doc:
        token.pos_ = "NOUN" if token.text[0].islower() else "PROPN"
    return doc


@pytest.fixture(scope="module")
def examples(make_example):
    return [make_example(*text) for text in TEXTS]


def make_nlp(**settings):
    nlp = spacy.blank("en", config=TOKENIZER)
    nlp.add_pipe(NAME, config=settings)
    return nlp


@pytest.fixture(scope="module")
def nlp(examples):
    nlp = make_nlp()
    nlp.initialize(lambda: examples)
    return nlp


def describe(doc):
    return entities_of(doc), json.dumps(doc.user_data), [span.text for span in doc.spans[NAME]]


def test_component_learns_a_few_texts_by_heart(nlp):
    assert nlp.get_pipe(NAME).labels == ("Chemical", "Disease")
    for text, entities in TEXTS:
        expected = [(text[start:end], label) for start, end, label in entities]
        assert entities_of(nlp(text)) == expected


def test_entities_have_confidence_and_source(nlp):
    doc = nlp(TEXTS[0][0])
    assert [ent._.source for ent in doc.ents] == [NAME, NAME]
    assert all(0.5 < ent._.confidence < 1.0 for ent in doc.ents)
    assert [span.text for span in doc.spans[NAME]] == ["Naloxone", "clonidine"]


def test_second_run_over_a_doc_changes_nothing(nlp):
    doc = nlp(TEXTS[0][0])
    once = describe(doc)
    assert describe(nlp.get_pipe(NAME)(doc)) == once


def test_pipe_equals_one_by_one(nlp):
    texts = [text for text, _ in TEXTS] + UNSEEN
    assert [describe(doc) for doc in nlp.pipe(texts)] == [describe(nlp(text)) for text in texts]


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_text_without_words_has_no_entities(nlp, text):
    assert nlp(text).ents == ()


def test_bytes_and_disk_keep_everything(nlp, tmp_path):
    nlp.to_disk(tmp_path / "model")
    copies = [make_nlp().from_bytes(nlp.to_bytes()), spacy.load(tmp_path / "model")]
    for text in [text for text, _ in TEXTS] + UNSEEN:
        assert [describe(copy(text)) for copy in copies] == [describe(nlp(text))] * 2


def test_trained_pipeline_needs_no_crfsuite(nlp, tmp_path, monkeypatch):
    nlp.to_disk(tmp_path / "model")
    monkeypatch.setitem(__import__("sys").modules, "pycrfsuite", None)
    assert entities_of(spacy.load(tmp_path / "model")(TEXTS[2][0])) == [
        ("acute renal failure", "Disease")
    ]


def test_entities_of_others_stay_where_they_do_not_overlap(examples):
    nlp = make_nlp()
    nlp.add_pipe("entity_ruler", first=True).add_patterns(
        [{"label": "Species", "pattern": "rats"}, {"label": "Other", "pattern": "hypertension"}]
    )
    nlp.initialize(lambda: examples)
    # Initializing empties the ruler.
    nlp.get_pipe("entity_ruler").add_patterns(
        [{"label": "Species", "pattern": "rats"}, {"label": "Other", "pattern": "hypertension"}]
    )
    found = entities_of(nlp("hypertension in rats."))
    assert found == [("hypertension", "Disease"), ("rats", "Species")]


def test_annotating_components_before_it_are_seen_in_training(examples, make_example):
    def train(annotating):
        nlp = make_nlp()
        nlp.add_pipe("test_feature_crf_tagger", first=True)
        nlp.config["training"]["annotating_components"] = annotating
        nlp.initialize(lambda: [make_example(*text) for text in TEXTS])
        return {name for name in nlp.get_pipe(NAME).weights.features if ":p=" in name}

    assert train([]) == set()
    assert "0:p=NOUN" in train(["test_feature_crf_tagger"])


def test_examples_without_entities_are_an_error(make_example):
    nlp = make_nlp()
    with pytest.raises(TrainingDataError, match="no example has an entity"):
        nlp.initialize(lambda: [make_example("hypertension", [])])


def test_label_that_was_not_named_is_an_error(examples):
    component = make_nlp().get_pipe(NAME)
    with pytest.raises(LabelError, match="labeled Disease, which the model does not know"):
        component.initialize(lambda: examples, labels=["Chemical"])


def test_missing_extra_is_named(examples, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycrfsuite", None)
    with pytest.raises(ConfigError, match=re.escape(install_command("baselines"))):
        make_nlp().initialize(lambda: examples)


def test_untrained_component_says_so(blank_nlp):
    with pytest.raises(ValueError, match="has no weights yet"):
        make_nlp()("hypertension")


def test_unknown_scheme_is_an_error():
    with pytest.raises(LabelError, match="found tag scheme 'BMES'"):
        make_nlp(scheme="BMES")


@pytest.mark.parametrize(("setting", "value"), [("c1", -1.0), ("max_iterations", 0)])
def test_setting_that_cannot_be_is_an_error(examples, setting, value):
    with pytest.raises(ConfigError, match="expected penalties of 0 or more"):
        make_nlp(**{setting: value}).initialize(lambda: examples)


SEQUENCES = [
    ([["bias", "a"], ["bias", "b"], ["bias", "a b -->\n"]], [0, 1, 2]),
    ([["bias", "b"], ["bias", "a"]], [1, 0]),
    ([], []),
]


def test_weights_score_as_crfsuite_does(tmp_path):
    weights = train_weights(SEQUENCES, 3, **SETTINGS)
    trainer = pycrfsuite.Trainer("lbfgs", {"c1": 0.0, "c2": 0.01, "max_iterations": 50}, False)
    # CRFsuite's own names for the features, so that its tagger can be asked.
    for features, tags in SEQUENCES[:2]:
        trainer.append([[name[:3] for name in row] for row in features], list(map(str, tags)))
    trainer.train(str(tmp_path / "crf"))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(tmp_path / "crf"))
    features = SEQUENCES[0][0]
    tagger.set([[name[:3] for name in row] for row in features])
    scores, follow = weights.emissions(features).astype(float), weights.transitions.astype(float)
    paths = [(i, j, k) for i in range(3) for j in range(3) for k in range(3)]
    chances = np.array(
        [
            np.exp(
                scores[[0, 1, 2], path].sum() + follow[path[0], path[1]] + follow[path[1], path[2]]
            )
            for path in map(list, paths)
        ]
    )
    for position in range(3):
        for tag in range(3):
            share = sum(c for c, path in zip(chances, paths) if path[position] == tag)
            expected = tagger.marginal(str(tag), position)
            assert share / chances.sum() == pytest.approx(expected, abs=1e-4)


def test_tag_that_no_token_has_is_never_given():
    weights = train_weights(SEQUENCES, 4, **SETTINGS)
    assert weights.emissions([["bias", "unknown"]])[0, 3] == NEVER
    assert weights.states.shape[1] == 4


def test_l1_penalty_drops_features():
    sparse = train_weights(SEQUENCES, 3, **{**SETTINGS, "c1": 10.0})
    assert list(sparse.features) == ["bias"]


def test_weights_survive_as_plain_data():
    weights = train_weights(SEQUENCES, 3, **SETTINGS)
    again = CrfWeights.from_plain(weights.to_plain())
    assert again.features == weights.features
    assert np.array_equal(again.states, weights.states)
    assert np.array_equal(again.transitions, weights.transitions)
    assert again.losses == weights.losses


def test_no_token_to_train_on_is_an_error():
    with pytest.raises(TrainingDataError, match="found no token"):
        train_weights([([], [])], 3, **SETTINGS)


def test_no_tokens_have_no_emissions():
    weights = train_weights(SEQUENCES, 3, **SETTINGS)
    assert weights.emissions([]).shape == (0, 3)


def test_docs_survive_several_processes(nlp):
    found = nlp.pipe([TEXTS[0][0], TEXTS[2][0]], n_process=2)
    assert [entities_of(doc) for doc in found] == [
        entities_of(nlp(TEXTS[0][0])),
        entities_of(nlp(TEXTS[2][0])),
    ]


def test_doc_without_sentences_is_tagged_as_one_sequence(nlp):
    doc = Doc(nlp.vocab, words=["acute", "renal", "failure"])
    assert entities_of(nlp.get_pipe(NAME)(doc)) == [("acute renal failure", "Disease")]


def test_the_loss_of_each_iteration_is_kept():
    losses = train_weights(SEQUENCES, 3, **SETTINGS).losses
    assert len(losses) > 3
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("gap", ["\n", "\r\n  ", "\u00a0", "\t", "\u200b ", " \x00 "])
def test_gaps_change_neither_entities_nor_confidences(nlp, gap):
    for text, _ in TEXTS:
        expected, found = nlp(text).ents, nlp(gap + text.replace(" ", gap) + gap).ents
        assert [squeeze(ent.text).text for ent in found] == [ent.text for ent in expected]
        confidences = [ent._.confidence for ent in expected]
        assert [ent._.confidence for ent in found] == pytest.approx(confidences)


def test_gold_across_line_breaks_is_learned_as_if_there_were_none(make_example):
    def train(gap):
        nlp = make_nlp()
        text = "Acute kidney injury in rats".replace(" ", gap)
        end = text.index("injury") + len("injury")
        nlp.initialize(lambda: [make_example(text, [(0, end, "Disease")])])
        return nlp.get_pipe(NAME).weights.to_plain()

    assert train("\n") == train(" \u200b\t") == train(" ")
