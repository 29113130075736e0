"""Corpora that annotate different labels, as the training data of one model."""

import logging
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, Iterable, Iterator, List, Optional, Set

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.corpora.labels import check_names
from spacy_bioner.doc_ents import copy_span, replace_ents
from spacy_bioner.errors import TrainingDataError
from spacy_bioner.gold import ANNOTATED_KEY, DATASET_KEY, ID_KEY, gold_mentions, relabel_gold
from spacy_bioner.training.corpus import BionerCorpus, find_docbins

logger = logging.getLogger(__name__)
SETTINGS = ("path", "labels", "label_map", "weight")


@dataclass(frozen=True)
class TrainingCorpus:
    """One of the corpora.

    name (str): What reports and dataset embeddings call it.
    path (Path): A .spacy file or a folder of them.
    labels (FrozenSet[str]): The labels that it annotates, after mapping. Where it says O, an
        entity of any other label may still be. None of them: text that teaches nothing but what
        virtual adversarial training makes of it.
    label_map (Dict[str, str]): The corpus' label → ours; labels that it does not name stay.
    weight (float): How often each document is seen in a pass: 2 is twice, 0.5 every other one.
    """

    name: str
    path: Path
    labels: FrozenSet[str]
    label_map: Dict[str, str]
    weight: float


def make_multi_corpus(
    corpora: Dict[str, Dict[str, Any]],
    *,
    exclude: Optional[List[Path]] = None,
    seed: int = 0,
) -> Callable[[Language], Iterable[Example]]:
    """Create the reader registered as `spacy_bioner.MultiCorpus.v1`.

    corpora (Dict[str, Dict[str, Any]]): By name: `path` (a .spacy file or a folder of them),
        `labels` (those that the corpus annotates, after mapping; empty for unlabeled text, which
        is there for virtual adversarial training), and optionally `label_map`
        (the corpus' label → ours) and `weight` (how often a document is seen in a pass; 1).
        What has a label that is neither mapped nor listed is not known, rather than outside.
    exclude (Optional[List[Path]]): .spacy files or folders whose documents must not be trained
        on, such as the test splits of all corpora. They are told by their identifiers.
    seed (int): Draws order, and the documents of a weight that is no whole number.
    RAISES (TrainingDataError): For settings that are missing or unknown.
    """
    sources = [_read_source(name, settings) for name, settings in corpora.items()]
    if not sources:
        raise TrainingDataError("no corpus is named in the settings of the reader")
    return MultiCorpus(sources, exclude=list(exclude or ()), seed=seed)


class MultiCorpus:
    """Reads several corpora in mixed order; each Doc says which labels its corpus annotates."""

    def __init__(self, sources: List[TrainingCorpus], *, exclude: List[Path], seed: int) -> None:
        self.sources = sources
        self.exclude = exclude
        self.random = random.Random(seed)

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Stream the Examples; each call draws anew.

        RAISES (TrainingDataError): For a corpus without any entity of its labels.
        RAISES (LabelError): For a label to rename that a corpus does not have.
        """
        excluded = _read_ids(self.exclude, nlp)
        drawn: List[Example] = []
        for source in self.sources:
            examples = list(self._read(source, nlp, excluded))
            if source.labels and not any(example.reference.ents for example in examples):
                raise TrainingDataError(
                    f"{source.path}: found no entity labeled {', '.join(sorted(source.labels))}; "
                    f"check labels and label_map of corpus '{source.name}'"
                )
            for example in examples:
                drawn.extend([example] * self._draw(source.weight))
        self.random.shuffle(drawn)
        yield from drawn

    def _draw(self, weight: float) -> int:
        whole = int(weight)
        return whole + (self.random.random() < weight - whole)

    def _read(
        self, source: TrainingCorpus, nlp: Language, excluded: FrozenSet[str]
    ) -> Iterator[Example]:
        left_out = 0
        found: Set[str] = set()
        for example in BionerCorpus(source.path, unlabeled=not source.labels)(nlp):
            found.update(_list_labels(example.reference))
            if example.reference.user_data.get(ID_KEY) in excluded:
                left_out += 1
                continue
            example.predicted.user_data[DATASET_KEY] = source.name
            yield Example(example.predicted, _relabel(example.reference, source))
        check_names(source.label_map, found, where=f"label_map of corpus '{source.name}'")
        if left_out:
            logger.info("%s: %d documents left out by identifier", source.name, left_out)


def _list_labels(doc: Doc) -> Set[str]:
    return {ent.label_ for ent in doc.ents} | {mention.label for mention in gold_mentions(doc)}


def _relabel(doc: Doc, source: TrainingCorpus) -> Doc:
    """Map labels; what has a label that the corpus is not said to annotate becomes unknown, and
    what is unknown stays so."""
    kept: List[Span] = []
    unknown = [doc[token.i : token.i + 1] for token in doc if not token.ent_iob]
    for ent in doc.ents:
        label = source.label_map.get(ent.label_, ent.label_)
        span = copy_span(ent, label=label)
        (kept if label in source.labels else unknown).append(span)
    replace_ents(doc, kept, missing=unknown)
    doc.user_data[ANNOTATED_KEY] = sorted(source.labels)
    relabel_gold(doc, source.label_map)
    return doc


def _read_ids(paths: List[Path], nlp: Language) -> FrozenSet[str]:
    docs = (
        doc
        for path in paths
        for file in find_docbins(Path(path))
        for doc in read_docbin(file, nlp.vocab)
    )
    return frozenset(str(doc.user_data[ID_KEY]) for doc in docs if ID_KEY in doc.user_data)


def _read_source(name: str, settings: Dict[str, Any]) -> TrainingCorpus:
    missing = [key for key in ("path", "labels") if settings.get(key) in (None, "")]
    unknown = sorted(set(settings) - set(SETTINGS))
    if missing or unknown:
        fault = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(unknown)}"
        raise TrainingDataError(
            f"corpus '{name}' {fault}; expected path, labels and optionally label_map and weight"
        )
    labels = settings["labels"]
    if isinstance(labels, str) or not all(isinstance(label, str) and label for label in labels):
        raise TrainingDataError(
            f"corpus '{name}': found labels {labels!r}, expected a list of names"
        )
    weight = float(settings.get("weight", 1.0))
    if weight <= 0:
        raise TrainingDataError(f"corpus '{name}': found weight {weight}, expected more than 0")
    return TrainingCorpus(
        name,
        Path(settings["path"]),
        frozenset(settings["labels"]),
        dict(settings.get("label_map") or {}),
        weight,
    )
