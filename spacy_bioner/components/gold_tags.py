"""What an Example teaches a tagger: which tags agree with what is known of each predicted token."""

from typing import Collection, List, Optional, Sequence, Tuple

import numpy as np
from spacy.attrs import ENT_IOB
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bioner.architectures.pieces.alignment import same_tokens
from spacy_bioner.architectures.pieces.words import Words, find_words
from spacy_bioner.errors import LabelError
from spacy_bioner.gold import ANNOTATED_KEY
from spacy_bioner.tags import OUTSIDE, TokenSpan, parse_tag, spans_to_tags

# spaCy's ENT_IOB: 0 is a token that nobody annotated.
_IOB_MISSING, _IOB_OUTSIDE = 0, 2


def allowed_tags(
    example: Example, tags: Sequence[str], scheme: str, words: Optional[Words] = None
) -> np.ndarray:
    """Tell for each token of `example.predicted` which tags agree with what is known of it.

    Of a token without annotation nothing is known. Where the Docs differ in their tokens, neither
    is it of those of an entity that is no whole number of predicted tokens: they are not taught
    as outside. A token outside all entities, in a corpus that annotates some labels only, may be
    part of an entity of every other label: its O is unknown, not negative.

    A word's tags stand at its first token. Of its further tokens, and of those that are no words,
    nothing is known: an entity goes on behind a line break as if there were none.

    tags (Sequence[str]): The tags that the model knows.
    scheme (str): Their scheme.
    words (Optional[Words]): Those of `example.predicted` that the model reads; else all.
    RETURNS (np.ndarray): Bool, shape (tokens, tags).
    RAISES (LabelError): For an entity whose label the model does not know, or that its corpus is
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
    annotated = annotated_labels(reference)
    _check_labels({ent.label_ for ent in entities}, tags, annotated)
    words = find_words(predicted) if words is None else words
    spans, in_part = _find_word_spans(entities, words)
    missing = missing[words.starts] | in_part
    tag_ids = {tag: index for index, tag in enumerate(tags)}
    named = spans_to_tags(spans, len(words), scheme)
    ids = np.array([tag_ids[tag] for tag in named], dtype=np.int64)
    known = np.zeros((len(words), len(tags)), dtype=bool)
    known[np.arange(len(ids)), ids] = True
    outside = ids == tag_ids[OUTSIDE]
    if annotated is not None:
        open_tags = np.array([parse_tag(tag)[1] not in annotated for tag in tags])
        known |= outside[:, None] & open_tags
    known[missing & outside] = True
    allowed = np.ones((len(predicted), len(tags)), dtype=bool)
    allowed[words.starts] = known
    return allowed


def annotated_labels(doc: Doc) -> Optional[Collection[str]]:
    """Return the labels that a gold Doc's corpus annotates; None means all."""
    found = doc.user_data.get(ANNOTATED_KEY)
    return None if found is None else frozenset(found)


def _find_word_spans(entities: Sequence[Span], words: Words) -> Tuple[List[TokenSpan], np.ndarray]:
    """Return entities as spans of words, and which words they have a part of only."""
    spans: List[TokenSpan] = []
    in_part = np.zeros(len(words), dtype=bool)
    for ent in entities:
        first, last = words.touched(ent.start, ent.end)
        if not words.holds(ent.start, ent.end):
            in_part[first:last] = True
        elif first < last:
            spans.append((first, last, ent.label_))
    return spans, in_part


def _check_labels(
    found: Collection[str], tags: Sequence[str], annotated: Optional[Collection[str]]
) -> None:
    known = {label for tag in tags if (label := parse_tag(tag)[1])}
    unknown = sorted(set(found) - known)
    if unknown:
        raise LabelError(
            f"found entities labeled {', '.join(unknown)}, which the model does not know; it was "
            f"initialized for {', '.join(sorted(known))}. Map the corpus' labels to these or train "
            "anew."
        )
    odd = sorted(set(found) - set(annotated)) if annotated is not None else []
    if odd:
        raise LabelError(
            f"found entities labeled {', '.join(odd)} in a document whose corpus is said to "
            f"annotate {', '.join(sorted(annotated or ())) or 'nothing'} only; correct the labels "
            "of that corpus in the reader's settings"
        )
