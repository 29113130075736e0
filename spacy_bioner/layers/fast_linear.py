"""Linear layers for inference on a CPU.

torch hands float32 matrix products to MKL, which on some processors reaches less than half the
speed of oneDNN. Both compute in full float32; results differ in the last bits. Products in bfloat16
are oneDNN's anyway, but lay out their weights anew for each batch.

oneDNN prepares code for each shape that it meets, and keeps it for many: with texts of all lengths,
that takes hundreds of megabytes in the course of thousands of texts, and what is kept lies between
the tensors that come and go, so that freed memory is not given back. So rows are padded to one of a
few numbers, and the activation behind a layer is computed with it, not by a kernel for each shape.
"""

import copy
from typing import Any, Callable, Dict, List, Set, Tuple, TypeVar

import torch
from torch import nn
from torch.nn.functional import gelu, pad

# What a layer and the activation behind it are called in models of the BERT family.
ACTIVATED = (("dense", "intermediate_act_fn"), ("lin1", "activation"))
M = TypeVar("M", bound=nn.Module)
# Up to so many rows, their number is padded to a multiple of that; beyond, of the last. oneDNN
# keeps something for each number and kind of layer.
_GRAINS = ((128, 16), (2048, 32))
_LAST_GRAIN = 256
# Rare sizes would go on to be met for tens of thousands of texts: from so many on, others stand in,
# at most half as large again: a short text after long batches takes no longer than before them.
MOST_SIZES = 24
_KEPT: Set[int] = set()


def can_pack(
    module: nn.Module, device: torch.device, precision: torch.dtype = torch.float32
) -> bool:
    """Tell whether `with_fast_linears` serves a module on a device.

    The operators are those that torch's own compiler packs with; they are not public, so a torch
    without them runs the layers as they are.
    """
    names = ("_reorder_linear_weight", "_linear_pointwise", "_is_mkldnn_bf16_supported")
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if not all(hasattr(torch.ops.mkldnn, name) for name in names):
        return False
    if any(tensor.dtype != torch.float32 for tensor in module.parameters()):
        return False
    if precision == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return precision == torch.float32


def with_fast_linears(module: M, precision: torch.dtype = torch.float32) -> M:
    """Copy a module for inference, with its linear layers packed for oneDNN.

    Everything but the packed weights is shared with the original. The copy does not follow later
    changes of the original's linear layers.

    precision (torch.dtype): Of the matrix products: torch.float32 or torch.bfloat16.
    """
    shared = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    twin = copy.deepcopy(module, memo=shared).eval()
    _replace_linears(twin, precision)
    return twin


class PackedLinear(nn.Module):
    """A linear layer whose weights are laid out for oneDNN; no gradient goes through it.

    layer (nn.Linear): The layer to stand in for, in float32.
    precision (torch.dtype): Of the product and its result.
    with_gelu (bool): Give the GELU of the result (by the error function, not by tanh).
    """

    def __init__(
        self,
        layer: nn.Linear,
        precision: torch.dtype = torch.float32,
        *,
        with_gelu: bool = False,
    ) -> None:
        super().__init__()
        weight = layer.weight.detach().to(precision)
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        self.bias = None if layer.bias is None else layer.bias.detach().to(precision)
        self.precision = precision
        self.after: Tuple[str, List[Any], str] = (
            ("gelu", [], "none") if with_gelu else ("none", [], "")
        )

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return `states @ weight.T + bias`, or the GELU of it.

        states (torch.Tensor): Shape (…, width in).
        RETURNS (torch.Tensor): Shape (…, width out), in this layer's precision.
        """
        rows = states.reshape(-1, states.shape[-1]).to(self.precision)
        n_rows = len(rows)
        n_padded = choose_size(n_rows)
        if n_padded > n_rows:
            rows = pad(rows, (0, 0, 0, n_padded - n_rows))
        found = torch.ops.mkldnn._linear_pointwise(rows, self.packed, self.bias, *self.after)
        return found[:n_rows].view(*states.shape[:-1], found.shape[-1])


def choose_size(n_rows: int) -> int:
    """Return the number of rows that so many are padded to: `round_up_rows`; where so many are kept
    already, the next that is kept, a power of two, or three quarters of one."""
    size = round_up_rows(n_rows)
    if size not in _KEPT and len(_KEPT) >= MOST_SIZES:
        power = 1 << (size - 1).bit_length()
        # A copy of those that are kept: other threads add to them.
        size = min(other for other in (*tuple(_KEPT), power * 3 // 4, power) if other >= size)
    _KEPT.add(size)
    return size


def round_up_rows(n_rows: int) -> int:
    """Return the next number of rows on the grid that sizes are taken from."""
    grain = next((grain for most, grain in _GRAINS if n_rows <= most), _LAST_GRAIN)
    return -(-n_rows // grain) * grain


def _replace_linears(module: nn.Module, precision: torch.dtype) -> None:
    fused = _find_gelus(module)
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, PackedLinear(child, precision, with_gelu=name in fused))
        else:
            _replace_linears(child, precision)
    for activation in fused.values():
        setattr(module, activation, nn.Identity())


def _find_gelus(module: nn.Module) -> Dict[str, str]:
    """Find the layers of a module whose result goes through GELU by the error function."""
    found = {}
    for layer, activation in ACTIVATED:
        function = getattr(module, activation, None)
        is_linear = type(getattr(module, layer, None)) is nn.Linear
        if is_linear and callable(function) and _is_gelu(function):
            found[layer] = activation
    return found


def _is_gelu(function: Callable[[torch.Tensor], torch.Tensor]) -> bool:
    # By what it computes: each library has a class or a function of its own for it.
    probe = torch.linspace(-4, 4, 33)
    with torch.no_grad():
        return torch.equal(function(probe), gelu(probe))
