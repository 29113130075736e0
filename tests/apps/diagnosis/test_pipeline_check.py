import json
import shutil
import sys
from importlib.util import find_spec

import pytest
import spacy
from spacy.language import Language
from thinc.api import Model
from thinc.shims import Shim

from spacy_bioner.apps.diagnosis import pipeline_check
from spacy_bioner.apps.diagnosis.pipeline_check import ABSTRACT, check_pipeline
from spacy_bioner.training.results.diagnosis import EncoderUse, PipelineState

TORCH = "spacy_bioner.TransformerEncoder.v1"
ENCODER = "components.bioner.model.encoder"


class DescribedShim(Shim):
    """Has a description with a precision, and no torch module."""

    def __init__(self, precision):
        super().__init__(None)
        self.spec = {"precision": precision}


@Language.component("doctor_test_tagger")
def tag_nothing(doc):
    return doc


class Exported:
    """A component on encoders of these precisions."""

    def __init__(self, *precisions):
        members = [
            Model(name, lambda model, X, is_train: (X, lambda dX: dX), shims=[DescribedShim(name)])
            for name in precisions
        ]
        self.model = Model("head", lambda model, X, is_train: (X, lambda dX: dX), layers=members)

    def __call__(self, doc):
        return doc


@pytest.fixture
def saved(trained_folder, tmp_path):
    folder = tmp_path / "pipeline"
    shutil.copytree(trained_folder, folder)
    return folder


def change_meta(folder, **changes):
    path = folder / "meta.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf8")), **changes}), "utf8")


def test_a_pipeline_that_runs_is_described_and_timed(saved):
    found = check_pipeline(str(saved))
    assert found.load_seconds > 0
    assert found.annotate_seconds > 0
    assert found == PipelineState(
        model=str(saved),
        components=("bioner",),
        encoders=(EncoderUse(ENCODER, TORCH, "sentence", 512, "float32", "float32"),),
        load_seconds=found.load_seconds,
        annotate_seconds=found.annotate_seconds,
        n_words=len(ABSTRACT.split()),
    )


@pytest.mark.parametrize(("has_bf16", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_auto_is_told_as_what_it_comes_to_here(saved, has_bf16, precision, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_bf16, raising=False)
    config = saved / "config.cfg"
    text = config.read_text("utf8").replace('precision = "float32"', 'precision = "auto"')
    config.write_text(text, "utf8")
    (encoder,) = check_pipeline(str(saved)).encoders
    assert (encoder.setting, encoder.precision) == ("auto", precision)


def test_a_pipeline_without_encoder_has_none(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "rules")
    found = check_pipeline(str(tmp_path / "rules"))
    assert (found.components, found.encoders, found.error) == (("sentencizer",), (), "")


def test_the_encoder_of_spacys_own_components_is_named(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("Disease")
    nlp.initialize()
    nlp.to_disk(tmp_path / "cnn")
    encoders = check_pipeline(str(tmp_path / "cnn")).encoders
    assert encoders == (EncoderUse("components.ner.model.tok2vec", "spacy.HashEmbedCNN.v2"),)


def write_config(folder, sections):
    """Write the folder of a pipeline `tagger` whose model has these sections."""
    lines = ['[nlp]\nlang = "en"\npipeline = ["tagger"]\n', "[components]\n"]
    lines += ['[components.tagger]\nfactory = "doctor_test_tagger"\n']
    lines += [f"[components.tagger.model{name}]\n{text}\n" for name, text in sections.items()]
    folder.mkdir()
    (folder / "config.cfg").write_text("\n".join(lines), "utf8")
    (folder / "meta.json").write_text("{}", "utf8")


@pytest.mark.parametrize(
    ("precisions", "in_use"),
    [(["int8", "float32"], ("int8", "float32")), (["int8"], ("", "")), ([], ("", ""))],
)
def test_the_precision_of_an_exported_encoder_is_in_its_description(
    precisions, in_use, tmp_path, monkeypatch
):
    onnx = '@architectures = "spacy_bioner.OnnxEncoder.v1"\nunit = "document"\nwindow = 128'
    head = '@architectures = "spacy_bioner.EmissionEnsemble.v1"'
    names = (".*", ".*.a", ".*.b")
    sections = {"": head, names[0]: "", names[1]: "", f"{names[1]}.encoder": onnx}
    sections |= {names[2]: "", f"{names[2]}.encoder": onnx}
    write_config(tmp_path / "exported", sections)
    nlp = spacy.blank("en")
    nlp.add_pipe("doctor_test_tagger", name="tagger")
    exported = Exported(*precisions)
    monkeypatch.setattr(nlp, "_components", [("tagger", exported)])
    monkeypatch.setattr(pipeline_check, "load_pipeline", lambda model, gpu_id: nlp)
    found = check_pipeline(str(tmp_path / "exported"))
    place = "components.tagger.model.*"
    name = "spacy_bioner.OnnxEncoder.v1"
    assert found.error == ""
    assert found.encoders == (
        EncoderUse(f"{place}.a.encoder", name, "document", 128, "", in_use[0]),
        EncoderUse(f"{place}.b.encoder", name, "document", 128, "", in_use[1]),
    )


def test_requirements_of_the_meta_that_are_not_met_are_found(saved):
    change_meta(saved, spacy_version=">=9.0,<9.1", requirements=["spacy-bioner", "no-such-thing>1"])
    found = check_pipeline(str(saved))
    assert found.unmet == (
        f"spacy<9.1,>=9.0: found {spacy.__version__}",
        "no-such-thing>1: not installed",
    )
    # Another version may serve all the same.
    assert (found.error, found.n_words) == ("", 111)


@pytest.mark.parametrize(
    ("content", "found"),
    [("{", "no JSON (Expecting property name"), ("[]", "list, expected the JSON object")],
)
def test_a_damaged_meta_is_named(saved, content, found):
    (saved / "meta.json").write_text(content, "utf8")
    state = check_pipeline(str(saved))
    assert state.error.startswith(f"{saved / 'meta.json'}: found {found}")
    assert state.load_seconds is None


def test_a_folder_without_meta_is_named(saved):
    (saved / "meta.json").unlink()
    assert check_pipeline(str(saved)).error.startswith(f"{saved / 'meta.json'}: No such file")


def test_a_folder_that_is_no_pipeline_is_named(tmp_path):
    expected = f"{tmp_path}: found a folder without config.cfg, expected a pipeline folder"
    state = check_pipeline(str(tmp_path))
    assert state.error.startswith(expected)
    assert state == PipelineState(str(tmp_path), error=state.error)


def test_a_name_of_nothing_is_told():
    error = check_pipeline("en_no_such_pipeline").error
    assert error.startswith("en_no_such_pipeline: neither a folder nor an installed package")


def test_a_component_that_nobody_knows_is_told(saved):
    config = saved / "config.cfg"
    text = config.read_text("utf8").replace('factory = "bioner"', 'factory = "no_such"')
    config.write_text(text, "utf8")
    found = check_pipeline(str(saved))
    assert found.error.startswith(f"{saved}: cannot be loaded: [E002] Can't find factory for 'no_")
    assert found.components == ("bioner",)


def test_what_loads_and_does_not_run_is_told(tmp_path, monkeypatch):
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("Disease")
    nlp.to_disk(tmp_path / "untrained")
    found = check_pipeline(str(tmp_path / "untrained"))
    assert found.error.startswith("ValueError: [E109] Component 'ner' could not be run.")
    assert found.load_seconds > 0
    assert found.annotate_seconds is None


def test_an_installed_package_is_found(saved, tmp_path, monkeypatch):
    inner = tmp_path / "site" / "en_doctor_test" / "en_doctor_test-1.0"
    shutil.copytree(saved, inner)
    change_meta(inner, requirements=["no-such-thing"])
    init = "import spacy, pathlib\ndef load(**settings):\n    "
    init += f"return spacy.load(pathlib.Path(__file__).parent / {inner.name!r}, **settings)\n"
    (inner.parent / "__init__.py").write_text(init, "utf8")
    info = tmp_path / "site" / "en_doctor_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: en_doctor_test\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert find_spec("en_doctor_test") is not None
    found = check_pipeline("en_doctor_test")
    assert (found.error, found.unmet) == ("", ("no-such-thing: not installed",))
    assert found.encoders[0].precision == "float32"
    sys.modules.pop("en_doctor_test", None)
