"""How much memory does training take?

    python benchmarks/training_memory.py [--profile minilm_bc5cdr] [--corpus bc5cdr] [--steps 60]
        [--data FOLDER]

Trains a profile in a process of its own, its evaluations on the development split included, and
prints one Markdown table with the greatest resident memory of that process. All documents are
loaded, as in any training; the number of steps does not matter once each kind of batch was seen.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
from pathlib import Path
from typing import Any, Dict

from _common import ENCODER, ROOT, add_data, cores, local_corpus, require_encoder, show, use_threads

from spacy_bioner.apps.corpora.prepare import prepare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--profile", default="minilm_bc5cdr", help="a file in configs/profiles")
    parser.add_argument("--corpus", default="bc5cdr", help="a file in configs/corpora")
    parser.add_argument("--encoder", default="", help="replaces the profile's")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--docs", type=int, default=0, help="of each split; 0 takes all")
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    require_encoder(parser, args.encoder or ENCODER)
    args.data = args.data.resolve()
    os.chdir(ROOT)
    settings = local_corpus(parser, args.data, args.corpus, docs=args.docs)
    use_threads(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(settings, Path(folder) / "corpus")
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peak = pool.apply(train_and_measure, (vars(args), folder))
    documents = prepared.splits["train"].documents, prepared.splits["dev"].documents
    show(
        [("profile", "steps", "peak MB"), (args.profile, str(args.steps), f"{peak:,.0f}")],
        n=f"{documents[0]} training and {documents[1]} development documents",
        seed=args.seed,
        threads=args.threads,
    )


def train_and_measure(args: Dict[str, Any], folder: str) -> float:
    """Train, and give the peak of this process' resident memory in MB."""
    from spacy_bioner.apps.profiles import load_profile
    from spacy_bioner.apps.training.train import train

    # What `spacy train` prints goes to the error stream: the output is for the table.
    os.dup2(2, 1)
    train(
        load_profile(args["profile"], encoder=args["encoder"]),
        Path(folder) / "corpus",
        Path(folder) / "model",
        seed=args["seed"],
        max_steps=args["steps"],
    )
    # Linux gives kilobytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
