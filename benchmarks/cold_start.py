"""How long until a pipeline has found its first entities, in a new process?

    python benchmarks/cold_start.py MODEL [--repeats 5] [--python PYTHON]

Starts Python, imports spaCy, loads the pipeline and annotates the abstract in assets/demo, each
time in a new process; another Python is that of another environment. Prints one Markdown table:
medians in seconds with their range, and the greatest resident memory.
"""

import argparse
import json
import subprocess
import sys
from typing import Dict, List

from _common import ROOT, median, show

CODE = """
import json, resource, sys, time
start = time.perf_counter()
import spacy
imported = time.perf_counter()
nlp = spacy.load(sys.argv[1])
loaded = time.perf_counter()
doc = nlp(open(sys.argv[2], encoding="utf-8").read())
found = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
times = {"import spacy": imported - start, "load": loaded - imported, "first text": found - loaded}
print(json.dumps({**times, "load and first text": found - imported, "MB": peak / 1024}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a pipeline folder or package")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args()
    command = [args.python, "-W", "ignore", "-c", CODE, args.model]
    command.append(str(ROOT / "assets/demo/sample.txt"))
    runs: List[Dict[str, float]] = []
    for _ in range(args.repeats):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    rows = [("", "median", "range")]
    for name in runs[0]:
        values = [run[name] for run in runs]
        digits = 0 if name == "MB" else 2
        middle, low, high = (f"{v:,.{digits}f}" for v in (median(values), min(values), max(values)))
        rows.append((name, middle, f"{low}–{high}"))
    show(rows, left=1, n=f"{args.repeats} processes")


if __name__ == "__main__":
    main()
