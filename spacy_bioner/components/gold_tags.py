"""What an Example teaches a tagger: which tags agree with what is known of each predicted token."""

from typing import Collection, Optional, Sequence

import numpy as np
from spacy.attrs import ENT_IOB
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bioner.architectures.alignment import same_tokens
from spacy_bioner.corpora.docs import ANNOTATED_KEY
from spacy_bioner.errors import LabelError
from spacy_bioner.tags import OUTSIDE, parse_tag, spans_to_tags

# spaCy's ENT_IOB: 0 is a token that nobody annotated.
_IOB_MISSING, _IOB_OUTSIDE = 0, 2


def allowed_tags(example: Example, tags: Sequence[str], scheme: str) -> np.ndarray:
    """Tell for each token of `example.predicted` which tags agree with what is known of it.

    Of a token without annotation nothing is known. Where the Docs differ in their tokens, neither
    is it of those of an entity that is no whole number of predicted tokens: they are not taught
    as outside. A token outside all entities, in a corpus that annotates some labels only, may be
    part of an entity of every other label: its O is unknown, not negative.

    tags (Sequence[str]): The tags that the model knows.
    scheme (str): Their scheme.
    RETURNS (np.ndarray): Bool, shape (tokens, tags).
    RAISES LabelError: For an entity whose label the model does not know, or that its corpus is
        said not to annotate.
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
    annotated = annotated_labels(reference)
    _check_labels({label for _, _, label in spans}, tags, annotated)
    tag_ids = {tag: index for index, tag in enumerate(tags)}
    named = spans_to_tags(spans, len(predicted), scheme)
    ids = np.array([tag_ids[tag] for tag in named], dtype=np.int64)
    allowed = np.zeros((len(predicted), len(tags)), dtype=bool)
    allowed[np.arange(len(ids)), ids] = True
    outside = ids == tag_ids[OUTSIDE]
    if annotated is not None:
        open_tags = np.array([parse_tag(tag)[1] not in annotated for tag in tags])
        allowed |= outside[:, None] & open_tags
    allowed[missing & outside] = True
    return allowed


def annotated_labels(doc: Doc) -> Optional[Collection[str]]:
    """Give the labels that a gold Doc's corpus annotates; None means all."""
    found = doc.user_data.get(ANNOTATED_KEY)
    return None if found is None else frozenset(found)


def _check_labels(
    found: Collection[str], tags: Sequence[str], annotated: Optional[Collection[str]]
) -> None:
    known = {label for tag in tags if (label := parse_tag(tag)[1])}
    unknown = sorted(set(found) - known)
    if unknown:
        raise LabelError(
            f"found entities labelled {', '.join(unknown)}, which the model does not know; it was "
            f"initialised for {', '.join(sorted(known))}. Map the corpus' labels to these or train "
            "anew."
        )
    odd = sorted(set(found) - set(annotated)) if annotated is not None else []
    if odd:
        raise LabelError(
            f"found entities labelled {', '.join(odd)} in a document whose corpus is said to "
            f"annotate {', '.join(sorted(annotated or ())) or 'nothing'} only; correct the labels "
            "of that corpus in the reader's settings"
        )
