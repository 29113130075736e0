"""The `bioner` command: finds its sub-commands and turns errors into exit codes."""

import os
import re
import sys
import warnings
from contextlib import nullcontext, redirect_stdout
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Dict, List, Optional

import typer
from typer.core import TyperGroup

from spacy_bioner import __version__
from spacy_bioner.apps.failures import describe_failure
from spacy_bioner.apps.terminal import guarded_streams, replace_closed_streams
from spacy_bioner.errors import CorpusWarning, StoppedError
from spacy_bioner.files.streams import is_standard_output

_show_others = warnings.showwarning

GROUPS: Dict[str, Dict[str, str]] = {
    "Corpora": {
        "assets": "Check, copy or download the corpus files that project.yml names, or an encoder.",
        "convert": "Convert a corpus, and account for every gold mention.",
        "audit": "Say what becomes of every gold mention, by tokenizer.",
        "inspect": "Analyze corpora: numbers, plots, one HTML page.",
        "quality": "Find inconsistent annotation, or compare two annotations.",
        "split": "Divide a corpus into training, development and test documents, or folds.",
        "leaks": "Find documents that stand in two corpora, and drop them from training.",
        "deidentify": "Replace identifiers of persons; gold mentions follow.",
    },
    "Training": {
        "prepare": "Convert a profile's corpus and account for every gold mention.",
        "train": "Train a profile.",
        "curves": "Draw loss and score curves of training runs.",
        "pretrain": "Go on pre-training an encoder on unlabeled text.",
        "distill": "Train a smaller pipeline to tag as a trained one does.",
        "ensemble": "Combine trained pipelines into one, judged on development data.",
    },
    "Experiments": {
        "kfold": "Cross-validate a profile.",
        "compare": "Compare encoders on one profile.",
        "tune": "Search for settings of a profile.",
        "ablate": "Switch parts off in turn and measure what is lost.",
        "cross": "Score what is learned on one corpus on others.",
        "recipe": "Run a published system from corpus to scores.",
    },
    "Evaluation": {
        "evaluate": "Score a pipeline on gold documents.",
        "link": "Score the concept ids that mentions get from a store.",
        "calibrate": "Make confidences honest and leave unsure entities out.",
        "significance": "Say whether one pipeline is better than another on the same documents.",
        "robustness": "Score pipelines under typos, synonyms and attacks on their embeddings.",
        "report": "Write a page on a run: scores, curves, mistakes.",
        "overview": "Compare runs on one page.",
    },
    "Use and shipping": {
        "terms": "Make tables of terms, look into them, compare and judge them.",
        "assemble": "Assemble the pipeline that ships.",
        "doctor": "Say what is installed, how fast the machine can be, and if a pipeline runs.",
        "show": "Print the entities that a pipeline finds.",
        "annotate": "Annotate many documents; a run that was killed goes on where it was.",
        "disagree": "Show where the annotation rules of a pipeline's corpora differ.",
        "explain": "Say why entities are there: sources, other readings, words.",
        "export": "Write a pipeline that needs no torch, in float32 or int8.",
        "restore": "Make an exported pipeline one that can be trained on.",
        "package": "Make a pip-installable package of a pipeline.",
        "verify": "Say whether an installed pipeline is what its card says.",
    },
}
COMMANDS = {name: about for group in GROUPS.values() for name, about in group.items()}
_BREAK = re.compile("[ \t\n]+")
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
PLAIN: Dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}


class CommandGroup(TyperGroup):
    """Imports a command when it is used, so that help and errors of usage come at once.

    The command NAME is the function NAME_cli in the module NAME beside this one, or a group of
    commands of that name. One that takes its context takes settings of the config behind its own
    options; see `options.take_overrides`.
    """

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run with guarded streams: all that commands print passes through them."""
        with guarded_streams():
            return super().main(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an interrupt, of which typer makes a silent exit, is told as one."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise StoppedError("interrupted") from error

    def list_commands(self, ctx: Any) -> List[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import one command; None for a name that is not one."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"spacy_bioner.apps.cli.{cmd_name}")
        command = getattr(module, f"{cmd_name}_cli")
        if isinstance(command, typer.Typer):
            return typer.main.get_command(command)
        settings = PASS_ON if "context" in signature(command).parameters else {}
        single = typer.Typer(**PLAIN)
        single.command(cmd_name, context_settings=settings)(command)
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands by what they are for, without importing them."""
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


app = typer.Typer(
    name="bioner",
    cls=CommandGroup,
    no_args_is_help=True,
    # `color`: `echo` leaves escapes to the guarded stream, which shows them; it would drop some.
    context_settings={"help_option_names": ["-h", "--help"], "color": True},
    **PLAIN,
)


def run(arguments: Optional[List[str]] = None) -> None:
    """Entry point of the console script: one line for an error of this package or of the system.

    Exit codes are 1, and 130 for what the user stopped. Where an output is /dev/stdout, what is
    printed goes to the error stream.

    arguments (Optional[List[str]]): Instead of the command line's.
    """
    warnings.showwarning = _show_warning
    replace_closed_streams()
    given = sys.argv[1:] if arguments is None else arguments
    paths = [Path(part) for word in given for part in (word, word.partition("=")[2])]
    with guarded_streams():
        beside = redirect_stdout(sys.stderr) if any(map(is_standard_output, paths)) else None
        try:
            with beside or nullcontext():
                try:
                    app(arguments)
                finally:
                    sys.stdout.flush()
        except BaseException as error:
            failure = describe_failure(error)
            if failure is None:
                raise
            _close_output()
            # What else counts as white space is shown: a return in a label is a fault to be seen.
            line = _BREAK.sub(" ", failure.line.strip())
            typer.echo(f"error: {line}", err=True, color=True)
            sys.exit(failure.code)


def _close_output() -> None:
    """Write what was printed as far as that goes; Python would try again, and complain."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_warning(message: Any, category: Any, *place: Any, **rest: Any) -> None:
    """Show warnings of corpora as one line, without the place in the code."""
    if issubclass(category, CorpusWarning):
        typer.echo(f"warning: {message}", err=True)
    else:
        _show_others(message, category, *place, **rest)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spacy-bioner {__version__}")
        raise typer.Exit


VERSION = typer.Option(
    "--version", is_eager=True, callback=_print_version, help="Print the version"
)


@app.callback()
def _take_options(version: Annotated[bool, VERSION] = False) -> None:
    """Biomedical named-entity recognition for spaCy."""
