"""Gold documents to choose or check something by, each read by the rules of its corpus."""

from pathlib import Path
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry

from spacy_bioner.apps.evaluation.evaluate import read_gold
from spacy_bioner.apps.profiles import get_setting
from spacy_bioner.errors import BionerError, ConfigError
from spacy_bioner.gold import DATASET_KEY


class DevDocument(NamedTuple):
    """A gold document.

    gold (Doc): With what is annotated.
    dataset (str): The corpus by whose rules; "" is none in particular.
    """

    gold: Doc
    dataset: str = ""


def read_dev(
    nlp: Language, path: Optional[Path] = None, *, labels: Sequence[str] = (), dataset: str = ""
) -> List[DevDocument]:
    """Read documents of a file, or those by which a pipeline's checkpoint was chosen.

    path (Optional[Path]): A DocBin; None reads what the pipeline's config names as `dev_corpus`.
    labels (Sequence[str]): Those that the file annotates; empty: all.
    dataset (str): The corpus by whose rules the file is annotated.
    RAISES (ConfigError): Where the config's documents cannot be read.
    RAISES (CorpusError): For a file without documents or annotation.
    RAISES (LabelError): For labels that the file does not have.
    """
    if path is not None:
        return [DevDocument(doc, dataset) for doc in read_gold(path, nlp, labels)]
    config = nlp.config.interpolate()
    try:
        # Alone: the training documents beside them need not be there.
        section = get_setting(config, config["training"]["dev_corpus"])
        examples = list(registry.resolve({"dev": section})["dev"](nlp))
    # What spaCy raises for readers that are not there differs by what is missing.
    except (BionerError, KeyError, TypeError, ValueError, OSError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise ConfigError(
            "the development documents that the pipeline's config names cannot be read "
            f"({reason}): name a .spacy file, or run from where it was trained"
        ) from error
    return [
        DevDocument(example.reference, str(example.predicted.user_data.get(DATASET_KEY, "")))
        for example in examples
    ]


def annotate_dev(nlp: Language, documents: Sequence[DevDocument]) -> List[Doc]:
    """Run a pipeline over the texts of gold documents, each by the rules of its corpus."""
    return list(nlp.pipe(make_docs(nlp, documents)))


def make_docs(nlp: Language, documents: Iterable[DevDocument]) -> Iterator[Doc]:
    """Make Docs of the texts of gold documents, which name the corpora of these."""
    for gold, dataset in documents:
        doc = nlp.make_doc(gold.text)
        if dataset:
            doc.user_data[DATASET_KEY] = dataset
        yield doc
