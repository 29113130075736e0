"""`bioner ablate`, on a pipeline that knows two texts by heart and a list of terms."""

import json
from pathlib import Path

import pytest
import spacy
from typer.testing import CliRunner

from tests.paths import ROOT

pytest.importorskip("matplotlib")

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.experiments.ablate import (
    STANDARD,
    Choice,
    ablate_components,
    ablate_training,
    list_choices,
    parse_choice,
)
from spacy_bioner.apps.profiles import get_setting, load_profile, read_training_config
from spacy_bioner.apps.training import train as training
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import GOLD_KEY

SMALL = {"components.bioner.model.encoder.precision": "float32", "training.dropout": 0.0}
TEXT = "Naloxone reverses the effect of clonidine. Aspirin too."


@pytest.fixture
def pipeline(trained_folder, tmp_path: Path) -> Path:
    nlp = spacy.load(trained_folder)
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "Chemical", "pattern": "Aspirin"}])
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


@pytest.fixture
def corpus(trained_nlp, tmp_path: Path) -> Path:
    doc = trained_nlp.make_doc(TEXT)
    start = TEXT.index("Aspirin")
    doc.user_data[GOLD_KEY] = [
        [0, 8, "Chemical", []], [32, 41, "Chemical", []], [start, start + 7, "Chemical", []]
    ]  # fmt: skip
    write_docbin([doc], tmp_path / "gold.spacy")
    return tmp_path / "gold.spacy"


def test_each_component_is_switched_off_in_turn(pipeline, corpus, tmp_path: Path) -> None:
    rows = ablate_components(str(pipeline), corpus, tmp_path / "out")
    assert [row.name for row in rows] == ["all", "bioner", "entity_ruler"]
    whole, without_model, without_terms = (row.counts for row in rows)
    assert whole.recall > without_terms.recall > without_model.recall
    compared = rows[1].compared
    assert compared is not None
    assert compared.f_score.difference.value == without_model.f_score - whole.f_score
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"ablation.json", "ablation.md", "ablation.png", "ablation.svg"}
    stored = json.loads((tmp_path / "out" / "ablation.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in stored["rows"]] == ["all", "bioner", "entity_ruler"]


def test_the_command_prints_the_table(pipeline, corpus, tmp_path: Path) -> None:
    words = ["ablate", str(corpus), str(tmp_path / "out"), "--model", str(pipeline)]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "| nothing (all) |" in result.stdout
    assert "ΔF1 with interval" in result.stdout


def test_one_component_alone_cannot_be_left_out(trained_folder, corpus, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found the components bioner, expected two or more"):
        ablate_components(str(trained_folder), corpus, tmp_path)


def test_choices_of_a_training_are_switched_off_in_turn(
    tiny_bert, make_example, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(ROOT)
    calls = []
    real = training.train

    def train(*args, **settings):
        calls.append(settings["overrides"])
        return real(*args, **settings)

    monkeypatch.setattr(training, "train", train)
    example = make_example("hypertension in rats", [(0, 12, "Disease")])
    for split in ("train", "dev", "test"):
        write_docbin([example.reference], tmp_path / f"{split}.spacy")
    profile = load_profile("demo", encoder=str(tiny_bert))
    choice = parse_choice("mean pieces:components.bioner.model.encoder.pooling=first")
    settings = {"max_steps": 2, "overrides": SMALL}
    for _ in range(2):
        rows = ablate_training(profile, tmp_path, tmp_path / "out", [choice], **settings)
    # The second time, nothing is trained.
    assert [call.get("components.bioner.model.encoder.pooling") for call in calls] == [
        None, "first"
    ]  # fmt: skip
    assert [row.name for row in rows] == ["all", "mean pieces"]
    assert (tmp_path / "out" / "mean pieces" / "curves.png").is_file()


def test_a_choice_has_a_name_and_settings() -> None:
    choice = parse_choice("crf:components.bioner.model.crf=false,training.dropout=0.2")
    wanted = {"components.bioner.model.crf": False, "training.dropout": 0.2}
    assert choice == Choice("crf", wanted)


@pytest.mark.parametrize("text", ["crf", "crf:", ":a.b=1", "crf:a.b", "crf:=1"])
def test_another_form_is_refused(text) -> None:
    with pytest.raises(ConfigError, match="expected NAME:KEY=VALUE"):
        parse_choice(text)


def test_names_must_differ(tmp_path) -> None:
    profile = load_profile("demo") if Path("configs").is_dir() else None
    with pytest.raises(ConfigError, match="found the choices all, expected one or more with"):
        ablate_training(profile, tmp_path, tmp_path, [Choice("all", {"a": 1})])


def test_components_or_choices_but_not_both(tmp_path) -> None:
    words = ["ablate", str(tmp_path), str(tmp_path / "out")]
    with pytest.raises(ConfigError, match="found --model with --off or --each, or none of them"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_standard_choices_are_those_that_a_profile_makes(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    choices = {item.name: item.overrides for item in list_choices(load_profile("minilm_multi"))}
    assert choices["CRF"] == {"components.bioner.model.crf": False}
    assert choices["tag scheme"] == {"components.bioner.scheme": "BIO"}
    assert "adversary" not in choices
    # What is switched off for all is no choice any more; what is switched on is one.
    given = {"components.bioner.model.crf": False, "components.bioner.adversary.method": "fgsm"}
    changed = {item.name for item in list_choices(load_profile("minilm_multi"), given)}
    assert "adversary" in changed
    assert "CRF" not in changed
    with pytest.raises(ConfigError, match="makes none of the standard choices"):
        list_choices(load_profile("demo"), {key: off for _, key, off in STANDARD})


def test_every_standard_choice_is_a_setting_of_the_transformers_config() -> None:
    config = read_training_config(ROOT / "configs" / "transformer.cfg")
    for name, key, off in STANDARD:
        value = get_setting(config, key)
        assert value is not None, name
        assert isinstance(off, type(value)) or {type(off), type(value)} <= {int, float}, name
