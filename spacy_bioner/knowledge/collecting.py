"""Terms from the rows of terminologies: each once, under the labels asked for, with variants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Sequence, Tuple

from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.drops import make_key, make_matched_key
from spacy_bioner.knowledge.gaz import SourceInfo
from spacy_bioner.knowledge.sources.rows import (
    PREFERRED,
    SYMBOL,
    Skipped,
    SourceFile,
    TermRow,
)
from spacy_bioner.knowledge.terms import Term
from spacy_bioner.knowledge.variants import RULES, make_variants

DUPLICATES = "names that stand there already"
OTHER_LABELS = "names of labels that are not asked for"
TAKEN = "variants that stand there already as a name"


@dataclass(frozen=True)
class SourceAccount:
    """What was read of a file, and what was left out and why."""

    path: Path
    info: SourceInfo
    skipped: Mapping[str, Skipped]


@dataclass(frozen=True)
class ImportAccount:
    """A table that was written, and the numbers of all that led to it.

    left_out (Mapping[str, int]): Rows without a term, by reason.
    variants (Mapping[str, int]): Terms that each rule added.
    dropped (Mapping[str, int]): Terms that each rule left out.
    labels (Mapping[str, int]): Terms by their label.
    """

    output: Path
    n_terms: int
    sources: Sequence[SourceAccount]
    left_out: Mapping[str, int]
    variants: Mapping[str, int]
    dropped: Mapping[str, int]
    labels: Mapping[str, int]


class TermCollector:
    """Takes rows and makes terms of them, each once.

    labels (Sequence[str]): One label for all rows, or OLD=NEW for those to take; empty takes all as
        they are.
    ranked (bool): Keep what `rank` needs.
    RAISES (ConfigError): Labels that contradict each other.
    """

    def __init__(self, labels: Sequence[str], *, ranked: bool = False) -> None:
        self.ranked = ranked
        self._label, self._renamed = _parse_labels(labels)
        self._known: Dict[Tuple[str, str, str], None] = {}
        self.terms: List[Term] = []
        self.n_rows = 0
        self._ranks: Dict[Term, int] = {}
        self._files: Dict[Path, int] = {}
        self.left_out: Dict[str, int] = {DUPLICATES: 0}
        if self._renamed:
            self.left_out[OTHER_LABELS] = 0

    def add(self, row: TermRow, label: str, file: SourceFile) -> None:
        """Take a row in.

        label (str): Of all rows of the file; empty for none.
        RAISES (TermTableError): Where there is no label for it.
        """
        self.n_rows += 1
        chosen = label or self._label or row.label
        if self._renamed and not label:
            chosen = self._renamed.get(row.label, self._label)
            if not chosen:
                self.left_out[OTHER_LABELS] += 1
                return
        if not chosen:
            raise file.error(
                f"found no label for {row.name[:60]!r}; expected an entity type; give one for all "
                "(--label Disease) or for this file (Disease=FILE)"
            )
        term = Term(row.name, chosen, row.id)
        if not self._take(term):
            self.left_out[DUPLICATES] += 1
        elif self.ranked:
            number = self._files.setdefault(file.path, len(self._files))
            self._ranks[term] = 2 * number + (row.kind not in (PREFERRED, SYMBOL))

    def rank(self, term: Term) -> int:
        """Say how far back a term stands: by its source, preferred names before synonyms."""
        return self._ranks.get(term, 2 * len(self._files))

    def add_variants(self, rules: Sequence[str]) -> Dict[str, int]:
        """Add other ways to write the names, and count them by rule.

        What is a name of its own, of whatever concept, is not added.
        """
        added = {rule: 0 for rule in RULES if rule in rules}
        if not added:
            return added
        self.left_out[TAKEN] = 0
        names = {(make_key(term.name), term.label) for term in self.terms}
        for term in list(self.terms):
            for rule, name in make_variants(term.name, rules):
                if (make_key(name), term.label) not in names and self._take(
                    Term(name, term.label, term.id)
                ):
                    added[rule] += 1
                else:
                    self.left_out[TAKEN] += 1
        return added

    def _take(self, term: Term) -> bool:
        key = (make_matched_key(term), term.label, term.id)
        if key in self._known:
            return False
        self._known[key] = None
        self.terms.append(term)
        return True


def _parse_labels(labels: Sequence[str]) -> Tuple[str, Dict[str, str]]:
    """Return the one label for all, and the new names of those to take."""
    single, renamed = "", {}
    for value in labels:
        for part in filter(None, (part.strip() for part in value.split(","))):
            old, sign, new = part.partition("=")
            if sign and not (old and new):
                raise ConfigError(f"found the label {part!r}; expected OLD=NEW, or one label")
            if sign:
                renamed[old] = new
            elif single:
                message = f"found the labels {single!r} and {part!r}; expected one for all rows"
                raise ConfigError(f"{message}, or OLD=NEW")
            else:
                single = part
    return single, renamed
