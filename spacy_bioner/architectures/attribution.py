"""Which words a tag owes its probability to: integrated gradients on the encoder's embeddings.

Sundararajan, Taly and Yan (2017). Each word starts as a mask piece and becomes itself, step by
step; the gradients on the way, summed, share the score's whole change out among the words. captum
does the sums. The model may be of any layers, torch or thinc: gradients come through its own
backward pass, as in adversarial training.
"""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Iterator, List, Sequence, Tuple, cast

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model, set_dropout_rate

from spacy_bioner.architectures.adversary import find_encoders, tapped, without_training
from spacy_bioner.architectures.decoding import log_softmax
from spacy_bioner.architectures.pieces.alignment import align_pieces
from spacy_bioner.architectures.pieces.control_pieces import find_stand_in
from spacy_bioner.architectures.pieces.windows import WindowLayout, lay_out
from spacy_bioner.errors import ConfigError
from spacy_bioner.layers.adversary import EmbeddingTap
from spacy_bioner.layers.pooled_encoder import PooledEncoder

N_STEPS = 50

Target = Sequence[Tuple[int, int]]
"""Tokens and the column of the tag that each of them has."""


@dataclass(frozen=True)
class Attribution:
    """What each token adds to a score; positive where it speaks for the tags.

    values (np.ndarray): In nats; float64, shape (tokens,).
    score (float): Log probability of the tags together, transitions of a CRF left out.
    baseline (float): The same with every word masked.
    """

    values: np.ndarray
    score: float
    baseline: float

    @property
    def error(self) -> float:
        """What the values miss of the score's change, in nats; more steps make it smaller."""
        return self.score - self.baseline - float(self.values.sum())


def integrate_gradients(
    model: Model, doc: Doc, targets: Sequence[Target], *, n_steps: int = N_STEPS
) -> List[Attribution]:
    """Attribute the log probability of tags to the tokens of a Doc.

    model (Model): Gives emissions, shape (tokens, tags); with one or several encoders of ours.
    targets (Sequence[Target]): Each is a score to explain.
    n_steps (int): Passes forward and back through the model for each target.
    RAISES (ConfigError): For less than two steps, and a model without such an encoder.
    """
    from captum.attr import IntegratedGradients

    if n_steps < 2:
        raise ConfigError(f"found {n_steps} steps, expected 2 or more")
    set_dropout_rate(model, 0.0)
    with tapped(model, dropout=False) as taps, ExitStack() as stack:
        encoders = find_encoders(model)
        for node in encoders:
            stack.enter_context(_in_full_precision(node))
        stack.enter_context(without_training(model))
        stack.enter_context(_frozen(model))
        model.begin_update([doc])
        layouts = [lay_out(node, [doc]) for node in encoders]
        clean = [[part.detach() for part in tap.embedded] for tap in taps]
        masked = [
            _mask(node, layout, parts) for node, layout, parts in zip(encoders, layouts, clean)
        ]
        flat, baselines = _flatten(clean), _flatten(masked)
        found: List[Attribution] = []
        for target in targets:
            score = _make_score(model, doc, taps, clean, target)
            with torch.no_grad():
                ends = [float(score(*parts)) for parts in (flat, baselines)]
            gradients = IntegratedGradients(score, multiply_by_inputs=True)
            parts = gradients.attribute(
                flat, baselines=baselines, n_steps=n_steps, internal_batch_size=1
            )
            values = np.zeros(len(doc))
            remaining = iter(parts)
            for node, layout, own in zip(encoders, layouts, clean):
                pieces = [next(remaining)[0].sum(dim=-1).cpu().numpy() for _ in own]
                values += _sum_to_tokens(node, layout, doc, pieces)
            found.append(Attribution(values, *ends))
    return found


def _flatten(parts: Sequence[Sequence[torch.Tensor]]) -> Tuple[torch.Tensor, ...]:
    # captum takes the first axis for that of examples.
    return tuple(rows[None] for encoder in parts for rows in encoder)


def _mask(node: Model, layout: WindowLayout, parts: List[torch.Tensor]) -> List[torch.Tensor]:
    """Put the mask's embedding in the place of every piece but special ones and padding."""
    shim = cast(Any, node.shims[0])
    module = cast(PooledEncoder, shim.module)
    embedding = module.transformer.get_input_embeddings()
    vector = torch.zeros(embedding.embedding_dim, device=shim.device)
    with torch.no_grad():
        if piece := find_stand_in(shim.tokenizer):
            number = torch.tensor([shim.tokenizer.token_to_id(piece)], device=shim.device)
            vector = embedding(number)[0].float()
        if module.datasets is not None and layout.datasets is not None:
            # There is one Doc, so all windows are of one corpus.
            corpus = torch.from_numpy(layout.datasets[:1]).to(shim.device)
            vector = vector + module.datasets(corpus)[0].float()
    masked = [rows.clone() for rows in parts]
    first = len(layout.before)
    for (group, row), index in _places(node, layout):
        masked[group][row, first : first + len(layout.windows[index])] = vector
    return masked


def _places(node: Model, layout: WindowLayout) -> Iterator[Tuple[Tuple[int, int], int]]:
    """Say which window stands in which row of which batch."""
    for place, group in enumerate(layout.group(node.attrs["batch_pieces"])):
        for row, index in enumerate(group):
            yield (place, row), int(index)


def _sum_to_tokens(
    node: Model, layout: WindowLayout, doc: Doc, pieces: Sequence[np.ndarray]
) -> np.ndarray:
    """Add up what pieces have; one that touches several words is shared out among them. That of a
    word stands at its first token."""
    own = layout.pieces[0]
    per_piece = np.zeros(len(own.ids))
    first = len(layout.before)
    for (group, row), index in _places(node, layout):
        window = layout.windows[index]
        per_piece[window.start : window.end] += pieces[group][row, first : first + len(window)]
    words = layout.rows[0].words
    alignment = align_pieces(own, words.start_chars, words.end_chars)
    touched = np.bincount(alignment.piece, minlength=len(own.ids))
    shares = per_piece[alignment.piece] / np.maximum(touched[alignment.piece], 1)
    return words.place(np.bincount(alignment.token, weights=shares, minlength=len(words)), len(doc))


def _make_score(
    model: Model,
    doc: Doc,
    taps: Sequence[EmbeddingTap],
    clean: Sequence[Sequence[torch.Tensor]],
    target: Target,
) -> Callable[..., torch.Tensor]:
    """Make the function of all embeddings that gives a target's log probability."""
    rows, columns = (np.array(part, dtype=np.int64) for part in zip(*target))

    class Score(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *parts: torch.Tensor) -> torch.Tensor:
            remaining = iter(parts)
            for tap, own in zip(taps, clean):
                moved = [next(remaining)[0].detach() - before for before in own]
                tap.deltas = [delta.requires_grad_() for delta in moved]
            with torch.enable_grad():
                emissions, backprop = model.begin_update([doc])
            log_probs = log_softmax(model.ops.to_numpy(emissions[0])[: len(doc)].astype("float64"))
            gradient = np.zeros(emissions[0].shape, dtype=np.float32)
            np.add.at(gradient, (rows, columns), 1.0)
            gradient[rows] -= np.exp(log_probs[rows])
            backprop([cast(Any, model.ops).asarray(gradient)])
            ctx.gradients = [part[None] for tap in taps for part in tap.gradients()]
            return torch.tensor([float(log_probs[rows, columns].sum())], dtype=torch.float64)

        @staticmethod
        def backward(ctx: Any, *outer: torch.Tensor) -> Any:
            return tuple(part * outer[0].to(part) for part in ctx.gradients)

    return cast(Callable[..., torch.Tensor], Score.apply)


@contextmanager
def _frozen(model: Model) -> Iterator[None]:
    """Compute no gradients of encoders' weights: that of a vocabulary would cost more than all."""
    shims: List[Any] = [shim for node in find_encoders(model) for shim in node.shims]
    encoders = [shim.module for shim in shims]
    weights = [weight for module in encoders for weight in module.parameters()]
    kept = [(weight, weight.requires_grad) for weight in weights]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight, learns in kept:
            weight.requires_grad_(learns)


@contextmanager
def _in_full_precision(node: Model) -> Iterator[None]:
    shim = cast(Any, node.shims[0])
    kept = shim.module.precision, shim.scaler
    shim.module.precision, shim.scaler = torch.float32, None
    try:
        yield
    finally:
        shim.module.precision, shim.scaler = kept
