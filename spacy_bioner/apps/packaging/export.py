"""Exporting a trained pipeline: the same entities without torch, checked on real text."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_config
from thinc.api import Model

from spacy_bioner.apps.evaluation.dev_documents import (
    DevDocument,
    annotate_dev,
    make_docs,
    read_dev,
)
from spacy_bioner.apps.loading import fingerprint, load_pipeline
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.packaging.assemble import PIPELINE_MARKS
from spacy_bioner.architectures.datasets import check_dataset
from spacy_bioner.errors import ConfigError, PackageError
from spacy_bioner.evaluation.bootstrap.intervals import count_documents
from spacy_bioner.evaluation.bootstrap.significance import PairedComparison, compare_systems
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.extras import require
from spacy_bioner.files.replacing import check_own_folder, replacing_folder
from spacy_bioner.gold import list_predicted
from spacy_bioner.training.results.exports import META_KEY, Exported

# Texts that scales of activations are found on.
N_CALIBRATION = 128


@guards_outputs("output", inputs=("model", "dev"), replaced=("output",))
def export(
    model: str,
    output: Path,
    *,
    precision: str = "int8",
    dev: Optional[Path] = None,
    labels: Sequence[str] = (),
    dataset: str = "",
    max_loss: float = 0.2,
    seed: int = 0,
) -> Exported:
    """Write a pipeline that needs neither torch nor transformers, and compare it with the trained
    one.

    float32 has to give the same entities. If int8 costs more F1 than allowed, the products that
    move the states most stay in float32, one, two, four and so on, until it does not.

    model (str): A pipeline folder or package with a `bioner` over a transformer of ours.
    output (Path): The folder to write; an earlier one is replaced when the new one is whole.
    precision (str): "float32" or "int8".
    dev (Optional[Path]): Gold documents to compare on; None takes those of the pipeline's config.
    labels (Sequence[str]): Those that the documents annotate; empty: all.
    dataset (str): The corpus by whose rules they are annotated.
    max_loss (float): The most points of F1 that int8 may cost.
    seed (int): Of the bootstrap.
    RAISES (ConfigError): For a pipeline that cannot be exported, and without documents.
    RAISES (PackageError): Where entities or F1 differ more than they may; nothing is written.
    """
    require("torch", "onnx", "onnxruntime", extra="train", who="`bioner export`")
    from spacy_bioner.architectures.exported.conversion import (
        PRECISIONS,
        can_export,
        find_encoder,
        start_export,
    )

    if precision not in PRECISIONS:
        raise ConfigError(f"found precision = '{precision}': expected {' or '.join(PRECISIONS)}")
    check_own_folder(output, PIPELINE_MARKS)
    nlp = load_pipeline(model)
    names = [name for name, pipe in nlp.pipeline if can_export(getattr(pipe, "model", None))]
    if not names:
        raise ConfigError(_say_why_not(nlp, model))
    _check_others(nlp, names)
    if dataset:
        check_dataset(nlp, dataset)
    documents = read_dev(nlp, dev, labels=labels, dataset=dataset)
    components: Dict[str, Any] = {name: nlp.get_pipe(name) for name in names}
    for component in components.values():
        encoder: Any = find_encoder(component.model)
        encoder.shims[0].set_precision("float32")
    trained = annotate_dev(nlp, documents)
    expected = _count(documents, trained)
    _check_learned(expected)
    sample = list(
        make_docs(nlp, [own for own in documents if own.gold.text.strip()][:N_CALIBRATION])
    )
    started = {name: start_export(pipe.model, sample) for name, pipe in components.items()}
    n_products = sum(own.count_products() for own in started.values())
    ranked: List[Tuple[str, str]] = []
    n_kept = 0
    while True:
        kept = ranked[:n_kept]
        for name, own in started.items():
            chosen = [product for component, product in kept if component == name]
            components[name].model = own.build(precision, keep=chosen)
        found = annotate_dev(nlp, documents)
        compared = compare_systems(expected, _count(documents, found), seed=seed)
        n_changed = sum(
            list_predicted(left) != list_predicted(right) for left, right in zip(trained, found)
        )
        loss = 100 * (_f_score(compared.first) - _f_score(compared.second))
        if precision == "float32":
            _check_same(n_changed, compared)
            break
        if loss <= max_loss:
            break
        if n_kept >= n_products:
            raise PackageError(
                f"int8 costs {loss:.2f} points of F1 on {len(documents)} documents, expected at "
                f"most {max_loss:.2f}: export with --precision float32, or allow more with "
                "--max-loss"
            )
        n_kept = min(2 * n_kept or 1, n_products)
        ranked = ranked or _rank(started)
    made = (precision, tuple(product for _, product in kept), n_products, compared, n_changed)
    with replacing_folder(output, marks=PIPELINE_MARKS) as partial:
        nlp.to_disk(partial)
        _rewrite(partial, components)
        exported = Exported(output, *made, n_bytes=_count_bytes(partial))
        meta = srsly.read_json(partial / "meta.json")
        origin = {"from": fingerprint(Path(nlp.path)) if nlp.path else ""}
        meta[META_KEY] = {**origin, **exported.to_json()}
        srsly.write_json(partial / "meta.json", meta)
    return exported


def _say_why_not(nlp: Language, model: str) -> str:
    if META_KEY in nlp.meta:
        return f"{model}: it is exported already; export the pipeline that it was made from"
    return (
        f"{model}: found the components {', '.join(nlp.pipe_names) or 'none'}, expected 'bioner' "
        "with spacy_bioner.TokenClassifier.v1 over spacy_bioner.TransformerEncoder.v1, alone or "
        "beside spacy_bioner.TermFeatures.v1"
    )


def _count(documents: Sequence[DevDocument], found: Sequence[Doc]) -> List[Counts]:
    return count_documents([compare_docs(own.gold, doc) for own, doc in zip(documents, found)])


def _f_score(counts: Counts) -> float:
    return counts.f_score or 0.0


def _check_others(nlp: Language, names: Sequence[str]) -> None:
    """Refuse a pipeline of which other parts would go on needing torch."""
    others = [
        name
        for name, pipe in nlp.pipeline
        if name not in names and isinstance(model := getattr(pipe, "model", None), Model)
        for node in model.walk()
        if node.shims
    ]
    if others:
        raise ConfigError(
            f"found {', '.join(dict.fromkeys(others))} beside {', '.join(names)}, which cannot be "
            "exported and would go on needing torch: remove them from the pipeline first"
        )


def _check_learned(counts: Sequence[Counts]) -> None:
    total = sum(counts, Counts())
    if not total.tp:
        raise PackageError(
            f"the trained pipeline finds none of the {total.gold:,} mentions of these documents, "
            "so they cannot show what an export costs: take development documents like those that "
            "it was trained on"
        )


def _check_same(n_changed: int, compared: PairedComparison) -> None:
    if n_changed:
        raise PackageError(
            f"float32: entities of {n_changed} of {compared.n_docs} documents differ from those of "
            "the trained pipeline, expected none; report this with the encoder's name"
        )


def _rank(started: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """Name the products of all components, those that move states most first."""
    ranked = [[(name, product) for product in own.rank_products()] for name, own in started.items()]
    longest = max(map(len, ranked))
    return [own[place] for place in range(longest) for own in ranked if place < len(own)]


def _rewrite(folder: Path, components: Mapping[str, Any]) -> None:
    """Name the exported models in the config of a saved pipeline; what only training needs goes."""
    from spacy_bioner.architectures.exported.conversion import describe_model

    config = load_config(folder / "config.cfg", interpolate=False)
    for name, component in components.items():
        section = config["components"][name]
        section["model"] = describe_model(component.model)
        section["objective"] = section["adversary"] = None
    config.to_disk(folder / "config.cfg")


def _count_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
