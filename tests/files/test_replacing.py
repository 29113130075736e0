import errno
import os
import stat

import pytest

from spacy_bioner.errors import OutputError
from spacy_bioner.files.outputs import claiming
from spacy_bioner.files.replacing import replacing, replacing_folder, write_text


def write(path):
    with replacing(path) as temporary:
        temporary.write_text("new")


def write_folder(path):
    with replacing_folder(path) as temporary:
        temporary.mkdir()


def claim(path):
    with claiming(path):
        pass


@pytest.mark.parametrize("save", [write, write_folder, claim])
def test_a_parent_that_is_a_file_is_named(tmp_path, save):
    (tmp_path / "file").write_text("old")
    path = tmp_path / "file" / "sub" / "out"
    with pytest.raises(OutputError, match="found that nothing can be written there") as raised:
        save(path)
    assert raised.value.path == str(path)
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("save", [write, write_folder, claim])
def test_a_folder_that_cannot_be_made_is_named(save):
    if not os.path.isdir("/proc/self"):
        pytest.skip("no /proc here: nothing that even root cannot write to")
    with pytest.raises(OutputError, match=r"^/proc/x/y\.json: found that nothing can be written"):
        save("/proc/x/y.json")


@pytest.mark.parametrize("save", [write, write_folder, claim])
def test_a_folder_without_permission_is_named(tmp_path, save):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write anywhere")
    with pytest.raises(OutputError, match=r"\(Permission denied\); name another path"):
        save(folder / "out")


@pytest.mark.parametrize("save", [write, claim])
def test_a_name_that_is_too_long_is_an_error(tmp_path, save):
    with pytest.raises(OutputError, match="File name too long"):
        save(tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []


def test_a_claim_leaves_nothing_behind(tmp_path):
    (tmp_path / "out").write_text("old")
    claim(tmp_path / "out")
    claim(tmp_path / "new" / "sub" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_text() == "old"


def test_text_that_has_no_form_in_utf_8_becomes_an_escape(tmp_path):
    write_text(tmp_path / "new" / "page.md", "é\ud800\n")
    assert (tmp_path / "new" / "page.md").read_bytes() == b"\xc3\xa9\\ud800\n"


def test_errors_of_the_block_are_its_own(tmp_path):
    with pytest.raises(OSError, match="disk full"), replacing(tmp_path / "out"):
        raise OSError("disk full")
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "file").write_text("old")
    (tmp_path / "link").symlink_to("big/file")
    write(tmp_path / "link")
    assert os.readlink(tmp_path / "link") == "big/file"
    assert (tmp_path / "big" / "file").read_text() == "new"


def test_a_dangling_link_gets_its_target(tmp_path):
    (tmp_path / "link").symlink_to("big/file")
    write(tmp_path / "link")
    assert (tmp_path / "big" / "file").read_text() == "new"
    assert os.readlink(tmp_path / "link") == "big/file"


def test_a_hard_link_keeps_the_old_content_under_its_other_name(tmp_path):
    (tmp_path / "out").write_text("old")
    (tmp_path / "other").hardlink_to(tmp_path / "out")
    write(tmp_path / "out")
    assert ((tmp_path / "out").read_text(), (tmp_path / "other").read_text()) == ("new", "old")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_who_may_read_a_file_stays(tmp_path, mode):
    (tmp_path / "out").write_text("old")
    (tmp_path / "out").chmod(mode)
    write(tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
@pytest.mark.parametrize("saving", [replacing, replacing_folder])
def test_want_of_room_names_the_output_and_leaves_what_was(tmp_path, number, saving):
    (tmp_path / "out").mkdir() if saving is replacing_folder else write(tmp_path / "out")
    expected = r"cannot be written to its end \(.*\); make room"
    with pytest.raises(OutputError, match=expected) as raised, saving(tmp_path / "out"):
        raise OSError(number, os.strerror(number))
    assert raised.value.path == str(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_rename_that_fails_leaves_what_was(tmp_path, monkeypatch):
    write(tmp_path / "out")

    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        write(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
