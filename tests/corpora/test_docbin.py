import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.docbin import (
    ATTRIBUTES,
    pack_span_groups,
    read_docbin,
    write_docbin,
    write_shards,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.gold import gold_mentions
from spacy_bioner.records import Mention, Record

RECORD = Record(
    "8528200",
    "Acute renal failure. It was renal-like.",
    (
        Mention(0, 19, "Disease", concept_ids=("D1", "D2")),
        Mention(6, 11, "Anatomy", concept_ids=("U7",)),
        Mention(28, 33, "Anatomy"),
    ),
    sentence_starts=(0, 21),
)


def facts(span):
    return (span.start_char, span.end_char, span.label_, span.kb_id_)


@pytest.fixture
def docs():
    tokenizer = spacy.blank("en").tokenizer
    return [align(RECORD, tokenizer).doc, align(Record("empty", ""), tokenizer).doc]


def test_docbin_keeps_entities_spans_concepts_and_sentences(tmp_path, docs):
    path = tmp_path / "corpus.spacy"
    assert write_docbin(docs, path) == 2
    read, empty = read_docbin(path, Vocab())
    assert read.text == RECORD.text
    assert [facts(span) for span in read.ents] == [facts(span) for span in docs[0].ents]
    assert [facts(span) for span in read.spans["gold"]] == [
        (0, 19, "Disease", "D1|D2"),
        (6, 11, "Anatomy", "U7"),
        (28, 33, "Anatomy", ""),
    ]
    assert [token.idx for token in read if token.is_sent_start] == [0, 21]
    assert (empty.text, len(empty)) == ("", 0)


def test_docbin_keeps_gold_offsets_and_document_id(tmp_path, docs):
    path = tmp_path / "corpus.spacy"
    write_docbin(docs, path)
    read, empty = read_docbin(path, Vocab())
    assert gold_mentions(read) == RECORD.mentions
    assert [doc.user_data["bioner_id"] for doc in (read, empty)] == ["8528200", "empty"]


def test_docbin_keeps_unannotated_docs_unannotated(tmp_path):
    path = tmp_path / "corpus.spacy"
    write_docbin([Doc(Vocab(), words=["a", "b"])], path)
    (read,) = read_docbin(path, Vocab())
    assert not read.has_annotation("ENT_IOB")
    assert not read.has_annotation("SENT_START")


def test_write_docbin_failing_leaves_the_old_file(tmp_path, docs):
    path = tmp_path / "corpus.spacy"
    write_docbin(docs, path)
    before = path.read_bytes()

    def broken():
        yield docs[0]
        raise CorpusError("broken")

    with pytest.raises(CorpusError, match="broken"):
        write_docbin(broken(), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["corpus.spacy"]


def test_write_docbin_makes_the_folder_and_an_ordinary_file(tmp_path, docs):
    path = tmp_path / "new" / "corpus.spacy"
    write_docbin(docs, path)
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("content", [b"", b"1|t|text", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_read_docbin_refuses_other_files(tmp_path, content):
    path = tmp_path / "corpus.spacy"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"corpus\.spacy:1: found no DocBin"):
        list(read_docbin(path, Vocab()))


def test_read_docbin_refuses_truncated_file(tmp_path, docs):
    path = tmp_path / "corpus.spacy"
    write_docbin(docs, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorpusError, match="found no DocBin"):
        list(read_docbin(path, Vocab()))


def test_span_groups_are_packed_as_spacy_packs_them(docs):
    docs[0].spans["other"] = [docs[0][0:2], docs[0][1:3]]
    docs[0].spans["alias"] = docs[0].spans["gold"]
    assert pack_span_groups(docs[0]) == docs[0].spans.to_bytes()
    assert pack_span_groups(docs[1]) == docs[1].spans.to_bytes()
    plain = Doc(Vocab(), words=["a"])
    assert pack_span_groups(plain) == plain.spans.to_bytes()


def test_docbin_has_what_spacys_own_writer_stores(tmp_path, docs):
    spacys = DocBin(attrs=ATTRIBUTES, store_user_data=True, docs=docs)
    write_docbin(docs, tmp_path / "ours.spacy")
    ours = DocBin().from_disk(tmp_path / "ours.spacy")
    for mine, other in zip(ours.get_docs(Vocab()), spacys.get_docs(Vocab()), strict=True):
        assert mine.to_bytes() == other.to_bytes()


def test_shards_hold_so_many_documents_each(tmp_path, docs):
    assert write_shards(docs * 2 + docs[:1], tmp_path / "out", size=2) == 5
    files = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in files] == [f"part-{n:05}.spacy" for n in range(3)]
    assert [len(list(read_docbin(path, Vocab()))) for path in files] == [2, 2, 1]


def test_shards_of_nothing_are_one_empty_file(tmp_path):
    assert write_shards([], tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["part-00000.spacy"]


def test_failing_shards_leave_the_old_folder(tmp_path, docs):
    write_shards(docs, tmp_path / "out")

    def broken():
        yield docs[0]
        raise CorpusError("broken")

    with pytest.raises(CorpusError, match="broken"):
        write_shards(broken(), tmp_path / "out", size=1)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["part-00000.spacy"]


def test_shards_do_not_replace_a_file(tmp_path, docs):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(CorpusError, match="found a file, expected the name of an output folder"):
        write_shards(docs, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"
