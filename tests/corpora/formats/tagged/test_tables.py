import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.corpora.alignment import align, make_words_doc
from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.tagged.conll import read_conll
from spacy_bioner.corpora.formats.tagged.tables import (
    FORMAT,
    TableLayout,
    detect_table,
    read_table,
    write_table,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.extras import install_command
from spacy_bioner.records import Mention, Record

KAGGLE = """\
Sentence #,Word,POS,Tag
Sentence: 1,renal,JJ,B-dis
,failure,NN,I-dis
,.,.,O
Sentence: 2,NaCl,NN,B-chem
"""


def write(tmp_path, content):
    path = tmp_path / "corpus.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(tmp_path, content, *, encoding=None, **layout):
    path = write(tmp_path, content)
    return list(read_table(path, TableLayout(**layout), encoding=encoding))


def read_lenient(tmp_path, content, **layout):
    problems = ReadErrors()
    path = write(tmp_path, content)
    return list(read_table(path, TableLayout(**layout), problems=problems)), problems


def brief(records):
    return [(r.id, r.text, [(m.text, m.label) for m in r.mentions]) for r in records]


def to_doc(record):
    return align(record, lambda _: make_words_doc(record, Vocab())).doc


def make_record(name, sentences):
    """Make a record from sentences of (word, label) pairs; one mention per labeled word."""
    words, starts, mentions, position = [], [], [], 0
    for sentence in sentences:
        starts.append(position)
        for word, label in sentence:
            words.append((position, position + len(word)))
            if label:
                mentions.append(Mention(*words[-1], label, word))
            position += len(word) + 1
    text = " ".join(word for sentence in sentences for word, _ in sentence)
    return Record(name, text, tuple(mentions), (), tuple(words), tuple(starts))


def test_read_table_takes_sentences_named_in_their_first_row(tmp_path):
    first, second = read(tmp_path, KAGGLE)
    assert (first.id, first.text) == ("Sentence: 1", "renal failure .")
    assert first.mentions == (Mention(0, 13, "dis", "renal failure", line=2),)
    assert first.words == ((0, 5), (6, 13), (14, 15))
    assert (first.sentence_starts, first.meta) == ((0,), {})
    assert brief([second]) == [("Sentence: 2", "NaCl", [("NaCl", "chem")])]


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("sent,token,label\n1,a,O\n1,b,O\n2,c,O\n", ["1", "2"]),
        ("token,label\na,O\nb,O\n\nc,O\n", ["corpus-1", "corpus-2"]),
        ("token,label\na,O\nb,O\n,\n , \nc,O\n", ["corpus-1", "corpus-2"]),
        (",token,x,label\n0,a,,O\n1,b,,O\n\n\n2,c,,O\n", ["corpus-1", "corpus-2"]),
    ],
)
def test_read_table_separates_sentences(tmp_path, table, names):
    records = read(tmp_path, table)
    assert [(record.id, record.text) for record in records] == list(zip(names, ["a b", "c"]))


@pytest.mark.parametrize(
    "table",
    [
        "PMID,Sentence,Text,NER\n7,1,a,O\n7,1,b,O\n7,2,c,B-X\n8,1,d,O\n",
        "PMID,Sentence,Text,NER\n7,1,a,O\n,,b,O\n,2,c,B-X\n8,1,d,O\n",
        "PMID,Text,NER\n7,a,O\n7,b,O\n\n7,c,B-X\n8,d,O\n",
    ],
)
def test_read_table_gathers_documents(tmp_path, table):
    first, second = read(tmp_path, table)
    assert brief([first]) == [("7", "a b c", [("c", "X")])]
    assert first.sentence_starts == (0, 4)
    assert (second.id, second.text) == ("8", "d")


def test_read_table_row_with_a_document_alone_names_one_without_words(tmp_path):
    records = read(tmp_path, "doc,word,tag\n1,,\n2,a,O\n")
    assert [(record.id, record.text) for record in records] == [("1", ""), ("2", "a")]


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_read_table_detects_delimiter_and_quotes(tmp_path, delimiter):
    rows = [("word", "tag"), (f'"{delimiter}"', "O"), ('""""', "O"), ('"a,b;c|d"', "B-X")]
    (record,) = read(tmp_path, "\n".join(delimiter.join(row) for row in rows))
    assert record.text == f'{delimiter} " a,b;c|d'
    assert detect_table(tmp_path / "corpus.csv").delimiter == delimiter


def test_read_table_detects_tabs_among_commas(tmp_path):
    (record,) = read(tmp_path, "a,b\tO\n,\tO\nc\tB-X\n")
    assert record.text == "a,b , c"


def test_read_table_takes_a_quotation_mark_that_nothing_closes_as_a_word(tmp_path):
    (record,) = read(tmp_path, 'NaCl\tB-C\n"\tO\nx\tO\n5"\tO\n')
    assert record.text == 'NaCl " x 5"'


def test_read_table_joins_lines_of_a_quoted_cell(tmp_path):
    table = 'note,word,tag\n"two\nlines",a,B-X\n,"b\nc",O\nx,d,B-X\n'
    (record,) = read(tmp_path, table)
    assert record.text == "a b c d"
    assert [(mention.text, mention.line) for mention in record.mentions] == [("a", 2), ("d", 6)]


def test_read_table_names_and_positions_choose_columns(tmp_path):
    table = "TOKEN_TEXT,iob,tag\nNaCl,B-C,NN\nnow,O,RB\n"
    expected = [("corpus-1", "NaCl now", [("NaCl", "C")])]
    assert brief(read(tmp_path, table, word="token_text", tag="IOB")) == expected
    assert brief(read(tmp_path, table, word=0, tag=-2)) == expected


@pytest.mark.parametrize(
    "table", ["NaCl,B-C\nnow,O\n", "NaCl,NN,B-C\nnow,RB,O\n", "NaCl|C\nnow|O\nx|O\ny|C\n"]
)
def test_read_table_without_header_takes_first_and_last_column(tmp_path, table):
    assert read(tmp_path, table)[0].mentions[0] == Mention(0, 4, "C", "NaCl", line=1)
    assert detect_table(tmp_path / "corpus.csv").header == ()


def test_read_table_with_a_layout_reads_columns_without_header(tmp_path):
    layout = {"document": 0, "sentence": 1, "word": 3, "tag": 2, "header": False}
    (record,) = read(tmp_path, "1;1;O;tag\n1;2;B-X;word\n", **layout)
    assert brief([record]) == [("1", "tag word", [("word", "X")])]
    assert record.sentence_starts == (0, 4)


@pytest.mark.parametrize(
    ("table", "layout", "message"),
    [
        ("form,class\na,O\n", {}, "found header 'form, class', expected a word column"),
        ("word,class\nb,O\na,x\n", {}, r"found header 'word, class', expected a tag column \(tag,"),
        ("word,tag\na,O\n", {"tag": "iob"}, "'word, tag', expected a tag column 'iob'"),
        ("word,tag\na,O\n", {"document": 2}, "expected a document column at position 2"),
        ("word,tag\na,O\n", {"word": 1}, "found words and tags both in column 2"),
        ("word\na\n", {}, "found 'word', expected cells separated by"),
    ],
)
def test_read_table_lists_the_header_when_a_column_is_not_there(tmp_path, table, layout, message):
    with pytest.raises(CorpusError, match=message) as error:
        read(tmp_path, table, **layout)
    assert error.value.line == 1


@pytest.mark.parametrize(
    "tags", ["B-X I-X B-X O", "S-X B-X E-X O", "U-X B-X L-X O", "I-X B-X I-X O"]
)
def test_read_table_detects_scheme_without_repairs(tmp_path, tags):
    rows = "".join(f"{word},{tag}\n" for word, tag in zip("abcd", tags.split(), strict=True))
    (record,) = read(tmp_path, f"word,tag\n{rows}")
    assert (len(record.mentions), record.meta) == (2, {})


def test_read_table_repairs_and_counts_illegal_tags(tmp_path):
    (record,) = read(tmp_path, "word,tag\na,O\nb,I-X\nc,I-X\nd,I-Y\ne,B-X\n", scheme="BIO")
    assert brief([record])[0][2] == [("b c", "X"), ("d", "Y"), ("e", "X")]
    assert record.reading_notes == {"tags_repaired": 2}


def test_read_table_makes_one_mention_of_equal_bare_tags(tmp_path):
    table = "word,tag\nrenal,Disease\nfailure,Disease\nNaCl,Drug\nof,O\nNaCl,Drug\n"
    expected = [("renal failure", "Disease"), ("NaCl", "Drug"), ("NaCl", "Drug")]
    assert brief(read(tmp_path, table))[0][2] == expected


def test_read_table_bare_tags_may_look_like_prefixes(tmp_path):
    (record,) = read(tmp_path, "word,tag\nT,B-cell\nof,O\nT,B-cell\nx,Drug\ny,T-cell\nz,Gene\n")
    labels = [mention.label for mention in record.mentions]
    assert labels == ["B-cell", "B-cell", "Drug", "T-cell", "Gene"]


def test_read_table_gives_bare_prefixes_the_label_named(tmp_path):
    table = "word,tag\nrenal,B\nfailure,I\n.,O\n"
    assert brief(read(tmp_path, table, label="D"))[0][2] == [("renal failure", "D")]
    with pytest.raises(CorpusError, match=r"found tag 'B', .* the label when tags have none"):
        read(tmp_path, table)


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        ("word,tag\na,O\nb\n", 3, r"found 1 cell\(s\), expected 2 as in the first row"),
        ("word,tag\na,O\n1,5,O\n", 3, r"found 3 cell\(s\), expected 2"),
        ("word,tag\na,O\n,B-X\n", 3, "found an empty word with tag 'B-X'"),
        ("word,tag\na,O\nb,\n", 3, "found tag ''"),
        ("word,tag\na,B-X\nb,X\n", 3, "found tag 'X'"),
        ("word,tag\na,O\nb\0,O\n", 3, "found a NUL byte"),
        ('word,tag\na,O\n"b,O,\n', 3, "found a quotation mark that is not closed"),
        (f'word,tag\na,O\n"{"b" * 200_000}\n"",O\n', 3, "mark that is not closed"),
        (f'word,tag\na,O\n"{"b" * 200_000},",O\n', 3, "mark that is not closed"),
        ("word,tag\na,S-X\n\nb,L-X\n", 4, "expected those of one scheme; name the scheme"),
        ("", 1, "found no row"),
        ("\n,,\n", 1, "found no row"),
        ("word,tag\n", 1, "found no token"),
    ],
)
def test_read_table_names_malformed_line(tmp_path, table, line, message):
    with pytest.raises(CorpusError, match=message) as error:
        read(tmp_path, table)
    assert (error.value.line, error.value.path) == (line, str(tmp_path / "corpus.csv"))


def test_read_table_lenient_skips_sentences_with_a_malformed_row(tmp_path):
    table = KAGGLE + ",1,5,CD,O\nSentence: 3,a,b\n,c,NN,B-dis\nSentence: 4,d,NN,O\n"
    records, problems = read_lenient(tmp_path, table)
    assert [(record.id, record.text) for record in records] == [
        ("Sentence: 1", "renal failure ."),
        ("Sentence: 4", "d"),
    ]
    assert problems.skipped == {"document": 2}
    assert [message.split(":")[1] for message in problems.messages] == ["6", "7"]


def test_read_table_lenient_keeps_the_rest_of_a_document(tmp_path):
    table = "doc,sent,word,tag\n1,1,a,O\n1,2,,O\n1,3,c,B-X\n2,1,,O\n3,1,d,O\n"
    records, problems = read_lenient(tmp_path, table)
    assert [(record.id, record.text) for record in records] == [("1", "a c"), ("3", "d")]
    assert problems.skipped == {"annotation": 2, "document": 1}


def test_read_table_reads_utf8_with_byte_order_mark(tmp_path):
    (record,) = read(tmp_path, b"\xef\xbb\xbf" + "word,tag\nMénière,B-D\n".encode())
    assert record.text == "Ménière"


def test_read_table_detects_western_encoding(tmp_path):
    pytest.importorskip("charset_normalizer")
    words = ["the", "patient’s", "café", "disease", "µg", "–", "of", "Ménière"]
    rows = "".join(f"{word},O\n" for word in words * 50)
    (record,) = read(tmp_path, f"Word,Tag\n{rows}".encode("cp1252"))
    assert record.text == " ".join(words * 50)
    assert detect_table(tmp_path / "corpus.csv").encoding == "cp1252"


def test_read_table_finds_foreign_bytes_behind_the_first_megabyte(tmp_path):
    pytest.importorskip("charset_normalizer")
    rows = "some,O\nwords,O\n" * 100_000 + "patient’s,O\n"
    assert read(tmp_path, f"word,tag\n{rows}".encode("cp1252"))[0].text.endswith("patient’s")


def test_read_table_names_line_with_bad_bytes_in_utf8(tmp_path):
    table = "word,tag\nMénière,O\nα,O\nβ,O\n".encode() + b"\xff,O\n\nx,O\n"
    with pytest.raises(CorpusError, match="found byte 0xff at column 1, expected UTF-8") as error:
        read(tmp_path, table)
    assert error.value.line == 5
    records, problems = read_lenient(tmp_path, table)
    assert [record.text for record in records] == ["x"]
    assert problems.skipped == {"document": 1}


def test_read_table_takes_the_encoding_named(tmp_path):
    (record,) = read(tmp_path, "word,tag\nžádný,O\n".encode("cp1250"), encoding="Windows-1250")
    assert record.text == "žádný"


@pytest.mark.parametrize("encoding", ["nonsense", "utf-16", "utf-7", "base64", "cp037"])
def test_read_table_refuses_encodings_without_lines(tmp_path, encoding):
    with pytest.raises(CorpusError, match=f"found encoding '{encoding}'"):
        read(tmp_path, KAGGLE, encoding=encoding)


def test_read_table_asks_for_charset_normalizer_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    with pytest.raises(CorpusError, match=re.escape(install_command("corpora"))) as error:
        read(tmp_path, b"word,tag\na,O\ncaf\xe9,O\n")
    assert error.value.line == 3


def test_detect_table_says_what_it_found(tmp_path):
    found = detect_table(write(tmp_path, KAGGLE))
    assert (found.delimiter, found.encoding) == (",", "utf-8")
    assert found.header == ("Sentence #", "Word", "POS", "Tag")
    columns = found.columns
    assert (columns.word, columns.tag, columns.sentence, columns.document) == (1, 3, 0, None)


def test_write_table_writes_document_and_sentence_in_every_row(tmp_path):
    records = [
        make_record("9", [[('"', ""), ("NaCl", "C")], [(",", "")]]),
        make_record("empty", []),
        make_record("x,y", [[("a", "D")]]),
    ]
    assert write_table(map(to_doc, records), tmp_path / "out.csv") == 3
    assert (tmp_path / "out.csv").read_text() == (
        "Document,Sentence #,Word,Tag\n"
        '9,Sentence: 1,"""",O\n'
        "9,Sentence: 1,NaCl,B-C\n"
        '9,Sentence: 2,",",O\n'
        "empty,,,\n"
        '"x,y",Sentence: 3,a,B-D\n'
    )


def test_write_table_refuses_what_would_be_read_otherwise(tmp_path):
    target = tmp_path / "out.csv"
    doc = to_doc(make_record("1", [[("a", "")]]))
    with pytest.raises(CorpusError, match="found two documents '1' in a row"):
        write_table([doc, doc], target)
    with pytest.raises(CorpusError, match="found delimiter ':'"):
        write_table([doc], target, delimiter=":")
    with pytest.raises(CorpusError, match="document 1: found a NUL"):
        write_table([Doc(Vocab(), words=["a\0"])], target)
    with pytest.raises(CorpusError, match="document 1: found a NUL"):
        write_table([Doc(Vocab(), words=["a"], ents=["B-D\0"])], target)
    doc.user_data["bioner_id"] = " "
    with pytest.raises(CorpusError, match="found document identifier ' '"):
        write_table([doc], target)
    assert list(tmp_path.iterdir()) == []


WORDS = st.text(st.sampled_from("aB1\"',;|-#. O\u00e9\u03b2"), min_size=1, max_size=5).filter(
    lambda word: word == word.strip()
)
SENTENCES = st.lists(
    st.lists(st.tuples(WORDS, st.sampled_from(["", "", "X", "B-cell"])), min_size=1, max_size=5),
    max_size=3,
)


@given(
    documents=st.lists(st.tuples(WORDS, SENTENCES), min_size=1, max_size=4),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    scheme=st.sampled_from(["IOB1", "IOB2", "BIOES", "BILOU"]),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_table_round_trip_keeps_all_that_it_carries(documents, delimiter, scheme, tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "out.csv"
    records = [make_record(f"{n}{name}", body) for n, (name, body) in enumerate(documents)]
    write_table(map(to_doc, records), path, delimiter=delimiter, scheme=scheme)
    again = [reduce_record(record, FEATURES) for record in read_table(path)]
    assert again == [reduce_record(record, FORMAT.carried) for record in records]


def test_table_round_trip_of_a_real_file(data_dir, tmp_path):
    records = list(read_conll(data_dir / "corpora" / "jnlpba" / "dev.conll.tsv"))
    write_table(map(to_doc, records), tmp_path / "out.csv")
    again = [reduce_record(record, FEATURES) for record in read_table(tmp_path / "out.csv")]
    assert again == [reduce_record(record, FORMAT.carried) for record in records]
    assert sum(len(record.mentions) for record in again) == 4551
