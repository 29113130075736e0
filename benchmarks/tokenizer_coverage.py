"""How many gold mentions are exact token spans, and how fast is the tokenizer?

    python benchmarks/tokenizer_coverage.py [--data FOLDER] [--repeats 3]

Prints one Markdown table: a row for each corpus and split, then tokens per 1,000 characters and
words per second, for our tokenizer, blank English and, when it is installed, scispaCy's. Words
are counted at white space; each of the repeats starts with an empty cache, the fastest counts.
"""

import argparse
import importlib
import importlib.util
import os
import time
from pathlib import Path
from typing import Callable, Dict, List, Sequence

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.components.tokenizer import make_tokenizer
from spacy_bioner.corpora.pubtator import read_pubtator
from spacy_bioner.records import Record

CORPORA = ("bc5cdr", "ncbi_disease", "biored", "gnormplus", "nlm_gene", "s800")
SPLITS = ("train", "dev", "test")
DEFAULT_DATA = os.environ.get("BIONER_DATA", str(Path(__file__).resolve().parents[1] / "../shared"))

Tokenize = Callable[[str], Doc]
MakeTokenizer = Callable[[Language], Tokenize]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(DEFAULT_DATA), help="has corpora/ in it")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of each tokenizer")
    args = parser.parse_args()
    splits = read_splits(args.data / "corpora")
    if not splits:
        parser.error(f"found no */*.pubtator.txt in {args.data / 'corpora'}; name it with --data")
    print(render(splits, tokenizers(), args.repeats))


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


def render(splits: Dict[str, List[Record]], makers: Dict[str, MakeTokenizer], repeats: int) -> str:
    rows: List[Sequence[str]] = [
        ("corpus", "mentions", "offsets do not fit the text", *makers),
        ("---", *["---:"] * (len(makers) + 2)),
    ]
    for name, records in splits.items():
        mentions = sum(len(record.mentions) for record in records)
        exact = [count_exact(make(spacy.blank("en")), records) for make in makers.values()]
        cells = [f"{100 * count / mentions:.2f} % ({count:,})" for count in exact]
        rows.append((name, f"{mentions:,}", str(count_misfits(records)), *cells))
    texts = [record.text for records in splits.values() for record in records]
    density = [f"{tokens_per_1000(make, texts):.1f}" for make in makers.values()]
    rows.append(("tokens per 1,000 characters", "", "", *density))
    speed = [f"{words_per_second(make, texts, repeats):,.0f}" for make in makers.values()]
    rows.append((f"words/s, best of {repeats}", "", "", *speed))
    bare = f"{words_per_second(make_tokenizer(sentences=False), texts, repeats):,.0f}"
    rows.append(("words/s without sentence borders", "", "", bare, *speed[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def count_exact(tokenize: Tokenize, records: Sequence[Record]) -> int:
    count = 0
    for record in records:
        doc = tokenize(record.text)
        spans = (doc.char_span(m.start_char, m.end_char) for m in record.mentions)
        count += sum(span is not None for span in spans)
    return count


def count_misfits(records: Sequence[Record]) -> int:
    """Count mentions whose text is not what stands at their offsets: no tokenizer can fit them."""
    return sum(
        record.text[mention.start_char : mention.end_char] != mention.text
        for record in records
        for mention in record.mentions
    )


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
