"""Have seqeval score random tag sequences, and keep what it says for the tests.

    python benchmarks/record_seqeval.py

Writes tests/evaluation/seqeval.json: cases of a few sentences each, their gold and predicted IOB2
tags, and seqeval's strict precision, recall, F1 and support, over all and by type. The tests
compare ours with them. seqeval itself is no dependency: it is a source distribution only, whose
build needs what its build requirement no longer brings. It installs like this:

    pip install 'setuptools<70' 'setuptools_scm<8' wheel numpy scikit-learn
    pip install --no-build-isolation seqeval==1.2.2
"""

import argparse
import json
import random
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, List

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "tests" / "evaluation" / "seqeval.json"
LABELS = ("Chemical", "Disease", "Gene")
MAX_SENTENCES = 5
MAX_RUNS = 7
MAX_SIZE = 3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=TARGET)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    cases = [make_case(rng) for _ in range(args.cases)]
    recorded = {
        "seqeval": metadata.version("seqeval"),
        "seed": args.seed,
        "cases": [{**case, **ask_seqeval(case)} for case in cases],
    }
    text = json.dumps(recorded, separators=(",", ":")).replace('{"gold"', '\n{"gold"')
    args.output.write_text(text + "\n", encoding="utf-8")
    print(f"{args.output}: {len(cases):,} cases, seqeval {recorded['seqeval']}")


def make_case(rng: random.Random) -> Dict[str, List[str]]:
    """Draw sentences: gold tags, and predictions that are now equal, now near, now unrelated.

    Tags are legal IOB2, since libraries differ on what an I without its B means. A sentence is
    a string of tags with blanks between them.
    """
    gold, found = [], []
    for _ in range(rng.randint(1, MAX_SENTENCES)):
        left = draw_tags(rng)
        right = rng.choice([left, shift(left, rng), draw_tags(rng)])
        length = max(len(left), len(right), 1)
        gold.append(" ".join(left + ["O"] * (length - len(left))))
        found.append(" ".join(right + ["O"] * (length - len(right))))
    return {"gold": gold, "found": found}


def draw_tags(rng: random.Random) -> List[str]:
    """Draw runs of O and of mentions, which may touch each other."""
    tags: List[str] = []
    for _ in range(rng.randint(0, MAX_RUNS)):
        label, size = rng.choice(("O", *LABELS)), rng.randint(1, MAX_SIZE)
        tags += ["O"] * size if label == "O" else [f"B-{label}"] + [f"I-{label}"] * (size - 1)
    return tags


def shift(tags: List[str], rng: random.Random) -> List[str]:
    """Return tags in which some mentions have another label and others lack their end."""
    changed, label = [], ""
    for position, tag in enumerate(tags):
        if tag.startswith("B-"):
            label = rng.choice((tag[2:], tag[2:], *LABELS))
        last = position + 1 == len(tags) or not tags[position + 1].startswith("I-")
        cut = tag.startswith("I-") and last and rng.random() < 0.3
        changed.append("O" if tag == "O" or cut else f"{tag[:2]}{label}")
    return changed


def ask_seqeval(case: Dict[str, List[str]]) -> Dict[str, Any]:
    """Score a case in strict mode. RETURNS (Dict[str, Any]): "micro" and "types"."""
    from seqeval.metrics.v1 import precision_recall_fscore_support
    from seqeval.scheme import IOB2

    tags = [[sentence.split() for sentence in case[side]] for side in ("gold", "found")]
    types = sorted({tag[2:] for side in tags for row in side for tag in row if tag != "O"})
    options: Dict[str, Any] = {"scheme": IOB2, "zero_division": 0}
    with warnings.catch_warnings():
        # It warns of types without mentions.
        warnings.simplefilter("ignore")
        micro = precision_recall_fscore_support(*tags, average="micro", **options)
        by_type = precision_recall_fscore_support(*tags, average=None, **options)
    rows = [[float(value) for value in row] for row in zip(*by_type)]
    return {"micro": [float(value) for value in micro[:3]], "types": dict(zip(types, rows))}


if __name__ == "__main__":
    main()
