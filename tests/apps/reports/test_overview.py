"""`bioner overview`: runs of one corpus and of others on one page."""

import json
import re

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.errors import ConfigError
from tests.apps.known_texts import CHEMICALS, run, write_gold
from tests.reports.browser import needs_browser, open_page


@pytest.fixture
def runs(trained_folder, trained_nlp, tmp_path):
    """A report with log and robustness, an evaluation of the same documents, one of others."""
    same = write_gold(trained_nlp, tmp_path / "same.spacy", CHEMICALS, CHEMICALS[:1])
    other = write_gold(trained_nlp, tmp_path / "other.spacy", CHEMICALS)
    rules = spacy.blank("en")
    rules.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Naloxone"}])
    rules.to_disk(tmp_path / "rules")
    log = tmp_path / "log.jsonl"
    row = {"step": 1, "losses": {"bioner": 0.5}, "scores": {"ents_f": 0.4}, "score": 0.4}
    log.write_text(json.dumps(row) + "\n", encoding="utf-8")
    run("robustness", same, tmp_path / "rob", trained_folder, "--epsilon", 1, "--points", 0)
    attacked = tmp_path / "rob" / "robustness.json"
    run("report", trained_folder, same, tmp_path / "rep", "--log", log, "--robustness", attacked)
    run("evaluate", tmp_path / "rules", same, "--output", tmp_path / "rules.json")
    run("evaluate", trained_folder, other, "--output", tmp_path / "other.json")
    return {"first": tmp_path / "rep", "rules": tmp_path / "rules.json",
            "elsewhere": tmp_path / "other.json"}  # fmt: skip


def make(out, runs) -> str:
    return run("overview", out, *(f"{name}={path}" for name, path in runs.items()))


def test_the_page_compares_what_can_be_compared(runs, tmp_path) -> None:
    out = tmp_path / "out"
    assert make(out, runs).strip() == f"wrote {out / 'overview.html'}"
    page = (out / "overview.html").read_text(encoding="utf-8")
    assert "elsewhere was scored with other documents than first: do not compare the two" in page
    assert "Against first" in page
    # Three of four mentions found are right in `first`; one document is without a mistake.
    table = page[page.index("Other figures") :]
    assert re.search(r"exact match.*?first</t.>.*?50\.00 \[0\.0, 100\.0\]", table, re.DOTALL)
    assert "documents differ in their counts, so p cannot be below" in page
    for anchor in ("scores", "differences", "training", "recall", "calibration", "robustness"):
        assert f'id="{anchor}"' in page
    assert 'id="filters"' not in page
    assert str(tmp_path) not in page
    names = {path.name for path in (out / "overview-figures").iterdir()}
    figures = ("types", "training", "mistakes", "recall", "calibration", "robustness")
    kinds = ("png", "svg", "json")
    assert names == {f"{name}.{kind}" for name in figures for kind in kinds}
    stored = json.loads((out / "overview-figures" / "types.json").read_text(encoding="utf-8"))
    assert list(stored) == ["first", "rules", "elsewhere (other documents)"]
    assert stored["elsewhere (other documents)"]["Chemical"] == 1.0


def test_runs_by_other_labels_or_gold_are_told_apart(runs, tmp_path) -> None:
    changed = json.loads(runs["rules"].read_text(encoding="utf-8"))
    for key, value, message in (
        ("labels", ["Chemical"], "with other labels than"),
        ("documents", [[1, 0, 0], [1, 0, 0]], "with other gold mentions than"),
    ):
        data = json.loads(json.dumps(changed))
        (data if key == "labels" else data["measurement"])[key] = value
        path = tmp_path / f"{key}.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        make(tmp_path / key, {"first": runs["first"], "x": path})
        page = (tmp_path / key / "overview.html").read_text(encoding="utf-8")
        assert message in page
        assert "Against first" not in page


def test_what_is_no_run_is_refused(runs, tmp_path) -> None:
    def try_(**given):
        words = ["overview", str(tmp_path / "out"), *(f"{n}={p}" for n, p in given.items())]
        CliRunner().invoke(app, words, catch_exceptions=False)

    with pytest.raises(ConfigError, match="found 1 run, expected two or more"):
        try_(first=runs["first"])
    with pytest.raises(ConfigError, match=r"no such file"):
        try_(first=runs["first"], x=tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigError, match="found no counts of documents"):
        try_(first=runs["first"], x=tmp_path / "bad.json")
    assert not (tmp_path / "out").exists()


@needs_browser
def test_a_browser_opens_it_without_complaint(runs, tmp_path) -> None:
    make(tmp_path / "out", runs)
    with open_page(tmp_path / "out" / "overview.html") as tab:
        assert tab.run("document.querySelectorAll('svg.plot').length") == 6
        assert tab.run("document.documentElement.scrollWidth <= window.innerWidth") is True
        assert tab.complaints == []
