"""What a pipeline is, what it learned from, how good it is, and a run of it."""

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Sequence, Tuple

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.scores import Scores
from spacy_bioner.knowledge.gaz import SourceInfo
from spacy_bioner.training.results.verification import CarriedSplit

# What a pipeline's meta says of its terms: the fields of `TermFacts`.
TERMS_KEY = "terms"
# The component that scales confidences and leaves unsure entities out.
CONFIDENCE = "bioner_confidence"


@dataclass(frozen=True)
class EncoderFacts:
    """The pre-trained encoder that a pipeline was trained from.

    name (str): As the training config names it.
    licence (str): Empty when not known.
    """

    name: str
    licence: str = ""


@dataclass(frozen=True)
class CorpusFacts:
    """The corpus that a pipeline was trained on.

    name (str): Empty when not known.
    licence (str): Empty when not known.
    n_docs (Optional[int]): Training documents; None when not known.
    n_mentions (Mapping[str, int]): Training mentions by label; empty when not known.
    short_name (str): As files and packages are named after it; empty when not known.
    digests (Mapping[str, str]): SHA-256 of the training documents, by their name; empty when not
        known.
    """

    name: str = ""
    licence: str = ""
    n_docs: Optional[int] = None
    n_mentions: Mapping[str, int] = field(default_factory=dict)
    short_name: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TermFacts:
    """The table that a pipeline's gazetteer, or its model, has its terms from.

    table (str): The file.
    n_terms (int): Those of it that were taken in.
    sources (Sequence[SourceInfo]): Empty where the table does not tell.
    rules (Mapping[str, Any]): By which rules its terms were chosen and changed.
    """

    table: str
    n_terms: int
    sources: Sequence[SourceInfo] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoredCorpus:
    """Scores on documents that took no part in training.

    corpus (str): The file that was scored.
    scores (Mapping[str, Scores]): By what was scored, in the order of display.
    rules (str): The corpus by whose rules the pipeline annotated; empty: by none in particular.
    intervals (Mapping[Optional[str], Interval]): Of the F1 in the first of `scores`, by type, and
        of all types under None; empty when not known.
    novelty (Sequence[Tuple[str, int, int]]): Kinds of mentions by whether training has shown them,
        with how many were found, of how many; empty when not known.
    calibration_error (Optional[float]): The expected one of the confidences, 0 to 1.
    """

    corpus: str
    scores: Mapping[str, Scores]
    rules: str = ""
    intervals: Mapping[Optional[str], Interval] = field(default_factory=dict)
    novelty: Sequence[Tuple[str, int, int]] = ()
    calibration_error: Optional[float] = None


@dataclass(frozen=True)
class ModelCard:
    """Everything that a model card says.

    package (str): Name of the package, "en_bioner_biobert".
    version (str): Version of the package.
    description (str): One sentence.
    licence (str): Licence of the package; empty when not stated.
    components (Mapping[str, str]): Factory of each pipeline component, by name, in order.
    labels (Sequence[str]): What the pipeline can predict.
    requirements (Sequence[str]): What is installed with it.
    corpus (CorpusFacts): What it was trained on.
    encoder (Optional[EncoderFacts]): None for a pipeline without one.
    terms (Optional[TermFacts]): None for a pipeline without a gazetteer.
    features (Optional[TermFacts]): Terms that the model itself looks up; None for none.
    tests (Sequence[ScoredCorpus]): Empty when it was not scored.
    settings (Sequence[Tuple[str, str]]): Names and values of training settings.
    split (Optional[CarriedSplit]): Test documents that the package carries; None without.
    commands (str): How it was made, as lines for a shell; empty when not told.
    """

    package: str
    version: str
    description: str
    licence: str = ""
    components: Mapping[str, str] = field(default_factory=dict)
    labels: Sequence[str] = ()
    requirements: Sequence[str] = ()
    corpus: CorpusFacts = field(default_factory=CorpusFacts)
    encoder: Optional[EncoderFacts] = None
    terms: Optional[TermFacts] = None
    features: Optional[TermFacts] = None
    tests: Sequence[ScoredCorpus] = ()
    settings: Sequence[Tuple[str, str]] = ()
    split: Optional[CarriedSplit] = None
    commands: str = ""


@dataclass(frozen=True)
class RunFacts:
    """What was run: a pipeline on documents.

    scored (str): Which pipeline it was, and by which digest it can be told.
    pipeline (str): Its language, name and version.
    components (Sequence[str]): In their order.
    licence (str): Empty when not stated.
    description (str): Empty when not stated.
    seed (Optional[int]): Of its training; None when not stated.
    documents (str): The file that was scored.
    labels (Sequence[str]): Those that count; empty: all.
    n_words (int): Of the documents.
    words_per_second (Optional[float]): None when not measured.
    command (str): As it can be run again.
    environment (str): Versions of packages.
    """

    scored: str
    pipeline: str
    components: Sequence[str]
    licence: str
    description: str
    seed: Optional[int]
    documents: str
    labels: Sequence[str]
    n_words: int
    words_per_second: Optional[float]
    command: str
    environment: str
