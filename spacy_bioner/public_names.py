"""The public names of a package, each imported when it is first asked for (PEP 562).

So `import spacy_bioner` stays light, and a name whose extra is not installed stands in nobody
else's way.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import FrameType
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple


def offer_names(
    package: str,
    places: Mapping[str, Sequence[str]],
    *,
    modules: Sequence[str] = (),
    defined: Sequence[str] = (),
) -> Tuple[Callable[[str], Any], Callable[[], List[str]], List[str]]:
    """Return the `__getattr__`, `__dir__` and `__all__` of a package.

    package (str): The package's name.
    places (Mapping[str, Sequence[str]]): The names that each of its modules has, such as
        {"corpora.alignment": ["align"]}.
    modules (Sequence[str]): Its modules and packages that are public themselves.
    defined (Sequence[str]): Names that its `__init__` defines.
    """
    homes = {name: f"{package}.{place}" for place, names in places.items() for name in names}
    public = sorted((*homes, *modules, *defined))

    def get(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in homes:
            raise _make_error(package, name, public)
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def list_names() -> List[str]:
        own = [name for name in vars(sys.modules[package]) if name.startswith("__")]
        return sorted({*own, *public})

    return get, list_names, public


def _make_error(package: str, name: str, public: Sequence[str]) -> Exception:
    if name.startswith("__"):
        return AttributeError(f"module {package!r} has no attribute {name!r}")
    from difflib import get_close_matches

    close = get_close_matches(name, public, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    message = f"found no {name!r} in {package}, expected one of {', '.join(public)}{hint}"
    # `from package import name` drops the text of an AttributeError, but not of an ImportError. It
    # asks by this function first, and then imports a module of the name, if there is one. Loaders
    # that call `__import__` with any name want the package.
    asking = sys._getframe(2)
    is_from_import = asking.f_code.co_name == "_handle_fromlist" and _is_import(asking.f_back)
    if is_from_import and find_spec(f"{package}.{name}") is None:
        return ImportError(message, name=package)
    return AttributeError(message, name=name)


def _is_import(frame: Optional[FrameType]) -> bool:
    """Tell whether a frame is at a statement of import, not at a call."""
    from opcode import opmap

    return frame is not None and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_NAME"]
