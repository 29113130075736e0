"""Curves of pre-training and distillation: losses, agreement and the learning rate by step."""

from typing import Any, Dict, List, Mapping, Sequence, Tuple

from spacy_bioner.reports.plots.style import COLORS, SERIES, make_figure

Points = List[Tuple[int, float]]
_SIZE = (9.6, 3.4)


def plot_run(entries: Sequence[Mapping[str, Any]], *, title: str = "") -> Any:
    """Draw the log of a run of `training.loop.run_steps`.

    entries (Sequence[Mapping[str, Any]]): Its lines; a first line without "loss" is left out.
    """
    curves = gather_curves(entries)
    agreement = curves.pop("agreement", [])
    rate = curves.pop("rate", [])
    panels = [("Loss", curves)]
    if agreement:
        panels.append(("Agreement with the teacher, held out", {"agreement": agreement}))
    panels.append(("Learning rate", {"rate": rate}))
    figure = make_figure(*_SIZE)
    for axes, (name, lines) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        for number, (label, points) in enumerate(lines.items()):
            steps, values = [step for step, _ in points], [value for _, value in points]
            marker = "o" if len(points) < 12 else ""
            axes.plot(steps, values, label=label, color=SERIES[number], lw=1.6, marker=marker)
        if len(lines) > 1:
            axes.legend(loc="best")
        axes.set_title(name)
        axes.set_xlabel("step")
        axes.set_ylim(bottom=0)
    if title:
        figure.suptitle(title, x=0.01, ha="left", color=COLORS["fg"], size=11)
    return figure


def gather_curves(entries: Sequence[Mapping[str, Any]]) -> Dict[str, Points]:
    """Sort the numbers of a log into curves, (step, value) each; empty ones are left out."""
    curves: Dict[str, Points] = {"training": [], "held out": [], "agreement": [], "rate": []}
    for entry in entries:
        step, held_out = entry.get("step", 0), entry.get("event") == "held_out"
        if "loss" in entry:
            curves["held out" if held_out else "training"].append((step, entry["loss"]))
        for name in ("agreement", "rate"):
            if name in entry:
                curves[name].append((step, entry[name]))
    return {name: points for name, points in curves.items() if points}
