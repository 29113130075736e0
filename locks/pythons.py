"""Install the built wheel under each Python that is here, and run what needs no torch.

    python locks/pythons.py --wheel build/wheel/spacy_bioner-*.whl --tests build/tested

For each of 3.10, 3.12 and 3.13: an environment with the base dependencies only, where the package
is imported and a gazetteer pipeline runs; the resolution of the extras for training, without
installing them, from wheels alone; and the quick tests. A Python that is absent is skipped, with a
line that says so.
"""

import argparse
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import List, Optional

ROOT = Path(__file__).resolve().parent.parent
LOCK = str(ROOT / "locks" / "default.txt")
PYTHONS = ("3.10", "3.12", "3.13")
TESTING = ("pytest", "hypothesis", "scikit-learn")
TRAINING = "train,offline,corpora"
GAZETTEER = """
import sys, spacy, spacy_bioner
nlp = spacy.blank("en")
nlp.add_pipe("bioner_gazetteer").add_patterns([{"label": "Disease", "pattern": "cardiac arrest"}])
nlp.add_pipe("bioner_abbreviations")
found = [ent.text for ent in nlp("A cardiac arrest (CA); CA.").ents]
assert found == ["cardiac arrest", "CA", "CA"], found
assert "torch" not in sys.modules
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheel", type=Path, required=True, help="of this project")
    parser.add_argument("--tests", type=Path, required=True, help="a tree without the package")
    parser.add_argument("--folder", default=".venv", help="environments are FOLDER-VERSION")
    args = parser.parse_args()
    pythons = {version: find_python(version) for version in PYTHONS}
    for version in [version for version, found in pythons.items() if found is None]:
        print(f"Python {version}: skipped, there is no python{version} here", flush=True)
    # Side by side: most of it is one process at a time.
    with ThreadPoolExecutor(len(PYTHONS)) as pool:
        jobs = {
            version: pool.submit(check, found, version, args)
            for version, found in pythons.items()
            if found is not None
        }
    failed = [version for version, job in jobs.items() if not job.result()]
    if failed:
        raise SystemExit(f"error: failed on Python {', '.join(failed)}")


def find_python(version: str) -> Optional[str]:
    """Find an interpreter on the PATH or among pyenv's; None where there is none that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    named = [shutil.which(f"python{version}")]
    named += [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]
    for python in filter(None, named):
        # A shim of pyenv is there also when its version is not chosen.
        if subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
            return python
    return None


def check(found: str, version: str, args: argparse.Namespace) -> bool:
    """Install and run. RETURNS (bool): Whether all of it went well; prints what matters."""
    wheel, folder = args.wheel.resolve(), Path(f"{args.folder}-{version}").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.with_name(f"{folder.name}.log")
    python = str(folder / "bin" / "python")
    install = [sys.executable, "-m", "uv", "pip", "install", "--python", python, "-c", LOCK]
    install += ["--only-binary", ":all:"]
    steps: List[List[str]] = [
        [found, str(ROOT / "locks" / "install.py"), str(folder), "--wheel", str(wheel)],
        [python, "-I", "-c", GAZETTEER],
        [*install, "--quiet", "--dry-run", f"{wheel}[{TRAINING}]"],
        [python, "-m", "pip", "install", "-q", "-c", LOCK, "--only-binary", ":all:",
         *TESTING, f"{wheel}[corpora]"],
        [python, "-m", "pytest", "-q", "-W", "default", "-m", "not slow", "--base"],
    ]  # fmt: skip
    # Real corpora are read by the tests of the environment that has everything.
    settings = {**os.environ, "BIONER_DATA": str(folder / "no-corpora")}
    with log.open("w", encoding="utf-8") as stream:
        options = {
            "cwd": args.tests,
            "env": settings,
            "stdout": stream,
            "stderr": subprocess.STDOUT,
        }
        went_well = all(subprocess.run(step, **options).returncode == 0 for step in steps)
    lines = log.read_text(encoding="utf-8").splitlines()
    shown = lines[-1:] if went_well else lines[-200:]
    print("\n".join([f"Python {version}: {found} ({log})", *shown]), flush=True)
    return went_well


if __name__ == "__main__":
    main()
