"""`spacy_bioner.TermFeatures.v1`: which names of a term table stand where, as token states.

A gazetteer behind a model can only add what the model leaves out, or take away. As features beside
an encoder (Concatenation), the same lists are evidence that the head weighs against the context.
In training, names are left out at random, or the model would lean on lists that have all names of
its training texts, and fail where they have gaps.
"""

from functools import partial
from pathlib import PurePath
from typing import Any, Callable, List, Optional, Tuple, cast

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from spacy_bioner.architectures._torch import nn, torch
from spacy_bioner.architectures.composition import run_module
from spacy_bioner.architectures.pieces.term_flags import FEATURES, N_PLACES, flag_terms
from spacy_bioner.architectures.torch_bridge import ConstantScale, Spec, TorchShim
from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.gaz import read_gaz
from spacy_bioner.knowledge.matcher import TermMatcher


def build_term_features(
    path: Optional[str] = None,
    labels: Optional[List[str]] = None,
    width: int = 16,
    dropout: float = 0.3,
    variants: bool = False,
    lr_scale: float = 10.0,
) -> Model[List[Doc], List[Floats2d]]:
    """Build token states from the names of a term table that stand in the text.

    The longest names count, as in `bioner_gazetteer`. Each token has four flags for each label
    (it begins, continues, ends or is a name of it), under a linear layer that learns. The table is
    saved with the model: a trained pipeline does not need the file.

    path (Optional[str]): A file of `bioner terms import`, read on `initialize`.
    labels (Optional[List[str]]): Those of the table that count; None: all.
    width (int): Size of a token's state.
    dropout (float): In training, this share of the names in a batch counts as unknown: all
        occurrences of a name together.
    variants (bool): A hyphen may stand for a space or for nothing, see `TermMatcher`.
    lr_scale (float): The learning rate, as a multiple of the optimizer's.
    RAISES (ConfigError): For a share outside of 0 to 1, or no width; on `initialize` without a
        file, or for labels that the table does not have.
    """
    if not 0.0 <= dropout < 1.0:
        raise ConfigError(
            f"term features: found dropout = {dropout}, expected at least 0 and under 1"
        )
    if width < 1:
        raise ConfigError(f"term features: found width = {width}, expected at least 1")
    model: Model = Model(
        FEATURES,
        forward,
        init=init,
        dims={"nO": width},
        attrs={"path": path, "labels": labels, "term_dropout": dropout, "variants": variants},
        shims=[TorchShim(build_module, lr_scale=ConstantScale(lr_scale))],
    )
    return model


def init(model: Model, X: Optional[List[Doc]] = None, Y: Optional[Any] = None) -> None:
    """Read the table, and make the layer for its labels."""
    shim = cast(TorchShim, model.shims[0])
    if shim.is_ready:
        return
    path, labels = model.attrs["path"], model.attrs["labels"]
    if not path:
        raise ConfigError(
            "term features: found no table; name a file of `bioner terms import` in the setting "
            "path (`bioner train … --paths.terms FILE` with configs/term_features.cfg)"
        )
    matcher = read_gaz(path, variants=model.attrs["variants"])
    if unknown := sorted(set(labels or ()) - set(matcher.table.labels)):
        raise ConfigError(
            f"term features: {path} has no terms of the labels {', '.join(unknown)}, expected some "
            f"of {', '.join(matcher.table.labels)}"
        )
    matcher = matcher.restrict(variants=matcher.variants, labels=labels)
    if not len(matcher):
        raise ConfigError(f"term features: {path} has no terms of labels that count")
    spec: Spec = {
        "width": model.get_dim("nO"),
        "variants": model.attrs["variants"],
        "terms": matcher.to_bytes(),
    }
    shim.set_module(spec, build_module(spec))
    # It is saved with the model: where the file lay is nobody's business.
    model.attrs["path"] = PurePath(path).name


class TermLinear(nn.Linear):
    """A linear layer over flags, and the terms that these are of.

    matcher (TermMatcher): Finds the terms.
    """

    def __init__(self, spec: Spec) -> None:
        matcher = TermMatcher.from_bytes(spec["terms"], spec["variants"])
        super().__init__(N_PLACES * len(matcher.table.labels), spec["width"])
        self.matcher = matcher


def build_module(spec: Spec) -> TermLinear:
    """Make an untrained layer from its description."""
    return TermLinear(spec)


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    """Look the names up, and run the layer."""
    module = cast(TermLinear, cast(TorchShim, model.shims[0]).module)
    share = model.attrs["term_dropout"] if is_train else 0.0
    leaves_out = partial(_draw, share) if share else None
    flags = flag_terms(module.matcher, docs, leaves_out=leaves_out)
    return run_module(model, docs, [model.ops.flatten(flags)], is_train)


def _draw(share: float) -> bool:
    """Draw by torch's generator, which a training's seed sets and a resumed one restores."""
    return bool(torch.rand(()) < share)
