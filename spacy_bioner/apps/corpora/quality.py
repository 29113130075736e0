"""The quality of an annotation: what is inconsistent in it, or how far it agrees with another."""

from pathlib import Path
from typing import Callable, Iterable, Iterator, Optional

from spacy_bioner.apps.progress import counted
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.labels import LabelChoice, parse_label_map
from spacy_bioner.corpora.quality.agreement import Agreement, compare_annotations
from spacy_bioner.corpora.quality.report import QualityReport, check_quality
from spacy_bioner.corpora.quality.suspicious_spans import MAX_CHARACTERS
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.records import Record

Progress = Callable[[int], None]


def choose_labels(label_map: Iterable[str], labels: str) -> LabelChoice:
    """Read which labels are renamed and which are looked at.

    label_map (Iterable[str]): Texts like OLD=NEW.
    labels (str): Separated by commas, as they are mapped; empty: all.
    """
    wanted = frozenset(label.strip() for label in labels.split(",") if label.strip())
    return LabelChoice(parse_label_map(label_map), wanted)


def check_corpus(
    source: Path,
    choice: LabelChoice,
    *,
    from_format: str = "auto",
    n_examples: int = 3,
    max_characters: int = MAX_CHARACTERS,
    problems: Optional[ReadErrors] = None,
    progress: Progress = lambda documents: None,
) -> QualityReport:
    """Find what is annotated inconsistently in a corpus, and spans that look wrong.

    RAISES (CorpusError): A file that cannot be read.
    RAISES (LabelError): A chosen label that no mention has.
    """
    # The second reading meets the same problems again.
    notes = iter([problems])

    def read() -> Iterator[Record]:
        noted = next(notes, problems and ReadErrors())
        records = read_records(source, from_format, problems=noted)
        return counted(choice.apply(records), progress)

    found = check_quality(read, n_examples=n_examples, max_characters=max_characters)
    choice.check_names()
    choice.check_labels()
    return found


def compare_corpora(
    source: Path,
    against: Path,
    choice: LabelChoice,
    *,
    from_format: str = "auto",
    problems: Optional[ReadErrors] = None,
    progress: Progress = lambda documents: None,
) -> Agreement:
    """Measure how far two annotations of the same documents agree.

    RAISES (CorpusError): A file that cannot be read, documents that differ.
    RAISES (LabelError): A chosen label that no mention has.
    """

    def read(path: Path) -> Iterator[Record]:
        records = read_records(path, from_format, problems=problems)
        return counted(choice.apply(records), progress)

    found = compare_annotations(read(source), read(against), problems=problems, path=against)
    choice.check_names()
    choice.check_labels()
    return found
