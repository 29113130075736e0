import pytest

ORDER = (
    f"00001 A95     0 {'Blue fever':60} Blue fever\n"
    f"00002 A9501   1 {'Blue fever, mild':60} Blue fever of the mild kind\n"
    "nothing\n"
    f"00003 R951    1 {'Blueness':60} Blueness, unspecified\n"
)
TABULAR = """<?xml version="1.0"?>
<ICD10CM.tabular>
 <version>2025</version>
 <chapter><section><diag>
  <name>A95</name><desc>Blue fever</desc>
  <inclusionTerm><note>Blues</note></inclusionTerm>
  <diag><name>A95.0</name><desc>Mild blue fever</desc>
   <inclusionTerm><note>Pale fever</note><note>Sky fever</note></inclusionTerm></diag>
  <diag><desc>No code</desc></diag>
 </diag></section></chapter>
</ICD10CM.tabular>
"""


def test_the_order_file_has_whole_and_short_titles(read_source, skipped):
    source, rows = read_source(ORDER, "icd10cm_order_2021.txt")
    assert rows == [
        ("A95", "Blue fever", "Disease", "label"),
        ("A95.01", "Blue fever of the mild kind", "Disease", "label"),
        ("A95.01", "Blue fever, mild", "Disease", "short title"),
        ("R95.1", "Blueness, unspecified", "Symptom", "label"),
        ("R95.1", "Blueness", "Symptom", "short title"),
    ]
    assert (source.kind.name, source.file.version) == ("icd10cm", "2021")
    assert skipped(source) == {"malformed rows": (1, 3, "nothing")}


def test_the_list_of_codes_has_titles(read_source):
    source, rows = read_source("A9501   Blue fever, mild\nZ951    Contact with blue\n")
    assert rows == [
        ("A95.01", "Blue fever, mild", "Disease", "label"),
        ("Z95.1", "Contact with blue", "HealthFactor", "label"),
    ]
    assert source.file.version == ""


def test_the_tabular_list_has_inclusion_terms_of_each_code(read_source, skipped):
    source, rows = read_source(TABULAR, "tabular.xml")
    assert sorted(rows) == [
        ("A95", "Blue fever", "Disease", "label"),
        ("A95", "Blues", "Disease", "exact"),
        ("A95.0", "Mild blue fever", "Disease", "label"),
        ("A95.0", "Pale fever", "Disease", "exact"),
        ("A95.0", "Sky fever", "Disease", "exact"),
    ]
    assert (source.kind.name, source.file.version) == ("icd10cm", "2025")
    assert skipped(source) == {"records without an id": (1, 0, "No code")}


@pytest.mark.parametrize(
    ("letter", "label"), [("A", "Disease"), ("R", "Symptom"), ("W", "ExternalCause")]
)
def test_the_chapter_gives_the_label(read_source, letter, label):
    assert read_source(f"{letter}951    Some title\n")[1] == [
        (f"{letter}95.1", "Some title", label, "label")
    ]
