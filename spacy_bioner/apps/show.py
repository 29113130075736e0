"""The entities that a pipeline finds in a text."""

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from spacy_bioner.errors import BionerError, CorpusWarning

if TYPE_CHECKING:
    from spacy.tokens import Doc


def show(model: str, text: str, *, dataset: str = "", gpu_id: int = -1) -> "Doc":
    """Load a pipeline and run it over one text.

    model (str): A pipeline folder, or the name of an installed pipeline package.
    text (str): One document.
    dataset (str): Of a pipeline that was trained on several corpora, the one by whose rules it
        annotates; "" is none in particular.
    gpu_id (int): -1 for the CPU.
    RETURNS (Doc): With what it finds. A text that seems to be in another language than the
        pipeline has learned gets a warning.
    RAISES (ConfigError): For a corpus that the pipeline does not know.
    """
    from spacy_bioner.apps.annotation.documents import describe_foreign
    from spacy_bioner.apps.loading import load_pipeline
    from spacy_bioner.architectures.datasets import choose_dataset
    from spacy_bioner.architectures.pieces.counts import noting_layouts
    from spacy_bioner.components.rulers import credit_rulers

    nlp = load_pipeline(model, gpu_id=gpu_id)
    if dataset:
        choose_dataset(nlp, dataset)
    with noting_layouts() as notes:
        doc = nlp(text)
    if notes.count(doc).is_foreign:
        warnings.warn(describe_foreign(1), CorpusWarning, stacklevel=2)
    credit_rulers(doc, nlp)
    return doc


def read_text(file: Optional[Path], text: Optional[str]) -> str:
    """Take the text from the option, the file or standard input.

    RAISES (BionerError): Both an option and a file, no such file, not UTF-8.
    """
    if text is not None and file is not None:
        raise BionerError(f"found both --text and the file {file}, expected one of them")
    if text is not None:
        return text
    if file is not None and not file.is_file():
        found = "found a folder" if file.is_dir() else "no such file"
        raise BionerError(f"{file}: {found}, expected a text file")
    content = sys.stdin.buffer.read() if file is None else file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"found byte 0x{content[error.start]:02x} at offset {error.start}"
        place = "standard input" if file is None else file
        raise BionerError(f"{place}: {message}, expected UTF-8 text") from error
