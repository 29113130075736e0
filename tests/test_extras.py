"""The command that installs an extra works for whoever installed the package, however."""

import json
import subprocess
import sys
from configparser import ConfigParser

import pytest

from spacy_bioner import extras
from spacy_bioner.errors import BionerError, ConfigError, CorpusError, MissingExtraError
from spacy_bioner.extras import install_command, require
from tests.paths import ROOT

METADATA = [
    "spacy>=3.8.7,<3.9.0",
    "bioc<2.1,>=2.0; extra == 'corpora'",
    'captum>=0.7; extra == "explain"',
    "jinja2>=3.0; extra == 'corpora'",
]


class Installed:
    """A distribution with a record of where it came from, or without one."""

    def __init__(self, url=None):
        self.record = None if url is None else json.dumps({"url": url, "dir_info": {}})

    def read_text(self, name):
        return self.record if name == "direct_url.json" else None


@pytest.fixture
def come_from(monkeypatch, tmp_path):
    """Lets the package have been installed from an address; None: from an index."""

    def choose(url):
        installed = tmp_path / "site-packages" / "spacy_bioner" / "extras.py"
        monkeypatch.setattr(extras, "__file__", str(installed))
        monkeypatch.setattr(extras.metadata, "distribution", lambda name: Installed(url))
        monkeypatch.setattr(extras.metadata, "requires", lambda name: METADATA)

    return choose


def test_a_folder_that_is_still_there_is_named(come_from, tmp_path):
    folder = tmp_path / "my sources"
    folder.mkdir()
    (folder / "setup.cfg").write_text("", encoding="utf-8")
    come_from(folder.as_uri())
    assert install_command("corpora") == f"pip install '{folder}[corpora]'"


def test_a_wheel_that_is_still_there_is_named(come_from, tmp_path):
    wheel = tmp_path / "spacy_bioner-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    come_from(wheel.as_uri())
    assert install_command("corpora") == f"pip install '{wheel}[corpora]'"


@pytest.mark.parametrize("url", [None, "https://example.org/spacy-bioner", "file:///is/gone"])
def test_else_the_requirements_of_the_extra_are(come_from, url):
    come_from(url)
    assert install_command("corpora") == "pip install 'bioc<2.1,>=2.0' 'jinja2>=3.0'"


def test_sources_that_run_stay_what_runs(come_from, monkeypatch, tmp_path):
    come_from("file:///another/checkout")
    (tmp_path / "setup.cfg").write_text("", encoding="utf-8")
    monkeypatch.setattr(extras, "__file__", str(tmp_path / "spacy_bioner" / "extras.py"))
    assert install_command("corpora") == f"pip install -e '{tmp_path}[corpora]'"


def test_a_copy_without_metadata_names_the_extra(come_from, monkeypatch):
    def fail(name):
        raise extras.metadata.PackageNotFoundError(name)

    come_from(None)
    monkeypatch.setattr(extras.metadata, "distribution", fail)
    monkeypatch.setattr(extras.metadata, "requires", fail)
    assert install_command("corpora") == "pip install 'spacy-bioner[corpora]'"


def test_every_extra_of_the_installed_package_has_requirements(monkeypatch):
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    monkeypatch.setattr(extras, "_find_origin", lambda: None)
    monkeypatch.setattr(extras, "__file__", "/elsewhere/spacy_bioner/extras.py")
    for extra in config["options.extras_require"]:
        assert "spacy-bioner" not in install_command(extra)


def test_require_names_what_is_missing_and_how_to_get_it(come_from):
    come_from(None)
    require("json", extra="runtime", who="nobody")
    with pytest.raises(MissingExtraError) as raised:
        require("json", "no_such_a", "no_such_b", extra="corpora", who="'x'")
    command = install_command("corpora")
    expected = f"'x' needs no_such_a and no_such_b, not installed here: {command}"
    assert (str(raised.value), raised.value.name) == (expected, "no_such_a")
    # Whoever waits for one of them catches it.
    for kind in (BionerError, ConfigError, CorpusError, ModuleNotFoundError):
        assert isinstance(raised.value, kind)


def test_require_names_the_file_and_what_else_can_be_done(come_from):
    come_from(None)
    with pytest.raises(MissingExtraError) as raised:
        require("no_such", extra="corpora", who="'x'", otherwise="or y", path="a.csv", line=3)
    command = install_command("corpora")
    expected = f"a.csv:3: 'x' needs no_such, not installed here: {command}; or y"
    assert str(raised.value) == expected
    error = raised.value
    assert (error.name, error.path, error.line) == ("no_such", "a.csv", 3)


ADD = """
import sys
for name in sys.argv[2:]:
    sys.modules[name] = None
import spacy
nlp = spacy.blank("en")
nlp.add_pipe(sys.argv[1])
if sys.argv[1] == "bioner_feature_crf":
    nlp.initialize(lambda: [spacy.training.Example.from_dict(nlp.make_doc("a"), {"entities": []})])
print("made")
"""
TORCH = ["torch", "transformers", "tokenizers", "safetensors"]


@pytest.mark.parametrize(
    ("factory", "absent", "expected"),
    [
        ("bioner", TORCH, "'bioner' needs torch and safetensors, not installed here"),
        ("bioner", ["transformers"], "a transformer encoder needs transformers, not installed"),
        ("bioner", ["tokenizers"], "a transformer encoder needs tokenizers, not installed here"),
        ("bioner", ["safetensors"], "'bioner' needs safetensors, not installed here"),
        ("bioner_feature_crf", ["pycrfsuite"], "'bioner_feature_crf' needs pycrfsuite, not inst"),
    ],
)
def test_components_say_what_they_lack(factory, absent, expected):
    command = [sys.executable, "-c", ADD, factory, *absent]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = done.stderr.strip().split("\n")[-1]
    extra = "baselines" if factory.endswith("crf") else "torch"
    assert expected in last
    assert install_command(extra) in last
    assert done.stdout == ""


@pytest.mark.parametrize(
    "factory", ["bioner_gazetteer", "bioner_abbreviations", "bioner_confidence", "bioner_overlaps"]
)
def test_components_that_need_no_extra_are_made_without(factory):
    command = [sys.executable, "-c", ADD, factory, *TORCH, "pycrfsuite"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "made\n"
