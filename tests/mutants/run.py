"""Do the tests notice faults? Puts each of `listing.CHANGES` into a copy of the tree, runs tests.

    python tests/mutants/run.py [--only NAME …] [--jobs 2] [--seconds 600]

A change is noticed when one of the tests that it names fails, or when they do not come to an end in
time. Without any change they have to pass. The checkout itself is left as it is.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from shutil import copyfile
from typing import Callable, Dict, List, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.mutants.listing import CHANGES, PACKAGE, Change  # noqa: E402

SECONDS = 600.0
NOTICED, TIMEOUT, SURVIVED, BROKEN = "noticed", "noticed by timeout", "SURVIVED", "BROKEN"
# What pytest returns where tests ran and some failed; where none failed.
_FAILED, _PASSED = 1, 0
_WHICH = re.compile(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", re.MULTILINE)
_FILE = f"import {PACKAGE}; print({PACKAGE}.__file__)"


@dataclass(frozen=True)
class Outcome:
    """What became of a change.

    verdict (str): `NOTICED`, `TIMEOUT`, `SURVIVED`, or `BROKEN` where the tests could not be run.
    test (str): The first test that failed; else what pytest said last.
    seconds (float): How long it took.
    """

    verdict: str
    test: str
    seconds: float

    @property
    def is_noticed(self) -> bool:
        """Whether a test, or the time limit, told."""
        return self.verdict in (NOTICED, TIMEOUT)


def copy_tree(source: Path, target: Path) -> None:
    """Copy all files of a checkout that git does not ignore, with what was changed in them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=source, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode("utf-8").split("\0")):
        # A file that was deleted and not yet committed is listed still.
        if (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            copyfile(source / name, target / name)


def apply(change: Change, source: str) -> str:
    """Put a change into the source of its module.

    RAISES (ValueError): Where its old text does not stand there exactly once.
    """
    number = source.count(change.old)
    if number != 1:
        found = f"{change.name}: found {change.old!r} {number} times in {change.module}"
        raise ValueError(f"{found}, expected it once; correct the list of changes")
    return source.replace(change.old, change.new)


def run_tests(tree: Path, tests: Sequence[str], seconds: float) -> Outcome:
    """Run some tests in a copy of the tree, up to the first that fails."""
    begin = time.monotonic()
    options = ["-x", "-q", "-p", "no:cacheprovider", "-rfE"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    returned, output = _call(command, tree, seconds)
    took = time.monotonic() - begin
    if returned is None:
        return Outcome(TIMEOUT, f"longer than {seconds:g} seconds", took)
    failed = _WHICH.search(output)
    if returned == _FAILED and failed:
        return Outcome(NOTICED, failed[1], took)
    said = output.strip().splitlines()[-1:] or [f"pytest ended with {returned}"]
    return Outcome(SURVIVED if returned == _PASSED else BROKEN, said[0], took)


def try_change(change: Change, tree: Path, seconds: float) -> Outcome:
    """Put a change into a copy of the tree, run the tests that it names, and take it out again."""
    path = tree / change.module
    kept = path.read_bytes()
    path.write_text(apply(change, kept.decode("utf-8")), encoding="utf-8", newline="")
    try:
        return run_tests(tree, change.tests, seconds)
    finally:
        path.write_bytes(kept)


def try_changes(
    changes: Sequence[Change],
    source: Path,
    *,
    jobs: int = 1,
    seconds: float = SECONDS,
    tell: Callable[[Change, Outcome], None] = lambda change, outcome: None,
) -> List[Outcome]:
    """Try changes in copies of a checkout, some of them side by side.

    tell (Callable): Called with each outcome as it comes.
    RETURNS (List[Outcome]): In the order of the changes.
    RAISES (ValueError): Where the tests do not pass without any change, or run other sources, and
        for a change that does not fit.
    """
    for change in changes:
        apply(change, (source / change.module).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="bioner-mutants-") as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            tree = Path(folder) / str(number)
            copy_tree(source, tree)
            trees.put(tree)
        _check_unchanged(Path(folder) / "0", changes, seconds)

        def attempt(change: Change) -> Outcome:
            tree = trees.get()
            try:
                outcome = try_change(change, tree, seconds)
            finally:
                trees.put(tree)
            tell(change, outcome)
            return outcome

        pool = ThreadPoolExecutor(jobs)
        try:
            return list(pool.map(attempt, changes))
        finally:
            # Whoever interrupts waits for what runs, not for all that would follow.
            pool.shutdown(cancel_futures=True)


def render(pairs: Sequence[Tuple[Change, Outcome]]) -> str:
    """Render one row per change, and how many were noticed."""
    width = max((len(change.name) for change, _ in pairs), default=0)
    rows = [
        f"{change.name.ljust(width)}  {outcome.seconds:6.1f} s  {outcome.verdict}: {outcome.test}"
        for change, outcome in pairs
    ]
    noticed = sum(outcome.is_noticed for _, outcome in pairs)
    late = sum(outcome.verdict == TIMEOUT for _, outcome in pairs)
    total = f"{noticed} of {len(pairs)} noticed" + (f", {late} by timeout" if late else "")
    return "\n".join([*rows, total])


def choose(names: Sequence[str]) -> List[Change]:
    """Return the changes of some names, or all without any.

    RAISES (ValueError): For a name that no change has.
    """
    known = {change.name: change for change in CHANGES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"found no change {unknown[0]!r}, expected one of {', '.join(known)}")
    return [known[name] for name in names] or list(CHANGES)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """RETURNS (int): 0 where all changes were noticed, else 1."""
    parser = argparse.ArgumentParser(description="Do the tests notice faults?")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these changes")
    parser.add_argument("--jobs", type=int, default=1, help="how many are tried side by side")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="the time limit of each")
    options = parser.parse_args(arguments)
    try:
        changes = choose(options.only)
        outcomes = try_changes(
            changes, ROOT, jobs=max(1, options.jobs), seconds=options.seconds, tell=_show
        )
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(render(list(zip(changes, outcomes))))
    return 0 if all(outcome.is_noticed for outcome in outcomes) else 1


def _check_unchanged(tree: Path, changes: Sequence[Change], seconds: float) -> None:
    _, output = _call([sys.executable, "-c", _FILE], tree, seconds)
    place = Path(output.strip().splitlines()[-1] if output.strip() else "nowhere")
    if not place.is_file() or tree.resolve() not in place.resolve().parents:
        raise ValueError(f"python takes {PACKAGE} from {place}, expected the copy in {tree}")
    tests = sorted({test for change in changes for test in change.tests})
    outcome = run_tests(tree, tests, seconds * max(1, len(changes)))
    if outcome.verdict != SURVIVED:
        raise ValueError(f"without any change: {outcome.test}; these tests have to pass first")


def _show(change: Change, outcome: Outcome) -> None:
    print(f"… {change.name}: {outcome.verdict}", file=sys.stderr, flush=True)


def _call(command: Sequence[str], tree: Path, seconds: float) -> Tuple[Optional[int], str]:
    """Run a command in a tree; RETURNS: What it returned, None for too late, and what it said."""
    # No bytecode: that of a module is taken for current where size and second are the same.
    environment: Dict[str, str] = {**os.environ, "PYTHONPATH": str(tree)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment.setdefault("BIONER_DATA", str(ROOT.parent / "shared"))
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            returned: Optional[int] = process.wait(seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            returned = None
        except BaseException:
            _end(process)
            raise
        said.seek(0)
        return returned, said.read().decode("utf-8", "replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    # With what it started: a test that hangs may have processes of its own.
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


if __name__ == "__main__":
    sys.exit(main())
