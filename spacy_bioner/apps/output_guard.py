"""What every command does first with its outputs: compare them with its inputs, and claim them."""

import inspect
from functools import wraps
from pathlib import Path
from typing import Any, Callable, List, Mapping, ParamSpec, Sequence, TypeVar

from spacy_bioner.files.outputs import claiming, refuse_folder_as_file
from spacy_bioner.files.same_files import check_apart, list_paths

Given = ParamSpec("Given")
Result = TypeVar("Result")


def guards_outputs(
    *outputs: str,
    inputs: Sequence[str] = (),
    replaced: Sequence[str] = (),
    as_files: Sequence[str] = (),
    file: str = "",
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Let a function run only with outputs of its own, which no other process writes meanwhile.

    Before it begins: no output is an input, lies in one, or is another output; all can be written.

    outputs (str): Names of its arguments that are outputs; None and pipes are left alone.
    inputs (Sequence[str]): Names of those that are files or folders to read, or several of them;
        "settings.train" is an attribute of one.
    replaced (Sequence[str]): The outputs that are replaced with all that is in them.
    as_files (Sequence[str]): The outputs that are files: no folder is in their place.
    file (str): A file that is always written to an output, a folder that others may write to as
        well: that is claimed.
    """

    def guard(function: Callable[Given, Result]) -> Callable[Given, Result]:
        signature = inspect.signature(function)

        @wraps(function)
        def run(*args: Given.args, **settings: Given.kwargs) -> Result:
            given = signature.bind(*args, **settings)
            given.apply_defaults()

            def gather(names: Sequence[str]) -> List[Path]:
                found = [_find(given.arguments, name.split(".")) for name in names]
                return [path for value in found for path in list_paths(value)]

            written = gather(outputs)
            claimed = [path / file for path in written] if file else written
            # A list: the same path twice has to be seen.
            check_apart(
                [*written, *(claimed if file else ())], gather(inputs), replaced=gather(replaced)
            )
            for path in gather(as_files):
                refuse_folder_as_file(path)
            with claiming(*claimed):
                return function(*args, **settings)

        return run

    return guard


def _find(arguments: Mapping[str, Any], names: Sequence[str]) -> Any:
    value = arguments[names[0]]
    for name in names[1:]:
        value = getattr(value, name)
    return value
