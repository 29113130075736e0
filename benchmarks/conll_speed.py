"""Is a CoNLL file converted faster than by `spacy convert`?

    python benchmarks/conll_speed.py [--data FOLDER] [--file FILE …] [--repeats 3]

Both run in one process, in turns, so that start-up does not count; seconds are medians. `spacy
convert -c ner` is run with its default of one sentence a document, and with `-n 10`. Ours keeps
the file's tokens, as spaCy does, or makes its own (the default). spaCy reads the lines
`-DOCSTART-<TAB>O` of JNLPBA as words. Prints one Markdown table.
"""

import argparse
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Dict, List, Sequence

import spacy
from _common import add_data, median, show, time_in_turns
from spacy.cli.convert import convert as convert_by_spacy
from spacy.tokens import DocBin
from wasabi import Printer

from spacy_bioner.apps.corpora.convert import convert

FILES = ("jnlpba/train.conll.tsv", "bc5cdr/train.conll.tsv", "ncbi_disease/train.conll.tsv")
BASELINE = "spacy convert"
COLUMNS = ("file", "system", "documents", "tokens", "entities", "s", "range", f"× {BASELINE}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--file", type=Path, action="append", help="a CoNLL file; default: three")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of each system")
    args = parser.parse_args()
    files = args.file or [args.data / "corpora" / name for name in FILES]
    present = [path for path in files if path.is_file()]
    if not present:
        parser.error(f"found none of {', '.join(map(str, files))}; name one with --file")
    rows: List[Sequence[str]] = [COLUMNS]
    with tempfile.TemporaryDirectory() as folder:
        for path in present:
            rows += compare(path, Path(folder), args.repeats)
    show(rows, left=2, n=f"{len(present)} files", seed="none", median_of=args.repeats)


def compare(path: Path, folder: Path, repeats: int) -> List[Sequence[str]]:
    """Return a row for each system on one file."""
    # spaCy chooses its converter's reading by the ending.
    source = folder / "source.iob"
    shutil.copy(path, source)
    outputs = {
        BASELINE: folder / "one" / "source.spacy",
        f"{BASELINE} -n 10": folder / "ten" / "source.spacy",
        "ours, the file's tokens": folder / "own.spacy",
        "ours, our tokens": folder / "ours.spacy",
    }
    runs = {
        BASELINE: partial(run_spacy, source, folder / "one", 1),
        f"{BASELINE} -n 10": partial(run_spacy, source, folder / "ten", 10),
        "ours, the file's tokens": partial(
            convert, path, folder / "own.spacy", from_format="conll", tokenizer="corpus"
        ),
        "ours, our tokens": partial(convert, path, folder / "ours.spacy", from_format="conll"),
    }
    seconds = time_in_turns(runs, repeats)
    name = f"{path.parent.name}/{path.name}"
    return [row(name, system, outputs[system], seconds) for system in runs]


def run_spacy(source: Path, output: Path, n_sents: int) -> None:
    output.mkdir(exist_ok=True)
    convert_by_spacy(
        source,
        output,
        converter="ner",
        file_type="spacy",
        n_sents=n_sents,
        silent=True,
        msg=Printer(no_print=True),
    )


def row(name: str, system: str, output: Path, seconds: Dict[str, List[float]]) -> Sequence[str]:
    docs = list(DocBin().from_disk(output).get_docs(spacy.blank("xx").vocab))
    counts = (len(docs), sum(map(len, docs)), sum(len(doc.ents) for doc in docs))
    mine = seconds[system]
    return (
        name,
        system,
        *(f"{count:,}" for count in counts),
        f"{median(mine):.2f}",
        f"{min(mine):.2f}–{max(mine):.2f}",
        f"{median(seconds[BASELINE]) / median(mine):.2f}",
    )


if __name__ == "__main__":
    main()
