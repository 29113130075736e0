import pytest

from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.sources.registry import TermSource


def conso(cui, name, *, language="ENG", status="P|L1|PF|S1|Y", form="PT", level=0, hidden="N"):
    return f"{cui}|{language}|{status}|A1||M1|D1|MSH|{form}|D1|{name}|{level}|{hidden}|256|\n"


ROWS = (
    conso("C0900001", "Blue fever")
    + conso("C0900001", "BLF", status="S|L2|PF|S2|N", form="ACR", level=3)
    + conso("C0900001", "Fieber", language="GER")
    + conso("C0900001", "old fever", hidden="O")
    + "C0900001|ENG|P\n"
    + conso("C0900002", "bluamide", status="S|L3|VO|S3|Y")
)
TYPES = (
    "C0900000|T001|A1|Organism|AT0||\n"
    "C0900001|T047|B2|Disease or Syndrome|AT1||\n"
    "C0900002|T121|A1|Pharmacologic Substance|AT2||\n"
    "C0900002|T109|A1|Organic Chemical|AT3||\n"
)


def test_english_names_that_are_not_suppressed_are_rows(read_source, skipped):
    source, rows = read_source(ROWS, "MRCONSO.RRF")
    assert rows == [
        ("C0900001", "Blue fever", "", "label"),
        ("C0900001", "BLF", "", "abbreviation"),
        ("C0900002", "bluamide", "", "exact"),
    ]
    assert source.kind.name == "mrconso"
    assert source.file.licence == "UMLS Metathesaurus License (level 0: 2, level 3: 1)"
    assert skipped(source) == {
        "names in other languages": (1, 3, "Fieber"),
        "suppressed names": (1, 4, "old fever"),
        "rows of other than 18 columns": (1, 5, "C0900001|ENG|P"),
    }


def test_the_label_is_the_semantic_type_of_the_file_beside(tmp_path):
    (tmp_path / "MRCONSO.RRF").write_text(ROWS)
    (tmp_path / "MRSTY.RRF").write_text(TYPES)
    rows = list(TermSource.of_path(tmp_path / "MRCONSO.RRF").read())
    assert [(row.name, row.label) for row in rows] == [
        ("Blue fever", "Disease or Syndrome"),
        ("BLF", "Disease or Syndrome"),
        ("bluamide", "Organic Chemical+Pharmacologic Substance"),
    ]


@pytest.mark.parametrize(
    ("rows", "types"),
    [
        (conso("C0900002", "x") + conso("C0900001", "y"), TYPES),
        (ROWS, TYPES[TYPES.index("C0900002") :] + TYPES[: TYPES.index("C0900002")]),
    ],
)
def test_files_that_are_not_in_order_are_refused(tmp_path, rows, types):
    (tmp_path / "MRCONSO.RRF").write_text(rows)
    (tmp_path / "MRSTY.RRF").write_text(types)
    with pytest.raises(TermTableError, match=r"MRSTY\.RRF:\d+: found C09\d+ behind C09\d+; exp"):
        list(TermSource.of_path(tmp_path / "MRCONSO.RRF").read())
