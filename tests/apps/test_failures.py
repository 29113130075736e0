import errno
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from spacy_bioner.apps.failures import INTERRUPTED, describe_failure
from spacy_bioner.errors import CorpusError, StoppedError

PUBTATOR = "1|t|Aspirin helps.\n1|a|\n1\t0\t7\tAspirin\tChemical\tD1\n\n"
BIONER = [sys.executable, "-m", "spacy_bioner.apps.cli"]


def os_error(number, *names):
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (CorpusError("found a tab"), "found a tab", 1),
        (StoppedError("training was interrupted"), "training was interrupted", INTERRUPTED),
        (KeyboardInterrupt(), "interrupted", INTERRUPTED),
        (os_error(errno.ENOENT, "a.txt"), "a.txt: No such file or directory; it is not there", 1),
        (os_error(errno.ENOSPC), "No space left on device; make room on that disk", 1),
        (OSError("odd"), "odd", 1),
        (MemoryError(), "the memory does not hold what this takes: use smaller batches", 1),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 8 bytes"),
            "the memory does not hold what this takes",
            1,
        ),
        (
            RuntimeError(
                "[enforce fail at inline_container.cc] PytorchStreamWriter failed writing"
            ),
            "a file cannot be written to its end ([enforce fail",
            1,
        ),
        (
            UnicodeEncodeError("utf-8", "a\udcff", 1, 2, "no"),
            r"found '\udcff' in a name or text",
            1,
        ),
    ],
)
def test_a_failure_is_described(error, line, code):
    found = describe_failure(error)
    assert found is not None
    assert (found.line[: len(line)], found.code) == (line, code)


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), SystemExit(1)])
def test_a_fault_of_ours_is_not_hidden(error):
    assert describe_failure(error) is None


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "a.pubtator.txt"
    path.write_text(PUBTATOR)
    return path


def run(*words, **settings):
    given = {"capture_output": True, "text": True, "errors": "surrogateescape", **settings}
    return subprocess.run([*BIONER, *map(os.fsencode, words)], **given)


def is_one_line(done, start):
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {start}")
    assert done.stderr.count("\n") == 1
    return True


def test_a_full_disk_is_one_line(corpus):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    expected = "/dev/full: found that it does not take all that is written (No space"
    assert is_one_line(run("convert", corpus, "/dev/full", "--to", "jsonl"), expected)
    with open("/dev/full", "w") as full:
        done = run("audit", corpus, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert is_one_line(done, "No space left on device; make room")


@pytest.mark.parametrize("words", [["out.jsonl"], ["out"]])
def test_a_limit_on_the_size_of_files_is_one_line(corpus, words):
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    output = corpus.parent / words[0]
    done = run("convert", corpus, output, *words[1:], preexec_fn=limit)
    assert is_one_line(done, f"{output}: found that it cannot be written to its end")
    assert list(corpus.parent.iterdir()) == [corpus]


def test_want_of_room_in_a_folder_names_it_as_it_will_be(corpus):
    resource = pytest.importorskip("resource")
    corpus.write_text(PUBTATOR + PUBTATOR.replace("1|", "2|").replace("1\t", "2\t"))
    output = corpus.parent / "parts"
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (0, 0))
    done = run("split", corpus, output, "--names", "a,b", "--ratio", "50/50", preexec_fn=limit)
    assert is_one_line(done, f"{output}/a.pubtator: found that it cannot be written to its end")
    assert list(corpus.parent.iterdir()) == [corpus]


@pytest.mark.parametrize("name", ["é" * 128, "y/" * 3000 + "z"])
def test_a_name_that_is_too_long_is_one_line(corpus, name):
    target = corpus.parent / f"{name}.jsonl"
    assert is_one_line(run("convert", corpus, target), f"{target}: ")
    assert is_one_line(run("convert", target, corpus.parent / "out.jsonl"), f"{target}: ")
    assert list(corpus.parent.iterdir()) == [corpus]


def test_names_that_are_no_text_are_read_written_and_printed(corpus):
    source, target = (
        Path(os.fsdecode(os.fsencode(corpus.parent) + name))
        for name in (b"/\xff.txt", b"/\xfe.spacy")
    )
    corpus.rename(source)
    done = run("convert", source, target, "--from", "pubtator")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\udcfe.spacy: 1 document," in done.stdout
    done = run("audit", target, "--report", target.with_suffix(".json"))
    assert (done.returncode, target.with_suffix(".json").is_file()) == (0, True)
    assert is_one_line(run("audit", corpus.with_name(os.fsdecode(b"\xfd.spacy"))), "")


def test_an_output_on_the_standard_output_is_all_that_is_there(corpus):
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    target = corpus.parent / "out.jsonl"
    with target.open("w") as stream:
        words = ("convert", corpus, "/dev/stdout", "--to", "jsonl")
        done = run(*words, capture_output=False, stdout=stream, stderr=subprocess.PIPE)
    assert done.returncode == 0
    assert target.read_text().startswith('{"id": "1", "text": "Aspirin helps."')
    assert target.read_text().count("\n") == 1
    assert "1 document, 1 gold mention" in done.stderr


def test_a_stream_tells_no_format(corpus):
    assert is_one_line(
        run("convert", corpus, "/dev/null"), "/dev/null: found a pipe or device, whose"
    )


def test_a_reader_that_goes_away_is_no_traceback(corpus):
    reading, writing = os.pipe()
    os.close(reading)
    done = run("audit", corpus, capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr.count("Traceback")) == (1, 0)


INTERRUPT = """
import os, signal, sys
from spacy_bioner.apps.corpora import convert as conversion
from spacy_bioner.apps.cli.main import run
# What starts the tests in the background may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
write = conversion._write
def interrupt(records, *args):
    def stop():
        os.kill(os.getpid(), signal.SIGINT)
        yield from records
    return write(stop(), *args)
conversion._write = interrupt
run(sys.argv[1:])
"""


def test_an_interrupt_ends_with_130_and_leaves_nothing(corpus):
    words = ["convert", str(corpus), str(corpus.parent / "out.jsonl")]
    done = subprocess.run([sys.executable, "-c", INTERRUPT, *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (INTERRUPTED, "error: interrupted\n")
    assert list(corpus.parent.iterdir()) == [corpus]
