"""Documents → packed sequences of one length → masked batches, all resumable and seeded."""

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from spacy_bioner.errors import ConfigError, TrainingDataError

# Which purpose a random generator serves; each draws from its own.
SHUFFLING, MASKING, HOLDING_OUT = 1, 2, 3
DOCS_AT_ONCE = 16
NO_WORD = -1


@dataclass(frozen=True)
class Vocabulary:
    """What packing and masking need to know of a tokenizer.

    before (Tuple[int, ...]): Special pieces in front of a sequence.
    after (Tuple[int, ...]): Those behind it; they stand between documents too.
    mask_id (int): The piece that hides others.
    ordinary (np.ndarray): The pieces that may stand in a text; int64.
    """

    before: Tuple[int, ...]
    after: Tuple[int, ...]
    mask_id: int
    ordinary: np.ndarray


@dataclass(frozen=True)
class Packed:
    """Sequences of one length.

    ids (np.ndarray): Piece ids; int32, shape (sequences, length).
    words (np.ndarray): The number of each piece's word, rising from 0 in each sequence, or -1 for
        special pieces; int32, of the same shape.
    """

    ids: np.ndarray
    words: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Masked:
    """A batch to learn from.

    ids (np.ndarray): Piece ids with some hidden; int64, shape (sequences, length).
    positions (np.ndarray): Those to guess, in the flattened `ids`; int64, rising.
    targets (np.ndarray): The pieces that stood there; int64.
    """

    ids: np.ndarray
    positions: np.ndarray
    targets: np.ndarray

    def split(self, n_parts: int) -> List["Masked"]:
        """Divide into batches of fewer sequences, none of them empty."""
        length = self.ids.shape[1]
        parts = []
        for rows in np.array_split(np.arange(len(self.ids)), min(n_parts, len(self.ids))):
            low, high = np.searchsorted(self.positions, [rows[0] * length, (rows[-1] + 1) * length])
            positions = self.positions[low:high] - rows[0] * length
            parts.append(Masked(self.ids[rows], positions, self.targets[low:high]))
        return parts


def make_vocabulary(tokenizer: Any) -> Vocabulary:
    """Look up the special pieces of a `tokenizers.Tokenizer`.

    RAISES (ConfigError): For one without a mask piece.
    """
    from spacy_bioner.architectures.encoder_source import special_ids
    from spacy_bioner.architectures.pieces.control_pieces import MASKS, list_controls

    before, after = special_ids(tokenizer)
    mask_id = next((i for i in map(tokenizer.token_to_id, MASKS) if i is not None), None)
    if mask_id is None:
        raise ConfigError(
            "the encoder's tokenizer has no [MASK] or <mask>: it cannot be pre-trained by masking"
        )
    pieces = tokenizer.get_vocab(with_added_tokens=True)
    special = {*list_controls(tokenizer).values(), *before, *after, mask_id}
    unused = {number for piece, number in pieces.items() if piece.startswith("[unused")}
    ordinary = np.array(sorted(set(pieces.values()) - special - unused), dtype=np.int64)
    return Vocabulary(tuple(before), tuple(after), mask_id, ordinary)


class Packer:
    """Cuts the pieces of consecutive documents into sequences of one length; none is lost.

    tokenizer (Any): A `tokenizers.Tokenizer` without truncation.
    length (int): Pieces of a sequence, special ones included.
    """

    def __init__(self, tokenizer: Any, vocabulary: Vocabulary, *, length: int) -> None:
        from spacy_bioner.architectures.pieces.control_pieces import read_as_text

        self.tokenizer = read_as_text(tokenizer)
        self.vocabulary = vocabulary
        self.capacity = length - len(vocabulary.before) - len(vocabulary.after)
        if self.capacity < 1:
            raise ConfigError(f"sequence length {length}: expected room for more than specials")
        self.rest_ids = np.zeros(0, dtype=np.int32)
        self.rest_words = np.zeros(0, dtype=np.int32)

    def add(self, texts: List[str]) -> Packed:
        """Take documents in and return the sequences that are full."""
        ids, words = [self.rest_ids], [self.rest_words]
        # Only the change from word to word counts, so numbers need to differ between neighbours.
        offset = int(self.rest_words.max(initial=0)) + 1
        for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=False):
            if not encoding.ids:
                continue
            ends = self.vocabulary.after
            ids += [np.array(encoding.ids, np.int32), np.array(ends, np.int32)]
            numbers = number_words(encoding) + offset
            offset = int(numbers[-1]) + 1
            words += [numbers, np.full(len(ends), NO_WORD, np.int32)]
        all_ids, all_words = np.concatenate(ids), np.concatenate(words)
        cut = len(all_ids) // self.capacity * self.capacity
        self.rest_ids, self.rest_words = all_ids[cut:], _renumber(all_words[None, cut:])[0]
        shape = (-1, self.capacity)
        return self._frame(all_ids[:cut].reshape(shape), all_words[:cut].reshape(shape))

    def _frame(self, ids: np.ndarray, words: np.ndarray) -> Packed:
        before, after = self.vocabulary.before, self.vocabulary.after
        n = len(ids)
        edges = [np.tile(np.array(side, np.int32), (n, 1)) for side in (before, after)]
        none = [np.full((n, len(side)), NO_WORD, np.int32) for side in (before, after)]
        return Packed(
            np.hstack([edges[0], ids, edges[1]]), np.hstack([none[0], _renumber(words), none[1]])
        )


def number_words(encoding: Any) -> np.ndarray:
    """Number the words of an encoding from 0; a word is what the tokenizer's first step left whole.

    Where the tokenizer does not say, pieces that touch in the text are one word.
    """
    found = encoding.word_ids
    if all(number is not None for number in found):
        numbers = np.array(found, np.int64)
        starts = np.concatenate([[True], numbers[1:] != numbers[:-1]])
        # SentencePiece tokenizers may leave a text whole and only mark where words begin.
        starts |= [piece.startswith("▁") for piece in encoding.tokens]
    else:
        offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2)
        starts = np.concatenate([[True], offsets[1:, 0] > offsets[:-1, 1]])
    return (np.cumsum(starts) - 1).astype(np.int32)


class PackedStream:
    """Mixes packed sequences through a buffer: each one that is given makes room for the next.

    documents (Any): An iterator with `state`, `restore` and `epoch`: a TextStream.
    skip (Callable[[str], bool]): Documents to leave out: those that are held out.
    buffer (int): Sequences to choose from.
    """

    def __init__(
        self,
        documents: Any,
        packer: Packer,
        *,
        seed: int,
        skip: Optional[Callable[[str], bool]] = None,
        buffer: int = 1024,
    ) -> None:
        self.documents = documents
        self.packer = packer
        self.seed = seed
        self.skip = skip or (lambda text: False)
        self.size = buffer
        self.n_batches = 0
        self._ids: List[np.ndarray] = []
        self._words: List[np.ndarray] = []

    @property
    def epoch(self) -> int:
        """How many times all texts were read, the present time not counted."""
        return self.documents.epoch

    def next_batch(self, n_sequences: int) -> Packed:
        """Yield so many sequences.

        RAISES (TrainingDataError): Where whole epochs leave nothing to learn from.
        """
        random = np.random.default_rng([self.seed, SHUFFLING, self.n_batches])
        self._fill(self.size + n_sequences)
        ids: List[np.ndarray] = []
        words: List[np.ndarray] = []
        for _ in range(n_sequences):
            index = int(random.integers(len(self._ids)))
            for given, kept in ((ids, self._ids), (words, self._words)):
                given.append(kept[index])
                kept[index] = kept[-1]
                kept.pop()
        self.n_batches += 1
        return Packed(np.stack(ids), np.stack(words))

    def state(self) -> Dict[str, Any]:
        """Describe position and buffer, in plain data and arrays."""
        none = np.zeros((0, 0), np.int32)
        return {
            "documents": self.documents.state(),
            "n_batches": self.n_batches,
            "rest": [self.packer.rest_ids, self.packer.rest_words],
            "ids": np.stack(self._ids) if self._ids else none,
            "words": np.stack(self._words) if self._words else none,
        }

    def restore(self, state: Dict[str, Any]) -> None:
        """Go on from a state."""
        self.documents.restore(state["documents"])
        self.n_batches = state["n_batches"]
        self.packer.rest_ids, self.packer.rest_words = map(np.asarray, state["rest"])
        self._ids, self._words = list(np.asarray(state["ids"])), list(np.asarray(state["words"]))

    def _fill(self, size: int) -> None:
        first_epoch = self.epoch
        while len(self._ids) < size:
            texts: List[str] = []
            while len(texts) < DOCS_AT_ONCE:
                text = next(self.documents)
                if not self.skip(text):
                    texts.append(text)
                elif self.epoch > first_epoch + 1 and not self._ids and not texts:
                    raise TrainingDataError(
                        "every document is held out: there is none to learn from; name more text "
                        "or hold out a smaller share"
                    )
            packed = self.packer.add(texts)
            if not len(packed) and self.epoch > first_epoch + 1 and not len(self.packer.rest_ids):
                raise TrainingDataError("the tokenizer finds no piece in the texts")
            self._ids.extend(packed.ids)
            self._words.extend(packed.words)


def mask_words(
    packed: Packed, vocabulary: Vocabulary, random: np.random.Generator, *, rate: float = 0.15
) -> Masked:
    """Hide whole words: 80 % of their pieces behind the mask, 10 % behind any piece, 10 % as is.

    rate (float): The share of ordinary pieces to guess; each sequence has at least one word.
    """
    chosen = np.zeros(packed.ids.shape, dtype=bool)
    for row, words in enumerate(packed.words):
        inside = words != NO_WORD
        if inside.any():
            sizes = np.bincount(words[inside])
            order = random.permutation(len(sizes))
            ends = np.cumsum(sizes[order])
            # A word that the budget's end falls into is taken if most of it lies within.
            taken = ends - sizes[order] / 2 < rate * ends[-1]
            taken[0] = True
            chosen[row] = inside & np.isin(words, order[taken])
    ids = packed.ids.astype(np.int64)
    positions = np.flatnonzero(chosen)
    targets = ids.reshape(-1)[positions]
    fate = random.random(len(positions))
    strangers = random.choice(vocabulary.ordinary, size=len(positions))
    hidden = np.where(fate < 0.8, vocabulary.mask_id, np.where(fate < 0.9, strangers, targets))
    ids.reshape(-1)[positions] = hidden
    return Masked(ids, positions, targets)


def _renumber(words: np.ndarray) -> np.ndarray:
    """Number the words of each row from 0; special pieces stay -1."""
    starts = np.ones(words.shape, dtype=bool)
    starts[:, 1:] = words[:, 1:] != words[:, :-1]
    starts &= words != NO_WORD
    numbers = np.cumsum(starts, axis=1) - 1
    return np.where(words == NO_WORD, NO_WORD, numbers).astype(np.int32)
