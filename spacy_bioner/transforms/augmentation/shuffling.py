"""Mentions of one label that swap places within a document."""

import random
from collections import defaultdict
from typing import DefaultDict, Dict, List, Tuple

from spacy_bioner.records import Record
from spacy_bioner.transforms.augmentation.casing import fit_case, is_shouted, opens_sentence
from spacy_bioner.transforms.augmentation.editing import edit_record, find_free_mentions
from spacy_bioner.transforms.augmentation.mentions import Form, as_in_prose
from spacy_bioner.transforms.offsets import Edit


def shuffle_mentions(record: Record, rng: random.Random) -> Record:
    """Let the mentions of each label swap places: text and concept ids move together.

    What says something of the place (label, attributes such as negation) stays where it is.
    RETURNS (Record): The same object when no label has two different mentions.
    """
    by_label: DefaultDict[str, List[int]] = defaultdict(list)
    for index in find_free_mentions(record):
        by_label[record.mentions[index].label].append(index)
    edits: List[Edit] = []
    concept_ids: Dict[int, Tuple[str, ...]] = {}
    for indices in by_label.values():
        forms = [_lift(record, index) for index in indices]
        if len(set(forms)) < 2:
            continue
        for index, old, new in zip(indices, forms, _permute(forms, rng), strict=True):
            if new != old:
                edits.append(_settle(record, index, new))
                concept_ids[index] = new.concept_ids
    return edit_record(record, edits, concept_ids)


def _lift(record: Record, index: int) -> Form:
    mention = record.mentions[index]
    return Form(as_in_prose(record, mention), mention.concept_ids)


def _permute(forms: List[Form], rng: random.Random) -> List[Form]:
    """Shuffle; an order that changes nothing becomes one that does."""
    shuffled = list(forms)
    rng.shuffle(shuffled)
    return shuffled if shuffled != forms else forms[1:] + forms[:1]


def _settle(record: Record, index: int, form: Form) -> Edit:
    start, end = record.mentions[index].start_char, record.mentions[index].end_char
    new = fit_case(
        form.text,
        record.text[start:end],
        opens=opens_sentence(record, start),
        shouted=is_shouted(record, start, end),
    )
    return Edit(start, end, new)
