"""ICD-10-CM: the order file, the list of codes, or the tabular list as XML."""

import re
from typing import Dict, Iterator

from spacy_bioner.knowledge.sources.rows import (
    EXACT,
    PREFERRED,
    SourceFile,
    SourceKind,
    TermRow,
)

DISEASE, SYMPTOM, CAUSE, FACTOR = "Disease", "Symptom", "ExternalCause", "HealthFactor"
# By the letter of a code's chapter; all others are diseases and injuries.
_BY_LETTER = {"R": SYMPTOM, "V": CAUSE, "W": CAUSE, "X": CAUSE, "Y": CAUSE, "Z": FACTOR}
_CODE = r"[A-Z]\d[0-9A-Z][0-9A-Z]{0,4}"
# Number, code, 1 for what can be billed, a title of 60 characters, the whole title.
_ORDER = re.compile(rf"\d{{5}} ({_CODE}) *([01]) (.{{60}}) (.+)")
_LISTED = re.compile(rf"({_CODE}) +(\S.*)")
_TABULAR = re.compile(r"<ICD10CM\.tabular\b")
_VERSION = re.compile(r"<version>([^<]*)</version>")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")


def looks_like_icd10cm(head: str) -> bool:
    """Say whether a file that starts so is one of the three forms."""
    if _TABULAR.search(head):
        return True
    first = head.partition("\n")[0].rstrip("\r")
    return bool(_ORDER.fullmatch(first) or _LISTED.fullmatch(first))


def read_icd10cm(source: SourceFile) -> Iterator[TermRow]:
    """Stream the titles of codes; the tabular list has inclusion terms as well.

    The year of the lists is in the file's name only.
    RAISES (TermTableError): XML that is malformed.
    """
    head = source.read_head()
    if _TABULAR.search(head):
        version = _VERSION.search(head)
        source.version = version[1].strip() if version else ""
        yield from _read_tabular(source)
        return
    if year := _YEAR.search(source.path.name):
        source.version = year[1]
    for text in source.read_lines():
        if found := _ORDER.fullmatch(text):
            code, titles = found[1], {found[4].strip(): PREFERRED}
            titles.setdefault(found[3].strip(), "short title")
        elif found := _LISTED.fullmatch(text):
            code, titles = found[1], {found[2].strip(): PREFERRED}
        else:
            if text.strip():
                source.skip("malformed rows", text)
            continue
        yield from _list_rows(code, titles)


def _read_tabular(source: SourceFile) -> Iterator[TermRow]:
    for element in source.read_elements("diag"):
        code = (element.findtext("name") or "").strip()
        title = (element.findtext("desc") or "").strip()
        if not code:
            source.skip("records without an id", title)
            continue
        titles = {title: PREFERRED}
        for note in element.iterfind("inclusionTerm/note"):
            titles.setdefault((note.text or "").strip(), EXACT)
        yield from _list_rows(code, titles)


def _list_rows(code: str, titles: Dict[str, str]) -> Iterator[TermRow]:
    bare = code.replace(".", "")
    dotted = f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare
    label = _BY_LETTER.get(bare[:1], DISEASE)
    for name, kind in titles.items():
        yield TermRow(dotted, name, label, kind)


KIND = SourceKind(
    "icd10cm",
    "ICD-10-CM",
    read_icd10cm,
    looks_like_icd10cm,
    licence="public domain (NCHS and CMS, U.S. Government work)",
    url="https://www.cms.gov/medicare/coding-billing/icd-10-codes",
)
