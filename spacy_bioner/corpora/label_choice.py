"""Labels that are renamed and chosen while a corpus is read, checked against what it has."""

from dataclasses import dataclass, field, replace
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, Set

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
            found = sorted(self.found)
            more = ", …" if len(found) > SHOWN_LABELS else ""
            some = ", ".join(found[:SHOWN_LABELS]) + more if found else "no mention at all"
            wanted = ", ".join(missing)
            message = f"found no mention of the label {wanted}; the corpus has {some}"
            raise LabelError(f"{message}; correct --labels")

    def unused_names(self) -> List[str]:
        """List the old names that no mention has."""
        read = {label for labels in self.found.values() for label in labels}
        return sorted(set(self.names) - read)


def describe_unused(names: Iterable[str]) -> str:
    """Say which names of a label map no mention has; empty for none."""
    listed = ", ".join(names)
    return f"the label map names labels that no mention has: {listed}" if listed else ""
