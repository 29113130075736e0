"""`spacy_bioner.ExportedClassifier.v1`: the head of a trained token classifier, without torch."""

from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from spacy_bioner.architectures.decoding import TRANSITIONS
from spacy_bioner.architectures.exported.onnx_encoder import pool_pieces, refuse_training

# Rows of one product. Their number decides how BLAS adds up: with always the same one, a token's
# emissions do not depend on what else is in the batch.
BLOCK = 64
PARAMS = ("W", "b", *TRANSITIONS)


def build_exported_classifier(
    encoder: Model[List[Doc], List[Floats2d]], nO: Optional[int] = None
) -> Model[List[Doc], List[Floats2d]]:
    """Build a model that gives one row of emissions (unnormalized tag scores) per token.

    encoder (Model[List[Doc], List[Floats2d]]): `spacy_bioner.OnnxEncoder.v1`.
    nO (Optional[int]): Number of tags; None lets the component set it.
    """
    params: Dict[str, Any] = dict.fromkeys(PARAMS)
    head: Model = Model("exported_head", _forward_head, dims={"nI": None, "nO": nO}, params=params)
    model: Model = Model(
        "exported_classifier",
        forward,
        init=init,
        layers=[encoder, head],
        dims={"nO": nO},
        refs={"encoder": encoder, "output_layer": head},
    )
    return model


def init(model: Model, X: Optional[List[Doc]] = None, Y: Optional[Any] = None) -> None:
    """Refuse to start from nothing; see `onnx_encoder.init`."""
    model.get_ref("encoder").initialize(X=X)


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[Any], Any]]:
    """Encode and score. RAISES (EncoderError): In training."""
    if is_train:
        refuse_training()
    head, encoder = model.get_ref("output_layer"), model.get_ref("encoder")
    weights, bias = _read_head(head)
    pooled = pool_pieces(encoder, docs, head.get_dim("nO"), partial(_multiply, weights))
    return [model.ops.asarray2f(rows + bias) for rows in pooled], refuse_training


def _multiply(weights: np.ndarray, states: np.ndarray) -> np.ndarray:
    n_whole = len(states) - len(states) % BLOCK
    rest = np.zeros((BLOCK, states.shape[1]), dtype=np.float32)
    rest[: len(states) - n_whole] = states[n_whole:]
    whole = states[:n_whole].reshape(-1, BLOCK, states.shape[1]) @ weights
    product = np.concatenate([whole.reshape(n_whole, weights.shape[1]), rest @ weights])
    return product[: len(states)]


def _forward_head(model: Model, states: Any, is_train: bool) -> Tuple[Any, Callable[[Any], Any]]:
    weights, bias = _read_head(model)
    rows = [_multiply(weights, model.ops.to_numpy(own)) + bias for own in states]
    return [model.ops.asarray2f(own) for own in rows], refuse_training


def _read_head(head: Model) -> Tuple[np.ndarray, np.ndarray]:
    # On a GPU, thinc has put them there.
    weights, bias = (head.ops.to_numpy(head.get_param(name)) for name in ("W", "b"))
    return np.ascontiguousarray(weights.T), bias
