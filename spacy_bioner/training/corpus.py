"""The corpus reader of training configs: DocBins → Examples, with nothing skipped."""

import random
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, Optional

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.errors import TrainingDataError

Augmenter = Callable[[Language, Example], Iterator[Example]]


def make_corpus(
    path: Optional[Path],
    *,
    limit: int = 0,
    shuffle: bool = False,
    augmenter: Optional[Callable[[Language, Example], Iterator[Example]]] = None,
) -> Callable[[Language], Iterable[Example]]:
    """Create the reader registered as `spacy_bioner.Corpus.v1`.

    path (Optional[Path]): A .spacy file, or a folder of them (read in order of their names).
    limit (int): Read at most that many documents; 0 reads all.
    shuffle (bool): Give the documents in random order, which holds all of them in memory.
    augmenter (Optional[Callable]): Maps an Example to the Examples to train on instead.
    RETURNS (Callable[[Language], Iterable[Example]]): Reads the corpus anew at each call.
    """
    return BionerCorpus(path, limit=limit, shuffle=shuffle, augmenter=augmenter)


class BionerCorpus:
    """Reads gold Docs and pairs each with its text as the pipeline tokenizes it.

    Every document becomes an Example, empty ones too; one that is longer than `nlp.max_length`
    stops the reading with spaCy's error E088 instead of being skipped. A corpus without any entity
    is an error, unless it is said to be `unlabeled`.
    """

    def __init__(
        self,
        path: Optional[Path],
        *,
        limit: int = 0,
        shuffle: bool = False,
        augmenter: Optional[Augmenter] = None,
        unlabeled: bool = False,
    ) -> None:
        if path is None:
            message = "no corpus is named; set paths.train and paths.dev to .spacy files"
            raise TrainingDataError(message)
        if limit < 0:
            raise TrainingDataError(f"{path}: found limit {limit}, expected 0 or more")
        self.path = Path(path)
        self.limit = limit
        self.shuffle = shuffle
        self.augmenter = augmenter
        self.unlabeled = unlabeled

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Stream Examples; predicted and reference Doc may differ in tokens, never in text.

        RAISES (TrainingDataError): No file, no document or no entity, before the first Example.
        RAISES (CorpusError): A file that is not a DocBin.
        """
        docs = self._read(nlp)
        if not self.unlabeled:
            docs = _require_entities(docs, self.path)
        if self.shuffle:
            docs = iter(_shuffled(docs))
        for reference in docs:
            example = _make_example(nlp, reference)
            if self.augmenter is None:
                yield example
            else:
                yield from self.augmenter(nlp, example)

    def _read(self, nlp: Language) -> Iterator[Doc]:
        read = 0
        for file in find_docbins(self.path):
            for doc in read_docbin(file, nlp.vocab):
                if self.limit and read >= self.limit:
                    return
                read += 1
                yield doc


def find_docbins(path: Path) -> List[Path]:
    """List the .spacy files that a path stands for.

    RAISES (TrainingDataError): When there is none.
    """
    if path.is_dir():
        files = sorted(path.rglob("*.spacy"))
        if not files:
            raise TrainingDataError(f"{path}: the folder has no .spacy file; run `bioner convert`")
        return files
    if not path.exists():
        raise TrainingDataError(f"{path}: no such file or folder; run `bioner convert` first")
    return [path]


def _require_entities(docs: Iterator[Doc], path: Path) -> Iterator[Doc]:
    """Hold documents back until one with an entity turns up, so that the error comes first."""
    held: List[Doc] = []
    for doc in docs:
        held.append(doc)
        if doc.ents:
            yield from held
            yield from docs
            return
    if not held:
        raise TrainingDataError(f"{path}: found no document, expected at least one")
    message = f"{path}: found no entity in {len(held)} documents; nothing can be learned from that"
    raise TrainingDataError(message + " (check the labels and --label-map of `bioner convert`)")


def _shuffled(docs: Iterator[Doc]) -> List[Doc]:
    everything = list(docs)
    random.shuffle(everything)
    return everything


def _make_example(nlp: Language, reference: Doc) -> Example:
    # Texts whose spacing is unknown (tokens from a file without offsets) cannot be tokenized anew.
    if reference.has_unknown_spaces:
        words = [token.text for token in reference]
        return Example(Doc(nlp.vocab, words=words), reference)
    return Example(nlp.make_doc(reference.text), reference)
