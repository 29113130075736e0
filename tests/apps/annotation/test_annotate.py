import errno
import hashlib
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import spacy
from spacy.language import Language

import spacy_bioner
from spacy_bioner import Record, read_corpus
from spacy_bioner.apps.annotation import annotate as module
from spacy_bioner.apps.annotation import manifest as manifest_module
from spacy_bioner.apps.annotation import runner as runner_module
from spacy_bioner.apps.annotation.annotate import AnnotateSettings, annotate, annotate_files
from spacy_bioner.apps.annotation.shards import TARGETS
from spacy_bioner.apps.annotation.sources import LINES, InputSettings
from spacy_bioner.apps.cli.main import run
from spacy_bioner.errors import (
    BionerError,
    ConfigError,
    CorpusError,
    CorpusWarning,
    OutputError,
    StoppedError,
)
from spacy_bioner.files.outputs import is_debris
from spacy_bioner.knowledge import Term

SMALL = AnnotateSettings(shard_size=3, batch_size=2, source=InputSettings(LINES))


def read_all(folder):
    """The content of all files below a folder, by path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def read_rows(folder):
    """The rows of all JSON Lines of a folder, by name."""
    paths = sorted(folder.glob("*"))
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


@pytest.fixture
def source(write_texts):
    return write_texts()


@pytest.fixture
def reference(source, ruled_folder, tmp_path):
    """What an uninterrupted run writes."""
    annotate_files(source, tmp_path / "reference", str(ruled_folder), SMALL)
    return read_all(tmp_path / "reference")


def test_shards_hold_the_texts_with_their_entities(source, texts, ruled_folder, tmp_path):
    done = annotate_files(source, tmp_path / "out", str(ruled_folder), SMALL)
    rows = read_rows(tmp_path / "out" / "shards")
    assert [row["text"] for row in rows] == texts
    assert [row["id"] for row in rows] == list("1234567")
    assert rows[1]["entities"] == [
        {
            "start": 0,
            "end": 7,
            "label": "Chemical",
            "text": "Aspirin",
            "source": "entity_ruler",
            "concept_ids": ["D001241"],
        },
        {"start": 14, "end": 18, "label": "Disease", "text": "pain"},
    ]
    assert done.counts["entities"] == sum(len(row["entities"]) for row in rows) == 12
    assert sorted(path.name for path in (tmp_path / "out" / "shards").iterdir()) == [
        "part-00000.jsonl",
        "part-00001.jsonl",
        "part-00002.jsonl",
    ]


def test_receipts_say_what_was_read(source, texts, trained_folder, tmp_path):
    annotate_files(source, tmp_path / "out", str(trained_folder), SMALL)
    nlp = spacy.load(trained_folder)
    rows = read_rows(tmp_path / "out" / "receipts")
    found = json.loads((tmp_path / "out" / "manifest.json").read_text())
    for row, text in zip(rows, texts, strict=True):
        doc = nlp(text)
        # Each character is a piece to the encoder; dots end sentences, and each is a window.
        assert row["pieces"] == len(text.replace(" ", ""))
        assert row["windows"] == text.count(".")
        assert (row["characters"], row["tokens"], row["unseen"]) == (len(text), len(doc), 0)
        assert row["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert row["input_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
        assert row["model_sha256"] == found["model"]["sha256"]
    for key in ("characters", "tokens", "pieces", "windows", "unseen", "entities"):
        assert found["receipt"][key] == sum(row[key] for row in rows)
    assert found["receipt"]["documents"] == 7
    assert found["complete"] is True


def test_tokens_that_an_encoder_cuts_off_are_counted(trained_folder, tmp_path):
    text = "Naloxone reverses the effect"
    (whole,) = annotate([text], trained_folder)
    assert (whole.receipt.pieces, whole.receipt.windows, whole.receipt.unseen) == (4, 1, 0)
    encoder = {"window": 4, "truncate": True}
    cut = spacy.load(
        trained_folder,
        config={f"components.bioner.model.encoder.{key}": value for key, value in encoder.items()},
    )
    (found,) = annotate([text], cut)
    assert (found.receipt.pieces, found.receipt.windows, found.receipt.unseen) == (4, 1, 2)


@pytest.mark.parametrize("to_format", TARGETS)
def test_each_format_is_read_again(source, texts, ruled_folder, tmp_path, to_format):
    if to_format == "parquet":
        pytest.importorskip("pyarrow")
    settings = AnnotateSettings(to_format, 3, 2, InputSettings(LINES))
    done = annotate_files(source, tmp_path / "out", str(ruled_folder), settings)
    shards = tmp_path / "out" / "shards"
    if to_format == "parquet":
        from pyarrow import parquet

        rows = parquet.read_table(shards).sort_by("id").to_pylist()
        found = [(r["text"], [(e["start"], e["end"], e["label"]) for e in r["entities"]])
                 for r in rows]  # fmt: skip
    else:
        records = sorted(read_corpus(shards), key=lambda record: record.id)
        found = [(r.text, [(m.start_char, m.end_char, m.label) for m in r.mentions])
                 for r in records]  # fmt: skip
    places = [(0, 7, "Chemical"), (14, 18, "Disease")]
    twice = [*places, (20, 27, "Chemical"), (34, 38, "Disease")]
    assert found == [(text, [[], places, twice][i % 3]) for i, text in enumerate(texts)]
    assert done.counts["documents"] == 7


def test_a_docbin_keeps_what_components_say_of_entities(source, trained_folder, tmp_path):
    source.write_text("Naloxone reverses the effect of clonidine.\n")
    settings = AnnotateSettings("spacy", source=InputSettings(LINES))
    annotate_files(source, tmp_path / "out", str(trained_folder), settings)
    from spacy_bioner.corpora import read_docbin

    shard = tmp_path / "out" / "shards" / "part-00000.spacy"
    (doc,) = read_docbin(shard, spacy.blank("en").vocab)
    (whole,) = annotate(["Naloxone reverses the effect of clonidine."], str(trained_folder))
    assert [(ent.text, ent._.source) for ent in doc.ents] == [
        ("Naloxone", "bioner"),
        ("clonidine", "bioner"),
    ]
    assert [round(ent._.confidence, 6) for ent in doc.ents] == [
        entity.confidence for entity in whole.entities
    ]


def test_a_second_run_does_nothing(source, ruled_folder, tmp_path, monkeypatch, capsys):
    words = ["annotate", str(source), str(tmp_path / "out"), "--model", str(ruled_folder)]
    words += ["--from", "lines", "--shard-size", "3"]
    run_to_end(words)
    first = read_all(tmp_path / "out")
    capsys.readouterr()
    monkeypatch.setattr(module, "run_batches", None)
    run_to_end(words)
    assert "it was complete: nothing was done" in capsys.readouterr().out
    assert read_all(tmp_path / "out") == first


def run_to_end(words):
    with pytest.raises(SystemExit) as end:
        run(words)
    assert end.value.code in (None, 0)


class Killed(BaseException):
    """Comes in the place of a kill."""


def die_at(monkeypatch, target, name, number):
    """Let the call of that number fail, counted from 0; returns the list of calls."""
    calls = []
    original = getattr(target, name)

    def call(*args, **settings):
        calls.append(args)
        if len(calls) == number + 1:
            raise Killed
        return original(*args, **settings)

    monkeypatch.setattr(target, name, call)
    return calls


@pytest.mark.parametrize(
    ("target", "name", "step"),
    [(os, "replace", 1), (os, "fsync", 2), (manifest_module, "fill_json", 1), (json, "dumps", 5)],
)
def test_a_run_that_died_at_any_step_is_finished_to_the_same_bytes(
    source, ruled_folder, ruled_nlp, tmp_path, reference, monkeypatch, target, name, step
):
    """Before and after each file is put in its place, and while it is written."""
    monkeypatch.setattr(runner_module, "load_pipeline", lambda model, gpu_id: ruled_nlp)
    out = tmp_path / "out"
    number = 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            die_at(patch, target, name, number)
            try:
                annotate_files(source, out, str(ruled_folder), SMALL)
            except Killed:
                died = True
            else:
                died = False
        if died:
            written = read_all(out) if out.exists() else {}
            if "manifest.json" in written:
                shards = json.loads(written["manifest.json"])["shards"]
                for entry in shards:
                    for file, digest in entry["files"].items():
                        assert hashlib.sha256(written[file]).hexdigest() == digest
            annotate_files(source, out, str(ruled_folder), SMALL)
        assert read_all(out) == reference
        assert [path for path in tmp_path.rglob(".*") if is_debris(path)] == []
        shutil.rmtree(out)
        if not died:
            break
        number += step
    # A manifest at the start, for each shard, and at the end.
    assert number >= 5


def test_finished_shards_are_not_annotated_again(source, ruled_folder, tmp_path, reference):
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        # The manifest is written at the start and after each shard.
        die_at(patch, manifest_module, "fill_json", 3)
        with pytest.raises(Killed):
            annotate_files(source, out, str(ruled_folder), SMALL)
    with pytest.MonkeyPatch.context() as patch:
        seen = []
        original = module.run_batches

        def watch(batches, *args, **settings):
            return original((seen.append(batch) or batch for batch in batches), *args, **settings)

        patch.setattr(module, "run_batches", watch)
        done = annotate_files(source, out, str(ruled_folder), SMALL)
    assert [text for batch in seen for text in batch] == ["Text 6."]
    assert done.kept == 6
    assert read_all(out) == reference


def test_two_processes_write_the_same(source, trained_folder, tmp_path):
    for n_process in (1, 2):
        annotate_files(
            source, tmp_path / str(n_process), str(trained_folder), SMALL, n_process=n_process
        )
    assert read_all(tmp_path / "1") == read_all(tmp_path / "2")


def test_another_input_is_refused(source, ruled_folder, tmp_path, reference):
    source.write_text("Something else.\n")
    with pytest.raises(OutputError, match=r"found annotations of another input \(\w{16}, now \w"):
        annotate_files(source, tmp_path / "reference", str(ruled_folder), SMALL)
    assert read_all(tmp_path / "reference") == reference


def test_another_model_is_refused(source, ruled_nlp, tmp_path, reference):
    ruled_nlp.get_pipe("entity_ruler").add_patterns([{"label": "Disease", "pattern": "Text"}])
    ruled_nlp.to_disk(tmp_path / "other")
    with pytest.raises(OutputError, match=r"found annotations of another model \("):
        annotate_files(source, tmp_path / "reference", str(tmp_path / "other"), SMALL)
    assert read_all(tmp_path / "reference") == reference


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"to_format": "pubtator"}, r"settings.to_format \(jsonl, now pubtator\)"),
        ({"shard_size": 4}, r"settings.shard_size \(3, now 4\)"),
        ({"batch_size": 1}, r"settings.batch_size \(2, now 1\)"),
        ({"source": InputSettings()}, r"settings.format \(lines, now auto\)"),
    ],
)
def test_another_setting_is_refused(source, ruled_folder, tmp_path, reference, settings, words):
    asked = AnnotateSettings(**{**vars(SMALL), **settings})
    with pytest.raises(OutputError, match=f"found annotations of another {words}"):
        annotate_files(source, tmp_path / "reference", str(ruled_folder), asked)


def test_another_version_is_refused(source, ruled_folder, tmp_path, reference, monkeypatch):
    monkeypatch.setattr(module, "__version__", "9.9")
    with pytest.raises(OutputError, match=r"another versions.spacy-bioner \(0.1.0, now 9.9\)"):
        annotate_files(source, tmp_path / "reference", str(ruled_folder), SMALL)


def test_the_same_pipeline_elsewhere_is_no_other(source, ruled_folder, tmp_path, reference):
    shutil.copytree(ruled_folder, tmp_path / "copy")
    shutil.copy(source, tmp_path / "copy.txt")
    done = annotate_files(
        tmp_path / "copy.txt", tmp_path / "reference", str(tmp_path / "copy"), SMALL
    )
    assert done.kept == 7


@pytest.mark.parametrize("kind", ["shards", "receipts"])
def test_a_damaged_shard_is_told_and_made_anew_when_it_is_gone(
    source, ruled_folder, tmp_path, reference, kind
):
    path = tmp_path / "reference" / kind / "part-00001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"4", b"5", 1))
    with pytest.raises(OutputError, match=r"part-00001.jsonl: found other content .*Delete it"):
        annotate_files(source, tmp_path / "reference", str(ruled_folder), SMALL)
    path.unlink()
    done = annotate_files(source, tmp_path / "reference", str(ruled_folder), SMALL)
    assert done.kept == 4
    assert read_all(tmp_path / "reference") == reference


def test_a_damaged_folder_of_a_shard_is_told(source, ruled_folder, tmp_path):
    settings = AnnotateSettings("brat", 3, 2, InputSettings(LINES))
    annotate_files(source, tmp_path / "out", str(ruled_folder), settings)
    (tmp_path / "out" / "shards" / "part-00000" / "1.txt").unlink()
    with pytest.raises(OutputError, match=r"part-00000: found other content"):
        annotate_files(source, tmp_path / "out", str(ruled_folder), settings)


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"shards": 1}'])
def test_a_damaged_manifest_is_told(source, ruled_folder, tmp_path, reference, content):
    (tmp_path / "reference" / "manifest.json").write_text(content)
    with pytest.raises(OutputError, match=r"manifest.json: found no manifest of `bioner annotate`"):
        annotate_files(source, tmp_path / "reference", str(ruled_folder), SMALL)


def test_a_folder_of_something_else_is_refused(source, ruled_folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"found a folder with other content \(thesis.txt\)"):
        annotate_files(source, tmp_path / "out", str(ruled_folder), SMALL)
    with pytest.raises(OutputError, match="found a file, expected a folder"):
        annotate_files(source, tmp_path / "out" / "thesis.txt", str(ruled_folder), SMALL)
    assert read_all(tmp_path / "out") == {"thesis.txt": b"mine"}


def test_what_no_manifest_names_is_removed_but_for_what_is_not_ours(
    source, ruled_folder, tmp_path, reference
):
    out = tmp_path / "reference"
    data = json.loads((out / "manifest.json").read_text())
    data["complete"] = False
    (out / "manifest.json").write_text(json.dumps(data))
    (out / "shards" / "part-00009.jsonl").write_text("half")
    (out / "shards" / ".part-00009.jsonl.part").write_text("half")
    (out / "shards" / "part-00008").mkdir()
    (out / "shards" / "notes.txt").write_text("mine")
    annotate_files(source, out, str(ruled_folder), SMALL)
    assert read_all(out) == {**reference, "shards/notes.txt": b"mine"}


def test_two_runs_with_one_output_are_refused(source, ruled_folder, tmp_path, reference):
    second = []

    def begin_another(batches, *args, **settings):
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(annotate_files, source, tmp_path / "out", str(ruled_folder), SMALL)
        second.append(str(call.exception()))
        return run_batches(batches, *args, **settings)

    run_batches = module.run_batches
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_batches", begin_another)
        annotate_files(source, tmp_path / "out", str(ruled_folder), SMALL)
    (words,) = second
    assert re.search(r"out: found that process \d+ \(this one\) is writing there", words)
    assert read_all(tmp_path / "out") == reference


def test_an_input_that_changes_meanwhile_is_told(source, ruled_folder, tmp_path, reference):
    out = tmp_path / "out"
    original = source.read_text()

    def change(batches, *args, **settings):
        for number, found in enumerate(run_batches(batches, *args, **settings)):
            # The batch with the fourth document.
            if number == 2:
                source.write_text(original.replace("Text", "Test"))
                os.utime(source, ns=(1, 1))
            yield found

    run_batches = module.run_batches
    status = source.stat()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_batches", change)
        with pytest.raises(CorpusError, match=r"in.txt: found that it was changed while it was"):
            annotate_files(source, out, str(ruled_folder), SMALL)
    manifest = json.loads((out / "manifest.json").read_text())
    assert [entry["number"] for entry in manifest["shards"]] == [0]
    with pytest.raises(OutputError, match="another input"):
        annotate_files(source, out, str(ruled_folder), SMALL)
    source.write_text(original)
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    annotate_files(source, out, str(ruled_folder), SMALL)
    assert read_all(out) == reference


def test_an_interrupt_keeps_what_is_finished(source, ruled_folder, tmp_path, reference):
    out = tmp_path / "out"

    def interrupt(batches, *args, **settings):
        for number, found in enumerate(run_batches(batches, *args, **settings)):
            if number == 3:
                raise KeyboardInterrupt
            yield found

    run_batches = module.run_batches
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_batches", interrupt)
        with pytest.raises(StoppedError, match="interrupted; 3 documents are finished, the same"):
            annotate_files(source, out, str(ruled_folder), SMALL)
    annotate_files(source, out, str(ruled_folder), SMALL)
    assert read_all(out) == reference


def test_a_full_disk_keeps_what_is_finished(source, ruled_folder, tmp_path, reference):
    out = tmp_path / "out"
    real = os.replace

    def fill(left, right):
        if Path(right).name == "part-00001.jsonl" and Path(right).parent.name == "receipts":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(left, right)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", fill)
        with pytest.raises(OutputError, match=r"part-00001.jsonl: .*No space left on device"):
            annotate_files(source, out, str(ruled_folder), SMALL)
    assert len(json.loads((out / "manifest.json").read_text())["shards"]) == 1
    annotate_files(source, out, str(ruled_folder), SMALL)
    assert read_all(out) == reference


def test_bad_records_go_to_a_side_file_and_the_others_are_annotated(ruled_folder, tmp_path):
    source = tmp_path / "in.jsonl"
    lines = ['{"id": "a", "text": "Aspirin"}', '{"id": "b"}', "no JSON"]
    lines += ['{"id": "long", "text": "%s"}' % ("x" * 1_000_001), '{"id": "c", "text": "pain"}']
    source.write_text("\n".join([*lines, '{"id": "d", "text": "Aspirin"}', "{}"]) + "\n")
    out = tmp_path / "out"
    settings = AnnotateSettings(shard_size=2, batch_size=2)
    done = annotate_files(source, out, str(ruled_folder), settings)
    assert [row["id"] for row in read_rows(out / "shards")] == ["a", "c", "d"]
    first, second, third, last = read_rows(out / "rejected")
    assert first == {"reason": f"{source}:2: found none as 'text' of a document, expected a text"}
    assert second["reason"].startswith(f"{source}:3: found 'no JSON' where JSON cannot go on")
    assert third["id"] == "long"
    assert third["reason"].startswith("ValueError: [E088] Text of length 1000001 exceeds maximum")
    assert last["reason"].startswith(f"{source}:7: ")
    assert (done.counts["documents"], done.counts["rejected"]) == (3, 4)
    assert sorted(path.name for path in (out / "rejected").iterdir()) == [
        "part-00000.jsonl",
        "part-00001.jsonl",
    ]


def test_a_document_that_the_format_cannot_hold_is_rejected(ruled_folder, tmp_path):
    source = tmp_path / "in.jsonl"
    rows = [{"id": name, "text": "Aspirin"} for name in ("a", "b|c", "d")]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = annotate_files(source, tmp_path / "out", str(ruled_folder), AnnotateSettings("pubtator"))
    assert [record.id for record in read_corpus(tmp_path / "out" / "shards")] == ["a", "d"]
    (row,) = read_rows(tmp_path / "out" / "rejected")
    assert row["id"] == "b|c"
    assert row["reason"].startswith("pubtator: found document 'b|c', expected an identifier")
    # No place for the source of the entities that were written.
    assert done.losses == {"attributes": 2}
    assert [row["id"] for row in read_rows(tmp_path / "out" / "receipts")] == ["a", "d"]


def test_a_second_document_of_a_name_is_rejected_where_each_is_a_file(ruled_folder, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": "a", "text": "Aspirin"}\n{"id": "a", "text": "pain"}\n')
    annotate_files(source, tmp_path / "out", str(ruled_folder), AnnotateSettings("brat"))
    assert [r.text for r in read_corpus(tmp_path / "out" / "shards")] == ["Aspirin"]
    assert read_rows(tmp_path / "out" / "rejected") == [
        {"id": "a", "reason": "brat: found a second document of this id in its shard"}
    ]


def test_a_pipeline_that_fails_on_all_documents_is_told(source, ruled_folder, tmp_path):
    source.write_text(f"{'x' * 1_000_001}\n" * 2)
    with pytest.raises(BionerError, match=r"failed on all of 2 documents; first, 1: ValueError"):
        annotate_files(source, tmp_path / "out", str(ruled_folder), SMALL)


def test_an_input_without_a_document_is_told(source, ruled_folder, tmp_path):
    source.write_text("\n\n")
    with pytest.raises(CorpusError, match="found no document"):
        annotate_files(source, tmp_path / "out", str(ruled_folder), SMALL)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        ({"to_format": "conll"}, {}, "found format 'conll', expected one of jsonl, parquet"),
        ({}, {"n_process": 0}, "found 0 processes, expected 1 or more"),
        ({}, {"n_process": 2, "gpu_id": 0}, "found 2 processes for one GPU"),
    ],
)
def test_settings_that_cannot_be_are_told(source, ruled_folder, tmp_path, settings, options, words):
    with pytest.raises(ConfigError, match=words):
        annotate_files(
            source, tmp_path / "out", str(ruled_folder), AnnotateSettings(**settings), **options
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["shard_size", "batch_size"])
def test_sizes_are_at_least_1(name):
    with pytest.raises(ConfigError, match=f"found {name} 0, expected 1 or more"):
        AnnotateSettings(**{name: 0})


def test_no_pipeline_is_told_before_anything_is_written(source, tmp_path):
    with pytest.raises(BionerError, match="neither a folder nor an installed package"):
        annotate_files(source, tmp_path / "out", str(tmp_path / "none"), SMALL)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("n_process", [1, 2])
def test_a_pipeline_that_cannot_be_loaded_leaves_nothing(source, ruled_folder, tmp_path, n_process):
    shutil.copytree(ruled_folder, tmp_path / "model")
    config = tmp_path / "model" / "config.cfg"
    config.write_text(config.read_text().replace('factory = "entity_ruler"', 'factory = "none"'))
    with pytest.raises(BionerError, match=r"model: cannot be loaded: \[E002\]"):
        annotate_files(
            source, tmp_path / "out", str(tmp_path / "model"), SMALL, n_process=n_process
        )
    assert not (tmp_path / "out").exists()


def test_titles_and_abstracts_stay_apart(ruled_folder, tmp_path):
    """Gold mentions of the input are not those of the output."""
    source = tmp_path / "in.pubtator"
    source.write_text("1|t|Aspirin.\n1|a|It eases pain.\n1\t0\t7\tAspirin\tGold\tD1\n\n")
    annotate_files(source, tmp_path / "out", str(ruled_folder), AnnotateSettings("pubtator"))
    assert (tmp_path / "out" / "shards" / "part-00000.pubtator").read_text() == (
        "1|t|Aspirin.\n1|a|It eases pain.\n"
        "1\t0\t7\tAspirin\tChemical\tD001241\n1\t18\t22\tpain\tDisease\n\n"
    )


def test_the_output_is_not_in_the_input(ruled_folder, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("Aspirin")
    with pytest.raises(OutputError):
        annotate_files(tmp_path / "in", tmp_path / "in" / "out", str(ruled_folder))


def test_a_script_gets_documents_with_their_entities(ruled_nlp):
    found = annotate(["Aspirin.", ("b", "no pain"), Record("c", "text")], ruled_nlp)
    assert [(item.id, [(e.text, e.label) for e in item.entities]) for item in found] == [
        ("1", [("Aspirin", "Chemical")]),
        ("b", [("pain", "Disease")]),
        ("c", []),
    ]
    assert spacy_bioner.annotate is annotate


def test_a_script_names_a_file(source, texts, ruled_folder):
    found = list(annotate(source, ruled_folder, format="lines"))
    assert [item.text for item in found] == texts


def test_documents_stream(ruled_nlp):
    given = []

    def give():
        for number in range(100):
            given.append(number)
            yield "Aspirin."

    next(annotate(give(), ruled_nlp, batch_size=5))
    assert len(given) <= 11


def test_a_script_gets_a_table(ruled_nlp):
    pytest.importorskip("pyarrow")
    texts = ["Aspirin eases pain.", "Nothing."]
    table = annotate(texts, ruled_nlp).to_table()
    assert table.column_names == ["id", "text", "entities"]
    assert table["id"].to_pylist() == ["1", "2"]
    rows = annotate(texts, ruled_nlp).to_table("entity").to_pylist()
    assert [(row["document"], row["start"], row["text"]) for row in rows] == [
        ("1", 0, "Aspirin"),
        ("1", 14, "pain"),
    ]


@Language.component("tests_fails_on_poison")
def fail_on_poison(doc):
    if "poison" in doc.text:
        raise RuntimeError("cannot take it")
    return doc


def test_what_a_pipeline_fails_on_is_left_out_with_a_warning(ruled_nlp):
    ruled_nlp.add_pipe("tests_fails_on_poison")
    found = annotate(["Aspirin.", "poison", "pain"], ruled_nlp)
    with pytest.warns(CorpusWarning, match="left out 1; first: document 2: RuntimeError: cannot"):
        assert [item.text for item in found] == ["Aspirin.", "pain"]
    assert [(item.id, item.reason) for item in found.left_out] == [
        ("2", "RuntimeError: cannot take it")
    ]
    assert list(found) == []


def test_a_loaded_pipeline_runs_in_this_process_only(ruled_nlp):
    with pytest.raises(ConfigError, match="found a loaded pipeline for 2 processes"):
        annotate(["a"], ruled_nlp, n_process=2)


def test_what_is_no_text_is_told(ruled_nlp):
    with pytest.raises(ConfigError, match="found int as document 2, expected a text"):
        list(annotate(["a", 1], ruled_nlp))


def test_entities_have_their_concepts(bioner_config):
    nlp = spacy.blank("en", config=bioner_config)
    gazetteer = nlp.add_pipe("bioner_gazetteer")
    gazetteer.add_terms([Term("aspirin", "Chemical", "D001241")])
    (found,) = annotate(["They took aspirin."], nlp)
    (entity,) = found.entities
    assert entity.to_json() == {
        "start": 10,
        "end": 17,
        "label": "Chemical",
        "text": "aspirin",
        "source": "bioner_gazetteer",
        "concept_ids": ["D001241"],
    }
