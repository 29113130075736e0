"""Does memory grow with the corpus?

    python benchmarks/conversion_memory.py [--data FOLDER] [--file FILE] [--factors 5 50]

Makes copies of a PubTator file (BC5CDR train) with identifiers of their own, converts each to a
folder of DocBins in a new process, and prints the peak of its resident memory in one Markdown
table. With --single, to one DocBin, which is compressed as a whole and so has to be in memory.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Sequence

from _common import add_data, show

IDENTIFIER = re.compile(r"^(\d+)(?=[|\t])", re.MULTILINE)
# Runs in a process of its own, whose peak is the conversion's alone.
CHILD = """
import json, resource, sys, time
from spacy_bioner.apps.corpora.convert import convert
began = time.perf_counter()
account = convert(sys.argv[1], sys.argv[2])
seconds = time.perf_counter() - began
# Kilobytes, but bytes on macOS.
unit = 2**20 if sys.platform == "darwin" else 2**10
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
print(json.dumps([account.documents, account.count.total, seconds, peak]))
"""
COLUMNS = ("copies", "output", "documents", "mentions", "documents/s", "peak MB", "× smallest")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--file", type=Path, help="a PubTator file; default: BC5CDR train")
    parser.add_argument("--factors", type=int, nargs="+", default=[5, 50], help="numbers of copies")
    parser.add_argument("--single", action="store_true", help="convert to one DocBin as well")
    args = parser.parse_args()
    path = args.file or args.data / "corpora" / "bc5cdr" / "train.pubtator.txt"
    if not path.is_file():
        parser.error(f"found no {path}; name a PubTator file with --file")
    rows: List[Sequence[str]] = [COLUMNS]
    endings = ("", ".spacy") if args.single else ("",)
    for ending in endings:
        found = [measure(path, factor, ending) for factor in sorted(args.factors)]
        rows += [row(facts, found[0]["peak"]) for facts in found]
    show(rows, left=2, n=f"copies of {path.parent.name}/{path.name}", seed="none")


def measure(path: Path, factor: int, ending: str) -> Dict[str, Any]:
    """Convert so many copies of a file in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "copies.pubtator", Path(folder) / f"out{ending}"
        write_copies(path, source, factor)
        command = [sys.executable, "-c", CHILD, str(source), str(target)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    documents, mentions, seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return {
        "factor": factor,
        "output": "one file" if ending else "folder",
        "documents": documents,
        "mentions": mentions,
        "speed": documents / seconds,
        "peak": peak,
    }


def write_copies(path: Path, target: Path, factor: int) -> None:
    text = path.read_text(encoding="utf-8").rstrip("\n")
    with target.open("w", encoding="utf-8") as file:
        for number in range(factor):
            file.write(IDENTIFIER.sub(rf"\g<1>{number:04}", text) + "\n\n")


def row(facts: Dict[str, Any], smallest: float) -> Sequence[str]:
    return (
        str(facts["factor"]),
        facts["output"],
        f"{facts['documents']:,}",
        f"{facts['mentions']:,}",
        f"{facts['speed']:,.0f}",
        f"{facts['peak']:,.0f}",
        f"{facts['peak'] / smallest:.2f}",
    )


if __name__ == "__main__":
    main()
