"""Filters over records, with an account of what they removed.

report = FilterReport()
filters = [empty_text(), min_words(5), language("en"), duplicate_text()]
for record in filter_records(records, filters, report): …
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from spacy_bioner.errors import ConfigError
from spacy_bioner.extras import require
from spacy_bioner.records import Record

MIN_LANGUAGE_CHARACTERS = 200
MIN_LANGUAGE_PROBABILITY = 0.5
# More adds nothing to the judgment, and the model counts in 16 bits.
_MAX_LANGUAGE_CHARACTERS = 10_000


@dataclass(frozen=True)
class Filter:
    """One reason to leave a record out.

    name (str): As it stands in the report.
    rejects (Callable[[Record], bool]): Tells whether the record goes.
    remember (Optional[Callable[[Record], None]]): Called with each record that all filters keep.
    """

    name: str
    rejects: Callable[[Record], bool]
    remember: Optional[Callable[[Record], None]] = None


@dataclass
class FilterReport:
    """What filters removed. A record counts under the first filter that rejects it.

    read (int): All records that came.
    kept (int): Those that went on.
    removed (Counter[str]): Records by filter.
    mentions_removed (Counter[str]): The mentions in them, by filter.
    ids (List[Tuple[str, str]]): Filter and record id of the first `keep` removed records.
    """

    read: int = 0
    kept: int = 0
    removed: "Counter[str]" = field(default_factory=Counter)
    mentions_removed: "Counter[str]" = field(default_factory=Counter)
    ids: List[Tuple[str, str]] = field(default_factory=list)
    keep: int = 1000

    def add_removed(self, record: Record, name: str) -> None:
        """Count one record that a filter rejected."""
        self.removed[name] += 1
        self.mentions_removed[name] += len(record.mentions)
        if len(self.ids) < self.keep:
            self.ids.append((name, record.id))

    def to_json(self) -> Dict[str, Any]:
        """Return the report as plain data."""
        return {
            "read": self.read,
            "kept": self.kept,
            "removed": dict(sorted(self.removed.items())),
            "mentions_removed": dict(sorted(self.mentions_removed.items())),
            "ids": [{"id": record_id, "filter": name} for name, record_id in self.ids],
        }


def filter_records(
    records: Iterable[Record],
    filters: Sequence[Filter],
    report: FilterReport,
    *,
    on_removed: Callable[[Record, str], None] = lambda record, name: None,
) -> Iterator[Record]:
    """Stream the records that no filter rejects.

    filters (Sequence[Filter]): Tried in order; cheap ones go first.
    on_removed (Callable[[Record, str], None]): Is told of each rejected record and its filter.
    """
    for record in records:
        report.read += 1
        rejecting = next((item for item in filters if item.rejects(record)), None)
        if rejecting is not None:
            report.add_removed(record, rejecting.name)
            on_removed(record, rejecting.name)
            continue
        for item in filters:
            if item.remember is not None:
                item.remember(record)
        report.kept += 1
        yield record


def empty_text() -> Filter:
    """Remove records of nothing but white space."""
    return Filter("empty_text", lambda record: not record.text.strip())


def min_characters(number: int) -> Filter:
    """Remove texts shorter than this, white space at the ends apart."""
    _check_number("min_characters", number)
    return Filter("min_characters", lambda record: len(record.text.strip()) < number)


def max_characters(number: int) -> Filter:
    """Remove texts longer than this, white space at the ends apart."""
    _check_number("max_characters", number)
    return Filter("max_characters", lambda record: len(record.text.strip()) > number)


def min_words(number: int) -> Filter:
    """Remove texts of fewer words; a word is what stands between white space."""
    _check_number("min_words", number)
    return Filter("min_words", lambda record: len(record.text.split()) < number)


def without_annotation() -> Filter:
    """Remove records without any mention."""
    return Filter("without_annotation", lambda record: not record.mentions)


def duplicate_text() -> Filter:
    """Remove records whose text, to the character, is that of an earlier one that was kept.

    The filter remembers: used on several files, it finds duplicates between them.
    """
    seen: Set[bytes] = set()
    return Filter(
        "duplicate_text",
        lambda record: _digest(record.text) in seen,
        lambda record: seen.add(_digest(record.text)),
    )


def language(
    code: str = "en",
    *,
    min_characters: int = MIN_LANGUAGE_CHARACTERS,
    min_probability: float = MIN_LANGUAGE_PROBABILITY,
) -> Filter:
    """Remove texts that are probably not in a language; needs py3langid.

    The defaults: English has a probability of 0.99 or more in each of the 3,714 texts of the train
    and dev parts of BC5CDR, NCBI-disease and BioRED and the train parts of GNormPlus, NLM-Gene and
    S800. Of pieces of 200 characters cut out of them 91 in 25,175 fall below one half, mostly lists
    of gene names; of pieces of 100 characters, 1,730 in 52,268.

    code (str): ISO 639-1.
    min_characters (int): Shorter texts are not judged, and stay.
    min_probability (float): Of the language among those that the model knows.
    RAISES (ConfigError): py3langid is not installed, or does not know the language.
    """
    identifier = _load_identifier()
    if code not in identifier.labels:
        known = ", ".join(sorted(identifier.labels))
        raise ConfigError(f"found language {code!r}, expected one of {known}")
    if not 0 < min_probability <= 1:
        message = f"found min_probability {min_probability}, expected more than 0 and at most 1"
        raise ConfigError(message)
    _check_number("min_characters", min_characters)

    def rejects(record: Record) -> bool:
        text = record.text.strip()
        if len(text) < min_characters:
            return False
        probabilities = dict(identifier.rank(text[:_MAX_LANGUAGE_CHARACTERS]))
        return bool(probabilities[code] < min_probability)

    return Filter(f"language_{code}", rejects)


@lru_cache(maxsize=1)
def _load_identifier() -> Any:
    require("py3langid", extra="corpora", who="the language filter")
    module = import_module("py3langid.langid")
    return module.LanguageIdentifier.from_model_file(module.MODEL_FILE, norm_probs=True)


def _check_number(name: str, number: int) -> None:
    if number < 0:
        raise ConfigError(f"found {name} {number}, expected a number from 0")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
