import spacy
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.corpora.formats.capabilities import reduce_record
from spacy_bioner.corpora.formats.docbin import FORMAT, read_docbin_records, to_record
from spacy_bioner.corpora.tokenizers import build_tokenizer
from spacy_bioner.records import Mention, Record

FULL = Record(
    "7",
    "Acute renal failure.\nIt was fatal",
    (
        Mention(0, 19, "Disease", "acute Renal failure", ("D1", "D2")),
        Mention(0, 19, "Sign", "Acute failure", fragments=((0, 5), (12, 19))),
        Mention(6, 11, "Anatomy", "renal", attributes=(("Negation", "true"),)),
        Mention(28, 33, "Outcome", "fatal"),
    ),
    sections=(("title", 0, 20), ("abstract", 21, 33)),
    sentence_starts=(0, 21),
    meta={"year": "1999"},
)


def round_trip(record, tmp_path, tokenizer="bioner"):
    tokenize = build_tokenizer(tokenizer)
    doc = align(record, lambda _: tokenize(record)).doc
    write_docbin([doc], tmp_path / "x.spacy")
    (read,) = read_docbin_records(tmp_path / "x.spacy")
    return read


def test_docbin_gives_a_record_back_whole(tmp_path):
    assert round_trip(FULL, tmp_path) == FULL


def test_docbin_gives_the_tokens_of_the_corpus_back(tmp_path):
    record = Record("1", "a b-c", (Mention(2, 5, "X", "b-c"),), words=((0, 1), (2, 5)))
    assert round_trip(record, tmp_path, "corpus") == record
    assert round_trip(record, tmp_path, "bioner").words == ()


def test_docbin_keeps_the_tokens_of_the_corpus_between_line_breaks(tmp_path):
    record = Record("1", "a\n b ", words=((0, 1), (3, 4)))
    assert round_trip(record, tmp_path, "corpus") == record


def test_docbin_of_an_empty_record(tmp_path):
    record = Record("1", "")
    assert round_trip(record, tmp_path) == record


def test_docbin_carries_all_but_repeated_and_lost_mentions(tmp_path):
    twice = Record("1", "ab", (Mention(0, 2, "X", "ab"), Mention(0, 2, "X", "ab")))
    assert round_trip(twice, tmp_path) == reduce_record(twice, FORMAT.carried)
    lost = Record("1", "ab", (Mention(0, 9, "X"),))
    assert round_trip(lost, tmp_path).mentions == ()


def test_foreign_doc_becomes_a_record_of_its_tokens_and_spans():
    doc = Doc(Vocab(), words=["Acute", "renal", "failure", "."], spaces=[True, True, False, False])
    doc.set_ents([Span(doc, 1, 3, "Disease", kb_id="D1|D2")])
    doc.spans["sc"] = [Span(doc, 0, 3, "Disease"), Span(doc, 1, 3, "Disease")]
    record = to_record(doc, default_id="4")
    assert record == Record(
        "4",
        "Acute renal failure.",
        (
            Mention(6, 19, "Disease", "renal failure", ("D1", "D2")),
            Mention(0, 19, "Disease", "Acute renal failure"),
        ),
        words=((0, 5), (6, 11), (12, 19), (19, 20)),
    )


def test_foreign_doc_gives_its_sentences():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    assert to_record(nlp("One. Two.")).sentence_starts == (0, 5)


def test_shards_are_read_in_order_of_their_names(tmp_path):
    tokenize = build_tokenizer("blank")
    for name, text in (("b", "two"), ("a", "one")):
        record = Record(name, text)
        doc = align(record, lambda _, r=record: tokenize(r)).doc
        write_docbin([doc], tmp_path / f"{name}.spacy")
    assert [record.text for record in read_docbin_records(tmp_path)] == ["one", "two"]
