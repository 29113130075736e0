"""The tag scheme of a file, told from which tags follow each other in it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Sequence, Tuple

from spacy_bioner.errors import LabelError
from spacy_bioner.tags import detect_scheme, is_legal

# More different neighbours of tags than any corpus has: no more are kept in memory.
_MAX_PAIRS = 1 << 18


@dataclass
class TagSurvey:
    """Which tags follow each other in a file, and how often; "" stands for the borders."""

    pairs: Counter[Tuple[str, str]] = field(default_factory=Counter)

    def add(self, tags: Sequence[str]) -> None:
        """Count neighbours; what stands before the first tag and behind the last is not counted."""
        if len(self.pairs) < _MAX_PAIRS:
            self.pairs.update(zip(tags, tags[1:]))

    def choose_scheme(self, *, lenient: bool = False) -> str:
        """Tell the scheme as `detect_scheme` does.

        lenient (bool): Where prefixes contradict each other, take the scheme that calls for the
            fewest repairs.
        RAISES (LabelError): Prefixes that no single scheme has.
        """
        tags = {tag for pair in self.pairs for tag in pair if tag}
        candidates: Tuple[str, ...] = ("IOB2", "IOB1")
        try:
            scheme = detect_scheme([[tag] for tag in tags])
        except LabelError:
            if not lenient:
                raise
            candidates = ("IOB2", "IOB1", "BIOES", "BILOU")
        else:
            if scheme not in candidates:
                return scheme
        return min(candidates, key=self._count_illegal)

    def _count_illegal(self, scheme: str) -> int:
        return sum(
            number
            for (left, right), number in self.pairs.items()
            if not is_legal(left or None, right or None, scheme)
        )
