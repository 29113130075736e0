"""The tokenizers that a corpus can be converted with, by name."""

import importlib.util
from typing import Any, Callable, Dict

import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.corpora.docs import make_words_doc
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Record

TokenizeRecord = Callable[[Record], Doc]

TITLES = {
    "bioner": "this package's",
    "blank": "spaCy's English",
    "scispacy": "scispaCy's",
    "corpus": "the file's own tokens",
}


def build_tokenizer(name: str) -> TokenizeRecord:
    """Create a tokenizer: "bioner" (this package's), "blank" (spaCy's English), "scispacy" (needs
    that package) or "corpus" (the file's own tokens).

    RAISES (CorpusError): An unknown name, or a package that is not installed.
    """
    if name == "corpus":
        # Without a language: what its attributes say of a word is not kept anyway.
        vocab = Vocab()
        return lambda record: make_words_doc(record, vocab)
    if name not in TITLES:
        message = f"found tokenizer {name!r}, expected one of {', '.join(TITLES)}"
        raise CorpusError(message)
    if name == "scispacy":
        return _build_scispacy()
    config: Dict[str, Any] = {}
    if name == "bioner":
        # By its registered name: components stand above this package.
        ours = {"@tokenizers": "spacy_bioner.BiomedicalTokenizer.v1"}
        config = {"nlp": {"tokenizer": ours}}
    nlp = spacy.blank("en", config=config)
    return lambda record: nlp.tokenizer(record.text)


def list_tokenizers() -> Dict[str, TokenizeRecord]:
    """Create every tokenizer that works on any text and is installed."""
    names = ["bioner", "blank"]
    if importlib.util.find_spec("scispacy"):
        names.append("scispacy")
    return {name: build_tokenizer(name) for name in names}


def _build_scispacy() -> TokenizeRecord:
    if not importlib.util.find_spec("scispacy"):
        message = "the tokenizer 'scispacy' is not installed: pip install 'spacy-bioner[scispacy]'"
        raise CorpusError(message)
    from scispacy.custom_tokenizer import combined_rule_tokenizer

    nlp = spacy.blank("en")
    tokenizer = combined_rule_tokenizer(nlp)
    return lambda record: tokenizer(record.text)
