import json
import re

import pytest
import spacy
import typer
from typer.testing import CliRunner

from spacy_bioner.apps.cli.convert import convert, convert_cli, render_conversion
from spacy_bioner.corpora.conll import ConllLayout
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.corpora.pubtator import read_pubtator
from spacy_bioner.corpora.reading import Selection
from spacy_bioner.errors import CorpusError

PUBTATOR = (
    "1|t|Acute renal failure.\n"
    "1|a|After K+/Na+ loss.\n"
    "1\t0\t19\tAcute renal failure\tSpecificDisease\tD058186\n"
    "1\t6\t19\trenal failure\tDiseaseClass\tD051437\n"
    "1\t27\t29\tK\tChemical\tD011188\n"
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
    assert conversion.relations_skipped == 1
    assert [issue.line for issue in conversion.issues] == [5]
    first, second = read_docs(target)
    assert [ent.text for ent in first.ents] == ["Acute renal failure", "K+"]
    assert second.text == "Nothing."


def test_convert_renames_labels_and_tells_unknown_ones(pubtator, tmp_path):
    names = {"SpecificDisease": "Disease", "DiseaseClass": "Disease", "Modifier": "Disease"}
    conversion = convert(pubtator, tmp_path / "x.spacy", label_map=names)
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
    assert conversion.tags_repaired == 1


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


def test_convert_report_has_count_and_issues(pubtator, tmp_path):
    report = tmp_path / "reports" / "account.json"
    conversion = convert(pubtator, tmp_path / "x.spacy", report=report)
    data = json.loads(report.read_text())
    assert data == conversion.to_json()
    assert data["count"]["total"] == 3
    assert data["count"]["by_label"]["DiseaseClass"]["nested"] == 1
    assert data["issues"][0]["found"] == "K+"


def test_render_conversion_shows_table_and_issues(pubtator, tmp_path):
    text = render_conversion(convert(pubtator, tmp_path / "x.spacy"))
    assert "2 documents, 3 gold mentions, 2 entities" in text
    assert re.search(r"all +2 +0 +0 +1 +0 +0 +0 +3 +1", text)
    assert "1 relation lines were skipped" in text
    assert "corpus.txt:5: 1 27-29 Chemical: text mismatch" in text


def test_render_conversion_limits_the_issues(tmp_path):
    source = tmp_path / "corpus.txt"
    rows = "".join(f"1\t{i}\t{i + 1}\tz\tA\n" for i in range(12))
    source.write_text(f"1|t|abcdefghijklmn\n1|a|\n{rows}")
    text = render_conversion(convert(source, tmp_path / "x.spacy"))
    assert text.count("text mismatch (") == 10
    assert "… and 2 more like these" in text


def test_convert_offsets_past_the_end_are_lost_and_reported(tmp_path):
    source = tmp_path / "corpus.txt"
    source.write_text("1|t|abc\n1|a|d\n1\t2\t99\tc d\tA\n")
    conversion = convert(source, tmp_path / "x.spacy")
    assert conversion.count.lost_reasons == {"beyond the text": 1}
    assert "corpus.txt:3: 1 2-99 A: lost (beyond the text)" in render_conversion(conversion)


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
    with pytest.raises(CorpusError, match="found format 'brat', expected one of spacy"):
        convert(pubtator, tmp_path / "x", to_format="brat")
    with pytest.raises(CorpusError, match="found tokenizer 'moses'"):
        convert(pubtator, tmp_path / "x.spacy", tokenizer="moses")
    with pytest.raises(CorpusError, match="has no tokens of its own"):
        convert(pubtator, tmp_path / "x.spacy", tokenizer="corpus")


def test_convert_cli_passes_its_options(pubtator, tmp_path):
    app = typer.Typer()
    app.command()(convert_cli)
    ids = tmp_path / "ids.txt"
    ids.write_text("1\n")
    target, report = tmp_path / "x.bin", tmp_path / "x.json"
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
    assert "1 documents, 3 gold mentions" in result.output
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
