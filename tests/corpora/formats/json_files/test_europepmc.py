"""Annotations of Europe PMC, which come without the text of the article."""

import json

import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.json_files.europepmc import read_europepmc
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.reading_notes import ReadingNotes
from spacy_bioner.errors import CorpusError

ANNOTATIONS = [
    {
        "prefix": "We gave ",
        "exact": "aspirin",
        "postfix": " to",
        "type": "Chemicals",
        "section": "Abstract",
        "tags": [{"name": "aspirin", "uri": "http://purl.obolibrary.org/obo/CHEBI_15365"}],
    },
    {"exact": "rats", "type": "Organisms"},
]


def write(tmp_path, annotations):
    articles = [{"source": "MED", "extId": "1", "pmcid": "PMC2", "annotations": annotations}]
    (tmp_path / "x").write_text(json.dumps(articles))
    assert detect_format(tmp_path / "x") == "europepmc"
    return tmp_path / "x"


def test_each_annotation_is_a_document_and_that_is_said(tmp_path):
    notes = ReadingNotes()
    first, second = read_europepmc(write(tmp_path, ANNOTATIONS))
    assert (first.id, first.text, second.id, second.text) == (
        "MED:1-1",
        "We gave aspirin to",
        "MED:1-2",
        "rats",
    )
    (mention,) = first.mentions
    assert first.text[mention.start_char : mention.end_char] == mention.text == "aspirin"
    assert mention.concept_ids == ("http://purl.obolibrary.org/obo/CHEBI_15365",)
    assert first.meta["section"] == "Abstract"
    notes.add(first)
    notes.add(second)
    (warning,) = notes.list_warnings()
    assert warning.startswith("the file has no texts")
    assert warning.endswith("(documents MED:1-1, MED:1-2)")


def test_an_annotation_without_type_is_an_error_or_left_out(tmp_path):
    path = write(tmp_path, [*ANNOTATIONS, {"exact": "x"}])
    with pytest.raises(CorpusError, match="found none as 'type' of a annotation"):
        list(read_europepmc(path))
    problems = ReadErrors()
    assert len(list(read_europepmc(path, problems=problems))) == 2
    assert problems.skipped == {"annotation": 1}
