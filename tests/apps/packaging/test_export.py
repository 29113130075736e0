import json
import pickle
import subprocess
import sys

import pytest
import spacy
import torch
from spacy.tokens import DocBin
from thinc.api import Config

from spacy_bioner.apps.cli.main import run as run_command
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.packaging import export as exporting
from spacy_bioner.apps.packaging.assemble import assemble
from spacy_bioner.apps.packaging.export import export
from spacy_bioner.architectures.exported import conversion
from spacy_bioner.errors import (
    BionerError,
    ConfigError,
    EncoderError,
    LabelError,
    PackageError,
)
from tests.apps.packaging.conftest import TEXTS
from tests.conftest import entities_of
from tests.paths import ROOT


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_exported_pipeline_finds_the_same_and_needs_no_torch(
    trained_folder, dev, tmp_path, precision
):
    out = tmp_path / "out"
    exported = export(str(trained_folder), out, precision=precision, dev=dev)
    assert (exported.precision, exported.kept, exported.n_changed) == (precision, (), 0)
    assert exported.n_products == 8
    assert exported.compared.first == exported.compared.second
    code = (
        "import sys, spacy\n"
        # thinc imports torch where it is installed.
        "for name in ('torch', 'transformers', 'safetensors', 'onnx'): sys.modules[name] = None\n"
        f"nlp = spacy.load({str(out)!r})\n"
        f"for doc in nlp.pipe({TEXTS!r}): print([(e.text, e.label_) for e in doc.ents])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "[('Naloxone', 'Chemical'), ('clonidine', 'Chemical')]",
        "[('hypertension', 'Disease')]",
    ]


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_an_mpnet_is_exported_with_the_same_entities(
    trained_mpnet_folder, dev, tmp_path, precision
):
    exported = export(str(trained_mpnet_folder), tmp_path / "out", precision=precision, dev=dev)
    assert (exported.kept, exported.n_changed, exported.n_products) == ((), 0, 12)
    trained, light = spacy.load(trained_mpnet_folder), spacy.load(tmp_path / "out")
    texts = [*TEXTS, "", " \n", "Rats, NALOXONE; zz (effect)\n\nof clonidine. " * 20]
    for mine, theirs in zip(trained.pipe(texts), light.pipe(texts)):
        if precision == "float32" or len(mine.text) < 50:
            assert entities_of(mine) == entities_of(theirs)
        if precision == "float32":
            for one, other in zip(mine.ents, theirs.ents):
                assert other._.confidence == pytest.approx(one._.confidence, abs=1e-4)
    assert entities_of(light(TEXTS[0])) == [("Naloxone", "Chemical"), ("clonidine", "Chemical")]


def test_meta_tells_of_the_export(trained_folder, dev, tmp_path):
    export(str(trained_folder), tmp_path / "out", dev=dev, seed=3)
    meta = spacy.load(tmp_path / "out").meta["export"]
    assert (meta["precision"], meta["kept_in_float32"], meta["n_products"]) == ("int8", [], 8)
    assert meta["compared"]["n_docs"] == 2
    assert meta["compared"]["seed"] == 3
    assert meta["compared"]["f_score"]["difference"]["value"] == 0.0
    assert len(meta["from"]) == 64


def test_settings_and_other_components_are_kept(trained_folder, dev, tmp_path):
    terms = tmp_path / "terms.tsv"
    terms.write_text("id\tname\tlabel\nX:1\trats\tChemical\n", encoding="utf-8")
    whole = tmp_path / "whole"
    assemble(trained_folder, whole, config=ROOT / "configs/postprocessing.cfg", terms=terms)
    export(str(whole), tmp_path / "out", dev=dev)
    nlp, trained = spacy.load(tmp_path / "out"), spacy.load(whole)
    assert nlp.pipe_names == trained.pipe_names
    assert [entities_of(nlp(text)) for text in TEXTS] == [entities_of(trained(t)) for t in TEXTS]
    assert entities_of(nlp(TEXTS[1])) == [("hypertension", "Disease"), ("rats", "Chemical")]
    model = Config().from_disk(tmp_path / "out/config.cfg")["components"]["bioner"]["model"]
    assert model["encoder"]["@architectures"] == "spacy_bioner.OnnxEncoder.v1"
    encoder = trained.get_pipe("bioner").model.get_ref("encoder")
    for name in ("name", "unit", "window", "pooling"):
        assert model["encoder"][name] == encoder.attrs[name]


def test_exported_pipeline_survives_bytes_disk_and_processes(trained_folder, dev, tmp_path):
    export(str(trained_folder), tmp_path / "out", dev=dev)
    nlp = spacy.load(tmp_path / "out")
    expected = [entities_of(doc) for doc in nlp.pipe(TEXTS)]
    assert expected[0]
    nlp.to_disk(tmp_path / "again")
    assert [entities_of(doc) for doc in spacy.load(tmp_path / "again").pipe(TEXTS)] == expected
    twin = spacy.load(tmp_path / "out")
    twin.from_bytes(nlp.to_bytes())
    assert [entities_of(doc) for doc in twin.pipe(TEXTS)] == expected
    component = pickle.loads(pickle.dumps(nlp.get_pipe("bioner")))
    assert component.model.name == "exported_classifier"
    assert [entities_of(doc) for doc in nlp.pipe(TEXTS * 3, n_process=2, batch_size=2)] == (
        expected * 3
    )


def test_documents_are_those_of_the_config_by_default(trained_folder, dev, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"name a \.spacy file, or run from"):
        export(str(trained_folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    nlp = spacy.load(trained_folder)
    nlp.to_disk(tmp_path / "model")
    config = Config().from_disk(tmp_path / "model/config.cfg", interpolate=False)
    config["corpora"] = {"dev": {"@readers": "spacy_bioner.Corpus.v1", "path": "dev.spacy"}}
    config["training"]["dev_corpus"] = "corpora.dev"
    config.to_disk(tmp_path / "model/config.cfg")
    monkeypatch.chdir(tmp_path)
    assert export("model", tmp_path / "out").compared.n_docs == 2


def test_labels_that_are_not_annotated_do_not_count(trained_folder, dev, tmp_path):
    exported = export(str(trained_folder), tmp_path / "out", dev=dev, labels=["Disease"])
    assert exported.compared.first.gold == 1


def test_products_that_cost_too_much_stay_in_float32(trained_folder, dev, tmp_path, monkeypatch):
    observe, build = conversion.observe, conversion.Export.build
    worst = []

    def observe_badly(graph, batches):
        ranges = observe(graph, batches)
        product = conversion.list_products(graph)[3]
        broad = ranges[product.activations]
        worst[:] = [product.name]
        return {**ranges, product.activations: type(broad)(broad.low * 1e4, broad.high * 1e4)}

    def build_badly(self, precision, *, keep=()):
        model = build(self, precision, keep=keep)
        if not set(worst) & set(keep):
            # The tiny encoder's products hardly matter: as if this one did.
            head = model.get_ref("output_layer")
            head.set_param("W", -head.get_param("W"))
        return model

    monkeypatch.setattr(conversion, "observe", observe_badly)
    monkeypatch.setattr(conversion.Export, "build", build_badly)
    exported = export(str(trained_folder), tmp_path / "out", dev=dev)
    assert exported.kept == tuple(worst)
    assert exported.compared.second.f_score == exported.compared.first.f_score == 1.0
    meta = json.loads((tmp_path / "out/meta.json").read_text(encoding="utf-8"))
    assert meta["export"]["kept_in_float32"] == worst


def test_int8_that_costs_too_much_is_refused(trained_folder, dev, tmp_path, monkeypatch):
    def build(self, precision, *, keep=()):
        arrays = self._read_arrays()
        model = assemble_model(self, self.graph.SerializeToString(), arrays, precision)
        head = model.get_ref("output_layer")
        head.set_param("W", -head.get_param("W"))
        return model

    assemble_model = conversion.Export._assemble
    monkeypatch.setattr(conversion.Export, "build", build)
    with pytest.raises(PackageError, match=r"int8 costs [\d.]+ points of F1 on 2 documents"):
        export(str(trained_folder), tmp_path / "out", dev=dev)
    with pytest.raises(PackageError, match=r"entities of \d of 2 documents differ"):
        export(str(trained_folder), tmp_path / "out", precision="float32", dev=dev)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("precision", ["int4", "bfloat16", ""])
def test_other_precisions_are_refused(trained_folder, dev, tmp_path, precision):
    with pytest.raises(ConfigError, match=f"precision = '{precision}': expected float32 or int8"):
        export(str(trained_folder), tmp_path / "out", precision=precision, dev=dev)


def test_pipelines_without_a_transformer_are_refused(tmp_path, dev):
    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_overlaps")
    nlp.to_disk(tmp_path / "rules")
    with pytest.raises(ConfigError, match="found the components bioner_overlaps, expected"):
        export(str(tmp_path / "rules"), tmp_path / "out", dev=dev)


def test_parts_that_would_go_on_needing_torch_are_refused(tiny_bert, trained_folder, dev, tmp_path):
    nlp = spacy.load(trained_folder)
    nlp.add_pipe("tok2vec")
    nlp.add_pipe("spancat", config={"model": {"@architectures": "spacy.SpanCategorizer.v1"}})
    # Parts of thinc's own do not need torch.
    assert exporting._check_others(nlp, ["bioner"]) is None
    nlp.add_pipe("bioner", name="second", source=spacy.load(trained_folder))
    with pytest.raises(ConfigError, match="found second beside bioner, which cannot be exported"):
        exporting._check_others(nlp, ["bioner"])


def test_documents_that_cannot_show_a_loss_are_refused(trained_folder, tmp_path, make_example):
    path = tmp_path / "other.spacy"
    reference = make_example("rats in the hypertension", [(0, 4, "Species")]).reference
    DocBin(docs=[reference], store_user_data=True).to_disk(path)
    with pytest.raises(PackageError, match="finds none of the 1 mentions of these documents"):
        export(str(trained_folder), tmp_path / "out", dev=path)
    with pytest.raises(LabelError, match="found no mention labeled Disease"):
        export(str(trained_folder), tmp_path / "out", dev=path, labels=["Disease"])
    with pytest.raises(ConfigError, match="found corpus 'drugs', but no component has learned"):
        export(str(trained_folder), tmp_path / "out", dev=path, dataset="drugs")
    assert not (tmp_path / "out").exists()


def test_empty_documents_are_no_texts_to_find_scales_on(trained_folder, dev, tmp_path, blank_nlp):
    docs = [blank_nlp(" \n ")] * 130
    for doc in docs:
        doc.ents = []
    docs += list(DocBin().from_disk(dev).get_docs(blank_nlp.vocab))
    path = tmp_path / "padded.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    assert export(str(trained_folder), tmp_path / "out", dev=path).n_changed == 0


def test_forked_processes_run_beside_sessions_of_many_threads(trained_folder, dev, tmp_path):
    export(str(trained_folder), tmp_path / "out", dev=dev)
    code = (
        "import multiprocessing, spacy\n"
        "if __name__ == '__main__':\n"
        "    if 'fork' in multiprocessing.get_all_start_methods():\n"
        "        multiprocessing.set_start_method('fork')\n"
        "    key = 'components.bioner.model.encoder.threads'\n"
        f"    nlp = spacy.load({str(tmp_path / 'out')!r}, config={{key: 4}})\n"
        f"    texts = {TEXTS!r} * 4\n"
        "    alone = [str(nlp(text).ents) for text in texts]\n"
        "    docs = nlp.pipe(texts, n_process=2, batch_size=2)\n"
        "    print([str(doc.ents) for doc in docs] == alone)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "True"


def test_exported_component_says_that_it_cannot_be_trained(
    trained_folder, dev, tmp_path, make_example
):
    export(str(trained_folder), tmp_path / "out", dev=dev)
    nlp = spacy.load(tmp_path / "out")
    examples = [make_example(TEXTS[1], [(0, 12, "Disease")])]
    component = nlp.get_pipe("bioner")
    for train in (
        lambda: nlp.update(examples),
        lambda: component.initialize(lambda: examples),
        lambda: component.get_loss(examples, []),
    ):
        with pytest.raises(EncoderError, match="component 'bioner' was exported and cannot be"):
            train()


def test_a_cut_off_model_is_told(trained_folder, dev, tmp_path):
    export(str(trained_folder), tmp_path / "out", dev=dev)
    path = tmp_path / "out/bioner/model"
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(BionerError, match=r"cannot be loaded: .*copy or install it again"):
        load_pipeline(str(tmp_path / "out"))


def test_exported_pipelines_are_not_exported_again(trained_folder, dev, tmp_path):
    export(str(trained_folder), tmp_path / "out", dev=dev)
    with pytest.raises(ConfigError, match="it is exported already"):
        export(str(tmp_path / "out"), tmp_path / "again", dev=dev)


def test_command_prints_what_int8_costs(trained_folder, dev, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run_command(["export", str(trained_folder), "out", "--dev", str(dev)])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "F1          100.00  100.00" in said
    assert "entities differ in 0 of 2 documents" in said
    assert said.strip().splitlines()[-1].startswith("out: int8, 0.")


def test_trained_pipeline_stays_as_it_is(trained_folder, dev, tmp_path):
    before = exporting.fingerprint(trained_folder)
    export(str(trained_folder), tmp_path / "out", dev=dev)
    assert exporting.fingerprint(trained_folder) == before
    assert torch.is_grad_enabled()
