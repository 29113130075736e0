import hashlib

import pytest

from spacy_bioner.errors import CorpusError
from spacy_bioner.files.digests import digest, digest_folder

CONTENT = b"abc" * 1_000_000


def test_a_file_has_its_sha_256(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    assert digest(tmp_path / "file") == hashlib.sha256(CONTENT).hexdigest()


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match="no such file"):
        digest(tmp_path / "absent")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"12")
    (tmp_path / "b").write_bytes(b"3")
    return tmp_path


def test_a_folder_has_that_of_names_sizes_and_content(folder):
    assert digest_folder(folder) == hashlib.sha256(b"a/x 2\n12b 1\n3").hexdigest()


def test_hidden_files_and_those_left_out_do_not_count(folder):
    before = digest_folder(folder)
    (folder / "a" / ".x.part").write_bytes(b"4")
    (folder / "c").write_bytes(b"5")
    assert digest_folder(folder, leave_out=["c"]) == before
    assert digest_folder(folder) != before
