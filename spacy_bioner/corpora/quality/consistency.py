"""Is the same thing annotated in the same way everywhere? Labels, omissions, borders.

What is found is inconsistent, not always wrong: "lead" is a chemical in one place and a verb in
another. Mentions that do not fit their text and discontinuous ones give no surfaces.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.corpora.mention_checks import why_lost
from spacy_bioner.corpora.quality.surface_search import SurfaceFinder, make_key
from spacy_bioner.corpora.statistics.mention_counts import rank
from spacy_bioner.records import Mention, Record
from spacy_bioner.spans import contains, select_flat

Occurrence = Tuple[int, int, str]


@dataclass(frozen=True)
class Place:
    """Where something was found.

    label (str): Of a mention; empty for a place without one.
    text (str): What stands there.
    claimed (str): What the mention says that it is, where that is something else.
    line (Optional[int]): The line of the source file, of a mention.
    """

    document: str
    start_char: int
    end_char: int
    label: str
    text: str
    claimed: str = ""
    line: Optional[int] = None

    def __str__(self) -> str:
        return f"{self.document}:{self.start_char}"


@dataclass(frozen=True)
class LabelConflict:
    """A surface with several labels.

    labels (Mapping[str, int]): Mentions by label, the most frequent first.
    examples (Tuple[Place, ...]): The first mention of each label.
    """

    surface: str
    labels: Mapping[str, int]
    examples: Tuple[Place, ...]

    @property
    def minority(self) -> int:
        """How many of its mentions do not have the most frequent label."""
        return sum(self.labels.values()) - max(self.labels.values())


@dataclass(frozen=True)
class Omission:
    """A surface that is annotated in some places, and stands in others as whole words that no
    mention touches, not as a part of a longer such surface.

    labels (Mapping[str, int]): Mentions by label, the most frequent first.
    annotated, unlabelled (int): How often either happens.
    """

    surface: str
    labels: Mapping[str, int]
    annotated: int
    unlabelled: int
    examples: Tuple[Place, ...]

    @property
    def rate(self) -> float:
        """The share of these occurrences that is not annotated, 0 to 1."""
        return self.unlabelled / (self.annotated + self.unlabelled)

    @property
    def minority(self) -> int:
        """How many of them are not treated as most are: "showed", annotated once by mistake and
        left out a hundred times, is one doubtful case."""
        return min(self.annotated, self.unlabelled)


@dataclass(frozen=True)
class BorderConflict:
    """Words that are one mention in some places, and of which only a part is one in others.

    longer, shorter (str): "acute renal failure" and "renal failure", of one label.
    whole (int): Mentions of the longer one.
    part (int): How often only the shorter one is a mention where the longer one stands.
    """

    longer: str
    shorter: str
    label: str
    whole: int
    part: int
    examples: Tuple[Place, ...]


def place_of(record: Record, mention: Mention) -> Place:
    """Say where a mention is."""
    start, end = mention.start_char, mention.end_char
    text = record.text[start:end] if start >= 0 else ""
    claimed = "" if mention.text == text else mention.text
    return Place(record.id, start, end, mention.label, text, claimed, mention.line)


class SurfaceSurvey:
    """First pass: takes documents, and counts the labels of each surface."""

    def __init__(self) -> None:
        self.forms: Dict[str, _Form] = {}

    def add(self, record: Record) -> None:
        """Count the mentions of one document."""
        for mention in _list_usable(record):
            surface = record.text[mention.start_char : mention.end_char]
            key = make_key(surface)
            if mention.fragments or not key:
                continue
            form = self.forms.setdefault(key, _Form())
            form.spellings[" ".join(surface.split())] += 1
            form.labels[mention.label] += 1
            form.places.setdefault(mention.label, place_of(record, mention))

    def list_label_conflicts(self) -> List[LabelConflict]:
        """List the surfaces with several labels, those with the most doubtful mentions first."""
        found = [
            LabelConflict(form.spelling, labels, tuple(form.places[label] for label in labels))
            for form in self.forms.values()
            if len(labels := dict(rank(form.labels))) > 1
        ]
        return sorted(found, key=lambda item: (-item.minority, item.surface))


class OccurrenceSearch:
    """Second pass: takes the documents again, and finds where the surfaces are not annotated.

    survey (SurfaceSurvey): The first pass, done.
    n_examples (int): How many places to keep of each finding.
    """

    def __init__(self, survey: SurfaceSurvey, *, n_examples: int = 3) -> None:
        self.n_examples = n_examples
        self._forms = survey.forms
        self._finder = SurfaceFinder(list(survey.forms))
        self._omissions: Dict[str, _Finding] = defaultdict(_Finding)
        self._borders: Dict[Tuple[str, str, str], _Finding] = defaultdict(_Finding)

    def add(self, record: Record) -> None:
        """Search one document."""
        annotation = _Annotation(_list_usable(record))
        alone: List[Occurrence] = []
        wider: Dict[Mention, Occurrence] = {}
        for item in self._finder.find(record.text):
            if annotation.covers(item):
                continue
            if not annotation.touches(item):
                alone.append(item)
            for mention in annotation.inside(item):
                known = wider.get(mention, (0, 0, ""))
                if self._is_wider(mention, item) and item[1] - item[0] > known[1] - known[0]:
                    wider[mention] = item
        for start, end, key in select_flat(alone, interval=lambda item: (item[0], item[1]))[0]:
            place = Place(record.id, start, end, "", record.text[start:end])
            self._omissions[key].add(place, self.n_examples)
        for mention, (_, _, key) in wider.items():
            part = make_key(record.text[mention.start_char : mention.end_char])
            finding = self._borders[key, part, mention.label]
            finding.add(place_of(record, mention), self.n_examples)

    def list_omissions(self) -> List[Omission]:
        """List the surfaces that are not always annotated, those with the most doubtful occurrences
        first, then those that are left out most often."""
        found = [
            Omission(
                surface=self._forms[key].spelling,
                labels=dict(rank(self._forms[key].labels)),
                annotated=sum(self._forms[key].labels.values()),
                unlabelled=finding.count,
                examples=tuple(finding.examples),
            )
            for key, finding in self._omissions.items()
        ]
        return sorted(found, key=lambda item: (-item.minority, -item.unlabelled, item.surface))

    def list_border_conflicts(self) -> List[BorderConflict]:
        """List the surfaces of which only a part is annotated in places, most first."""
        found = [
            BorderConflict(
                longer=self._forms[key].spelling,
                shorter=" ".join(finding.examples[0].text.split()),
                label=label,
                whole=self._forms[key].labels[label],
                part=finding.count,
                examples=tuple(finding.examples),
            )
            for (key, _, label), finding in self._borders.items()
        ]
        return sorted(found, key=lambda item: (-item.part, item.longer, item.shorter, item.label))

    def _is_wider(self, mention: Mention, item: Occurrence) -> bool:
        """Tell whether an occurrence is one that is annotated elsewhere, as a longer mention."""
        cover = (mention.start_char, mention.end_char)
        same_label = mention.label in self._forms[item[2]].labels
        return same_label and not mention.fragments and contains((item[0], item[1]), cover)


@dataclass
class _Form:
    """How a surface is spelled, its labels, and the first mention of each."""

    spellings: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    places: Dict[str, Place] = field(default_factory=dict)

    @property
    def spelling(self) -> str:
        return rank(self.spellings)[0][0]


@dataclass
class _Finding:
    count: int = 0
    examples: List[Place] = field(default_factory=list)

    def add(self, place: Place, limit: int) -> None:
        self.count += 1
        if len(self.examples) < max(1, limit):
            self.examples.append(place)


class _Annotation:
    """The mentions of one document, by place."""

    def __init__(self, mentions: Sequence[Mention]) -> None:
        self._mentions = sorted(mentions, key=lambda item: (item.start_char, item.end_char))
        self._starts = [mention.start_char for mention in self._mentions]
        self._reach = list(accumulate((item.end_char for item in self._mentions), max))

    def covers(self, item: Occurrence) -> bool:
        """Tell whether a mention has or contains an occurrence."""
        before = bisect_right(self._starts, item[0])
        return bool(before) and self._reach[before - 1] >= item[1]

    def touches(self, item: Occurrence) -> bool:
        """Tell whether a mention shares a character with an occurrence."""
        before = bisect_left(self._starts, item[1])
        return bool(before) and self._reach[before - 1] > item[0]

    def inside(self, item: Occurrence) -> Iterator[Mention]:
        """Yield the mentions that start in an occurrence and end in it."""
        for index in range(bisect_left(self._starts, item[0]), bisect_left(self._starts, item[1])):
            if self._mentions[index].end_char <= item[1]:
                yield self._mentions[index]


def _list_usable(record: Record) -> List[Mention]:
    return [mention for mention in record.mentions if not why_lost(mention, record.text)]
