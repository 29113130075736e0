"""Composite mentions: several concepts named at once.

    breast and ovarian cancer           breast cancer; ovarian cancer
    spinocerebellar ataxias 1 and 2     spinocerebellar ataxias 1; spinocerebellar ataxias 2
    seizures and fever                  seizures; fever

Nothing here knows which reading is right: that is the one whose parts are all names of concepts.
"""

import re
from typing import Iterator, List, Tuple

_JOINT = re.compile(
    r"(?<!\s)\s{0,3}(?:,\s{0,3}(?:and|or)\s|,|/|\band/or\b|\band\b|\bor\b|\bas well as\b)\s{0,3}",
    re.I,
)
MAX_PARTS = 6
_EDGE = re.compile(r"^(?:both|either)\s+", re.I)

Reading = Tuple[str, ...]
"""The texts of the parts."""


def split_composite(text: str) -> Iterator[Reading]:
    """List the ways to read a text as several names, the most likely first.

    Each part stands for itself, or lacks the last words of the last part, or the first words of
    the first one.
    YIELDS (Tuple[str, ...]): Two names or more; none for a text that joins nothing.
    """
    parts = [part.strip() for part in _JOINT.split(_EDGE.sub("", text)) if part.strip()]
    if not 2 <= len(parts) <= MAX_PARTS:
        return
    words = [part.split() for part in parts]
    for size in range(1, len(words[-1])):
        shared = words[-1][-size:]
        yield (*(_join([*part, *shared]) for part in words[:-1]), parts[-1])
    for size in range(1, len(words[0])):
        shared = words[0][:size]
        yield (parts[0], *(_join([*shared, *part]) for part in words[1:]))
    yield tuple(parts)


def _join(words: List[str]) -> str:
    return " ".join(words)
