"""The augmenters of training configs, with what they replace mentions by.

[corpora.train.augmenter]
@augmenters = "spacy_bioner.SynonymReplacement.v1"
path = "assets/terms.tsv"
copies = 2

All take `copies`, `keep_original`, `level` and `seed`: see `RecordAugmenter`, also for how often
`spacy train` calls them.
"""

from collections import defaultdict
from pathlib import Path
from typing import Callable, DefaultDict, Dict, Iterator, List, Mapping, Optional, Sequence

from spacy.language import Language
from spacy.training import Example

from spacy_bioner.corpora.formats.docbin import read_docbin_records
from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.terms import read_terms
from spacy_bioner.training.record_augmenter import RecordAugmenter, chain_augmenters
from spacy_bioner.transforms.augmentation.back_translation import BackTranslation
from spacy_bioner.transforms.augmentation.mentions import (
    Form,
    gather_forms,
    make_replace_mentions,
    make_replace_synonyms,
)
from spacy_bioner.transforms.augmentation.noise import (
    DEFAULT_RATES,
    make_add_noise,
    make_add_word_noise,
)
from spacy_bioner.transforms.augmentation.shuffling import shuffle_mentions

MESH_PREFIX = "MESH:"


def make_synonym_replacement(
    path: Path,
    *,
    rate: float = 0.5,
    copies: int = 1,
    keep_original: bool = True,
    level: float = 1.0,
    seed: int = 0,
) -> Callable[[Language, Example], Iterator[Example]]:
    """Create the augmenter registered as `spacy_bioner.SynonymReplacement.v1`.

    path (Path): A term table with the columns id and name; read at the first document. Its label
        column does not matter: mentions keep theirs.
    rate (float): The share of the mentions with one concept id that are replaced.
    """
    augment = make_replace_synonyms(SynonymTable(path), rate=rate)
    return RecordAugmenter(
        augment, copies=copies, keep_original=keep_original, level=level, seed=seed
    )


def make_mention_replacement(
    path: Optional[Path] = None,
    *,
    mentions: Optional[Dict[str, List[str]]] = None,
    rate: float = 0.5,
    copies: int = 1,
    keep_original: bool = True,
    level: float = 1.0,
    seed: int = 0,
) -> Callable[[Language, Example], Iterator[Example]]:
    """Create the augmenter registered as `spacy_bioner.MentionReplacement.v1`.

    path (Optional[Path]): A DocBin, or a folder of them, whose mentions replace others of the same
        label, with their concept ids; read at the first document. Name the training corpus.
    mentions (Optional[Dict[str, List[str]]]): Instead of a path, the replacements by label; what
        they replace has no concept ids afterwards.
    rate (float): The share of a document's distinct mention texts that are replaced.
    RAISES (ConfigError): Both a path and mentions, or neither.
    """
    if (path is None) == (mentions is None):
        raise ConfigError("found both path and mentions, or neither; expected one of them")
    forms = MentionPool(path, mentions or {})
    augment = make_replace_mentions(forms, rate=rate)
    return RecordAugmenter(
        augment, copies=copies, keep_original=keep_original, level=level, seed=seed
    )


def make_mention_shuffling(
    *, copies: int = 1, keep_original: bool = True, level: float = 1.0, seed: int = 0
) -> Callable[[Language, Example], Iterator[Example]]:
    """Create the augmenter registered as `spacy_bioner.MentionShuffling.v1`."""
    return RecordAugmenter(
        shuffle_mentions, copies=copies, keep_original=keep_original, level=level, seed=seed
    )


def make_character_noise(
    rates: Optional[Dict[str, float]] = None,
    *,
    per: str = "place",
    where: str = "all",
    copies: int = 1,
    keep_original: bool = True,
    level: float = 1.0,
    seed: int = 0,
) -> Callable[[Language, Example], Iterator[Example]]:
    """Create the augmenter registered as `spacy_bioner.CharacterNoise.v1`.

    rates (Optional[Dict[str, float]]): The probability of each kind (typo, ocr, case, hyphen,
        greek); kinds that are not named do not occur. None takes `DEFAULT_RATES`.
    per (str): What the probability counts for: see `make_add_noise`.
    where (str): "mentions", "context" or "all".
    """
    augment = make_add_noise(DEFAULT_RATES if rates is None else rates, per=per, where=where)
    return RecordAugmenter(
        augment, copies=copies, keep_original=keep_original, level=level, seed=seed
    )


def make_word_noise(
    *,
    delete: float = 0.02,
    insert: float = 0.02,
    substitute: float = 0.02,
    copies: int = 1,
    keep_original: bool = True,
    level: float = 1.0,
    seed: int = 0,
) -> Callable[[Language, Example], Iterator[Example]]:
    """Create the augmenter registered as `spacy_bioner.WordNoise.v1`.

    delete, insert, substitute (float): Shares of the words outside of mentions.
    """
    augment = make_add_word_noise(delete=delete, insert=insert, substitute=substitute)
    return RecordAugmenter(
        augment, copies=copies, keep_original=keep_original, level=level, seed=seed
    )


def make_back_translation(
    translator: Callable[[List[str]], List[str]],
    *,
    unit: str = "sentence",
    placeholder: Optional[str] = None,
    copies: int = 1,
    keep_original: bool = True,
    level: float = 1.0,
    seed: int = 0,
) -> Callable[[Language, Example], Iterator[Example]]:
    """Create the augmenter registered as `spacy_bioner.BackTranslation.v1`.

    translator (Callable[[List[str]], List[str]]): Gives each text in other words, as by another
        language and back. In a config: `@misc = "name"`, of a function registered in
        `spacy.registry.misc` that returns it.
    unit (str): "sentence" or "document": what stays as it is when a mention is not found again.
    placeholder (Optional[str]): What stands for mentions in the texts; see `BackTranslation`.
    """
    augment = BackTranslation(translator, unit=unit, placeholder=placeholder)
    return RecordAugmenter(
        augment, copies=copies, keep_original=keep_original, level=level, seed=seed
    )


def make_chained_augmenters(
    *augmenters: Callable[[Language, Example], Iterator[Example]], mode: str = "sequence"
) -> Callable[[Language, Example], Iterator[Example]]:
    """Create the augmenter registered as `spacy_bioner.ChainedAugmenters.v1`.

    augmenters (Callable[[Language, Example], Iterator[Example]]): In a config the blocks
        `[….augmenter.*.first]`, `[….augmenter.*.second]`, …, in the order of the file.
    mode (str): "sequence" or "each": see `chain_augmenters`.
    """
    return chain_augmenters(*augmenters, mode=mode)


class SynonymTable:
    """The names of concepts, read from a term table when they are first asked for.

    MeSH identifiers are found with and without the prefix "MESH:", whichever the table has.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names: Optional[Dict[str, List[str]]] = None

    def __call__(self, concept_id: str) -> Sequence[str]:
        """Return the names of a concept, none if it is unknown.

        RAISES (TermTableError): A table that cannot be read.
        """
        return self.read().get(_normalize(concept_id), ())

    def read(self) -> Mapping[str, Sequence[str]]:
        """Read the table, unless it was read already, and return the names by concept id.

        RAISES (TermTableError): A table that cannot be read.
        """
        if self._names is None:
            names: DefaultDict[str, List[str]] = defaultdict(list)
            # Any label will do: only ids and names are used.
            for term in read_terms(self.path, label="*"):
                names[_normalize(term.id)].append(term.name)
            self._names = dict(names)
        return self._names


class MentionPool:
    """The mentions of a corpus by label, read when they are first asked for; or given ones."""

    def __init__(self, path: Optional[Path], mentions: Mapping[str, Sequence[str]]) -> None:
        self.path = path
        self._forms: Optional[Dict[str, List[Form]]] = None
        if path is None:
            self._forms = {label: [Form(t) for t in texts] for label, texts in mentions.items()}

    def __call__(self, label: str) -> Sequence[Form]:
        """Return what a label's mentions may be replaced by.

        RAISES (CorpusError): A file that is absent or not a DocBin.
        """
        if self._forms is None and self.path is not None:
            self._forms = gather_forms(read_docbin_records(self.path))
        return (self._forms or {}).get(label, ())


def _normalize(concept_id: str) -> str:
    is_mesh = concept_id[: len(MESH_PREFIX)].upper() == MESH_PREFIX
    return concept_id[len(MESH_PREFIX) :] if is_mesh else concept_id
