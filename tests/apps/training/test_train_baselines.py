"""The baselines: each shipped config trains through the same command, and finds what it should."""

import re

import pytest
import spacy
from spacy.tokens import Span

from spacy_bioner import extras
from spacy_bioner.apps.packaging.assemble import assemble
from spacy_bioner.apps.profiles import load_profile, read_config
from spacy_bioner.apps.training.train import encoder_override, train
from spacy_bioner.corpora.docbin import read_docbin, write_docbin
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.runner import SPANS, evaluate_pipeline
from spacy_bioner.extras import install_command
from spacy_bioner.training.span_corpus import make_span_corpus
from tests.paths import ROOT

TEXTS = [
    ("lung cancer in rats", [(0, 11, "Disease"), (0, 4, "Anatomy")]),
    ("clonidine in lung cancer", [(0, 9, "Chemical"), (13, 24, "Disease"), (13, 17, "Anatomy")]),
    ("the effect of Naloxone in rats", [(14, 22, "Chemical")]),
]
NOTHING_PRETRAINED = {
    "feature_crf": ["bioner_feature_crf"],
    "cnn_ner": ["ner"],
}
SPAN_PROFILES = {
    "minilm_spancat": ["spancat", "bioner_overlaps"],
    "minilm_span_finder": ["span_finder", "spancat", "bioner_overlaps"],
}
FAST = {"training.optimizer.learn_rate": 0.01, "training.dropout": 0.0}


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def corpus(blank_nlp, tmp_path_factory):
    """A folder with a training set, which is the development set as well, of nested mentions."""
    folder = tmp_path_factory.mktemp("nested")
    docs = []
    for text, mentions in TEXTS:
        doc = blank_nlp(text)
        spans = [doc.char_span(start, end, label=label) for start, end, label in mentions]
        doc.spans["gold"] = spans
        doc.set_ents(spacy.util.filter_spans(spans), default="outside")
        doc.user_data["bioner_gold"] = [[*mention, []] for mention in mentions]
        docs.append(doc)
    for split in ("train", "dev"):
        write_docbin(docs, folder / f"{split}.spacy")
    return folder


def spans_of(doc):
    return sorted((span.start_char, span.end_char, span.label_) for span in doc.spans["spancat"])


@pytest.mark.parametrize("name", NOTHING_PRETRAINED)
def test_baseline_without_an_encoder_trains(name, corpus, tmp_path):
    pytest.importorskip("pycrfsuite", reason="needs the extra [baselines]")
    best = train(load_profile(name), corpus, tmp_path / "out", max_steps=3)
    assert spacy.load(best).pipe_names == NOTHING_PRETRAINED[name]


def test_feature_crf_has_learned_before_the_first_step(corpus, tmp_path):
    pytest.importorskip("pycrfsuite", reason="needs the extra [baselines]")
    best = train(load_profile("feature_crf"), corpus, tmp_path / "out")
    nlp = spacy.load(best)
    assert nlp.meta["performance"]["ents_r"] == pytest.approx(4 / 6)
    assert [(ent.text, ent.label_) for ent in nlp(TEXTS[1][0]).ents] == [
        ("clonidine", "Chemical"),
        ("lung cancer", "Disease"),
    ]


def test_feature_crf_names_its_extra_before_training(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda package: None)
    with pytest.raises(
        ConfigError, match="pycrfsuite and matplotlib, .*" + re.escape(install_command("baselines"))
    ):
        train(load_profile("feature_crf"), corpus, tmp_path / "out")


@pytest.fixture(scope="module", params=SPAN_PROFILES)
def span_model(request, corpus, tiny_bert, tmp_path_factory):
    """Each span pipeline on the tiny BERT, after it has learned the nested mentions by heart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        profile = load_profile(request.param, encoder=str(tiny_bert))
        output = tmp_path_factory.mktemp("span") / "out"
        overrides = {**FAST, "training.eval_frequency": 60}
        best = train(profile, corpus, output, max_steps=60, overrides=overrides)
    return request.param, best


def test_span_pipeline_finds_nested_mentions(span_model):
    name, best = span_model
    nlp = spacy.load(best)
    assert nlp.pipe_names == SPAN_PROFILES[name]
    for text, mentions in TEXTS:
        assert spans_of(nlp(text)) == sorted(mentions)


def test_entities_are_the_longest_of_the_spans(span_model):
    doc = spacy.load(span_model[1])(TEXTS[1][0])
    assert [(ent.text, ent.label_) for ent in doc.ents] == [
        ("clonidine", "Chemical"),
        ("lung cancer", "Disease"),
    ]


def test_span_group_is_scored_by_name(span_model, corpus):
    nlp = spacy.load(span_model[1])
    gold = list(read_docbin(corpus / "dev.spacy", nlp.vocab))
    scores = evaluate_pipeline(nlp, gold, spans_key="spancat").scores
    assert (scores[SPANS].micro.tp, scores[SPANS].micro.fn) == (6, 0)
    assert (scores["pipeline"].micro.tp, scores["pipeline"].micro.fn) == (4, 2)


def test_gold_spans_are_no_part_of_what_is_predicted(span_model, corpus):
    nlp = spacy.load(span_model[1])
    (gold, *_) = read_docbin(corpus / "dev.spacy", nlp.vocab)
    gold.spans["gold"] = [Span(gold, 3, 4, label="Species")]
    assert "Species" not in {label for _, _, label in spans_of(nlp(gold))}


def test_no_candidate_is_a_mention_before_training(corpus, tiny_bert):
    config = read_config(ROOT / "configs" / "spancat.cfg")
    config["components"]["spancat"]["model"]["tok2vec"]["name"] = str(tiny_bert)
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    read = make_span_corpus(corpus / "train.spacy", spans_key="spancat")
    nlp.initialize(lambda: read(nlp))
    doc = nlp(TEXTS[0][0])
    assert [list(doc.spans["spancat"]), list(doc.ents)] == [[], []]


def test_span_finder_has_one_encoder_to_name():
    profile = load_profile("minilm_span_finder")
    override = encoder_override(read_config(profile.config, interpolate=False), "some/encoder")
    assert override == {"components.span_finder.model.tok2vec.name": "some/encoder"}


@pytest.mark.slow
def test_span_pipeline_is_assembled_with_what_comes_behind(span_model, tmp_path):
    nlp = assemble(span_model[1], tmp_path / "pipeline")
    order = ["bioner_gazetteer", "bioner_abbreviations", "bioner_overlaps"]
    assert nlp.pipe_names[-3:] == order
    assert nlp.pipe_names.count("bioner_overlaps") == 1
    found = [(ent.text, ent._.source) for ent in nlp(TEXTS[1][0]).ents]
    assert ("lung cancer", "spancat") in found
