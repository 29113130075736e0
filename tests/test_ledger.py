"""What components leave on a Doc is read without a pipeline, and leaves as plain values."""

import json
import subprocess
import sys

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.tokens.underscore import Underscore
from spacy.vocab import Vocab

from spacy_bioner.components.abbreviations import read_abbreviations
from spacy_bioner.components.evidence import span_evidence
from spacy_bioner.components.overlaps import read_rejections
from spacy_bioner.ledger import ABBREVIATIONS_KEY, REJECTIONS_KEY

DOC_NAMES = ["evidence", REJECTIONS_KEY, ABBREVIATIONS_KEY]
SPAN_NAMES = ["confidence", "source", "evidence"]
TEXT = "The right atrium (RA) was large. Aspirin for acute kidney injury (AKI); RA fell."


@pytest.fixture(scope="module")
def doc(bioner_config):
    nlp = spacy.blank("en", config=bioner_config)
    nlp.add_pipe("bioner_gazetteer", config={"confidence": 0.7}).add_patterns(
        [
            {"label": "DISEASE", "pattern": "RA", "id": "MESH:D001172"},
            {"label": "CHEMICAL", "pattern": "Aspirin", "id": "MESH:D001241"},
            {"label": "DISEASE", "pattern": "acute kidney injury", "id": "MESH:D058186"},
        ]
    )
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_confidence", config={"source": "bioner_gazetteer", "temperature": 2.0})
    nlp.add_pipe("bioner_overlaps")
    return nlp(TEXT)


def test_values_of_a_doc_leave_as_json(doc):
    data = json.loads(json.dumps(doc.to_json(underscore=DOC_NAMES)))["_"]
    assert [row["long_text"] for row in data[ABBREVIATIONS_KEY]] == [
        "right atrium",
        "acute kidney injury",
    ]
    assert [(row["start_char"], row["source"], row["concept_id"]) for row in data["evidence"]] == [
        (18, "bioner_gazetteer", "MESH:D001172"),
        (33, "bioner_gazetteer", "MESH:D001241"),
        (45, "bioner_gazetteer", "MESH:D058186"),
        (66, "bioner_abbreviations", "MESH:D058186"),
        (72, "bioner_gazetteer", "MESH:D001172"),
    ]
    assert {row["reason"] for row in data[REJECTIONS_KEY]} == {
        "short form of 'right atrium', which is no entity"
    }


def test_values_of_a_span_are_plain(doc):
    for ent in doc.ents:
        values = {name: ent._.get(name) for name in SPAN_NAMES}
        assert json.loads(json.dumps(values)) == values
        assert values["evidence"] == [dict(vars(entry)) for entry in span_evidence(ent)]
    assert 0.5 < doc.ents[0]._.confidence < 0.7


def test_every_attribute_of_the_package_is_covered():
    """One that is added later needs a place in these tests."""
    mine = [
        {name for name, values in extensions.items() if "spacy_bioner" in str(values[2].__module__)}
        for extensions in (
            {name: v for name, v in state.items() if v[2]} for state in Underscore.get_state()
        )
    ]
    assert mine == [set(), set(SPAN_NAMES), set(DOC_NAMES)]


def test_values_are_copies(doc):
    for name in DOC_NAMES:
        before = doc._.get(name)
        for row in doc._.get(name):
            row.clear()
        assert doc._.get(name) == before != []
    doc.ents[0]._.evidence[0].clear()
    assert doc.ents[0]._.source == "bioner_gazetteer"


def test_json_brings_everything_back(doc):
    data = json.loads(json.dumps(doc.to_json(underscore=DOC_NAMES)))
    copy = Doc(Vocab()).from_json(data)
    assert copy.to_json(underscore=DOC_NAMES) == data
    assert [ent._.source for ent in copy.ents] == [ent._.source for ent in doc.ents]
    assert read_abbreviations(copy) == read_abbreviations(doc)
    assert read_rejections(copy) == read_rejections(doc)


IMPORTS = {
    "spacy first": "import spacy\nfrom spacy.tokens import DocBin\nimport spacy_bioner\n",
    "package first": "import spacy_bioner\nfrom spacy.tokens import DocBin\n",
    "package alone": (
        "import sys\nimport spacy_bioner\nassert 'spacy' not in sys.modules\n"
        "n = len(sys.meta_path)\nfrom spacy.tokens import DocBin\nassert len(sys.meta_path) < n\n"
    ),
    "asked before": (
        "import importlib.util\nimport spacy_bioner\nimportlib.util.find_spec('spacy.tokens')\n"
        "from spacy.tokens import DocBin\n"
    ),
    "no package": "import spacy\nfrom spacy.tokens import DocBin\nspacy.blank('en')\n",
}
READ = """
import json, sys
from spacy.vocab import Vocab
doc = next(DocBin().from_disk(sys.argv[1]).get_docs(Vocab()))
print(json.dumps([[e._.source, e._.confidence, e._.evidence] for e in doc.ents]))
print(json.dumps(doc.to_json(underscore=sys.argv[2:])["_"]))
"""


@pytest.mark.parametrize("imports", list(IMPORTS.values()), ids=list(IMPORTS))
def test_a_process_that_only_reads(doc, tmp_path, imports):
    path = tmp_path / "evidence.spacy"
    DocBin(store_user_data=True, docs=[doc]).to_disk(path)
    command = [sys.executable, "-c", imports + READ, str(path), *DOC_NAMES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    of_ents, of_doc = map(json.loads, done.stdout.splitlines())
    assert of_ents == [[e._.source, e._.confidence, e._.evidence] for e in doc.ents]
    assert of_doc == doc.to_json(underscore=DOC_NAMES)["_"]


def test_attributes_of_others_stay():
    code = (
        "from spacy.tokens import Doc, Span\n"
        "Span.set_extension('source', default='mine')\nDoc.set_extension('evidence', default=1)\n"
        "import spacy_bioner, spacy\ndoc = spacy.blank('en')('a b')\n"
        "print(doc[0:1]._.source, doc._.evidence, doc[0:1]._.evidence)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "mine 1 []\n"
