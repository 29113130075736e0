"""A corpus → files of training, development and test documents, or of folds."""

from collections import Counter
from math import isfinite
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import counted
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.registry import WRITABLE, find_format
from spacy_bioner.corpora.read_write import read_records, write_records
from spacy_bioner.corpora.splits.split import JSON_NAME, GroupBy, Splits, k_folds, split_records
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.files.json_files import fill_json
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import is_debris
from spacy_bioner.files.replacing import replacing_folder
from spacy_bioner.files.same_files import check_apart

TRAIN, TEST = "train", "test"
# Whole numbers that add up to more are meant as parts of 100.
MAX_SHARES = 20
Progress = Callable[[int], None]


@guards_outputs("target")
def split(
    source: PathLike,
    target: PathLike,
    *,
    ratios: Sequence[float] = (0.8, 0.1, 0.1),
    names: Optional[Sequence[str]] = None,
    folds: Optional[int] = None,
    seed: int = 0,
    group_by: GroupBy = None,
    stratify: bool = False,
    from_format: str = "auto",
    to_format: Optional[str] = None,
    problems: Optional[ReadErrors] = None,
    losses: Optional[Counter[str]] = None,
    progress: Progress = lambda documents: None,
) -> Splits:
    """Divide a corpus into files of a new folder, which appears only when it is whole.

    folds (Optional[int]): Instead of ratios; each fold gets a folder with the files train (all
        other folds) and test.
    to_format (Optional[str]): None writes the format that was read.
    problems (Optional[ReadErrors]): Takes note of what cannot be read, which is then left out.
    losses (Optional[Counter[str]]): Is told what the written format has no place for, once for
        each document.
    RAISES (CorpusError): A file that cannot be read, a folder that is not empty, too few documents.
    """
    target = Path(target).absolute()
    if target.is_file() or (target.is_dir() and not all(map(is_debris, target.iterdir()))):
        kind = "a file" if target.is_file() else "a folder that is not empty"
        raise CorpusError(f"found {kind}, expected a new folder; name another", path=target)
    check_apart([target], [source])
    read_as = detect_format(source) if from_format == "auto" else find_format(from_format).name
    if to_format is None and read_as not in WRITABLE:
        message = f"found format {read_as}, which can only be read; choose another with --to"
        raise CorpusError(message, path=source)
    written = find_format(to_format or read_as, to_write=True)
    records = read_records(source, read_as, problems=problems)
    observed = counted(records, progress)
    settings: Dict[str, Any] = {"seed": seed, "group_by": group_by, "stratify": stratify}
    if folds is None:
        splits = split_records(observed, ratios, names=_check_names(names), **settings)
    else:
        splits = k_folds(observed, folds, **settings)
    with replacing_folder(target) as folder:
        folder.mkdir()
        for path, chosen, is_part in _plan_files(splits, folds is not None, written.file_ending):
            # The problems were noted when the file was first read.
            again = read_records(source, read_as, problems=problems and ReadErrors())
            (folder / path).parent.mkdir(exist_ok=True)
            chosen_records = splits.select(again, *chosen)
            counts = losses if is_part else None
            write_records(chosen_records, folder / path, written.name, losses=counts)
        data = {"source": str(source), "format": written.name, **splits.to_json()}
        fill_json(folder / JSON_NAME, data)
    return splits


def parse_ratios(text: str) -> List[float]:
    """Read parts of 100 ("80/10/10", "80:20", "80%, 20%"), of 1 ("0.8/0.2"), or small whole numbers
    ("8/1/1").

    RAISES (ConfigError): What is no such numbers, or adds up to something else.
    """
    separator = next((mark for mark in "/:;," if mark in text), None)
    try:
        ratios = [float(part.strip().removesuffix("%")) for part in text.split(separator)]
    except ValueError as error:
        raise ConfigError(f"found the ratio {text!r}, expected numbers like 80/10/10") from error
    if len(ratios) < 2 or not all(isfinite(ratio) and ratio > 0 for ratio in ratios):
        message = f"found the ratio {text!r}, expected two positive numbers or more"
        raise ConfigError(f"{message}, like 80/10/10")
    total = sum(ratios)
    is_small = total <= MAX_SHARES and all(ratio.is_integer() for ratio in ratios)
    # Thirds are written as 33/33/33.
    if not (is_small or abs(total - 100) <= 1 or abs(total - 1) <= 0.01):
        message = f"found the ratio {text!r}, which adds up to {total:g}"
        expected = "expected parts of 100 (80/10/10), of 1 (0.8/0.1/0.1) or small shares (8/1/1)"
        raise ConfigError(f"{message}, {expected}")
    return ratios


def _check_names(names: Optional[Sequence[str]]) -> Optional[Sequence[str]]:
    for name in names or ():
        if name in ("", ".", "..") or set(name) & set('/\\:*?"<>|'):
            message = f"found the name {name!r} of a part, expected one that a file can have"
            raise ConfigError(message)
    return names


def _plan_files(splits: Splits, folds: bool, ending: str) -> Iterator[tuple[str, List[str], bool]]:
    """Yield the files to write, each with the parts that it has, and whether it is one of them.

    Every document stands once in the files that are parts: of folds, these are the test files.
    """
    every = [part.name for part in splits.parts]
    for name in every:
        if folds:
            yield f"{name}/{TRAIN}{ending}", [other for other in every if other != name], False
            yield f"{name}/{TEST}{ending}", [name], True
        else:
            yield f"{name}{ending}", [name], True
