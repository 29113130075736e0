"""Making a pip-installable package of a trained pipeline, without the network."""

import shutil
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Collection, Dict, List, Mapping, Optional, Sequence, Tuple

import srsly
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from spacy.util import get_minor_version_range, load_config

from spacy_bioner import __version__
from spacy_bioner.apps.loading import DIGESTS, SPLIT_FOLDER, fingerprint
from spacy_bioner.apps.names import check_name, other_words
from spacy_bioner.apps.packaging.assemble import RECOGNIZERS
from spacy_bioner.apps.packaging.carried_split import CarriedSettings
from spacy_bioner.apps.packaging.own_wheel import build_wheel, write_own_wheel
from spacy_bioner.apps.packaging.package_files import PackagePlace, write_digests
from spacy_bioner.apps.packaging.verify import carry_split
from spacy_bioner.apps.reports.card_facts import (
    describe_encoder,
    describe_export,
    describe_features,
    describe_settings,
    describe_terms,
    find_encoders,
    list_architectures,
    read_accounts,
    read_metrics,
)
from spacy_bioner.components.linker import STORES
from spacy_bioner.errors import PackageError
from spacy_bioner.extras import DISTRIBUTION, say_missing
from spacy_bioner.files.outputs import scratch_folder
from spacy_bioner.files.replacing import replacing_folder
from spacy_bioner.files.same_files import check_apart
from spacy_bioner.reports.text.model_card import render_model_card
from spacy_bioner.training.results.model_facts import ModelCard

EXPORTED = ("spacy_bioner.OnnxEncoder.", "spacy_bioner.Exported")


@dataclass(frozen=True)
class PackageFacts:
    """What the person who packages a pipeline says of it; empty where nothing is said.

    licence (str): Licence of the package; the one in the model's meta when empty.
    description (str): One sentence; made from labels and corpus when empty.
    encoder_licences (Mapping[str, str]): Licences of encoder weights, by name of the encoder.
    commands (str): How the pipeline was made, for the README.
    """

    licence: str = ""
    description: str = ""
    encoder_licences: Mapping[str, str] = field(default_factory=dict)
    commands: str = ""


def read_commands(path: Path) -> str:
    """Read the commands that made a pipeline.

    RAISES (PackageError): For what is no UTF-8 text, or would end the block of code that it is
        shown in.
    """
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError(f"{path}: found no text ({error}), expected commands") from error
    wrong = [char for char in text if not char.isprintable() and char not in "\n\t"]
    if "```" in text or wrong or not text:
        found = repr(wrong[0]) if wrong else "```" if text else "nothing"
        raise PackageError(f"{path}: found {found}, expected lines for a shell, as they are typed")
    return text


def package_pipeline(
    model_dir: Path,
    out_dir: Path,
    *,
    name: str,
    version: str,
    metrics: Sequence[Path] = (),
    corpora: Sequence[Path] = (),
    facts: Optional[PackageFacts] = None,
    verify_on: Optional[CarriedSettings] = None,
    wheel: bool = True,
) -> Path:
    """Write a package folder with two wheels in its `dist`; an older one of that name is replaced.

    The second one is that of this package itself, which the first one needs: it is on no index.

    model_dir (Path): A pipeline folder; it stays as it is.
    out_dir (Path): Gets a folder named after package and version, once it is complete.
    name (str): "bioner_<encoder>", with or without the language in front.
    version (str): The package's version.
    metrics (Sequence[Path]): Scores that `bioner evaluate` wrote, for the README.
    corpora (Sequence[Path]): The accounts that `bioner prepare` wrote of the training corpora.
    verify_on (Optional[CarriedSettings]): Test documents that the package is to carry, for `bioner
        verify`; the pipeline runs over them, in a process of its own.
    wheel (bool): Build the wheels; needs `build`, `setuptools` and `wheel`, no network.
    RETURNS (Path): The pipeline's wheel, or the package folder without one.
    RAISES (PackageError): A folder that is no pipeline, a name that is malformed or claims an
        encoder that the pipeline was not trained on, a malformed version, scores of another
        pipeline, a corpus of other labels; test documents that the pipeline does not run over, or
        does otherwise than the scores say.
    """
    from spacy.cli.package import package

    card, meta = _describe(model_dir, name, version, metrics, corpora, facts or PackageFacts())
    if wheel:
        _check_build_tools()
    folder_name = f"{card.package}-{card.version}"
    made = out_dir / folder_name
    documents = [verify_on.path] if verify_on else []
    check_apart([made], [model_dir, *metrics, *corpora, *documents], replaced=[made])
    with replacing_folder(made) as whole, scratch_folder(made) as scratch:
        copy, packed = scratch / "model", scratch / "packed"
        _copy_pipeline(model_dir, copy)
        _check_stores(copy, model_dir)
        _forget_words(copy, card)
        srsly.write_json(copy / "meta.json", meta)
        digest = ("SHA-256 of the pipeline", fingerprint(copy))
        card = replace(card, settings=[*card.settings, digest])
        if verify_on is not None:
            split = carry_split(verify_on, copy, metrics=metrics, scratch=scratch)
            card = replace(card, split=split)
        (copy / "README.md").write_text(
            render_model_card(card), encoding="utf-8", errors="backslashreplace"
        )
        packed.mkdir()
        # spaCy would build the wheel in an isolated environment, which it fills from the network.
        package(copy, packed, create_sdist=False, create_wheel=False, silent=True)
        root = packed / folder_name / card.package
        write_digests(PackagePlace(root, root / folder_name))
        if wheel:
            _build_wheels(packed / folder_name, scratch)
        (packed / folder_name).rename(whole)
    return next((made / "dist").glob(f"{card.package}-*.whl")) if wheel else made


def list_requirements(existing: Sequence[str], architectures: Collection[str]) -> List[str]:
    """List what a package needs besides what spaCy finds out itself, each distribution once.

    existing (Sequence[str]): Requirements that the model's meta names already.
    architectures (Collection[str]): Of its config. Our own ones need the extra `torch`, exported
        ones `runtime`; spacy-transformers brings its own requirements.
    """
    exported = {name for name in architectures if name.startswith(EXPORTED)}
    trained = {name for name in architectures if name.startswith("spacy_bioner.")} - exported
    extras = [name for name, found in (("runtime", exported), ("torch", trained)) if found]
    extra = f"[{','.join(extras)}]" if extras else ""
    ours = f"{DISTRIBUTION}{extra}{get_minor_version_range(__version__)}"
    others = {canonicalize_name(Requirement(item).name): item for item in existing}
    others.pop(canonicalize_name(DISTRIBUTION), None)
    return [ours, *others.values()]


def _describe(
    model_dir: Path,
    name: str,
    version: str,
    metrics: Sequence[Path],
    corpora: Sequence[Path],
    facts: PackageFacts,
) -> Tuple[ModelCard, Dict[str, Any]]:
    """Check everything that can be wrong, before anything is written."""
    for file in ("config.cfg", "meta.json"):
        if not (model_dir / file).is_file():
            raise PackageError(f"{model_dir}: found no {file}, expected a pipeline folder")
    config = load_config(model_dir / "config.cfg", interpolate=True)
    meta = srsly.read_json(model_dir / "meta.json")
    encoders = find_encoders(config)
    learned = next((meta["labels"][key] for key in RECOGNIZERS if key in meta["labels"]), None)
    trained_on = read_accounts(corpora, config, learned)
    others = other_words(
        spacy_transformers=_uses(encoders, "spacy-transformers."), corpus=trained_on.short_name
    )
    short = check_name(
        name, list(encoders), lang=meta["lang"], others=others, several_corpora=len(corpora) > 1
    )
    factories = {key: section["factory"] for key, section in config["components"].items()}
    labels = sorted({label for names in meta["labels"].values() for label in names})
    card = ModelCard(
        package=f"{meta['lang']}_{short}",
        version=_check_version(version),
        description=facts.description or _describe_task(labels, trained_on.name),
        licence=facts.licence or meta.get("license") or "",
        components={key: factories[key] for key in meta["pipeline"]},
        labels=labels,
        requirements=list_requirements(meta.get("requirements") or [], list_architectures(config)),
        corpus=trained_on,
        encoder=describe_encoder(encoders, facts.encoder_licences),
        terms=describe_terms(meta),
        features=describe_features(model_dir, config),
        tests=[read_metrics(path, model_dir) for path in metrics],
        settings=[
            *describe_settings(config, encoders, meta.get("performance", {})),
            *describe_export(meta),
        ],
        commands=facts.commands,
    )
    return card, _update_meta(meta, card, short)


def _copy_pipeline(model_dir: Path, copy: Path) -> None:
    # Of an earlier package, where the pipeline comes from one.
    ignored = shutil.ignore_patterns("__pycache__", DIGESTS, SPLIT_FOLDER)
    shutil.copytree(model_dir, copy, ignore=ignored)
    _hide_paths(copy / "config.cfg")


def _check_stores(copy: Path, model_dir: Path) -> None:
    """Refuse concept stores that lie elsewhere: a package would look for them where it is used."""
    for path in sorted(copy.glob(f"*/{STORES}")):
        elsewhere = [row["path"] for row in srsly.read_json(path) if not row.get("carried")]
        if elsewhere:
            raise PackageError(
                f"{model_dir}: found '{path.parent.name}' with the concept store {elsewhere[0]}, "
                "which is not in the pipeline: set carried = true for it and save the pipeline anew"
            )


def _forget_words(copy: Path, card: ModelCard) -> None:
    """Leave the words of training and development documents out: a vocabulary has all that it has
    seen, names of patients among them. Components of spaCy may need them; ours need labels."""
    strings = copy / "vocab" / "strings.json"
    if strings.is_file() and all(name.startswith("bioner") for name in card.components.values()):
        srsly.write_json(strings, card.labels)


def _uses(encoders: Mapping[str, Mapping[str, Any]], owner: str) -> bool:
    return any(section["@architectures"].startswith(owner) for section in encoders.values())


def _check_version(version: str) -> str:
    try:
        # In the form that the wheel's name will have.
        return str(Version(version))
    except InvalidVersion as error:
        raise PackageError(f"found version '{version}', expected one like 0.1.0") from error


def _describe_task(labels: Sequence[str], corpus_name: str) -> str:
    trained = f", trained on {corpus_name}" if corpus_name else ""
    found = f": {', '.join(labels)}" if labels else ""
    return f"Biomedical named-entity recognition for spaCy{found}{trained}."


def _update_meta(meta: Mapping[str, Any], card: ModelCard, short: str) -> Dict[str, Any]:
    sources = [{"name": card.corpus.name, "license": card.corpus.licence}]
    if card.encoder is not None:
        sources.append({"name": card.encoder.name, "license": card.encoder.licence})
    for table in filter(None, (card.terms, card.features)):
        infos = [
            {"name": info.name, "license": info.licence, "url": info.url} for info in table.sources
        ]
        sources += [info for info in infos if info not in sources]
    return {
        **meta,
        "name": short,
        "version": card.version,
        "description": card.description,
        "license": card.licence,
        "author": "",
        "email": "",
        "url": "",
        "requirements": list(card.requirements),
        "sources": [source for source in sources if source["name"]],
    }


def _hide_paths(path: Path) -> None:
    """Leave names of absolute paths in a config: where files lie here is nobody's business."""
    config = load_config(path, interpolate=False)
    sections: List[Dict[str, Any]] = [config]
    for section in sections:
        for key, value in section.items():
            if isinstance(value, dict):
                sections.append(value)
            elif isinstance(value, list):
                section[key] = [_hide_path(item) for item in value]
            else:
                section[key] = _hide_path(value)
    config.to_disk(path)


def _hide_path(value: Any) -> Any:
    is_path = isinstance(value, str) and Path(value).is_absolute()
    return Path(value).name if is_path else value


def _check_build_tools() -> None:
    for tool in ("build", "setuptools", "wheel"):
        try:
            metadata.version(tool)
        except metadata.PackageNotFoundError as error:
            raise PackageError(
                f"{say_missing(tool, extra='train', who='a wheel')}; or use --no-wheel"
            ) from error


def _build_wheels(folder: Path, scratch: Path) -> None:
    build_wheel(folder, folder / "dist", folder.name)
    write_own_wheel(folder / "dist", scratch=scratch)
    # What setuptools leaves behind holds a second copy of the weights.
    for leftover in (folder / "build", *folder.glob("*.egg-info")):
        shutil.rmtree(leftover, ignore_errors=True)
