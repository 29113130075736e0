"""`bioner recipe`: a published system from corpus to scores, one command."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.options import GpuId


def recipe_cli(
    name: Annotated[
        str,
        typer.Argument(
            help="Recipe: P1 to P5, or a .yaml; without it, the list", show_default=False
        ),
    ] = "",
    output: Annotated[
        Optional[Path], typer.Argument(help="Folder for all that the steps write", metavar="OUT")
    ] = None,
    corpus: Annotated[
        Optional[Path],
        typer.Option(help="Your data in the paper's format, instead of the stand-in"),
    ] = None,
    encoder: Annotated[
        str, typer.Option(help="Encoder: hub name, folder or package:NAME; empty: the recipe's")
    ] = "",
    steps: Annotated[
        int, typer.Option(min=0, help="Training steps at most; 0: as the recipe says")
    ] = 0,
    gpu_id: GpuId = -1,
    seed: Annotated[int, typer.Option(help="Seed of divisions, weights and order")] = 0,
    encoders_from_hub: Annotated[
        bool,
        typer.Option("--encoders-from-hub", help="Take the steps that load the paper's encoders"),
    ] = False,
    setting: Annotated[
        Optional[List[str]],
        typer.Option(
            "--set", help="Other value of a recipe's setting; can be repeated", metavar="NAME=VALUE"
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the commands, run nothing")
    ] = False,
) -> None:
    """Run a published system's recipe. The same command goes on after an interruption."""
    from spacy_bioner.apps.recipes.plan import (
        Choices,
        check_output,
        find_recipe,
        list_recipes,
        parse_settings,
        plan_recipe,
    )
    from spacy_bioner.apps.recipes.recipe import run_recipe
    from spacy_bioner.reports.text.recipe import render_commands, render_list

    if not name:
        typer.echo(render_list([recipe.about for recipe in list_recipes()]))
        return
    recipe = find_recipe(name)
    choices = Choices(
        corpus=str(corpus) if corpus is not None else "",
        encoder=encoder,
        steps=steps,
        gpu_id=gpu_id,
        seed=seed,
        from_hub=encoders_from_hub,
        settings=parse_settings(setting or ()),
    )
    if dry_run:
        commands = plan_recipe(recipe, output or Path("OUT"), choices)
        lines = ((item.step.name, item.step.title, item.line) for item in commands)
        typer.echo(render_commands(lines))
        return
    folder = check_output(recipe, output)
    typer.echo(f"{recipe.name}: {recipe.about.title}")
    typer.echo(recipe.about.stand_in if corpus is None else f"Data: {corpus}")
    summary = run_recipe(recipe, folder, choices, report=typer.echo)
    typer.echo(f"wrote {summary}")
