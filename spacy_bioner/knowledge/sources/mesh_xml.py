"""MeSH as XML: descriptors (desc2025.xml) and supplementary records (supp2025.xml)."""

import re
from typing import Iterator, List
from xml.etree.ElementTree import Element

from spacy_bioner.knowledge.sources.mesh_labels import (
    BY_TREE,
    CHEMICAL,
    DISEASE,
    LICENCE,
    URL,
    find_kind,
    find_labels,
)
from spacy_bioner.knowledge.sources.rows import (
    PREFERRED,
    SourceFile,
    SourceKind,
    TermRow,
)

_ROOT = re.compile(r"<(?:DescriptorRecordSet|SupplementalRecordSet)\b")
# The DTD is named with the day on which the year's MeSH came into force.
_YEAR = re.compile(r"nlm(?:descriptor|supplemental)recordset_(\d{4})\d{4}\.dtd")
# Classes of supplementary records: chemicals, protocols, diseases, organisms, groups, anatomy.
_BY_CLASS = {
    "1": CHEMICAL,
    "2": BY_TREE["E"],
    "3": DISEASE,
    "4": BY_TREE["B"],
    "5": BY_TREE["M"],
    "6": BY_TREE["A"],
}


def looks_like_mesh_xml(head: str) -> bool:
    """Say whether a file that starts so is MeSH as XML."""
    return _ROOT.search(head) is not None


def read_mesh_xml(source: SourceFile) -> Iterator[TermRow]:
    """Stream the names of descriptors and supplementary records.

    A descriptor that stands in several parts of the tree has its names once for each entity type.
    RAISES (TermTableError): XML that is malformed.
    """
    if year := _YEAR.search(source.read_head()):
        source.version = year[1]
    for record in source.read_elements("DescriptorRecord", "SupplementalRecord"):
        kind = record.tag.removesuffix("Record")
        concept_id = record.findtext(f"{kind}RecordUI") or record.findtext(f"{kind}UI") or ""
        heading = record.findtext(f"{kind}RecordName/String")
        heading = heading or record.findtext(f"{kind}Name/String") or ""
        labels = _find_record_labels(record)
        if not concept_id:
            source.skip("records without an id", heading)
        elif not labels:
            source.skip("records without a place in the tree", heading or concept_id)
        else:
            yield from _list_rows(record, concept_id, heading.strip(), labels)


def _find_record_labels(record: Element) -> List[str]:
    if record.tag == "SupplementalRecord":
        label = _BY_CLASS.get(record.get("SCRClass", "1"))
        return [label] if label else []
    return find_labels(element.text or "" for element in record.iterfind("TreeNumberList/*"))


def _list_rows(
    record: Element, concept_id: str, heading: str, labels: List[str]
) -> Iterator[TermRow]:
    kinds = {heading: PREFERRED}
    for concept in record.iterfind("ConceptList/Concept"):
        relation = ""
        if concept.get("PreferredConceptYN") != "Y":
            found = concept.find("ConceptRelationList/ConceptRelation")
            relation = "" if found is None else found.get("RelationName", "")
        for term in concept.iterfind("TermList/Term"):
            name = (term.findtext("String") or "").strip()
            kinds.setdefault(name, find_kind(relation, term.get("LexicalTag", "")))
    for label in labels:
        for name, kind in kinds.items():
            yield TermRow(concept_id, name, label, kind)


KIND = SourceKind(
    "mesh_xml", "MeSH (XML)", read_mesh_xml, looks_like_mesh_xml, licence=LICENCE, url=URL
)
