import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bioner.corpora.alignment import align, make_words_doc
from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.tagged.conll import (
    FORMAT,
    ConllLayout,
    read_conll,
    write_conll,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention


def read(tmp_path, text, **layout):
    path = tmp_path / "corpus.tsv"
    path.write_text(text, encoding="utf-8")
    return list(read_conll(path, ConllLayout(**layout)))


def read_lenient(tmp_path, text, **layout):
    problems = ReadErrors()
    path = tmp_path / "corpus.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_conll(path, ConllLayout(**layout), problems=problems)), problems


def to_doc(record):
    return align(record, lambda _: make_words_doc(record, Vocab())).doc


def mentions(record):
    return [(mention.text, mention.label) for mention in record.mentions]


def test_read_conll_without_markers_makes_a_record_of_each_sentence(tmp_path):
    first, second = read(tmp_path, "renal\tB-D\nfailure\tI-D\n.\tO\n\n\nNaCl\tB-C\n")
    assert (first.id, first.text) == ("corpus-1", "renal failure .")
    assert first.mentions == (Mention(0, 13, "D", "renal failure", line=1),)
    assert first.words == ((0, 5), (6, 13), (14, 15))
    assert first.sentence_starts == (0,)
    assert (second.id, mentions(second)) == ("corpus-2", [("NaCl", "C")])


def test_read_conll_docstart_gathers_sentences(tmp_path):
    text = "-DOCSTART-\tO\n\na\tO\nb\tB-X\n\nc\tB-X\n\n-DOCSTART-\tO\n\nd\tO\n"
    first, second = read(tmp_path, text)
    assert (first.text, first.sentence_starts) == ("a b c", (0, 4))
    assert mentions(first) == [("b", "X"), ("c", "X")]
    assert first.mentions[1].start_char == 4
    assert (second.id, second.text) == ("corpus-2", "d")


@pytest.mark.parametrize(
    "marker",
    ["# doc_id = 77", "# newdoc id = 77", "###MEDLINE:77", "-DOCSTART- (77)", "-DOCSTART- 77"],
)
def test_read_conll_names_documents_by_their_marker(tmp_path, marker):
    assert [record.id for record in read(tmp_path, f"{marker}\na\tO\n")] == ["77"]


def test_read_conll_merges_marker_without_name_with_the_next(tmp_path):
    records = read(tmp_path, "-DOCSTART-\tO\n# doc_id = 5\na\tO\n\n# doc_id = 6\n")
    assert [(record.id, record.text) for record in records] == [("5", "a"), ("6", "")]


def test_read_conll_skips_comments_but_not_the_word_hash(tmp_path):
    (record,) = read(tmp_path, "# sent_id = 3\n# text = # a\n#\tO\na\tO\n")
    assert record.text == "# a"


def test_read_conll_takes_columns_by_position(tmp_path):
    text = "1 aspirin NN B-C x\n2 now RB O x\n"
    (record,) = read(tmp_path, text, word_column=1, tag_column=3)
    assert (record.text, mentions(record)) == ("aspirin now", [("aspirin", "C")])


def test_read_conll_four_columns_by_default_first_and_last(tmp_path):
    (record,) = read(tmp_path, "aspirin NN B-NP B-C\n")
    assert mentions(record) == [("aspirin", "C")]


@pytest.mark.parametrize(
    "tags", ["B-X I-X B-X O", "S-X B-X E-X O", "U-X B-X L-X O", "I-X B-X I-X O"]
)
def test_read_conll_detects_scheme_without_repairs(tmp_path, tags):
    rows = zip("abcd", tags.split(), strict=True)
    (record,) = read(tmp_path, "".join(f"{word}\t{tag}\n" for word, tag in rows))
    assert "tags_repaired" not in record.reading_notes
    assert len(record.mentions) == 2


def test_read_conll_repairs_and_counts_illegal_tags(tmp_path):
    text = "a\tO\nb\tI-X\nc\tI-X\nd\tI-Y\n\ne\tB-X\n"
    first, _ = read(tmp_path, text, scheme="BIO")
    assert mentions(first) == [("b c", "X"), ("d", "Y")]
    assert first.reading_notes == {"tags_repaired": 2}


def test_read_conll_gives_bare_tags_the_label_named(tmp_path):
    (record,) = read(tmp_path, "renal\tB\nfailure\tI\n.\tO\n", label="Disease")
    assert mentions(record) == [("renal failure", "Disease")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\tO\nb\n", 2, r"found 1 column\(s\), expected at least 2"),
        ("a\tO\nb\tB\n", 2, "found tag 'B', expected O or one of"),
        ("a\tO\n\tB-X\n", 2, "found an empty word with tag 'B-X'"),
    ],
)
def test_read_conll_names_malformed_line(tmp_path, text, line, message):
    with pytest.raises(CorpusError, match=message) as caught:
        read(tmp_path, text)
    assert f"corpus.tsv:{line}: " in str(caught.value)


def test_read_conll_refuses_mixed_schemes_at_the_line_that_adds_one(tmp_path):
    with pytest.raises(CorpusError, match="expected those of one scheme; name the scheme") as error:
        read(tmp_path, "a\tB-X\nb\tE-X\n\nc\tU-X\n")
    assert error.value.line == 4


@pytest.mark.parametrize("text", ["", "\n", "# text = a\n"])
def test_read_conll_refuses_file_without_token_at_line_1(tmp_path, text):
    with pytest.raises(CorpusError, match="found no token") as error:
        read(tmp_path, text)
    assert error.value.line == 1


def test_read_conll_names_line_of_bytes_that_are_not_utf8(tmp_path):
    (tmp_path / "corpus.tsv").write_bytes(b"a\tO\ncaf\xe9\tO\n")
    with pytest.raises(CorpusError, match="found byte 0xe9 at column 4, expected UTF-8") as error:
        list(read_conll(tmp_path / "corpus.tsv"))
    assert error.value.line == 2


def test_read_conll_lenient_skips_sentence_that_is_a_document(tmp_path):
    records, problems = read_lenient(tmp_path, b"a\tO\n\nb\tB-X\nc\n\n\xff\tO\n\nd\tB-X\n")
    assert [(record.id, record.text) for record in records] == [
        ("corpus-1", "a"),
        ("corpus-4", "d"),
    ]
    assert problems.skipped == {"document": 2}
    assert [message.split(": ")[0][-4:] for message in problems.messages] == ["sv:4", "sv:6"]


def test_read_conll_lenient_skips_sentence_within_a_document(tmp_path):
    text = "# doc_id = 5\na\tB-X\n\nb\n\nc\tI-X\n\n# doc_id = 6\n\nd\n"
    records, problems = read_lenient(tmp_path, text)
    assert [(record.id, record.text, record.sentence_starts) for record in records] == [
        ("5", "a c", (0, 2))
    ]
    assert problems.skipped == {"annotation": 2, "document": 1}


def test_read_conll_lenient_repairs_mixed_schemes_to_the_closest(tmp_path):
    text = "a\tB-X\nb\tI-X\nc\tE-X\n\nd\tS-X\n\ne\tU-X\n"
    records, problems = read_lenient(tmp_path, text)
    assert [mentions(record) for record in records] == [
        [("a b c", "X")],
        [("d", "X")],
        [("e", "X")],
    ]
    assert [record.reading_notes for record in records] == [{}, {}, {"tags_repaired": 1}]
    assert not problems.skipped


def test_read_conll_lenient_still_refuses_file_without_sound_sentence(tmp_path):
    with pytest.raises(CorpusError, match="found no token"):
        read_lenient(tmp_path, "-DOCSTART-\tO\n\na\n")


def test_read_conll_reads_columns_of_conll_2003(tmp_path):
    tokens = "renal JJ I-NP I-D\nfailure NN I-NP I-D\nNaCl NN I-NP B-D\n. . O O\n"
    (record,) = read(tmp_path, f"-DOCSTART- -X- -X- O\n\n{tokens}")
    assert (record.id, mentions(record)) == ("corpus-1", [("renal failure", "D"), ("NaCl", "D")])
    assert record.meta == {}


def test_read_conll_goes_on_behind_a_comment_within_a_sentence(tmp_path):
    (record,) = read(tmp_path, "a\tB-X\n# note = x\nb\tI-X\nc\tO\nd\tB-X\n")
    assert [(m.text, m.line) for m in record.mentions] == [("a b", 1), ("d", 5)]
    assert record.meta == {}


def test_write_conll_writes_sentences_and_leaves_white_space_out(tmp_path):
    words = ["Renal", " ", "failure", ".", "\n", "NaCl"]
    doc = Doc(Vocab(), words=words, sent_starts=[True, False, False, False, True, False])
    doc.set_ents([Span(doc, 0, 3, "D"), Span(doc, 5, 6, "C")])
    doc.user_data["bioner_id"] = "9"
    target = tmp_path / "out.tsv"
    assert write_conll([doc], target, scheme="BIOES") == 1
    expected = "# doc_id = 9\nRenal\tB-D\nfailure\tE-D\n.\tO\n\nNaCl\tS-C\n\n"
    assert target.read_text() == expected


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES", "BILOU"])
def test_conll_round_trip_keeps_words_sentences_and_mentions(tmp_path, scheme):
    text = "# doc_id = 1\na\tB-X\nb\tB-X\nc\tI-X\n\nd\tO\ne\tB-Y\n"
    (record,) = read(tmp_path, text)
    write_conll([to_doc(record)], tmp_path / "corpus.tsv", scheme=scheme)
    (again,) = read_conll(tmp_path / "corpus.tsv")
    assert (again.id, again.text, again.words) == (record.id, record.text, record.words)
    assert again.sentence_starts == record.sentence_starts
    assert mentions(again) == mentions(record) == [("a", "X"), ("b c", "X"), ("e", "Y")]


@pytest.mark.parametrize("words", [["a\xa0"], ["-DOCSTART-"]])
def test_write_conll_refuses_words_that_would_be_read_otherwise(tmp_path, words):
    with pytest.raises(CorpusError, match="document 1: found word"):
        write_conll([Doc(Vocab(), words=words)], tmp_path / "out.tsv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "a\nb", "a\tb", " a"])
def test_write_conll_refuses_identifiers_that_would_be_read_otherwise(tmp_path, name):
    doc = Doc(Vocab(), words=["a"])
    doc.user_data["bioner_id"] = name
    with pytest.raises(CorpusError, match="found document identifier"):
        write_conll([doc], tmp_path / "out.tsv")


def test_conll_round_trip_keeps_all_that_it_carries_of_a_real_file(data_dir, tmp_path):
    source = list(read_conll(data_dir / "corpora" / "jnlpba" / "dev.conll.tsv"))
    assert write_conll(map(to_doc, source), tmp_path / "out.tsv", scheme="BILOU") == 200
    again = [reduce_record(record, FEATURES) for record in read_conll(tmp_path / "out.tsv")]
    assert again == [reduce_record(record, FORMAT.carried) for record in source]


@pytest.mark.parametrize(
    ("name", "records", "sentences", "gold"),
    [
        ("bc5cdr/train", 4560, 4560, 9385),
        ("bc5cdr/dev", 4581, 4581, 9593),
        ("bc5cdr/test", 4797, 4797, 9809),
        ("ncbi_disease/train", 5424, 5424, 5134),
        ("ncbi_disease/dev", 923, 923, 787),
        ("jnlpba/train", 1800, 16807, 46750),
        ("jnlpba/dev", 200, 1739, 4551),
        ("jnlpba/test", 404, 3856, 8662),
        ("bc2gm/dev", 2519, 2519, 3061),
    ],
)
def test_real_conll_files_have_their_mentions(data_dir, name, records, sentences, gold):
    found = list(read_conll(data_dir / "corpora" / f"{name}.conll.tsv"))
    assert len(found) == records
    assert sum(len(record.sentence_starts) for record in found) == sentences
    assert sum(len(record.mentions) for record in found) == gold
    assert not any("tags_repaired" in record.reading_notes for record in found)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\tO\nb\tO\nc O\n", 3, "found columns separated by spaces, expected a tab as in"),
        ("# x = y\na NN O\n\nb\tNN\tO\n", 4, "found columns separated by a tab, expected spaces"),
    ],
)
def test_read_conll_names_the_first_line_with_another_separator(tmp_path, text, line, message):
    with pytest.raises(CorpusError, match=message) as raised:
        read(tmp_path, text)
    assert (raised.value.path, raised.value.line) == (str(tmp_path / "corpus.tsv"), line)


def test_read_conll_lenient_counts_sentences_with_another_separator(tmp_path):
    records, problems = read_lenient(tmp_path, "a\tO\n\nb O\n\nc d\tO\n\nb O\n")
    assert [record.text for record in records] == ["a", "c d"]
    assert problems.skipped == {"document": 2}


def test_read_conll_markers_need_not_have_the_separator_of_tokens(tmp_path):
    (record,) = read(tmp_path, "-DOCSTART- -X- O\n\na\tO\n# text = a b\nb\tO\n")
    assert record.text == "a b"
