import json

import numpy as np
import pytest
import spacy
import typer
from spacy.tokens import DocBin
from typer.testing import CliRunner

from tests.paths import ROOT

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from spacy_bioner.apps.cli.distill import distill_cli  # noqa: E402
from spacy_bioner.apps.training.distill import distill  # noqa: E402
from spacy_bioner.apps.training.student import DistillSettings, as_tagger, make_student  # noqa: E402
from spacy_bioner.errors import ConfigError, TrainingDataError  # noqa: E402
from spacy_bioner.training.distillation import DistillationTask  # noqa: E402

TEXTS = ["Naloxone reverses the effect of clonidine.", "hypertension in rats"]


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def texts(tmp_path):
    lines = [f"{TEXTS[n % 2]} {n}" for n in range(40)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    return [tmp_path / "a.txt"]


def _settings(steps=6, **changes):
    small = {"layers": 1, "batch_passages": 4, "held_out": 0.2, "learn_rate": 3e-3}
    return DistillSettings(steps, **{**small, **changes})


def _emissions(folder):
    nlp = spacy.load(folder)
    return np.concatenate(nlp.get_pipe("bioner").predict([nlp.make_doc(text) for text in TEXTS]))


def test_student_learns_to_agree_with_the_teacher(trained_folder, texts, tmp_path):
    out = distill(trained_folder, texts, tmp_path / "out", _settings(60))
    measured = json.loads((out / "distillation.json").read_text())["held_out"]
    assert measured[-1]["loss"] < measured[0]["loss"] / 2
    nlp, teacher = spacy.load(out), spacy.load(trained_folder)
    found = [(ent.text, ent.label_) for ent in nlp(TEXTS[0]).ents]
    assert found == [(ent.text, ent.label_) for ent in teacher(TEXTS[0]).ents]
    assert nlp.get_pipe("bioner").labels == teacher.get_pipe("bioner").labels


def test_student_starts_with_layers_and_head_of_the_teacher(trained_folder):
    teacher = spacy.load(trained_folder)
    student = make_student(teacher, _settings(layers=2))
    docs = [teacher.make_doc(text) for text in TEXTS]
    expected = teacher.get_pipe("bioner").predict(docs)
    for ours, theirs in zip(student.get_pipe("bioner").predict(docs), expected):
        assert np.abs(ours - theirs).max() < 1e-5


def test_a_killed_run_goes_on_identically(trained_folder, texts, tmp_path, monkeypatch):
    straight = distill(trained_folder, texts, tmp_path / "straight", _settings())
    learn = DistillationTask.learn

    def dying(task, step, rate):
        if step == 4:
            raise MemoryError("killed")
        return learn(task, step, rate)

    monkeypatch.setattr(DistillationTask, "learn", dying)
    with pytest.raises(MemoryError):
        distill(trained_folder, texts, tmp_path / "killed", _settings(), checkpoint_every=3)
    monkeypatch.undo()
    torch.set_num_threads(1)
    torch.manual_seed(99)
    again = distill(trained_folder, texts, tmp_path / "killed", _settings())
    assert np.array_equal(_emissions(again), _emissions(straight))


def test_going_on_with_other_settings_is_an_error(trained_folder, texts, tmp_path, monkeypatch):
    def dying(task):
        raise MemoryError("killed")

    monkeypatch.setattr(spacy.language.Language, "to_disk", lambda nlp, path: dying(nlp))
    with pytest.raises(MemoryError):
        distill(trained_folder, texts, tmp_path / "out", _settings(2))
    monkeypatch.undo()
    with pytest.raises(ConfigError, match=r"temperature was 2\.0, is 3\.0"):
        distill(trained_folder, texts, tmp_path / "out", _settings(2, temperature=3.0))


def test_gold_documents_are_learned_from(trained_folder, texts, tmp_path, make_example):
    example = make_example("the rats of clonidine", [(4, 8, "Disease"), (12, 21, "Chemical")])
    DocBin(docs=[example.reference]).to_disk(tmp_path / "gold.spacy")
    out = distill(
        trained_folder,
        texts,
        tmp_path / "out",
        _settings(80, alpha=0.9),
        gold=tmp_path / "gold.spacy",
    )
    found = [(ent.text, ent.label_) for ent in spacy.load(out)("the rats of clonidine").ents]
    assert found == [("rats", "Disease"), ("clonidine", "Chemical")]


def test_documents_of_a_docbin_are_texts(trained_folder, tmp_path, blank_nlp):
    DocBin(docs=[blank_nlp.make_doc(text) for text in TEXTS]).to_disk(tmp_path / "a.spacy")
    out = distill(
        trained_folder, [tmp_path / "a.spacy"], tmp_path / "out", _settings(1, held_out=0)
    )
    assert (out / "config.cfg").is_file()


def test_another_encoder_is_taken(trained_folder, tiny_bert, texts, tmp_path):
    out = distill(
        trained_folder, texts, tmp_path / "out", _settings(1, layers=0, encoder=str(tiny_bert))
    )
    assert spacy.load(out).config["components"]["bioner"]["model"]["encoder"]["name"] == str(
        tiny_bert
    )


def test_a_student_without_a_transformer_learns_to_agree(
    trained_folder, texts, tmp_path, monkeypatch
):
    monkeypatch.chdir(ROOT)
    settings = _settings(120, layers=0, student="cnn_bilstm_crf", learn_rate=1e-2)
    out = distill(trained_folder, texts, tmp_path / "out", settings)
    measured = json.loads((out / "distillation.json").read_text())["held_out"]
    assert measured[-1]["loss"] < measured[0]["loss"] / 2
    nlp = spacy.load(out)
    model = nlp.get_pipe("bioner").model
    assert (model.get_ref("encoder").name, model.get_ref("output_layer").attrs["crf"]) == (
        "sequence_lstm", False
    )  # fmt: skip
    found = [(ent.text, ent.label_) for ent in nlp(TEXTS[0]).ents]
    assert found == [(ent.text, ent.label_) for ent in spacy.load(trained_folder)(TEXTS[0]).ents]
    assert {"out.png", "out.svg", "out.log.jsonl"} <= {path.name for path in tmp_path.iterdir()}


def test_a_students_profile_and_an_encoder_exclude_each_other(trained_folder, texts, tmp_path):
    settings = _settings(layers=2, student="cnn_bilstm_crf")
    with pytest.raises(ConfigError, match="leave --encoder and --layers out"):
        distill(trained_folder, texts, tmp_path / "out", settings)


def test_a_teacher_without_bioner_is_refused(texts, tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ConfigError, match="has no 'bioner'"):
        distill(tmp_path / "blank", texts, tmp_path / "out", _settings())


def test_an_exported_teacher_is_refused(exported_folder, texts, tmp_path):
    with pytest.raises(ConfigError, match="no layers that a student could start from"):
        distill(exported_folder, [texts], tmp_path / "student", _settings())


def test_no_text_is_an_error(trained_folder, tmp_path):
    with pytest.raises(TrainingDataError, match="no such file"):
        distill(trained_folder, [tmp_path / "gone.txt"], tmp_path / "out", _settings())


def test_text_of_which_nothing_is_held_out_is_an_error(trained_folder, texts, tmp_path):
    message = r"no document falls into the share of 1e-09 that is held out: name more text"
    with pytest.raises(TrainingDataError, match=message):
        distill(trained_folder, texts, tmp_path / "out", _settings(held_out=1e-9))


def test_a_component_that_tags_no_tokens_is_refused(blank_nlp):
    with pytest.raises(ConfigError, match="component 'bioner' is no tagger of tokens"):
        as_tagger(blank_nlp.tokenizer)


def test_command_distils(trained_folder, texts, tmp_path):
    app = typer.Typer()
    app.command()(distill_cli)
    arguments = [str(trained_folder), str(texts[0]), str(tmp_path / "out"), "--steps", "1"]
    result = CliRunner().invoke(app, [*arguments, "--layers", "1", "--held-out", "0.2"])
    assert result.exit_code == 0, result.output
    assert result.output.endswith(f"student: {tmp_path / 'out'}\n")
