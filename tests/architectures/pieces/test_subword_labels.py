"""Strategies of single pieces: rows, what they are taught, and what they are refused with."""

import logging

import numpy as np
import pytest
from thinc.api import Model, set_dropout_rate

from spacy_bioner.architectures.composition import build_concatenation
from spacy_bioner.architectures.encoders import build_transformer_encoder
from spacy_bioner.architectures.pieces.subword_labels import (
    NEVER,
    close_unseen,
    every_piece,
    teach_rows,
    unseen_tokens,
)
from spacy_bioner.architectures.token_classifier import build_token_classifier
from spacy_bioner.architectures.torch_bridge import torch_shims
from spacy_bioner.errors import ConfigError, EncoderError

TAGS = ("O", "B-Gene", "I-Gene")


@pytest.fixture
def make_classifier(tiny_bert):
    def build(**settings) -> Model:
        encoder = build_transformer_encoder(str(tiny_bert), precision="float32", **settings)
        model = build_token_classifier(encoder, dropout=0.0)
        model.set_dim("nO", 3)
        model.initialize()
        return model

    return build


def one_hot(*columns: int) -> np.ndarray:
    return np.eye(3, dtype=bool)[list(columns)]


@pytest.mark.parametrize(
    ("pooling", "shape"), [("x", (5, 4)), ("parent", (5, 3)), ("first", (3, 3))]
)
def test_rows_of_continuation_pieces_follow_those_of_tokens(
    make_classifier, blank_nlp, pooling, shape
):
    # zzz has three pieces, two of them continuations.
    model, docs = make_classifier(pooling=pooling), [blank_nlp("zzz in rats"), blank_nlp("")]
    with every_piece(model):
        found = model.predict(docs)
    assert [rows.shape for rows in found] == [shape, (0, shape[1])]
    tokens = model.predict(docs)
    assert [rows.shape for rows in tokens] == [(3, 3), (0, 3)]
    np.testing.assert_array_equal(tokens[0], found[0][:3, :3])


def test_single_pieces_predict_from_the_first_one(make_classifier, blank_nlp):
    docs = [blank_nlp("zzz in rats")]
    first, parent = make_classifier(pooling="first"), make_classifier(pooling="parent")
    parent.from_bytes(first.to_bytes())
    np.testing.assert_array_equal(first.predict(docs)[0], parent.predict(docs)[0])


def test_parent_copies_the_tag_of_the_token(make_classifier, blank_nlp):
    model, docs = make_classifier(pooling="parent"), [blank_nlp("zz in xx")]
    with every_piece(model):
        (rows,), columns = teach_rows(model, docs, [one_hot(1, 0, 2)], TAGS)
    assert columns == TAGS
    assert rows.argmax(axis=1).tolist() == [1, 0, 2, 1, 2]
    assert rows.sum() == 5


def test_x_is_the_tag_of_continuations_only(make_classifier, blank_nlp):
    model, docs = make_classifier(pooling="x"), [blank_nlp("zz in xx")]
    with every_piece(model):
        (rows,), columns = teach_rows(model, docs, [one_hot(1, 0, 2)], TAGS)
    assert columns == (*TAGS, "O")
    assert rows.argmax(axis=1).tolist() == [1, 0, 2, 3, 3]
    assert rows.sum() == 5


@pytest.mark.parametrize("pooling", ["x", "parent"])
def test_nothing_is_known_of_the_pieces_of_an_unknown_token(make_classifier, blank_nlp, pooling):
    model, docs = make_classifier(pooling=pooling), [blank_nlp("zz in xx")]
    allowed = one_hot(1, 0, 2)
    allowed[0] = True
    with every_piece(model):
        (rows,), _ = teach_rows(model, docs, [allowed], TAGS)
    assert rows.all(axis=1).tolist() == [True, False, False, True, False]


def test_outside_of_every_piece_rows_are_those_of_tokens(make_classifier, blank_nlp):
    model, allowed = make_classifier(pooling="x"), [one_hot(1, 0, 2)]
    found, columns = teach_rows(model, [blank_nlp("zz in xx")], allowed, TAGS)
    assert columns == TAGS
    np.testing.assert_array_equal(found[0], allowed[0])


def test_the_gradient_of_x_reaches_its_column_and_its_piece(make_classifier, blank_nlp):
    model = make_classifier(pooling="x")
    set_dropout_rate(model, 0.0)
    with every_piece(model):
        (emissions,), backprop = model.begin_update([blank_nlp("zz in rats")])
        gradient = np.zeros_like(emissions)
        gradient[3, 3] = 1.0
        backprop([gradient])
    encoder, head = torch_shims(model)
    assert head.module.output.bias.grad.tolist() == [0.0, 0.0, 0.0, 1.0]
    words = encoder.module.transformer.embeddings.word_embeddings.weight.grad
    assert words[encoder.tokenizer.token_to_id("##z")].abs().sum() > 0


def test_a_piece_of_two_tokens_has_one_row(make_classifier, blank_nlp):
    from spacy.tokens import Doc

    # The tokens z, z, z and the pieces z, ##z, ##z: each is the first of its token.
    model = make_classifier(pooling="parent")
    doc = Doc(blank_nlp.vocab, words=["z", "z", "z"], spaces=[False] * 3)
    with every_piece(model):
        assert model.predict([doc])[0].shape == (3, 3)


@pytest.mark.parametrize("pooling", ["x", "parent"])
def test_single_pieces_are_refused_with_a_crf(tiny_bert, pooling):
    encoder = build_transformer_encoder(str(tiny_bert), pooling=pooling)
    with pytest.raises(ConfigError, match=f"pooling = '{pooling}' tags single pieces, but crf"):
        build_token_classifier(encoder, crf=True)


def test_single_pieces_are_refused_beside_other_parts(tiny_bert):
    encoder = build_transformer_encoder(str(tiny_bert), pooling="x")
    with pytest.raises(ConfigError, match="must be the transformer itself, found concatenation"):
        build_token_classifier(build_concatenation(encoder))


def test_a_tag_x_outlives_another_pooling(make_classifier, tiny_bert, blank_nlp):
    model = make_classifier(pooling="x")
    other = build_token_classifier(build_transformer_encoder("gone", precision="float32"))
    other.from_bytes(model.to_bytes())
    docs = [blank_nlp("rats in rats")]
    np.testing.assert_array_equal(other.predict(docs)[0], model.predict(docs)[0])


def test_truncate_leaves_tokens_out(make_classifier, blank_nlp):
    # Two special pieces and three others: zz and It take two of them, rose four.
    model = make_classifier(truncate=True, window=5)
    docs = [blank_nlp("zz in rats in rats. It rose in rats."), blank_nlp(""), blank_nlp("in rats")]
    assert [mask.tolist() for mask in unseen_tokens(model, docs)] == [
        [False, False, True, True, True, True, False, True, True, True, True],
        [],
        [False, False],
    ]


def test_truncate_sees_what_a_short_text_would_give(make_classifier, blank_nlp):
    model = make_classifier(truncate=True, window=5)
    long, short = (model.predict([blank_nlp(text)])[0] for text in ("zz in rats in", "zz in"))
    np.testing.assert_allclose(long[:2], short, atol=1e-5)


def test_truncate_counts_what_it_leaves_out(make_classifier, blank_nlp, caplog):
    model = make_classifier(truncate=True, window=5)
    shim = model.get_ref("encoder").shims[0]
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            model.predict([blank_nlp("in rats in rats in"), blank_nlp("rats")])
    assert shim.n_unseen == 10
    assert [record.args for record in caplog.records] == [(2, 3, 5, 2, 6), (10, 3, 5, 2, 6)]
    assert "2 tokens so far, over all passes, lie behind the first 3" in caplog.messages[0]


def test_without_truncate_all_is_seen(make_classifier, blank_nlp, caplog):
    model, docs = make_classifier(window=8, overlap=2), [blank_nlp("in rats " * 10)]
    model.predict(docs)
    assert unseen_tokens(model, docs) is None
    assert caplog.records == []


def test_unseen_tokens_are_outside_and_teach_nothing(make_classifier, blank_nlp):
    model = make_classifier(truncate=True, window=4, pooling="parent")
    docs = [blank_nlp("in rats zz")]
    scores = [np.log(np.full((3, 3), 1 / 3, dtype=np.float32))]
    closed = close_unseen(model, docs, scores)[0]
    np.testing.assert_array_equal(closed[:2], scores[0][:2])
    assert closed[2].tolist() == [0.0, NEVER, NEVER]
    with every_piece(model):
        (rows,), _ = teach_rows(model, docs, [one_hot(0, 1, 1)], TAGS)
    # The pieces of zz are not there, neither as a token's nor as continuations.
    assert rows.all(axis=1).tolist() == [False, False, True]


def test_truncate_needs_no_overlap_but_a_piece(tiny_bert):
    build_transformer_encoder(str(tiny_bert), window=75, truncate=True)
    with pytest.raises(EncoderError, match="window = 2: expected 3 or more"):
        build_transformer_encoder(str(tiny_bert), window=2, truncate=True)


def test_neighbours_are_context_of_a_sentence(make_classifier, blank_nlp):
    text = "It rose in rats. Naloxone fell in rats. It rose again in rats."
    doc = blank_nlp(text)
    whole, sentence, around = (
        make_classifier(unit=unit) for unit in ("document", "sentence", "neighbours")
    )
    for model in (sentence, around):
        model.from_bytes(whole.to_bytes())
    expected = whole.predict([doc])[0]
    # The second sentence has both neighbours, so it sees what it does in the document.
    np.testing.assert_allclose(around.predict([doc])[0][5:10], expected[5:10], atol=1e-5)
    assert abs(sentence.predict([doc])[0][5:10] - expected[5:10]).max() > 1e-4
