"""Kills commands at random points: nothing may be left half, nothing lost, and no debris.

    python benchmarks/fuzz_kills.py --hits 20                 all kinds
    python benchmarks/fuzz_kills.py --hits 5 --kind train     one of them

Each hit starts from an earlier result, sends SIGKILL to the command (or to it and its children),
checks what lies under the final names, runs the command again, and checks that too. Six hits of ten
are spread evenly over the time that the command takes, four over its end, where results are put in
place. A kill that came when the command had ended is "late": it is checked like the others, and
made again. Exit code 1 where a fault was found.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Dict, List, Optional

from _common import ROOT
from _kill_kinds import BrokenError, Kind, list_kinds, make_material

from spacy_bioner.apps.cli.main import COMMANDS, run
from spacy_bioner.files.outputs import is_debris
from spacy_bioner.reports.tables import render_table

END_SHARE, END = 0.4, 0.85
COUNTED = ("late", "earlier", "later", "whole", "account told", "refused", "faults")
_WRITER = re.compile(r"process (\d+) is writing there")
_NOT_EMPTY = "found files there, expected the name of a new or empty folder"
_LIMIT = 600
# A kind is given up when so many times the kills that are asked for came late.
PATIENCE = 3
# What commands import when they run.
HEAVY = ("torch", "transformers", "matplotlib.pyplot", "jinja2", "spacy.cli", "safetensors.torch")


def main() -> None:
    """Run all kinds, or those that are named, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hits", type=int, default=3, help="of each kind")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin no hit after these")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", help="default: all")
    args = parser.parse_args()
    end = time.monotonic() + 60 * args.minutes
    for name in (*COMMANDS, *HEAVY):
        import_module(name if name in HEAVY else f"spacy_bioner.apps.cli.{name}")
    with tempfile.TemporaryDirectory(prefix="bioner-kills-") as name:
        folder = Path(name)
        material = make_material(folder, lambda words: must_run("bioner", words))
        kinds = list_kinds(material)
        unknown = sorted(set(args.kind or ()) - set(kinds))
        if unknown:
            parser.error(f"found --kind {unknown[0]!r}, expected one of {', '.join(kinds)}")
        rows, faults = [], []
        for kind in [kinds[name] for name in args.kind or kinds]:
            if time.monotonic() > end:
                print(f"{kind.name}: no time left", file=sys.stderr)
                continue
            found = fuzz(kind, folder / "work", args.hits, end, random.Random(args.seed), faults)
            rows.append((kind.name, str(found["hits"]), *(str(found[key]) for key in COUNTED)))
            # The table comes at the end, which may be long in coming.
            print(f"{kind.name}: {found['hits']} hits, {found['faults']} faults", file=sys.stderr)
    print(render_table(("command", "hits", *COUNTED), rows, right=range(1, len(COUNTED) + 2)))
    print("\n".join(f"fault: {fault}" for fault in faults) or "no fault")
    sys.exit(bool(faults))


def fuzz(
    kind: Kind, work: Path, hits: int, end: float, rng: random.Random, faults: List[str]
) -> "Counter[str]":
    """Kill one kind so many times; faults are added to the list."""
    counts: Counter[str] = Counter(hits=0, late=0)
    saved = work.with_name("saved")
    for folder in (work, saved):
        shutil.rmtree(folder, ignore_errors=True)
    work.mkdir()
    if not kind.is_fresh:
        must_run(kind.program, kind.make(work, False))
    shutil.copytree(work, saved)
    start = time.monotonic()
    must_run(kind.program, kind.make(work, True))
    seconds = time.monotonic() - start
    while counts["hits"] < hits and counts["late"] < PATIENCE * hits:
        if time.monotonic() > end:
            break
        shutil.rmtree(work)
        shutil.copytree(saved, work)
        share = rng.uniform(END, 1.0) if rng.random() < END_SHARE else rng.uniform(0, 1)
        # Only what runs commands of ours leaves writers behind when it is killed alone.
        alone = kind.program != "bioner" and rng.random() < 0.5
        late = counts["late"]
        try:
            _hit(kind, work, share * seconds, alone, counts)
        except BrokenError as error:
            counts["faults"] += 1
            place = f"hit {counts['hits']} at {share:.3f} of {seconds:.1f} s"
            faults.append(f"{kind.name}, {place}: {error}")
        if counts["late"] > late:
            # It took longer the first time.
            seconds *= 0.9
    return counts


def _hit(kind: Kind, work: Path, delay: float, alone: bool, counts: "Counter[str]") -> None:
    with Process(kind.program, kind.make(work, True)) as process:
        if process.wait(delay):
            counts["late"] += 1
        else:
            counts["hits"] += 1
            process.kill(alone=alone)
    if not alone:
        counts.update(_look(kind, work))
    counts["refused"] += _run_to_end(kind, work)
    left = [str(path.relative_to(work)) for path in work.rglob(".*") if is_debris(path)]
    if left:
        raise BrokenError(f"debris after the next run: {', '.join(left)}")
    state, other = kind.check(work)
    if state == "earlier" or other:
        raise BrokenError("the next run left the earlier result, or its account")


def _look(kind: Kind, work: Path) -> Dict[str, int]:
    """Check what a kill left under the final names."""
    names = {path.name for path in work.iterdir() if not path.name.startswith(".")}
    if names - set(kind.visible):
        raise BrokenError(f"found {', '.join(sorted(names - set(kind.visible)))}")
    if kind.is_fresh and not (work / "out").exists():
        return {"earlier": 1}
    try:
        state, other = kind.check(work)
    except OSError as error:
        raise BrokenError(f"gone: {error}") from error
    return {state: 1, "account told": int(other)}


def _run_to_end(kind: Kind, work: Path) -> int:
    """Run a command, when those that a kill left alive are done; says how often it was refused."""
    for refused in range(_LIMIT):
        with Process(kind.program, kind.make(work, True)) as process:
            process.wait()
            if process.code == 0:
                return refused
            output = process.read()
        if kind.is_fresh and _NOT_EMPTY in output and not kind.check(work)[1]:
            # Whole, but for the account: this command replaces no folder, so its user has to.
            shutil.rmtree(work / "out")
            continue
        writer = _WRITER.search(output)
        if not writer:
            raise BrokenError(f"exit code {process.code}: {output.strip()[-300:]}")
        while _is_alive(int(writer[1])):
            time.sleep(0.05)
        time.sleep(0.05)
    raise BrokenError("refused for ever")


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def must_run(program: str, words: List[str]) -> None:
    """Run a command that has to end well."""
    with Process(program, words) as process:
        process.wait()
        if process.code:
            sys.exit(f"{program} {' '.join(words)} ended with {process.code}:\n{process.read()}")


class Process:
    """A command in a process group of its own.

    `bioner` is forked from here, where all is imported: otherwise most kills would meet imports.
    """

    def __init__(self, program: str, words: List[str]) -> None:
        self.code: Optional[int] = None
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self.pid = self._fork(words) if program == "bioner" else self._spawn(program, words)

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *raised: object) -> None:
        self._output.close()

    def wait(self, seconds: Optional[float] = None) -> bool:
        """Wait for the end, or so long; says whether it has ended."""
        end = None if seconds is None else time.monotonic() + seconds
        while self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            elif end is not None and time.monotonic() >= end:
                return False
            else:
                time.sleep(0.001)
        return True

    def kill(self, *, alone: bool) -> None:
        """Kill it, with or without its children."""
        if alone:
            os.kill(self.pid, signal.SIGKILL)
        else:
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def read(self) -> str:
        """Return what it printed."""
        self._output.seek(0)
        return self._output.read().decode("utf-8", "replace")

    def _spawn(self, program: str, words: List[str]) -> int:
        return subprocess.Popen(
            [sys.executable, "-m", program, *words],
            cwd=ROOT,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ).pid

    def _fork(self, words: List[str]) -> int:
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            with suppress(OSError):
                os.setpgid(pid, pid)
            return pid
        code = 1
        try:
            os.setpgid(0, 0)
            os.chdir(ROOT)
            for stream in (1, 2):
                os.dup2(self._output.fileno(), stream)
            sys.stdout, sys.stderr = (os.fdopen(os.dup(n), "w") for n in (1, 2))
            run(words)
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # as Python does at the end of a program
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


if __name__ == "__main__":
    main()
