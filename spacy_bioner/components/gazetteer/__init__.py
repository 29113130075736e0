"""The component `bioner_gazetteer`: terms and patterns, found in text and written to a Doc."""

from spacy_bioner.components.gazetteer.component import Gazetteer as Gazetteer
from spacy_bioner.components.gazetteer.factory import make_gazetteer as make_gazetteer
