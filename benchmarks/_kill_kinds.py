"""The commands that `fuzz_kills.py` kills, and how each result is told to be whole."""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, Sequence, Tuple

from _common import ROOT, write_random_bert
from spacy.vocab import Vocab

from spacy_bioner.corpora.conversion import check_account
from spacy_bioner.corpora.docbin import list_docbins, read_docbin
from spacy_bioner.corpora.formats.standoff.brat import read_brat
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.digests import digest_folder
from spacy_bioner.files.outputs import is_debris

DEMO = ROOT / "assets" / "demo"
# Documents of an earlier result and of the one that is killed.
EARLIER, LATER = 20, 60
DOCBIN = ("out.spacy", "out.audit.json")
ENCODER = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 128,
}
ENDS = ("jsonl", "png", "svg")


class BrokenError(Exception):
    """What must not be: half a result under a final name, or one that is gone."""


@dataclass(frozen=True)
class Kind:
    """A command to kill.

    make (Callable): Gives its words after `bioner`; False asks for those of the earlier result.
    check (Callable): Looks at the result in a folder; gives "earlier", "later" or "whole", and
        whether an account beside it says that it is another's. For anything else, BrokenError.
    visible (Sequence[str]): What may be in the folder besides hidden files.
    program (str): Instead of `bioner`.
    is_fresh (bool): It writes to a new folder only: there is no earlier result.
    """

    name: str
    make: Callable[[Path, bool], List[str]]
    check: Callable[[Path], Tuple[str, bool]]
    visible: Sequence[str]
    program: str = "bioner"
    is_fresh: bool = False


@dataclass(frozen=True)
class Material:
    """What the commands read, made once."""

    folder: Path
    encoder: Path
    corpus: Path
    model: Path

    @property
    def annotated(self) -> Path:
        """What `annotate` writes when nothing comes between."""
        return self.folder / "annotated"


def list_kinds(material: Material) -> Dict[str, Kind]:
    """Name all kinds."""
    source, corpus = str(DEMO / "train.pubtator.txt"), material.corpus
    test, model = str(corpus / "test.spacy"), str(material.model)
    texts = str(material.folder / "texts")

    def convert(*words: str) -> Callable[[Path, bool], List[str]]:
        def make(work: Path, later: bool) -> List[str]:
            head = ["convert", source, str(work / words[0]), "--first", str(_number(later))]
            return [*head, *(word.format(work=work) for word in words[1:])]

        return make

    def plain(command: str, *words: str) -> Callable[[Path, bool], List[str]]:
        return lambda work, later: [command, *(word.format(work=work) for word in words)]

    train = [str(corpus), "{work}/out", "--encoder", str(material.encoder), "--max-steps", "4"]
    train += ["--training.eval_frequency", "2"]
    pretrain = [texts, "{work}/out", "--encoder", str(material.encoder), "--steps", "6"]
    pretrain += ["--length", "32", "--batch-pieces", "256", "--checkpoint-every", "2"]
    distill = [model, test, "{work}/out", "--layers", "1", "--steps", "6", "--held-out", "0"]
    beside = ["out.log.jsonl", "out.png", "out.svg", "out.state.pt", "out.log.earlier.jsonl"]
    logs = [f"out{part}.training.{end}" for part in ("", ".interrupted") for end in ENDS]
    package = [model, "{work}/out", "--name", "bioner_tiny", "--version", "0.0.1"]
    kinds = [
        Kind("convert to file", convert("out.spacy"), check_docbin, DOCBIN),
        Kind("convert to folder", convert("out"), check_shards, ["out"]),
        Kind(
            "convert to brat",
            convert("out", "--to", "brat", "--report", "{work}/out.json"),
            check_brat,
            ["out", "out.json"],
            is_fresh=True,
        ),
        Kind("evaluate", plain("evaluate", model, test, "-o", "{work}/out.json"), check_scores,
             ["out.json"]),
        Kind("report", plain("report", model, test, "{work}/out"), check_report, ["out"]),
        Kind(
            "annotate",
            plain("annotate", texts, "{work}/out", *list_annotate_words(model)),
            partial(check_annotated, material.annotated),
            ["out"],
            is_fresh=True,
        ),
        Kind("package", plain("package", *package), check_package, ["out"]),
        Kind("train", plain("train", *train), check_run, ["out", "out.interrupted", *logs]),
        Kind("pretrain", plain("pretrain", *pretrain), check_encoder, ["out", *beside]),
        Kind("distill", plain("distill", *distill), check_pipeline, ["out", *beside]),
        Kind("project run", _make_project, check_prepared, ["project"], program="spacy"),
    ]  # fmt: skip
    return {kind.name: kind for kind in kinds}


def make_material(folder: Path, run: Callable[[List[str]], None]) -> Material:
    """Make a tiny encoder, a corpus and a trained pipeline; `run` runs `bioner`."""
    material = Material(folder, folder / "biobert-tiny", folder / "corpus", folder / "model")
    # Of a size that loads at once.
    sample = (DEMO / "sample.txt").read_text(encoding="utf-8")
    write_random_bert(material.encoder, [sample], pieces=200, seed=0, **ENCODER)
    if not (DEMO / "train.pubtator.txt").is_file():
        subprocess.run([sys.executable, DEMO / "build.py"], check=True, stdout=subprocess.DEVNULL)
    (folder / "texts").mkdir()
    lines = (DEMO / "train.pubtator.txt").read_text(encoding="utf-8").splitlines()
    texts = [line.split("|", 2)[2] for line in lines if line.count("|") >= 2]
    (folder / "texts" / "all.txt").write_text("\n".join(texts), encoding="utf-8")
    run(["prepare", str(material.corpus), "--profile", "demo"])
    words = ["--encoder", str(material.encoder), "--max-steps", "30"]
    run(["train", str(material.corpus), str(folder / "run"), *words])
    shutil.move(folder / "run" / "model-best", material.model)
    words = list_annotate_words(str(material.model))
    run(["annotate", str(folder / "texts"), str(material.annotated), *words])
    return material


def list_annotate_words(model: str) -> List[str]:
    """List the settings of `annotate`; of many small shards, so that kills meet all its writes."""
    return ["--model", model, "--from", "lines", "--shard-size", "5", "--batch-size", "5"]


def check_docbin(work: Path) -> Tuple[str, bool]:
    """Look at OUT.spacy and OUT.audit.json."""
    out = work / "out.spacy"
    return _count(len(_read_docs(out))), _is_of_another(out, work / "out.audit.json")


def check_shards(work: Path) -> Tuple[str, bool]:
    """Look at OUT/part-….spacy and OUT/audit.json, which comes after them."""
    found = sum(len(_read_docs(path)) for path in list_docbins(work / "out"))
    return _count(found), _is_of_another(work / "out", work / "out" / "audit.json")


def check_brat(work: Path) -> Tuple[str, bool]:
    """Look at OUT/….txt and .ann, and the account beside it."""
    try:
        found = len(list(read_brat(work / "out")))
    except CorpusError as error:
        raise BrokenError(str(error)) from error
    return _count(found), _is_of_another(work / "out", work / "out.json")


def check_annotated(reference: Path, work: Path) -> Tuple[str, bool]:
    """Compare finished shards, and what is complete as a whole, with what was never killed."""
    out = work / "out"
    if not (out / "manifest.json").is_file():
        if any(path.is_file() and not is_debris(path) for path in out.rglob("*")):
            raise BrokenError("found files and no manifest")
        return "earlier", False
    found = _load(out / "manifest.json")
    for shard in found["shards"]:  # type: ignore[attr-defined]
        for name in shard["files"]:
            if (out / name).read_bytes() != (reference / name).read_bytes():
                raise BrokenError(f"{name} has other content")
    if not found["complete"]:
        return "earlier", False
    if digest_folder(out) != digest_folder(reference):
        raise BrokenError("found other files than an uninterrupted run writes")
    return "whole", False


def check_scores(work: Path) -> Tuple[str, bool]:
    """Look at what `evaluate` wrote."""
    return _need(work / "out.json", "scores")


def check_report(work: Path) -> Tuple[str, bool]:
    """Look at each file of a report; they come one after the other."""
    out = work / "out"
    if not (out / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>"):
        raise BrokenError("report.html is cut")
    for path in out.rglob("*.json"):
        _load(path)
    for path in out.rglob("*.svg"):
        if not path.read_text(encoding="utf-8").rstrip().endswith("</svg>"):
            raise BrokenError(f"{path.name} is cut")
    return _need(out / "report.json", "scores")


def check_package(work: Path) -> Tuple[str, bool]:
    """Look at both wheels of a package."""
    wheels = list((work / "out").glob("en_bioner_tiny-0.0.1/dist/*.whl"))
    if len(wheels) != 2:
        raise BrokenError(f"found {len(wheels)} wheels")
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as file:
            if file.testzip() is not None:
                raise BrokenError(f"{wheel.name} is cut")
    names = sorted(path.name for path in (work / "out").iterdir() if path.name[0] != ".")
    if names != ["en_bioner_tiny-0.0.1"]:
        raise BrokenError(f"found {names}")
    return "whole", False


def check_run(work: Path) -> Tuple[str, bool]:
    """Load both checkpoints of a training, and read the log of the result."""
    for name in ("model-best", "model-last"):
        _load_pipeline(work / "out" / name)
    if not (work / "out.training.jsonl").is_file():
        raise BrokenError("the log is gone")
    return "whole", False


def check_encoder(work: Path) -> Tuple[str, bool]:
    """Read the weights of a pre-trained encoder."""
    from safetensors.torch import load_file

    try:
        load_file(work / "out" / "model.safetensors")
    except Exception as error:  # safetensors has an exception of its own for each fault
        raise BrokenError(f"weights: {error}") from error
    _load(work / "out" / "config.json")
    return _need(work / "out" / "pretraining.json", "settings")


def check_pipeline(work: Path) -> Tuple[str, bool]:
    """Load a student."""
    _load_pipeline(work / "out")
    return _need(work / "out" / "distillation.json", "settings")


def check_prepared(work: Path) -> Tuple[str, bool]:
    """Look at the corpus of a project: each file, and whether the account is theirs."""
    folder = work / "project" / "corpus" / "demo"
    for split in ("train", "dev", "test"):
        _read_docs(folder / f"{split}.spacy")
    account = _load(folder / "corpus.json")
    other = False
    for split, own in account["splits"].items():
        try:
            check_account(own, folder / f"{split}.spacy", path=folder / "corpus.json")
        except CorpusError:
            other = True
    return "whole", other


def _make_project(work: Path, later: bool) -> List[str]:
    project = work / "project"
    if not project.exists():
        project.mkdir()
        shutil.copy(ROOT / "project.yml", project)
        for name in ("configs", "assets/demo"):
            shutil.copytree(ROOT / name, project / name)
    return ["project", "run", "prepare", str(project), "--force"]


def _number(later: bool) -> int:
    return LATER if later else EARLIER


def _count(found: int) -> str:
    names = {EARLIER: "earlier", LATER: "later"}
    if found not in names:
        raise BrokenError(f"found {found} documents")
    return names[found]


def _is_of_another(corpus: Path, account: Path) -> bool:
    """Say whether an account says that it is another's; one that is absent says nothing."""
    if not account.exists():
        return False
    data = _load(account)
    try:
        check_account(data, corpus, path=account)
    except CorpusError:
        return True
    if not data.get("sha256"):
        raise BrokenError("the account names no corpus")
    return False


def _read_docs(path: Path) -> List[object]:
    try:
        return list(read_docbin(path, Vocab()))
    except CorpusError as error:
        raise BrokenError(str(error)) from error


def _load_pipeline(folder: Path) -> None:
    import spacy

    try:
        spacy.load(folder)
    except Exception as error:  # a half folder fails in as many ways as it has files
        raise BrokenError(f"{folder.name}: {error}") from error


def _load(path: Path) -> Dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenError(f"{path.name}: {error}") from error
    return found  # type: ignore[no-any-return]


def _need(path: Path, key: str) -> Tuple[str, bool]:
    if key not in _load(path):
        raise BrokenError(f"{path.name} has no {key}")
    return "whole", False
