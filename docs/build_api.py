"""Make docs/api.md from the docstrings of the public names.

python docs/build_api.py            write it
python docs/build_api.py --check    only say whether it is what the docstrings make
"""

import ast
import inspect
import re
import sys
import textwrap
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

PAGE = Path(__file__).with_name("api.md")
FACE = "spacy_bioner"
PACKAGES = (FACE, *(f"{FACE}.{name}" for name in ("corpora", "evaluation", "components")))
PACKAGES += (f"{FACE}.knowledge", f"{FACE}.errors")
WIDTH = 120
# What the guides for users call by its path; it stays as they say.
GUIDED = (
    f"{FACE}.apps.recipes.plan.list_recipes",
    f"{FACE}.apps.terms.store.make_store",
    f"{FACE}.architectures.datasets.choose_dataset",
    f"{FACE}.architectures.pieces.words.find_words",
    f"{FACE}.transforms.deidentification.deidentify",
)
HEAD = (
    "Made from the docstrings by `make docs`: change those, not this page. What is neither listed "
    f"here nor called by its path in a guide ({', '.join(f'`{name}`' for name in GUIDED)}) may "
    "move or change without notice. Names of components and of registered functions "
    "(`spacy_bioner.Thing.v1`) are in the [README](../README.md)."
)
# A line "name (Type): meaning", and one of what a function gives or raises.
ENTRY = re.compile(r"(?P<name>[a-z]\w*) \((?P<type>.+?)\): (?P<text>.+)")
MARK = re.compile(r"(?P<name>RETURNS|YIELDS|RAISES) \((?P<type>[^():]+)\): (?P<text>.+)")


def main(arguments: List[str]) -> int:
    """Write the page, or compare it with --check; returns the exit code."""
    page = render_page()
    if arguments == ["--check"]:
        if PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE.name} is not what the docstrings make, run: make docs", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


def list_public() -> Dict[str, Tuple[str, str]]:
    """Return where each public name is offered first and defined, by package and name."""
    found: Dict[str, Tuple[str, str]] = {}
    for package in PACKAGES:
        for name, module in sorted(find_definitions(package).items()):
            found.setdefault(name, (package, module))
    return found


def find_definitions(package: str) -> Dict[str, str]:
    """Return the modules that define a package's public names, modules left out."""
    module = import_module(package)
    if not hasattr(module, "__all__"):
        values = vars(module).items()
        return {name: package for name, value in values if _is_class_of(value, package)}
    homes = {
        alias.name: node.module or ""
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    names = [name for name in module.__all__ if f"{package}.{name}" not in PACKAGES]
    return {name: homes.get(name, package) for name in names}


def _is_class_of(value: Any, module: str) -> bool:
    return inspect.isclass(value) and value.__module__ == module


def render_page() -> str:
    """Return the whole page."""
    public = list_public()
    parts = ["# Public names\n", _wrap(HEAD)]
    for package in PACKAGES:
        parts.append(f"## {package}\n")
        parts.append(_wrap(_paragraphs(import_module(package))[0]))
        again = [name for name in find_definitions(package) if public[name][0] != package]
        if again:
            links = ", ".join(f"[`{name}`](#{name.lower()})" for name in sorted(again))
            parts.append(_wrap(f"As above: {links}."))
        for name, (place, module) in public.items():
            if place == package:
                parts.append("\n".join(_render_name(name, module)))
    page = re.sub(r"\n+(?=#+ )", "\n\n", "\n".join(parts))
    return re.sub(r"\n{3,}", "\n\n", page).strip("\n") + "\n"


def _render_name(name: str, module: str) -> Iterator[str]:
    value = getattr(import_module(module), name)
    yield f"### {name}\n"
    if inspect.isclass(value) or inspect.isfunction(value):
        yield f"```text\n{describe(name, value, types=True)}\n```\n"
    yield from _render_docs(get_docs(name, module))
    if inspect.isclass(value):
        yield from _render_members(name, value)


def _render_members(name: str, value: type) -> Iterator[str]:
    methods = []
    for member, item in vars(value).items():
        if member.startswith("_") or not getattr(item, "__doc__", ""):
            continue
        if isinstance(item, property):
            yield _wrap(f"- `.{member}`: {' '.join((item.__doc__ or '').split())}", hanging=True)
        elif isinstance(item, (classmethod, staticmethod)) or inspect.isfunction(item):
            methods.append((member, inspect.unwrap(getattr(value, member))))
    for member, item in methods:
        function = getattr(item, "__func__", item)
        yield f"\n#### {name}.{member}\n"
        yield f"```text\n{describe(member, function, types=True)}\n```\n"
        yield from _render_docs(inspect.getdoc(function) or "")


def describe(name: str, value: Any, *, types: bool = False, width: int = 100) -> str:
    """Return the signature of a function or class as its source has it.

    types (bool): With annotations, and an argument on each line where one is too long.
    """
    if _is_plain_error(value):
        return f"{name}({', '.join(base.__name__ for base in value.__bases__)})"
    arguments, returned = _read_signature(value)
    shown = [argument.render(types) for argument in arguments]
    line = f"{name}({', '.join(shown)})"
    if not types:
        return line
    end = f" -> {returned}" if returned else ""
    if len(line + end) <= width:
        return line + end
    return "\n".join([f"{name}(", *(f"    {text}," for text in shown), f"){end}"])


class Argument(NamedTuple):
    """An argument or a field, with its annotation and default as the page shows them."""

    name: str
    annotation: str = ""
    default: str = ""

    def render(self, types: bool) -> str:
        """Return it as in a signature."""
        if not types or not self.annotation:
            return f"{self.name}={self.default}" if self.default else self.name
        shown = f"{self.name}: {self.annotation}"
        return f"{shown} = {self.default}" if self.default else shown


def _is_plain_error(value: Any) -> bool:
    is_error = inspect.isclass(value) and issubclass(value, Exception)
    return is_error and "__init__" not in vars(value)


def _read_signature(value: Any) -> Tuple[List[Argument], str]:
    """Return the arguments, with "*" where only names are taken, and what is returned."""
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(value)))
    node = ast.parse(source).body[0]
    if isinstance(node, ast.FunctionDef):
        returned = ast.unparse(node.returns).strip("'") if node.returns else ""
        return list(_read_arguments(node.args, value)), returned
    assert isinstance(node, ast.ClassDef)
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return list(_read_arguments(item.args, value)), ""
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    return [_make(ast.unparse(f.target), f.annotation, f.value, value) for f in fields], ""


def _read_arguments(arguments: ast.arguments, value: Any) -> Iterator[Argument]:
    gaps = [None] * (len(arguments.args) - len(arguments.defaults))
    for item, default in zip(arguments.args, [*gaps, *arguments.defaults]):
        if item.arg not in ("self", "cls"):
            yield _make(item.arg, item.annotation, default, value)
    if arguments.vararg:
        yield _make(f"*{arguments.vararg.arg}", arguments.vararg.annotation)
    elif arguments.kwonlyargs:
        yield Argument("*")
    for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults):
        yield _make(item.arg, item.annotation, default, value)
    if arguments.kwarg:
        yield _make(f"**{arguments.kwarg.arg}", arguments.kwarg.annotation)


def _make(
    name: str,
    annotation: Optional[ast.expr],
    default: Optional[ast.expr] = None,
    value: Any = None,
) -> Argument:
    kind = ast.unparse(annotation) if annotation else ""
    return Argument(name, kind, _show_default(default, value) if default else "")


def _show_default(default: ast.expr, value: Any) -> str:
    """Return a default as its source has it; a constant by its value, what is made as "..."."""
    shown = ast.unparse(default)
    if isinstance(default, ast.Name):
        found = getattr(import_module(value.__module__), default.id)
        shown = repr(found) if isinstance(found, (str, int, float)) else "..."
    return "..." if isinstance(default, (ast.Lambda, ast.Call)) else shown.replace("'", '"')


def get_docs(name: str, module: str) -> str:
    """Return the docstring of a name, that of a constant too (the string behind it); or ""."""
    value = getattr(import_module(module), name)
    if inspect.isclass(value) or inspect.isfunction(value):
        return inspect.cleandoc(value.__doc__ or "")
    body = ast.parse(inspect.getsource(import_module(module))).body
    for node, after in zip(body, body[1:]):
        if name in _list_targets(node) and isinstance(after, ast.Expr):
            return inspect.cleandoc(ast.literal_eval(after.value))
    return ""


def _list_targets(node: ast.stmt) -> List[str]:
    if isinstance(node, ast.AnnAssign):
        return [ast.unparse(node.target)]
    return [ast.unparse(item) for item in node.targets] if isinstance(node, ast.Assign) else []


def _paragraphs(value: Any) -> List[str]:
    return re.split(r"\n\s*\n", inspect.getdoc(value) or "")


def _render_docs(docs: str) -> Iterator[str]:
    """Yield paragraphs, and entries as a list."""
    for block in re.split(r"\n\s*\n", docs):
        rows: List[str] = []
        for line in block.splitlines():
            entry = ENTRY.fullmatch(line) or MARK.fullmatch(line)
            if entry:
                rows.append(_start_entry(entry))
            elif rows:
                rows[-1] += f" {line.strip()}"
            else:
                rows.append(line)
        for row in rows:
            yield _wrap(row, hanging=True).rstrip("\n") if row.startswith("- ") else _wrap(row)
        if rows and rows[-1].startswith("- "):
            yield ""


def _start_entry(entry: "re.Match[str]") -> str:
    name = entry["name"]
    shown = name.lower() if name.isupper() else f"**{name}**"
    return f"- {shown} `{entry['type']}`: {entry['text']}"


def _wrap(text: str, *, hanging: bool = False) -> str:
    words = " ".join(text.split())
    indent = "  " if hanging else ""
    lines = textwrap.fill(
        words, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return lines if hanging else f"{lines}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
