"""Sentence borders in biomedical English, by rules: text in, character offsets out.

Every rule looks at a bounded stretch around a candidate, so the time is linear in the text.
"""

import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, FrozenSet, List, Match, Sequence, Tuple

from spacy_bioner.blanks import is_squeezed, squeeze

if TYPE_CHECKING:
    from spacy.tokens import Doc

# How far a rule looks to either side: longer words are cut, which no rule minds.
_REACH = 48

_CANDIDATE = re.compile(r"[.!?…][\"'”’)\]}]*\s+")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
# "tumour growth.The patients": only before a word that opens sentences, since "IL2.Luc" is a name.
_GLUED = re.compile(r"(?<=[a-z]{3})[.?](?=[A-Z][a-z]*,?\s)")
# Titles often lack a full stop; the head of a structured abstract still opens a sentence. A head
# of several words ("MAIN RESULTS:") starts at its first word, which is none of these.
_HEAD = re.compile(
    r"(?<=\s)(?<![A-Z'] )(?:STUDY )?(?:AIMS?|BACKGROUND|CONCLUSIONS?|DESIGN|DISCUSSION|FINDINGS"
    r"|INTRODUCTION|METHODS?|METHODOLOGY|MATERIALS?|OBJECTIVES?|PATIENTS|PURPOSES?|RATIONALE"
    r"|RESULTS|SETTING|SUBJECTS|SUMMARY|HYPOTHESIS|CONTEXT|IMPORTANCE"
    r"|CASE (?:REPORT|PRESENTATION|SUMMARY))"
    r"(?:(?: AND |/| & )[A-Z]{4,20}(?: [A-Z]{4,20})?)?:(?=\s)"
)
_RIGHT_WORD = re.compile(rf"[(\[{{\"'“‘]*(?:[*•]\s)?(\S{{1,{_REACH}}})")
_DOTTED = re.compile(r"[A-Za-z]\.[A-Za-z]$|Ph\.D$")
_INITIAL = re.compile(r"[A-Z](?:\.|$)")
# "45-y.o.", "2yr."; "para-vol.", "kg/hr."
_COUNT = re.compile(r"^[0-9]+(?:[.,][0-9]+)?[-–]?")
# Not in the names of genes: c-jun.
_JOINED = re.compile(r"(?<!\b[A-Za-z])[-–]|[/(]")
_SMALL_INITIAL = re.compile(r"[a-z]\.$")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}$")
# Names that keep their small letter at the start of a sentence: p53, mRNA, c-Myc, alpha-MSH.
_NAME_IN_SMALL = re.compile(
    r"[a-z]{1,5}-?[A-Z0-9]|[α-ω](?:-|[A-Z0-9])|(?:alpha|beta|gamma|delta)-|(?:von|van)$"
)


def _words(words: str) -> FrozenSet[str]:
    return frozenset(words.split())


# What a single capital letter belongs to at the end of a sentence: "hepatitis B. Interferon".
_DESIGNATORS = _words(
    "amphotericin class cyclosporin degrees factor grade group hepatitis influenza protein stage "
    "type vitamin"
)
_FUNCTION_WORDS = _words(
    "a an and as at between by for from in into of on or than that the to versus via with"
)
# Something always follows these: a name, a number, an example. Those in capitals stand so in heads.
_NEVER_LAST = _words(
    "a.k.a aff approx bv c.f ca capt cf chap chaps cv dr drs e.g eg eq eqn eqns eqs esp excl fig "
    "figs i.e ie incl lt messrs mme mr mrs ms mt n.b nos nr para paras pg pgs pp prof profs pv "
    "ref refs resp sgt ssp st str subsp supp suppl tab tbl vit vits viz vol vols vs APPROX CHAP "
    "FIG FIGS REFS SUPPL VIT VOL VOLS VS"
)
# These may end a sentence, but a capital letter alone does not show it.
_SELDOM_LAST = _words(
    "acad al am anesth ann appl apr assoc aug ave avg bacteriol behav biochem biol blvd cardiol "
    "ch chem clin co conc conf corp dec dept dermatol dil dis dx ed edn eds endocrinol engl "
    "environ epidemiol est ex exp ext feb gastroenterol gen genet gynecol hematol hosp ht hum hx "
    "immunol inc infect inst int jan jr jul jun lett ltd m.d max med metab microbiol mol mutat "
    "nat natl neurobiol neurol neurosci no nov nutr obstet oct oncol ophthalmol pediatr ph.d "
    "pharm pharmacol physiol proc psychiatr psychol pt pts radiol rd res rev rx sci sect sept soc "
    "sp spp sr surg sx symp tel temp ther toxicol tx u.k u.s u.s.a univ urol virol wt y.o y/o yo"
)
_UNITS = _words(
    "cm d dl ft g gm h hr hrs iu kcal kg l lb lbs m mcg mg min mins ml mm mo mos ng nm oz s sec "
    "secs ug wk wks yr yrs"
)
# Words that begin many sentences and few names; most frequent in the abstracts of the training
# and development splits of BC5CDR, NCBI-disease, BioRED, GNormPlus, NLM-Gene and S800.
_OPENERS = (
    "Accordingly Additionally Administration After All Also Although Among An Analysis Animals As "
    "At Background Based Because Before Between Both By Cells Children Collectively Compared "
    "Comparison Conclusion Conclusions Consequently Consistent Control Conversely Data Despite "
    "During Each Eight Eleven Expression Female Finally First Five Following For Four From Further "
    "Furthermore Given Group He Hence Her Here His How However If Importantly In Increased "
    "Infection Inhibition Interestingly It Its Later Levels Male Many Mean Men Methods Mice More "
    "Moreover Most Mutation Mutations Neither Nevertheless Nine No None Not Notably Objective Of "
    "On Once One Only Other Our Overall Patients Previous Rats Recent Recently Results Samples "
    "Second Sequence Seven Several She Similar Similarly Since Six Some Strain Strains Studies "
    "Subjects Subsequently Such Surprisingly Taken Ten That The Their Then There Therefore These "
    "They This Those Three Through Thus To Together Treatment Twelve Twenty Two Under Unlike Upon "
    "Using We What When Where Whereas Whether Which While Why With Within Women"
).replace(" ", "|")
_OPENER = re.compile(rf"(?:(?:{_OPENERS})(?=[\s,:;])|A(?=\s[a-z0-9])|[A-Z]{{4,{_REACH}}}:)")


def list_sentence_starts(doc: "Doc", text: str) -> List[int]:
    """Return where the sentences of a Doc start, by rules where it has none.

    text (str): That of the Doc, which spaCy puts together anew each time.
    """
    if doc.has_annotation("SENT_START"):
        return [sentence.start_char for sentence in doc.sents]
    return sentence_starts(text)


def sentence_starts(text: str) -> List[int]:
    """Find where sentences start.

    A full stop ends a sentence unless it belongs to an abbreviation, an initial, a species name
    or a number; a blank line and the head of a structured abstract ("METHODS:") always make a
    border. White space belongs to the sentence before it. A line break alone says nothing: all
    rules but that of blank lines read the text with one blank between words.

    text (str): Any text; a title and an abstract may follow each other.
    RETURNS (List[int]): Character offsets, ascending. The first is 0; empty text has none.
    """
    if is_squeezed(text):
        return sorted({0, *_find_starts(text)}) if text else []
    squeezed = squeeze(text)
    places = squeezed.places.tolist()
    starts = {0, *(places[start] for start in _find_starts(squeezed.text))}
    # What shows nothing belongs to the sentence before it, without width or not.
    behind = [bisect_left(places, match.end()) for match in _BLANK_LINE.finditer(text)]
    starts.update(places[place] for place in behind if place < len(places))
    return sorted(starts)


def sentence_flags(token_offsets: Sequence[int], starts: Sequence[int]) -> List[bool]:
    """Tell for each token whether it is the first of a sentence.

    token_offsets (Sequence[int]): The offset of each token's first character, ascending.
    starts (Sequence[int]): Offsets at which sentences start. One that lies within a token moves
        to the next token.
    RETURNS (List[bool]): One flag a token; the first token always has it.
    """
    flags = [False] * len(token_offsets)
    for start in (0, *starts):
        index = bisect_left(token_offsets, start)
        if index < len(flags):
            flags[index] = True
    return flags


def _find_starts(text: str) -> List[int]:
    starts = [match.end() for match in _CANDIDATE.finditer(text) if _is_border(text, match)]
    starts += [match.start() for match in _HEAD.finditer(text)]
    starts += [match.end() for match in _GLUED.finditer(text) if _OPENER.match(text, match.end())]
    return [start for start in starts if start < len(text)]


def _is_border(text: str, match: Match[str]) -> bool:
    """Decide on a terminator that white space follows."""
    right = _RIGHT_WORD.match(text, match.end())
    if right is None:
        return False
    following = right.group(1)
    closing = match.group().rstrip()
    if closing[0] != ".":
        return not following[0].islower() or _NAME_IN_SMALL.match(following) is not None
    before, word = _left_words(text[max(0, match.start() - _REACH) : match.start()])
    if _is_item_number(before, word):
        return False
    bare = word.lstrip("([{\"'“‘")
    if len(bare) == 1 and _SMALL_INITIAL.match(before.lstrip("([")):
        # "e. g." and "i. v." are written with a blank as well
        bare = before.lstrip("([") + bare
    if _OPENER.match(text, right.start(1)):
        return not _is_one_of(bare, _NEVER_LAST)
    # "(mean +/- s.d.) Values" goes on; a sentence ends behind its bracket
    if not bare or ")" in closing or "]" in closing:
        return False
    if following[0].isupper():
        return _may_end_before_capital(bare, before if bare == word else "", following)
    if following[0].isdigit():
        return _may_end_before_number(bare, following)
    return _NAME_IN_SMALL.match(following) is not None and _is_plain(bare)


def _left_words(left: str) -> Tuple[str, str]:
    """Return the last two words; the last one is empty where white space stands at the end."""
    words = ["", "", *left.split()]
    return (words[-1], "") if left[-1:].isspace() else (words[-2], words[-1])


def _is_item_number(before: str, word: str) -> bool:
    """Tell whether the word counts the items of a list ("… of webs. 2. Females …")."""
    return word.isdigit() and len(word) < 3 and before[-1:] in ("", ".", "?", "!")


def _normal(word: str) -> str:
    # "ca." is an abbreviation; the "CA" of a sentence's end is not
    return word if len(word) > 1 and word.isupper() else word.lower()


# The same words end sentences over and over.
@lru_cache(maxsize=1 << 12)
def _is_one_of(word: str, *lists: FrozenSet[str]) -> bool:
    """Tell whether a word, or what stands behind its number or hyphen, is in a list."""
    parts = {_normal(part) for part in (word, _COUNT.sub("", word), _JOINED.split(word)[-1])}
    return any(not parts.isdisjoint(words) for words in lists)


def _may_end_before_capital(word: str, before: str, following: str) -> bool:
    if _is_one_of(word, _NEVER_LAST, _SELDOM_LAST):
        return False
    if _DOTTED.search(word):
        return word.islower() and not following[:2].isupper()
    if len(word) > 1 or not word.isupper():
        # "p. Glu104X" is a protein variant, "v." stands for versus and "c." for about
        return word not in ("c", "p", "v")
    # "J. Smith" and "of E. Coli" against "hepatitis B. Interferon"
    if before.lower() in _DESIGNATORS:
        return True
    is_name = not before.isalpha() or not before.islower() or before in _FUNCTION_WORDS
    return not is_name and not _INITIAL.match(following)


def _may_end_before_number(word: str, following: str) -> bool:
    # Some corpora tear decimals apart ("0. 05", "than. 005"); "in 1985. 12 patients" is a border.
    if following[0] == "0" or not (word[-1].isalnum() or word[-1] in ")]%"):
        return False
    if word[-1].isdigit():
        return _YEAR.match(word) is not None
    return _is_plain(word)


def _is_plain(word: str) -> bool:
    return not (
        len(word) == 1
        or _DOTTED.search(word)
        or _normal(word) in _UNITS
        or _is_one_of(word, _NEVER_LAST, _SELDOM_LAST)
    )
