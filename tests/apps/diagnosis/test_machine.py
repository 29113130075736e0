"""Processors and control groups as systems describe them; no text here is of a real machine."""

import platform
from types import SimpleNamespace

import pytest

from spacy_bioner.apps.diagnosis import machine
from spacy_bioner.apps.diagnosis.machine import (
    inspect_machine,
    parse_cpuinfo,
    parse_sysctl,
    read_peak_memory,
    read_processor,
)
from spacy_bioner.training.results.diagnosis import Processor

BASE = "fpu vme sse4_2 avx fma"


def write_cpuinfo(flags, *, places=((0, 0), (0, 1)), name="Example CPU 3.0"):
    return "".join(
        f"processor\t: {number}\nmodel name\t: {name}\nphysical id\t: {socket}\n"
        f"core id\t\t: {core}\nflags\t\t: {BASE} {flags}\npower management:\n\n"
        for number, (socket, core) in enumerate(places)
    )


def write_arm(*lines):
    blocks = [f"processor\t: {i}\nBogoMIPS\t: 50.00\n{line}" for i, line in enumerate(lines)]
    return "\n\n".join(blocks) + "\n\nSerial\t\t: 0000\n"


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("", []),
        ("avx2", ["AVX2"]),
        ("avx2 avx_vnni", ["AVX2", "VNNI"]),
        ("avx2 avx512f avx512bw", ["AVX2", "AVX-512"]),
        ("avx2 avx512f avx512_vnni", ["AVX2", "AVX-512", "VNNI"]),
        ("avx2 avx512f avx512_vnni avx512_bf16", ["AVX2", "AVX-512", "VNNI", "bf16"]),
        (
            "avx2 avx512f avx512_vnni avx512_bf16 amx_bf16 amx_tile amx_int8",
            ["AVX2", "AVX-512", "VNNI", "AMX tiles", "AMX bf16", "AMX int8", "bf16"],
        ),
    ],
)
def test_features_of_x86_are_told_by_flags(flags, found):
    processor = parse_cpuinfo(write_cpuinfo(flags))
    assert processor.name == "Example CPU 3.0"
    assert [name for name, value in processor.features.items() if value] == found
    assert len(processor.features) == 7
    assert None not in processor.features.values()


@pytest.mark.parametrize(
    ("places", "number"),
    [
        ([(0, 0), (0, 1)], 2),
        # Two threads on each core; two sockets whose cores have the same numbers.
        ([(0, 0), (0, 1), (0, 0), (0, 1)], 2),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], 4),
    ],
)
def test_physical_cores_are_counted(places, number):
    assert parse_cpuinfo(write_cpuinfo("avx2", places=places)).n_physical == number


@pytest.mark.parametrize(
    ("features", "found"),
    [
        ("fp asimd crc32", {"dotprod": False, "i8mm": False, "bf16": False}),
        ("fp asimd asimddp", {"dotprod": True, "i8mm": False, "bf16": False}),
        ("fp asimd asimddp i8mm bf16", {"dotprod": True, "i8mm": True, "bf16": True}),
    ],
)
def test_features_of_arm_are_told(features, found):
    line = f"Features\t: {features}"
    assert parse_cpuinfo(write_arm(line, line)) == Processor("", found, 2)


def test_what_only_some_processors_have_does_not_count():
    text = write_arm("Features\t: asimddp i8mm", "Features\t: asimddp")
    assert parse_cpuinfo(text).features == {"dotprod": True, "i8mm": False, "bf16": False}


@pytest.mark.parametrize("text", ["", "vendor_id : X\nbogomips : 3\n"])
def test_a_cpuinfo_without_processors_says_nothing(text):
    assert parse_cpuinfo(text) == Processor()


def test_a_cpuinfo_without_features_leaves_them_unknown():
    assert parse_cpuinfo("processor : 0\ncpu : POWER\n\n") == Processor("", {}, 1)


def test_macs_with_arm_say_what_they_have():
    text = (
        "hw.physicalcpu: 8\nhw.optional.arm64: 1\nhw.optional.arm.FEAT_DotProd: 1\n"
        "hw.optional.arm.FEAT_BF16: 0\nmachdep.cpu.brand_string: Example M: 1\n"
    )
    features = {"dotprod": True, "i8mm": None, "bf16": False}
    assert parse_sysctl(text) == Processor("Example M: 1", features, 8)


def test_macs_with_x86_do_not_say_whether_they_have_amx():
    text = (
        "hw.physicalcpu: 4\nhw.optional.avx2_0: 1\nhw.optional.avx512f: 0\n"
        "hw.optional.avx512vnni: 0\nmachdep.cpu.brand_string: Example i7\n"
    )
    assert parse_sysctl(text).features == {
        "AVX2": True,
        "AVX-512": False,
        "VNNI": False,
        "bf16": None,
        "AMX tiles": None,
        "AMX bf16": None,
        "AMX int8": None,
    }


def test_a_mac_that_says_nothing_stays_unknown():
    assert parse_sysctl("") == Processor()


def test_read_processor_asks_each_system_its_way(monkeypatch, tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text(write_cpuinfo("avx2", name="Linux CPU"))
    done = SimpleNamespace(stdout="machdep.cpu.brand_string: Mac CPU\n")
    monkeypatch.setattr(machine.subprocess, "run", lambda *_, **__: done)
    names = []
    for system in ("Linux", "Darwin", "Windows"):
        monkeypatch.setattr(platform, "system", lambda system=system: system)
        names.append(read_processor(tmp_path).name)
    assert names == ["Linux CPU", "Mac CPU", ""]


def test_inspect_machine_tells_of_this_process(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    monkeypatch.setattr(machine, "count_affinity", lambda: 5)
    found = inspect_machine()
    assert found.n_affinity == 5
    assert found.threads["torch"] == torch.get_num_threads()
    assert found.variables["MKL_NUM_THREADS"] == "3"
    assert len(found.gpus) == torch.cuda.device_count()


def test_without_torch_and_onnxruntime_nothing_is_said_of_them(monkeypatch):
    monkeypatch.setattr(machine, "find_missing", lambda *names: list(names))
    found = inspect_machine()
    assert (found.threads, found.gpus) == ({}, ())


def test_onnxruntime_has_the_threads_of_an_exported_encoder(monkeypatch):
    monkeypatch.setattr(machine, "find_missing", lambda *names: sorted({"torch"} & set(names)))
    monkeypatch.setattr(machine, "count_threads", lambda: 12)
    assert inspect_machine().threads == {"onnxruntime": 12}


def test_peak_memory_is_in_bytes():
    assert read_peak_memory() > 10_000_000
