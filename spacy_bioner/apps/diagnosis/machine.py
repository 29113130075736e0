"""What the processor can do, and how many cores and threads a process has."""

import multiprocessing
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Tuple

from spacy_bioner.cores import count_affinity, count_threads, read_cpu_limit
from spacy_bioner.extras import find_missing
from spacy_bioner.training.results.diagnosis import Machine, Processor

# Names of /proc/cpuinfo for what decides speed; one of them is enough.
X86 = {
    "AVX2": ("avx2",),
    "AVX-512": ("avx512f",),
    "VNNI": ("avx512_vnni", "avx_vnni"),
    "AMX tiles": ("amx_tile",),
    "AMX bf16": ("amx_bf16",),
    "AMX int8": ("amx_int8",),
    "bf16": ("avx512_bf16",),
}
ARM = {"dotprod": ("asimddp",), "i8mm": ("i8mm",), "bf16": ("bf16",)}
# Keys of `sysctl` on macOS; AMX and AVX-VNNI have none.
MAC_X86 = {
    "AVX2": "hw.optional.avx2_0",
    "AVX-512": "hw.optional.avx512f",
    "VNNI": "hw.optional.avx512vnni",
    "bf16": "hw.optional.avx512bf16",
}
MAC_ARM = {
    "dotprod": "hw.optional.arm.FEAT_DotProd",
    "i8mm": "hw.optional.arm.FEAT_I8MM",
    "bf16": "hw.optional.arm.FEAT_BF16",
}
VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TOKENIZERS_PARALLELISM",
)
ROOT = Path("/")
STATUS = Path("/proc/self/status")


def inspect_machine() -> Machine:
    """Look at the machine of this process; imports torch where it is installed."""
    processor = read_processor()
    return Machine(
        processor,
        n_affinity=count_affinity(),
        cpu_limit=read_cpu_limit(),
        threads=_count_threads(),
        variables={name: os.environ[name] for name in VARIABLES if name in os.environ},
        start_method=multiprocessing.get_start_method(),
        gpus=_list_gpus(),
    )


def read_processor(root: Path = ROOT) -> Processor:
    """Find out what the processor is; what the system does not say stays unknown."""
    system = platform.system()
    if system == "Linux":
        return parse_cpuinfo(_read(root / "proc/cpuinfo"))
    if system == "Darwin":
        command = ["sysctl", "hw", "machdep.cpu"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return parse_sysctl(done.stdout)
    return Processor()


def read_peak_memory() -> int:
    """Return the most memory that this process held at a time, in bytes.

    Linux counts what a process held before it became this program (its parent's memory, when that
    was large) into `ru_maxrss`, but not into VmHWM.
    """
    if STATUS.is_file():
        for line in STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def parse_cpuinfo(text: str) -> Processor:
    """Read /proc/cpuinfo. What not every processor has does not count."""
    blocks = [_read_values(block) for block in text.split("\n\n")]
    blocks = [block for block in blocks if "processor" in block]
    if not blocks:
        return Processor()
    key, names = ("flags", X86) if "flags" in blocks[0] else ("Features", ARM)
    sets = [set(block[key].split()) for block in blocks if key in block]
    common = set.intersection(*sets) if sets else set()
    places = {
        (block["physical id"], block["core id"])
        for block in blocks
        if "physical id" in block and "core id" in block
    }
    return Processor(
        name=blocks[0].get("model name", ""),
        features={name: bool(common & set(flags)) for name, flags in names.items() if sets},
        n_physical=len(places) or len(blocks),
    )


def parse_sysctl(text: str) -> Processor:
    """Read what `sysctl` of macOS prints."""
    values = _read_values(text)
    names: Mapping[str, str] = MAC_ARM if values.get("hw.optional.arm64") == "1" else MAC_X86
    features: Dict[str, Optional[bool]] = {
        name: values[key] == "1" if key in values else None for name, key in names.items()
    }
    if names is MAC_X86:
        features |= dict.fromkeys(("AMX tiles", "AMX bf16", "AMX int8"))
    cores = values.get("hw.physicalcpu", "")
    return Processor(
        values.get("machdep.cpu.brand_string", ""),
        features if values else {},
        int(cores) if cores.isdigit() else None,
    )


def _read_values(text: str) -> Dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, colon, value in lines if colon}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _count_threads() -> Dict[str, Optional[int]]:
    threads: Dict[str, Optional[int]] = {}
    if not find_missing("torch"):
        import torch

        threads["torch"] = torch.get_num_threads()
    if not find_missing("onnxruntime"):
        threads["onnxruntime"] = count_threads()
    return threads


def _list_gpus() -> Tuple[str, ...]:
    if find_missing("torch"):
        return ()
    import torch

    found: List[str] = []
    if torch.cuda.is_available():
        found = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return tuple(found)
