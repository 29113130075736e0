import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.tagged.conllu import read_conllu
from spacy_bioner.errors import CorpusError
from tests import paths

CASES = paths.CASES / "corpora"


def row(number, form, misc="_", width=10):
    return "\t".join([str(number), form, *["_"] * (width - 3), misc]) + "\n"


def read(tmp_path, text, **settings):
    path = tmp_path / "x.conllu"
    path.write_text(text, encoding="utf-8")
    return list(read_conllu(path, **settings))


def spans(record):
    return [(m.text, m.label) for m in record.mentions]


def test_a_strangers_file_is_detected_and_read():
    path = CASES / "ner_in_misc.conllu"
    assert detect_format(path) == "conllu"
    (record,) = read_conllu(path)
    assert (record.text, spans(record)) == ("We gave aspirin", [("aspirin", "Chemical")])


@pytest.mark.parametrize("key", ["name", "NE", "NER", "ner", "Entity", "NamedEntity", "iob"])
def test_usual_keys_are_found(tmp_path, key):
    text = row(1, "Renal", f"{key}=B-D|Other=x") + row(2, "failure", f"Other=y|{key}=I-D")
    (record,) = read(tmp_path, text)
    assert spans(record) == [("Renal failure", "D")]


def test_spaces_multiword_tokens_and_empty_nodes(tmp_path):
    text = (
        "# newdoc id = d7\n# text = Smith's renal failure.\n"
        + row("1-2", "Smith's", "_")
        + row(1, "Smith", "NE=B-P")
        + row(2, "'s", "NE=O")
        + row("2.1", "ghost", "NE=B-P")
        + row(3, "renal", "NE=B-D")
        + row(4, "failure", "NE=I-D|SpaceAfter=No")
        + row(5, ".", "NE=O")
        + "\n# sent_id = 2\n"
        + row(1, "No")
        + "\n# newdoc\n"
        + row(1, "More", "SpacesAfter=\\n")
    )
    first, second = read(tmp_path, text)
    assert (first.id, first.text) == ("d7", "Smith's renal failure. No")
    assert spans(first) == [("Smith's", "P"), ("renal failure", "D")]
    assert first.sentence_starts == (0, 23)
    assert (second.id, second.text) == ("x-2", "More")


def test_an_entity_within_a_multiword_token_goes_on_behind_it(tmp_path):
    text = (
        row("1-2", "du", "_")
        + row(1, "de", "NE=O")
        + row(2, "le", "NE=B-D")
        + row(3, "coeur", "NE=I-D")
    )
    assert spans(read(tmp_path, text)[0]) == [("du coeur", "D")]


def test_columns_of_conllu_plus(tmp_path):
    text = "# global.columns = ID FORM CORPUS:NE\n1\tRenal\tB-D\n2\tfailure\tI-D\n"
    path = tmp_path / "x.conllup"
    path.write_text(text)
    assert detect_format(path) == "conllu"
    (record,) = read_conllu(path)
    assert spans(record) == [("Renal failure", "D")]


def test_the_key_can_be_named(tmp_path):
    text = row(1, "Renal", "NE=O|Gold=B-D")
    assert spans(read(tmp_path, text, key="Gold")[0]) == [("Renal", "D")]
    with pytest.raises(CorpusError, match="found the keys Gold, NE in MISC, expected Silver"):
        read(tmp_path, text, key="Silver")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (row(1, "a", "SpaceAfter=No"), 1, "found the keys SpaceAfter in MISC, expected a key of"),
        (row(1, "a", "NE=O") + row(2, "b", "NE=(e1"), 2, r"found tag '\(e1', .* as NE"),
        (row(1, "a", "NE=O") + "2 b\n", 2, r"found 1 column\(s\), expected 10"),
        (row(1, "a", "NE=O") + row("x", "b"), 2, "found 'x' as ID"),
    ],
)
def test_faults_name_their_line(tmp_path, text, line, message):
    with pytest.raises(CorpusError, match=message) as raised:
        read(tmp_path, text)
    assert raised.value.line == line


def test_lenient_reading_leaves_sentences_out(tmp_path):
    problems = ReadErrors()
    text = row(1, "a", "NE=O") + "\n" + row("x", "b") + "\n" + row(1, "c", "NE=B-D")
    records = read(tmp_path, text, problems=problems)
    assert [record.text for record in records] == ["a", "c"]
    assert problems.skipped == {"document": 1}


def test_tags_in_the_last_column_are_conll_with_numbers(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text(row(1, "Renal", "B-D") + row(2, "failure", "I-D"))
    assert detect_format(path) == "conll"


def test_labels_without_prefixes_make_one_mention_of_equal_neighbours(tmp_path):
    text = row(1, "Renal", "NE=D") + row(2, "failure", "NE=D") + row(3, "in")
    text += row(4, "rats", "NE=Species")
    assert spans(read(tmp_path, text)[0]) == [("Renal failure", "D"), ("rats", "Species")]
    with pytest.raises(CorpusError, match="found tag 'D'"):
        read(tmp_path, text + row(5, "x", "NE=B-S"))
