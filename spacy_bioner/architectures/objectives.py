"""`spacy_bioner.TaggingObjective.v1`: what a tagger's emissions are trained towards."""

import math
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Tuple, cast

import numpy as np
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import xp2torch

from spacy_bioner.architectures._torch import torch
from spacy_bioner.architectures.decoding import TagGrammar
from spacy_bioner.architectures.torch_bridge import TorchShim, split_rows
from spacy_bioner.errors import ConfigError, TrainingDataError
from spacy_bioner.layers.crf import LinearChainCRF, Weights
from spacy_bioner.layers.losses import mean_over_known, tag_loss
from spacy_bioner.tags import OUTSIDE, parse_tag


@dataclass(frozen=True)
class TaggingObjective:
    """The loss of emissions against what is known of the tags; see `make_objective`."""

    class_weights: Dict[str, float] = field(default_factory=dict)
    focal_gamma: float = 0.0
    label_smoothing: float = 0.0

    def check(self, model: Model, labels: Sequence[str]) -> None:
        """Make sure that the settings fit a model and its labels.

        RAISES (ConfigError): For a class weight of an unknown label, and for settings of single
            tokens with a CRF, whose loss is one of whole sequences.
        """
        unknown = sorted(set(self.class_weights) - {OUTSIDE, *labels})
        if unknown:
            raise ConfigError(
                f"objective setting class_weights names {', '.join(unknown)}: expected O or one of "
                f"{', '.join(labels)}"
            )
        if model.get_ref("output_layer").attrs.get("crf") and self != TaggingObjective():
            raise ConfigError(
                "objective settings class_weights, focal_gamma and label_smoothing are losses of "
                "single tokens: set crf = false for the head, or leave them out"
            )

    def __call__(
        self,
        model: Model,
        emissions: List[Floats2d],
        allowed: List[np.ndarray],
        tags: Sequence[str],
        grammar: TagGrammar,
        *,
        share: float = 1.0,
    ) -> Tuple[float, List[Floats2d]]:
        """Compute the mean loss per token and its gradient.

        The gradient by the weights of a CRF is added to the head's own.

        model (Model): A token classifier.
        emissions (List[Floats2d]): Tag scores, shape (tokens, tags), per Doc.
        allowed (List[np.ndarray]): Whether each tag agrees with what is known of the token; bool,
            the same shapes.
        tags (Sequence[str]): The tags, in the order of the columns.
        grammar (TagGrammar): Which tag may follow which.
        share (float): What loss and gradient are multiplied by: these Docs' part of a batch.
        RETURNS (Tuple[float, List[Floats2d]]): Nats per token of which anything is known, and the
            gradient per Doc.
        RAISES (TrainingDataError): For a loss that is no number.
        """
        lengths = [len(rows) for rows in emissions]
        shim = cast(TorchShim, model.get_ref("output_layer").shims[0])
        scores = xp2torch(model.ops.flatten(emissions), requires_grad=True, device=shim.device)
        known = torch.from_numpy(np.concatenate(allowed)).to(shim.device)
        crf = crf_of(model)
        if crf is None:
            weights = self._weigh(tags, scores)
            losses = tag_loss(
                scores,
                known,
                class_weights=weights,
                focal_gamma=self.focal_gamma,
                label_smoothing=self.label_smoothing,
            )
            loss = mean_over_known(losses, known)
        else:
            loss = _chain_loss(crf, scores, known, lengths, grammar)
        loss = share * loss
        value = check_finite(float(loss.detach()))
        loss.backward()
        return value, split_rows(cast(torch.Tensor, scores.grad), lengths)

    def _weigh(self, tags: Sequence[str], scores: torch.Tensor) -> Optional[torch.Tensor]:
        if not self.class_weights:
            return None
        labels = [parse_tag(tag)[1] or OUTSIDE for tag in tags]
        return scores.new_tensor([self.class_weights.get(label, 1.0) for label in labels])


def make_objective(
    class_weights: Optional[Dict[str, float]] = None,
    focal_gamma: float = 0.0,
    label_smoothing: float = 0.0,
) -> TaggingObjective:
    """Make the objective registered as `spacy_bioner.TaggingObjective.v1`.

    class_weights (Optional[Dict[str, float]]): A factor by entity label, or "O"; 1 where not named.
    focal_gamma (float): 0 or more; see `layers.losses.tag_loss`.
    label_smoothing (float): From 0 to below 1; see there.
    RAISES (ConfigError): For values outside of these.
    """
    if focal_gamma < 0:
        raise ConfigError(f"objective setting focal_gamma = {focal_gamma}: expected 0 or more")
    if not 0 <= label_smoothing < 1:
        raise ConfigError(
            f"objective setting label_smoothing = {label_smoothing}: expected 0 ≤ value < 1"
        )
    weights = dict(class_weights or {})
    wrong = [f"{label} = {weight}" for label, weight in weights.items() if weight < 0]
    if wrong:
        raise ConfigError(f"objective setting class_weights: found {wrong[0]}, expected 0 or more")
    return TaggingObjective(weights, focal_gamma, label_smoothing)


def crf_of(model: Model) -> Optional[LinearChainCRF]:
    """Return a token classifier's CRF; None for a softmax head."""
    shim = cast(TorchShim, model.get_ref("output_layer").shims[0])
    return getattr(shim.module, "crf", None) if shim.is_ready else None


def check_finite(loss: float) -> float:
    """Pass a loss on. RAISES (TrainingDataError): Where it is no number."""
    if not math.isfinite(loss):
        raise TrainingDataError(
            f"the loss became {loss}: training has diverged and cannot go on; lower the learning "
            "rate, set grad_clip, or train in float32. The last checkpoint is kept"
        )
    return loss


def _chain_loss(
    crf: LinearChainCRF,
    scores: torch.Tensor,
    known: torch.Tensor,
    lengths: List[int],
    grammar: TagGrammar,
) -> torch.Tensor:
    legal = Weights(
        *(
            torch.from_numpy(np.isfinite(weights)).to(scores.device)
            for weights in (grammar.transitions, grammar.starts, grammar.ends)
        )
    )
    total = crf.total_loss(scores.split(lengths), known.split(lengths), legal)
    n_known = (~known.all(dim=-1)).sum().clamp_min(1)
    return total / n_known
