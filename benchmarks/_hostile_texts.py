"""Texts that strangers might send: every plane of Unicode, and real sentences taken to pieces.

`HostileTexts.draw` gives a text by a random generator; the same generator gives the same text.
"""

import random
import re
import unicodedata
from pathlib import Path
from typing import Callable, Dict, List, Sequence, Tuple

from spacy_bioner.blanks import is_blank

MARKUP = re.compile(r"\[\[(.*?)\|[^\]]*\]\]")
SPACES = (
    " ", "  ", "\n", "\r\n", "\r", "\t", "\n\n", " \n \n", "\x0b", "\x0c", "\x1c", "\x85", "\xa0",
    "\u1680", "\u2003", "\u2009", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u2800",
    "\u3164", "\uffa0",
)  # fmt: skip
NOTHINGS = (
    "\x00", "\x01", "\x08", "\x1b", "\x7f", "\x9f", "\u00ad", "\u034f", "\u061c", "\u115f",
    "\u180e", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2060",
    "\u2066", "\u2069", "\ufe0f", "\ufeff", "\ufff9", "\ufffc", "\U000e0001", "\U000e007f",
    "\U000e0100", "\U0001d173",
)  # fmt: skip
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad\ufe63\uff0d\u2043~"
PRIMES = "'\u2019\u2018\u02bc\u2032\u2033\u00b4`\"\u201c\u201d\u00a8\u02b9"
BRACKETS = "()[]{}<>\uff08\uff09\u3010\u3011\u27e8\u27e9«»"
SYMBOLS = "%‰°±×÷≤≥=+*/\\|_^~§¶†‡•…·.,;:!?¡¿&@#$€£¥©®™µμαβγδκΔ∆Ωω½²³₂⁺⁻→↔∞√"
LETTERS = "aeiounstrAEIONTÅåéïöüßıİſKÅﬁǆﷺΣςσДджאבשلامहिन्दीกำไทย中文字かなカナ한국어"
MARKS = "\u0300\u0301\u0308\u030a\u0327\u0328\u0338\u0345\u0489\u05b0\u064b\u093f\u0e33\u20dd\u3099"
EMOJI = (
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f3f3\ufe0f\u200d\U0001f308",
    "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea", "1\ufe0f\u20e3", "\u2764\ufe0f", "\U0001f600",
    "\U0001f9d1\U0001f3ff\u200d\u2695\ufe0f", "\U0001f3f4\U000e0067\U000e0062\U000e007f",
)  # fmt: skip
SPECIALS = (
    "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[unused1]", "<s>", "</s>", "<pad>", "<mask>",
    "<unk>", "<|endoftext|>", "##ing", "▁the", "Ġthe", "@@ ", "[CLS", "CLS]", "[cls]",
)  # fmt: skip
HTML = (
    "<p>", "</p>", "<br/>", "<b>", "</b>", "&amp;", "&lt;5", "&#8211;", "&nbsp;", "<!-- c -->",
    '<a href="http://x.org/?a=1&b=2">', "<sub>2</sub>", "<![CDATA[", "]]>", "<script>1<2</script>",
)  # fmt: skip
URLS = (
    "https://doi.org/10.1000/xyz(2020)1:2", "http://www.ncbi.nlm.nih.gov/pubmed/?term=a%20b",
    "ftp://a.b/c", "www.x.org.", "mailto:a.b@c.de", "https://", "http://[::1]/", "a@b", "10.1/x;y",
)  # fmt: skip
NUMBERS = (
    "3.5", "1,284", "1,2,3", "17q21.3", "1.2.3.4", "0.05", "P<0.001", "5mg/kg", "-3", "+/-", "1e-5",
    "10^6", "2'-3'", "²H", "½", "٣٤", "1\u00a0000", "99999999999999999999", "0x1F", "5.",
    ".5", "3,",
)  # fmt: skip
STOPS = (
    "e.g.", "i.e.", "vs.", "vit.", "vol.", "pp.", "y.o.", "Dr.", "et al.", "Fig.", "No.", "U.S.",
    "i.v.", "a.a.a.", "E. coli", "S. aureus", "p.o.", "b.i.d.", "...", "?!", ".)", '."', ".\u2019",
)  # fmt: skip
DEFINITIONS = (
    "{long} ({short})", "{short} ({long})", "{long} [{short}]", "{long} ({short}, {other})",
    "{long} ({other}; {short})", "{long} (HIV) type 1 ({short})", "{long}({short})", "({short})",
    "{long} ( {short} )", "{long} (ii) {short}", "{long} (n={short})", "{long} (({short}))",
    "{long} ({short}", "{long} {short})", "{long} (\u201c{short}\u201d)", "{long}\n({short})",
)  # fmt: skip
HUGE = 50_000


class HostileTexts:
    """Draws texts.

    sentences (Sequence[str]): Real sentences.
    terms (Sequence[str]): Names that pipelines know.
    """

    def __init__(self, sentences: Sequence[str], terms: Sequence[str]) -> None:
        self.sentences = list(sentences)
        self.terms = list(terms)
        self.kinds: Dict[str, Callable[[random.Random], str]] = {
            "sentences": self._sentences,
            "changed sentences": self._changed,
            "changed terms": self._terms,
            "definitions": self._definitions,
            "brackets": self._brackets,
            "characters": self._characters,
            "accents": self._accents,
            "pieces": self._pieces,
            "blanks": self._blanks,
            "tiny": self._tiny,
            "long": self._long,
            "repeats": self._repeats,
            "half characters": self._halves,
        }

    def draw(self, source: random.Random) -> str:
        """Draw a text: mostly of one kind, sometimes several behind each other."""
        names = list(self.kinds)
        # Real sentences and names more often: there, components find something.
        weights = [3, 12, 8, 6, 2, 3, 2, 5, 1, 1, 0.5, 1, 0.5]
        count = source.choice((1, 1, 1, 2, 3))
        chosen = source.choices(names, weights, k=count)
        texts = [self.kinds[name](source) for name in chosen]
        return source.choice(("", " ", ". ", "\n", source.choice(SPACES))).join(texts)

    def _sentences(self, source: random.Random) -> str:
        return " ".join(source.choices(self.sentences, k=source.randint(1, 4)))

    def _changed(self, source: random.Random) -> str:
        text = self._sentences(source)
        for _ in range(source.randint(1, 5)):
            text = source.choice(CHANGES)(text, source)
        return text

    def _terms(self, source: random.Random) -> str:
        glue = (*SPACES, *NOTHINGS, *DASHES, *PRIMES, *BRACKETS, "", "/", ",", ".", "s", "3", "é")
        text = ""
        for term in source.choices(self.terms, k=source.randint(1, 6)):
            if source.random() < 0.4:
                term = source.choice(CHANGES)(term, source)
            text += source.choice(glue) + term + source.choice((" ", *glue))
        return text

    def _definitions(self, source: random.Random) -> str:
        texts = []
        for _ in range(source.randint(1, 4)):
            long = source.choice(self.terms) if source.random() < 0.7 else self._changed(source)
            short = "".join(word[0] for word in long.split())[:10] or "A"
            short = source.choice((short, short.upper(), f"{short}-1", f"{short}s", "TNF-α", "a"))
            form = source.choice(DEFINITIONS)
            text = form.format(long=long, short=short, other=source.choice(self.terms))
            texts.append(f"{text} {source.choice(('of', 'and', short, long))} {short}.")
        text = source.choice((" ", "\n", "")).join(texts)
        return source.choice(CHANGES)(text, source) if source.random() < 0.5 else text

    def _brackets(self, source: random.Random) -> str:
        depth = source.choice((1, 3, 30, 300, 3_000 if source.random() < 0.1 else 5))
        pair = source.choice(("()", "[]", "{}", "<>", "([", ")("))
        inside = source.choice((*self.terms[:20], "", "A", " "))
        return f"{pair[0] * depth}{inside}{pair[1] * source.choice((depth, depth - 1, 0))}"

    def _characters(self, source: random.Random) -> str:
        return "".join(_any_character(source) for _ in range(source.randint(1, 120)))

    def _accents(self, source: random.Random) -> str:
        letters = source.choices(LETTERS, k=source.randint(1, 30))
        return "".join(
            letter + "".join(source.choices(MARKS, k=source.choice((0, 1, 2, 40))))
            for letter in letters
        )

    def _pieces(self, source: random.Random) -> str:
        stocks: Tuple[Sequence[str], ...] = (
            SPECIALS, HTML, URLS, NUMBERS, STOPS, EMOJI, NOTHINGS, SYMBOLS, LETTERS, DASHES, PRIMES,
            BRACKETS, self.terms, self.sentences,
        )  # fmt: skip
        text = ""
        for _ in range(source.randint(1, 25)):
            text += source.choice(source.choice(stocks)) + source.choice(("", " ", " ", "\n"))
        return text

    def _blanks(self, source: random.Random) -> str:
        return "".join(source.choices((*SPACES, *NOTHINGS), k=source.randint(0, 60)))

    def _tiny(self, source: random.Random) -> str:
        return "".join(_any_character(source) for _ in range(source.randint(0, 2)))

    def _long(self, source: random.Random) -> str:
        length = source.choice((100, 1_000, 1_000, HUGE if source.random() < 0.2 else 5_000))
        stock = source.choice(("a", "ab", "A1", "é", "a.", "1,", "中", "a\u0301", "x-", LETTERS))
        return (stock * length)[:length]

    def _repeats(self, source: random.Random) -> str:
        unit = source.choice((*self.terms[:50], *STOPS, *SPECIALS, *DEFINITIONS, *EMOJI, "A (B) "))
        return (unit + source.choice(("", " ", "\n", "-"))) * source.choice((5, 50, 300))

    def _halves(self, source: random.Random) -> str:
        text = self._sentences(source)
        place = source.randint(0, len(text))
        return text[:place] + chr(source.randint(0xD800, 0xDFFF)) + text[place:]


def has_halves(text: str) -> bool:
    """Tell whether a text has half a character, which no encoding can write."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def read_sentences(folder: Path) -> List[str]:
    """Read the sentences of the demo corpus' sources, without their markup."""
    sentences: List[str] = []
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("=="):
                sentences += re.split(r"(?<=[.?]) (?=[A-Z])", MARKUP.sub(r"\1", line))
    return sentences


def _any_character(source: random.Random) -> str:
    planes = ((0, 0x7F), (0x80, 0x2FF), (0x300, 0x2FFF), (0x3000, 0xD7FF), (0xE000, 0xFFFF))
    first, last = source.choice((*planes, (0x10000, 0x1FFFF), (0x20000, 0x10FFFF)))
    return chr(source.randint(first, last))


def _insert(text: str, source: random.Random) -> str:
    for _ in range(source.randint(1, 6)):
        place = source.randint(0, len(text))
        new = (source.choice(NOTHINGS), source.choice(SPACES), _any_character(source))
        text = text[:place] + source.choice(new) + text[place:]
    return text


def _respace(text: str, source: random.Random) -> str:
    return "".join(
        source.choice(SPACES) if char == " " and source.random() < 0.4 else char for char in text
    )


def _hide(text: str, source: random.Random) -> str:
    return "".join(
        char + source.choice(NOTHINGS) if source.random() < 0.1 else char for char in text
    )


def _surround(text: str, source: random.Random) -> str:
    return re.sub(
        r"\w+",
        lambda match: (
            source.choice(NOTHINGS) + match[0] + source.choice(NOTHINGS)
            if source.random() < 0.3
            else match[0]
        ),
        text,
    )


def _retype(text: str, source: random.Random) -> str:
    text = re.sub("[-\u2013]", lambda _: source.choice(DASHES), text)
    return re.sub(r"['\u2019]| (?=\w)", lambda m: source.choice(("'", m[0], m[0], "\u2032")), text)


def _delete(text: str, source: random.Random) -> str:
    place = source.randint(0, len(text))
    return text[:place] + text[place + source.randint(1, 12) :]


def _double(text: str, source: random.Random) -> str:
    place = source.randint(0, len(text))
    piece = text[place : place + source.randint(1, 30)]
    return text[:place] + piece * source.choice((2, 2, 10)) + text[place:]


def _shuffle(text: str, source: random.Random) -> str:
    words = text.split(" ")
    source.shuffle(words)
    return " ".join(words)


def _recase(text: str, source: random.Random) -> str:
    return source.choice((str.upper, str.lower, str.title, str.swapcase))(text)


def _renormalize(text: str, source: random.Random) -> str:
    text = re.sub("[eo]", lambda m: source.choice((m[0], m[0], "é", "ö", "ø")), text)
    return unicodedata.normalize(source.choice(("NFC", "NFD", "NFKC", "NFKD")), text)


def _wrap(text: str, source: random.Random) -> str:
    gap = source.choice(("\n", "\r\n", "-\n", "\u00ad\n", "\n    ", "\n\n"))
    width = source.randint(10, 80)
    return gap.join(text[start : start + width] for start in range(0, len(text), width))


def _cut_spaces(text: str, source: random.Random) -> str:
    return "".join(char for char in text if not is_blank(char) or source.random() < 0.7)


CHANGES: Tuple[Callable[[str, random.Random], str], ...] = (
    _insert, _respace, _hide, _surround, _retype, _delete, _double, _shuffle, _recase,
    _renormalize, _wrap, _cut_spaces,
)  # fmt: skip
