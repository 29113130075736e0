"""What must hold for every Doc, and what two Docs of one text must have in common."""

import json
import math
from itertools import chain
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import numpy as np
from _fuzzing import Problem
from spacy.attrs import ENT_ID, ENT_IOB, ENT_KB_ID, ENT_TYPE, IDX, LENGTH, ORTH, SENT_START, SPACY
from spacy.tokens import Doc, Span

from spacy_bioner.blanks import is_blank
from spacy_bioner.components.abbreviations import ABBREVIATIONS_KEY, read_abbreviations
from spacy_bioner.components.evidence import LEDGER_KEY, Evidence, span_evidence
from spacy_bioner.components.overlaps import CANDIDATES_KEY, read_rejections

# Confidences of float32 differ by the order of sums, which follows the batch.
TOLERANCE = 1e-4
CONFIDENCE = "confidence"
TOKENS = (IDX, ORTH, SPACY)
TAGS = (ENT_IOB, ENT_TYPE, ENT_KB_ID, ENT_ID)
OUTSIDE = 2


def check_doc(text: str, doc: Doc, *, glues: bool = False) -> List[Problem]:
    """Find the invariants that a Doc breaks.

    glues (bool): Its tokenizer leaves characters without width at words; an entity then has them.
    """
    if doc.text != text:
        return [Problem("text", f"doc.text is {doc.text!r}, expected {text!r}")]
    checks = (_check_tokens, _check_ents, _check_spans, _check_ledger, _check_definitions)
    found = [problem for check in checks for problem in check(doc)]
    return [*found, *_check_borders(doc, glues)]


def snapshot(doc: Doc) -> Dict[str, Any]:
    """Return what components have written to a Doc, as plain data."""
    return {
        "tokens": doc.to_array(TOKENS).reshape(-1, len(TOKENS)),
        "sentences": doc.to_array([SENT_START]).ravel(),
        "ents": [_describe(ent) for ent in doc.ents],
        "token tags": _list_tags(doc),
        "groups": {name: [_describe(span) for span in doc.spans[name]] for name in doc.spans},
        "ledger": _by_key(_plain(doc.user_data.get(LEDGER_KEY, {}))),
        "rejections": _plain([vars(entry) for entry in read_rejections(doc)]),
        "definitions": _plain(doc.user_data.get(ABBREVIATIONS_KEY, ())),
    }


def compare(
    check: str, left: Dict[str, Any], right: Dict[str, Any], *, tolerance: float = 0.0
) -> List[Problem]:
    """Name what two snapshots of one text differ in; confidences may by the tolerance."""
    return [
        Problem(f"{check}, {key}", f"found {_first_difference(right[key], left[key], tolerance)}")
        for key in left
        if not _same(left[key], right[key], tolerance)
    ]


def _check_tokens(doc: Doc) -> Iterator[Problem]:
    starts, lengths, spaces = doc.to_array([IDX, LENGTH, SPACY]).astype(np.int64).reshape(-1, 3).T
    ends = np.concatenate([[0], starts + lengths + spaces])
    if not np.array_equal(ends[:-1], starts) or not lengths.all() or ends[-1] != len(doc.text):
        yield Problem("tokens", f"they begin at {starts.tolist()} and end at {ends.tolist()}")


def _check_ents(doc: Doc) -> Iterator[Problem]:
    end = 0
    for ent in doc.ents:
        if ent.start < end or ent.end <= ent.start:
            yield Problem("ents apart", f"{_describe(ent)} begins before {end}, or is empty")
        end = ent.end
        if not ent.label_:
            yield Problem("label", f"{_describe(ent)} has none")
        if [token.ent_iob_ for token in ent] != ["B", *"I" * (len(ent) - 1)]:
            yield Problem("token tags", f"{[t.ent_iob_ for t in ent]} in {_describe(ent)}")
        yield from _check_identifier(ent)
    outside = np.ones(len(doc), dtype=bool)
    for ent in doc.ents:
        outside[ent.start : ent.end] = False
    left = _list_tags(doc)[:, 1:].any(axis=1)
    for index in np.flatnonzero(outside & left)[:1].tolist():
        token = doc[index]
        found = (token.text, token.ent_type_, token.ent_kb_id_, token.ent_id_)
        yield Problem("left on tokens", f"{found} outside of entities")


def _check_identifier(ent: Span) -> Iterator[Problem]:
    if any(token.ent_kb_id_ != ent.kb_id_ for token in ent):
        yield Problem("identifier", f"{[t.ent_kb_id_ for t in ent]} in {_describe(ent)}")
    entries = span_evidence(ent)
    known = {i for entry in entries for i in entry.concept_id.split("|")}
    if ent.kb_id_ and entries and ent.kb_id_ not in known:
        yield Problem("identifier", f"{ent.kb_id_!r} of {ent.text!r}, evidence has {known}")


def _check_spans(doc: Doc) -> Iterator[Problem]:
    for name in doc.spans:
        for span in doc.spans[name]:
            if not 0 <= span.start < span.end <= len(doc) or not span.label_:
                yield Problem("span", f"{_describe(span)} in group {name!r}")
                continue
            # They are defined with the first of our components.
            if Span.has_extension("confidence"):
                yield from _check_confidence(span._.confidence)
            if name == CANDIDATES_KEY and not (span._.source and span._.evidence):
                yield Problem("evidence", f"none for {_describe(span)}")


def _check_borders(doc: Doc, glues: bool) -> Iterator[Problem]:
    for span in filter(len, chain(doc.ents, *doc.spans.values())):
        first, last = span[0].text, span[-1].text
        if is_blank(first if glues else first[0]) or is_blank(last if glues else last[-1]):
            sources = [entry.source for entry in span_evidence(span)]
            yield Problem("blank border", f"{span.text!r} of {sources}")


def _check_ledger(doc: Doc) -> Iterator[Problem]:
    length = len(doc.text)
    for key, rows in doc.user_data.get(LEDGER_KEY, {}).items():
        for row in rows:
            entry = Evidence(**row)
            if f"{entry.start_char}:{entry.end_char}" != key:
                yield Problem("ledger", f"{entry} under {key!r}")
            if not 0 <= entry.start_char < entry.end_char <= length:
                yield Problem("ledger", f"{entry} in a text of {length} characters")
            yield from _check_confidence(entry.confidence)
    try:
        json.dumps(doc.to_json())
    except Exception as error:
        yield Problem("to_json", f"{type(error).__name__}: {error}")


def _check_confidence(value: Any) -> Iterator[Problem]:
    if value is not None and not (isinstance(value, float) and 0.0 <= value <= 1.0):
        yield Problem("confidence range", f"{value!r}")


def _check_definitions(doc: Doc) -> Iterator[Problem]:
    text = doc.text
    for found in read_abbreviations(doc):
        short = text[found.short_start : found.short_end]
        long = text[found.long_start : found.long_end]
        if (short, long) != (found.short_text, found.long_text) or not short or not long:
            yield Problem("definition", f"{found} stands at {short!r} and {long!r}")
        elif found.short_start < found.long_end and found.long_start < found.short_end:
            yield Problem("definition", f"{found}: short and long form overlap")
        elif any(is_blank(char) for form in (short, long) for char in (form[0], form[-1])):
            yield Problem("definition border", f"{found}")


def _list_tags(doc: Doc) -> np.ndarray:
    """Return what tokens say of entities; whether a token was looked at does not matter."""
    tags = doc.to_array(TAGS).reshape(-1, len(TAGS))
    tags[:, 0][tags[:, 0] == 0] = OUTSIDE
    return tags


def _describe(span: Span) -> Tuple[int, int, str, str, str]:
    return span.start, span.end, span.label_, span.kb_id_, span.id_


def _plain(data: Any) -> Any:
    """Turn tuples to lists: a DocBin gives the one for the other."""
    return json.loads(json.dumps(data))


def _by_key(ledger: Dict[str, List[Dict[str, Any]]]) -> Dict[str, List[Dict[str, Any]]]:
    return {key: ledger[key] for key in sorted(ledger)}


def _same(left: Any, right: Any, tolerance: float, key: str = "") -> bool:
    if key == CONFIDENCE and isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=0.0, abs_tol=tolerance)
    if isinstance(left, np.ndarray):
        return np.array_equal(left, right)
    if left == right:
        return True
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            _same(left[name], right[name], tolerance, name) for name in left
        )
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        pairs = zip(left, right)
        return len(left) == len(right) and all(_same(*pair, tolerance) for pair in pairs)
    return False


def _first_difference(found: Any, expected: Any, tolerance: float) -> str:
    if isinstance(found, np.ndarray):
        found, expected = found.tolist(), expected.tolist()
    if isinstance(found, Sequence) and isinstance(expected, Sequence):
        for left, right in zip(found, expected):
            if not _same(left, right, tolerance):
                return f"{left}, expected {right}"
        return f"{len(found)} entries, expected {len(expected)}"
    names = [n for n in {**found, **expected} if found.get(n) != expected.get(n)]
    if names:
        return f"{names[0]}: {found.get(names[0])}, expected {expected.get(names[0])}"
    return "another order"
