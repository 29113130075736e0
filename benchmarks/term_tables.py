"""What do tables of terms change in the entities of a trained pipeline, in each mode?

    python benchmarks/term_tables.py MODEL CORPUS TABLE.gaz [TABLE.gaz …] [--test] [--docs 0]

CORPUS is a folder with train.spacy, dev.spacy and test.spacy, as `bioner prepare` writes it. The
trained component of MODEL runs once over the documents; then each table does its work on a copy of
them, in each mode: as it is, without the names that `bioner terms blame` proposes to leave out on
the train split, and with those names alone that are right there. What a table's entities are worth
(the setting `confidence`) is their precision on the train split. Thresholds "dev" are those of the
best F1 on dev for each label; "boost" changes nothing without them. Thresholds "recall" are the
highest ones that leave each label the recall on dev that it has without a table: all that a table
gives is precision then. Prints one Markdown table: strict scores, and the differences from the same
pipeline without a table, with the interval of a paired bootstrap over documents. Settings are for
dev: with --test, the setting of each mode that is best on dev is scored on test, too.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from _common import note, show
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.apps.evaluation.calibrate import score_document
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.packaging.assemble import find_recognizer
from spacy_bioner.apps.terms.blame import blame_terms
from spacy_bioner.architectures.datasets import choose_dataset
from spacy_bioner.components.confidence import ConfidenceFilter
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.evaluation.bootstrap.intervals import Interval, count_documents
from spacy_bioner.evaluation.bootstrap.significance import compare_systems
from spacy_bioner.evaluation.confidence.predictions import Judged, judge
from spacy_bioner.evaluation.confidence.thresholds import ScoreTarget, choose_thresholds, sweep
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import ANNOTATED_KEY, list_gold
from spacy_bioner.knowledge.drops import make_key
from spacy_bioner.knowledge.gaz import read_gaz
from spacy_bioner.knowledge.matcher import TermMatcher

MODES = ("fill", "boost", "filter", "override")
# How thresholds are chosen: not at all, for the best F1, or for the recall without a table.
NONE, BEST, RECALL = THRESHOLDS = ("none", "dev", "recall")
# What each mode is for.
AIMS = {"fill": "f_score", "boost": "f_score", "filter": "precision", "override": "f_score"}
HEADER = ("documents", "table", "mode", "thresholds", "P", "R", "F1")
HEADER += ("P against none", "R against none", "F1 against none")


@dataclass(frozen=True)
class Table:
    """A table of terms.

    confidence (float): The part of its entities on the train split that are right.
    """

    name: str
    terms: TermMatcher
    confidence: float


@dataclass(frozen=True)
class Setting:
    """A row: a table in a mode; no table for what the others are compared with."""

    mode: str = ""
    table: Optional[Table] = None
    thresholds: str = NONE

    @property
    def alone(self) -> "Setting":
        """What it is compared with."""
        return Setting(thresholds=NONE if self.thresholds == NONE else BEST)


@dataclass(frozen=True)
class Split:
    """Gold documents, and what the trained component predicts."""

    name: str
    gold: Sequence[Doc]
    predicted: Sequence[Doc]


class Trial:
    """A trained component, the labels that it knows, and settings to try behind it."""

    def __init__(self, nlp: Language, recognizer: str) -> None:
        self.nlp, self.recognizer = nlp, recognizer
        self.labels = list(nlp.pipe_labels[recognizer])
        self._thresholds: Dict[Setting, Dict[str, float]] = {}

    def predict(self, folder: Path, name: str, n_docs: int) -> Split:
        """Run the trained component over a split."""
        gold = list(read_docbin(folder / f"{name}.spacy", self.nlp.vocab))[: n_docs or None]
        labels = sorted({label for doc in gold for _, _, label in list_gold(doc) or ()})
        for doc in gold:
            # Of a model that knows more, the other labels are nobody's fault.
            doc.user_data.setdefault(ANNOTATED_KEY, labels)
        with self.nlp.select_pipes(enable=[self.recognizer]):
            return Split(name, gold, list(self.nlp.pipe([doc.text for doc in gold])))

    def fit(self, setting: Setting, dev: Split) -> None:
        """Choose the thresholds of a setting."""
        if setting.thresholds == BEST:
            chosen = choose_thresholds(self._judge(setting, dev))
            self._thresholds[setting] = {label or "": least for label, least in chosen.items()}
        elif setting.thresholds == RECALL:
            judged, alone = self._judge(setting, dev), self._judge(setting.alone, dev)
            self._thresholds[setting] = {
                label: sweep(judged, label).reach(ScoreTarget("recall", recall)).threshold
                for label in {*judged.labels, *judged.gold}
                if (recall := sweep(alone, label).best().counts.recall)
            }

    def count(self, setting: Setting, split: Split) -> List[Counts]:
        """Count by document what a setting finds."""
        docs = self._apply_table(setting, split.predicted)
        if setting.thresholds != NONE:
            least = self._thresholds[setting]
            docs = list(ConfidenceFilter(source=self.recognizer, thresholds=least).pipe(docs))
        pairs = zip(split.gold, docs, strict=True)
        return count_documents([compare_docs(left, right) for left, right in pairs])

    def _judge(self, setting: Setting, split: Split) -> Judged:
        pairs = zip(split.gold, self._apply_table(setting, split.predicted), strict=True)
        scored = (score_document(*pair, self.recognizer) for pair in pairs)
        return judge(document for document in scored if document)

    def _apply_table(self, setting: Setting, predicted: Sequence[Doc]) -> List[Doc]:
        docs = [doc.copy() for doc in predicted]
        if setting.table is None:
            return docs
        config: Dict[str, Any] = {"mode": setting.mode, "labels": self.labels}
        config["confidence"] = setting.table.confidence
        gazetteer: Any = self.nlp.create_pipe("bioner_gazetteer", config=config)
        gazetteer.use_table(setting.table.terms)
        return list(gazetteer.pipe(docs))


def main() -> None:
    args = parse_arguments()
    nlp = load_pipeline(str(args.model))
    if args.rules:
        choose_dataset(nlp, args.rules)
    trial = Trial(nlp, find_recognizer(nlp))
    tables = [table for path in args.tables for table in read_tables(path, args.corpus)]
    for table in tables:
        note(f"{table.name}: {len(table.terms):,} terms, precision on train {table.confidence:.3f}")
    dev = trial.predict(args.corpus, "dev", args.docs)
    settings = list(list_settings(tables))
    rows = [HEADER]
    found = measure(trial, settings, dev, dev)
    rows += render(found, dev)
    splits = [dev]
    if args.test:
        splits.append(trial.predict(args.corpus, "test", args.docs))
        rows += render(measure(trial, choose(found), splits[-1], dev), splits[-1])
    n = "; ".join(f"{split.name} {len(split.gold):,} documents" for split in splits)
    show(rows, left=4, n=n, seed=0)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a pipeline folder or package")
    parser.add_argument("corpus", type=Path, help="has train.spacy, dev.spacy and test.spacy")
    parser.add_argument("tables", type=Path, nargs="+", help="of `bioner terms import`")
    parser.add_argument("--test", action="store_true", help="score what is chosen on test as well")
    parser.add_argument("--rules", default="", help="the corpus by whose rules MODEL annotates")
    parser.add_argument("--docs", type=int, default=0, help="of dev and test; 0 takes all")
    args = parser.parse_args()
    for path in (*args.tables, args.corpus / "train.spacy", args.corpus / "dev.spacy"):
        if not path.is_file():
            parser.error(f"found no {path}")
    return args


def read_tables(path: Path, corpus: Path) -> Iterator[Table]:
    """Read a table: as it is, without the names to blame, and those alone that the train split
    shows to be right; all judged there."""
    terms = read_gaz(path)
    blame = blame_terms(path, corpus / "train.spacy")
    yield Table(path.stem, terms, blame.right / max(1, blame.found))
    blamed = {(make_key(counts.name), counts.label) for counts in blame.suppressed}
    kept = [term for term in terms.table if (make_key(term.name), term.label) not in blamed]
    wrong = sum(counts.wrong for counts in blame.suppressed)
    right = blame.right - sum(counts.right for counts in blame.suppressed)
    found = blame.found - sum(counts.right for counts in blame.suppressed) - wrong
    yield Table(f"{path.stem} − {len(blamed):,} blamed", TermMatcher(kept), right / max(1, found))
    proved = {(make_key(counts.name), counts.label) for counts in blame.proved}
    kept = [term for term in kept if (make_key(term.name), term.label) in proved]
    right = sum(counts.right for counts in blame.proved)
    found = right + sum(counts.wrong for counts in blame.proved)
    yield Table(f"{path.stem}, {len(proved):,} proved", TermMatcher(kept), right / max(1, found))


def list_settings(tables: Sequence[Table]) -> Iterator[Setting]:
    """List the rows."""
    for thresholds in THRESHOLDS:
        if thresholds != RECALL:
            yield Setting(thresholds=thresholds)
        for table in tables:
            for mode in MODES:
                if thresholds == BEST or (mode == "boost") == (thresholds == RECALL):
                    yield Setting(mode, table, thresholds)


Found = Mapping[Setting, List[Counts]]


def measure(trial: Trial, settings: Sequence[Setting], split: Split, dev: Split) -> Found:
    """Count what each setting finds in a split; thresholds are chosen on dev."""
    found = {}
    for setting in settings:
        if split is dev:
            trial.fit(setting, dev)
        found[setting] = trial.count(setting, split)
        total = sum(found[setting], Counts())
        name = setting.table.name if setting.table else "no table"
        note(f"{split.name}: {name}, {setting.mode}: F1 {100 * (total.f_score or 0.0):.2f}")
    return found


def choose(found: Found) -> List[Setting]:
    """Choose the best of each mode, and what it is compared with."""
    best: Dict[Tuple[str, str], Tuple[float, Setting]] = {}
    for setting, counts in found.items():
        score = getattr(sum(counts, Counts()), AIMS.get(setting.mode, "f_score")) or 0.0
        key = (setting.mode, setting.thresholds)
        if key not in best or score > best[key][0]:
            best[key] = score, setting
    return [setting for _, setting in best.values()]


def render(found: Found, split: Split) -> List[Tuple[str, ...]]:
    """Make the rows of the table."""
    rows = []
    for setting, counts in found.items():
        total = sum(counts, Counts())
        scores = tuple(
            f"{100 * (score or 0.0):.2f}"
            for score in (total.precision, total.recall, total.f_score)
        )
        about = (
            split.name,
            setting.table.name if setting.table else "none",
            setting.mode or "–",
            setting.thresholds,
        )
        none = found[setting.alone]
        compared = compare_systems(none, counts, n_shuffles=1)
        differences = (compared.precision, compared.recall, compared.f_score)
        shown = tuple(_render(one.difference) if setting.table else "–" for one in differences)
        rows.append((*about, *scores, *shown))
    return rows


def _render(interval: Interval) -> str:
    if interval.value is None or interval.low is None or interval.high is None:
        return "–"
    ends = f"{100 * interval.low:+.2f} to {100 * interval.high:+.2f}"
    return f"{100 * interval.value:+.2f} ({ends})"


if __name__ == "__main__":
    main()
