"""The concept ids that a corpus' mentions get from a store, and a pipeline's entities."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.apps.evaluation.evaluate import read_gold
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import counted
from spacy_bioner.components.abbreviations import find_abbreviations
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.intervals import N_RESAMPLES
from spacy_bioner.evaluation.linking import (
    LabelTally,
    LinkingScores,
    score_linking,
    tally_document,
)
from spacy_bioner.evaluation.metrics.concepts import compare_concepts
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.files.json_files import write_json
from spacy_bioner.gold import ANNOTATED_KEY, list_gold, list_gold_mentions
from spacy_bioner.knowledge.concepts.documents import read_mentions
from spacy_bioner.knowledge.concepts.linking import MIN_SCORE, Linker
from spacy_bioner.knowledge.concepts.store import ConceptStore

LINKER = "bioner_linker"


@dataclass(frozen=True)
class LinkSettings:
    """What is scored, and how.

    labels (Sequence[str]): Those of the corpus that are scored; empty: those that the store has.
    label_map (Mapping[str, str]): The store's label, by that of the corpus and the pipeline.
    min_score (float): What is less sure than that gets no id.
    seed (int): Of the bootstrap.
    """

    labels: Sequence[str] = ()
    label_map: Optional[Mapping[str, str]] = None
    min_score: float = MIN_SCORE
    seed: int = 0
    n_resamples: int = N_RESAMPLES


PLAIN = LinkSettings()


@guards_outputs("output", inputs=("corpus", "store", "pipeline"), as_files=("output",))
def link(
    corpus: Path,
    store: Path,
    settings: LinkSettings = PLAIN,
    *,
    pipeline: Optional[str] = None,
    output: Optional[Path] = None,
    gpu_id: int = -1,
    progress: Callable[[int], None] = lambda documents: None,
) -> LinkingScores:
    """Give the gold mentions of a corpus ids from a store and score these.

    corpus (Path): A DocBin whose gold mentions have concept ids.
    pipeline (Optional[str]): Score the entities of this pipeline as well; one without the component
        `bioner_linker` gets it, with this store.
    output (Optional[Path]): Write the scores there as JSON.
    RAISES (TermTableError): No such store.
    RAISES (CorpusError): A corpus without documents or annotation.
    RAISES (ConfigError): One without a mention with an id, of a label that the store has.
    """
    opened = ConceptStore(store)
    label_map = dict(settings.label_map or {})
    nlp = spacy.blank("en") if pipeline is None else load_pipeline(pipeline, gpu_id=gpu_id)
    gold = read_gold(corpus, nlp, settings.labels)
    labels = _choose_labels(gold, opened, settings.labels, label_map, corpus)
    linker = Linker(opened, min_score=settings.min_score)
    documents = list(_link_gold(gold, linker, labels, label_map, progress))
    if not any(tally.mentions for document in documents for tally in document.values()):
        raise ConfigError(
            f"{corpus}: found no mention of {', '.join(labels)} with a concept id; expected a "
            "corpus whose gold mentions have ids"
        )
    ends: Sequence[Mapping[str, Counts]] = ()
    if pipeline is not None:
        ends = _run_pipeline(nlp, gold, store, labels, settings)
    scores = score_linking(
        documents, end_to_end=ends, seed=settings.seed, n_resamples=settings.n_resamples
    )
    if output is not None:
        write_json(output, scores.to_json())
    return scores


def _choose_labels(
    gold: Sequence[Doc],
    store: ConceptStore,
    wanted: Sequence[str],
    label_map: Mapping[str, str],
    corpus: Path,
) -> List[str]:
    """Return the labels of the corpus that are scored.

    RAISES (ConfigError): None of them is one of the store's.
    """
    known = {label for doc in gold for _, _, label in list_gold(doc) or ()}
    chosen = [
        label for label in sorted(wanted or known) if label_map.get(label, label) in store.labels
    ]
    if not chosen:
        raise ConfigError(
            f"{corpus}: found mentions of {', '.join(sorted(known)) or 'nothing'}; expected some "
            f"of {', '.join(store.labels)}, which the store has; see --label-map"
        )
    return chosen


def _link_gold(
    gold: Sequence[Doc],
    linker: Linker,
    labels: Sequence[str],
    label_map: Mapping[str, str],
    progress: Callable[[int], None],
) -> Iterator[Dict[str, LabelTally]]:
    store = linker.store

    @cache
    def in_table(key: str, label: str) -> bool:
        return store.has_id(key, label_map.get(label, label))

    @cache
    def primary(key: str, label: str) -> str:
        return store.find_primary(key, label_map.get(label, label))

    for doc in counted(gold, progress):
        mentions = [item for item in list_gold_mentions(doc) if item.key[2] in labels]
        spans = [
            (start, end, label_map.get(label, label))
            for start, end, label in (item.key for item in mentions)
        ]
        texts = read_mentions(doc.text, spans, find_abbreviations(doc))
        found = [item.keys for item in linker.link(texts)]
        yield tally_document(mentions, found, in_table=in_table, primary=primary)


def _run_pipeline(
    nlp: Language,
    gold: Sequence[Doc],
    store: Path,
    labels: Sequence[str],
    settings: LinkSettings,
) -> List[Dict[str, Counts]]:
    if all(nlp.get_pipe_meta(name).factory != LINKER for name in nlp.pipe_names):
        config = {
            "stores": [str(store)],
            "label_map": dict(settings.label_map or {}),
            "min_score": settings.min_score,
            "overwrite": True,
        }
        nlp.add_pipe(LINKER, config=config)
    for doc in gold:
        doc.user_data[ANNOTATED_KEY] = sorted(labels)
    found = nlp.pipe(doc.text for doc in gold)
    return [compare_concepts(*pair) for pair in zip(gold, found, strict=True)]
