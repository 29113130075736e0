"""What strict F1 does the embedded encoder reach on the test split, trained on train only?

    python benchmarks/strict_f1.py --corpus bc5cdr [--seeds 3] [--out FOLDER] [--data FOLDER]
        [--training.max_steps 2400 …]

Trains configs/profiles/minilm_<corpus>.cfg with seeds 0, 1, … as `bioner train` does, each in a
process of its own, keeps the checkpoint that is best on dev and scores it once on test: a
mention is right where its first character, end and label are those of the PubTator file. Config
overrides follow as for `spacy train`. Prints one Markdown table with a row per seed, then mean and
standard deviation (n - 1) of the seeds. OUT gets the DocBins, and for each seed the pipeline, its
log and its counts.
"""

import argparse
import statistics
from pathlib import Path
from typing import List, Optional, Sequence

from _common import (
    ROOT,
    Job,
    Outcome,
    add_data,
    cores,
    note,
    percent,
    show,
    start_trainings,
    train_and_score,
)

from spacy_bioner.apps.corpora.prepare import prepare
from spacy_bioner.evaluation.scores import Counts

CORPORA = ("bc5cdr", "ncbi_disease")


def main() -> None:
    args, settings, overrides = start_trainings(make_parser())
    profile = args.profile or f"minilm_{args.corpus}"
    corpus_dir = args.out / f"{args.corpus}_corpus"
    prepared = prepare(settings, corpus_dir)
    outcomes: List[Outcome] = []
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    for seed in seeds:
        output = args.out / f"{args.corpus}_seed{seed}"
        job = Job(
            profile,
            args.encoder,
            corpus_dir,
            output,
            seed,
            max_steps=args.max_steps,
            overrides=overrides,
        )
        outcomes.append(train_and_score(job))
        note(f"seed {seed}: test F1 {percent(outcomes[-1].test.f_score)}")
    show(
        render(list(seeds), outcomes),
        n="; ".join(
            f"{split} {account.documents} documents, {account.count.total:,} mentions"
            for split, account in prepared.splits.items()
        ),
        profile=profile,
        threads=args.threads,
    )


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--corpus", choices=CORPORA, required=True)
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "training" / "strict_f1")
    parser.add_argument("--profile", default="", help="default: minilm_<corpus>")
    parser.add_argument("--encoder", default="", help="replaces the profile's")
    parser.add_argument("--max-steps", type=int, default=0, help="0: the profile's")
    parser.add_argument("--docs", type=int, default=0, help="of each split; 0 takes all")
    parser.add_argument("--threads", type=int, default=cores())
    return parser


def render(seeds: Sequence[int], outcomes: Sequence[Outcome]) -> List[Sequence[str]]:
    labels = sorted({label for outcome in outcomes for label in outcome.by_type})
    if len(labels) == 1:
        labels = []
    header = ("seed", "dev F1", "test P", "test R", "test F1")
    rows: List[Sequence[str]] = [
        (*header, *(f"{label} F1" for label in labels), "tp", "fp", "fn", "minutes")
    ]
    for seed, outcome in zip(seeds, outcomes):
        test = outcome.test
        scores = [outcome.dev.f_score, test.precision, test.recall, test.f_score]
        scores += [outcome.by_type.get(label, Counts()).f_score for label in labels]
        counts = (test.tp, test.fp, test.fn)
        minutes = f"{outcome.minutes:.1f}"
        rows.append(
            (str(seed), *map(percent, scores), *(f"{count:,}" for count in counts), minutes)
        )
    columns = [
        [outcome.dev.f_score for outcome in outcomes],
        [outcome.test.precision for outcome in outcomes],
        [outcome.test.recall for outcome in outcomes],
        [outcome.test.f_score for outcome in outcomes],
        *([o.by_type.get(label, Counts()).f_score for o in outcomes] for label in labels),
    ]
    spread = [f"{mean_percent(column)} ± {deviation(column)}" for column in columns]
    minutes = f"{statistics.mean(outcome.minutes for outcome in outcomes):.1f}"
    rows.append(("**mean ± sd**", *spread, "", "", "", minutes))
    return rows


def mean_percent(shares: Sequence[Optional[float]]) -> str:
    known = [share for share in shares if share is not None]
    return percent(statistics.mean(known)) if known else "–"


def deviation(shares: Sequence[Optional[float]]) -> str:
    known = [share for share in shares if share is not None]
    return percent(statistics.stdev(known)) if len(known) > 1 else "–"


if __name__ == "__main__":
    main()
