import bz2
import gzip
import lzma

import pytest

from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.sources.rows import Skipped, SourceFile

LINES = "id\tname\r\nD1\tgout\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_lines_of_plain_and_packed_files_are_the_same(tmp_path, pack):
    path = tmp_path / "x"
    path.write_bytes(pack(b"\xef\xbb\xbf" + LINES.encode()))
    file = SourceFile(path)
    assert list(file.read_lines()) == ["id\tname", "D1\tgout"]
    assert file.line == 2
    assert file.read_head() == LINES


def test_a_cut_archive_is_refused_with_its_line(tmp_path):
    path = tmp_path / "x.gz"
    rows = "".join(f"D{number}\tname {number * 7919}\n" for number in range(20_000))
    path.write_bytes(gzip.compress(rows.encode())[:-40])
    with pytest.raises(TermTableError, match=r"x\.gz:\d+: found a file that cannot be read on"):
        list(SourceFile(path).read_lines())


def test_bytes_that_are_not_utf8_are_refused_with_line_and_position(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_bytes(b"D1\tgout\nD2\tna\xefve\n")
    message = r"x\.tsv:2: found the byte 0xef at position 5; expected UTF-8; convert the file"
    with pytest.raises(TermTableError, match=message):
        list(SourceFile(path).read_lines())


def test_the_first_row_that_is_skipped_is_kept(tmp_path):
    file = SourceFile(tmp_path / "x")
    file.line = 3
    file.skip("rows without a name", "x" * 100)
    file.line = 9
    file.skip("rows without a name", "y")
    assert file.skipped == {"rows without a name": Skipped(2, 3, "x" * 59 + "…")}


def test_malformed_xml_is_refused_with_its_line(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text("<set>\n<one/>\n<one>\n</set>\n")
    with pytest.raises(TermTableError, match=r"x\.xml:4: found malformed XML \(mismatched tag"):
        list(SourceFile(path).read_elements("one"))


def test_an_entity_that_is_not_declared_is_refused_and_none_is_fetched(tmp_path):
    path = tmp_path / "x.xml"
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    path.write_text(f'<!DOCTYPE set [<!ENTITY e SYSTEM "{secret}">]>\n<set><one>&e;</one></set>')
    with pytest.raises(TermTableError, match=r"x\.xml:2: found malformed XML \(undefined entity"):
        [one.text for one in SourceFile(path).read_elements("one")]


def test_elements_are_emptied_one_by_one(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text("<set>" + "<one><a>b</a></one>" * 50 + "</set>")
    sizes, last = [], None
    for element in SourceFile(path).read_elements("one"):
        sizes.append(None if last is None else len(last))
        last = element
    assert sizes == [None, *[0] * 49]
