"""What the sections of `gpu_check.py` share: the device, encoders of random weights, tables."""

import gc
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Optional, Sequence, Tuple

import torch
from _common import write_random_bert
from safetensors.torch import load_file
from spacy.language import Language
from thinc.util import get_torch_default_device, torch2xp

from spacy_bioner.apps.loading import use_device
from spacy_bioner.architectures import encoders, torch_bridge

# As in BioBERT's vocabulary; what the texts do not need is filled up with [unused…].
BIOBERT_ROWS = 28_996
BASE = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}
# Without dropout, whose random numbers differ between devices.
SMALL = {
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
Span = Tuple[int, int, int, str]


@dataclass(frozen=True)
class Table:
    """One table of the report.

    rows (Sequence[Sequence[str]]): The first one is the header.
    left (int): So many columns are text, the others numbers.
    about (Dict[str, Any]): n, seed and other facts, for the line above the table.
    wrong (Tuple[str, ...]): What is not as it has to be.
    """

    title: str
    rows: Sequence[Sequence[str]]
    left: int = 1
    about: Dict[str, Any] = field(default_factory=dict)
    wrong: Tuple[str, ...] = ()


@dataclass
class Setup:
    """What a section works with.

    gpu_id (int): The GPU; -1 in a rehearsal, where the CPU stands in for it.
    quick (bool): Small models and few steps, for a rehearsal.
    folder (Path): For what sections write.
    source (str): What the texts are.
    corpus_dir (Path): The folder with train.spacy, dev.spacy and test.spacy.
    texts (Sequence[str]): The training texts.
    dev_texts (Sequence[str]): Those that pipelines are compared on.
    crosses_on_cpu (bool): cupy failed: arrays leave the GPU between layers.
    """

    gpu_id: int
    quick: bool
    seed: int
    folder: Path
    source: str
    corpus_dir: Path
    texts: Sequence[str]
    dev_texts: Sequence[str]
    crosses_on_cpu: bool = False

    @property
    def train(self) -> Path:
        """The training documents."""
        return self.corpus_dir / "train.spacy"

    def use_gpu(self) -> None:
        """Make what is loaded from now on run on the GPU."""
        if self.crosses_on_cpu:
            use_device(-1)
            _cross_on_cpu(torch.device(f"cuda:{self.gpu_id}"))
        else:
            use_device(self.gpu_id)

    def use_cpu(self) -> None:
        """Make what is loaded from now on run on the CPU."""
        _cross_on_cpu(None)
        use_device(-1)

    def base_encoder(self) -> str:
        """Return random weights in BioBERT's layout; a smaller encoder in a rehearsal."""
        size = {**SMALL, "hidden_size": 64} if self.quick else BASE
        return self._encoder("biobert_random", 600 if self.quick else BIOBERT_ROWS, size)

    def small_encoder(self) -> str:
        """Return a small BERT of random weights in the same layout."""
        return self._encoder("bert_small_random", 4000, SMALL)

    def _encoder(self, name: str, rows: int, size: Dict[str, Any]) -> str:
        folder = self.folder / name
        if not folder.is_dir():
            write_biobert_layout(folder, self.texts, rows=rows, seed=self.seed, **size)
        return str(folder)


def write_biobert_layout(
    folder: Path, texts: Sequence[str], *, rows: int, seed: int, **size: Any
) -> None:
    """Write config.json, vocab.txt and pytorch_model.bin, as BioBERT has them.

    rows (int): Size of the vocabulary; at most 5,000 of them are pieces of the texts, so that a
        word has about as many pieces as with BioBERT.
    """
    pieces = min(rows, 5000)
    write_random_bert(folder, texts, pieces=pieces, seed=seed, vocab_size=rows, **size)
    vocabulary = folder / "vocab.txt"
    lines = vocabulary.read_text("utf8").splitlines()
    lines += [f"[unused{number}]" for number in range(1, rows - len(lines) + 1)]
    vocabulary.write_text("\n".join(lines) + "\n", "utf8")
    weights = load_file(folder / "model.safetensors")
    torch.save({f"bert.{name}": w for name, w in weights.items()}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def _cross_on_cpu(device: Optional[torch.device]) -> None:
    """Keep modules on a device while arrays between layers are numpy's; None undoes it."""
    find = get_torch_default_device if device is None else lambda: device
    cross = torch2xp if device is None else lambda tensor: tensor.detach().cpu().numpy()
    for module in (torch_bridge, encoders):
        vars(module)["get_torch_default_device"] = find
    vars(torch_bridge)["torch2xp"] = cross


def read_entities(nlp: Language, texts: Sequence[str]) -> Dict[Span, float]:
    """Find entities, with their confidence, by document, offsets and label."""
    return {
        (number, ent.start_char, ent.end_char, ent.label_): float(ent._.confidence)
        for number, doc in enumerate(nlp.pipe(texts))
        for ent in doc.ents
    }


def free_memory() -> None:
    """Forget what no one holds any more, and count the peak of GPU memory from here."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> str:
    """Return the most that torch held on the GPU since `free_memory`, in GiB."""
    if not torch.cuda.is_available():
        return "–"
    return f"{torch.cuda.max_memory_allocated() / 2**30:.2f}"


def now() -> float:
    """Return seconds, once the GPU has done what it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
