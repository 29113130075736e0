import json

import pytest

from spacy_bioner.apps.cli.main import run
from spacy_bioner.apps.corpora.cleaning import (
    build_text_normalizer,
    filter_documents,
    find_all_definitions,
    map_labels,
    normalize_text,
    read_label_maps,
)
from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.corpora.labels import LabelMap
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import LabelError
from spacy_bioner.transforms.filters import min_words, without_annotation

PUBTATOR = (
    "1|t|Renal failure (RF) vs placebo.\n"
    "1|a|RF \u2013 not  sepsis \u2013 was fatal.\n"
    "1\t0\t13\tRenal failure\tSpecificDisease\tD058186\n"
    "1\t31\t33\tRF\tDiseaseClass\tD058186\n"
    "1\t41\t47\tsepsis\tModifier\tD018805\n"
    "\n"
    "2|t|Nothing here.\n"
    "2|a|\n"
    "\n"
    "3|t|Zinc.\n"
    "3|a|\n"
    "3\t0\t4\tZinc\tChemical\tD015032\n"
)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(PUBTATOR, encoding="utf-8")
    return path


def mentions_of(path):
    return [[(m.text, m.label) for m in record.mentions] for record in read_records(path)]


def test_normalized_text_takes_the_mentions_along(source, tmp_path):
    steps = [normalize_text(build_text_normalizer(["dashes", "collapse", "expand"]))]
    conversion = convert(source, tmp_path / "x.jsonl", steps=steps)
    first = next(read_records(tmp_path / "x.jsonl"))
    assert first.text == "Renal failure (RF) versus placebo. RF - not sepsis - was fatal."
    assert [first.text[m.start_char : m.end_char] for m in first.mentions] == [
        "Renal failure",
        "RF",
        "sepsis",
    ]
    assert conversion.edits == {"dashes": 2, "collapse": 1, "expand": 1}
    assert (conversion.count.exact, conversion.count.total) == (4, 4)


def test_abbreviations_that_the_document_defines_are_written_out(source, tmp_path):
    convert(
        source,
        tmp_path / "x.jsonl",
        steps=[normalize_text(build_text_normalizer(["abbreviations"]))],
    )
    assert mentions_of(tmp_path / "x.jsonl")[0][1] == ("Renal failure", "DiseaseClass")


def test_definitions_are_found_in_every_sentence():
    text = "Renal failure (RF) came. Sepsis syndrome (SS) followed."
    assert [d.short_text for d in find_all_definitions(text)] == ["RF", "SS"]


def test_documents_that_filters_remove_take_their_mentions_along_as_lost(source, tmp_path):
    steps = [filter_documents([min_words(2), without_annotation()])]
    conversion = convert(source, tmp_path / "x.spacy", steps=steps)
    assert conversion.documents == 1
    assert conversion.filtered["removed"] == {"min_words": 1, "without_annotation": 1} or (
        sum(conversion.filtered["removed"].values()) == 2
    )
    assert (conversion.count.lost, conversion.count.total) == (1, 4)
    (reason,) = conversion.count.lost_reasons
    assert reason.startswith("document left out: ")
    rows = json.loads((tmp_path / "x.audit.json").read_text())["mentions"]
    assert [(row["document"], row["outcome"]) for row in rows] == [("3", "lost")]


def test_labels_that_a_map_drops_are_lost_and_counted(source, tmp_path):
    label_map = LabelMap("own.yaml", {"SpecificDisease": "Disease", "Sign": "Sign"}, default="drop")
    conversion = convert(source, tmp_path / "x.spacy", steps=[map_labels(label_map)])
    assert conversion.count.by_label["Disease"].exact == 1
    assert conversion.count.lost_reasons == {"label left out by the label map": 3}
    assert conversion.labels_not_found == ["Sign"]


def test_labels_that_a_map_does_not_name_stay(source, tmp_path):
    label_map = read_label_maps(["SpecificDisease=Disease"])
    conversion = convert(source, tmp_path / "x.jsonl", label_map=label_map)
    assert conversion.count.lost == 0
    kept = {label for label in conversion.labels_read if label != "SpecificDisease"}
    written = {label for row in mentions_of(tmp_path / "x.jsonl") for _, label in row}
    assert written == {"Disease", *kept}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["Diseas=D"], "no mention of the label Diseas, which --label-map renames"),
        (["specificdisease=D"], "did you mean SpecificDisease?"),
        (["SpecificDisease=D", "Zzz=E"], "no mention of the label Zzz.* correct --label-map"),
        # A map that ships, of which the corpus has no label at all.
        (["i2b2_2010"], "which the label map i2b2_2010 renames; the corpus has "),
    ],
)
def test_label_maps_with_labels_that_do_not_occur_are_refused(source, tmp_path, entries, message):
    with pytest.raises(LabelError, match=message):
        convert(source, tmp_path / "x.spacy", label_map=read_label_maps(entries))
    assert not (tmp_path / "x.spacy").exists()


def test_label_map_by_name_renames_the_sub_types(source, tmp_path):
    convert(source, tmp_path / "x.jsonl", label_map=read_label_maps(["ncbi_disease"]))
    assert mentions_of(tmp_path / "x.jsonl")[0] == [
        ("Renal failure", "Disease"),
        ("RF", "Disease"),
        ("sepsis", "Disease"),
    ]


def test_label_map_of_a_file(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("labels:\n  A: B\n")
    label_map = read_label_maps([str(path)])
    assert (label_map.rename("A"), label_map.rename("C")) == ("B", "C")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["nowhere"], "found label map 'nowhere', expected OLD=NEW, a YAML file, or one of"),
        (["biored", "A=B"], "found the label map 'biored' and more entries"),
        (["A=B", "=C"], "expected OLD=NEW"),
    ],
)
def test_label_maps_that_are_none_are_refused(entries, message):
    with pytest.raises(LabelError, match=message):
        read_label_maps(entries)


def test_no_label_map_is_none():
    assert read_label_maps([]) is None


def test_cli_cleans_and_tells(source, tmp_path, capsys):
    run_cli("convert", source, tmp_path / "x.spacy", "--normalize", "dashes", "--drop-unannotated")
    shown = capsys.readouterr().out
    assert "edits: dashes 2" in shown
    assert "documents removed by filters: " in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--normalize", "shiny"], "found normalization step 'shiny'"),
        (["--expansions", "t.tsv"], "add --normalize expand"),
        (
            ["--word-column", "2", "--scheme", "BIO"],
            "found --word-column, --scheme for format pubtator, expected a format with such colu",
        ),
        (["--text-column", "x"], "found columns of notes for format pubtator"),
        (["--encoding", "latin-1"], "found --encoding for format pubtator, expected it with "),
        (["--text-key", "x"], "found --text-key for format pubtator, expected it with label_"),
        (["--list", "vanished"], "found the outcome 'vanished' to list"),
        (["--to", "word"], "found format 'word'"),
    ],
)
def test_cli_refuses_settings_that_do_not_fit(source, tmp_path, options, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        run_cli("convert", source, tmp_path / "x.spacy", *options)
    assert stopped.value.code == 1
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


def run_cli(*arguments):
    try:
        run([str(argument) for argument in arguments])
    except SystemExit as stopped:
        if stopped.code:
            raise


TWICE = "1|t|A \u2013 b \u2013 c.\n1|a|\n\n2|t|D \u2013 e.\n2|a|\n"


def test_edits_of_all_documents_are_summed_up(tmp_path):
    (tmp_path / "in.txt").write_text(TWICE, encoding="utf-8")
    steps = [normalize_text(build_text_normalizer(["dashes"]))]
    conversion = convert(tmp_path / "in.txt", tmp_path / "x.spacy", steps=steps)
    assert conversion.edits == {"dashes": 3}
    account = json.loads((tmp_path / "x.audit.json").read_text())
    assert account["edits"] == {"dashes": 3}


def test_two_steps_of_filters_count_together(source, tmp_path):
    steps = [filter_documents([min_words(2)]), filter_documents([without_annotation()])]
    conversion = convert(source, tmp_path / "x.jsonl", steps=steps)
    filtered = conversion.filtered
    assert (filtered["read"], filtered["kept"]) == (3, 1)
    assert filtered["removed"] == {"min_words": 1, "without_annotation": 1}
    assert filtered["mentions_removed"] == {"min_words": 1, "without_annotation": 0}
    assert [item["id"] for item in filtered["ids"]] == ["3", "2"]
