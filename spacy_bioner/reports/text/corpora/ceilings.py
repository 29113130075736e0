"""Tokenizers side by side: what each allows a system to find."""

from typing import List, Mapping, Tuple

from spacy_bioner.corpora.alignment_counts import OUTCOMES
from spacy_bioner.corpora.conversion import AuditLog
from spacy_bioner.corpora.tokenizers import TITLES
from spacy_bioner.reports.tables import render_table

_CEILINGS = ("token_ceiling", "flat_ceiling", "recall_ceiling", "f1_ceiling")
_HEADINGS = ("tokens", "flat spans", "recall", "strict F1")


def render_ceilings(logs: Mapping[str, AuditLog]) -> str:
    """Render a row for each tokenizer: its ceilings in per cent, then the outcomes."""
    counts = {name: log.count() for name, log in logs.items()}
    shown = [name for name in OUTCOMES if any(getattr(c, name) for c in counts.values())]
    header = ("tokenizer", *_HEADINGS, *shown, "total")
    rows: List[Tuple[str, ...]] = []
    for name, count in counts.items():
        ceilings = [f"{100 * getattr(count, ceiling):.2f} %" for ceiling in _CEILINGS]
        outcomes = [f"{getattr(count, outcome):,}" for outcome in (*shown, "total")]
        rows.append((f"{name} ({TITLES[name]})", *ceilings, *outcomes))
    return render_table(header, rows, right=range(1, len(header)))
