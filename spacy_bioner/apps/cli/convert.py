"""`bioner convert`: a corpus file → DocBin, PubTator or CoNLL, with an account of every mention."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional

import spacy
import typer
from spacy.tokens import Doc

from spacy_bioner.corpora.conll import REPAIRED_KEY, ConllLayout, write_conll
from spacy_bioner.corpora.conservation import ConservationCount, MentionIssue
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.corpora.docs import align, make_words_doc
from spacy_bioner.corpora.files import PathLike, read_lines, replacing
from spacy_bioner.corpora.pubtator import RELATIONS_KEY, write_pubtator
from spacy_bioner.corpora.reading import Selection, parse_label_map, read_records, rename_labels
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Record

TARGETS = ("spacy", "pubtator", "conll", "tsv")
TOKENIZERS = ("bioner", "blank", "corpus")
SHOWN_ISSUES = 10
_SUFFIXES = {".spacy": "spacy", ".tsv": "conll", ".conll": "conll", ".iob": "conll"}

TokenizeRecord = Callable[[Record], Doc]


@dataclass
class Conversion:
    """What a conversion read and wrote.

    documents (int): Number of documents written.
    entities (int): Number of entities in `doc.ents`; 0 for PubTator, which needs no Docs.
    count (ConservationCount): What became of each gold mention.
    issues (List[MentionIssue]): Lost mentions and those whose text does not match.
    relations_skipped (int): Relation lines of PubTator files.
    tags_repaired (int): Tags of CoNLL files that followed illegally.
    labels_read (Dict[str, int]): Mentions of each label as the file spells it.
    labels_not_found (List[str]): Names in the label map that no mention has.
    """

    source: str
    target: str
    documents: int = 0
    entities: int = 0
    count: ConservationCount = field(default_factory=ConservationCount)
    issues: List[MentionIssue] = field(default_factory=list)
    relations_skipped: int = 0
    tags_repaired: int = 0
    labels_read: Dict[str, int] = field(default_factory=dict)
    labels_not_found: List[str] = field(default_factory=list)

    def to_json(self) -> Dict[str, Any]:
        """Give the whole account as plain data."""
        data = {name: getattr(self, name) for name in vars(self)}
        data["count"] = self.count.to_json()
        data["issues"] = [asdict(issue) for issue in self.issues]
        return data


def convert(
    source: PathLike,
    target: PathLike,
    *,
    from_format: str = "auto",
    to_format: Optional[str] = None,
    tokenizer: str = "bioner",
    label_map: Optional[Mapping[str, str]] = None,
    selection: Optional[Selection] = None,
    layout: Optional[ConllLayout] = None,
    to_scheme: str = "IOB2",
    report: Optional[PathLike] = None,
) -> Conversion:
    """Convert one corpus file; target and report are written whole or not at all.

    from_format (str): "pubtator", "conll", "tsv" or "auto".
    to_format (Optional[str]): "spacy", "pubtator" or "conll"; None goes by the target's suffix.
    tokenizer (str): "bioner" (this package's), "blank" (spaCy's English) or "corpus" (the file's
        own tokens).
    to_scheme (str): The tag scheme of a CoNLL target.
    report (Optional[PathLike]): Where to write the account as JSON.
    RAISES (CorpusError): A file, format or tokenizer that cannot be used as asked.
    """
    to_format = _target_format(Path(target), to_format)
    tokenize = make_tokenizer(tokenizer)
    conversion = Conversion(str(source), str(target))
    records = read_records(source, from_format, selection=selection or Selection(), layout=layout)
    records = _observe(records, conversion)
    records = rename_labels(records, label_map or {})
    if to_format == "pubtator":
        conversion.documents = write_pubtator(_account_unaligned(records, conversion), target)
    elif to_format == "spacy":
        conversion.documents = write_docbin(_align_all(records, tokenize, conversion), target)
    else:
        docs = _align_all(records, tokenize, conversion)
        conversion.documents = write_conll(docs, target, scheme=to_scheme)
    conversion.labels_not_found = sorted(set(label_map or {}) - set(conversion.labels_read))
    if report is not None:
        _write_report(conversion, report)
    return conversion


def make_tokenizer(name: str) -> TokenizeRecord:
    """Create the tokenizer that `convert` knows under a name.

    RAISES (CorpusError): An unknown name.
    """
    if name == "corpus":
        vocab = spacy.blank("en").vocab
        return lambda record: make_words_doc(record, vocab)
    if name not in TOKENIZERS:
        message = f"found tokenizer {name!r}, expected one of {', '.join(TOKENIZERS)}"
        raise CorpusError(message)
    config: Dict[str, Any] = {}
    if name == "bioner":
        ours = {"@tokenizers": "spacy_bioner.BiomedicalTokenizer.v1"}
        config = {"nlp": {"tokenizer": ours}}
    nlp = spacy.blank("en", config=config)
    return lambda record: nlp.tokenizer(record.text)


def convert_cli(
    source: Annotated[Path, typer.Argument(help="Corpus file", metavar="IN")],
    target: Annotated[Path, typer.Argument(help="File to write", metavar="OUT")],
    from_format: Annotated[
        str, typer.Option("--from", help="pubtator, conll, tsv, or auto to look into the file")
    ] = "auto",
    to_format: Annotated[
        Optional[str], typer.Option("--to", help="spacy, pubtator or conll; default: by suffix")
    ] = None,
    tokenizer: Annotated[
        str, typer.Option(help="bioner, blank (spaCy's English) or corpus (the file's own tokens)")
    ] = "bioner",
    label_map: Annotated[
        Optional[List[str]],
        typer.Option("--label-map", help="OLD=NEW; several with commas or by repeating"),
    ] = None,
    skip: Annotated[int, typer.Option(min=0, help="Leave out that many documents first")] = 0,
    first: Annotated[
        Optional[int], typer.Option(min=1, help="Then take at most that many documents")
    ] = None,
    ids: Annotated[
        Optional[Path], typer.Option(help="Take only the documents named in a file, one a line")
    ] = None,
    scheme: Annotated[
        Optional[str], typer.Option(help="Tag scheme of a CoNLL source; default: detected")
    ] = None,
    label: Annotated[str, typer.Option(help="Label of CoNLL tags without one (B, I, O)")] = "",
    word_column: Annotated[int, typer.Option(help="CoNLL column of the word")] = 0,
    tag_column: Annotated[int, typer.Option(help="CoNLL column of the tag")] = -1,
    to_scheme: Annotated[str, typer.Option(help="Tag scheme of a CoNLL target")] = "IOB2",
    report: Annotated[Optional[Path], typer.Option(help="Write the account as JSON")] = None,
) -> None:
    """Convert a corpus file, and account for every gold mention."""
    names = frozenset(line.strip() for _, line in read_lines(ids) if line.strip()) if ids else None
    conversion = convert(
        source,
        target,
        from_format=from_format,
        to_format=to_format,
        tokenizer=tokenizer,
        label_map=parse_label_map(label_map or ()),
        selection=Selection(skip=skip, first=first, ids=names or frozenset()),
        layout=ConllLayout(word_column, tag_column, scheme, label),
        to_scheme=to_scheme,
        report=report,
    )
    typer.echo(render_conversion(conversion))


def render_conversion(conversion: Conversion) -> str:
    """Render the account as text: the table, then what deserves a look."""
    count = conversion.count
    lines = [
        f"{conversion.target}: {conversion.documents} documents, {count.total} gold mentions, "
        f"{conversion.entities} entities",
        count.to_table(),
    ]
    if conversion.relations_skipped:
        lines.append(f"{conversion.relations_skipped} relation lines were skipped")
    if conversion.tags_repaired:
        lines.append(f"{conversion.tags_repaired} tags in illegal places were repaired")
    if conversion.labels_not_found:
        names = ", ".join(conversion.labels_not_found)
        lines.append(f"the label map names labels that no mention has: {names}")
    lines.extend(
        _render_issue(conversion.source, issue) for issue in conversion.issues[:SHOWN_ISSUES]
    )
    more = len(conversion.issues) - SHOWN_ISSUES
    if more > 0:
        lines.append(f"… and {more} more like these; --report writes all of them")
    return "\n".join(lines)


def _target_format(target: Path, name: Optional[str]) -> str:
    if name is None:
        name = _SUFFIXES.get(target.suffix.lower())
        if name is None and "pubtator" in target.name.lower():
            name = "pubtator"
    if name not in TARGETS:
        found = f"format {name!r}" if name else f"no format and a name ending {target.suffix!r}"
        message = f"found {found}, expected one of {', '.join(TARGETS)} (--to)"
        raise CorpusError(message, path=target)
    return "conll" if name == "tsv" else name


def _observe(records: Iterable[Record], conversion: Conversion) -> Iterator[Record]:
    labels: Counter = Counter()
    for record in records:
        conversion.relations_skipped += int(record.meta.get(RELATIONS_KEY, 0))
        conversion.tags_repaired += int(record.meta.get(REPAIRED_KEY, 0))
        labels.update(mention.label for mention in record.mentions)
        conversion.labels_read = dict(labels)
        yield record


def _align_all(
    records: Iterable[Record], tokenize: TokenizeRecord, conversion: Conversion
) -> Iterator[Doc]:
    for record in records:
        alignment = align(record, lambda _, record=record: tokenize(record))  # type: ignore[misc]
        conversion.count = conversion.count + alignment.count
        conversion.issues.extend(alignment.issues)
        conversion.entities += len(alignment.doc.ents)
        yield alignment.doc


def _account_unaligned(records: Iterable[Record], conversion: Conversion) -> Iterator[Record]:
    """Count the mentions of a target that keeps offsets: only fragments get lost in it."""
    for record in records:
        outcomes = [
            (mention.label, "discontinuous" if mention.fragments else "exact", "")
            for mention in record.mentions
        ]
        conversion.count = conversion.count + ConservationCount.of(outcomes)
        yield record


def _render_issue(source: str, issue: MentionIssue) -> str:
    place = source if issue.line is None else f"{source}:{issue.line}"
    where = f"{issue.record_id} {issue.start_char}-{issue.end_char} {issue.label}"
    found = f"found {issue.found!r}, expected {issue.expected!r}"
    return f"{place}: {where}: {issue.kind} ({issue.reason}): {found}"


def _write_report(conversion: Conversion, path: PathLike) -> None:
    with replacing(path) as temporary:
        text = json.dumps(conversion.to_json(), ensure_ascii=False, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
