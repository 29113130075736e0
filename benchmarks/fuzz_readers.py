"""Do the readers read or refuse, whatever a file has in it?

    python benchmarks/fuzz_readers.py [--files 5000] [--seed 0] [--minutes 0] [--data FOLDER]
        [--only NUMBER …]

Takes small valid files of every format (written by the package's writers, and by hand) and files of
tests/cases/corpora (or else of DATA/cases/corpora), and damages their bytes, lines, fields,
structure, line ends and encoding, or joins two of them. Each is read strictly and leniently, as its
format and as the format that is detected. It gives documents, or one CorpusError that names the
file: no other exception, and no more than 20 s. What was read lies within its text or is counted as
lost; lenient reading gives no fewer documents than strict reading had before its error, and says
what it left out; what was read can be written in every format, or is refused by one error that
leaves nothing, and comes back. The first files are the valid ones as they are. What breaks is made
smaller and printed with its number and seed; the exit status is then 1. Prints one Markdown table.
"""

import argparse
import tempfile
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Sequence

from _common import ROOT, add_data, note, show
from _fuzzing import (
    Deadline,
    Failure,
    Problem,
    case_random,
    chosen_numbers,
    distinct,
    minimize,
    report,
    tell,
    write_literal,
)
from _mutations import mutate
from _reader_checks import AUTO, WRITABLE, Case, Plan, draw_plan, examine
from _valid_files import BY_HAND, RECORDS

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.registry import FORMATS
from spacy_bioner.corpora.read_write import write_records
from spacy_bioner.errors import CorpusError

# Where they are in the repository, a number gives the same file everywhere.
STRANGERS = ROOT / "tests" / "cases" / "corpora"
LARGEST = 200_000
TELL_EVERY = 250
HEADER = ("format", "files", "kinds of faults")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=0.0, help="stop then; 0: never")
    parser.add_argument("--only", type=int, nargs="+", default=[], help="numbers of files")
    args = parser.parse_args()
    # What spaCy and XML libraries say of single files.
    warnings.simplefilter("ignore")
    failures: List[Failure] = []
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        strangers = next(
            filter(Path.is_dir, (STRANGERS, args.data / "cases" / "corpora")), STRANGERS
        )
        cases = valid_cases(Path(folder), strangers)
        numbers = chosen_numbers(args.files, args.only)
        deadline = Deadline(args.minutes)
        for done, number in enumerate(numbers):
            if deadline.is_over:
                note(f"time is over after {done:,} of {len(numbers):,} files")
                break
            case = make_case(cases, args.seed, number)
            counts[case.format] += 1
            failures += run(case, Path(folder), args.seed, number, failures)
            if done % TELL_EVERY == TELL_EVERY - 1:
                tell("readers", done + 1, len(numbers), failures)
    rows: List[Sequence[str]] = [HEADER]
    for name in sorted(counts):
        rows.append((name, f"{counts[name]:,}", str(sum(f.part == name for f in failures))))
    rows.append(("all", f"{counts.total():,}", str(len(failures))))
    show(rows, n=f"up to {args.files:,} files from {len(cases)} valid ones", seed=args.seed)
    report(failures, seed=args.seed)


def valid_cases(folder: Path, strangers: Path) -> List[Case]:
    """Return a valid case of every format at least, and files as strangers have sent them.

    Those are read as what they are taken for; some are of no format that is known.
    """
    cases = [_write_case(name, folder / f"valid-{name}") for name in WRITABLE]
    cases += [Case(name, dict(files), FORMATS[name].is_folder) for name, files in BY_HAND]
    for path in sorted(strangers.iterdir()) if strangers.is_dir() else ():
        files = {
            item.relative_to(path).as_posix() if path.is_dir() else path.name: item.read_bytes()
            for item in ([path] if path.is_file() else sorted(path.rglob("*")))
            if item.is_file() and item.stat().st_size < LARGEST
        }
        if files:
            cases.append(Case(_detect(path), files, path.is_dir()))
    return cases


def make_case(cases: Sequence[Case], seed: int, number: int) -> Case:
    """Make the case of a number: the first ones are valid, all others damaged."""
    if number < len(cases):
        return replace(cases[number], intact=True)
    source = case_random(seed, number)
    case, other = source.choice(cases), source.choice(cases)
    if source.random() < 0.5:
        # The formats alike: some have many valid files.
        name = source.choice(sorted({case.format for case in cases}))
        case = source.choice([case for case in cases if case.format == name])
    name = source.choice(sorted(case.files))
    foreign = source.choice(sorted(other.files.values()))
    files = {**case.files, name: mutate(case.files[name], foreign, source)}
    if len(files) > 1 and source.random() < 0.1:
        del files[source.choice(sorted(files))]
    return replace(case, files=files)


def run(
    case: Case, folder: Path, seed: int, number: int, failures: Sequence[Failure]
) -> List[Failure]:
    """Examine a case; gives a failure, with its smallest form, for each new kind of fault."""
    found: List[Failure] = []
    plan = draw_plan(case, case_random(seed, -1 - number))
    for problem in examine(case, folder, plan):
        failure = Failure(case.format, number, problem, "")
        if distinct([*failures, *found], failure):
            note(f"{case.format}: file {number}: {problem}"[:400])
            smallest = shrink(case, folder, plan.only(problem.check), problem)
            found.append(replace(failure, literal=write_literal(smallest.files)))
    return found


def shrink(case: Case, folder: Path, plan: Plan, problem: Problem) -> Case:
    """Return the smallest case found that breaks the same: files leave, then lines, then bytes."""

    def fails(files: Dict[str, bytes]) -> bool:
        if not files:
            return False
        found = examine(replace(case, files=files), folder, plan)
        return any(other.check == problem.check for other in found)

    files = dict(minimize(list(case.files.items()), lambda items: fails(dict(items))))
    for name in list(files):

        def fails_with(data: bytes, name: str = name) -> bool:
            return fails({**files, name: data})

        lines = files[name].splitlines(keepends=True)
        kept = minimize(lines, lambda part: fails_with(b"".join(part)))
        files[name] = b"".join(kept)
        files[name] = minimize(files[name], fails_with)
    return replace(case, files=files)


def _write_case(name: str, folder: Path) -> Case:
    written = FORMATS[name]
    path = folder / ("corpus" if written.is_folder else f"corpus{(*written.endings, '.json')[0]}")
    folder.mkdir()
    write_records(RECORDS, path, name)
    items = sorted(path.rglob("*")) if path.is_dir() else [path]
    root = path if path.is_dir() else folder
    files = {item.relative_to(root).as_posix(): item.read_bytes() for item in items}
    return Case(name, files, path.is_dir())


def _detect(path: Path) -> str:
    try:
        return detect_format(path)
    except CorpusError:
        return AUTO


if __name__ == "__main__":
    main()
