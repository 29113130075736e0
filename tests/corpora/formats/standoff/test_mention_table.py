import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.registry import FORMATS
from spacy_bioner.corpora.formats.standoff.mention_columns import find_standoff_columns
from spacy_bioner.corpora.formats.standoff.mention_table import read_standoff
from spacy_bioner.corpora.mention_checks import why_lost
from spacy_bioner.corpora.read_write import read_corpus, read_records, write_corpus
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Record
from tests import paths

CASES = paths.CASES / "corpora"
TEXT = "We gave aspirin and ibuprofen."


def write(path, *rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def spans(record):
    assert [why_lost(mention, record.text) for mention in record.mentions] == [""] * len(
        record.mentions
    )
    return [(m.start_char, m.end_char, m.label) for m in record.mentions]


def test_without_texts_the_message_says_what_is_missing():
    path = CASES / "standoff_table.tsv"
    assert detect_format(path) == "standoff"
    with pytest.raises(CorpusError, match="without the texts of its documents; give them with --t"):
        list(read_standoff(path))


def test_texts_come_from_a_folder_or_any_corpus_file(tmp_path):
    folder = tmp_path / "notes"
    write(folder / "1.txt", TEXT)
    write(folder / "2.txt", "Nothing.")
    (record,) = read_standoff(CASES / "standoff_table.tsv", texts=folder)
    assert (record.id, record.text, spans(record)) == ("1", TEXT + "\n", [(8, 15, "Drug")])
    assert record.reading_notes["texts_without_annotations_skipped"] == 1
    assert record.reading_notes["texts_without_annotations"] == "2"
    table = write(tmp_path / "texts.tsv", "id\ttext", f"1\t{TEXT}")
    (record,) = read_standoff(CASES / "standoff_table.tsv", texts=table, read_corpus=read_records)
    assert (record.text, spans(record), record.meta) == (TEXT, [(8, 15, "Drug")], {})


def test_a_corpus_as_texts_wants_somebody_to_read_it(tmp_path):
    corpus = write(tmp_path / "x.pubtator", f"1|t|{TEXT}", "1|a|", "")
    (record,) = read_corpus(CASES / "standoff_table.tsv", texts=corpus)
    assert record.text.startswith(TEXT)
    with pytest.raises(CorpusError, match="reader of a format alone wants a function"):
        list(FORMATS["standoff"].read(CASES / "standoff_table.tsv", texts=corpus))
    (same,) = FORMATS["standoff"].read(
        CASES / "standoff_table.tsv", texts=corpus, read_corpus=read_records
    )
    assert same.text == record.text


@pytest.mark.parametrize("folder", ["", "txt", "texts"])
def test_texts_beside_the_table_are_found(tmp_path, folder):
    write(tmp_path / folder / "1.txt", TEXT)
    path = write(tmp_path / "x.tsv", "filename\tlabel\toff0\toff1\tspan", "1\tDrug\t8\t15\taspirin")
    (record,) = read_standoff(path)
    assert (record.id, spans(record), record.mentions[0].text) == (
        "1",
        [(8, 15, "Drug")],
        "aspirin",
    )


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("doc_id,sentence,start,end,entity,type", f"1,{TEXT},8,15,aspirin,Drug"),
        ("text,start_char,end_char,label", f"{TEXT},8,15,Drug"),
        ("id;text;begin;end;class;mention", f"1;{TEXT};8;15;Drug;aspirin"),
        # The end is the last character.
        ("doc\tpassage\tstart\tend\tmention\tlabel", f"1\t{TEXT}\t8\t14\taspirin\tDrug"),
        ("pmid\tabstract\toffsets\tterm\tlabel\tcui", f"1\t{TEXT}\t[(8, 15)]\taspirin\tDrug\tC1"),
    ],
)
def test_texts_stand_in_a_column(tmp_path, header, row):
    path = write(tmp_path / "x.csv", header, row)
    assert detect_format(path) == "standoff"
    (record,) = read_standoff(path)
    assert (record.id, record.text, spans(record)) == ("1", TEXT, [(8, 15, "Drug")])
    assert record.mentions[0].concept_ids == (("C1",) if "cui" in header else ())


@pytest.mark.parametrize(
    ("offsets", "surface", "fragments"),
    [
        ("0-2;8-15", "We aspirin", ((0, 2), (8, 15))),
        ("8-15;0-2", "aspirin We", ((0, 2), (8, 15))),
        ("8:15|20:29", "aspirin ibuprofen", ((8, 15), (20, 29))),
        ("[[8, 15], [20, 29]]", "aspirin ... ibuprofen", ((8, 15), (20, 29))),
        ("8 11;11 15", "aspirin", ()),
    ],
)
def test_several_stretches_make_a_discontinuous_mention(tmp_path, offsets, surface, fragments):
    write(tmp_path / "1.txt", TEXT)
    path = write(tmp_path / "x.tsv", "pmid\tspans\ttype\ttext", f"1\t{offsets}\tD\t{surface}")
    (record,) = read_standoff(path)
    (mention,) = record.mentions
    assert (mention.fragments, why_lost(mention, record.text)) == (fragments, "")


def test_documents_come_in_the_order_of_their_first_mention(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / f"{name}.txt", TEXT)
    rows = ("b.txt\t0-2\tX", "a.txt\t0-2\tX", "b.txt\t8-15\tY")
    path = write(tmp_path / "x.tsv", "document_id\tspans\tlabel", *rows)
    assert [(r.id, len(r.mentions)) for r in read_standoff(path)] == [("b", 2), ("a", 1)]


def test_bad_rows_and_missing_texts_are_errors_or_left_out(tmp_path):
    write(tmp_path / "1.txt", TEXT)
    rows = ("1\t8-15\tD", "2\t0-1\tD", "1\tx\tD", "1\t8-\tD", "1\t9-8\tD", "1\t0-2")
    path = write(tmp_path / "x.tsv", "document_id\tspans\tlabel", *rows)
    with pytest.raises(CorpusError, match=r"x\.tsv:4: found '1 x D', expected a document, a label"):
        list(read_standoff(path))
    problems = ReadErrors()
    (record,) = read_standoff(path, problems=problems)
    assert (spans(record), problems.skipped) == (
        [(8, 15, "D")],
        {"annotation": 4, "document": 1},
    )
    assert problems.messages[-1].startswith(f"{path}:3: found no text of document 2; give them")


@pytest.mark.parametrize(
    "header",
    ["text,label", "id,text", "word,tag", "start,end,label", "document_id,text,spans", "a,b,c"],
)
def test_other_tables_are_no_tables_of_mentions(header):
    assert find_standoff_columns(header.split(",")) is None


def test_tables_without_a_header_take_their_texts_from_another(tmp_path):
    rows = ("5\tT1\tCHEMICAL\t8\t15\taspirin", "6\tT1\tGENE-Y\t3\t4\tx")
    path = write(tmp_path / "entities.tsv", *rows)
    assert detect_format(path) == "standoff"
    texts = write(tmp_path / "abstracts.tsv", "7\tNo\tmore", "6\tOf\tx y", "5\tWe gave\taspirin.")
    first, second = read_standoff(path, texts=texts)
    assert (first.text, spans(first)) == ("We gave aspirin.", [(8, 15, "CHEMICAL")])
    assert (second.text, spans(second)) == ("Of x y", [(3, 4, "GENE-Y")])
    assert first.reading_notes["texts_without_annotations"] == "7"


def test_texts_may_stand_in_a_corpus_of_any_format(tmp_path):
    rows = ("5\tT1\tCHEMICAL\t8\t15\taspirin",)
    path = write(tmp_path / "entities.tsv", *rows)
    texts = tmp_path / "texts.jsonl"
    write_corpus([Record("5", "We gave aspirin.")], texts)
    (record,) = read_corpus(path, texts=texts)
    assert (record.text, spans(record)) == ("We gave aspirin.", [(8, 15, "CHEMICAL")])
