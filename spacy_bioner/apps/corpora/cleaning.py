"""Cleaning between reading and writing: labels, filters, normalization, each with its account."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence

from spacy_bioner.corpora.conversion import Conversion
from spacy_bioner.corpora.labels import (
    LabelMap,
    check_names,
    list_label_maps,
    load_label_map,
    parse_label_map,
)
from spacy_bioner.errors import LabelError
from spacy_bioner.knowledge.definitions import Definition, find_definitions
from spacy_bioner.records import Mention, Record
from spacy_bioner.sentences import sentence_starts
from spacy_bioner.transforms.expansions import BUILT_IN, load_expansions
from spacy_bioner.transforms.filters import Filter, FilterReport, filter_records
from spacy_bioner.transforms.normalization import (
    LineBreaks,
    Normalizer,
    UnicodeForm,
    build_normalizer,
)

Step = Callable[[Iterable[Record], Conversion], Iterator[Record]]
"""Something done to the documents, which it notes on the account of the conversion."""
NOT_IN_MAP = "label left out by the label map"
NOTHING_LEFT = "normalization left nothing of it"


def read_label_maps(entries: Sequence[str]) -> Optional[LabelMap]:
    """Understand the values of `--label-map`: OLD=NEW pairs, or one map by name or file.

    RAISES (LabelError): For what is neither, or a map together with something else.
    """
    whole = [entry for entry in entries if "=" not in entry and entry.strip()]
    if not whole:
        pairs = parse_label_map(entries)
        return LabelMap("", pairs) if pairs else None
    if len(entries) > 1:
        raise LabelError(
            f"found the label map {whole[0]!r} and more entries, expected one map, or OLD=NEW pairs"
        )
    name = whole[0].strip()
    if name not in list_label_maps() and not Path(name).is_file():
        raise LabelError(
            f"found label map {name!r}, expected OLD=NEW, a YAML file, or one of "
            f"{', '.join(list_label_maps())}"
        )
    return load_label_map(name)


def map_labels(label_map: LabelMap, *, may_lack: bool = False) -> Step:
    """Rename labels; mentions whose label the map drops are counted as lost.

    A map that is named or a file is for several corpora and splits: of its labels one has to occur.
    may_lack (bool): The corpus may have no mention of a label; these are noted on the account.
    The step RAISES (LabelError): Labels of OLD=NEW pairs that no mention has, or a map of which
        none occurs; at the end, before anything is written.
    """

    def step(records: Iterable[Record], conversion: Conversion) -> Iterator[Record]:
        for record in records:
            kept: List[Mention] = []
            dropped: List[Mention] = []
            for mention in record.mentions:
                label = label_map.rename(mention.label)
                if label is None:
                    dropped.append(mention)
                    continue
                kept.append(mention.labeled(label))
            if dropped:
                conversion.lose(record, dropped, NOT_IN_MAP)
            yield replace(record, mentions=tuple(kept))
        named = set(label_map.labels) | label_map.dropped
        found = {part.strip() for label in conversion.labels_read for part in label.split(",")}
        missing = named - found - conversion.labels_read.keys()
        if not may_lack and not label_map.name:
            check_names(missing, conversion.labels_read)
        if not may_lack and label_map.name and missing == named and conversion.labels_read:
            where = f"the label map {label_map.name}"
            check_names(named, conversion.labels_read, where=where)
        # A map that ships covers every label of its corpus; not each stands in each split.
        if label_map.name not in list_label_maps():
            conversion.labels_not_found = sorted(missing)

    return step


def filter_documents(filters: Sequence[Filter]) -> Step:
    """Leave out documents; the mentions in them are counted as lost."""

    def step(records: Iterable[Record], conversion: Conversion) -> Iterator[Record]:
        report = FilterReport()

        def on_removed(record: Record, name: str) -> None:
            conversion.lose(record, record.mentions, f"document left out: {name}")

        yield from filter_records(records, filters, report, on_removed=on_removed)
        conversion.filtered = _add_filtered(conversion.filtered, report.to_json())

    return step


def normalize_text(normalizer: Normalizer) -> Step:
    """Normalize texts; mentions follow, and those of which nothing is left are counted as lost."""

    def step(records: Iterable[Record], conversion: Conversion) -> Iterator[Record]:
        for record in records:
            result = normalizer.normalize(record)
            conversion.edits.update(result.edits)
            if result.lost:
                conversion.lose(record, result.lost, NOTHING_LEFT)
            yield result.record

    return step


def build_text_normalizer(
    names: Sequence[str],
    *,
    form: UnicodeForm = "NFC",
    line_breaks: LineBreaks = "keep",
    table: Optional[Path] = None,
) -> Normalizer:
    """Create a normalizer that can write out abbreviations defined in the document.

    table (Optional[Path]): A tab-separated table of further expansions.
    RAISES (ConfigError): An unknown step or setting.
    RAISES (TermTableError): A malformed row of the table.
    """
    own = load_expansions(table) if table else ()
    return build_normalizer(
        names,
        form=form,
        line_breaks=line_breaks,
        expansions=(*own, *BUILT_IN),
        find_definitions=find_all_definitions,
    )


def find_all_definitions(text: str) -> List[Definition]:
    """Find the abbreviations that a text defines, sentence by sentence."""
    borders = [*sentence_starts(text), len(text)]
    return [
        definition
        for start, end in pairwise(borders)
        for definition in find_definitions(text, start, end)
    ]


def _add_filtered(earlier: Dict[str, Any], later: Dict[str, Any]) -> Dict[str, Any]:
    """Sum up what two steps removed, the later one from what the earlier one kept."""
    if not earlier:
        return later
    sums = {}
    for name in ("removed", "mentions_removed"):
        numbers = Counter(earlier[name])
        numbers.update(later[name])
        sums[name] = dict(sorted(numbers.items()))
    ids = earlier["ids"] + later["ids"]
    return {"read": earlier["read"], "kept": later["kept"], **sums, "ids": ids}
