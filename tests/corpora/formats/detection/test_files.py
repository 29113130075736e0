import json

import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import CorpusError


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Sentence #,Word,POS,Tag\nSentence: 1,Renal,JJ,B-dis\n", "csv"),
        ("\ufeffword;tag\nRenal;O\n", "csv"),
        ("token\tlabel\nRenal\tO\n", "csv"),
        ("text\tner\nRenal\tB-D\n", "csv"),
        ("text,label\nRenal failure.,Drug\n", "mimic"),
        ("id\ttext\n1\tRenal failure.\n", "mimic"),
        ("Renal,B-Disease\nfailure,I-Disease\n", "csv"),
        ("Renal\tB-Disease\nfailure\tI-Disease\n", "conll"),
        ("-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\n", "conll"),
        ('"ROW_ID","SUBJECT_ID","CATEGORY","TEXT"\n1,2,"Nursing","x"\n', "mimic"),
        ("ID,section_header,section_text,dialogue\n", "mimic"),
        ("123|t|A title\n123|a|\n", "pubtator"),
        (
            '<?xml version="1.0"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n<collection>',
            "bioc_xml",
        ),
        ('{"source": "", "documents": [{"id": "1", "passages": []}]}', "bioc_json"),
        ('[{"id": "1", "passages": [{"offset": 0}]}]', "bioc_json"),
        ('{"text": "x", "spans": []}\n', "jsonl"),
        ('{"text": "x", "ents": [], "tokens": []}\n', "jsonl"),
        ('["x", {"entities": []}]\n', "jsonl"),
        ('{"id": 1, "text": "x", "label": [[0, 1, "A"]]}\n', "doccano"),
        ('{"id": 1, "text": "x", "entities": [{"start_offset": 0}]}\n', "doccano"),
        ('[{"id": 1, "data": {"text": "x"}, "annotations": []}]', "label_studio"),
        ('[{"text": "x", "label": [{"start": 0}], "annotator": 1}]', "label_studio"),
        ('[{"full_text": "x", "spans": []}]', "presidio"),
    ],
)
def test_format_is_told_by_the_content(tmp_path, content, expected):
    path = tmp_path / "corpus.dat"
    path.write_text(content, encoding="utf-8")
    assert detect_format(path) == expected


def test_a_table_in_another_encoding_is_told(tmp_path):
    path = tmp_path / "ner.csv"
    path.write_bytes("Sentence #,Word,Tag\nSentence: 1,caf\u00e9,O\n".encode("latin-1"))
    assert detect_format(path) == "csv"


@pytest.mark.parametrize(("ending", "expected"), [(".ann", "brat"), (".con", "i2b2")])
def test_pairs_are_told_by_their_endings(tmp_path, ending, expected):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.txt").write_text("x")
    (tmp_path / "sub" / f"1{ending}").write_text("")
    assert detect_format(tmp_path) == expected
    assert detect_format(tmp_path / "sub" / f"1{ending}") == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file"),
        (b" \n\n", "found an empty file"),
        (b"\x1f\x8b\x08\x00", "found a gzip file, expected a plain file"),
        (b"PK\x03\x04....", "found a ZIP archive"),
        (b"Just a sentence.\n", "found 'Just a sentence.', expected a format that is known"),
        (b"<html><body>", "expected a format that is known"),
        (b'{"a": 1}', "expected a format that is known"),
    ],
)
def test_what_no_format_is_is_an_error_with_its_line(tmp_path, content, message):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=message) as raised:
        detect_format(path)
    assert (raised.value.path, raised.value.line) == (str(path), 1)


def test_other_folders_are_an_error(tmp_path):
    with pytest.raises(CorpusError, match="found a folder without"):
        detect_format(tmp_path)
    with pytest.raises(CorpusError, match="no such file"):
        detect_format(tmp_path / "nothing")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", ["1|t|A title\n1|a|\n", "word,tag\na,O\n", "a\tO\n", '{"text": ""}']
)
def test_utf_16_is_named(tmp_path, text, encoding):
    path = tmp_path / "x"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(CorpusError, match="found UTF-16 text, expected UTF-8; convert") as raised:
        detect_format(path)
    assert (raised.value.path, raised.value.line) == (str(path), 1)


def test_files_with_rows_and_with_objects_as_spans_are_one_corpus(tmp_path):
    rows = {"text": "We gave aspirin.", "entities": [[8, 15, "C"]]}
    objects = {"text": "No aspirin.", "entities": [{"start": 3, "end": 10, "label": "C"}]}
    for name, document in (("a.json", rows), ("b.json", objects)):
        (tmp_path / name).write_text(json.dumps(document))
    assert detect_format(tmp_path) == "jsonl"
    for format in ("auto", "jsonl", "doccano"):
        found = [m.text for r in read_records(tmp_path, format) for m in r.mentions]
        assert found == ["aspirin", "aspirin"]
