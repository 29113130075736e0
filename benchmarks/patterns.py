"""Does time grow with a text, or with its square?

    python benchmarks/patterns.py [--length 5000] [--patterns]

Prints one Markdown table: for each function that reads other people's texts, seconds for the
hostile text that is worst for it, and for one four times as long. Linear time gives about 4, the
square 16. The texts repeat what is tried from every place: openings of addresses, cues, brackets,
blanks, halves of lines; they are made by `_hostile.py` from all patterns as well. With
`--patterns`, there is a row for every pattern in the package instead.
"""

import argparse
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import spacy
from _common import show
from _hostile import COMMON, list_patterns, make_texts, seconds

import spacy_bioner
from spacy_bioner.components.tokenizer import make_tokenizer
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.registry import FORMATS
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import BionerError
from spacy_bioner.knowledge.context.cues import load_cue_table
from spacy_bioner.knowledge.context.findings import find_context
from spacy_bioner.knowledge.context.heads import load_section_table
from spacy_bioner.knowledge.context.sections import find_sections
from spacy_bioner.knowledge.definitions import find_definitions
from spacy_bioner.records import Record
from spacy_bioner.sentences import sentence_starts
from spacy_bioner.transforms.deidentification import deidentify, find_identifiers
from spacy_bioner.transforms.normalization import build_normalizer

UNITS = (
    *COMMON, "www.", "http://", "a@", "@a.", "Dr ", "Dr. Aa ", "MRN ", "MRN: 1234 ", "tel 1 ",
    "1-", "1/", "01/02/2020 ", "(", ")", "()", "[", "[**", "**]", "[DATE] 01/02/2020 ", "{", "}",
    "<", "<a>", "</", "<!--", "&", "&amp;", '"', '":', '","', "'", "\\", "\\u", "|", "a|t|\n",
    "1|t|a\n1|a|a\n\n", "1\t2\t3\ta\n", "a (AB) ", "alpha beta (AB) ", "A B ", "Aa-", "Aa’",
    "TNF-α ", "\r", "\r\n", "\n\n", "\u00ad", "\u200b", "\u2028", "é", "é", "\u0301", "a\u0301",
    "...", ". A", "? ", "O O\n", "a B-X\n", "a\tB-X\n", "#", "# a", "# a = b\n", "-DOCSTART-\n",
    "a,b\n", '"a,b\n', "T1\tX 0 1\ta\n", "T1\t", 'c="a" 1:0 1:0||t="x"\n', '{"text":"a"}\n',
    '[{"text":', "[[", "<document>", "<passage>", "- ", "1.",
)  # fmt: skip
# What takes less is not worth a comparison: it is noise.
LEAST_SECONDS = 0.002
LIMIT = 20.0
Call = Callable[[str], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=5000, help="characters of the shorter text")
    parser.add_argument("--patterns", action="store_true", help="a row for each pattern instead")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.patterns:
            measured = [
                (name, *measure(call, lambda n, p=pattern: make_texts(p, n), args.length))
                for name, (pattern, call) in pattern_calls().items()
            ]
        else:
            calls = function_calls(Path(folder))
            measured = [
                (name, *measure(call, make_units, args.length)) for name, call in calls.items()
            ]
    header = ("what", "worst repeat", f"s at {args.length:,}", f"s at {4 * args.length:,}", "ratio")
    show([header, *map(_row, measured)], left=2, n=f"{len(measured)} rows", seed=0, limit_s=LIMIT)


def make_units(length: int) -> List[str]:
    """Make the hostile texts for functions, of about so many characters."""
    return [unit * (length // len(unit)) for unit in UNITS]


def function_calls(folder: Path) -> Dict[str, Call]:
    """Return what reads texts, by name; files of readers go to a folder."""
    normalizer = build_normalizer(
        ["controls", "spaces", "unicode", "dashes", "quotes", "expand", "collapse"]
    )
    nlp = spacy.blank("en")
    calls: Dict[str, Call] = {
        "identifiers": find_identifiers,
        "de-identification": lambda text: deidentify(Record("1", text)),
        "sentences": sentence_starts,
        "abbreviations": find_definitions,
        "sections": find_sections,
        "context": _find_all_context,
        "normalization": normalizer,
        # A tokenizer keeps what it has split before.
        "tokenizer": lambda text: make_tokenizer()(nlp)(text),
        "detecting a format": lambda text: _tolerantly(
            detect_format, _write(folder, "x.txt", text)
        ),
    }
    for name, item in FORMATS.items():
        if not item.holds_docs:
            calls[f"reading {name}"] = lambda text, name=name: _read(folder, name, text)
    return calls


def _find_all_context(text: str) -> None:
    """Look for the context of every other word, in a text without sentences or sections."""
    find_context(
        text,
        [word.span() for word in re.finditer(r"\w+", text)][::2],
        sentence_starts=[0],
        sections=[],
        cues=load_cue_table(),
        heads=load_section_table(),
    )


def pattern_calls() -> Dict[str, Tuple["re.Pattern[str]", Call]]:
    """Return every pattern with the use that its module makes of it: where only the beginning or
    the whole is asked for, no other starts are tried."""
    calls: Dict[str, Tuple[re.Pattern[str], Call]] = {}
    for name, pattern in list_patterns().items():
        calls[name] = (pattern, _use(name, pattern))
    return calls


def _use(place: str, pattern: "re.Pattern[str]") -> Call:
    module, _, rest = place.rpartition(".")
    name = re.split(r"[\[.]", rest)[0]
    # Where it is installed: the wheel is tested without the sources beside it.
    path = Path(spacy_bioner.__file__).parent / f"{module.replace('.', '/')}.py"
    source = path.read_text(encoding="utf-8") if path.is_file() else ""
    words = set(re.findall(rf"\b{re.escape(name)}\.(\w+)\b", source))
    if words and words <= {"match", "fullmatch", "pattern"}:
        return lambda text: (pattern.match(text), pattern.fullmatch(text))
    return lambda text: sum(1 for _ in pattern.finditer(text))


def measure(
    call: Call, make: Callable[[int], Sequence[str]], length: int
) -> Tuple[str, Optional[float], Optional[float]]:
    """Find the text that takes longest, and time it and the same at four times the length.

    RETURNS (Tuple): The text's beginning, and the seconds of both; None beyond the limit.
    """
    worst, place = -1.0, 0
    short = make(length)
    for number, text in enumerate(short):
        taken = seconds(lambda text=text: call(text), LIMIT)
        if taken is None or taken > worst:
            worst, place = LIMIT if taken is None else taken, number
        if taken is None:
            return short[place], None, None
    again = min(_fastest(call, short[place], worst), worst)
    return short[place], again, _fastest(call, make(4 * length)[place], LIMIT)


def _fastest(call: Call, text: str, worst: float) -> Any:
    taken = [seconds(lambda: call(text), LIMIT) for _ in range(1 if worst > 1 else 2)]
    known = [item for item in taken if item is not None]
    return min(known) if known else None


def ratio(short: Optional[float], long: Optional[float]) -> Optional[float]:
    """Return how much longer four times the text takes; None beyond the limit."""
    if short is None or long is None:
        return None
    return 4.0 if long < LEAST_SECONDS else long / max(short, LEAST_SECONDS / 4)


def _row(item: Tuple[str, str, Optional[float], Optional[float]]) -> List[str]:
    name, text, short, long = item
    times = ["beyond" if value is None else f"{value:.4f}" for value in (short, long)]
    found = ratio(short, long)
    shown = repr(text[:16]).replace("|", "\\|").replace("`", "'")
    return [name, f"`{shown}`", *times, "–" if found is None else f"{found:.1f}"]


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def _read(folder: Path, name: str, text: str) -> None:
    path = _write(folder, "x.txt", text)
    if FORMATS[name].is_folder:
        # Both as the text and as its annotation.
        path = folder / name
        for ending in (".txt", *FORMATS[name].folder_endings):
            _write(folder, f"{name}/x{ending}", text)
    _tolerantly(lambda source: list(read_records(source, name, problems=ReadErrors())), path)


def _tolerantly(call: Callable[[Path], Any], path: Path) -> None:
    with suppress(BionerError):
        call(path)


if __name__ == "__main__":
    main()
