"""BigBio's KB schema."""

import json

import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.json_files.bigbio import read_bigbio
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.reading_notes import list_counts
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention


def make(**changes):
    return {
        "id": "0",
        "document_id": "23592909",
        "passages": [
            {"id": "a", "type": "title", "text": ["Aspirin study."], "offsets": [[0, 14]]},
            {"id": "b", "type": "abstract", "text": ["We gave it to rats."], "offsets": [[16, 35]]},
        ],
        "entities": [
            {
                "id": "T1",
                "type": "Chemical",
                "text": ["Aspirin"],
                "offsets": [[0, 7]],
                "normalized": [
                    {"db_name": "MESH", "db_id": "D001241"},
                    {"db_name": "MESH", "db_id": "MESH:D2"},
                    {"db_name": "UMLS", "db_id": "-1"},
                ],
            },
            {
                "id": "T2",
                "type": "Odd",
                "text": ["We", "rats"],
                "offsets": [[30, 34], [16, 18]],
                "normalized": [],
            },
        ],
        "events": [{"id": "E1"}],
        "coreferences": [],
        "relations": [{"id": "R1"}, {"id": "R2"}],
        **changes,
    }


def write(tmp_path, *values):
    (tmp_path / "x").write_text("\n".join(map(json.dumps, values)))
    assert detect_format(tmp_path / "x") == "bigbio"
    return tmp_path / "x"


def test_passages_entities_and_concepts(tmp_path):
    (record,) = read_bigbio(write(tmp_path, make()))
    assert (record.id, record.text) == ("23592909", "Aspirin study.  We gave it to rats.")
    assert record.sections == (("title", 0, 14), ("abstract", 16, 35))
    assert record.mentions == (
        Mention(0, 7, "Chemical", "Aspirin", ("MESH:D001241", "MESH:D2"), line=1),
        Mention(16, 34, "Odd", "We rats", fragments=((16, 18), (30, 34)), line=1),
    )
    assert list_counts(record) == {"events_skipped": 1, "relations_skipped": 2}


def test_texts_and_offsets_without_their_lists(tmp_path):
    passages = [{"type": "title", "text": "Aspirin.", "offsets": [0, 8]}]
    entities = [{"type": "C", "text": "Aspirin", "offsets": [0, 7]}]
    (record,) = read_bigbio(write(tmp_path, make(passages=passages, entities=entities)))
    assert [mention.text for mention in record.mentions] == ["Aspirin"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"passages": [{"text": ["a"], "offsets": []}]},
            "found 1 texts and 0 offsets in a passage",
        ),
        (
            {"passages": [{"text": ["ab", "c"], "offsets": [[0, 2], [1, 2]]}]},
            "found a passage at 1, within the one before it, which ends at 2",
        ),
        ({"passages": [{"text": ["a"], "offsets": [["x", 1]]}]}, "as a pair of offsets"),
        ({"entities": [{"type": "C", "text": ["a"], "offsets": []}]}, "an entity without offsets"),
        ({"entities": [{"text": ["a"], "offsets": [[0, 1]]}]}, "found none as 'type'"),
        ({"entities": 3}, "found a number .* as 'entities'"),
    ],
)
def test_what_is_malformed_is_an_error_or_left_out(tmp_path, changes, message):
    path = write(tmp_path, make(), make(**changes))
    with pytest.raises(CorpusError, match=message) as error:
        list(read_bigbio(path))
    assert error.value.line == 2
    problems = ReadErrors()
    first, *_ = read_bigbio(path, problems=problems)
    assert len(first.mentions) == 2
    assert sum(problems.skipped.values()) == 1


def test_offsets_in_utf16_units_are_told_by_the_texts(tmp_path):
    passages = [{"type": "title", "text": ["\U0001f691 Aspirin."], "offsets": [[0, 10]]}]
    entities = [{"type": "C", "text": ["Aspirin"], "offsets": [[3, 10]]}]
    (record,) = read_bigbio(write(tmp_path, make(passages=passages, entities=entities)))
    assert (record.mentions[0].start_char, record.mentions[0].end_char) == (2, 9)


def test_a_piece_that_stands_twice_is_one(tmp_path):
    entity = {"id": "T1", "type": "C", "text": ["aspirin"], "offsets": [[8, 15], [8, 15]]}
    path = write(tmp_path, make(entities=[entity]))
    [record] = read_bigbio(path)
    assert [(m.start_char, m.end_char, m.fragments) for m in record.mentions] == [(8, 15, ())]
