"""SKOS and OWL through rdflib, which holds a file in memory as a whole."""

import re
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

from spacy_bioner.extras import require
from spacy_bioner.knowledge.sources.rows import (
    BROAD,
    EXACT,
    NARROW,
    PREFERRED,
    RELATED,
    SourceFile,
    SourceKind,
    TermRow,
)

if TYPE_CHECKING:
    from rdflib import Graph

_XML = re.compile(r"<rdf:RDF\b")
_TURTLE = re.compile(r"^[^\S\n]*@?prefix[^\S\n]+[\w-]*:[^\S\n]*<", re.MULTILINE | re.IGNORECASE)
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_OBO_IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
_RDFS_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_OWL = "http://www.w3.org/2002/07/owl#"
_TERMS = "http://purl.org/dc/terms/"
_NAMES: List[Tuple[str, str]] = [
    (f"{_SKOS}prefLabel", PREFERRED),
    (_RDFS_LABEL, PREFERRED),
    (f"{_SKOS}altLabel", EXACT),
    (f"{_SKOS}hiddenLabel", "hidden"),
    (f"{_OBO_IN_OWL}hasExactSynonym", EXACT),
    (f"{_OBO_IN_OWL}hasNarrowSynonym", NARROW),
    (f"{_OBO_IN_OWL}hasBroadSynonym", BROAD),
    (f"{_OBO_IN_OWL}hasRelatedSynonym", RELATED),
]
# Labels of properties and of the ontology itself are no terms.
_CONCEPTS = (f"{_SKOS}Concept", f"{_OWL}Class", f"{_OWL}NamedIndividual")
_OBO_ID = re.compile(r".*/obo/([A-Za-z]+)_(\w+)")


def looks_like_rdf(head: str) -> bool:
    """Say whether a file that starts so is RDF, as XML or as Turtle."""
    return _XML.search(head) is not None or _TURTLE.search(head) is not None


def read_rdf(source: SourceFile) -> Iterator[TermRow]:
    """List the names in English, or in no language, of concepts and classes.

    RAISES (MissingExtraError): Without rdflib.
    RAISES (TermTableError): A file that rdflib cannot read.
    """
    require("rdflib", extra="terms", who="SKOS and OWL", path=source.path)
    from rdflib import RDF, Literal, URIRef

    graph = _parse(source)
    _take_facts(graph, source)
    concepts = {node for one in _CONCEPTS for node in graph.subjects(RDF.type, URIRef(one))}
    deprecated = set(graph.subjects(URIRef(f"{_OWL}deprecated"), Literal(True)))
    # A set has no order of its own.
    for node in sorted(node for node in concepts if isinstance(node, URIRef)):
        if node in deprecated:
            source.skip("deprecated terms", str(node))
            continue
        kinds: Dict[str, str] = {}
        for predicate, kind in _NAMES:
            for name in sorted(map(_read_literal, graph.objects(node, URIRef(predicate)))):
                kinds.setdefault(name, kind)
        kinds.pop("", None)
        if not kinds:
            source.skip("concepts without a name in English", str(node))
        for name, kind in kinds.items():
            yield TermRow(_shorten_id(str(node)), name, "", kind)


def _parse(source: SourceFile) -> "Graph":
    from rdflib import Graph

    form = "xml" if _XML.search(source.read_head()) else "turtle"
    with source.open() as file:
        try:
            return Graph().parse(file, format=form)
        # Its parsers have no common error: SAX's, their own, and ValueErrors.
        except Exception as error:
            message = f"found RDF that rdflib cannot read ({error}); correct or fetch it again"
            raise source.error(message) from error


def _take_facts(graph: "Graph", source: SourceFile) -> None:
    from rdflib import URIRef

    facts = {}
    for name in (f"{_OWL}versionInfo", f"{_OWL}versionIRI", f"{_TERMS}license"):
        facts[name] = next((str(value) for value in graph.objects(None, URIRef(name))), "")
    version, address, source.licence = facts.values()
    source.version = version or address


def _read_literal(value: Any) -> str:
    language = getattr(value, "language", None) or "en"
    return str(value).strip() if language.partition("-")[0] == "en" else ""


def _shorten_id(address: str) -> str:
    found = _OBO_ID.fullmatch(address)
    return f"{found[1]}:{found[2]}" if found else address


KIND = SourceKind("rdf", "SKOS or OWL (RDF)", read_rdf, looks_like_rdf, general=True)
