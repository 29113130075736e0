"""Distillation of a `bioner` into a smaller one (Hinton et al. 2015), on unlabeled text."""

import math
import re
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, cast

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, Model, set_dropout_rate
from thinc.types import Floats2d

from spacy_bioner.architectures.pieces.subword_labels import read_words
from spacy_bioner.components.ner import TokenNER
from spacy_bioner.errors import ConfigError
from spacy_bioner.training.distillation_loss import choose_targets, compare_taggers, imitation_loss
from spacy_bioner.training.loop import compute_in_parts

SHUFFLING, GOLD = 4, 5
LAYER = re.compile(r"(?<=\blayer\.)\d+(?=\.)|(?<=\blayers\.)\d+(?=\.)")
DEPTHS = ("num_hidden_layers", "n_layers")


class PassageStream:
    """Cuts documents into passages of whole sentences and mixes them through a buffer.

    documents (Any): A TextStream or a TextList.
    n_tokens (int): About how many tokens a passage has; longer sentences stay whole.
    """

    def __init__(
        self, documents: Any, nlp: Language, *, seed: int, n_tokens: int = 100, buffer: int = 512
    ) -> None:
        self.documents = documents
        self.nlp = nlp
        self.seed = seed
        self.n_tokens = n_tokens
        self.size = buffer
        self.n_batches = 0
        self.passages: List[str] = []

    @property
    def epoch(self) -> int:
        """How many times all texts were read, the present time not counted."""
        return self.documents.epoch

    def next_batch(self, n_passages: int) -> List[str]:
        """Yield so many passages."""
        while len(self.passages) < self.size + n_passages:
            doc = self.nlp.make_doc(next(self.documents))
            self.passages += cut_passages(doc, self.n_tokens)
        random = np.random.default_rng([self.seed, SHUFFLING, self.n_batches])
        chosen = []
        for _ in range(n_passages):
            index = int(random.integers(len(self.passages)))
            chosen.append(self.passages[index])
            self.passages[index] = self.passages[-1]
            self.passages.pop()
        self.n_batches += 1
        return chosen

    def state(self) -> Dict[str, Any]:
        """Describe position and buffer in plain data."""
        position = self.documents.state()
        return {"documents": position, "n": self.n_batches, "passages": list(self.passages)}

    def restore(self, state: Dict[str, Any]) -> None:
        """Go on from a state."""
        self.documents.restore(state["documents"])
        self.n_batches, self.passages = state["n"], list(state["passages"])


def cut_passages(doc: Doc, n_tokens: int) -> List[str]:
    """Cut a Doc into texts of about so many tokens, at sentence starts where it has some."""
    starts = [0]
    # It looks at every token: once is enough.
    known = doc.has_annotation("SENT_START")
    for token in doc:
        long_enough = token.i - starts[-1] >= n_tokens
        if long_enough and (token.is_sent_start or not known):
            starts.append(token.i)
    ends = [*starts[1:], len(doc)]
    texts = (doc[start:end].text.strip() for start, end in zip(starts, ends) if end > start)
    return [text for text in texts if text]


class DistillationTask:
    """What a step of distillation does; `run_steps` drives it.

    teacher (TokenNER): Gives tag log probabilities, see `choose_targets`.
    student (TokenNER): Has the same tags.
    nlp (Language): The student's pipeline; its tokenizer cuts texts for both.
    held_out (Sequence[str]): Passages to compare both on.
    gold (Sequence[Example]): Annotated examples, which count with the share `alpha`.
    temperature (float): Flattens both distributions; the loss is scaled by its square.
    """

    def __init__(
        self,
        teacher: TokenNER,
        student: TokenNER,
        nlp: Language,
        stream: PassageStream,
        *,
        held_out: Sequence[str] = (),
        gold: Sequence[Example] = (),
        alpha: float = 0.5,
        temperature: float = 2.0,
        batch_passages: int = 8,
        dropout: float = 0.1,
        seed: int = 0,
    ) -> None:
        if teacher.tags != student.tags:
            raise ConfigError("teacher and student have different tags")
        self.teacher, self.student, self.nlp, self.stream = teacher, student, nlp, stream
        self.held_out = [nlp.make_doc(text) for text in held_out]
        self.gold = [example for example in gold if len(example.predicted)]
        self.alpha = alpha if self.gold else 0.0
        self.temperature, self.batch_passages = temperature, batch_passages
        self.dropout, self.seed, self.n_parts = dropout, seed, 1
        self.optimizer = Adam(0.0, L2=0.01, L2_is_weight_decay=True, grad_clip=1.0)

    def learn(self, step: int, rate: float) -> Dict[str, Any]:
        """Learn from the teacher on the next passages, and from as many gold examples."""
        from spacy_bioner.architectures.torch_bridge import clip_gradients

        docs = [self.nlp.make_doc(text) for text in self.stream.next_batch(self.batch_passages)]
        items: List[Any] = [doc for doc in docs if len(doc)] + self._draw_gold(step)
        n_words = self._count_words(item for item in items if isinstance(item, Doc))
        n_gold = sum(len(item.predicted) for item in items if isinstance(item, Example))
        before = self.n_parts
        set_dropout_rate(self.student.model, self.dropout)
        loss, self.n_parts = compute_in_parts(
            lambda part: self._add_gradient(part, n_words, n_gold),
            lambda n: _divide(items, n),
            self._reset,
            n_parts=self.n_parts,
        )
        norm = clip_gradients(self.student.model, self.optimizer.grad_clip)
        is_finite = math.isfinite(loss) and math.isfinite(norm or 0.0)
        if is_finite:
            self.optimizer.learn_rate = rate
            self.student.model.finish_update(self.optimizer)
        return {
            "loss": loss if is_finite else math.nan,
            "norm": norm,
            "epoch": self.stream.epoch,
            "pieces": n_words + n_gold,
            "parts": self.n_parts,
            "split_again": self.n_parts > before,
        }

    def evaluate(self) -> Dict[str, Any]:
        """Compare teacher and student on held-out passages; see `compare_taggers`."""
        n_words = self._count_words(self.held_out)
        if not n_words:
            return {}
        loss, same = 0.0, 0
        for start in range(0, len(self.held_out), self.batch_passages):
            docs = self.held_out[start : start + self.batch_passages]
            divergence, n_same = compare_taggers(self.teacher, self.student, docs)
            loss, same = loss + divergence, same + n_same
        return {"loss": loss / n_words, "agreement": same / n_words, "n": n_words}

    def state(self) -> Dict[str, Any]:
        """Return weights, optimizers, position in the texts and torch's random state."""
        import torch

        shims = [
            {"module": shim.module.state_dict(), "optimizer": _optimizer_state(shim)}
            for shim in _shims(self.student.model)
        ]
        random = torch.get_rng_state()
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        position = {"stream": self.stream.state(), "n_parts": self.n_parts}
        return {"shims": shims, **position, "random": random, "cuda_random": cuda}

    def restore(self, state: Dict[str, Any]) -> None:
        """Go on from a state."""
        import torch

        from spacy_bioner.architectures.torch_bridge import make_adamw

        for shim, saved in zip(_shims(self.student.model), state["shims"]):
            shim.module.load_state_dict(saved["module"])
            if saved["optimizer"] is not None:
                shim._optimizer = make_adamw(shim.module, shim.lr_scale)
                shim._optimizer.load_state_dict(saved["optimizer"])
        self.stream.restore(state["stream"])
        self.n_parts = state["n_parts"]
        torch.set_rng_state(state["random"])
        if state["cuda_random"]:
            torch.cuda.set_rng_state_all(state["cuda_random"])

    def _draw_gold(self, step: int) -> List[Example]:
        if not self.gold:
            return []
        random = np.random.default_rng([self.seed, GOLD, step])
        chosen = random.integers(len(self.gold), size=self.batch_passages)
        return [self.gold[index] for index in chosen]

    def _count_words(self, docs: Iterable[Doc]) -> int:
        return sum(map(len, read_words(self.student.model, list(docs))))

    def _add_gradient(self, part: List[Any], n_words: int, n_gold: int) -> float:
        docs = [item for item in part if isinstance(item, Doc)]
        examples = [item for item in part if isinstance(item, Example)]
        loss = 0.0
        if docs:
            loss += self._imitate(docs, (1 - self.alpha) / max(n_words, 1))
        if examples:
            share = sum(len(example.predicted) for example in examples) / n_gold
            emissions, backprop = self.student.model.begin_update([e.predicted for e in examples])
            weight = self.alpha * share
            gold_loss, gradient = self.student.get_loss(examples, emissions, share=weight)
            backprop(gradient)
            loss += gold_loss
        return loss

    def _imitate(self, docs: List[Doc], weight: float) -> float:
        ops = self.student.model.ops
        targets = choose_targets(self.teacher, self.student, docs)
        emissions, backprop = self.student.model.begin_update(docs)
        loss, gradients = 0.0, []
        for own, target, rows in zip(read_words(self.student.model, docs), targets, emissions):
            scores = own.pick(ops.to_numpy(rows))
            part, gradient = imitation_loss(own.pick(target), scores, self.temperature)
            loss += part * weight
            placed = own.place(gradient * weight, len(rows))
            gradients.append(ops.asarray2f(cast(Floats2d, placed)))
        backprop(gradients)
        return loss

    def _reset(self) -> None:
        for shim in _shims(self.student.model):
            shim.module.zero_grad(set_to_none=True)


def choose_layers(n_layers: int, n_kept: int, *, spaced: bool = True) -> List[int]:
    """Choose the layers of a student: evenly from the first to the last, or the first ones.

    RAISES (ConfigError): For fewer than one or more than there are.
    """
    if not 1 <= n_kept <= n_layers:
        raise ConfigError(f"--layers {n_kept}: expected 1 to {n_layers}, the teacher's")
    if not spaced or n_kept == 1:
        return list(range(n_kept))
    return [round(i * (n_layers - 1) / (n_kept - 1)) for i in range(n_kept)]


def keep_layers(
    config: Dict[str, Any], weights: Dict[str, Any], kept: Sequence[int]
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Take layers out of a transformer's configuration and weights, and number them anew."""
    names = {old: new for new, old in enumerate(kept)}
    smaller = {}
    for name, tensor in weights.items():
        match = LAYER.search(name)
        if match is None:
            smaller[name] = tensor
        elif int(match[0]) in names:
            number = names[int(match[0])]
            smaller[f"{name[: match.start()]}{number}{name[match.end() :]}"] = tensor
    return {**config, **{key: len(kept) for key in DEPTHS if key in config}}, smaller


def _divide(items: List[Any], n_parts: int) -> List[List[Any]]:
    groups = np.array_split(np.arange(len(items)), min(n_parts, len(items)))
    return [[items[index] for index in group] for group in groups]


def _shims(model: Model) -> List[Any]:
    from spacy_bioner.architectures.torch_bridge import torch_shims

    return torch_shims(model)


def _optimizer_state(shim: Any) -> Optional[Dict[str, Any]]:
    return None if shim._optimizer is None else shim._optimizer.state_dict()
