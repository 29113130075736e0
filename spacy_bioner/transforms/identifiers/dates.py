"""Rules for dates (never years alone) and ages over 89."""

import re
from typing import Match

from spacy_bioner.transforms.identifiers.rules import NOT_A_UNIT, Rule, only_if

_FULL = "January|February|March|April|May|June|July|August|September|October|November|December"
_MONTH = rf"(?:{_FULL}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?!\w)\.?)"
_YEAR = r"(?:1[89]|2[01])\d\d(?!\d)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?!\d)"
_NTH = rf"{_DAY}(?:st|nd|rd|th|ST|ND|RD|TH)?"
_TO = r"[ \t]*(?:-|–|/|to|through|until|and)[ \t]*"
# c-Jun and the like are genes; so are MARCH5 and SEPT9, which is why capitals alone need a year.
_START = r"(?<![\w./-])"
_END = r"(?![\w/-]|\.\d)"
_CLOCK = (
    r"(?:[T ,]\s?(?:at\s)?\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"(?:\s?[AaPp]\.?[Mm]\b\.?)?)?"
)
_OLD = r"(?:9\d|1[0-2]\d)"


def _is_day_and_month(match: Match[str]) -> bool:
    first, second = int(match["first"]), int(match["second"])
    return 1 <= min(first, second) <= 12 and max(first, second) <= 31


def _is_one_age(match: Match[str]) -> bool:
    """Tell whether it is not "over 90 years old" (which may be said) nor the end of a range."""
    before = match.string[max(0, match.start("id") - 12) : match.start("id")].lower()
    return not re.search(r"(?:over|above|than|least|[<>≤≥]|\d\s*(?:to|-|–|and))\s*$", before)


RULES = (
    Rule(
        "DATE",
        "year-month-day",
        re.compile(
            rf"{_START}{_YEAR}(?P<mark>[-/.])(?:0?[1-9]|1[0-2])(?P=mark){_DAY}{_CLOCK}{_END}"
        ),
    ),
    Rule(
        "DATE",
        "day/month/year",
        re.compile(
            rf"{_START}(?P<first>\d\d?)(?P<mark>[-/.])(?P<second>\d\d?)(?P=mark){_YEAR}{_CLOCK}{_END}"
        ),
        only_if(_is_day_and_month),
    ),
    Rule(
        "DATE",
        "day/month/two-digit year",
        re.compile(
            rf"{_START}(?:(?P<first>\d\d?)/(?P<second>\d\d?)/\d\d(?!\d){_CLOCK}){_END}{NOT_A_UNIT}"
        ),
        only_if(_is_day_and_month),
    ),
    Rule(
        "DATE",
        "day-month-two-digit year",
        re.compile(rf"{_START}(?P<first>\d\d)-(?P<second>\d\d)-\d\d(?!\d){_END}{NOT_A_UNIT}"),
        only_if(_is_day_and_month),
    ),
    Rule("DATE", "0month/year", re.compile(rf"{_START}0[1-9]/{_YEAR}{_END}{NOT_A_UNIT}")),
    Rule(
        "DATE",
        "month/year behind a cue",
        re.compile(
            rf"\b(?i:in|since|until|from|dated?|dob)\b:?\s+(?P<id>(?:[1-9]|1[0-2])/{_YEAR}){_END}"
            rf"{NOT_A_UNIT}"
        ),
    ),
    Rule(
        "DATE",
        "month/day behind a cue",
        re.compile(
            r"\b(?i:on|since|until|till|as of|dated|date:|dob:?)\s+"
            rf"(?P<id>(?:0?[1-9]|1[0-2])/{_DAY}){_END}{NOT_A_UNIT}"
            r"(?!\s*(?:of|leads?|strength|power|occasions?|murmur|points?)\b)"
        ),
    ),
    Rule(
        "DATE",
        "month day, year",
        re.compile(
            rf"(?<![\w-])(?i:{_MONTH})\s+{_NTH}(?:{_TO}(?:(?i:{_MONTH})\s+)?{_NTH})?"
            rf"(?:,?\s+(?:of\s+)?{_YEAR}|,?\s+['’]\d\d(?!\d)){_CLOCK}"
        ),
    ),
    Rule(
        "DATE",
        "month day",
        re.compile(
            rf"(?<![\w-]){_MONTH}\s+{_NTH}(?!\w|[/,.]\d)(?:{_TO}{_NTH}(?!\w|[/,.]\d))?{NOT_A_UNIT}"
        ),
    ),
    Rule(
        "DATE",
        "day month year",
        re.compile(
            rf"{_START}{_NTH}(?:{_TO}{_NTH})?(?:\s+(?:day\s+)?of)?(?:\s+|-|(?=[A-Z]))(?i:{_MONTH})"
            rf"(?:,?[ -]?{_YEAR}|-\d\d(?!\d)|,?\s+['’]\d\d(?!\d))(?!\w){_CLOCK}"
        ),
    ),
    Rule(
        "DATE",
        "day month",
        re.compile(rf"{_START}{_NTH}(?:\s+of)?\s+{_MONTH}(?![\w-])(?!\s+(?:have|be|not|cause)\b)"),
    ),
    Rule(
        "DATE",
        "month year",
        re.compile(
            rf"(?<![\w-])(?:(?i:{_MONTH}){_TO})?(?i:{_MONTH}),?(?:\s+(?:of\s+)?|-|/){_YEAR}"
            rf"(?!\w){NOT_A_UNIT}"
        ),
    ),
    Rule(
        "DATE",
        "month behind a preposition",
        re.compile(
            r"\b(?i:in|since|until|during|last|next|this|early|late|mid|by|from|to)[ -]"
            rf"(?P<id>{_FULL})(?![\w-])"
        ),
    ),
    Rule(
        "DATE",
        "weekday",
        re.compile(r"(?<![\w-])(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day(?![\w-])"),
    ),
    Rule(
        "AGE",
        "age before its unit",
        re.compile(
            rf"(?<![\w.,/–-])(?P<id>{_OLD})(?=[\s-]*(?:years?|yrs?\.?|y)[\s-]*(?:old|of[\s-]age)\b"
            r"|[\s-]*y\.?/?o\b)"
        ),
        only_if(_is_one_age),
    ),
    Rule(
        "AGE",
        "age behind a cue",
        re.compile(
            rf"\b(?i:aged?)\s*(?:(?:(?:was|is|of|at)\s|[:=])\s*)?(?P<id>{_OLD})(?![\w-]|[.,]\d|\s*[–%]"
            r"|\s+(?:to|or|and\s+(?:over|older|above))\b"
            r"|\s*(?:min|h|hr|hours?|d|days?|weeks?|wks?|months?|mos?)\b)"
        ),
        only_if(_is_one_age),
    ),
    Rule(
        "AGE",
        "age in words",
        re.compile(
            r"\b(?P<id>(?i:ninety|(?:a|one)[ -]hundred)(?:[ -](?:and[ -])?[a-z]+)?)"
            r"(?=[ -]years?[ -](?:old|of age)\b)"
        ),
    ),
)
