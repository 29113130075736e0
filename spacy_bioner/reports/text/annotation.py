"""What a run of `bioner annotate` has done, as text."""

from pathlib import Path
from typing import Iterator, Mapping


def render_annotation(
    target: Path, counts: Mapping[str, int], *, kept: int, losses: Mapping[str, int]
) -> str:
    """Render the receipt of a run.

    counts (Mapping[str, int]): Of the whole output: documents, rejected ones, entities, and what
        the pipeline read.
    kept (int): Documents that were annotated before.
    losses (Mapping[str, int]): What the format has no place for.
    RETURNS (str): Lines, the warnings among them begin with the word.
    """
    return "\n".join(_list_lines(target, counts, kept, losses))


def _list_lines(
    target: Path, counts: Mapping[str, int], kept: int, losses: Mapping[str, int]
) -> Iterator[str]:
    documents = counts["documents"]
    yield f"{target}: {documents:,} documents, {counts['entities']:,} entities"
    # Not only the shards, the whole output may be an earlier run's.
    if kept and kept == documents:
        yield "it was complete: nothing was done"
    elif kept:
        yield f"{kept:,} of the documents were annotated before"
    read = ("characters", "tokens", "pieces", "windows")
    yield "read: " + ", ".join(f"{counts[name]:,} {name}" for name in read)
    if counts["unseen"]:
        yield f"warning: {counts['unseen']:,} tokens were not seen (encoder setting truncate)"
    # Shards of earlier versions do not count them.
    if foreign := counts.get("foreign", 0):
        yield (
            f"warning: {foreign:,} of the documents seem to be in another language or script than "
            f'the pipeline has learned; in {target / "receipts"} they have "foreign": 1'
        )
    if counts["rejected"]:
        folder = target / "rejected"
        yield f"warning: {counts['rejected']:,} documents were rejected, see {folder}"
    if losses:
        named = ", ".join(f"{name} {number:,}" for name, number in sorted(losses.items()))
        yield f"the format has no place for: {named}"
