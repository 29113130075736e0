"""What a rule for identifiers is, and what several of them share."""

import re
from dataclasses import dataclass
from typing import Callable, Iterator, Match, Optional, Pattern

from spacy_bioner.records import Fragment

# Python's `re` has no class for capital letters beyond ASCII.
UPPER = f"[{''.join(chr(code) for code in range(0x250) if chr(code).isupper())}]"
LOWER = f"[{''.join(chr(code) for code in range(0x250) if chr(code).islower())}]"
_UNITS = (
    "[mµμunpk]?g|mcg|[mµμd]?[lL]|[cmnkµμ]?m|[mµμn]?[mM]ol|[mµμn]M|IU|U|units?|[mµμ]?Eq|bpm|beats?|"
    "cells?|copies|h|hrs?|hours?|min(?:utes)?|s|sec|days?|weeks?|wks?|months?|years?|yrs?|patients?|"
    "subjects?|cases?|controls?|participants?|rats?|mice|times|fold|kDa|bp|Hz|Gy|mmHg|tablets?|"
    "doses?|puffs?"
)
NOT_A_UNIT = rf"(?!\s*(?:%|°)|[ -]?(?:{_UNITS})\b)"
"""Behind a number: it is no dose, laboratory value, duration or number of patients."""


@dataclass(frozen=True)
class Identifier:
    """A stretch of a text that may tell who a person is.

    start (int): Offset of the first character.
    end (int): Offset behind the last one.
    label (str): What it is, such as "DATE".
    source (str): The rule or the pipeline that found it.
    """

    start: int
    end: int
    label: str
    source: str = ""


@dataclass(frozen=True)
class Rule:
    """A pattern for one kind of identifier.

    label (str): Of what it finds.
    name (str): Its own name.
    pattern (Pattern[str]): Its group `id` is the identifier; all that it matches without one.
    narrow (Optional[Callable]): Gives the part of a match that is the identifier, or None.
    """

    label: str
    name: str
    pattern: Pattern[str]
    narrow: Optional[Callable[[Match[str]], Optional[Fragment]]] = None

    def find(self, text: str) -> Iterator[Identifier]:
        """Find what the rule finds, by offset."""
        for match in self.pattern.finditer(text):
            span = span_of(match) if self.narrow is None else self.narrow(match)
            if span is not None and span[0] < span[1]:
                yield Identifier(span[0], span[1], self.label, self.name)


def span_of(match: Match[str]) -> Fragment:
    """Return the offsets of the group `id`, or of the whole match."""
    return match.span("id" if "id" in match.re.groupindex else 0)


def only_if(accepts: Callable[[Match[str]], bool]) -> Callable[[Match[str]], Optional[Fragment]]:
    """Make a `narrow` that takes the identifier of a match as it is, or rejects it."""
    return lambda match: span_of(match) if accepts(match) else None


def count_digits(text: str) -> int:
    """Count the digits 0 to 9."""
    return len(re.findall(r"[0-9]", text))
