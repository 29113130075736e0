"""Mistakes with the text around them, for a person to look at."""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from spacy.tokens import Doc

from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.metrics.error_types import Mistake
from spacy_bioner.gold import ID_KEY, MentionKey

CONTEXT = 80
"""Characters shown before and behind a mistake, up to the next word."""


@dataclass(frozen=True)
class Case:
    """A mistake as it stands in its text.

    document (str): Its identifier; the place in the corpus, counted from 1, where it has none.
    text (str): The stretch of text.
    start (int): Where that begins in the document.
    gold, predicted (Tuple[MentionKey, ...]): All mentions within the stretch, right ones too, by
        their offsets in it.
    """

    document: str
    mistake: Mistake
    text: str
    start: int
    gold: Tuple[MentionKey, ...]
    predicted: Tuple[MentionKey, ...]

    def to_json(self) -> Dict[str, Any]:
        """Return the mistake and its text as plain data."""
        place = {"document": self.document, "text": self.text, "start": self.start}
        return {**place, **self.mistake.to_json()}


def collect_cases(
    pairs: Iterable[Tuple[Doc, Doc]],
    mistakes: Iterable[Sequence[Mistake]],
    *,
    context: int = CONTEXT,
) -> List[Case]:
    """Put the text around each mistake.

    pairs (Iterable[Tuple[Doc, Doc]]): Gold Doc and the system's.
    mistakes (Iterable[Sequence[Mistake]]): Of each pair.
    """
    cases: List[Case] = []
    for number, ((gold, predicted), found) in enumerate(zip(pairs, mistakes, strict=True), 1):
        if not found:
            continue
        compared = compare_docs(gold, predicted)
        name = str(gold.user_data.get(ID_KEY, number))
        for mistake in found:
            start, end = _widen(gold.text, mistake, context)
            cases.append(
                Case(
                    name,
                    mistake,
                    gold.text[start:end],
                    start,
                    _move(compared.gold or (), start, end),
                    _move(compared.predicted, start, end),
                )
            )
    return cases


def _widen(text: str, mistake: Mistake, context: int) -> Tuple[int, int]:
    mentions = (*mistake.gold, *mistake.predicted)
    # Offsets of a corpus may lie behind its text.
    start = min(len(text), max(0, min(mention[0] for mention in mentions) - context))
    end = min(len(text), max(mention[1] for mention in mentions) + context)
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    return start, end


def _move(mentions: Iterable[MentionKey], start: int, end: int) -> Tuple[MentionKey, ...]:
    inside = {mention for mention in mentions if start <= mention[0] and mention[1] <= end}
    return tuple((a - start, b - start, label) for a, b, label in sorted(inside))
