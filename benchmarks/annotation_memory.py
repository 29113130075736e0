"""Does the memory of `bioner annotate` grow with the documents, and how much is it?

    python benchmarks/annotation_memory.py [--data FOLDER] [--model PATH] [--documents 20000]

Cuts full texts (pmc_rct_open) into passages of the length of an abstract, annotates them in a new
process, and looks at the resident memory after each batch. The slope is that of a line by least
squares, without the first fifth. Fails above 600 MB, and above 1 KB a document. Prints one Markdown
table.
"""

import argparse
import json
import lzma
import subprocess
import sys
import tempfile
import textwrap
from itertools import islice
from pathlib import Path
from typing import Iterator, List

from _common import add_data, note, show
from fuzz_memory import MODEL, find_slope, resident_kilobytes

MOST_MB, SLOPE, WARM_UP = 600, 1.0, 0.2
LENGTH = 1_400
HEADER = (
    "documents",
    "to",
    "entities",
    "documents/s",
    "MB at most",
    "MB at the end",
    "KB a document",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--model", type=Path, default=MODEL, help="a trained pipeline's folder")
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--to", default="jsonl", help="format of the shards")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure(*args.child, str(args.model), args.to)))
        return
    if not (args.model / "config.cfg").is_file():
        parser.error(f"found no pipeline in {args.model}: `make run` makes one, or name --model")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "passages.txt"
        path = args.data / "text" / "pmc_rct_open.txt.xz"
        with source.open("w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in islice(cut_passages(path), args.documents))
        words = [
            "--model",
            str(args.model),
            "--to",
            args.to,
            "--child",
            str(source),
            f"{folder}/out",
        ]
        done = subprocess.run(
            [sys.executable, __file__, *words], check=True, stdout=subprocess.PIPE
        )
    found = json.loads(done.stdout.splitlines()[-1])
    passages = f"{args.documents:,} passages of {path.name}"
    show([HEADER, found["row"]], left=2, n=passages, seed="none",
         bar=f"{MOST_MB} MB, {SLOPE} KB a document")  # fmt: skip
    if found["most"] > MOST_MB or not found["slope"] <= SLOPE:
        raise SystemExit(f"FAILED above {MOST_MB} MB or {SLOPE} KB a document")


def cut_passages(path: Path) -> Iterator[str]:
    """Yield stretches of texts, cut between words."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield from textwrap.wrap(line, LENGTH)


def measure(source: str, target: str, model: str, to_format: str) -> dict:
    """Annotate and look at the memory after each batch."""
    from time import perf_counter

    from spacy_bioner.apps.annotation.annotate import AnnotateSettings, annotate_files
    from spacy_bioner.apps.annotation.sources import LINES, InputSettings
    from spacy_bioner.apps.progress import Pace

    counts: List[float] = []
    kilobytes: List[float] = []

    class Watch(Pace):
        """Looks at the memory, too."""

        def advance(self, texts: List[str]) -> None:
            super().advance(texts)
            counts.append((counts[-1] if counts else 0) + len(texts))
            kilobytes.append(resident_kilobytes())
            if len(counts) % 20 == 0:
                note(f"{counts[-1]:,} documents, {kilobytes[-1] / 1024:,.0f} MB")

    settings = AnnotateSettings(to_format, source=InputSettings(LINES))
    began = perf_counter()
    done = annotate_files(source, target, model, settings, progress=Watch())
    seconds = perf_counter() - began
    start = sum(count <= counts[-1] * WARM_UP for count in counts)
    slope, most = find_slope(counts[start:], kilobytes[start:]), max(kilobytes) / 1024
    documents, entities = done.counts["documents"], done.counts["entities"]
    row = (
        f"{documents:,}",
        to_format,
        f"{entities:,}",
        f"{documents / seconds:.1f}",
        f"{most:,.0f}",
        f"{kilobytes[-1] / 1024:,.0f}",
        f"{slope:.3f}",
    )
    return {"row": row, "slope": slope, "most": most}


if __name__ == "__main__":
    main()
