import pytest
import spacy
from spacy.tokens import Doc, Span

NAMES = {Doc: ("abbreviations",), Span: ("long_form", "kb_ents", "concepts")}


@pytest.fixture
def nlp():
    """A blank pipeline; nobody has defined the attributes, and they are gone afterwards."""

    def clear():
        for kind, names in NAMES.items():
            for name in names:
                if kind.has_extension(name):
                    kind.remove_extension(name)

    clear()
    yield spacy.blank("en")
    clear()


@pytest.fixture
def scispacy_nlp(nlp):
    """A blank pipeline with the attributes as scispaCy defines them."""
    Doc.set_extension("abbreviations", default=[], force=True)
    Span.set_extension("long_form", default=None, force=True)
    Span.set_extension("kb_ents", default=[], force=True)
    return nlp
