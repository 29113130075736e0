"""Names that do more harm than good, by rules that are declared here and switched on by name."""

from functools import cache
from typing import Callable, Dict, Iterable, List, Sequence, Set, Tuple, cast

from spacy.lang.en.stop_words import STOP_WORDS

from spacy_bioner.extras import require
from spacy_bioner.knowledge.terms import Term, is_case_sensitive
from spacy_bioner.knowledge.typography import simplify_text

# Zipf frequency: 3 is once in a million words, 4 ten times, 5 a hundred times.
COMMON = 5.0
DEFAULT = ("one_letter", "numbers", "stop_words")


def make_key(name: str) -> str:
    """Return a name as it is compared where case makes no difference."""
    return (name if name.isascii() else simplify_text(name)).lower()


def is_one_letter(term: Term) -> bool:
    """Say whether a name has one character."""
    return len(term.name) == 1


def is_number(term: Term) -> bool:
    """Say whether there is no letter in a name."""
    return not any(char.isalpha() for char in term.name)


def is_stop_word(term: Term) -> bool:
    """Say whether a name is one of spaCy's stop words of English, compared without case."""
    return term.name.lower() in STOP_WORDS and not is_case_sensitive(term)


def is_common_word(term: Term) -> bool:
    """Say whether a name is a word of everyday English, compared without case.

    By the frequencies of the package wordfreq: words as frequent as `COMMON`.
    RAISES (MissingExtraError): Without wordfreq.
    """
    if not term.name.isalpha() or is_case_sensitive(term):
        return False
    return _load_frequencies()(term.name.lower(), "en") >= COMMON


NAME_RULES: Dict[str, Callable[[Term], bool]] = {
    "one_letter": is_one_letter,
    "numbers": is_number,
    "stop_words": is_stop_word,
    "common_words": is_common_word,
}
# A name of several concepts under one label; a name under several labels.
WITHIN, ACROSS = "ambiguous_within", "ambiguous_across"
# A name that an earlier source, or a preferred name before a synonym, has for another concept.
LATER = "later_concepts"
RULES = (*NAME_RULES, WITHIN, ACROSS, LATER)


def check_rules(rules: Sequence[str]) -> None:
    """Make sure, before terms are read, that rules have what they need.

    RAISES (MissingExtraError): For "common_words" without wordfreq.
    """
    if "common_words" in rules:
        _load_frequencies()


def make_matched_key(term: Term) -> str:
    """Return a name as it is matched: with its own capitals where these count."""
    # The check is slow, and most names have no capital.
    exact = not term.name.islower() and is_case_sensitive(term)
    return term.name if exact else make_key(term.name)


def drop_terms(
    terms: Iterable[Term],
    rules: Sequence[str],
    *,
    rank: Callable[[Term], int] = lambda term: 0,
) -> Tuple[List[Term], Dict[str, int]]:
    """Leave terms out.

    rules (Sequence[str]): Some of `RULES`. What one rule leaves out counts for no later one.
    rank (Callable[[Term], int]): Of several concepts of one name, that of the term with the lowest
        number is kept, or else that of the first one.
    RETURNS (Tuple[List[Term], Dict[str, int]]): What is kept, and the number left out by each rule.
    """
    dropped = {rule: 0 for rule in RULES if rule in rules}
    checks = [(rule, check) for rule, check in NAME_RULES.items() if rule in rules]
    kept = []
    for term in terms:
        reason = next((rule for rule, check in checks if check(term)), "")
        if reason:
            dropped[reason] += 1
        else:
            kept.append(term)
    for rule in (WITHIN, ACROSS):
        if rule in rules:
            before = len(kept)
            ambiguous = _find_ambiguous(kept, across=rule == ACROSS)
            kept = [term for term in kept if _make_group(term, rule == ACROSS) not in ambiguous]
            dropped[rule] = before - len(kept)
    if LATER in rules:
        first: Dict[Tuple[str, str], Tuple[int, str]] = {}
        for term in kept:
            group, own = (make_matched_key(term), term.label), (rank(term), term.id)
            if group not in first or own[0] < first[group][0]:
                first[group] = own
        chosen = [t for t in kept if first[make_matched_key(t), t.label][1] == t.id]
        dropped[LATER] = len(kept) - len(chosen)
        kept = chosen
    return kept, dropped


@cache
def _load_frequencies() -> Callable[[str, str], float]:
    require("wordfreq", extra="terms", who="The rule common_words")
    from wordfreq import zipf_frequency

    return cast("Callable[[str, str], float]", zipf_frequency)


def _make_group(term: Term, across: bool) -> Tuple[str, str]:
    return (make_key(term.name), "" if across else term.label)


def _find_ambiguous(terms: Sequence[Term], *, across: bool) -> Set[Tuple[str, str]]:
    first: Dict[Tuple[str, str], str] = {}
    ambiguous = set()
    for term in terms:
        value = term.label if across else term.id
        if first.setdefault(_make_group(term, across), value) != value:
            ambiguous.add(_make_group(term, across))
    return ambiguous
