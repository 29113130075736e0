"""Sections of `gpu_check.py`: is cupy usable, and does the GPU give what the CPU gives?"""

import itertools
import platform
from importlib import import_module, metadata
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import numpy as np
import spacy
import torch
from _common import ROOT, Trainee, note, start_training
from _gpu_setup import Setup, Span, Table, free_memory, read_entities
from spacy.util import minibatch
from thinc.api import fix_random_seed, get_current_ops

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "cupy-cuda13x", "cupy-cuda12x")
SPACY_PACKAGES = ("spacy", "thinc", "spacy-bioner")
# How far float32 on two devices may differ. Weights that are off by one in the last digit change
# losses of these steps by less than 1e-6; sums on a GPU run in another order altogether.
FIRST_LOSS = 1e-4
ANY_LOSS = 1e-3
CONFIDENCE = 1e-3
SHARED = 0.98
# A random encoder needs a large one; at 3e-3 a loss may jump, and then the last digits decide.
RATE = 1e-3
DOCS = 32
BATCH = 4
# So many that both heads find entities.
STEPS = 60
# The share by which weights are disturbed for comparison: about one in the last digit.
DISTURBANCE = 2e-7


def check_environment(setup: Setup) -> Iterator[Table]:
    """List versions and flags, and try what thinc does with cupy."""
    rows = [("what", "value"), ("Python", platform.python_version())]
    rows += [(name, _version(name)) for name in (*PACKAGES, *SPACY_PACKAGES)]
    rows.append(("TF32 in matrix products", str(torch.backends.cuda.matmul.allow_tf32)))
    rows.append(("TF32 in cuDNN", str(torch.backends.cudnn.allow_tf32)))
    if setup.gpu_id >= 0:
        rows.append(("GPU", torch.cuda.get_device_name(setup.gpu_id)))
        rows.append(("CUDA of torch", str(torch.version.cuda)))
    yield Table("Environment", rows, left=2)
    try:
        if setup.gpu_id >= 0:
            _import_cupy()
        setup.use_gpu()
        results = [("array operations", _try_arrays()), ("torch and back", _try_bridge())]
    except Exception:
        # This section fails; those behind it measure torch's part all the same.
        setup.crosses_on_cpu = torch.cuda.is_available()
        raise
    ops = type(get_current_ops()).__name__
    yield Table("Arrays", [("probe", "result"), ("operations", ops), *results], left=2)
    # What spaCy's own layers need; no layer of this package does.
    rows = [("probe", "result"), ("maxout", _try_kernels())]
    yield Table("Kernels of thinc", rows, left=2)


def check_agreement(setup: Setup) -> Iterator[Table]:
    """Train on the CPU and on the GPU with a softmax and a CRF head, and compare."""
    for crf in (False, True):
        title = "CRF" if crf else "softmax"
        setup.use_cpu()
        on_cpu, cpu_losses = _train(setup, crf)
        _, disturbed = _train(setup, crf, disturbance=DISTURBANCE)
        expected = read_entities(on_cpu.nlp, setup.dev_texts)
        note(f"{title}: trained on the CPU")
        setup.use_gpu()
        on_gpu, gpu_losses = _train(setup, crf)
        found = read_entities(on_gpu.nlp, setup.dev_texts)
        model = setup.folder / f"agreement_{title}"
        on_gpu.nlp.to_disk(model)
        reloaded = read_entities(spacy.load(model), setup.dev_texts)
        setup.use_cpu()
        moved = read_entities(spacy.load(model), setup.dev_texts)
        yield _compare_losses(setup, title, cpu_losses, gpu_losses, disturbed)
        pairs = {
            "trained on the CPU – trained on the GPU": (expected, found),
            "GPU – saved and loaded on the GPU": (found, reloaded),
            "GPU – saved and loaded on the CPU": (found, moved),
        }
        yield _compare_entities(setup, title, pairs)
        free_memory()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "–"


def _import_cupy() -> None:
    """Import what thinc does: where that fails, thinc says only that there is no cupy."""
    for name in ("cupy", "cupy.cublas", "cupyx"):
        import_module(name)


def _try_arrays() -> str:
    ops = get_current_ops()
    parts = [ops.asarray(np.full((rows, 3), rows, dtype="f")) for rows in (1, 2)]
    found = ops.to_numpy(ops.xp.hstack([ops.flatten(parts)] * 2))
    assert found.shape == (3, 6), found.shape
    assert found.sum() == 30, found
    return "as numpy"


def _try_bridge() -> str:
    from thinc.util import get_torch_default_device, torch2xp, xp2torch

    device = get_torch_default_device()
    tensor = torch.arange(12, dtype=torch.float32, device=device).reshape(4, 3)
    ops = get_current_ops()
    for part, rows in zip(tensor.split([1, 3]), (slice(0, 1), slice(1, 4))):
        array = torch2xp(part)
        assert isinstance(array, ops.xp.ndarray), type(array)
        back = xp2torch(ops.flatten([array, array]), requires_grad=True, device=device)
        assert back.device == device, back.device
        assert torch.equal(back.detach(), torch.cat([tensor[rows]] * 2))
    return f"equal on {device}"


def _try_kernels() -> str:
    ops = get_current_ops()
    inputs = np.linspace(-2, 2, 24, dtype="f").reshape(4, 2, 3)
    best, which = ops.maxout(ops.asarray(inputs))
    assert np.allclose(ops.to_numpy(best), inputs.max(axis=-1))
    assert (ops.to_numpy(which) == 2).all()
    return "as numpy"


def _train(setup: Setup, crf: bool, disturbance: float = 0.0) -> Tuple[Trainee, List[float]]:
    """Train some steps in float32 without dropout. RETURNS: The losses, too."""
    encoder = "components.bioner.model.encoder"
    overrides = {
        f"{encoder}.name": setup.small_encoder(),
        f"{encoder}.precision": "float32",
        "components.bioner.model.crf": crf,
        "training.optimizer.learn_rate.initial_rate": RATE,
        "training.optimizer.learn_rate.warmup_steps": 3,
        "system.seed": setup.seed,
    }
    trainee = start_training(ROOT / "configs" / "transformer.cfg", setup.train, overrides)
    if disturbance:
        _disturb(trainee, disturbance, setup.seed)
    fix_random_seed(setup.seed)
    batches = itertools.cycle(minibatch(trainee.examples[:DOCS], BATCH))
    losses, optimizer = [], trainee.training["optimizer"]
    for batch in itertools.islice(batches, STEPS):
        found: Dict[str, float] = {}
        trainee.nlp.update(batch, drop=0.0, sgd=optimizer, losses=found)
        optimizer.step_schedules()
        losses.append(found["bioner"])
    return trainee, losses


def _disturb(trainee: Trainee, share: float, seed: int) -> None:
    """Change every weight a little, at random."""
    generator = torch.Generator().manual_seed(seed)
    component: Any = trainee.nlp.get_pipe("bioner")
    for shim in (shim for node in component.model.walk() for shim in node.shims):
        for weights in shim.module.parameters():
            noise = torch.randn(weights.shape, generator=generator).to(weights.device)
            weights.data.mul_(1 + share * noise)


def _compare_losses(
    setup: Setup,
    title: str,
    cpu: Sequence[float],
    gpu: Sequence[float],
    disturbed: Sequence[float],
) -> Table:
    differences = [abs(left - right) for left, right in zip(cpu, gpu)]
    rows: List[Sequence[str]] = [
        ("beside the CPU's losses", "first loss", "last loss", "difference at step 1", "largest")
    ]
    rows.append(("the CPU's", f"{cpu[0]:.4f}", f"{cpu[-1]:.4f}", "–", "–"))
    others = {"the GPU's": gpu, f"the CPU's, weights off by {DISTURBANCE:g}": disturbed}
    for name, losses in others.items():
        apart = [abs(left - right) for left, right in zip(cpu, losses)]
        ends = (f"{losses[0]:.4f}", f"{losses[-1]:.4f}")
        rows.append((name, *ends, f"{apart[0]:.1e}", f"{max(apart):.1e}"))
    wrong = []
    if differences[0] > FIRST_LOSS or max(differences) > ANY_LOSS:
        wrong.append(f"{title}: losses differ by {differences[0]:.1e}, then {max(differences):.1e}")
    about = {"n": f"{len(cpu)} steps of {BATCH} documents, {setup.source}", "seed": setup.seed}
    return Table(f"Losses, {title}, float32", rows, left=1, about=about, wrong=tuple(wrong))


def _compare_entities(
    setup: Setup, title: str, pairs: Dict[str, Tuple[Dict[Span, float], Dict[Span, float]]]
) -> Table:
    rows: List[Sequence[str]] = [("pair", "entities", "in both", "confidences differ by at most")]
    wrong = []
    for name, (first, second) in pairs.items():
        both = first.keys() & second.keys()
        apart = max((abs(first[key] - second[key]) for key in both), default=0.0)
        counts = f"{len(first):,} / {len(second):,}"
        rows.append((name, counts, f"{len(both):,}", f"{apart:.1e}"))
        same_weights = "saved" in name
        least = (1.0 if same_weights else SHARED) * max(len(first), len(second))
        if len(both) < least or (same_weights and apart > CONFIDENCE):
            wrong.append(f"{title}: {name}: entities or confidences differ")
    if not all(first and second for first, second in pairs.values()):
        wrong.append(f"{title}: a pipeline found no entities, so nothing was compared")
    about: Dict[str, Any] = {"n": f"{len(setup.dev_texts)} documents", "seed": setup.seed}
    return Table(f"Entities, {title}, float32", rows, about=about, wrong=tuple(wrong))
