import csv
import json

import pytest
import spacy

from spacy_bioner.apps.cli.main import run
from spacy_bioner.apps.corpora.deidentify import deidentify_corpus
from spacy_bioner.apps.corpora.identifier_finders import find_by_pipeline
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import CorpusError, LabelError

PUBTATOR = (
    "1|t|Asthma seen by Dr. Smith.\n"
    "1|a|On 3/5/2021 a 92-year-old man had fever.\n"
    "1\t0\t6\tAsthma\tDisease\tD001249\n"
    "1\t29\t37\t3/5/2021\tDate\t-\n"
    "1\t40\t51\t92-year-old\tAge\t-\n"
    "1\t60\t65\tfever\tDisease\tD005334\n"
    "\n"
    "2|t|Nothing here.\n"
    "2|a|At all.\n"
)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "corpus.pubtator.txt"
    path.write_text(PUBTATOR, encoding="utf-8")
    return path


@pytest.fixture
def pipeline(tmp_path):
    """A pipeline whose entities are persons, by a rule."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Zuzana"}])
    nlp.to_disk(tmp_path / "pipeline")
    return str(tmp_path / "pipeline")


def account_of(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["x.pubtator.txt", "x.jsonl", "x.spacy", "x.bioc.json"])
def test_gold_follows_into_any_format(source, tmp_path, name):
    deidentify_corpus(source, tmp_path / name)
    first = next(read_records(tmp_path / name))
    assert first.text == "Asthma seen by Dr. [NAME]. On [DATE] a [AGE]-year-old man had fever."
    assert [(m.label, first.text[m.start_char : m.end_char]) for m in first.mentions] == [
        ("Disease", "Asthma"),
        ("Age", "[AGE]-year-old"),
        ("Disease", "fever"),
    ]


def test_the_account_conserves_mentions_and_repeats_no_identifier(source, tmp_path):
    account, _ = deidentify_corpus(source, tmp_path / "x.jsonl")
    assert dict(account.mentions) == {"same": 1, "moved": 1, "changed": 1, "dropped": 1}
    data = account_of(tmp_path / "x.jsonl.deid.json")
    assert data["deidentification"]["identifiers"] == {"NAME": 1, "DATE": 1, "AGE": 1}
    assert data["deidentification"]["mentions"] == dict(account.mentions)
    assert data["count"]["lost_reasons"] == {"part of an identifier that was replaced": 1}
    assert [row["found"] for row in data["mentions"]] == ["********"]
    text = json.dumps(data)
    assert "Smith" not in text
    assert "3/5/2021" not in text


def test_a_parting_identifier_is_named_by_place_alone(tmp_path):
    source = tmp_path / "x.jsonl"
    spans = [{"start": 9, "end": 21, "label": "Disease"}]
    record = {"text": "Mr. John Parkin's ill", "spans": spans}
    source.write_text(json.dumps(record) + "\n", encoding="utf-8")
    account, _ = deidentify_corpus(source, tmp_path / "y.jsonl", number_documents=True)
    assert account.n_left == 1
    left = account_of(tmp_path / "y.jsonl.deid.json")["deidentification"]["left_in_mentions"]
    assert left == [{"document": "1", "start": 9, "end": 15, "label": "NAME"}]


def test_documents_are_streamed(tmp_path, monkeypatch):
    source = tmp_path / "notes.jsonl"
    source.write_text('{"text": "Dr. Smith"}\n' * 50, encoding="utf-8")
    order = []

    def find(text):
        order.append("found")
        return []

    deidentify_corpus(
        source, tmp_path / "x.jsonl", find=find, progress=lambda n: order.append("written")
    )
    assert order == ["found", "written"] * 50


def write_notes(path):
    rows = [["ROW_ID", "SUBJECT_ID", "CHARTDATE", "TEXT"], ["7", "4711", "2151-07-16", "Mr. Smith"]]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_metadata_is_left_out_and_counted(tmp_path, capsys):
    write_notes(tmp_path / "notes.csv")
    run_ok(tmp_path / "notes.csv", tmp_path / "x.jsonl", "--from", "mimic")
    (record,) = read_records(tmp_path / "x.jsonl")
    assert (record.id, record.text, record.meta) == ("7", "Mr. [NAME]", {})
    shown = capsys.readouterr().out
    assert "metadata left out: chartdate 1, subject_id 1" in shown
    assert "document ids were kept" in shown


@pytest.mark.parametrize("options", [(), ("--keep-metadata",)])
def test_columns_of_a_source_are_not_repeated(source, tmp_path, options):
    text = PUBTATOR.replace("\tD001249\n", "\tD001249\tasthma of Dr. Smith\n")
    source.write_text(text, encoding="utf-8")
    run_ok(source, tmp_path / "x.pubtator", *options)
    assert "1\t0\t6\tAsthma\tDisease\tD001249\n" in (tmp_path / "x.pubtator").read_text()


def test_metadata_can_stay_without_its_identifiers(tmp_path):
    write_notes(tmp_path / "notes.csv")
    run_ok(
        tmp_path / "notes.csv",
        tmp_path / "x.jsonl",
        *("--from", "mimic", "--keep-metadata", "--number-documents"),
    )
    (record,) = read_records(tmp_path / "x.jsonl")
    assert record.id == "1"
    assert record.meta == {"subject_id": "4711", "chartdate": "[DATE]"}


def run_ok(*arguments):
    run_cli(*arguments, code=0)


def run_cli(*arguments, code):
    with pytest.raises(SystemExit) as raised:
        run(["deidentify", *map(str, arguments)])
    assert raised.value.code == code


def test_the_command_prints_the_account(source, tmp_path, capsys):
    run_ok(source, tmp_path / "x.jsonl", "--replace", "mask", "--keep-year")
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].endswith("x.jsonl: 2 documents, 3 identifiers replaced in 1 of them")
    assert shown[1:4] == [
        "  NAME               1",
        "  DATE               1",
        "  AGE                1",
    ]
    assert shown[4] == (
        "gold mentions: 4 = 2 as they were, 0 moved, 2 with an identifier inside that was "
        "replaced, 0 dropped (part of an identifier that was replaced)"
    )
    assert "rules alone are NOT enough to release data" in shown[-1]
    first = next(read_records(tmp_path / "x.jsonl"))
    assert first.text == "Asthma seen by Dr. *****. On ***/2021 a **-year-old man had fever."


def test_the_entities_of_a_pipeline_are_added(tmp_path, pipeline, capsys):
    source = tmp_path / "notes.jsonl"
    source.write_text('{"text": "Zuzana saw Dr. Smith"}\n', encoding="utf-8")
    run_ok(source, tmp_path / "x.jsonl", "--model", pipeline)
    assert next(read_records(tmp_path / "x.jsonl")).text == "[NAME] saw Dr. [NAME]"
    assert "rules and pipelines miss identifiers" in capsys.readouterr().out
    run_ok(source, tmp_path / "y.jsonl", "--model", pipeline, "--model-label", "PERSON=SOMEBODY")
    assert next(read_records(tmp_path / "y.jsonl")).text == "[SOMEBODY] saw Dr. [NAME]"


def test_a_pipeline_without_labels_of_identifiers_is_refused(pipeline):
    with pytest.raises(LabelError, match="found the labels PERSON, expected labels of identifiers"):
        find_by_pipeline(pipeline, labels={"PATIENT": "NAME"})
    with pytest.raises(
        LabelError, match=r"the label PERSONS, which --model-label .* mean PERSON\?"
    ):
        find_by_pipeline(pipeline, labels={"PERSON": "NAME", "PERSONS": "NAME"})


def test_a_pipeline_reads_texts_beyond_spacys_guard(pipeline):
    find = find_by_pipeline(pipeline)
    text = "a" * 1_000_001 + " Zuzana"
    assert [(i.start, i.end, i.label) for i in find(text)] == [(1_000_002, 1_000_008, "NAME")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replace", "hash"], "error: found --replace 'hash', expected one of label, mask"),
        (["--model-label", "A=B"], "error: found --model-label without --model, expected both"),
        (["--model", "gone"], "error: gone: neither a folder nor an installed package"),
        (["--to", "presidio"], "which can only be read"),
        (["--text-column", "TEXT"], "found columns of notes for format pubtator"),
    ],
)
def test_errors_are_one_line_and_nothing_is_written(source, tmp_path, capsys, arguments, message):
    run_cli(source, tmp_path / "x.jsonl", *arguments, code=1)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_a_mention_that_does_not_fit_stops_the_work_and_leaves_nothing(source, tmp_path):
    source.write_text(PUBTATOR.replace("\tfever\t", "\tcough\t"), encoding="utf-8")
    with pytest.raises(CorpusError, match="found 'fever'"):
        deidentify_corpus(source, tmp_path / "x.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_in_and_out_may_not_be_one(source):
    with pytest.raises(CorpusError, match="found the same path as IN and OUT"):
        deidentify_corpus(source, source)
    assert source.read_text(encoding="utf-8") == PUBTATOR
