import pytest
import srsly

from spacy_bioner.apps.recipes.recipe_file import read_recipe
from tests.apps.recipes.small_recipe import SMALL


@pytest.fixture
def small(tmp_path):
    srsly.write_yaml(tmp_path / "small.yaml", SMALL)
    return read_recipe(tmp_path / "small.yaml")


@pytest.fixture
def write_small(tmp_path):
    """Writes the small recipe with other values."""

    def write(**changes):
        path = tmp_path / "changed.yaml"
        srsly.write_yaml(path, {**SMALL, **changes})
        return path

    return write
