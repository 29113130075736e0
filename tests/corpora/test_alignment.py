import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.corpora.alignment import align, make_words_doc
from spacy_bioner.corpora.alignment_counts import OUTCOMES, AlignedMention, AlignmentCounts, Tally
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.corpora.read_write import Selection, read_records
from spacy_bioner.corpora.tokenizers import build_tokenizer
from spacy_bioner.errors import CorpusError
from spacy_bioner.gold import GOLD_KEY, ID_KEY, gold_mentions
from spacy_bioner.records import Mention, Record

TEXT = "Acute renal failure in Ca2+/K+ loss "


def tokenize(text):
    """Split at spaces only; further white space becomes a token, as spaCy does it."""
    words, spaces = [], []
    for part in text.split(" "):
        words.append(part)
        spaces.append(True)
    spaces[-1] = False
    kept = [(word, space) for word, space in zip(words, spaces, strict=True) if word]
    return Doc(Vocab(), words=[word for word, _ in kept], spaces=[space for _, space in kept])


def align_mentions(*mentions, text=TEXT, **fields):
    return align(Record("r", text, tuple(mentions), **fields), tokenize)


def outcomes(alignment):
    return [item.outcome for item in alignment.mentions]


def spans(group):
    return [(span.text, span.label_) for span in group]


def test_align_exact_mention_becomes_entity_with_concepts():
    alignment = align_mentions(Mention(6, 19, "Disease", "renal failure", ("D1", "D2")))
    (entity,) = alignment.doc.ents
    assert (entity.text, entity.label_, entity.kb_id_) == ("renal failure", "Disease", "D1|D2")
    assert outcomes(alignment) == ["exact"]
    assert alignment.mentions[0].on_borders


def test_align_widens_to_touched_tokens_and_keeps_offsets_of_the_corpus():
    alignment = align_mentions(Mention(23, 27, "Chemical", "Ca2+", ("D3",)))
    assert spans(alignment.doc.ents) == [("Ca2+/K+", "Chemical")]
    assert outcomes(alignment) == ["widened"]
    assert not alignment.mentions[0].on_borders
    assert alignment.doc.user_data[GOLD_KEY] == [[23, 27, "Chemical", ["D3"]]]
    assert alignment.doc.user_data[ID_KEY] == "r"


def test_align_narrows_mention_with_white_space_at_its_ends():
    alignment = align_mentions(Mention(5, 20, "Disease", " renal failure "))
    assert spans(alignment.doc.ents) == [("renal failure", "Disease")]
    assert outcomes(alignment) == ["narrowed"]
    assert gold_mentions(alignment.doc) == (Mention(5, 20, "Disease"),)


def test_align_nested_mention_is_in_spans_only():
    alignment = align_mentions(
        Mention(6, 11, "Anatomy", "renal"), Mention(0, 19, "Disease", "Acute renal failure")
    )
    assert spans(alignment.doc.ents) == [("Acute renal failure", "Disease")]
    assert spans(alignment.doc.spans["gold"]) == [
        ("renal", "Anatomy"),
        ("Acute renal failure", "Disease"),
    ]
    assert outcomes(alignment) == ["nested", "exact"]
    assert alignment.mentions[0].reason == "overlaps Disease 0-19"


def test_align_identical_span_with_two_labels_prefers_the_first():
    alignment = align_mentions(Mention(6, 11, "B", "renal"), Mention(6, 11, "A", "renal"))
    assert spans(alignment.doc.ents) == [("renal", "B")]
    assert spans(alignment.doc.spans["gold"]) == [("renal", "B"), ("renal", "A")]
    assert outcomes(alignment) == ["exact", "nested"]


def test_align_two_mentions_in_one_token_both_stay_in_spans():
    alignment = align_mentions(Mention(23, 27, "C", "Ca2+"), Mention(28, 30, "C", "K+"))
    assert spans(alignment.doc.spans["gold"]) == [("Ca2+/K+", "C")] * 2
    assert outcomes(alignment) == ["widened", "nested"]
    assert [m.start_char for m in gold_mentions(alignment.doc)] == [23, 28]


def test_align_duplicate_is_counted_and_left_out():
    alignment = align_mentions(Mention(6, 11, "A", "renal"), Mention(6, 11, "A", "renal"))
    assert outcomes(alignment) == ["exact", "duplicate"]
    assert len(alignment.doc.spans["gold"]) == 1
    assert len(gold_mentions(alignment.doc)) == 1


def test_align_discontinuous_mention_only_fills_gaps():
    alignment = align_mentions(
        Mention(0, 19, "D", "Acute failure", fragments=((0, 5), (12, 19))),
        Mention(6, 11, "A", "renal"),
        Mention(20, 35, "D", "in loss", fragments=((20, 22), (31, 35))),
    )
    assert outcomes(alignment) == ["discontinuous", "exact", "discontinuous"]
    assert spans(alignment.doc.ents) == [("renal", "A"), ("in Ca2+/K+ loss", "D")]
    assert len(alignment.doc.spans["gold"]) == 3
    assert [item.reason for item in alignment.mentions] == [
        "covering span in doc.spans only",
        "",
        "covering span in doc.ents",
    ]
    assert alignment.count.flattened == {
        "covering span in doc.ents": 1,
        "covering span in doc.spans only": 1,
    }


@pytest.mark.parametrize(
    ("mention", "reason"),
    [
        (Mention(6, 6, "A"), "empty"),
        (Mention(9, 6, "A"), "empty"),
        (Mention(11, 12, "A"), "empty"),
        (Mention(30, 99, "A"), "beyond the text"),
        (Mention(-3, 4, "A"), "beyond the text"),
        (Mention(0, -1, "A"), "beyond the text"),
        (Mention(0, 9, "A", "x", fragments=((0, 5), (6, -1))), "beyond the text"),
        (Mention(0, 5, ""), "label missing"),
        (Mention(6, 11, "A", "liver"), "text at the offsets differs"),
        (Mention(6, 19, "A", "x", fragments=((6, 9), (30, 99))), "beyond the text"),
    ],
)
def test_align_lost_mention_has_a_reason(mention, reason):
    alignment = align_mentions(mention, Mention(0, 5, "A", "Acute"))
    assert outcomes(alignment) == ["lost", "exact"]
    assert alignment.mentions[0].reason == reason
    assert alignment.count.lost_reasons == {reason: 1}
    assert len(gold_mentions(alignment.doc)) == 1


@pytest.mark.parametrize("claimed", ["RENAL", " renal ", "re-nal", "(renal)"])
def test_align_takes_another_spelling_of_the_text_and_counts_it(claimed):
    alignment = align_mentions(Mention(6, 11, "A", claimed))
    assert (alignment.count.exact, alignment.count.respelled) == (1, 1)


def test_align_compares_claims_without_letters_by_their_signs():
    assert outcomes(align_mentions(Mention(26, 27, "A", "+"))) == ["widened"]
    assert outcomes(align_mentions(Mention(26, 27, "A", "-"))) == ["lost"]


def test_align_sets_sentence_starts_of_the_corpus():
    doc = align_mentions(sentence_starts=(0, 20)).doc
    assert [token.text for token in doc if token.is_sent_start] == ["Acute", "in"]


def test_align_without_sentences_leaves_them_open():
    assert not align_mentions().doc.has_annotation("SENT_START")


@pytest.mark.parametrize("text", ["", " \n "])
def test_align_text_without_words(text):
    alignment = align(Record("r", text), spacy.blank("en").make_doc)
    assert alignment.doc.text == text
    assert alignment.doc.ents == ()
    assert alignment.count.total == 0


def test_align_refuses_tokenizer_that_changes_the_text():
    with pytest.raises(CorpusError, match="document r: the tokenizer changed the text"):
        align(Record("r", "a  b"), tokenize)


def test_align_marks_every_token_as_annotated():
    assert align_mentions().doc.has_annotation("ENT_IOB")


def test_make_words_doc_uses_tokens_of_the_corpus():
    record = Record("r", "Ca2+/K+ x", words=((0, 4), (4, 5), (5, 7), (8, 9)))
    doc = make_words_doc(record, Vocab())
    assert [token.text for token in doc] == ["Ca2+", "/", "K+", "x"]
    assert doc.text == record.text


def test_make_words_doc_makes_tokens_of_further_white_space():
    record = Record("r", "\n a  b\nc ", words=((2, 3), (5, 6), (7, 8)))
    doc = make_words_doc(record, Vocab())
    assert [token.text for token in doc] == ["\n ", "a", " ", "b", "\n", "c"]
    assert doc.text == record.text


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Record("r", "a b"), "has no tokens of its own"),
        (Record("r", "ab", words=((1, 2),)), "found text 'a' between"),
        (Record("r", "abc", words=((0, 1),)), "found text 'bc' between"),
    ],
)
def test_make_words_doc_refuses_gaps(record, message):
    with pytest.raises(CorpusError, match=message):
        make_words_doc(record, Vocab())


def aligned(label, outcome, reason="", on_borders=True):
    return AlignedMention(Mention(0, 1, label), outcome, 0, 1, reason, on_borders)


def test_tally_addition_table_and_json_agree():
    first, second = Tally(), Tally()
    first.add([aligned("A", "exact"), aligned("B", "lost", "empty")])
    second.add([aligned("A", "nested", "overlaps B 0-3", on_borders=False)])
    count = first.count() + second.count()
    assert (count.total, count.exact, count.nested, count.lost) == (3, 1, 1, 1)
    assert count.by_label["A"].total == 2
    data = count.to_json()
    assert data["total"] == sum(data[name] for name in OUTCOMES) == 3
    assert data["lost_reasons"] == {"empty": 1}
    assert data["by_label"]["A"]["nested"] == 1
    lines = count.to_table().splitlines()
    assert lines[0].split() == ["label", *OUTCOMES, "total"]
    assert [line.split() for line in lines[1:]] == [
        ["A", "1", "0", "0", "1", "0", "0", "0", "2"],
        ["B", "0", "0", "0", "0", "0", "0", "1", "1"],
        ["all", "1", "0", "0", "1", "0", "0", "1", "3"],
    ]


def test_ceilings_by_hand():
    tally = Tally()
    tally.add([aligned("A", "exact")] * 5)
    tally.add([aligned("A", "widened", on_borders=False), aligned("A", "nested")])
    tally.add([aligned("A", "nested", on_borders=False), aligned("A", "discontinuous")])
    tally.add([aligned("A", "narrowed", on_borders=False)])
    tally.add([aligned("A", "lost", "empty"), aligned("A", "duplicate")])
    count = tally.count()
    assert (count.total, count.sought, count.off_borders) == (12, 10, 3)
    assert (count.token_ceiling, count.flat_ceiling, count.recall_ceiling) == (0.7, 0.7, 0.5)
    assert count.f1_ceiling == pytest.approx(2 / 3)


def test_ceilings_are_one_where_nothing_is_sought():
    count = AlignmentCounts()
    assert (count.token_ceiling, count.flat_ceiling, count.f1_ceiling) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("name", "gold", "lost"),
    [
        ("ncbi_disease/train", 5145, 0),
        ("ncbi_disease/dev", 787, 0),
        ("ncbi_disease/test", 960, 0),
        ("bc5cdr/train", 9385, 0),
        ("bc5cdr/dev", 9591, 0),
        ("bc5cdr/test", 9809, 0),
        ("biored/train", 13351, 0),
        ("biored/dev", 3533, 0),
        ("biored/test", 3535, 0),
        ("gnormplus/train", 5793, 33),
        ("gnormplus/test", 4849, 1),
        ("nlm_gene/train", 13797, 10),
        ("nlm_gene/test", 3053, 0),
    ],
)
def test_real_corpora_account_for_every_mention(data_dir, name, gold, lost):
    tokenizer = build_tokenizer("bioner")
    tally = Tally()
    for record in read_pubtator(data_dir / "corpora" / f"{name}.pubtator.txt"):
        alignment = align(record, lambda _, record=record: tokenizer(record))
        tally.add(alignment.mentions)
        assert len(alignment.mentions) == len(record.mentions)
    count = tally.count()
    assert (count.total, count.lost) == (gold, lost)
    assert count.lost_reasons == ({"text at the offsets differs": lost} if lost else {})
    if not name.startswith("nlm_gene"):
        assert count.token_ceiling >= 0.998


def offsets(records):
    return {(r.id, m.start_char, m.end_char, m.label) for r in records for m in r.mentions}


@pytest.mark.parametrize(
    ("download", "split"), [("train", "train"), ("develop", "dev"), ("test", "test")]
)
def test_published_ncbi_files_are_the_splits(data_dir, download, split):
    corpora = data_dir / "corpora"
    published = read_pubtator(corpora / "downloads" / f"NCBI{download}set_corpus.txt")
    ours = read_pubtator(corpora / "ncbi_disease" / f"{split}.pubtator.txt")
    assert list(published) == list(ours)


@pytest.mark.parametrize(
    ("download", "selection", "split", "absent"),
    [
        ("TrainDev", Selection(first=500), "train", 2),
        ("TrainDev", Selection(skip=500), "dev", 0),
        ("Test", Selection(), "test", 13),
    ],
)
def test_published_bc5cdr_files_have_the_documents_of_the_splits(
    data_dir, download, selection, split, absent
):
    corpora = data_dir / "corpora"
    path = corpora / "downloads" / f"BC5CDR_{download}.PubTator"
    published = list(read_records(path, selection=selection))
    ours = list(read_pubtator(corpora / "bc5cdr" / f"{split}.pubtator.txt"))
    assert [(r.id, r.text) for r in published] == [(r.id, r.text) for r in ours]
    # The published copy is a revision of the corpus with newer ids and a few mentions fewer.
    assert offsets(published) <= offsets(ours)
    assert len(offsets(ours)) - len(offsets(published)) == absent


def test_mentions_of_other_fragments_are_no_duplicates():
    split = Mention(0, 19, "Disease", "", (), ((0, 5), (12, 19)))
    other = Mention(0, 19, "Disease", "", (), ((0, 5), (6, 11), (12, 19)))
    alignment = align_mentions(Mention(0, 19, "Disease"), split, other, split)
    assert outcomes(alignment) == ["exact", "discontinuous", "discontinuous", "duplicate"]
    assert len(alignment.doc.spans["gold"]) == 3


def test_a_mention_may_end_with_the_text_and_not_behind_it():
    alignment = align_mentions(Mention(4, 8, "Disease"), Mention(4, 9, "Disease"), text="the loss")
    assert outcomes(alignment) == ["exact", "lost"]
    assert alignment.mentions[1].reason == "beyond the text"


def test_a_mention_with_an_empty_fragment_is_lost():
    split = Mention(0, 8, "Disease", "", (), ((0, 3), (3, 4), (4, 8)))
    alignment = align_mentions(split, text="the loss")
    assert [(item.outcome, item.reason) for item in alignment.mentions] == [("lost", "empty")]
