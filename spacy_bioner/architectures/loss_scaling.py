"""Loss scaling for float16: gradients that would become 0 are carried at a larger size.

Micikevicius and others (2018), "Mixed precision training", with a factor that follows overflows.
"""

import logging

import torch
from torch import nn

from spacy_bioner.architectures.pieces.reader import gains_a_digit
from spacy_bioner.errors import TrainingDataError

logger = logging.getLogger(__name__)
FIRST_SCALE = 2.0**14
LEAST_SCALE = 1.0
GREATEST_SCALE = 2.0**24
# Steps without an overflow before the factor is doubled.
GROWTH_STEPS = 1000


class LossScaler:
    """The factor of a module's gradients, and what becomes of it.

    n_skipped (int): Steps that were left out because a gradient overflowed.
    """

    def __init__(self) -> None:
        self.scale = FIRST_SCALE
        self.good_steps = 0
        self.n_skipped = 0

    def unscale(self, module: nn.Module) -> bool:
        """Bring a module's gradients back to their size, or drop them all where one overflowed.

        RETURNS (bool): Whether there is something to step with.
        RAISES (TrainingDataError): For an overflow at the smallest factor: no other will help.
        """
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        if not gradients:
            return True
        torch._foreach_mul_(gradients, 1.0 / self.scale)
        if all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
            self.good_steps += 1
            if self.good_steps % GROWTH_STEPS == 0:
                self.scale = min(2.0 * self.scale, GREATEST_SCALE)
            return True
        if self.scale == LEAST_SCALE:
            raise TrainingDataError(
                "a gradient is no number at the smallest loss scale: training has diverged and "
                "cannot go on; lower the learning rate, set grad_clip, or train in bfloat16"
            )
        self.n_skipped += 1
        if gains_a_digit(self.n_skipped - 1, self.n_skipped):
            logger.warning(
                "loss scaling: %d steps so far were left out because a gradient overflowed",
                self.n_skipped,
            )
        self.good_steps = 0
        self.scale = max(0.5 * self.scale, LEAST_SCALE)
        return False
