from pathlib import Path

DESCRIPTORS = """<?xml version="1.0"?>
<!DOCTYPE DescriptorRecordSet SYSTEM "https://x.org/dtd/nlmdescriptorrecordset_20250101.dtd">
<DescriptorRecordSet LanguageCode = "eng">
<DescriptorRecord DescriptorClass = "1">
  <DescriptorUI>D900001</DescriptorUI>
  <DescriptorName><String>Blue Fever</String></DescriptorName>
  <TreeNumberList><TreeNumber>C01.100</TreeNumber><TreeNumber>B03.200</TreeNumber></TreeNumberList>
  <ConceptList>
    <Concept PreferredConceptYN="Y">
      <TermList>
        <Term LexicalTag="NON" RecordPreferredTermYN="Y"><String>Blue Fever</String></Term>
        <Term LexicalTag="ABB"><String>BLF</String></Term>
        <Term LexicalTag="NON" IsPermutedTermYN="Y"><String>Fever, Blue</String></Term>
      </TermList>
    </Concept>
    <Concept PreferredConceptYN="N">
      <ConceptRelationList><ConceptRelation RelationName="NRW"/></ConceptRelationList>
      <TermList><Term LexicalTag="NON"><String>Pale Blue Fever</String></Term></TermList>
    </Concept>
  </ConceptList>
</DescriptorRecord>
<DescriptorRecord>
  <DescriptorUI>D900002</DescriptorUI>
  <DescriptorName><String>Male</String></DescriptorName>
</DescriptorRecord>
<DescriptorRecord>
  <DescriptorName><String>Nameless</String></DescriptorName>
  <TreeNumberList><TreeNumber>C01</TreeNumber></TreeNumberList>
</DescriptorRecord>
<DescriptorRecord>
  <DescriptorUI>D900003</DescriptorUI>
  <DescriptorName><String>Gloom</String></DescriptorName>
  <TreeNumberList><TreeNumber>F03.300</TreeNumber><TreeNumber>C10.1</TreeNumber></TreeNumberList>
</DescriptorRecord>
</DescriptorRecordSet>
"""
SUPPLEMENTS = """<SupplementalRecordSet>
<SupplementalRecord SCRClass="1">
  <SupplementalRecordUI>C900001</SupplementalRecordUI>
  <SupplementalRecordName><String>bluamide</String></SupplementalRecordName>
  <ConceptList><Concept PreferredConceptYN="Y"><TermList>
    <Term><String>bluamide</String></Term><Term><String>B-17 &amp; salt</String></Term>
  </TermList></Concept></ConceptList>
</SupplementalRecord>
<SupplementalRecord SCRClass="3">
  <SupplementalRecordUI>C900002</SupplementalRecordUI>
  <SupplementalRecordName><String>Rare blues</String></SupplementalRecordName>
</SupplementalRecord>
<SupplementalRecord SCRClass="9">
  <SupplementalRecordUI>C900003</SupplementalRecordUI>
  <SupplementalRecordName><String>Other</String></SupplementalRecordName>
</SupplementalRecord>
</SupplementalRecordSet>
"""


def test_descriptors_have_their_entry_terms_once_for_each_entity_type(read_source, skipped):
    source, rows = read_source(DESCRIPTORS, "desc.xml")
    names = [
        ("Blue Fever", "label"),
        ("BLF", "abbreviation"),
        ("Fever, Blue", "exact"),
        ("Pale Blue Fever", "narrow"),
    ]
    assert rows == [
        *(("D900001", name, "Disease", kind) for name, kind in names),
        *(("D900001", name, "Organism", kind) for name, kind in names),
        # Mental disorders are diseases.
        ("D900003", "Gloom", "Disease", "label"),
    ]
    assert (source.kind.name, source.file.version) == ("mesh_xml", "2025")
    assert (
        source.file.licence == "MeSH: U.S. National Library of Medicine, free with source and "
        "year named"
    )
    assert skipped(source) == {
        "records without a place in the tree": (1, 0, "Male"),
        "records without an id": (1, 0, "Nameless"),
    }


def test_supplementary_records_have_the_entity_type_of_their_class(read_source, skipped):
    source, rows = read_source(SUPPLEMENTS, "supp.xml")
    assert rows == [
        ("C900001", "bluamide", "Chemical", "label"),
        ("C900001", "B-17 & salt", "Chemical", "exact"),
        ("C900002", "Rare blues", "Disease", "label"),
    ]
    assert source.file.version == ""
    assert skipped(source) == {"records without a place in the tree": (1, 0, "Other")}


def test_a_file_of_many_records_is_not_held_in_memory(read_source):
    record = SUPPLEMENTS.split("<SupplementalRecordSet>")[1].split(
        '<SupplementalRecord SCRClass="3'
    )
    text = "<SupplementalRecordSet>" + record[0] * 300 + "</SupplementalRecordSet>"
    source, rows = read_source(text, "supp.xml")
    assert len(rows) == source.file.n_rows == 600
    assert Path(source.file.path).name == "supp.xml"
