"""Documents that stand in two corpora, or twice in one: same id, same text, nearly the same text.

The same text is the same but for case and white space. How near texts are is the Jaccard index of
their word 5-grams (`splits.near_duplicates`); a sentence is not near the abstract that it was taken
from. Memory grows with the text: 8 bytes a word, and half a kilobyte a document.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple

from spacy_bioner.corpora.splits.near_duplicates import (
    Shingles,
    find_near_pairs,
    jaccard,
    make_shingles,
    require_datasketch,
)
from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Record

SAME_ID, SAME_TEXT, NEAR = "id", "text", "near"
KINDS = (SAME_ID, SAME_TEXT, NEAR)
# Between bc5cdr, ncbi_disease, biored, gnormplus, nlm_gene and s800 (4,936 documents) the copies of
# one abstract have 0.84 and more, different abstracts 0.32 and less. With 5 % of its words replaced
# a copy has 0.65 on average, with 7 % 0.55.
THRESHOLD = 0.5
# Less similar texts are different documents, even where they share an id.
UNLIKE = 0.1


@dataclass(frozen=True)
class Leak:
    """Two documents that are, or may be, the same.

    left, right (str): Their corpora, in the order given; equal within one corpus.
    left_index, right_index (int): Their positions in these, from 0.
    kinds (Tuple[str, ...]): Some of `KINDS`; "near" is a text that differs.
    similarity (float): The Jaccard index of the two sets of word 5-grams.
    """

    left: str
    left_id: str
    left_index: int
    right: str
    right_id: str
    right_index: int
    kinds: Tuple[str, ...]
    similarity: float


@dataclass(frozen=True)
class LeakCount:
    """How many documents of one corpus stand in another, or earlier in itself.

    left, right (str): The corpora; equal within one.
    same_id, same_text, near (int): Documents of `left` with a partner of that kind; the same
        document may count for an id and for a text.
    documents (int): Documents of `left` with a partner of any kind.
    partners (int): Documents of `right` with a partner in `left`.
    """

    left: str
    right: str
    same_id: int
    same_text: int
    near: int
    documents: int
    partners: int


@dataclass(frozen=True)
class LeakReport:
    """What was found.

    documents (Mapping[str, int]): Number of documents by corpus, in the order given.
    leaks (Tuple[Leak, ...]): By position. Where many documents share one text, each is listed with
        the first of the others in each corpus, so that the list stays short and names them all.
    running_ids (Tuple[Tuple[str, str], ...]): Pairs of corpora whose common ids name different
        documents, and were left out of account.
    """

    documents: Mapping[str, int]
    leaks: Tuple[Leak, ...]
    threshold: float
    running_ids: Tuple[Tuple[str, str], ...] = ()

    def between(self) -> List[LeakCount]:
        """Count for each pair of different corpora, in the order given."""
        names = list(self.documents)
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        return [self._count(left, right) for left, right in pairs]

    def within(self) -> List[LeakCount]:
        """Count repetitions within each corpus: documents that have an earlier partner."""
        return [self._count(name, name) for name in self.documents]

    def leaking(self, name: str) -> FrozenSet[int]:
        """Return the positions of a corpus' documents that have a partner in another corpus."""
        found = [leak for leak in self.leaks if leak.left != leak.right]
        left = {leak.left_index for leak in found if leak.left == name}
        return frozenset(left | {leak.right_index for leak in found if leak.right == name})

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "threshold": self.threshold,
            "documents": dict(self.documents),
            "running_ids": [list(pair) for pair in self.running_ids],
            "between": [asdict(count) for count in self.between()],
            "within": [asdict(count) for count in self.within()],
            "leaks": [asdict(leak) for leak in self.leaks],
        }

    def _count(self, left: str, right: str) -> LeakCount:
        leaks = [leak for leak in self.leaks if (leak.left, leak.right) == (left, right)]

        # Of two documents in one corpus, the second repeats the first.
        def number(kinds: Sequence[str]) -> int:
            chosen = [leak for leak in leaks if not set(kinds).isdisjoint(leak.kinds)]
            return len({k.right_index if left == right else k.left_index for k in chosen})

        return LeakCount(
            left=left,
            right=right,
            same_id=number([SAME_ID]),
            same_text=number([SAME_TEXT]),
            near=number([NEAR]),
            documents=number(KINDS),
            partners=len({leak.right_index for leak in leaks}),
        )


@dataclass(frozen=True)
class Dropped:
    """What was left out of a corpus.

    mentions (int): Those of the documents that were left out, of `all_mentions`.
    losses (Mapping[str, int]): What of the others the written format has no place for.
    """

    target: str
    documents: int
    all_documents: int
    mentions: int
    all_mentions: int
    losses: Mapping[str, int] = field(default_factory=dict)


def find_leaks(
    corpora: Mapping[str, Iterable[Record]], *, threshold: float = THRESHOLD, ids: bool = True
) -> LeakReport:
    """Find documents that stand in two corpora, or twice in one.

    Needs `datasketch`. The result depends on the documents alone: all seeds are fixed. Where most
    ids that two corpora share belong to texts without likeness, as running numbers do, the ids of
    these two do not count.

    corpora (Mapping[str, Iterable[Record]]): The documents by name of the corpus; read once.
    threshold (float): Jaccard index from which texts are near-duplicates, above 0 and up to 1.
    ids (bool): Compare ids at all.
    RAISES (MissingExtraError): Without `datasketch`.
    RAISES (ConfigError): A threshold out of range.
    """
    if not 0 < threshold <= 1:
        message = f"found the threshold {threshold}, expected a number above 0 and up to 1"
        raise ConfigError(message)
    require_datasketch()
    documents: List[_ComparedDocument] = []
    for corpus, records in enumerate(corpora.values()):
        for index, record in enumerate(records):
            documents.append(_make_document(corpus, index, record))
    pairs: Dict[Tuple[int, int], Set[str]] = defaultdict(set)
    if ids:
        by_id = _group((document.id, n) for n, document in enumerate(documents))
        _link_groups(by_id.values(), documents, SAME_ID, pairs)
    by_text = _group((d.text_key, n) for n, d in enumerate(documents) if len(d.shingles))
    _link_groups(by_text.values(), documents, SAME_TEXT, pairs)
    members = list(by_text.values())
    shingles = [documents[numbers[0]].shingles for numbers in members]
    for one, other, _ in find_near_pairs(shingles, threshold=threshold):
        first, second = members[one], members[other]
        for left, right in ((first, second), (second, first)):
            _link(left, right, documents, NEAR, pairs)
    names = list(corpora)
    numbers = [sum(document.corpus == n for document in documents) for n in range(len(names))]
    leaks = [_make_leak(documents, names, pair, pairs[pair]) for pair in sorted(pairs)]
    running = _find_running_ids(leaks)
    kept = tuple(_without_ids(leaks, running))
    return LeakReport(dict(zip(names, numbers)), kept, threshold, tuple(sorted(running)))


@dataclass(frozen=True)
class _ComparedDocument:
    corpus: int
    index: int
    id: str
    text_key: bytes
    shingles: Shingles


def _make_document(corpus: int, index: int, record: Record) -> _ComparedDocument:
    text = " ".join(record.text.casefold().split())
    key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return _ComparedDocument(corpus, index, record.id, key, make_shingles(text))


def _group(items: Iterable[Tuple[Any, int]]) -> Dict[Any, List[int]]:
    groups: Dict[Any, List[int]] = defaultdict(list)
    for key, number in items:
        groups[key].append(number)
    return groups


def _link_groups(
    groups: Iterable[List[int]],
    documents: Sequence[_ComparedDocument],
    kind: str,
    pairs: Dict[Tuple[int, int], Set[str]],
) -> None:
    for members in groups:
        if len(members) > 1:
            _link(members, members, documents, kind, pairs)


def _link(
    members: Iterable[int],
    others: Iterable[int],
    documents: Sequence[_ComparedDocument],
    kind: str,
    pairs: Dict[Tuple[int, int], Set[str]],
) -> None:
    """Pair each member with the first of the others in each corpus: n documents of one text give
    n pairs, not n squared."""
    first: Dict[int, int] = {}
    for other in others:
        first.setdefault(documents[other].corpus, other)
    for member in members:
        for other in first.values():
            if member != other:
                pairs[min(member, other), max(member, other)].add(kind)


def _make_leak(
    documents: Sequence[_ComparedDocument],
    names: Sequence[str],
    pair: Tuple[int, int],
    kinds: Set[str],
) -> Leak:
    left, right = documents[pair[0]], documents[pair[1]]
    return Leak(
        left=names[left.corpus],
        left_id=left.id,
        left_index=left.index,
        right=names[right.corpus],
        right_id=right.id,
        right_index=right.index,
        kinds=tuple(kind for kind in KINDS if kind in kinds),
        similarity=round(jaccard(left.shingles, right.shingles), 4),
    )


def _find_running_ids(leaks: Iterable[Leak]) -> Set[Tuple[str, str]]:
    unlike: Dict[Tuple[str, str], List[bool]] = defaultdict(list)
    for leak in leaks:
        if SAME_ID in leak.kinds:
            unlike[leak.left, leak.right].append(leak.similarity < UNLIKE)
    return {pair for pair, flags in unlike.items() if 2 * sum(flags) > len(flags)}


def _without_ids(leaks: Iterable[Leak], corpora: Set[Tuple[str, str]]) -> Iterator[Leak]:
    for leak in leaks:
        if (leak.left, leak.right) not in corpora:
            yield leak
        elif leak.kinds != (SAME_ID,):
            yield replace(leak, kinds=tuple(kind for kind in leak.kinds if kind != SAME_ID))
