import numpy as np
import pytest

pytest.importorskip("torch")
tokenizers = pytest.importorskip("tokenizers")

from spacy_bioner.errors import ConfigError, TrainingDataError  # noqa: E402
from spacy_bioner.training.packing import (  # noqa: E402
    Masked,
    Packed,
    PackedStream,
    Packer,
    make_vocabulary,
    mask_words,
    number_words,
)
from spacy_bioner.training.text_stream import TextStream  # noqa: E402

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "##x", "##y", "[unused1]"]
CLS, SEP, MASK, A, B, C, X, Y = 2, 3, 4, 5, 6, 7, 8, 9


@pytest.fixture
def tokenizer():
    return tokenizers.BertWordPieceTokenizer(
        vocab={piece: number for number, piece in enumerate(PIECES)}
    )._tokenizer


@pytest.fixture
def vocabulary(tokenizer):
    return make_vocabulary(tokenizer)


def test_vocabulary_knows_specials(vocabulary):
    assert (vocabulary.before, vocabulary.after, vocabulary.mask_id) == ((CLS,), (SEP,), MASK)
    assert vocabulary.ordinary.tolist() == [A, B, C, X, Y]


def test_a_tokenizer_without_mask_is_refused():
    bare = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a"))
    with pytest.raises(ConfigError, match=r"has no \[MASK\]"):
        make_vocabulary(bare)


def test_packer_cuts_documents_and_loses_no_piece(tokenizer, vocabulary):
    packer = Packer(tokenizer, vocabulary, length=6)
    first = packer.add(["axy b", "c"])
    assert first.ids.tolist() == [[CLS, A, X, Y, B, SEP]]
    assert first.words.tolist() == [[-1, 0, 0, 0, 1, -1]]
    second = packer.add(["a b"])
    assert second.ids.tolist() == [[CLS, SEP, C, SEP, A, SEP]]
    assert second.words.tolist() == [[-1, -1, 0, -1, 1, -1]]
    assert packer.rest_ids.tolist() == [B, SEP]


def byte_level(**settings):
    """Byte-level BPE, as RoBERTa's: a piece at the start of a word has the space before it."""
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    merges = [("a", "b"), ("Ġ", "c")]
    pieces = [*letters, *("".join(merge) for merge in merges)]
    vocab = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(**settings)
    return tokenizer


def metaspace(**settings):
    """Unigram, as XLM-RoBERTa's and DeBERTa's: a word begins with the mark of a space."""
    pieces = [("<unk>", 0.0), ("▁", -2.0), ("ab", -2.0), ("▁c", -2.0), ("c", -3.0), (",", -3.0)]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, unk_id=0))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(**settings)
    return tokenizer


@pytest.mark.parametrize(
    ("make", "settings", "pieces", "words"),
    [
        (
            byte_level,
            {"add_prefix_space": False},
            ["ab", "c", "Ġc", "ab", ",", "Ġ", "Î", "²"],
            [0, 0, 1, 1, 2, 3, 3, 3],
        ),
        (
            byte_level,
            {"add_prefix_space": True},
            ["Ġ", "ab", "c", "Ġc", "ab", ",", "Ġ", "Î", "²"],
            [0, 0, 0, 1, 1, 2, 3, 3, 3],
        ),
        (metaspace, {}, ["▁", "ab", "c", "▁c", "ab", ",", "▁", "β"], [0, 0, 0, 1, 1, 1, 2, 2]),
        (
            metaspace,
            {"split": False},
            ["▁", "ab", "c", "▁c", "ab", ",", "▁", "β"],
            [0, 0, 0, 1, 1, 1, 2, 2],
        ),
    ],
    ids=["bytes", "bytes-with-prefix", "unigram", "unigram-unsplit"],
)
def test_words_are_numbered_in_each_family(make, settings, pieces, words):
    encoding = make(**settings).encode("abc cab, β")
    assert encoding.tokens == pieces
    assert number_words(encoding).tolist() == words


def test_a_word_that_is_cut_begins_anew(tokenizer, vocabulary):
    packer = Packer(tokenizer, vocabulary, length=4)
    packed = packer.add(["b axy"])
    assert packed.ids.tolist() == [[CLS, B, A, SEP], [CLS, X, Y, SEP]]
    assert packed.words.tolist() == [[-1, 0, 1, -1], [-1, 0, 0, -1]]


def test_a_length_without_room_is_refused(tokenizer, vocabulary):
    with pytest.raises(ConfigError, match="sequence length 2"):
        Packer(tokenizer, vocabulary, length=2)


def test_masking_hides_whole_words_at_the_rate(vocabulary):
    words = np.tile(np.repeat(np.arange(40, dtype=np.int32), 3), (200, 1))
    ids = np.full(words.shape, A, dtype=np.int32)
    masked = mask_words(Packed(ids, words), vocabulary, np.random.default_rng(0), rate=0.15)
    chosen = np.zeros(ids.shape, dtype=int)
    chosen.reshape(-1)[masked.positions] = 1
    by_word = chosen.reshape(200, 40, 3).sum(axis=2)
    assert set(by_word.ravel().tolist()) == {0, 3}
    assert chosen.mean() == 0.15
    assert masked.targets.tolist() == [A] * len(masked.positions)


def test_masking_replaces_80_10_10(vocabulary):
    words = np.tile(np.arange(100, dtype=np.int32), (300, 1))
    ids = np.full(words.shape, A, dtype=np.int32)
    masked = mask_words(Packed(ids, words), vocabulary, np.random.default_rng(1), rate=0.5)
    shown = masked.ids.reshape(-1)[masked.positions]
    assert np.mean(shown == MASK) == pytest.approx(0.8, abs=0.01)
    # One of five strangers is the piece itself.
    assert np.mean(shown == A) == pytest.approx(0.12, abs=0.01)
    untouched = np.delete(masked.ids.reshape(-1), masked.positions)
    assert set(untouched.tolist()) == {A}


def test_masking_leaves_specials_and_takes_at_least_one_word(vocabulary):
    packed = Packed(np.array([[CLS, A, SEP]], np.int32), np.array([[-1, 0, -1]], np.int32))
    masked = mask_words(packed, vocabulary, np.random.default_rng(0), rate=0.01)
    assert masked.positions.tolist() == [1]


def test_split_divides_positions_with_their_rows():
    masked = Masked(np.arange(12).reshape(3, 4), np.array([1, 5, 6, 11]), np.array([7, 8, 9, 10]))
    first, second = masked.split(2)
    assert (first.ids.tolist(), first.positions.tolist()) == (
        [[0, 1, 2, 3], [4, 5, 6, 7]],
        [1, 5, 6],
    )
    assert (second.positions.tolist(), second.targets.tolist()) == ([3], [10])
    assert len(masked.split(8)) == 3


@pytest.fixture
def make_stream(path, tokenizer, vocabulary):
    opened = []

    def build(**settings):
        packer = Packer(tokenizer, vocabulary, length=6)
        opened.append(TextStream([path], seed=1))
        return PackedStream(opened[-1], packer, seed=1, buffer=5, **settings)

    yield build
    for texts in opened:
        texts.close()


@pytest.fixture
def path(tmp_path):
    lines = ["axy b c", "b b", "c axx a b", "a", "cxyx b a c"]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    return tmp_path / "a.txt"


@pytest.mark.parametrize("n_batches", [0, 1, 4])
def test_restored_stream_gives_the_same_batches(make_stream, n_batches):
    stream = make_stream()
    for _ in range(n_batches):
        stream.next_batch(3)
    other = make_stream()
    other.restore(stream.state())
    for _ in range(4):
        ours, theirs = other.next_batch(3), stream.next_batch(3)
        assert ours.ids.tolist() == theirs.ids.tolist()
        assert ours.words.tolist() == theirs.words.tolist()


def test_skipped_documents_are_left_out(make_stream):
    stream = make_stream(skip=lambda text: "c" in text)
    ids = np.concatenate([stream.next_batch(4).ids for _ in range(5)])
    assert C not in ids


def test_no_document_left_is_an_error(make_stream):
    stream = make_stream(skip=lambda text: True)
    with pytest.raises(TrainingDataError, match="every document is held out"):
        stream.next_batch(1)
