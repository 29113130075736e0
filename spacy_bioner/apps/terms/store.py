"""Concept stores: made of terminologies and of what training documents call their concepts."""

from collections import Counter
from pathlib import Path
from typing import Callable, Iterator, List, Mapping, Optional, Sequence, Tuple

import spacy

from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.terms.terms import LabeledPaths, parse_sources
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.errors import ConfigError
from spacy_bioner.files.digests import digest_path
from spacy_bioner.gold import NO_CONCEPT, list_gold_mentions
from spacy_bioner.knowledge.concepts.building import (
    ConceptName,
    NameSource,
    digest_sources,
    write_store,
)
from spacy_bioner.knowledge.concepts.origins import list_origins
from spacy_bioner.knowledge.concepts.schema import MENTION, StoreInfo
from spacy_bioner.knowledge.concepts.store import ConceptStore
from spacy_bioner.knowledge.table import SourceInfo

NO_CONCEPT_ID = "training mentions without a concept id"
OF_CORPUS = "mentions of a corpus"


def make_store(
    sources: Sequence[str],
    output: Path,
    *,
    train: Sequence[Path] = (),
    label_map: Optional[Mapping[str, str]] = None,
    progress: Callable[[int], None] = lambda names: None,
) -> StoreInfo:
    """Read terminologies and training documents and write a store of their concepts.

    sources (Sequence[str]): Tables `.gaz` and files of the kinds in `knowledge.sources`, each PATH
        or LABEL=PATH; a path may stand there for several labels.
    output (Path): The store; it appears when it is whole.
    train (Sequence[Path]): DocBins whose gold mentions have concept ids.
    label_map (Optional[Mapping[str, str]]): New names of the documents' labels.
    progress (Callable[[int], None]): Is told how many names were read.
    RAISES (TermTableError): A source that cannot be read, or whose rows have no label.
    RAISES (ConfigError): Training documents without a mention with an id, or no name at all.
    """
    return _make(parse_sources(sources), output, tuple(train), dict(label_map or {}), progress)


def check_store(
    sources: Sequence[str],
    store: Path,
    *,
    train: Sequence[Path] = (),
    label_map: Optional[Mapping[str, str]] = None,
) -> StoreInfo:
    """Make sure that a store was built from these sources, labels and training documents.

    RAISES (TermTableError): No store, one that is not whole, or one that was built otherwise.
    """
    inputs = parse_sources(sources)
    _, digest = _gather(inputs, tuple(train), dict(label_map or {}))
    return ConceptStore(store, digest=digest).info


@guards_outputs("output", inputs=("inputs.paths", "train"), as_files=("output",))
def _make(
    inputs: LabeledPaths,
    output: Path,
    train: Sequence[Path],
    label_map: Mapping[str, str],
    progress: Callable[[int], None],
) -> StoreInfo:
    gathered, digest = _gather(inputs, train, label_map)
    return write_store(gathered, output, digest=digest, progress=progress)


def _gather(
    inputs: LabeledPaths, train: Sequence[Path], label_map: Mapping[str, str]
) -> Tuple[List[NameSource], str]:
    gathered: List[NameSource] = []
    labels: List[str] = []
    for path, label in zip(inputs.paths, inputs.labels, strict=True):
        found = list_origins(path, label=label)
        gathered += found
        labels += [label] * len(found)
    for path in train:
        gathered.append(_take_corpus(path, label_map))
        labels += [f"{old}={new}" for old, new in sorted(label_map.items())]
    return gathered, digest_sources([source.digest for source in gathered], labels)


def _take_corpus(path: Path, label_map: Mapping[str, str]) -> NameSource:
    """Take what the mentions of training documents call their concepts, each with its count."""
    n_names = 0

    def read() -> Iterator[ConceptName]:
        nonlocal n_names
        counts: Counter[Tuple[str, str, str]] = Counter()
        for doc in read_docbin(path, spacy.blank("en").vocab):
            for mention in list_gold_mentions(doc):
                ids = [one for one in mention.concept_ids if one.casefold() not in NO_CONCEPT]
                label = label_map.get(mention.key[2], mention.key[2])
                if ids:
                    counts["|".join(ids), mention.surface, label] += 1
                else:
                    taken.skipped[NO_CONCEPT_ID] += 1
        if not counts:
            raise ConfigError(
                f"{path}: found no mention with a concept id, expected training documents with "
                "ids; leave --train out for a store of the tables alone"
            )
        n_names = len(counts)
        for (concept_id, name, label), count in counts.items():
            yield ConceptName(concept_id, name, label, MENTION, count)

    def about() -> SourceInfo:
        return SourceInfo(f"{path.parent.name}/{path.stem}", "", OF_CORPUS, "", n_names)

    taken = NameSource(read, about, digest_path(path))
    return taken
