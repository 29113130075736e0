import json
import sys
from dataclasses import replace

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.diagnosis import doctor as module
from spacy_bioner.apps.diagnosis.doctor import list_faults, list_hints
from spacy_bioner.training.results.diagnosis import (
    EncoderUse,
    ExtraFacts,
    Machine,
    PipelineState,
    Processor,
    Software,
)

PLAIN = Processor("Example CPU", {"AVX2": True, "VNNI": False, "AMX bf16": False, "bf16": False})
MODERN = Processor("Example CPU", {"AVX2": True, "VNNI": True, "AMX bf16": True, "bf16": True})
TORCH = EncoderUse("components.bioner.model.encoder", "spacy_bioner.TransformerEncoder.v1")
ONNX = EncoderUse("components.bioner.model.encoder", "spacy_bioner.OnnxEncoder.v1")
SOFTWARE = Software("3.11.1", "Example-1.0", {"spacy": "3.8.7", "torch": None})
BF16 = 'precision = "bfloat16" in [components.bioner.model.encoder]'
F32 = 'precision = "float32" in [components.bioner.model.encoder]'


def make_machine(processor=PLAIN, cores=4, **settings):
    return Machine(processor, n_affinity=cores, **settings)


def make_pipeline(encoder, precision=""):
    return PipelineState("model", ("bioner",), (replace(encoder, precision=precision),))


@pytest.mark.parametrize(
    ("threads", "settings", "hints"),
    [
        ({}, {}, []),
        ({"torch": 4, "onnxruntime": 4}, {}, []),
        ({"torch": None, "onnxruntime": None}, {}, []),
        (
            {"torch": 16, "onnxruntime": 8},
            {"cpu_limit": 2.0},
            [
                "torch would use 16 threads on 2 cores: set OMP_NUM_THREADS=2",
                "onnxruntime would use 8 threads on 2 cores: set OMP_NUM_THREADS=2",
            ],
        ),
        (
            {"torch": 2},
            {"cpu_limit": 1.0},
            ["torch would use 2 threads on 1 core: set OMP_NUM_THREADS=1"],
        ),
        (
            {"torch": 1, "onnxruntime": 2},
            {},
            [
                "torch would use 1 of 4 cores: OMP_NUM_THREADS=4, or nlp.pipe(texts, n_process=4)",
                "onnxruntime would use 2 of 4 cores: OMP_NUM_THREADS=4, "
                "or nlp.pipe(texts, n_process=4)",
            ],
        ),
        (
            {"torch": 4},
            {"start_method": "spawn"},
            [
                "nlp.pipe(texts, n_process=N) has 4 threads of torch in each process: "
                "set OMP_NUM_THREADS=1 for it"
            ],
        ),
    ],
)
def test_threads_are_compared_with_cores(threads, settings, hints):
    assert list_hints(make_machine(threads=threads, **settings)) == hints


@pytest.mark.parametrize(
    ("number", "hints"),
    [
        (4, []),
        (3, ["torch would use 3 of 4 cores: OMP_NUM_THREADS=4, or nlp.pipe(texts, n_process=4)"]),
    ],
)
def test_a_thread_for_each_physical_core_is_enough(number, hints):
    machine = make_machine(Processor(n_physical=4), cores=8, threads={"torch": number})
    assert list_hints(machine) == hints


def test_processes_of_an_exported_encoder_have_one_thread_each():
    machine = make_machine(threads={"onnxruntime": 4}, start_method="spawn")
    assert list_hints(machine, make_pipeline(ONNX, "int8")) == []


@pytest.mark.parametrize(
    ("processor", "encoder", "precision", "hints"),
    [
        (PLAIN, TORCH, "float32", []),
        (MODERN, TORCH, "bfloat16", []),
        (MODERN, TORCH, "float32", [f"{BF16}: the processor computes it in hardware"]),
        (PLAIN, TORCH, "bfloat16", [f"{F32}: the processor has no bfloat16"]),
        (MODERN, ONNX, "float32", []),
        (PLAIN, ONNX, "int8", []),
        # Where nothing is known, nothing is said.
        (Processor(), TORCH, "bfloat16", []),
        (Processor("x", {"bf16": None}), TORCH, "bfloat16", []),
        (Processor(), TORCH, "float32", []),
        (MODERN, TORCH, "", []),
    ],
)
def test_the_precision_is_compared_with_the_processor(processor, encoder, precision, hints):
    assert list_hints(make_machine(processor), make_pipeline(encoder, precision)) == hints


def test_on_a_gpu_the_processor_does_not_count():
    pipeline = make_pipeline(TORCH, "float32")
    machine = make_machine(MODERN, gpus=("Example GPU",))
    assert list_hints(machine, pipeline, on_cpu=False, can_export=True) == []
    assert list_hints(machine, pipeline)[1:] == [
        "a GPU is there: --gpu-id 0, or spacy.require_gpu() before spacy.load"
    ]


@pytest.mark.parametrize(
    ("encoder", "can_export", "hints"),
    [
        (TORCH, False, []),
        (
            TORCH,
            True,
            ["bioner export model OUT --precision int8: the encoder in int8, without torch"],
        ),
        (ONNX, True, []),
    ],
)
def test_an_encoder_on_torch_may_be_exported(encoder, can_export, hints):
    pipeline = make_pipeline(encoder, "float32")
    assert list_hints(make_machine(), pipeline, can_export=can_export) == hints


def test_faults_are_what_is_missing_and_what_does_not_run():
    software = replace(SOFTWARE, missing=("daachorse>=0.5.0: not installed",))
    pipeline = PipelineState("model", unmet=("spacy>=4: found 3.8.7",), error="no weights")
    assert list_faults(software, pipeline) == [
        "spacy-bioner needs daachorse>=0.5.0: not installed",
        "the pipeline needs spacy>=4: found 3.8.7",
        "the pipeline does not run: no weights",
    ]
    assert list_faults(SOFTWARE, PipelineState("model")) == []


@pytest.fixture
def known(monkeypatch):
    """Lets software and machine be those of an example."""
    command = "pip install 'spacy-bioner[trf]'"
    lack = ExtraFacts(
        "trf", ("torch>=2.10.0: not installed", "matplotlib>=3.7: found 3.1"), command
    )
    software = replace(SOFTWARE, extras=(ExtraFacts("offline"), lack))
    machine = make_machine(
        Processor("Example CPU", {"AVX2": True, "AVX-512": True, "bf16": False, "VNNI": None}),
        cores=8,
        cpu_limit=1.5,
        threads={"torch": 1, "onnxruntime": None},
        variables={"OMP_NUM_THREADS": "1"},
    )
    monkeypatch.setattr(module, "inspect_software", lambda: software)
    monkeypatch.setattr(module, "inspect_machine", lambda: machine)


MACHINE = """\
software
  python               3.11.1, Example-1.0
  spacy                3.8.7
  torch                –

extras
  offline              complete
  trf                  lacks torch>=2.10.0: not installed, matplotlib>=3.7: found 3.1; \
pip install 'spacy-bioner[trf]'

machine
  processor            Example CPU
  features             AVX2, AVX-512; not bf16; not known: VNNI
  cores                2 (affinity 8, limit 1.5)
  torch threads        1
  onnxruntime threads  not known
  OMP_NUM_THREADS      1
  GPUs                 –

"""
FASTER = """
faster
  torch would use 1 of 2 cores: OMP_NUM_THREADS=2, or nlp.pipe(texts, n_process=2)
"""


def run_doctor(*arguments):
    return CliRunner().invoke(app, ["doctor", *map(str, arguments)], catch_exceptions=False)


def test_doctor_cli_prints_what_is_there(known):
    result = run_doctor()
    assert result.output == f"{MACHINE}faults\n  none\n{FASTER}"
    assert result.exit_code == 0


def test_doctor_cli_fails_where_the_pipeline_does_not_run(known, tmp_path):
    result = run_doctor(tmp_path / "none")
    error = (
        f"{tmp_path / 'none'}: neither a folder nor an installed package, expected a pipeline; "
        "check the path or install the package"
    )
    rows = [f"  model                {tmp_path / 'none'}", "  loaded in            –"]
    rows += ["  annotated in         –"]
    assert result.output == (
        MACHINE
        + "\n".join(["pipeline", *rows])
        + f"\n\nfaults\n  the pipeline does not run: {error}\n{FASTER}"
    )
    assert result.exit_code == 1


def test_doctor_cli_tries_a_pipeline(known, trained_folder):
    result = run_doctor(trained_folder)
    lines = result.output.split("\npipeline\n")[1].splitlines()
    assert lines[:3] == [
        f"  model                {trained_folder}",
        "  components           bioner",
        "  encoder              spacy_bioner.TransformerEncoder.v1, unit sentence, window 512, "
        "precision float32, computes in float32",
    ]
    assert [line.split("  ")[1] for line in lines[3:5]] == ["loaded in", "annotated in"]
    assert lines[4].endswith(" s for 111 words")
    assert result.exit_code == 0


def test_doctor_cli_prints_json(known, trained_folder):
    result = run_doctor(trained_folder, "--json")
    data = json.loads(result.output)
    assert list(data) == ["software", "machine", "pipeline", "faults", "hints"]
    assert data["machine"]["n_cores"] == 2
    assert data["machine"]["processor"]["features"]["VNNI"] is None
    assert data["pipeline"]["encoders"] == [
        {
            "path": "components.bioner.model.encoder",
            "architecture": "spacy_bioner.TransformerEncoder.v1",
            "unit": "sentence",
            "window": 512,
            "setting": "float32",
            "precision": "float32",
        }
    ]
    assert (data["faults"], result.exit_code) == ([], 0)


def test_doctor_looks_at_this_installation():
    result = run_doctor("--json")
    software = json.loads(result.output)["software"]
    assert software["python"] == ".".join(map(str, sys.version_info[:3]))
    assert software["versions"]["spacy"] == spacy.__version__
    assert software["missing"] == []
