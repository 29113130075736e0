"""Which concepts a document is about: sets of ids, without regard to where they stand.

It is what curation asks for, and how BioCreative V scored the normalization of diseases (Wei and
others, 2016): an id counts once a document. Ids are compared without the prefixes that some write
and others leave out, see `gold.normalize_concept_id`; of an entity that names several at once, each
counts.
"""

from typing import Dict, Iterable, Mapping, Set, Tuple

from spacy.tokens import Doc

from spacy_bioner.corpora.formats.concept_ids import split_kb_id
from spacy_bioner.doc_ents import concept_of
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import ANNOTATED_KEY, NO_CONCEPT, gold_mentions, normalize_concept_id

Concept = Tuple[str, str]
"""Label and id."""


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


def compare_concepts(gold_doc: Doc, predicted_doc: Doc) -> Dict[str, Counts]:
    """Compare the concepts of a gold document with those that a pipeline found in it.

    predicted_doc (Doc): Its entities have a `kb_id_`, or the `id_` that spaCy's rulers set.
    RETURNS (Dict[str, Counts]): By label; labels that the corpus does not annotate are left out on
        both sides.
    """
    gold, predicted = list_gold_concepts(gold_doc), list_concepts(predicted_doc)
    annotated = gold_doc.user_data.get(ANNOTATED_KEY)
    if annotated is not None:
        gold = {item for item in gold if item[0] in annotated}
        predicted = {item for item in predicted if item[0] in annotated}
    return count_concepts(gold, predicted)


def sum_concepts(documents: Iterable[Mapping[str, Counts]]) -> Dict[str, Counts]:
    """Add up what `compare_concepts` gave for documents; labels are in alphabetical order."""
    total: Dict[str, Counts] = {}
    for document in documents:
        for label, counts in document.items():
            total[label] = total.get(label, Counts()) + counts
    return dict(sorted(total.items()))


def list_gold_concepts(doc: Doc) -> Set[Concept]:
    """Return the concepts of a gold Doc; a mention of several names them all."""
    return {
        (mention.label, normalize_concept_id(identifier))
        for mention in gold_mentions(doc)
        for identifier in mention.concept_ids
        if identifier.casefold() not in NO_CONCEPT
    }


def list_concepts(doc: Doc) -> Set[Concept]:
    """Return the concepts that a pipeline found."""
    found = ((ent.label_, part) for ent in doc.ents for part in split_kb_id(concept_of(ent)))
    return {
        (label, normalize_concept_id(name))
        for label, name in found
        if name.casefold() not in NO_CONCEPT
    }
