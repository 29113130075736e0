import json
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from spacy_bioner import Mention, Record

pytest.importorskip("torch")
pytest.importorskip("transformers")

RECORDS = [
    Record("1", "Aspirin eases pain.", (Mention(0, 7, "Chemical"), Mention(14, 18, "Disease"))),
    Record("2", "Nothing.  Here.", ()),
]


@pytest.fixture
def tagging():
    return import_module("_tagging")


@pytest.fixture
def throughput():
    return import_module("throughput")


def test_texts_are_written_with_the_borders_of_their_sentences(tagging, throughput, tmp_path):
    path = throughput.write_texts(RECORDS, tmp_path / "texts.json")
    texts = json.loads(Path(path).read_text("utf8"))
    assert texts == [["Aspirin eases pain.", [[0, 19]]], ["Nothing.  Here.", [[0, 10], [10, 15]]]]
    assert tagging.cut(texts, "document") == [(0, 0, texts[0][0]), (1, 0, texts[1][0])]
    assert tagging.cut(texts, "sentence") == [
        (0, 0, "Aspirin eases pain."),
        (1, 0, "Nothing.  "),
        (1, 10, "Here."),
    ]


def test_batches_hold_units_of_about_one_length(tagging):
    lengths = [600, 10, 500, 20, 1100, 400]
    assert list(tagging.group_by_length(lengths)) == [[1, 3], [5, 2], [0], [4]]
    assert list(tagging.group_by_length([])) == []


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("O O O", []),
        ("B-D I-D O", [(100, 104, "D")]),
        ("B-D B-D O", [(100, 101, "D"), (102, 104, "D")]),
        ("B-D I-C I-C", [(100, 101, "D"), (102, 107, "C")]),
        ("I-D O I-D", [(100, 101, "D"), (105, 107, "D")]),
    ],
)
def test_words_with_tags_are_joined(tagging, tags, spans):
    words = [(*place, tag) for place, tag in zip([(0, 1), (2, 4), (5, 7)], tags.split())]
    assert tagging.join_tags(words, 100) == spans


def test_a_word_has_the_best_tag_of_the_mean_of_its_pieces(tagging):
    np = pytest.importorskip("numpy")
    encoding = SimpleNamespace(
        word_ids=[None, 0, 0, 1, None], offsets=[(0, 0), (0, 3), (3, 5), (6, 9), (0, 0)]
    )
    scores = np.array([[9, 0], [2, 0], [0, 3], [1, 0], [9, 0]], dtype="f")
    labels = {0: "O", 1: "B-Disease"}
    assert tagging.tag_words(scores, encoding, labels) == [(0, 5, "B-Disease"), (6, 9, "O")]


def test_the_head_of_eds_counts_other_labels_as_outside(tagging):
    torch = pytest.importorskip("torch")
    tags = {"O": 0, "B-C": 1, "I-C": 2, "B-D": 3, "I-D": 4}
    head = tagging.make_eds_head(torch.nn.Identity(), tags, ["C", "D"])
    scores = torch.tensor([[0.0, 1.0, 2.0, 3.0, 4.0]])
    outside = [scores[0, columns].logsumexp(0).item() for columns in ([0, 3, 4], [0, 1, 2])]
    expected = [outside[0], 2.0, 1.0, 2.0, 1.0, outside[1], 4.0, 3.0, 4.0, 3.0]
    assert head(scores)[0].tolist() == pytest.approx(expected)


def test_the_best_batch_size_is_found_once(tagging, monkeypatch):
    clock = iter([0.0, 5.0, 10.0, 11.0, 20.0, 23.0])
    monkeypatch.setattr(tagging.time, "perf_counter", lambda: next(clock))
    sizes = []

    def tag(texts, size):
        sizes.append(size)
        return [[] for _ in texts]

    tagger = tagging.Batched(tag)
    assert tagger([("a", []), ("b", [])]) == [[], []]
    assert tagger([("c", [])]) == [[]]
    assert sizes == [1, 1, 8, 32, 8, 8]
    assert tagger.remark == "batch 8"


def test_the_size_of_an_installation_is_that_of_all_that_it_needs(tagging, tmp_path, monkeypatch):
    for name, size in [("a.py", 2**20), ("b.so", 2**21), ("b.pyc", 2**22), ("c.py", 2**23)]:
        (tmp_path / name).write_bytes(b"\0" * size)
    needs = {
        "a": (["a.py", "gone.py"], ["b", "c; extra == 'more'", "absent"]),
        "b": (["b.so", "b.pyc"], ["A"]),
        "c": (["c.py"], []),
    }

    def find(name):
        if name.lower() not in needs:
            raise metadata.PackageNotFoundError(name)
        files, requires = needs[name.lower()]
        locate = tmp_path.joinpath
        return SimpleNamespace(files=files, requires=requires, locate_file=locate)

    monkeypatch.setattr(tagging.metadata, "distribution", find)
    assert tagging.measure_install("a") == 3.0
    assert tagging.measure_install("a[more]") == 11.0


def make_outcome(tagging, seconds, entities):
    return tagging.Outcome(2.0, seconds, 500.0, 900.0, entities, "batch 8")


def test_the_table_compares_medians_and_scores_the_labels_of_the_corpus(tagging, throughput):
    def system(name, precision, unit, **settings):
        job = tagging.Job("ours", "folder", "texts", 1, precision, unit)
        return throughput.System(name, job, **settings)

    ours = system("ours", "bfloat16", "sentence", pieces="12")
    rival = system("HF pipeline", "float32", "document")
    # A hit, a wrong border, and a label that the corpus does not have.
    found = [[(0, 7, "Chemical"), (14, 17, "Disease"), (8, 13, "Gene")], []]
    outcomes = {
        ours.key: [make_outcome(tagging, seconds, found) for seconds in (1.0, 4.0, 2.0)],
        rival.key: [make_outcome(tagging, 4.0, [[], []])],
    }
    rows = throughput.render([ours, rival], outcomes, RECORDS, 400)
    assert ["|".join(row) for row in rows[1:]] == [
        "ours|bfloat16|sentence, batch 8|200|100–400||2.00|50.00|500|2.0|900|12",
        "HF pipeline|float32|document, batch 8|100|100–100||1.00|0.00|500|2.0|900|",
    ]


def test_a_job_runs_in_a_process_of_its_own(tagging, throughput, trained_folder, tmp_path):
    texts = throughput.write_texts(RECORDS, tmp_path / "texts.json")
    job = tagging.Job("ours", str(trained_folder), texts, 1, requirement="spacy-bioner")
    outcome = throughput.run_once(throughput.System("ours", job), tmp_path / "job.json")
    assert [len(found) for found in outcome.entities] == [
        len(found) for found in tagging.load_ours(job)(json.loads(Path(texts).read_text("utf8")))
    ]
    assert min(outcome.seconds, outcome.load_seconds, outcome.installed_mb) > 0
    assert 100 < outcome.peak_mb < 20_000


def test_a_job_that_fails_stops_the_run_with_its_reason(tagging, throughput, tmp_path):
    job = tagging.Job("spacy", str(tmp_path / "none"), str(tmp_path / "texts.json"), 1)
    with pytest.raises(SystemExit, match=r"^ours, float32, document: [\s\S]*E050"):
        throughput.run_once(throughput.System("ours", job), tmp_path / "job.json")


def test_eds_is_left_out_where_it_is_not_installed(throughput, monkeypatch):
    missing = subprocess.CompletedProcess([], 1, "", "Traceback\nModuleNotFoundError: no edsnlp\n")
    monkeypatch.setattr(throughput.subprocess, "run", lambda *_, **__: missing)
    how = "pip install 'edsnlp[ml]' in an environment of its own and name it with --eds-python"
    assert throughput.miss_eds(SimpleNamespace(eds_python=None)) == f"EDS-NLP: {how}"
    args = SimpleNamespace(eds_python=sys.executable)
    assert throughput.miss_eds(args) == f"EDS-NLP: ModuleNotFoundError: no edsnlp; {how}"
