"""What `bioner doctor` found, as text."""

from typing import Iterator, List, Optional, Sequence, Tuple

from spacy_bioner.printable import make_line
from spacy_bioner.reports.scores import DASH
from spacy_bioner.training.results.diagnosis import (
    Diagnosis,
    EncoderUse,
    Machine,
    PipelineState,
    Processor,
    Software,
)

UNKNOWN = "not known"
Row = Tuple[str, str]


def render_diagnosis(found: Diagnosis) -> str:
    """Render all that was found; faults and hints come last."""
    blocks = [
        ("software", list(_list_software(found.software))),
        ("extras", list(_list_extras(found.software))),
        ("machine", list(_list_machine(found.machine))),
    ]
    if found.pipeline is not None:
        blocks.append(("pipeline", list(_list_pipeline(found.pipeline))))
    width = max(len(name) for _, rows in blocks for name, _ in rows)
    parts = ["\n".join([title, *_align(rows, width)]) for title, rows in blocks]
    parts.append(_render_list("faults", found.faults))
    parts += [_render_list("faster", found.hints)] if found.hints else []
    return "\n\n".join(parts)


def _list_software(software: Software) -> Iterator[Row]:
    yield "python", f"{software.python}, {software.platform}"
    for name, version in software.versions.items():
        yield name, version or DASH


def _list_extras(software: Software) -> Iterator[Row]:
    if not software.extras:
        yield "extras", f"{UNKNOWN}: no metadata of spacy-bioner is installed"
    for extra in software.extras:
        lack = f"lacks {', '.join(extra.missing)}; {extra.command}"
        yield extra.name, lack if extra.missing else "complete"


def _list_machine(machine: Machine) -> Iterator[Row]:
    yield "processor", machine.processor.name or UNKNOWN
    yield "features", _describe_features(machine.processor)
    limit = "no limit" if machine.cpu_limit is None else f"limit {machine.cpu_limit:g}"
    yield "cores", f"{machine.n_cores} (affinity {machine.n_affinity}, {limit})"
    for name, number in machine.threads.items():
        yield f"{name} threads", UNKNOWN if number is None else str(number)
    yield from machine.variables.items()
    yield "GPUs", ", ".join(machine.gpus) or DASH


def _describe_features(processor: Processor) -> str:
    if not processor.features:
        return UNKNOWN
    groups = [
        (words, [name for name, value in processor.features.items() if value is state])
        for words, state in (("", True), ("not ", False), (f"{UNKNOWN}: ", None))
    ]
    return "; ".join(f"{words}{', '.join(names)}" for words, names in groups if names)


def _list_pipeline(pipeline: PipelineState) -> Iterator[Row]:
    yield "model", pipeline.model
    if pipeline.components:
        yield "components", ", ".join(pipeline.components)
    for encoder in pipeline.encoders:
        yield "encoder", _describe_encoder(encoder)
    yield "loaded in", _format_seconds(pipeline.load_seconds)
    words = f" for {pipeline.n_words} words" if pipeline.n_words else ""
    yield "annotated in", f"{_format_seconds(pipeline.annotate_seconds)}{words}"


def _describe_encoder(encoder: EncoderUse) -> str:
    parts = [encoder.architecture]
    parts += [f"unit {encoder.unit}"] if encoder.unit else []
    parts += [] if encoder.window is None else [f"window {encoder.window}"]
    parts += [f"precision {encoder.setting}"] if encoder.setting else []
    parts += [f"computes in {encoder.precision}"] if encoder.precision else []
    return ", ".join(parts)


def _format_seconds(seconds: Optional[float]) -> str:
    return DASH if seconds is None else f"{seconds:.2f} s"


def _align(rows: Sequence[Row], width: int) -> List[str]:
    return [f"  {name:<{width}}  {make_line(value)}" for name, value in rows]


def _render_list(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {make_line(line)}" for line in lines or ["none"])])
