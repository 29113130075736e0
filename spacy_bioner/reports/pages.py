"""HTML pages from templates: whole in themselves, with everything escaped."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from spacy_bioner import __version__


def render_page(template: str, **values: Any) -> str:
    """Render a template of this package; it knows the package's `version` as well.

    RAISES jinja2.UndefinedError: Where the template names what `values` have not.
    """
    environment = Environment(
        loader=PackageLoader("spacy_bioner.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(version=__version__, **values)
