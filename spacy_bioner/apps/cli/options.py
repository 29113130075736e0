"""Options that several commands share: same name, same meaning, same words."""

from pathlib import Path
from typing import Annotated, Any, Dict, List, Optional

import typer

GpuId = Annotated[int, typer.Option("--gpu-id", "-g", help="Number of the GPU; -1 is the CPU")]
ProfileName = Annotated[str, typer.Option(help="Name of a profile, a file in configs/profiles")]
EncoderName = Annotated[
    str, typer.Option(help="Encoder: hub name, folder or package:NAME; empty: the profile's")
]
MaxSteps = Annotated[
    int, typer.Option(min=0, help="Training steps at most; 0: as the profile says")
]
KeepModels = Annotated[
    bool, typer.Option("--keep-models", help="Keep the checkpoints of each training")
]
Resume = Annotated[bool, typer.Option(help="Go on from OUT.state.pt if it is there")]
CheckpointEvery = Annotated[
    int, typer.Option(min=0, help="Steps between checkpoints; 0: at the end only")
]
EvalEvery = Annotated[
    int, typer.Option(min=0, help="Steps between evaluations; 0: first and last only")
]
ScoredLabels = Annotated[
    Optional[List[str]],
    typer.Option(help="A label that the corpus annotates; can be repeated. Default: all"),
]
TrainingDocs = Annotated[
    Optional[Path],
    typer.Option(help="Training documents, a .spacy file, for recall of what was seen in them"),
]
Rules = Annotated[
    str,
    typer.Option("--rules", help="Annotate by the rules of this corpus, one of its training's"),
]
InputFormat = Annotated[
    str,
    typer.Option(
        "--from",
        help="Format of the input: text is a document a file, lines one a line; auto looks into "
        "it. Others: parquet, and those of `bioner convert`",
    ),
]
TextColumn = Annotated[Optional[str], typer.Option(help="Column of the text, in CSV and Parquet")]
IdColumn = Annotated[
    Optional[str], typer.Option(help="Column of the document's id, in CSV and Parquet")
]
Marginals = Annotated[
    bool,
    typer.Option(
        "--marginals", help="Measure areas under ROC curves of tokens; runs the model twice"
    ),
]
Resamples = Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap, for intervals")]
BootstrapSeed = Annotated[int, typer.Option(min=0, help="Seed of the bootstrap")]


def take_overrides(context: typer.Context) -> Dict[str, Any]:
    """Return what follows a command's own options: settings of the config, by their dotted keys.

    RAISES (ConfigError): For what is neither an option of the command nor a setting.
    """
    from spacy_bioner.apps.setting_names import read_overrides

    options = [
        name
        for parameter in context.command.params
        if parameter.param_type_name == "option"
        for name in parameter.opts
        if name.startswith("--")
    ]
    return read_overrides(context.args, options)
