"""Rules for street addresses, post boxes and ZIP codes. Towns without a ZIP code are not found."""

import re

from spacy_bioner.transforms.identifiers.rules import LOWER, NOT_A_UNIT, UPPER, Rule

_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM"
    "|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|PR"
)
_ZIP = r"\d{5}(?:-\d{4})?(?![\w-]|[.,]\d)"
_NAME = rf"{UPPER}{LOWER}+(?:['’.-]{UPPER}?{LOWER}*){{0,9}}"
_STREETS = (
    r"Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Place|Terrace|Parkway|Pkwy"
    r"|Highway|Hwy|Turnpike|Circle|Cir|Square|Way"
)
_FLAT = r"(?:Apt|Apartment|Suite|Ste)\b\.?[ ]?#?[ ]?\d+[A-Za-z]?"

RULES = (
    Rule(
        "ADDRESS",
        "street",
        re.compile(
            rf"(?<![\w.,/-])\d{{1,6}}(?:-\d{{1,4}})?[A-Za-z]?[ ]+(?:[NSEW]{{1,2}}\.?[ ]+)?"
            rf"(?:(?:{_NAME}|\d+(?:st|nd|rd|th))[ ]+){{1,4}}(?:{_STREETS})\b\.?"
            rf"(?:,?\s{{0,2}}(?:{_FLAT}|#[ ]?\d+))?"
        ),
    ),
    Rule(
        "ADDRESS",
        "post box",
        re.compile(
            r"(?<!\w)(?:P\.?[ ]?O\.?[ ]?Box|(?:PSC|Unit)[ ]\d+,?[ ]Box|USNS?V?[ ]\w+)[ ]\d+"
            r"(?:\s+(?:[AFD]PO[ ]A[AEP]))?"
        ),
    ),
    Rule(
        "ADDRESS",
        "street before a flat",
        re.compile(rf"(?<![\w.,/-])\d{{1,6}}(?:[ ][\w.'’/-]+){{1,6}},?\s{{1,3}}{_FLAT}"),
    ),
    Rule(
        "ADDRESS",
        "street behind a cue",
        re.compile(
            r"\b(?i:liv(?:es|ed|ing) (?:on|at)|resid(?:es|ed|ing) (?:on|at)|resident of"
            r"|located at|address(?: is| was|:))\s"
            rf"(?P<id>\d{{1,6}}[A-Za-z]?(?:[ ](?:{_NAME}|de|da|do|la|of|the|\d+))+)"
        ),
    ),
    Rule(
        "ADDRESS",
        "flat",
        re.compile(r"(?<!\w)(?:Apt\.?|Suite|Apartment)[ ]#?\d+[A-Za-z]?(?!\w)"),
    ),
    Rule(
        "ADDRESS",
        "address line",
        re.compile(
            r"^[ \t]*(?:(?:home|street|mailing|billing|patient)[ ])?address[ ]?:[ \t]*"
            # Ends are looked for behind what is no blank: each run of blanks is read once.
            r"(?P<id>(?=\S)(?=[^\n]*\d)\S(?:[^\n]*?[^ \t\r\n])??)"
            r"(?=[ \t]*(?:\r?\n|\r?\Z|[ ](?:phone|tel|dob|mrn|fax)\b))",
            re.IGNORECASE | re.MULTILINE,
        ),
    ),
    Rule(
        "ADDRESS",
        "town before its ZIP code",
        re.compile(
            rf"(?<![\w-])(?P<id>{_NAME}(?:[ ]{_NAME}){{0,2}}),\s*"
            rf"(?:{_STATES})[ ,]+{_ZIP}{NOT_A_UNIT}"
        ),
    ),
    Rule(
        "ZIP",
        "ZIP code behind a state",
        re.compile(
            rf"(?:,\s{{0,2}}(?:{_STATES})|\b[AFD]PO[ ]A[AEP])[ ,]+(?P<id>{_ZIP}){NOT_A_UNIT}"
        ),
    ),
    Rule(
        "ZIP",
        "ZIP code behind a cue",
        re.compile(
            r"\b(?:zip(?:[ -]?code)?|postal[ ]code|postcode)\b(?:[ ]is|[ ]?:)?[ ]?"
            r"(?P<id>\d[\d-]{2,9}|[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}"
            r"|[A-Z]\d[A-Z][ ]?\d[A-Z]\d)(?!\w)",
            re.IGNORECASE,
        ),
    ),
)
