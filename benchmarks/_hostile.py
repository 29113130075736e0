"""Texts that are hard on a pattern: what its repeats take, again and again, and then what fails.

A pattern that tries every start, or every division of a stretch between two repeats, needs time
with the square of such a text. The texts are made from the pattern's own parts, so that patterns
which nobody has written yet are tried as well.
"""

import importlib
import pkgutil
import random
import re
import signal
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Pattern, Set, Tuple

import spacy_bioner

# How Python takes patterns apart; the modules had other names before 3.11.
_OLD = sys.version_info < (3, 11)
codes: Any = importlib.import_module("sre_constants" if _OLD else "re._constants")
parser: Any = importlib.import_module("sre_parse" if _OLD else "re._parser")
# Repeats and groups that give nothing back are new in 3.11.
_REPEATS = [
    getattr(codes, name, None) for name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
]
_ATOMIC_GROUP = getattr(codes, "ATOMIC_GROUP", None)

# Behind a stretch of what a repeat takes: what ends no word, ends all, or goes on.
TAILS = ("", "\0", "!")
# What texts are full of, whatever a pattern asks for.
COMMON = ("a", "A", "1", " ", "\n", "\t", "-", ".", "a.", "a ", "A ", "A. ", "1 ", "(", ", ", "a-")
_SAMPLES = 3
_LONG_REPEAT = 200
_ANY_CHARACTER = "aA1 .-,:;/\n\t'(x@w"


def list_patterns() -> Dict[str, Pattern[str]]:
    """Find the patterns of all modules, in tables and rules too, by module and name."""
    found: Dict[str, Pattern[str]] = {}
    known: Set[Tuple[str, int]] = set()
    for info in pkgutil.walk_packages(spacy_bioner.__path__, "spacy_bioner."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, value in sorted(vars(module).items()):
            for place, pattern in _walk(value, f"{info.name}.{name}", set()):
                key = (pattern.pattern, pattern.flags)
                if key not in known:
                    known.add(key)
                    found[place.removeprefix("spacy_bioner.")] = pattern
    return found


def _walk(value: Any, place: str, seen: Set[int]) -> Iterator[Tuple[str, Pattern[str]]]:
    if id(value) in seen or isinstance(value, type):
        return
    seen.add(id(value))
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield place, value
    elif isinstance(value, (tuple, list, set, frozenset)):
        for number, item in enumerate(value):
            yield from _walk(item, f"{place}[{number}]", seen)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, f"{place}[{key!r}]", seen)
    elif type(value).__module__.startswith("spacy_bioner"):
        for key, item in getattr(value, "__dict__", {}).items():
            yield from _walk(item, f"{place}.{key}", seen)


def make_texts(pattern: Pattern[str], length: int, *, seed: int = 0) -> List[str]:
    """Make texts of about so many characters that are hard on a pattern."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    pumps: Dict[Tuple[str, str], None] = dict.fromkeys(("", unit) for unit in COMMON)
    for number in range(_SAMPLES):
        sampler = _Sampler(random.Random(f"{seed} {number}"))
        sampler.add(tree)
        pumps.update(dict.fromkeys(sampler.pumps))
        pumps[("", sampler.text)] = None
    texts: Dict[str, None] = {}
    for start, unit in pumps:
        if unit:
            texts.update(
                dict.fromkeys(start + unit * (length // len(unit)) + tail for tail in TAILS)
            )
        if start and unit:
            whole = start + unit
            texts[whole * (length // len(whole))] = None
            # As many starts as there are characters that each of them may run through.
            texts[start * (length // len(start) // 2) + unit * (length // len(unit) // 2)] = None
    return list(texts)


class _Sampler:
    """Makes a text that a pattern takes, and notes what its long repeats take, and behind what."""

    def __init__(self, choice: random.Random) -> None:
        self.text = ""
        self.pumps: List[Tuple[str, str]] = []
        self._choice = choice

    def add(self, tree: Any) -> None:
        for code, value in tree:
            self._add_item(code, value)

    def _add_item(self, code: Any, value: Any) -> None:
        if code is codes.LITERAL:
            self.text += chr(value)
        elif code is codes.NOT_LITERAL:
            self.text += "b" if value == ord("a") else "a"
        elif code is codes.ANY:
            self.text += self._choice.choice("a 1")
        elif code is codes.IN:
            self.text += self._choose(value)
        elif code in _REPEATS:
            self._add_repeat(*value)
        elif code is codes.SUBPATTERN:
            self.add(value[3])
        elif code is _ATOMIC_GROUP:
            self.add(value)
        elif code is codes.BRANCH:
            self.add(self._choice.choice(value[1]))

    def _add_repeat(self, low: int, high: int, body: Any) -> None:
        start = len(self.text)
        times = low + self._choice.randint(0, min(2, int(high) - low))
        for _ in range(max(times, 1)):
            unit = len(self.text)
            self.add(body)
            if high >= _LONG_REPEAT:
                self.pumps.append((self.text[:start], self.text[unit:]))
        if not times:
            self.text = self.text[:start]

    def _choose(self, items: Any) -> str:
        if items[0][0] is codes.NEGATE:
            wanted = [char for char in _ANY_CHARACTER if not _is_in(char, items[1:])]
            return self._choice.choice(wanted or ["é"])
        fitting = [char for char in _ANY_CHARACTER if _is_in(char, items)]
        fitting += [chr(value) for code, value in items if code is codes.LITERAL]
        fitting += [chr(value[0]) for code, value in items if code is codes.RANGE]
        return self._choice.choice(fitting or ["é"])


def _is_in(char: str, items: Any) -> bool:
    kinds: Dict[Any, Callable[[str], bool]] = {
        codes.CATEGORY_DIGIT: str.isdigit,
        codes.CATEGORY_NOT_DIGIT: lambda c: not c.isdigit(),
        codes.CATEGORY_SPACE: str.isspace,
        codes.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
        codes.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
        codes.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
    }
    for code, value in items:
        if code is codes.LITERAL and ord(char) == value:
            return True
        if code is codes.RANGE and value[0] <= ord(char) <= value[1]:
            return True
        if code is codes.CATEGORY and kinds[value](char):
            return True
    return False


def seconds(call: Callable[[], Any], limit: float) -> Optional[float]:
    """Return the processor's seconds of a call; None beyond the limit, at which it is stopped.

    What else the machine does is not counted, nor what other threads of this process do; the
    limit is one of the whole process.
    """

    def stop(*_: Any) -> None:
        raise _TooLongError

    kept = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    began = time.thread_time()
    try:
        call()
        return time.thread_time() - began
    except _TooLongError:
        return None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, kept)


class _TooLongError(BaseException):
    """Not an `Exception`: what is timed may catch those."""
