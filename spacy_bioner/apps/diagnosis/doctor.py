"""What is installed, what the machine can do, how a pipeline fares: what is wrong or slow."""

from importlib.util import find_spec
from typing import Iterator, List, Optional

from spacy_bioner.apps.diagnosis.machine import inspect_machine
from spacy_bioner.apps.diagnosis.pipeline_check import TORCH_ENCODER, check_pipeline
from spacy_bioner.apps.diagnosis.software import inspect_software
from spacy_bioner.training.results.diagnosis import (
    Diagnosis,
    EncoderUse,
    Machine,
    PipelineState,
    Software,
)


def doctor(model: Optional[str] = None, *, gpu_id: int = -1) -> Diagnosis:
    """Look at what is installed, at the machine and, where one is named, at a pipeline.

    model (Optional[str]): A pipeline folder, or the name of an installed pipeline package.
    gpu_id (int): Where the pipeline is to run; -1 for the CPU.
    """
    software = inspect_software()
    # Before torch is looked at: its import belongs to the time that loading takes.
    pipeline = check_pipeline(model, gpu_id=gpu_id) if model else None
    machine = inspect_machine()
    on_cpu, can_export = gpu_id < 0, find_spec("spacy_bioner.apps.cli.export") is not None
    hints = list_hints(machine, pipeline, on_cpu=on_cpu, can_export=can_export)
    return Diagnosis(
        software, machine, pipeline, tuple(list_faults(software, pipeline)), tuple(hints)
    )


def list_faults(software: Software, pipeline: Optional[PipelineState] = None) -> List[str]:
    """List what is wrong: requirements that are not met, a pipeline that does not run."""
    found = [f"spacy-bioner needs {item}" for item in software.missing]
    if pipeline is not None:
        found += [f"the pipeline needs {item}" for item in pipeline.unmet]
        found += [f"the pipeline does not run: {pipeline.error}"] if pipeline.error else []
    return found


def list_hints(
    machine: Machine,
    pipeline: Optional[PipelineState] = None,
    *,
    on_cpu: bool = True,
    can_export: bool = False,
) -> List[str]:
    """List what would be faster.

    on_cpu (bool): Whether the pipeline is to run on the CPU.
    can_export (bool): Whether there is a command that makes int8 of an encoder.
    """
    encoders = pipeline.encoders if pipeline else ()
    found = list(_check_threads(machine))
    found += _check_processes(machine)
    if pipeline and on_cpu:
        found += [hint for item in encoders for hint in _check_precision(machine, item)]
        if can_export and any(map(_is_torch, encoders)):
            command = f"bioner export {pipeline.model} OUT --precision int8"
            found.append(f"{command}: the encoder in int8, without torch")
        if machine.gpus and any(map(_is_torch, encoders)):
            found.append("a GPU is there: --gpu-id 0, or spacy.require_gpu() before spacy.load")
    return list(dict.fromkeys(found))


def _check_threads(machine: Machine) -> Iterator[str]:
    cores = machine.n_cores
    # Two threads on one physical core are not faster.
    best = min(cores, machine.processor.n_physical or cores)
    for name, number in machine.threads.items():
        if number is None:
            continue
        if number > cores:
            many = f"{name} would use {number} threads on {_count_cores(cores)}"
            yield f"{many}: set OMP_NUM_THREADS={cores}"
        elif number < best:
            ways = f"OMP_NUM_THREADS={best}, or nlp.pipe(texts, n_process={best})"
            yield f"{name} would use {number} of {_count_cores(best)}: {ways}"


def _check_processes(machine: Machine) -> Iterator[str]:
    for name, number in machine.threads.items():
        # A forked process has one thread of torch, see `architectures.torch_bridge`; an exported
        # encoder has one in any process but the first.
        multiplies = name == "torch" and machine.start_method != "fork"
        if multiplies and number is not None and 2 * number > machine.n_cores > 1:
            every = f"{number} threads of {name} in each process"
            yield f"nlp.pipe(texts, n_process=N) has {every}: set OMP_NUM_THREADS=1 for it"


def _check_precision(machine: Machine, encoder: EncoderUse) -> Iterator[str]:
    in_hardware = machine.processor.has("bf16", "AMX bf16")
    if not _is_torch(encoder):
        return
    if encoder.precision == "float32" and in_hardware:
        yield f'precision = "bfloat16" in [{encoder.path}]: the processor computes it in hardware'
    elif encoder.precision == "bfloat16" and machine.processor.lacks("bf16", "AMX bf16"):
        yield f'precision = "float32" in [{encoder.path}]: the processor has no bfloat16'


def _is_torch(encoder: EncoderUse) -> bool:
    return encoder.architecture.startswith(TORCH_ENCODER)


def _count_cores(number: int) -> str:
    return f"{number} core" if number == 1 else f"{number} cores"
