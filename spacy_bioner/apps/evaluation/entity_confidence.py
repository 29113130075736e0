"""How sure a pipeline is of one entity, asked again for texts in which words are covered."""

from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span

from spacy_bioner.architectures.pieces.alignment import unit_starts
from spacy_bioner.architectures.pieces.control_pieces import find_stand_in
from spacy_bioner.architectures.pieces.reader import PieceReader
from spacy_bioner.components.tag_probabilities import (
    TagProbabilities,
    has_tag_probabilities,
    read_tag_probabilities,
)
from spacy_bioner.evaluation.explanation.occlusion import Score

COMPONENT = "bioner"
OCCLUDER = "_"
"""Covers words for systems without a mask piece of their own."""
# Probabilities of a sentence by itself may differ from those in its text by rounding alone.
_SAME = 1e-3


@dataclass(frozen=True)
class Target:
    """An entity within the stretch of text that its explanation needs.

    doc (Doc): That stretch.
    start, end (int): The entity's token borders there.
    offset (int): Characters before the stretch.
    tags (Tuple[Tuple[int, int], ...]): The entity's tags: the token of each of its words, and the
        column of the tagger's scores; empty without a tagger.
    """

    doc: Doc
    start: int
    end: int
    label: str
    offset: int = 0
    tags: Tuple[Tuple[int, int], ...] = ()

    @property
    def sent_starts(self) -> List[bool]:
        """The borders of sentences, which covered words would move."""
        borders = set(unit_starts(self.doc, "sentence").tolist())
        return [token.i in borders for token in self.doc]


def find_tagger(nlp: Language) -> Any:
    """Return the trained tagger whose probabilities can be asked for; None where there is none."""
    component = nlp.get_pipe(COMPONENT) if COMPONENT in nlp.pipe_names else None
    return component if has_tag_probabilities(component) else None


def make_target(tagger: Any, probabilities: Optional[TagProbabilities], ent: Span) -> Target:
    """Cut out an entity's sentence if the rest of the text changes nothing, else take all of it.

    tagger (Any): None where the pipeline has none.
    probabilities (Optional[TagProbabilities]): Of the tagger on the entity's Doc.
    """
    doc = ent.doc
    if probabilities is None:
        return Target(doc, ent.start, ent.end, ent.label_)
    tags = tuple(probabilities.places(ent.start, ent.end, ent.label_))
    borders = np.append(unit_starts(doc, "sentence"), len(doc))
    first = int(borders[borders <= ent.start].max())
    last = int(borders[borders >= ent.end].min())
    part = doc[first:last].as_doc()
    before, (after,) = probabilities.scores[first:last], tagger.predict([part])
    if last - first == len(doc) or np.abs(np.exp(before) - np.exp(after)).max() > _SAME:
        return Target(doc, ent.start, ent.end, ent.label_, 0, tags)
    start, end = ent.start - first, ent.end - first
    tags = tuple((token - first, column) for token, column in tags)
    return Target(part, start, end, ent.label_, doc[first].idx, tags)


def make_score(nlp: Language, tagger: Any, target: Target) -> Score:
    """Make the function that says how sure a pipeline is of an entity in changed texts.

    Of a tagger it is the probability of the entity's words and label, chosen or not. Of other
    pipelines it is the confidence that they give, 1 for an entity without any, and 0 where there
    is no such entity.
    """
    place = (target.start, target.end, target.label)

    def ask_tagger(docs: Sequence[Doc]) -> List[float]:
        return [found.confidence(*place) for found in read_tag_probabilities(tagger, docs)]

    def ask_pipeline(docs: Sequence[Doc]) -> List[float]:
        return [_find(doc, place) for doc in nlp.pipe(docs)]

    return ask_pipeline if tagger is None else ask_tagger


def find_occluder(tagger: Any) -> str:
    """Return the word that says nothing: the mask of the tagger's encoder, where it has one."""
    if tagger is None or not hasattr(tagger, "model"):
        return OCCLUDER
    shims = [shim for node in tagger.model.walk() for shim in node.shims]
    pieces = {
        find_stand_in(shim.tokenizer)
        for shim in shims
        if isinstance(shim, PieceReader) and shim.tokenizer is not None
    }
    return (pieces.pop() if len(pieces) == 1 else "") or OCCLUDER


def _find(doc: Doc, place: Tuple[int, int, str]) -> float:
    for ent in doc.ents:
        if (ent.start, ent.end, ent.label_) == place:
            value = ent._.confidence if ent.has_extension("confidence") else None
            return 1.0 if value is None else float(value)
    return 0.0
