import json
import shutil
from pathlib import Path

import pytest
import spacy
import typer
from typer.testing import CliRunner

from spacy_bioner.apps.cli.convert import convert_cli
from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.corpora.conversion import check_account, digest_output
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.corpora.formats.tagged.conll import ConllLayout
from spacy_bioner.corpora.read_write import Selection, read_records
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.files.digests import digest
from spacy_bioner.training.corpus import make_corpus
from tests import paths

CASES = paths.CASES / "corpora"
PUBTATOR = (
    "1|t|Acute renal failure.\n"
    "1|a|After K+/Na+ loss.\n"
    "1\t0\t19\tAcute renal failure\tSpecificDisease\tD058186\n"
    "1\t6\t19\trenal failure\tDiseaseClass\tD051437\n"
    "1\t27\t29\tk+\tChemical\tD011188\n"
    "1\tCID\tD011188\tD058186\n"
    "\n"
    "2|t|Nothing.\n"
    "2|a|\n"
)
CONLL = "# doc_id = 7\nRenal\tB\nfailure\tI\n.\tO\n\nNa+\tI\n"


@pytest.fixture
def pubtator(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(PUBTATOR)
    return path


@pytest.fixture
def conll(tmp_path):
    path = tmp_path / "corpus.tsv"
    path.write_text(CONLL)
    return path


def read_docs(path):
    return list(read_docbin(path, spacy.blank("en").vocab))


def test_convert_pubtator_to_docbin_accounts_for_every_mention(pubtator, tmp_path):
    target = tmp_path / "corpus.spacy"
    conversion = convert(pubtator, target)
    assert (conversion.documents, conversion.entities) == (2, 2)
    count = conversion.count
    assert (count.total, count.exact, count.nested, count.lost) == (3, 2, 1, 0)
    assert conversion.counters == {"relations_skipped": 1}
    assert [(row.line, row.outcome) for row in conversion.log.list_rows()] == [
        (4, "nested"),
        (5, "exact"),
    ]
    first, second = read_docs(target)
    assert [ent.text for ent in first.ents] == ["Acute renal failure", "K+"]
    assert second.text == "Nothing."


def test_convert_renames_labels_and_tells_unknown_ones(pubtator, tmp_path):
    names = {"SpecificDisease": "Disease", "DiseaseClass": "Disease", "Modifier": "Disease"}
    with pytest.raises(LabelError, match="no mention of the label Modifier"):
        convert(pubtator, tmp_path / "x.spacy", label_map=names)
    conversion = convert(pubtator, tmp_path / "x.spacy", label_map=names, may_lack_labels=True)
    assert set(conversion.count.by_label) == {"Disease", "Chemical"}
    assert conversion.labels_read == {"SpecificDisease": 1, "DiseaseClass": 1, "Chemical": 1}
    assert conversion.labels_not_found == ["Modifier"]


def test_convert_takes_the_selected_documents(pubtator, tmp_path):
    conversion = convert(pubtator, tmp_path / "x.spacy", selection=Selection(skip=1))
    assert (conversion.documents, conversion.count.total) == (1, 0)


def test_convert_blank_tokenizer_widens_what_it_cannot_express(tmp_path):
    source = tmp_path / "corpus.txt"
    source.write_text("1|t|x\n1|a|IL6R|KO mice\n1\t2\t6\tIL6R\tGene\n")
    blank = convert(source, tmp_path / "a.spacy", tokenizer="blank")
    ours = convert(source, tmp_path / "b.spacy", tokenizer="bioner")
    assert (blank.count.widened, ours.count.exact) == (1, 1)


def test_convert_conll_with_tokens_of_the_corpus(conll, tmp_path):
    target = tmp_path / "x.spacy"
    conversion = convert(
        conll, target, tokenizer="corpus", layout=ConllLayout(label="D", scheme="BIO")
    )
    (doc,) = read_docs(target)
    assert [token.text for token in doc] == ["Renal", "failure", ".", "Na+"]
    assert [ent.text for ent in doc.ents] == ["Renal failure", "Na+"]
    assert conversion.counters == {"tags_repaired": 1}


def test_convert_to_pubtator_keeps_offsets_and_overlaps(pubtator, tmp_path):
    target = tmp_path / "copy.pubtator.txt"
    conversion = convert(pubtator, target)
    assert (conversion.count.exact, conversion.count.total) == (3, 3)
    assert [record.mentions for record in read_pubtator(target)] == [
        record.mentions for record in read_pubtator(pubtator)
    ]


def test_convert_to_conll_writes_the_scheme(pubtator, tmp_path):
    target = tmp_path / "out.tsv"
    convert(pubtator, target, to_scheme="BILOU", selection=Selection(first=1))
    lines = target.read_text().splitlines()
    assert lines[:4] == [
        "# doc_id = 1",
        "Acute\tB-SpecificDisease",
        "renal\tI-SpecificDisease",
        "failure\tL-SpecificDisease",
    ]


def test_convert_report_has_count_and_every_mention_that_is_not_exact(pubtator, tmp_path):
    report = tmp_path / "reports" / "account.json"
    conversion = convert(pubtator, tmp_path / "x.spacy", report=report)
    data = json.loads(report.read_text())
    rows = data.pop("mentions")
    assert data == conversion.to_json()
    assert data["count"]["total"] == 3
    assert data["count"]["by_label"]["DiseaseClass"]["nested"] == 1
    assert [(row["found"], row["claimed"]) for row in rows] == [
        ("renal failure", "renal failure"),
        ("K+", "k+"),
    ]
    assert rows[0]["reason"] == "overlaps SpecificDisease 0-19"


def test_convert_keeps_the_audit_beside_the_docbin(pubtator, tmp_path):
    convert(pubtator, tmp_path / "x.spacy")
    convert(pubtator, tmp_path / "shards")
    audits = [tmp_path / "x.audit.json", tmp_path / "shards" / "audit.json"]
    first, second = (json.loads(path.read_text())["count"] for path in audits)
    assert first == second
    assert first["total"] == 3


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "0\t3\tabc\t",
            r"corpus\.txt:3: found '' at 0-3 .*: label missing, expected a label; correct",
        ),
        (
            "2\t99\tc d\tA",
            r"corpus\.txt:3: found 'A' at 2-99 of document 1 \(5 characters long\): beyond",
        ),
        ("0\t3\tabd\tA", r"corpus\.txt:3: found 'abc' at 0-3 of document 1 .* expected 'abd'"),
        ("3\t4\t \tA", r"corpus\.txt:3: found 'A' at 3-4 of document 1 .*: empty"),
    ],
)
@pytest.mark.parametrize("name", ["x.spacy", "x.tsv", "x.pubtator"])
def test_convert_unusable_mention_is_an_error_or_left_out_and_counted(tmp_path, row, message, name):
    source = tmp_path / "corpus.txt"
    source.write_text(f"1|t|abc\n1|a|d\n1\t{row}\n1\t0\t3\tabc\tA\n")
    with pytest.raises(CorpusError, match=message):
        convert(source, tmp_path / name)
    assert list(tmp_path.iterdir()) == [source]
    conversion = convert(source, tmp_path / name, lenient=True)
    assert (conversion.count.lost, conversion.count.exact) == (1, 1)
    (record,) = read_records(tmp_path / name)
    assert [mention.text for mention in record.mentions] == ["abc"]


@pytest.mark.parametrize("name", ["out.spacy", "out.tsv", "out.pubtator.txt"])
def test_convert_malformed_source_leaves_no_output(tmp_path, name):
    source = tmp_path / "in" / "corpus.txt"
    source.parent.mkdir()
    source.write_text(PUBTATOR + "\n3|t|x\n3|a|y\n3\tzero\t1\tx\tA\tD1\n")
    target = tmp_path / "out" / name
    target.parent.mkdir()
    with pytest.raises(CorpusError, match=r"corpus\.txt:13: found start offset 'zero'"):
        convert(source, target, report=tmp_path / "out" / "report.json")
    assert list(target.parent.iterdir()) == []


def test_convert_refuses_unknown_format_and_tokenizer(pubtator, tmp_path):
    with pytest.raises(CorpusError, match=r"found no format and a name ending '\.bin'"):
        convert(pubtator, tmp_path / "x.bin")
    with pytest.raises(CorpusError, match="found format 'word', expected one of bioc_json, "):
        convert(pubtator, tmp_path / "x", to_format="word")
    with pytest.raises(CorpusError, match="found format 'presidio', which can only be read"):
        convert(pubtator, tmp_path / "x", to_format="presidio")
    with pytest.raises(CorpusError, match="found tokenizer 'moses'"):
        convert(pubtator, tmp_path / "x.spacy", tokenizer="moses")
    with pytest.raises(CorpusError, match="has no tokens of its own"):
        convert(pubtator, tmp_path / "x.spacy", tokenizer="corpus")


def test_convert_cli_passes_its_options(pubtator, tmp_path):
    app = typer.Typer()
    app.command()(convert_cli)
    ids = tmp_path / "ids.txt"
    ids.write_text("1\n")
    target, report = tmp_path / "x.spacy", tmp_path / "x.json"
    result = CliRunner().invoke(
        app,
        [
            str(pubtator),
            str(target),
            *("--from", "pubtator", "--to", "spacy", "--tokenizer", "blank"),
            *("--label-map", "SpecificDisease=Disease", "--label-map", "DiseaseClass=Disease"),
            *("--skip", "0", "--first", "2", "--ids", str(ids), "--report", str(report)),
        ],
        catch_exceptions=False,
    )
    assert result.exit_code == 0
    assert "1 document, 3 gold mentions" in result.output
    (doc,) = read_docs(target)
    assert {span.label_ for span in doc.spans["gold"]} == {"Disease", "Chemical"}
    assert json.loads(report.read_text())["documents"] == 1


@pytest.mark.parametrize(
    ("name", "gold", "exact"),
    [("bc5cdr/train", 9385, 9385), ("ncbi_disease/dev", 787, 787)],
)
def test_real_corpora_are_exact_with_our_tokenizer(data_dir, tmp_path, name, gold, exact):
    source = data_dir / "corpora" / f"{name}.pubtator.txt"
    count = convert(source, tmp_path / "x.spacy").count
    assert (count.total, count.exact, count.lost) == (gold, exact, 0)


def test_convert_does_not_replace_its_source(pubtator, tmp_path):
    before = pubtator.read_bytes()
    with pytest.raises(CorpusError, match="found the same path as IN and OUT"):
        convert(pubtator, tmp_path / "." / pubtator.name, to_format="pubtator")
    assert pubtator.read_bytes() == before


def test_convert_writes_shards_that_training_reads(pubtator, tmp_path):
    nlp = spacy.blank("en")
    convert(pubtator, tmp_path / "train")
    examples = list(make_corpus(tmp_path / "train")(nlp))
    assert [example.reference.user_data["bioner_id"] for example in examples] == ["1", "2"]
    registered = spacy.registry.readers.get("spacy.Corpus.v1")
    reader = registered(path=tmp_path / "train", gold_preproc=False)
    assert len(list(reader(nlp))) == 2


def test_convert_replaces_only_folders_that_it_wrote(pubtator, tmp_path):
    convert(pubtator, tmp_path / "train")
    convert(pubtator, tmp_path / "train", selection=Selection(first=1))
    (tmp_path / "train" / "notes.txt").write_text("mine")
    with pytest.raises(CorpusError, match=r"found notes\.txt in the output folder"):
        convert(pubtator, tmp_path / "train")
    assert (tmp_path / "train" / "notes.txt").read_text() == "mine"


def test_convert_checks_where_it_writes_before_it_starts(pubtator, tmp_path):
    (tmp_path / "file").write_text("old")
    bad = tmp_path / "file" / "x.json"
    target = tmp_path / "out" / "x.spacy"
    with pytest.raises(CorpusError, match=r"x\.json: found that nothing can be written there"):
        convert(pubtator, target, report=bad)
    with pytest.raises(CorpusError, match=r"x\.spacy: found that nothing can be written there"):
        convert(pubtator, tmp_path / "file" / "x.spacy")
    assert not target.parent.exists()


@pytest.mark.parametrize("name", ["corpus.txt", "x.spacy"])
def test_convert_report_does_not_replace_a_corpus(pubtator, tmp_path, name):
    with pytest.raises(CorpusError, match="found the same path for the account and the corpus"):
        convert(pubtator, tmp_path / "x.spacy", report=tmp_path / name)
    assert pubtator.read_text() == PUBTATOR


def facts(path):
    return [
        (
            r.text,
            r.words,
            r.sentence_starts,
            [(m.start_char, m.end_char, m.label) for m in r.mentions],
        )
        for r in read_records(path)
    ]


WORDS = "# doc_id = 1\nIL-2/NF-kB\tB-protein\n-dependent\tI-protein\n,\tO\n\nnon-T\tB-cell\n\n"


@pytest.mark.parametrize("name", ["x.conll", "x.csv"])
def test_convert_keeps_the_tokens_of_the_corpus_for_formats_of_words(tmp_path, name):
    source = tmp_path / "in.conll"
    source.write_text(WORDS)
    conversion = convert(source, tmp_path / name)
    assert (conversion.tokenizer, conversion.losses) == ("corpus", {})
    assert facts(tmp_path / name) == facts(source)
    assert [m.text for r in read_records(tmp_path / name) for m in r.mentions] == [
        "IL-2/NF-kB -dependent",
        "non-T",
    ]


@pytest.mark.parametrize("name", ["x.conll", "x.csv", "x.spacy"])
def test_convert_counts_tokens_that_a_chosen_tokenizer_replaces(tmp_path, name):
    source = tmp_path / "in.conll"
    source.write_text(WORDS + "# doc_id = 2\nno\tO\n")
    conversion = convert(source, tmp_path / name, tokenizer="blank")
    assert conversion.tokenizer == "blank"
    assert conversion.losses["the corpus' own tokens"] == 1


def test_convert_to_docbin_takes_our_tokens_by_default(tmp_path):
    source = tmp_path / "in.conll"
    source.write_text(WORDS)
    conversion = convert(source, tmp_path / "x.spacy")
    assert (conversion.tokenizer, conversion.losses) == ("bioner", {"the corpus' own tokens": 1})


def test_convert_takes_our_tokens_where_those_of_the_corpus_leave_text_out(tmp_path):
    tokens = [{"start": 0, "end": 2}]
    lines = [{"text": text, "spans": [], "tokens": tokens} for text in ("ab cd", "ab")]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    conversion = convert(tmp_path / "in.jsonl", tmp_path / "x.conll")
    assert conversion.tokenizer == "bioner, corpus"
    assert conversion.losses == {"the corpus' own tokens": 1}
    assert [record.text for record in read_records(tmp_path / "x.conll")] == ["ab cd", "ab"]


def test_real_words_and_mentions_come_back_from_conll(data_dir, tmp_path):
    source = data_dir / "corpora" / "jnlpba" / "dev.conll.tsv"
    conversion = convert(source, tmp_path / "x.conll")
    assert (conversion.count.exact, conversion.losses) == (4551, {})
    assert facts(tmp_path / "x.conll") == facts(source)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("in.pubtator", "1|t|Heart disease\n1|a|was seen in ra"),
        ("in.conll", "a\tB-Disease\nb\tI-Disease\n\nc\tB-Dis"),
        ("in.csv", "word,tag\na,B-Disease\nb,I-Disease\nc,B-Dis"),
    ],
)
def test_convert_warns_of_a_last_line_without_end(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    conversion = convert(tmp_path / name, tmp_path / "x.spacy")
    message = "the last line has no line end: the file may be cut"
    assert conversion.warnings == [message]
    assert json.loads((tmp_path / "x.audit.json").read_text())["warnings"] == [message]
    (tmp_path / name).write_text(text + "\n")
    assert convert(tmp_path / name, tmp_path / "x.spacy").warnings == []


AMBULANCE = {"text": "\U0001f691 asthma and more", "label": [[3, 9, "D"]]}


def run_convert(tmp_path, *values, options=(), target="out.spacy"):
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(map(json.dumps, values)))
    app = typer.Typer()
    app.command()(convert_cli)
    arguments = [str(source), str(tmp_path / target), *options]
    return CliRunner().invoke(app, arguments)


def test_convert_warns_on_stderr_of_a_file_without_any_mention(tmp_path):
    result = run_convert(tmp_path, {"text": "We gave aspirin.", "label": "x", "cats": {"a": 1}})
    message = "no mention in any document: keys not read: label; left out: labels of documents 1"
    assert (result.exit_code, result.stderr) == (0, f"warning: {message}\n")
    account = json.loads((tmp_path / "out.audit.json").read_text())
    assert account["warnings"] == [message]
    assert account["counters"] == {"document_labels_skipped": 1, "not read: label": 1}
    assert "left out while reading: document labels skipped 1, not read: label 1" in result.stdout


@pytest.mark.parametrize(
    ("options", "expected", "warns"),
    [
        ([], "asthma", True),
        (["--offsets", "utf-16"], "asthma", False),
        (["--offsets", "characters"], "sthma ", False),
    ],
)
def test_convert_tells_or_takes_the_unit_of_offsets(tmp_path, options, expected, warns):
    values = [{"text": "No asthma.", "label": [[3, 9, "D"]]}, AMBULANCE]
    result = run_convert(tmp_path, *values, options=options, target="out.jsonl")
    assert result.exit_code == 0, result.output
    _, record = read_records(tmp_path / "out.jsonl")
    assert [mention.text for mention in record.mentions] == [expected]
    assert ("UTF-16 code units" in result.stderr) == warns
    assert "(document 2)" in result.stderr if warns else not result.stderr


def test_convert_refuses_units_for_formats_without_offsets(pubtator, tmp_path):
    with pytest.raises(CorpusError, match="found the setting 'offsets' for format pubtator"):
        convert(pubtator, tmp_path / "x.spacy", options={"offsets": "bytes"})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("bioc_bytes.json", "in bytes of UTF-8"),
        ("bioc_relative.json", "from the start of its passage"),
    ],
)
def test_the_likely_unit_of_offsets_is_named(tmp_path, name, hint):
    with pytest.raises(CorpusError, match=f"would fit if its offsets were counted {hint}"):
        convert(CASES / name, tmp_path / "x.jsonl")
    conversion = convert(CASES / name, tmp_path / "x.jsonl", lenient=True)
    (warning,) = conversion.warnings
    theirs = hint.replace("its", "their")
    assert f"if their offsets were counted {theirs} (document with the id 1); count" in warning


def test_claims_that_differ_are_overruled_and_counted_if_asked(tmp_path):
    path = CASES / "bioc_normalised_text.json"
    with pytest.raises(CorpusError, match="take its offsets as they are with --trust offsets"):
        convert(path, tmp_path / "x.jsonl")
    conversion = convert(path, tmp_path / "x.jsonl", trust="offsets")
    assert (conversion.count.total, conversion.count.lost) == (3, 0)
    assert conversion.counters == {"claimed_texts_overruled": 2}
    assert conversion.warnings == []


def test_a_folder_of_files_is_converted(tmp_path):
    (tmp_path / "in").mkdir()
    for number in (1, 2):
        document = PUBTATOR.split("\n\n")[0].replace("1|", f"{number}|")
        lines = document.replace("\n1\t", f"\n{number}\t")
        (tmp_path / "in" / f"{number}.txt").write_text(lines + "\n" * (number == 1))
    conversion = convert(tmp_path / "in", tmp_path / "x.spacy")
    assert (conversion.source_format, conversion.documents) == ("pubtator", 2)
    # The second file may be cut.
    assert len(conversion.warnings) == 1


def test_stray_texts_and_several_docbins_are_warned_of(tmp_path):
    conversion = convert(CASES / "brat_readme", tmp_path / "c" / "train.spacy")
    assert conversion.counters == {"texts_without_annotations_skipped": 1}
    assert conversion.warnings[0].startswith("texts without annotations were left out: README.txt;")
    convert(CASES / "brat_bom", tmp_path / "c" / "dev.spacy")
    conversion = convert(tmp_path / "c", tmp_path / "both.jsonl")
    (warning,) = conversion.warnings
    assert warning.endswith("were read as one corpus: dev.spacy, train.spacy")
    convert(CASES / "brat_bom", tmp_path / "shards")
    assert convert(tmp_path / "shards", tmp_path / "one.jsonl").warnings == []


@pytest.mark.parametrize(
    ("name", "to_format"), [("out.spacy", None), ("out", None), ("out", "brat")]
)
def test_the_account_names_the_corpus_that_it_is_about(pubtator, tmp_path, caplog, name, to_format):
    target, report = tmp_path / name, tmp_path / "account.json"
    convert(pubtator, target, to_format=to_format, report=report)
    account = json.loads(report.read_text())
    check_account(account, target, path=report)
    assert account["sha256"] == digest_output(target)
    if target.is_file():
        assert account["sha256"] == digest(target)
    # A kill between corpus and account leaves this: the account of another corpus.
    shutil.rmtree(target) if target.is_dir() else None
    convert(pubtator, target, to_format=to_format, selection=Selection(first=1))
    with pytest.raises(
        CorpusError, match=r"found an account of another corpus than .*/out"
    ) as raised:
        check_account(account, target, path=report)
    assert raised.value.path == str(report)
    assert caplog.text == ""


def test_an_account_of_an_earlier_version_is_not_known_to_fit(pubtator, tmp_path, caplog):
    convert(pubtator, tmp_path / "out.spacy")
    report = tmp_path / "out.audit.json"
    account = {**json.loads(report.read_text()), "sha256": ""}
    check_account(account, tmp_path / "out.spacy", path=report)
    assert "whether it is about" in caplog.text


def test_the_account_in_a_folder_is_about_the_other_files(pubtator, tmp_path):
    convert(pubtator, tmp_path / "out")
    account = json.loads((tmp_path / "out" / "audit.json").read_text())
    check_account(account, tmp_path / "out", path=tmp_path / "out" / "audit.json")
    (tmp_path / "out" / "part-00000.spacy").write_bytes(b"")
    with pytest.raises(CorpusError, match="an account of another corpus"):
        check_account(account, tmp_path / "out", path=tmp_path / "out" / "audit.json")


def test_a_corpus_on_the_standard_output_has_no_account(pubtator, capfd):
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    found = convert(pubtator, "/dev/stdout", to_format="jsonl")
    assert (found.sha256, found.documents) == ("", 2)
    assert capfd.readouterr().out.count('"text": "Nothing."') == 1
