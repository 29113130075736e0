import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from spacy.vocab import Vocab

from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.corpora.formats.registry import WRITABLE, find_format, format_of_target
from spacy_bioner.errors import CorpusError, OutputError
from spacy_bioner.files.lines import check_is_file
from spacy_bioner.files.outputs import claiming
from spacy_bioner.files.replacing import replacing, replacing_folder
from spacy_bioner.files.streams import find_descriptor, is_standard_output, is_stream

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
WRITE = """
import sys
from spacy_bioner.files.replacing import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("content\\n")
print("printed")
"""


def claim(path):
    with claiming(path):
        pass


def test_ordinary_files_are_no_streams(tmp_path):
    (tmp_path / "file").write_text("x")
    paths = ["file", "absent", "file/below", "."]
    assert not any(is_stream(tmp_path / name) for name in paths)


def test_a_device_is_a_stream():
    assert is_stream(Path("/dev/null"))
    assert find_descriptor(Path("/dev/null")) is None


def test_a_link_to_an_open_file_is_found(tmp_path):
    (tmp_path / "copy").symlink_to("/proc/self/fd/1")
    (tmp_path / "link").symlink_to("copy")
    for path in (tmp_path / "link", Path("/dev/stdout"), Path("/proc/self/fd/1")):
        assert find_descriptor(path) == 1
        assert is_standard_output(path)
    assert not is_standard_output(Path("/dev/stderr"))


def test_a_number_that_cannot_be_written_to_is_refused_before_the_work():
    reading, writing = os.pipe()
    os.close(writing)
    for number in (reading, 999):
        with pytest.raises(OutputError, match="Bad file descriptor"):
            claim(f"/proc/self/fd/{number}")
    os.close(reading)


def write(path, stdout):
    subprocess.run([sys.executable, "-c", WRITE, str(path)], stdout=stdout, check=True)


def test_what_the_shell_opened_is_written_and_not_replaced(tmp_path):
    link, out = tmp_path / "stdout", tmp_path / "out.txt"
    link.symlink_to("/proc/self/fd/1")
    with out.open("wb") as stream:
        before = os.fstat(stream.fileno()).st_ino
        write(link, stream)
    assert out.read_text() == "content\nprinted\n"
    assert out.stat().st_ino == before
    assert os.readlink(link) == "/proc/self/fd/1"


def test_what_was_appended_to_is_appended_to(tmp_path):
    out = tmp_path / "out.txt"
    out.write_text("before\n")
    with out.open("ab") as stream:
        write("/dev/stdout", stream)
    assert out.read_text() == "before\ncontent\nprinted\n"


def test_a_pipe_with_a_name_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    found = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_text()))
    reader.start()
    claim(tmp_path / "pipe")
    with replacing(tmp_path / "pipe") as temporary:
        temporary.write_text("content")
    reader.join(timeout=10)
    assert found == ["content"]
    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_device_that_takes_no_more_is_named():
    expected = "/dev/full: found that it does not take all"
    with pytest.raises(OutputError, match=expected), replacing("/dev/full") as temporary:
        temporary.write_text("content")


def test_a_pipe_whose_reader_leaves_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = threading.Thread(target=lambda: os.close(os.open(tmp_path / "pipe", os.O_RDONLY)))
    reader.start()
    expected = r"pipe: found .* \(Broken pipe\)"
    with pytest.raises(OutputError, match=expected), replacing(tmp_path / "pipe") as temporary:
        temporary.write_bytes(bytes(1_000_000))
    reader.join(timeout=10)


def test_a_pipe_is_not_read_as_a_corpus(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match="found a pipe or device, expected a corpus file"):
        check_is_file(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["brat", "i2b2"])
def test_a_format_of_many_files_needs_a_folder(name):
    with pytest.raises(OutputError, match="found a pipe or device, expected a folder"):
        find_format(name, to_write=True).write([], "/dev/null")


def test_one_docbin_goes_to_a_pipe(tmp_path):
    out = tmp_path / "out"
    command = "from spacy_bioner.corpora.formats.docbin import write_docbin_or_shards as write; "
    with out.open("wb") as stream:
        call = [sys.executable, "-c", f"{command}write([], '/dev/stdout')"]
        subprocess.run(call, stdout=stream, check=True)
    assert list(read_docbin(out, Vocab())) == []


def test_only_formats_that_can_be_written_are_offered_for_a_pipe():
    with pytest.raises(CorpusError, match="name one") as raised:
        format_of_target("/dev/null")
    assert str(raised.value).endswith(f"(--to): {', '.join(WRITABLE)}")


def test_nothing_is_passed_on_when_the_block_fails(tmp_path):
    (tmp_path / "null").symlink_to("/dev/null")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "null"):
        raise ZeroDivisionError
    assert os.readlink(tmp_path / "null") == "/dev/null"


def test_a_folder_is_not_written_to_a_device():
    expected = "found a pipe or device, expected a folder"
    with pytest.raises(OutputError, match=expected), replacing_folder("/dev/null"):
        pass


def test_a_circle_of_links_is_named(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for save in (claim, lambda path: replacing(path).__enter__()):
        with pytest.raises(OutputError, match="Too many levels of symbolic links"):
            save(tmp_path / "loop")
    assert os.readlink(tmp_path / "loop") == "loop"
