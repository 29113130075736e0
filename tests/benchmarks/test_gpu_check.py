import json
import subprocess
import sys
from argparse import Namespace
from importlib import import_module

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture
def check(monkeypatch, tmp_path):
    """Run the script with some arguments; gives its exit code and the report."""
    script = import_module("gpu_check")
    monkeypatch.setattr(script, "use_threads", lambda threads: None)
    monkeypatch.setattr(script, "quiet", lambda: None)
    # The script changes to it; this brings the tests back to where they were.
    monkeypatch.chdir(script.ROOT)

    def run(*words):
        command = ["gpu_check.py", "--output", str(tmp_path), "--data", str(tmp_path), *words]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as left:
            script.main()
        return left.value.code, json.loads((tmp_path / "gpu_check.json").read_text("utf8"))

    return run


@pytest.fixture
def two_sections(monkeypatch):
    """Stand in for the sections: the first fails behind its table, the second has none."""
    script, table = import_module("gpu_check"), import_module("_gpu_setup").Table

    def fails(setup):
        yield table("Numbers", [("what", "value"), ("one", "1")], about={"n": 1})
        raise ValueError("no kernel image")

    monkeypatch.setattr(script, "find_sections", lambda: {"agreement": fails, "long": lambda _: ()})
    monkeypatch.setattr(
        script, "make_setup", lambda *_: import_module("argparse").Namespace(source="")
    )


def test_a_section_that_fails_leaves_its_tables_and_the_others(check, two_sections, tmp_path):
    code, report = check("--device", "cpu", "--only", "agreement", "long")
    first, second = report["sections"]
    assert code == 1
    assert first["tables"][0]["rows"] == [["what", "value"], ["one", "1"]]
    assert "ValueError: no kernel image" in first["failure"]
    assert (second["name"], second["failure"]) == ("long", None)
    text = (tmp_path / "gpu_check.md").read_text("utf8")
    assert "| one | 1 |" in text
    assert "## agreement: FAILED" in text


def test_a_section_for_which_there_is_no_time_is_skipped(check, two_sections):
    code, report = check("--device", "cpu", "--minutes", "0.4", "--only", "long", "agreement")
    assert code == 0
    assert report["sections"][1] == {"name": "agreement", "skipped": "out of time"}


def test_entities_are_compared_by_offsets_and_confidence():
    agreement = import_module("_gpu_agreement")
    first, second = {(0, 1, 2, "A"): 0.5, (0, 3, 4, "A"): 0.5}, {(0, 1, 2, "A"): 0.75}
    pairs = {"trained": (first, first), "saved": (first, second)}
    table = agreement._compare_entities(Namespace(dev_texts=["", ""], seed=0), "CRF", pairs)
    assert table.rows[1:] == [
        ("trained", "2 / 2", "2", "0.0e+00"),
        ("saved", "2 / 1", "1", "2.5e-01"),
    ]
    assert table.wrong == ("CRF: saved: entities or confidences differ",)


@pytest.mark.slow
def test_a_rehearsal_on_the_cpu_finds_nothing_wrong(check):
    build = import_module("_common").ROOT / "assets" / "demo" / "build.py"
    subprocess.run([sys.executable, str(build)], check=True)
    only = ("environment", "agreement", "training", "tagging", "long", "workflow")
    code, report = check("--device", "cpu", "--quick", "--threads", "1", "--only", *only)
    assert [section["failure"] for section in report["sections"]] == [None] * len(only)
    assert code == 0
