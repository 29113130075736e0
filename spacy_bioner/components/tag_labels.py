"""Labels of components that tag tokens, and the tags that stand for them."""

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from spacy.training import Example

from spacy_bioner.errors import TrainingDataError
from spacy_bioner.tags import tag_set


class TagLabels:
    """What a component says of its labels; `cfg` has them under "labels", beside "scheme"."""

    cfg: Dict[str, Any]

    @property
    def labels(self) -> Tuple[str, ...]:
        """The entity types that the component knows, in the order of its tags."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> List[str]:
        """The labels as `spacy init labels` writes them."""
        return list(self.cfg["labels"])

    @property
    def tags(self) -> Tuple[str, ...]:
        """The tags, in the order of the model's columns."""
        return tag_set(self.labels, self.cfg["scheme"])


def find_labels(
    get_examples: Callable[[], Iterable[Example]],
    labels: Optional[Sequence[str]],
    *,
    name: str,
    added: Iterable[str] = (),
) -> List[str]:
    """Return the labels that a component is trained for: those that are known, else all there are.

    labels (Optional[Sequence[str]]): The labels, where they are known.
    name (str): The component's name, for the error.
    added (Iterable[str]): Labels that it has before it is initialized.
    RAISES (TrainingDataError): Where there are neither labels nor entities.
    """
    if labels is None:
        found = {ent.label_ for example in get_examples() for ent in example.reference.ents}
        labels = sorted(found.union(added))
    if not labels:
        raise TrainingDataError(
            f"component '{name}' cannot be trained: no example has an entity. Check that "
            "the corpus was converted with its annotations and that a label map kept them."
        )
    return list(labels)
