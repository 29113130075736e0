"""The corpus reader for span categorizers: all gold mentions, nested ones too, where they look.

spaCy's `spancat` and `span_finder` learn from a span group of the gold Doc and write one of the
same name. DocBins have all gold mentions in `doc.spans["gold"]`; a pipeline that wrote its
predictions there would pass them off as gold. So the reader gives the gold Doc, and it alone,
a second group under the name that predictions are to have.
"""

from pathlib import Path
from typing import Callable, Iterable, Iterator, Optional

from spacy.language import Language
from spacy.training import Example

from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import SPANS_KEY
from spacy_bioner.training.corpus import BionerCorpus


def make_span_corpus(
    path: Optional[Path],
    *,
    spans_key: str,
    limit: int = 0,
    shuffle: bool = False,
    augmenter: Optional[Callable[[Language, Example], Iterator[Example]]] = None,
) -> Callable[[Language], Iterable[Example]]:
    """Create the reader registered as `spacy_bioner.SpanCorpus.v1`.

    path (Optional[Path]): A .spacy file, or a folder of them (read in order of their names).
    spans_key (str): The span group of `spancat`: its own setting of that name.
    limit (int): Read at most that many documents; 0 reads all.
    shuffle (bool): Give the documents in random order, which holds all of them in memory.
    augmenter (Optional[Callable]): Maps an Example to the Examples to train on instead.
    RETURNS (Callable[[Language], Iterable[Example]]): Reads the corpus anew at each call.
    RAISES (ConfigError): For the span group "gold", and none.
    """
    if spans_key in ("", SPANS_KEY):
        raise ConfigError(
            f"found spans_key = {spans_key!r}, expected another name: predictions get it, and "
            f"{SPANS_KEY!r} is for gold mentions"
        )
    corpus = SpanCorpus(path, limit=limit, shuffle=shuffle, augmenter=augmenter)
    corpus.spans_key = spans_key
    return corpus


class SpanCorpus(BionerCorpus):
    """Reads what `BionerCorpus` reads; a gold Doc without `spans["gold"]` gives its entities."""

    spans_key: str = ""

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Stream Examples; only their references have the span group.

        RAISES (BionerError): As `BionerCorpus` does.
        """
        for example in super().__call__(nlp):
            gold = example.reference
            mentions = gold.spans.get(SPANS_KEY, gold.ents)
            gold.spans[self.spans_key] = list(mentions)
            yield example
