"""In which dtype an encoder computes."""

import logging

import torch

from spacy_bioner.errors import EncoderError

logger = logging.getLogger(__name__)

PRECISIONS = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def check_trainable(precision: str, device: torch.device) -> None:
    """Make sure that a precision can be trained in. RAISES (EncoderError): float16 on a CPU."""
    if precision == "float16" and device.type == "cpu":
        raise EncoderError("encoder setting precision = float16 needs a GPU; use bfloat16 or auto")


def choose_precision(precision: str, device: torch.device) -> torch.dtype:
    """Turn the setting into a dtype for a device.

    A CPU has no kernels for float16: what was trained so on a GPU runs there as with "auto".
    """
    if precision == "float16" and device.type == "cpu":
        logger.warning("encoder setting precision = float16 needs a GPU; taken as auto on this CPU")
        precision = "auto"
    if precision != "auto":
        return PRECISIONS[precision]
    if device.type == "cuda":
        # float16 would need loss scaling to train, so it is only used when it is asked for.
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    # A private call, so it may go: float32 is always right.
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if supported() else torch.float32
