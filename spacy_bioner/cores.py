"""How many cores this process may use at a time, and how many threads it should."""

import multiprocessing
import os
from pathlib import Path
from typing import Iterator, Optional

ROOT = Path("/")


def count_threads() -> int:
    """Return how many threads a product gets where nothing else is said: a single one in a process
    that `multiprocessing` started, else OMP_NUM_THREADS, or one for each core."""
    if multiprocessing.parent_process() is not None:
        return 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(wanted) if wanted.isdecimal() and int(wanted) else count_cores()


def count_cores(root: Path = ROOT) -> int:
    """Return how many cores this process may use at a time, a started one included."""
    return limit_cores(count_affinity(), read_cpu_limit(root))


def limit_cores(n_cores: int, limit: Optional[float]) -> int:
    """Return how many of some cores the limit of a control group leaves, a started one included."""
    return max(1, n_cores if limit is None else min(n_cores, -int(-limit // 1)))


def count_affinity() -> int:
    """Return on how many cores this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_cpu_limit(root: Path = ROOT) -> Optional[float]:
    """Return how many processors the control group of this process, or one above it, may use at a
    time; None without a limit.

    root (Path): Holds proc and sys.
    """
    limits = [
        limit
        for folder in _list_groups(root)
        for limit in (_read_v2(folder), _read_v1(folder))
        if limit is not None
    ]
    return min(limits, default=None)


def _list_groups(root: Path) -> Iterator[Path]:
    """List the folders of the control groups of this process and of all above them."""
    base = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounts = [base / controllers, base / "cpu"] if controllers else [base, base / "unified"]
        inner = Path(path.lstrip("/"))
        for mount in mounts:
            # In a container, the path may be that of the host: it is not there then.
            yield from (mount / part for part in (inner, *inner.parents))


def _read_v2(folder: Path) -> Optional[float]:
    words = _read(folder / "cpu.max").split()
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0] != "max" else None


def _read_v1(folder: Path) -> Optional[float]:
    quota, period = (_read(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
