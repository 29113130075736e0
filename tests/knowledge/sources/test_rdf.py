import pytest

from spacy_bioner import extras
from spacy_bioner.errors import MissingExtraError, TermTableError

PREFIXES = """@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix x: <http://x.org/> .
"""
SKOS = (
    PREFIXES
    + """x:scheme a skos:ConceptScheme ; owl:versionInfo "7" ;
  dct:license <http://creativecommons.org/licenses/by/4.0/> .
x:1 a skos:Concept ; skos:prefLabel "blue fever"@en, "Blaufieber"@de ;
  skos:altLabel "blues"@en-GB ; skos:hiddenLabel "blu fever" .
x:2 a skos:Concept ; skos:prefLabel "Rotfieber"@de .
x:3 a skos:Concept ; owl:deprecated true ; skos:prefLabel "old fever"@en .
"""
)
OWL = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:owl="http://www.w3.org/2002/07/owl#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
  xmlns:oio="http://www.geneontology.org/formats/oboInOwl#">
<owl:Ontology rdf:about="http://x.org/blues.owl">
  <owl:versionIRI rdf:resource="http://x.org/2024/blues.owl"/></owl:Ontology>
<owl:ObjectProperty rdf:about="http://x.org/p"><rdfs:label>part of</rdfs:label></owl:ObjectProperty>
<owl:Class rdf:about="http://purl.obolibrary.org/obo/BL_0001"><rdfs:label>blue fever</rdfs:label>
  <oio:hasExactSynonym>blues</oio:hasExactSynonym>
  <oio:hasNarrowSynonym>dark fever</oio:hasNarrowSynonym></owl:Class>
</rdf:RDF>
"""


def test_skos_labels_in_english_are_rows(read_source, skipped):
    pytest.importorskip("rdflib", reason="needs the extra [terms]")
    source, rows = read_source(SKOS)
    assert rows == [
        ("http://x.org/1", "blue fever", "", "label"),
        ("http://x.org/1", "blues", "", "exact"),
        ("http://x.org/1", "blu fever", "", "hidden"),
    ]
    assert (source.kind.name, source.file.version) == ("rdf", "7")
    assert source.file.licence == "http://creativecommons.org/licenses/by/4.0/"
    assert skipped(source) == {
        "concepts without a name in English": (1, 0, "http://x.org/2"),
        "deprecated terms": (1, 0, "http://x.org/3"),
    }


def test_owl_classes_with_their_synonyms_are_rows(read_source):
    pytest.importorskip("rdflib", reason="needs the extra [terms]")
    source, rows = read_source(OWL)
    assert rows == [
        ("BL:0001", "blue fever", "", "label"),
        ("BL:0001", "blues", "", "exact"),
        ("BL:0001", "dark fever", "", "narrow"),
    ]
    assert source.file.version == "http://x.org/2024/blues.owl"


@pytest.mark.parametrize("text", [PREFIXES + "x:1 a a a .", OWL[:-20]])
def test_malformed_rdf_is_refused(read_source, text):
    pytest.importorskip("rdflib", reason="needs the extra [terms]")
    with pytest.raises(TermTableError, match=r"found RDF that rdflib cannot read \("):
        read_source(text)


def test_the_extra_is_named_where_it_is_missing(read_source, monkeypatch):
    monkeypatch.setattr(extras, "_is_there", lambda package: package != "rdflib")
    with pytest.raises(MissingExtraError, match=r"SKOS and OWL needs rdflib, not installed here"):
        read_source(SKOS)
