"""De-identification of a corpus in any format, with an account of every identifier and mention."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, cast

from spacy_bioner.apps.corpora.cleaning import Step
from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.corpora.conversion import Conversion
from spacy_bioner.errors import ConfigError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import claiming
from spacy_bioner.files.same_files import check_apart, list_paths
from spacy_bioner.records import Record
from spacy_bioner.transforms.deidentification import (
    MASK,
    SURROGATES,
    Find,
    Surrogate,
    deidentify,
    deidentify_text,
    find_identifiers,
)
from spacy_bioner.transforms.deidentification_account import (
    RULES_ARE_NOT_ENOUGH,
    WITHIN_IDENTIFIER,
    Deidentification,
)
from spacy_bioner.transforms.identifiers.rules import Identifier


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
) -> Tuple[Deidentification, Conversion]:
    """De-identify one corpus; OUT and the account appear only when they are whole.

    find (Callable): Gives the identifiers of a text; see `apps.corpora.identifier_finders`.
    keep_metadata (bool): Keep what the file says of a document; values are searched as texts are.
        Otherwise it is left out: subject numbers and dates are identifiers.
    number_documents (bool): Put running numbers in the place of the documents' ids.
    report (Optional[PathLike]): Where the account goes as JSON; default: OUT.deid.json.
    reads (Sequence[PathLike]): What else is read, such as a pipeline: nothing is written there.
    settings (Any): Of `apps.corpora.convert.convert`: from_format, to_format, options, progress.
    RETURNS (Tuple[Deidentification, Conversion]): What was replaced, and what became of reading and
        writing, where mentions that were dropped count as lost.
    RAISES (CorpusError): A file or format that cannot be used as asked.
    """
    path = Path(report) if report is not None else deid_path(Path(target))
    account = Deidentification(
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
        conversion = convert(source, target, steps=steps, report=path, **settings)
        data = {**conversion.to_json(), "deidentification": account.to_json()}
        conversion.log.write(data, path)
    return account, conversion


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
                account.metadata.update(record.meta.keys())
            else:
                meta = {
                    name: deidentify_text(value, find, replace_by=replace_by)
                    for name, value in record.meta.items()
                }
            # What a reader noted may quote the file.
            yield replace(record, meta=meta, reading_notes={})

    return step


def deid_path(target: Path) -> Path:
    """Say where the account of a de-identification is kept."""
    return target.with_name(f"{target.name}.deid.json")


def _mask(text: str, replaced: Sequence[Identifier]) -> str:
    pieces: List[str] = []
    position = 0
    for item in replaced:
        pieces += [text[position : item.start], MASK * (item.end - item.start)]
        position = item.end
    return "".join([*pieces, text[position:]])
