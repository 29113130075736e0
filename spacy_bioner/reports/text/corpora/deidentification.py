"""The account of a de-identification as text."""

from typing import Iterator

from spacy_bioner.corpora.conversion import Conversion
from spacy_bioner.transforms.deidentification_account import WITHIN_IDENTIFIER, Deidentification


def render_deidentification(account: Deidentification, conversion: Conversion) -> str:
    """Render the account as text.

    conversion (Conversion): Of reading and writing; mentions that were dropped count as lost there.
    """
    number = sum(account.identifiers.values())
    states = account.mentions
    lines = [
        f"{conversion.target}: {conversion.documents:,} documents, {number:,} identifiers replaced "
        f"in {account.documents_changed:,} of them",
        *(f"  {label:<12}{count:>8,}" for label, count in account.identifiers.most_common()),
        f"gold mentions: {sum(states.values()):,} = {states['same']:,} as they were, "
        f"{states['moved']:,} moved, {states['changed']:,} with an identifier inside that was "
        f"replaced, {states['dropped']:,} dropped ({WITHIN_IDENTIFIER})",
    ]
    if states.total():
        lines.append(f"as written:\n{conversion.count.to_table()}")
    if account.n_left:
        places = ", ".join(f"{name} {i.start}-{i.end} {i.label}" for name, i in account.left[:10])
        lines.append(
            f"left in the text: {account.n_left:,} parts of identifiers that gold mentions cover "
            f"and reach beyond; look at them: {places}{', …' if account.n_left > 10 else ''}"
        )
    if account.placeholders:
        lines.append(f"de-identified before, and left: {account.placeholders:,} placeholders")
    lines += _render_rest(account, conversion)
    return "\n".join([*lines, f"warning: {account.warning}"])


def _render_rest(account: Deidentification, conversion: Conversion) -> Iterator[str]:
    if account.metadata:
        names = ", ".join(f"{name} {count:,}" for name, count in sorted(account.metadata.items()))
        yield f"metadata left out: {names}"
    if not account.ids_replaced:
        yield "document ids were kept; --number-documents replaces them"
    if conversion.losses:
        losses = sorted(conversion.losses.items())
        yield "the target has no place for: " + ", ".join(f"{name} {n:,}" for name, n in losses)
    for message in conversion.warnings:
        yield f"warning: {message}"
