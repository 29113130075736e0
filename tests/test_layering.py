"""The import rule: who may import whom, and what may be imported when a module is loaded.

Sources are parsed, never imported, so the rule is checked without any dependency installed.
"""

import ast
import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Dict, Iterable, Iterator, List, NamedTuple, Set, TypeGuard

import pytest

PACKAGE = "spacy_bioner"
LEAVES = {"", "errors", "extras", "records", "tags", "spans", "sentences", "blanks", "printable"}
LEAVES |= {"cores", "ledger", "doc_ents", "files", "gold", "public_names"}
# What it offers is named for type checkers, who alone read these imports.
FACE = PACKAGE
LEVELS = {
    **dict.fromkeys(("corpora", "transforms", "knowledge", "layers"), 1),
    "architectures": 2,
    "components": 3,
    "evaluation": 4,
    "training": 5,
    "reports": 6,
    "apps": 7,
}
# Scores are computed on Examples or by an `nlp`; a component class would tie them to one model.
FORBIDDEN = {("evaluation", "components")}
HEAVY = {"torch", "transformers", "tokenizers", "onnxruntime", "safetensors"}
HEAVY_PARTS = {"layers", "architectures"}
MAX_LINES = 400
# A module of fewer lines has two users, or belongs into the one it has.
MIN_LINES = 40
# Some have one, for a reason.
ALONE = {
    "apps.cli.__main__": "Python runs it",
    "architectures._transformers": "its check comes before any import, as that of _torch does",
    "layers.token_head": "a layer has a file, and architectures define none",
    "reports.text.calibration": "no other text is on what was fitted",
}
MAX_MODULES = 18
# The commands, one a module.
FULLER = {"apps.cli"}
# What describes a drawing or a page; results lie where they are computed.
DRAWN = {"Plot", "Drawing", "Section", "PagePart", "CorpusSection", "LabelCard", "Table"}
DRAWN |= {"Cloud", "CloudWord", "ReportData"}
TEXTS = f"{PACKAGE}.reports.text."
PLOTS = (f"{PACKAGE}.reports.plots", "matplotlib")
COMMANDS = f"{PACKAGE}.apps.cli."
COMMANDS_MODULE = f"{COMMANDS}main"
# A docstring names the type of an error in parentheses.
OTHER_RAISES = re.compile(r"\bRAISES\b(?! \([\w.]+\): )")
# Test folders that mirror no part of the package.
OTHER_TESTS = {"benchmarks", "mutants", "data", "cases"}


class Import(NamedTuple):
    target: str
    line: int
    at_load: bool


def find_violations(sources: Dict[str, str]) -> List[str]:
    """Check modules, given as source code by dotted name (packages without `.__init__`)."""
    imports = {name: list(_list_imports(name, code, sources)) for name, code in sources.items()}
    found: List[str] = []
    for name in sorted(sources):
        found += _check_shape(name, sources[name])
        found += _check_duties(name, sources[name])
        for item in imports[name]:
            found += _check_import(name, item)
    found += _check_rooms(sources)
    found += _check_commands(sources, imports)
    found += _check_cycles(imports)
    found += _check_weight(imports)
    return found


def find_lost_tests(tests: Iterable[str], modules: Iterable[str]) -> List[str]:
    """List the test files that are named after no module or package.

    tests (Iterable[str]): Paths below the folder of tests.
    modules (Iterable[str]): Dotted names; `test_rows_fuzz` is named after `rows`.
    """
    known = {name.removeprefix(f"{PACKAGE}.") for name in modules}
    lost = []
    for test in map(PurePosixPath, tests):
        words = test.stem.removeprefix("test_").split("_")
        names = ("_".join(words[:size]) for size in range(1, len(words) + 1))
        if len(test.parts) == 1 or test.parts[0] in OTHER_TESTS:
            continue
        if not known & {".".join((*test.parts[:-1], name)) for name in names}:
            lost.append(f"{test}: is named after no module")
    return sorted(lost)


def _check_rooms(sources: Dict[str, str]) -> Iterator[str]:
    packages = {name.rpartition(".")[0] for name in sources}
    rooms = Counter(name.rpartition(".")[0] for name in sources if name not in packages)
    for room, n_modules in sorted(rooms.items()):
        if n_modules > MAX_MODULES and room.removeprefix(f"{PACKAGE}.") not in FULLER:
            yield f"{room}: {n_modules} modules, at most {MAX_MODULES} expected"


def _check_shape(name: str, code: str) -> Iterator[str]:
    part = _part(name)
    if part not in LEAVES and part not in LEVELS:
        yield f"{name}: '{part}' is no part of the design"
    if name.split(".")[-1] in ("utils", "util", "helpers"):
        yield f"{name}: name a module after what it holds"
    n_lines = code.count("\n")
    if n_lines > MAX_LINES:
        yield f"{name}: {n_lines} lines, at most {MAX_LINES} expected"


def _check_duties(name: str, code: str) -> Iterator[str]:
    """Commands refuse nothing, apps turn nothing into text, reports define only what they draw."""
    part = _part(name)
    is_command = name.startswith(COMMANDS) and name != COMMANDS_MODULE
    for node in ast.walk(ast.parse(code)) if part in ("apps", "reports") else ():
        place = f"{name}:{getattr(node, 'lineno', 0)}"
        if part == "apps" and _renders(node):
            yield f"{place}: apps render nothing, found {node.name}; see reports"
        elif is_command and _refuses(node):
            yield f"{place}: commands decide nothing, found an error; see apps"
        elif part == "reports" and _holds_data(node) and node.name not in DRAWN:
            yield f"{place}: reports define no results, found {node.name}"


def _renders(node: ast.AST) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and node.name.lstrip("_").startswith("render_")


def _refuses(node: ast.AST) -> bool:
    if not isinstance(node, ast.Raise):
        return False
    return node.exc is None or not ast.unparse(node.exc).startswith("typer.Exit")


def _holds_data(node: ast.AST) -> TypeGuard[ast.ClassDef]:
    if not isinstance(node, ast.ClassDef):
        return False
    marks = " ".join(map(ast.unparse, [*node.decorator_list, *node.bases]))
    return any(mark in marks for mark in ("dataclass", "NamedTuple", "TypedDict"))


def _check_commands(sources: Dict[str, str], imports: Dict[str, List[Import]]) -> Iterator[str]:
    """What a command does can be called without it: in an app module of its name."""
    known = {
        name
        for name in sources
        if name.startswith(f"{PACKAGE}.apps.") and not name.startswith(COMMANDS)
    }
    for command in _list_commands(sources.get(COMMANDS_MODULE, "")):
        mine = {name for name in known if name.rpartition(".")[2] == command}
        called = {item.target for item in imports.get(f"{COMMANDS}{command}", ())}
        if not mine:
            yield f"{COMMANDS_MODULE}: '{command}' has no app module of its name"
        elif not mine & called:
            yield f"{COMMANDS}{command}: does not import {', '.join(sorted(mine))}"


def _list_commands(code: str) -> List[str]:
    for node in ast.parse(code).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "GROUPS":
            groups: Dict[str, Dict[str, str]] = ast.literal_eval(node.value)
            return [name for group in groups.values() for name in group]
    return []


def _check_import(name: str, item: Import) -> Iterator[str]:
    place = f"{name}:{item.line}"
    mine, theirs = _part(name), _part(item.target)
    root = item.target.split(".")[0]
    if mine == "layers" and root == "spacy":
        yield f"{place}: layers never imports spacy"
    if name.startswith(TEXTS) and item.target.startswith(PLOTS):
        yield f"{place}: texts draw nothing, found {item.target}; see reports.plots"
    if root != PACKAGE or mine == theirs or theirs in LEAVES:
        return
    if mine in LEAVES:
        yield f"{place}: a leaf module imports leaf modules only, found {item.target}"
    elif (mine, theirs) in FORBIDDEN:
        yield f"{place}: {mine} never imports {theirs}, found {item.target}"
    elif LEVELS.get(theirs, 0) >= LEVELS.get(mine, 0):
        yield f"{place}: {mine} imports lower levels only, found {item.target}"


def _check_cycles(imports: Dict[str, List[Import]]) -> Iterator[str]:
    edges = {name: {item.target for item in items} for name, items in imports.items()}
    for name in sorted(edges):
        if name in _reach(edges[name], edges):
            yield f"{name}: imports itself in a circle"


def _check_weight(imports: Dict[str, List[Import]]) -> Iterator[str]:
    """Follow imports at module scope: what loads with a component must not load torch."""
    edges = {
        name: {parent for item in items if item.at_load for parent in _lineage(item.target)}
        for name, items in imports.items()
    }
    for name in sorted(edges):
        if _part(name) in HEAVY_PARTS:
            continue
        loaded = _reach(edges[name], edges)
        heavy = sorted({target.split(".")[0] for target in loaded} & HEAVY)
        if heavy:
            via = [target for target in sorted(loaded) if _loads_heavy(edges.get(target, ()))]
            through = f" through {', '.join(via)}" if via else ""
            yield f"{name}: loads {', '.join(heavy)} at module scope{through}"


def _lineage(name: str) -> List[str]:
    """A module and the packages around it, whose __init__ runs as well."""
    pieces = name.split(".")
    return [".".join(pieces[:size]) for size in range(1, len(pieces) + 1)]


def _loads_heavy(targets: Iterable[str]) -> bool:
    return any(target.split(".")[0] in HEAVY for target in targets)


def _reach(start: Set[str], edges: Dict[str, Set[str]]) -> Set[str]:
    seen: Set[str] = set()
    queue = list(start)
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            queue.extend(edges.get(name, ()))
    return seen


def _part(name: str) -> str:
    pieces = name.split(".")
    return pieces[1] if len(pieces) > 1 else ""


def _list_imports(name: str, code: str, sources: Dict[str, str]) -> Iterator[Import]:
    is_package = any(other.startswith(f"{name}.") for other in sources)
    tree = ast.parse(code)
    at_load = {id(node) for node in _walk_module_scope(tree)}
    for node in ast.walk(tree):
        loads = id(node) in at_load
        if name == FACE and not loads:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, loads)
        elif isinstance(node, ast.ImportFrom):
            base = _resolve(name, is_package, node)
            for alias in node.names:
                member = f"{base}.{alias.name}"
                yield Import(member if member in sources else base, node.lineno, loads)


def _resolve(name: str, is_package: bool, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    pieces = name.split(".")
    kept = len(pieces) - node.level + is_package
    return ".".join([*pieces[:kept], *([node.module] if node.module else [])])


def _walk_module_scope(tree: ast.AST) -> Iterator[ast.AST]:
    """Visit what runs on import: not the bodies of functions, nor what only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _walk_module_scope(node)


def _read_package() -> Dict[str, str]:
    sources = {}
    # Where it is installed: the tests may run without the sources beside them.
    folder = Path(find_spec(PACKAGE).origin).parent
    for path in sorted(folder.rglob("*.py")):
        pieces = path.relative_to(folder.parent).with_suffix("").parts
        name = ".".join(pieces[:-1] if pieces[-1] == "__init__" else pieces)
        sources[name] = path.read_text(encoding="utf-8")
    return sources


def test_package_keeps_the_import_rule():
    assert find_violations(_read_package()) == []


def test_every_test_is_named_after_a_module():
    folder = Path(__file__).parent
    tests = [path.relative_to(folder).as_posix() for path in folder.rglob("test_*.py")]
    assert len(tests) > 100
    assert find_lost_tests(tests, _read_package()) == []


def test_every_command_has_a_test_of_its_name():
    folder = Path(__file__).parent / "apps"
    names = {path.stem for path in folder.rglob("test_*.py")}
    missing = [
        command
        for command in _list_commands(_read_package()[COMMANDS_MODULE])
        if not any(f"{name}_".startswith(f"test_{command}_") for name in names)
    ]
    assert missing == []


def test_a_test_of_no_module_is_found():
    tests = [
        "test_docs.py",
        "benchmarks/test_x.py",
        "layers/test_crf_speed.py",
        "layers/test_cfr.py",
    ]
    assert find_lost_tests(tests, GOOD) == ["layers/test_cfr.py: is named after no module"]


def test_a_room_that_is_too_full_is_found():
    crowd = {f"spacy_bioner.layers.part{number}": "" for number in range(18)}
    assert find_violations({**GOOD, **crowd}) == [
        "spacy_bioner.layers: 19 modules, at most 18 expected"
    ]


def test_every_command_was_looked_at():
    assert len(_list_commands(_read_package()[COMMANDS_MODULE])) >= 30


def test_a_command_without_an_app_module_is_found():
    main = 'GROUPS: Dict = {"Corpora": {"split": "Divide.", "leaks": "Find."}}\n'
    apps = {COMMANDS_MODULE: main, "spacy_bioner.apps.corpora.leaks": "", f"{PACKAGE}.apps": ""}
    apps |= {"spacy_bioner.apps.cli.leaks": "from ..corpora.leaks import drop"}
    beside = {"spacy_bioner.apps.cli.split": "", "spacy_bioner.corpora.splits.split": ""}
    assert find_violations({**GOOD, **apps, **beside}) == [
        "spacy_bioner.apps.cli.main: 'split' has no app module of its name"
    ]


def test_a_command_that_does_not_call_its_app_module_is_found():
    main = 'GROUPS: Dict = {"Corpora": {"leaks": "Find."}}\n'
    apps = {COMMANDS_MODULE: main, "spacy_bioner.apps.corpora.leaks": "", f"{PACKAGE}.apps": ""}
    assert find_violations({**GOOD, **apps, "spacy_bioner.apps.cli.leaks": ""}) == [
        "spacy_bioner.apps.cli.leaks: does not import spacy_bioner.apps.corpora.leaks"
    ]


def test_every_part_of_the_design_was_looked_at():
    assert set(LEVELS) <= {_part(name) for name in _read_package()}


def find_other_raises(sources: Dict[str, str]) -> List[str]:
    """List the docstrings that say in another form than `RAISES (X): …` what is raised."""
    found = []
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for name in sorted(sources):
        for node in ast.walk(ast.parse(sources[name])):
            if isinstance(node, kinds) and OTHER_RAISES.search(ast.get_docstring(node) or ""):
                found.append(f"{name}: {getattr(node, 'name', 'module')}")
    return found


def test_docstrings_say_in_one_form_what_is_raised():
    assert find_other_raises(_read_package()) == []


@pytest.mark.parametrize("line", ["RAISES ConfigError: When.", "RAISES: When.", "It RAISES X."])
def test_another_form_of_what_is_raised_is_found(line):
    good = 'def g():\n    """RAISES (jinja2.UndefinedError): When."""\n'
    sources = {"spacy_bioner.spans": f'{good}\n\ndef f():\n    """{line}"""\n'}
    assert find_other_raises(sources) == ["spacy_bioner.spans: f"]


def find_same_names(sources: Dict[str, str]) -> Dict[str, List[str]]:
    """Find classes of one name, private ones and those within others too, and their modules."""
    places: Dict[str, List[str]] = {}
    for module in sorted(sources):
        for node in ast.walk(ast.parse(sources[module])):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_class_name_stands_twice():
    assert find_same_names(_read_package()) == {}


def find_lonely(sources: Dict[str, str]) -> List[str]:
    """Find small modules with less than two users; commands are loaded by their names."""
    packages = {name.rpartition(".")[0] for name in sources}
    commands = {f"{COMMANDS}{name}" for name in _list_commands(sources.get(COMMANDS_MODULE, ""))}
    users = Counter(
        target
        for name, code in sources.items()
        for target in {item.target for item in _list_imports(name, code, sources)}
    )
    return [
        name.removeprefix(f"{PACKAGE}.")
        for name in sorted(set(sources) - packages - commands)
        if sources[name].count("\n") < MIN_LINES and users[name] < 2
    ]


def test_a_small_module_has_two_users():
    assert find_lonely(_read_package()) == sorted(ALONE)


def test_a_small_module_with_one_user_is_found():
    sources = {
        COMMANDS_MODULE: 'GROUPS: Dict = {"Corpora": {"split": "Divide."}}\n' + "\n" * MIN_LINES,
        "spacy_bioner.apps.cli.split": "from ...spans import x\nfrom ...tags import y\n",
        "spacy_bioner.long": "from .spans import x\n" + "\n" * (MIN_LINES - 1),
        "spacy_bioner.spans": "",
        "spacy_bioner.tags": "from . import spans\n" + "\n" * (MIN_LINES - 2),
    }
    assert find_lonely(sources) == ["tags"]


@pytest.mark.parametrize("name", ["Token", "_Token"])
def test_a_class_name_that_stands_twice_is_found(name):
    sources = {
        "spacy_bioner.left": f"class {name}:\n    pass\n",
        "spacy_bioner.middle": "class Other:\n    pass\n",
        "spacy_bioner.right": f"def make():\n    class {name}:\n        pass\n",
    }
    assert find_same_names(sources) == {name: ["spacy_bioner.left", "spacy_bioner.right"]}


GOOD = {
    "spacy_bioner": "",
    "spacy_bioner.errors": "",
    "spacy_bioner.layers.crf": "import torch\n",
    "spacy_bioner.corpora.alignment": "import spacy\nfrom ..errors import X\n",
    "spacy_bioner.architectures.crf": "from spacy_bioner.layers.crf import Crf\n",
    "spacy_bioner.components.ner": "def load():\n    import torch\n",
    "spacy_bioner.evaluation.matching": "from ..corpora import docs\n",
    "spacy_bioner.reports.tables": "@dataclass\nclass Table:\n    rows: list\n",
    "spacy_bioner.apps.cli.main": "from ... import errors\nfrom ...evaluation.matching import m\n",
}


def test_modules_that_keep_the_rule_pass():
    assert find_violations(GOOD) == []


@pytest.mark.parametrize(
    ("name", "code", "violation"),
    [
        (
            "corpora.bad",
            "from ..knowledge.terms import x",
            "spacy_bioner.corpora.bad:1: corpora imports lower levels only, "
            "found spacy_bioner.knowledge.terms",
        ),
        (
            "components.bad",
            "def f():\n    import spacy_bioner.apps.cli.main",
            "spacy_bioner.components.bad:2: components imports lower levels only, "
            "found spacy_bioner.apps.cli.main",
        ),
        (
            "evaluation.bad",
            "from spacy_bioner.components import ner",
            "spacy_bioner.evaluation.bad:1: evaluation never imports components, "
            "found spacy_bioner.components.ner",
        ),
        (
            "spans",
            "from .corpora.alignment import x",
            "spacy_bioner.spans:1: a leaf module imports leaf modules only, "
            "found spacy_bioner.corpora.alignment",
        ),
        (
            "layers.bad",
            "from spacy.tokens import Doc",
            "spacy_bioner.layers.bad:1: layers never imports spacy",
        ),
        (
            "components.bad",
            "try:\n    import transformers\nexcept ImportError:\n    pass",
            "spacy_bioner.components.bad: loads transformers at module scope",
        ),
        (
            "training.bad",
            "from ..architectures.crf import build",
            "spacy_bioner.training.bad: loads torch at module scope "
            "through spacy_bioner.layers.crf",
        ),
        (
            "apps.cli.bad",
            "class Leaks:\n    def _render_pairs(self):\n        pass",
            "spacy_bioner.apps.cli.bad:2: apps render nothing, found _render_pairs; see reports",
        ),
        (
            "apps.cli.bad",
            "def bad_cli():\n    raise ConfigError('x')",
            "spacy_bioner.apps.cli.bad:2: commands decide nothing, found an error; see apps",
        ),
        (
            "reports.text.bad",
            "def draw():\n    from ..plots.style import make_figure",
            "spacy_bioner.reports.text.bad:2: texts draw nothing, "
            "found spacy_bioner.reports.plots.style; see reports.plots",
        ),
        (
            "reports.text.bad",
            "import matplotlib.pyplot",
            "spacy_bioner.reports.text.bad:1: texts draw nothing, "
            "found matplotlib.pyplot; see reports.plots",
        ),
        (
            "reports.bad",
            "@dataclass(frozen=True)\nclass Row:\n    name: str",
            "spacy_bioner.reports.bad:2: reports define no results, found Row",
        ),
        (
            "reports.bad",
            "class Row(typing.NamedTuple):\n    name: str",
            "spacy_bioner.reports.bad:1: reports define no results, found Row",
        ),
        ("corpora.utils", "", "spacy_bioner.corpora.utils: name a module after what it holds"),
        ("misc", "", "spacy_bioner.misc: 'misc' is no part of the design"),
        (
            "corpora.long",
            "\n" * 401,
            "spacy_bioner.corpora.long: 401 lines, at most 400 expected",
        ),
        (
            "corpora.circle",
            "def f():\n    from . import circle",
            "spacy_bioner.corpora.circle: imports itself in a circle",
        ),
    ],
)
def test_a_violation_is_found(name, code, violation):
    assert find_violations({**GOOD, f"{PACKAGE}.{name}": code}) == [violation]


def test_a_circle_of_two_modules_is_found_in_both():
    circle = {
        "spacy_bioner.corpora.left": "from .right import x",
        "spacy_bioner.corpora.right": "def f():\n    from .left import y",
    }
    assert find_violations({**GOOD, **circle}) == [
        "spacy_bioner.corpora.left: imports itself in a circle",
        "spacy_bioner.corpora.right: imports itself in a circle",
    ]


def test_imports_for_type_checkers_do_not_count_as_loaded():
    code = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"
    assert find_violations({**GOOD, "spacy_bioner.components.typed": code}) == []
