"""One self-contained HTML page on a run: scores, curves, mistakes to look through."""

import base64
import hashlib
from importlib.resources import files
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Tuple

from markupsafe import Markup

from spacy_bioner.evaluation.metrics.error_contexts import Case
from spacy_bioner.evaluation.metrics.error_types import CLASSES
from spacy_bioner.gold import MentionKey
from spacy_bioner.printable import make_line
from spacy_bioner.reports.html.elements import PagePart, Section
from spacy_bioner.reports.html.pages import render_page
from spacy_bioner.spans import overlaps, select_flat

TEMPLATE = "run.html.j2"
SCRIPT = "run.js"
MAX_CASES = 2000
"""Mistakes that one page shows."""


def render_run_page(
    title: str,
    facts: Sequence[Tuple[str, str]],
    sections: Sequence[Section],
    cases: Optional[Sequence[Case]],
    *,
    warnings: Sequence[str] = (),
) -> str:
    """Render the page.

    facts (Sequence[Tuple[str, str]]): What stands large at its head: name and value.
    cases (Optional[Sequence[Case]]): The first `MAX_CASES` are shown; None leaves mistakes out.
    warnings (Sequence[str]): What a reader of the numbers has to know first.
    """
    script = (files("spacy_bioner.reports.html") / "templates" / SCRIPT).read_text(encoding="utf-8")
    every = cases or ()
    shown = every[:MAX_CASES]
    labels = {make_line(label) for case in shown for label in _labels(case)}
    kinds = {case.mistake.kind for case in shown}
    return render_page(
        TEMPLATE,
        title=title,
        facts=facts,
        warnings=warnings,
        sections=sections,
        has_cases=cases is not None,
        cases=[_present(case) for case in shown],
        n_left_out=len(every) - len(shown),
        kinds=[kind for kind in CLASSES if kind in kinds],
        types=sorted(labels),
        script=Markup(script),
        script_hash=_hash(script),
    )


def _hash(script: str) -> str:
    """Return what a content security policy calls a script by: nothing else runs on the page."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def _present(case: Case) -> Dict[str, Any]:
    mistake = case.mistake
    gold, predicted = (
        frozenset((start - case.start, end - case.start, label) for start, end, label in mentions)
        for mentions in (mistake.gold, mistake.predicted)
    )
    wanted, found = (
        " + ".join(sorted({label for _, _, label in mentions})) or "–"
        for mentions in (mistake.gold, mistake.predicted)
    )
    start = min(mention[0] for mention in (*mistake.gold, *mistake.predicted))
    return {
        "kind": mistake.kind,
        "types": "\t".join(sorted(map(make_line, _labels(case)))),
        "labels": wanted if wanted == found else f"{wanted} → {found}",
        "place": f"document {case.document}, character {start:,}",
        "gold": split_text(case.text, case.gold, gold),
        "predicted": split_text(case.text, case.predicted, predicted),
    }


def split_text(
    text: str, mentions: Sequence[MentionKey], wrong: FrozenSet[MentionKey]
) -> List[PagePart]:
    """Cut a text at its mentions; of those that overlap, the longest of the mistake are shown."""
    chosen: List[MentionKey] = []
    for among in (sorted(wrong), sorted(set(mentions) - wrong)):
        free = [item for item in among if not any(overlaps(item[:2], one[:2]) for one in chosen)]
        chosen += select_flat(free, interval=lambda mention: (mention[0], mention[1]))[0]
    parts: List[PagePart] = []
    last = 0
    for start, end, label in sorted(chosen):
        parts.append(PagePart(text[last:start]))
        tone = "wrong" if (start, end, label) in wrong else "right"
        parts.append(PagePart(text[start:end], label or "(none)", tone))
        last = end
    parts.append(PagePart(text[last:]))
    return [part for part in parts if part.text]


def _labels(case: Case) -> FrozenSet[str]:
    mentions = (*case.mistake.gold, *case.mistake.predicted)
    return frozenset(label for _, _, label in mentions)
