"""Do pipelines keep their promises on hostile texts?

    python benchmarks/fuzz_texts.py [--rules 20000] [--trained 2000] [--seed 0] [--model PATH]
        [--minutes 0] [--only NUMBER …]

Draws texts (`_hostile_texts.py`: all planes of Unicode, invisible characters, real sentences taken
to pieces, very long words, markup, half characters) and runs them through pipelines of the rule
components in several configurations, and through a trained pipeline, read in float32. For every
text: doc.text is the text; entities lie apart, in the text, and do not begin or end with characters
that show nothing; evidence, identifiers and definitions belong to what stands there. Running again,
over the same Doc or anew, `nlp.pipe` in several batches, two processes, DocBin, and the pipeline
after bytes and disk all give the same, confidences within 1e-4. Half a character is refused with
one clear error. What breaks is made smaller and printed with its number and seed; the exit status
is then 1. Prints one Markdown table.
"""

import argparse
import tempfile
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Sequence, Tuple

import spacy
from _common import ROOT, note, show
from _doc_checks import TOLERANCE, check_doc, compare, snapshot
from _fuzzing import (
    Deadline,
    Failure,
    Problem,
    TooSlow,
    case_random,
    chosen_numbers,
    distinct,
    minimize,
    report,
    tell,
    time_limit,
    write_literal,
)
from _hostile_texts import HostileTexts, has_halves, read_sentences
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.util import load_config

from spacy_bioner.errors import BionerError
from spacy_bioner.knowledge.terms import Term, read_terms

DEMO = ROOT / "assets" / "demo"
MODEL = ROOT / "training" / "demo" / "pipeline"
# spaCy's own tokenizers fail when they encode a word.
SPACY_REFUSES = (BionerError, UnicodeEncodeError)
# So many texts come together in a batch, and are sent to two processes.
TOGETHER = 500
TOGETHER_TRAINED = 100
SECONDS = 60.0
ZONE = "memory zone"
QUICK_WAYS = ("single again", "pipe in sevens", "pipe backwards", ZONE, "components over again")
LONG_WAYS = ("two processes", "DocBin", "from disk", "from bytes")
# Beside a text that fails, where it does so in a batch only.
COMPANIONS = ("", "Aspirin eases pain.", "Acute kidney injury (AKI) in rats.\n\nAKI is no RA.")
HEADER = ("pipeline", "texts", "characters", "entities", "kinds of faults")
TOKENIZER = {"@tokenizers": "spacy_bioner.BiomedicalTokenizer.v1"}
EXTRA_TERMS = (
    ("Cl-", "Chemical", "C1"), ("Ca2+", "Chemical", ""), ("β-blocker", "Chemical", "C2"),
    ("[CLS]", "Chemical", "X"), ("K", "Chemical", ""), ("Sjögren's syndrome", "Disease", "D1"),
    ("Sjo\u0308gren's syndrome", "Disease", "D2"), ("5'-AMP", "Chemical", "C3"), ("α", "Gene", ""),
    ("heart\nfailure", "Disease", "D3"), ("\U0001f44d\U0001f3fd", "Gene", "E"),
    ("RA", "Disease", ""),
    ("IL-2", "Gene", "G1"), ("IL 2", "Chemical", "G2"), ("type 2", "Disease", "D4"),
)  # fmt: skip
PATTERNS: List[Dict[str, Any]] = [
    {"label": "Chemical", "pattern": [{"LOWER": "vitamin"}, {"IS_SPACE": True, "OP": "*"},
                                      {"IS_ALPHA": True}], "id": "VIT"},
    {"label": "Dose", "pattern": [{"LIKE_NUM": True}, {"LOWER": {"IN": ["mg", "g", "ml"]}}]},
]  # fmt: skip


@dataclass
class Subject:
    """A pipeline that texts are run through.

    refuses (Tuple[type, …]): What it may raise for half a character.
    glues (bool): Its tokenizer leaves characters without width at words.
    longest_word (int): Texts with longer ones are left out; 0: none are.
    """

    name: str
    nlp: Language
    tolerance: float = 0.0
    refuses: Tuple[type, ...] = (BionerError,)
    glues: bool = False
    longest_word: int = 0
    again: Dict[str, Language] = field(default_factory=dict)

    def takes(self, text: str) -> bool:
        """Tell whether a text is run through it."""
        return not self.longest_word or all(len(w) <= self.longest_word for w in text.split())

    def load_again(self, folder: Path) -> None:
        """Make the same pipeline anew from bytes and from disk."""
        self.nlp.to_disk(folder)
        from_bytes = type(self.nlp).from_config(self.nlp.config)
        from_bytes.from_bytes(self.nlp.to_bytes())
        self.again = {"from disk": spacy.load(folder), "from bytes": from_bytes}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", type=int, default=20_000, help="texts through the rules")
    parser.add_argument("--trained", type=int, default=2_000, help="through a trained pipeline")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, default=MODEL, help="a trained pipeline's folder")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop then; 0: never")
    parser.add_argument("--only", type=int, nargs="+", default=[], help="numbers of texts")
    args = parser.parse_args()
    if args.trained and not (args.model / "config.cfg").is_file():
        parser.error(f"found no pipeline in {args.model}: `make run` makes one, or name --model")
    # What spaCy says of lemmas and of vectors that are not there.
    warnings.simplefilter("ignore")
    texts = HostileTexts(read_sentences(DEMO / "source"), [term.name for term in _terms()])
    rows: List[Sequence[str]] = [HEADER]
    failures: List[Failure] = []
    # A third of the time at most is the trained pipeline's.
    share = args.minutes / 3 if args.trained and args.rules else args.minutes
    with tempfile.TemporaryDirectory() as folder:
        if args.trained:
            subjects = [trained_subject(args.model)]
            subjects[0].load_again(Path(folder) / "trained")
            numbers = chosen_numbers(args.trained, args.only)
            deadline = Deadline(share)
            run = Run(subjects, texts, args.seed, deadline, failures, TOGETHER_TRAINED)
            rows += run.through(numbers)
        if args.rules:
            subjects = rule_subjects()
            for subject in subjects:
                subject.load_again(Path(folder) / subject.name)
            numbers = chosen_numbers(args.rules, args.only)
            deadline = Deadline(args.minutes - share if args.trained else share)
            rows += Run(subjects, texts, args.seed, deadline, failures, TOGETHER).through(numbers)
    show(rows, n=f"up to {args.rules:,} and {args.trained:,} texts", seed=args.seed)
    report(failures, seed=args.seed)


@dataclass
class Run:
    """Texts through pipelines, batch by batch.

    together (int): Texts of a batch.
    """

    subjects: Sequence[Subject]
    texts: HostileTexts
    seed: int
    deadline: Deadline
    failures: List[Failure]
    together: int

    def through(self, numbers: Sequence[int]) -> List[Sequence[str]]:
        """Run the texts of these numbers; gives a row of the table for each pipeline."""
        counts = {subject.name: [0, 0, 0] for subject in self.subjects}
        for start in range(0, len(numbers), self.together):
            if self.deadline.is_over:
                note(f"time is over after {start:,} of {len(numbers):,} texts")
                break
            batch = numbers[start : start + self.together]
            drawn = [self.texts.draw(case_random(self.seed, number)) for number in batch]
            # Each batch goes through one pipeline in all ways, and through the others singly.
            turn, chosen = divmod(start // self.together, len(self.subjects))
            for position, subject in enumerate(self.subjects):
                own = [pair for pair in zip(batch, drawn) if subject.takes(pair[1])]
                names = self._choose_ways(turn) if position == chosen else ()
                self._run_batch(subject, own, names, counts[subject.name])
            tell(self.subjects[0].name, start + len(batch), len(numbers), self.failures)
        return [
            (name, *(f"{n:,}" for n in numbers_of), str(sum(f.part == name for f in self.failures)))
            for name, numbers_of in counts.items()
        ]

    def _choose_ways(self, turn: int) -> Sequence[str]:
        """Return all ways, or, with several pipelines, of those that take long one in turn."""
        if len(self.subjects) == 1:
            return (*QUICK_WAYS, *LONG_WAYS)
        return (*QUICK_WAYS, LONG_WAYS[turn % len(LONG_WAYS)])

    def _run_batch(
        self,
        subject: Subject,
        numbered: Sequence[Tuple[int, str]],
        names: Sequence[str],
        counts: List[int],
    ) -> None:
        numbers, texts = [pair[0] for pair in numbered], [pair[1] for pair in numbered]
        found, docs = examine(subject, texts, names)
        counts[0] += len(texts)
        counts[1] += sum(map(len, texts))
        counts[2] += sum(len(doc.ents) for doc in docs)
        for index, problem in found:
            failure = Failure(subject.name, numbers[index], problem, "")
            if distinct(self.failures, failure):
                note(f"{subject.name}: text {numbers[index]}: {problem}"[:300])
                literal = shrink(subject, texts[index], problem)
                self.failures.append(Failure(subject.name, numbers[index], problem, literal))


Found = List[Tuple[int, Problem]]


def examine(
    subject: Subject, texts: Sequence[str], names: Sequence[str]
) -> Tuple[Found, List[Doc]]:
    """Run texts singly and in the ways named; gives what broke and the Docs."""
    found: Found = []
    docs: Dict[int, Doc] = {}
    for index, text in enumerate(texts):
        problems, doc = examine_one(subject, text)
        found += [(index, problem) for problem in problems]
        if doc is not None:
            docs[index] = doc
    if docs:
        found += _examine_ways(subject, docs, names)
    return found, list(docs.values())


def examine_one(subject: Subject, text: str) -> Tuple[List[Problem], Any]:
    """Run a text once; gives what broke, and the Doc if there is one."""
    try:
        with time_limit(SECONDS):
            doc = subject.nlp(text)
    except subject.refuses as error:
        refused = has_halves(text)
        return ([] if refused else [_raised("single", error)]), None
    except TooSlow as error:
        return [Problem("single: too slow", str(error))], None
    except Exception as error:
        return [_raised("single", error)], None
    if has_halves(text):
        return [Problem("half a character", "was not refused")], None
    try:
        return check_doc(text, doc, glues=subject.glues), doc
    except Exception as error:
        return [_raised("reading the Doc", error)], None


def _examine_ways(subject: Subject, docs: Dict[int, Doc], names: Sequence[str]) -> Found:
    indices = list(docs)
    texts = [docs[index].text for index in indices]
    expected = [snapshot(docs[index]) for index in indices]
    found: Found = []
    known = ways(subject)
    for way in names:
        run = known[way]
        try:
            # In a zone, what is read of a Doc has to be read before its end.
            zone = subject.nlp.memory_zone() if way == ZONE else nullcontext()
            with zone, time_limit(SECONDS * max(1, len(texts) / 20)):
                results = [snapshot(doc) for doc in run(texts)]
        except (Exception, TooSlow) as error:
            # Which text it was has to be found out.
            found += [(indices[place], _raised(way, error)) for place in _culprits(run, texts)]
            continue
        if len(results) != len(expected):
            found.append((indices[0], Problem(way, f"{len(results)} Docs for {len(texts)} texts")))
        for index, left, right in zip(indices, expected, results):
            problems = compare(way, left, right, tolerance=subject.tolerance)
            found += [(index, problem) for problem in problems]
    return found


def ways(subject: Subject) -> Dict[str, Callable[[Sequence[str]], Iterable[Doc]]]:
    """Name the ways that must give what single calls give."""
    nlp = subject.nlp

    def backwards(texts: Sequence[str]) -> List[Doc]:
        return list(nlp.pipe(texts[::-1], batch_size=64))[::-1]

    def through_docbin(texts: Sequence[str]) -> List[Doc]:
        data = DocBin(store_user_data=True, docs=nlp.pipe(texts, batch_size=11)).to_bytes()
        return list(DocBin().from_bytes(data).get_docs(nlp.vocab))

    def over_again(texts: Sequence[str]) -> List[Doc]:
        docs = [nlp(text) for text in texts]
        for _, component in nlp.pipeline:
            docs = [component(doc) for doc in docs]
        return docs

    reloaded = {
        name: lambda texts, other=other: list(other.pipe(texts, batch_size=16))
        for name, other in subject.again.items()
    }
    return {
        "single again": lambda texts: [nlp(text) for text in texts],
        "pipe in sevens": lambda texts: list(nlp.pipe(texts, batch_size=7)),
        "pipe backwards": backwards,
        # Docs come back as Doc.to_bytes.
        "two processes": lambda texts: list(nlp.pipe(texts, n_process=2, batch_size=25)),
        "DocBin": through_docbin,
        ZONE: lambda texts: list(nlp.pipe(texts)),
        "components over again": over_again,
        **reloaded,
    }


def _culprits(run: Callable[[Sequence[str]], Iterable[Doc]], texts: Sequence[str]) -> List[int]:
    """Find the texts that a way raises for alone; the first one if it needs several."""
    culprits = []
    for place, text in enumerate(texts):
        try:
            with time_limit(SECONDS):
                list(run([text]))
        except (Exception, TooSlow):
            culprits.append(place)
            break
    return culprits or [0]


def shrink(subject: Subject, text: str, problem: Problem) -> str:
    """Return the smallest text found that breaks the same, as a literal."""
    names = [way for way in (*QUICK_WAYS, *LONG_WAYS) if problem.check.startswith(way)]
    for beside in ((), COMPANIONS):

        def fails(smaller: str, beside: Sequence[str] = beside) -> bool:
            found, _ = examine(subject, [smaller, *beside], names)
            return any(index == 0 and other.check == problem.check for index, other in found)

        if fails(text):
            literal = write_literal(minimize(text, fails))
            return f"{literal} beside {write_literal(list(beside))}" if beside else literal
    return f"{write_literal(text)}, in its batch only"


def _raised(way: str, error: BaseException) -> Problem:
    return Problem(f"{way}: {type(error).__name__}", str(error)[:300])


def trained_subject(path: Path) -> Subject:
    """Load a trained pipeline, a transformer in float32: bfloat16 may decide otherwise by batch."""
    config = load_config(path / "config.cfg")
    overrides = {
        f"components.{name}.model.encoder.precision": "float32"
        for name, section in config["components"].items()
        if "precision" in section.get("model", {}).get("encoder", {})
    }
    nlp = spacy.load(path, config=overrides)
    is_ours = type(nlp.tokenizer).__name__ == "BiomedicalTokenizer"
    refuses = (BionerError,) if is_ours else SPACY_REFUSES
    return Subject("trained", nlp, TOLERANCE, refuses, glues=not is_ours)


def rule_subjects() -> List[Subject]:
    """Make pipelines of the rule components."""
    return [
        Subject("rules: defaults", _defaults()),
        Subject("rules: nested variants", _nested_variants()),
        Subject("rules: nothing in ents", _nothing_in_ents()),
        # Its time is quadratic in the length of a word.
        Subject(
            "rules: spaCy's tokenizer",
            _spacys_tokenizer(),
            refuses=SPACY_REFUSES,
            glues=True,
            longest_word=500,
        ),
    ]


def _defaults() -> Language:
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": TOKENIZER}})
    nlp.add_pipe("bioner_gazetteer").add_terms(_terms())
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_overlaps")
    return nlp


def _nested_variants() -> Language:
    tokenizer = {**TOKENIZER, "sentences": False}
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": tokenizer}})
    settings = {"nested": True, "variants": True, "min_length": 1, "confidence": 0.5}
    gazetteer = nlp.add_pipe("bioner_gazetteer", config=settings)
    gazetteer.add_terms(_terms())
    gazetteer.add_patterns(PATTERNS)
    nlp.add_pipe("bioner_abbreviations", config={"agreement": "keep", "drop_from": []})
    nlp.add_pipe("bioner_overlaps")
    return nlp


def _nothing_in_ents() -> Language:
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": TOKENIZER}})
    settings = {"set_ents": False, "labels": ["Disease", "Chemical"], "confidence": 0.75}
    nlp.add_pipe("bioner_gazetteer", config=settings).add_terms(_terms())
    nlp.add_pipe("bioner_gazetteer", "genes", config={"labels": ["Gene"], "variants": True}
                 ).add_terms(_terms())  # fmt: skip
    settings = {"source": "bioner_gazetteer", "temperature": 2.0, "threshold": 0.2,
                "thresholds": [["Disease", 0.9]]}  # fmt: skip
    nlp.add_pipe("bioner_confidence", config=settings)
    sources = ["bioner_gazetteer", "genes"]
    nlp.add_pipe("bioner_abbreviations", config={"set_ents": False, "sources": sources})
    nlp.add_pipe("bioner_overlaps", config={"sources": ["genes", *sources[:1]]})
    return nlp


def _spacys_tokenizer() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    nlp.add_pipe("bioner_gazetteer", config={"variants": True}).add_terms(_terms())
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_overlaps")
    return nlp


def _terms() -> List[Term]:
    extra = (Term(name, label, id) for name, label, id in EXTRA_TERMS)
    return [*read_terms(DEMO / "gazetteer.tsv"), *extra]


if __name__ == "__main__":
    main()
