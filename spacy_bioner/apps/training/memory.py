"""The memory that this process has held."""

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def read_peak_memory() -> int:
    """Give the most memory that this process held at a time, in bytes.

    Linux counts what a process held before it became this program (its parent's memory, when that
    was large) into `ru_maxrss`, but not into VmHWM.
    """
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
