import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
import spacy
from spacy.language import Language

from spacy_bioner.apps.annotation.documents import Findings
from spacy_bioner.apps.annotation.runner import run_batches
from spacy_bioner.errors import BionerError, MissingExtraError

PARENT = """
import multiprocessing, sys, time
from spacy_bioner.apps.annotation.runner import run_batches

found = run_batches([["Aspirin"]] * 50, sys.argv[1], n_process=2)
next(found)
print(*(child.pid for child in multiprocessing.active_children()), flush=True)
time.sleep(60)
"""


@pytest.fixture
def failing_nlp():
    """A pipeline that fails on what it finds in the text: the name of an error."""
    errors = {"missing": MissingExtraError("no torch", name="torch"), "value": ValueError("odd")}

    @Language.component("tests_raises_by_name")
    def fail(doc):
        if doc.text in errors:
            raise errors[doc.text]
        return doc

    nlp = spacy.blank("en")
    nlp.add_pipe("tests_raises_by_name")
    return nlp


def test_batches_come_in_their_order(ruled_nlp):
    batches = [["Aspirin", "pain pain"], [], ["", "Aspirin"]]
    found = list(run_batches(batches, ruled_nlp))
    counts = [[outcome.receipt.entities for outcome in batch] for batch in found]
    assert counts == [[1, 2], [], [0, 1]]


def test_a_text_that_fails_costs_the_others_of_its_batch_nothing(failing_nlp):
    (found,) = run_batches([["one", "value", "two"]], failing_nlp)
    assert found[1] == "ValueError: odd"
    assert [type(outcome) for outcome in found] == [Findings, str, Findings]


def test_what_is_missing_is_no_fault_of_a_text(failing_nlp):
    with pytest.raises(MissingExtraError, match="no torch"):
        list(run_batches([["one", "missing"]], failing_nlp))


def test_a_tokenizer_that_changes_the_text_is_told(ruled_nlp):
    tokenizer = ruled_nlp.tokenizer
    ruled_nlp.tokenizer = lambda text: tokenizer(text.strip())
    ((left, right),) = run_batches([[" a", "a"]], ruled_nlp)
    assert left == "the tokenizer changed the text: offsets would not fit"
    assert right.receipt.tokens == 1


def test_nothing_of_the_texts_stays_in_the_vocabulary(ruled_nlp):
    before = len(ruled_nlp.vocab.strings)
    list(run_batches([["Xylometazoline", "oxymetazoline"]], ruled_nlp))
    assert len(ruled_nlp.vocab.strings) == before


def test_within_a_memory_zone_there_is_no_other(ruled_nlp):
    with ruled_nlp.memory_zone():
        ((found,),) = run_batches([["Aspirin"]], ruled_nlp)
    assert found.receipt.entities == 1


def test_one_thread_runs_the_pipeline(trained_nlp, monkeypatch):
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen = []
        original = trained_nlp.pipe
        monkeypatch.setattr(
            trained_nlp,
            "pipe",
            lambda texts, **settings: (
                seen.append(torch.get_num_threads()) or original(texts, **settings)
            ),
        )
        list(run_batches([["Naloxone"]], trained_nlp))
        assert seen == [1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_process_tells_what_it_cannot_load(tmp_path):
    with pytest.raises(BionerError, match=r"found a folder without config\.cfg"):
        list(run_batches([["a"]], str(tmp_path), n_process=2))


def test_a_process_that_is_gone_is_told(ruled_folder):
    found = run_batches([["Aspirin"]] * 50, str(ruled_folder), n_process=2)
    next(found)
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(BionerError, match="a process that ran the pipeline is gone: it was killed"):
        list(found)


@pytest.mark.skipif(os.name != "posix", reason="kills by SIGKILL")
def test_processes_end_with_the_one_that_began_them(ruled_folder):
    words = [sys.executable, "-c", PARENT, str(ruled_folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        children = list(map(int, parent.stdout.readline().split()))
        parent.kill()
    assert len(children) == 2
    end = time.monotonic() + 30
    while any(map(is_running, children)) and time.monotonic() < end:
        time.sleep(0.05)
    assert [child for child in children if is_running(child)] == []


def is_running(pid):
    """Tell whether a process is there and is no zombie."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
