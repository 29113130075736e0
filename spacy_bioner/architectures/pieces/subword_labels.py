"""Sub-word label strategies: what the rows of a token classifier are taught, and what tokens get.

Two strategies are those of a token's state alone: the mean of its pieces, or its first piece with
the rest ignored (Devlin and others, 2019). Two more tag each piece in training: continuation
pieces get a tag X of their own, or their token's tag once more. A token's tag is read from its
first piece then, and X is no tag that a token can have.
"""

import unicodedata
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model

from spacy_bioner.architectures.pieces.windows import PER_PIECE, POOLING, lay_out
from spacy_bioner.architectures.pieces.words import NEVER, Words, find_words
from spacy_bioner.errors import ConfigError
from spacy_bioner.tags import OUTSIDE


def check_strategy(encoder: Model, *, crf: bool) -> None:
    """Make sure that an encoder's strategy fits what stands on it.

    RAISES (ConfigError): For a strategy of single pieces below a CRF, whose sequence is one of
        tokens, or beside other parts of a token's state, which have no pieces.
    """
    per_piece = [node for node in encoder.walk() if node.attrs.get("pooling") in PER_PIECE]
    if not per_piece:
        return
    pooling = per_piece[0].attrs["pooling"]
    if crf:
        raise ConfigError(
            f"encoder setting pooling = '{pooling}' tags single pieces, but crf = true learns "
            "sequences of tokens: set crf = false, or pooling = 'first' or 'mean'"
        )
    if per_piece[0] is not encoder:
        raise ConfigError(
            f"encoder setting pooling = '{pooling}' tags single pieces: the classifier's encoder "
            f"must be the transformer itself, found {encoder.name}; set pooling = 'first' or 'mean'"
        )


def extra_tags(encoder: Model) -> int:
    """Count the tags that a strategy needs besides those of tokens: 1 for X, else 0."""
    return int(encoder.attrs.get("pooling") == "x")


@contextmanager
def every_piece(model: Model) -> Iterator[None]:
    """Let a token classifier with a strategy of single pieces give rows for all of them.

    Rows of continuation pieces follow those of the tokens, and there is a last column for X. Other
    models do as always.
    """
    encoder = _per_piece_encoder(model)
    nodes = [] if encoder is None else [encoder, model.get_ref("output_layer")]
    for node in nodes:
        node.attrs["every_piece"] = True
    try:
        yield
    finally:
        for node in nodes:
            node.attrs["every_piece"] = False


def teach_rows(
    model: Model, docs: List[Doc], allowed: List[np.ndarray], tags: Sequence[str]
) -> Tuple[List[np.ndarray], Sequence[str]]:
    """Turn what is known of tokens into what is known of a classifier's rows.

    Nothing is known of tokens that the encoder does not see. Within `every_piece`, continuation
    pieces get their token's tags ("parent") or X. Where nothing is known of a token, nothing
    is of its continuation.

    allowed (List[np.ndarray]): Whether each tag agrees with what is known of each token; bool,
        shape (tokens, tags), per Doc.
    tags (Sequence[str]): The tags.
    RETURNS (Tuple[List[np.ndarray], Sequence[str]]): The same for rows, shape (rows, columns), and
        the columns' tags; X, which no entity has, goes as another O.
    """
    unseen = unseen_tokens(model, docs)
    if unseen is not None:
        allowed = [rows | cut[:, None] for rows, cut in zip(allowed, unseen)]
    encoder = _per_piece_encoder(model)
    if encoder is None or not encoder.attrs["every_piece"]:
        return allowed, tags
    parents = [rows.parents for rows in lay_out(encoder, docs, every_piece=True).rows]
    copied = [np.concatenate([rows, rows[own]]) for rows, own in zip(allowed, parents)]
    head: Any = model.get_ref("output_layer").shims[0]
    if not head.spec.get("extra_tags"):
        return copied, tags
    return [_add_x(rows, len(doc)) for rows, doc in zip(copied, docs)], (*tags, OUTSIDE)


def read_words(model: Model, docs: Sequence[Doc]) -> List[Words]:
    """Find the words that a model reads.

    A word of which no encoder has a piece (a combining mark, a character for private use, the
    replacement character, as tokenizers drop them) is transparent as well, where encoders are all
    that a model has.
    """
    words = [find_words(doc) for doc in docs]
    encoders = [node.get_ref("encoder") for node in model.walk() if node.has_ref("encoder")]
    rare = [index for index, own in enumerate(words) if _may_lack_pieces(own.text)]
    if not rare or {node.attrs.get("pooling") in POOLING for node in encoders} != {True}:
        return words
    layouts = [lay_out(node, [docs[index] for index in rare]) for node in encoders]
    for place, index in enumerate(rare):
        starts = [layout.rows[place].words.starts for layout in layouts]
        words[index] = words[index].choose(np.isin(words[index].starts, np.concatenate(starts)))
    return words


def unseen_tokens(model: Model, docs: List[Doc]) -> Optional[List[np.ndarray]]:
    """Tell which tokens the encoders of a model do not see; bool, shape (tokens,), per Doc.

    RETURNS (Optional[List[np.ndarray]]): None where nothing is ever cut.
    """
    cutting = [node for node in model.walk() if node.attrs.get("truncate")]
    if not cutting or not docs:
        return None
    found = [[rows.unseen for rows in lay_out(node, docs).rows] for node in cutting]
    return [np.any(masks, axis=0) for masks in zip(*found)]


def close_unseen(model: Model, docs: List[Doc], scores: List[np.ndarray]) -> List[np.ndarray]:
    """Make tokens that the encoder does not see outside of all entities.

    scores (List[np.ndarray]): Log probabilities, shape (tokens, tags), O first, per Doc.
    """
    unseen = unseen_tokens(model, docs)
    if unseen is None:
        return scores
    closed = []
    for rows, cut in zip(scores, unseen):
        outside = np.full(rows.shape[1], NEVER, dtype=rows.dtype)
        outside[0] = 0.0
        closed.append(np.where(cut[:, None], outside, rows))
    return closed


def _per_piece_encoder(model: Model) -> Optional[Model]:
    if not model.has_ref("encoder"):
        return None
    encoder = model.get_ref("encoder")
    return encoder if encoder.attrs.get("pooling") in PER_PIECE else None


def _may_lack_pieces(text: str) -> bool:
    """Tell whether a text has a mark, an unassigned character or one for private use."""
    if text.isascii():
        return False
    return any(char == "\ufffd" or unicodedata.category(char)[0] in "MC" for char in set(text))


def _add_x(rows: np.ndarray, n_tokens: int) -> np.ndarray:
    """Add the column of X, and make it the only tag of known continuations."""
    unknown: np.ndarray = np.all(rows, axis=1, keepdims=True)
    known = np.concatenate([rows, unknown], axis=1)
    known[n_tokens:, :-1] &= unknown[n_tokens:]
    known[n_tokens:, -1] = True
    return known
