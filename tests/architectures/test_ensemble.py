"""Ensembles of emissions: exact values, CRF members, order of labels, round trips."""

import copy
import pickle
from itertools import product

import numpy as np
import pytest
import spacy

torch = pytest.importorskip("torch")

from thinc.api import Model  # noqa: E402

from spacy_bioner.apps.training.ensemble_members import combine, load_members  # noqa: E402
from spacy_bioner.architectures.decoding import (  # noqa: E402
    log_softmax,
    make_grammar,
    tag_log_marginals,
)
from spacy_bioner.architectures.ensemble import (  # noqa: E402
    LOWEST,
    build_emission_ensemble,
    match_tags,
    set_pool_weights,
    tag_opinions,
)
from spacy_bioner.errors import ConfigError, LabelError  # noqa: E402
from spacy_bioner.tags import tag_set  # noqa: E402
from tests.conftest import TOKENIZER, entities_of  # noqa: E402

TEXTS = ["Naloxone reverses the effect of clonidine.", "", "hypertension in rats", "  "]
ROWS = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0]], dtype=np.float32)


def _fixed(rows):
    """A member that always says the same: a stand-in for a softmax classifier."""
    head = Model("head", lambda model, X, is_train: (X, lambda d: d), shims=[_NoShim()])
    return Model(
        "fixed",
        lambda model, docs, is_train: ([rows for _ in docs], lambda d: docs),
        layers=[head],
        refs={"output_layer": head},
    )


class _NoShim:
    is_ready = False


def _save_crf(encoder, folder, examples, labels):
    """A pipeline with a CRF and its labels in an order of its own."""
    nlp = spacy.blank("en", config=TOKENIZER)
    model = {"crf": True, "encoder": {"name": str(encoder), "precision": "float32"}}
    nlp.add_pipe("bioner", config={"model": model})
    nlp.get_pipe("bioner").initialize(lambda: examples, nlp=nlp, labels=labels)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update(examples, sgd=optimizer, drop=0.0)
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def crf_folder(tiny_bert, make_example, tmp_path_factory):
    examples = [
        make_example(TEXTS[0], [(0, 8, "Chemical"), (32, 41, "Chemical")]),
        make_example(TEXTS[2], [(0, 12, "Disease")]),
    ]
    folder = tmp_path_factory.mktemp("crf") / "model"
    return _save_crf(tiny_bert, folder, examples, ["Disease", "Chemical"])


@pytest.fixture(scope="module")
def members(trained_folder, crf_folder):
    return load_members([str(trained_folder), str(crf_folder)])


@pytest.fixture
def mixed(members):
    return combine(members, np.array([[0.25] * 5, [0.75] * 5]))


@pytest.mark.parametrize("scheme", ["IO", "BIO", "BIOES"])
@pytest.mark.parametrize("seed", range(4))
def test_marginals_equal_enumeration(scheme, seed):
    tags = tag_set(["X"] if scheme == "BIOES" else ["X", "Y"], scheme)
    random = np.random.default_rng(seed)
    n_tags = len(tags)
    sizes = ((n_tags, n_tags), n_tags, n_tags)
    grammar = make_grammar(tags, scheme, tuple(random.normal(size=size) for size in sizes))
    batch = [random.normal(size=(length, n_tags)) for length in (4, 0, 1, 2)]
    for rows, found in zip(batch, tag_log_marginals(batch, grammar)):
        expected = np.zeros(rows.shape)
        for path in product(range(n_tags), repeat=len(rows)):
            if not path:
                continue
            score = grammar.starts[path[0]] + grammar.ends[path[-1]]
            score += sum(rows[i, tag] for i, tag in enumerate(path))
            score += sum(grammar.transitions[a, b] for a, b in zip(path, path[1:]))
            expected[np.arange(len(path)), path] += np.exp(score)
        expected /= expected.sum(axis=1, keepdims=True) if len(rows) else 1
        np.testing.assert_allclose(np.exp(found), expected, atol=1e-12)


def test_marginals_without_learned_transitions_differ_from_softmax_by_the_grammar():
    tags = tag_set(["X"], "BIO")
    rows = np.log(np.array([[0.2, 0.3, 0.5]]))
    (found,) = tag_log_marginals([rows], make_grammar(tags, "BIO"))
    np.testing.assert_allclose(np.exp(found), [[0.4, 0.6, 0.0]])


def test_ensemble_averages_probabilities(blank_nlp):
    doc = blank_nlp("in rats")
    swapped = ROWS[::-1].copy()
    model = build_emission_ensemble(_fixed(ROWS), _fixed(swapped), labels=[["X"], ["X"]])
    set_pool_weights(model, np.full((2, 3), 0.5))
    (found,) = model.predict([doc])
    probabilities = np.exp(ROWS) / np.exp(ROWS).sum(axis=1, keepdims=True)
    expected = (probabilities + probabilities[::-1]) / 2
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-5)
    assert found.dtype == np.float32


def test_ensemble_weighs_probabilities_by_tag(blank_nlp):
    docs = [blank_nlp("in rats"), blank_nlp("rats in")]
    swapped = ROWS[::-1].copy()
    model = build_emission_ensemble(_fixed(ROWS), _fixed(swapped), labels=[["X"], ["X"]])
    weights = np.array([[1.0, 0.5, 0.2], [0.0, 0.5, 0.8]])
    set_pool_weights(model, weights)
    probabilities = np.exp(ROWS) / np.exp(ROWS).sum(axis=1, keepdims=True)
    expected = weights[0] * probabilities + weights[1] * probabilities[::-1]
    expected /= expected.sum(axis=1, keepdims=True)
    for found in model.predict(docs):
        np.testing.assert_allclose(np.exp(found), expected, rtol=1e-5)


def test_columns_follow_the_labels_of_the_first_member(blank_nlp):
    rows = np.log(np.array([[0.5, 0.1, 0.2, 0.15, 0.05]], dtype=np.float32))
    order = match_tags(["A", "B"], ["B", "A"], "BIO", 2)
    assert order == [0, 3, 4, 1, 2]
    # Of three labels the order back is another one than the order there.
    assert match_tags(["A", "B", "C"], ["B", "C", "A"], "BIO", 2) == [0, 5, 6, 1, 2, 3, 4]
    labels = [["A", "B"], ["B", "A"]]
    model = build_emission_ensemble(_fixed(rows), _fixed(rows[:, order]), labels=labels)
    set_pool_weights(model, np.full((2, 5), 0.5))
    (found,) = model.predict([blank_nlp("rats")])
    np.testing.assert_allclose(found, rows, rtol=1e-5)


def test_what_a_member_rules_out_is_a_finite_number(blank_nlp):
    tags = tag_set(["X"], "BIO")
    rows = np.array([[0.0, 0.0, -90.0]], dtype=np.float32)
    (found,) = tag_opinions(
        _fixed(rows), [blank_nlp("rats")], [rows], ["X"], "BIO", range(len(tags))
    )
    np.testing.assert_allclose(found, [[np.log(0.5), np.log(0.5), LOWEST]], rtol=1e-6)


def test_a_crf_member_gives_marginals_and_not_its_emissions(members):
    tagger = members[1].tagger
    docs = [members[1].nlp.make_doc(TEXTS[0])]
    scores = tagger.model.predict(docs)
    (found,) = tag_opinions(tagger.model, docs, scores, tagger.labels, "BIO", range(5))
    (expected,) = tag_log_marginals(scores, tagger.grammar())
    np.testing.assert_allclose(found, np.maximum(expected, LOWEST), rtol=1e-6)
    assert not np.allclose(found, log_softmax(scores[0]), atol=0.1)
    # An I cannot come first.
    assert found[0, 2] == found[0, 4] == LOWEST


def test_softmax_and_crf_members_mix(mixed, members):
    doc = mixed(TEXTS[0])
    assert entities_of(doc) == [("Naloxone", "Chemical"), ("clonidine", "Chemical")]
    opinions = []
    for member, order in zip(members, [range(5), [0, 3, 4, 1, 2]]):
        tagger = member.tagger
        scores = tagger.model.predict([doc])
        opinions += tag_opinions(tagger.model, [doc], scores, tagger.labels, "BIO", order)
    expected = 0.25 * np.exp(opinions[0]) + 0.75 * np.exp(opinions[1])
    (found,) = mixed.get_pipe("bioner").predict([doc])
    np.testing.assert_allclose(np.exp(found), expected, atol=1e-6)


def test_ensemble_disk_round_trip_needs_no_member(trained_folder, crf_folder, tmp_path):
    copies = []
    for number, folder in enumerate((trained_folder, crf_folder)):
        nlp = spacy.load(folder)
        nlp.to_disk(tmp_path / f"member-{number}")
        copies.append(str(tmp_path / f"member-{number}"))
    nlp = combine(load_members(copies), np.array([[0.4] * 5, [0.6] * 5]))
    nlp.to_disk(tmp_path / "out")
    for number in (0, 1):
        (tmp_path / f"member-{number}").rename(tmp_path / f"gone-{number}")
    again = spacy.load(tmp_path / "out")
    text = (tmp_path / "out" / "config.cfg").read_text(encoding="utf-8")
    assert "member-" not in text
    pool = again.get_pipe("bioner").model.get_ref("output_layer").shims[0].module
    np.testing.assert_allclose(pool.weights[:, 0], [0.4, 0.6])
    _assert_same(nlp, again)
    assert again.get_pipe("bioner").labels == ("Chemical", "Disease")


def test_ensemble_bytes_round_trip(mixed):
    again = spacy.blank("en", config=TOKENIZER)
    settings = copy.deepcopy(dict(mixed.get_pipe_config("bioner")))
    settings.pop("factory", None)
    again.add_pipe("bioner", config=settings)
    again.from_bytes(mixed.to_bytes())
    _assert_same(mixed, again)


def test_ensemble_can_be_pickled(mixed):
    again = pickle.loads(pickle.dumps(mixed.get_pipe("bioner")))
    docs = [mixed.make_doc(TEXTS[0])]
    assert np.array_equal(again.predict(docs)[0], mixed.get_pipe("bioner").predict(docs)[0])


def test_ensemble_pipe_equals_one_by_one(mixed):
    texts = [*TEXTS, TEXTS[0] + " " + TEXTS[2]]
    together = list(mixed.pipe(texts, batch_size=5, n_process=1))
    for text, doc in zip(texts, together):
        alone = mixed(text)
        assert entities_of(doc) == entities_of(alone)
        np.testing.assert_allclose(
            [ent._.confidence for ent in doc.ents],
            [ent._.confidence for ent in alone.ents],
            rtol=1e-5,
        )


def test_ensemble_survives_processes(mixed):
    docs = list(mixed.pipe([TEXTS[0], TEXTS[2]], n_process=2, batch_size=1))
    assert [entities_of(doc) for doc in docs] == [entities_of(mixed(doc.text)) for doc in docs]


def test_ensemble_cannot_be_trained(mixed, make_example):
    with pytest.raises(ConfigError, match="train the members, then `bioner ensemble"):
        mixed.update([make_example("hypertension in rats", [(0, 12, "Disease")])])


def test_ensemble_cannot_be_initialized(make_example):
    model = build_emission_ensemble(_fixed(ROWS), _fixed(ROWS), labels=[["X"], ["X"]])
    with pytest.raises(ConfigError, match="made of trained members"):
        model.initialize()


def test_ensemble_of_one_is_refused():
    with pytest.raises(
        ConfigError, match="expected two members or more and the labels of each, found 1 and 1"
    ):
        build_emission_ensemble(_fixed(ROWS), labels=[["X"]])


def test_ensemble_of_other_labels_is_refused():
    with pytest.raises(LabelError, match="member 2 has the labels Y, expected X, as the first"):
        build_emission_ensemble(_fixed(ROWS), _fixed(ROWS), labels=[["X"], ["Y"]])


def _assert_same(left, right):
    docs = [left.make_doc(text) for text in TEXTS]
    for mine, theirs in zip(
        left.get_pipe("bioner").predict(docs), right.get_pipe("bioner").predict(docs)
    ):
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("gap", ["\n", "\r\n    ", "\u00a0", "\u200b "])
def test_gaps_change_nothing_for_an_ensemble(mixed, gap):
    expected, found = mixed(TEXTS[0]), mixed(gap + TEXTS[0].replace(" ", gap) + gap)
    assert entities_of(found) == entities_of(expected)
    confidences = [ent._.confidence for ent in expected.ents]
    assert [ent._.confidence for ent in found.ents] == pytest.approx(confidences, abs=1e-5)
