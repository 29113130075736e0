import json

import pytest
import typer
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from spacy_bioner.apps.cli.pretrain import pretrain_cli  # noqa: E402
from spacy_bioner.apps.training.pretrain import PretrainSettings, pretrain  # noqa: E402
from spacy_bioner.architectures.encoder_source import load_encoder  # noqa: E402
from spacy_bioner.errors import ConfigError, CorpusError, EncoderError  # noqa: E402
from spacy_bioner.training.pretraining import MaskedLMTask  # noqa: E402

WORDS = ["Naloxone", "reverses", "the", "effect", "of", "clonidine", "hypertension", "in", "rats"]


@pytest.fixture
def texts(tmp_path):
    lines = [" ".join(WORDS[n % 9 :] + WORDS[: n % 7]) + f" {n}" for n in range(60)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    return [tmp_path / "a.txt"]


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _settings(encoder, **changes):
    small = {"batch_pieces": 64, "length": 16, "held_out": 0.1, "shuffle_buffer": 16}
    return PretrainSettings(
        str(encoder), **{"steps": 6, **small, "precision": "float32", "learn_rate": 1e-3, **changes}
    )


def _states(folder):
    return load_encoder(str(folder)).module.state_dict()


@pytest.fixture
def killed_at_3(texts, tiny_bert, tmp_path, monkeypatch):
    """A run of 6 steps that died in the fifth; its last checkpoint is of the third."""
    learn = MaskedLMTask.learn

    def dying(task, step, rate):
        if step == 4:
            raise MemoryError("killed")
        return learn(task, step, rate)

    monkeypatch.setattr(MaskedLMTask, "learn", dying)
    with pytest.raises(MemoryError):
        pretrain(texts, tmp_path / "killed", _settings(tiny_bert), checkpoint_every=3)
    monkeypatch.undo()
    torch.set_num_threads(1)
    return tmp_path / "killed"


def test_a_killed_run_goes_on_identically(texts, tiny_bert, tmp_path, killed_at_3):
    pretrain(texts, tmp_path / "straight", _settings(tiny_bert))
    torch.manual_seed(99)
    pretrain(texts, killed_at_3, _settings(tiny_bert))
    straight, again = (tmp_path / "straight", killed_at_3)
    weights = [(folder / "model.safetensors").read_bytes() for folder in (straight, again)]
    assert weights[0] == weights[1]
    assert not (tmp_path / "killed.state.pt").exists()
    log = [json.loads(x) for x in (tmp_path / "killed.log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log if entry.get("event") == "resumed"] == [3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "seed was 0, is 1"),
        ({"mask_rate": 0.2}, r"mask_rate was 0\.15, is 0\.2"),
        ({"steps": 9}, "steps was 6, is 9"),
    ],
)
def test_going_on_with_other_settings_is_an_error(texts, tiny_bert, killed_at_3, changes, message):
    with pytest.raises(ConfigError, match=message):
        pretrain(texts, killed_at_3, _settings(tiny_bert, **changes))


def test_going_on_with_another_text_is_an_error(texts, tiny_bert, killed_at_3):
    with texts[0].open("a") as file:
        file.write("\nrats")
    with pytest.raises(ConfigError, match=r"texts: .*a\.txt was .* bytes"):
        pretrain(texts, killed_at_3, _settings(tiny_bert))


def test_result_is_an_encoder_folder(texts, tiny_bert, tmp_path):
    out = pretrain(texts, tmp_path / "out", _settings(tiny_bert))
    before, after = _states(tiny_bert), _states(out)
    assert before.keys() == after.keys()
    key = "encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(before[key], after[key])
    old, new = load_encoder(str(tiny_bert)).tokenizer, load_encoder(str(out)).tokenizer
    text = "Naloxone (Rats) é clonidine"
    assert new.encode(text).ids == old.encode(text).ids
    account = json.loads((out / "pretraining.json").read_text())
    assert [entry["step"] for entry in account["held_out"]] == [0, 6]


def test_result_keeps_its_head_for_transformers_and_for_more_pretraining(
    texts, tiny_bert, tmp_path
):
    out = pretrain(texts, tmp_path / "out", _settings(tiny_bert))
    _, report = transformers.AutoModelForMaskedLM.from_pretrained(out, output_loading_info=True)
    assert (list(report["missing_keys"]), list(report["unexpected_keys"])) == ([], [])
    pretrain(texts, tmp_path / "more", _settings(out, steps=1))
    assert json.loads((tmp_path / "more" / "pretraining.json").read_text())["head"] == "continued"


def test_a_checkpoint_without_head_gets_a_new_one(texts, tiny_bert, tmp_path):
    headless = transformers.AutoModel.from_pretrained(tiny_bert)
    headless.save_pretrained(tmp_path / "headless")
    (tmp_path / "headless" / "vocab.txt").write_text((tiny_bert / "vocab.txt").read_text())
    out = pretrain(texts, tmp_path / "out", _settings(tmp_path / "headless", steps=1))
    first = json.loads((tmp_path / "out.log.jsonl").read_text().splitlines()[0])
    assert first["head"] == "new"
    assert json.loads((out / "pretraining.json").read_text())["head"] == "new"


def test_bfloat16_trains(texts, tiny_bert, tmp_path):
    out = pretrain(texts, tmp_path / "out", _settings(tiny_bert, precision="bfloat16"))
    assert (out / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"precision": "float16"}, EncoderError, "expected auto, float32 or bfloat16"),
        ({"length": 128, "batch_pieces": 128}, EncoderError, "takes at most 64 pieces"),
        ({"mask_rate": 1.5}, ConfigError, "--mask-rate 1.5: expected a number between 0 and 1"),
        ({"batch_pieces": 8}, ConfigError, "at least the length of a sequence"),
    ],
)
def test_bad_settings_are_refused(texts, tiny_bert, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        pretrain(texts, tmp_path / "out", _settings(tiny_bert, **changes))


def test_another_folder_is_not_replaced(texts, tiny_bert, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(CorpusError, match="something else than an earlier result"):
        pretrain(texts, tmp_path / "mine", _settings(tiny_bert))


def test_command_pretrains(texts, tiny_bert, tmp_path):
    app = typer.Typer()
    app.command()(pretrain_cli)
    options = ["--steps", "2", "--batch-pieces", "32", "--length", "16", "--held-out", "0.1"]
    options += ["--encoder", str(tiny_bert), "--shuffle-buffer", "4"]
    result = CliRunner().invoke(app, [str(texts[0]), str(tmp_path / "out"), *options])
    assert result.exit_code == 0, result.output
    assert result.output.endswith(f"encoder: {tmp_path / 'out'}\n")
