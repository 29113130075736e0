"""Names of a table as token states: flags, what is left out in training, round trips."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal

from spacy_bioner.architectures.composition import build_attribute_embedding, build_concatenation
from spacy_bioner.architectures.pieces.term_flags import find_table, flag_terms
from spacy_bioner.architectures.term_features import build_term_features
from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.errors import ConfigError, TermTableError
from spacy_bioner.knowledge.gaz import SourceInfo, write_gaz
from spacy_bioner.knowledge.terms import Term
from tests.conftest import TOKENIZER, entities_of, learn_by_heart

TERMS = [
    Term("naloxone", "Chemical", "D009270"),
    Term("acute renal failure", "Disease", "D058186"),
    Term("renal failure", "Disease", "D051437"),
    Term("sodium chloride", "Chemical", "D012965"),
    Term("rats", "Species", "10116"),
]
TEXT = "Naloxone and acute renal failure; sodium chloride"


@pytest.fixture
def table(tmp_path) -> Path:
    sources = [SourceInfo("own", licence="CC0")]
    write_gaz(TERMS, tmp_path / "terms.gaz", sources=sources)
    return tmp_path / "terms.gaz"


def make_model(table, **settings):
    model = build_term_features(str(table), **{"width": 3, **settings})
    model.initialize()
    return model


def module_of(model):
    return torch_shims(model)[0].module


def draw(share):
    return lambda: bool(torch.rand(()) < share)


def test_tokens_of_the_longest_names_are_flagged(table, blank_nlp):
    matcher = module_of(make_model(table)).matcher
    doc, empty = blank_nlp(TEXT), blank_nlp("")
    flags, none = flag_terms(matcher, [doc, empty])
    assert none.shape == (0, 12)
    # Begin, inside, end and single of each label.
    expected = np.zeros((len(doc), 12))
    expected[0, 3] = 1
    expected[2, 4] = expected[3, 5] = expected[4, 6] = 1
    expected[6, 0] = expected[7, 2] = 1
    assert [token.text for token in doc][6:8] == ["sodium", "chloride"]
    assert_array_equal(flags, expected)


def test_states_are_flags_under_the_layer(table, blank_nlp):
    model = make_model(table)
    module = module_of(model)
    docs = [blank_nlp(TEXT), blank_nlp(""), blank_nlp("nothing")]
    rows = model.predict(docs)
    weight, bias = module.weight.detach().numpy(), module.bias.detach().numpy()
    for own, flags in zip(rows, flag_terms(module.matcher, docs)):
        assert_allclose(own, flags @ weight.T + bias, atol=1e-6)


def test_the_gradient_reaches_the_layer(table, blank_nlp):
    model = make_model(table, dropout=0.0)
    rows, backprop = model.begin_update([blank_nlp("naloxone zz"), blank_nlp("rats")])
    backprop([np.ones_like(part) for part in rows])
    gradient = module_of(model).weight.grad.numpy()
    expected = np.zeros((3, 12))
    expected[:, [3, 11]] = 1
    assert_array_equal(gradient, expected)
    assert module_of(model).bias.grad.tolist() == [3, 3, 3]


def test_in_training_a_share_of_the_names_is_left_out_wherever_they_stand(table, blank_nlp):
    model = make_model(table, dropout=0.5)
    matcher, docs = module_of(model).matcher, [blank_nlp("naloxone rats NALOXONE"), blank_nlp(TEXT)]
    torch.manual_seed(0)
    seen = set()
    for _ in range(200):
        first, second = flag_terms(matcher, docs, leaves_out=draw(0.5))
        assert first[0, 3] == first[2, 3] == second[0, 3]
        assert second[2, 4] == second[3, 5] == second[4, 6]
        seen.add((first[0, 3], first[1, 11], second[2, 4]))
    assert len(seen) == 8


def test_the_share_left_out_is_the_setting(table, blank_nlp):
    matcher = module_of(make_model(table)).matcher
    torch.manual_seed(0)
    kept = [
        flag_terms(matcher, [blank_nlp("rats")], leaves_out=draw(0.3))[0].sum() for _ in range(2000)
    ]
    assert np.mean(kept) == pytest.approx(0.7, abs=0.04)


def test_nothing_is_left_out_outside_of_training(table, blank_nlp):
    model = make_model(table, dropout=0.9)
    expected = model.predict([blank_nlp(TEXT)])[0]
    for _ in range(20):
        assert_array_equal(model.predict([blank_nlp(TEXT)])[0], expected)
    drawn = [model.begin_update([blank_nlp(TEXT)])[0][0] for _ in range(20)]
    assert any(not np.array_equal(rows, expected) for rows in drawn)


def test_equal_seeds_leave_out_the_same(table, blank_nlp):
    model, docs = make_model(table, dropout=0.5), [blank_nlp(TEXT), blank_nlp("rats")]
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        drawn.append([model.begin_update(docs)[0] for _ in range(10)])
    for first, second in zip(*drawn):
        for one, other in zip(first, second):
            assert_array_equal(one, other)


def test_labels_choose_a_part_of_the_table(table, blank_nlp):
    model = make_model(table, labels=["Species", "Chemical"])
    module = module_of(model)
    assert module.in_features == 8
    assert [term.name for term in module.matcher.table] == ["naloxone", "sodium chloride", "rats"]
    assert module.matcher.table.sources == (SourceInfo("own", licence="CC0"),)


def test_a_hyphen_stands_for_a_space_if_asked(table, blank_nlp):
    doc = blank_nlp("sodium-chloride")
    plain, loose = (make_model(table, variants=variants) for variants in (False, True))
    bare = flag_terms(module_of(plain).matcher, [doc])[0]
    found = flag_terms(module_of(loose).matcher, [doc])[0]
    assert (bare.sum(), found.sum()) == (0, 3)


@pytest.mark.parametrize("way", ["bytes", "pickle"])
@pytest.mark.parametrize("variants", [False, True])
def test_the_table_is_saved_with_the_model(table, blank_nlp, way, variants):
    model = make_model(table, variants=variants)
    table.unlink()
    if way == "bytes":
        again = build_term_features(width=3, variants=variants).from_bytes(model.to_bytes())
    else:
        again = pickle.loads(pickle.dumps(model))
    doc = blank_nlp("sodium-chloride and rats")
    assert_array_equal(again.predict([doc])[0], model.predict([doc])[0])
    again.initialize()
    assert_array_equal(again.predict([doc])[0], model.predict([doc])[0])


def test_features_are_a_part_like_others(table, blank_nlp):
    model = build_concatenation(
        build_attribute_embedding(50, 4), build_term_features(str(table), width=3)
    )
    doc = blank_nlp(TEXT)
    model.initialize(X=[doc])
    assert model.get_dim("nO") == 7
    assert_array_equal(model.predict([doc])[0][:, 4:], model.layers[1].predict([doc])[0])


def test_a_pipeline_learns_with_features_and_is_whole_without_the_file(
    table, tiny_bert, make_example, tmp_path
):
    encoder = {
        "@architectures": "spacy_bioner.Concatenation.v1",
        "*": {
            "transformer": {
                "@architectures": "spacy_bioner.TransformerEncoder.v1",
                "name": str(tiny_bert),
            },
            "terms": {
                "@architectures": "spacy_bioner.TermFeatures.v1",
                "path": str(table),
                "width": 4,
            },
        },
    }
    model = {"@architectures": "spacy_bioner.TokenClassifier.v1", "encoder": encoder}
    nlp = spacy.blank("en", config=TOKENIZER)
    nlp.add_pipe("bioner", config={"model": model})
    examples = [
        make_example("Naloxone in rats", [(0, 8, "Chemical")]),
        make_example("acute renal failure", [(0, 19, "Disease")]),
    ]
    learn_by_heart(nlp, examples)
    nlp.to_disk(tmp_path / "model")
    table.unlink()
    again = spacy.load(tmp_path / "model")
    name, kept = find_table(again.get_pipe("bioner").model)
    assert (name, len(kept), kept.rules) == ("terms.gaz", 5, {})
    assert kept.sources == (SourceInfo("own", licence="CC0"),)
    # Where the file lay is nobody's business.
    assert str(tmp_path).encode() not in (tmp_path / "model" / "bioner" / "model").read_bytes()
    texts = ["Naloxone in rats", "", "acute renal failure"]
    expected = [[("Naloxone", "Chemical")], [], [("acute renal failure", "Disease")]]
    found = [[(ent.text, ent.label_) for ent in doc.ents] for doc in again.pipe(texts)]
    assert found == expected
    assert [entities_of(again(text)) for text in texts] == [
        entities_of(nlp(text)) for text in texts
    ]


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_a_share_that_is_none_is_refused(dropout):
    with pytest.raises(ConfigError, match=r"found dropout = .*, expected at least 0 and under 1"):
        build_term_features("x.gaz", dropout=dropout)


def test_a_state_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="found width = 0, expected at least 1"):
        build_term_features("x.gaz", width=0)


def test_a_table_has_to_be_named():
    with pytest.raises(ConfigError, match=r"no table; name a file of `bioner terms import`"):
        build_term_features().initialize()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TermTableError, match=r"none\.gaz.*found no such file"):
        build_term_features(str(tmp_path / "none.gaz")).initialize()


def test_unknown_labels_are_named(table):
    with pytest.raises(ConfigError, match=r"no terms of the labels Gene, expected some"):
        build_term_features(str(table), labels=["Gene", "Disease"]).initialize()


def test_an_empty_table_is_refused(tmp_path):
    write_gaz([], tmp_path / "none.gaz")
    with pytest.raises(ConfigError, match=r"none\.gaz has no terms of labels that count"):
        build_term_features(str(tmp_path / "none.gaz")).initialize()
