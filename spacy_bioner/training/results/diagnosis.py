"""What an installation has, what its machine can do, and how a pipeline fares there."""

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from spacy_bioner.cores import limit_cores


@dataclass(frozen=True)
class ExtraFacts:
    """An extra of this package.

    missing (Tuple[str, ...]): Requirements that are not met, with what is there instead.
    command (str): Brings them; empty where nothing is missing.
    """

    name: str
    missing: Tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class Software:
    """What is installed.

    python (str): Version of Python.
    platform (str): System, release and processor architecture.
    versions (Mapping[str, Optional[str]]): By distribution; None: not installed.
    missing (Tuple[str, ...]): Requirements of this package itself that are not met.
    extras (Tuple[ExtraFacts, ...]): Empty where no metadata of this package is installed.
    """

    python: str
    platform: str
    versions: Mapping[str, Optional[str]]
    missing: Tuple[str, ...] = ()
    extras: Tuple[ExtraFacts, ...] = ()


@dataclass(frozen=True)
class Processor:
    """A processor.

    name (str): Empty where it is not known.
    features (Mapping[str, Optional[bool]]): What decides speed, by name, of its architecture;
        None: not known. Empty where nothing is known.
    n_physical (Optional[int]): Physical cores of the machine; None: not known.
    """

    name: str = ""
    features: Mapping[str, Optional[bool]] = field(default_factory=dict)
    n_physical: Optional[int] = None

    def has(self, *features: str) -> bool:
        """Whether it is known to have one of these features."""
        return any(self.features.get(name) for name in features)

    def lacks(self, *features: str) -> bool:
        """Whether it is known to have none of those that its architecture may have."""
        known = [self.features[name] for name in features if name in self.features]
        return bool(known) and all(value is False for value in known)


@dataclass(frozen=True)
class Machine:
    """What this process may use.

    n_affinity (int): Processors that it may run on.
    cpu_limit (Optional[float]): How many of them at a time, by its control group; None: no limit.
    threads (Mapping[str, Optional[int]]): How many threads a library would use, by its name; of
        those that are installed. None: not known.
    variables (Mapping[str, str]): Environment variables that set numbers of threads.
    start_method (str): How further processes are started: fork, forkserver or spawn.
    gpus (Tuple[str, ...]): CUDA devices that torch sees.
    """

    processor: Processor
    n_affinity: int
    cpu_limit: Optional[float] = None
    threads: Mapping[str, Optional[int]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    start_method: str = "fork"
    gpus: Tuple[str, ...] = ()

    @property
    def n_cores(self) -> int:
        """Cores that can be used at a time, a started one included."""
        return limit_cores(self.n_affinity, self.cpu_limit)


@dataclass(frozen=True)
class EncoderUse:
    """An encoder of a pipeline, and the precision that it computes in here.

    path (str): Its section of the config.
    architecture (str): As it is registered.
    unit (str): What goes through it together; empty where the config does not say.
    window (Optional[int]): The most pieces of one input; None where the config does not say.
    setting (str): The precision in the config; empty where there is none.
    precision (str): The one in use here; empty where it is not known.
    """

    path: str
    architecture: str
    unit: str = ""
    window: Optional[int] = None
    setting: str = ""
    precision: str = ""


@dataclass(frozen=True)
class PipelineState:
    """How a pipeline fares here.

    model (str): The folder or package.
    components (Tuple[str, ...]): In their order.
    encoders (Tuple[EncoderUse, ...]): In their order in the config.
    unmet (Tuple[str, ...]): Requirements of its meta that are not met.
    error (str): Why it cannot be loaded or run; empty where it can.
    load_seconds (Optional[float]): With what it has to import; None where it does not load.
    annotate_seconds (Optional[float]): For a text of `n_words`, when all is loaded.
    """

    model: str
    components: Tuple[str, ...] = ()
    encoders: Tuple[EncoderUse, ...] = ()
    unmet: Tuple[str, ...] = ()
    error: str = ""
    load_seconds: Optional[float] = None
    annotate_seconds: Optional[float] = None
    n_words: int = 0


@dataclass(frozen=True)
class Diagnosis:
    """All of it, and what follows.

    pipeline (Optional[PipelineState]): None where none was asked for.
    faults (Tuple[str, ...]): What is wrong.
    hints (Tuple[str, ...]): What would be faster.
    """

    software: Software
    machine: Machine
    pipeline: Optional[PipelineState] = None
    faults: Tuple[str, ...] = ()
    hints: Tuple[str, ...] = ()

    def to_json(self) -> Dict[str, Any]:
        """Return all as plain data."""
        data = asdict(self)
        data["machine"]["n_cores"] = self.machine.n_cores
        return data
