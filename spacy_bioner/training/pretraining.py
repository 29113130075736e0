"""Continued pre-training by masked language modeling (Gururangan et al. 2020)."""

import hashlib
import math
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Sequence, Sized, TypeVar

import numpy as np

from spacy_bioner.errors import ConfigError, TrainingDataError
from spacy_bioner.training.loop import compute_in_parts
from spacy_bioner.training.packing import (
    HOLDING_OUT,
    MASKING,
    Masked,
    Packed,
    PackedStream,
    Packer,
    Vocabulary,
    mask_words,
)

if TYPE_CHECKING:
    import torch

    from spacy_bioner.layers.masked_lm import MaskedLM

Kept = TypeVar("Kept", bound=Sized)

# Of RoBERTa (Liu et al. 2019).
BETAS = (0.9, 0.98)
EPSILON = 1e-6
WEIGHT_DECAY = 0.01
MAX_NORM = 1.0


class MaskedLMTask:
    """What a step of pre-training does; `run_steps` drives it.

    model (MaskedLM): On its device.
    stream (PackedStream): Where batches come from.
    held_out (Packed): Sequences to measure on; may be empty. They are masked once.
    n_sequences (int): Sequences of a step.
    head_rate (float): The head's learning rate as a multiple: a new head has far to go.
    """

    def __init__(
        self,
        model: "MaskedLM",
        stream: PackedStream,
        vocabulary: Vocabulary,
        *,
        held_out: Packed,
        n_sequences: int,
        mask_rate: float = 0.15,
        seed: int = 0,
        head_rate: float = 1.0,
    ) -> None:
        from spacy_bioner.architectures.torch_bridge import make_adamw

        self.model = model
        self.stream = stream
        self.vocabulary = vocabulary
        self.n_sequences = n_sequences
        self.mask_rate = mask_rate
        self.seed = seed
        self.n_parts = 1
        self.device = next(model.parameters()).device
        self.optimizer = make_adamw(
            model, lambda name: head_rate if name.startswith("head.") else 1.0
        )
        random = np.random.default_rng([seed, HOLDING_OUT])
        self.held_out = mask_words(held_out, vocabulary, random, rate=mask_rate)

    def learn(self, step: int, rate: float) -> Dict[str, Any]:
        """Guess the masked pieces of the next sequences, and learn from the mean loss."""
        from torch import nn

        packed = self.stream.next_batch(self.n_sequences)
        # By the step's number: a run that goes on masks as one that was never killed.
        random = np.random.default_rng([self.seed, MASKING, step])
        batch = mask_words(packed, self.vocabulary, random, rate=self.mask_rate)
        before = self.n_parts
        self.model.train()
        loss, self.n_parts = compute_in_parts(
            lambda part: self._add_gradient(part, len(batch.targets)),
            batch.split,
            lambda: self.optimizer.zero_grad(set_to_none=True),
            n_parts=self.n_parts,
        )
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), MAX_NORM))
        entry = {
            "loss": loss if math.isfinite(norm) else math.nan,
            "norm": norm,
            "epoch": self.stream.epoch,
            "pieces": int(batch.ids.size),
            "parts": self.n_parts,
            "split_again": self.n_parts > before,
        }
        if math.isfinite(loss) and math.isfinite(norm):
            self._step(rate)
        return entry

    def evaluate(self) -> Dict[str, Any]:
        """Return the mean loss of the held-out sequences, and its exponential."""
        import torch

        if not len(self.held_out.targets):
            return {}
        self.model.eval()
        n_parts = -(-len(self.held_out.ids) // self.n_sequences) * self.n_parts
        with torch.no_grad():
            total = sum(float(self._forward(part)) for part in self.held_out.split(n_parts))
        loss = total / len(self.held_out.targets)
        return {"loss": loss, "perplexity": math.exp(min(loss, 700)), "n": self.held_out.ids.size}

    def state(self) -> Dict[str, Any]:
        """Return weights, optimizer, position in the texts and torch's random state."""
        import torch

        return {
            "module": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "stream": self.stream.state(),
            "n_parts": self.n_parts,
            "random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
        }

    def restore(self, state: Dict[str, Any]) -> None:
        """Go on from a state."""
        import torch

        self.model.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.stream.restore(state["stream"])
        self.n_parts = state["n_parts"]
        torch.set_rng_state(state["random"])
        if state["cuda_random"]:
            torch.cuda.set_rng_state_all(state["cuda_random"])

    def _add_gradient(self, part: Masked, n_targets: int) -> float:
        loss = self._forward(part) / n_targets
        loss.backward()
        return float(loss.detach())

    def _forward(self, part: Masked) -> "torch.Tensor":
        import torch

        arrays = (part.ids, part.positions, part.targets)
        return self.model(*(torch.from_numpy(array).to(self.device) for array in arrays))

    def _step(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["lr_scale"]
            group["betas"], group["eps"] = BETAS, EPSILON
            group["weight_decay"] = WEIGHT_DECAY if group["decay"] else 0.0
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def hold_out(
    documents: Iterable[str], packer: Packer, *, n_sequences: int, per_document: int = 4
) -> Packed:
    """Pack the first sequences of documents, until there are enough.

    per_document (int): The most sequences of one, so that long ones do not fill all.
    """
    parts: List[Packed] = []
    for text in documents:
        packed = packer.add([text])
        if len(packed):
            parts.append(Packed(packed.ids[:per_document], packed.words[:per_document]))
        if sum(map(len, parts)) >= n_sequences:
            break
    if not parts:
        return Packed(np.zeros((0, 1), np.int32), np.zeros((0, 1), np.int32))
    ids, words = ([getattr(part, name) for part in parts] for name in ("ids", "words"))
    return Packed(np.concatenate(ids)[:n_sequences], np.concatenate(words)[:n_sequences])


def count_sequences(batch_pieces: int, length: int) -> int:
    """Say how many sequences of a length make a batch of so many pieces.

    RAISES (ConfigError): Where not even one does.
    """
    if batch_pieces < length:
        raise ConfigError(
            f"--batch-pieces {batch_pieces}: expected at least the length of a sequence, {length}"
        )
    return batch_pieces // length


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Make sure that a setting lies between two values, both excluded.

    RAISES (ConfigError): Where it does not.
    """
    if not low < value < high:
        raise ConfigError(f"{name} {value}: expected a number between {low} and {high}")


def require_held_out(kept: Kept, share: float) -> Kept:
    """Pass what is held out on.

    RAISES (TrainingDataError): Where there are none, though a share was to be set aside.
    """
    if share and not len(kept):
        raise TrainingDataError(
            f"no document falls into the share of {share} that is held out: name more text, raise "
            "--held-out, or set it to 0 to train without measuring"
        )
    return kept


def fingerprint_weights(weights: Sequence["torch.Tensor"]) -> str:
    """Return a short hash of weights."""
    digest = hashlib.blake2b(digest_size=8)
    for tensor in weights:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
