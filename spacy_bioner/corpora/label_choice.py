"""Labels that are renamed and chosen while a corpus is read, checked against what it has."""

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, Sequence, Set

from spacy_bioner.errors import LabelError
from spacy_bioner.records import Mention, Record

SHOWN_LABELS = 30


@dataclass
class LabelChoice:
    """New names of labels, and the labels to look at; takes note of those that pass.

    names (Mapping[str, str]): Old name → new name; others stay as they are.
    labels (FrozenSet[str]): Only mentions of these new names are kept; empty keeps all.
    found (Dict[str, Set[str]]): Each new name, and the old names that became it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    labels: FrozenSet[str] = frozenset()
    found: Dict[str, Set[str]] = field(default_factory=dict)

    def apply(self, records: Iterable[Record]) -> Iterator[Record]:
        """Stream the records with the mentions that are chosen, renamed."""
        for record in records:
            mentions: List[Mention] = []
            for mention in record.mentions:
                label = self.names.get(mention.label, mention.label)
                self.found.setdefault(label, set()).add(mention.label)
                if not self.labels or label in self.labels:
                    renamed = label != mention.label
                    mentions.append(replace(mention, label=label) if renamed else mention)
            yield replace(record, mentions=tuple(mentions))

    def check_labels(self) -> None:
        """Make sure that every label to look at was found, once all records have passed.

        RAISES (LabelError): For those that no mention has, with what was found.
        """
        missing = sorted(self.labels - self.found.keys())
        if missing:
            some = list_labels(sorted(self.found))
            wanted = ", ".join(missing)
            message = f"found no mention of the label {wanted}; the corpus has {some}"
            raise LabelError(f"{message}; correct --labels")

    def check_names(self) -> None:
        """Make sure that every label to rename was found, once all records have passed.

        RAISES (LabelError): As `check_names`.
        """
        check_names(self.names, {label for labels in self.found.values() for label in labels})


def check_names(
    names: Iterable[str],
    found: Iterable[str],
    *,
    where: str = "--label-map",
    source: str = "the corpus",
) -> None:
    """Make sure that labels to rename occur.

    names (Iterable[str]): The old names.
    found (Iterable[str]): The labels that the mentions have.
    where (str): What names them, for the message.
    source (str): What has the labels that were found.
    RAISES (LabelError): For those that no mention has, with the labels that occur, and one that
        looks like it.
    """
    there = sorted(set(found))
    missing = sorted(set(names) - set(there))
    if not missing:
        return
    close = [match for name in missing for match in _find_close(name, there)]
    advice = f"did you mean {', '.join(dict.fromkeys(close))}?" if close else f"correct {where}"
    message = f"found no mention of the label {', '.join(missing)}, which {where} renames"
    raise LabelError(f"{message}; {source} has {list_labels(there)}; {advice}")


def list_labels(found: Sequence[str]) -> str:
    """Name labels, the first of them where there are many."""
    more = ", …" if len(found) > SHOWN_LABELS else ""
    return ", ".join(found[:SHOWN_LABELS]) + more if found else "no mention at all"


def describe_unused(names: Iterable[str]) -> str:
    """Say which names of a label map no mention has; empty for none."""
    listed = ", ".join(names)
    return f"the label map names labels that no mention has: {listed}" if listed else ""


def _find_close(name: str, there: Sequence[str]) -> List[str]:
    """Give the label that is most like a name, in capitals or not."""
    folded = {label.casefold(): label for label in reversed(there)}
    return [folded[key] for key in get_close_matches(name.casefold(), folded, n=1)]
