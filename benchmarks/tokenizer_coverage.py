"""How much of each corpus can spans of tokens express, and how fast is the tokenizer?

    python benchmarks/tokenizer_coverage.py [--data FOLDER] [--repeats 3]

Prints one Markdown table: a row for each corpus and split, then tokens per 1,000 characters and
words per second, for our tokenizer, blank English and, when it is installed, scispaCy's. The share
is that of the mentions whose text stands at their offsets ("lost" are the others) that begin and
end at token borders; "strict F1" is the ceiling that our tokens and flat spans put on it together.
Words are counted at white space; each of the repeats starts with an empty cache, the fastest
counts.
"""

import argparse
import importlib
import importlib.util
import time
from pathlib import Path
from typing import Callable, Dict, List, Sequence

import spacy
from _common import add_data, show
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.apps.corpora.audit import compare_tokenizers
from spacy_bioner.components.tokenizer import make_tokenizer
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.records import Record

CORPORA = ("bc5cdr", "ncbi_disease", "biored", "gnormplus", "nlm_gene", "s800")
SPLITS = ("train", "dev", "test")

Tokenize = Callable[[str], Doc]
MakeTokenizer = Callable[[Language], Tokenize]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of each tokenizer")
    args = parser.parse_args()
    splits = read_splits(args.data / "corpora")
    if not splits:
        parser.error(f"found no */*.pubtator.txt in {args.data / 'corpora'}; name it with --data")
    rows = measure(splits, tokenizers(), args.repeats)
    show(rows, n=f"{len(splits)} splits", seed="none", best_of=args.repeats)


def read_splits(folder: Path) -> Dict[str, List[Record]]:
    """Read every split that is there, under a name such as "bc5cdr train"."""
    paths = {
        f"{corpus} {split}": folder / corpus / f"{split}.pubtator.txt"
        for corpus in CORPORA
        for split in SPLITS
    }
    return {name: list(read_pubtator(path)) for name, path in paths.items() if path.is_file()}


def tokenizers() -> Dict[str, MakeTokenizer]:
    makers: Dict[str, MakeTokenizer] = {
        "ours": make_tokenizer(),
        "blank English": lambda nlp: nlp.tokenizer,
    }
    if importlib.util.find_spec("scispacy"):
        module = importlib.import_module("scispacy.custom_tokenizer")
        makers["scispaCy"] = module.combined_rule_tokenizer
    return makers


def measure(
    splits: Dict[str, List[Record]], makers: Dict[str, MakeTokenizer], repeats: int
) -> List[Sequence[str]]:
    rows: List[Sequence[str]] = [("corpus", "mentions", "lost", *makers, "strict F1, ours")]
    for name, records in splits.items():
        counts = {key: log.count() for key, log in compare_tokenizers(records).items()}
        ours = counts["bioner"]
        cells = [f"{100 * count.token_ceiling:.2f} %" for count in counts.values()]
        ceiling = f"{100 * ours.f1_ceiling:.2f} %"
        rows.append((name, f"{ours.total:,}", str(ours.lost), *cells, ceiling))
    texts = [record.text for records in splits.values() for record in records]
    density = [f"{tokens_per_1000(make, texts):.1f}" for make in makers.values()]
    rows.append(("tokens per 1,000 characters", "", "", *density, ""))
    speed = [f"{words_per_second(make, texts, repeats):,.0f}" for make in makers.values()]
    rows.append(("words/s", "", "", *speed, ""))
    bare = f"{words_per_second(make_tokenizer(sentences=False), texts, repeats):,.0f}"
    rows.append(("words/s without sentence borders", "", "", bare, *speed[1:], ""))
    return rows


def tokens_per_1000(make: MakeTokenizer, texts: Sequence[str]) -> float:
    tokenize = make(spacy.blank("en"))
    return 1000 * sum(len(tokenize(text)) for text in texts) / sum(map(len, texts))


def words_per_second(make: MakeTokenizer, texts: Sequence[str], repeats: int) -> float:
    words = sum(len(text.split()) for text in texts)
    fastest = float("inf")
    for _ in range(repeats):
        tokenize = make(spacy.blank("en"))
        began = time.perf_counter()
        for text in texts:
            tokenize(text)
        fastest = min(fastest, time.perf_counter() - began)
    return words / fastest


if __name__ == "__main__":
    main()
