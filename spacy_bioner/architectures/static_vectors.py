"""`spacy_bioner.StaticVectors.v1`: the vocabulary's word vectors under a trained linear layer."""

from typing import Any, Dict, List, Optional, Tuple, cast

from spacy.attrs import ORTH
from spacy.tokens import Doc
from spacy.vectors import Mode
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import get_array_module

from spacy_bioner.architectures._torch import nn
from spacy_bioner.architectures.composition import make_lookup
from spacy_bioner.architectures.torch_bridge import Spec, TorchShim
from spacy_bioner.errors import ConfigError

HOW_TO_NAME = (
    "name a pipeline that has them: --paths.vectors FOLDER where the config says "
    "vectors = ${paths.vectors} under [initialize] (`spacy init vectors` makes such a folder)"
)


def build_static_vectors(
    width: int = 100, lr_scale: float = 10.0
) -> Model[List[Doc], List[Floats2d]]:
    """Build token states from word vectors that stay as they are, and a linear layer that learns.

    The vectors are those of the pipeline's vocabulary, which saves them. A word without one has a
    vector of zeros: its state is the layer's bias.

    width (int): Size of a token's state.
    lr_scale (float): The linear layer's learning rate, as a multiple of the optimizer's.
    RAISES (ConfigError): On `initialize` for a vocabulary without vectors; in use for one whose
        vectors are of another length than those that the layer has learned from.
    """
    spec: Spec = {"width": width}
    return make_lookup(
        "static_vectors", _build_linear, spec, _read_vectors, lr_scale, init=_init_linear
    )


def _init_linear(model: Model, X: Optional[List[Doc]] = None, Y: Optional[Any] = None) -> None:
    shim = cast(TorchShim, model.shims[0])
    if shim.is_ready:
        return
    n_rows, length = X[0].vocab.vectors.shape if X else (0, 0)
    if not n_rows or not length:
        raise ConfigError(f"static vectors: the pipeline has no word vectors; {HOW_TO_NAME}")
    spec: Spec = {**model.attrs["spec"], "length": length}
    shim.set_module(spec, _build_linear(spec))


def _read_vectors(attrs: Dict[str, Any], spec: Spec, docs: List[Doc]) -> Tuple[Any, ...]:
    """Look the tokens' vectors up, on the device that holds them."""
    vectors = docs[0].vocab.vectors
    if vectors.shape[1] != spec["length"]:
        raise ConfigError(
            f"static vectors: the pipeline's word vectors have {vectors.shape[1]} numbers each, "
            f"expected {spec['length']}, as in training; load it with the vectors it was saved "
            f"with, or {HOW_TO_NAME} and train anew"
        )
    attribute = getattr(vectors, "attr", ORTH)
    keys = [key for doc in docs for key in doc.to_array(attribute).tolist()]
    if vectors.mode == Mode.floret:
        # Of character n-grams: there are no unknown words.
        return (vectors.get_batch(keys).astype("f"),)
    rows = vectors.find(keys=keys)
    found = vectors.data[rows].astype("f")
    # Rows of unknown words are -1, which indexes the last one.
    found[rows < 0] = 0
    return (get_array_module(found).ascontiguousarray(found),)


def _build_linear(spec: Spec) -> nn.Module:
    return nn.Linear(spec["length"], spec["width"])
