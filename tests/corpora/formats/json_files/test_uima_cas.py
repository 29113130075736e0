"""UIMA CAS JSON, as INCEpTION exports it."""

import json

import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.json_files.uima_cas import read_uima_cas
from spacy_bioner.corpora.formats.reading_notes import WARNING_KEY, list_counts
from spacy_bioner.errors import CorpusError

DKPRO = "de.tudarmstadt.ukp.dkpro.core.api"
TEXT = "Aspirin helps. Rats live."


def structures(text=TEXT, *more):
    return [
        {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaNum": 1, "sofaString": text},
        {
            "%ID": 2,
            "%TYPE": f"{DKPRO}.metadata.type.DocumentMetaData",
            "begin": 0,
            "end": len(text),
            "documentTitle": "a.txt",
        },
        *more,
    ]


def mark(layer, begin, end, **features):
    place = {"end": end, **({"begin": begin} if begin else {})}
    return {"%ID": 9, "%TYPE": layer, "@sofa": 1, **place, **features}


def write(tmp_path, items):
    value = {"%TYPES": {}, "%FEATURE_STRUCTURES": items, "%VIEWS": {}}
    (tmp_path / "x.json").write_text(json.dumps(value, indent=1))
    assert detect_format(tmp_path / "x.json") == "uima_cas"
    return tmp_path / "x.json"


@pytest.mark.parametrize("by_id", [False, True])
def test_entities_own_layers_tokens_and_sentences(tmp_path, by_id):
    entity = f"{DKPRO}.ner.type.NamedEntity"
    items = structures(
        TEXT,
        {**mark(entity, 0, 7, value="Drug", identifier="http://x/D1"), "begin": 0},
        mark("webanno.custom.Animal", 15, 19, kind="Rat", sure=True),
        mark("webanno.custom.Bare", 20, 24),
        mark("webanno.custom.Two", 20, 24, a="x", b="y"),
        mark(f"{DKPRO}.segmentation.type.Token", 8, 13),
        {**mark(f"{DKPRO}.segmentation.type.Token", 0, 7), "begin": 0},
        {**mark(f"{DKPRO}.segmentation.type.Sentence", 0, 14), "begin": 0},
        mark(f"{DKPRO}.segmentation.type.Sentence", 15, 25),
        mark(f"{DKPRO}.segmentation.type.Lemma", 15, 19, value="rat"),
    )
    value = {str(place): item for place, item in enumerate(items)} if by_id else items
    (record,) = read_uima_cas(write(tmp_path, value))
    assert (record.id, record.text) == ("a.txt", TEXT)
    assert [(m.text, m.label, m.concept_ids, m.attributes) for m in record.mentions] == [
        ("Aspirin", "Drug", ("http://x/D1",), ()),
        ("Rats", "Rat", (), (("sure", "true"),)),
        ("live", "Bare", (), ()),
        ("live", "Two", (), (("a", "x"), ("b", "y"))),
    ]
    assert (record.words, record.sentence_starts) == (((0, 7), (8, 13)), (0, 15))
    assert list_counts(record) == {"not read: Lemma": 1}


def test_offsets_of_java_are_translated(tmp_path):
    text = "\U0001f691 Aspirin helps."
    entity = mark("x.NamedEntity", 3, 10, value="Drug")
    (record,) = read_uima_cas(write(tmp_path, structures(text, entity)))
    assert [mention.text for mention in record.mentions] == ["Aspirin"]
    assert "UTF-16" in record.reading_notes[WARNING_KEY]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"%TYPE": "x"}], "found no feature structure with a sofaString"),
        (3, "found no list as '%FEATURE_STRUCTURES'"),
        (structures(TEXT, mark("NamedEntity", "x", 3)), "found offsets 'x' and 3"),
        ([3], "as a feature structure, expected an object"),
    ],
)
def test_what_is_malformed(tmp_path, items, message):
    with pytest.raises(CorpusError, match=message):
        list(read_uima_cas(write(tmp_path, items)))
