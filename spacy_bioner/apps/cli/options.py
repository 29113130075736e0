"""Options that several commands share: same name, same meaning, same words."""

from typing import Annotated

import typer

GpuId = Annotated[int, typer.Option("--gpu-id", "-g", help="-1 is the CPU")]
ProfileName = Annotated[str, typer.Option(help="A file in configs/profiles")]
EncoderName = Annotated[
    str, typer.Option(help="Hub name, folder or package:NAME; empty: the profile's")
]
MaxSteps = Annotated[int, typer.Option(min=0, help="Training steps; 0: the profile's")]
KeepModels = Annotated[bool, typer.Option("--keep-models", help="Keep the checkpoints")]
Resume = Annotated[bool, typer.Option(help="Go on from OUT.state.pt if it is there")]
