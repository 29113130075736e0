"""Mentions that share words: "renal and hepatic dysfunction" names a renal dysfunction as well.

An entity is taken apart where its words show how: a head that several modifiers have ("breast,
ovarian and lung cancers"), words in front that several nouns have ("cancer of the bladder or
kidney", "ventricular tachycardia and fibrillation"), and designators in a row ("types 1 and 2").
What stands beside an entity is added where the entity is the last, or first, of such a row. The
rules were made on the train and dev splits of BC5CDR.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Iterator, List, Optional, Sequence, Tuple

from spacy_bioner.records import Fragment

BESIDE = " beside"

# Characters beside an entity that are looked at, and words of an entity.
_REACH = 100
_MAX_WORDS = 24

_WORD = re.compile(r"[^\s,;:()\[\]/]+|[,;:()\[\]/]")
_JOINTS = frozenset(("and", "or", "and/or", "nor"))
_PREPOSITIONS = frozenset(("of", "in", "on"))
# "Deficits in attention and memory" are one in half of the cases of train and dev.
_SHARED = frozenset(("of", "on"))
_DETERMINERS = frozenset(("the", "a", "an", "both", "either"))
_DESIGNATOR = re.compile(r"\d{1,4}[A-Za-z]?|[IVX]{1,4}|[A-Z]\d{0,2}|[b-z]|\d+[a-z]")
_MODIFIER = re.compile(r"[^\W\d_-]{2,}(?:al|ic|ar|ory|ary|ous|ive|oid|ac|ean|ild|ute)")
# Nouns that stand before another as modifiers: organs, and causes.
_NOUNS = frozenset(
    ("adrenal", "arm", "artery", "bladder", "bone", "bowel", "brain", "breast", "cervix", "cocaine",
     "colon", "ear", "eye", "heart", "head", "hip", "kidney", "knee", "learning", "leg", "liver",
     "lung", "lymph", "memory", "muscle", "nerve", "ovary", "pancreas", "prostate", "skin", "spine",
     "spleen", "stomach", "thyroid", "amphetamine", "alcohol", "heroin", "attention", "left",
     "right", "upper", "lower", "simple", "complex", "mild", "severe", "early", "late", "small",
     "large", "proximal", "distal", "optic", "cardiac", "sensory", "motor", "subarachnoid",
     "neck", "blood", "tooth", "language", "speech", "sleep", "mood", "opioid", "venous", "type",
     "gastric", "acute", "ovarian", "cleft", "cell", "sinus",
     "absence", "renal", "hand", "foot",
     "arterial", "anterior", "posterior", "marrow")
)  # fmt: skip
# Nouns that end like modifiers.
_NO_MODIFIERS = frozenset(
    ("clinic", "metal", "animal", "hospital", "journal", "trial", "panic", "chemical",
     "withdrawal", "survival", "removal", "refusal", "arousal", "approval", "colic", "antibiotic",
     "normal", "physical", "total")
)  # fmt: skip
# What stands beside an entity belongs to it where both are of such a pair.
_PAIRED = frozenset(
    ("left", "right", "upper", "lower", "proximal", "distal", "anterior", "posterior", "acute",
     "chronic", "systolic", "diastolic", "medial", "lateral", "superior", "inferior", "male",
     "female")
)  # fmt: skip
# These name one thing.
_FIXED = frozenset((("head", "neck"), ("nausea", "vomiting"), ("ear", "nose")))


@dataclass(frozen=True)
class CoordinatedMention:
    """One of several mentions that share words; character offsets.

    fragments (Tuple[Tuple[int, int], ...]): Its stretches of text, ascending; one of a mention that
        stands together.
    rule (str): "head", "front" or "designators", and "beside" where words beside the entity join.
    """

    fragments: Tuple[Fragment, ...]
    rule: str


@dataclass(frozen=True)
class _Piece:
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.casefold()


def find_coordinated(text: str, start: int, end: int) -> List[CoordinatedMention]:
    """Find the mentions that an entity names together, alone or with words beside it.

    text (str): The text.
    start (int): The entity's first character.
    end (int): The character behind it.
    RETURNS (List[CoordinatedMention]): At least two, in their order; empty for an entity that names
        one thing, as far as its words show.
    """
    inside = _split(text, start, end)
    if not inside or len(inside) > _MAX_WORDS:
        return []
    for rule, pieces in _widen(text, inside, start, end):
        found = _take_apart(pieces)
        if found is not None:
            name, groups = found
            mentions = [_join(text, group) for group in groups]
            return [CoordinatedMention(mention, f"{name}{rule}") for mention in mentions]
    return []


def _widen(
    text: str, inside: List[_Piece], start: int, end: int
) -> Iterator[Tuple[str, List[_Piece]]]:
    """Yield the words of an entity, or those with a row of others beside it."""
    if any(piece.word in _JOINTS for piece in inside):
        yield "", inside
        return
    before = _row_before(_split(text, max(0, start - _REACH), start))
    paired = all(piece.word in _PAIRED or _is_joint(piece) for piece in (*before, inside[0]))
    if before and len(inside) > 1 and paired:
        yield BESIDE, [*before, *inside]
    behind = _row_behind(_split(text, end, end + _REACH))
    if behind and len(inside) > 1 and _is_designator(inside[-1]):
        yield BESIDE, [*inside, *behind]


def _row_before(pieces: List[_Piece]) -> List[_Piece]:
    """Return the modifiers that are listed right before a place: "left and"."""
    place = len(pieces)
    if not place or pieces[place - 1].word not in _JOINTS:
        return []
    while place and (_is_joint(pieces[place - 1]) or _is_modifier(pieces[place - 1])):
        place -= 1
        # A word that nothing is between, "severe renal and", is of another phrase.
        is_word = not _is_joint(pieces[place])
        if is_word and place and not _is_joint(pieces[place - 1]):
            break
    row = pieces[place:]
    while row and _is_joint(row[0]):
        row = row[1:]
    return row


def _row_behind(pieces: List[_Piece]) -> List[_Piece]:
    """Return the designators that are listed right behind a place: "and C"."""
    row: List[_Piece] = []
    while pieces and _is_joint(pieces[0]):
        place = next((n for n, piece in enumerate(pieces) if not _is_joint(piece)), len(pieces))
        if place == len(pieces) or not _is_designator(pieces[place]) or place > 2:
            break
        row += pieces[: place + 1]
        is_last = any(piece.word in _JOINTS for piece in pieces[:place])
        pieces = pieces[place + 1 :]
        if is_last:
            return row
    return []


def _take_apart(pieces: List[_Piece]) -> Optional[Tuple[str, List[List[_Piece]]]]:
    """Return the rule that fits and the words of each mention."""
    if any(piece.text in "()[];:/" for piece in pieces):
        return None
    parts = _split_parts(pieces)
    if len(parts) < 2 or not all(parts) or _is_fixed(parts):
        return None
    for rule, groups in (
        ("designators", _share_designated(parts)),
        ("front", _share_preposition(parts)),
        ("head", _share_head(parts)),
        ("front", _share_front(parts)),
    ):
        if groups:
            return rule, groups
    return None


def _is_fixed(parts: List[List[_Piece]]) -> bool:
    return any((left[-1].word, right[0].word) in _FIXED for left, right in pairwise(parts))


def _share_designated(parts: List[List[_Piece]]) -> List[List[_Piece]]:
    """ "hepatitis B and C", "types 1 and 2 diabetes"."""
    front, first = parts[0][:-1], parts[0][-1]
    last = parts[-1]
    middle = parts[1:-1]
    if not front or not _is_designator(first) or not _is_designator(last[0]):
        return []
    if front[-1].word in _DETERMINERS or any(
        len(p) > 1 or not _is_designator(p[0]) for p in middle
    ):
        return []
    tail = last[1:]
    return [[*front, part[-1 if part is parts[0] else 0], *tail] for part in parts]


def _share_preposition(parts: List[List[_Piece]]) -> List[List[_Piece]]:
    """ "cancer of the bladder or the kidney"."""
    first = parts[0]
    place = next((n for n, piece in enumerate(first) if piece.word in _PREPOSITIONS), 0)
    if not place or first[place].word not in _SHARED:
        return []
    if any(piece.word in _PREPOSITIONS for part in parts[1:] for piece in part):
        return []
    rest = first[place + 1 :]
    if rest and rest[0].word == "both":
        rest = rest[1:]
    prefix = first[: place + 1]
    has_article = bool(rest) and rest[0].word == "the"
    groups = [[*prefix, *rest]]
    for part in parts[1:]:
        own = part[0].word == "the"
        groups.append([*prefix, *([rest[0]] if has_article and not own else []), *part])
    shown = rest[has_article:]
    # "increases in dural and cortical blood flow" share what is behind as well.
    is_cut = len(shown) == 1 and _is_modifier(shown[0]) and len(parts[-1]) > 1
    return groups if shown and not is_cut else []


def _share_head(parts: List[List[_Piece]]) -> List[List[_Piece]]:
    """ "breast, ovarian and lung cancers"."""
    last = parts[-1]
    if len(last) < 2 or _is_designator(last[-1]) or _is_adjective(last[-1]):
        return []
    if not all(len(part) < 4 and _is_modifier(part[-1]) for part in parts[:-1]):
        return []
    if any(piece.word in _PREPOSITIONS for part in parts[:-1] for piece in part):
        return []
    # The head of "functional impairment of mitochondria" has something behind it.
    place = next((n for n, p in enumerate(last) if p.word in _PREPOSITIONS), len(last)) - 1
    if place < 1 or not any(_is_modifier(piece) for piece in last[:place]):
        return []
    # Whether "left ventricular" is of both in "left ventricular systolic and diastolic function"
    # cannot be told.
    if place == 1 and any(len(part) > 1 for part in parts[:-1]):
        return []
    return [*([*part, *last[place:]] for part in parts[:-1]), last]


def _share_front(parts: List[List[_Piece]]) -> List[List[_Piece]]:
    """ "ventricular tachycardia and fibrillation"."""
    first, others = parts[0], parts[1:]
    if len(first) < 2 or len(others) > 1 or len(others[0]) > 1:
        return []
    front = first[:-1]
    if not _is_modifier(front[-1]) or _is_modifier(first[-1]) or _is_modifier(others[0][0]):
        return []
    return [first, [*front, *others[0]]]


def _split_parts(pieces: List[_Piece]) -> List[List[_Piece]]:
    """Split words at commas and joints; the last border has to be a joint."""
    places = [place for place, piece in enumerate(pieces) if _is_joint(piece)]
    if not places or pieces[places[-1]].word not in _JOINTS:
        return []
    parts: List[List[_Piece]] = [[]]
    for place, piece in enumerate(pieces):
        if not _is_joint(piece):
            parts[-1].append(piece)
        elif place and not _is_joint(pieces[place - 1]):
            parts.append([])
    return parts


def _is_joint(piece: _Piece) -> bool:
    return piece.word in _JOINTS or piece.text == ","


def _is_designator(piece: _Piece) -> bool:
    return _DESIGNATOR.fullmatch(piece.text) is not None


def _is_modifier(piece: _Piece) -> bool:
    return piece.word.rpartition("-")[2] in _NOUNS or _is_adjective(piece)


def _is_adjective(piece: _Piece) -> bool:
    word = piece.word.rpartition("-")[2]
    is_noun = word in _NOUNS or word in _NO_MODIFIERS
    return not is_noun and _MODIFIER.fullmatch(word) is not None


def _split(text: str, start: int, end: int) -> List[_Piece]:
    pieces: List[_Piece] = []
    for found in _WORD.finditer(text, start, end):
        word = found.group().rstrip(".") or found.group()
        behind = found.start() + len(word)
        # "and/or" is one word.
        is_half = len(pieces) > 1 and pieces[-1].text == "/" and pieces[-2].word == "and"
        if is_half and word.casefold() == "or":
            pieces[-2:] = [_Piece("and/or", pieces[-2].start, behind)]
        else:
            pieces.append(_Piece(word, found.start(), behind))
        if behind < found.end():
            pieces.append(_Piece(text[behind : found.end()], behind, found.end()))
    return pieces


def _join(text: str, pieces: Sequence[_Piece]) -> Tuple[Fragment, ...]:
    """Return the stretches of words, those together that only blanks are between."""
    fragments: List[Fragment] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if fragments and not text[fragments[-1][1] : piece.start].strip():
            fragments[-1] = (fragments[-1][0], piece.end)
        else:
            fragments.append((piece.start, piece.end))
    return tuple(fragments)
