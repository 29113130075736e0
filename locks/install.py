"""Make a virtual environment and install this project into it, at the versions of a lock.

    python3 locks/install.py .venv --lock default --extras train,offline

`make` calls this. It uses nothing but the standard library, and syntax that old Pythons can read,
to say what is wrong with them. Wheels only: nothing is built from source but the project itself.
"""

import argparse
import os
import platform
import re
import shlex
import subprocess
import sys

OLDEST = (3, 10)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What pip prints when no package index answers.
NO_ANSWER = re.compile(
    "NewConnectionError|ConnectTimeout|Failed to establish|name resolution|Name or service|"
    "Max retries exceeded|Network is unreachable|Connection refused|Read timed out|ProxyError|"
    "SSLError|Could not fetch URL"
)
MISSING = re.compile(r"No matching distribution found for ([^\n(]+)")
FETCHED = re.compile(r"^ *(Collecting|Downloading|Using cached|Processing) ", re.MULTILINE)
LOCKED = re.compile(r"The user requested \(constraint\) (\S+)")
DEPENDS = re.compile(r"^ *(\S.* depends on .+)$", re.MULTILINE)
FULL = re.compile(r"No space left on device|Disk quota exceeded")


def main():
    """Install, or end with one message."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="of the virtual environment")
    parser.add_argument("--lock", default="default", help="a file in locks/, without .txt")
    parser.add_argument("--extras", default="", help="of setup.cfg, with commas")
    parser.add_argument("--wheel", default="", help="install this wheel, not the source tree")
    parser.add_argument(
        "--pip-args", default=os.environ.get("PIP_ARGS", ""), help="more arguments for pip"
    )
    parser.add_argument("--check", action="store_true", help="only look at what is there")
    args = parser.parse_args()
    # pip runs in the project's folder, wherever this was called.
    args.folder = os.path.abspath(args.folder)
    args.wheel = args.wheel and os.path.abspath(args.wheel)
    check_python()
    lock = os.path.join(ROOT, "locks", args.lock + ".txt")
    if not os.path.isfile(lock):
        stop(f"{lock}: no such lock; `make locks` writes them")
    if args.check:
        check_environment(args.folder, remake=False)
        return
    python = make_environment(args.folder)
    pip = [python, "-m", "pip", "install", "-c", lock, "--only-binary", ":all:"]
    pip += shlex.split(args.pip_args)
    what = args.wheel or "."
    extras = f"[{args.extras}]" if args.extras else ""
    say("installing {} {}at the versions of locks/{}.txt{}".format(
        os.path.basename(args.wheel) or "spacy-bioner", extras + " " if extras else "", args.lock,
        " (torch is the large part)" if "train" in args.extras.split(",") else ""))  # fmt: skip
    if args.wheel:
        run([*pip, "--force-reinstall", "--no-deps", what], args)
        run([*pip, what + extras], args)
    else:
        # Also without a network the project has to be built: by what is installed before it.
        run([*pip, "setuptools", "wheel"], args)
        run([*pip, "--no-build-isolation", "-e", what + extras], args)


def check_python():
    """Stop where this Python is too old."""
    if sys.version_info[:2] < OLDEST:
        stop(
            "found Python {} ({}), expected {}.{} or newer; name another one: "
            "make run PYTHON=python3.12".format(platform.python_version(), sys.executable, *OLDEST)
        )


def make_environment(folder):
    """Make a virtual environment unless it is there. Returns the path of its Python."""
    python = find_python(folder)
    if check_environment(folder, remake=True):
        return python
    # What an interrupted attempt has left is cleared away; nothing else is.
    clear = ["--clear"] if os.path.isfile(os.path.join(folder, "pyvenv.cfg")) else []
    done = subprocess.run([sys.executable, "-m", "venv", *clear, folder], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)  # fmt: skip
    if done.returncode:
        reason = " ".join(done.stdout.split()) or "no reason given"
        stop(f"{folder}: no virtual environment could be made: {reason}")
    return python


def find_python(folder):
    """Say where the Python of an environment is."""
    return os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "python")


def check_environment(folder, remake):
    """Tell whether an environment is whole; stop where it is of another Python than this one."""
    if not os.path.exists(folder):
        return False
    code = "import sys, pip; print('{}.{}'.format(*sys.version_info[:2]))"
    try:
        done = subprocess.run([find_python(folder), "-I", "-c", code], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        found = done.stdout.strip() if done.returncode == 0 else ""
    except OSError:
        found = ""
    here = "{}.{}".format(*sys.version_info[:2])
    if found and found != here:
        stop(
            f"{folder} is an environment of Python {found}, expected {here}: remove it "
            "(make clean), or name another one: VENV=…"
        )
    if not found and not remake:
        stop(f"{folder}: found no Python that works there; remove it (make clean) and try again")
    return bool(found)


def run(command, args):
    """Run pip; what it says is kept back, and read when it fails."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)  # fmt: skip
    if done.returncode:
        log = os.path.join(args.folder, "install.log")
        words = f" (pip's words: {log})"
        try:
            with open(log, "w", encoding="utf-8") as file:
                file.write(" ".join(command) + "\n" + done.stdout)
        except OSError:
            words = ""
        stop(explain(done.stdout, args) + words)


def explain(output, args):
    """Say in one sentence why pip failed, and what to do."""
    locked, depends = LOCKED.search(output), DEPENDS.search(output)
    # An older version that is installed stands for what no index has.
    found = MISSING.search(output) or (None if depends else locked)
    missing = found.group(1).strip() if found else ""
    here = "Python {}.{} on {} {}".format(
        *sys.version_info[:2], platform.system(), platform.machine()
    )
    lock = f"locks/{args.lock}.txt"
    if FULL.search(output):
        return "the disk is full"
    if NO_ANSWER.search(output):
        return (
            "no package index can be reached; {} is the first that is missing. Without a network: "
            "fetch the wheels where there is one (pip download -d wheels -c {} setuptools wheel "
            "'.[{}]'), then: make … PIP_ARGS='--no-index --find-links wheels'"
        ).format(missing or "a wheel", lock, args.extras)
    if missing and ("--no-index" in args.pip_args or os.environ.get("PIP_NO_INDEX")):
        where = args.pip_args or "PIP_FIND_LINKS"
        return f"{missing} is not among the wheels that {where} names, for {here}"
    if missing and not FETCHED.search(output):
        return (
            f"nothing could be fetched, not even {missing}: either no package index can be "
            f"reached, or it has no such wheel for {here} ({lock})"
        )
    if missing:
        return (
            f"{lock} has {missing}, of which no wheel is found for {here}; use a Python from 3.10 "
            "to 3.13, an index that has it (PIP_ARGS), or resolve the lock anew: make locks"
        )
    if locked and depends:
        return f"{lock} has {locked.group(1)}, but {depends.group(1)}; resolve it anew: make locks"
    last = [line for line in output.splitlines() if line.strip()][-1:]
    return "pip failed: {}".format("".join(last).strip() or "without a word")


def say(text):
    """Print one line at once."""
    print(text, flush=True)


def stop(message):
    """End with a message on standard error."""
    sys.stderr.write(f"error: {message}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
