TEXT = """----------------------------------------------------------------------------
 Description: Cellosaurus: a knowledge resource on cell lines
 Version:     51.0
 Licensed under CC BY 4.0
----------------------------------------------------------------------------
ID   Blu-7
AC   CVCL_9001
SY   BLU 7; BLU7; Blu-7
DR   Wikidata; Q1
//
ID   No number
SY   none
//
ID   Cut off
AC   CVCL_9002
"""


def test_names_and_synonyms_are_rows(read_source, skipped):
    source, rows = read_source(TEXT)
    assert rows == [
        ("CVCL_9001", "Blu-7", "CellLine", "label"),
        ("CVCL_9001", "BLU 7", "CellLine", "exact"),
        ("CVCL_9001", "BLU7", "CellLine", "exact"),
    ]
    assert (source.kind.name, source.file.version) == ("cellosaurus", "51.0")
    assert source.file.licence == "CC BY 4.0"
    assert skipped(source) == {
        "records without an id": (1, 13, "No number"),
        "records without an end": (1, 15, "Cut off"),
    }
