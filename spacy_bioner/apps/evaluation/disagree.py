"""What one pipeline finds by the rules of each corpus that it has learned from, compared."""

import warnings
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Sequence

from spacy.language import Language

from spacy_bioner.apps.annotation.documents import Findings, LeftOut, describe_foreign
from spacy_bioner.apps.annotation.runner import run_batches
from spacy_bioner.apps.annotation.sources import InputSettings, Item, TextSource
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.profiles import get_setting
from spacy_bioner.apps.progress import Pace
from spacy_bioner.architectures.datasets import list_datasets
from spacy_bioner.errors import ConfigError, CorpusError, CorpusWarning
from spacy_bioner.evaluation.disagreement import (
    Disagreements,
    RuledDocument,
    RuledEntity,
    compare_rules,
)
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Record

LIMIT = 200
BATCH_SIZE = 32
PLAIN = InputSettings()


@dataclass(frozen=True)
class Disagreed:
    """What came of a comparison.

    left_out (Sequence[LeftOut]): Documents that could not be read or annotated, with the reason.
    is_cut (bool): There are more documents than were to be read.
    """

    found: Disagreements
    left_out: Sequence[LeftOut]
    is_cut: bool


def disagree(
    model: str,
    source: PathLike,
    settings: InputSettings = PLAIN,
    *,
    limit: int = LIMIT,
    gpu_id: int = -1,
    progress: Optional[Pace] = None,
) -> Disagreed:
    """Annotate texts by the rules of each corpus of a pipeline, and compare what is found.

    model (str): A pipeline folder, or the name of an installed pipeline package.
    source (Union[str, Path]): Texts, as `bioner annotate` reads them.
    limit (int): Documents to read, at most: each is annotated once for each corpus.
    RAISES (ConfigError): For a pipeline that has not learned the rules of two corpora or more.
    RAISES (CorpusError): For an input that cannot be read, or that has no document.
    """
    if limit < 1:
        raise ConfigError(f"found limit {limit}, expected 1 or more documents")
    nlp = load_pipeline(model, gpu_id=gpu_id)
    labels = find_rules(nlp)
    left_out: List[LeftOut] = []
    with TemporaryDirectory(prefix="bioner-") as scratch:
        texts = TextSource(source, settings, Path(scratch))
        items = _take(texts.read(), left_out)
        records = list(islice(items, limit))
        is_cut = next(items, None) is not None
    if not records:
        raise CorpusError("found no document that can be read", path=source)
    documents = _annotate(nlp, records, list(labels), left_out, progress or Pace())
    return Disagreed(compare_rules(documents, labels), left_out, is_cut)


def find_rules(nlp: Language) -> Dict[str, FrozenSet[str]]:
    """Return the corpora whose rules a pipeline knows, with the labels that each annotates.

    RETURNS (Dict[str, FrozenSet[str]]): No labels where the pipeline's config does not say.
    RAISES (ConfigError): For fewer than two corpora.
    """
    names = list_datasets(nlp)
    if len(names) < 2:
        known = f"those of {names[0]} only" if names else "no corpus' rules"
        raise ConfigError(
            f"found a pipeline that knows {known}, expected the rules of two corpora or more: "
            "train one with the setting datasets of its encoder"
        )
    taught: Any = get_setting(nlp.config, "corpora.train.corpora") or {}
    return {name: _read_labels(taught.get(name)) for name in names}


def _read_labels(section: Any) -> FrozenSet[str]:
    labels = section.get("labels") if isinstance(section, Mapping) else None
    return frozenset(map(str, labels or ()))


def _take(items: Iterable[Item], left_out: List[LeftOut]) -> Iterator[Record]:
    for item in items:
        if isinstance(item, Record):
            yield item
        else:
            left_out.append(item)


def _annotate(
    nlp: Language,
    records: Sequence[Record],
    names: Sequence[str],
    left_out: List[LeftOut],
    progress: Pace,
) -> Iterator[RuledDocument]:
    """Yield documents with what is found by each corpus' rules; warns once of other languages."""
    n_foreign = 0
    progress.begin(len(records), sum(len(record.text) for record in records))
    for start in range(0, len(records), BATCH_SIZE):
        batch = records[start : start + BATCH_SIZE]
        texts = [record.text for record in batch]
        found = {name: next(run_batches([texts], nlp, dataset=name)) for name in names}
        progress.advance(texts)
        for number, record in enumerate(batch):
            outcomes = {name: own[number] for name, own in found.items()}
            failed = [own for own in outcomes.values() if not isinstance(own, Findings)]
            if failed:
                left_out.append(LeftOut(failed[0], record.id))
                continue
            findings = {n: own for n, own in outcomes.items() if isinstance(own, Findings)}
            n_foreign += findings[names[0]].receipt.foreign
            entities = {name: _read_entities(own) for name, own in findings.items()}
            yield RuledDocument(record.id, record.text, entities)
    if n_foreign:
        warnings.warn(describe_foreign(n_foreign), CorpusWarning, stacklevel=2)


def _read_entities(found: Findings) -> List[RuledEntity]:
    return [RuledEntity(e.start_char, e.end_char, e.label, e.confidence) for e in found.entities]
