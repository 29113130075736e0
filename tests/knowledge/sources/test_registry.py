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
        TermSource(path)
    assert str(caught.value) == (
        f"{path}:1: found 'Once upon a time.\\n', which is of no known kind; expected one of: "
        + "; ".join(kind.title for kind in KINDS)
    )


def test_a_folder_without_a_dump_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(TermTableError, match="found a folder, expected a file; name one in it"):
        TermSource(tmp_path)
    with pytest.raises(TermTableError, match=r"none\.tsv: found no such file; check the path"):
        TermSource(tmp_path / "none.tsv")


def test_a_source_without_a_term_is_refused_with_the_reasons(read_source):
    message = r"found no term \(1 rows without an id, 1 rows of less than 2 columns\); expected"
    with pytest.raises(TermTableError, match=message):
        read_source("id\tname\n\tno id\nx\n")
