"""Names: of pipeline packages, `bioner_<encoder>` or `bioner_<corpus>`, true of what was trained;
and those that users give to what they list, NAME=VALUE."""

import re
from typing import Callable, Collection, Dict, List, Optional, Pattern, Sequence, Set

from spacy_bioner.errors import ConfigError, PackageError

PACKAGE_PREFIX = "package:"
# Names that folders are called by.
FOLDER_NAME = re.compile(r"[A-Za-z0-9][\w .+-]*")
NAME_PATTERN = re.compile(r"bioner((?:_[a-z0-9]+)+)")
# Folder names that say what is in them, not which encoder it is.
GENERIC_FOLDER = re.compile(r"model|weights|pytorch|checkpoint(-[0-9]+)?")
# Parts of names that say what stands on an encoder, or instead of one; not which encoder it is.
ARCHITECTURES = (
    "fusion",
    "ensemble",
    "multi",
    "tuned",
    "terms",
    "crf",
    "bilstm",
    "cnn",
    "spancat",
    "span",
    "finder",
)
TRF = "trf"
# How a package is called that was trained on several corpora.
SEVERAL = "multi"
# Parts of names that claim a family of encoders; a pipeline without an encoder may use none.
ENCODER_FAMILIES = ("bert", "minilm", "electra", "mpnet", "xlnet", "gpt", "llama", "t5")


def parse_named(
    items: Sequence[str],
    place: str,
    *,
    wrong: Optional[Callable[[str], str]] = None,
    pattern: Optional[Pattern[str]] = None,
) -> Dict[str, str]:
    """Read NAME=VALUE, several times.

    place (str): The option, for errors.
    wrong (Optional[Callable[[str], str]]): Makes the message on an item of another form.
    pattern (Optional[Pattern[str]]): What a name has to be; None takes any.
    RAISES (ConfigError): For another form, and a name that stands twice.
    """
    found: Dict[str, str] = {}
    for item in items:
        name, sign, value = (part.strip() for part in item.partition("="))
        if not (name and sign and value) or not (pattern is None or pattern.fullmatch(name)):
            simple = "" if pattern is None else " with a simple name"
            plain = f"{place} {item}: expected NAME=VALUE{simple}"
            raise ConfigError(plain if wrong is None else wrong(item))
        if name in found:
            raise ConfigError(f"{place}: found the name {name} twice, expected different ones")
        found[name] = value
    return found


def check_name(
    name: str,
    encoders: Sequence[str],
    *,
    lang: str = "en",
    others: Collection[str] = (),
    several_corpora: bool = False,
) -> str:
    """Check that a package name is well-formed and true of the encoders.

    name (str): "bioner_<encoder>" or "bioner_<corpus>", with or without the language in front.
    encoders (Sequence[str]): Encoders as the config names them: hub names, folders, "package:NAME".
        Each part of <encoder> has to begin a word of the last part of that name.
    others (Collection[str]): Parts that are true without being a word of it, the corpus' among
        them.
    several_corpora (bool): It was trained on several: `SEVERAL` is a name, as that of one would be.
    RETURNS (str): The name without the language.
    RAISES (PackageError): When it is not.
    """
    short = name[len(lang) + 1 :] if name.startswith(f"{lang}_") else name
    match = NAME_PATTERN.fullmatch(short)
    parts = match.group(1)[1:].split("_") if match else []
    claims = [part for part in parts if part not in others]
    # The corpus alone is a name, as in bioner_demo; what stands on an encoder is none.
    architectures = {*ARCHITECTURES, TRF} - ({SEVERAL} if several_corpora else set())
    if not parts or (encoders and architectures.issuperset(parts)):
        raise PackageError(
            f"found package name '{name}', expected bioner_<encoder> or bioner_<corpus> of "
            "lower-case letters, digits and single underscores, for example "
            f"{_suggest(encoders, others)}"
        )
    if not encoders and any(family in claim for claim in claims for family in ENCODER_FAMILIES):
        raise PackageError(
            f"package name '{name}' claims an encoder, but the pipeline was trained without one; "
            f"choose a name without it, for example {_suggest(encoders, others)}"
        )
    for encoder in encoders:
        words = encoder_words(encoder)
        if not all(any(word.startswith(claim) for word in words) for claim in claims):
            raise PackageError(
                f"package name '{name}' claims an encoder that the pipeline was not trained on: "
                f"found encoder '{encoder}', expected a name made of its words "
                f"({', '.join(words)}), for example {_suggest([encoder], others)}"
            )
    return short


def other_words(*, spacy_transformers: bool, corpus: str) -> Set[str]:
    """List the words that are true of a package without being its encoder's: `trf` for
    spacy-transformers, the corpus that it was trained on (bioner_minilm_bc5cdr), and what stands on
    the encoder (bioner_minilm_fusion)."""
    return {*corpus.split("_"), *ARCHITECTURES, *((TRF,) if spacy_transformers else ())}


def encoder_words(encoder: str) -> List[str]:
    """Split the last part of an encoder's name into its lower-case words.

    The organization of a hub name and the folders above a local one say nothing of the weights,
    except in a hub cache, where the folder itself is named after a revision.
    """
    parts = [part for part in re.split(r"[\\/]", encoder.removeprefix(PACKAGE_PREFIX)) if part]
    parts = parts or [encoder]
    if len(parts) > 2 and parts[-2] == "snapshots":
        parts = parts[-3].split("--")
    while len(parts) > 1 and GENERIC_FOLDER.fullmatch(parts[-1].lower()):
        parts.pop()
    return re.findall(r"[a-z0-9]+", parts[-1].lower())


def _suggest(encoders: Sequence[str], others: Collection[str]) -> str:
    """Return a name that is true: of the encoder, else of the corpus."""
    if encoders:
        return f"bioner_{_choose_word(encoder_words(encoders[0]))}"
    corpus = sorted(set(others) - {*ARCHITECTURES, TRF})
    return f"bioner_{'_'.join(corpus)}" if corpus else "bioner_<corpus>"


def _choose_word(words: Sequence[str]) -> str:
    telling = [word for word in words if any(family in word for family in ENCODER_FAMILIES)]
    return next(iter([*telling, *words]), "<encoder>")
