"""What are terms as features worth, beside the encoder, on development and test documents?

    python benchmarks/term_features.py --corpus bc5cdr [--out FOLDER] [--data FOLDER] [--seed 0]
        [--max-steps 800] [--training.optimizer.learn_rate.warmup_steps 80 …]

Trains configs/profiles/minilm_<corpus>.cfg with a CRF, each time in a process of its own: without
features, and with `spacy_bioner.TermFeatures.v1` over two tables of MeSH's names of diseases and
chemicals (vocab/ of the data folder). "without names of dev and test alone": what is annotated
there and nowhere in train is taken out of the table, so that it knows no more about those
documents than training does; less than any table would that was not made for them. "all names":
the table as it is. Each is also scored with an empty table: how far does it lean on the list?
Prints one Markdown table: strict scores, and the difference to the training without features with
its paired bootstrap interval over documents. A training that stands in OUT is not repeated.
"""

import argparse
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Set

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
from spacy_bioner.apps.profiles import load_profile
from spacy_bioner.architectures.pieces.term_flags import FEATURES
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.evaluation.bootstrap.intervals import Interval, count_documents
from spacy_bioner.evaluation.bootstrap.significance import compare_systems
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import list_gold
from spacy_bioner.knowledge.gaz import write_gaz
from spacy_bioner.knowledge.terms import read_terms

VOCABULARIES = {
    "Disease": "mesh_disease_snorkel_lowercase.tsv",
    "Chemical": "mesh_chemical_snorkel_lowercase.tsv",
}
OFF, HELD_OUT, ALL = "no features", "without names of dev and test alone", "all names"
FOLDERS = {OFF: "off", HELD_OUT: "held_out", ALL: "all"}
EMPTIED = "…, then an empty table"
SPLITS = ("dev", "test")
UNIT = "components.bioner.model.encoder.unit"
LEARNING: Dict[str, Any] = {
    "training.optimizer.learn_rate.initial_rate": 2e-4,
    "training.optimizer.learn_rate.warmup_steps": 80,
}


# Counts of each document, by split.
Scored = Dict[str, List[Counts]]


def main() -> None:
    args, settings, overrides = start_trainings(make_parser())
    folder = args.out / args.corpus
    corpus_dir = folder / "corpus"
    prepare(settings, corpus_dir)
    tables = write_tables(args.data / "vocab", corpus_dir, folder)
    profile = load_profile(f"minilm_{args.corpus}")
    shared = {**LEARNING, **overrides}
    shared["training.eval_frequency"] = args.max_steps // 2
    scored: Dict[str, Scored] = {}
    for name, subfolder in FOLDERS.items():
        table = tables.get(name)
        own: Dict[str, Any] = {"components.bioner.model.crf": True}
        if table:
            own = feature_settings(table, args.dropout, profile.overrides[UNIT])
        job = Job(
            "minilm_terms" if table else profile.name,
            "",
            corpus_dir,
            folder / subfolder,
            args.seed,
            max_steps=args.max_steps,
            overrides={**shared, **own},
        )
        with get_context("spawn").Pool(1) as pool:
            scored[name] = pool.apply(run, (job, False))
            if table:
                scored[f"{name}{EMPTIED}"] = pool.apply(run, (job, True))
        note(f"{name}: done")
    show(
        list(render(scored)),
        left=2,
        steps=args.max_steps,
        seed=args.seed,
        term_dropout=args.dropout,
        threads=args.threads,
    )


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--corpus", choices=("bc5cdr", "ncbi_disease"), required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "training" / "term_features")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--encoder", default="", help="replaces the profile's")
    parser.add_argument("--dropout", type=float, default=0.3, help="share of names left out")
    parser.add_argument("--max-steps", type=int, default=800)
    parser.add_argument("--docs", type=int, default=0, help="of each split; 0 takes all")
    parser.add_argument("--threads", type=int, default=cores())
    return parser


def write_tables(vocabularies: Path, corpus_dir: Path, folder: Path) -> Dict[str, Path]:
    """Compile MeSH's names, all of them and those that training may know of."""
    names = {split: list_names(corpus_dir / f"{split}.spacy") for split in ("train", *SPLITS)}
    unknown = (names["dev"] | names["test"]) - names["train"]
    terms = [
        term
        for label, file in VOCABULARIES.items()
        for term in read_terms(vocabularies / file, label=label)
    ]
    kept = [term for term in terms if term.name.lower() not in unknown]
    note(f"{len(terms):,} terms; {len(terms) - len(kept):,} stand in dev or test and not in train")
    tables = {ALL: folder / "all.gaz", HELD_OUT: folder / "held_out.gaz"}
    write_gaz(terms, tables[ALL])
    write_gaz(kept, tables[HELD_OUT])
    return tables


def list_names(path: Path) -> Set[str]:
    import spacy

    docs = read_docbin(path, spacy.blank("en").vocab)
    places = ((doc.text, key) for doc in docs for key in list_gold(doc) or ())
    return {text[start:end].lower() for text, (start, end, _) in places}


def feature_settings(table: Path, share: float, unit: str) -> Dict[str, Any]:
    """Name the table, and what the corpus' profile says of the encoder."""
    encoder = "components.bioner.model.encoder.*"
    return {
        "paths.terms": str(table),
        f"{encoder}.terms.dropout": share,
        f"{encoder}.transformer.unit": unit,
    }


def run(job: Job, emptied: bool) -> Scored:
    """Train, where that is not done yet, and score the best checkpoint."""
    from spacy_bioner.apps.loading import load_pipeline

    best = job.output / "model-best"
    if not best.is_dir():
        _, minutes = train_timed(job)
        note(f"{job.output.name}: trained in {minutes:.1f} minutes")
    nlp = load_pipeline(str(best))
    if emptied:
        for node in nlp.get_pipe("bioner").model.walk():
            if node.name == FEATURES:
                # What a text has without names is the layer's bias.
                node.shims[0].module.weight.data.zero_()
    documents: Scored = {}
    for split in SPLITS:
        gold = list(read_docbin(job.corpus_dir / f"{split}.spacy", nlp.vocab))
        found = nlp.pipe(doc.text for doc in gold)
        documents[split] = count_documents([compare_docs(*pair) for pair in zip(gold, found)])
    return documents


def render(scored: Dict[str, Scored]) -> Iterator[Sequence[str]]:
    """Yield the rows of the table."""
    yield ("split", "features", "n", "P", "R", "F1", "F1 − none", "95 %", "R − none")
    for split in SPLITS:
        for name, own in scored.items():
            compared = compare_systems(scored[OFF][split], own[split], seed=0)
            counts = compared.second
            row = (
                split,
                name,
                f"{counts.gold:,}",
                *map(percent, (counts.precision, counts.recall, counts.f_score)),
            )
            if name == OFF:
                yield (*row, "", "", "")
                continue
            f_score, recall = compared.f_score.difference, compared.recall.difference
            yield (*row, percent(f_score.value), span(f_score), percent(recall.value))


def span(interval: Interval) -> str:
    return f"{percent(interval.low)} to {percent(interval.high)}"


if __name__ == "__main__":
    main()
