"""Run the commands behind RESULTS.md again, the quick ones or all.

    python benchmarks/regenerate.py [--data FOLDER] [--out FOLDER] [--minutes 3] [--all]
        [--only TITLE …] [--list]

benchmarks/results.yaml names the commands of each section. What they print goes to OUT/NAME.md as
it comes, followed by the figures of RESULTS.md that were not reproduced: times differ from machine
to machine, scores of seeded trainings in their last digits. A command that fails is reported, and
the others still run; the exit status is then 1. Sections that need what a longer one trains run
with that one or by --only.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any, Dict, List, Sequence

import srsly
from _common import ROOT, add_data, note

RESULTS = Path(__file__).with_name("RESULTS.md")
MANIFEST = Path(__file__).with_name("results.yaml")
CORPORA = "Corpora as DocBins"
QUICK = 3.0
# With decimals or a thousands separator; no versions.
FIGURE = re.compile(r"(?<![\w.,])\d+(?:(?:,\d{3})+(?:\.\d+)?|\.\d+)(?![\d.]*\.\d)")
KEYS = {"title", "minutes", "commands", "after", "note"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("--out", type=Path, default=ROOT / "metrics" / "results")
    parser.add_argument(
        "--minutes", type=float, default=QUICK, help="run sections up to so many minutes"
    )
    parser.add_argument("--all", action="store_true", help="run every section: many hours")
    parser.add_argument("--only", nargs="+", default=[], help="titles, or parts of them")
    parser.add_argument("--list", action="store_true", help="print what would run, run nothing")
    args = parser.parse_args()
    sections = choose(read_manifest(MANIFEST), args)
    if not sections:
        named = f"is named {' or '.join(args.only)}" if args.only else "is so quick"
        parser.error(f"no section {named}; --all --list prints them")
    if args.list:
        for section in sections:
            print(f"{section['minutes']:>6g} min  {section['title']}")
        return
    names = {"data": str(args.data.resolve()), "out": str(args.out.resolve())}
    args.out.mkdir(parents=True, exist_ok=True)
    failed: List[str] = []
    published = read_sections(RESULTS.read_text(encoding="utf-8"))
    for section in sections:
        start = perf_counter()
        note(f"{section['title']} (about {section['minutes']:g} min)")
        if "note" in section:
            note(f"  {section['note']}")
        failed += run_section(section, names, args.out)
        again = compare(args.out, section["title"], published)
        note(f"  {perf_counter() - start:.0f} s{again}")
    print(f"wrote {len(sections)} sections to {args.out}")
    for command in failed:
        print(f"failed: {command}")
    if failed:
        raise SystemExit(1)


def read_manifest(path: Path) -> List[Dict[str, Any]]:
    """Read the sections and check their keys.

    RAISES (ValueError): For a section with others.
    """
    sections: List[Dict[str, Any]] = srsly.read_yaml(path)
    for section in sections:
        if not {"title", "minutes", "commands"} <= set(section) <= KEYS:
            raise ValueError(f"{path}: found a section with {', '.join(section)}")
    return sections


def choose(sections: Sequence[Dict[str, Any]], args: argparse.Namespace) -> List[Dict[str, Any]]:
    """Pick what is to run, and before it what that needs."""
    if args.only:
        wanted = [s for s in sections if any(part in s["title"] for part in args.only)]
    elif args.all:
        wanted = list(sections)
    else:
        quick = {s["title"] for s in sections if s["minutes"] <= args.minutes}
        wanted = [s for s in sections if s["title"] in quick and s.get("after", CORPORA) in quick]
    needed = {section.get("after") for section in wanted}
    if any("{out}/" in command for section in wanted for command in section["commands"]):
        needed.add(CORPORA)
    titles = needed | {section["title"] for section in wanted}
    return [section for section in sections if section["title"] in titles] if wanted else []


def run_section(section: Dict[str, Any], names: Dict[str, str], out: Path) -> List[str]:
    """Run a section's commands in the project's folder. RETURNS: Those that failed."""
    path = out / f"{name_file(section['title'])}.md"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    failed: List[str] = []
    with path.open("w", encoding="utf-8") as file:
        file.write(f"# {section['title']}\n")
        for template in section["commands"]:
            words = [word.format(**names) for word in shlex.split(template)]
            file.write(f"\n`{shlex.join(words)}`\n\n")
            file.flush()
            try:
                code = subprocess.run(words, cwd=ROOT, env=environment, stdout=file).returncode
            except FileNotFoundError:
                code = 127
            if code:
                failed.append(shlex.join(words))
                file.write(f"\nfailed with exit status {code}\n")
    return failed


def read_sections(text: str) -> Dict[str, str]:
    """Return the text under each heading of RESULTS.md."""
    _, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2]))


def compare(out: Path, title: str, published: Dict[str, str]) -> str:
    """Add to a section's output which figures of RESULTS.md are not in it.

    RETURNS (str): How many are.
    """
    # In a command, figures are settings.
    wanted = list_figures(re.sub(r"`[^`]*`", "", published.get(title, "")))
    if not wanted:
        return ""
    path = out / f"{name_file(title)}.md"
    printed = path.read_text(encoding="utf-8", errors="replace")
    made = set(
        list_figures(re.sub(r"^(#|`[^`]*`$|failed with).*", "", printed, flags=re.MULTILINE))
    )
    missing = [figure for figure in wanted if figure not in made]
    line = f"{len(wanted) - len(missing)} of {len(wanted)} figures of RESULTS.md reproduced"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}{'; not reproduced: ' + ', '.join(missing) if missing else ''}\n")
    return f", {line}"


def list_figures(text: str) -> List[str]:
    """Return the different numbers with decimals or a thousands separator, in their order."""
    return list(dict.fromkeys(FIGURE.findall(text)))


def name_file(title: str) -> str:
    """Return the name of a section's file."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


if __name__ == "__main__":
    main()
