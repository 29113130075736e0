def test_a_header_names_the_columns(read_source, skipped):
    source, rows = read_source(
        "# version: 2015\n# Licence: CC0 1.0\n# url: https://x.org/\n# other: x\n"
        "kind\tName\tConcept_ID\nsynonym\tblue fever\tBL:1\n\n\tblues\tBL:1\nx\n"
    )
    assert rows == [
        ("BL:1", "blue fever", "", "synonym"),
        ("BL:1", "blues", "", "exact"),
    ]
    facts = source.file.version, source.file.licence, source.file.url
    assert facts == ("2015", "CC0 1.0", "https://x.org/")
    assert skipped(source) == {"rows of less than 3 columns": (1, 9, "x")}


def test_without_a_header_columns_are_id_name_label_and_kind(read_source):
    _, rows = read_source("BL:1\tblue fever\tDisease\tlabel\nBL:2\tbluamide\tChemical\n")
    assert rows == [
        ("BL:1", "blue fever", "Disease", "label"),
        ("BL:2", "bluamide", "Chemical", "exact"),
    ]


def test_two_columns_are_id_and_name(read_source):
    source, rows = read_source("BL:1\tblue fever\nBL:2\tbluamide\n")
    assert [row[:3] for row in rows] == [("BL:1", "blue fever", ""), ("BL:2", "bluamide", "")]
    assert (source.kind.name, source.file.licence) == ("tsv", "unknown")
