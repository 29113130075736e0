"""Which concepts a document is about: sets of ids, without regard to where they stand.

It is what curation asks for, and how BioCreative V scored the normalisation of diseases (Wei and
others, 2016): an id counts once a document.
"""

from typing import Dict, Iterable, Set, Tuple

from spacy.tokens import Doc

from spacy_bioner.corpora.docs import ANNOTATED_KEY, GOLD_KEY
from spacy_bioner.errors import CorpusError
from spacy_bioner.evaluation.scores import Counts

Concept = Tuple[str, str]
"""Label and id."""
# What corpora write where a mention has no concept.
NO_CONCEPT = frozenset(("", "-", "-1", "none", "null", "cui-less"))


def count_concepts(gold: Set[Concept], predicted: Set[Concept]) -> Dict[str, Counts]:
    """Compare the concepts of one document.

    RETURNS (Dict[str, Counts]): By label, every label of either side.
    """
    labels = {label for label, _ in (*gold, *predicted)}
    return {
        label: Counts(
            tp=sum(concept[0] == label for concept in gold & predicted),
            fp=sum(concept[0] == label for concept in predicted - gold),
            fn=sum(concept[0] == label for concept in gold - predicted),
        )
        for label in labels
    }


def score_concepts(pairs: Iterable[Tuple[Doc, Doc]]) -> Dict[str, Counts]:
    """Compare the concepts of gold documents with those that a pipeline found in them.

    pairs (Iterable[Tuple[Doc, Doc]]): Gold Doc and the system's, whose entities have a `kb_id_`.
        Labels that the corpus does not annotate are left out on both sides.
    RETURNS (Dict[str, Counts]): By label, in alphabetical order.
    RAISES CorpusError: Where no gold mention has a concept id.
    """
    total: Dict[str, Counts] = {}
    n_concepts = 0
    for gold_doc, predicted_doc in pairs:
        gold, predicted = list_gold_concepts(gold_doc), list_concepts(predicted_doc)
        annotated = gold_doc.user_data.get(ANNOTATED_KEY)
        if annotated is not None:
            gold = {item for item in gold if item[0] in annotated}
            predicted = {item for item in predicted if item[0] in annotated}
        n_concepts += len(gold)
        for label, counts in count_concepts(gold, predicted).items():
            total[label] = total.get(label, Counts()) + counts
    if not n_concepts:
        raise CorpusError("found no concept id in any gold mention, expected some to score")
    return dict(sorted(total.items()))


def list_gold_concepts(doc: Doc) -> Set[Concept]:
    """Give the concepts of a gold Doc; a mention of several names them all."""
    return {
        (label, identifier)
        for _, _, label, ids in doc.user_data.get(GOLD_KEY, ())
        for identifier in ids
        if identifier.casefold() not in NO_CONCEPT
    }


def list_concepts(doc: Doc) -> Set[Concept]:
    """Give the concepts that a pipeline found."""
    found = ((ent.label_, ent.kb_id_) for ent in doc.ents)
    return {(label, name) for label, name in found if name.casefold() not in NO_CONCEPT}
