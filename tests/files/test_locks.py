import errno
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from spacy_bioner.errors import OutputError
from spacy_bioner.files import locks
from spacy_bioner.files.locks import left_to_block, locking, refuse_writers_below

pytest.importorskip("fcntl")
HOLD = """
import sys, time
from pathlib import Path
from spacy_bioner.files.locks import locking
with locking(Path(sys.argv[1]), Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def holder(target, file):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(target), str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def file(tmp_path):
    return tmp_path / ".out.bioner-lock"


def test_the_lock_is_gone_after_the_block(tmp_path, file):
    with locking(tmp_path / "out", file):
        assert file.is_file()
    assert list(tmp_path.iterdir()) == []


def test_another_process_is_refused_by_the_number_of_the_first(tmp_path, file):
    with holder(tmp_path / "out", file) as process:
        expected = rf"out: found that process {process.pid} is writing there; wait until it is done"
        with pytest.raises(OutputError, match=expected), locking(tmp_path / "out", file):
            pass
        assert file.is_file()


def test_a_killed_process_holds_nothing(tmp_path, file):
    with holder(tmp_path / "out", file) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert file.is_file()
        with locking(tmp_path / "out", file) as is_new:
            assert is_new
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_in_the_same_process_is_refused(tmp_path, file):
    expected = rf"process {os.getpid()} \(this one\) is writing there"
    with locking(tmp_path / "out", file):
        with pytest.raises(OutputError, match=expected), locking(tmp_path / "out", file):
            pass
        assert file.is_file()


def test_a_lock_that_is_left_to_its_block_is_used_once(tmp_path, file):
    with locking(tmp_path / "out", file), left_to_block(file):
        with locking(tmp_path / "out", file) as is_new:
            assert not is_new
            with pytest.raises(OutputError), locking(tmp_path / "out", file):
                pass
        with locking(tmp_path / "out", file) as is_new:
            assert not is_new
        assert file.is_file()


def test_writers_below_a_folder_are_found(tmp_path):
    inner = tmp_path / "out" / "report"
    inner.mkdir(parents=True)
    lock = inner / ".report.html.bioner-lock"
    with (
        holder(inner / "report.html", lock) as process,
        pytest.raises(OutputError, match=f"process {process.pid} is writing there"),
    ):
        refuse_writers_below(tmp_path / "out")
    assert lock.is_file()
    refuse_writers_below(tmp_path / "out")


def test_own_writers_below_a_folder_are_no_others(tmp_path, file):
    with locking(tmp_path / "out", file):
        refuse_writers_below(tmp_path)
        with holder(tmp_path / "other", tmp_path / ".other.bioner-lock"):
            pass
        # The look did not let go of the lock.
        command = [sys.executable, "-c", HOLD, str(tmp_path / "out"), str(file)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert f"process {os.getpid()} is writing there" in done.stderr


@pytest.fixture
def without_locks(monkeypatch):
    """A file system that has no locks."""

    def refuse(*args):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "lockf", refuse)


def describe(pid, *, started=None, host=None):
    known = locks._find_start(pid) if started is None else started
    return json.dumps({"pid": pid, "started": known, "host": host or socket.gethostname()})


@pytest.mark.usefixtures("without_locks")
def test_without_locks_a_process_that_runs_is_known_by_its_number(tmp_path, file):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        file.write_text(describe(other.pid))
        expected = f"process {other.pid} is writing there"
        with pytest.raises(OutputError, match=expected), locking(tmp_path / "out", file):
            pass
        other.communicate(b"\n")
    with locking(tmp_path / "out", file) as is_new:
        assert is_new


@pytest.mark.usefixtures("without_locks")
def test_without_locks_a_number_that_is_used_again_does_not_block(tmp_path, file):
    file.write_text(describe(os.getppid(), started="1"))
    with locking(tmp_path / "out", file) as is_new:
        assert is_new


@pytest.mark.usefixtures("without_locks")
def test_without_locks_another_machine_is_believed(tmp_path, file):
    file.write_text(describe(5, host="elsewhere"))
    expected = "process 5 on elsewhere is writing there"
    with pytest.raises(OutputError, match=expected), locking(tmp_path / "out", file):
        pass


@pytest.mark.usefixtures("without_locks")
@pytest.mark.parametrize("content", ["", "no JSON", "[]"])
def test_without_locks_a_file_of_no_process_does_not_block(tmp_path, file, content):
    file.write_text(content)
    with locking(tmp_path / "out", file) as is_new:
        assert is_new


def test_a_full_disk_hides_the_number_only(tmp_path, file, monkeypatch):
    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    with locking(tmp_path / "out", file):
        monkeypatch.undo()
        command = [sys.executable, "-c", HOLD, str(tmp_path / "out"), str(file)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert "found that another process is writing there" in done.stderr
