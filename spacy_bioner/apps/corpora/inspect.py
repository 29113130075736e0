"""What is in these corpora? Statistics of each, and what of the others the first one has."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner import __version__
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.labels import LabelChoice
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.corpora.statistics.corpus import CorpusStatistics, CorpusTally
from spacy_bioner.corpora.statistics.vocabulary_overlap import Overlap, measure_overlap
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.files.json_files import fill_json
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing
from spacy_bioner.reports.html.corpus_page import render_corpus_page
from spacy_bioner.reports.plots.style import require_matplotlib

JSON_NAME = "corpus.json"
PAGE_NAME = "corpus.html"
_NAMED = re.compile(r"([\w .-]+)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A corpus to look at.

    name (str): What to call it, such as "train".
    path (Path): A file or folder.
    """

    name: str
    path: Path


@dataclass(frozen=True)
class Inspection:
    """What was found.

    skipped (Dict[str, Any]): By corpus, what a lenient reading left out, with messages.
    """

    sources: Tuple[Source, ...]
    corpora: Tuple[CorpusStatistics, ...]
    overlaps: Tuple[Overlap, ...]
    skipped: Dict[str, Any]

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "version": __version__,
            "sources": [{"name": s.name, "path": str(s.path)} for s in self.sources],
            "corpora": [corpus.to_json() for corpus in self.corpora],
            "overlaps": [overlap.to_json() for overlap in self.overlaps],
            "skipped": self.skipped,
        }


def parse_sources(texts: Iterable[str]) -> List[Source]:
    """Read `NAME=PATH` or `PATH`; without a name, the file's is taken, up to the first dot.

    Equal names that were not given get the folder before them, or a number behind them.
    RAISES (ConfigError): A name given twice.
    """
    given: List[Tuple[Optional[str], Path]] = []
    for text in texts:
        match = None if Path(text).exists() else _NAMED.fullmatch(text)
        given.append((match[1], Path(match[2])) if match else (None, Path(text)))
    twice = [name for name, number in Counter(n for n, _ in given if n).items() if number > 1]
    if twice:
        raise ConfigError(f"found the name {twice[0]!r} twice, expected another for each corpus")
    short = Counter(_short_name(path) for _, path in given)
    taken = {name for name, _ in given if name}
    sources: List[Source] = []
    for name, path in given:
        if name is None:
            name = _short_name(path)
            if short[name] > 1 or name in taken:
                name = f"{path.resolve().parent.name}/{name}"
            name = _number(name, taken)
        taken.add(name)
        sources.append(Source(name, path))
    return sources


def inspect(
    sources: Sequence[Source],
    *,
    from_format: str = "auto",
    label_map: Optional[Mapping[str, str]] = None,
    lenient: bool = False,
    output: Optional[PathLike] = None,
    clouds: bool = True,
    progress: Callable[[int], None] = lambda documents: None,
) -> Inspection:
    """Count what corpora consist of.

    sources (Sequence[Source]): The first is what the others are compared with.
    from_format (str): A name in `corpora.FORMATS`, or "auto".
    label_map (Optional[Mapping[str, str]]): New names of labels; others stay as they are.
    lenient (bool): Leave out what cannot be read, and count it.
    output (Optional[PathLike]): A folder for `corpus.json` and `corpus.html`, made when it is not
        there. Both files appear only when both are whole.
    clouds (bool): Draw word clouds on the page.
    progress (Callable[[int], None]): Is told the number of documents after each.
    RAISES (CorpusError): A file that cannot be read; an output that is no folder.
    RAISES (ConfigError): An output without matplotlib to draw it.
    RAISES (LabelError): A label to rename that no mention of any corpus has.
    """
    if output is not None:
        # Before anything is read: a large corpus takes its time.
        require_matplotlib()
        if Path(output).exists() and not Path(output).is_dir():
            raise CorpusError("found a file, expected the name of a folder", path=output)
    given: Any = {"label_map": label_map, "lenient": lenient, "clouds": clouds}
    return _inspect(sources, output, from_format=from_format, progress=progress, **given)


@guards_outputs("output", inputs=("sources",), file=PAGE_NAME)
def _inspect(
    sources: Sequence[Source],
    output: Optional[PathLike],
    *,
    from_format: str,
    label_map: Optional[Mapping[str, str]],
    lenient: bool,
    clouds: bool,
    progress: Callable[[int], None],
) -> Inspection:
    tallies: List[CorpusTally] = []
    skipped: Dict[str, Any] = {}
    choice = LabelChoice(label_map or {})
    documents = 0
    for source in sources:
        tally = CorpusTally(source.name)
        problems = ReadErrors() if lenient else None
        records = read_records(source.path, from_format, problems=problems)
        for record in choice.apply(records):
            tally.add(record)
            documents += 1
            progress(documents)
        tallies.append(tally)
        if problems and problems.skipped:
            skipped[source.name] = problems.to_json()
    choice.check_names()
    overlaps = [
        measure_overlap(tallies[0].inventory, tally.inventory, names=(tallies[0].name, tally.name))
        for tally in tallies[1:]
    ]
    corpora = tuple(tally.statistics() for tally in tallies)
    inspection = Inspection(tuple(sources), corpora, tuple(overlaps), skipped)
    if output is not None:
        write_inspection(inspection, output, clouds=clouds)
    return inspection


def write_inspection(inspection: Inspection, folder: PathLike, *, clouds: bool = True) -> None:
    """Write `corpus.json` and `corpus.html`; other files in the folder stay."""
    page = render_corpus_page(inspection.corpora, inspection.overlaps, clouds=clouds)
    folder = Path(folder)
    with replacing(folder / JSON_NAME) as json_file, replacing(folder / PAGE_NAME) as page_file:
        fill_json(json_file, inspection.to_json())
        # A lone surrogate has an escape in JSON, but no form in HTML.
        page_file.write_text(page, encoding="utf-8", errors="replace")


def _short_name(path: Path) -> str:
    name = path.resolve().name
    return name.lstrip(".").split(".")[0] or name or "corpus"


def _number(name: str, taken: Iterable[str]) -> str:
    numbered, number = name, 1
    while numbered in taken:
        number += 1
        numbered = f"{name} ({number})"
    return numbered
