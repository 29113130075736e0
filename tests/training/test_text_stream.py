import lzma

import pytest

from spacy_bioner.errors import ConfigError, CorpusError, TrainingDataError
from spacy_bioner.training import text_stream
from spacy_bioner.training.text_stream import (
    TextStream,
    find_texts,
    fingerprint_texts,
    is_held_out,
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\n\n two \r\nthree")
    with lzma.open(tmp_path / "b.txt.xz", "wt", encoding="utf8") as file:
        file.write("four\nfive\u2028half\n")
    (tmp_path / "notes.md").write_text("not text")
    return tmp_path


def test_find_texts_takes_folders_and_files_once(folder):
    files = find_texts([folder, folder / "a.txt"])
    assert files == [folder / "a.txt", folder / "b.txt.xz"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.txt", "no such file or folder"),
        ("notes.md", r"expected \.txt, \.txt\.xz or \.xz"),
        ("empty", r"has no \.txt, \.txt\.xz or \.xz file"),
    ],
)
def test_find_texts_refuses(folder, name, message):
    (folder / "empty").mkdir()
    with pytest.raises(TrainingDataError, match=message):
        find_texts([folder / name])


@pytest.fixture
def xz_files(tmp_path):
    for name in ("plain.xz", "data.json.xz"):
        with lzma.open(tmp_path / name, "wt", encoding="utf8") as file:
            file.write("one\n")
    return tmp_path


@pytest.mark.parametrize("name", ["plain.xz", "data.json.xz"])
def test_an_xz_file_that_is_named_is_read(xz_files, name):
    assert list(TextStream(find_texts([xz_files / name])).read_epoch()) == ["one"]


def test_below_a_folder_xz_files_of_other_kinds_are_left_out(xz_files):
    assert find_texts([xz_files]) == [xz_files / "plain.xz"]


def test_an_epoch_gives_each_line_of_each_file_once(folder):
    documents = list(TextStream(find_texts([folder])).read_epoch())
    assert sorted(documents) == ["five\u2028half", "four", "one", "three", "two"]


def test_epochs_are_read_one_by_one(folder):
    stream = TextStream(find_texts([folder]))
    epochs = [sorted(stream.read_epoch()) for _ in range(3)]
    assert epochs == [["five\u2028half", "four", "one", "three", "two"]] * 3


def test_an_epoch_is_read_to_its_end_behind_single_documents(folder):
    stream = TextStream(find_texts([folder]))
    first = [next(stream), next(stream)]
    assert sorted([*first, *stream.read_epoch()]) == [
        "five\u2028half",
        "four",
        "one",
        "three",
        "two",
    ]
    assert stream.epoch == 1


def test_an_epoch_without_text_is_an_error(tmp_path):
    (tmp_path / "a.txt").write_text("\n \n")
    with pytest.raises(TrainingDataError, match="found no text in 1 files"):
        list(TextStream([tmp_path / "a.txt"]).read_epoch())


def test_blocks_end_at_empty_lines(tmp_path):
    (tmp_path / "a.txt").write_text("\none\ntwo\n\n\nthree\n")
    stream = TextStream([tmp_path / "a.txt"], unit="block")
    assert list(stream.read_epoch()) == ["one two", "three"]


def test_an_unknown_unit_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="'page': expected one of line, block"):
        TextStream([], unit="page")


def test_files_are_read_in_proportion_to_their_size(tmp_path):
    (tmp_path / "large.txt").write_text("large\n" * 40)
    (tmp_path / "small.txt").write_text("small\n" * 20)
    documents = list(TextStream(find_texts([tmp_path])).read_epoch())
    assert documents[:30].count("large") == 20


@pytest.mark.parametrize("n_read", range(8))
def test_restored_stream_goes_on(folder, n_read):
    files = find_texts([folder])
    stream, other = TextStream(files, seed=3), TextStream(files, seed=3)
    for _ in range(n_read):
        next(stream)
    other.restore(stream.state())
    assert [next(other) for _ in range(9)] == [next(stream) for _ in range(9)]
    assert other.epoch == stream.epoch
    stream.close()
    other.close()


def test_a_long_line_comes_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(text_stream, "MAX_CHARS", 4)
    (tmp_path / "a.txt").write_text("abcdefghij\nk\n")
    assert list(TextStream([tmp_path / "a.txt"]).read_epoch()) == ["abcd", "efgh", "ij", "k"]


def test_no_text_is_an_error(tmp_path):
    (tmp_path / "a.txt").write_text("\n \n")
    with pytest.raises(TrainingDataError, match="found no text in 1 files"):
        next(TextStream([tmp_path / "a.txt"]))


def test_bytes_that_are_no_utf8_are_an_error_with_the_path(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(CorpusError, match=r"a\.txt: found .* expected UTF-8"):
        next(TextStream([tmp_path / "a.txt"]))


def test_a_cut_archive_is_an_error_with_the_path(tmp_path):
    whole = lzma.compress(b"some text\n" * 1000)
    (tmp_path / "a.txt.xz").write_bytes(whole[:-20])
    with pytest.raises(CorpusError, match=r"a\.txt\.xz: found"):
        list(TextStream([tmp_path / "a.txt.xz"]).read_epoch())


def test_held_out_share_is_about_as_large_as_asked():
    n_aside = sum(is_held_out(f"document {n}", 0.1) for n in range(2000))
    assert 160 < n_aside < 240
    assert not is_held_out("document 1", 0.0)


def test_fingerprint_changes_with_the_text(folder):
    files = find_texts([folder])
    before = fingerprint_texts(files)
    (folder / "a.txt").write_text("one\n\n two \nthre3")
    after = fingerprint_texts(files)
    assert [name for name in after if after[name] != before[name]] == [str(folder / "a.txt")]
