import json

import pytest
import spacy

from spacy_bioner.apps.cli.main import run
from spacy_bioner.apps.packaging.assemble import assemble, find_recognizer
from spacy_bioner.apps.terms.terms import ImportSettings, import_terms
from spacy_bioner.errors import BionerError, ConfigError, TermTableError
from spacy_bioner.knowledge.drops import DEFAULT
from tests.paths import ROOT

CONFIG = ROOT / "configs/postprocessing.cfg"
TERMS = (
    "id\tname\tlabel\n"
    "MESH:D000001\tcardiac arrest\tDisease\n"
    "NCBITaxon:10116\trats\tSpecies\n"
    "MESH:D003000\tclonidine\tChemical\n"
)
LABELS = ["Disease=Disease", "Chemical=Chemical"]
LEFT_OUT = {"names that stand there already": 0}
TEXT = "Naloxone reverses the effect of clonidine. Cardiac arrest (CA) in rats; no CA."


@pytest.fixture
def terms(tmp_path):
    path = tmp_path / "terms.tsv"
    path.write_text(TERMS, encoding="utf-8")
    return path


@pytest.fixture
def pipeline(trained_folder, terms, tmp_path):
    """The folder of an assembled pipeline."""
    assemble(trained_folder, tmp_path / "pipeline", config=CONFIG, terms=terms)
    return tmp_path / "pipeline"


def test_order_is_recognizer_gazetteer_abbreviations_overlaps(pipeline):
    nlp = spacy.load(pipeline)
    expected = ["bioner", "bioner_gazetteer", "bioner_abbreviations", "bioner_overlaps"]
    assert nlp.pipe_names == expected
    assert type(nlp.tokenizer).__name__ == "BiomedicalTokenizer"


def test_gazetteer_has_only_labels_of_the_recognizer(pipeline):
    nlp = spacy.load(pipeline)
    assert nlp.get_pipe("bioner").labels == ("Chemical", "Disease")
    gazetteer = nlp.get_pipe("bioner_gazetteer")
    assert (gazetteer.labels, len(gazetteer)) == (("Chemical", "Disease"), 2)


def test_compiled_terms_are_taken_and_their_sources_noted(trained_folder, terms, tmp_path):
    settings = ImportSettings(licences=["terms=CC0 1.0"])
    import_terms([str(terms)], tmp_path / "terms.gaz", settings)
    assemble(trained_folder, tmp_path / "pipeline", config=CONFIG, terms=tmp_path / "terms.gaz")
    nlp = spacy.load(tmp_path / "pipeline")
    assert nlp.meta["terms"] == {
        "table": "terms.gaz",
        "n_terms": 2,
        "sources": [{"name": "terms", "version": "", "licence": "CC0 1.0", "url": "", "n_rows": 3}],
        "rules": {"variants": {}, "dropped": dict.fromkeys(DEFAULT, 0), "left_out": LEFT_OUT},
    }
    gazetteer = nlp.get_pipe("bioner_gazetteer")
    assert (gazetteer.labels, len(gazetteer)) == (("Chemical", "Disease"), 2)
    table = gazetteer.term_matcher.table
    assert [source.licence for source in table.sources] == ["CC0 1.0"]
    assert table.rules == nlp.meta["terms"]["rules"]
    found = {(ent.text, ent.kb_id_) for ent in nlp(TEXT).ents}
    assert ("clonidine", "MESH:D003000") in found


def test_a_compiled_table_whose_labels_all_count_is_copied(trained_folder, terms, tmp_path):
    path = tmp_path / "terms.gaz"
    import_terms([str(terms)], path, ImportSettings(labels=LABELS))
    assemble(trained_folder, tmp_path / "pipeline", config=CONFIG, terms=path)
    copied = tmp_path / "pipeline/bioner_gazetteer/terms.bin"
    assert copied.read_bytes() == path.read_bytes()


def test_a_table_of_rows_is_noted_by_its_name(pipeline):
    noted = {"table": "terms.tsv", "n_terms": 2, "sources": [], "rules": {}}
    assert spacy.load(pipeline).meta["terms"] == noted


def test_labels_of_the_gazetteer_can_be_set(trained_folder, terms, tmp_path):
    config = tmp_path / "own.cfg"
    text = CONFIG.read_text(encoding="utf-8")
    head = "[components.bioner_gazetteer]"
    config.write_text(text.replace(head, f'{head}\nlabels = ["Species"]'), encoding="utf-8")
    nlp = assemble(trained_folder, tmp_path / "pipeline", config=config, terms=terms)
    assert nlp.get_pipe("bioner_gazetteer").labels == ("Species",)


def test_entities_carry_label_confidence_and_source_after_loading(pipeline):
    doc = spacy.load(pipeline)(TEXT)
    found = {(ent.text, ent.label_, ent._.source) for ent in doc.ents}
    assert ("Naloxone", "Chemical", "bioner") in found
    assert ("clonidine", "Chemical", "bioner") in found
    learned = [ent for ent in doc.ents if ent._.source == "bioner"]
    assert all(0.9 < ent._.confidence <= 1.0 for ent in learned if ent.label_ == "Chemical")
    assert all(ent._.source and ent._.evidence for ent in doc.ents)


def test_terms_and_abbreviations_say_what_they_are(trained_folder, terms, tmp_path):
    assemble(trained_folder, tmp_path / "pipeline", config=CONFIG, terms=terms)
    nlp = spacy.load(tmp_path / "pipeline", disable=["bioner"])
    doc = nlp("Cardiac arrest (CA) occurred; CA recurred.")
    assert [(ent.text, ent.label_, ent.kb_id_, ent._.source) for ent in doc.ents] == [
        ("Cardiac arrest", "Disease", "MESH:D000001", "bioner_gazetteer"),
        ("CA", "Disease", "MESH:D000001", "bioner_abbreviations"),
        ("CA", "Disease", "MESH:D000001", "bioner_abbreviations"),
    ]
    assert [ent._.confidence for ent in doc.ents] == [None, None, None]


def test_span_of_model_and_gazetteer_keeps_both_as_evidence(pipeline):
    doc = spacy.load(pipeline)(TEXT)
    clonidine = next(ent for ent in doc.ents if ent.text == "clonidine")
    assert [entry["source"] for entry in clonidine._.evidence] == ["bioner", "bioner_gazetteer"]
    assert clonidine.kb_id_ == "MESH:D003000"


def test_loaded_pipeline_gives_what_the_assembled_one_gave(trained_folder, terms, tmp_path):
    nlp = assemble(trained_folder, tmp_path / "pipeline", config=CONFIG, terms=terms)
    assert spacy.load(tmp_path / "pipeline")(TEXT).to_json() == nlp(TEXT).to_json()


def test_spacys_ner_counts_under_its_own_name(terms, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("Chemical")
    nlp.initialize()
    nlp.to_disk(tmp_path / "model")
    nlp = assemble(tmp_path / "model", tmp_path / "pipeline", config=CONFIG, terms=terms)
    assert find_recognizer(nlp) == "ner"
    assert nlp.get_pipe("bioner_gazetteer").labels == ("Chemical",)
    overlaps = spacy.load(tmp_path / "pipeline").get_pipe("bioner_overlaps")
    assert overlaps.sources == ["ner", "bioner_gazetteer", "bioner_abbreviations"]
    assert overlaps.ents_source == "ner"


def test_demo_gazetteer_that_ships_is_the_default(trained_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    nlp = assemble(trained_folder, tmp_path / "pipeline")
    assert len(nlp.get_pipe("bioner_gazetteer")) > 50


def test_result_replaces_an_earlier_one(trained_folder, terms, pipeline):
    (pipeline / "of-the-earlier").touch()
    assemble(trained_folder, pipeline, config=CONFIG, terms=terms)
    assert not (pipeline / "of-the-earlier").exists()
    assert not list(pipeline.parent.glob(".*"))


def test_folders_above_the_output_are_made(trained_folder, terms, tmp_path):
    output = tmp_path / "a" / "b" / "pipeline"
    assemble(trained_folder, output, config=CONFIG, terms=terms)
    assert (output / "config.cfg").is_file()


def test_trained_pipeline_stays_as_it_is(trained_folder, terms, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in trained_folder.rglob("*")}
    assemble(trained_folder, tmp_path / "pipeline", config=CONFIG, terms=terms)
    assert {path: path.stat().st_mtime_ns for path in trained_folder.rglob("*")} == before


def test_row_with_two_columns_is_named_and_leaves_no_output(trained_folder, terms, tmp_path):
    terms.write_text(TERMS + "MESH:D009270\tnaloxone\n", encoding="utf-8")
    with pytest.raises(TermTableError, match=r"terms\.tsv:5: found 2 column") as raised:
        assemble(trained_folder, tmp_path / "pipeline", config=CONFIG, terms=terms)
    assert "expected 3 separated by tabs (id, name, label)" in str(raised.value)
    assert list(tmp_path.iterdir()) == [terms]


def test_row_with_two_columns_leaves_an_earlier_pipeline_alone(trained_folder, terms, pipeline):
    before = sorted(path.name for path in pipeline.iterdir())
    terms.write_text("MESH:D009270\tnaloxone\n", encoding="utf-8")
    with pytest.raises(TermTableError):
        assemble(trained_folder, pipeline, config=CONFIG, terms=terms)
    assert sorted(path.name for path in pipeline.iterdir()) == before


def test_failure_while_saving_leaves_an_earlier_pipeline_and_nothing_else(
    trained_folder, terms, pipeline, monkeypatch
):
    def fail(nlp, path, **settings):
        path.mkdir()
        raise OSError("no space left on device")

    monkeypatch.setattr("spacy.language.Language.to_disk", fail)
    with pytest.raises(OSError, match="no space left"):
        assemble(trained_folder, pipeline, config=CONFIG, terms=terms)
    assert (pipeline / "config.cfg").is_file()
    assert not list(pipeline.parent.glob(".*"))


def test_settings_that_are_not_there_can_be_given(tmp_path, trained_folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"found no configs/postprocessing\.cfg, .* by --config"):
        assemble(trained_folder, tmp_path / "pipeline")


def test_missing_model_says_which_step_comes_before(tmp_path):
    with pytest.raises(ConfigError, match="absent does not exist; run the steps before this one"):
        assemble(tmp_path / "absent", tmp_path / "pipeline", config=CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_no_pipeline_is_an_error(terms, tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(BionerError, match=r"found a folder without config\.cfg"):
        assemble(tmp_path / "model", tmp_path / "pipeline", config=CONFIG, terms=terms)
    assert not (tmp_path / "pipeline").exists()


def test_missing_term_table_is_an_error(trained_folder, tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.tsv does not exist"):
        assemble(trained_folder, tmp_path / "out", config=CONFIG, terms=tmp_path / "absent.tsv")
    assert list(tmp_path.iterdir()) == []


def test_config_without_a_section_is_an_error(trained_folder, tmp_path):
    config = tmp_path / "own.cfg"
    config.write_text('[pipeline]\norder = []\n\n[gazetteer]\nterms = "x"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.cfg: no section \[components\]"):
        assemble(trained_folder, tmp_path / "pipeline", config=config)


def test_pipeline_without_recognizer_is_an_error(terms, tmp_path):
    spacy.blank("en").to_disk(tmp_path / "model")
    with pytest.raises(ConfigError, match=r"\(empty\) has no trained component: expected bioner"):
        assemble(tmp_path / "model", tmp_path / "pipeline", config=CONFIG, terms=terms)
    assert not (tmp_path / "pipeline").exists()


def test_assemble_cli_prints_the_order(trained_folder, terms, tmp_path, capsys):
    output = tmp_path / "pipeline"
    with pytest.raises(SystemExit) as raised:
        run(
            ["assemble", str(trained_folder), str(output), f"--config={CONFIG}", f"--terms={terms}"]
        )
    assert raised.value.code == 0
    order = "tokenizer → bioner → bioner_gazetteer → bioner_abbreviations → bioner_overlaps"
    assert capsys.readouterr().out == f"{output}: {order}\n"


def test_assemble_cli_reports_a_bad_row_in_one_line(trained_folder, terms, tmp_path, capsys):
    terms.write_text("MESH:D009270\tnaloxone\n", encoding="utf-8")
    options = [f"--config={CONFIG}", f"--terms={terms}"]
    with pytest.raises(SystemExit) as raised:
        run(["assemble", str(trained_folder), str(tmp_path / "pipeline"), *options])
    error = capsys.readouterr().err
    assert (raised.value.code, error.count("\n")) == (1, 1)
    assert error.startswith(f"error: {terms}:1: ")


def write_report(path, **changes):
    report = {"source": "bioner", "temperature": 2.5, "threshold": 0.0}
    report |= {"thresholds": {"Chemical": 0.6}, **changes}
    path.write_text(json.dumps(report), encoding="utf-8")
    return path


def test_a_calibration_is_taken_over_from_a_pipeline_trained_alike(trained_folder, terms, tmp_path):
    report = write_report(tmp_path / "calibrated.json", bias=-0.25)
    own = {"config": CONFIG, "terms": terms}
    assemble(trained_folder, tmp_path / "plain", **own)
    assemble(trained_folder, tmp_path / "pipeline", **own, calibration=report)
    # Upon another calibration, it takes its place.
    assemble(tmp_path / "pipeline", tmp_path / "again", **own, calibration=report)
    nlp = spacy.load(tmp_path / "again")
    assert nlp.pipe_names[:2] == ["bioner", "bioner_confidence"]
    component = nlp.get_pipe("bioner_confidence")
    assert (component.source, component.temperature, component.threshold) == ("bioner", 2.5, 0.0)
    assert (component.bias, component.thresholds) == (-0.25, {"Chemical": 0.6})
    before = {ent.text: ent._.confidence for ent in spacy.load(tmp_path / "plain")(TEXT).ents}
    after = {ent.text: ent._.confidence for ent in nlp(TEXT).ents}
    assert 0.6 <= after["Naloxone"] < before["Naloxone"]


def test_a_calibration_comes_behind_lists_that_boost(trained_folder, terms, tmp_path):
    config = tmp_path / "boost.cfg"
    text = CONFIG.read_text(encoding="utf-8")
    section = "[components.bioner_gazetteer]\n"
    assert section in text
    boost = 'mode = "boost"\nconfidence = 0.9\n'
    config.write_text(text.replace(section, section + boost), encoding="utf-8")
    report = write_report(tmp_path / "calibrated.json")
    nlp = assemble(trained_folder, tmp_path / "out", config=config, terms=terms, calibration=report)
    assert nlp.pipe_names[:3] == ["bioner", "bioner_gazetteer", "bioner_confidence"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thresholds": {"Gene": 0.5}}, "found thresholds for Gene, expected those of 'bioner'"),
        ({"source": "ner"}, "found confidences of 'ner', expected those of 'bioner'"),
        ({"temperature": "warm"}, "found no calibration"),
        ({"thresholds": None}, "found no calibration"),
        ({"thresholds": [["Chemical", 0.5]]}, "found no calibration"),
        ({"temperature": float("nan")}, "found no calibration"),
        ({"bias": None}, "found no calibration"),
        ({"temperature": -1.0}, r"calibrated\.json: bioner_confidence: "),
        ({"threshold": 1.5}, r"calibrated\.json: bioner_confidence: "),
    ],
)
def test_a_calibration_of_something_else_is_refused(
    changes, message, trained_folder, terms, tmp_path
):
    report = write_report(tmp_path / "calibrated.json", **changes)
    with pytest.raises(ConfigError, match=message):
        assemble(trained_folder, tmp_path / "out", config=CONFIG, terms=terms, calibration=report)
    assert not (tmp_path / "out").exists()


def test_a_gazetteer_without_a_table_is_told_before_anything_is_loaded(tmp_path):
    with pytest.raises(ConfigError, match=r"shipped\.cfg: found no table of terms .* --terms"):
        assemble(tmp_path / "nowhere", tmp_path / "out", config=ROOT / "configs/shipped.cfg")


def test_terms_of_the_shipped_config_name_entities_and_add_none(trained_folder, terms, tmp_path):
    report = write_report(tmp_path / "calibrated.json")
    shipped = ROOT / "configs/shipped.cfg"
    nlp = assemble(
        trained_folder, tmp_path / "named", config=shipped, terms=terms, calibration=report
    )
    with nlp.select_pipes(disable=["bioner_gazetteer"]):
        plain = nlp(TEXT)
    named = nlp(TEXT)

    def list_found(doc):
        return [(ent.text, ent.label_) for ent in doc.ents]

    assert list_found(named) == list_found(plain) != []
    for ent, alone in zip(named.ents, plain.ents, strict=True):
        assert (ent._.confidence > alone._.confidence) == bool(ent.kb_id_)
    assert ("clonidine", "MESH:D003000") in {(ent.text, ent.kb_id_) for ent in named.ents}
