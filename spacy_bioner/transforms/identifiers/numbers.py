"""Rules for numbers that stand for a person: behind cue words, or with a check digit."""

import re
from typing import Match

from spacy_bioner.transforms.identifiers.rules import Rule, count_digits, only_if, span_of

_VALUE = r"(?P<id>(?=[A-Za-z/-]{0,8}\d)[A-Za-z0-9]+(?:[-/][A-Za-z0-9]+)*)(?![\w-]|\.\d)"
_WORD = r"(?:numbers?|num\b\.?|no\b\.?|nr\b\.?|id(?:entifier)?\b|#)"
# Blanks are taken in one way only: two repeats of them side by side would try every division.
_HASH = r"\s*(?:#\s*)?"
_MARK = rf"\s*(?:{_WORD}(?:\s{{0,3}}{_WORD}){{0,3}}(?:\s*(?:is\b|was\b|[:=-]))?|is\b|[:=]){_HASH}"
_MAYBE = rf"(?:{_MARK}|{_HASH})"
# Identifiers of genes, papers, trials and samples in public databases.
_PUBLIC_VALUE = re.compile(
    r"NCT\d+|ISRCTN\d+|EUCTR|UMIN\d+|ChiCTR|ACTRN\d+|DRKS\d+|IRCT\d+|CTRI|rs\d+|PMC\d+|[NXY][MPRCG]_"
    r"|ENS[A-Z]*\d+|GS[EM]\d+|[SED]R[RPX]\d+|[CD]\d{6,}$|MESH|OMIM|CHEBI|GO:|HGNC",
    re.IGNORECASE,
)
_PUBLIC_CUE = re.compile(
    r"(?:gene|pubmed|pm|pmc|mesh|o?mim|entrez|snp|trials?(?:\.gov)?|gov|protein|taxon(?:omy)?|uniprot"
    r"|kegg|pdb|drugbank|cas|geo|array|probe|clone|catalog(?:ue)?|genbank|umls|snomed|concept|registry"
    r"|registration|product|compound|chem\w*|ontology)\s*$",
    re.IGNORECASE,
)


_INSURANCE = (
    r"(?:insur(?:ance|er)|policy|member(?:ship)?|subscriber|beneficiary|health\s?plan|medicare|medicaid)"
    r"(?:\s+(?:plan|policy|member|group|card|coverage|beneficiary)){0,3}"
)


def _numbered(label: str, name: str, cue: str, *, mark: str = _MARK, digits: int = 4) -> Rule:
    """Make a rule for what stands behind a cue.

    mark (str): What stands between the two.
    digits (int): What has fewer is none.
    """

    def accepts(match: Match[str]) -> bool:
        value = match["id"]
        before = match.string[max(0, match.start() - 20) : match.start()]
        public = _PUBLIC_VALUE.match(value) or _PUBLIC_CUE.search(before)
        return count_digits(value) >= digits and not public

    pattern = re.compile(rf"(?<![\w])(?:{cue}){mark}{_VALUE}", re.IGNORECASE)
    return Rule(label, name, pattern, only_if(accepts))


def _is_ssn(match: Match[str]) -> bool:
    area, group, serial = match["area"], match["group"], match["serial"]
    return area not in ("000", "666") and group != "00" and serial != "0000"


def _has_card_digit(match: Match[str]) -> bool:
    """Check the digit of ISO/IEC 7812 (Luhn)."""
    digits = [int(digit) for digit in re.sub(r"\D", "", match[0])]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return digits[0] in range(2, 7) and (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _has_iban_digits(match: Match[str]) -> bool:
    """Check the digits of ISO 13616."""
    start, end = span_of(match)
    value = re.sub(r"\s", "", match.string[start:end]).upper()
    moved = value[4:] + value[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


RULES = (
    Rule(
        "SSN",
        "social security number",
        re.compile(r"(?<![\w.-])(?P<area>\d{3})-(?P<group>\d\d)-(?P<serial>\d{4})(?![\w-]|\.\d)"),
        only_if(_is_ssn),
    ),
    Rule(
        "SSN",
        "social security number behind a cue",
        re.compile(
            rf"\b(?i:SSN|social security){_MAYBE}(?P<id>\d{{3}}[ -]?\d\d[ -]?\d{{4}})(?![\w-])"
        ),
    ),
    Rule(
        "SSN",
        "end of a social security number",
        re.compile(r"\b(?:SSN|social security number)[\w ]{0,12} ending in (?P<id>\d{4})(?!\w)"),
    ),
    _numbered("MRN", "MRN", r"MRN|MR(?=\s?#)|MedRec", mark=_MAYBE, digits=3),
    _numbered("MRN", "electronic record", r"E[MH]R", mark=rf"\s*[:#]{_HASH}", digits=5),
    _numbered("MRN", "medical record number", r"med(?:ical)?\.?\s+rec(?:ord)?s?\b\.?"),
    _numbered("MRN", "patient number", r"(?:patient|hospital|chart|unit)(?:['’]s)?"),
    _numbered("HEALTH_PLAN", "health plan number", _INSURANCE, digits=3),
    _numbered("HEALTH_PLAN", "health plan", _INSURANCE, mark=_MAYBE, digits=5),
    _numbered("HEALTH_PLAN", "health plan, abbreviated", r"ins|HICN|HBN|MBI", digits=5),
    _numbered(
        "ACCOUNT",
        "account number",
        r"(?:account|acct\b\.?|routing|encounter|visit|invoice|claim|billing)",
    ),
    _numbered("ACCOUNT", "account", r"account|acct\.?", mark=r"\s+", digits=6),
    _numbered("ACCOUNT", "card", r"card|\bcc", mark=_MAYBE, digits=12),
    Rule(
        "ACCOUNT",
        "card with its check digit",
        re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)"),
        only_if(_has_card_digit),
    ),
    Rule(
        "ACCOUNT",
        "IBAN",
        re.compile(
            r"(?<!\w)(?P<id>[A-Za-z]{2}\d\d(?:[ ]?[A-Za-z0-9]{4}){2,7}(?:[ ]?[A-Za-z0-9]{1,3})?)"
            r"(?!\w)"
        ),
        only_if(_has_iban_digits),
    ),
    _numbered("LICENSE", "licence number", r"licen[sc]e|passport|certificate|DEA|NPI"),
    _numbered("LICENSE", "register of physicians", r"DEA|NPI", mark=_MAYBE, digits=7),
    _numbered("VEHICLE", "vehicle number", r"VIN|(?:licen[sc]e\s+)plate", mark=_MAYBE, digits=2),
    _numbered("DEVICE", "device number", r"serial|S/N|UDI|device|pacemaker|implant"),
    Rule(
        "DEVICE",
        "hardware address",
        re.compile(
            r"(?<![\w:-])[0-9A-Fa-f]{2}(?P<mark>[:-])(?:[0-9A-Fa-f]{2}(?P=mark)){4}"
            r"[0-9A-Fa-f]{2}(?![\w:-])"
        ),
    ),
    _numbered(
        "ID",
        "identifier",
        r"id(?:entifier)?",
        mark=rf"\s*(?:(?:number|no\.?)\s*)?[:#=]{{1,2}}{_HASH}",
    ),
    _numbered("ID", "long identifier", r"id", mark=r"\s+(?:(?:number|no\.?)\s*)?", digits=6),
    _numbered("ID", "specimen number", r"(?:specimen|pathology|lab(?:oratory)?)(?:\s+accession)?"),
)
