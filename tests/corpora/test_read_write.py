import warnings

import pytest

from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.reading_notes import ReadingNotes
from spacy_bioner.corpora.formats.tagged.conll import ConllLayout
from spacy_bioner.corpora.mention_checks import why_lost
from spacy_bioner.corpora.read_write import (
    Selection,
    detect_format,
    read_corpus,
    read_records,
    write_corpus,
)
from spacy_bioner.errors import CorpusError, CorpusWarning
from spacy_bioner.records import Mention, Record
from tests import paths

CASES = paths.CASES / "corpora"
PUBTATOR = "".join(
    f"{i}|t|Title\n{i}|a|Body\n{i}\t0\t5\tTitle\tModifier\tD{i}\n\n" for i in range(5)
)


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(PUBTATOR)
    return path


def ids(path, **selection):
    return [record.id for record in read_records(path, selection=Selection(**selection))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n1|t|Title\n", "pubtator"),
        ("1|a|Body\n", "pubtator"),
        ("-DOCSTART-\tO\n", "conll"),
        ("# doc_id = 3\na\tO\n", "conll"),
        ("word\tB-X\n", "conll"),
        ("word NN S-X\n", "conll"),
        ("word\tB\n", "conll"),
    ],
)
def test_detect_format_looks_into_the_file(tmp_path, text, expected):
    path = tmp_path / "file"
    path.write_text(text)
    assert detect_format(path) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plain text here\n", "file:1: found 'plain text here', expected"),
        ("", "found an empty file"),
    ],
)
def test_detect_format_refuses_other_files(tmp_path, text, message):
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(CorpusError, match=message):
        detect_format(path)


def test_read_records_renames_labels(corpus):
    record = next(read_records(corpus, label_map={"Modifier": "Disease", "Other": "X"}))
    assert [mention.label for mention in record.mentions] == ["Disease"]


def test_read_records_passes_the_conll_layout(tmp_path):
    path = tmp_path / "file.tsv"
    path.write_text("B\tx\nO\ty\n")
    layout = ConllLayout(word_column=1, tag_column=0, label="Gene")
    (record,) = read_records(path, "tsv", layout=layout)
    assert (record.text, record.mentions[0].label) == ("x y", "Gene")


def test_selection_first_and_skip_divide_a_file(corpus):
    assert ids(corpus, first=2) == ["0", "1"]
    assert ids(corpus, skip=2) == ["2", "3", "4"]
    assert ids(corpus, skip=1, first=2) == ["1", "2"]


def test_selection_by_ids(corpus):
    assert ids(corpus, ids=frozenset("31")) == ["1", "3"]


def test_selection_of_unknown_id_is_an_error(corpus):
    with pytest.raises(CorpusError, match="found no document 9 in the chosen part"):
        ids(corpus, ids=frozenset("19"))


def test_selection_that_takes_nothing_is_an_error(corpus):
    with pytest.raises(CorpusError, match=r"found no document to take \(skip 5, first None\)"):
        ids(corpus, skip=5)


def test_read_records_refuses_unknown_format(corpus):
    with pytest.raises(CorpusError, match="found format 'word', expected one of"):
        read_records(corpus, "word")


LEFT_OUT = {
    "x.conll": "asthma\tB-Disease\nx\t-\ny\tO\n",
    "two.conll": "a\tO\nb\t?\n\nc\tO\nd\t!\n",
    "x.pubtator": "1|t|Title\n2|a|Body\n2|t|Title\n1|a|Body\n",
    "x.jsonl": '{"text": 1, "spans": []}\n',
    "x.csv": "word,tag\na,?\n",
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_where_lenient_reading_leaves_out_all_the_cause_is_told(tmp_path, name):
    path = tmp_path / name
    path.write_text(LEFT_OUT[name])
    with pytest.raises(CorpusError) as strict:
        list(read_records(path))
    cause = r"(all 2 documents were|the only document was) left out; first: "
    with pytest.raises(CorpusError, match=cause) as lenient:
        list(read_records(path, problems=ReadErrors()))
    assert str(strict.value) in str(lenient.value)
    assert ("all 2 " in str(lenient.value)) == (name in ("two.conll", "x.pubtator"))


def test_problems_of_an_earlier_corpus_are_no_cause(tmp_path):
    problems = ReadErrors()
    for name in ("x.conll", "x.jsonl"):
        (tmp_path / name).write_text(LEFT_OUT[name])
        with pytest.raises(CorpusError, match=rf"the only document.*first: \S*{name}:\d"):
            list(read_records(tmp_path / name, problems=problems))


def test_a_folder_of_files_in_one_format_is_read(tmp_path):
    for number in range(3):
        text = f"{number}|t|Title\n{number}|a|Body\n{number}\t0\t5\tTitle\tX\n"
        (tmp_path / f"{number}.txt").write_text(text)
    (tmp_path / "README.md").write_text("About this corpus.")
    (tmp_path / ".hidden").write_text("a\tO\n")
    records = list(read_records(tmp_path))
    assert [(r.id, len(r.mentions)) for r in records] == [("0", 1), ("1", 1), ("2", 1)]
    others = [r.reading_notes.get("files_of_other_formats_skipped") for r in records]
    assert others == [1, None, None]


def test_numbered_documents_of_a_folder_stay_apart(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text('{"text": "x", "spans": []}\n' * 2)
    assert [record.id for record in read_records(tmp_path)] == ["1", "2", "b-1", "b-2"]


def test_a_file_of_a_folder_that_cannot_be_read_is_an_error_or_left_out(tmp_path):
    (tmp_path / "a.conll").write_text("a\tO\n")
    (tmp_path / "b.conll").write_text("b\tB-X\nc\t?\n")
    with pytest.raises(CorpusError, match=r"b\.conll:2: found tag '\?'"):
        list(read_records(tmp_path))
    problems = ReadErrors()
    assert [record.text for record in read_records(tmp_path, problems=problems)] == ["a"]
    assert problems.skipped["file"] == 1


def test_a_folder_of_two_formats_is_read_by_the_one_named(tmp_path):
    (tmp_path / "a.conll").write_text("a\tO\n")
    (tmp_path / "b.jsonl").write_text('{"text": "x", "spans": []}\n')
    with pytest.raises(
        CorpusError, match=r"conll: a\.conll; jsonl: b\.jsonl.* name it with --from"
    ):
        list(read_records(tmp_path))
    assert [record.text for record in read_records(tmp_path, "jsonl")] == ["x"]
    with pytest.raises(CorpusError, match="found no file of format pubtator in the folder"):
        list(read_records(tmp_path, "pubtator"))


@pytest.mark.parametrize("other", ["1.con", "1.a1", "x.spacy"])
def test_a_folder_of_two_kinds_of_pairs_is_refused(tmp_path, other):
    for name in ("1.txt", "1.ann", other):
        (tmp_path / name).write_text("")
    with pytest.raises(CorpusError, match=r"brat: 1\.ann.* name it with --from"):
        detect_format(tmp_path)
    assert [record.id for record in read_records(tmp_path, "brat")] == ["1"]


def test_warnings_of_readers_are_issued_at_the_end_or_taken(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": "a", "text": "We gave aspirin.", "label": "positive"}\n')
    message = "no mention in any document: keys not read: label"
    with pytest.warns(CorpusWarning, match=message):
        list(read_records(path))
    notes = ReadingNotes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(read_records(path, notes=notes))
    assert notes.list_warnings() == [message]


def test_trusted_offsets_overrule_claims_and_are_counted():
    path = CASES / "bioc_normalised_text.json"
    (record,) = read_records(path, trust="offsets")
    text = record.text
    assert [text[m.start_char : m.end_char] for m in record.mentions] == [
        "TNF-α",
        "IL-1ß",
        "SARS‐CoV‐2",
    ]
    assert [why_lost(mention, text) for mention in record.mentions] == [""] * 3
    assert record.reading_notes["claimed_texts_overruled"] == 2
    # What is merely respelled keeps its claim.
    assert [mention.text for mention in record.mentions] == ["", "", "SARS CoV 2"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.pubtator", "1|t|TNF-α\n1|a|\n1\t0\t5\tTNF-a\tGene\n"),
        (
            "x.jsonl",
            '{"id": "1", "text": "TNF-α", "spans": [{"start": 0, "end": 5, '
            '"label": "Gene", "text": "TNF-a"}]}\n',
        ),
    ],
)
def test_trust_is_for_every_format_with_claims(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    (record,) = read_records(path)
    assert why_lost(record.mentions[0], record.text)
    (record,) = read_records(path, trust="offsets")
    assert why_lost(record.mentions[0], record.text) == ""
    assert record.reading_notes["claimed_texts_overruled"] == 1
    with pytest.raises(CorpusError, match="found trust in 'me', expected offsets"):
        read_records(path, trust="me")


def test_a_lenient_reading_of_scripts_warns_at_the_end(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(PUBTATOR.replace("1\t0\t5", "1\tzero\t5"))
    with pytest.raises(CorpusError, match=r"corpus\.txt:7: "):
        list(read_corpus(path))
    with pytest.warns(CorpusWarning) as caught:
        records = list(read_corpus(path, lenient=True))
    assert [len(record.mentions) for record in records] == [1, 0, 1, 1, 1]
    message = str(caught[0].message)
    assert message.startswith(f"{path}: left out 1 that cannot be read; first: {path}:7: ")


def test_settings_of_a_reader_are_those_of_its_format(corpus):
    with pytest.raises(CorpusError, match="found the setting 'offsets' for format pubtator"):
        read_corpus(corpus, offsets="utf-16")


def test_scripts_write_what_they_read(corpus, tmp_path):
    records = list(read_corpus(corpus))
    assert write_corpus(records, tmp_path / "copy.pubtator") == 5
    assert list(read_corpus(tmp_path / "copy.pubtator")) == records


def test_what_a_format_has_no_place_for_is_warned_of(tmp_path):
    record = Record("1", "Asthma", (Mention(0, 6, "Disease"),), meta={"year": "1999"})
    with pytest.warns(CorpusWarning, match=r"copy\.pubtator: the format has no place for .* 1$"):
        write_corpus([record], tmp_path / "copy.pubtator")
