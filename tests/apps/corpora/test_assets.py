import hashlib

import pytest
from typer.testing import CliRunner

from spacy_bioner.apps.cli.assets import assets_cli
from spacy_bioner.apps.corpora.assets import Asset, md5_of, prepare_assets, read_assets
from spacy_bioner.errors import AssetError

CONTENT = b"1|t|Title\n"
CHECKSUM = hashlib.md5(CONTENT).hexdigest()
PROJECT = f"""\
vars:
  name: ncbi
  urls:
    base: https://example.org/data
assets:
  - dest: assets/${{vars.name}}/train.txt
    url: ${{vars.urls.base}}/published%20name.txt
    checksum: {CHECKSUM}
  - dest: assets/own.txt
"""


@pytest.fixture
def asset(tmp_path):
    """An asset whose published file is on this machine."""
    published = tmp_path / "published.txt"
    published.write_bytes(CONTENT)
    return Asset(tmp_path / "project" / "train.txt", published.as_uri(), CHECKSUM)


def actions(assets, **settings):
    return [prepared.action for prepared in prepare_assets(assets, **settings)]


def test_read_assets_fills_in_variables(tmp_path):
    (tmp_path / "project.yml").write_text(PROJECT)
    url = "https://example.org/data/published%20name.txt"
    assert read_assets(tmp_path) == [
        Asset(tmp_path / "assets/ncbi/train.txt", url, CHECKSUM),
        Asset(tmp_path / "assets/own.txt"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("assets:\n  - url: x\n", "expected one with `dest`"),
        ("assets:\n  - dest: ../x\n", "expected a path in the project"),
        ("assets:\n  - dest: ${vars.x}\n", "expected a variable under `vars`"),
        ("a: [1\n", "not readable as YAML"),
        ("- 1\n", "expected a spaCy project file"),
    ],
)
def test_read_assets_refuses_malformed_project(tmp_path, text, message):
    (tmp_path / "project.yml").write_text(text)
    with pytest.raises(AssetError, match=message):
        read_assets(tmp_path)


def test_read_assets_needs_a_project(tmp_path):
    with pytest.raises(AssetError, match="run the command in the project's folder"):
        read_assets(tmp_path)


def test_project_without_assets_has_none(tmp_path):
    (tmp_path / "project.yml").write_text("title: x\n")
    assert read_assets(tmp_path) == []


def test_file_in_place_is_used_as_it_is(asset):
    asset.dest.parent.mkdir()
    asset.dest.write_bytes(CONTENT)
    before = asset.dest.stat().st_mtime_ns
    assert actions([Asset(asset.dest, "https://invalid.invalid/x", CHECKSUM)]) == ["present"]
    assert asset.dest.stat().st_mtime_ns == before


def test_file_in_place_with_wrong_checksum_is_refused_and_kept(asset):
    asset.dest.parent.mkdir()
    asset.dest.write_bytes(b"other")
    other = hashlib.md5(b"other").hexdigest()
    with pytest.raises(
        AssetError, match=f"found MD5 {other}, expected {CHECKSUM}; delete the file"
    ):
        actions([asset])
    assert asset.dest.read_bytes() == b"other"


def test_download_writes_the_file(asset):
    assert actions([asset]) == ["downloaded"]
    assert md5_of(asset.dest) == CHECKSUM


def test_download_with_wrong_checksum_leaves_nothing(asset):
    wrong = Asset(asset.dest, asset.url, "0" * 32)
    with pytest.raises(AssetError, match=f"found MD5 {CHECKSUM}, expected {'0' * 32}"):
        actions([wrong])
    assert not asset.dest.parent.exists()


def test_download_that_fails_says_what_to_do(asset):
    absent = Asset(asset.dest, asset.url + ".absent", CHECKSUM)
    with pytest.raises(AssetError, match=r"cannot be downloaded .*put it at .*\(--from\)"):
        actions([absent])
    assert not asset.dest.parent.exists()


def test_asset_without_url_asks_for_the_file(asset):
    with pytest.raises(AssetError, match="no such file and no URL for it"):
        actions([Asset(asset.dest)])


@pytest.mark.parametrize("name", ["train.txt", "published.txt"])
def test_folder_is_searched_by_both_names(asset, tmp_path, name):
    folder = tmp_path / "usb" / "deep"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(CONTENT)
    assert actions([asset], folder=tmp_path / "usb") == ["copied"]
    assert asset.dest.read_bytes() == CONTENT


def test_folder_with_several_files_gives_the_right_one(asset, tmp_path):
    for name, content in (("a", b"other"), ("b", CONTENT)):
        (tmp_path / "usb" / name).mkdir(parents=True)
        (tmp_path / "usb" / name / "train.txt").write_bytes(content)
    assert actions([asset], folder=tmp_path / "usb") == ["copied"]
    assert asset.dest.read_bytes() == CONTENT


def test_folder_with_wrong_file_is_refused_and_nothing_written(asset, tmp_path):
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "train.txt").write_bytes(b"other")
    with pytest.raises(AssetError, match=r"usb/train\.txt: found MD5 .*, expected"):
        actions([asset], folder=tmp_path / "usb")
    assert not asset.dest.exists()


def test_folder_without_the_file_is_no_reason_to_download(asset, tmp_path):
    (tmp_path / "usb").mkdir()
    with pytest.raises(AssetError, match=r"found no train\.txt or published\.txt in it"):
        actions([asset], folder=tmp_path / "usb")
    assert not asset.dest.exists()


def test_folder_must_exist(asset, tmp_path):
    with pytest.raises(AssetError, match="no such folder to take corpus files from"):
        actions([asset], folder=tmp_path / "absent")


def test_dest_that_is_a_folder_is_refused(asset):
    asset.dest.mkdir(parents=True)
    with pytest.raises(AssetError, match="found a folder, expected a file or nothing"):
        actions([asset])


def test_asset_without_checksum_is_taken_as_it_is(asset):
    assert actions([Asset(asset.dest, asset.url)]) == ["downloaded"]


def test_extra_assets_are_fetched_when_asked_for(asset):
    extra = Asset(asset.dest, asset.url, extra=True)
    assert actions([extra]) == []
    assert not asset.dest.exists()
    assert actions([extra], extra=True) == ["downloaded"]
    assert actions([extra], extra=True) == ["present"]


def test_assets_say_which_are_extra(tmp_path):
    entry = "assets:\n  - dest: mesh.gz\n    extra: true\n  - dest: train.txt\n"
    (tmp_path / "project.yml").write_text(entry)
    assert [one.extra for one in read_assets(tmp_path)] == [True, False]


def test_assets_cli_copies_from_folder(tmp_path):
    project, usb = tmp_path / "project", tmp_path / "usb"
    project.mkdir()
    usb.mkdir()
    (project / "project.yml").write_text(PROJECT)
    (usb / "train.txt").write_bytes(CONTENT)
    (usb / "own.txt").write_bytes(b"any")
    arguments = ["--from", str(usb), "--project", str(project)]
    result = CliRunner().invoke(assets_cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "2 corpus files are in place" in result.output
    assert (project / "assets" / "ncbi" / "train.txt").read_bytes() == CONTENT


def test_published_corpora_are_found_in_a_folder(data_dir, tmp_path):
    checksum = "f4fc2f17c6fff3562a5aea85dfb8c7e3"
    asset = Asset(tmp_path / "NCBIdevelopset_corpus.txt", "", checksum)
    assert actions([asset], folder=data_dir / "corpora") == ["copied"]
    assert md5_of(asset.dest) == checksum
