"""Division of a corpus into parts by document: ratios or folds, grouped, stratified by label.

Documents that belong together (one patient; one id that stands twice) go into one part. The result
depends on the documents and the seed alone: neither on the order of the documents nor on Python's
own hashes. Only ids and label counts are kept; the documents are read again to write them.
"""

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from math import isfinite
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from spacy_bioner.corpora.splits.stratification import DocumentGroup, distribute
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.records import Record

KeyOf = Callable[[Record], str]
GroupBy = Optional[Union[str, KeyOf]]
BY_ID = "id"
# The account of a division, beside the files of its parts.
JSON_NAME = "split.json"
NAMES = {2: ("train", "test"), 3: ("train", "dev", "test")}


@dataclass(frozen=True)
class Part:
    """One part of a corpus.

    share (float): How much of the documents was asked for, 0 to 1.
    ids (Tuple[str, ...]): Its documents' ids, sorted; one that stands twice is there twice.
    groups (int): How many groups of documents that belong together.
    labels (Mapping[str, int]): Mentions by label.
    """

    name: str
    share: float
    ids: Tuple[str, ...]
    groups: int
    labels: Mapping[str, int]

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "share": self.share,
            "documents": len(self.ids),
            "groups": self.groups,
            "mentions": sum(self.labels.values()),
            "labels": dict(sorted(self.labels.items())),
            "ids": list(self.ids),
        }


@dataclass(frozen=True)
class Splits:
    """Which document goes where.

    parts (Tuple[Part, ...]): In the order of the ratios, or the folds.
    """

    parts: Tuple[Part, ...]
    seed: int
    group_by: str = BY_ID
    stratified: bool = False

    def select(self, records: Iterable[Record], *names: str) -> Iterator[Record]:
        """Stream the documents of the named parts.

        RAISES (CorpusError): A document that was not there when the parts were made.
        """
        places = {identifier: part.name for part in self.parts for identifier in part.ids}
        for record in records:
            if record.id not in places:
                message = f"found document {record.id!r}, which was not there before"
                raise CorpusError(f"{message}; leave the corpus as it is until all is written")
            if places[record.id] in names:
                yield record

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "seed": self.seed,
            "group_by": self.group_by,
            "stratified": self.stratified,
            "parts": {part.name: part.to_json() for part in self.parts},
        }


def split_records(
    records: Iterable[Record],
    ratios: Sequence[float] = (0.8, 0.1, 0.1),
    *,
    seed: int,
    names: Optional[Sequence[str]] = None,
    group_by: GroupBy = None,
    stratify: bool = False,
) -> Splits:
    """Divide a corpus by ratios, such as 80, 10, 10.

    Without groups, each part has its share of the documents, rounded to the nearest sum.

    records (Iterable[Record]): Read once.
    ratios (Sequence[float]): Positive numbers; they are divided by their sum.
    names (Optional[Sequence[str]]): Of the parts; two are called train and test, three train, dev
        and test.
    group_by (Union[str, Callable[[Record], str], None]): A key of `Record.meta`, or a function; its
        value says what belongs together. None and "id" take the id. Equal ids stay together always.
    stratify (bool): Give each part its share of each label's mentions.
    RAISES (ConfigError): Ratios or names that cannot be used.
    RAISES (CorpusError): Fewer groups than parts; a document without the key.
    """
    if len(ratios) < 2 or not all(isfinite(ratio) and ratio > 0 for ratio in ratios):
        found = "/".join(f"{ratio:g}" for ratio in ratios)
        raise ConfigError(f"found the ratios {found}, expected two positive numbers or more")
    names = NAMES.get(len(ratios), ()) if names is None else names
    if len(names) != len(ratios) or len(set(names)) != len(names) or not all(names):
        message = f"found the names {', '.join(names) or '(none)'} for {len(ratios)} parts"
        raise ConfigError(f"{message}, expected as many different ones")
    shares = [ratio / sum(ratios) for ratio in ratios]
    return _divide(records, dict(zip(names, shares)), seed, group_by, stratify)


def k_folds(
    records: Iterable[Record],
    k: int,
    *,
    seed: int,
    group_by: GroupBy = None,
    stratify: bool = False,
) -> Splits:
    """Divide a corpus into equal parts for cross-validation, called fold-1 and so on.

    RAISES (ConfigError): Fewer than two folds.
    RAISES (CorpusError): Fewer groups than folds; a document without the key.
    """
    if k < 2:
        raise ConfigError(f"found {k} folds, expected two or more")
    names = {f"fold-{number}": 1 / k for number in range(1, k + 1)}
    return _divide(records, names, seed, group_by, stratify)


def _divide(
    records: Iterable[Record],
    shares: Mapping[str, float],
    seed: int,
    group_by: GroupBy,
    stratify: bool,
) -> Splits:
    groups = _collect(records, group_by, seed)
    if len(groups) < len(shares):
        kind = "documents" if group_by in (None, BY_ID) else "groups"
        message = f"found {len(groups)} {kind} that may be separated for {len(shares)} parts"
        raise CorpusError(f"{message}, expected one for each at least; ask for fewer parts")
    chosen = distribute(groups, list(shares.values()), stratify=stratify)
    parts = [_make_part(name, shares[name], members) for name, members in zip(shares, chosen)]
    named = group_by if isinstance(group_by, str) else "a function" if group_by else BY_ID
    return Splits(tuple(parts), seed, named, stratify)


def _collect(records: Iterable[Record], group_by: GroupBy, seed: int) -> List[DocumentGroup]:
    """Put documents together that share an id or a group."""
    key_of = _make_key(group_by)
    parents: Dict[Tuple[str, str], Tuple[str, str]] = {}
    documents: List[Tuple[str, Counter[str]]] = []

    def find(node: Tuple[str, str]) -> Tuple[str, str]:
        while parents.setdefault(node, node) != node:
            parents[node] = node = parents[parents[node]]
        return node

    for record in records:
        documents.append((record.id, Counter(mention.label for mention in record.mentions)))
        parents[find(("id", record.id))] = find(("group", key_of(record)))
    groups: Dict[Tuple[str, str], DocumentGroup] = {}
    for identifier, labels in documents:
        group = groups.setdefault(find(("id", identifier)), DocumentGroup())
        group.ids.append(identifier)
        group.labels.update(labels)
    for group in groups.values():
        group.ids.sort()
        named = f"{seed}\0{group.ids[0]}".encode("utf-8", "surrogatepass")
        group.rank = blake2b(named, digest_size=16).digest()
    return sorted(groups.values(), key=lambda group: group.rank)


def _make_key(group_by: GroupBy) -> KeyOf:
    if group_by is None or group_by == BY_ID:
        return lambda record: record.id
    if callable(group_by):
        return group_by
    name = group_by

    def read_key(record: Record) -> str:
        if not record.meta.get(name):
            has = ", ".join(sorted(record.meta)[:8]) or "nothing"
            message = f"found no {name!r} in the metadata of document {record.id}, which has {has}"
            raise CorpusError(f"{message}; group by a key that every document has")
        return record.meta[name]

    return read_key


def _make_part(name: str, share: float, groups: Sequence[DocumentGroup]) -> Part:
    labels: Counter[str] = Counter()
    for group in groups:
        labels.update(group.labels)
    ids = tuple(sorted(identifier for group in groups for identifier in group.ids))
    return Part(name, share, ids, len(groups), dict(sorted(labels.items())))
