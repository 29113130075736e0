"""The tokenizers that a corpus can be converted with, by name."""

from collections import Counter
from typing import Any, Callable, Dict, Optional

import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.corpora.alignment import make_words_doc, words_add_up
from spacy_bioner.errors import CorpusError
from spacy_bioner.extras import find_missing, require
from spacy_bioner.records import Record

TokenizeRecord = Callable[[Record], Doc]

OURS, OWN = "bioner", "corpus"
TITLES = {
    OURS: "this package's",
    "blank": "spaCy's English",
    "scispacy": "scispaCy's",
    OWN: "the file's own tokens",
}


def build_tokenizer(name: str) -> TokenizeRecord:
    """Create a tokenizer: "bioner" (this package's), "blank" (spaCy's English), "scispacy" (needs
    that package) or "corpus" (the file's own tokens).

    RAISES (CorpusError): An unknown name, or a package that is not installed.
    """
    if name == OWN:
        # Without a language: what its attributes say of a word is not kept anyway.
        vocab = Vocab()
        return lambda record: make_words_doc(record, vocab)
    if name not in TITLES:
        message = f"found tokenizer {name!r}, expected one of {', '.join(TITLES)}"
        raise CorpusError(message)
    if name == "scispacy":
        return _build_scispacy()
    config: Dict[str, Any] = {}
    if name == OURS:
        # By its registered name: components stand above this package.
        ours = {"@tokenizers": "spacy_bioner.BiomedicalTokenizer.v1"}
        config = {"nlp": {"tokenizer": ours}}
    nlp = spacy.blank("en", config=config)
    return lambda record: nlp.tokenizer(record.text)


class TokenizerChoice:
    """The tokenizer that was asked for, else one that suits each record.

    name (Optional[str]): As for `build_tokenizer`. None: the corpus' own tokens, where they are
        wanted and make up the text, else this package's.
    keeps_words (bool): The corpus' own tokens are wanted.
    used (Counter[str]): Numbers of records by the tokenizer that they got.
    """

    def __init__(self, name: Optional[str] = None, *, keeps_words: bool = True) -> None:
        self.name, self.keeps_words = name, keeps_words
        self.used: Counter[str] = Counter()
        self._built = {key: build_tokenizer(key) for key in ([name] if name else [OURS, OWN])}

    def __call__(self, record: Record) -> Doc:
        """Tokenize a record."""
        name = self.name
        if name is None:
            wanted = self.keeps_words and record.words and words_add_up(record)
            name = OWN if wanted else OURS
        self.used[name] += 1
        return self._built[name](record)

    def describe(self) -> str:
        """Name the tokenizers that were used, the most frequent first."""
        return ", ".join(name for name, _ in self.used.most_common()) or self.name or OURS


def list_tokenizers() -> Dict[str, TokenizeRecord]:
    """Create every tokenizer that works on any text and is installed."""
    names = ["bioner", "blank"]
    if not find_missing("scispacy"):
        names.append("scispacy")
    return {name: build_tokenizer(name) for name in names}


def _build_scispacy() -> TokenizeRecord:
    require("scispacy", extra="scispacy", who="the tokenizer 'scispacy'")
    from scispacy.custom_tokenizer import combined_rule_tokenizer

    nlp = spacy.blank("en")
    tokenizer = combined_rule_tokenizer(nlp)
    return lambda record: tokenizer(record.text)
