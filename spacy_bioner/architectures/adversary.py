"""Adversarial training on embeddings: FGSM, PGD and virtual adversarial training."""

import random
from contextlib import contextmanager
from functools import partial
from typing import Any, Callable, Iterator, List, Tuple, cast

from spacy.tokens import Doc
from thinc.api import Model, set_dropout_rate
from thinc.types import Floats2d
from thinc.util import xp2torch

from spacy_bioner.architectures._torch import torch
from spacy_bioner.architectures.objectives import check_finite
from spacy_bioner.architectures.pieces.subword_labels import read_words
from spacy_bioner.architectures.pieces.words import Words, learn_words
from spacy_bioner.architectures.torch_bridge import TorchShim, split_rows, torch_shims
from spacy_bioner.errors import ConfigError
from spacy_bioner.layers.adversary import NORMS, EmbeddingTap, project, steepest
from spacy_bioner.layers.losses import divergence
from spacy_bioner.layers.pooled_encoder import PooledEncoder

METHODS = ("none", "fgsm", "pgd", "vat")
# How far virtual adversarial training looks to find its direction, as a share of epsilon.
PROBE = 0.1

ComputeLoss = Callable[[List[Floats2d]], Tuple[float, List[Floats2d]]]


def make_adversary(
    method: str = "fgsm",
    epsilon: float = 1.0,
    norm: str = "l2",
    steps: int = 3,
    step_size: float = 0.0,
    share: float = 1.0,
    weight: float = 1.0,
    start: int = 0,
    ramp: int = 0,
) -> "Adversary":
    """Make the attack registered as `spacy_bioner.Adversary.v1`.

    method (str): "none"; "fgsm", one step along the gradient (Goodfellow, Shlens and Szegedy, 2015;
        with norm "l2" as Miyato, Dai and Goodfellow, 2017); "pgd", several steps, each projected
        back (Madry and others, 2018); "vat", the direction that changes the prediction most, which
        needs no gold (Miyato and others, 2019).
    epsilon (float): The largest norm of the perturbation of a window's word embeddings.
    norm (str): "l2" over a window, or "linf" over single coordinates.
    steps (int): Steps of "pgd"; looks for a direction of "vat".
    step_size (float): Norm of one step of "pgd"; 0 takes 1.5 × epsilon / steps.
    share (float): The share of batches that are attacked.
    weight (float): Weight of the adversarial loss beside the clean one.
    start (int): Batches before the first attack.
    ramp (int): Batches over which epsilon then grows to its full size.
    RAISES (ConfigError): For a value outside of what is said above.
    """
    settings = {"epsilon": epsilon, "step_size": step_size, "weight": weight}
    for setting, value, choices in (("method", method, METHODS), ("norm", norm, NORMS)):
        if value not in choices:
            raise ConfigError(
                f"adversary setting {setting} = '{value}': expected {' or '.join(choices)}"
            )
    low = [f"{key} = {value}" for key, value in settings.items() if value < 0]
    if low or steps < 1 or not 0 <= share <= 1 or start < 0 or ramp < 0:
        found = low or [f"steps = {steps}, share = {share}, start = {start}, ramp = {ramp}"]
        raise ConfigError(
            f"adversary settings: found {found[0]}; expected steps ≥ 1, 0 ≤ share ≤ 1, others ≥ 0"
        )
    return Adversary(method, epsilon, norm, steps, step_size, share, weight, start, ramp)


class Adversary:
    """Attacks an encoder's embeddings in training; see `make_adversary` for the settings."""

    def __init__(
        self,
        method: str,
        epsilon: float,
        norm: str,
        steps: int,
        step_size: float,
        share: float,
        weight: float,
        start: int,
        ramp: int,
    ) -> None:
        self.method = method
        self.epsilon = epsilon
        self.norm = norm
        self.steps = steps
        self.step_size = step_size or 1.5 * epsilon / steps
        self.share = share
        self.weight = weight
        self.start = start
        self.ramp = ramp
        self.seen = 0

    def strikes(self) -> bool:
        """Count a batch, and draw whether it is attacked."""
        self.seen += 1
        return self.method != "none" and self.seen > self.start and random.random() < self.share

    @property
    def radius(self) -> float:
        """The present epsilon: it grows over `ramp` batches."""
        if not self.ramp:
            return self.epsilon
        return self.epsilon * min(1.0, (self.seen - self.start) / self.ramp)

    def train(
        self, model: Model, docs: List[Doc], compute_loss: ComputeLoss, share: float = 1.0
    ) -> float:
        """Add the gradient of the loss under attack to that of a clean pass.

        Call it inside `tapped(model)`, right after the clean pass and its backpropagation.

        compute_loss (ComputeLoss): Gives the loss of emissions and its gradient, both times
            `weight`: a CRF's own weights learn from it, too.
        share (float): The Docs' part of a batch, for "vat", whose loss is another one.
        RETURNS (float): The loss under attack, times `weight`.
        """
        taps = _taps(model)
        if self.method == "vat":
            compute_loss = self._aim_virtually(model, docs, taps, scale=self.weight * share)
        else:
            self._aim(model, docs, taps, compute_loss)
        emissions, backprop = model.begin_update(docs)
        loss, gradient = compute_loss(emissions)
        backprop(gradient)
        return loss

    def perturb(self, model: Model, docs: List[Doc], compute_loss: ComputeLoss) -> None:
        """Perturb what a trained model sees of some Docs, until the block of `tapped` ends.

        Nothing is learned. Call it inside `tapped(model, dropout=False)`.

        compute_loss (ComputeLoss): As for `train`; "vat" does not look at it.
        """
        taps = _taps(model)
        set_dropout_rate(model, 0.0)
        with without_training(model):
            emissions, backprop = model.begin_update(docs)
            backprop(compute_loss(emissions)[1])
            if self.method == "vat":
                self._aim_virtually(model, docs, taps)
            elif self.method != "none":
                self._aim(model, docs, taps, compute_loss)

    def _aim(
        self, model: Model, docs: List[Doc], taps: List[EmbeddingTap], compute_loss: ComputeLoss
    ) -> None:
        if self.method == "fgsm":
            for tap in taps:
                tap.deltas = [steepest(g, self.radius, self.norm) for g in tap.gradients()]
            return
        for step in range(self.steps):
            for tap in taps:
                self._climb(tap)
            if step + 1 < self.steps:
                with without_training(model):
                    emissions, backprop = model.begin_update(docs)
                    backprop(compute_loss(emissions)[1])

    def _climb(self, tap: EmbeddingTap) -> None:
        size = self.step_size * self.radius / max(self.epsilon, 1e-12)
        moves = [steepest(gradient, size, self.norm) for gradient in tap.gradients()]
        before = tap.deltas or [torch.zeros_like(move) for move in moves]
        tap.deltas = [
            project(delta + move, self.radius, self.norm) for delta, move in zip(before, moves)
        ]

    def _aim_virtually(
        self, model: Model, docs: List[Doc], taps: List[EmbeddingTap], *, scale: float = 1.0
    ) -> ComputeLoss:
        """Find the direction that changes predictions most; return the loss that compares them.

        The search drops no states: dropout changes predictions, too, and would hide the direction.
        """
        words = read_words(model, docs)
        clean = [rows.copy() for rows in model.predict(docs)]
        directions = [[torch.randn_like(rows) for rows in tap.embedded] for tap in taps]
        loss = _make_divergence(model, words, clean, 1.0)
        with _without_dropout(model, taps):
            for _ in range(self.steps):
                for tap, parts in zip(taps, directions):
                    tap.deltas = [steepest(part, PROBE * self.radius, "l2") for part in parts]
                with without_training(model):
                    emissions, backprop = model.begin_update(docs)
                    backprop(loss(emissions)[1])
                directions = [tap.gradients() for tap in taps]
        for tap, parts in zip(taps, directions):
            tap.deltas = [steepest(part, self.radius, self.norm) for part in parts]
        return _make_divergence(model, words, clean, scale)


@contextmanager
def tapped(model: Model, *, dropout: bool = True) -> Iterator[List[EmbeddingTap]]:
    """Let perturbations in, and gradients out, at the embeddings of a model's encoders.

    dropout (bool): Whether the encoders drop states in passes for gradients, as in training.
    RAISES (ConfigError): For a model without an encoder of ours.
    """
    modules = _encoders(model)
    if not modules:
        raise ConfigError(
            "adversarial training perturbs the embeddings of spacy_bioner.TransformerEncoder.v1; "
            "the component's model has none"
        )
    for module in modules:
        module.tap = EmbeddingTap(dropout=dropout)
    try:
        yield [module.tap for module in modules if module.tap is not None]
    finally:
        for module in modules:
            module.tap = None


def find_encoders(model: Model) -> List[Model]:
    """List the layers of a model that are encoders of ours, those without weights left out."""
    return [
        node
        for node in model.walk()
        if any(
            isinstance(shim, TorchShim) and shim.is_ready and isinstance(shim.module, PooledEncoder)
            for shim in node.shims
        )
    ]


def _encoders(model: Model) -> List[PooledEncoder]:
    return [cast(Any, node.shims[0]).module for node in find_encoders(model)]


def _taps(model: Model) -> List[EmbeddingTap]:
    return [module.tap for module in _encoders(model) if module.tap is not None]


@contextmanager
def without_training(model: Model) -> Iterator[None]:
    """Let a backward pass reach the embeddings without adding to the weights' gradients."""
    weights = [p for shim in torch_shims(model) for p in shim.module.parameters()]
    kept: List[Any] = [(weight, weight.grad) for weight in weights]
    for weight in weights:
        weight.grad = None
    try:
        yield
    finally:
        for weight, gradient in kept:
            weight.grad = gradient


@contextmanager
def _without_dropout(model: Model, taps: List[EmbeddingTap]) -> Iterator[None]:
    """Drop no states within the block, in the encoders and in the layers behind them."""
    dropping = [node for node in model.walk() if "dropout_rate" in node.attrs]
    rates = [(node, node.attrs["dropout_rate"]) for node in dropping]
    dropped = [(tap, tap.dropout) for tap in taps]
    set_dropout_rate(model, 0.0)
    for tap in taps:
        tap.dropout = False
    try:
        yield
    finally:
        for node, rate in rates:
            node.attrs["dropout_rate"] = rate
        for tap, dropout in dropped:
            tap.dropout = dropout


def _make_divergence(
    model: Model, words: List[Words], clean: List[Floats2d], scale: float
) -> ComputeLoss:
    def compare(emissions: List[Floats2d], before: List[Floats2d]) -> Tuple[float, List[Floats2d]]:
        scores = xp2torch(model.ops.flatten(emissions), requires_grad=True)
        target = xp2torch(model.ops.flatten(before))
        loss = scale * divergence(scores, target.to(scores.device)).mean()
        loss.backward()
        value = check_finite(float(loss.detach()))
        gradient = cast(torch.Tensor, scores.grad)
        return value, split_rows(gradient, [len(rows) for rows in emissions])

    return partial(learn_words, compare, words, clean)
