"""Normalization of texts with an offset map, so that gold follows the text.

normalizer = build_normalizer(["unicode", "dashes", "collapse"])
text, offsets = normalizer("TNF‑α  levels")
record = normalizer.normalize(record).record
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.expansions import BUILT_IN, Expansion, make_expand
from spacy_bioner.transforms.normalization_rules import (
    FindDefinitions,
    LineBreaks,
    Step,
    UnicodeForm,
    make_abbreviations,
    make_collapse,
    make_controls,
    make_dashes,
    make_quotes,
    make_spaces,
    make_unicode,
)
from spacy_bioner.transforms.offsets import OffsetChain, OffsetMap, apply_edits

# In the order in which they leave nothing for a second run. Invisible characters go before the
# Unicode forms, which they would keep apart; white space comes last, because all others make some.
STEPS = (
    "controls",
    "spaces",
    "unicode",
    "dashes",
    "quotes",
    "expand",
    "abbreviations",
    "collapse",
)
# Those that change how a text is written, not its words.
DEFAULT_STEPS = ("controls", "spaces", "unicode", "dashes", "quotes", "collapse")
UNICODE_FORMS = ("NFC", "NFKC")
LINE_BREAKS = ("keep", "join")


@dataclass(frozen=True)
class NormalizedRecord:
    """A record after all steps.

    record (Record): With everything at its new offsets; the same object when nothing changed.
    offsets (OffsetChain): Between the first and the last text.
    lost (Tuple[Mention, ...]): Mentions, as they were, of which nothing is left.
    edits (Counter[str]): Number of edits by step; steps that made none are left out.
    """

    record: Record
    offsets: OffsetChain
    lost: Tuple[Mention, ...] = ()
    edits: "Counter[str]" = field(default_factory=Counter)


class Normalizer:
    """Applies steps in order, each to what the one before has left.

    steps (Sequence[Tuple[str, Step]]): Names and functions; see `build_normalizer`.
    """

    def __init__(self, steps: Sequence[Tuple[str, Step]]) -> None:
        self.steps = tuple(steps)

    def __call__(self, text: str) -> Tuple[str, OffsetChain]:
        """Normalize a text. RETURNS (Tuple[str, OffsetChain]): The new one, and the way back."""
        maps = []
        for _, find_edits in self.steps:
            edits = find_edits(text)
            if edits:
                maps.append(OffsetMap(edits))
                text = maps[-1].apply(text)
        return text, OffsetChain(tuple(maps))

    def normalize(self, record: Record) -> NormalizedRecord:
        """Normalize a record's text, with mentions, sections, tokens and sentence starts following.

        A mention's own text follows as well where it is what stands at its offsets.
        """
        maps: List[OffsetMap] = []
        lost: List[Mention] = []
        counts: Counter[str] = Counter()
        origins: Sequence[Mention] = record.mentions
        for name, find_edits in self.steps:
            edits = find_edits(record.text)
            if not edits:
                continue
            edited = apply_edits(record, edits)
            gone = {id(mention) for mention in edited.lost}
            pairs = list(zip(record.mentions, origins, strict=True))
            lost += [origin for mention, origin in pairs if id(mention) in gone]
            origins = [origin for mention, origin in pairs if id(mention) not in gone]
            counts[name] += len(edits)
            maps.append(edited.offsets)
            record = edited.record
        return NormalizedRecord(record, OffsetChain(tuple(maps)), tuple(lost), counts)


def build_normalizer(
    names: Iterable[str] = DEFAULT_STEPS,
    *,
    form: UnicodeForm = "NFC",
    line_breaks: LineBreaks = "keep",
    expansions: Sequence[Expansion] = BUILT_IN,
    find_definitions: Optional[FindDefinitions] = None,
) -> Normalizer:
    """Make a normalizer of named steps, in the order given.

    names (Iterable[str]): Any of `STEPS`.
    form (str): The Unicode normal form of "unicode", NFC or NFKC.
    line_breaks (str): Whether "spaces" and "collapse" "keep" line breaks or "join" lines.
    expansions (Sequence[Expansion]): The table of "expand".
    find_definitions (Optional[Callable[[str], Iterable[DefinitionLike]]]): Needed by
        "abbreviations": finds the definitions in a whole text.
    RAISES (ConfigError): An unknown step or setting; "abbreviations" without its function.
    """
    _check_choice("Unicode form", form, UNICODE_FORMS)
    _check_choice("line breaks", line_breaks, LINE_BREAKS)
    makers: Dict[str, Callable[[], Step]] = {
        "controls": make_controls,
        "spaces": lambda: make_spaces(line_breaks),
        "unicode": lambda: make_unicode(form),
        "dashes": make_dashes,
        "quotes": make_quotes,
        "expand": lambda: make_expand(expansions),
        "collapse": lambda: make_collapse(line_breaks),
    }
    if find_definitions is not None:
        finder = find_definitions
        makers["abbreviations"] = lambda: make_abbreviations(finder)
    steps = []
    for name in names:
        _check_choice("normalization step", name, STEPS)
        if name not in makers:
            message = "found step 'abbreviations' without a function that finds definitions"
            raise ConfigError(f"{message}; pass find_definitions or leave the step out")
        steps.append((name, makers[name]()))
    return Normalizer(steps)


def _check_choice(what: str, found: str, allowed: Sequence[str]) -> None:
    if found not in allowed:
        raise ConfigError(f"found {what} {found!r}, expected one of {', '.join(allowed)}")
