"""Locks on outputs: who writes one keeps other processes, and other parts of its own, from it.

A lock is a file beside the output on which the kernel holds a record lock. It ends with the
process, however that ends, so neither a kill nor a process number that is used again leaves
anything locked. Where the file system has no such locks, the file says which process wrote it, and
since when that process runs; without either (Windows), a process knows of its own locks only.
"""

import errno
import json
import os
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

from spacy_bioner.errors import OutputError

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

ENDING = ".bioner-lock"
_HELD = (errno.EACCES, errno.EAGAIN)
_UNKNOWN = "another process"
_SIZE = 1000


@dataclass
class _Lock:
    handle: int
    thread: int
    in_use: bool = False


_own: Dict[str, _Lock] = {}
_guard = threading.Lock()


@contextmanager
def locking(target: Path, file: Path) -> Iterator[bool]:
    """Hold the lock of an output while the block runs.

    One that this thread holds and has no use for yet is used, and is left to whoever took it.

    target (Path): The output, without links; messages name it.
    file (Path): The lock's file; its folder must be there.
    YIELDS (bool): Whether the lock was taken here.
    RAISES (OutputError): Where somebody else holds it, with the number of the process.
    RAISES (OSError): Where no file can be made.
    """
    key = os.path.realpath(file)
    held = _borrow(key, target)
    if held is not None:
        try:
            yield False
        finally:
            held.in_use = False
        return
    try:
        _own[key].handle = _take(file, target)
    except BaseException:
        del _own[key]
        raise
    try:
        yield True
    finally:
        _release(_own[key].handle, Path(file))
        del _own[key]


@contextmanager
def left_to_block(file: Path) -> Iterator[None]:
    """Let a lock that is held be used by the block, once: see `locking`."""
    lock = _own[os.path.realpath(file)]
    lock.in_use = False
    try:
        yield
    finally:
        lock.in_use = True


def is_own(file: Path) -> bool:
    """Say whether this process holds a lock."""
    return os.path.realpath(file) in _own


def refuse_writers_below(folder: Path) -> None:
    """Make sure that no other process writes an output inside a folder.

    RAISES (OutputError): Where one does, with its number.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            if name.endswith(ENDING) and not is_own(file):
                _check_is_free(file, folder)


def _borrow(key: str, target: Path) -> Optional[_Lock]:
    """Enter a lock among our own; return one instead that this thread may use."""
    thread = threading.get_ident()
    with _guard:
        lock = _own.get(key)
        if lock is None:
            _own[key] = _Lock(-1, thread, in_use=True)
            return None
        if lock.in_use or lock.thread != thread:
            raise _refusal(target, f"process {os.getpid()} (this one)")
        lock.in_use = True
        return lock


def _take(file: Path, target: Path) -> int:
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _try_to_lock(handle, target)
            if _is_same(handle, file):
                # A full disk is for the output to tell; without this only the number is unknown.
                with suppress(OSError):
                    os.ftruncate(handle, 0)
                    os.lseek(handle, 0, os.SEEK_SET)
                    os.write(handle, json.dumps(_describe_self()).encode())
                return handle
        except BaseException:
            os.close(handle)
            raise
        # Its holder removed the file between our opening and locking it.
        os.close(handle)


def _check_is_free(file: Path, target: Path) -> None:
    try:
        handle = os.open(file, os.O_RDWR)
    except OSError:
        # Gone by now, or not ours to write.
        return
    try:
        _try_to_lock(handle, target)
    finally:
        os.close(handle)


def _release(handle: int, file: Path) -> None:
    # In this order: whoever opened the file before it was removed sees that it is gone. Windows
    # removes no file that is open.
    if fcntl is None:
        os.close(handle)
    with suppress(OSError):
        file.unlink(missing_ok=True)
    if fcntl is not None:
        os.close(handle)


def _try_to_lock(handle: int, target: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = _read_holder(handle)
        # All other errors mean that the file system has no locks.
        if error.errno in _HELD or _seems_alive(holder):
            raise _refusal(target, _name(holder)) from error


def _is_same(handle: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(file))
    except FileNotFoundError:
        return False


def _refusal(target: Path, holder: str) -> OutputError:
    message = f"found that {holder} is writing there; wait until it is done, or name another output"
    return OutputError(message, path=target)


def _describe_self() -> Dict[str, Any]:
    pid = os.getpid()
    return {"pid": pid, "started": _find_start(pid), "host": socket.gethostname()}


def _read_holder(handle: int) -> Dict[str, Any]:
    try:
        found = json.loads(os.read(handle, _SIZE))
    except ValueError:
        # Not yet written.
        return {}
    return found if isinstance(found, dict) else {}


def _name(holder: Dict[str, Any]) -> str:
    if "pid" not in holder:
        return _UNKNOWN
    is_here = holder.get("host") == socket.gethostname()
    return f"process {holder['pid']}" + ("" if is_here else f" on {holder.get('host')}")


def _seems_alive(holder: Dict[str, Any]) -> bool:
    """Say whether the process that wrote a lock is still there; one elsewhere is believed to be."""
    if "pid" not in holder or holder.get("host") != socket.gethostname():
        return "pid" in holder
    try:
        os.kill(int(holder["pid"]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _find_start(int(holder["pid"])) == holder.get("started")


def _find_start(pid: int) -> Optional[str]:
    """Say when a process began, in clock ticks since the machine did; None where /proc is not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the command in brackets, which may hold anything.
    return status.rpartition(")")[2].split()[19]
