"""What a training run has on disk, so that `bioner report RUN` needs nothing else."""

from pathlib import Path
from typing import Dict, Mapping, NamedTuple, Optional

from spacy_bioner.apps.profiles import get_setting, read_config
from spacy_bioner.apps.reports.card_facts import read_account
from spacy_bioner.apps.training.run_names import find_log, name_log
from spacy_bioner.errors import ConfigError, CorpusError

CONFIG = "config.cfg"


class RunFolder(NamedTuple):
    """Where the parts of a run are.

    model (Path): The best checkpoint.
    corpus (Path): Documents to score.
    train (Optional[Path]): Training documents, where the config names a file that is there.
    account (Optional[Path]): What `bioner prepare` wrote of them, likewise.
    log (Optional[Path]): The training log, likewise.
    warnings (Mapping[str, str]): What of train, account and log is missed, by these names.
    """

    model: Path
    corpus: Path
    train: Optional[Path]
    account: Optional[Path]
    log: Optional[Path]
    warnings: Mapping[str, str]


def is_run(folder: Path) -> bool:
    """Say whether a folder is what `bioner train` writes, rather than a pipeline."""
    return not (folder / CONFIG).is_file() and (folder / "model-best" / CONFIG).is_file()


def find_run_files(run: Path, corpus: Optional[Path] = None) -> RunFolder:
    """Find what a run was trained on, as the config of its best checkpoint names it.

    corpus (Optional[Path]): Documents to score; by default the test.spacy beside the development
        documents, or these where there is none. They chose the checkpoint and flatter it.
    RAISES (ConfigError): Where the config names no file of documents to score, or it is gone, and
        for a config that cannot be read.
    """
    model = run / "model-best"
    config = read_config(model / CONFIG, interpolate=False)
    train, dev = (_read_path(get_setting(config, f"paths.{name}")) for name in ("train", "dev"))
    if corpus is None:
        if dev is None:
            raise ConfigError(f"{model / CONFIG}: paths.dev names no file; name a CORPUS to score")
        found = [path for path in (dev.with_name("test.spacy"), dev) if path.is_file()]
        if not found:
            raise ConfigError(
                f"{dev}: no such file, nor a test.spacy beside it, as {model / CONFIG} names it; "
                "run the command where the run was trained, or name a CORPUS to score"
            )
        corpus = found[0]
    account = None if train is None else _if_file(train.with_name("corpus.json"))
    named_log = _read_path(get_setting(config, "training.logger.output_file"))
    log = find_log(model) or _if_file(named_log)
    warnings: Dict[str, str] = {}
    if account is not None:
        try:
            read_account(account)
        except CorpusError as error:
            warnings["account"] = f"the training documents are not described: {error}"
            account = None
    if _if_file(train) is None:
        named = "nothing" if train is None else str(train)
        reason = "a folder" if train is not None and train.is_dir() else "not a file here"
        warnings["train"] = (
            f"recall of what was seen in training is not given: {model / CONFIG} names {named} as "
            f"training documents, {reason}; --train names a .spacy file"
        )
    if log is None:
        named = "" if named_log is None else f", nor {named_log}, as {model / CONFIG} names it"
        warnings["log"] = (
            f"the course of training is not shown: found no log {name_log(run)}{named}; "
            "--log names one"
        )
    return RunFolder(model, corpus, _if_file(train), account, log, warnings)


def _read_path(value: object) -> Optional[Path]:
    return Path(value) if isinstance(value, str) and value else None


def _if_file(path: Optional[Path]) -> Optional[Path]:
    return path if path is not None and path.is_file() else None
