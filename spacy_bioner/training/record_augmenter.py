"""How spaCy gets augmented records: Example → record → variants → Examples.

An augmenter maps an Example to itself and to variants of it, with all gold mentions: in `doc.ents`,
in `doc.spans["gold"]` and, at the corpus' offsets, in the reference's user data. Other annotation
of tokens (tags, parses) is missing in variants.

With `max_epochs` of 0 or more, `spacy train` reads the corpus once and trains on the same variants
in each epoch; with -1 it reads it anew for each epoch, without shuffling, and each reading gets
other variants. What a document becomes depends on the seed, its id and text, and how often the
augmenter has seen it, not on the order of the documents.
"""

import random
from collections import Counter
from typing import Callable, Iterator, List, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import get_words_and_spaces

from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.formats.docbin import to_record
from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import SPANS_KEY, has_gold_rows
from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.augmentation.editing import Augmentation, check_share

Augmenter = Callable[[Language, Example], Iterator[Example]]
CHAIN_MODES = ("sequence", "each")


class RecordAugmenter:
    """Yields an Example and variants of it.

    augment (Augmentation): Makes a variant of a record.
    copies (int): Variants of a document; fewer where they would be the same.
    keep_original (bool): Give the Example itself as well, first. It always is where there is no
        variant: no document disappears.
    level (float): The share of documents that get variants.
    seed (int): The same seed gives the same variants.
    count (Counter[str]): Outcomes so far: "examples" read and "variants" given; and of the others
        "unchanged" (nothing to change, or the same as before), "refused" (a mention could not be
        projected), "misaligned" (tokens that cannot express a mention any more) and
        "unsupported" (Examples with missing entities or with spans under other keys than "gold").
    RAISES (ConfigError): A level that is no share; fewer than one copy.
    """

    def __init__(
        self,
        augment: Augmentation,
        *,
        copies: int = 1,
        keep_original: bool = True,
        level: float = 1.0,
        seed: int = 0,
    ) -> None:
        check_share(level, "level")
        if copies < 1:
            raise ConfigError(f"found copies {copies!r}, expected 1 or more")
        self.augment = augment
        self.copies = copies
        self.keep_original = keep_original
        self.level = level
        self.seed = seed
        self.count: Counter[str] = Counter()
        self._visits: Counter[Tuple[str, int]] = Counter()

    def __call__(self, nlp: Language, example: Example) -> Iterator[Example]:
        """YIELDS (Example): The Example itself, unless variants replace it, and its variants."""
        self.count["examples"] += 1
        variants: List[Example] = []
        if not _is_supported(example.reference):
            self.count["unsupported"] += 1
        else:
            record = to_record(example.reference)
            rng = self._make_random(record)
            if rng.random() < self.level:
                variants = list(self._make_variants(nlp, example, record, rng))
        self.count["variants"] += len(variants)
        if self.keep_original or not variants:
            yield example
        yield from variants

    def _make_random(self, record: Record) -> random.Random:
        key = (record.id, hash(record.text))
        self._visits[key] += 1
        # A string seeds by its hash of 512 bits, alike in all processes.
        return random.Random(f"{self.seed} {self._visits[key]} {record.id} {record.text}")

    def _make_variants(
        self, nlp: Language, example: Example, record: Record, rng: random.Random
    ) -> Iterator[Example]:
        seen = [record]
        for _ in range(self.copies):
            variant = self.augment(record, rng)
            if variant is None:
                self.count["refused"] += 1
            elif variant in seen:
                self.count["unchanged"] += 1
            else:
                seen.append(variant)
                made = _make_example(nlp, example, record, variant)
                if made is None:
                    self.count["misaligned"] += 1
                else:
                    yield made


def chain_augmenters(*augmenters: Augmenter, mode: str = "sequence") -> Augmenter:
    """Make one augmenter of several.

    mode (str): "sequence": each gets what the one before gives, so that changes add up. "each":
        all get the Example itself, which is given once if any of them gives it.
    RAISES (ConfigError): An unknown mode.
    """
    if mode not in CHAIN_MODES:
        raise ConfigError(f"found mode {mode!r}, expected one of {', '.join(CHAIN_MODES)}")

    def augment_in_sequence(nlp: Language, example: Example) -> Iterator[Example]:
        examples = [example]
        for augmenter in augmenters:
            examples = [made for item in examples for made in augmenter(nlp, item)]
        yield from examples

    def augment_each(nlp: Language, example: Example) -> Iterator[Example]:
        made = [item for augmenter in augmenters for item in augmenter(nlp, example)]
        if not made or any(item is example for item in made):
            yield example
        yield from (item for item in made if item is not example)

    return augment_in_sequence if mode == "sequence" else augment_each


def _is_supported(reference: Doc) -> bool:
    known = has_gold_rows(reference) or not len(reference)
    if not known and not reference.has_annotation("ENT_IOB", require_complete=True):
        return False
    return all(key == SPANS_KEY or not group for key, group in reference.spans.items())


def _make_example(
    nlp: Language, original: Example, record: Record, variant: Record
) -> Optional[Example]:
    """Align a variant; None when tokens that fitted a mention do not fit it any more."""
    if original.reference.has_unknown_spaces:
        predicted = _split_at_spaces(nlp, variant.text)
    else:
        predicted = nlp.make_doc(variant.text)
    alignment = align(variant, lambda text: predicted.copy())
    borders = _Borders(original.predicted)
    for mention, item in zip(record.mentions, alignment.mentions, strict=True):
        if item.outcome == "lost" or (borders.fit(mention) and not item.on_borders):
            return None
    reference = alignment.doc
    reference.cats = dict(original.reference.cats)
    return Example(predicted, reference)


def _split_at_spaces(nlp: Language, text: str) -> Doc:
    """Tokenize as the original is, whose tokens are all that is known of its text."""
    words, spaces = get_words_and_spaces(text.split(), text)
    doc = Doc(nlp.vocab, words=words, spaces=spaces)
    doc.has_unknown_spaces = True
    return doc


class _Borders:
    """The offsets at which tokens of a Doc start and end."""

    def __init__(self, doc: Doc) -> None:
        self.starts = {token.idx for token in doc}
        self.ends = {token.idx + len(token) for token in doc}

    def fit(self, mention: Mention) -> bool:
        """Tell whether a mention, with each of its parts, lies between token borders."""
        return all(start in self.starts and end in self.ends for start, end in mention.pieces)
