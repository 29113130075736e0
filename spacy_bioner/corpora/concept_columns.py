"""The concept ids of a mention, as PubTator and BioC write them in one column or infon."""

import re
from typing import Tuple

_SEPARATORS = re.compile(r"[|;,]")
_TAXON = re.compile(r"\(tax:\d+\)", re.IGNORECASE)
# BioRED writes a sequence variant as kind|change|position|…: the bars belong to the identifier.
_VARIANT = re.compile(r"(?:tmVar:)?(?:[a-z]?\|[A-Z]\w*\||[a-z]\|[A-Z]{3,}\d)")
# tmVar adds what it knows of a variant: ";Gene:3577;RS#:2234671;VariantGroup:0".
_VARIANT_NOTES = re.compile(
    r";(?:(?:Corresponding)?(?:Gene|Disease|Species)|RS#|CA#|HGVS|VariantGroup):[^;]*"
)
_NO_CONCEPT = frozenset(("", "-", "-1"))


def split_concept_ids(column: str) -> Tuple[str, ...]:
    """Split the identifier column of a mention.

    Separators are `|`, `;` and `,`. `A+B` stays one identifier: NCBI-disease writes one concept
    that needs both so. `(Tax:9606)` behind a gene is dropped, and so is what tmVar adds to a
    variant (`;VariantGroup:0`); "-1", "-" and "" name no concept.
    """
    column = _VARIANT_NOTES.sub("", column.strip())
    if _VARIANT.match(column):
        return (column,)
    parts = (_TAXON.sub("", part).strip() for part in _SEPARATORS.split(column))
    return tuple(part for part in parts if part not in _NO_CONCEPT)
