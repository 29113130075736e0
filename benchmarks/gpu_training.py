"""Does `spacy train` on a GPU reach the F1 that it reaches on the CPU?

    python benchmarks/gpu_training.py [--corpus demo] [--seeds 3] [--max-steps 300]
        [--encoder NAME | --random-encoder]

Trains one profile with the same config and seeds on the CPU and on the GPU through `bioner train`,
each run in a process of its own, and prints one Markdown table: strict F1 on dev and test and the
minutes of each run, then the mean difference next to the standard deviation over the seeds, which
is the noise that it has to lie within. Needs the CUDA build of torch and cupy. With
--random-encoder a small BERT with random weights is made from the training texts, for machines
without any weights: its F1 is low, the comparison is the same.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import List, Optional, Sequence

from _common import (
    ENCODER,
    ROOT,
    Job,
    Outcome,
    add_data,
    cores,
    local_corpus,
    note,
    require,
    require_encoder,
    show,
    train_and_score,
    use_threads,
    write_random_bert,
)

from spacy_bioner.apps.corpora.prepare import prepare
from spacy_bioner.apps.profiles import CorpusSettings
from spacy_bioner.apps.training.train import check_device
from spacy_bioner.corpora.read_write import Selection, read_records
from spacy_bioner.errors import DeviceError

# A random encoder learns only with a larger rate than a pre-trained one.
RANDOM_SIZE = {
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 512,
}
RANDOM_SETTINGS = {"training.optimizer.learn_rate.initial_rate": 1e-3}


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    require(parser, "torch", "transformers")
    gpu_devices = [int(device) for device in args.devices if int(device) >= 0]
    try:
        for device in gpu_devices:
            check_device(device)
    except DeviceError as error:
        sys.exit(f"gpu_training: {error}")
    args.data = args.data.resolve()
    os.chdir(ROOT)
    settings = local_corpus(parser, args.data, args.corpus, docs=args.docs)
    use_threads(args.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encoder = choose_encoder(parser, args, settings, folder)
        prepared = prepare(settings, folder / "corpus")
        outcomes = train_all(args, encoder, folder)
    show(
        render(args.devices, outcomes),
        n=f"{prepared.splits['test'].documents} test documents, "
        f"{prepared.splits['test'].count.total:,} mentions",
        seeds=f"0 to {args.seeds - 1}",
        cpu_threads=args.threads,
        device=device_name(gpu_devices),
    )


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--corpus", choices=("demo", "bc5cdr", "ncbi_disease"), default="demo")
    parser.add_argument("--profile", default="demo")
    parser.add_argument("--encoder", default=ENCODER, help="hub name, folder or package:NAME")
    parser.add_argument("--random-encoder", action="store_true", help="needs no weights")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-steps", type=int, default=300)
    parser.add_argument("--docs", type=int, default=0, help="of each split; 0 takes all")
    parser.add_argument("--threads", type=int, default=cores(), help="on the CPU")
    parser.add_argument("--devices", nargs=2, default=["-1", "0"], help="-1 is the CPU")
    return parser


def choose_encoder(
    parser: argparse.ArgumentParser,
    args: argparse.Namespace,
    settings: CorpusSettings,
    folder: Path,
) -> str:
    """Return the encoder's name, or make one with random weights."""
    if not args.random_encoder:
        require_encoder(parser, args.encoder)
        return str(args.encoder)
    train = settings.splits["train"]
    selection = Selection(skip=train.skip, first=train.first)
    texts = [record.text for record in read_records(train.path, selection=selection)]
    return str(write_random_bert(folder / "encoder", texts, pieces=4000, seed=0, **RANDOM_SIZE))


def train_all(args: argparse.Namespace, encoder: str, folder: Path) -> List[List[Outcome]]:
    """Train with each seed on both devices, in turns. RETURNS: A list per device."""
    outcomes: List[List[Outcome]] = [[] for _ in args.devices]
    for seed in range(args.seeds):
        for place, device in enumerate(args.devices):
            job = Job(
                args.profile,
                encoder,
                folder / "corpus",
                folder / f"run{place}",
                seed,
                gpu_id=int(device),
                max_steps=args.max_steps,
                overrides=dict(RANDOM_SETTINGS) if args.random_encoder else {},
            )
            outcomes[place].append(train_and_score(job))
            note(f"seed {seed}, {title(device)}: {outcomes[place][-1].minutes:.1f} minutes")
    return outcomes


def render(devices: Sequence[str], outcomes: List[List[Outcome]]) -> List[Sequence[str]]:
    rows: List[Sequence[str]] = [("device", "seed", "dev F1", "test F1", "minutes")]
    for device, results in zip(devices, outcomes):
        for seed, result in enumerate(results):
            scores = (f_score(result.dev.f_score), f_score(result.test.f_score))
            shown = (f"{score:.2f}" for score in scores)
            rows.append((title(device), str(seed), *shown, f"{result.minutes:.2f}"))
    first, second = outcomes
    dev = [[f_score(r.dev.f_score) for r in results] for results in outcomes]
    test = [[f_score(r.test.f_score) for r in results] for results in outcomes]
    cells = (compare(*dev), compare(*test))
    ratio = statistics.mean(r.minutes for r in first) / statistics.mean(r.minutes for r in second)
    rows.append(("mean difference (sd of the first, of the second)", "", *cells, f"{ratio:.1f}×"))
    return rows


def compare(first: Sequence[float], second: Sequence[float]) -> str:
    difference = statistics.mean(second) - statistics.mean(first)
    noise = (
        f"{statistics.stdev(scores):.2f}" if len(scores) > 1 else "–" for scores in (first, second)
    )
    return f"{difference:+.2f} ({', '.join(noise)})"


def f_score(share: Optional[float]) -> float:
    return 100 * (share or 0.0)


def title(device: str) -> str:
    return "CPU" if int(device) < 0 else f"GPU {device}"


def device_name(gpu_devices: Sequence[int]) -> str:
    import torch

    return torch.cuda.get_device_name(gpu_devices[0]) if gpu_devices else "no GPU"


if __name__ == "__main__":
    main()
