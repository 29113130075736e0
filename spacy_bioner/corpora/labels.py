"""Label maps, and the labels that a command looks at.

A map says what the types of a corpus are called in training, one YAML file for each corpus:

    source: what it maps, in words
    labels: {OLD: NEW, …}
    drop: [OLD, …]        # optional: mentions that are left out
    default: keep         # optional, for labels not named: keep, drop or a NEW name

Maps whose name ends in `_groups`, and those of corpora with many types, lead to `GROUPS`.
"""

import re
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import (
    Any,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

import srsly

from spacy_bioner.errors import LabelError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Mention, Record

# The six groups: disease, gene/protein, drug/chemical, anatomy, species, other.
GROUPS = ("Disease", "Gene", "Chemical", "Anatomy", "Species", "Other")
KEEP, DROP, OTHER = "keep", "drop", "Other"
_FOLDER = Path(__file__).parent / "label_maps_data"
_KEYS = ("source", "labels", "drop", "default")
_DUPLICATE = re.compile(r'found duplicate key "(.*?)" with value')
_PLACE = re.compile(r"\(line: (\d+)\)")
SHOWN_LABELS = 30


@dataclass(frozen=True)
class LabelMap:
    """New names for the labels of a corpus.

    name (str): That of the corpus, or the file.
    labels (Mapping[str, str]): New names by old ones.
    dropped (FrozenSet[str]): Labels whose mentions are left out.
    default (str): What becomes of other labels: "keep", "drop", or the name that they get.
    source (str): What the map is for, in words.
    """

    name: str
    labels: Mapping[str, str]
    dropped: FrozenSet[str] = frozenset()
    default: str = KEEP
    source: str = ""

    def rename(self, label: str) -> Optional[str]:
        """Return the new name of a label, or None where its mentions are left out.

        Of a label that is a list ("T047,T191"), each known part is mapped; the first name that is
        not "Other" counts, else "Other". Dropped parts have no say unless there is nothing else.
        """
        if label in self.labels:
            return self.labels[label]
        parts = [part.strip() for part in label.split(",")]
        known = [part for part in parts if self.covers(part)]
        if known:
            names = [self.labels[part] for part in known if part in self.labels]
            return next((name for name in names if name != OTHER), names[0] if names else None)
        if self.default == DROP:
            return None
        return label if self.default == KEEP else self.default

    def covers(self, label: str) -> bool:
        """Tell whether the map names a label, or it is left to the default."""
        return label in self.labels or label in self.dropped


def list_label_maps() -> Tuple[str, ...]:
    """List the names of the maps that come with the package."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def load_label_map(name_or_path: PathLike) -> LabelMap:
    """Read a label map.

    name_or_path (Union[str, Path]): A name of `list_label_maps`, or a file that ends in .yaml
        or .yml.
    RAISES (LabelError): Neither; or a file that is no label map, with the file and the key.
    """
    path = Path(name_or_path)
    if path.suffix.lower() in (".yaml", ".yml"):
        return _read_label_map(path, str(path))
    names = list_label_maps()
    if str(name_or_path) not in names:
        message = f"found label map {str(name_or_path)!r}, expected one of {', '.join(names)}"
        raise LabelError(f"{message}, or a file that ends in .yaml")
    return _read_label_map(_FOLDER / f"{name_or_path}.yaml", str(name_or_path))


def parse_label_map(pairs: Iterable[str]) -> Dict[str, str]:
    """Read `OLD=NEW` pairs; one entry may hold several, separated by commas, or none.

    RAISES (LabelError): A pair without both names, or two new names for one label.
    """
    names: Dict[str, str] = {}
    for pair in (part for entry in pairs for part in entry.split(",") if part.strip()):
        old, _, new = (part.strip() for part in pair.partition("="))
        if not old or not new:
            raise LabelError(f"found label map entry {pair!r}, expected OLD=NEW")
        if names.get(old, new) != new:
            raise LabelError(
                f"found {old}={names[old]} and {old}={new}, expected one name for {old}"
            )
        names[old] = new
    return names


def _read_label_map(path: Path, name: str) -> LabelMap:
    data = _load_yaml(path)
    if not isinstance(data, dict):
        raise LabelError(f"{path}: found {_type(data)}, expected keys {', '.join(_KEYS)}")
    for key in data:
        if key not in _KEYS:
            raise LabelError(f"{path}: found key {key!r}, expected {', '.join(_KEYS)}")
    labels = _check_labels(data.get("labels"), path)
    dropped = _check_drop(data.get("drop", []), path)
    both = sorted(dropped & labels.keys())
    if both:
        message = f"{path}: key 'drop': found {both[0]!r}, which 'labels' names as well"
        raise LabelError(f"{message}; remove it from one of them")
    default = _check_name(data.get("default", KEEP), "default", path)
    source = _check_name(data["source"], "source", path) if "source" in data else ""
    return LabelMap(name, labels, dropped, default, source)


def _load_yaml(path: Path) -> Any:
    try:
        return srsly.yaml_loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        text = str(error)
        duplicate = _DUPLICATE.search(text)
        if duplicate:
            lines = [int(number) for number in _PLACE.findall(text)]
            place = f"{path}:{max(lines)}" if lines else str(path)
            raise LabelError(f"{place}: found key {duplicate[1]!r} twice, expected once") from error
        raise LabelError(f"{path}: no YAML: {' '.join(text.split())[:200]}") from error


def _check_labels(labels: Any, path: Path) -> Dict[str, str]:
    if not isinstance(labels, dict) or not labels:
        raise LabelError(f"{path}: key 'labels': found {_type(labels)}, expected OLD: NEW pairs")
    for old, new in labels.items():
        _check_name(old, "labels", path)
        if _check_name(new, f"labels.{old}", path) in (KEEP, DROP):
            message = f"{path}: key 'labels.{old}': found {new!r}, expected a new name"
            raise LabelError(f"{message}; labels to leave out stand under 'drop'")
    return dict(labels)


def _check_drop(drop: Any, path: Path) -> FrozenSet[str]:
    if not isinstance(drop, list):
        raise LabelError(f"{path}: key 'drop': found {_type(drop)}, expected a list of labels")
    return frozenset(_check_name(label, "drop", path) for label in drop)


def _check_name(value: Any, key: str, path: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        message = f"{path}: key {key!r}: found {value!r} ({_type(value)}), expected a text"
        raise LabelError(f"{message}; put it in quotes" if value is not None else message)
    return value


def _type(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


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
                    mentions.append(mention.labeled(label))
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


def rename_labels(records: Iterable[Record], label_map: Mapping[str, str]) -> Iterator[Record]:
    """Yield the records with their mentions' labels renamed; labels not in the map stay."""
    return LabelChoice(label_map).apply(records)


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
    """Return the label that is most like a name, in capitals or not."""
    folded = {label.casefold(): label for label in reversed(there)}
    return [folded[key] for key in get_close_matches(name.casefold(), folded, n=1)]
