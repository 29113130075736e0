"""`bioner_feature_crf`: named-entity recognition by a CRF over word features, no network at all.

CRFsuite trains in one go, so the component learns in `initialize`, from all examples, and there is
nothing to update: `spacy train` needs one step. What it has learned runs without CRFsuite.
"""

from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
import srsly
from spacy import util
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab

from spacy_bioner.architectures.decoding import TagGrammar, make_grammar
from spacy_bioner.architectures.pieces.words import Words, find_spans, find_words
from spacy_bioner.components.crf_weights import CrfWeights, check_crfsuite, train_weights
from spacy_bioner.components.entities import write_entities
from spacy_bioner.components.evidence import register_extensions
from spacy_bioner.components.gold_tags import allowed_tags
from spacy_bioner.components.tag_labels import TagLabels, find_labels
from spacy_bioner.components.token_features import sequence_borders, word_features
from spacy_bioner.tags import TokenSpan, normalize_scheme

Scorer = Callable[[Iterable[Example]], Dict[str, Any]]

DEFAULT_CONFIG: Dict[str, Any] = {
    "scheme": "BIO",
    "c1": 0.1,
    "c2": 0.01,
    "max_iterations": 200,
    "min_count": 1,
    "scorer": {"@scorers": "spacy_bioner.EntityScorer.v1"},
}


@Language.factory(
    "bioner_feature_crf",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config=DEFAULT_CONFIG,
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_feature_crf(
    nlp: Language,
    name: str,
    scheme: str,
    c1: float,
    c2: float,
    max_iterations: int,
    min_count: int,
    scorer: Optional[Callable],
) -> "FeatureCrf":
    """Make the component.

    scheme (str): The tag scheme that it learns: "IO", "BIO", "BIOES" or "BILOU".
    c1 (float): L1 penalty of the weights.
    c2 (float): L2 penalty of the weights.
    max_iterations (int): The most iterations of L-BFGS.
    min_count (int): Features that occur less often in training are left out.
    scorer (Optional[Callable]): Computes the scores of `nlp.evaluate`.
    RAISES (LabelError): For an unknown scheme.
    """
    normalize_scheme(scheme)
    settings = {"c1": c1, "c2": c2, "max_iterations": max_iterations, "min_count": min_count}
    return FeatureCrf(nlp.vocab, name, scheme=scheme, settings=settings, scorer=scorer)


class FeatureCrf(TagLabels, Pipe):
    """Tags each sentence by a linear-chain CRF and writes entities with confidence.

    Parts of speech are features where a Doc has them: put a tagger in front and name it under
    `[training] annotating_components`, so that the component sees them when it learns.

    vocab (Vocab): The shared vocabulary.
    name (str): The component's name: the key of its span group and its name as a source.
    scheme (str): The tag scheme.
    settings (Dict[str, Any]): Of the training: c1, c2, max_iterations, min_count.
    scorer (Optional[Callable]): Computes the scores of `nlp.evaluate`.
    """

    def __init__(
        self,
        vocab: Vocab,
        name: str = "bioner_feature_crf",
        *,
        scheme: str = "BIO",
        settings: Dict[str, Any],
        scorer: Optional[Scorer] = None,
    ) -> None:
        register_extensions()
        self.vocab = vocab
        self.name = name
        self.scorer = scorer
        self.settings = settings
        self.cfg: Dict[str, Any] = {"labels": [], "scheme": scheme}
        self.weights: Optional[CrfWeights] = None
        # Made of tags and weights when it is first needed.
        self._grammar: Optional[TagGrammar] = None

    @property
    def fitting_losses(self) -> List[float]:
        """The loss after each iteration of `initialize`, for the training log."""
        return [] if self.weights is None else list(self.weights.losses)

    def __call__(self, doc: Doc) -> Doc:
        """Write `doc.ents`, the span group named like the component, and the ledger.

        Entities that other components have set stay where they overlap none of these.
        RAISES (ValueError): Before the component has been trained or loaded.
        """
        if self.weights is None:
            raise ValueError(
                f"component '{self.name}' has no weights yet: initialize the pipeline on examples, "
                "or load it from disk"
            )
        words = find_words(doc)
        emissions = self.weights.emissions(word_features(doc, words))
        if self._grammar is None:
            self._grammar = _make_grammar(self.tags, self.cfg["scheme"], self.weights)
        spans, confidences = self._decode(doc, words, emissions, self._grammar)
        write_entities(doc, self.name, spans, confidences)
        return doc

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Sequence[str]] = None,
    ) -> None:
        """Learn from all examples.

        What is not known of a token counts as outside: CRFsuite takes one tag for each.
        get_examples (Callable): Gives the training examples; called twice.
        nlp (Optional[Language]): The pipeline. Its components before this one that the training
            config names as annotating run over the texts first.
        labels (Optional[Sequence[str]]): The labels, where they are known; else those of all
            examples, sorted.
        RAISES (ConfigError): Without python-crfsuite.
        RAISES (TrainingDataError): Where there are neither labels nor entities.
        """
        check_crfsuite()
        validate_get_examples(get_examples, "FeatureCrf.initialize")
        self.cfg["labels"] = find_labels(get_examples, labels, name=self.name)
        self._grammar = None
        examples = _annotate(get_examples(), nlp, self.name)
        sequences = (pair for example in examples for pair in self._sequences(example))
        self.weights = train_weights(sequences, len(self.tags), **self.settings)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize labels and weights."""
        return util.to_bytes(self._writers(), exclude)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "FeatureCrf":
        """Take back labels and weights."""
        util.from_bytes(data, {"cfg": self._set_cfg, "weights": self._set_weights}, exclude)
        return self

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write labels and weights to a folder."""
        writers = {key: _writer(give) for key, give in self._writers().items()}
        util.to_disk(util.ensure_path(path), writers, exclude)

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "FeatureCrf":
        """Read labels and weights from a folder."""
        readers = {
            "cfg": lambda file: self._set_cfg(file.read_bytes()),
            "weights": lambda file: self._set_weights(file.read_bytes()),
        }
        util.from_disk(util.ensure_path(path), readers, exclude)
        return self

    def _sequences(self, example: Example) -> Iterator[Tuple[List[List[str]], Sequence[int]]]:
        words = find_words(example.predicted)
        features = word_features(example.predicted, words)
        # "O" comes first among the tags, and so where several are possible.
        allowed = allowed_tags(example, self.tags, self.cfg["scheme"], words)
        tags = words.pick(allowed).argmax(axis=1).tolist()
        for start, end in sequence_borders(example.predicted, words):
            yield features[start:end], tags[start:end]

    def _decode(
        self, doc: Doc, words: Words, emissions: np.ndarray, grammar: TagGrammar
    ) -> Tuple[List[TokenSpan], List[float]]:
        """Find the entities of each sentence; a confidence is the share of all legal tag sequences
        of the sentence that have the entity."""
        borders = sequence_borders(doc, words)
        scores = [emissions[start:end] for start, end in borders]
        spans: List[TokenSpan] = []
        confidences: List[float] = []
        for (first, _), (found, chances) in zip(borders, find_spans(scores, self.tags, grammar)):
            spans += [(first + start, first + end, label) for start, end, label in found]
            confidences += chances
        return words.to_tokens(spans), confidences

    def _writers(self) -> Dict[str, Callable[[], bytes]]:
        return {
            "cfg": lambda: srsly.msgpack_dumps(self.cfg),
            "weights": lambda: srsly.msgpack_dumps(self.weights and self.weights.to_plain()),
        }

    def _set_cfg(self, data: bytes) -> None:
        self.cfg = srsly.msgpack_loads(data)
        self._grammar = None

    def _set_weights(self, data: bytes) -> None:
        plain = srsly.msgpack_loads(data)
        self.weights = plain and CrfWeights.from_plain(plain)
        self._grammar = None


def _make_grammar(tags: Sequence[str], scheme: str, weights: CrfWeights) -> TagGrammar:
    # CRFsuite has no weights for the first and the last tag of a sequence.
    borders = np.zeros(len(tags))
    return make_grammar(tags, scheme, (weights.transitions, borders, borders))


def _annotate(examples: Iterable[Example], nlp: Optional[Language], name: str) -> Iterator[Example]:
    """Run the annotating components that stand before the named one."""
    annotating: List[Tuple[str, Callable[[Doc], Doc]]] = []
    if nlp is not None and name in nlp.pipe_names:
        chosen = nlp.config.get("training", {}).get("annotating_components", [])
        before = nlp.pipeline[: nlp.pipe_names.index(name)]
        annotating = [(key, component) for key, component in before if key in chosen]
    for example in examples:
        for _, component in annotating:
            example.predicted = component(example.predicted)
        yield example


def _writer(give: Callable[[], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(give())

    return write
