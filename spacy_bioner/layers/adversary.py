"""Perturbations of embeddings: where they enter the encoder, and how they are chosen."""

from dataclasses import dataclass, field
from typing import List, Sequence

import torch

NORMS = ("l2", "linf")
TINY = 1e-12


@dataclass
class EmbeddingTap:
    """Adds perturbations to an encoder's embeddings and keeps what their gradient needs.

    deltas (List[torch.Tensor]): What is added to each batch of windows, shape (windows, length,
        width); empty adds nothing.
    embedded (List[torch.Tensor]): The perturbed embeddings of the last pass.
    masks (List[torch.Tensor]): 1 for pieces and 0 for padding, of the last pass; shape (windows,
        length).
    dropout (bool): Whether the encoder drops states in passes for gradients; without, an attack
        on a trained model aims at what it predicts.
    """

    deltas: List[torch.Tensor] = field(default_factory=list)
    embedded: List[torch.Tensor] = field(default_factory=list)
    masks: List[torch.Tensor] = field(default_factory=list)
    dropout: bool = True

    def perturb(
        self, embedded: Sequence[torch.Tensor], masks: Sequence[torch.Tensor]
    ) -> List[torch.Tensor]:
        """Return what goes on into the encoder."""
        self.masks = list(masks)
        pairs = zip(embedded, self.deltas) if self.deltas else ((rows, None) for rows in embedded)
        self.embedded = [rows if delta is None else rows + delta for rows, delta in pairs]
        for rows in self.embedded:
            if rows.requires_grad:
                rows.retain_grad()
        return self.embedded

    def gradients(self) -> List[torch.Tensor]:
        """Return the loss' gradient by embeddings after a backward pass; 0 in the padding."""
        found = []
        for rows, mask in zip(self.embedded, self.masks):
            gradient = torch.zeros_like(rows) if rows.grad is None else rows.grad
            # A gradient that is carried scaled may overflow; such a step is left out later on.
            finite = torch.nan_to_num(gradient.detach(), nan=0.0, posinf=0.0, neginf=0.0)
            found.append(finite * mask[..., None])
        return found


def steepest(gradient: torch.Tensor, size: float, norm: str) -> torch.Tensor:
    """Return the step of a given size that raises a loss the most, to first order.

    gradient (torch.Tensor): Shape (windows, length, width).
    size (float): The step's norm within each window.
    norm (str): "l2" (Miyato, Dai and Goodfellow, 2017) or "linf": the sign of each coordinate
        (FGSM; Goodfellow, Shlens and Szegedy, 2015).
    """
    if norm == "linf":
        return size * gradient.sign()
    length = gradient.flatten(1).norm(dim=1).clamp_min(TINY)
    return size * gradient / length[:, None, None]


def project(delta: torch.Tensor, radius: float, norm: str) -> torch.Tensor:
    """Bring perturbations back to a norm of at most `radius` within each window."""
    if norm == "linf":
        return delta.clamp(-radius, radius)
    length = delta.flatten(1).norm(dim=1).clamp_min(TINY)
    return delta * (radius / length).clamp_max(1.0)[:, None, None]
