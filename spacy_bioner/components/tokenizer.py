"""A tokenizer that can express biomedical mentions as token spans, and marks sentence borders.

Tokens end at white space and at punctuation, so "beta-catenin" is three tokens: gold mentions
stop at hyphens, slashes, brackets, plus signs and apostrophes. Word-piece tokenizers split at the
same places, so these borders cost a transformer nothing. A border within a run of letters and
digits may fall inside a word piece; only the few rules that gold mentions ask for make one.
"""

import re
from typing import Any, Callable, Dict, Iterable

import numpy
import srsly
from spacy.attrs import IDX, SENT_START
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.errors import TextError
from spacy_bioner.sentences import sentence_flags, sentence_starts

# Stretches that stay one token. Each ends where punctuation or white space makes a border anyway,
# and no gold mention of the training and development splits used for RULES ends inside one.
_WHOLE = (
    r"https?://[\w./?=&%#~:+-]*[\w/]",
    # e.g. i.v. U.S. (the lookbehind also keeps long runs of "a.a.a." linear)
    r"(?<![\w.])(?:[A-Za-z]\.){2,}(?!\w)",
    r"(?<=[A-Za-z])['’‘ʼ＇`´]s(?!\w)",
    r"(?P<run>[-.*=~])(?P=run)+",
    r"\+/-",
)
# Fillers and apostrophes are letters for Unicode.
_MARK = r"[\W_\u02b9-\u02bd\u02ee\u115f\u1160\u3164\uffa0]"
_ACCENT = r"[\u0300-\u034e\u0350-\u036f]"
_PUNCTUATION = (
    # Every character that is neither letter nor digit is a token; so are fillers of no width and
    # apostrophes that Unicode calls letters. A combining accent stays with its letter; a point or
    # comma within a number (3.5, 17q21.3, 1,200) stays with the number.
    rf"(?:(?<={_MARK})(?<!{_ACCENT})|(?={_MARK})(?!{_ACCENT}))"
    r"(?<!\s)"
    r"(?<![0-9](?=\.[0-9]))(?!(?<=[0-9]\.)[0-9])"
    r"(?<![0-9](?=,[0-9]{3}(?![0-9])))(?!(?<=[0-9],)[0-9]{3}(?![0-9]))"
)
_INSIDE_WORDS = (
    # Of 64,435 mentions these gain 33, 18 and 19, with 47, 9 and 62 borders in 978,000 tokens:
    # substitutions (rt|M204I, Kras|G12D), deletions (CCR5|delta32), knock-outs (AR|KO).
    r"(?<=[a-z0-9])(?=[ACDEFGHIKLMNPQRSTVWXY][0-9]{2,4}[ACDEFGHIKLMNPQRSTVWXY](?!\w))",
    r"(?<=[0-9])(?=(?:[Dd]elta|[Δ∆])[0-9])",
    r"(?<=[A-Za-z0-9])(?=KO(?![a-z0-9]))",
    # Rejected, because nothing or next to nothing asks for them: borders between any letter and
    # digit (CYP2D6), around Greek letters (TNFα), before modified residues (H3|K27me3).
)
RULES = "|".join((*_WHOLE, _PUNCTUATION, *_INSIDE_WORDS))


class BiomedicalTokenizer(Tokenizer):
    """spaCy's tokenizer with one regular expression for all borders, and sentence borders.

    The expression is spaCy's `infix_finditer`; there are no prefixes, suffixes or exceptions
    (English exceptions take "cant", "id" and "ca" apart or rewrite them). `add_special_case`,
    `explain` and assignment to `infix_finditer` work as in spaCy.

    With `sentences`, every token gets `is_sent_start` True or False. A `sentencizer` or `senter`
    added later leaves these borders as they are unless it has `overwrite=True`; a parser keeps to
    them as well. To leave sentences to such a component, set `nlp.tokenizer.sentences = False`.
    """

    def __init__(self, vocab: Vocab, *args: Any, sentences: bool = True, **settings: Any) -> None:
        super().__init__(vocab, *args, **settings)
        self.sentences = sentences

    def __reduce__(self) -> Any:
        rebuild, settings = super().__reduce__()[:2]
        return rebuild, settings, {"sentences": self.sentences}

    def __call__(self, text: str) -> Doc:
        """Tokenize a text of any length, in time linear in it.

        text (str): The text; empty gives an empty Doc.
        RETURNS (Doc): `doc.text` equals the text.
        RAISES (TextError): For a text that no encoding can write, with half of a surrogate pair.
        """
        try:
            doc = super().__call__(text)
        except UnicodeEncodeError as error:
            raise TextError(_describe_half(text)) from error
        if self.sentences and len(doc):
            flags = sentence_flags(doc.to_array(IDX).tolist(), sentence_starts(text))
            # The array is unsigned: -1, which means "no border here", wraps around in it.
            starts = numpy.where(numpy.asarray(flags), 1, -1).astype("uint64")
            doc.from_array([SENT_START], starts)
        return doc

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize rules and settings; spaCy's plain tokenizer can read the result."""
        state: Dict[str, Any] = srsly.msgpack_loads(super().to_bytes(exclude=exclude))
        return srsly.msgpack_dumps({**state, "sentences": self.sentences})

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "BiomedicalTokenizer":
        """Load rules and settings; what was saved wins over what the config says."""
        super().from_bytes(data, exclude=exclude)
        self.sentences = bool(srsly.msgpack_loads(data).get("sentences", self.sentences))
        return self


def _describe_half(text: str) -> str:
    place = next(at for at, char in enumerate(text) if "\ud800" <= char <= "\udfff")
    return (
        f"found half a character (U+{ord(text[place]):04X}) at offset {place} of a text that "
        f"begins {text[:20]!a}, expected whole ones; replace it, or leave the text out"
    )


def make_tokenizer(
    *, sentences: bool = True, max_chars: int = 20_000_000
) -> Callable[[Language], Tokenizer]:
    """Create a function that makes the tokenizer of a pipeline.

    sentences (bool): Mark the borders that `spacy_bioner.sentences` finds on every Doc.
    max_chars (int): `nlp.max_length` is raised to this, here because spaCy does not save it.
    RETURNS (Callable[[Language], Tokenizer]): What spaCy's `[nlp.tokenizer]` block expects.
    """

    def create_tokenizer(nlp: Language) -> Tokenizer:
        nlp.max_length = max(nlp.max_length, max_chars)
        return BiomedicalTokenizer(
            nlp.vocab, infix_finditer=re.compile(RULES).finditer, sentences=sentences
        )

    return create_tokenizer
