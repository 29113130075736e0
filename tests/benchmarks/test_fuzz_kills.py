import random
import sys
import time
from importlib import import_module

import pytest

if not hasattr(__import__("os"), "fork"):
    pytest.skip("kills processes that it forks", allow_module_level=True)
PUBTATOR = "".join(
    f"{n}|t|Aspirin helps.\n{n}|a|\n{n}\t0\t7\tAspirin\tChemical\tD1\n\n" for n in range(80)
)


@pytest.fixture
def kills(monkeypatch, tmp_path):
    """The modules, with a corpus of 80 documents in the place of the demo corpus."""
    kinds, module = import_module("_kill_kinds"), import_module("fuzz_kills")
    monkeypatch.setattr(kinds, "DEMO", tmp_path)
    (tmp_path / "train.pubtator.txt").write_text(PUBTATOR, encoding="utf-8")
    material = kinds.Material(tmp_path, tmp_path, tmp_path / "corpus", tmp_path / "model")
    return module, kinds, kinds.list_kinds(material)


def fuzz(module, kind, folder, hits=3):
    faults = []
    end = time.monotonic() + 600
    found = module.fuzz(kind, folder / "work", hits, end, random.Random(1), faults)
    return found, faults


@pytest.mark.parametrize("name", ["convert to file", "convert to folder", "convert to brat"])
def test_conversions_survive_kills(kills, tmp_path, name):
    module, _, kinds = kills
    counts, faults = fuzz(module, kinds[name], tmp_path)
    assert faults == []
    assert counts["hits"] == 3
    assert counts["earlier"] + counts["later"] == 3 + counts["late"]


def test_a_result_that_is_not_whole_is_a_fault(kills, tmp_path):
    module, own, kinds = kills

    def check(work):
        raise own.BrokenError("half a file")

    kind = own.Kind("x", kinds["convert to file"].make, check, ("out.spacy", "out.audit.json"))
    counts, faults = fuzz(module, kind, tmp_path, hits=2)
    assert counts["faults"] == len(faults) == 2 + counts["late"]
    assert faults[-1].startswith("x, hit 2 at 0.")
    assert faults[0].endswith(": half a file")


def test_kills_that_come_late_are_made_again_and_given_up(kills, tmp_path, monkeypatch):
    module, _, kinds = kills
    wait = module.Process.wait
    monkeypatch.setattr(module.Process, "wait", lambda self, seconds=None: wait(self))
    counts, faults = fuzz(module, kinds["convert to file"], tmp_path, hits=1)
    assert (counts["hits"], counts["late"], faults) == (0, module.PATIENCE, [])


def test_a_file_that_nobody_expects_is_a_fault(kills, tmp_path):
    module, own, kinds = kills
    given = kinds["convert to file"]
    kind = own.Kind("x", given.make, given.check, ("out.spacy",))
    _, faults = fuzz(module, kind, tmp_path, hits=1)
    assert faults[0].endswith(": found out.audit.json")


@pytest.mark.parametrize("content", [b"", b"half"])
def test_half_a_file_is_told(kills, tmp_path, content):
    _, own, kinds = kills
    (tmp_path / "out.spacy").write_bytes(content)
    (tmp_path / "out.json").write_bytes(content)
    for name in ("convert to file", "evaluate"):
        with pytest.raises(own.BrokenError):
            kinds[name].check(tmp_path)


def test_debris_after_the_next_run_is_a_fault(kills, tmp_path):
    module, _, kinds = kills
    kind = kinds["convert to file"]
    work = tmp_path / "work"
    work.mkdir()
    module.must_run("bioner", kind.make(work, False))
    (work / ".other.part").touch()
    with pytest.raises(module.BrokenError, match=r"debris after the next run: \.other\.part"):
        module._hit(kind, work, 0.0, False, module.Counter())


def test_a_kind_that_is_none_is_an_error(kills, monkeypatch, capsys):
    module, own, _ = kills
    monkeypatch.setattr(sys, "argv", ["fuzz_kills.py", "--kind", "train a dog"])
    monkeypatch.setattr(module, "make_material", lambda folder, run: own.Material(*[folder] * 4))
    with pytest.raises(SystemExit):
        module.main()
    assert "found --kind 'train a dog', expected one of convert to file" in capsys.readouterr().err
