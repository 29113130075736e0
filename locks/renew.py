"""Resolve the extras of setup.cfg and write locks/*.txt: every version, with its marker.

    make locks                       all of them
    python locks/renew.py trf        only this one

Needs `uv`, which resolves for Python 3.10 and newer and for all platforms in one file. Only wheels
are considered, so that no environment has to build anything from source.
"""

import argparse
import configparser
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List, NamedTuple, Sequence

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "locks"


class Lock(NamedTuple):
    """One set of versions that are installed together.

    extras (Sequence[str]): The extras of setup.cfg that it serves.
    pythons (str): The versions of Python that it is resolved for, as a marker; "" is all of ours.
    pins (Sequence[str]): Versions that are chosen by us, with the reason beside them.
    """

    extras: Sequence[str]
    pythons: str = ""
    pins: Sequence[str] = ()


# A release that the tests run with; newer ones are taken on purpose, not because they are newest.
TORCH = "torch==2.13.0"
ALL = {
    "default": Lock(
        (
            "runtime",
            "torch",
            "train",
            "offline",
            "corpora",
            "tuning",
            "baselines",
            "explain",
            "tables",
            "terms",
            "dev",
        ),
        # The extra `train` accepts what scispaCy and spacy-transformers pin as well.
        pins=(TORCH, "numpy>=2", "transformers>=5.3"),
    ),
    "trf": Lock(("train", "offline", "trf", "dev"), pins=(TORCH,)),
    # scispaCy wants an nmslib that has no wheel for Python 3.13, and numpy < 2: `corpora` wants 2.
    "scispacy": Lock(("scispacy", "dev"), pythons="python_version < '3.13'"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="LOCK", help=f"of {', '.join(ALL)}")
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in ALL]:
        parser.error(f"found {unknown[0]}, expected one of {', '.join(ALL)}")
    for name in args.names or ALL:
        text = resolve(name, ALL[name])
        path = LOCKS / f"{name}.txt"
        path.write_text(text, encoding="utf-8")
        n_lines = sum("==" in line for line in text.splitlines())
        print(f"{path.relative_to(ROOT)}: {n_lines} versions")


def resolve(name: str, lock: Lock) -> str:
    """Resolve a lock. RETURNS (str): The file's text."""
    wanted = [*requirements(lock.extras), *lock.pins]
    if lock.pythons:
        wanted = [with_marker(line, lock.pythons) for line in wanted]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "wanted.in"
        source.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", str(source), "--quiet"]
        command += ["--universal", "--python-version", "3.10", "--only-binary", ":all:"]
        command += ["--no-header", "--no-annotate", "--no-python-downloads", "--upgrade"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"locks/{name}.txt stays as it is; uv found no solution:\n{done.stderr}")
    extras = ",".join(lock.extras)
    head = [
        f"# Every version of {extras}, by Python and platform; `make locks` writes this file.",
        f"# For {lock.pythons or 'Python 3.10 and newer'}: pip install -c locks/{name}.txt '.[…]'",
    ]
    return "\n".join([*head, done.stdout.strip()]) + "\n"


def requirements(extras: Sequence[str]) -> List[str]:
    """List what the package and its extras ask for, in the order of setup.cfg."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    blocks = [config["options"]["install_requires"]]
    blocks += [config["options.extras_require"][extra] for extra in extras]
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in dict.fromkeys(lines) if line and not line.startswith("#")]


def with_marker(requirement: str, marker: str) -> str:
    """Ask for a requirement under a marker only."""
    return f"{requirement} ; {marker}"


if __name__ == "__main__":
    main()
