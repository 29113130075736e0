"""Why a process of ours ended without what it should have left."""

import signal
from pathlib import Path

# Real-time signals have numbers without a name.
_NAMES = {item.value: item.name for item in signal.Signals}


def explain_exit(code: int, log: Path, *, subject: str = "it") -> str:
    """Name the signal that ended a process, else return the last line of its log.

    code (int): Its exit code; below 0 for a signal.
    log (Path): All its output; may be absent.
    subject (str): What ended, where there is nothing to quote.
    """
    if code < 0:
        name = _NAMES.get(-code, f"signal {-code}")
        hint = ", most likely for want of memory" if name == "SIGKILL" else ""
        return f"{subject} was ended by {name}{hint}"
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return last.removeprefix("error: ") or f"{subject} ended with code {code}"
