"""Preparing the corpus of a profile: every split to DocBin, with one account of all mentions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import CorpusSettings, SplitSettings
from spacy_bioner.corpora.conversion import Conversion
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.labels import check_names
from spacy_bioner.corpora.read_write import Selection, read_records
from spacy_bioner.corpora.splits.split import Splits, split_records
from spacy_bioner.errors import AssetError
from spacy_bioner.files.json_files import write_json

ACCOUNT = "corpus.json"


@dataclass(frozen=True)
class PreparedCorpus:
    """What `prepare` wrote.

    settings (CorpusSettings): The corpus.
    splits (Dict[str, Conversion]): The account of each split.
    division (Optional[Splits]): Which document went where, of a corpus that came in one piece.
    """

    settings: CorpusSettings
    splits: Dict[str, Conversion]
    division: Optional[Splits] = None

    def to_json(self) -> Dict[str, Any]:
        """Return name, licence and the account of each split as plain data."""
        divided = {} if self.division is None else {"division": self.division.to_json()}
        return {
            "name": self.settings.name,
            "title": self.settings.title,
            "licence": self.settings.licence,
            "source": self.settings.source,
            "label_map": self.settings.label_map,
            "splits": {split: account.to_json() for split, account in self.splits.items()},
            **divided,
        }


@guards_outputs("output", inputs=("settings.splits",), file=ACCOUNT)
def prepare(
    settings: CorpusSettings,
    output: Path,
    *,
    report: Callable[[str, Conversion], None] = lambda split, account: None,
) -> PreparedCorpus:
    """Convert the splits of a corpus to OUTPUT/{train,dev,test}.spacy and write the account.

    settings (CorpusSettings): The corpus.
    output (Path): The folder to write to.
    report (Callable[[str, Conversion], None]): Is told of each split as it is done.
    RAISES (AssetError): For a corpus file that is not there, with the ways to get it.
    RAISES (CorpusError): For a malformed corpus file.
    RAISES (LabelError): For a label to rename that no split has.
    """
    _check_files(settings)
    division = _divide(settings)
    accounts: Dict[str, Conversion] = {}
    for split, chosen in settings.splits.items():
        accounts[split] = convert(
            chosen.path,
            output / f"{split}.spacy",
            label_map=settings.label_map,
            may_lack_labels=True,
            selection=_select(split, chosen, division),
            lenient=settings.lenient,
        )
        report(split, accounts[split])
    found = {label for account in accounts.values() for label in account.labels_read}
    check_names(settings.label_map, found, where=f"the label map of corpus '{settings.name}'")
    prepared = PreparedCorpus(settings, accounts, division)
    write_json(output / ACCOUNT, prepared.to_json(), indent=2)
    return prepared


def _divide(settings: CorpusSettings) -> Optional[Splits]:
    if settings.division is None:
        return None
    names, shares = zip(*settings.division.shares.items())
    problems = ReadErrors() if settings.lenient else None
    records = read_records(settings.splits[names[0]].path, problems=problems)
    return split_records(records, shares, seed=settings.division.seed, names=names)


def _select(split: str, chosen: SplitSettings, division: Optional[Splits]) -> Selection:
    if division is None:
        return Selection(skip=chosen.skip, first=chosen.first)
    (ids,) = (part.ids for part in division.parts if part.name == split)
    return Selection(ids=frozenset(ids[: chosen.first]))


def _check_files(settings: CorpusSettings) -> None:
    paths: Tuple[Path, ...] = tuple(split.path for split in settings.splits.values())
    missing = sorted({str(path) for path in paths if not path.exists()})
    if missing:
        absent = f"the corpus '{settings.name}' is not here: missing {', '.join(missing)}"
        if settings.fetch:
            raise AssetError(f"{absent}; {settings.fetch}")
        raise AssetError(
            f"{absent}. Fetch it by `spacy project assets .`, or copy it from a folder with "
            "`make assets FROM=FOLDER`"
            + (
                "; the demo corpus is built by `python assets/demo/build.py`"
                if settings.name == "demo"
                else ""
            )
        )
