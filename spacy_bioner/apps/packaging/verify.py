"""Whether an installed pipeline is the one that was packaged, and still finds what it found."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, List, Mapping, Sequence

import srsly
from spacy.vocab import Vocab

from spacy_bioner.apps.evaluation.evaluate import digest_text
from spacy_bioner.apps.loading import DOCUMENTS, EXPECTED, SPLIT_FOLDER
from spacy_bioner.apps.packaging.carried_split import CarriedSettings, run_split, write_split
from spacy_bioner.apps.packaging.package_files import (
    FORM,
    find_changes,
    find_package,
    read_digests,
    read_form,
)
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.errors import PackageError
from spacy_bioner.evaluation.runner import PIPELINE
from spacy_bioner.files.digests import digest_path
from spacy_bioner.files.json_files import fill_json
from spacy_bioner.training.results.verification import CarriedSplit, Verification


def verify(model: str) -> Verification:
    """Check the files of a package, and run its pipeline over the test documents that it carries.

    A package with changed files is not run. What it finds has to be what it found when it was
    packaged, document by document; speed and memory are only compared.

    model (str): The name of an installed pipeline package, or its pipeline's folder.
    RAISES (BionerError): For what is no package, and one that does not know what it has to be.
    """
    place = find_package(model)
    digests = read_digests(place)
    changes = find_changes(place, digests)
    name = _name_package(place.data / "meta.json")
    expected = place.data / SPLIT_FOLDER / EXPECTED
    if changes or not expected.is_file():
        return Verification(name, len(digests), changes)
    split = read_form(expected, CarriedSplit.from_json)
    with TemporaryDirectory(prefix="bioner-") as scratch:
        run = run_split(
            place.data,
            place.data / SPLIT_FOLDER / DOCUMENTS,
            labels=split.labels,
            rules=split.rules,
            scratch=Path(scratch),
        )
    if len(run.outcomes) != len(split.run.outcomes):
        found = f"found {len(split.run.outcomes)} outcomes for {len(run.outcomes)} documents"
        raise PackageError(f"{expected}: {found}, expected one each; install the package again")
    return Verification(name, len(digests), changes, split, run)


def carry_split(
    settings: CarriedSettings, model: Path, *, metrics: Sequence[Path] = (), scratch: Path
) -> CarriedSplit:
    """Let a pipeline that is being packaged carry test documents, and what it finds in them.

    model (Path): Its folder, as it will be in the package; gets the files.
    metrics (Sequence[Path]): What `bioner evaluate` wrote for the card.
    scratch (Path): A folder for files that are of no use later.
    RAISES (BionerError): For documents or rules that there are not.
    RAISES (PackageError): Where the card would say another thing of these documents.
    """
    folder = model / SPLIT_FOLDER
    folder.mkdir()
    write_split(settings, folder / DOCUMENTS)
    labels = tuple(sorted(set(settings.labels)))
    run = run_split(model, folder / DOCUMENTS, labels=labels, rules=settings.rules, scratch=scratch)
    split = CarriedSplit(labels, settings.rules, digest_path(folder / DOCUMENTS), run)
    for path in metrics:
        _check_scores(path, split, folder / DOCUMENTS)
    fill_json(folder / EXPECTED, {"form": FORM, **split.to_json()})
    return split


def _name_package(path: Path) -> str:
    meta: Dict[str, Any] = srsly.read_json(path) if path.is_file() else {}
    return f"{meta.get('lang', '')}_{meta.get('name', '')} {meta.get('version', '')}"


def _check_scores(path: Path, split: CarriedSplit, documents: Path) -> None:
    """Refuse scores of the very same documents and rules that the pipeline does not reach."""
    data: Mapping[str, Any] = srsly.read_json(path)
    mine = (list(split.labels), split.rules, _digest_texts(documents))
    theirs = (data.get("labels", []), data.get("dataset", ""), data.get("texts"))
    counts = data["scores"][PIPELINE]["micro"] if mine == theirs else None
    found = split.run.counts
    if counts is None:
        return
    said = tuple(counts[key] for key in ("tp", "fp", "fn"))
    if said != (found.tp, found.fp, found.fn):
        raise PackageError(
            f"{path}: found tp, fp, fn of {', '.join(map(str, said))}, expected what the pipeline "
            f"as packaged finds in these documents: {found.tp}, {found.fp}, {found.fn}; evaluate "
            "it again, with the versions that are installed now"
        )


def _digest_texts(documents: Path) -> List[str]:
    return [digest_text(doc.text) for doc in read_docbin(documents, Vocab())]
