"""Corpora in any format: reading, writing, and gold mentions on the tokens of a Doc."""

from typing import TYPE_CHECKING

from spacy_bioner.public_names import offer_names

if TYPE_CHECKING:
    from spacy_bioner.corpora.alignment import Alignment as Alignment
    from spacy_bioner.corpora.alignment import align as align
    from spacy_bioner.corpora.docbin import read_docbin as read_docbin
    from spacy_bioner.corpora.formats.declaration import Format as Format
    from spacy_bioner.corpora.formats.registry import FORMATS as FORMATS
    from spacy_bioner.corpora.formats.tagged.conll import ConllLayout as ConllLayout
    from spacy_bioner.corpora.labels import LabelMap as LabelMap
    from spacy_bioner.corpora.labels import list_label_maps as list_label_maps
    from spacy_bioner.corpora.labels import load_label_map as load_label_map
    from spacy_bioner.corpora.read_write import Selection as Selection
    from spacy_bioner.corpora.read_write import read_corpus as read_corpus
    from spacy_bioner.corpora.read_write import write_corpus as write_corpus

__getattr__, __dir__, __all__ = offer_names(
    __name__,
    {
        "alignment": ("Alignment", "align"),
        "docbin": ("read_docbin",),
        "formats.declaration": ("Format",),
        "formats.registry": ("FORMATS",),
        "formats.tagged.conll": ("ConllLayout",),
        "labels": ("LabelMap", "list_label_maps", "load_label_map"),
        "read_write": ("Selection", "read_corpus", "write_corpus"),
    },
)
