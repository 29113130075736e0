import os
from pathlib import Path

import pytest

from spacy_bioner.errors import OutputError
from spacy_bioner.files.outputs import (
    claiming,
    is_claimed,
    is_debris,
    name_beside,
    partial_folder,
    replace_folder,
    scratch_folder,
)
from spacy_bioner.files.replacing import replacing, replacing_folder


def make(folder, content):
    folder.mkdir(parents=True)
    (folder / "model").write_text(content)
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_first_writer_of_a_folder_keeps_it(tmp_path):
    with replacing_folder(tmp_path / "out") as first:
        make(first, "first")
        expected = "is writing there"
        with pytest.raises(OutputError, match=expected), replacing_folder(tmp_path / "out"):
            pass
        assert (first / "model").read_text() == "first"
    assert (tmp_path / "out" / "model").read_text() == "first"
    assert names(tmp_path) == ["out"]


def test_the_first_writer_of_a_file_keeps_it(tmp_path):
    with replacing(tmp_path / "out") as first:
        first.write_text("first")
        with pytest.raises(OutputError, match="is writing there"), replacing(tmp_path / "out"):
            pass
    assert (tmp_path / "out").read_text() == "first"
    assert names(tmp_path) == ["out"]


def test_a_claim_is_used_by_what_is_written_in_it(tmp_path):
    with claiming(tmp_path / "out", tmp_path / "out.json", None):
        assert is_claimed(tmp_path / "out")
        with replacing_folder(tmp_path / "out") as folder:
            make(folder, "new")
        with replacing(tmp_path / "out.json") as file:
            file.write_text("{}")
        assert is_claimed(tmp_path / "out")
    assert not is_claimed(tmp_path / "out")
    assert names(tmp_path) == ["out", "out.json"]


def test_a_claim_makes_no_folders_that_stay_empty(tmp_path):
    with claiming(tmp_path / "a" / "b" / "out"):
        assert (tmp_path / "a" / "b").is_dir()
    assert names(tmp_path) == []


def test_a_kill_between_the_renames_is_healed_with_the_new_folder(tmp_path):
    make(tmp_path / ".out.old", "old")
    make(partial_folder(tmp_path / "out"), "new")
    with claiming(tmp_path / "out"):
        pass
    assert (tmp_path / "out" / "model").read_text() == "new"
    assert names(tmp_path) == ["out"]


def test_without_a_new_folder_the_old_one_comes_back_even_if_the_next_run_fails(tmp_path):
    make(tmp_path / ".out.old", "old")
    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "out"):
        raise ZeroDivisionError
    assert (tmp_path / "out" / "model").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_an_old_folder_beside_a_new_one_is_removed(tmp_path):
    make(tmp_path / ".out.old", "old")
    make(tmp_path / "out", "new")
    with claiming(tmp_path / "out"):
        pass
    assert (tmp_path / "out" / "model").read_text() == "new"
    assert names(tmp_path) == ["out"]


def test_a_replacement_that_fails_puts_the_old_folder_back(tmp_path, monkeypatch):
    make(tmp_path / "out", "old")
    make(tmp_path / "new", "new")
    rename = Path.rename

    def fail(path, target):
        if path.name == "new":
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="Input/output error"):
        replace_folder(tmp_path / "new", tmp_path / "out")
    assert (tmp_path / "out" / "model").read_text() == "old"
    assert names(tmp_path) == ["new", "out"]


def test_what_kills_left_goes_with_the_next_claim_and_nothing_else(tmp_path):
    for name in (".out.part", ".out.bioner-lock"):
        (tmp_path / name).write_text("left")
    make(tmp_path / ".out.123.scratch", "left")
    others = [".out2.part", ".out.txt", "out.part", ".outer.scratch"]
    for name in others:
        (tmp_path / name).write_text("somebody's")
    with claiming(tmp_path / "out"):
        pass
    assert names(tmp_path) == sorted(others)


def test_checkpoints_of_a_killed_training_are_left_to_the_training(tmp_path):
    make(partial_folder(tmp_path / "out"), "checkpoint")
    with claiming(tmp_path / "out"):
        pass
    assert names(tmp_path) == [".out.partial"]


def test_a_name_that_just_fits_can_be_written(tmp_path):
    name = "é" * 127
    with replacing(tmp_path / name) as temporary:
        temporary.write_text("new")
    with replacing_folder(tmp_path / f"{name[:-1]}.") as folder:
        folder.mkdir()
    assert names(tmp_path) == sorted([name, f"{name[:-1]}."])


def test_long_names_with_one_beginning_have_hidden_names_of_their_own(tmp_path):
    first, second = tmp_path / ("x" * 250 + "1"), tmp_path / ("x" * 250 + "2")
    with replacing(first) as one, replacing(second) as other:
        assert one != other


def test_a_name_that_is_no_text_can_be_written(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/out\xff"))
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_a_link_to_a_folder_stays_and_its_target_is_replaced(tmp_path):
    make(tmp_path / "disk" / "result", "old")
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "result")
    with replacing_folder(tmp_path / "out") as folder:
        make(folder, "new")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "result" / "model").read_text() == "new"
    assert (names(tmp_path), names(tmp_path / "disk")) == (["disk", "out"], ["result"])


def test_two_spellings_of_an_output_are_one(tmp_path):
    (tmp_path / "link").symlink_to("out")
    (tmp_path / "sub").mkdir()
    with (
        claiming(tmp_path / "out"),
        replacing(tmp_path / "sub" / ".." / "link"),
        pytest.raises(OutputError, match="is writing there"),
        replacing(tmp_path / "out"),
    ):
        pass


def test_files_beside_are_named_where_links_lead(tmp_path, monkeypatch):
    make(tmp_path / "disk" / "result", "old")
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "result")
    assert name_beside(tmp_path / "out", ".log") == tmp_path / "disk" / "result.log"
    assert name_beside(tmp_path / "new", ".log") == tmp_path / "new.log"
    monkeypatch.chdir(tmp_path / "disk")
    assert name_beside(Path("."), ".log") == tmp_path / "disk.log"


def test_a_scratch_folder_is_gone_after_the_block(tmp_path):
    with claiming(tmp_path / "out"), scratch_folder(tmp_path / "out") as folder:
        assert folder.is_dir()
        assert is_debris(folder)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [(".out.part", True), (".a.bioner-lock", True), (".out.txt", False), ("out.part", False)],
)
def test_debris_is_told_by_its_name(name, expected):
    assert is_debris(Path("x") / name) == expected
