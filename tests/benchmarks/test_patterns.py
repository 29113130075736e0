"""No pattern, and nothing that reads other people's texts, needs time with the square of a text.

Time is held against time on the same machine, the thread's own: six times the text may take
sixteen times as long, where the square takes 36, and what is quick is not looked at. A machine may
be held up for a moment, and then everything looks slow: what seems to be is timed again, later
each time, and once in time is enough. A pattern that needs the square is never in time.
"""

import multiprocessing
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

import pytest

if not hasattr(__import__("signal"), "setitimer"):
    pytest.skip("no timers here", allow_module_level=True)

# Matplotlib's own markup, in which text stands escaped: nobody else writes it.
OWN = {"reports.plots.style._NOT_INLINE"}
LENGTH = 2000
QUICK = 0.005
LIMIT = 10.0
# Seconds to wait before each look at what seems slow.
PAUSES = (0.0, 0.1, 0.5, 2.0, 5.0)


def grows_too_fast(
    call: Callable[[str], Any],
    make: Callable[[int], List[str]],
    *,
    quick: float = QUICK,
    pauses: Sequence[float] = PAUSES,
) -> Optional[str]:
    """Return a text, of those made, for which time grows with the square; None if none does."""
    seconds = import_module("_hostile").seconds

    def fastest(text: str) -> Optional[float]:
        taken = [seconds(lambda: call(text), LIMIT) for _ in range(3)]
        return None if None in taken else min(taken)

    def in_time(short: str, long: str, pause: float) -> bool:
        time.sleep(pause)
        once, more = fastest(short), fastest(long)
        return once is not None and more is not None and more <= max(16 * once, 6 * quick)

    for number, text in enumerate(make(LENGTH)):
        once = seconds(lambda text=text: call(text), LIMIT)
        if once is not None and once < quick:
            continue
        longer = make(6 * LENGTH)[number]
        if not any(in_time(text, longer, pause) for pause in pauses):
            return text
    return None


def test_the_texts_find_patterns_that_are_known_to_be_slow() -> None:
    make_texts = import_module("_hostile").make_texts
    slow = [
        r"(?:www\.|dx\.)*(?:doi|(?:\w+\.)*org)$",
        r"MRN\s*#?\s*(?P<id>\d)",
        r"#\s*(\w[\w ]*?)\s*=",
        r"[A-Z](?:['-][A-Z][a-z]*)*,",
    ]
    for source in slow:
        pattern = re.compile(source)
        found = grows_too_fast(
            lambda text, pattern=pattern: sum(1 for _ in pattern.finditer(text)),
            lambda length, pattern=pattern: make_texts(pattern, length),
            pauses=PAUSES[:1],
        )
        assert found is not None, source


def in_a_fresh_process(function: Callable[..., Dict[str, str]], *args: Any) -> Dict[str, str]:
    """Run where nothing else is in memory: in a long test run, collecting garbage takes longer than
    what is timed."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def list_slow_patterns() -> Dict[str, str]:
    hostile, patterns = import_module("_hostile"), import_module("patterns")
    calls = patterns.pattern_calls()
    assert len(calls) > 150
    assert "transforms.identifiers.contacts._PUBLIC" in calls
    return {
        name: text
        for name, (pattern, call) in calls.items()
        if name not in OWN
        and (text := grows_too_fast(call, lambda n, p=pattern: hostile.make_texts(p, n)))
    }


def list_slow_functions(folder: Path) -> Dict[str, str]:
    patterns = import_module("patterns")
    calls = patterns.function_calls(folder)
    assert {"identifiers", "sentences", "tokenizer", "reading pubtator"} <= set(calls)
    return {
        name: text
        for name, call in calls.items()
        if (text := grows_too_fast(call, patterns.make_units, quick=0.05))
    }


def test_no_pattern_of_the_package_needs_the_square_of_a_text() -> None:
    assert in_a_fresh_process(list_slow_patterns) == {}


def test_nothing_that_reads_texts_needs_their_square(tmp_path) -> None:
    assert in_a_fresh_process(list_slow_functions, tmp_path) == {}


def test_the_script_prints_a_row_for_each_function(monkeypatch, capsys) -> None:
    patterns = import_module("patterns")
    monkeypatch.setattr(patterns, "UNITS", ("www.", "1 "))
    monkeypatch.setattr(sys, "argv", ["patterns.py", "--length", "40"])
    patterns.main()
    shown = capsys.readouterr().out
    assert "| identifiers |" in shown
    assert "s at 160" in shown
