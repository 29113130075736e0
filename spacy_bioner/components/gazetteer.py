"""Find the names of a term table in text: a compiled gazetteer as a pipeline component."""

import os
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union

import numpy as np
import srsly
from spacy.language import Language
from spacy.matcher import Matcher
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_bioner.blanks import is_blank
from spacy_bioner.components.evidence import (
    Evidence,
    add_evidence,
    clear_evidence,
    register_extensions,
)
from spacy_bioner.components.overlaps import withdraw_ents
from spacy_bioner.doc_ents import replace_ents
from spacy_bioner.knowledge.matcher import TermMatch, TermMatcher, longest
from spacy_bioner.knowledge.terms import (
    TOKEN_SEPARATOR,
    Term,
    TokenPattern,
    parse_pattern,
    read_patterns,
    read_terms,
)
from spacy_bioner.spans import select_flat

SpanKey = Tuple[int, int, str]

DEFAULT_CONFIG: Dict[str, Any] = {
    "set_ents": True,
    "nested": False,
    "variants": False,
    "min_length": 2,
    "labels": None,
    "confidence": None,
}


@Language.factory(
    "bioner_gazetteer",
    default_config=DEFAULT_CONFIG,
    assigns=["doc.spans", "doc.ents", "token.ent_iob", "token.ent_type", "token.ent_kb_id"],
)
def make_gazetteer(
    nlp: Language,
    name: str,
    set_ents: bool,
    nested: bool,
    variants: bool,
    min_length: int,
    labels: Optional[List[str]],
    confidence: Optional[float],
) -> "Gazetteer":
    """Make the component; its terms come with `initialize`, `add_terms` or from disk."""
    return Gazetteer(
        nlp.vocab,
        name,
        set_ents=set_ents,
        nested=nested,
        variants=variants,
        min_length=min_length,
        only_labels=labels,
        confidence=confidence,
    )


class Gazetteer(Pipe):
    """Writes what it finds to `doc.spans[name]`, to the ledger and, if asked, to `doc.ents`.

    vocab (Vocab): The pipeline's vocabulary.
    name (str): Name of the component, of its span group and of the source in the ledger.
    set_ents (bool): Add what does not overlap the entities that stand already, the longest first.
    nested (bool): Keep occurrences that lie within a longer one.
    variants (bool): Let a hyphen stand for a space or for nothing, see `TermMatcher`. Typographic
        twins (apostrophes, dashes, µ and μ, composed accents) agree without it.
    min_length (int): Terms with fewer characters are not taken in.
    only_labels (Optional[Iterable[str]]): Terms of other labels are not taken in.
    confidence (Optional[float]): What the ledger says of every occurrence.
    """

    def __init__(
        self,
        vocab: Vocab,
        name: str = "bioner_gazetteer",
        *,
        set_ents: bool = True,
        nested: bool = False,
        variants: bool = False,
        min_length: int = 2,
        only_labels: Optional[Iterable[str]] = None,
        confidence: Optional[float] = None,
    ) -> None:
        register_extensions()
        self.vocab = vocab
        self.name = name
        self.set_ents = set_ents
        self.nested = nested
        self.variants = variants
        self.min_length = min_length
        self.only_labels = None if only_labels is None else frozenset(only_labels)
        self.confidence = confidence
        self._terms = TermMatcher(variants=variants)
        self._new_terms: List[Term] = []
        self._rules: List[TokenPattern] = []
        self._rule_matcher = Matcher(vocab)

    def __len__(self) -> int:
        return len(self._terms.table) + len(self._new_terms) + len(self._rules)

    def __call__(self, doc: Doc) -> Doc:
        """Find the terms; the Doc may have been through this component before."""
        if not len(self):
            warnings.warn(
                f"'{self.name}' has no terms and finds nothing: give it a term table in "
                f"[initialize.components.{self.name}] or call add_terms",
                stacklevel=2,
            )
        spans = self._record(doc, self._find(doc))
        doc.spans[self.name] = spans
        if self.set_ents:
            _add_to_ents(doc, spans)
        return doc

    @property
    def labels(self) -> Tuple[str, ...]:
        """The labels of all terms, sorted."""
        return tuple(sorted({*self.matcher.table.labels, *(rule.label for rule in self._rules)}))

    @property
    def matcher(self) -> TermMatcher:
        """The compiled terms; terms that were added since are compiled in first."""
        if self._new_terms:
            self._terms = TermMatcher(
                [*self._terms.table, *self._new_terms], variants=self.variants
            )
            self._new_terms = []
        return self._terms

    def initialize(
        self,
        get_examples: Optional[Callable[[], Iterable[Example]]] = None,
        *,
        nlp: Optional[Language] = None,
        terms: Optional[Union[str, Path]] = None,
        patterns: Optional[Union[str, Path]] = None,
        label: str = "",
    ) -> None:
        """Replace all terms by those of the files; without a file the terms stay as they are.

        terms (Optional[Union[str, Path]]): A term table, see `read_terms`.
        patterns (Optional[Union[str, Path]]): EntityRuler patterns, see `read_patterns`.
        label (str): The label of every row of `terms`, for a table without a column for it.
        RAISES (TermTableError): A file that is absent or has a malformed row.
        """
        if terms is not None or patterns is not None:
            self.clear()
        if terms is not None:
            self.add_terms(read_terms(terms, label=label))
        if patterns is not None:
            self.add_terms(read_patterns(patterns))

    def clear(self) -> None:
        """Forget all terms."""
        self._terms = TermMatcher(variants=self.variants)
        self._new_terms = []
        self._rules = []
        self._rule_matcher = Matcher(self.vocab)

    def add_terms(self, terms: Iterable[Union[Term, TokenPattern]]) -> int:
        """Add terms; they are compiled when a Doc comes.

        RETURNS (int): How many were taken in after `min_length` and `only_labels`.
        """
        count = 0
        for term in terms:
            if self.only_labels is not None and term.label not in self.only_labels:
                continue
            if isinstance(term, TokenPattern):
                self._rule_matcher.add(len(self._rules), [list(term.tokens)])
                self._rules.append(term)
            elif len(term.name) >= self.min_length:
                self._new_terms.append(term)
            else:
                continue
            count += 1
        return count

    def add_patterns(self, patterns: Iterable[Dict[str, Any]]) -> int:
        """Add patterns in the form that spaCy's EntityRuler takes.

        RETURNS (int): How many were taken in after `min_length` and `only_labels`.
        RAISES (TermTableError): Something that is not a pattern.
        """
        return self.add_terms(parse_pattern(pattern) for pattern in patterns)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize the compiled terms and the token patterns; settings are in the config."""
        return srsly.msgpack_dumps({"terms": self.matcher.to_bytes(), "rules": self._rule_rows()})

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "Gazetteer":
        """Replace all terms by those that `to_bytes` wrote."""
        state = srsly.msgpack_loads(bytes_data)
        self.clear()
        self._terms = TermMatcher.from_bytes(state["terms"], self.variants)
        self.add_terms(parse_pattern(row) for row in state["rules"])
        return self

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write `terms.bin` and `rules.jsonl` to a folder, which is made if need be."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        rules = "".join(srsly.json_dumps(row) + "\n" for row in self._rule_rows())
        for file_name, data in (
            ("terms.bin", self.matcher.to_bytes()),
            ("rules.jsonl", rules.encode("utf-8")),
        ):
            temporary = folder / f"{file_name}.tmp"
            temporary.write_bytes(data)
            os.replace(temporary, folder / file_name)

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "Gazetteer":
        """Replace all terms by those of a folder that `to_disk` wrote."""
        folder = Path(path)
        self.clear()
        self._terms = TermMatcher.from_bytes((folder / "terms.bin").read_bytes(), self.variants)
        self.add_terms(read_patterns(folder / "rules.jsonl"))
        return self

    def _rule_rows(self) -> List[Dict[str, Any]]:
        return [
            {"label": rule.label, "pattern": list(rule.tokens), "id": rule.id}
            for rule in self._rules
        ]

    def _find(self, doc: Doc) -> Dict[SpanKey, List[Term]]:
        """Find the terms by (start, end, label), the longest first where several start."""
        table = self.matcher.table
        offsets = doc.to_array(["IDX", "LENGTH"]).astype(np.int64).reshape(-1, 2)
        matches = self.matcher.find(doc.text, offsets[:, 0], offsets.sum(axis=1))
        terms = {match: table[match.term_index] for match in matches}
        for key, start, end in self._rule_matcher(doc) if self._rules else ():
            if is_blank(doc[start].text) or is_blank(doc[end - 1].text):
                # A pattern such as {"LENGTH": 1} takes what shows nothing for a word.
                continue
            rule = self._rules[key]
            match = TermMatch(start, end, len(table) + key)
            terms[match] = Term(doc[start:end].text, rule.label, rule.id)
        matches = sorted(terms, key=lambda match: (match.start, -match.end, match.term_index))
        groups: Dict[SpanKey, List[Term]] = {}
        for match in matches if self.nested else longest(matches):
            term = terms[match]
            groups.setdefault((match.start, match.end, term.label), []).append(term)
        return groups

    def _record(self, doc: Doc, groups: Dict[SpanKey, List[Term]]) -> List[Span]:
        withdraw_ents(doc, self.name)
        clear_evidence(doc, self.name)
        return [self._record_span(Span(doc, *key), terms) for key, terms in groups.items()]

    def _record_span(self, span: Span, terms: List[Term]) -> Span:
        # A name that is spelled as in the text tells more than one that differs in case.
        text = span.text if len(terms) > 1 else ""
        terms = sorted(terms, key=lambda term: term.name != text)
        ids = list(dict.fromkeys(term.id for term in terms if term.id))
        evidence = Evidence(
            span.start_char,
            span.end_char,
            span.label_,
            self.name,
            confidence=self.confidence,
            concept_id="|".join(ids),
            rule=terms[0].name.replace(TOKEN_SEPARATOR, " "),
        )
        add_evidence(span.doc, evidence)
        span.kb_id_ = ids[0] if ids else ""
        return span


def _add_to_ents(doc: Doc, spans: List[Span]) -> None:
    taken = {index for ent in doc.ents for index in range(ent.start, ent.end)}
    free = [span for span in spans if taken.isdisjoint(range(span.start, span.end))]
    chosen, _ = select_flat(free, interval=lambda span: (span.start, span.end))
    if chosen:
        replace_ents(doc, [*doc.ents, *chosen])
