"""Losses for tags that are predicted token by token, also where they are known in part only."""

from typing import Optional

import torch


def tag_loss(
    emissions: torch.Tensor,
    allowed: torch.Tensor,
    *,
    class_weights: Optional[torch.Tensor] = None,
    focal_gamma: float = 0.0,
    label_smoothing: float = 0.0,
) -> torch.Tensor:
    """Return the loss of each token: minus the log of the probability of what is known of it.

    With one allowed tag this is cross-entropy; with several it is the marginal likelihood of the
    set (Cour, Sapp and Taskar, 2011), which does not say which of them is right; with all it is 0.

    emissions (torch.Tensor): Tag scores; float, shape (tokens, tags).
    allowed (torch.Tensor): Whether each tag agrees with what is known; bool, the same shape, at
        least one per token.
    class_weights (Optional[torch.Tensor]): A factor per tag; shape (tags,). A token with several
        allowed tags gets their mean, weighted by their probabilities.
    focal_gamma (float): Scales each loss by (1 - p) ** gamma, p being the probability of what is
        known, so that easy tokens weigh less (Lin and others, 2017).
    label_smoothing (float): The share of each known tag that is spread evenly over all tags
        (Szegedy and others, 2016).
    RETURNS (torch.Tensor): Shape (tokens,), in nats.
    """
    log_probs = torch.log_softmax(emissions, dim=-1)
    within = log_probs.masked_fill(~allowed, float("-inf"))
    known = allowed.sum(dim=-1)
    log_known = torch.logsumexp(within, dim=-1)
    # Rounding makes the log of a sum of all probabilities differ from 0 in the last bits.
    loss = torch.where(known == allowed.shape[-1], torch.zeros_like(log_known), -log_known)
    if focal_gamma:
        # Off 0, where a power below 1 has no finite slope.
        doubt = (1.0 - log_known.exp()).clamp_min(torch.finfo(loss.dtype).eps)
        loss = loss * doubt**focal_gamma
    if label_smoothing:
        spread = -log_probs.mean(dim=-1)
        smoothed = (1.0 - label_smoothing) * loss + label_smoothing * spread
        loss = torch.where(known == 1, smoothed, loss)
    if class_weights is not None:
        probabilities = torch.softmax(within.detach(), dim=-1)
        loss = loss * (probabilities * class_weights).sum(dim=-1)
    return loss


def mean_over_known(losses: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """Average over the tokens of which anything is known; 0 where there is none."""
    known = ~allowed.all(dim=-1)
    return losses[known].sum() / known.sum().clamp_min(1)


def divergence(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Return KL(teacher ∥ student) of each token's distribution of tags; shape (tokens,)."""
    log_student = torch.log_softmax(student, dim=-1)
    log_teacher = torch.log_softmax(teacher, dim=-1)
    return (log_teacher.exp() * (log_teacher - log_student)).sum(dim=-1)
