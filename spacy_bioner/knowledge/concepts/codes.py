"""Codes of a classification that a mention has by the names of its concept in a terminology.

A classification such as ICD-10-CM has one title for a code, and texts call the same thing
otherwise: a mention that no title fits is looked up by the other names of its concept.
"""

import re
from dataclasses import replace
from typing import List, Optional, Tuple

from spacy_bioner.knowledge.concepts.candidates import SURE
from spacy_bioner.knowledge.concepts.linking import ConceptLink, LinkedMention, Linker, MentionText
from spacy_bioner.knowledge.concepts.store import ConceptStore, NamedConcept

THROUGH = "through"
# ICD-10 and ICD-10-CM: a category of three characters, and up to four more behind a point.
_CODE = re.compile(r"[A-Z]\d[0-9A-Z]\.[0-9A-Z]{1,4}")
_CATEGORY = 3
MAX_NAMES = 50

Step = Tuple[str, str]
"""An id and a name; a text of the document has no id."""


def find_through(
    codes: Linker, label: str, link: ConceptLink, terms: ConceptStore
) -> Optional[Tuple[ConceptLink, List[Step]]]:
    """Look up the names of a concept among those of another store, the preferred name first.

    codes (Linker): Of the store with the codes.
    label (str): The label in both stores.
    link (ConceptLink): The concept, of the store `terms`.
    RETURNS (Optional[Tuple[ConceptLink, List[Step]]]): What a name means for sure, and the steps
        to it: the concept by that name, and the code by its own. None where no name does.
    """
    for item in terms.find_id(link.concept.key, label)[:MAX_NAMES]:
        found = codes.link([MentionText(item.name, label)])[0]
        if is_sure(found):
            best = found.links[0]
            steps = [(link.concept.id, item.name), (best.concept.id, best.concept.name)]
            score = round(best.score * link.score, 4)
            return replace(best, score=score, how=THROUGH), steps
    return None


def is_sure(linked: LinkedMention) -> bool:
    """Say whether a mention was found by one name that is the same, but for its words' forms."""
    return len(linked.links) == 1 and linked.links[0].how in SURE


def list_parents(concept: NamedConcept, store: ConceptStore, label: str) -> List[Step]:
    """Return the codes above one of ICD-10, the nearest first, with their titles.

    RETURNS (List[Step]): Those that the store has; none for an id of another kind.
    """
    if not _CODE.fullmatch(concept.key):
        return []
    code, parents = concept.key, []
    while len(code) > _CATEGORY:
        code = code[:-1].removesuffix(".")
        if found := store.find_id(code, label):
            parents.append((found[0].id, found[0].title))
    return parents
