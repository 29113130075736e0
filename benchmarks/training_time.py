"""How long does an epoch of `spacy train` take, next to spacy-transformers + `ner`?

    python benchmarks/training_time.py [--data FOLDER] [--docs 100] [--repeats 3] [--threads 2]

Prints one Markdown table. configs/transformer.cfg and configs/spacy_transformers.cfg are trained
on the same documents of NCBI-disease train, with the same encoder, batcher, optimizer settings,
seed and number of threads, through the loop inside `spacy train` (batching, update, step), in
turns: an epoch each, then the next. Evaluations, loading and reading the corpus are left out. A
first, untimed, step allocates what is allocated once. The ratio is of medians.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

from _common import (
    ENCODER,
    ROOT,
    add_data,
    cores,
    corpus_file,
    median,
    missing_extra,
    quiet,
    require_encoder,
    run_epoch,
    show,
    start_training,
    time_in_turns,
    use_threads,
)

from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.corpora.labels import parse_label_map
from spacy_bioner.corpora.read_write import Selection

TRF = "spacy-transformers + ner"
OURS = "components.bioner.model.encoder"
COLUMNS = ("system", "s an epoch", "range", "steps", "tokens/s", "× spacy-transformers")
SUBTYPES = ("SpecificDisease", "DiseaseClass", "Modifier", "CompositeMention")


def main() -> None:
    args = parse_args()
    quiet()
    use_threads(args.threads)
    done: Dict[str, Tuple[int, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        train = Path(folder) / "train.spacy"
        label_map = parse_label_map(f"{label}=Disease" for label in SUBTYPES)
        selection = Selection(first=args.docs or None)
        account = convert(args.train, train, label_map=label_map, selection=selection)
        ready = {name: start() for name, start in trainees(args, train).items()}
        for trainee in ready.values():
            run_epoch(trainee, seed=args.seed, steps=1)
        runs = {
            name: partial(train_epoch, name, trainee, args.seed, done)
            for name, trainee in ready.items()
        }
        seconds = time_in_turns(runs, args.repeats)
    show(
        render(seconds, done),
        n=f"{account.documents} documents of NCBI-disease train",
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
    parser.add_argument("--docs", type=int, default=100, help="the first so many; 0 takes all")
    parser.add_argument("--repeats", type=int, default=3, help="epochs of each system")
    parser.add_argument("--threads", type=int, default=cores(), help="of every system")
    parser.add_argument("--unit", nargs="+", default=["sentence", "document"], help="ours")
    parser.add_argument("--precision", nargs="+", default=["auto", "float32"], help="ours")
    parser.add_argument("--encoder", default=ENCODER, help="hub name, folder or package:NAME")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    require_encoder(parser, args.encoder)
    args.train = corpus_file(parser, args.data, "ncbi_disease", "train")
    args.left_out = [line for line in [missing_extra("spacy_transformers")] if line]
    return args


def trainees(args: argparse.Namespace, train: Path) -> Dict[str, Callable[[], Any]]:
    """List the systems by name, each as a function that initializes it."""
    from spacy_bioner.architectures.encoder_source import resolve_source

    source, seed = resolve_source(args.encoder), {"system.seed": args.seed}
    systems: Dict[str, Callable[[], Any]] = {}
    for unit in args.unit:
        for precision in args.precision:
            settings = {f"{OURS}.unit": unit, f"{OURS}.precision": precision}
            overrides = {**seed, **settings, f"{OURS}.name": source}
            systems[f"ours, {unit}, {shown(precision)}"] = partial(
                start_training, ROOT / "configs/transformer.cfg", train, overrides
            )
    if not args.left_out:
        overrides = {**seed, "components.transformer.model.name": source}
        systems[TRF] = partial(
            start_training, ROOT / "configs/spacy_transformers.cfg", train, overrides
        )
    return systems


def shown(precision: str) -> str:
    """Say what "auto" means on this machine."""
    import torch

    from spacy_bioner.architectures.precision import choose_precision

    dtype = str(choose_precision(precision, torch.device("cpu"))).removeprefix("torch.")
    return f"{dtype} (auto)" if precision == "auto" else dtype


def train_epoch(name: str, trainee: Any, seed: int, done: Dict[str, Tuple[int, int]]) -> None:
    done[name] = run_epoch(trainee, seed=seed)


def render(
    seconds: Dict[str, List[float]], done: Dict[str, Tuple[int, int]]
) -> List[Sequence[str]]:
    rows: List[Sequence[str]] = [COLUMNS]
    for name, values in seconds.items():
        steps, tokens = done[name]
        middle = median(values)
        ratio = f"{middle / median(seconds[TRF]):.2f}" if TRF in seconds else ""
        extent = f"{min(values):.1f}–{max(values):.1f}"
        rows.append((name, f"{middle:.1f}", extent, str(steps), f"{tokens / middle:,.0f}", ratio))
    return rows


if __name__ == "__main__":
    main()
