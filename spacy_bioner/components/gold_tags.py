"""What an Example teaches a tagger: one gold tag per predicted token, or that it is not known."""

from typing import Sequence

import numpy as np
from spacy.attrs import ENT_IOB
from spacy.tokens import Span
from spacy.training import Example

from spacy_bioner.architectures.alignment import same_tokens
from spacy_bioner.errors import LabelError
from spacy_bioner.tags import OUTSIDE, spans_to_tags

UNKNOWN = -1
# spaCy's ENT_IOB: 0 is a token that nobody annotated.
_IOB_MISSING, _IOB_OUTSIDE = 0, 2


def gold_tag_ids(example: Example, tags: Sequence[str], scheme: str) -> np.ndarray:
    """Give the index in `tags` for each token of `example.predicted`.

    Tokens without annotation are `UNKNOWN`. Where the Docs differ in their tokens, so are those
    of an entity that is no whole number of predicted tokens: they are not taught as outside.

    tags (Sequence[str]): The tags that the model knows.
    scheme (str): Their scheme.
    RETURNS (np.ndarray): int64, shape (tokens,).
    RAISES LabelError: For an entity whose label the model does not know.
    """
    reference, predicted = example.reference, example.predicted
    entities: Sequence[Span] = reference.ents
    if same_tokens(reference, predicted):
        missing = reference.to_array([ENT_IOB]).reshape(-1) == _IOB_MISSING
    else:
        entities = example.get_aligned_spans_y2x(entities, allow_overlap=False)
        # None, where gold tokens of different kinds meet in one predicted token, is no number.
        aligned = example.get_aligned("ENT_IOB")
        missing = np.array([value != _IOB_OUTSIDE for value in aligned], dtype=bool)
    spans = [(ent.start, ent.end, ent.label_) for ent in entities]
    gold = spans_to_tags(spans, len(predicted), scheme)
    tag_ids = {tag: index for index, tag in enumerate(tags)}
    unknown = sorted({tag for tag in gold if tag not in tag_ids})
    if unknown:
        known = ", ".join(tag for tag in tags if tag != OUTSIDE)
        raise LabelError(
            f"found entities with the tags {', '.join(unknown)}, which the model does not know; it "
            f"was initialised for {known}. Map the corpus' labels to these or train anew."
        )
    ids = np.asarray([tag_ids[tag] for tag in gold], dtype=np.int64)
    ids[missing & (ids == tag_ids[OUTSIDE])] = UNKNOWN
    return ids
