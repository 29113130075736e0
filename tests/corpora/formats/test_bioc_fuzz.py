"""Any bytes give records or a CorpusError with file and line; any record comes back: BioC."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.bioc.bioc_json import read_bioc_json, write_bioc_json
from spacy_bioner.corpora.formats.bioc.bioc_xml import (
    CARRIES,
    read_bioc_xml,
    write_bioc_xml,
)
from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.records import Mention, Record
from tests.corpora.strategies import FUZZ, mutated, read_both_ways

pytest.importorskip("bioc")

XML = (
    b"<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE collection SYSTEM 'BioC.dtd'>\n<collection>"
    b"<source>x</source><date/><key/><document><id>1</id><infon key='k'>v</infon><passage>"
    b"<infon key='type'>title</infon><offset>0</offset><text>Renal&apos;s &#233;</text>\n"
    b"<annotation id='0'><infon key='type'>D</infon><infon key='MESH'>D1</infon>"
    b"<location offset='0' length='5'/><location offset='6' length='1'/><text>Renal</text>"
    b"</annotation></passage><passage><offset>15</offset><sentence><offset>15</offset>"
    b"<text>Ab.</text></sentence><sentence><offset>19</offset><text>Cd.</text></sentence>"
    b"</passage><relation id='R'><node refid='0' role='x'/></relation></document></collection>",
    b"<!DOCTYPE collection [<!ENTITY a 'b'><!ENTITY % c SYSTEM 'file:///etc/passwd'>%c;]>"
    b"<collection><document><id>&a;</id></document></collection>",
)
ANNOTATION = {
    "id": "0",
    "infons": {"type": "D", "identifier": "D1|D2", "n": 1.5, "z": None},
    "text": "Renal",
    "locations": [{"offset": 0, "length": 5}],
}
PASSAGE = {"offset": 0, "text": "Renal \ud83d\ude00", "annotations": [ANNOTATION], "infons": {}}
DOCUMENT = {"id": "1", "passages": [PASSAGE, {"offset": 9, "sentences": [PASSAGE]}], "year": 3}
JSON = tuple(
    text.encode()
    for text in (
        json.dumps({"source": "", "documents": [DOCUMENT, DOCUMENT], "key": ""}),
        json.dumps([DOCUMENT], indent=1),
        json.dumps(DOCUMENT) + "\n" + json.dumps(DOCUMENT),
        json.dumps(DOCUMENT, indent=1),
        json.dumps({"documents": [{"id": 1, "infons": {"bioner.sections": "[[1]]"}}]}),
    )
)
READERS = {"xml": (read_bioc_xml, XML), "json": (read_bioc_json, JSON)}
WRITERS = {"xml": write_bioc_xml, "json": write_bioc_json}
PIECES = st.one_of(
    st.binary(max_size=4),
    st.sampled_from([b"\n", b"<", b">", b"'", b'"', b"{", b"]", b",", b"\0", b"\xe9", b"&", b"-"]),
    st.sampled_from([b"</document>", b"<text>", b"&a;", b"<!-- x -->", b"<![CDATA[", b"\xff\xfe"]),
    st.sampled_from([b"null", b"\\ud800", b"1e999", b"NaN", b"9" * 5000, b"[" * 3000, b"-1"]),
    st.sampled_from([b"type", b"bioner.sections", b"bioner.attributes", b"encoding='utf-7'"]),
)


def check(name, data, folder):
    path = folder / "fuzz"
    path.write_bytes(data)
    assert not any("root:" in record.text for record in read_both_ways(READERS[name][0], path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", sorted(READERS))
def test_reader_takes_any_bytes(name, folder):
    @FUZZ
    @given(st.binary(max_size=400))
    def run(data):
        check(name, data, folder)

    run()


@pytest.mark.parametrize("name", sorted(READERS))
def test_reader_takes_damaged_samples(name, folder):
    @FUZZ
    @given(mutated(READERS[name][1], PIECES))
    def run(data):
        check(name, data, folder)

    run()


TEXTS = st.text(st.sampled_from("ab &<'\"]\n\r\té🐀|,;"), max_size=12)
NAMES = st.one_of(TEXTS, st.sampled_from(["type", "identifier", "MESH", "concept_id.1", "-1"]))


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Records of every kind that a reader can make: fragments do not touch, offsets ascend."""
    text = draw(TEXTS)
    offsets = st.integers(0, len(text))
    spans = st.tuples(offsets, offsets).map(sorted)
    sections = [(draw(NAMES), *span) for span in draw(st.lists(spans, max_size=4))]
    if draw(st.booleans()):
        borders = sorted({draw(offsets) for _ in range(4)})
        sections = [(draw(NAMES), *pair) for pair in zip(borders, borders[1:])]
    keys = st.one_of(
        NAMES, st.sampled_from(["passage1.type", "passage2.section_type", "passage1.x"])
    )
    return Record(
        id=draw(NAMES),
        text=text,
        mentions=tuple(draw(st.lists(mentions(), max_size=4))),
        sections=tuple(sections),
        sentence_starts=tuple(draw(st.lists(offsets, max_size=4))),
        meta=draw(st.dictionaries(keys, NAMES, max_size=3)),
    )


@st.composite
def mentions(draw: st.DrawFn) -> Mention:
    borders = sorted(draw(st.sets(st.integers(0, 14), min_size=2, max_size=6)))
    pairs = list(zip(borders[::2], borders[1::2]))
    return Mention(
        start_char=pairs[0][0],
        end_char=pairs[-1][1],
        label=draw(NAMES),
        text=draw(TEXTS),
        concept_ids=tuple(draw(st.lists(NAMES, max_size=3))),
        fragments=tuple(pairs) if len(pairs) > 1 else (),
        attributes=tuple(draw(st.lists(st.tuples(NAMES, NAMES), max_size=3))),
    )


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_any_record_comes_back(name, folder):
    @FUZZ
    @given(st.lists(records(), min_size=1, max_size=2))
    def run(written):
        path = folder / f"records.{name}"
        WRITERS[name](written, path)
        found = [reduce_record(record, FEATURES) for record in READERS[name][0](path)]
        assert found == [reduce_record(record, CARRIES) for record in written]

    run()
