"""Does the memory of a service grow with the texts that it has seen?

    python benchmarks/fuzz_memory.py [--texts 50000] [--trained 50000] [--model PATH] [--seed 0]
        [--kinds known new+zones …] [--together 1000] [--minutes 0]

Runs short texts through `nlp.pipe`, so many together, and looks at the resident memory after each
such part: pipelines of the rule components, and a trained one; texts of words that come again, and
texts that have two new words each; as it is, and with each part in a memory zone of its own
(`with nlp.memory_zone(): …`, spaCy 3.8). The slope is that of a line by least squares, without the
first fifth; what spaCy's table of strings has grown by stands beside it. Each row is a process of
its own. Fails where the slope is above 0.2 KB a text and the growth above 4 MB, less than which an
allocator takes and gives by itself; but for new words without a zone: those grow spaCy's own tables
(strings, lexemes, what the tokenizer remembers), whatever the components do. The trained pipeline
runs as users load it. A row of fewer than 1,500 texts is too short to have a slope.
Prints one Markdown table.
"""

import argparse
import multiprocessing
import os
import random
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import ContextManager, Iterator, List, Sequence

import numpy as np
import spacy
from _common import note, show
from _fuzzing import Deadline
from _hostile_texts import read_sentences
from fuzz_texts import DEMO, MODEL, rule_subjects
from spacy.language import Language

BAR = 0.2
GRAIN = 4 * 1024
KINDS = {
    "known": (False, False),
    "known+zones": (False, True),
    "new": (True, False),
    "new+zones": (True, True),
}
WARM_UP, WARM_TEXTS = 0.2, 1_000
SHORTEST, LONGEST = 4, 20
LETTERS = "abcdefghiklmnoprstuvxyz"
HEADER = ("pipeline", "words", "memory zones", "texts", "MB at the end", "KB a text", "new strings")


@dataclass(frozen=True)
class Setup:
    """One row of the table.

    pipeline (str): "rules" or "trained".
    new_words (bool): Two words of each text have never been seen.
    zones (bool): Each part runs in a memory zone.
    together (int): Texts of a part.
    """

    pipeline: str
    new_words: bool
    zones: bool
    texts: int
    together: int
    model: Path
    seed: int
    minutes: float = 0.0

    @property
    def may_grow(self) -> bool:
        """New words stay in spaCy's tables where no zone forgets them."""
        return self.new_words and not self.zones


@dataclass(frozen=True)
class Growth:
    """What was measured: resident memory in KB after so many texts.

    n_strings (int): By how many the table of strings has grown.
    """

    counts: Sequence[int]
    kilobytes: Sequence[float]
    n_strings: int

    @property
    def slope(self) -> float:
        """KB a text, without the warm-up."""
        warm = max(self.counts[-1] * WARM_UP, WARM_TEXTS)
        start = sum(count <= warm for count in self.counts)
        if self.counts[-1] < 1.5 * WARM_TEXTS:
            return float("nan")
        return find_slope(self.counts[start:], self.kilobytes[start:])

    @property
    def is_growing(self) -> bool:
        """Tell whether it is above the bar, and by more than an allocator's grain."""
        measured = self.counts[-1] * (1 - WARM_UP)
        return self.slope > BAR and self.slope * measured > GRAIN


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=50_000, help="through the rules; 0: none")
    parser.add_argument("--trained", type=int, default=50_000, help="through a trained pipeline")
    parser.add_argument("--model", type=Path, default=MODEL, help="a trained pipeline's folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--together", type=int, default=1_000, help="texts of a part")
    parser.add_argument("--minutes", type=float, default=0.0, help="for all rows; 0: no limit")
    args = parser.parse_args()
    if args.trained and not (args.model / "config.cfg").is_file():
        parser.error(f"found no pipeline in {args.model}: `make run` makes one, or name --model")
    setups = list_setups(args)
    rows: List[Sequence[str]] = [HEADER]
    above = []
    for setup in setups:
        growth = measure_apart(setup)
        rows.append(render(setup, growth))
        note(" | ".join(rows[-1]))
        if growth.is_growing and not setup.may_grow:
            above.append(" | ".join(rows[-1]))
    show(rows, left=3, n=f"{args.texts:,} and {args.trained:,} texts", seed=args.seed,
         bar=f"{BAR} KB a text")  # fmt: skip
    for row in above:
        print(f"\nFAILED above {BAR} KB a text: {row}")
    if above:
        raise SystemExit(1)


def list_setups(args: argparse.Namespace) -> List[Setup]:
    """Return the rows that are asked for; each gets the same share of the time."""
    counts = {"rules": args.texts, "trained": args.trained}
    kinds = [KINDS[name] for name in args.kinds]
    wanted = [(name, *kind) for name in counts if counts[name] for kind in kinds]
    return [
        Setup(name, new, zones, counts[name], min(args.together, max(1, counts[name] // 20)),
              args.model, args.seed, args.minutes / len(wanted))
        for name, new, zones in wanted
    ]  # fmt: skip


def measure_apart(setup: Setup) -> Growth:
    """Measure in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (setup,))


def measure(setup: Setup) -> Growth:
    """Run the texts and look at the memory after each part."""
    is_trained = setup.pipeline == "trained"
    nlp = spacy.load(setup.model) if is_trained else rule_subjects()[0].nlp
    deadline = Deadline(setup.minutes)
    counts: List[int] = []
    kilobytes: List[float] = []
    before = len(nlp.vocab.strings)
    texts = make_texts(setup)
    while (done := len(counts) * setup.together) < setup.texts and not deadline.is_over:
        part = [next(texts) for _ in range(min(setup.together, setup.texts - done))]
        run_part(nlp, part, zones=setup.zones)
        counts.append(done + len(part))
        kilobytes.append(resident_kilobytes())
    return Growth(counts, kilobytes, len(nlp.vocab.strings) - before)


def run_part(nlp: Language, texts: Sequence[str], *, zones: bool) -> int:
    """Run texts and read their entities, as a service does. RETURNS: How many there are."""
    zone: ContextManager[object] = nlp.memory_zone() if zones else nullcontext()
    count = 0
    with zone:
        for doc in nlp.pipe(texts):
            for ent in doc.ents:
                count += bool(ent.text) + len(ent._.evidence) > 0
    return count


def make_texts(setup: Setup) -> Iterator[str]:
    """Yield texts without end: known words in any order, with or without new ones among them."""
    source = random.Random(setup.seed)
    known = " ".join(read_sentences(DEMO / "source")).split()
    while True:
        words = source.choices(known, k=source.randint(SHORTEST, LONGEST))
        if setup.new_words:
            words[:2] = ("".join(source.choices(LETTERS, k=9)) for _ in range(2))
        yield " ".join(words)


def find_slope(counts: Sequence[int], kilobytes: Sequence[float]) -> float:
    """Fit a line by least squares; nan for fewer than two points."""
    if len(counts) < 2:
        return float("nan")
    return float(np.polyfit(np.asarray(counts, dtype=float), np.asarray(kilobytes), 1)[0])


def resident_kilobytes() -> float:
    """Look up the resident memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def render(setup: Setup, growth: Growth) -> Sequence[str]:
    """Return a row of the table."""
    return (
        setup.pipeline,
        "two new ones a text" if setup.new_words else "known",
        "yes" if setup.zones else "no",
        f"{growth.counts[-1]:,}",
        f"{growth.kilobytes[-1] / 1024:,.0f}",
        f"{growth.slope:.3f}",
        f"{growth.n_strings:,}",
    )


if __name__ == "__main__":
    if not sys.platform.startswith("linux"):
        sys.exit("fuzz_memory: reads /proc, which is Linux'")
    main()
