"""How many words a second does each system tag, with the same encoder, texts and threads?

    python benchmarks/throughput.py [--data FOLDER] [--docs 500] [--repeats 3] [--threads 2]
        [--trf PIPELINE --trf-python PYTHON] [--eds-python PYTHON] [--runtime-python PYTHON]

Prints one Markdown table for the BC5CDR test abstracts. Every system with an encoder has the same
one. Before the clock starts, ours, spacy-transformers + `ner` and spaCy's CNN are trained for a
few steps on BC5CDR train, so that they find entities about as often as in earnest, or trained
pipelines are named (--ours, --trf, --cnn): only then F1 says something. HF, EDS-NLP and the bare
loop get encoder and head of ours. EDS-NLP and spacy-transformers, which want other versions of
transformers, can run in environments of their own; the latter tags with a trained pipeline then:

    python -m venv eds; eds/bin/pip install 'edsnlp[ml]'
    python -m venv trf; trf/bin/pip install '.[trf]'

Exported pipelines (`bioner export`, with scales found on BC5CDR dev) run in an environment that has
`.[runtime]` alone, if one is named: only there do peak and time to load say what they need.

Each run is a process of its own (`_tagging.py`), and the systems take turns. Words are counted at
white space; all systems get the same texts in the same order. Sentences are found before the
clock starts for HF and the bare loop, while it runs for the others. "Installed" are the files of
the packages that a system needs, without its weights.

"Pieces" are the word pieces whose states reach a prediction, where that is known: the HF pipeline
cuts a document at 512 and gives nothing for the rest, yet all its words count for it. Ratios are
of medians.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

import spacy
from _common import (
    ENCODER,
    ROOT,
    add_data,
    cores,
    corpus_file,
    median,
    missing_extra,
    note,
    quiet,
    require_encoder,
    run_epoch,
    show,
    start_training,
    use_threads,
)
from _tagging import Job, Outcome
from spacy.language import Language
from spacy.util import minibatch

from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.apps.packaging.assemble import assemble
from spacy_bioner.apps.packaging.export import export
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.corpora.read_write import Selection
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.records import Record
from spacy_bioner.sentences import sentence_starts

COLUMNS = ("system", "precision", "unit", "words/s", "range", "× spacy-transformers", "× HF")
COSTS = ("F1", "peak MB", "load s", "installed MB", "pieces")
TRF, HF = "spacy-transformers + ner", "HF pipeline"
OURS_INSTALLED = "spacy-bioner[torch]"
EXPORTED_INSTALLED = "spacy-bioner[runtime]"
TRAIN_DOCS, DEV_DOCS = 200, 100
WARM_UP = {
    "training.optimizer.learn_rate.initial_rate": 3e-4,
    "training.optimizer.learn_rate.warmup_steps": 10,
}


@dataclass(frozen=True)
class System:
    """What is measured: a name, what to run, and where.

    python (str): The interpreter of its environment.
    pieces (str): Word pieces that get a prediction, where that is known.
    """

    name: str
    job: Job
    python: str = sys.executable
    pieces: str = ""

    @property
    def key(self) -> str:
        return f"{self.name}, {self.job.precision}, {self.job.unit}"


def main() -> None:
    args = parse_args()
    quiet()
    use_threads(args.threads)
    records = list(read_pubtator(args.test))[: args.docs or None]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        args.texts = write_texts(records, folder / "texts.json")
        convert(args.train, folder / "train.spacy", selection=Selection(first=TRAIN_DOCS))
        convert(args.dev, folder / "dev.spacy", selection=Selection(first=DEV_DOCS))
        lengths = make_ours(args, folder, [record.text for record in records])
        systems = list(plan_systems(args, folder, lengths))
        outcomes = run_in_turns(systems, args.repeats, folder)
    words = sum(len(record.text.split()) for record in records)
    n_long = sum(length > 512 for length in lengths)
    show(
        render(systems, outcomes, records, words),
        left=3,
        n=f"{len(records)} documents, {words:,} words, {sum(lengths):,} pieces, "
        f"{n_long} documents longer than 512",
        seed=args.seed,
        threads=args.threads,
        median_of=args.repeats,
        encoder=args.encoder,
    )
    for line in args.left_out:
        print(f"\nLeft out: {line}")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--docs", type=int, default=500, help="the first so many documents")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=cores(), help="of every system")
    parser.add_argument("--unit", nargs="+", default=["sentence", "document"])
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--encoder", default=ENCODER, help="hub name, folder or package:NAME")
    parser.add_argument("--steps", type=int, default=60, help="of training before the clock")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ours", type=Path, help="trained pipeline of ours, on this encoder")
    parser.add_argument("--trf", type=Path, help="trained spacy-transformers + `ner`")
    parser.add_argument("--cnn", type=Path, help="trained CNN and `ner`")
    parser.add_argument("--trf-python", help="Python of an environment with .[trf], with --trf")
    parser.add_argument("--eds-python", help="Python of an environment with edsnlp[ml]")
    parser.add_argument("--runtime-python", help="Python of an environment with .[runtime] alone")
    parser.add_argument("--ours-only", action="store_true", help="leave the rivals out")
    args = parser.parse_args()
    require_encoder(parser, args.encoder)
    args.train = corpus_file(parser, args.data, "bc5cdr", "train")
    args.dev = corpus_file(parser, args.data, "bc5cdr", "dev")
    args.test = corpus_file(parser, args.data, "bc5cdr", "test")
    args.left_out = []
    if args.trf_python and not args.trf:
        parser.error("--trf-python: expected --trf PIPELINE as well")
    if not args.ours_only:
        args.left_out = list(filter(None, [miss_trf(args), miss_eds(args)]))
    return args


def miss_trf(args: argparse.Namespace) -> Optional[str]:
    """Say why spacy-transformers cannot run; None if it can."""
    if not args.trf_python:
        return missing_extra("spacy_transformers")
    return miss(args.trf_python, "spacy_bioner, spacy_transformers", "spacy-transformers")


def miss_eds(args: argparse.Namespace) -> Optional[str]:
    """Say why EDS-NLP cannot run; None if it can."""
    how = "pip install 'edsnlp[ml]' in an environment of its own and name it with --eds-python"
    if not args.eds_python:
        return f"EDS-NLP: {how}"
    found = miss(args.eds_python, "edsnlp, foldedtensor, torch, transformers", "EDS-NLP")
    return f"{found}; {how}" if found else None


def miss(python: str, modules: str, name: str) -> Optional[str]:
    """Say which module an environment lacks; None if it has all."""
    done = subprocess.run([python, "-c", f"import {modules}"], capture_output=True, text=True)
    return f"{name}: {done.stderr.strip().splitlines()[-1]}" if done.returncode else None


def write_texts(records: Sequence[Record], path: Path) -> str:
    """Write texts and the borders of their sentences for the processes."""
    rows = []
    for record in records:
        starts = sorted({0, *sentence_starts(record.text)})
        rows.append((record.text, list(zip(starts, [*starts[1:], len(record.text)]))))
    path.write_text(json.dumps(rows), "utf8")
    return str(path)


def make_ours(args: argparse.Namespace, folder: Path, texts: Sequence[str]) -> List[int]:
    """Make `bioner` alone, the pipeline that ships and a HF model of it; return each text's length
    in pieces."""
    if args.ours:
        nlp = spacy.load(args.ours)
        for name in [name for name in nlp.pipe_names if name != "bioner"]:
            nlp.remove_pipe(name)
    else:
        key = "components.bioner.model.encoder.name"
        nlp = train_briefly(args, "transformer.cfg", folder, {key: resolve(args.encoder)})
    nlp.to_disk(folder / "ours")
    terms = ROOT / "assets/demo/gazetteer.tsv"
    settings = ROOT / "configs/postprocessing.cfg"
    assemble(folder / "ours", folder / "shipped", config=settings, terms=terms)
    write_hf(nlp, args.encoder, folder / "hf")
    args.pieces = {unit: count_pieces(nlp, unit, texts) for unit in args.unit}
    tokenizer = encoder_of(nlp).shims[0].tokenizer
    return [len(tokenizer.encode(text, add_special_tokens=False)) + 2 for text in texts]


def plan_systems(
    args: argparse.Namespace, folder: Path, lengths: Sequence[int]
) -> Iterator[System]:
    """List what is measured, in the order of the table; trains rivals that are not given."""
    yield from plan_ours(args, folder)
    yield from plan_exported(args, folder)
    if args.ours_only:
        return
    yield from plan_trf(args, folder)
    yield from plan_hf(args, folder, lengths)
    yield from plan_eds(args, folder)
    yield from plan_cnn(args, folder)
    yield from plan_bare(args, folder)


def plan_ours(args: argparse.Namespace, folder: Path) -> Iterator[System]:
    """`bioner` alone, then the pipeline that ships: gazetteer, abbreviations and overlaps too."""
    for unit in args.unit:
        for precision in args.precision:
            job = make_job(args, "ours", folder / "ours", OURS_INSTALLED, precision, unit)
            yield System("ours", job, pieces=f"{args.pieces[unit]:,}")
    unit = args.unit[0]
    for precision in args.precision:
        job = make_job(args, "ours", folder / "shipped", OURS_INSTALLED, precision, unit)
        yield System("ours, as shipped", job, pieces=f"{args.pieces[unit]:,}")


def plan_exported(args: argparse.Namespace, folder: Path) -> Iterator[System]:
    """The same without torch: alone, as shipped, and the bare loop over the same batches."""
    unit, python = args.unit[0], args.runtime_python or sys.executable
    for precision in ("int8", "float32"):
        for name, source in (("ours, exported", "ours"), ("ours, exported, as shipped", "shipped")):
            made = folder / f"{source}-{precision}"
            export(str(folder / source), made, precision=precision, dev=folder / "dev.spacy")
            job = make_job(args, "exported", made, EXPORTED_INSTALLED, precision, unit)
            yield System(name, job, python=python, pieces=f"{args.pieces[unit]:,}")
        made = folder / f"ours-{precision}"
        for how in ("threads share a batch", "a batch a thread"):
            job = make_job(args, "bare onnx", made, EXPORTED_INSTALLED, precision, how)
            yield System("bare onnxruntime loop", job, python=python)


def plan_trf(args: argparse.Namespace, folder: Path) -> Iterator[System]:
    """spacy-transformers knows no precision but float32 on a CPU."""
    if miss_trf(args):
        return
    path, python = args.trf, args.trf_python or sys.executable
    if not path:
        key, path = "components.transformer.model.name", folder / "trf"
        settings = {key: resolve(args.encoder)}
        train_briefly(args, "spacy_transformers.cfg", folder, settings).to_disk(path)
    for unit in ("strided spans", "sentence"):
        job = make_job(args, "trf", path, "spacy-transformers", unit=unit)
        yield System(TRF, job, python=python)


def plan_hf(args: argparse.Namespace, folder: Path, lengths: Sequence[int]) -> Iterator[System]:
    cut = f"{sum(min(length, 512) for length in lengths):,}"
    for unit in ("document", "sentence"):
        for precision in args.precision:
            job = make_job(args, "hf", folder / "hf", "transformers[torch]", precision, unit)
            yield System(HF, job, pieces=cut if unit == "document" else "")


def plan_eds(args: argparse.Namespace, folder: Path) -> Iterator[System]:
    if miss_eds(args):
        return
    for precision in args.precision:
        job = make_job(args, "eds", folder / "hf", "edsnlp[ml]", precision, "strided windows")
        yield System("EDS-NLP transformer + CRF", job, python=args.eds_python)


def plan_cnn(args: argparse.Namespace, folder: Path) -> Iterator[System]:
    path = args.cnn or folder / "cnn"
    if not args.cnn:
        # Nothing of it is pre-trained: it takes the rate of its config.
        settings = {"training.optimizer.learn_rate.initial_rate": 1e-3}
        train_briefly(args, "spacy_ner.cfg", folder, settings).to_disk(path)
    yield System("spaCy CNN + ner", make_job(args, "spacy", path, "spacy"))


def plan_bare(args: argparse.Namespace, folder: Path) -> Iterator[System]:
    """The least that tagging can take: no Doc, no legal tag sequences, no confidences."""
    for unit in args.unit:
        for precision in args.precision:
            job = make_job(args, "bare", folder / "hf", "transformers[torch]", precision, unit)
            yield System("bare loop", job)


def make_job(
    args: argparse.Namespace,
    loader: str,
    folder: Path,
    requirement: str,
    precision: str = "float32",
    unit: str = "document",
) -> Job:
    return Job(loader, str(folder), args.texts, args.threads, precision, unit, requirement)


def train_briefly(
    args: argparse.Namespace, config: str, folder: Path, settings: Dict[str, Any]
) -> Language:
    note(f"training {config} for {args.steps} steps")
    overrides = {**WARM_UP, **settings, "system.seed": args.seed}
    trainee = start_training(ROOT / "configs" / config, folder / "train.spacy", overrides)
    run_epoch(trainee, seed=args.seed, steps=args.steps)
    return trainee.nlp


def resolve(encoder: str) -> str:
    from spacy_bioner.architectures.encoder_source import resolve_source

    return resolve_source(encoder)


def write_hf(ours: Language, encoder: str, folder: Path) -> None:
    """Save encoder and head of ours as a token classifier of transformers."""
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    source = resolve(encoder)
    component: Any = ours.get_pipe("bioner")
    id2label = dict(enumerate(component.tags))
    label2id = {label: number for number, label in id2label.items()}
    model = AutoModelForTokenClassification.from_pretrained(
        source, id2label=id2label, label2id=label2id
    )
    trained = encoder_of(ours).shims[0].module.transformer
    getattr(model, model.base_model_prefix).load_state_dict(trained.state_dict())
    head = component.model.get_ref("output_layer").shims[0].module.output
    model.classifier.load_state_dict(head.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)


def encoder_of(nlp: Language) -> Any:
    component: Any = nlp.get_pipe("bioner")
    return component.model.get_ref("encoder")


def count_pieces(nlp: Language, unit: str, texts: Sequence[str]) -> int:
    """Count the pieces that our encoder takes states from."""
    from spacy_bioner.architectures.encoders import prepare_batches

    encoder = encoder_of(nlp)
    before, encoder.attrs["unit"] = encoder.attrs["unit"], unit
    pieces = 0
    for docs in minibatch((nlp.make_doc(text) for text in texts), nlp.batch_size):
        batches, _ = prepare_batches(encoder, docs)
        pieces += sum(len(batch.source.unique()) for batch in batches)
    encoder.attrs["unit"] = before
    # The specials that other systems count, so that the column compares.
    return pieces + 2 * len(texts)


def run_in_turns(systems: Sequence[System], repeats: int, folder: Path) -> Dict[str, List[Outcome]]:
    """Run every system once, then again: what else the machine does meets all of them alike."""
    outcomes: Dict[str, List[Outcome]] = {system.key: [] for system in systems}
    for repeat in range(repeats):
        for system in systems:
            outcome = run_once(system, folder / "job.json")
            outcomes[system.key].append(outcome)
            note(f"repeat {repeat + 1} of {repeats}: {system.key}: {outcome.seconds:.1f} s")
    return outcomes


def run_once(system: System, path: Path) -> Outcome:
    path.write_text(json.dumps(asdict(system.job)), "utf8")
    settings = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    if system.python != sys.executable:
        # What is beside this script is not meant for another environment.
        settings.pop("PYTHONPATH", None)
    script = str(Path(__file__).with_name("_tagging.py"))
    command = [system.python, "-W", "ignore", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=settings)
    if done.returncode:
        raise SystemExit(f"{system.key}: {done.stderr.strip()}")
    return Outcome(**json.loads(done.stdout))


def score(outcome: Outcome, records: Sequence[Record]) -> Counts:
    """Count mentions that are found with exactly their offsets and label; other labels than those
    of the corpus do not count."""
    labels = {mention.label for record in records for mention in record.mentions}
    counts = Counts()
    for record, found in zip(records, outcome.entities):
        gold = {(item.start_char, item.end_char, item.label) for item in record.mentions}
        ours = {(start, end, label) for start, end, label in found if label in labels}
        counts += Counts(len(gold & ours), len(ours - gold), len(gold - ours))
    return counts


def render(
    systems: Sequence[System],
    outcomes: Dict[str, List[Outcome]],
    records: Sequence[Record],
    words: int,
) -> List[Sequence[str]]:
    speeds = {
        key: sorted(words / outcome.seconds for outcome in runs) for key, runs in outcomes.items()
    }
    bases = [f"{TRF}, float32, strided spans", f"{HF}, float32, document"]
    rows: List[Sequence[str]] = [(*COLUMNS, *COSTS)]
    for system in systems:
        runs, speed = outcomes[system.key], speeds[system.key]
        f_score = score(runs[0], records).f_score
        unit = ", ".join(filter(None, (system.job.unit, runs[-1].remark)))
        rows.append(
            (
                system.name,
                system.job.precision,
                unit,
                f"{median(speed):,.0f}",
                f"{speed[0]:,.0f}–{speed[-1]:,.0f}",
                *(compare(speed, speeds.get(base)) for base in bases),
                "" if f_score is None else f"{100 * f_score:.2f}",
                f"{median(run.peak_mb for run in runs):,.0f}",
                f"{median(run.load_seconds for run in runs):.1f}",
                f"{runs[0].installed_mb:,.0f}",
                system.pieces,
            )
        )
    return rows


def compare(speed: Sequence[float], base: Optional[Sequence[float]]) -> str:
    return f"{median(speed) / median(base):.2f}" if base else ""


if __name__ == "__main__":
    main()
