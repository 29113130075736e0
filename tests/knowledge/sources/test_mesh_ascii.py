DESCRIPTORS = """*NEWRECORD
RECTYPE = D
MH = Blue Fever
PRINT ENTRY = Fever of the Blues|T047|NON|NRW|NLM (1990)|900308|abcdef
ENTRY = BLF|T047|ABB|EQV|UNK (19XX)|741111|abcdef
ENTRY = Fever, Blue
MN = C01.100
MN = C01.200
UI = D900001

*NEWRECORD
RECTYPE = D
MH = Placeless
UI = D900002

*NEWRECORD
RECTYPE = D
MH = Nameless
MN = C01
what is this
"""
SUPPLEMENTS = """*NEWRECORD
RECTYPE = C
NM = bluamide
SY = B-17|T109|NON|EQV|NLM|010101|abcdef
ST = T109
UI = C900001

*NEWRECORD
RECTYPE = C
NM = Rare blues
ST = T047
UI = C900002
"""


def test_descriptors_have_their_entries(read_source, skipped):
    source, rows = read_source(DESCRIPTORS, "d2015.bin")
    assert rows == [
        ("D900001", "Blue Fever", "Disease", "label"),
        ("D900001", "Fever of the Blues", "Disease", "narrow"),
        ("D900001", "BLF", "Disease", "abbreviation"),
        ("D900001", "Fever, Blue", "Disease", "exact"),
    ]
    assert (source.kind.name, source.file.version) == ("mesh_ascii", "2015")
    assert skipped(source) == {
        "records without a place in the tree": (1, 16, "Placeless"),
        "malformed lines": (1, 20, "what is this"),
        "records without an id": (1, 20, "Nameless"),
    }


def test_supplementary_records_have_the_entity_type_of_their_semantic_types(read_source):
    _, rows = read_source(SUPPLEMENTS, "c2015.bin")
    assert rows == [
        ("C900001", "bluamide", "Chemical", "label"),
        ("C900001", "B-17", "Chemical", "exact"),
        ("C900002", "Rare blues", "Disease", "label"),
    ]
