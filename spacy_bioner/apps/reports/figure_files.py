"""The figures of a page as files beside it."""

from pathlib import Path
from typing import Mapping

from spacy_bioner.apps.training.curves import write_figure
from spacy_bioner.files.json_files import write_json
from spacy_bioner.reports.html.elements import Drawing

KINDS = ("png", "svg", "json")
OPTIONAL = ("training", "calibration", "thresholds", "robustness", "ablation")
"""Figures that one page has and the next may not have."""


def write_drawings(drawings: Mapping[str, Drawing], folder: Path) -> None:
    """Write NAME.png, .svg and .json of each figure into a folder, within `plot_style`.

    Those of an earlier page that this one has not are removed; other files stay.
    """
    for name, drawing in drawings.items():
        write_figure(drawing.figure, folder, name)
        write_json(folder / f"{name}.json", drawing.data)
    for name in set(OPTIONAL) - set(drawings):
        for kind in KINDS:
            (folder / f"{name}.{kind}").unlink(missing_ok=True)
