"""The package's own wheel, beside that of a pipeline."""

import zipfile
from pathlib import Path

import pytest

import spacy_bioner
from spacy_bioner.apps.packaging import own_wheel
from spacy_bioner.apps.packaging.own_wheel import write_own_wheel
from spacy_bioner.errors import PackageError

PACKAGE = Path(spacy_bioner.__file__).parent


@pytest.mark.slow
def test_own_wheel_holds_every_file_of_the_package(tmp_path):
    wheel = write_own_wheel(tmp_path)
    assert wheel.name == f"spacy_bioner-{spacy_bioner.__version__}-py3-none-any.whl"
    assert list(tmp_path.iterdir()) == [wheel]
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("spacy_bioner/")}
    shipped = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == shipped


def test_own_wheel_of_a_copy_that_nobody_installed_is_refused(tmp_path, monkeypatch):
    copy = tmp_path / "elsewhere" / "spacy_bioner" / "__init__.py"
    monkeypatch.setattr(own_wheel.spacy_bioner, "__file__", str(copy))
    with pytest.raises(PackageError, match="without a record of its files"):
        write_own_wheel(tmp_path)
    assert list(tmp_path.iterdir()) == []
