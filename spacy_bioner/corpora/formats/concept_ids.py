"""The concept ids of a mention, as PubTator and BioC write them in one column or infon."""

import re
from functools import lru_cache
from typing import Iterator, Optional, Sequence, Tuple

_BARS = re.compile(r"[|,]")
_TAXON = re.compile(r"\(tax:\d+\)", re.IGNORECASE)
# tmVar writes a sequence variant as level|kind|position|…, the level being a small letter or empty,
# with commas between several residues: bars and commas belong to the identifier.
_VARIANT = re.compile(r"(?:tmVar:)?(?:[a-z]\||\|(?:[A-Z]\w*)?\|)")
# tmVar adds what it knows of a variant: ";Gene:3577;RS#:2234671;VariantGroup:0".
_VARIANT_NOTES = re.compile(
    r";(?:(?:Corresponding)?(?:Gene|Disease|Species)|RS#|CA#|HGVS|VariantGroup):[^;]*"
)
_NO_CONCEPT = frozenset(("", "-", "-1"))


# A corpus names the same concepts over and over.
@lru_cache(maxsize=1 << 14)
def split_concept_ids(column: str) -> Tuple[str, ...]:
    """Split the identifier column of a mention.

    Separators are `|`, `;` and `,`. `A+B` stays one identifier: NCBI-disease writes one concept
    that needs both so. So does a sequence variant ("p|SUB|V|600|E", "c||IVS10+4|G",
    "p|S,A|290,291||FS"): it ends at a `;` only. `(Tax:9606)` behind a gene is dropped, and so is
    what tmVar adds to a variant (`;VariantGroup:0`); "-1", "-" and "" name no concept.
    """
    return tuple(_split(_VARIANT_NOTES.sub("", column.strip())))


def join_concept_ids(ids: Sequence[str]) -> Optional[str]:
    """Write identifiers into one column, from which the same are read; None where that cannot be.

    What `split_concept_ids` gave can be written always.
    """
    # "-1" keeps what follows from being read as the rest of a variant, or as a note on it.
    guarded = (one if _VARIANT.match(one) else f"-1,{one}" for one in ids)
    for column in ("|".join(ids), ";".join(ids), ";".join(guarded)):
        if split_concept_ids(column) == tuple(ids):
            return column
    return None


def split_kb_id(joined: str) -> Tuple[str, ...]:
    """Split the identifiers that a span has in `kb_id_`, joined by bars; a variant is one."""
    if _VARIANT.match(joined):
        return (joined,)
    return tuple(part for part in joined.split("|") if part)


def _split(column: str) -> Iterator[str]:
    for piece in map(str.strip, column.split(";")):
        if _VARIANT.match(piece):
            yield piece
            continue
        for part in _BARS.split(piece):
            while (bare := _TAXON.sub("", part).strip()) != part:
                part = bare
            if part not in _NO_CONCEPT:
                yield part
