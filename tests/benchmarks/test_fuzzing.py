"""The fuzzing scripts notice what is broken, and make it small."""

import mmap
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from spacy_bioner.components.abbreviations import ABBREVIATIONS_KEY
from spacy_bioner.components.evidence import Evidence, add_evidence
from spacy_bioner.corpora.formats import registry
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record
from tests.conftest import TOKENIZER

ZERO_WIDTH = "\u200b"


def replace_format(monkeypatch, name, **changes):
    monkeypatch.setitem(registry.FORMATS, name, replace(registry.FORMATS[name], **changes))


class Broken:
    """A component with one fault, which it shows in texts with a zero-width space."""

    def __init__(self, fault):
        self.fault, self.seen = fault, 0

    def __call__(self, doc, *, together=False):
        self.seen += 1
        if ZERO_WIDTH not in doc.text:
            return doc
        getattr(self, f"_{self.fault}")(doc, together)
        return doc

    def pipe(self, docs, **_):
        yield from (self(doc, together=True) for doc in docs)

    def _raises(self, doc, together):
        raise RuntimeError("no such thing")

    def _blank_border(self, doc, together):
        place = next(token.i for token in doc if token.text == ZERO_WIDTH)
        doc.set_ents([Span(doc, place, place + 1, label="X")])

    def _batch_differs(self, doc, together):
        if together:
            doc.set_ents([Span(doc, 0, len(doc), label="X")])

    def _remembers(self, doc, together):
        add_evidence(doc, Evidence(0, 1, "X", "broken", rule=str(self.seen)))

    def _sure(self, doc, together):
        add_evidence(doc, Evidence(0, 1, "X", "broken", confidence=1.5))

    def _identifier(self, doc, together):
        doc[0].ent_kb_id_ = "D1"


@pytest.fixture
def texts():
    return import_module("fuzz_texts")


@pytest.fixture
def make_subject(texts):
    def make(fault):
        name = f"broken_{fault}"
        Language.component(name, func=Broken(fault))
        nlp = spacy.blank("en", config=TOKENIZER)
        nlp.add_pipe(name)
        return texts.Subject("broken", nlp)

    return make


@pytest.fixture
def readers():
    return import_module("_reader_checks")


@pytest.fixture
def case(readers):
    data = b"1|t|Naloxone\n1|a|\n1\t0\t8\tNaloxone\tChemical\tD1\n"
    return readers.Case("pubtator", {"a.txt": data}, intact=True)


@pytest.mark.parametrize(
    ("case", "needed", "smallest"),
    [
        ("abcdefgh", "bg", "bg"),
        ("a" * 1_000, "aaa", "aaa"),
        (b"one\ntwo\n", b"w", b"w"),
        ([1, 2, 3, 4], [], []),
        ([1, 2, 3, 4], [2, 4], [2, 4]),
    ],
)
def test_a_case_is_made_as_small_as_it_can_be(case, needed, smallest):
    def fails(part):
        rest = iter(part)
        return all(item in rest for item in needed)

    assert import_module("_fuzzing").minimize(case, fails) == smallest


def test_minimizing_stops_after_so_many_tries():
    tried = []
    fuzzing = import_module("_fuzzing")
    kept = fuzzing.minimize("a" * 100, lambda part: tried.append(part) or False, tries=7)
    assert kept == "a" * 100
    assert len(tried) == 7


def test_what_takes_too_long_is_stopped_whatever_it_catches():
    fuzzing = import_module("_fuzzing")

    def never_ends():
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    with pytest.raises(fuzzing.TooSlow, match="more than"), fuzzing.time_limit(0.05):
        never_ends()


def test_a_number_and_a_seed_give_the_same_text(texts):
    source = texts.HostileTexts(["Aspirin eases pain."], ["aspirin"])
    draws = [source.draw(texts.case_random(1, number)) for number in range(300)]
    assert draws == [source.draw(texts.case_random(1, number)) for number in range(300)]
    assert len(set(draws)) > 250
    everything = "".join(draws)
    for wanted in ("\0", "\u200d", "\u05d0", "[CLS]", "\r\n", "(((", "</p>", "\U0001f468"):
        assert wanted in everything
    assert any(map(texts.has_halves, draws))
    assert max(map(len, draws)) >= 1_000


@pytest.mark.parametrize(
    ("fault", "check", "smallest"),
    [
        ("raises", "single: RuntimeError", ascii(ZERO_WIDTH)),
        ("blank_border", "blank border", ascii(ZERO_WIDTH)),
        ("batch_differs", "pipe in sevens, ents", ascii(ZERO_WIDTH)),
        ("remembers", "single again, ledger", ascii(ZERO_WIDTH)),
        ("sure", "confidence range", ascii(ZERO_WIDTH)),
        ("identifier", "left on tokens", ascii(ZERO_WIDTH)),
    ],
)
def test_a_broken_component_is_noticed(texts, make_subject, fault, check, smallest):
    subject = make_subject(fault)
    drawn = ["Aspirin eases pain.", f"In rats, {ZERO_WIDTH} none."]
    found, _ = texts.examine(subject, drawn, texts.QUICK_WAYS)
    assert {index for index, _ in found} == {1}
    problem = next(problem for _, problem in found if problem.check == check)
    assert texts.shrink(subject, drawn[1], problem) == smallest


def test_a_component_that_works_has_no_problem(texts):
    subject = texts.rule_subjects()[1]
    drawn = ["Acute kidney injury (AKI) in rats. AKI!", "", "Ca2+\u200b and Cl-", "\ud800"]
    found, docs = texts.examine(subject, drawn, (*texts.QUICK_WAYS, "DocBin", "two processes"))
    assert found == []
    assert len(docs) == 3
    assert [ent.text for ent in docs[0].ents] == ["Acute kidney injury", "AKI", "rats", "AKI"]


def test_half_a_character_that_is_not_refused_is_noticed(texts, monkeypatch):
    subject = texts.Subject("x", spacy.blank("en"))
    assert [p.check for p in texts.examine_one(subject, "a \ud800")[0]] == [
        "single: UnicodeEncodeError"
    ]
    monkeypatch.setattr(texts, "has_halves", lambda text: True)
    assert [p.check for p in texts.examine_one(subject, "a")[0]] == ["half a character"]


def test_definitions_and_ledgers_that_point_elsewhere_are_noticed(texts):
    checks = import_module("_doc_checks")
    doc = Doc(spacy.blank("en").vocab, words=["tumour", "(", "T", ")"])
    row = {"short_start": 9, "short_end": 10, "short_text": "T"}
    long = {"long_start": 0, "long_end": 6, "long_text": "tumour"}
    doc.user_data[ABBREVIATIONS_KEY] = [{**row, **long}]
    add_evidence(doc, Evidence(0, 6, "X", "s"))
    assert checks.check_doc(doc.text, doc) == []
    doc.user_data[ABBREVIATIONS_KEY] = [{**row, **long, "long_end": 5}]
    add_evidence(doc, Evidence(0, 60, "X", "s"))
    assert [p.check for p in checks.check_doc(doc.text, doc)] == ["ledger", "definition"]
    assert [p.check for p in checks.check_doc("other", doc)] == ["text"]


def test_confidences_may_differ_by_the_tolerance_only():
    checks = import_module("_doc_checks")
    left = {"ledger": {"0:1": [{"confidence": 0.5, "rule": "r"}]}}
    near = {"ledger": {"0:1": [{"confidence": 0.50005, "rule": "r"}]}}
    assert checks.compare("w", left, near, tolerance=1e-4) == []
    assert [p.check for p in checks.compare("w", left, near, tolerance=1e-5)] == ["w, ledger"]
    other = {"ledger": {"0:1": [{"confidence": 0.5, "rule": "s"}]}}
    assert [p.check for p in checks.compare("w", left, other, tolerance=1e-4)] == ["w, ledger"]


def test_the_script_fails_and_prints_the_smallest_text(texts, make_subject, monkeypatch, capsys):
    monkeypatch.setattr(texts, "rule_subjects", lambda: [make_subject("raises")])
    monkeypatch.setattr(texts.Subject, "load_again", lambda self, folder: None)
    monkeypatch.setattr(texts, "LONG_WAYS", ())
    monkeypatch.setattr(sys, "argv", ["fuzz_texts.py", "--rules", "30", "--trained", "0"])
    with pytest.raises(SystemExit, match="1"):
        texts.main()
    printed = capsys.readouterr().out
    assert "| broken | 30 |" in printed
    assert "single: RuntimeError" in printed
    assert "smallest found: '\\u200b'" in printed


def test_a_script_without_a_trained_pipeline_says_how_to_get_one(texts, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["fuzz_texts.py", "--model", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        texts.main()


def test_valid_files_are_read_rightly(readers, tmp_path):
    files = import_module("fuzz_readers")
    cases = files.valid_cases(tmp_path, tmp_path / "none")
    assert {case.format for case in cases} >= set(registry.FORMATS)
    for number in range(len(cases)):
        case = files.make_case(cases, 0, number)
        assert readers.examine(case, tmp_path / "work", readers.Plan()) == [], case.format


def test_what_was_read_is_written_and_compared(readers, case, tmp_path):
    assert readers.examine(case, tmp_path, readers.Plan(readers.WRITABLE, True)) == []


def test_damage_follows_the_seed(tmp_path):
    files, mutations = import_module("fuzz_readers"), import_module("_mutations")
    cases = files.valid_cases(tmp_path, tmp_path / "none")
    first = [files.make_case(cases, 3, number) for number in range(100, 300)]
    assert first == [files.make_case(cases, 3, number) for number in range(100, 300)]
    assert sum(case.files not in [c.files for c in cases] for case in first) > 180
    for change in mutations.ANY:
        for data in (b"", b"\n", b"1|t|x\n", b'{"a": [1]}', b"\xff\x00"):
            assert isinstance(change(data, files.case_random(0, 1)), bytes)


def test_a_reader_that_fails_is_noticed_and_the_file_made_small(
    readers, case, monkeypatch, tmp_path
):
    read = registry.FORMATS["pubtator"].reader

    def broken(path, **options):
        for record in read(path, **options):
            if "x" in record.text:
                raise KeyError("x")
            yield record

    replace_format(monkeypatch, "pubtator", reader=broken)
    files = import_module("fuzz_readers")
    damaged = replace(case, files={"a.txt": b"1|t|a\n1|a|b\n\n2|t|ax\n2|a|b\n"})
    found = files.run(damaged, tmp_path, 0, 5, [])
    assert [failure.problem.check for failure in found] == [
        "strict pubtator: KeyError",
        "lenient pubtator: KeyError",
    ]
    assert found[0].literal == "{'a.txt': b'2|t|x'}"


def _record(**given):
    return Record(**{"id": "1", "text": "abc", **given})


@pytest.mark.parametrize(
    ("record", "check"),
    [
        (_record(sections=(("a", 0, 4),)), "section"),
        (_record(words=((2, 1),)), "word"),
        (_record(sentence_starts=(4,)), "sentence start"),
        (_record(text="a\ud800c"), "half a character"),
        (_record(mentions=(Mention(0, 1, 5),)), "type"),
    ],
)
def test_a_record_that_cannot_be_is_noticed(readers, record, check):
    assert [problem.check for problem in readers.check_record(record)] == [check]


@pytest.mark.parametrize(
    ("strict", "lenient", "check"),
    [
        ((1, None, 0), (1, None, 0), None),
        ((1, None, 0), (0, None, 1), "lenient differs"),
        ((2, "bad", 0), (1, None, 1), "lenient has fewer"),
        ((1, "bad", 0), (1, None, 0), "lenient in silence"),
        ((1, "bad", 0), (1, None, 1), None),
    ],
)
def test_lenient_reading_is_compared_with_strict_reading(readers, strict, lenient, check):
    def outcome(count, error, skipped):
        made = readers.Outcome([_record()] * count, error and CorpusError(error))
        made.skipped.update({"document": skipped} if skipped else {})
        return made

    found = list(readers._check_leniency(outcome(*strict), outcome(*lenient)))
    assert [problem.check for problem in found] == ([check] if check else [])


def test_a_writer_that_loses_or_leaves_something_is_noticed(
    readers, case, monkeypatch, tmp_path: Path
):
    write = registry.FORMATS["jsonl"].writer
    loses = lambda records, path: write([replace(r, mentions=()) for r in records], path)  # noqa: E731
    replace_format(monkeypatch, "jsonl", writer=loses)
    records = [_record(mentions=(Mention(0, 1, "X", "a"),))]
    found = readers.check_written(records, "jsonl", tmp_path / "a")
    assert [problem.check for problem in found] == ["write jsonl: mentions"]

    def leaves(records, path):
        Path(path).write_text("half", encoding="utf-8")
        raise CorpusError("full", path=path)

    replace_format(monkeypatch, "jsonl", writer=leaves)
    found = readers.check_written(records, "jsonl", tmp_path / "b")
    assert [problem.check for problem in found] == ["write jsonl: left behind"]


def test_an_error_without_its_file_is_noticed(readers, case, monkeypatch, tmp_path):
    def broken(path, **options):
        raise CorpusError("something is wrong")

    replace_format(monkeypatch, "pubtator", reader=broken)
    checks = [problem.check for problem in readers.examine(case, tmp_path, readers.Plan())]
    assert "strict pubtator: error without file" in checks


@pytest.fixture
def memory():
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    return import_module("fuzz_memory")


def _setup(memory, **given):
    settings = {"pipeline": "rules", "new_words": False, "zones": False, "texts": 4_000,
                "together": 200, "model": Path(), "seed": 0}  # fmt: skip
    return memory.Setup(**{**settings, **given})


def test_the_slope_is_that_of_a_line(memory):
    assert memory.find_slope([1, 2, 3], [5.0, 7.0, 9.0]) == pytest.approx(2.0)
    counts = list(range(1_000, 51_000, 1_000))
    leaking = memory.Growth(counts, [100.0 + 0.5 * count for count in counts], 0)
    assert leaking.is_growing
    # The warm-up does not count, and an allocator's grain is no growth.
    warm = memory.Growth(counts, [min(count, 10_000) * 1.0 for count in counts], 0)
    assert warm.slope == pytest.approx(0.0)
    short = memory.Growth(counts[:10], [0.5 * count for count in counts[:10]], 0)
    assert short.slope == pytest.approx(0.5)
    assert not short.is_growing


@pytest.mark.parametrize("leaks", [False, True])
def test_a_component_that_keeps_texts_is_noticed(memory, monkeypatch, leaks):
    kept = []

    def keep(doc):
        if leaks:
            # Pages of its own: an allocator may have free what earlier tests took.
            kept.append(mmap.mmap(-1, 40_960))
            kept[-1].write(b"x" * 40_960)
        return doc

    Language.component(f"keeps_{leaks}", func=keep)
    nlp = spacy.blank("en", config=TOKENIZER)
    nlp.add_pipe(f"keeps_{leaks}")
    subject = import_module("fuzz_texts").Subject("rules", nlp)
    monkeypatch.setattr(memory, "rule_subjects", lambda: [subject])
    growth = memory.measure(_setup(memory))
    assert growth.counts[-1] == 4_000
    assert len(kept) == 4_000 * leaks
    assert growth.is_growing is leaks


def test_a_memory_zone_forgets_new_words(memory, monkeypatch):
    subject = import_module("fuzz_texts").rule_subjects()[0]
    monkeypatch.setattr(memory, "rule_subjects", lambda: [subject])
    zones = _setup(memory, new_words=True, zones=True, texts=200, together=50)
    assert memory.measure(zones).n_strings <= 0
    assert memory.measure(replace(zones, zones=False)).n_strings >= 400
