"""`spacy_bioner.ExportedClassifier.v1`: the head of a trained token classifier, without torch."""

from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from spacy_bioner.architectures.decoding import TRANSITIONS
from spacy_bioner.architectures.exported.blocks import multiply
from spacy_bioner.architectures.exported.onnx_encoder import pool_pieces, refuse_training

PARAMS = ("W", "b", *TRANSITIONS)


def build_exported_classifier(
    encoder: Model[List[Doc], List[Floats2d]],
    nO: Optional[int] = None,
    terms: Optional[Model[List[Doc], List[Floats2d]]] = None,
) -> Model[List[Doc], List[Floats2d]]:
    """Build a model that gives one row of emissions (unnormalized tag scores) per token.

    encoder (Model[List[Doc], List[Floats2d]]): `spacy_bioner.OnnxEncoder.v1`.
    nO (Optional[int]): Number of tags; None lets the component set it.
    terms (Optional[Model[List[Doc], List[Floats2d]]]): `spacy_bioner.ExportedTermFeatures.v1`,
        whose scores are added.
    """
    params: Dict[str, Any] = dict.fromkeys(PARAMS)
    head: Model = Model("exported_head", _forward_head, dims={"nI": None, "nO": nO}, params=params)
    model: Model = Model(
        "exported_classifier",
        forward,
        init=init,
        layers=[encoder, head, *([terms] if terms else [])],
        dims={"nO": nO},
        refs={"encoder": encoder, "output_layer": head, "terms": terms},
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
    pooled = pool_pieces(encoder, docs, head.get_dim("nO"), partial(multiply, weights))
    emissions = [model.ops.asarray2f(rows + bias) for rows in pooled]
    if terms := model.maybe_get_ref("terms"):
        for rows, own in zip(emissions, terms.predict(docs), strict=True):
            rows += own
    return emissions, refuse_training


def _forward_head(model: Model, states: Any, is_train: bool) -> Tuple[Any, Callable[[Any], Any]]:
    weights, bias = _read_head(model)
    rows = [multiply(weights, model.ops.to_numpy(own)) + bias for own in states]
    return [model.ops.asarray2f(own) for own in rows], refuse_training


def _read_head(head: Model) -> Tuple[np.ndarray, np.ndarray]:
    # On a GPU, thinc has put them there.
    weights, bias = (head.ops.to_numpy(head.get_param(name)) for name in ("W", "b"))
    return np.ascontiguousarray(weights.T), bias
