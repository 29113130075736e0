"""Fixtures that several test modules share."""

import json
import os
import re
import string
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from thinc.api import fix_random_seed

from tests.paths import ROOT

TOKENIZER = {"nlp": {"tokenizer": {"@tokenizers": "spacy_bioner.BiomedicalTokenizer.v1"}}}
WORDS = ["Naloxone", "reverses", "the", "effect", "of", "clonidine", "hypertension", "in", "rats"]
Entity = Tuple[int, int, str]
OTHER_ENVIRONMENTS = {"trf": "spacy_transformers", "scispacy": "scispacy"}
MISSING = re.compile(
    r"No module named '(\w+)|needs? (\w+)(?: and \w+)*, (?:which is )?not installed"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for environments with the base dependencies only."""
    words = "skip tests of what is not installed, as in an environment without extras"
    parser.addoption("--base", action="store_true", help=words)


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """Skip tests of libraries that have an environment of their own, where it is another one."""
    for marker, module in OTHER_ENVIRONMENTS.items():
        if find_spec(module) is None:
            skipped = pytest.mark.skip(reason=f"{module} is not installed: make test-{marker}")
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(skipped)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Any:
    """With --base, skip modules that import what is not installed."""
    report = yield
    return _skip_missing(report, str(report.longrepr), collector.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Any:
    """With --base, skip tests that fail for want of what is not installed."""
    report = yield
    return _skip_missing(report, str(call.excinfo.value) if call.excinfo else "", item.config)


def _skip_missing(report: Any, words: str, config: pytest.Config) -> Any:
    found = MISSING.search(words) if report.failed and config.getoption("--base") else None
    name = next(filter(None, found.groups())) if found else ""
    # Only what is really absent: a broken import of an installed module stays a failure.
    if name and find_spec(name) is None:
        report.outcome = "skipped"
        report.longrepr = (str(report.nodeid), 0, f"Skipped: {name} is not installed")
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> None:
    """What a fixture draws does not depend on what ran before in its process: those that it needs
    are made first."""
    for name in fixturedef.argnames:
        request.getfixturevalue(name)
    fix_random_seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    """Nor does what a test draws."""
    fix_random_seed(0)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with real corpora, vocabularies and text; the test is skipped without it."""
    folder = Path(os.environ.get("BIONER_DATA", ROOT / ".." / "shared"))
    if not (folder / "corpora").is_dir():
        pytest.skip(f"real corpora are not at {folder}; name their folder in BIONER_DATA")
    return folder.resolve()


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cased BERT with random weights, in the layout of BioBERT's folder: config.json, vocab.txt
    and pytorch_model.bin, without any tokenizer settings."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("biobert-tiny")
    characters = string.ascii_letters + string.digits + string.punctuation
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    pieces += [f"##{c}" for c in string.ascii_letters + string.digits] + WORDS
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf8")
    config = transformers.BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    torch.manual_seed(0)
    model = transformers.BertForPreTraining(config)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    settings = {**config.to_dict(), "architectures": ["BertForPreTraining"]}
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf8")
    return folder


def save_tiny_mpnet(folder: Path, pieces: Sequence[str]) -> None:
    """Save an MPNet with random weights, in the layout of microsoft/mpnet-base: config.json,
    vocab.txt, weights and tokenizer settings that lower-case."""
    from transformers import MPNetConfig, MPNetModel

    # "[UNK]" is what words without pieces become; "<unk>" stands in the vocabulary beside it.
    lower = dict.fromkeys(piece.lower() for piece in pieces)
    own = ["<s>", "<pad>", "</s>", "<unk>", *lower, "[UNK]", "<mask>"]
    (folder / "vocab.txt").write_text("\n".join(own) + "\n", encoding="utf8")
    specials = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    specials |= {"unk_token": "[UNK]", "pad_token": "<pad>", "mask_token": "<mask>"}
    settings = {"do_lower_case": True, "tokenizer_class": "MPNetTokenizer", **specials}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf8")
    config = MPNetConfig(
        vocab_size=len(own),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=66,
    )
    MPNetModel(config).save_pretrained(folder)


@pytest.fixture(scope="session")
def blank_nlp() -> Language:
    """A pipeline of nothing but the biomedical tokenizer."""
    return spacy.blank("en", config=TOKENIZER)


@pytest.fixture(autouse=True)
def _shared_pipeline_stays_blank(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails the test that changes `blank_nlp`, not those behind it in its process."""
    shared = request.getfixturevalue("blank_nlp") if "blank_nlp" in request.fixturenames else None
    yield
    assert shared is None or not shared.pipe_names


@pytest.fixture(scope="session")
def bioner_config() -> Dict[str, Any]:
    """The config of a blank pipeline with the biomedical tokenizer."""
    return TOKENIZER


@pytest.fixture(scope="session")
def make_example(blank_nlp: Language) -> Callable[[str, Sequence[Entity]], Example]:
    """Makes an Example from a text and its entities as (start_char, end_char, label)."""

    def build(text: str, entities: Sequence[Entity]) -> Example:
        reference = blank_nlp(text)
        spans: List[Span] = [
            reference.char_span(start, end, label=label) for start, end, label in entities
        ]
        reference.set_ents(spans, default="outside")
        return Example(blank_nlp(text), reference)

    return build


def make_bioner_nlp(encoder: str, **settings: Any) -> Language:
    """Make a pipeline with an uninitialized `bioner` in float32."""
    nlp = spacy.blank("en", config=TOKENIZER)
    model = {"encoder": {"name": encoder, "precision": "float32"}}
    nlp.add_pipe("bioner", config={"model": model, **settings})
    return nlp


def learn_by_heart(nlp: Language, examples: List[Example], *, steps: int = 40) -> None:
    """Initialize a pipeline and train it until it knows a few examples."""
    # Making the pipeline draws where it is the first to import something.
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer, drop=0.0)


@pytest.fixture
def bioner_nlp(tiny_bert: Path) -> Language:
    """A pipeline with an uninitialized `bioner` on the tiny BERT."""
    return make_bioner_nlp(str(tiny_bert))


@pytest.fixture(scope="session")
def trained_folder(
    tiny_bert: Path,
    make_example: Callable[[str, Sequence[Entity]], Example],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The saved pipeline of `trained_nlp`."""
    return train_by_heart(tiny_bert, make_example, tmp_path_factory.mktemp("trained") / "model")


@pytest.fixture(scope="session")
def trained_mpnet_folder(
    tiny_bert: Path,
    make_example: Callable[[str, Sequence[Entity]], Example],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """As `trained_folder`, on an MPNet."""
    folder = tmp_path_factory.mktemp("mpnet-tiny")
    save_tiny_mpnet(folder, (tiny_bert / "vocab.txt").read_text(encoding="utf8").split()[5:])
    return train_by_heart(folder, make_example, tmp_path_factory.mktemp("trained") / "model")


def train_by_heart(
    encoder: Path, make_example: Callable[[str, Sequence[Entity]], Example], folder: Path
) -> Path:
    """Train a pipeline on an encoder until it knows two texts, and save it."""
    nlp = make_bioner_nlp(str(encoder))
    learn_by_heart(
        nlp,
        [
            make_example(
                "Naloxone reverses the effect of clonidine.",
                [(0, 8, "Chemical"), (32, 41, "Chemical")],
            ),
            make_example("hypertension in rats", [(0, 12, "Disease")]),
        ],
    )
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="session")
def exported_folder(
    trained_folder: Path,
    make_example: Callable[[str, Sequence[Entity]], Example],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The pipeline of `trained_nlp`, exported in int8."""
    for name in ("onnx", "onnxruntime"):
        pytest.importorskip(name)
    from spacy_bioner.apps.packaging.export import export

    folder = tmp_path_factory.mktemp("exported")
    example = make_example("hypertension in rats", [(0, 12, "Disease")])
    DocBin(docs=[example.reference], store_user_data=True).to_disk(folder / "dev.spacy")
    export(str(trained_folder), folder / "model", dev=folder / "dev.spacy")
    return folder / "model"


@pytest.fixture
def trained_nlp(trained_folder: Path) -> Language:
    """A pipeline on the tiny BERT that has learned two texts by heart: Chemical and Disease."""
    return spacy.load(trained_folder)


def entities_of(doc: Doc) -> List[Tuple[str, str]]:
    """List a Doc's entities as (text, label)."""
    return [(ent.text, ent.label_) for ent in doc.ents]
