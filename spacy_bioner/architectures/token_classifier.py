"""`spacy_bioner.TokenClassifier.v1`: an encoder with a softmax or CRF head over tags."""

from functools import partial
from typing import Any, Callable, List, Optional, Tuple, cast

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import xp2torch

from spacy_bioner.architectures._torch import torch
from spacy_bioner.architectures.pieces.subword_labels import check_strategy, extra_tags
from spacy_bioner.architectures.torch_bridge import Spec, TorchShim, split_rows
from spacy_bioner.layers.token_head import TokenHead


def build_token_classifier(
    encoder: Model[List[Doc], List[Floats2d]],
    dropout: float = 0.1,
    lr_scale: float = 1.0,
    crf: bool = False,
    crf_lr_scale: float = 50.0,
    nO: Optional[int] = None,
) -> Model[List[Doc], List[Floats2d]]:
    """Build a model that gives one row of emissions (unnormalized tag scores) per token.

    encoder (Model[List[Doc], List[Floats2d]]): Gives a state per token: ours, or a listener to a
        shared transformer.
    dropout (float): Dropout on token states; `spacy train` replaces it by its own setting.
    lr_scale (float): The head's learning rate, as a multiple of the optimizer's.
    crf (bool): Learn transitions between tags as well (a linear-chain CRF).
    crf_lr_scale (float): The transitions' learning rate, as a multiple of the head's. They start
        at 0 and have far to go: at the rate of an encoder they would hardly move.
    nO (Optional[int]): Number of tags; None lets the component set it.
    RAISES (ConfigError): For an encoder that tags single pieces where crf = true, or where it is a
        part of another encoder.
    """
    check_strategy(encoder, crf=crf)
    # A partial and no closure: components that are sent to a spawned process take it along.
    scale = partial(_scale_rate, lr_scale, lr_scale * crf_lr_scale)
    shim = TorchShim(build_head, lr_scale=scale)
    head: Model = Model(
        "token_head",
        forward_head,
        dims={"nI": None, "nO": nO},
        attrs={"dropout_rate": dropout, "crf": crf, "every_piece": False},
        shims=[shim],
    )
    model: Model = Model(
        "token_classifier",
        forward,
        init=init,
        layers=[encoder, head],
        dims={"nO": nO},
        refs={"encoder": encoder, "output_layer": head},
    )
    return model


def build_head(spec: Spec) -> TokenHead:
    """Make an untrained head from its description."""
    n_columns = spec["n_tags"] + spec.get("extra_tags", 0)
    return TokenHead(spec["width"], n_columns, crf=spec.get("crf", False))


def init(model: Model, X: Optional[List[Doc]] = None, Y: Optional[Any] = None) -> None:
    """Initialize the encoder, then the head for the encoder's width and the number of tags."""
    encoder, head = model.get_ref("encoder"), model.get_ref("output_layer")
    encoder.initialize(X=X)
    if not head.has_dim("nO"):
        head.set_dim("nO", model.get_dim("nO"))
    width, n_tags = encoder.get_dim("nO"), head.get_dim("nO")
    head.set_dim("nI", width)
    shim = cast(TorchShim, head.shims[0])
    if not shim.is_ready:
        spec: Spec = {"width": width, "n_tags": n_tags, "crf": head.attrs["crf"]}
        if n_extra := extra_tags(encoder):
            spec["extra_tags"] = n_extra
        shim.set_module(spec, build_head(spec))


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    """Encode, then score."""
    states, backprop_encoder = model.get_ref("encoder")(docs, is_train)
    emissions, backprop_head = model.get_ref("output_layer")(states, is_train)
    return emissions, lambda d_emissions: backprop_encoder(backprop_head(d_emissions))


def forward_head(
    model: Model, states: List[Floats2d], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Floats2d]]]:
    """Score each token's state.

    The column of a tag X of continuation pieces is given with the attribute `every_piece` only.
    """
    shim = cast(TorchShim, model.shims[0])
    module, device = shim.module, shim.device
    module.train(is_train)
    lengths = [len(rows) for rows in states]
    stacked = xp2torch(model.ops.flatten(states), requires_grad=is_train, device=device)
    with torch.set_grad_enabled(is_train):
        emissions = module(stacked, model.attrs["dropout_rate"])
        if shim.spec.get("extra_tags") and not model.attrs["every_piece"]:
            emissions = emissions[:, : shim.spec["n_tags"]]

    def backprop(d_emissions: List[Floats2d]) -> List[Floats2d]:
        gradient = xp2torch(model.ops.flatten(d_emissions), device=device)
        torch.autograd.backward(emissions, grad_tensors=gradient)
        return split_rows(cast(torch.Tensor, stacked.grad), lengths)

    return split_rows(emissions, lengths), backprop


def _scale_rate(linear: float, crf: float, name: str) -> float:
    return crf if name.startswith("crf.") else linear
