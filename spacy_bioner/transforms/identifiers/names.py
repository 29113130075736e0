"""Rules for names of persons behind titles and cue words, and for their return in the text.

A name that nothing announces ("Anna Smith came back") is found by none of them.
"""

import re
from typing import Any, Dict, Iterable, Iterator, List, Match, Optional, Sequence, Set

from spacy_bioner.records import Fragment
from spacy_bioner.transforms.identifiers.rules import LOWER, UPPER, Identifier, Rule

# Words that tell names from other words with a capital, in small letters.
_FOLLOWING = """
disease diseases syndrome disorder carcinoma tumor tumour infection failure attack event trial study
vitamin factor protein insulin therapy treatment risk cohort god just two three
a abdominal about acute admission admitted advised after age aged alert all allergies allergy
also an analgesia and anesthetist any apartment april apt are as assessment assistant asthma at
august awake back be before believes bilateral blood bmi both box bp brother by came can cancer
care center centered centre characteristics chart chest chronic clinic clinical clinician
complains consultant continue controlled cough could covid ct dad daily data date daughter day
december denied denies department diabetes diabetic did director discharge do dob doctor does
due ecg education ekg er esq exam examination eyes family father february feels felt female
fever follow for friday from gave gender given global good got grade group groups guest had has
have he head headache health heart hello hepatitis her here hi his history home hospital
hospitalist how hr husband hypertension hypertensive i icu id if improved in influenza info
information institute instructions international is it january jr july june known lab last left
lungs male manager march may md medical medication medications midwife mild moderate mom monday
mother mri mrn ms my name neck negative new no none normal not note november now np number nurse
october of oh ok okay on or ordered other our outcome outcomes outpatient pa pain past patient
patients phd phone physician plan please po population positive post practitioner pregnant
present presented presents prior procedure provider pt questionnaire reason received recommended
recommends referred registered report reported reports result results right rn room rr safety
said saturday saw says scale school score see seems seen selection september severe sex she
signed since sister skin so social son specialist sr stable stage stated states status street
suite sunday surgeon takes team temp thank thanks that the their then there they this thursday
to today told tolerated took tuesday type uh um unchanged undergoing underwent university
unknown version visit wants was we wednesday well were what when where while who wife will with
would x-ray xray yeah yes yesterday you your zero
"""
_AMBIGUOUS = """
baker bell bishop black blue brown burns case child church cook cross down dry field fish fox
grace gray green grey hand hands hill hope house human joy king lane little long love low marks
miles moon noble park penny price reed rice rich rose short small snow stone strong summer sun
sweet virgin waters west white winter wood woods young
"""
NO_NAMES = frozenset(_FOLLOWING.split())
"""What follows titles and cue words with a capital, and is no part of a name."""
AMBIGUOUS = NO_NAMES | frozenset(_AMBIGUOUS.split())
"""What is another word, as often as it is a name."""
# A name may begin behind an apostrophe, so that one of any length would be tried from each of them.
_WORD = rf"(?:[OD]['’]|Mc|Mac|Le|De|La|Van)?{UPPER}{LOWER}+(?:['’-]{UPPER}{LOWER}+){{0,9}}(?!\w)"
_CAPITALS = rf"{UPPER}{{2,}}(?:['’-]{UPPER}+){{0,9}}(?!\w)"
_INITIAL = rf"{UPPER}(?:\.(?:{UPPER}\.){{0,2}}|(?=[ ]{UPPER}))"
_PARTICLE = (
    r"(?:(?:van|von|der|den|de|la|le|del|della|di|da|dos|du|el|al|bin|ibn|ter|af|zu)[ ]){0,3}"
)
_NEXT = rf"[ ]{_PARTICLE}(?:{_WORD}|{_INITIAL})"
_NAME = rf"{_PARTICLE}(?:{_WORD}|{_INITIAL}[ ]?{_WORD})(?:{_NEXT}){{0,3}}"
_FULL_NAME = rf"(?:{_WORD}|{_INITIAL})(?:{_NEXT}){{1,3}}"
_LOUD_NAME = rf"(?:{_CAPITALS}|{_INITIAL})(?:[ ](?:{_CAPITALS}|{_INITIAL})){{0,3}}"
_LAST_FIRST = rf"(?:{_WORD}|{_CAPITALS}),[ ]?(?:{_WORD}|{_CAPITALS})(?:[ ]{UPPER}\b\.?)?"
_GAP = r"[ \t]*(?:\n[ \t]*)?"
_TITLE = r"(?:Dr|Drs|Mr|Mrs|Ms|Mx|Prof)\.?|Miss|Professor|Doctor|Nurse|Sister|Reverend|Rev\."
_ROLE = (
    r"attending(?:[ ](?:physician|md|doctor))?|(?:referring|primary[ ]care|ordering|consulting"
    r"|family|treating|admitting|discharging)[ ](?:physician|doctor|provider|md)|physician|provider"
    r"|surgeon|pcp|anesthesiologist|cardiologist|assistant|(?:electronically[ ])?signed[ ]by"
    r"|(?:dictated|reviewed|reported|prepared|transcribed|interpreted|verified|accompanied)[ ]by"
    r"|dear|attn\.?|attention"
)
_RELATION = (
    r"next[ ]of[ ]kin|emergency[ ]contact|spouse|husband|wife|mother|father|son|daughter|guardian"
    r"|caregiver|informant"
)
_NAMED = (
    r"(?:patient|pt|full|first|last|given|middle|family|maiden|legal|preferred|doctor|physician|"
    r"provider|mother|father|spouse)(?:['’]s)?[ ](?:full[ ])?name|(?<=\n)[ \t]*name|^[ \t]*name"
)
_PERSON = (
    r"(?:m[ae]n|wom[ae]n|male|female|boy|girl|patient|pt|gentleman|lady|veteran|infant|child|teen(?:ager)?"
    r"|son|daughter|husband|wife|mother|father|brother|sister)"
)
_EPONYM = re.compile(
    r"(?:['’]s?)?[ -](?:disease|syndrome|sign|test|score|scale|law|cells?|tumou?r|sarcoma|lymphoma|"
    r"phenomenon|palsy|fracture|criteria|classification|method|stain|node|reflex|procedure|lesion|"
    r"index|model|anomaly|catheter|virus|contracture|thyroiditis|dementia|chorea)"
)
_TOKEN = re.compile(r"\S+")
# Runs of letters, digits and hyphens, and what stands between them, sign by sign.
_PIECE = re.compile(r"[\w-]+|[^\w-]")
_WORD_PIECE = re.compile(r"[\w-]")
_END = ""
_Branch = Dict[str, Any]


def _cut_name(match: Match[str]) -> Optional[Fragment]:
    """Take the words of a name up to the first one that cannot be part of one."""
    start, _ = match.span("id")
    end = start
    for token in _TOKEN.finditer(match["id"]):
        word = token[0].strip(".,'’").lower()
        if word in NO_NAMES and len(word) > 1:
            break
        end = start + token.end()
    found = match.string[start:end].rstrip(",")
    words = [word for word in found.split() if len(word.strip(".,")) > 1]
    return (start, start + len(found)) if words else None


def _cut_full_name(match: Match[str]) -> Optional[Fragment]:
    """The same where one word is too little."""
    span = _cut_name(match)
    if span is None or len(match.string[span[0] : span[1]].split()) < 2:
        return None
    return span


def _cut_credential(match: Match[str]) -> Optional[Fragment]:
    """MD is a state, too: "Silver Spring, MD"."""
    last = match["id"].split()[-1].lower()
    places = {"spring", "park", "city", "hills", "beach", "point", "chase", "burnie", "heights"}
    return None if last in places else _cut_full_name(match)


RULES = (
    Rule(
        "NAME",
        "behind a title",
        re.compile(rf"(?<![\w-])(?:{_TITLE}){_GAP}(?:and[ ](?:Mrs?|Ms)\.?[ ])?(?P<id>{_NAME})"),
        _cut_name,
    ),
    Rule(
        "NAME",
        "behind a title, in capitals",
        re.compile(rf"(?<![\w-])(?:(?i:Dr|Mr|Mrs|Ms)\.){_GAP}(?P<id>{_LOUD_NAME})"),
        _cut_name,
    ),
    Rule(
        "NAME",
        "before a degree",
        re.compile(
            rf"(?<![\w.-])(?P<id>{_FULL_NAME}),?[ ](?:M\.?D\.|MD|D\.O\.|Ph\.?D\.?|R\.?N\.|RN|PA-C|"
            r"FNP|DDS|FACS|FACP)(?![\w-])(?![ ,]*\d{5})"
        ),
        _cut_credential,
    ),
    Rule(
        "NAME",
        "behind a cue for a name",
        re.compile(
            rf"(?i:{_NAMED})[ ]?(?:(?:is|was)\b|[:=])?[ \t]*"
            rf"(?P<id>{_LAST_FIRST}|{_NAME}|{_LOUD_NAME})",
            re.MULTILINE,
        ),
        _cut_name,
    ),
    Rule(
        "NAME",
        "introduced",
        re.compile(
            rf"\b(?:[Mm]y name is|[Hh]er name is|[Hh]is name is|[Nn]amed|{_PERSON},? name|"
            rf"[Tt]his is (?=(?:Dr|Mr)))[ ](?P<id>{_NAME})"
        ),
        _cut_name,
    ),
    Rule(
        "NAME",
        "behind a role",
        re.compile(
            rf"(?<![\w-])(?i:{_ROLE})(?:[ ]?:[ \t]*|(?<=by)[ ]|(?<=[Dd]ear)[ ])"
            rf"(?:(?:{_TITLE})[ ])?(?P<id>{_LAST_FIRST}|{_NAME}|{_LOUD_NAME})"
        ),
        _cut_name,
    ),
    Rule(
        "NAME",
        "behind a relation",
        re.compile(rf"(?<![\w-])(?i:{_RELATION})[ ]?:[ \t]*(?P<id>{_LAST_FIRST}|{_FULL_NAME})"),
        _cut_full_name,
    ),
    # Dialogues have "Patient: Just Tylenol for my pain" as well.
    Rule(
        "NAME",
        "in the line of the patient",
        re.compile(
            r"^[ \t]*(?i:patient|pt)[ ]?:[ \t]*"
            rf"(?P<id>{_LAST_FIRST}|{_FULL_NAME}|{_LOUD_NAME})"
            r"(?=[ \t]*(?:$|\r|[,;(|]|(?:DOB|MRN|Age|Sex|Date)\b))",
            re.MULTILINE,
        ),
        _cut_full_name,
    ),
    Rule(
        "NAME",
        "behind the word patient",
        re.compile(rf"(?<![\w-])(?:patient|pt)[ ](?P<id>{_FULL_NAME})"),
        _cut_full_name,
    ),
    Rule(
        "NAME",
        "apposition to a person",
        re.compile(
            rf"\b{_PERSON}(?:[ ](?:patient|veteran))?(?:,[ ]|[ ]\()(?P<id>{_FULL_NAME})"
            r"(?=[,;)?]|[ ]who\b|\.?$)",
            re.MULTILINE,
        ),
        _cut_full_name,
    ),
    Rule(
        "NAME",
        "before what is said of persons",
        re.compile(
            rf"(?<![\w-])(?P<id>{_FULL_NAME}),[ ](?:who[ ](?:is|was|has|had|lives|came|presented"
            r"|visited|attended|suffered|resides)"
            r"|(?:(?:last|previously|recently|first)[ ])?"
            r"(?:seen|treated|admitted|evaluated|operated|examined)[ ](?:at|in|to|by|on)"
            r"|(?:currently[ ])?(?:living|residing)[ ]in|resident[ ]of)\b"
        ),
        _cut_full_name,
    ),
)


def find_again(text: str, names: Iterable[Identifier]) -> Iterator[Identifier]:
    """Find names that a cue has announced somewhere in the text wherever else they stand.

    Words that are more than names ("Young", "Park") return only as part of the whole name, and no
    word does where it names a disease, sign or test.
    """
    forms: Set[str] = set()
    for name in names:
        found = text[name.start : name.end]
        words: List[str] = re.findall(rf"{UPPER}[\w'’-]+", found)
        forms.update(
            word
            for word in words
            if len(word) > 2 and word.lower() not in AMBIGUOUS and not word.isupper()
        )
        if len(words) > 1:
            forms.add(found)
    for start, end in _find_forms(text, forms):
        if not _EPONYM.match(text, end):
            yield Identifier(start, end, "NAME", "named elsewhere in the text")


def _find_forms(text: str, forms: Iterable[str]) -> Iterator[Fragment]:
    """Find forms as whole words, the longest first, in one pass however many there are."""
    tree: _Branch = {}
    for form in forms:
        branch = tree
        for piece in _PIECE.findall(form):
            branch = branch.setdefault(piece, {})
        branch[_END] = {}
    if not tree:
        return
    pieces = list(_PIECE.finditer(text))
    free = 0
    for place, first in enumerate(pieces):
        if first.start() >= free and first[0] in tree:
            end = _follow(tree, pieces, place)
            if end is not None:
                free = end
                yield first.start(), end


def _follow(tree: _Branch, pieces: Sequence[Match[str]], place: int) -> Optional[int]:
    """Return the end of the longest form that begins with a piece of the text."""
    end: Optional[int] = None
    branch = tree
    for index in range(place, len(pieces)):
        if pieces[index][0] not in branch:
            return end
        branch = branch[pieces[index][0]]
        if _END in branch and _is_whole(pieces, index):
            end = pieces[index].end()
    return end


def _is_whole(pieces: Sequence[Match[str]], index: int) -> bool:
    # A run of letters is whole; behind a mark, such as that of an initial, no word may go on.
    is_word = _WORD_PIECE.match(pieces[index][0]) is not None
    return is_word or index + 1 == len(pieces) or not _WORD_PIECE.match(pieces[index + 1][0])
