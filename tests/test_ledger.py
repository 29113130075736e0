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
from spacy_bioner.ledger import (
    ABBREVIATIONS_KEY,
    CONTEXT_KEY,
    COORDINATION_KEY,
    LEDGER_KEY,
    REJECTIONS_KEY,
    SECTIONS_KEY,
    register_extensions,
)

DOC_NAMES = [LEDGER_KEY, REJECTIONS_KEY, ABBREVIATIONS_KEY, SECTIONS_KEY, CONTEXT_KEY]
DOC_NAMES += [COORDINATION_KEY]
SPAN_NAMES = ["confidence", "source", "evidence", "fragments", "context", "experiencer"]
SPAN_NAMES += ["negated", "uncertain", "historical", "family", "hypothetical"]
TEXT = "The right atrium (RA) was large. Aspirin, no acute kidney injury (AKI); RA fell, "
TEXT += "hepatitis B and C viruses."


@pytest.fixture(scope="module")
def doc(bioner_config):
    nlp = spacy.blank("en", config=bioner_config)
    nlp.add_pipe("bioner_gazetteer", config={"confidence": 0.7}).add_patterns(
        [
            {"label": "DISEASE", "pattern": "RA", "id": "MESH:D001172"},
            {"label": "CHEMICAL", "pattern": "Aspirin", "id": "MESH:D001241"},
            {"label": "DISEASE", "pattern": "acute kidney injury", "id": "MESH:D058186"},
            {"label": "DISEASE", "pattern": "hepatitis B", "id": "MESH:D006509"},
        ]
    )
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_confidence", config={"source": "bioner_gazetteer", "temperature": 2.0})
    nlp.add_pipe("bioner_overlaps")
    nlp.add_pipe("bioner_context")
    nlp.add_pipe("bioner_coordination")
    return nlp(TEXT)


def test_values_of_a_doc_leave_as_json(doc):
    data = json.loads(json.dumps(doc.to_json(underscore=DOC_NAMES)))["_"]
    assert [row["long_text"] for row in data[ABBREVIATIONS_KEY]] == [
        "right atrium",
        "acute kidney injury",
    ]
    assert [(row["start_char"], row["source"], row["concept_id"]) for row in data[LEDGER_KEY]] == [
        (18, "bioner_gazetteer", "MESH:D001172"),
        (33, "bioner_gazetteer", "MESH:D001241"),
        (45, "bioner_gazetteer", "MESH:D058186"),
        (66, "bioner_abbreviations", "MESH:D058186"),
        (72, "bioner_gazetteer", "MESH:D001172"),
        (81, "bioner_gazetteer", "MESH:D006509"),
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
    register_extensions()
    mine = [
        {name for name, values in extensions.items() if "spacy_bioner" in str(values[2].__module__)}
        for extensions in (
            {name: v for name, v in state.items() if v[2]} for state in Underscore.get_state()
        )
    ]
    # Those of the linker need a store: components/test_linker.py has them.
    of_linker = [set(), {"concepts"}, {"bioner_concepts"}]
    covered = [set(), set(SPAN_NAMES), set(DOC_NAMES)]
    assert mine == [left | right for left, right in zip(covered, of_linker, strict=True)]


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
    "after a pipeline": (
        "import spacy\nfrom spacy.tokens import DocBin\nspacy.blank('en')\nimport spacy_bioner\n"
    ),
    "loaded again": (
        "import importlib, spacy_bioner\nimportlib.reload(spacy_bioner)\n"
        "from spacy.tokens import DocBin\nimport spacy.tokens.underscore, spacy_bioner.ledger\n"
        "importlib.reload(spacy_bioner.ledger)\nimportlib.reload(spacy_bioner)\n"
    ),
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


DEFINE = (
    "Span.set_extension('source', default='mine')\nSpan.set_extension('evidence', default=1)\n"
    "Doc.set_extension('evidence', default=2)\n"
)
ORDERS = {
    "before": f"from spacy.tokens import Doc, Span\n{DEFINE}import spacy_bioner, spacy\n",
    "after": f"import spacy_bioner, spacy\nfrom spacy.tokens import Doc, Span\n{DEFINE}",
    "after a pipeline of others": (
        f"import spacy\nfrom spacy.tokens import Doc, Span\nspacy.blank('en')\n{DEFINE}"
    ),
}


@pytest.mark.parametrize("order", list(ORDERS.values()), ids=list(ORDERS))
def test_attributes_of_others_stay(order):
    """A script that defines attributes of these names runs wherever this package is installed."""
    code = order + (
        "doc = spacy.blank('en')('a b')\nspan = doc[0:1]\n"
        "print(span._.source, span._.evidence, doc._.evidence, span._.confidence)\n"
        "nlp = spacy.blank('en')\nnlp.add_pipe('bioner_overlaps')\n"
        "print(span._.source, span._.evidence, span._.confidence, doc._.bioner_evidence)\n"
        "span._.source = 'set'\nprint(span._.source)\n"
    )
    assert run(code) == "mine 1 2 None\nmine 1 None []\nset\n"


def test_attributes_are_defined_once_a_component_is_there():
    code = (
        "import spacy_bioner, spacy\nfrom spacy.tokens import Span\n"
        "names = ('confidence', 'source', 'evidence')\n"
        "print([Span.has_extension(name) for name in names])\nnlp = spacy.blank('en')\n"
        "nlp.add_pipe('bioner_abbreviations')\n"
        "print([Span.has_extension(name) for name in names])\n"
    )
    assert run(code) == "[False, False, False]\n[True, True, True]\n"


def test_names_that_nobody_has_are_still_refused():
    code = (
        "import spacy_bioner, spacy\ndoc = spacy.blank('en')('a b')\n"
        "for thing, name in ((doc, 'source'), (doc[0], 'source'), (doc[0:1], 'other')):\n"
        "    try:\n        thing._.get(name)\n"
        "    except AttributeError as error:\n        print(str(error)[:6])\n"
    )
    assert run(code) == "[E046]\n[E046]\n[E046]\n"


# A frozen program has one loader for all its modules, or loaders that are classes.
FROZEN = """
import importlib.machinery, sys
from importlib.machinery import PathFinder, SourceFileLoader

class Shared:
    def create_module(self, spec):
        return None

    def exec_module(self, module):
        loaded.append(module.__name__)
        SourceFileLoader(module.__name__, module.__spec__.origin).exec_module(module)

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if name.startswith("spacy.") and isinstance(spec and spec.loader, SourceFileLoader):
            spec.loader = LOADER
        return spec

class Static:
    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        Shared().exec_module(module)

class Slotted:
    __slots__ = ()
    create_module = Shared.create_module
    exec_module = Shared.exec_module

loaded = []
"""


@pytest.mark.parametrize("loader", ["Shared()", "Static", "Slotted()"])
def test_loaders_of_frozen_programs_load_as_without_the_package(loader):
    code = FROZEN + (
        f"LOADER = {loader}\nsys.meta_path.insert(0, Finder)\n"
        "import spacy_bioner, importlib.util\nimportlib.util.find_spec('spacy.tokens')\n"
        "import spacy\nassert loaded.count('spacy.tokens') == 1\n"
        "assert 'exec_module' not in getattr(LOADER, '__dict__', {}) or LOADER is Static\n"
        "nlp = spacy.blank('en')\nnlp.add_pipe('bioner_overlaps')\n"
        "print(nlp('a b')[0:1]._.source)\n"
    )
    assert run(code) == "None\n"


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
