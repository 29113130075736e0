"""Is every gold mention accounted for, and how fast is the conversion to DocBin?

    python benchmarks/conversion.py [--data FOLDER] [--repeats 3]

Prints one Markdown table with a row for each split: PubTator, CoNLL and brat files, and the
published downloads (corpora/downloads), whose counts differ slightly from the split files'. "In
the file" counts annotations without our reader; "published" is what the corpora's papers and
mirrors state. Mentions whose text is not what stands at their offsets are lost (`lenient`).
Seconds are the median of the repeats. The last line adds up BC5CDR, NCBI-disease and BioRED. The
exit status is 1 where a number contradicts another, or a mention is lost for another reason.
"""

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Tuple

from _common import add_data, median, show

from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.corpora.alignment_counts import OUTCOMES
from spacy_bioner.corpora.conversion import Conversion
from spacy_bioner.corpora.mention_checks import TEXT_DIFFERS
from spacy_bioner.corpora.read_write import Selection

ANNOTATION = re.compile(r"^[^\t|]+\t\d+\t\d+\t", re.MULTILINE)
BRAT = re.compile(r"^T\d", re.MULTILINE)
BEGIN = re.compile(r"[\t ]B(?:-\S+)?$", re.MULTILINE)
COLUMNS = ("corpus", "documents", "published", "in the file", "read", *OUTCOMES, "s", "documents/s")


class Split(NamedTuple):
    """A split: where it stands below corpora/, which documents of it, what was published."""

    name: str
    path: str
    expected: Optional[int] = None
    skip: int = 0
    first: Optional[int] = None


# Their 2,893 documents are what the total is made of.
TOTAL = ("NCBI-disease train", "NCBI-disease dev", "NCBI-disease test", "BC5CDR train")
TOTAL += ("BC5CDR dev", "BC5CDR test", "BioRED train", "BioRED dev", "BioRED test")
SPLITS = (
    Split("NCBI-disease train", "ncbi_disease/train.pubtator.txt", 5145),
    Split("NCBI-disease dev", "ncbi_disease/dev.pubtator.txt", 787),
    Split("NCBI-disease test", "ncbi_disease/test.pubtator.txt", 960),
    Split("BC5CDR train", "bc5cdr/train.pubtator.txt", 9385),
    Split("BC5CDR dev", "bc5cdr/dev.pubtator.txt", 9591),
    Split("BC5CDR test", "bc5cdr/test.pubtator.txt", 9809),
    Split("BioRED train", "biored/train.pubtator.txt", 13351),
    Split("BioRED dev", "biored/dev.pubtator.txt", 3533),
    Split("BioRED test", "biored/test.pubtator.txt", 3535),
    Split("GNormPlus train", "gnormplus/train.pubtator.txt", 5793),
    Split("GNormPlus test", "gnormplus/test.pubtator.txt", 4849),
    Split("NLM-Gene train", "nlm_gene/train.pubtator.txt", 13797),
    Split("NLM-Gene test", "nlm_gene/test.pubtator.txt", 3053),
    Split("S800 train", "s800/train.pubtator.txt", 3053),
    Split("S800 test", "s800/test.pubtator.txt", 739),
    Split("MACCROBAT 2020", "maccrobat2020", 25189),
    Split("JNLPBA train", "jnlpba/train.conll.tsv", 46750),
    Split("JNLPBA dev", "jnlpba/dev.conll.tsv", 4551),
    Split("JNLPBA test", "jnlpba/test.conll.tsv", 8662),
    Split("BC2GM train", "bc2gm/train.conll.tsv"),
    Split("BC2GM dev", "bc2gm/dev.conll.tsv"),
    Split("BC2GM test", "bc2gm/test.conll.tsv"),
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
    present = [split for split in SPLITS if (args.data / "corpora" / split.path).exists()]
    if not present:
        parser.error(f"found no corpus in {args.data / 'corpora'}; name its folder with --data")
    rows: List[Sequence[str]] = [COLUMNS]
    wrong: List[str] = []
    total: List[Tuple[int, float]] = []
    for split in present:
        path = args.data / "corpora" / split.path
        account, seconds = convert_timed(path, split, args.repeats)
        in_file = count_lines(path, split)
        numbers = {account.count.total, in_file, split.expected or in_file}
        if set(account.count.lost_reasons) - {TEXT_DIFFERS} or len(numbers) > 1:
            wrong.append(split.name)
        if split.name in TOTAL:
            total.append((account.documents, seconds))
        rows.append(row(split, account, in_file, seconds))
    show(rows, n=f"{len(present)} files", seed="none", median_of=args.repeats)
    if total:
        documents, seconds = (sum(numbers) for numbers in zip(*total, strict=True))
        print(f"\nBC5CDR, NCBI-disease and BioRED: {documents:,} documents in {seconds:.1f} s")
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
                lenient=True,
            )
            seconds.append(time.perf_counter() - began)
    return account, median(seconds)


def count_lines(path: Path, split: Split) -> int:
    """Count annotations: PubTator's lines with offsets, brat's T lines, B tags of CoNLL."""
    if path.is_dir():
        texts = (file.read_text(encoding="utf-8") for file in path.glob("*.ann"))
        return sum(len(BRAT.findall(text)) for text in texts)
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    if ".conll" in path.name:
        return len(BEGIN.findall(text))
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
