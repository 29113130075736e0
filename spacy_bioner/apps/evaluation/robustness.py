"""Pipelines side by side under attacks on their text and on their embeddings."""

import math
import random
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_bioner.apps.loading import fingerprint, load_pipeline
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.training.curves import write_outcome
from spacy_bioner.architectures.exported.onnx_encoder import is_exported
from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.corpora.formats.docbin import to_record
from spacy_bioner.errors import BionerError, ConfigError, CorpusError
from spacy_bioner.evaluation.robustness import (
    AttackEmbeddings,
    ChangeText,
    Outcome,
    Robustness,
    annotate,
    find_epsilon,
    score_attacked,
    score_changed_text,
    score_clean,
)
from spacy_bioner.files.same_files import check_apart
from spacy_bioner.gold import list_gold
from spacy_bioner.reports.plots.robustness import plot_robustness
from spacy_bioner.reports.text.robustness import render_robustness
from spacy_bioner.transforms.augmentation.editing import Augmentation
from spacy_bioner.transforms.augmentation.mentions import make_replace_synonyms
from spacy_bioner.transforms.augmentation.noise import make_add_noise

COMPONENT = "bioner"
EPSILONS = (0.25, 0.5, 1.0, 2.0, 4.0)
METHODS = ("fgsm", "pgd")
# As adversarial training calls them, and as tables do.
NORMS = {"l2": "L2", "linf": "L∞"}
# Documents that are attacked together.
_BATCH = 8


def text_attacks(
    *, noise: float = 0.05, synonyms: Optional[Callable[[str], Sequence[str]]] = None
) -> Dict[str, Augmentation]:
    """Return the attacks on mentions by name.

    noise (float): The share of a mention's letters that get a typo; short words and symbols, where
        a letter makes another name, are left alone.
    synonyms (Optional[Callable[[str], Sequence[str]]]): Gives the names of a concept id; without,
        mentions are not exchanged for synonyms.
    """
    share = f"{100 * noise:g} %"
    attacks = {
        f"typos ({share} of letters)": make_add_noise({"typo": noise}, where="mentions"),
        f"OCR ({share} of places)": make_add_noise({"ocr": noise}, where="mentions"),
        "casing": make_add_noise({"case": 1.0}, per="mention", where="mentions"),
        "hyphens and Greek": make_add_noise({"hyphen": 1.0, "greek": 1.0}, where="mentions"),
    }
    if synonyms is not None:
        attacks["synonyms"] = make_replace_synonyms(synonyms, rate=1.0)
    return attacks


def parse_model(text: str) -> Tuple[str, str]:
    """Read `NAME=MODEL` or `MODEL`; without a name, that of its folder is taken."""
    name, sign, path = text.partition("=")
    if sign:
        return name, path
    parts = Path(text).parts
    # "model-best" says nothing: the run's folder does.
    return (parts[-2] if len(parts) > 1 and parts[-1].startswith("model-") else parts[-1]), text


@guards_outputs("output", inputs=("corpus",), file="robustness.json")
def measure_robustness(
    models: Sequence[Tuple[str, str]],
    corpus: Path,
    output: Path,
    *,
    attacks: Dict[str, Augmentation],
    method: str = "fgsm",
    norm: str = "l2",
    epsilons: Sequence[float] = EPSILONS,
    points: float = 10.0,
    seed: int = 0,
    limit: int = 0,
    gpu_id: int = -1,
    report: Callable[[str], None] = lambda line: None,
) -> List[Robustness]:
    """Score pipelines on a corpus, clean and under each attack.

    The epsilon at which the first pipeline loses `points` joins the others. Each pipeline is
    attacked along its own gradients; the changed texts are the same for all.

    models (Sequence[Tuple[str, str]]): Name and folder or package; the first is the one without
        a defense, which the others are held against.
    corpus (Path): A DocBin.
    output (Path): Gets robustness.md, .json, .png and .svg.
    method (str): "fgsm" or "pgd".
    norm (str): What epsilon bounds: "l2", the norm over a window, where few words bear nearly all
        of it; or "linf", each coordinate, so that all words are moved.
    points (float): Points of F1; 0 looks for no such epsilon.
    limit (int): Take only so many documents; 0 takes all.
    RAISES (BionerError): For what cannot be loaded, and a pipeline that cannot be attacked.
    RAISES (ConfigError): For settings that are none.
    """
    if method not in METHODS:
        raise ConfigError(f"found method {method!r}, expected {' or '.join(METHODS)}")
    for epsilon in epsilons:
        if not 0 < epsilon < math.inf:
            raise ConfigError(f"found epsilon {epsilon:g}, expected a number above 0")
    if norm not in NORMS:
        raise ConfigError(f"found norm {norm!r}, expected {' or '.join(NORMS)}")
    names = [name for name, _ in models]
    if len(set(names)) < len(names) or not names:
        raise ConfigError(f"found the pipelines {', '.join(names)}; expected different names")
    check_apart([output], [path for _, path in models])
    strengths = sorted(epsilons)
    attack_name = f"{method} ({NORMS[norm]})"
    results: List[Robustness] = []
    # All of them before the first is measured, which takes minutes.
    loaded = [(name, *_load(path, corpus, limit, gpu_id)) for name, path in models]
    for name, nlp, gold in loaded:
        embeddings = _make_embedding_attack(nlp, method, norm)
        found = annotate(nlp, gold)
        clean = score_clean(gold, found)
        if not results and points and strengths:
            report(f"{name}: looking for the epsilon that costs {points:g} points")
            strengths = _add_critical(strengths, embeddings, gold, clean, points, report)
        text = []
        for attack, change in attacks.items():
            report(f"{name}: {attack}")
            changing = _make_change(nlp, change, f"{seed} {attack}")
            text.append(score_changed_text(nlp, gold, attack, changing, clean=found))
        curve = []
        for epsilon in strengths:
            report(f"{name}: {attack_name} ε = {epsilon:.3g}")
            curve.append(score_attacked(embeddings, gold, epsilon, name=attack_name, clean=found))
        made = fingerprint(Path(nlp.path))
        results.append(Robustness(name, clean, tuple(text), tuple(curve), made))
    data = {"seed": seed, "models": [item.to_json() for item in results]}
    table = render_robustness(results, seed=seed)
    write_outcome(output, "robustness", data, table, lambda: plot_robustness(results))
    return results


def _load(path: str, corpus: Path, limit: int, gpu_id: int) -> Tuple[Language, List[Doc]]:
    nlp = load_pipeline(path, gpu_id=gpu_id)
    gold = list(read_docbin(corpus, nlp.vocab))[: limit or None]
    _check(nlp, path, gold, corpus)
    return nlp, gold


def _check(nlp: Language, path: str, gold: Sequence[Doc], corpus: Path) -> None:
    if not gold:
        raise CorpusError("found no document, expected at least one to score", path=corpus)
    if COMPONENT not in nlp.pipe_names or not hasattr(nlp.get_pipe(COMPONENT), "attack"):
        raise BionerError(
            f"{path}: found the components {', '.join(nlp.pipe_names) or 'none'}, expected "
            f"'{COMPONENT}', whose embeddings are attacked"
        )
    component: Any = nlp.get_pipe(COMPONENT)
    if not component.model.has_ref("encoder"):
        raise BionerError(f"{path}: an ensemble cannot be attacked as one: name its members")
    if is_exported(component.model):
        raise BionerError(
            f"{path}: an exported pipeline has no gradients to attack by: name the one that it "
            "was exported from"
        )
    from spacy_bioner.architectures.adversary import tapped

    with tapped(component.model):
        pass
    unknown = {label for doc in gold for _, _, label in list_gold(doc) or ()} - set(
        component.labels
    )
    if unknown:
        raise CorpusError(
            f"found mentions labeled {', '.join(sorted(unknown))}, which {path} does not know; "
            "convert the corpus with a --label-map to its labels",
            path=corpus,
        )


def _add_critical(
    strengths: Sequence[float],
    attack: AttackEmbeddings,
    gold: Sequence[Doc],
    clean: Outcome,
    points: float,
    report: Callable[[str], None],
) -> List[float]:
    def f_score_at(epsilon: float) -> float:
        return score_attacked(attack, gold, epsilon, name="").counts.f_score or 0.0

    target = (clean.counts.f_score or 0.0) - points / 100
    found = find_epsilon(f_score_at, target)
    if found is None:
        report(f"no epsilon costs {points:g} points")
        return list(strengths)
    return sorted({*strengths, float(f"{found:.3g}")})


def _make_change(nlp: Language, change: Augmentation, seed: str) -> ChangeText:
    def change_text(gold: Doc) -> Optional[Doc]:
        record = to_record(gold)
        # A string seeds by its hash of 512 bits, alike in all processes.
        variant = change(record, random.Random(f"{seed} {record.id} {record.text}"))
        if variant is None or variant == record:
            return None
        return align(variant, nlp.make_doc).doc

    return change_text


def _make_embedding_attack(nlp: Language, method: str, norm: str) -> AttackEmbeddings:
    from spacy_bioner.architectures.adversary import make_adversary

    def attack(gold: Sequence[Doc], epsilon: float) -> List[Doc]:
        # The tagger has to be attacked as it is part of the pipeline: what comes before it runs
        # as ever, what comes behind it sees its entities.
        adversary = make_adversary(method, epsilon, norm)
        found: List[Doc] = []
        for start in range(0, len(gold), _BATCH):
            batch = gold[start : start + _BATCH]
            found += _annotate(nlp, batch, adversary)
        return found

    return attack


def _annotate(nlp: Language, gold: Sequence[Doc], adversary: object) -> List[Doc]:
    docs = [nlp.make_doc(doc.text) for doc in gold]
    for name, component in nlp.pipeline:
        if name == COMPONENT:
            pairs = [Example(doc, reference) for doc, reference in zip(docs, gold)]
            component.attack(pairs, adversary)  # type: ignore[attr-defined]
        else:
            docs = [component(doc) for doc in docs]
    return docs
