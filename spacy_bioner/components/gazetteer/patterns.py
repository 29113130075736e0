"""Patterns in the form of spaCy's EntityRuler, matched as the EntityRuler matches them.

spaCy's Matcher tries each of its patterns at each token. Token patterns that only spell a text,
`[{"LOWER": "heart"}, {"LOWER": "block"}]`, mean the same to its PhraseMatcher, whose time does not
grow with their number: they go there.

Typographic twins of a phrase ("Alzheimer’s" for "Alzheimer's") are found by a `TermMatcher` beside
it, which looks at texts only that may hold some.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union

from spacy.attrs import NAMES
from spacy.language import Language
from spacy.matcher import Matcher, PhraseMatcher
from spacy.matcher.levenshtein import levenshtein_compare
from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.alignment import token_offsets
from spacy_bioner.blanks import is_blank
from spacy_bioner.errors import PatternError
from spacy_bioner.knowledge.matcher import TermMatcher
from spacy_bioner.knowledge.skeletons import is_bare
from spacy_bioner.knowledge.terms import (
    TOKEN_SEPARATOR,
    Term,
    TokenPattern,
    parse_pattern,
    read_pattern_rows,
)
from spacy_bioner.knowledge.typography import is_simple, simplify_text

Match = Tuple[int, int, int]
"""The hash of label and id, the first token, and the token behind the last."""
PatternRow = Dict[str, Any]

ID_SEPARATOR = "||"

# What a token has from its text alone: phrases need no other component.
_LEXICAL = {None, "ORTH", "TEXT", "LOWER", "NORM", "SHAPE", "PREFIX", "SUFFIX"}
_CASES = {None: "exact", "ORTH": "exact", "TEXT": "exact", "LOWER": "ignore"}
# A name may be broken over lines, or stand with two blanks.
_BROKEN = re.compile(r"[^\S ]|  ")
_WORD = re.compile(r"[^\s-]")
_KEYS = ("label", "pattern")


@dataclass(frozen=True)
class Pattern:
    """A pattern that was looked through.

    body (Union[str, List[Dict[str, Any]]]): A phrase, or a description of each token.
    key (Tuple[str, str]): Label and id; an empty id where there is none.
    term (Union[Term, TokenPattern, None]): What it spells, if anything; None for hyphens alone.
    """

    body: Union[str, List[Dict[str, Any]]]
    key: Tuple[str, str]
    term: Union[Term, TokenPattern, None]

    @property
    def row(self) -> PatternRow:
        """The pattern as the EntityRuler takes it."""
        label, name = self.key
        return {"label": label, "pattern": self.body, **({"id": name} if name else {})}


def check_patterns(rows: Iterable[Any]) -> List[Pattern]:
    """Look through patterns before any of them is added.

    RAISES (PatternError): Something that is not a pattern.
    """
    return [_check(row) for row in rows]


def read_pattern_file(path: Union[str, Path]) -> List[Pattern]:
    """Read a file that has a pattern in JSON on each line.

    RAISES (PatternError): A line that is none.
    RAISES (TermTableError): No such file, or one that is not UTF-8.
    """
    return [_check(row, path=path, line=number) for number, row in read_pattern_rows(path)]


def take_patterns(given: Union[str, Path, Iterable[Any]]) -> List[Pattern]:
    """Look through patterns, or through those of a file."""
    return read_pattern_file(given) if isinstance(given, (str, Path)) else check_patterns(given)


class PatternMatcher:
    """Patterns by label and id, and what they match.

    nlp (Language): Has the vocabulary and splits phrases into tokens.
    name (str): The component; it and those behind it do not run over phrases.
    phrase_matcher_attr (Union[int, str, None]): The attribute by which phrases are compared;
        None for the text.
    fuzzy_compare (Callable): Compares words for `FUZZY`.
    validate (bool): Let spaCy's matchers validate patterns as well.
    id_separator (str): Stands between label and id in the names of spaCy's matchers.
    variants (bool): See `TermMatcher`; for phrases.
    """

    def __init__(
        self,
        nlp: Language,
        name: str,
        *,
        phrase_matcher_attr: Union[int, str, None] = None,
        fuzzy_compare: Callable = levenshtein_compare,
        validate: bool = False,
        id_separator: str = ID_SEPARATOR,
        variants: bool = False,
    ) -> None:
        self.nlp = nlp
        self.name = name
        self.phrase_matcher_attr = phrase_matcher_attr
        self.fuzzy_compare = fuzzy_compare
        self.validate = validate
        self.id_separator = id_separator
        self.variants = variants
        self.clear()

    def __len__(self) -> int:
        return sum(map(len, (*self.tokens.values(), *self.phrases.values())))

    @property
    def keys(self) -> List[Tuple[str, str]]:
        """Labels and ids, those of token patterns first."""
        return list(dict.fromkeys((*self.tokens, *self.phrases)))

    @property
    def patterns(self) -> List[Pattern]:
        """All patterns, those of tokens first, by label and id."""
        groups = (*self.tokens.values(), *self.phrases.values())
        return [pattern for group in groups for pattern in group]

    def clear(self) -> None:
        """Forget all patterns."""
        vocab = self.nlp.vocab
        self.tokens: Dict[Tuple[str, str], List[Pattern]] = {}
        self.phrases: Dict[Tuple[str, str], List[Pattern]] = {}
        self.matcher = Matcher(vocab, validate=self.validate, fuzzy_compare=self.fuzzy_compare)
        self.phrase_matcher = PhraseMatcher(
            vocab, attr=self.phrase_matcher_attr, validate=self.validate
        )
        self._spelled = {
            "exact": PhraseMatcher(vocab, attr="ORTH"),
            "ignore": PhraseMatcher(vocab, attr="LOWER"),
        }
        self._keys: Dict[int, Tuple[str, str]] = {}
        self._twins: Dict[Term, None] = {}
        self._twin_matcher: Optional[TermMatcher] = None
        self._has_marks = False

    def add(self, patterns: Iterable[Pattern]) -> None:
        """Add patterns.

        RAISES (ValueError): One that spaCy's matchers do not take, with `validate`.
        """
        phrases: List[Tuple[Pattern, str]] = []
        for pattern in patterns:
            if isinstance(pattern.body, str):
                phrases.append((pattern, pattern.body))
            else:
                self._add_tokens(pattern, pattern.body)
        docs = self._tokenize([text for _, text in phrases])
        for (pattern, _), doc in zip(phrases, docs, strict=True):
            self.phrase_matcher.add(self._register(pattern.key), [doc])
            self.phrases.setdefault(pattern.key, []).append(pattern)
            if (case := _CASES.get(self._attribute)) and isinstance(pattern.term, Term):
                self._add_twin(Term(pattern.term.name, *pattern.key, case))

    def remove(self, identifier: str) -> None:
        """Remove all patterns of an id.

        RAISES (PatternError): No pattern has it.
        """
        keys = [key for key in self.keys if key[1] == identifier and identifier]
        if not keys:
            raise PatternError(
                f"{self.name}: found no pattern with the id {identifier!r}, expected one of those "
                "in `ent_ids`"
            )
        for key in keys:
            self.tokens.pop(key, None)
            self.phrases.pop(key, None)
            for matcher in self._matchers:
                if self._name(key) in matcher:
                    matcher.remove(self._name(key))
        self._twins = {term: None for term in self._twins if (term.label, term.id) not in keys}
        self._twin_matcher = None

    def resolve(self, match_id: int) -> Tuple[str, str]:
        """Return the label and the id of a match."""
        return self._keys.get(match_id) or (self.nlp.vocab.strings[match_id], "")

    def find(self, doc: Doc) -> Dict[Match, str]:
        """Find what matches, the longest first, then the first.

        RETURNS (Dict[Match, str]): What each stands for, in the pattern's spelling where that is
            another one than the text's, else empty.
        """
        # Matchers without patterns warn.
        found = {match for matcher in self._matchers if len(matcher) for match in matcher(doc)}
        twins = self._find_twins(doc) if self._twins else {}
        found.update(twins)
        # As the EntityRuler does it: at one place the order is that of the set.
        ranked = sorted(found, key=lambda match: (match[2] - match[1], -match[1]), reverse=True)
        return {
            (key, start, end): twins.get((key, start, end), "")
            for key, start, end in ranked
            # A pattern such as {"LENGTH": 1} takes what shows nothing for a word.
            if start != end and not is_blank(doc[start].text) and not is_blank(doc[end - 1].text)
        }

    @property
    def _attribute(self) -> Optional[str]:
        attribute = self.phrase_matcher_attr
        name = NAMES[attribute] if isinstance(attribute, int) else attribute
        return name.upper() if name else None

    @property
    def _matchers(self) -> List[Union[Matcher, PhraseMatcher]]:
        # Those of tokens come first, as in the EntityRuler.
        return [self.matcher, *self._spelled.values(), self.phrase_matcher]

    def _name(self, key: Tuple[str, str]) -> str:
        return self.id_separator.join(key) if key[1] else key[0]

    def _register(self, key: Tuple[str, str]) -> str:
        name = self._name(key)
        self._keys[self.nlp.vocab.strings.add(name)] = key
        return name

    def _add_tokens(self, pattern: Pattern, tokens: List[Dict[str, Any]]) -> None:
        term = pattern.term
        name = self._register(pattern.key)
        words = term.name.split(TOKEN_SEPARATOR) if isinstance(term, Term) else []
        # The Matcher compares LOWER with the value as it is: with a capital it matches nothing.
        is_lower = all(word == word.lower() for word in words)
        if isinstance(term, Term) and (term.case == "exact" or is_lower):
            self._spelled[term.case].add(name, [Doc(self.nlp.vocab, words=words)])
            self._add_twin(term)
        else:
            self.matcher.add(name, [tokens])
        self.tokens.setdefault(pattern.key, []).append(pattern)

    def _tokenize(self, texts: List[str]) -> List[Doc]:
        if self._attribute in _LEXICAL:
            return [self.nlp.make_doc(text) for text in texts]
        names = self.nlp.pipe_names
        later = names[names.index(self.name) :] if self.name in names else []
        with self.nlp.select_pipes(disable=later):
            return list(self.nlp.pipe(texts))

    def _add_twin(self, term: Term) -> None:
        if is_bare(simplify_text(term.name)):
            return
        self._twins[term] = None
        self._twin_matcher = None
        self._has_marks = self._has_marks or not is_simple(term.name.replace(TOKEN_SEPARATOR, ""))

    def _find_twins(self, doc: Doc) -> Dict[Match, str]:
        text = doc.text
        if not (self.variants or self._has_marks or _BROKEN.search(text) or not is_simple(text)):
            return {}
        if self._twin_matcher is None:
            self._twin_matcher = TermMatcher(self._twins, variants=self.variants)
        found = {}
        for match in self._twin_matcher.find(text, *token_offsets(doc)):
            term = self._twin_matcher.table[match.term_index]
            key = self.nlp.vocab.strings[self._name((term.label, term.id))]
            found[key, match.start, match.end] = term.name.replace(TOKEN_SEPARATOR, " ")
        return found


def _check(
    row: Any, *, path: Optional[Union[str, Path]] = None, line: Optional[int] = None
) -> Pattern:
    term = None if _is_of_hyphens(row) else parse_pattern(row, path=path, line=line)
    return Pattern(row["pattern"], (row["label"], str(row.get("id") or "")), term)


def _is_of_hyphens(row: Any) -> bool:
    """Tell whether it is a phrase that no term can be, and a phrase all the same."""
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in _KEYS):
        return False
    return bool(row["label"] and row["pattern"].strip()) and not _WORD.search(row["pattern"])
