"""Find the names of a term table, and patterns, in text: a gazetteer as a pipeline component."""

import warnings
from pathlib import Path
from typing import (
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from spacy.language import Language
from spacy.matcher import Matcher, PhraseMatcher
from spacy.matcher.levenshtein import levenshtein_compare
from spacy.pipeline import Pipe
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from spacy_bioner.components.evidence import register_extensions
from spacy_bioner.components.gazetteer.hits import Found, Hit, group_hits
from spacy_bioner.components.gazetteer.modes import FILL, OVERRIDE, Modes
from spacy_bioner.components.gazetteer.patterns import (
    ID_SEPARATOR,
    Match,
    Pattern,
    PatternMatcher,
    PatternRow,
    check_patterns,
    take_patterns,
)
from spacy_bioner.components.gazetteer.saving import (
    SavedLists,
    dump_lists,
    load_lists,
    read_lists,
    write_lists,
)
from spacy_bioner.components.gazetteer.terms import TermList
from spacy_bioner.components.gazetteer.writing import write_found
from spacy_bioner.components.rulers import credit_rulers
from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.matcher import Occurrence, TermMatcher
from spacy_bioner.knowledge.terms import Term, TokenPattern, read_terms


class Gazetteer(Pipe):
    """Writes what it finds to `doc.spans[name]`, to the ledger and, if asked, to `doc.ents`.

    Terms are compared as `TermMatcher` does, patterns as spaCy's EntityRuler does, whose methods
    and settings are here as well.

    nlp (Language): The pipeline.
    name (str): Name of the component, of its span group and of the source in the ledger.
    set_ents (bool): Change `doc.ents`; `bioner_overlaps` does not need it.
    mode (str): What hits do to entities that stand. "fill": they become entities where none is,
        the longest first. "override": they take the place of entities that they overlap.
        "filter": an entity that the lists know under other labels only is rejected, and nothing is
        added. "boost": an entity that the lists have as well gets more confidence, and nothing is
        added.
    modes (Iterable[Sequence[str]]): Pairs of label and mode, for labels with another one.
    nested (bool): Keep occurrences that lie within a longer one.
    variants (bool): Let a hyphen stand for a space or for nothing, see `TermMatcher`. Typographic
        twins (apostrophes, dashes, µ and μ, composed accents) agree without it.
    min_length (int): Terms with fewer characters are not taken in; patterns are.
    only_labels (Optional[Iterable[str]]): Terms and patterns of other labels are not taken in.
    confidence (Optional[float]): What the ledger says of every occurrence; how often the lists are
        right.
    phrase_matcher_attr (Optional[Union[int, str]]): The attribute of tokens by which phrases are
        compared; None for the text.
    matcher_fuzzy_compare (Callable): Compares words for `FUZZY` in token patterns.
    validate (bool): Let spaCy's matchers validate patterns as well.
    overwrite_ents (bool): The EntityRuler's word for the mode "override".
    ent_id_sep (str): Stands between label and id in the names of spaCy's matchers.
    patterns (Optional[Iterable[PatternRow]]): Patterns to begin with.
    scorer (Optional[Callable]): Computes the scores of `nlp.evaluate`.
    RAISES (ConfigError): An unknown mode, or "boost" without a confidence from 0 to 1.
    """

    def __init__(
        self,
        nlp: Language,
        name: str = "bioner_gazetteer",
        *,
        set_ents: bool = True,
        mode: str = FILL,
        modes: Iterable[Sequence[str]] = (),
        nested: bool = False,
        variants: bool = False,
        min_length: int = 2,
        only_labels: Optional[Iterable[str]] = None,
        confidence: Optional[float] = None,
        phrase_matcher_attr: Optional[Union[int, str]] = None,
        matcher_fuzzy_compare: Callable = levenshtein_compare,
        validate: bool = False,
        overwrite_ents: bool = False,
        ent_id_sep: str = ID_SEPARATOR,
        patterns: Optional[Iterable[PatternRow]] = None,
        scorer: Optional[Callable] = None,
    ) -> None:
        register_extensions()
        if confidence is not None and not 0 <= confidence <= 1:
            raise ConfigError(f"{name}: found confidence {confidence:g}, expected 0 to 1")
        if overwrite_ents and mode not in (FILL, OVERRIDE):
            raise ConfigError(
                f"{name}: found overwrite_ents with mode {mode!r}, expected one of the two"
            )
        self.nlp = nlp
        self.vocab = nlp.vocab
        self.name = name
        self.set_ents = set_ents
        self.nested = nested
        self.variants = variants
        self.min_length = min_length
        self.only_labels = None if only_labels is None else frozenset(only_labels)
        self.confidence = confidence
        self.overwrite = overwrite_ents
        self.scorer = scorer
        self._modes = Modes(name, mode, modes, confidence=confidence)
        self._patterns = PatternMatcher(
            nlp,
            name,
            phrase_matcher_attr=phrase_matcher_attr,
            fuzzy_compare=matcher_fuzzy_compare,
            validate=validate,
            id_separator=ent_id_sep,
            variants=variants,
        )
        self._terms = TermList(variants=variants)
        if patterns is not None:
            self.add_patterns(patterns)

    def __len__(self) -> int:
        return len(self._terms) + len(self._patterns)

    def __contains__(self, label: object) -> bool:
        return label in self.labels

    def __call__(self, doc: Doc) -> Doc:
        """Find the terms; the Doc may have been through this component before."""
        self._annotate(doc, *self._terms.find([doc], nested=self.nested))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Find the terms of Docs, a batch at a time.

        stream (Iterable[Doc]): The Docs.
        batch_size (int): How many Docs the terms are looked for in together.
        """
        handle_error = self.get_error_handler()
        for docs in minibatch(stream, size=batch_size):
            try:
                found = self._terms.find(docs, nested=self.nested)
            except Exception as error:  # as spaCy has it: the handler decides on any
                handle_error(self.name, self, docs, error)
                continue
            for doc, matches in zip(docs, found, strict=True):
                try:
                    self._annotate(doc, matches)
                except Exception as error:
                    handle_error(self.name, self, [doc], error)
                    continue
                yield doc

    def match(self, doc: Doc) -> List[Match]:
        """Find what the patterns match, the longest first.

        RETURNS (List[Match]): The hash of label and id, the first token and the token behind the
            last, as spaCy's EntityRuler gives them. Terms are not among them.
        """
        return list(self._patterns.find(doc))

    def set_annotations(self, doc: Doc, matches: Iterable[Match]) -> None:
        """Write matches of patterns to a Doc, in place of all that the component has written."""
        found = sorted(self._list_found(dict.fromkeys(matches, ""), 0))
        self._write(doc, group_hits(found, nested=self.nested))

    @property
    def mode(self) -> str:
        """What hits do whose label has no mode of its own."""
        return OVERRIDE if self.overwrite else self._modes.default

    @property
    def modes(self) -> Dict[str, str]:
        """The modes of labels that have one of their own."""
        return dict(self._modes.by_label)

    @property
    def boosts(self) -> bool:
        """Tell whether confidences of other components are raised."""
        return self._modes.boosts

    @property
    def labels(self) -> Tuple[str, ...]:
        """The labels of all terms and patterns, sorted."""
        own = (label for label, _ in self._patterns.keys)
        return tuple(sorted({*self.term_matcher.table.labels, *own}))

    @property
    def ent_ids(self) -> Tuple[str, ...]:
        """The ids of all patterns, sorted; terms have theirs in their table."""
        return tuple(sorted({name for _, name in self._patterns.keys if name}))

    @property
    def patterns(self) -> List[PatternRow]:
        """All patterns as they were added, those of tokens first."""
        return [pattern.row for pattern in self._patterns.patterns]

    @property
    def phrase_matcher_attr(self) -> Optional[Union[int, str]]:
        """The attribute of tokens by which phrases are compared; None for the text."""
        return self._patterns.phrase_matcher_attr

    @property
    def ent_id_sep(self) -> str:
        """What stands between label and id in the names of spaCy's matchers."""
        return self._patterns.id_separator

    @property
    def matcher(self) -> Matcher:
        """spaCy's matcher of token patterns, without those that only spell a text."""
        return self._patterns.matcher

    @property
    def phrase_matcher(self) -> PhraseMatcher:
        """spaCy's matcher of phrases."""
        return self._patterns.phrase_matcher

    @property
    def term_matcher(self) -> TermMatcher:
        """The compiled terms."""
        return self._terms.matcher

    def initialize(
        self,
        get_examples: Optional[Callable[[], Iterable[Example]]] = None,
        *,
        nlp: Optional[Language] = None,
        terms: Optional[Union[str, Path]] = None,
        patterns: Optional[Union[str, Path, Sequence[PatternRow]]] = None,
        label: str = "",
    ) -> None:
        """Replace all terms and patterns by those given; with neither, they stay as they are.

        terms (Optional[Union[str, Path]]): A term table, see `read_terms`.
        patterns (Optional[Union[str, Path, Sequence[PatternRow]]]): EntityRuler patterns: a file
            that has one in JSON on each line, or the patterns themselves.
        label (str): The label of every row of `terms`, for a table without a column for it.
        RAISES (TermTableError): A file that is absent or has a malformed row.
        RAISES (PatternError): Something that is not a pattern.
        """
        rows = [] if terms is None else list(read_terms(terms, label=label))
        checked = [] if patterns is None else take_patterns(patterns)
        if terms is None and patterns is None:
            return
        self.clear()
        self.add_terms(rows)
        self._add(checked)

    def clear(self) -> None:
        """Forget all terms and patterns."""
        self._terms.clear()
        self._patterns.clear()

    def add_terms(self, terms: Iterable[Union[Term, TokenPattern]]) -> int:
        """Add terms; they are compiled when a Doc comes.

        RETURNS (int): How many were taken in after `min_length` and `only_labels`.
        RAISES (TermTableError): A name of nothing but spaces and hyphens; those before it are in.
        """
        count = 0
        for term in terms:
            if isinstance(term, TokenPattern):
                count += self._add(check_patterns([term.row]))
            elif len(term.name) >= self.min_length and self._takes(term.label):
                self._terms.add(term)
                count += 1
        return count

    def use_table(self, table: TermMatcher) -> int:
        """Replace all terms by those of a compiled table, see `read_gaz`, with its sources.

        RETURNS (int): How many were taken in after `min_length` and `only_labels`.
        """
        self._terms.use_table(table, labels=self.only_labels, min_length=self.min_length)
        return len(self._terms)

    def add_patterns(self, patterns: Iterable[PatternRow]) -> int:
        """Add patterns in the form that spaCy's EntityRuler takes; all of them or none.

        RETURNS (int): How many were taken in after `only_labels`.
        RAISES (PatternError): Something that is not a pattern.
        """
        return self._add(check_patterns(patterns))

    def remove(self, ent_id: str) -> None:
        """Remove all patterns of an id; terms stay.

        RAISES (PatternError): No pattern has it.
        """
        self._patterns.remove(ent_id)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize the compiled terms, the patterns and how these are compared; all other settings
        are in the config."""
        return dump_lists(self._saved)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "Gazetteer":
        """Replace all terms and patterns by those that `to_bytes` wrote, here or in an EntityRuler.

        RAISES (PatternError): Something that is not a pattern.
        """
        return self._take(load_lists(bytes_data, variants=self.variants))

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write terms and patterns to a folder, which is made if need be, or patterns alone to a
        file `.jsonl`.

        RAISES (ConfigError): Terms, and a file that has no place for them.
        """
        write_lists(self._saved, Path(path))

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "Gazetteer":
        """Replace all terms and patterns by those of a folder or file that `to_disk` wrote, here or
        in an EntityRuler.

        RAISES (PatternError): Nothing there, or something that is not a pattern.
        """
        return self._take(read_lists(Path(path), variants=self.variants))

    @property
    def _saved(self) -> SavedLists:
        settings = {
            "overwrite": self.overwrite,
            "phrase_matcher_attr": self.phrase_matcher_attr,
            "ent_id_sep": self.ent_id_sep,
        }
        return SavedLists(self.term_matcher, self._patterns.patterns, settings)

    def _take(self, saved: SavedLists) -> "Gazetteer":
        settings = saved.settings
        self.overwrite = settings.get("overwrite", self.overwrite)
        old = self._patterns
        self._patterns = PatternMatcher(
            self.nlp,
            self.name,
            phrase_matcher_attr=settings.get("phrase_matcher_attr", old.phrase_matcher_attr),
            fuzzy_compare=old.fuzzy_compare,
            validate=old.validate,
            id_separator=settings.get("ent_id_sep", old.id_separator),
            variants=self.variants,
        )
        self._terms.use(saved.terms)
        self._add(saved.patterns)
        return self

    def _add(self, patterns: Iterable[Pattern]) -> int:
        taken = [pattern for pattern in patterns if self._takes(pattern.key[0])]
        self._patterns.add(taken)
        return len(taken)

    def _takes(self, label: str) -> bool:
        return self.only_labels is None or label in self.only_labels

    def _annotate(self, doc: Doc, places: List[Occurrence]) -> None:
        """Write terms, which come sorted, and patterns to a Doc."""
        if not len(self):
            warnings.warn(
                f"'{self.name}' has no terms and finds nothing: give it a term table in "
                f"[initialize.components.{self.name}] or call add_terms or add_patterns",
                stacklevel=3,
            )
        if not len(self._patterns):
            self._write(doc, self._terms.list_hits(places))
            return
        patterns = self._list_found(self._patterns.find(doc), len(self._terms))
        found = sorted([*self._terms.list_found(places), *patterns])
        self._write(doc, group_hits(found, nested=self.nested))

    def _write(self, doc: Doc, hits: List[Hit]) -> None:
        credit_rulers(doc, self.nlp)
        write_found(
            doc,
            self.name,
            hits,
            self._modes.with_default(OVERRIDE) if self.overwrite else self._modes,
            set_ents=self.set_ents,
            # As the EntityRuler does it: from now on there is none, instead of nobody knows.
            marks_outside=len(self._patterns) > 0,
        )

    def _list_found(self, matches: Mapping[Match, str], first_rank: int) -> Iterator[Found]:
        for rank, ((key, start, end), name) in enumerate(matches.items(), start=first_rank):
            yield (start, -end, rank, *self._patterns.resolve(key), name, True)
