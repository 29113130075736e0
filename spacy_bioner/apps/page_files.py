"""The figures of a page as files beside it."""

from pathlib import Path
from typing import Mapping

from spacy_bioner.apps.curves import write_figure
from spacy_bioner.apps.finished_runs import write_json
from spacy_bioner.reports.page_parts import Drawing

FOLDER = "figures"
KINDS = (".png", ".svg", ".json")


def write_drawings(drawings: Mapping[str, Drawing], output: Path) -> None:
    """Write OUTPUT/figures/NAME.png, .svg and .json of each figure, within `plot_style`.

    Pictures there that an earlier page had and this one has not are removed.
    """
    folder = output / FOLDER
    for name, drawing in drawings.items():
        write_figure(drawing.figure, folder, name)
        write_json(folder / f"{name}.json", drawing.data)
    for path in folder.iterdir():
        if path.suffix in KINDS and path.stem not in drawings:
            path.unlink()
