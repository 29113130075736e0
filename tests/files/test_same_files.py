from dataclasses import dataclass
from pathlib import Path

import pytest

from spacy_bioner.errors import CorpusError, OutputError
from spacy_bioner.files import same_files
from spacy_bioner.files.same_files import check_apart, ignores_case, is_same, list_paths


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder Data with a file, a link to it, a hard link, and a folder in it."""
    data = tmp_path / "Data"
    (data / "sub").mkdir(parents=True)
    (data / "gold.txt").write_text("gold")
    (data / "link.txt").symlink_to("gold.txt")
    (data / "hard.txt").hardlink_to(data / "gold.txt")
    (tmp_path / "other").symlink_to("Data")
    (data / "dangling").symlink_to("new.txt")
    monkeypatch.chdir(data)
    return data


@pytest.mark.parametrize(
    "spelling",
    [
        *("gold.txt", "./gold.txt", "../Data/gold.txt", "sub/../gold.txt", "link.txt", "hard.txt"),
        *("../other/gold.txt", "../other/sub/../link.txt"),
    ],
)
def test_a_file_is_known_by_any_spelling(folder, spelling):
    assert is_same(spelling, folder / "gold.txt")
    with pytest.raises(OutputError, match="found the same path as IN and OUT"):
        check_apart([spelling], ["gold.txt"])


@pytest.mark.parametrize(
    "spelling", ["new.txt", "../Data/new.txt", "sub/../new.txt", "../other/new.txt", "dangling"]
)
def test_a_file_that_is_not_there_yet_is_known_by_any_spelling(folder, spelling):
    assert is_same(spelling, folder / "new.txt")
    with pytest.raises(OutputError, match="found that two outputs are one"):
        check_apart([spelling, "new.txt"], [])


@pytest.mark.parametrize("other", ["new", "Gold.txt", "sub/gold.txt", "sub", "../gold.txt"])
@pytest.mark.usefixtures("folder")
def test_other_files_are_others(other):
    assert not is_same(other, "gold.txt")
    assert not is_same(other, "new.txt")


@pytest.mark.usefixtures("folder")
def test_case_counts_where_it_counts(monkeypatch, folder):
    assert ignores_case(folder) == (folder.parent / "dATA").exists()
    assert not is_same("new.txt", "NEW.TXT")
    monkeypatch.setattr(same_files, "ignores_case", lambda place: True)
    assert is_same("new.txt", "NEW.TXT")
    assert is_same("caf\u00e9", "CAFE\u0301")


@pytest.mark.usefixtures("folder")
def test_nothing_is_written_into_an_input():
    with pytest.raises(OutputError, match=r"sub/deep/out: found that it lies in the input \."):
        check_apart(["sub/deep/out"], ["."])


@pytest.mark.usefixtures("folder")
def test_an_output_that_is_replaced_holds_no_input():
    check_apart(["../Data"], ["gold.txt"])
    with pytest.raises(OutputError, match=r"\.\./other: found gold\.txt, which is read, in what"):
        check_apart(["../other"], ["gold.txt"], replaced=["../other"])


@pytest.mark.usefixtures("folder")
def test_what_is_not_there_is_no_input():
    check_apart(["new.txt"], ["new.txt", "en_some_package"])


def test_a_name_that_no_file_can_have_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match="File name too long"):
        is_same(tmp_path / ("x" * 300), tmp_path / "y")


@dataclass
class Named:
    name: str
    path: Path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ("a", ["a"]),
        (["a", None, Path("b")], ["a", "b"]),
        (Named("x", Path("a")), ["a"]),
        ({"x": Path("a"), "y": Named("y", Path("b"))}, ["a", "b"]),
    ],
)
def test_paths_are_found_in_what_commands_take(value, expected):
    assert list_paths(value) == [Path(name) for name in expected]
