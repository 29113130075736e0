"""Sections of `gpu_check.py`: steps and words a second, and memory, at BERT-base size."""

import itertools
from argparse import Namespace
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Sequence
from unittest.mock import patch

import numpy as np
from _common import ROOT, Trainee, note, run_epoch, start_training, time_in_turns
from _gpu_setup import Setup, Table, free_memory, now, peak_memory
from gpu_throughput import BARE, count_windows, make_bare, make_pipeline
from gpu_throughput import render as render_throughput
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from torch.nn.attention import SDPBackend

from spacy_bioner.architectures import encoders
from spacy_bioner.architectures.pieces.alignment import GPU_STRETCH, STRETCH
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.layers import pooled_encoder

ENCODER = "components.bioner.model.encoder"
ADVERSARY = "components.bioner.adversary"
LONG = 5000


@dataclass(frozen=True)
class Variant:
    """Settings of a training that is timed.

    words (int): Of a batch.
    cudnn (bool): Let torch choose cuDNN's attention too.
    stretch (float): How unlike in length the windows of one pass may be.
    """

    precision: str
    words: int
    unit: str = "sentence"
    checkpointing: bool = False
    attack: str = "none"
    crf: bool = False
    cudnn: bool = False
    stretch: float = GPU_STRETCH

    def overrides(self, encoder: str, seed: int) -> Dict[str, Any]:
        """Return them as keys of the training config."""
        return {
            f"{ENCODER}.name": encoder,
            f"{ENCODER}.precision": self.precision,
            f"{ENCODER}.unit": self.unit,
            f"{ENCODER}.checkpointing": self.checkpointing,
            f"{ENCODER}.batch_pieces": 16384,
            f"{ADVERSARY}.method": self.attack,
            "components.bioner.model.crf": self.crf,
            "training.batcher.size": self.words,
            "training.optimizer.learn_rate.initial_rate": 5e-5,
            "system.seed": seed,
        }


TRAININGS = [
    # Twice, so that no row pays for what is loaded at first use.
    Variant("bfloat16", 1000, cudnn=True, stretch=STRETCH),
    Variant("bfloat16", 1000, stretch=STRETCH),
    Variant("bfloat16", 1000, cudnn=True),
    Variant("bfloat16", 1000),
    Variant("float32", 1000),
    Variant("float16", 1000),
    Variant("bfloat16", 1000, attack="fgsm"),
    Variant("bfloat16", 8000),
    Variant("bfloat16", 8000, checkpointing=True),
    Variant("float32", 8000),
    Variant("bfloat16", 1000, crf=True),
]


def measure_training(setup: Setup) -> Iterator[Table]:
    """Time steps of training with each variant, on the same batches."""
    header = ("precision", "batch", "checkpointing", "attack", "head", "attention", "stretch")
    numbers = ("steps/s", "words/s", "GiB at most", "steps left out")
    rows: List[Sequence[str]] = [(*header, *numbers)]
    setup.use_gpu()
    n_warm, n_steps = (1, 1) if setup.quick else (4, 20)
    for variant in TRAININGS:
        if variant.precision == "float16" and setup.gpu_id < 0:
            continue
        free_memory()
        trainee = _start(setup, variant)
        with _choices(variant):
            run_epoch(trainee, seed=setup.seed, steps=n_warm)
            began = now()
            done, words = run_epoch(trainee, seed=setup.seed, steps=n_steps)
            seconds = now() - began
        rows.append((*_describe(variant), *_speed(trainee, done, words, seconds)))
        note(" ".join(rows[-1]))
        # Held here, it would count for the next one's memory.
        del trainee
    encoder = "small" if setup.quick else "BERT-base"
    about = {
        "n": f"{n_steps} steps after {n_warm}, {setup.source}",
        "seed": setup.seed,
        "encoder": f"{encoder}, random weights",
        "dropout": "of the config",
    }
    yield Table("Training", rows, left=7, about=about)


def measure_tagging(setup: Setup) -> Iterator[Table]:
    """Time `nlp.pipe`, and its parts for sentences in the faster precision."""
    setup.use_gpu()
    free_memory()
    n_docs, repeats = (8, 1) if setup.quick else (500, 3)
    texts = list(itertools.islice(itertools.cycle(setup.texts), n_docs))
    args = Namespace(batch_size=256, batch_pieces=32768)
    units, precisions = ["sentence", "document"], ["float32", "bfloat16"]
    pipelines = {
        f"{precision} {unit}": make_pipeline(setup.base_encoder(), unit, precision, args)
        for unit, precision in itertools.product(units, precisions)
    }
    inputs = {name: count_windows(nlp, texts) for name, nlp in pipelines.items()}
    runs = {name: _piped(nlp, texts) for name, nlp in pipelines.items()}
    runs |= {f"{BARE} {name}": make_bare(nlp, texts) for name, nlp in pipelines.items()}
    for run in runs.values():
        run()
    seconds = time_in_turns(runs, repeats)
    words = sum(len(text.split()) for text in texts)
    about = {
        "n": f"{n_docs} documents, {setup.source}, {words:,} words",
        "seed": setup.seed,
        "median_of": repeats,
        "batch_pieces": args.batch_pieces,
        "GiB at most, all four pipelines": peak_memory(),
    }
    yield Table("Tagging", render_throughput(seconds, inputs, words), left=2, about=about)
    yield _divide(setup, pipelines["bfloat16 sentence"], texts, words)


def measure_long_document(setup: Setup) -> Iterator[Table]:
    """Train on, and tag, one document of 5,000 tokens."""
    setup.use_gpu()
    header = ("head", "unit", "tokens", "s, training step", "s, tagging", "GiB at most")
    rows: List[Sequence[str]] = [header]
    variants = [
        Variant("bfloat16", 100_000, unit="document"),
        Variant("bfloat16", 100_000, unit="document", crf=True),
    ]
    for variant in variants:
        free_memory()
        trainee = _start(setup, variant)
        example = _join(trainee.nlp, setup, 500 if setup.quick else LONG)
        steps = [_time(partial(trainee.nlp.update, [example], losses={})) for _ in range(2)]
        tagging = [_time(partial(trainee.nlp, example.reference.text)) for _ in range(2)]
        shown = (f"{len(example.predicted):,}", f"{steps[1]:.2f}", f"{tagging[1]:.2f}")
        rows.append(("CRF" if variant.crf else "softmax", variant.unit, *shown, peak_memory()))
        note(" ".join(rows[-1]))
        del trainee, example
    about = {"n": "the second of two runs each", "seed": setup.seed, "precision": "bfloat16"}
    yield Table("A long document", rows, left=2, about=about)


def _start(setup: Setup, variant: Variant) -> Trainee:
    """Initialize a training whose one epoch lasts for all steps."""
    config = ROOT / "configs" / "transformer.cfg"
    if setup.quick:
        variant = replace(variant, words=min(variant.words, 1500))
    overrides = variant.overrides(setup.base_encoder(), setup.seed)
    trainee = start_training(config, setup.train, overrides)
    words = sum(len(example.reference) for example in trainee.examples)
    trainee.examples *= 1 + 25 * variant.words // max(words, 1)
    return trainee


def _describe(variant: Variant) -> Sequence[str]:
    yes_or_no = "yes" if variant.checkpointing else "no"
    head = "CRF" if variant.crf else "softmax"
    attention = "any" if variant.cudnn else "not cuDNN's"
    about = (variant.precision, f"{variant.words:,} words", yes_or_no, variant.attack, head)
    return (*about, attention, f"{variant.stretch:g}")


@contextmanager
def _choices(variant: Variant) -> Iterator[None]:
    """Take other choices than the package's within the block."""
    kernels = [*pooled_encoder.CUDA_ATTENTION, *[SDPBackend.CUDNN_ATTENTION] * variant.cudnn]
    with (
        patch.object(pooled_encoder, "CUDA_ATTENTION", kernels),
        patch.object(encoders, "GPU_STRETCH", variant.stretch),
    ):
        yield


def _speed(trainee: Trainee, steps: int, words: int, seconds: float) -> Sequence[str]:
    component: Any = trainee.nlp.get_pipe("bioner")
    scaler = component.model.get_ref("encoder").shims[0].scaler
    left_out = "–" if scaler is None else f"{scaler.n_skipped}, scale {scaler.scale:,.0f}"
    return f"{steps / seconds:.2f}", f"{words / seconds:,.0f}", peak_memory(), left_out


def _piped(nlp: Language, texts: Sequence[str]) -> Callable[[], int]:
    return lambda: sum(1 for _ in nlp.pipe(texts))


def _divide(setup: Setup, nlp: Language, texts: Sequence[str], words: int) -> Table:
    """Time what `nlp.pipe` does one after the other: what the GPU is not busy with."""
    component: Any = nlp.get_pipe("bioner")
    took: Dict[str, float] = {"tokenizer": 0.0, "model": 0.0, "decoding": 0.0}
    for start in range(0, len(texts), nlp.batch_size):
        times = [now()]
        docs = list(nlp.tokenizer.pipe(texts[start : start + nlp.batch_size]))
        times.append(now())
        scores = component.predict(docs)
        times.append(now())
        component.set_annotations(docs, scores)
        times.append(now())
        for name, seconds in zip(took, np.diff(times)):
            took[name] += float(seconds)
    total = sum(took.values())
    rows = [("part", "s", "share", "words/s")]
    rows += [
        (name, f"{seconds:.2f}", f"{seconds / total:.0%}", f"{words / seconds:,.0f}")
        for name, seconds in took.items()
    ]
    about = {"n": f"{len(texts)} documents, one run", "seed": setup.seed}
    return Table("Parts of tagging, bfloat16, sentences", rows, about=about)


def _join(nlp: Language, setup: Setup, n_tokens: int) -> Example:
    """Make one Example of a document of so many tokens out of the training documents."""
    docs: List[Doc] = []
    for doc in itertools.cycle(list(read_docbin(setup.train, nlp.vocab))):
        if sum(map(len, docs)) >= n_tokens:
            break
        docs.append(doc)
    gold = Doc.from_docs(docs, exclude=["user_data"])[:n_tokens].as_doc()
    return Example(nlp.make_doc(gold.text), gold)


def _time(run: Callable[[], Any]) -> float:
    began = now()
    run()
    return now() - began
