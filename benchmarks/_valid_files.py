"""Small valid corpora: records for the writers, and files as others write them."""

import re
from typing import Dict, Tuple

from spacy_bioner.records import Mention, Record

_TEXT = "Acute renal failure after K+ loss. It was fatal in 3 of 4 α-treated rats 🐀."
_WORDS = "Heart failure ( HF ) in rats . None died ."
RECORDS = (
    Record(
        "12345",
        _TEXT,
        (
            Mention(0, 19, "Disease", "Acute renal failure", ("D058186", "D051437")),
            Mention(6, 11, "Anatomy", "renal", attributes=(("Negation", "true"),)),
            Mention(0, 19, "Sign", "Acute failure", ("S1",), fragments=((0, 5), (12, 19))),
            Mention(26, 28, "Chemical", "K+", ("D011188",)),
            Mention(58, 67, "Chemical", "α-treated"),
        ),
        sections=(("title", 0, 34), ("abstract", 35, len(_TEXT))),
    ),
    Record(
        "12346",
        _WORDS,
        (Mention(0, 13, "Disease", "Heart failure"), Mention(16, 18, "Disease", "HF")),
        words=tuple(match.span() for match in re.finditer(r"\S+", _WORDS)),
        sentence_starts=(0, 31),
    ),
    Record("12347", "Nothing here."),
)
_TEXT_FILE = b"Lasix 40 mg for CHF .\nNo chest pain .\n"
BY_HAND: Tuple[Tuple[str, Dict[str, bytes]], ...] = (
    (
        "pubtator",
        {
            "a.txt": b"1|t|Naloxone reverses\n1|a|clonidine.\n"
            b"1\t0\t8\tNaloxone\tChemical\tD009270\n1\tCID\tD1\tD2\n\n"
            b"2|t|x y\n2|a|\n2\t0\t3\tx y\tDisease\tD1|D2\tx|y\n"
        },
    ),
    (
        "conll",
        {
            "a.conll": b"-DOCSTART-\tO\n\nrenal\tB-D\nfailure\tI-D\n.\tO\n\nNaCl\tB-C\n\n"
            b"-DOCSTART-\tO\n\nx\tO\n"
        },
    ),
    ("conll", {"b.conll": b"# doc_id = 7\nNaCl NN S-C\nrenal NN B-D\ndisease NN E-D\n\n"}),
    (
        "csv",
        {
            "a.csv": b'Sentence #,Word,POS,Tag\nSentence: 1,renal,JJ,B-D\n,failure,NN,I-D\n'
            b',""",","",O\nSentence: 2,x,NN,O\n'
        },
    ),
    ("csv", {"b.csv": b"doc_id;sent;token;label\n1;1;NaCl;C\n1;1;now;O\n1;2;x;O\n2;1;a;C\n"}),
    (
        "brat",
        {
            "a.txt": b"Fever and cough.\nNo rash.\n",
            "a.ann": b"T1\tSign 0 5\tFever\nT2\tSign 10 15;20 24\tcough rash\nA1\tNegation T2\n"
            b"E1\tSign:T1 Theme:T2\nR1\tSame Arg1:T1 Arg2:T2\n#1\tAnnotatorNotes T1\tsure\n"
            b"N1\tReference T1 UMLS:C0015967\tFever\n*\tEquiv T1 T2\n",
            "b.txt": b"Nothing.",
            "b.ann": b"",
        },
    ),
    (
        "i2b2",
        {
            "txt/a.txt": _TEXT_FILE,
            "concept/a.con": b'c="lasix" 1:0 1:0||t="treatment"\nc="chf" 1:4 1:4||t="problem"\n'
            b'c="chest pain" 2:1 2:2||t="problem"\n',
        },
    ),
    (
        "jsonl",
        {
            "a.jsonl": b'{"text": "K+ loss", "spans": [{"start": 0, "end": 2, "label": "C", '
            b'"token_start": 0, "token_end": 0}], "tokens": [{"text": "K+", "start": 0, "end": 2, '
            b'"id": 0}, {"text": "loss", "start": 3, "end": 7, "id": 1}], "answer": "accept", '
            b'"meta": {"pmid": 7}}\n{"text": "none", "spans": [], "answer": "reject"}\n'
        },
    ),
    (
        "jsonl",
        {
            "b.jsonl": b'["K+ loss", {"entities": [[0, 2, "C"], [3, 7, "S"]]}]\n'
            b'["x", {"entities": []}]\n'
        },
    ),
    # spaCy's own form and doccano's at once.
    ("doccano", {"c.json": b'[{"text": "K+ loss", "entities": [[0, 2, "C"]]}, {"text": "x"}]'}),
    (
        "doccano",
        {
            "a.jsonl": b'{"id": 1, "text": "K+ loss", "label": [[0, 2, "C"]], "Comments": []}\n'
            b'{"id": 2, "text": "x", "label": []}\n'
        },
    ),
    (
        "doccano",
        {
            "b.jsonl": b'{"id": 1, "text": "K+ loss", "relations": [], "entities": [{"id": 3, '
            b'"label": "C", "start_offset": 0, "end_offset": 2}]}\n'
        },
    ),
    (
        "label_studio",
        {
            "a.json": b'[{"id": 1, "data": {"text": "K+ loss"}, "annotations": [{"id": 5, '
            b'"was_cancelled": false, "result": [{"id": "r", "type": "labels", "from_name": "l", '
            b'"to_name": "t", "value": {"start": 0, "end": 2, "text": "K+", "labels": ["C"]}}]}]}]'
        },
    ),
    (
        "label_studio",
        {
            "b.json": b'[{"id": 1, "text": "K+ loss", "annotator": 1, "label": [{"start": 0, '
            b'"end": 2, "text": "K+", "labels": ["C"]}]}]'
        },
    ),
    (
        "presidio",
        {
            "a.json": b'[{"full_text": "My name is Ann.", "masked": "My name is {{n}}.", "spans": '
            b'[{"entity_type": "PERSON", "entity_value": "Ann", "start_position": 11, '
            b'"end_position": 14}], "template_id": 3}, {"full_text": "None.", "spans": []}]'
        },
    ),
    (
        "mimic",
        {
            "a.csv": b'"ROW_ID","SUBJECT_ID","HADM_ID","CATEGORY","ISERROR","TEXT"\n'
            b'1,22,33,"Nursing","","History:\nNone.\n\nPlan: ""go"" home"\n2,22,,"ECG","1","x"\n'
        },
    ),
    (
        "bioc_xml",
        {
            "a.xml": b'<?xml version="1.0" encoding="UTF-8"?>'
            b'<!DOCTYPE collection SYSTEM "BioC.dtd">'
            b"<collection><source>s</source><date>d</date><key>k</key><document><id>1</id><passage>"
            b'<infon key="type">title</infon><offset>0</offset><text>K+ loss</text>'
            b'<annotation id="0"><infon key="type">C</infon><infon key="identifier">D1</infon>'
            b'<location offset="0" length="2"/><text>K+</text></annotation></passage><passage>'
            b"<offset>8</offset><sentence><offset>8</offset><text>In rats.</text></sentence>"
            b"</passage></document></collection>"
        },
    ),
    (
        "bioc_json",
        {
            "a.json": b'{"source": "s", "date": "", "key": "", "infons": {}, "documents": [{"id": '
            b'"1", "infons": {}, "passages": [{"offset": 0, "infons": {"type": "title"}, "text": '
            b'"K+ loss", "sentences": [], "annotations": [{"id": "0", "infons": {"type": "C", '
            b'"identifier": "D1"}, "text": "K+", "locations": [{"offset": 0, "length": 2}]}], '
            b'"relations": []}], "annotations": [], "relations": []}]}'
        },
    ),
    (
        "bionlp",
        {
            "a.txt": b"Aspirin helps rats.\n",
            "a.a1": b"T1\tChemical 0 7\tAspirin\nT2\tSpecies 14 18\trats\n",
            "a.a2": b"T3\tHelp 8 13\thelps\nE1\tHelp:T3 Theme:T1\n",
        },
    ),
    (
        "conllu",
        {
            "a.conllu": b"# newdoc id = a\n# text = Aspirin-like drug.\n"
            b"1\tAspirin\taspirin\tNOUN\tNN\t_\t3\tobj\t_\tSpaceAfter=No|NER=B-C\n"
            b"2\t-like\tlike\tADJ\tJJ\t_\t3\tamod\t_\tNER=I-C\n"
            b"3\tdrug\tdrug\tNOUN\tNN\t_\t0\troot\t_\tSpaceAfter=No|NER=O\n"
            b"4\t.\t.\tPUNCT\t.\t_\t3\tpunct\t_\tNER=O\n\n"
        },
    ),
    ("iob", {"a.iob": b"I|PRP|O took|VBD|O K+|NN|B-C salts|NNS|I-C .|.|O\nNone|NN|O .|.|O\n"}),
    (
        "json_tokens",
        {
            "a.jsonl": b'{"id": "1", "tokens": ["K+", "loss"], "ner_tags": ["B-C", "O"]}\n'
            b'{"id": "2", "tokens": ["x"], "ner_tags": ["O"]}\n'
        },
    ),
    ("json_tokens", {"b.json": b'[{"tokenized_text": ["K+", "loss"], "ner": [[0, 0, "C"]]}]'}),
    (
        "spacy_v2",
        {
            "a.json": b'[{"id": 0, "paragraphs": [{"raw": "K+ loss", "sentences": [{"tokens": ['
            b'{"id": 0, "orth": "K+", "ner": "U-C"}, {"id": 1, "orth": "loss", "ner": "O"}], '
            b'"brackets": []}]}]}]'
        },
    ),
    (
        "bigbio",
        {
            "a.json": b'[{"id": "0", "document_id": "d1", "passages": [{"id": "0-1", "type": '
            b'"title", "text": ["K+ loss"], "offsets": [[0, 7]]}], "entities": [{"id": "T1", '
            b'"type": "C", "text": ["K+"], "offsets": [[0, 2]], "normalized": [{"db_name": "MESH", '
            b'"db_id": "D011188"}]}], "events": [], "coreferences": [], "relations": []}]'
        },
    ),
    (
        "uima_cas",
        {
            "a.json": b'{"%TYPES": {}, "%FEATURE_STRUCTURES": [{"%ID": 1, "%TYPE": "uima.cas.Sofa",'
            b' "sofaNum": 1, "sofaString": "K+ loss"}, {"%ID": 2, "%TYPE": '
            b'"de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity", "@sofa": 1, "begin": 0, '
            b'"end": 2, "value": "C"}], "%VIEWS": {}}'
        },
    ),
    (
        "europepmc",
        {
            "a.json": b'[{"source": "MED", "extId": "1", "annotations": [{"prefix": "We gave ", '
            b'"exact": "K+", "postfix": " to rats", "type": "Chemicals"}]}]'
        },
    ),
    (
        "span_table",
        {
            "a.csv": b'id,text,label\n1,"K+ loss, then none","[{""start"": 0, ""end"": 2, '
            b'""labels"": [""C""]}]"\n2,x,[]\n'
        },
    ),
    (
        "standoff",
        {
            "a.tsv": b"id\tstart\tend\tlabel\tmention\n1\t0\t2\tC\tK+\n1\t3\t7\tS\tloss\n",
            "1.txt": b"K+ loss\n",
        },
    ),
)  # fmt: skip
