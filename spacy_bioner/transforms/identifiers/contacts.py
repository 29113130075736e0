"""Rules for phone and fax numbers, e-mail, web and network addresses."""

import re
from ipaddress import ip_address
from typing import Match, Optional

from spacy_bioner.records import Fragment
from spacy_bioner.transforms.identifiers.rules import (
    NOT_A_UNIT,
    Rule,
    count_digits,
    only_if,
    span_of,
)

_EXTENSION = r"(?:[ ,]*(?:x|ext\.?|extension)[ ]?\d{1,6})?"
_US = r"(?:(?:\+|00)?1[-. ])?(?:\([2-9]\d\d\)[ ]?|[2-9]\d\d[-.])\d{3}[-. ]\d{4}"
_ANY = r"[+(]?\d(?:[ ().–-]{0,3}\d){6,14}"
_CUE = (
    r"(?:(?:tele|cell(?:ular)?|mobile|home|work|office|contact)?[ -]?phone|\btel\b\.?|mobile|pager"
    r"|beeper|\bfax|facsimile|\bcall(?:ed|ing)?(?:[ ](?:me|us|him|her|them|back))?(?:[ ](?:at|on))?"
    r"|contact[ ](?:number|no\.?)|reach(?:ed|able)?[ ](?:at|on)"
    r"|\b(?:cell|desk|office|home|work|contact)(?=[ ]?[:#]|[ ]is\b))"
)
# What is published, not personal: papers, trial registers, databases.
_PUBLIC = re.compile(
    r"(?:https?://)?(?:(?:www\.|dx\.|pubmed\.)*(?:doi\.org|clinicaltrials\.gov)|"
    r"(?:[\w-]+\.)*(?:ncbi\.nlm\.nih\.gov|isrctn\.com|who\.int|ebi\.ac\.uk))(?:[/?#]|$)",
    re.IGNORECASE,
)


def _is_fax(match: Match[str]) -> bool:
    start, end = span_of(match)
    before = match.string[max(0, start - 24) : start].lower()
    behind = match.string[end : end + 6].lower()
    named = re.search(r"(?:fax|facsimile)\b[\w.# ]{0,12}[:#(]?\s*$", before)
    return bool(named or re.match(r"[ (-]{0,2}fax\b", behind))


def _is_phone(match: Match[str]) -> bool:
    return not _is_fax(match) and _has_length(match)


def _is_fax_number(match: Match[str]) -> bool:
    return _is_fax(match) and _has_length(match)


def _has_length(match: Match[str]) -> bool:
    start, end = span_of(match)
    number = re.split("[xe]", match.string[start:end])[0]
    return 7 <= count_digits(number) <= 15


def _take_address(match: Match[str]) -> Optional[Fragment]:
    """Leave the punctuation of the sentence, and what is published."""
    found = match[0].rstrip(".,;:!?'\"’”>")
    for opening, closing in ("()", "[]"):
        if found.endswith(closing) and opening not in found:
            found = found[:-1].rstrip(".,;")
    return None if _PUBLIC.match(found) else (match.start(), match.start() + len(found))


def _is_ipv4(match: Match[str]) -> bool:
    """Enzyme classes (EC 3.4.21.4) look alike, and have no number above 7 in front."""
    start, end = span_of(match)
    octets = [int(octet) for octet in match.string[start:end].split(".")]
    before = match.string[max(0, start - 16) : start]
    named = re.search(r"\bIP(?:v4)?\b[\w ]{0,9}[:=]?\s*$", before)
    other = re.search(r"(?i:version|release|\bv|\bEC)[ .:]*$", before)
    return max(octets) <= 255 and not other and (octets[0] > 7 or bool(named))


def _is_ipv6(match: Match[str]) -> bool:
    try:
        return ip_address(match[0]).version == 6
    except ValueError:
        return False


_NUMBERS = (
    ("number", re.compile(rf"(?<![\w.+/-])(?P<id>{_US}{_EXTENSION})(?![\w/-]|\.\d){NOT_A_UNIT}")),
    (
        "international number",
        re.compile(
            rf"(?<![\w)+])(?P<id>\+\d(?:[ ().-]{{0,3}}\d){{8,14}}{_EXTENSION})(?!\d){NOT_A_UNIT}"
        ),
    ),
    (
        "number behind a cue",
        re.compile(
            rf"(?i:{_CUE})(?:[ ](?i:number|no\.?|is|was))*[ ]?[#:.=-]{{0,2}}\s{{0,2}}"
            rf"(?P<id>{_ANY}{_EXTENSION})(?!\d){NOT_A_UNIT}"
        ),
    ),
    (
        "number before a cue",
        re.compile(
            rf"(?<![\w.+-])(?P<id>{_ANY}{_EXTENSION})[ ]?(?:-|\()?[ ]?"
            r"(?=(?i:office|fax|mobile|cell|phone|pager|tel)\b)"
        ),
    ),
)
RULES = (
    *(Rule("PHONE", f"phone {name}", rule, only_if(_is_phone)) for name, rule in _NUMBERS),
    *(Rule("FAX", f"fax {name}", rule, only_if(_is_fax_number)) for name, rule in _NUMBERS),
    Rule(
        "EMAIL",
        "e-mail",
        re.compile(r"(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[\w-]+\.)+[^\W\d_]{2,}(?!\w)"),
    ),
    Rule(
        "URL",
        "web address",
        re.compile(r"(?<![\w@])(?:(?:https?|ftp)://|www\.)[^\s<>\"“”]{3,}", re.IGNORECASE),
        _take_address,
    ),
    Rule(
        "URL",
        "web address behind a cue",
        re.compile(
            r"\b(?:web ?site|web ?page|homepage|url)\b(?:\s+is|\s*:)?\s*"
            r"(?P<id>(?:\w[\w-]*\.)+[a-z]{2,}(?:/[^\s<>\"]*)?)(?<![.,;])",
            re.IGNORECASE,
        ),
    ),
    Rule(
        "IP",
        "IPv4",
        re.compile(r"(?<![\w.-])(?P<id>\d{1,3}(?:\.\d{1,3}){3})(?![\w-]|\.\d)"),
        only_if(_is_ipv4),
    ),
    Rule(
        "IP",
        "IPv6",
        re.compile(r"(?<![\w:.*])(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4}(?![\w:])"),
        only_if(_is_ipv6),
    ),
)
