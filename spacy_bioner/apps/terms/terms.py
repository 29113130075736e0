"""Compiled tables of terms: made from the files of terminologies, and looked into."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.errors import ConfigError, TermTableError
from spacy_bioner.knowledge.collecting import ImportAccount, SourceAccount, TermCollector
from spacy_bioner.knowledge.drops import (
    DEFAULT,
    LATER,
    RULES,
    check_rules,
    drop_terms,
    make_key,
)
from spacy_bioner.knowledge.gaz import GazInfo, SourceInfo, describe_table, read_gaz, write_gaz
from spacy_bioner.knowledge.sources.registry import TermSource
from spacy_bioner.knowledge.sources.rows import UNKNOWN, SourceFile, split_cells
from spacy_bioner.knowledge.terms import Term
from spacy_bioner.knowledge.variants import RULES as VARIANT_RULES
from spacy_bioner.knowledge.variants import choose_rules

SUPPRESSED = "suppressed"
NOT_LISTED = "not listed"
# Columns of a list of names to leave out or keep; what stands behind is for whoever reviews it.
SUPPRESSION_HEADER = ("name", "label")
_PROGRESS_ROWS = 10_000
_INPUTS = ("inputs.paths", "settings.suppress", "settings.only")

Names = Set[Tuple[str, str]]


@dataclass(frozen=True)
class LabeledPaths:
    """Files of terminologies.

    labels (Sequence[str]): For each, the label of all its rows; empty takes those that it has.
    """

    paths: Sequence[Path]
    labels: Sequence[str]


@dataclass(frozen=True)
class ImportSettings:
    """What becomes of the rows.

    labels (Sequence[str]): One label for all rows, or OLD=NEW for those to take; empty takes all as
        they are.
    variants (Sequence[str]): Names of rules in `knowledge.variants`, "all" or "none".
    drop (Sequence[str]): The same for `knowledge.drops`.
    suppress (Optional[Path]): A list of names to leave out, as `blame` writes it.
    only (Optional[Path]): A list of names to keep, all others are left out.
    licences (Sequence[str]): NAME=TERMS, for files that do not say their terms of use.
    """

    labels: Sequence[str] = ()
    variants: Sequence[str] = ("none",)
    drop: Sequence[str] = DEFAULT
    suppress: Optional[Path] = None
    only: Optional[Path] = None
    licences: Sequence[str] = ()


def parse_sources(sources: Sequence[str]) -> LabeledPaths:
    """Parse sources: PATH, or LABEL=PATH where no file has that name."""
    labels, paths = [], []
    for source in sources:
        label, sign, path = source.partition("=")
        labeled = bool(sign) and not Path(source).exists()
        labels.append(label if labeled else "")
        paths.append(Path(path if labeled else source))
    return LabeledPaths(paths, labels)


def import_terms(
    sources: Sequence[str],
    output: Path,
    settings: ImportSettings = ImportSettings(),
    *,
    progress: Callable[[int], None] = lambda rows: None,
) -> ImportAccount:
    """Read terminologies and write a compiled table of their names.

    sources (Sequence[str]): Files of the kinds in `knowledge.sources`, each PATH or LABEL=PATH.
    output (Path): The table; it appears when it is whole.
    progress (Callable[[int], None]): Is told how many rows were read.
    RAISES (TermTableError): A source that cannot be read, or whose rows have no label.
    RAISES (ConfigError): A rule that is not known, or nothing left to write.
    """
    return _import(parse_sources(sources), output, settings, progress)


@guards_outputs("output", inputs=_INPUTS, as_files=("output",))
def _import(
    inputs: LabeledPaths,
    output: Path,
    settings: ImportSettings,
    progress: Callable[[int], None],
) -> ImportAccount:
    variants = choose_rules(settings.variants, list(VARIANT_RULES), what="the variants")
    rules = choose_rules(settings.drop, RULES, what="the drop rule")
    check_rules(rules)
    licences = _parse_licences(settings.licences, inputs.paths)
    suppressed = read_listed(settings.suppress) if settings.suppress else None
    listed = read_listed(settings.only) if settings.only else None
    table = TermCollector(settings.labels, ranked=LATER in rules)
    accounts = []
    for path, label in zip(inputs.paths, inputs.labels, strict=True):
        for source in TermSource.find_all(path):
            _read_source(source, label, table, progress)
            accounts.append(_describe(path, source, licences))
    added = table.add_variants(variants)
    kept, dropped = _apply_lists(table.terms, suppressed, listed)
    kept, by_rule = drop_terms(kept, rules, rank=table.rank)
    dropped |= by_rule
    if not kept:
        raise ConfigError(
            f"found no term to write to {output} (left out: {table.left_out}; dropped: {dropped}); "
            "expected one at least; see --label and --drop"
        )
    facts = {"variants": added, "dropped": dropped, "left_out": table.left_out}
    info = [account.info for account in accounts]
    write_gaz(kept, output, sources=info, rules=facts)
    labels = dict(Counter(term.label for term in kept).most_common())
    return ImportAccount(output, len(kept), accounts, table.left_out, added, dropped, labels)


def look_up(gaz: Path, name: str) -> Tuple[GazInfo, List[Term]]:
    """Return what a table says of itself, and its terms of a name, else of an id.

    name (str): As it may stand in a text: the terms are found in it as in any text.
    RAISES (TermTableError): No such table, or no such name or id in it.
    """
    matcher = read_gaz(gaz)
    ends = np.array([0]), np.array([len(name)])
    found = [matcher.table[match.term_index] for match in matcher.find(name, *ends)]
    found = found or [term for term in matcher.table if term.id == name]
    if not found:
        message = f"found neither a term nor an id {name!r} among {len(matcher):,} terms"
        raise TermTableError(f"{message}; check the spelling", path=gaz)
    return describe_table(matcher.table, gaz.stat().st_size), found


def read_listed(path: Path) -> Names:
    """Read a list of names: name and label, or the name alone for all labels.

    RAISES (TermTableError): A row without a name.
    """
    file = SourceFile(path)
    found = set()
    has_header = False
    for text in file.read_lines():
        cells = split_cells(text)
        # Behind a header, a name may look like a remark or like the header.
        if not text.strip() or (not has_header and text.startswith("#")):
            continue
        if not has_header and cells[:2] == SUPPRESSION_HEADER:
            has_header = True
            continue
        if not cells[0]:
            raise file.error(f"found {text[:60]!r}; expected name and label; complete the row")
        found.add((make_key(cells[0]), cells[1] if len(cells) > 1 else ""))
    return found


def _read_source(
    source: TermSource, label: str, table: TermCollector, progress: Callable[[int], None]
) -> None:
    for row in source.read():
        table.add(row, label, source.file)
        if table.n_rows % _PROGRESS_ROWS == 0:
            progress(table.n_rows)


def _parse_licences(given: Sequence[str], paths: Sequence[Path]) -> Dict[str, str]:
    names = {path.name for path in paths} | {path.stem for path in paths}
    licences = {}
    for value in given:
        name, _, text = value.partition("=")
        if name not in names or not text.strip():
            raise ConfigError(
                f"found the licence {value!r}; expected NAME=TERMS with the name of one of the "
                f"files: {', '.join(path.name for path in paths)}"
            )
        licences[name] = text.strip()
    return licences


def _describe(path: Path, source: TermSource, licences: Mapping[str, str]) -> SourceAccount:
    file = source.file
    licence = licences.get(path.name) or licences.get(path.stem) or file.licence or UNKNOWN
    name = file.path.stem if source.kind.general else source.kind.title
    info = SourceInfo(name, file.version, licence, file.url, file.n_rows)
    return SourceAccount(path, info, file.skipped)


def _apply_lists(
    terms: Sequence[Term], suppressed: Optional[Names], listed: Optional[Names]
) -> Tuple[List[Term], Dict[str, int]]:
    """Leave out what lists say; return what is left, and how many terms each list took."""
    kept, dropped = list(terms), {}
    if suppressed is not None:
        kept = [term for term in kept if not _is_listed(term, suppressed)]
        dropped[SUPPRESSED] = len(terms) - len(kept)
    if listed is not None:
        before = len(kept)
        kept = [term for term in kept if _is_listed(term, listed)]
        dropped[NOT_LISTED] = before - len(kept)
    return kept, dropped


def _is_listed(term: Term, names: Names) -> bool:
    key = make_key(term.name)
    return (key, term.label) in names or (key, "") in names
