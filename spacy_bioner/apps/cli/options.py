"""Options that several commands share: same name, same meaning, same words."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

GpuId = Annotated[int, typer.Option("--gpu-id", "-g", help="-1 is the CPU")]
ProfileName = Annotated[str, typer.Option(help="A file in configs/profiles")]
EncoderName = Annotated[
    str, typer.Option(help="Hub name, folder or package:NAME; empty: the profile's")
]
MaxSteps = Annotated[int, typer.Option(min=0, help="Training steps; 0: the profile's")]
KeepModels = Annotated[bool, typer.Option("--keep-models", help="Keep the checkpoints")]
Resume = Annotated[bool, typer.Option(help="Go on from OUT.state.pt if it is there")]
ScoredLabels = Annotated[
    Optional[List[str]],
    typer.Option(help="A label that the corpus annotates; can be repeated. Default: all"),
]
TrainingDocs = Annotated[
    Optional[Path],
    typer.Option(help="Training documents, a .spacy file: recall of what was seen in them"),
]
DatasetName = Annotated[
    str, typer.Option(help="Annotate by the rules of this corpus, one of those of its training")
]
Marginals = Annotated[
    bool,
    typer.Option("--marginals", help="Areas under ROC curves of tokens; runs the model twice"),
]
Resamples = Annotated[int, typer.Option(min=1, help="Of the bootstrap, for intervals")]
BootstrapSeed = Annotated[int, typer.Option(help="Of the bootstrap")]
