"""What do the baselines reach beside the token classifier, each trained on the same documents?

    python benchmarks/baselines.py --corpus ncbi_disease [--profiles feature_crf cnn_ner …]
        [--steps N] [--seed 0] [--out FOLDER] [--data FOLDER] [--training.dropout 0.2 …]

Trains each profile in configs/profiles as `bioner train` does, in a process of its own, keeps the
checkpoint that is best on dev and scores it once on test: a mention is right where its first
character, end and label are those of the corpus file. Config overrides follow as for `spacy train`
and go to every profile. A span categorizer has a second row for its span group, which nested
mentions need; "nested" are gold mentions that a flat choice, the longest first, leaves out. Prints
one Markdown table. OUT keeps finished rows: the same command goes on after an interruption.
"""

import argparse
import multiprocessing
import os
from pathlib import Path
from typing import Any, Dict, List, Sequence

from _common import (
    ROOT,
    Job,
    add_data,
    cores,
    local_corpus,
    missing_extra,
    note,
    require,
    show,
    train_timed,
    use_threads,
)
from spacy.tokens import Doc

from spacy_bioner.apps.corpora.prepare import prepare
from spacy_bioner.apps.profiles import load_profile
from spacy_bioner.apps.stored_results import describe_profile, load_result, store_result
from spacy_bioner.files.digests import digest
from spacy_bioner.gold import list_gold, list_predicted
from spacy_bioner.spans import select_flat

CORPORA = ("demo", "ncbi_disease", "bc5cdr", "maccrobat")
PROFILES = ("feature_crf", "cnn_ner", "cnn_bilstm_crf", "demo", "minilm_spancat")
PROFILES += ("minilm_span_finder",)
SPLITS = ("train", "dev", "test")
HEADER = ("profile", "scored", "dev F1", "test P", "test R", "test F1", "nested", "found")


def main() -> None:
    from spacy.cli._util import parse_config_overrides

    parser = make_parser()
    args, extra = parser.parse_known_args()
    args.data, args.out = args.data.resolve(), args.out.resolve()
    overrides = parse_config_overrides(extra, env_var=None)
    require(parser, "torch", "transformers")
    if "feature_crf" in args.profiles and (missing := missing_extra("pycrfsuite")):
        parser.error(missing)
    # Profiles and configs are named relative to the project's folder.
    os.chdir(ROOT)
    settings = local_corpus(parser, args.data, args.corpus, docs=args.docs)
    use_threads(args.threads)
    corpus_dir = args.out / args.corpus / "corpus"
    prepared = prepare(settings, corpus_dir)
    rows: List[Sequence[str]] = [(*HEADER, "minutes", "words/s")]
    for name in args.profiles:
        job = Job(
            name,
            "",
            corpus_dir,
            args.out / args.corpus / name,
            args.seed,
            # A feature CRF is trained before the first step; more would only score it again.
            max_steps=0 if name == "feature_crf" else args.steps,
            overrides=overrides,
        )
        rows += render(name, run(job))
        note(f"{name}: test F1 {rows[-1][5]}")
    show(
        rows,
        left=2,
        n="; ".join(
            f"{split} {account.documents} documents, {account.count.total:,} mentions"
            for split, account in prepared.splits.items()
        ),
        seed=args.seed,
        threads=args.threads,
    )


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--corpus", choices=CORPORA, required=True)
    parser.add_argument("--profiles", nargs="+", default=list(PROFILES), metavar="NAME")
    parser.add_argument("--steps", type=int, default=0, help="0: each profile's own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "training" / "baselines")
    parser.add_argument("--docs", type=int, default=0, help="of each split; 0 takes all")
    parser.add_argument("--threads", type=int, default=cores())
    return parser


def run(job: Job) -> Dict[str, Any]:
    """Return a finished row, or train for it in a fresh process."""
    settings = {
        "profile": describe_profile(load_profile(job.profile)),
        "corpus": {split: digest(job.corpus_dir / f"{split}.spacy") for split in SPLITS},
        **{key: getattr(job, key) for key in ("seed", "max_steps", "overrides")},
    }
    path = Path(f"{job.output}.json")
    result = load_result(path, settings)
    if result is None:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            result = pool.apply(train_and_score, (job,))
        store_result(path, settings, result)
    return result


def train_and_score(job: Job) -> Dict[str, Any]:
    """Train, select by dev, score `doc.ents`, and the span group of a span categorizer."""
    from spacy_bioner.apps.loading import load_pipeline
    from spacy_bioner.corpora.docbin import read_docbin
    from spacy_bioner.evaluation.runner import PIPELINE, SPANS, evaluate_pipeline

    best, minutes = train_timed(job)
    nlp = load_pipeline(str(best))
    group = "spancat" if "spancat" in nlp.pipe_names else None
    scores: Dict[str, Dict[str, Any]] = {"doc.ents": {}, **({"doc.spans": {}} if group else {})}
    speed = None
    for split in SPLITS[1:]:
        gold = list(read_docbin(job.corpus_dir / f"{split}.spacy", nlp.vocab))
        evaluation = evaluate_pipeline(nlp, gold, spans_key=group)
        speed = evaluation.pace.words_per_second
        for scored, source in (("doc.ents", PIPELINE), ("doc.spans", SPANS)):
            if source in evaluation.scores:
                scores[scored][split] = evaluation.scores[source].to_json()
    # Counted on test, apart from the run that is timed.
    docs = list(zip(gold, nlp.pipe([doc.text for doc in gold])))
    for scored, key in (("doc.ents", None), ("doc.spans", group)):
        if scored in scores:
            scores[scored]["nested"] = count_nested(docs, key)
    return {"scores": scores, "minutes": minutes, "words_per_second": speed}


def count_nested(docs: Sequence[Sequence[Doc]], group: Any) -> Sequence[int]:
    """Count the gold mentions that a flat choice leaves out, and those of them that are found.

    docs (Sequence[Sequence[Doc]]): Pairs of a gold Doc and the pipeline's Doc of its text.
    """
    total = found = 0
    for gold, predicted in docs:
        mentions = list(dict.fromkeys(list_gold(gold) or ()))
        _, nested = select_flat(mentions, interval=lambda mention: (mention[0], mention[1]))
        total += len(nested)
        found += len(set(nested) & set(list_predicted(predicted, spans_key=group)))
    return total, found


def render(name: str, result: Dict[str, Any]) -> List[Sequence[str]]:
    rows: List[Sequence[str]] = []
    for scored, scores in result["scores"].items():
        test = scores["test"]["micro"]
        shares = [scores["dev"]["micro"]["f_score"]]
        shares += [test[key] for key in ("precision", "recall", "f_score")]
        total, found = scores["nested"]
        speed = result["words_per_second"]
        rows.append(
            (
                *(name, scored),
                *("–" if share is None else f"{100 * share:.2f}" for share in shares),
                *(f"{total:,}", f"{found:,}"),
                *(f"{result['minutes']:.1f}", f"{speed:,.0f}" if speed else "–"),
            )
        )
    return rows


if __name__ == "__main__":
    main()
