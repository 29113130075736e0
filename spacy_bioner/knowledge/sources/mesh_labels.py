"""What both forms of MeSH share: entity types of its tree, and kinds of its entry terms."""

from typing import Iterable, List

from spacy_bioner.knowledge.sources.rows import ABBREVIATION, BROAD, EXACT, NARROW, RELATED

LICENCE = "MeSH: U.S. National Library of Medicine, free with source and year named"
URL = "https://www.nlm.nih.gov/mesh/"
CHEMICAL, DISEASE = "Chemical", "Disease"
BY_TREE = {
    "A": "Anatomy",
    "B": "Organism",
    "C": DISEASE,
    "D": CHEMICAL,
    "E": "Technique",
    "F": "Psychology",
    "G": "Process",
    "H": "Discipline",
    "I": "Society",
    "J": "Technology",
    "K": "Humanities",
    "L": "Information",
    "M": "Group",
    "N": "HealthCare",
    "V": "PublicationType",
    "Z": "Place",
}
_MENTAL_DISORDERS = "F03"
_RELATIONS = {"NRW": NARROW, "BRD": BROAD, "REL": RELATED}
_ABBREVIATIONS = ("ABB", "ABX", "ACR", "ACX")


def find_labels(tree_numbers: Iterable[str]) -> List[str]:
    """List the entity types of a descriptor by its places in the tree, such as "C04.588"."""
    labels = (
        DISEASE if number.startswith(_MENTAL_DISORDERS) else BY_TREE.get(number[:1], "")
        for number in tree_numbers
    )
    return list(dict.fromkeys(filter(None, labels)))


def find_kind(relation: str, lexical_tag: str) -> str:
    """Say which kind of synonym an entry term is, by MeSH's codes ("NRW", "ABB")."""
    return ABBREVIATION if lexical_tag in _ABBREVIATIONS else _RELATIONS.get(relation, EXACT)
