"""HTML pages from templates: whole in themselves, with everything escaped."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from spacy_bioner import __version__
from spacy_bioner.printable import make_printable


def render_page(template: str, **values: Any) -> str:
    """Render a template of this package; it knows the package's `version` as well.

    What is no markup is escaped, after its controls, marks of direction and characters without
    width have been made visible: one of them in a label would turn the rest of a line around.

    RAISES (jinja2.UndefinedError): Where the template names what `values` have not.
    """
    environment = Environment(
        loader=PackageLoader("spacy_bioner.reports.html"),
        autoescape=True,
        finalize=_show,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(version=__version__, **values)


def _show(value: Any) -> Any:
    # `Markup` is a str as well, and ready.
    return make_printable(value) if type(value) is str else value
