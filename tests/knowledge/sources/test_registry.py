import gzip
import zipfile

import pytest

from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.sources.registry import KINDS, TermSource


def test_rows_without_id_or_name_and_overlong_names_are_counted(read_source, skipped):
    source, rows = read_source(
        "id\tname\nBL:1\tblue fever\n\tno id\nBL:2\t\nBL:3\t - \n"
        f"BL:4\t{'x' * 10_000}\nBL:5\t{'y' * 1_000}\nBL:6\t– \u00ad\n"
    )
    assert [row[0] for row in rows] == ["BL:1", "BL:5"]
    assert source.file.n_rows == 2
    assert skipped(source) == {
        "rows without an id": (1, 3, "no id"),
        "rows without a name": (3, 4, "BL:2"),
        "names of more than 1,000 characters": (1, 6, "x" * 59 + "…"),
    }


def test_line_breaks_and_wide_blanks_in_a_name_are_spaces(read_source):
    _, rows = read_source(
        "<ICD10CM.tabular><diag><name>A95</name><desc>Blue\n   fever\u00a0mild</desc></diag>"
        "</ICD10CM.tabular>"
    )
    assert rows == [("A95", "Blue fever mild", "Disease", "label")]


def test_a_file_of_no_known_kind_is_refused_with_what_is_known(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("Once upon a time.\n")
    with pytest.raises(TermTableError) as caught:
        TermSource.of_path(path)
    assert str(caught.value) == (
        f"{path}:1: found 'Once upon a time.\\n', which is of no known kind; expected one of: "
        + "; ".join(kind.title for kind in KINDS)
    )


def test_a_folder_without_a_dump_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(TermTableError, match="found a folder, expected a file; name one in it"):
        TermSource.of_path(tmp_path)
    with pytest.raises(TermTableError, match=r"none\.tsv: found no such file; check the path"):
        TermSource.of_path(tmp_path / "none.tsv")


def test_a_source_without_a_term_is_refused_with_the_reasons(read_source):
    message = r"found no term \(1 rows without an id, 1 rows of less than 2 columns\); expected"
    with pytest.raises(TermTableError, match=message):
        read_source("id\tname\n\tno id\nx\n")


NAMES = "1\t|\troot\t|\t\t|\tscientific name\t|\n71\t|\tCaeruleus\t|\t\t|\tscientific name\t|\n"
NODES = "1\t|\t1\t|\tdomain\t|\n71\t|\t1\t|\tspecies\t|\n"
TABLE = "id\tname\tkind\nD1\tgout\tlabel\n"


@pytest.fixture
def archive(tmp_path):
    """Write a ZIP archive of some members and return its path."""

    def write(members, name="terms.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as file:
            for member, content in members.items():
                file.writestr(member, content)
        return tmp_path / name

    return write


def read_all(path):
    sources = TermSource.find_all(path)
    return [(s.kind.name, s.file.path.name, [tuple(row[:3]) for row in s.read()]) for s in sources]


def test_members_of_an_archive_are_told_by_their_content(archive):
    path = archive({"readme.txt": "See there.", "dump/nodes.dmp": NODES, "dump/names.dmp": NAMES})
    rows = [("1", "root", "Taxon"), ("71", "Caeruleus", "Species")]
    assert read_all(path) == [("ncbi_taxonomy", "names.dmp", rows)]


def test_tables_in_an_archive_count_where_there_is_nothing_else(archive):
    packed = gzip.compress(TABLE.replace("D1", "D2").encode())
    path = archive({"a.tsv": TABLE, "in/b.tsv.gz": packed, "empty/": ""})
    found = [("table", "a.tsv", [("D1", "gout", "")]), ("table", "b.tsv.gz", [("D2", "gout", "")])]
    assert [(one[1], one[2]) for one in read_all(path)] == [one[1:] for one in found]


def test_a_file_that_is_no_archive_is_one_source(tmp_path):
    (tmp_path / "terms.zip").write_text(TABLE)
    assert [one[1:] for one in read_all(tmp_path / "terms.zip")] == [
        ("terms.zip", [("D1", "gout", "")])
    ]


def test_an_archive_without_terms_is_refused(archive):
    with pytest.raises(TermTableError, match=r"terms.zip: found readme.txt in it; expected one of"):
        TermSource.find_all(archive({"readme.txt": "See there."}))
    with pytest.raises(TermTableError, match=r"terms.zip: found nothing in it; expected one of"):
        TermSource.find_all(archive({}))


def test_an_archive_that_is_cut_off_is_refused(archive):
    path = archive({"names.dmp": NAMES})
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(TermTableError, match="found a ZIP archive that cannot be read"):
        TermSource.find_all(path)


def test_a_damaged_member_is_refused(archive):
    path = archive({"names.dmp": "".join(NAMES.replace("71", str(n)) for n in range(2, 9_000))})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(TermTableError, match=r"names.dmp.*cannot be read on"):
        read_all(path)


def test_an_encrypted_member_is_refused(archive):
    path = archive({"names.dmp": NAMES})
    data = bytearray(path.read_bytes())
    # The flag, in the member's own header and in the directory.
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    path.write_bytes(data)
    with pytest.raises(TermTableError, match="found an encrypted file; unpack the archive"):
        TermSource.find_all(path)
