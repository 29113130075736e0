from spacy_bioner.reports.text.run_facts import list_run_rows, list_source_rows
from spacy_bioner.training.results.model_facts import CorpusFacts, EncoderFacts, RunFacts


def test_what_was_run_is_told_as_far_as_it_is_known() -> None:
    known = RunFacts(
        "run", "en_x 1", ("a", "b"), "MIT", "Finds.", 0, "test.spacy", ("C", "B"), 1200, 3400.6,
        "bioner report", "Python 3",
    )  # fmt: skip
    assert list_run_rows(known) == [
        ("scored", "run"),
        ("pipeline", "en_x 1"),
        ("components", "a, b"),
        ("licence", "MIT"),
        ("what it is", "Finds."),
        ("trained with seed", "0"),
        ("gold documents", "test.spacy"),
        ("labels scored", "B, C"),
        ("throughput", "3,401 words/s, 1,200 words"),
        ("command", "bioner report"),
        ("environment", "Python 3"),
    ]
    bare = RunFacts("run", "en_x 1", (), "", "", None, "test.spacy", (), 0, None, "", "")
    rows = dict(list_run_rows(bare))
    assert [rows[name] for name in ("licence", "what it is", "trained with seed")] == [
        "not stated"
    ] * 3
    assert (rows["labels scored"], rows["throughput"]) == ("all", "–")


def test_what_was_learned_from_is_told_as_far_as_it_is_known() -> None:
    assert list_source_rows(None, None) == []
    corpus = CorpusFacts("Demo", "CC0", 1500, {"B": 2000, "A": 1})
    assert list_source_rows(EncoderFacts("bert"), corpus) == [
        ("encoder", "bert"),
        ("its licence", "not recorded"),
        ("corpus", "Demo"),
        ("its licence", "CC0"),
        ("training documents", "1,500"),
        ("training mentions", "A 1, B 2,000"),
    ]
    unknown = [value for _, value in list_source_rows(None, CorpusFacts())]
    assert unknown == ["not recorded"] * 4
