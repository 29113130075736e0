import pytest
import spacy
from thinc.api import Config

from spacy_bioner.apps.cli.main import run as run_command
from spacy_bioner.apps.packaging.assemble import assemble
from spacy_bioner.apps.packaging.export import export
from spacy_bioner.apps.packaging.restore import restore
from spacy_bioner.apps.profiles import load_profile
from spacy_bioner.apps.training.train import train
from spacy_bioner.errors import ConfigError, TrainingDataError
from tests.apps.packaging.conftest import TEXTS
from tests.conftest import entities_of
from tests.paths import ROOT


@pytest.fixture
def exported(trained_folder, dev, tmp_path):
    terms = tmp_path / "terms.tsv"
    terms.write_text("id\tname\tlabel\nX:1\trats\tChemical\n", encoding="utf-8")
    assemble(
        trained_folder, tmp_path / "whole", config=ROOT / "configs/postprocessing.cfg", terms=terms
    )
    export(str(tmp_path / "whole"), tmp_path / "exported", dev=dev)
    return tmp_path / "exported"


def test_a_restored_pipeline_finds_the_same_and_is_exported_again(exported, dev, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run_command(["restore", str(exported), str(tmp_path / "out")])
    assert ended.value.code == 0
    assert f"bioner train CORPUS TRAINED --resume {tmp_path / 'out'}" in capsys.readouterr().out
    light, restored = spacy.load(exported), spacy.load(tmp_path / "out")
    assert restored.pipe_names == light.pipe_names
    for text in TEXTS:
        assert entities_of(restored(text)) == entities_of(light(text)) != []
    assert "export" not in restored.meta
    assert restored.meta["restored"]["precision"] == "int8"
    assert len(restored.meta["restored"]["from"]) == 64
    again = export(str(tmp_path / "out"), tmp_path / "again", dev=dev)
    assert (again.n_changed, again.n_products) == (0, 8)


def test_its_config_is_that_of_a_pipeline_to_train(exported, tmp_path):
    restore(str(exported), tmp_path / "out")
    section = Config().from_disk(tmp_path / "out/config.cfg")["components"]["bioner"]
    assert section["model"]["@architectures"] == "spacy_bioner.TokenClassifier.v1"
    encoder = section["model"]["encoder"]
    assert encoder["@architectures"] == "spacy_bioner.TransformerEncoder.v1"
    assert not {"threads", "every_piece"} & {*encoder}
    # It learns, other than what it was restored from.
    nlp = spacy.load(tmp_path / "out")
    component = nlp.get_pipe("bioner")
    assert component.objective is not None


def test_it_is_trained_on_with_its_further_components_left_aside(
    exported, dev, tmp_path, monkeypatch
):
    monkeypatch.chdir(ROOT)
    restore(str(exported), tmp_path / "out")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for split in ("train", "dev"):
        (corpus / f"{split}.spacy").write_bytes(dev.read_bytes())
    profile = load_profile("demo")
    model = Config().from_disk(tmp_path / "out/config.cfg")["components"]["bioner"]["model"]
    overrides = {
        "components.bioner.model.encoder.name": model["encoder"]["name"],
        "components.bioner.model.crf": model["crf"],
        "components.bioner.scheme": "BIO",
        # A step that changes nothing: what comes out is what went in.
        "training.optimizer.learn_rate.initial_rate": 1e-12,
        "training.optimizer.learn_rate.warmup_steps": 1,
    }
    best = train(
        profile,
        corpus,
        tmp_path / "trained",
        max_steps=2,
        resume=tmp_path / "out",
        overrides=overrides,
    )
    trained = spacy.load(best)
    assert trained.pipe_names == ["bioner"]
    found = [entities_of(doc) for doc in trained.pipe(TEXTS)]
    assert found == [
        [("Naloxone", "Chemical"), ("clonidine", "Chemical")],
        [("hypertension", "Disease")],
    ]


def test_an_exported_pipeline_is_not_resumed_but_restored(exported, dev, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    for split in ("train", "dev"):
        (tmp_path / "corpus").mkdir(exist_ok=True)
        (tmp_path / f"corpus/{split}.spacy").write_bytes(dev.read_bytes())
    nlp = spacy.load(exported, exclude=["bioner_gazetteer"])
    nlp.to_disk(tmp_path / "light")
    profile = load_profile("demo")
    with pytest.raises(TrainingDataError, match=r"found an exported pipeline, .*bioner restore"):
        train(profile, tmp_path / "corpus", tmp_path / "t", resume=tmp_path / "light", max_steps=1)


def test_what_was_not_exported_is_refused(trained_folder, tmp_path):
    with pytest.raises(ConfigError, match=r"expected one that `bioner export` made; .*--resume"):
        restore(str(trained_folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_left_alone(exported, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(Exception, match="mine"):
        restore(str(exported), tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
