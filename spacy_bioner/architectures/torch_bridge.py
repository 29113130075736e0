"""A thinc shim that keeps `spacy train` near a bare torch loop.

thinc's own shim steps tensor by tensor on one thread, clips each tensor by itself and autocasts
on CUDA only. This one takes learning rate, betas, weight decay and clipping from the spaCy
config's optimizer, and steps with torch's fused AdamW.
"""

import os
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, cast

import numpy as np
import srsly
import torch
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from thinc.api import Model, Optimizer
from thinc.shims import Shim
from thinc.types import Floats2d, FloatsXd
from thinc.util import get_torch_default_device, torch2xp
from torch import nn

from spacy_bioner.architectures.loss_scaling import LossScaler

Spec = Dict[str, Any]
AVERAGES_KEY = (-1, "spacy_bioner")

# A process that is forked after torch has used its thread pool waits for ever in its first
# parallel region (`nlp.pipe(n_process=2)`): the pool's threads are not there in the child.
# Where processes are never forked, there is no such hook.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def _unscaled(name: str) -> float:
    return 1.0


class ConstantScale:
    """The same learning rate for every parameter; a class, since closures cannot be pickled.

    scale (float): A multiple of the optimizer's.
    """

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __call__(self, name: str) -> float:
        return self.scale


class TorchShim(Shim):
    """Holds a torch module that is made on `initialize` or on loading, never before.

    build (Callable[[Spec], nn.Module]): Makes the module, with any weights, from a description
        of plain data. It must not reach for files or the network.
    lr_scale (Callable[[str], float]): Multiplies the optimizer's learning rate, by the name of
        the parameter within the module.
    """

    def __init__(
        self, build: Callable[[Spec], nn.Module], *, lr_scale: Callable[[str], float] = _unscaled
    ) -> None:
        super().__init__(None)
        self.spec: Spec = {}
        self.build = build
        self.lr_scale = lr_scale
        self.averages: Optional[Averages] = None
        # Set where gradients are carried scaled, which `clip_gradients` undoes.
        self.scaler: Optional[LossScaler] = None
        self.clipped = False

    @property
    def module(self) -> nn.Module:
        """The torch module.

        RAISES (ValueError): Before the model is initialized or loaded.
        """
        if self._model is None:
            raise ValueError(
                "the model has no weights yet: initialize the pipeline or load it from disk"
            )
        return self._model

    @property
    def is_ready(self) -> bool:
        """Whether there is a module."""
        return self._model is not None

    @property
    def device(self) -> torch.device:
        """Where the module's parameters are."""
        return next(self.module.parameters()).device

    def set_module(self, spec: Spec, module: nn.Module) -> None:
        """Take over a module and the description from which `build` would make it again."""
        self.spec = spec
        self._model = module.to(get_torch_default_device())
        self._optimizer = None
        self.averages = None

    def finish_update(self, optimizer: Optimizer) -> None:
        """Step with the optimizer's current settings and reset the gradients."""
        if not self.clipped:
            clip_shims([self], optimizer.grad_clip)
        if any(p.grad is not None for p in self.module.parameters()):
            if self._optimizer is None:
                self._optimizer = make_adamw(self.module, self.lr_scale)
            follow_settings(self._optimizer, optimizer)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            if optimizer.averages is not None:
                self.averages = self.averages or Averages(self.module)
                self.averages.add(self.module)
                # spaCy asks for averages only where the optimizer has some.
                optimizer.averages.setdefault(AVERAGES_KEY, cast(FloatsXd, np.zeros(1, "f")))
        self.clipped = False

    @contextmanager
    def use_params(self, params: Dict[Any, Any]) -> Iterator[None]:
        """Put the averaged weights in place for a while; thinc calls this, with its own averages.

        Without averages, or before the first step, the weights stay as they are.
        """
        if self.averages is None:
            yield
            return
        # Switching to training makes weights that were packed for inference stale.
        try:
            with self.averages.in_place(self.module):
                self.module.train()
                yield
        finally:
            self.module.train()

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module; thinc calls this with "cpu" or "gpu"."""
        if self._model is not None:
            self._model.to("cpu" if device_type == "cpu" else f"cuda:{device_id}")
            self._optimizer = None
            self.averages = None

    def to_bytes(self) -> bytes:
        """Serialize description and weights; no weights before initialization."""
        weights = None
        if self._model is not None:
            state = self._model.state_dict()
            weights = save_safetensors({k: v.detach().cpu().contiguous() for k, v in state.items()})
        return srsly.msgpack_dumps({"spec": self.spec, "weights": weights})

    def from_bytes(self, data: bytes) -> "TorchShim":
        """Make the module anew from its description and load the weights into it."""
        message = srsly.msgpack_loads(data)
        if message["weights"] is not None:
            module = self.build(message["spec"])
            module.load_state_dict(load_safetensors(message["weights"]))
            self.set_module(message["spec"], module)
        return self


class Averages:
    """A running mean of a module's weights: Polyak and Juditsky (1992), with growing memory.

    Step t counts with weight max(1 / t, 10 / (t + 10)), so that the first steps are soon forgotten.
    """

    def __init__(self, module: nn.Module) -> None:
        self.steps = 0
        self.weights = [parameter.detach().clone() for parameter in module.parameters()]

    @torch.no_grad()
    def add(self, module: nn.Module) -> None:
        """Count the present weights in."""
        self.steps += 1
        share = max(1.0 / self.steps, 10.0 / (self.steps + 10.0))
        torch._foreach_lerp_(self.weights, list(module.parameters()), share)

    @contextmanager
    def in_place(self, module: nn.Module) -> Iterator[None]:
        """Put the mean in place of the module's weights, and them back afterwards."""
        self._swap(module)
        try:
            yield
        finally:
            self._swap(module)

    @torch.no_grad()
    def _swap(self, module: nn.Module) -> None:
        for parameter, mean in zip(module.parameters(), self.weights):
            kept = parameter.detach().clone()
            parameter.copy_(mean)
            mean.copy_(kept)


def make_adamw(
    module: nn.Module, lr_scale: Callable[[str], float] = _unscaled
) -> torch.optim.AdamW:
    """Make a fused AdamW; vectors (biases, normalization) are not decayed.

    lr_scale (Callable[[str], float]): A factor on the learning rate by a parameter's name.
    """
    groups: Dict[Any, Dict[str, Any]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            decay, scale = parameter.ndim > 1, lr_scale(name)
            empty = {"params": [], "decay": decay, "lr_scale": scale}
            groups.setdefault((not decay, scale), empty)["params"].append(parameter)
    return torch.optim.AdamW([groups[key] for key in sorted(groups)], lr=0.0, fused=True)


def follow_settings(adamw: torch.optim.AdamW, optimizer: Optimizer) -> None:
    """Copy the spaCy optimizer's present settings, schedules included, into torch's."""
    for group in adamw.param_groups:
        group["lr"] = float(optimizer.learn_rate) * group["lr_scale"]
        group["betas"] = (float(optimizer.b1), float(optimizer.b2))
        group["eps"] = float(optimizer.eps)
        group["weight_decay"] = float(optimizer.L2) if group["decay"] else 0.0


def split_rows(rows: torch.Tensor, lengths: List[int]) -> List[Floats2d]:
    """Cut stacked rows up by document, as arrays of the device they are on; no gradient passes."""
    return [cast(Floats2d, torch2xp(part)) for part in rows.detach().split(lengths)]


def torch_shims(model: Model) -> List[TorchShim]:
    """List the shims of a thinc model and its sub-layers that hold a module."""
    shims: Iterable[Any] = (shim for node in model.walk() for shim in node.shims)
    return [shim for shim in shims if isinstance(shim, TorchShim) and shim.is_ready]


def scale_gradients(model: Model, factor: float) -> None:
    """Multiply the gradients of all torch parts."""
    gradients = [cast(torch.Tensor, parameter.grad) for parameter in _moved(torch_shims(model))]
    if gradients:
        torch._foreach_mul_(gradients, factor)


def clip_gradients(model: Model, max_norm: float) -> Optional[float]:
    """Scale the gradients of all torch parts together to a global norm.

    Gradients that are carried scaled come back to their size. Where one of them has overflowed,
    all are dropped: the step is left out.

    model (Model): A thinc model.
    max_norm (float): The largest allowed L2 norm; 0 leaves the gradients as they are.
    RETURNS (Optional[float]): The norm before clipping; None where there was nothing to clip.
    """
    return clip_shims(torch_shims(model), max_norm)


def clip_shims(shims: List[TorchShim], max_norm: float) -> Optional[float]:
    """Do for some torch parts what `clip_gradients` does for all of a model."""
    for shim in shims:
        shim.clipped = True
    usable = [shim.scaler is None or shim.scaler.unscale(shim.module) for shim in shims]
    parameters = _moved(shims)
    if not all(usable):
        for parameter in parameters:
            parameter.grad = None
        return None
    if not parameters or not max_norm:
        return None
    return float(nn.utils.clip_grad_norm_(parameters, max_norm))


def _moved(shims: List[TorchShim]) -> List[nn.Parameter]:
    """List the parameters that have a gradient."""
    return [p for shim in shims for p in shim.module.parameters() if p.grad is not None]
