"""How many pieces a second does `bioner pretrain` learn from, and what does it gain?

    python benchmarks/pretraining.py [--data FOLDER] [--steps 20] [--precision float32 bfloat16]
        [--threads 1] [--batch-pieces 2048] [--length 128] [--encoder NAME]

Prints one Markdown table. Each precision is trained for the same steps on the same batches of
text/*.txt.xz: masking and tokenizing count, loading, held-out measurements and checkpoints do not.
Pieces a second are those between the first step, which allocates, and the last. Held-out loss is
the mean cross-entropy over masked pieces of documents that were set aside, in nats.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, Dict, List, Tuple

from _common import ENCODER, add_data, quiet, require_encoder, show, use_threads

from spacy_bioner.apps.training.pretrain import PretrainSettings, pretrain

COLUMNS = ("precision", "pieces/s", "held-out loss before", "after", "steps", "pieces a step")


def main() -> None:
    args = parse_args()
    quiet()
    use_threads(args.threads)
    rows: List[Tuple[str, ...]] = [COLUMNS]
    for precision in args.precision:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(run(args, precision, Path(folder) / "out"))
    show(rows, encoder=args.encoder, threads=args.threads, seed=args.seed, length=args.length)


def run(args: argparse.Namespace, precision: str, output: Path) -> Tuple[str, ...]:
    """Pre-train once."""
    times: List[float] = []
    held_out: List[float] = []

    def take(entry: Dict[str, Any]) -> None:
        if entry.get("event") == "held_out":
            held_out.append(entry["loss"])
        elif "rate" in entry:
            times.append(perf_counter())

    settings = PretrainSettings(
        args.encoder,
        args.steps,
        batch_pieces=args.batch_pieces,
        length=args.length,
        precision=precision,
        seed=args.seed,
        held_out_sequences=args.held_out_sequences,
    )
    texts = [args.data / "text"]
    pretrain(texts, output, settings, gpu_id=args.gpu_id, log_every=1, on_log=take)
    pieces = args.batch_pieces // args.length * args.length
    speed = pieces * (len(times) - 1) / (times[-1] - times[0])
    measured = (f"{held_out[0]:.3f}", f"{held_out[-1]:.3f}")
    return precision, f"{speed:,.0f}", *measured, str(args.steps), f"{pieces:,}"


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("--encoder", default=ENCODER)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-pieces", type=int, default=2048)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--held-out-sequences", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gpu-id", type=int, default=-1)
    args = parser.parse_args()
    require_encoder(parser, args.encoder)
    if args.steps < 2:
        parser.error("--steps: expected 2 or more, the first is not timed")
    if not (args.data / "text").is_dir():
        parser.error(f"found no {args.data / 'text'}; name the folder that has text/ with --data")
    return args


if __name__ == "__main__":
    main()
