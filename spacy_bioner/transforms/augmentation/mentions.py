"""Mentions with another text: a synonym of the same concept, or another mention of the type."""

import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Callable, DefaultDict, Dict, Iterable, List, Optional, Sequence, Tuple

from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.augmentation.casing import (
    fit_case,
    is_headline,
    is_shouted,
    is_symbol,
    lower_first,
    lower_headline,
    opens_sentence,
)
from spacy_bioner.transforms.augmentation.editing import (
    Augmentation,
    check_share,
    edit_record,
    find_free_mentions,
)
from spacy_bioner.transforms.offsets import Edit

MAX_NAME_LENGTH = 60
# How terminologies write what no sentence would: inverted names ("Kidney Failure, Acute"), trade
# names ("Bayer brand of aspirin"), notes behind a name ("Mus <genus>", "gout (disorder)").
_NOT_PROSE = re.compile(r", |;| brand of |\bNOS\b|[<>|\[\]{}\n\t]| \([^)]*\)$", re.IGNORECASE)
_PLURAL = re.compile(r"(?:[^suiy]s|ies|ides)$")

Synonyms = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Form:
    """How a corpus writes an entity.

    text (str): As it stands in the middle of a sentence.
    concept_ids (Tuple[str, ...]): The identifiers that it has there.
    """

    text: str
    concept_ids: Tuple[str, ...] = ()


Forms = Callable[[str], Sequence[Form]]


def make_replace_synonyms(synonyms: Synonyms, *, rate: float = 0.5) -> Augmentation:
    """Replace mentions by other names of the same concept.

    Mentions without an identifier, or with several, stay. Names that no sentence would use stay
    out: inverted, longer than `MAX_NAME_LENGTH` characters, or with notes in brackets.

    synonyms (Callable[[str], Sequence[str]]): Gives the names of a concept id; none if unknown.
    rate (float): Share of the mentions.
    RAISES (ConfigError): A rate that is no share.
    """
    check_share(rate, "rate")

    def replace_synonyms(record: Record, rng: random.Random) -> Record:
        edits: List[Edit] = []
        for index in find_free_mentions(record):
            mention = record.mentions[index]
            if len(mention.concept_ids) != 1 or rng.random() >= rate:
                continue
            old = record.text[mention.start_char : mention.end_char]
            names = choose_names(synonyms(mention.concept_ids[0]), old)
            if names:
                edits.append(_replace(record, mention, rng.choice(names)))
        return edit_record(record, edits)

    return replace_synonyms


def choose_names(names: Sequence[str], old: str) -> List[str]:
    """Return the names that can stand for another one in a sentence, in the case they have there.

    Only names in the number of the old one (singular, plural), and of its kind: abbreviations and
    symbols, or words.
    """
    # Where a terminology writes headlines, a capital means nothing: "Hepatitis B".
    is_titled = any(map(is_headline, names))
    fitting: Dict[str, str] = {}
    for name in names:
        if _NOT_PROSE.search(name) or name != name.strip() or len(name) > MAX_NAME_LENGTH:
            continue
        prose = lower_headline(name) if is_titled or " " not in name else name
        if prose and prose.casefold() != old.casefold() and _is_like(prose, old):
            fitting.setdefault(prose.casefold(), prose)
    return list(fitting.values())


def make_replace_mentions(forms: Forms, *, rate: float = 0.5) -> Augmentation:
    """Replace mentions, with their concept ids, by others of the same label.

    A text gets the same replacement wherever it stands in a document with the same label.
    Abbreviations and symbols are replaced by such ("ARF" by "NMS"), words by words.

    forms (Callable[[str], Sequence[Form]]): Gives what may stand for mentions of a label; asked
        once for each.
    rate (float): Share of the distinct mention texts.
    RAISES (ConfigError): A rate that is no share.
    """
    check_share(rate, "rate")
    pools: Dict[Tuple[str, bool], List[Form]] = {}

    def find_pool(label: str, old: str) -> List[Form]:
        if (label, True) not in pools:
            by_kind: Tuple[List[Form], List[Form]] = ([], [])
            for form in forms(label):
                by_kind[is_symbol(form.text)].append(form)
            pools[label, False], pools[label, True] = by_kind
        return pools[label, is_symbol(old)]

    def replace_mentions(record: Record, rng: random.Random) -> Record:
        chosen: Dict[Tuple[str, str], Optional[Form]] = {}
        edits: List[Edit] = []
        concept_ids: Dict[int, Tuple[str, ...]] = {}
        for index in find_free_mentions(record):
            mention = record.mentions[index]
            old = record.text[mention.start_char : mention.end_char]
            key = (mention.label, old.casefold())
            if key not in chosen:
                pool = find_pool(mention.label, old) if rng.random() < rate else []
                chosen[key] = _choose_form(pool, old, rng)
            form = chosen[key]
            if form is not None:
                edits.append(_replace(record, mention, form.text))
                concept_ids[index] = form.concept_ids
        return edit_record(record, edits, concept_ids)

    return replace_mentions


def gather_forms(records: Iterable[Record]) -> Dict[str, List[Form]]:
    """Collect the mentions that may stand for others, by label.

    Each spelling counts once per label and identifiers, in its most frequent case; of mentions at
    the start of a sentence the first capital does not count.
    """
    spellings: DefaultDict[Tuple[str, str, Tuple[str, ...]], Counter[str]] = defaultdict(Counter)
    for record in records:
        for index in find_free_mentions(record):
            mention = record.mentions[index]
            text = record.text[mention.start_char : mention.end_char]
            if len(text) > MAX_NAME_LENGTH or "\n" in text:
                continue
            text = as_in_prose(record, mention)
            key = (mention.label, text.casefold(), mention.concept_ids)
            spellings[key][text] += 1
    forms: DefaultDict[str, List[Form]] = defaultdict(list)
    for (label, _, concept_ids), counts in spellings.items():
        forms[label].append(Form(counts.most_common(1)[0][0], concept_ids))
    return dict(forms)


def as_in_prose(record: Record, mention: Mention) -> str:
    """Return a mention's text as it would be written in the middle of a sentence."""
    text = record.text[mention.start_char : mention.end_char]
    if is_shouted(record, mention.start_char, mention.end_char) and " " in text:
        return text.lower()
    if is_headline(text):
        return lower_headline(text)
    return lower_first(text) if opens_sentence(record, mention.start_char) else text


def _choose_form(pool: Sequence[Form], old: str, rng: random.Random) -> Optional[Form]:
    """Choose a form of another text."""
    first = rng.randrange(len(pool)) if pool else 0
    circle = (pool[(first + step) % len(pool)] for step in range(len(pool)))
    return next((form for form in circle if form.text.casefold() != old.casefold()), None)


def _replace(record: Record, mention: Mention, name: str) -> Edit:
    start, end = mention.start_char, mention.end_char
    new = fit_case(
        name,
        record.text[start:end],
        opens=opens_sentence(record, start),
        shouted=is_shouted(record, start, end),
    )
    return Edit(start, end, new)


def _is_like(name: str, old: str) -> bool:
    number, old_number = (_PLURAL.search(text.lower()) is None for text in (name, old))
    return number == old_number and is_symbol(name) == is_symbol(old)
