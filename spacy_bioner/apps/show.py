"""The entities that a pipeline finds in a text."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from spacy_bioner.errors import BionerError

if TYPE_CHECKING:
    from spacy.tokens import Doc


def show(model: str, text: str, *, gpu_id: int = -1) -> "Doc":
    """Load a pipeline and run it over one text.

    model (str): A pipeline folder, or the name of an installed pipeline package.
    text (str): One document.
    gpu_id (int): -1 for the CPU.
    RETURNS (Doc): With what it finds.
    """
    from spacy_bioner.apps.loading import load_pipeline
    from spacy_bioner.components.rulers import credit_rulers

    nlp = load_pipeline(model, gpu_id=gpu_id)
    doc = nlp(text)
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
