import importlib.util
import json
import sys
from dataclasses import replace

import pytest

from spacy_bioner.apps.cli.main import run
from spacy_bioner.apps.corpora.prepare import prepare
from spacy_bioner.apps.profiles import (
    CorpusSettings,
    Division,
    SplitSettings,
    load_corpus_settings,
)
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.errors import AssetError, CorpusError, LabelError
from tests.paths import ROOT

KINDS = ("audit.json", "spacy")
DOCUMENT = "{0}|t|Acute renal failure.\n{0}|a|\n{0}\t0\t19\tAcute renal failure\tDRE\tD058186\n"
CORPUS = "\n".join(DOCUMENT.format(number) for number in range(1, 6))


def make_settings(folder, *, name="tiny", **paths):
    corpus = folder / "corpus.txt"
    splits = {
        "train": SplitSettings(paths.get("train", corpus), first=3),
        "dev": SplitSettings(paths.get("dev", corpus), skip=3, first=1),
        "test": SplitSettings(paths.get("test", corpus), skip=4),
    }
    return CorpusSettings(name, "Tiny", "CC0-1.0", "here", splits, {"DRE": "Disease"})


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "corpus.txt").write_text(CORPUS, encoding="utf-8")
    return make_settings(tmp_path)


def test_prepare_writes_each_split_and_the_account(settings, tmp_path):
    prepare(settings, tmp_path / "out")
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [
        "corpus.json",
        *(f"{split}.{kind}" for split in ("dev", "test", "train") for kind in KINDS),
    ]


def test_prepare_takes_the_documents_that_each_split_names(settings, tmp_path, blank_nlp):
    prepared = prepare(settings, tmp_path / "out")
    counts = {split: account.documents for split, account in prepared.splits.items()}
    assert counts == {"train": 3, "dev": 1, "test": 1}
    docs = list(read_docbin(tmp_path / "out" / "train.spacy", blank_nlp.vocab))
    assert [[ent.label_ for ent in doc.ents] for doc in docs] == [["Disease"]] * 3


def test_a_label_that_one_split_lacks_may_be_renamed_but_none_that_all_lack(settings, tmp_path):
    # The only document of the development split.
    text = CORPUS.replace(DOCUMENT.format(4), DOCUMENT.format(4).replace("DRE", "X"))
    (tmp_path / "corpus.txt").write_text(text, encoding="utf-8")
    prepared = prepare(settings, tmp_path / "out")
    assert prepared.splits["dev"].labels_not_found == ["DRE"]
    wrong = replace(settings, label_map={"DER": "Disease"})
    with pytest.raises(LabelError, match="the label DER, which the label map of corpus 'tiny' ren"):
        prepare(wrong, tmp_path / "again")


def test_account_says_what_became_of_every_mention(settings, tmp_path):
    prepare(settings, tmp_path / "out")
    account = json.loads((tmp_path / "out" / "corpus.json").read_text(encoding="utf-8"))
    about = {key: account[key] for key in ("name", "title", "licence", "source", "label_map")}
    assert about == {
        "name": "tiny",
        "title": "Tiny",
        "licence": "CC0-1.0",
        "source": "here",
        "label_map": {"DRE": "Disease"},
    }
    count = account["splits"]["train"]["count"]
    assert (count["total"], count["exact"], count["lost"]) == (3, 3, 0)


def test_prepare_reports_each_split_as_it_is_done(settings, tmp_path):
    seen = []
    prepare(settings, tmp_path / "out", report=lambda split, account: seen.append(split))
    assert seen == ["train", "dev", "test"]


def test_missing_corpus_names_the_files_and_the_ways_to_get_them(tmp_path):
    settings = make_settings(tmp_path, test=tmp_path / "test.txt")
    with pytest.raises(AssetError) as raised:
        prepare(settings, tmp_path / "out")
    message = str(raised.value)
    files = f"{tmp_path / 'corpus.txt'}, {tmp_path / 'test.txt'}"
    assert message.startswith(f"the corpus 'tiny' is not here: missing {files}.")
    assert "`spacy project assets .`" in message
    assert "`make assets FROM=FOLDER`" in message
    assert "build.py" not in message


def test_missing_corpus_leaves_no_output(tmp_path):
    with pytest.raises(AssetError):
        prepare(make_settings(tmp_path), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_missing_demo_corpus_says_how_to_build_it(tmp_path):
    with pytest.raises(AssetError, match=r"`python assets/demo/build\.py`"):
        prepare(make_settings(tmp_path, name="demo"), tmp_path / "out")


def test_malformed_split_leaves_no_file_of_its_own_and_no_account(settings, tmp_path):
    broken = tmp_path / "broken.txt"
    broken.write_text(CORPUS + "5\t0\tx\tAcute\tDRE\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"broken\.txt:20: "):
        prepare(make_settings(tmp_path, test=broken), tmp_path / "out")
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [f"{split}.{kind}" for split in ("dev", "train") for kind in KINDS]


def test_prepare_cli_reports_a_missing_corpus_in_one_line(tmp_path, monkeypatch, capsys):
    for folder in ("profiles", "corpora"):
        (tmp_path / "configs" / folder).mkdir(parents=True)
        name = "biobert" if folder == "profiles" else "bc5cdr"
        text = (ROOT / "configs" / folder / f"{name}.cfg").read_text(encoding="utf-8")
        (tmp_path / "configs" / folder / f"{name}.cfg").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as raised:
        run(["prepare", "corpus/biobert", "--profile", "biobert"])
    error = capsys.readouterr().err
    assert (raised.value.code, error.count("\n")) == (1, 1)
    assert error.startswith("error: the corpus 'bc5cdr' is not here: missing assets/bc5cdr/")
    assert not (tmp_path / "corpus").exists()


def test_demo_corpus_is_prepared_without_loss(tmp_path, monkeypatch, blank_nlp):
    monkeypatch.chdir(ROOT)
    settings = load_corpus_settings("demo")
    build_demo(tmp_path / "assets/demo")
    monkeypatch.chdir(tmp_path)
    prepared = prepare(settings, tmp_path / "out")
    documents = {split: account.documents for split, account in prepared.splits.items()}
    counts = {split: account.count for split, account in prepared.splits.items()}
    for split, account in prepared.splits.items():
        docs = list(read_docbin(tmp_path / "out" / f"{split}.spacy", blank_nlp.vocab))
        assert len(docs) == account.documents
        assert sum(len(doc.ents) for doc in docs) == account.entities
        assert (account.count.lost, account.count.respelled) == (0, 0)
    assert sum(documents.values()) >= 100
    assert sum(count.total for count in counts.values()) >= 2000


def build_demo(target):
    """Make the demo corpus as the project's command `demo` does."""
    path = ROOT / "assets/demo/build.py"
    spec = importlib.util.spec_from_file_location("demo_builder", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_builder"] = module
    try:
        spec.loader.exec_module(module)
        module.build(path.parent / "source", target)
    finally:
        del sys.modules["demo_builder"]


def test_a_lenient_corpus_leaves_out_mentions_that_do_not_fit(tmp_path):
    (tmp_path / "corpus.txt").write_text(CORPUS + "5\t0\t5\tRenal\tDRE\tD058186\n")
    settings = make_settings(tmp_path)
    with pytest.raises(CorpusError, match="found 'Acute' at 0-5 of document 5"):
        prepare(settings, tmp_path / "out")
    prepared = prepare(replace(settings, lenient=True), tmp_path / "out")
    assert prepared.splits["test"].count.lost == 1


def test_a_split_can_be_a_folder(tmp_path):
    settings = make_settings(tmp_path, train=tmp_path / "brat", dev=tmp_path / "brat")
    (tmp_path / "corpus.txt").write_text(CORPUS)
    (tmp_path / "brat").mkdir()
    for number in range(5):
        (tmp_path / "brat" / f"{number}.txt").write_text("Acute renal failure.")
        (tmp_path / "brat" / f"{number}.ann").write_text("T1\tDRE 0 19\tAcute renal failure\n")
    prepared = prepare(settings, tmp_path / "out")
    assert prepared.splits["train"].count.exact == 3


@pytest.fixture
def divided(tmp_path):
    """Settings of a folder with ten documents that are divided 80/10/10."""
    folder = tmp_path / "brat"
    folder.mkdir()
    for number in range(10):
        (folder / f"{number}.txt").write_text("Acute renal failure.")
        (folder / f"{number}.ann").write_text("T1\tDRE 0 19\tAcute renal failure\n")
    division = Division(0, {"train": 80, "dev": 10, "test": 10})
    splits = dict.fromkeys(("train", "dev", "test"), SplitSettings(folder))
    return CorpusSettings("tiny", "Tiny", "CC0-1.0", "here", splits, division=division)


def test_corpus_in_one_piece_is_divided_and_listed(divided, tmp_path):
    prepared = prepare(divided, tmp_path / "out")
    assert [account.documents for account in prepared.splits.values()] == [8, 1, 1]
    account = json.loads((tmp_path / "out" / "corpus.json").read_text(encoding="utf-8"))
    parts = account["division"]["parts"]
    listed = [identifier for part in parts.values() for identifier in part["ids"]]
    assert (account["division"]["seed"], sorted(listed)) == (0, [str(n) for n in range(10)])


def test_division_depends_on_the_seed_alone(divided, tmp_path):
    def test_ids(seed, output):
        settings = replace(divided, division=replace(divided.division, seed=seed))
        prepared = prepare(settings, tmp_path / output)
        return prepared.division.parts[2].ids

    assert test_ids(0, "a") == test_ids(0, "b")
    assert len({test_ids(seed, f"s{seed}") for seed in range(8)}) > 1


def test_divided_corpus_may_be_limited(divided, tmp_path):
    splits = {name: replace(split, first=1) for name, split in divided.splits.items()}
    prepared = prepare(replace(divided, splits=splits), tmp_path / "out")
    assert [account.documents for account in prepared.splits.values()] == [1, 1, 1]


def test_missing_corpus_that_is_no_asset_says_where_it_is_from(divided, tmp_path):
    splits = dict.fromkeys(divided.splits, SplitSettings(tmp_path / "absent"))
    with pytest.raises(AssetError, match=r"missing .*absent; unpack tiny\.zip$"):
        prepare(replace(divided, splits=splits, fetch="unpack tiny.zip"), tmp_path / "out")
