"""WordPiece, byte-level BPE and Unigram (SentencePiece) tokenizers pass the same tests."""

import json
import shutil
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AlbertConfig,
    AlbertModel,
    AutoModel,
    AutoTokenizer,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5EncoderModel,
    T5Model,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from spacy_bioner.architectures.adversary import tapped
from spacy_bioner.architectures.encoders import build_transformer_encoder, prepare_batches
from spacy_bioner.architectures.pieces.alignment import token_offsets
from spacy_bioner.architectures.pieces.control_pieces import find_stand_in, list_controls
from spacy_bioner.architectures.pieces.windows import lay_out
from spacy_bioner.architectures.pieces.words import find_words
from spacy_bioner.errors import EncoderError
from spacy_bioner.evaluation.explanation.occlusion import cover
from spacy_bioner.layers.adversary import steepest
from spacy_bioner.training.packing import number_words
from tests.conftest import WORDS, save_tiny_mpnet

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
SIZE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
    "pad_token_id": 1,
}
TEXTS = [
    "Naloxone zz rats",
    "",
    "  \n ",
    "β-blockers (zz) in  rats,\n\nnot 😀 TNF-α/IL-2 é e\u0301.",
    "hypertension in rats " * 40,
]


def byte_level_bpe() -> Tokenizer:
    """Every byte, and merges that build the known words, with the space before them or without."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    merges = []
    for word in [word for known in WORDS for word in (known, f"Ġ{known}")] + ["Ġz"]:
        built = word[0]
        for letter in word[1:]:
            if (built, letter) not in merges:
                merges.append((built, letter))
            built += letter
    pieces += [left + right for left, right in merges]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    return tokenizer


def unigram() -> Tokenizer:
    """The known words, likely, and single characters, unlikely, at the start of a word or not."""
    characters = string.ascii_letters + string.digits + string.punctuation
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -12.0)]
    pieces += [(mark + character, -10.0) for character in characters for mark in ("", "▁")]
    pieces += [(f"▁{word}", -5.0) for word in WORDS]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def train_sentencepiece(folder: Path) -> bytes:
    """Train such a model file as DeBERTa and ALBERT ship, which transformers converts."""
    trainer = pytest.importorskip("sentencepiece", reason="DeBERTa's tokenizer needs it")
    pytest.importorskip("google.protobuf", reason="transformers reads its model files by it")
    # Each word after each other one, so that whole words are likely; then single characters.
    turns = [" ".join(WORDS[start:] + WORDS[:start]) for start in range(len(WORDS))]
    lines = [*(turns * 20), *string.printable[:94], "zq"]
    (folder / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf8")
    trainer.SentencePieceTrainer.train(
        input=str(folder / "text.txt"),
        model_prefix=str(folder / "trained"),
        vocab_size=400,
        hard_vocab_limit=False,
        character_coverage=1.0,
        minloglevel=2,
        **{"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3},
        **{"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"},
    )
    return (folder / "trained.model").read_bytes()


def save_fast(path: Path, tokenizer: Tokenizer, model: Any) -> None:
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL).save_pretrained(path)
    model(tokenizer.get_vocab_size()).save_pretrained(path)


def save_roberta(path: Path, tiny_bert: Path) -> None:
    save_fast(path, byte_level_bpe(), lambda n: RobertaModel(RobertaConfig(**SIZE, vocab_size=n)))


def save_xlm_roberta(path: Path, tiny_bert: Path) -> None:
    save_fast(path, unigram(), lambda n: XLMRobertaModel(XLMRobertaConfig(**SIZE, vocab_size=n)))


def save_distilbert(path: Path, tiny_bert: Path) -> None:
    shutil.copy(tiny_bert / "vocab.txt", path)
    n_pieces = len((path / "vocab.txt").read_text(encoding="utf8").split())
    size = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    config = DistilBertConfig(vocab_size=n_pieces, max_position_embeddings=64, **size)
    DistilBertModel(config).save_pretrained(path)


def save_electra(path: Path, tiny_bert: Path) -> None:
    """Embeddings are narrower than states."""
    shutil.copy(tiny_bert / "vocab.txt", path)
    n_pieces = len((path / "vocab.txt").read_text(encoding="utf8").split())
    size = {**SIZE, "max_position_embeddings": 64, "pad_token_id": 0}
    config = ElectraConfig(vocab_size=n_pieces, embedding_size=16, **size)
    ElectraModel(config).save_pretrained(path)


def save_deberta(path: Path, tiny_bert: Path) -> None:
    """spm.model and the settings of microsoft/deberta-v3-base."""
    (path / "spm.model").write_bytes(train_sentencepiece(path))
    settings = {"do_lower_case": False, "vocab_type": "spm"}
    (path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf8")
    n_pieces = len(AutoTokenizer.from_pretrained(path, config=DebertaV2Config()))
    config = DebertaV2Config(
        **{**SIZE, "max_position_embeddings": 64, "pad_token_id": 0},
        vocab_size=n_pieces,
        relative_attention=True,
        position_buckets=16,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type="p2c|c2p",
        position_biased_input=False,
        type_vocab_size=0,
    )
    DebertaV2Model(config).save_pretrained(path)


def save_albert(path: Path, tiny_bert: Path) -> None:
    """Layers share their weights, and embeddings are narrower than states."""
    size = {**SIZE, "embedding_size": 16}
    save_fast(path, unigram(), lambda n: AlbertModel(AlbertConfig(**size, vocab_size=n)))


def save_mpnet(path: Path, tiny_bert: Path) -> None:
    save_tiny_mpnet(path, (tiny_bert / "vocab.txt").read_text(encoding="utf8").split()[5:])


FAMILIES = {
    "wordpiece": None,
    "byte-level": save_roberta,
    "unigram": save_xlm_roberta,
    "distilbert": save_distilbert,
    "electra": save_electra,
    "deberta-v2": save_deberta,
    "albert": save_albert,
    "mpnet": save_mpnet,
}


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tiny_bert, tmp_path_factory) -> Path:
    save = FAMILIES[request.param]
    if save is None:
        return tiny_bert
    path = tmp_path_factory.mktemp(request.param)
    save(path, tiny_bert)
    return path


@pytest.fixture
def make_encoder(folder):
    def build(**settings):
        model = build_transformer_encoder(str(folder), precision="float32", **settings)
        model.initialize()
        return model

    return build


@pytest.fixture
def docs(blank_nlp):
    return [blank_nlp(text) for text in TEXTS]


def touches(doc: Doc, offsets: list) -> list:
    """List by comparing all with all which pieces share a character with which tokens."""
    tokens = list(zip(*(column.tolist() for column in token_offsets(doc))))
    return [
        (piece, token)
        for piece, (start, end) in enumerate(offsets)
        for token, (left, right) in enumerate(tokens)
        if start < right and left < end
    ]


def test_states_are_as_wide_as_the_family_says(make_encoder):
    assert make_encoder().get_dim("nO") == 32


# ALBERT's layers share their weights.
@pytest.mark.parametrize("folder", [name for name in FAMILIES if name != "albert"], indirect=True)
def test_layer_decay_falls_from_the_top_layer_to_the_embeddings(make_encoder):
    (shim,) = make_encoder(layer_decay=0.5).shims
    rates = {name: shim.lr_scale(name) for name, _ in shim.module.named_parameters()}
    assert set(rates.values()) == {1.0, 0.5, 0.25}
    for name, rate in rates.items():
        assert rate == (1.0 if ".layer.1." in name else 0.5 if ".layer.0." in name else 0.25)


@pytest.mark.parametrize("folder", ["albert"], indirect=True)
def test_layer_decay_spares_layers_that_share_the_weights_of_the_topmost(make_encoder):
    (shim,) = make_encoder(layer_decay=0.5).shims
    rates = {name: shim.lr_scale(name) for name, _ in shim.module.named_parameters()}
    for name, rate in rates.items():
        assert rate == (1.0 if "albert_layer_groups" in name else 0.25)


@pytest.mark.parametrize("model", [T5Model, T5EncoderModel])
def test_an_encoder_with_a_decoder_is_refused_by_family(model, tmp_path):
    size = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2}
    save_fast(tmp_path, unigram(), lambda n: model(T5Config(**size, vocab_size=n)))
    with pytest.raises(EncoderError, match="found a model of the family 't5', expected one that"):
        build_transformer_encoder(str(tmp_path)).initialize()


def test_known_words_are_one_piece_and_others_several(make_encoder, docs):
    model = make_encoder(pooling="parent")
    layout = lay_out(model, docs[:1], every_piece=True)
    assert layout.rows[0].parents.tolist() == [1]
    # Naloxone, z, z, rats: the second z has the row behind those of the three tokens.
    assert np.concatenate(layout.targets).tolist() == [0, 1, 3, 2]


def test_words_to_mask_are_those_of_the_text(make_encoder):
    tokenizer = make_encoder().shims[0].tokenizer
    encoding = tokenizer.encode(TEXTS[0], add_special_tokens=False)
    assert number_words(encoding).tolist() == [0, 1, 1, 2]


def test_pieces_are_paired_with_the_tokens_they_touch(make_encoder, docs):
    from spacy_bioner.architectures.pieces.alignment import Pieces, align_pieces

    tokenizer = make_encoder().shims[0].tokenizer
    for doc in docs:
        encoding = tokenizer.encode(doc.text, add_special_tokens=False)
        columns = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        pieces = Pieces(np.asarray(encoding.ids), columns[:, 0], columns[:, 1])
        found = align_pieces(pieces, *token_offsets(doc))
        pairs = list(zip(found.piece.tolist(), found.token.tolist()))
        assert pairs == touches(doc, encoding.offsets)


def test_every_word_has_a_piece(make_encoder, docs):
    for doc in docs:
        _, weights = prepare_batches(make_encoder(), [doc])
        bare = [token.text for token, weight in zip(doc, weights) if not weight]
        assert [text for text in bare if text.strip()] == []


LITERALS = ("[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "<s>", "</s>", "<mask>", "<pad>", "<unk>")


@pytest.mark.parametrize("gap", ["", " "])
@pytest.mark.parametrize("literal", LITERALS)
def test_a_text_that_spells_a_control_piece_is_text(make_encoder, blank_nlp, literal, gap):
    model = make_encoder(unit="document")
    shim = model.shims[0]
    text = f"{literal}{gap}rats{gap}{literal}{gap}rats{gap}{literal}"
    doc = blank_nlp(text)
    layout = lay_out(model, [doc])
    own = layout.pieces[0]
    controls = {n: piece for piece, n in list_controls(shim.tokenizer).items()}
    for number, start, end in zip(own.ids.tolist(), own.starts, own.ends):
        # What is unknown is a character, not the word for it.
        unknown = controls.get(number, "") in ("[UNK]", "<unk>") and end - start < len(literal)
        assert unknown or number not in controls, text[start:end]
    # Every token has a piece of its own.
    _, weights = prepare_batches(model, [doc])
    assert (weights > 0).all()
    assert len(own.ids) > len(doc) // 2


def test_text_without_control_pieces_is_cut_as_before(make_encoder):
    shim = make_encoder().shims[0]
    plain = Tokenizer.from_str(shim.spec["tokenizer"])
    for text in TEXTS:
        before, now = (t.encode(text, add_special_tokens=False) for t in (plain, shim.reader))
        assert (now.ids, now.offsets) == (before.ids, before.offsets)


def test_covered_words_are_one_mask_each(make_encoder, blank_nlp):
    model = make_encoder(unit="document")
    tokenizer = model.shims[0].tokenizer
    piece = find_stand_in(tokenizer)
    doc = cover(blank_nlp("zz rats zz, rats"), [0, 2], piece)
    ids = lay_out(model, [doc]).pieces[0].ids.tolist()
    assert ids.count(tokenizer.token_to_id(piece)) == 2
    spelled = Doc(doc.vocab, words=[piece, "rats"])
    assert tokenizer.token_to_id(piece) not in lay_out(model, [spelled]).pieces[0].ids[:1]


def test_there_is_a_row_per_token(make_encoder, docs):
    rows = make_encoder().predict(docs)
    assert [part.shape for part in rows] == [(len(doc), 32) for doc in docs]


@pytest.fixture(scope="module")
def reference(folder):
    """What transformers itself makes of the checkpoint."""
    return AutoModel.from_pretrained(folder, torch_dtype=torch.float32).eval()


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_states_are_those_of_the_pieces(make_encoder, reference, docs, pooling):
    model = make_encoder(unit="document", pooling=pooling)
    encoding = model.shims[0].tokenizer.encode(TEXTS[0])
    with torch.no_grad():
        hidden = reference(input_ids=torch.tensor([encoding.ids])).last_hidden_state[0].numpy()
    second = hidden[2:4].mean(axis=0) if pooling == "mean" else hidden[2]
    expected = np.stack([hidden[1], second, hidden[4]])
    assert_allclose(model.predict(docs[:1])[0], expected, atol=1e-5)


def test_padding_changes_no_state(make_encoder, reference, blank_nlp):
    docs = [blank_nlp("Naloxone zz rats " * times) for times in (9, 10, 11)]
    layouts = []
    model = make_encoder(unit="document")
    batches, weights = prepare_batches(model, docs)
    expected = torch.zeros(len(weights), 32)
    for batch in batches:
        layouts.append(batch.mask.sum(dim=1).tolist())
        hidden = torch.zeros(*batch.ids.shape, 32)
        for row, length in enumerate(layouts[-1]):
            with torch.no_grad():
                alone = reference(input_ids=batch.ids[row : row + 1, :length]).last_hidden_state
            hidden[row, :length] = alone[0]
        expected.index_add_(0, batch.target, hidden.flatten(0, 1)[batch.source])
    assert [lengths for lengths in layouts if len(set(lengths)) > 1]
    found = np.concatenate(model.predict(docs))
    assert_allclose(found, (expected * weights).numpy(), atol=1e-5)


def test_a_saved_encoder_gives_the_same_states_without_its_folder(make_encoder, docs, monkeypatch):
    model = make_encoder()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    other = build_transformer_encoder("nowhere/at-all", precision="float32")
    other.from_bytes(model.to_bytes())
    for found, expected in zip(other.predict(docs), model.predict(docs)):
        assert_array_equal(found, expected)


def test_an_attack_reaches_the_embeddings_of_pieces_alone(make_encoder, docs):
    model = make_encoder(unit="document")
    with tapped(model, dropout=False) as (tap,):
        states, backprop = model.begin_update(docs)
        backprop(states)
        sizes = torch.cat([own.norm(dim=-1).flatten() for own in tap.gradients()])
        kept = torch.cat([mask.flatten() for mask in tap.masks]).bool()
        assert (sizes[kept] > 0).all()
        assert not sizes[~kept].any()
        tap.deltas = [steepest(own, 0.5, "l2") for own in tap.gradients()]
        moved, _ = model.begin_update(docs)
    sums = [float(sum((rows**2).sum() for rows in own)) for own in (states, moved)]
    assert sums[1] > sums[0] * 1.0001


def test_what_learns_has_the_states_of_what_predicts(make_encoder, docs):
    model = make_encoder()
    with tapped(model, dropout=False):
        learned, _ = model.begin_update(docs)
    for found, expected in zip(learned, model.predict(docs)):
        assert_allclose(found, expected, atol=1e-5)


# transformers does not compute ALBERT's states anew.
@pytest.mark.parametrize("folder", [name for name in FAMILIES if name != "albert"], indirect=True)
def test_states_computed_anew_give_the_same_gradients(make_encoder, docs):
    found = []
    for checkpointing in (False, True):
        model = make_encoder(checkpointing=checkpointing)
        torch.manual_seed(0)
        states, backprop = model.begin_update(docs)
        backprop(states)
        parameters = model.shims[0].module.named_parameters()
        found.append({name: own.grad for name, own in parameters if own.grad is not None})
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("folder", ["albert"], indirect=True)
def test_a_family_that_computes_no_states_anew_is_named(make_encoder, docs):
    model = make_encoder(checkpointing=True)
    with pytest.raises(
        EncoderError, match=r"checkpointing = true: found .* family 'albert', which"
    ):
        model.begin_update(docs)


@pytest.mark.parametrize("unit", ["sentence", "neighbours", "document"])
def test_a_batch_equals_one_by_one(make_encoder, docs, unit):
    model = make_encoder(unit=unit, batch_pieces=200, overlap=10)
    for doc, rows in zip(docs, model.predict(docs)):
        assert_allclose(model.predict([doc])[0], rows, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "first", "x", "parent"])
def test_windows_of_a_long_text_hold_every_piece_once(make_encoder, blank_nlp, pooling):
    doc = blank_nlp("zz in rats " * 60)
    model = make_encoder(unit="document", overlap=10, pooling=pooling)
    layout = lay_out(model, [doc], every_piece=True)
    assert len(layout.windows) > 4
    assert max(len(window) for window in layout.windows) <= layout.capacity
    rows = np.concatenate(layout.targets).tolist()
    per_piece = pooling in ("x", "parent")
    assert layout.rows[0].parents.tolist() == (list(range(0, 180, 3)) if per_piece else [])
    expected = {
        "mean": sorted([*range(180), *range(0, 180, 3)]),
        "first": list(range(180)),
    }.get(pooling, list(range(240)))
    assert sorted(rows) == expected


@pytest.mark.parametrize("unit", ["sentence", "neighbours", "document"])
def test_tokens_that_show_nothing_change_no_state(make_encoder, blank_nlp, unit):
    text = "Naloxone zz rats in β. It reverses clonidine; hypertension"
    model = make_encoder(unit=unit)
    (expected,) = model.predict([blank_nlp(text)])
    for gap in ("\n", "\r\n    ", "\u00a0", "\u2028\t", "\u200b ", " \x00 ", "\u00ad\ufeff\n"):
        doc = blank_nlp(gap + text.replace(" ", gap).replace("Nalo", "Nalo\u00ad\u200b") + gap)
        (states,) = model.predict([doc])
        words = find_words(doc)
        assert_allclose(states[words.starts], expected, atol=1e-5)
        assert not np.delete(states, words.starts, axis=0).any()
