"""Other ways to write a name, by rules that are declared here and switched on by their names."""

import re
from typing import Callable, Dict, Iterable, Iterator, List, Sequence, Tuple

from spacy_bioner.errors import ConfigError

# A long name with many hyphens and commas would have hundreds.
MAX_VARIANTS = 16
GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "iota": "ι",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
}
# British, American; ^ where it is at the start of a word only.
SPELLINGS: Sequence[Tuple[str, str]] = (
    ("aemia", "emia"),
    ("^haemo", "^hemo"),
    ("^haemat", "^hemat"),
    ("oedema", "edema"),
    ("oesoph", "esoph"),
    ("^oestr", "^estr"),
    ("^foetal", "^fetal"),
    ("^foetus", "^fetus"),
    ("rrhoea", "rrhea"),
    ("pnoea", "pnea"),
    ("^paediatr", "^pediatr"),
    ("orthopaed", "orthoped"),
    ("anaesth", "anesth"),
    ("gynaec", "gynec"),
    ("coeliac", "celiac"),
    ("^faec", "^fec"),
    ("^caec", "^cec"),
    ("^caesar", "^cesar"),
    ("^aetiolog", "^etiolog"),
    ("ischaem", "ischem"),
    ("leucocyt", "leukocyt"),
    ("amoeb", "ameb"),
    ("tumour", "tumor"),
    ("colour", "color"),
    ("behaviour", "behavior"),
    ("odour", "odor"),
    ("^fibre", "^fiber"),
    ("^centre", "^center"),
    ("goitre", "goiter"),
    ("titre", "titer"),
    ("sulph", "sulf"),
    ("aluminium", "aluminum"),
    ("caesium", "cesium"),
    ("^grey", "^gray"),
    ("isation", "ization"),
)
_LINK = re.compile(r" (?:of|in|with|without|due|by|and|or|to|for|from|on|at|as) ", re.IGNORECASE)
# What stands behind a comma and is no word that belongs before it.
_NO_INVERSION = re.compile(
    r"\d|(?:type|stage|grade|nos|not|other|unspecified|with|without|due|and|or|in|of|by|to|for|"
    r"from|including|excluding|initial|subsequent|sequela)\b",
    re.IGNORECASE,
)
_MAX_COMMAS = 3
_WORD = re.compile("[A-Za-z]?[a-z]{3,}")
_PLURAL_ONLY = {"diabetes", "herpes", "ascites", "mumps", "measles", "shingles", "hives", "rickets"}
_PLURAL_ONLY |= {"species", "series", "rabies", "caries", "scabies"}
_SYMBOL = re.compile(r"([A-Za-z]{1,5})([- ]?)(\d{1,3}[A-Za-z]?)")
_LETTERS = {letter: name for name, letter in GREEK.items()}
# Capitals are other things: "PI" in "PI-3 kinase".
_GREEK_NAME = re.compile(
    "(?<![A-Za-z])(?:" + "|".join(f"[{n[0].upper()}{n[0]}]{n[1:]}" for n in GREEK) + ")(?![A-Za-z])"
)
_GREEK_LETTER = re.compile(f"[{''.join(_LETTERS)}]")


def make_variants(name: str, rules: Sequence[str]) -> Iterator[Tuple[str, str]]:
    """List other ways to write a name.

    Each rule also takes what those before it made: "Tumors, Lung" has "lung tumour" by three.
    rules (Sequence[str]): Names of `RULES`; they are applied in the order that they have there.
    YIELDS (Tuple[str, str]): The rule, and a name that was not there before.
    """
    known = {name: ""}
    for rule, make in RULES.items():
        if rule not in rules:
            continue
        for base in list(known):
            for variant in make(base):
                if variant not in known and len(known) <= MAX_VARIANTS:
                    known[variant] = rule
                    yield rule, variant


def choose_rules(given: Sequence[str], known: Sequence[str], *, what: str) -> List[str]:
    """Parse the names of rules, several of which a value may have with commas between.

    given (Sequence[str]): Names, "all" or "none".
    known (Sequence[str]): All rules.
    what (str): What the rules are for, for the message.
    RAISES (ConfigError): For a name that is not one.
    """
    names = [name.strip() for value in given for name in value.split(",") if name.strip()]
    for name in names:
        if name not in (*known, "all", "none"):
            raise ConfigError(
                f"found {what} {name!r}; expected all, none or some of {', '.join(known)}"
            )
    if "none" in names and len(names) > 1:
        raise ConfigError(f"found {what} 'none' beside others; leave one of them out")
    return [name for name in known if name in names or "all" in names]


def invert_commas(name: str) -> Iterator[str]:
    """Put what stands behind commas first: "Leukemia, Myeloid, Acute", "Acute Myeloid Leukemia"."""
    parts = [part.strip() for part in name.split(", ")]
    if not 2 <= len(parts) <= _MAX_COMMAS + 1 or not all(parts):
        return
    if not any(_NO_INVERSION.match(part) for part in parts[1:]):
        yield " ".join(reversed(parts))


def swap_greek(name: str) -> Iterator[str]:
    """Write Greek letters as their names, and names as letters."""
    if (spelled := spell_out_greek(name)) != name:
        yield spelled
    lower = name.lower()
    if any(letter in lower for letter in GREEK) and _GREEK_NAME.search(name):
        yield _GREEK_NAME.sub(lambda match: GREEK[match[0].lower()], name)


def swap_spelling(name: str) -> Iterator[str]:
    """Spell the British way, and the American way."""
    yield _TO_AMERICAN.spell(name)
    yield _TO_BRITISH.spell(name)


def spell_american(name: str) -> str:
    """Spell the American way."""
    return _TO_AMERICAN.spell(name)


def spell_out_greek(name: str) -> str:
    """Write Greek letters as their names."""
    return name if name.isascii() else _GREEK_LETTER.sub(lambda match: _LETTERS[match[0]], name)


def swap_hyphens(name: str) -> Iterator[str]:
    """Write hyphens as spaces, two words with a hyphen, and symbols such as IL-2 all three ways."""
    symbol = _SYMBOL.fullmatch(name)
    if symbol:
        yield from (f"{symbol[1]}{mark}{symbol[3]}" for mark in ("-", " ", ""))
    elif "-" in name.strip("-"):
        # Not at its ends, nor between digits: "Cl-", "1,2-3,4".
        yield re.sub(r"(?<=[^\W\d])-(?=\w)|(?<=\w)-(?=[^\W\d])", " ", name)
    elif name.count(" ") == 1 and "," not in name:
        yield name.replace(" ", "-")


def make_plural(name: str) -> Iterator[str]:
    """Put the head of a name, its last word or that before the first "of", in the plural."""
    head, rest = _split_head(name)
    word = _last_word(head)
    if not word or word in _PLURAL_ONLY or word in GREEK:
        return
    if word.endswith("is"):
        yield f"{head[:-2]}es{rest}"
    elif word.endswith(("us", "ss", "x", "z", "ch", "sh")):
        yield f"{head}es{rest}"
    elif word.endswith("y") and word[-2] not in "aeiou":
        yield f"{head[:-1]}ies{rest}"
    elif not word.endswith("s"):
        yield f"{head}s{rest}"


def make_singular(name: str) -> Iterator[str]:
    """Put the head of a name in the singular, where it ends as a plural does."""
    head, rest = _split_head(name)
    word = _last_word(head)
    if not word.endswith("s") or word in _PLURAL_ONLY or word.endswith(("ss", "us", "is")):
        return
    if word.endswith(("oses", "yses", "stases")):
        yield f"{head[:-2]}is{rest}"
    elif word.endswith("ies"):
        yield f"{head[:-3]}y{rest}"
    elif word.endswith(("xes", "ches", "shes", "sses", "uses")):
        yield f"{head[:-2]}{rest}"
    else:
        yield f"{head[:-1]}{rest}"


RULES: Dict[str, Callable[[str], Iterator[str]]] = {
    "comma": invert_commas,
    "greek": swap_greek,
    "british": swap_spelling,
    "hyphen": swap_hyphens,
    "plural": make_plural,
    "singular": make_singular,
}


def _split_head(name: str) -> Tuple[str, str]:
    """Cut a name behind its head; of one with a comma, the head is not the last word."""
    if ", " in name:
        return "", ""
    link = _LINK.search(name)
    return (name[: link.start()], name[link.start() :]) if link else (name, "")


def _last_word(head: str) -> str:
    word = head.rpartition(" ")[2].rpartition("-")[2]
    # What has capitals or digits within is no noun ("mRNAs").
    return word.lower() if _WORD.fullmatch(word) else ""


class _Spelling:
    """Replaces parts of words at one go, and keeps capitals."""

    def __init__(self, pairs: Iterable[Tuple[str, str]]) -> None:
        self._shown = {old.lstrip("^"): new.lstrip("^") for old, new in pairs}
        self._pattern = re.compile("|".join(map(_make_part, self._shown)), re.IGNORECASE)

    def spell(self, name: str) -> str:
        lower = name.lower()
        # Much faster than a search for all of them at once, which most names have none of.
        if not any(part in lower for part in self._shown):
            return name
        return self._pattern.sub(self._replace, name)

    def _replace(self, match: "re.Match[str]") -> str:
        shown = self._shown[match[0].lower()]
        if match[0].isupper():
            return shown.upper()
        return shown.capitalize() if match[0][0].isupper() else shown


def _make_part(letters: str) -> str:
    start = r"\b" if letters in _AT_START else ""
    # "emia" in "anaemia" is British already, and "academia" is no blood.
    return f"{start}(?<![ao])(?<!acad){letters}" if letters[0] == "e" else f"{start}{letters}"


_AT_START = {one[1:] for pair in SPELLINGS for one in pair if one.startswith("^")}
_TO_AMERICAN = _Spelling(SPELLINGS)
_TO_BRITISH = _Spelling((american, british) for british, american in SPELLINGS)
