"""Small tables, and what the commands on them print."""

import pytest
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app


@pytest.fixture
def bioner():
    """Run a command, and return what it prints; errors are raised."""

    def run(*arguments):
        done = CliRunner().invoke(app, ["terms", *map(str, arguments)])
        if done.exception is not None:
            raise done.exception
        return done.output

    return run


@pytest.fixture
def make_gaz(tmp_path, bioner):
    """Compile rows, and return the table's path."""

    def make(name, *rows):
        source = tmp_path / f"{name}.tsv"
        source.write_text("id\tname\tlabel\n" + "".join("\t".join(row) + "\n" for row in rows))
        bioner("import", source, tmp_path / f"{name}.gaz")
        return tmp_path / f"{name}.gaz"

    return make
