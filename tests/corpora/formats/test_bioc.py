import importlib
import json
import re
import sys
from dataclasses import replace

import pytest

from spacy_bioner.corpora.formats.bioc.bioc_json import read_bioc_json, write_bioc_json
from spacy_bioner.corpora.formats.bioc.bioc_xml import (
    CARRIES,
    read_bioc_xml,
    write_bioc_xml,
)
from spacy_bioner.corpora.formats.capabilities import FEATURES, WORDS, reduce_record
from spacy_bioner.corpora.formats.pubtator import read_pubtator
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.mention_checks import why_lost
from spacy_bioner.errors import CorpusError
from spacy_bioner.extras import install_command
from spacy_bioner.records import Mention, Record
from tests import paths

pytest.importorskip("bioc")

CASES = paths.CASES / "corpora"
HEAD = "<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE collection SYSTEM 'BioC.dtd'>\n"
TITLE = (
    "<passage><infon key='type'>title</infon><offset>0</offset><text>Renal and hepatic failure."
    "</text>{annotations}</passage>\n"
)
ABSTRACT = (
    "<passage><infon key='type'>abstract</infon><offset>27</offset><text>It was fatal.</text>"
    "{annotations}</passage>\n"
)
READERS = {"xml": read_bioc_xml, "json": read_bioc_json}
WRITERS = {"xml": write_bioc_xml, "json": write_bioc_json}


def annotation(
    start=0, length=5, text="Renal", infons="<infon key='type'>Disease</infon>", number=0
):
    place = f"<location offset='{start}' length='{length}'/>"
    return f"\n<annotation id='{number}'>{infons}{place}<text>{text}</text></annotation>\n"


def document(*passages, name="1", more=""):
    return f"<document><id>{name}</id>{more}{''.join(passages)}</document>\n"


def save(tmp_path, text, ending="xml"):
    path = tmp_path / f"corpus.bioc.{ending}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read_xml(tmp_path, *documents, **settings):
    text = f"{HEAD}<collection><source/><date/><key/>{''.join(documents)}</collection>"
    return list(read_bioc_xml(save(tmp_path, text), **settings))


def read_passages(tmp_path, *passages, **settings):
    return read_xml(tmp_path, document(*passages), **settings)[0]


def read_annotation(tmp_path, *annotations, **settings):
    text = TITLE.format(annotations="".join(annotations))
    return read_passages(tmp_path, text, **settings).mentions


def read_json(tmp_path, value, **settings):
    text = value if isinstance(value, (str, bytes)) else json.dumps(value)
    return list(read_bioc_json(save(tmp_path, text, "json"), **settings))


def infons(**pairs):
    return "".join(f"<infon key='{key}'>{value}</infon>" for key, value in pairs.items())


def passage(offset, text, **more):
    return f"<passage>{infons(**more)}<offset>{offset}</offset><text>{text}</text></passage>"


def test_read_bioc_xml_puts_passages_at_their_offsets(tmp_path):
    record = read_passages(
        tmp_path, TITLE.format(annotations=""), ABSTRACT.format(annotations=annotation(27, 2, "It"))
    )
    assert record.text == "Renal and hepatic failure. It was fatal."
    assert record.sections == (("title", 0, 26), ("abstract", 27, 40))
    assert record.mentions == (Mention(27, 29, "Disease", "It", line=4),)
    assert record.meta == {}


def test_read_bioc_xml_fills_gaps_with_spaces(tmp_path):
    record = read_passages(tmp_path, passage(2, "ab"), passage(4, "cd"), passage(9, "e"))
    assert record.text == "  abcd   e"


def test_read_bioc_xml_empty_passage_ends_with_the_text(tmp_path):
    text = passage(0, "Title", type="title") + passage(6, "", type="abstract")
    record = read_passages(tmp_path, text)
    assert record.text == "Title"
    assert record.sections == (("title", 0, 5), ("abstract", 5, 5))


def test_read_bioc_xml_refuses_a_passage_too_far_away(tmp_path):
    with pytest.raises(CorpusError, match=r"xml:2: found passage 2 .* correct the offset"):
        read_passages(tmp_path, passage(0, "abcde"), passage(1_000_006, "f"))


def test_read_bioc_xml_overlapping_passages_go_one_behind_the_other(tmp_path):
    second = f"<passage><offset>3</offset><text>It was.</text>{annotation(6, 3, 'was')}</passage>"
    record = read_passages(tmp_path, passage(0, "abcde"), second, passage(20, "end"))
    assert record.text == "abcde It was.       end"
    assert [(m.start_char, m.end_char, m.text) for m in record.mentions] == [(9, 12, "was")]
    assert record.reading_notes == {"passage_offsets_repaired": 1}


def test_read_bioc_xml_annotations_of_a_moved_passage_stay_where_they_fit(tmp_path):
    second = f"<passage><offset>3</offset><text>It was.</text>{annotation(9, 3, 'was')}</passage>"
    (mention,) = read_passages(tmp_path, passage(0, "abcde"), second).mentions
    assert (mention.start_char, mention.end_char) == (9, 12)


def test_read_bioc_xml_overlapping_sentences_go_one_behind_the_other(tmp_path):
    sentences = "".join(
        f"<sentence><offset>{offset}</offset><text>{text}</text>{found}</sentence>"
        for offset, text, found in ((5, "It was.", ""), (9, "So.", annotation(9, 2, "So")))
    )
    title = passage(0, "Abcd")
    record = read_passages(tmp_path, title, f"<passage><offset>5</offset>{sentences}</passage>")
    assert record.text == "Abcd It was. So."
    assert record.sentence_starts == (5, 13)
    assert [(m.start_char, m.end_char) for m in record.mentions] == [(13, 15)]


@pytest.mark.parametrize(
    ("first", "offset", "second", "text"),
    [
        ("It was. So.", 8, "So.", "It was. So."),
        ("It was. So", 8, "So on.", "It was. So on."),
        # One letter in common is no repetition.
        ("rats", 3, "study", "rats study"),
        ("rats", 3, "s", "rats s"),
    ],
)
def test_read_bioc_xml_passages_may_repeat_whole_words(tmp_path, first, offset, second, text):
    record = read_passages(tmp_path, passage(0, first), passage(offset, second))
    assert record.text == text


def test_read_bioc_xml_passages_in_another_order_fill_their_gaps(tmp_path):
    record = read_passages(tmp_path, passage(6, "world"), passage(0, "Hello"))
    assert record.text == "Hello world"
    assert record.meta == {}


def test_read_bioc_xml_overlapping_passages_of_a_strangers_file():
    records = list(read_bioc_xml(CASES / "bioc_overlap.xml"))
    assert [record.text for record in records] == ["Aspirin study Overlaps the first", "Second"]
    assert [mention.text for mention in records[0].mentions] == ["Aspirin"]


def test_read_bioc_xml_moves_passage_whose_offset_counts_escapes(tmp_path):
    body = "<passage><offset>9</offset><text>It was.</text>{}</passage>"
    found = annotation(7, 3, "was")
    record = read_passages(tmp_path, passage(0, "A&apos;s"), body.format(found))
    assert record.text == "A's It was."
    assert record.reading_notes == {"passage_offsets_repaired": 1}


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("A&apos;s", ""),
        ("A&apos;s", annotation(12, 3, "was")),
        ("A&apos;s", annotation(7, 3, "is")),
        ("Abs", annotation(7, 3, "was")),
    ],
)
def test_read_bioc_xml_moves_no_passage_without_both_signs(tmp_path, title, found):
    body = f"<passage><offset>9</offset><text>It was.</text>{found}</passage>"
    record = read_passages(tmp_path, passage(0, title), body)
    assert record.text[3:] == "      It was."
    assert record.meta == {}


def test_read_bioc_xml_sections_take_their_names_from_passages(tmp_path):
    record = read_passages(
        tmp_path,
        passage(0, "ab", type="front", section_type="TITLE"),
        passage(3, "cd", type="paragraph", section_type="INTRO", section="1"),
        passage(6, "ef"),
    )
    assert record.sections == (("TITLE", 0, 2), ("INTRO", 3, 5))
    assert record.meta == {
        "passage1.type": "front",
        "passage2.type": "paragraph",
        "passage2.section": "1",
    }


def test_read_bioc_xml_two_passages_without_name_are_title_and_abstract(tmp_path):
    record = read_passages(tmp_path, passage(0, "ab"), passage(3, "cd"))
    assert record.sections == (("title", 0, 2), ("abstract", 3, 5))


def test_read_bioc_xml_sentences(tmp_path):
    sentence = "<sentence><offset>{}</offset><text>{}</text>{}</sentence>"
    text = (
        "<passage><offset>0</offset>"
        + sentence.format(0, "One.", annotation(0, 3, "One"))
        + sentence.format(6, "Two.", annotation(6, 3, "Two"))
        + "</passage>"
    )
    record = read_passages(tmp_path, text)
    assert record.text == "One.  Two."
    assert record.sentence_starts == (0, 6)
    assert [mention.text for mention in record.mentions] == ["One", "Two"]


def test_read_bioc_xml_sentences_of_a_passage_with_text(tmp_path):
    text = (
        "<passage><offset>2</offset><text>One. Two.</text><sentence><offset>2</offset></sentence>"
        "<sentence><offset>7</offset><text>{}</text></sentence></passage>"
    )
    record = read_passages(tmp_path, text.format("Two."))
    assert (record.text, record.sentence_starts) == ("  One. Two.", (2, 7))
    with pytest.raises(CorpusError, match=r"found 'Two.' .* at the offset of sentence 2"):
        read_passages(tmp_path, text.format("Three."))


@pytest.mark.parametrize(
    ("pairs", "ids", "attributes"),
    [
        ({"identifier": "D1|D2"}, ("D1", "D2"), ()),
        ({"identifier": "-1"}, (), ()),
        ({"identifier": "26413,26417"}, ("26413", "26417"), ()),
        ({"MESH": "D007674|D008107"}, ("D007674", "D008107"), ()),
        ({"OMIM": "300322"}, ("OMIM:300322",), ()),
        ({"OMIM": "OMIM:300322"}, ("OMIM:300322",), ()),
        ({"NCBI Gene": "673"}, ("673",), ()),
        ({"NCBI_Taxonomy": "9606"}, ("9606",), ()),
        ({"normalized_id": "3920"}, ("3920",), ()),
        (
            {"normalized_id": "3920", "identifier": "MESH:D003920"},
            ("MESH:D003920",),
            (("normalized_id", "3920"),),
        ),
        ({"concept_id.1": "a|b", "concept_id.2": "-1"}, ("a|b", "-1"), ()),
        ({"z": "1", "a": "", "MESH": "-"}, (), (("a", ""), ("z", "1"))),
    ],
)
def test_read_bioc_xml_concept_ids_and_attributes(tmp_path, pairs, ids, attributes):
    (mention,) = read_annotation(tmp_path, annotation(infons=infons(type="Disease", **pairs)))
    assert (mention.concept_ids, mention.attributes) == (ids, attributes)


@pytest.mark.parametrize(
    ("places", "fragments"),
    [([(0, 5)], ()), ([(18, 7), (0, 5)], ((0, 5), (18, 25))), ([(5, 4), (0, 5)], ())],
)
def test_read_bioc_xml_locations(tmp_path, places, fragments):
    locations = "".join(f"<location offset='{at}' length='{size}'/>" for at, size in places)
    text = f"<annotation id='0'>{infons(type='A')}{locations}<text>x</text></annotation>"
    (mention,) = read_annotation(tmp_path, text)
    assert mention.fragments == fragments
    assert (mention.start_char, mention.end_char) == (0, max(at + size for at, size in places))


@pytest.mark.parametrize(
    ("places", "claim", "fragments"),
    [
        # TITLE is "Renal and hepatic failure."
        ([(18, 7), (0, 5)], "failure Renal", ((0, 5), (18, 25))),
        ([(0, 5), (18, 7)], "failure Renal", ((0, 5), (18, 25))),
        ([(0, 9), (6, 11)], "Renal and and hepatic", ()),
        ([(10, 7), (0, 9), (6, 4)], "hepatic Renal and and ", ()),
    ],
)
@pytest.mark.parametrize("kind", READERS)
def test_claims_of_locations_in_any_order_fit(tmp_path, kind, places, claim, fragments):
    found = "".join(f"<location offset='{a}' length='{b}'/>" for a, b in places)
    body = f"<annotation id='0'><infon key='type'>D</infon>{found}<text>{claim}</text></annotation>"
    (record,) = read_xml(tmp_path, document(TITLE.format(annotations=body)))
    (mention,) = record.mentions
    assert (mention.fragments, why_lost(mention, record.text)) == (fragments, "")
    path = tmp_path / f"again.{kind}"
    WRITERS[kind]([record], path)
    (again,) = READERS[kind](path)
    assert reduce_record(again, FEATURES) == reduce_record(record, FEATURES)


def test_read_bioc_xml_keeps_nested_annotations(tmp_path):
    mentions = read_annotation(tmp_path, annotation(), annotation(0, 17, "Renal and hepatic"))
    assert [(mention.start_char, mention.end_char) for mention in mentions] == [(0, 5), (0, 17)]


def test_read_bioc_xml_leaves_individual_mentions_out_unless_asked(tmp_path):
    composite = annotation(0, 25, "x", infons(type="D", CompositeRole="CompositeMention"))
    part = annotation(0, 5, "x", infons(type="D", CompositeRole="IndividualMention"))
    text = TITLE.format(annotations=composite + part)
    record = read_passages(tmp_path, text)
    assert [mention.end_char for mention in record.mentions] == [25]
    assert record.reading_notes == {"individual_mentions_skipped": 1}
    record = read_passages(tmp_path, text, individual_mentions=True)
    assert [mention.end_char for mention in record.mentions] == [25, 5]
    assert record.meta == {}


def test_read_bioc_xml_counts_relations_and_unplaced_annotations(tmp_path):
    relation = "<relation id='R0'><infon key='type'>CID</infon></relation>"
    index = f"<annotation id='1'>{infons(type='MeSH')}<text/></annotation>"
    record = read_passages(tmp_path, TITLE.format(annotations=index + relation), relation)
    assert record.mentions == ()
    assert record.reading_notes == {"relations_skipped": 2, "notes_skipped": 1}


def test_read_bioc_xml_document_infons_and_annotations(tmp_path):
    more = infons(journal="J", year="")
    text = document(passage(0, "Renal"), annotation(), name="12", more=more)
    (record,) = read_xml(tmp_path, text)
    assert record.meta == {"journal": "J", "year": ""}
    assert [mention.text for mention in record.mentions] == ["Renal"]


def test_read_bioc_xml_joins_text_around_comments_and_sections(tmp_path):
    text = passage(0, "a<!-- b -->c<?d e?>f<![CDATA[<&]]>&lt;&#233;")
    assert read_passages(tmp_path, text).text == "acf<&<é"


def test_read_bioc_xml_lines_of_mentions_count_beyond_the_limit_of_libxml2(tmp_path):
    text = TITLE.format(annotations="\n" * 70_000 + annotation())
    assert read_passages(tmp_path, text).mentions[0].line == 70_003


ENTITIES = {
    "billion laughs": (
        b'<!DOCTYPE collection [<!ENTITY a "ha">\n<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
        b"&c;",
    ),
    "file": (b'<!DOCTYPE collection [<!ENTITY a SYSTEM "file:///etc/passwd">]>', b"&a;"),
    "parameter": (b'<!DOCTYPE collection [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>', b""),
    "unparsed": (
        b'<!DOCTYPE collection [<!NOTATION n SYSTEM "n"><!ENTITY a SYSTEM "x" NDATA n>]>',
        b"",
    ),
}
BODY = b"<collection><document><id>1</id><passage><offset>0</offset><text>%b</text></passage>"
END = b"</document></collection>"


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_read_bioc_xml_refuses_declared_entities(tmp_path, name):
    declaration, use = ENTITIES[name]
    path = save(tmp_path, b"<?xml version='1.0'?>\n" + declaration + BODY % use + END)
    with pytest.raises(CorpusError, match=r"xml:2: found a declaration of the entity 'a'"):
        list(read_bioc_xml(path))
    with pytest.raises(CorpusError, match="found a declaration of the entity 'a'"):
        list(read_bioc_xml(path, problems=ReadErrors()))


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"<!DOCTYPE collection SYSTEM 'file:///etc/passwd'>", "the unknown entity 'a'"),
        (b"", "undefined entity"),
    ],
)
def test_read_bioc_xml_refuses_unknown_entities(tmp_path, start, message):
    with pytest.raises(CorpusError, match=message):
        list(read_bioc_xml(save(tmp_path, start + BODY % b"&a;" + END)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"])
def test_read_bioc_xml_refuses_other_encodings_with_or_without_entities(tmp_path, encoding):
    declaration = f"<?xml version='1.0' encoding='{encoding}'?>"
    text = declaration + '<!DOCTYPE collection [<!ENTITY a "b">]>' + (BODY % b"&a;" + END).decode()
    with pytest.raises(CorpusError, match=r"xml:1: found .*, expected"):
        list(read_bioc_xml(save(tmp_path, text.encode(encoding))))
    # UTF-7 can also hide a declaration behind characters that are harmless in ASCII.
    hidden = declaration + "+ADwAIQ-DOCTYPE collection [+ADwAIQ-ENTITY a 'b'+AD4AXQA+-"
    with pytest.raises(CorpusError, match=r"xml:1: found encoding"):
        list(read_bioc_xml(save(tmp_path, hidden)))


def test_read_bioc_xml_refuses_an_encoding_that_is_declared_but_not_used(tmp_path):
    text = b"<?xml version='1.0' encoding='ISO-8859-1'?>" + BODY % b"\xe9" + END
    with pytest.raises(CorpusError, match="found encoding 'ISO-8859-1', expected UTF-8"):
        list(read_bioc_xml(save(tmp_path, text)))


def test_read_bioc_xml_skips_the_dtd_of_published_files_and_takes_bom(tmp_path):
    text = b"\xef\xbb\xbf<!DOCTYPE collection SYSTEM 'BioC.dtd'>" + BODY % b"\xc3\xa9" + END
    assert next(read_bioc_xml(save(tmp_path, text))).text == "é"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, r"malformed XML \(no element found\)"),
        ("\n\n<collection>\n<document>", 4, r"malformed XML \(no element found\)"),
        ("<collection>\n</document>", 2, "mismatched tag"),
        ("{}", 1, "malformed XML"),
        ("\n<html/>", 2, "found <html> as the root, expected <collection>"),
        ("<collection>\n</collection>", 1, "found no document"),
        (f"<collection>\n{'<document>' * 300}", 2, "Excessive depth|no element found"),
        ("<collection>\n<document></document></collection>", 2, "<document> without <id>"),
        (
            "<collection><document><id>1</id>\n<passage></passage></document></collection>",
            2,
            "<passage> without <offset>",
        ),
        (
            "<collection><document><id>1</id>\n<passage><offset>-1</offset></passage>"
            "</document></collection>",
            2,
            "found offset '-1' of <passage>, expected a number",
        ),
        (
            "<collection><document><id>1</id>\n<passages></passages></document></collection>",
            1,
            "found <passages> in <document>",
        ),
        (
            "<collection><document><id>1</id><id>2</id></document></collection>",
            1,
            "found a second <id> in <document>",
        ),
        (
            "<collection><document><id>1</id><infon>x</infon></document></collection>",
            1,
            "found <infon> in <document> without `key`",
        ),
        (
            "<collection><document><id>1<b/></id></document></collection>",
            1,
            "found <b> in <id>, expected text",
        ),
    ],
)
def test_read_bioc_xml_names_place_of_what_is_wrong(tmp_path, text, line, message):
    path = save(tmp_path, text)
    with pytest.raises(CorpusError, match=message) as caught:
        list(read_bioc_xml(path))
    assert (caught.value.path, caught.value.line) == (str(path), line)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (annotation(start="x"), "found offset 'x' in <location>"),
        (annotation(length="9" * 5000), "found length '999"),
        (annotation(length="-1"), "found length '-1'"),
        (annotation(infons=""), "found annotation '0' without infon `type`"),
        (annotation(text="<b/>"), "found <b> in <text>"),
        (annotation(infons="<passage/>"), "found <passage> in <annotation>"),
    ],
)
def test_read_bioc_xml_skips_malformed_annotations_when_lenient(tmp_path, found, message):
    with pytest.raises(CorpusError, match=f"xml:3: {message}"):
        read_annotation(tmp_path, found)
    problems = ReadErrors()
    mentions = read_annotation(tmp_path, found, annotation(), problems=problems)
    assert [(mention.text, mention.line) for mention in mentions] == [("Renal", 5)]
    assert problems.skipped == {"annotation": 1}


def test_lenient_read_bioc_xml_skips_document_and_broken_end(tmp_path):
    good = document(passage(0, "ab"))
    bad = document(passage("x", "ab"))
    problems = ReadErrors()
    text = f"<collection>{good}{bad}{good}<document><id>7"
    records = list(read_bioc_xml(save(tmp_path, text), problems=problems))
    assert [record.text for record in records] == ["ab", "ab"]
    assert problems.skipped == {"document": 1, "file": 1}


JSON_DOCUMENT = {
    "id": 7,
    "infons": {"journal": "J"},
    "year": 2021,
    "passages": [
        {
            "offset": 0,
            "infons": {"type": "title"},
            "text": "Renal failure",
            "annotations": [
                {
                    "id": 0,
                    "infons": {"type": "Disease", "identifier": "D1", "valid": True, "n": None},
                    "text": "Renal",
                    "locations": [{"offset": 0, "length": 5}],
                }
            ],
            "relations": [{"id": "R"}],
        }
    ],
    "relations": [{"id": "R"}],
}
JSON_RECORD = Record(
    "7",
    "Renal failure",
    (Mention(0, 5, "Disease", "Renal", ("D1",), attributes=(("n", ""), ("valid", "true"))),),
    sections=(("title", 0, 13),),
    meta={"journal": "J", "year": "2021"},
    reading_notes={"relations_skipped": 2},
)


def without_lines(record):
    return replace(record, mentions=tuple(replace(m, line=None) for m in record.mentions))


@pytest.mark.parametrize(
    "value",
    [
        {"source": "", "infons": {}, "documents": [JSON_DOCUMENT] * 2, "key": "x"},
        {"PubTator3": [JSON_DOCUMENT] * 2},
        [JSON_DOCUMENT] * 2,
        [{"documents": [JSON_DOCUMENT] * 2}],
        "\n".join([json.dumps(JSON_DOCUMENT)] * 2),
    ],
)
def test_read_bioc_json_takes_collections_lists_and_lines(tmp_path, value):
    records = [without_lines(record) for record in read_json(tmp_path, value)]
    assert records == [JSON_RECORD, JSON_RECORD]


def test_read_bioc_json_takes_one_document(tmp_path):
    (record,) = read_json(tmp_path, "\n" + json.dumps(JSON_DOCUMENT, indent=1))
    assert without_lines(record) == JSON_RECORD
    assert record.mentions[0].line == 2


def changed(**more):
    return {"documents": [{**JSON_DOCUMENT, **more}]}


def in_passage(**more):
    return changed(passages=[{**JSON_DOCUMENT["passages"][0], **more}])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "found an empty file"),
        ("{}", "found no key 'documents'"),
        ('{"documents": []}', "found no document"),
        ('{"documents": [1]}', "found '1' as a document"),
        ('{"documents": [{}]}', "found a document without a text or number as `id`"),
        ('{"documents": [{"id": "1"}]}', "found a document without `passages`"),
        (changed(passages={}), "found `passages` that is no list"),
        (changed(id=True), "as `id`"),
        (changed(infons=[]), "as infons"),
        (changed(passages=[1]), "expected an object"),
        (in_passage(offset="x"), "found offset 'x'"),
        (in_passage(offset=None), "found offset 'None'"),
        (in_passage(offset=10**10), "found offset '10000000000'"),
        (in_passage(text=1), "found `text` that is no text"),
        (in_passage(text="\ud800"), "found half a character"),
        (in_passage(annotations=[1]), "found '1' as an annotation"),
        (in_passage(annotations=[{"infons": 1}]), "with '1' as `infons`"),
        (in_passage(annotations=[{"locations": [{"offset": 0}]}]), "with length ''"),
        ('{"passages": [' + "[" * 100_000, "nested too deeply|cannot go on"),
        (b'{"documents": [{"id": "\xff"}]}', "found byte 0xff"),
    ],
)
def test_read_bioc_json_names_what_is_wrong(tmp_path, value, message):
    with pytest.raises(CorpusError, match=message) as caught:
        read_json(tmp_path, value)
    assert (caught.value.path, caught.value.line) == (str(tmp_path / "corpus.bioc.json"), 1)


def test_lenient_read_bioc_json_skips_annotations_documents_and_the_rest(tmp_path):
    problems = ReadErrors()
    good = JSON_DOCUMENT["passages"][0]["annotations"][0]
    first = in_passage(annotations=[1, good, {"infons": {}, "locations": []}])["documents"][0]
    text = json.dumps({"documents": [first, {}]})[:-2] + ", {]"
    records = read_json(tmp_path, text, problems=problems)
    assert [len(record.mentions) for record in records] == [1]
    assert records[0].reading_notes["notes_skipped"] == 1
    assert problems.skipped == {"annotation": 1, "document": 1, "file": 1}


def test_read_bioc_json_long_strings_without_end_do_not_hang(tmp_path):
    with pytest.raises(CorpusError):
        read_json(tmp_path, '{"a' + '\\"' * 40_000)


RECORDS = [
    Record(
        "12",
        "Acute renal failure. It was\r\n fatal\tin α 🐀.  ",
        (
            Mention(0, 19, "Disease", "Acute renal failure", ("D1", "D2")),
            Mention(6, 11, "", "RENAL", ("c|SUB|G|1201|C", "-1", "a,b"), attributes=(("b", "1"),)),
            Mention(0, 19, "Sign", "Acute failure", ("S1",), fragments=((0, 5), (12, 19))),
            Mention(6, 11, "A", "renal", attributes=(("n", "1"), ("a", "2"), ("a", "2"))),
            Mention(6, 11, "A", "renal", attributes=(("MESH", "1"), ("type", "2"))),
            Mention(6, 11, "A", "renal", ("D1",), attributes=(("MESH", "1"), ("x & <y>", "\n"))),
            Mention(21, 23, "A", "It"),
            Mention(18, 23, "Crossing", "e. It"),
            Mention(0, 5, "A", "Acute"),
            Mention(0, 5, "A", "Acute"),
            Mention(90, 95, "Beyond", "x"),
        ),
        sections=(("title", 0, 20), ("abstract", 21, 40), ("", 40, 40)),
        sentence_starts=(0, 21, 24),
        meta={"journal": " J\t", "passage1.type": "front", "passage9.x": "y", "passage2.z": "<"},
    ),
    Record("", ""),
    Record("x", "a b", sections=(("all", 0, 3), ("part", 0, 1)), sentence_starts=(1, 3)),
    Record("y", "  ab  cd", sections=(("one", 2, 4), ("e", 5, 5), ("two", 6, 8), ("end", 8, 8))),
    Record("z", "ab cd  ", sections=(("one", 3, 5),), sentence_starts=(0,)),
    Record("u", "abcd", meta={"passage1.type": "t", "passage1.section_type": "s", "passage1.": ""}),
    Record(
        "v", "a b", sections=(("one", 0, 1), ("two", 2, 3)), meta={"passage2.section_type": "s"}
    ),
    Record("w", "One. Two.", (Mention(5, 8, "A", "Two"),), sentence_starts=(0, 5)),
]


def strip(record):
    return reduce_record(record, FEATURES)


@pytest.mark.parametrize("kind", ["xml", "json"])
def test_write_bioc_gives_back_what_the_format_carries(tmp_path, kind):
    path = tmp_path / "out"
    assert WRITERS[kind](RECORDS, path) == len(RECORDS)
    found = [strip(record) for record in READERS[kind](path)]
    assert found == [reduce_record(record, CARRIES) for record in RECORDS]
    assert set(FEATURES) - CARRIES == {WORDS}


def test_write_bioc_xml_puts_sentences_and_annotations_where_they_belong(tmp_path):
    path = tmp_path / "out.xml"
    write_bioc_xml([RECORDS[-1]], path)
    assert path.read_text().splitlines()[-2:] == [
        "<document><id>w</id><passage><offset>0</offset><sentence><offset>0</offset><text>One. "
        "</text></sentence><sentence><offset>5</offset><text>Two.</text>"
        '<annotation id="0"><infon key="type">A</infon><location offset="5" length="3"/>'
        "<text>Two</text></annotation></sentence></passage></document>",
        "</collection>",
    ]


def test_write_bioc_files_are_read_by_the_library_itself(tmp_path):
    from bioc import biocjson, biocxml

    write_bioc_xml(RECORDS, tmp_path / "out.xml")
    write_bioc_json(RECORDS, tmp_path / "out.json")
    with (tmp_path / "out.xml").open("rb") as file:
        first = biocxml.load(file)
    second = biocjson.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [one.id for one in first.documents] == [one.id for one in second.documents]
    assert first.documents[-1].passages[0].sentences[1].annotations[0].text == "Two"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Record("1", "ab\x00c"), r"document '1': found character U\+0000 at offset 2 of its text"),
        (Record("1", "ab\ud800c"), r"U\+D800 at offset 2 of its text"),
        (Record("1", "ab\uffff"), r"U\+FFFF at offset 2 of its text"),
        (Record("1", "a", (Mention(0, 1, "A\x0b"),)), r"U\+000B at offset 1 of its label"),
        (Record("1", "a", meta={"k": "\x1b"}), r"U\+001B at offset 0 of its metadata 'k'"),
        (Record("1", "a", (Mention(1, 0, "A"),)), "found a mention from 1 to 0"),
        (Record("1", "a", sections=(("t", 0, 2),)), "found section 't' from 0 to 2"),
    ],
)
def test_write_bioc_xml_refuses_what_xml_cannot_hold(tmp_path, record, message):
    with pytest.raises(CorpusError, match=message):
        write_bioc_xml([RECORDS[0], record], tmp_path / "out.xml")
    assert not list(tmp_path.iterdir())


def test_write_bioc_json_holds_control_characters_but_no_half_ones(tmp_path):
    path = tmp_path / "out.json"
    write_bioc_json([Record("1", "a\x00\x1b\uffff")], path)
    assert next(read_bioc_json(path)).text == "a\x00\x1b\uffff"
    with pytest.raises(CorpusError, match=r"U\+D800 at offset 0"):
        write_bioc_json([Record("1", "\ud800")], path)


@pytest.mark.parametrize("name", ["bioc_xml", "bioc_json"])
def test_bioc_without_the_library_says_what_to_install(tmp_path, monkeypatch, name):
    module = importlib.import_module(f"spacy_bioner.corpora.formats.bioc.{name}")
    monkeypatch.setitem(sys.modules, "bioc", None)
    path = save(tmp_path, "<collection/>")
    with pytest.raises(CorpusError, match=re.escape(install_command("corpora"))):
        list(getattr(module, f"read_{name}")(path))
    with pytest.raises(CorpusError, match=re.escape(install_command("corpora"))):
        getattr(module, f"write_{name}")([], tmp_path / "out")


@pytest.mark.parametrize("read", [read_bioc_xml, read_bioc_json])
def test_read_bioc_refuses_folder_and_missing_file(tmp_path, read):
    with pytest.raises(CorpusError, match="found a folder"):
        list(read(tmp_path))
    with pytest.raises(CorpusError, match="no such file"):
        list(read(tmp_path / "absent"))


def facts(record):
    mentions = record.mentions
    return (
        record.id,
        record.text,
        record.sections,
        [(m.start_char, m.end_char, m.label, m.text, m.concept_ids) for m in mentions],
        record.reading_notes.get("relations_skipped"),
    )


def test_real_bc5cdr_is_the_same_in_pubtator_and_bioc(data_dir):
    folder = data_dir / "corpora" / "bc5cdr"
    records = list(read_bioc_xml(folder / "sample50.bioc.xml"))
    pubtator = {
        record.id: facts(record)
        for split in ("train", "dev", "test")
        for record in read_pubtator(folder / f"{split}.pubtator.txt")
    }
    assert len(records) == 50
    assert [facts(record) for record in records] == [pubtator[record.id] for record in records]
    moved = [record.id for record in records if "passage_offsets_repaired" in record.reading_notes]
    assert moved == ["2224762", "4027862", "8649546", "17466854", "19803309"]
    parts = [record.reading_notes.get("individual_mentions_skipped", 0) for record in records]
    assert sorted(parts)[-4:] == [0, 2, 4, 5]


def test_real_bc5cdr_individual_mentions_add_to_the_whole(data_dir):
    path = data_dir / "corpora" / "bc5cdr" / "sample50.bioc.xml"
    count = sum(len(record.mentions) for record in read_bioc_xml(path))
    records = list(read_bioc_xml(path, individual_mentions=True))
    assert sum(len(record.mentions) for record in records) == count + 11 == 945
    assert sum(bool(m.fragments) for record in records for m in record.mentions) == 6


@pytest.mark.parametrize(("split", "count"), [("train", 13351), ("dev", 3533), ("test", 3535)])
def test_real_biored_is_the_same_in_all_formats(data_dir, tmp_path, split, count):
    folder = data_dir / "corpora" / "biored"
    pubtator = list(map(facts, read_pubtator(folder / f"{split}.pubtator.txt")))
    xml = list(read_bioc_xml(folder / f"{split}.bioc.xml"))
    assert list(map(facts, xml)) == pubtator
    assert sum(len(record.mentions) for record in xml) == count
    if split != "train":
        assert list(map(facts, read_bioc_json(folder / f"{split}.bioc.json"))) == pubtator
    for kind, write in WRITERS.items():
        write(xml, tmp_path / kind)
        assert [strip(record) for record in READERS[kind](tmp_path / kind)] == list(map(strip, xml))
