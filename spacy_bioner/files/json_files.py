"""JSON as all outputs have it: indented, spelled as it is, only lone surrogates as escapes."""

import json
from pathlib import Path
from typing import Any

from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing


def write_json(path: PathLike, data: Any, *, indent: int = 1) -> None:
    """Write JSON, whole or not at all.

    RAISES (OutputError): Where no file can be made, or another process is making it.
    """
    with replacing(path) as temporary:
        fill_json(temporary, data, indent=indent)


def fill_json(path: Path, data: Any, *, indent: int = 1) -> None:
    """Write JSON to a file that is not in its place yet: a temporary one, or in a new folder."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
