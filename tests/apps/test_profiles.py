import re
from pathlib import Path

import pytest
from spacy.util import load_config

from spacy_bioner.apps.corpora.encoder_assets import ENCODERS_FOLDER, find_encoder_asset
from spacy_bioner.apps.profiles import (
    CorpusSettings,
    Division,
    Profile,
    SplitSettings,
    load_corpus_settings,
    load_profile,
)
from spacy_bioner.apps.training.train import check_package_name, encoder_override
from spacy_bioner.errors import ConfigError
from tests.paths import ROOT

PROFILES = sorted(path.stem for path in (ROOT / "configs/profiles").glob("*.cfg"))
CORPORA = sorted(path.stem for path in (ROOT / "configs/corpora").glob("*.cfg"))
PROFILE = """\
[profile]
config = "configs/own.cfg"
encoder = "package:own"
encoder_licence = "MIT"
corpus = "own"

[overrides]
training.max_steps = 7
training.optimizer.learn_rate.initial_rate = 2e-4
"""
CORPUS = """\
[corpus]
title = "Own corpus"
licence = "CC0-1.0"
source = "here"

[train]
path = "own/train.txt"
first = 3

[dev]
path = "own/train.txt"
skip = 3

[test]
path = "own/test.txt"

[label_map]
SpecificDisease = "Disease"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project folder with one profile and one corpus, both named "own"."""
    for folder, text in (("profiles", PROFILE), ("corpora", CORPUS)):
        path = tmp_path / "configs" / folder / "own.cfg"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shipped(monkeypatch):
    monkeypatch.chdir(ROOT)


def change(project, kind, old, new):
    path = project / "configs" / kind / "own.cfg"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_profile_is_read(project):
    rate = {"training.max_steps": 7, "training.optimizer.learn_rate.initial_rate": 2e-4}
    own = Profile("own", Path("configs/own.cfg"), "package:own", "MIT", "own", rate)
    assert load_profile("own") == own


def test_profile_without_overrides_has_none(project):
    path = project / "configs/profiles/own.cfg"
    path.write_text(PROFILE.split("[overrides]")[0], encoding="utf-8")
    assert load_profile("own").overrides == {}


def add_profile(project, name, text):
    (project / f"configs/profiles/{name}.cfg").write_text(text, encoding="utf-8")


def test_a_profile_is_its_base_but_for_what_it_says_itself(project):
    add_profile(project, "more", '[profile]\nbase = "own"\n\n[overrides]\ntraining.max_steps = 9\n')
    add_profile(project, "most", '[profile]\nbase = "more"\nencoder = "other"\n')
    own, most = load_profile("own"), load_profile("most")
    assert (most.name, most.encoder, most.corpus) == ("most", "other", "own")
    assert most.config == own.config
    assert most.overrides == {**own.overrides, "training.max_steps": 9}


@pytest.mark.parametrize("bases", [{"a": "b", "b": "a"}, {"a": "a"}])
def test_a_profile_that_is_its_own_base_is_refused(project, bases):
    for name, base in bases.items():
        add_profile(project, name, f'[profile]\nbase = "{base}"\n')
    with pytest.raises(ConfigError, match=r"\.cfg: found a profile that is its own base"):
        load_profile("a")


def test_a_base_that_is_not_there_is_named(project):
    add_profile(project, "more", '[profile]\nbase = "lost"\n')
    with pytest.raises(ConfigError, match="no profile 'lost'"):
        load_profile("more")


def test_encoder_and_corpus_replace_the_profiles_own(project):
    profile = load_profile("own", encoder="some/encoder", corpus="other")
    assert (profile.encoder, profile.corpus, profile.name) == ("some/encoder", "other", "own")


def test_corpus_settings_are_read(project):
    train = Path("own/train.txt")
    splits = {
        "train": SplitSettings(train, first=3),
        "dev": SplitSettings(train, skip=3),
        "test": SplitSettings(Path("own/test.txt")),
    }
    label_map = {"SpecificDisease": "Disease"}
    own = CorpusSettings("own", "Own corpus", "CC0-1.0", "here", splits, label_map)
    assert load_corpus_settings("own") == own


DIVIDED = """\
[corpus]
title = "Own corpus"
licence = "CC0-1.0"
source = "here"
fetch = "unpack own.zip"

[division]
path = "own"
seed = 3
train = 80
dev = 10
test = 10
"""


def test_corpus_in_one_piece_says_how_it_is_divided(project):
    (project / "configs/corpora/own.cfg").write_text(DIVIDED, encoding="utf-8")
    settings = load_corpus_settings("own")
    assert settings.division == Division(3, {"train": 80, "dev": 10, "test": 10})
    assert settings.splits == dict.fromkeys(("train", "dev", "test"), SplitSettings(Path("own")))
    assert settings.fetch == "unpack own.zip"


def test_division_without_a_seed_is_an_error(project):
    text = DIVIDED.replace("seed = 3\n", "")
    (project / "configs/corpora/own.cfg").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"section \[division\] lacks seed"):
        load_corpus_settings("own")


@pytest.mark.parametrize(
    ("load", "kind"), [(load_profile, "profile"), (load_corpus_settings, "corpus")]
)
def test_unknown_name_lists_those_that_exist(project, load, kind):
    with pytest.raises(ConfigError, match=rf"no {kind} 'absent': .*absent\.cfg .*\(there: own\)"):
        load("absent")


def test_unknown_name_outside_of_a_project_says_where_to_run_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = re.escape(f"found no file configs/profiles/demo.cfg in {tmp_path}")
    with pytest.raises(
        ConfigError, match=place + r" \(run the command in a clone of the project\)"
    ):
        load_profile("demo")


@pytest.mark.parametrize(
    ("kind", "old", "new", "message"),
    [
        ("profiles", 'encoder = "package:own"\n', "", r"own\.cfg: section \[profile\] lacks enc"),
        ("profiles", "[profile]", "[other]", "lacks config, encoder, encoder_licence, corpus"),
        ("profiles", 'corpus = "own"', "corpus", r"own\.cfg: not a readable config"),
        ("profiles", 'corpus = "own"', 'encoder = "x"', r"own\.cfg: not a readable config"),
        ("corpora", 'licence = "CC0-1.0"\n', "", r"own\.cfg: section \[corpus\] lacks licence"),
        ("corpora", 'path = "own/test.txt"\n', "", r"own\.cfg: section \[test\] lacks path"),
        ("corpora", "[dev]", "[devel]", r"own\.cfg: section \[dev\] lacks path"),
    ],
)
def test_missing_and_unreadable_settings_are_named(project, kind, old, new, message):
    change(project, kind, old, new)
    load = load_profile if kind == "profiles" else load_corpus_settings
    with pytest.raises(ConfigError, match=message):
        load("own")


@pytest.mark.usefixtures("shipped")
def test_biobert_profile_is_biobert_on_bc5cdr():
    profile = load_profile("biobert")
    assert profile.encoder == "dmis-lab/biobert-base-cased-v1.2"
    assert (profile.corpus, profile.encoder_licence) == ("bc5cdr", "Apache-2.0")


@pytest.mark.usefixtures("shipped")
def test_mpnet_learns_what_the_shipped_pipeline_learns():
    large, small = load_profile("mpnet_multi"), load_profile("multi")
    assert (large.encoder, large.encoder_licence) == ("assets/encoders/mpnet", "Apache-2.0")
    assert large.encoder == (ENCODERS_FOLDER / find_encoder_asset("mpnet").name).as_posix()
    assert find_encoder_asset("mpnet").licence == large.encoder_licence
    differing = {
        key
        for key in large.overrides | small.overrides
        if large.overrides.get(key) != small.overrides.get(key)
    }
    rate = "training.optimizer.learn_rate.initial_rate"
    assert differing == {rate, "training.eval_frequency"}
    assert large.overrides[rate] == 7e-5


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", PROFILES)
def test_shipped_profile_names_a_config_and_a_corpus_that_ship(name):
    profile = load_profile(name)
    assert profile.config.is_file()
    assert profile.corpus in CORPORA


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", PROFILES)
def test_shipped_profile_overrides_only_settings_that_its_config_has(name):
    profile = load_profile(name)
    config = load_config(profile.config, interpolate=False)
    missing = []
    for key in profile.overrides:
        section = config
        *parents, last = key.split(".")
        for parent in parents:
            section = section.get(parent, {})
        missing += [] if last in section else [key]
    assert missing == []


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", PROFILES)
def test_shipped_profile_changes_its_config(name):
    profile = load_profile(name)
    config = load_config(profile.config, overrides=profile.overrides, interpolate=True)
    assert config["training"]["max_steps"] == profile.overrides["training.max_steps"]


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.trf] * n.endswith("_trf")) for n in PROFILES]
)
def test_shipped_profile_has_a_config_whose_encoder_can_be_set(name):
    profile = load_profile(name)
    keys = encoder_override(load_config(profile.config), profile.encoder)
    # Nothing pre-trained in these.
    assert len(keys) == (name not in ("cnn_bilstm_crf", "cnn_ner", "feature_crf"))


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", PROFILES)
def test_shipped_profile_may_be_packaged_under_its_name(name, tmp_path):
    check_package_name(f"bioner_{name}", load_profile(name), tmp_path)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", CORPORA)
def test_shipped_corpus_has_its_splits_and_says_where_it_is_from(name):
    settings = load_corpus_settings(name)
    dev = [] if name in ("gnormplus", "nlm_gene") else ["dev"]
    assert list(settings.splits) == ["train", *dev, "test"]
    assert all((settings.title, settings.licence, settings.source))


@pytest.mark.usefixtures("shipped")
def test_bc5cdr_splits_divide_one_file_without_overlap():
    splits = load_corpus_settings("bc5cdr").splits
    assert splits["train"].path == splits["dev"].path
    assert (splits["train"].skip, splits["train"].first, splits["dev"].skip) == (0, 500, 500)
