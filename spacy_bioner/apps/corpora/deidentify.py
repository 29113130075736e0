"""De-identification of a corpus in any format, with an account of every identifier and mention."""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, cast

from spacy_bioner.apps.corpora.cleaning import Step
from spacy_bioner.apps.corpora.conversion_report import Conversion
from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.corpora.formats.capabilities import own_meta
from spacy_bioner.errors import ConfigError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import claiming
from spacy_bioner.files.same_files import check_apart, list_paths
from spacy_bioner.records import Record
from spacy_bioner.transforms.deidentification import (
    MASK,
    SURROGATES,
    DeidentifiedRecord,
    Find,
    Surrogate,
    deidentify,
    deidentify_text,
    find_identifiers,
)
from spacy_bioner.transforms.identifiers.rules import Identifier

WITHIN_IDENTIFIER = "part of an identifier that was replaced"
RULES_ARE_NOT_ENOUGH = (
    "rules find names only behind titles and cue words (Dr., Patient:), and no towns or hospitals; "
    "rules alone are NOT enough to release data: have a person look, or add a trained pipeline "
    "with --model"
)
MODELS_MISS_SOME = (
    "rules and pipelines miss identifiers; measure on documents of your own, and have a person "
    "look before you release data"
)
KEPT = 1000
MENTION_STATES = ("same", "moved", "changed", "dropped")


@dataclass
class Deidentification:
    """The account of a de-identification. It holds no text of what was replaced.

    conversion (Conversion): Of reading and writing; mentions that were dropped count as lost there.
    replace_by (str): The surrogate.
    identifiers (Counter[str]): What was replaced, by label.
    sources (Counter[str]): The same by rule or pipeline.
    mentions (Counter[str]): Gold mentions by what became of them: same, moved, changed, dropped.
    documents_changed (int): Those with something replaced.
    placeholders (int): What had been de-identified before.
    n_left (int): Parts of identifiers that gold mentions keep in the text.
    left (List[Tuple[str, Identifier]]): The first of them, with their document.
    metadata (Counter[str]): Metadata that was left out, by name.
    ids_replaced (bool): Whether the documents were numbered anew.
    warning (str): What to bear in mind.
    """

    conversion: Conversion
    replace_by: str = "label"
    identifiers: "Counter[str]" = field(default_factory=Counter)
    sources: "Counter[str]" = field(default_factory=Counter)
    mentions: "Counter[str]" = field(default_factory=Counter)
    documents_changed: int = 0
    placeholders: int = 0
    n_left: int = 0
    left: List[Tuple[str, Identifier]] = field(default_factory=list)
    metadata: "Counter[str]" = field(default_factory=Counter)
    ids_replaced: bool = False
    warning: str = RULES_ARE_NOT_ENOUGH

    def add(self, record_id: str, result: DeidentifiedRecord) -> None:
        """Count one document."""
        self.identifiers.update(item.label for item in result.replaced)
        self.sources.update(f"{item.label}: {item.source}" for item in result.replaced)
        self.mentions.update(
            same=result.same,
            moved=result.moved,
            changed=result.changed,
            dropped=len(result.dropped),
        )
        self.documents_changed += bool(result.replaced)
        self.placeholders += result.placeholders
        self.n_left += len(result.left)
        room = KEPT - len(self.left)
        self.left += [(record_id, item) for item in result.left[:room]]

    def to_json(self) -> Dict[str, Any]:
        """Give the account as plain data."""
        left = [
            {"document": name, "start": item.start, "end": item.end, "label": item.label}
            for name, item in self.left
        ]
        return {
            "replace": self.replace_by,
            "identifiers": dict(self.identifiers.most_common()),
            "rules": dict(self.sources.most_common()),
            "mentions": {name: self.mentions[name] for name in MENTION_STATES},
            "documents_changed": self.documents_changed,
            "placeholders": self.placeholders,
            "n_left_in_mentions": self.n_left,
            "left_in_mentions": left,
            "metadata_left_out": dict(self.metadata.most_common()),
            "ids_replaced": self.ids_replaced,
            "warning": self.warning,
        }


def parse_surrogate(name: str) -> Surrogate:
    """Read what stands in the place of identifiers.

    RAISES (ConfigError): For a name that is none of `SURROGATES`.
    """
    if name not in SURROGATES:
        raise ConfigError(f"found --replace {name!r}, expected one of {', '.join(SURROGATES)}")
    return cast(Surrogate, name)


def deidentify_corpus(
    source: PathLike,
    target: PathLike,
    *,
    find: Find = find_identifiers,
    replace_by: Surrogate = "label",
    keep_metadata: bool = False,
    number_documents: bool = False,
    warning: str = RULES_ARE_NOT_ENOUGH,
    report: Optional[PathLike] = None,
    reads: Sequence[PathLike] = (),
    **settings: Any,
) -> Deidentification:
    """De-identify one corpus; OUT and the account appear only when they are whole.

    find (Callable): Gives the identifiers of a text; see `apps.corpora.identifier_finders`.
    keep_metadata (bool): Keep what the file says of a document; values are searched as texts are.
        Otherwise it is left out: subject numbers and dates are identifiers.
    number_documents (bool): Put running numbers in the place of the documents' ids.
    report (Optional[PathLike]): Where the account goes as JSON; default: OUT.deid.json.
    reads (Sequence[PathLike]): What else is read, such as a pipeline: nothing is written there.
    settings (Any): Of `apps.corpora.convert.convert`: from_format, to_format, options, progress.
    RAISES (CorpusError): A file or format that cannot be used as asked.
    """
    path = Path(report) if report is not None else deid_path(Path(target))
    account = Deidentification(
        Conversion(str(source), str(target)),
        replace_by=replace_by,
        ids_replaced=number_documents,
        warning=warning,
    )
    steps = [
        *([number_ids()] if number_documents else []),
        replace_identifiers(account, find, replace_by=replace_by),
        clear_metadata(account, find if keep_metadata else None, replace_by=replace_by),
    ]
    check_apart([target, path], [source, *list_paths(reads)], replaced=[target])
    with claiming(target, path):
        account.conversion = convert(source, target, steps=steps, report=path, **settings)
        data = {**account.conversion.to_json(), "deidentification": account.to_json()}
        account.conversion.log.write(data, path)
    return account


def replace_identifiers(
    account: Deidentification, find: Find, *, replace_by: Surrogate = "label"
) -> Step:
    """Replace what is found; mentions within it are counted as lost, without their text."""

    def step(records: Iterable[Record], conversion: Conversion) -> Iterator[Record]:
        for record in records:
            result = deidentify(record, find, replace_by=replace_by)
            account.add(record.id, result)
            if result.dropped:
                masked = replace(record, text=_mask(record.text, result.replaced))
                hidden = [replace(mention, text="") for mention in result.dropped]
                conversion.lose(masked, hidden, WITHIN_IDENTIFIER)
            yield result.record

    return step


def number_ids() -> Step:
    """Put running numbers in the place of the documents' ids."""

    def step(records: Iterable[Record], conversion: Conversion) -> Iterator[Record]:
        for number, record in enumerate(records, start=1):
            yield replace(record, id=str(number))

    return step


def clear_metadata(
    account: Deidentification, find: Optional[Find], *, replace_by: Surrogate = "label"
) -> Step:
    """Leave out the metadata of documents, or search its values where `find` is given."""

    def step(records: Iterable[Record], conversion: Conversion) -> Iterator[Record]:
        for record in records:
            meta: Dict[str, str] = {}
            if find is None:
                account.metadata.update(own_meta(record.meta).keys())
            else:
                meta = {
                    name: deidentify_text(value, find, replace_by=replace_by)
                    for name, value in own_meta(record.meta).items()
                }
            yield replace(record, meta=meta)

    return step


def deid_path(target: Path) -> Path:
    """Say where the account of a de-identification is kept."""
    return target.with_name(f"{target.name}.deid.json")


def render_deidentification(account: Deidentification) -> str:
    """Render the account as text."""
    conversion = account.conversion
    number = sum(account.identifiers.values())
    states = account.mentions
    lines = [
        f"{conversion.target}: {conversion.documents:,} documents, {number:,} identifiers replaced "
        f"in {account.documents_changed:,} of them",
        *(f"  {label:<12}{count:>8,}" for label, count in account.identifiers.most_common()),
        f"gold mentions: {sum(states.values()):,} = {states['same']:,} as they were, "
        f"{states['moved']:,} moved, {states['changed']:,} with an identifier inside that was "
        f"replaced, {states['dropped']:,} dropped ({WITHIN_IDENTIFIER})",
    ]
    if states.total():
        lines.append(f"as written:\n{conversion.count.to_table()}")
    if account.n_left:
        places = ", ".join(f"{name} {i.start}-{i.end} {i.label}" for name, i in account.left[:10])
        lines.append(
            f"left in the text: {account.n_left:,} parts of identifiers that gold mentions cover "
            f"and reach beyond; look at them: {places}{', …' if account.n_left > 10 else ''}"
        )
    if account.placeholders:
        lines.append(f"de-identified before, and left: {account.placeholders:,} placeholders")
    lines += _render_rest(account)
    return "\n".join([*lines, f"warning: {account.warning}"])


def _render_rest(account: Deidentification) -> Iterator[str]:
    if account.metadata:
        names = ", ".join(f"{name} {count:,}" for name, count in sorted(account.metadata.items()))
        yield f"metadata left out: {names}"
    if not account.ids_replaced:
        yield "document ids were kept; --number-documents replaces them"
    if account.conversion.losses:
        losses = sorted(account.conversion.losses.items())
        yield "the target has no place for: " + ", ".join(f"{name} {n:,}" for name, n in losses)
    for message in account.conversion.warnings:
        yield f"warning: {message}"


def _mask(text: str, replaced: Sequence[Identifier]) -> str:
    pieces: List[str] = []
    position = 0
    for item in replaced:
        pieces += [text[position : item.start], MASK * (item.end - item.start)]
        position = item.end
    return "".join([*pieces, text[position:]])
