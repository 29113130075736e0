"""How many words a second does `nlp.pipe` tag, next to spacy-transformers and to a HF pipeline?

    python benchmarks/throughput.py [--data FOLDER] [--docs 500] [--repeats 3] [--threads 2]

Prints one Markdown table for the BC5CDR test abstracts. Every system has the same encoder. Before
the clock starts, ours and spacy-transformers + `ner` are trained for a few steps on BC5CDR train,
so that they find entities about as often as in earnest; the HF model gets encoder and head of
ours. Words are counted at white space; all systems get the same texts in the same order and the
same number of threads, and run in turns.

"Pieces" are the word pieces whose states reach a prediction: the HF pipeline cuts a document at
512 and gives nothing for the rest, yet all its words count for it. "Inputs" are the rows that go
through the model. Ratios are of medians.
"""

import argparse
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import spacy
from _common import (
    ENCODER,
    ROOT,
    add_data,
    cores,
    corpus_file,
    median,
    missing_extra,
    note,
    quiet,
    require_encoder,
    run_epoch,
    show,
    start_training,
    time_in_turns,
    use_threads,
)
from spacy.language import Language
from spacy.util import minibatch

from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.corpora.read_write import Selection

COLUMNS = ("system", "precision", "unit", "words/s", "range", "× spacy-transformers", "× HF")
COVERAGE = ("inputs", "pieces", "of", "entities")
TRF, HF = "spacy-transformers + ner", "HF pipeline"
TRAIN_DOCS = 200
WARM_UP = {
    "training.optimizer.learn_rate.initial_rate": 3e-4,
    "training.optimizer.learn_rate.warmup_steps": 10,
}


@dataclass
class System:
    """What is measured.

    tag (Callable): Tags texts and counts the entities.
    inputs (str): Rows that go through the model, where that is known.
    pieces (str): Word pieces that get a prediction, where that is known.
    """

    name: str
    precision: str
    unit: str
    tag: Callable[[Sequence[str]], int]
    inputs: str = ""
    pieces: str = ""

    @property
    def key(self) -> str:
        return f"{self.name}, {self.precision}, {self.unit}"


def main() -> None:
    args = parse_args()
    quiet()
    use_threads(args.threads)
    texts = [record.text for record in read_pubtator(args.test)][: args.docs or None]
    with tempfile.TemporaryDirectory() as folder:
        train = Path(folder) / "train.spacy"
        convert(args.train, train, selection=Selection(first=TRAIN_DOCS))
        systems, n_pieces, n_long = load_systems(args, train, Path(folder), texts)
        for system in systems:
            system.tag(texts[:20])
        entities: Dict[str, int] = {}
        runs = {system.key: partial(tag_all, system, texts, entities) for system in systems}
        seconds = time_in_turns(runs, args.repeats)
    words = sum(len(text.split()) for text in texts)
    show(
        render(systems, seconds, entities, words, n_pieces),
        left=3,
        n=f"{len(texts)} documents, {words:,} words, {n_long} of them longer than 512 pieces",
        seed=args.seed,
        threads=args.threads,
        median_of=args.repeats,
        encoder=args.encoder,
    )
    for line in args.left_out:
        print(f"\nLeft out: {line}")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--docs", type=int, default=500, help="the first so many documents")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=cores(), help="of every system")
    parser.add_argument("--unit", nargs="+", default=["sentence", "document"], help="ours")
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"], help="ours")
    parser.add_argument("--encoder", default=ENCODER, help="hub name, folder or package:NAME")
    parser.add_argument("--steps", type=int, default=60, help="of training before the clock")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ours-only", action="store_true", help="leave the rivals out")
    args = parser.parse_args()
    require_encoder(parser, args.encoder)
    args.train = corpus_file(parser, args.data, "bc5cdr", "train")
    args.test = corpus_file(parser, args.data, "bc5cdr", "test")
    args.left_out = [line for line in [missing_extra("spacy_transformers")] if line]
    return args


def load_systems(
    args: argparse.Namespace, train: Path, folder: Path, texts: Sequence[str]
) -> tuple[List[System], int, int]:
    """Make the systems. RETURNS: They, the pieces of the texts, the documents over 512 pieces."""
    ours = train_briefly(args, "transformer.cfg", "components.bioner.model.encoder.name", train)
    ours.to_disk(folder / "ours")
    lengths = piece_lengths(ours, texts)
    systems = [
        load_ours(folder / "ours", precision, unit, texts)
        for unit in args.unit
        for precision in args.precision
    ]
    if not args.ours_only:
        if not args.left_out:
            systems.append(load_trf(args, train))
        systems.extend(load_hf(ours, args.encoder, lengths, texts))
    return systems, sum(lengths), sum(length > 512 for length in lengths)


def train_briefly(args: argparse.Namespace, config: str, key: str, train: Path) -> Language:
    from spacy_bioner.architectures.encoder_source import resolve_source

    note(f"training {config} for {args.steps} steps")
    overrides = {**WARM_UP, key: resolve_source(args.encoder), "system.seed": args.seed}
    trainee = start_training(ROOT / "configs" / config, train, overrides)
    run_epoch(trainee, seed=args.seed, steps=args.steps)
    return trainee.nlp


def load_ours(folder: Path, precision: str, unit: str, texts: Sequence[str]) -> System:
    """Load our pipeline with other settings and the same weights."""
    settings = {"components.bioner.model.encoder.precision": precision}
    nlp = spacy.load(folder, config=settings)
    # A saved model brings the unit that it was trained with.
    encoder_of(nlp).attrs["unit"] = unit
    inputs, pieces = count_windows(nlp, texts)
    return System("ours", precision, unit, pipe_tagger(nlp), f"{inputs:,}", f"{pieces:,}")


def load_trf(args: argparse.Namespace, train: Path) -> System:
    nlp = train_briefly(args, "spacy_transformers.cfg", "components.transformer.model.name", train)
    return System(TRF, "float32", "strided spans", pipe_tagger(nlp))


def load_hf(
    ours: Language, encoder: str, lengths: List[int], texts: Sequence[str]
) -> Iterator[System]:
    """Load the HF pipeline with the batch size that serves it best, in float32 and bfloat16."""
    import torch

    pieces = f"{sum(min(length, 512) for length in lengths):,}"
    for precision in ("float32", "bfloat16"):
        tagger = hf_pipeline(ours, encoder)
        tagger.model.to(getattr(torch, precision))
        size = best_batch_size(tagger, list(texts[:40]))
        unit = f"document, cut at 512, batch {size}"
        yield System(HF, precision, unit, hf_tagger(tagger, size), f"{len(texts):,}", pieces)


def best_batch_size(tagger: Any, texts: List[str]) -> int:
    """Find the batch size with which a HF pipeline is fastest here."""
    runs = {str(size): partial(tagger, texts, batch_size=size) for size in (1, 8, 32)}
    trials = time_in_turns(runs, 2)
    return int(min(trials, key=lambda name: min(trials[name])))


def hf_tagger(tagger: Any, size: int) -> Callable[[Sequence[str]], int]:
    return lambda texts: sum(map(len, tagger(list(texts), batch_size=size)))


def hf_pipeline(ours: Language, encoder: str) -> Any:
    """Make transformers' own token-classification pipeline from our weights."""
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    from spacy_bioner.architectures.encoder_source import resolve_source

    source = resolve_source(encoder)
    component: Any = ours.get_pipe("bioner")
    id2label = dict(enumerate(component.tags))
    model = AutoModelForTokenClassification.from_pretrained(source, id2label=id2label)
    trained = encoder_of(ours).shims[0].module.transformer
    getattr(model, model.base_model_prefix).load_state_dict(trained.state_dict())
    head = component.model.get_ref("output_layer").shims[0].module.output
    model.classifier.load_state_dict(head.state_dict())
    return pipeline(
        "token-classification",
        model=model,
        tokenizer=AutoTokenizer.from_pretrained(source),
        aggregation_strategy="simple",
        device="cpu",
    )


def tag_all(system: System, texts: Sequence[str], entities: Dict[str, int]) -> None:
    entities[system.key] = system.tag(texts)


def pipe_tagger(nlp: Language) -> Callable[[Sequence[str]], int]:
    return lambda texts: sum(len(doc.ents) for doc in nlp.pipe(texts))


def encoder_of(nlp: Language) -> Any:
    component: Any = nlp.get_pipe("bioner")
    return component.model.get_ref("encoder")


def piece_lengths(nlp: Language, texts: Sequence[str]) -> List[int]:
    """Count the word pieces of each text, the two special ones included."""
    tokenizer = encoder_of(nlp).shims[0].tokenizer
    return [len(tokenizer.encode(text, add_special_tokens=False)) + 2 for text in texts]


def count_windows(nlp: Language, texts: Sequence[str]) -> tuple[int, int]:
    """Count the windows that our encoder makes of texts, and the pieces it takes states from."""
    from spacy_bioner.architectures.encoders import prepare_batches

    windows = pieces = 0
    for docs in minibatch((nlp.make_doc(text) for text in texts), nlp.batch_size):
        batches, _ = prepare_batches(encoder_of(nlp), docs)
        windows += sum(len(batch.ids) for batch in batches)
        pieces += sum(len(batch.source.unique()) for batch in batches)
    # The specials that other systems count, so that the column compares.
    return windows, pieces + 2 * len(texts)


def render(
    systems: Sequence[System],
    seconds: Dict[str, List[float]],
    entities: Dict[str, int],
    words: int,
    n_pieces: int,
) -> List[Sequence[str]]:
    rows: List[Sequence[str]] = [(*COLUMNS, *COVERAGE)]
    speed = {key: words / median(values) for key, values in seconds.items()}
    # Rivals count at float32: spacy-transformers knows no other precision on a CPU.
    bases = {system.name: speed[system.key] for system in systems if system.precision == "float32"}
    for system in systems:
        values = seconds[system.key]
        ratios = [
            f"{speed[system.key] / bases[name]:.2f}" if name in bases else "" for name in (TRF, HF)
        ]
        rows.append(
            (
                system.name,
                system.precision,
                system.unit,
                f"{speed[system.key]:,.0f}",
                f"{words / max(values):,.0f}–{words / min(values):,.0f}",
                *ratios,
                system.inputs,
                system.pieces,
                f"{n_pieces:,}",
                f"{entities[system.key]:,}",
            )
        )
    return rows


if __name__ == "__main__":
    main()
