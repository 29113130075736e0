"""Does everything work on a GPU as it does on the CPU, and how fast? One run of a few minutes.

    python benchmarks/gpu_check.py [--device cuda] [--quick] [--minutes 5] [--only NAME …]

Writes gpu_check.md and gpu_check.json after every section and prints the tables; the exit code is
1 where a section failed or found something wrong. A section that would not end within the time is
skipped. Weights are random, in BioBERT's layout; texts are BC5CDR where a data folder is there,
else the demo corpus. `gpu_check.sh` runs it on a machine without spaCy and without network;
`--device cpu --quick` rehearses it without a GPU.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

from _common import ROOT, add_data, cores, local_corpus, markdown, note, quiet, require, use_threads

from spacy_bioner.apps.corpora.prepare import prepare
from spacy_bioner.apps.profiles import CorpusSettings
from spacy_bioner.corpora.read_write import Selection, read_records

# Seconds that each section is expected to take on a GPU; a rehearsal takes them all.
EXPECTED = {
    "environment": 15,
    "agreement": 30,
    "training": 60,
    "tagging": 45,
    "long": 20,
    "workflow": 60,
    "flagship": 50,
}
SPLITS = ("train", "dev", "test")
Section = Callable[[Any], Iterator[Any]]


class Report:
    """Gathers what sections give, and writes it after each.

    folder (Path): Gets gpu_check.md and gpu_check.json.
    about (Dict[str, Any]): The settings, by the names of the options.
    is_bad (bool): Whether a section failed or found something wrong.
    """

    def __init__(self, folder: Path, about: Dict[str, Any]) -> None:
        self.folder = folder
        self.about = about
        self.is_bad = False
        self.began = time.perf_counter()
        self.sections: List[Dict[str, Any]] = []
        self.lines: List[str] = ["# GPU check", "", f"`{render_command(about)}`"]

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self.began

    def skip(self, name: str) -> None:
        """Note a section for which there is no time."""
        self.sections.append({"name": name, "skipped": "out of time"})
        self._add([f"{name} skipped: out of time ({self.elapsed():.0f} s)"])

    def run(self, name: str, section: Section, setup: Any) -> None:
        """Run a section; where it fails, its traceback is part of the report."""
        account: Dict[str, Any] = {"name": name, "tables": [], "failure": None}
        self.sections.append(account)
        began = time.perf_counter()
        try:
            for table in section(setup):
                account["tables"].append(asdict(table))
                self.is_bad = self.is_bad or bool(table.wrong)
                self._add(render_table(table))
        except (Exception, SystemExit):
            # The one place that lets anything pass: the other sections are to run all the same.
            self.is_bad = True
            account["failure"] = traceback.format_exc()
            self._add([f"## {name}: FAILED", "", "```", account["failure"].rstrip(), "```"])
        account["seconds"] = round(time.perf_counter() - began, 1)
        self._add([f"{name}: {account['seconds']} s"])

    def _add(self, lines: List[str]) -> None:
        """Write the files anew, then print lines: a run that is killed leaves what it had."""
        self.lines += ["", *lines]
        self.folder.mkdir(parents=True, exist_ok=True)
        text = "\n".join(self.lines) + "\n"
        (self.folder / "gpu_check.md").write_text(text, encoding="utf8")
        content = {"about": self.about, "bad": self.is_bad, "sections": self.sections}
        text = json.dumps(content, indent=2, default=str) + "\n"
        (self.folder / "gpu_check.json").write_text(text, encoding="utf8")
        print("\n" + "\n".join(lines), flush=True)


def render_table(table: Any) -> List[str]:
    """Render a table under its title, with what is wrong behind it."""
    facts = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in table.about.items())
    lines = [f"## {table.title}", "", *([f"({facts})", ""] if facts else [])]
    wrong = [line for item in table.wrong for line in ("", f"WRONG: {item}")]
    return [*lines, *markdown(table.rows, left=table.left), *wrong]


def render_command(about: Dict[str, Any]) -> str:
    """Return the command line, without folders: those are of one machine."""
    words = [f"--{name} {value}" for name, value in about.items() if not isinstance(value, bool)]
    words += [f"--{name}" for name, value in about.items() if value is True]
    return " ".join(["python benchmarks/gpu_check.py", *words])


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    require(parser, "torch", "transformers")
    if args.device == "cuda" and not has_cuda():
        sys.exit("gpu_check: no CUDA device is available to torch; --device cpu rehearses it")
    args.data, args.output = args.data.resolve(), args.output.resolve()
    os.chdir(ROOT)
    use_threads(args.threads)
    quiet()
    settings = ("device", "quick", "minutes", "docs", "threads", "seed")
    report = Report(args.output, {name: getattr(args, name) for name in settings})
    with tempfile.TemporaryDirectory() as folder:
        run_sections(parser, args, Path(folder), report)
    sys.exit(1 if report.is_bad else 0)


def has_cuda() -> bool:
    """Tell whether torch finds a GPU; whether cupy does is for the report to say."""
    import torch

    return torch.cuda.is_available()


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="small models, few steps")
    parser.add_argument("--minutes", type=float, default=5.0, help="no section starts too late")
    parser.add_argument("--only", nargs="+", choices=tuple(EXPECTED), default=list(EXPECTED))
    parser.add_argument("--docs", type=int, default=200, help="of each split of BC5CDR")
    parser.add_argument("--output", type=Path, default=ROOT / "metrics" / "gpu")
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--seed", type=int, default=0)
    return parser


def find_sections() -> Dict[str, Section]:
    """Import the sections: only now, as torch has to know its threads first."""
    import _gpu_agreement
    import _gpu_speed
    import _gpu_workflow

    functions = (
        _gpu_agreement.check_environment,
        _gpu_agreement.check_agreement,
        _gpu_speed.measure_training,
        _gpu_speed.measure_tagging,
        _gpu_speed.measure_long_document,
        _gpu_workflow.run_workflow,
        _gpu_workflow.run_flagship,
    )
    return dict(zip(EXPECTED, functions))


def run_sections(
    parser: argparse.ArgumentParser, args: argparse.Namespace, folder: Path, report: Report
) -> None:
    """Run one section after the other, whatever becomes of those before."""
    sections = find_sections()
    setup = make_setup(parser, args, folder)
    report.about["texts"] = setup.source
    for name in args.only:
        if not args.quick and report.elapsed() + EXPECTED[name] > 60 * args.minutes:
            report.skip(name)
            continue
        note(f"[{report.elapsed():.0f} s] {name}")
        report.run(name, sections[name], setup)


def make_setup(parser: argparse.ArgumentParser, args: argparse.Namespace, folder: Path) -> Any:
    """Convert the corpus and read its texts."""
    from _gpu_setup import Setup

    splits = [args.data / "corpora" / "bc5cdr" / f"{s}.pubtator.txt" for s in SPLITS]
    name = "bc5cdr" if all(path.is_file() for path in splits) else "demo"
    settings = local_corpus(parser, args.data, name, docs=args.docs)
    prepare(settings, folder / "corpus")
    texts, dev_texts = (read_texts(settings, split) for split in ("train", "dev"))
    return Setup(
        gpu_id=0 if args.device == "cuda" else -1,
        quick=args.quick,
        seed=args.seed,
        folder=folder,
        source=f"{settings.title}, {len(texts)} training documents",
        corpus_dir=folder / "corpus",
        texts=texts,
        dev_texts=dev_texts[: 4 if args.quick else 40],
    )


def read_texts(settings: CorpusSettings, split: str) -> List[str]:
    """Read the texts of a split."""
    chosen = settings.splits[split]
    selection = Selection(skip=chosen.skip, first=chosen.first)
    return [record.text for record in read_records(chosen.path, selection=selection)]


if __name__ == "__main__":
    main()
