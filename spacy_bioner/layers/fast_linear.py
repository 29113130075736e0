"""Linear layers for inference on a CPU.

torch hands float32 matrix products to MKL, which on some processors reaches less than half the
speed of oneDNN. Both compute in full float32; results differ in the last bits. Products in bfloat16
are oneDNN's anyway.

oneDNN prepares code for each number of rows that it meets, and keeps it for many: with texts of all
lengths, that takes hundreds of megabytes in the course of thousands of texts. So rows are padded to
one of a few numbers.
"""

import copy
from typing import Callable, TypeVar

import torch
from torch import nn
from torch.nn.functional import linear, pad

M = TypeVar("M", bound=nn.Module)
# Up to so many rows, their number is padded to a multiple of that; beyond, of the last.
_GRAINS = ((128, 16), (512, 32), (2048, 64))
_LAST_GRAIN = 128


def can_pack(module: nn.Module, device: torch.device) -> bool:
    """Tell whether `with_fast_linears` serves a module on a device.

    The two operators are those that torch's own compiler packs with; they are not public, so a
    torch without them runs the layers as they are.
    """
    has_operators = all(
        hasattr(torch.ops.mkldnn, name) for name in ("_reorder_linear_weight", "_linear_pointwise")
    )
    is_float32 = all(tensor.dtype == torch.float32 for tensor in module.parameters())
    return (
        device.type == "cpu" and torch.backends.mkldnn.is_available() and has_operators
    ) and is_float32


def with_fast_linears(module: M) -> M:
    """Copy a module for inference, with its linear layers packed for oneDNN.

    Everything but the packed weights is shared with the original. The copy does not follow later
    changes of the original's linear layers.
    """
    return _copy_with(module, PackedLinear)


def with_padded_linears(module: M) -> M:
    """Copy a module for inference in bfloat16: its linear layers meet few numbers of rows.

    All weights are shared with the original.
    """
    return _copy_with(module, PaddedLinear)


class _RowsPadded(nn.Module):
    """A linear layer for inference, whose rows are padded to one of a few numbers."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Give `states @ weight.T + bias`.

        states (torch.Tensor): Shape (…, width in).
        RETURNS (torch.Tensor): Shape (…, width out).
        """
        rows = states.reshape(-1, states.shape[-1])
        n_rows = len(rows)
        n_padded = round_up_rows(n_rows)
        if n_padded > n_rows:
            rows = pad(rows, (0, 0, 0, n_padded - n_rows))
        found = self.multiply(rows)[:n_rows]
        return found.view(*states.shape[:-1], found.shape[-1])

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """Give the product for rows, of shape (rows, width in)."""
        raise NotImplementedError


class PackedLinear(_RowsPadded):
    """A linear layer whose weights are laid out for oneDNN; no gradient goes through it.

    layer (nn.Linear): The layer to stand in for, in float32.
    """

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), None)
        self.bias = layer.bias

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """Give the product for rows, of shape (rows, width in), in float32."""
        return torch.ops.mkldnn._linear_pointwise(rows, self.packed, self.bias, "none", [], "")


class PaddedLinear(_RowsPadded):
    """A linear layer as it is, in whatever dtype autocast chooses.

    layer (nn.Linear): The layer to stand in for.
    """

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """Give the product for rows, of shape (rows, width in)."""
        return linear(rows, self.weight, self.bias)


def round_up_rows(n_rows: int) -> int:
    """Give the number of rows that so many are padded to: the smallest that is kept."""
    grain = next((grain for most, grain in _GRAINS if n_rows <= most), _LAST_GRAIN)
    return -(-n_rows // grain) * grain


def _copy_with(module: M, kind: Callable[[nn.Linear], nn.Module]) -> M:
    shared = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    twin = copy.deepcopy(module, memo=shared).eval()
    _replace_linears(twin, kind)
    return twin


def _replace_linears(module: nn.Module, kind: Callable[[nn.Linear], nn.Module]) -> None:
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, kind(child))
        else:
            _replace_linears(child, kind)
