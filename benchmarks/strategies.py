"""What do sub-word strategies, tag schemes, a fixed maximum length and contexts change?

    python benchmarks/strategies.py --corpus bc5cdr [--steps 2400] [--only NAME …] [--seed 0]
        [--out FOLDER] [--data FOLDER] [--docs 0] [--training.batcher.size 500 …]

Trains a profile once per row, as `bioner train` does, each in a process of its own, with one
setting changed; the first row is the profile as it is, with each setting at its default. The
checkpoint that is best on dev counts, and dev alone is scored: this is for choices. A mention is
right where its first character, end and label are. Config overrides follow as for `spacy train`.
Prints one Markdown table. OUT gets the DocBins, and for each row the log and NAME.json: a row that
is there already, with the same settings, is not trained again.
"""

import argparse
import json
import multiprocessing
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence

from _common import (
    ROOT,
    Job,
    add_data,
    cores,
    note,
    percent,
    show,
    start_trainings,
    train_timed,
)

from spacy_bioner.apps.corpora.prepare import prepare
from spacy_bioner.apps.stored_results import load_result, store_result
from spacy_bioner.evaluation.scores import Counts

CORPORA = ("bc5cdr", "ncbi_disease", "demo")
ENCODER_KEY = "components.bioner.model.encoder"
SCHEME_KEY = "components.bioner.scheme"
DEFAULTS: Dict[str, Any] = {
    f"{ENCODER_KEY}.pooling": "mean",
    SCHEME_KEY: "BIO",
    f"{ENCODER_KEY}.unit": "sentence",
    f"{ENCODER_KEY}.truncate": False,
}


@dataclass(frozen=True)
class Variant:
    """A row of the table.

    title (str): What it is called there.
    changes (Dict[str, Any]): The settings in which it differs from `DEFAULTS`.
    """

    title: str
    changes: Dict[str, Any]


VARIANTS = {
    "mean": Variant("mean of pieces, BIO, sentence, windows", {}),
    "first": Variant("first piece, the rest ignored", {f"{ENCODER_KEY}.pooling": "first"}),
    "x": Variant("tag X on the rest", {f"{ENCODER_KEY}.pooling": "x"}),
    "parent": Variant("parent's tag propagated", {f"{ENCODER_KEY}.pooling": "parent"}),
    "io": Variant("IO", {SCHEME_KEY: "IO"}),
    "bioes": Variant("BIOES", {SCHEME_KEY: "BIOES"}),
    "max75": Variant(
        "at most 75 pieces", {f"{ENCODER_KEY}.truncate": True, f"{ENCODER_KEY}.window": 75}
    ),
    "max75-x": Variant(
        "at most 75 pieces, tag X (as published)",
        {
            f"{ENCODER_KEY}.truncate": True,
            f"{ENCODER_KEY}.window": 75,
            f"{ENCODER_KEY}.pooling": "x",
        },
    ),
    "neighbours": Variant("sentence with neighbours", {f"{ENCODER_KEY}.unit": "neighbours"}),
    "document": Variant("document window", {f"{ENCODER_KEY}.unit": "document"}),
}


def main() -> None:
    args, settings, overrides = start_trainings(make_parser())
    profile = args.profile or ("demo" if args.corpus == "demo" else f"minilm_{args.corpus}")
    folder = args.out / f"{args.corpus}{f'_{args.docs}' if args.docs else ''}"
    prepared = prepare(settings, folder / "corpus")
    found: Dict[str, Dict[str, Any]] = {}
    for name in args.only or VARIANTS:
        job = make_job(name, profile, args, folder, overrides)
        found[name] = take_over(job, folder / f"{name}.json")
        note(f"{name}: dev F1 {percent(score(found[name]).f_score)}")
    splits = [(split, prepared.splits[split]) for split in ("train", "dev")]
    show(
        render(found),
        left=2,
        n="; ".join(
            f"{split} {account.documents} documents, {account.count.total:,} mentions"
            for split, account in splits
        ),
        profile=profile,
        seed=args.seed,
        threads=args.threads,
    )


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--corpus", choices=CORPORA, required=True)
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), metavar="NAME", help="rows")
    parser.add_argument("--steps", type=int, default=0, help="0: the profile's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "training" / "strategies")
    parser.add_argument("--profile", default="", help="default: minilm_<corpus>")
    parser.add_argument("--encoder", default="", help="replaces the profile's")
    parser.add_argument("--docs", type=int, default=0, help="of each split; 0 takes all")
    parser.add_argument("--threads", type=int, default=cores())
    return parser


def make_job(
    name: str, profile: str, args: argparse.Namespace, folder: Path, overrides: Dict[str, Any]
) -> Job:
    """Describe the training of one row; what the row is about wins over the command line."""
    return Job(
        profile,
        args.encoder,
        folder / "corpus",
        folder / name,
        args.seed,
        max_steps=args.steps,
        overrides={**DEFAULTS, **overrides, **VARIANTS[name].changes},
    )


def take_over(job: Job, path: Path) -> Dict[str, Any]:
    """Return a finished row's account, or train it.

    RAISES (ConfigError): Where the account is one of other settings.
    """
    settings = json.loads(json.dumps(vars(job), default=str))
    account = load_result(path, settings)
    if account is not None:
        note(f"{path.stem}: taken over from {path}")
        return account
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        account = pool.apply(train_and_score_dev, (job,))
    store_result(path, settings, account)
    # The log and the account remain; ten pipelines would only fill the disk.
    shutil.rmtree(job.output)
    return account


def train_and_score_dev(job: Job) -> Dict[str, Any]:
    """Train, score the best checkpoint on dev, and count the tokens that a fixed length cuts."""
    from spacy_bioner.apps.loading import load_pipeline
    from spacy_bioner.corpora.docbin import read_docbin
    from spacy_bioner.evaluation.runner import PIPELINE, evaluate_pipeline

    best, minutes = train_timed(job)
    nlp = load_pipeline(str(best))
    docs = list(read_docbin(job.corpus_dir / "dev.spacy", nlp.vocab))
    evaluation = evaluate_pipeline(nlp, docs)
    # Encoders count what they cut; each dev text went through once.
    n_cut = nlp.get_pipe("bioner").model.get_ref("encoder").shims[0].n_unseen
    dev = evaluation.scores[PIPELINE].micro.to_json()
    return {"minutes": minutes, "dev": dev, "cut": n_cut, "tokens": sum(map(len, docs))}


def score(account: Dict[str, Any]) -> Counts:
    """Read the dev counts of an account."""
    return Counts(**{kind: account["dev"][kind] for kind in ("tp", "fp", "fn")})


def render(found: Dict[str, Dict[str, Any]]) -> List[Sequence[str]]:
    rows: List[Sequence[str]] = [
        (
            "name",
            "setting",
            "dev P",
            "dev R",
            "dev F1",
            "tp",
            "fp",
            "fn",
            "dev tokens cut",
            "minutes",
        )
    ]
    for name, account in found.items():
        counts = score(account)
        shares = (counts.precision, counts.recall, counts.f_score)
        numbers = (f"{count:,}" for count in (counts.tp, counts.fp, counts.fn))
        cut = f"{account['cut']:,} of {account['tokens']:,}" if account["cut"] else "0"
        minutes = f"{account['minutes']:.1f}"
        rows.append((name, VARIANTS[name].title, *map(percent, shares), *numbers, cut, minutes))
    return rows


if __name__ == "__main__":
    main()
