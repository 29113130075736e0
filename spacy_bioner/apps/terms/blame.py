"""Which terms of a table fire wrongly on gold documents, and a list of names to leave out."""

from pathlib import Path
from typing import Callable, Iterator, Mapping, Optional, Sequence, Tuple

from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import counted
from spacy_bioner.apps.terms.terms import SUPPRESSION_HEADER
from spacy_bioner.corpora.read_write import read_corpus
from spacy_bioner.corpora.tokenizers import OURS, build_tokenizer
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.terms import Blame, TermCounts, TermTally, find_spans
from spacy_bioner.files.replacing import write_text
from spacy_bioner.knowledge.gaz import read_gaz

MAX_PRECISION = 0.5
MIN_WRONG = 2


@guards_outputs("output", "proved", inputs=("gaz", "corpus"), as_files=("output", "proved"))
def blame_terms(
    gaz: Path,
    corpus: Path,
    *,
    from_format: str = "auto",
    label_map: Optional[Mapping[str, str]] = None,
    max_precision: float = MAX_PRECISION,
    min_wrong: int = MIN_WRONG,
    output: Optional[Path] = None,
    proved: Optional[Path] = None,
    progress: Callable[[int], None] = lambda documents: None,
) -> Blame:
    """Find the terms of a table in gold documents, and compare them with the mentions.

    corpus (Path): Gold documents in any format; not those of a test split.
    label_map (Optional[Mapping[str, str]]): New names of the corpus' labels.
    max_precision (float): A term is proposed to be left out that is less often right than that,
    min_wrong (int): and wrong that often.
    output (Optional[Path]): Write the proposal there, for a review, and for `import_terms`.
    proved (Optional[Path]): Write the terms there that are right that often or more, to keep them
        alone.
    progress (Callable[[int], None]): Is told how many documents were done.
    RAISES (TermTableError): No such table.
    RAISES (CorpusError): A corpus that cannot be read.
    RAISES (ConfigError): One without mentions of a label that the table has.
    """
    matcher = read_gaz(gaz)
    tokenize = build_tokenizer(OURS)
    tally = TermTally()
    records = read_corpus(corpus, from_format, label_map=label_map)
    for record in counted(records, progress):
        tally.add(record, find_spans(matcher, tokenize(record)))
    shared = tally.gold.keys() & set(matcher.table.labels)
    if not shared:
        raise ConfigError(
            f"{corpus}: found mentions of {', '.join(sorted(tally.gold)) or 'nothing'}; expected "
            f"some of {', '.join(matcher.table.labels)}, which the table has; see --label-map"
        )
    judged = [counts for counts in tally.list_terms() if counts.label in shared]
    faulty = sorted(
        (counts for counts in judged if counts.wrong),
        key=lambda counts: (-counts.wrong, counts.right, counts.name, counts.label),
    )
    suppressed = [
        counts
        for counts in faulty
        if counts.wrong >= min_wrong and counts.precision < max_precision
    ]
    right = [one for one in judged if one.right and one.precision >= max_precision]
    if output is not None:
        title = f"Terms of {gaz.name} that are wrong on {corpus.name}. Remove those to keep."
        write_text(output, "".join(_format_rows(title, suppressed)))
    if proved is not None:
        title = f"Terms of {gaz.name} that are right on {corpus.name}. Remove those to leave out."
        write_text(proved, "".join(_format_rows(title, right)))
    return Blame(
        tally.documents,
        sum(tally.found[label] for label in shared),
        sum(tally.right[label] for label in shared),
        sum(tally.gold[label] for label in shared),
        {label: n for label, n in sorted(tally.found.items()) if label not in shared},
        faulty,
        suppressed,
        right,
    )


def _format_rows(title: str, terms: Sequence[TermCounts]) -> Iterator[str]:
    yield f"# {title}\n"
    columns: Tuple[str, ...] = (*SUPPRESSION_HEADER, "right", "wrong", "example")
    yield "\t".join(columns) + "\n"
    for one in terms:
        # A name or a label has no tabs: it was read from a line of cells.
        yield "\t".join((one.name, one.label, str(one.right), str(one.wrong), one.example)) + "\n"
