from dataclasses import replace

from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.reports.text.pipelines.verification import render_verification
from spacy_bioner.training.results.verification import (
    CarriedSplit,
    DocumentOutcome,
    FileChanges,
    SplitRun,
    Verification,
)

RUN = SplitRun(
    tuple(DocumentOutcome(f"doc{number}", Counts(8, 1, 1), "ab") for number in range(7)),
    n_words=9_000,
    seconds=3.0,
    peak_bytes=300 * 2**20,
    threads=2,
    processor="Example CPU",
    versions={"numpy": "2.0", "spacy": "3.8"},
)
SPLIT = CarriedSplit(("Disease",), "ncbi_disease", "ff", replace(RUN, seconds=2.0, threads=1))
PLAIN = Verification("en_example 1.0", 12, FileChanges(), SPLIT, RUN)


def test_what_is_the_same_is_verified():
    assert render_verification(PLAIN) == (
        "en_example 1.0: verified: files and entities are as they were packaged\n"
        "  files        12, all as they were packaged\n"
        "  documents    7, by the rules of ncbi_disease, labels: Disease\n"
        "  strict F1    88.89 (tp 56, fp 7, fn 7)\n"
        "  speed        3,000 words/s (2 threads, Example CPU); packaged: 4,500 words/s "
        "(1 thread, Example CPU)\n"
        "  peak memory  300 MiB; packaged: 300 MiB"
    )


def test_documents_that_differ_are_named_with_the_versions():
    outcomes = tuple(replace(item, counts=Counts(7, 1, 2)) for item in RUN.outcomes)
    run = replace(RUN, outcomes=outcomes, versions={"spacy": "3.8", "numpy": "2.1"})
    lines = render_verification(replace(PLAIN, run=run)).splitlines()
    assert lines[0] == "en_example 1.0: NOT verified: it finds something else in 7 documents"
    assert lines[3:7] == [
        "  strict F1    82.35 (tp 49, fp 7, fn 14)",
        "  packaged     88.89 (tp 56, fp 7, fn 7)",
        "  differ       doc0, doc1, doc2, doc3, doc4, and 2 more",
        "  versions     numpy 2.1, packaged with 2.0",
    ]


def test_files_are_named_by_what_became_of_them():
    changes = FileChanges(("a",), ("b",), tuple(f"c{number}" for number in range(12)))
    lines = render_verification(Verification("en_example 1.0", 3, changes)).splitlines()
    assert "NOT as it was packaged, so its pipeline was not run" in lines[0]
    assert lines[1:5] == [
        "  files       3 were packaged",
        "  changed     a",
        "  missing     b",
        "  additional  c0",
    ]
    assert lines[-1] == "  additional  and 2 more"


def test_a_package_without_documents_is_told():
    text = render_verification(Verification("en_example 1.0", 3, FileChanges()))
    assert "it carries no test documents (`bioner package … --verify-on`)" in text


def test_a_run_survives_json():
    assert SplitRun.from_json(RUN.to_json()) == RUN
    assert CarriedSplit.from_json(SPLIT.to_json()) == SPLIT
    assert PLAIN.to_json()["is_same"] is True
