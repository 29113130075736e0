"""Is every gold mention accounted for, and how fast is the conversion to DocBin?

    python benchmarks/conversion.py [--data FOLDER] [--repeats 3]

Prints one Markdown table with a row for each split of NCBI-disease and BC5CDR, as split files
and as the published downloads (corpora/downloads), whose counts differ slightly. "In the file"
counts annotation lines without our reader; "published" is what the corpora's papers and mirrors
state for the split files. Seconds are the median of the repeats. The exit status is 1 where a
mention is lost or a number contradicts another.
"""

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence

from _common import add_data, median, show

from spacy_bioner.apps.auditing import Conversion
from spacy_bioner.apps.conversion import convert
from spacy_bioner.corpora.conservation import OUTCOMES
from spacy_bioner.corpora.reading import Selection

ANNOTATION = re.compile(r"^[^\t|]+\t\d+\t\d+\t", re.MULTILINE)
COLUMNS = ("corpus", "documents", "published", "in the file", "read", *OUTCOMES, "s", "documents/s")


class Split(NamedTuple):
    """A split: where it stands below corpora/, which documents of it, what was published."""

    name: str
    path: str
    expected: Optional[int] = None
    skip: int = 0
    first: Optional[int] = None


SPLITS = (
    Split("NCBI-disease train", "ncbi_disease/train.pubtator.txt", 5145),
    Split("NCBI-disease dev", "ncbi_disease/dev.pubtator.txt", 787),
    Split("NCBI-disease test", "ncbi_disease/test.pubtator.txt", 960),
    Split("BC5CDR train", "bc5cdr/train.pubtator.txt", 9385),
    Split("BC5CDR dev", "bc5cdr/dev.pubtator.txt", 9591),
    Split("BC5CDR test", "bc5cdr/test.pubtator.txt", 9809),
    Split("NCBI-disease train, download", "downloads/NCBItrainset_corpus.txt"),
    Split("NCBI-disease dev, download", "downloads/NCBIdevelopset_corpus.txt"),
    Split("NCBI-disease test, download", "downloads/NCBItestset_corpus.txt"),
    Split("BC5CDR train, download", "downloads/BC5CDR_TrainDev.PubTator", first=500),
    Split("BC5CDR dev, download", "downloads/BC5CDR_TrainDev.PubTator", skip=500),
    Split("BC5CDR test, download", "downloads/BC5CDR_Test.PubTator"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--repeats", type=int, default=3, help="timed conversions of each split")
    args = parser.parse_args()
    present = [split for split in SPLITS if (args.data / "corpora" / split.path).is_file()]
    if not present:
        parser.error(f"found no corpus in {args.data / 'corpora'}; name its folder with --data")
    rows: List[Sequence[str]] = [COLUMNS]
    wrong: List[str] = []
    for split in present:
        path = args.data / "corpora" / split.path
        account, seconds = convert_timed(path, split, args.repeats)
        in_file = count_lines(path, split)
        if account.count.lost or len({account.count.total, in_file, split.expected or in_file}) > 1:
            wrong.append(split.name)
        rows.append(row(split, account, in_file, seconds))
    show(rows, n=f"{len(present)} files", seed="none", median_of=args.repeats)
    if len(present) < len(SPLITS):
        absent = ", ".join(split.path for split in SPLITS if split not in present)
        print(f"\nNot there, so left out: {absent}")
    if wrong:
        sys.exit(f"not every mention is accounted for in {', '.join(wrong)}")


def convert_timed(path: Path, split: Split, repeats: int) -> tuple[Conversion, float]:
    """Convert a split so many times. RETURNS: The account and the median of the seconds."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):
            began = time.perf_counter()
            account = convert(
                path,
                Path(folder) / "docs.spacy",
                selection=Selection(skip=split.skip, first=split.first),
            )
            seconds.append(time.perf_counter() - began)
    return account, median(seconds)


def count_lines(path: Path, split: Split) -> int:
    """Count annotation lines; relations have no offsets."""
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.strip()]
    stop = None if split.first is None else split.skip + split.first
    return sum(len(ANNOTATION.findall(block)) for block in blocks[split.skip : stop])


def row(split: Split, account: Conversion, in_file: int, seconds: float) -> List[str]:
    published = "" if split.expected is None else f"{split.expected:,}"
    outcomes = [getattr(account.count, outcome) for outcome in OUTCOMES]
    numbers = [account.documents, in_file, account.count.total, *outcomes]
    documents, *counts = (f"{number:,}" for number in numbers)
    speed = f"{account.documents / seconds:,.0f}"
    return [split.name, documents, published, *counts, f"{seconds:.2f}", speed]


if __name__ == "__main__":
    main()
