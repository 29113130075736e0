"""How right are the ids that mentions get from a concept store?

    python benchmarks/linking.py --docbins corpus [--split dev] [--min-score 0] [--fit]

The tables are those of vocab/ below --data: for diseases MEDIC of 2012, the MeSH diseases and the
MeSH descriptors, for chemicals the MeSH chemicals and the descriptors. What training mentions are
called names their concepts as well: those of the train split for --split dev, of train and dev for
--split test. Without a threshold (--min-score 0) every mention with a candidate gets its best one,
which is accuracy@1; the default threshold is what a pipeline uses. --fit fits the weights of
`knowledge.concepts.ranking` on the dev splits and prints them: it needs scipy. --all builds a store
of all tables instead, and measures how it opens, what it keeps in memory, and its speed.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import spacy
from _common import add_data, note, show

from spacy_bioner.apps.evaluation.link import LinkSettings, link
from spacy_bioner.apps.terms.store import make_store
from spacy_bioner.components.abbreviations import find_abbreviations
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.evaluation.linking import ALL, COVERAGE, IN_TABLE, STRICT, split_ids
from spacy_bioner.gold import list_gold_mentions
from spacy_bioner.knowledge.concepts.documents import read_mentions
from spacy_bioner.knowledge.concepts.linking import Linker, MentionText, find_context
from spacy_bioner.knowledge.concepts.ranking import WEIGHTS
from spacy_bioner.knowledge.concepts.store import ConceptStore
from spacy_bioner.reports.text.linking import show_interval

DISEASES = ("medic_2012", "mesh_disease_snorkel_lowercase", "mesh_descriptors_2015_labels")
CHEMICALS = ("mesh_chemical_snorkel_lowercase", "mesh_descriptors_2015_labels")
TABLES = {
    "ncbi_disease": {"Disease": DISEASES},
    "bc5cdr": {"Disease": DISEASES, "Chemical": CHEMICALS},
}
# Labels of all tables, for what is measured of a store of all.
LABELS = {
    "cl_craft2019": "Cell",
    "doid_2016": "Disease",
    "drugbank_vocabulary": "Chemical",
    "drugcentral": "Chemical",
    "gard": "Disease",
    "hpo_names_lowercase": "Phenotype",
    "icd10cm_2021": "Disease",
    "medic_2012": "Disease",
    "mesh_chemical_snorkel_lowercase": "Chemical",
    "mesh_descriptors_2015_labels": "Descriptor",
    "mesh_disease_snorkel_lowercase": "Disease",
    "mondo_import_ncbitaxon": "Species",
    "ncbigene_human": "Gene",
    "uberon": "Anatomy",
}
HEADER = ("corpus", "label", "mentions", "in the table", "accuracy@1 of these", "very same ids")
HEADER += ("accuracy@1 of all", "P of documents", "R", "F1")


class Case(NamedTuple):
    """A mention whose concept the ranking may choose: features of its candidates, and the right."""

    features: np.ndarray
    right: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data(parser)
    parser.add_argument("--docbins", type=Path, default=Path("corpus"), help="has ncbi_disease/ …")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--min-score", type=float, default=0.0)
    parser.add_argument("--fit", action="store_true", help="print weights fitted on dev")
    parser.add_argument("--all", action="store_true", help="measure a store of all tables")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        if args.all:
            measure_all(args.data / "vocab", args.docbins, Path(folder))
            return
        stores = {name: build(name, args, Path(folder)) for name in TABLES}
        if args.fit:
            cases = [case for name in TABLES for case in list_cases(name, stores[name], args)]
            note(f"{len(cases):,} mentions whose concept is among the candidates")
            for name, weight in fit(cases).items():
                print(f'    "{name}": {weight:.2f},')
            return
        rows = [row for name in TABLES for row in score(name, stores[name], args)]
    show([HEADER, *rows], left=2, resamples=1000, seed=0)


def build(name: str, args: argparse.Namespace, folder: Path) -> Path:
    """Make the store of a corpus: its tables, and the mentions of what is not scored."""
    sources = [
        f"{label}={args.data / 'vocab' / table}.tsv"
        for label, tables in TABLES[name].items()
        for table in tables
    ]
    splits = ("train", "dev") if args.split == "test" else ("train",)
    train = [args.docbins / name / f"{split}.spacy" for split in splits]
    path = folder / f"{name}.store"
    began = time.perf_counter()
    info = make_store(sources, path, train=train)
    note(f"{name}: {info.n_names:,} names, {time.perf_counter() - began:.0f} s")
    return path


def score(name: str, store: Path, args: argparse.Namespace) -> List[Sequence[str]]:
    """Return a row for each label."""
    corpus = args.docbins / name / f"{args.split}.spacy"
    scores = link(corpus, store, LinkSettings(min_score=args.min_score))
    rows = []
    for label, row in scores.rows.items():
        if label:
            shown = [row.intervals[key] for key in (COVERAGE, IN_TABLE, STRICT, ALL)]
            shown += [row.documents[key] for key in ("precision", "recall", "f_score")]
            mentions = f"{row.total.mentions:,}"
            rows.append((f"{name} {args.split}", label, mentions, *map(show_interval, shown)))
    return rows


def list_cases(name: str, store: Path, args: argparse.Namespace) -> List[Case]:
    """List the dev mentions of which some candidate is right and some is not."""
    linker = Linker(ConceptStore(store))
    cases = []
    for doc in read_docbin(args.docbins / name / "dev.spacy", spacy.blank("en").vocab):
        mentions = list_gold_mentions(doc)
        texts = read_mentions(doc.text, [item.key for item in mentions], find_abbreviations(doc))
        found = [linker.find(text) for text in texts]
        context = find_context(found)
        for mention, text, candidates in zip(mentions, texts, found, strict=True):
            gold = primary(linker.store, split_ids(mention.concept_ids), text.label)
            right = [
                primary(linker.store, split_ids(item.concept.key.split("|")), text.label) == gold
                for item in candidates
            ]
            if any(right):
                features = [
                    list(
                        linker.describe(
                            item, text.label, in_context=item.concept.key in context
                        ).values()
                    )
                    for item in candidates
                ]
                cases.append(Case(np.array(features, dtype=float), np.array(right)))
    return cases


def primary(store: ConceptStore, ids: Sequence[str], label: str) -> frozenset:
    """Return the first ids of concepts."""
    return frozenset(store.find_primary(one, label) for one in ids)


def fit(cases: Sequence[Case], *, penalty: float = 1.0) -> Dict[str, float]:
    """Fit a conditional logit: the sum of the chances of right candidates is to be large."""
    from scipy.optimize import minimize

    features = np.concatenate([case.features for case in cases])
    right = np.concatenate([case.right for case in cases]).astype(float)
    sizes = [len(case.right) for case in cases]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    of_case = np.repeat(np.arange(len(cases)), sizes)

    def lose(weights: np.ndarray) -> Tuple[float, np.ndarray]:
        sums = features @ weights
        powers = np.exp(sums - np.maximum.reduceat(sums, starts)[of_case])
        every, those = (np.add.reduceat(x, starts) for x in (powers, powers * right))
        loss = np.log(every).sum() - np.log(those).sum() + penalty * weights @ weights / 2
        pull = powers / every[of_case] - powers * right / those[of_case]
        return float(loss), features.T @ pull + penalty * weights

    found = minimize(lose, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B").x
    return dict(zip(WEIGHTS, found.tolist(), strict=True))


def measure_all(vocab: Path, docbins: Path, folder: Path) -> None:
    """Print what a store of all tables takes, and how fast it is once it has seen the mentions."""
    path = folder / "all.store"
    sources = [f"{label}={vocab / name}.tsv" for name, label in LABELS.items()]
    began = time.perf_counter()
    info = make_store(sources, path)
    built = time.perf_counter() - began
    vocabulary = spacy.blank("en").vocab
    documents = [
        [MentionText(mention.surface, mention.key[2]) for mention in list_gold_mentions(doc)]
        for doc in read_docbin(docbins / "bc5cdr/dev.spacy", vocabulary)
    ]
    before = resident()
    began = time.perf_counter()
    linker = Linker(ConceptStore(path))
    linker.link([MentionText("asthma", "Disease")])
    opened = time.perf_counter() - began
    pace = []
    for _ in range(2):
        began = time.perf_counter()
        for mentions in documents:
            linker.link(mentions)
        pace.append(sum(map(len, documents)) / (time.perf_counter() - began))
    rows = [
        ("names", "concepts", "MB", "built, s", "open, s", "resident, MB", "first, /s", "warm, /s"),
        (
            f"{info.n_names:,}",
            f"{info.n_concepts:,}",
            f"{path.stat().st_size / 1e6:,.0f}",
            f"{built:.0f}",
            f"{opened:.2f}",
            f"{(resident() - before) / 1e6:.0f}",
            *(f"{value:,.0f}" for value in pace),
        ),
    ]
    show(rows, left=0, mentions="BC5CDR dev", processes=1)


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


if __name__ == "__main__":
    main()
