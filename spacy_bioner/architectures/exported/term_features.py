"""`spacy_bioner.ExportedTermFeatures.v1`: what names of a term table add to emissions."""

from typing import Any, Callable, Dict, List, Optional, Tuple, cast

import numpy as np
import srsly
from spacy.tokens import Doc
from thinc.api import Model
from thinc.shims import Shim
from thinc.types import Floats2d

from spacy_bioner.architectures.exported.blocks import multiply
from spacy_bioner.architectures.exported.onnx_encoder import refuse_training
from spacy_bioner.architectures.pieces.term_flags import EXPORTED_FEATURES, flag_terms
from spacy_bioner.errors import EncoderError
from spacy_bioner.knowledge.matcher import TermMatcher


def build_exported_term_features(nO: Optional[int] = None) -> Model[List[Doc], List[Floats2d]]:
    """Build a model that gives what the flags of `spacy_bioner.TermFeatures.v1` add to emissions.

    Its layer and the head's are one matrix here, of shape (tags, flags); the layer's bias is in
    that of the head.

    nO (Optional[int]): Number of tags.
    """
    params: Dict[str, Any] = {"W": None}
    return Model(
        EXPORTED_FEATURES,
        forward,
        init=init,
        dims={"nO": nO},
        params=params,
        # The file's name, for the card.
        attrs={"path": None},
        shims=[TableShim()],
    )


class TableShim(Shim):
    """Holds a table of terms, and saves it.

    matcher (Optional[TermMatcher]): Finds the terms; None before it is set or loaded.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.matcher: Optional[TermMatcher] = None

    def to_bytes(self) -> bytes:
        """Serialize the table; before there is one, what is empty."""
        if self.matcher is None:
            return srsly.msgpack_dumps({})
        state = {"variants": self.matcher.variants, "terms": self.matcher.to_bytes()}
        return srsly.msgpack_dumps(state)

    def from_bytes(self, data: bytes) -> "TableShim":
        """Load a table."""
        state = srsly.msgpack_loads(data)
        if state:
            self.matcher = TermMatcher.from_bytes(state["terms"], state["variants"])
        return self

    def to_device(self, device_type: str, device_id: int) -> None:
        """Stay on the CPU."""

    def finish_update(self, optimizer: Any) -> None:
        """Do nothing: there is nothing to learn."""


def init(model: Model, X: Optional[Any] = None, Y: Optional[Any] = None) -> None:
    """Refuse to start from nothing."""
    if cast(TableShim, model.shims[0]).matcher is None:
        raise EncoderError(
            "spacy_bioner.ExportedTermFeatures.v1 has no terms of its own: train a pipeline with "
            "spacy_bioner.TermFeatures.v1, then `bioner export MODEL OUT`"
        )


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[Any], Any]]:
    """Look names up, and score their flags. RAISES (EncoderError): In training."""
    if is_train:
        refuse_training()
    init(model)
    matcher = cast(TermMatcher, cast(TableShim, model.shims[0]).matcher)
    weights = np.ascontiguousarray(model.ops.to_numpy(model.get_param("W")).T)
    rows = [multiply(weights, flags) for flags in flag_terms(matcher, docs)]
    return [model.ops.asarray2f(cast(Any, own)) for own in rows], refuse_training
