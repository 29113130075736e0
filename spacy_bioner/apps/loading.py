"""Loading a pipeline by path or package name, on the device that was asked for."""

from pathlib import Path
from typing import Optional

import spacy
from spacy.language import Language
from spacy.util import get_package_path, is_package

from spacy_bioner.apps.training.train import check_device
from spacy_bioner.errors import BionerError, MissingExtraError
from spacy_bioner.extras import say_missing
from spacy_bioner.files.digests import digest_folder

# What runs exported pipelines; others need torch and what comes with it.
EXPORTED_NEEDS = ("onnxruntime", "tokenizers")
# What a package carries besides, to be verified by.
DIGESTS, SPLIT_FOLDER = "digests.json", "verification"
DOCUMENTS, EXPECTED = "test.spacy", "expected.json"
_PACKAGED = ("meta.json", "README.md", DIGESTS)


def load_pipeline(model: str, *, gpu_id: int = -1) -> Language:
    """Load a pipeline.

    model (str): A pipeline folder, or the name of an installed pipeline package.
    gpu_id (int): -1 for the CPU, otherwise the number of the GPU.
    RAISES (BionerError): When there is no such pipeline, or a package that it needs is missing.
    RAISES (DeviceError): When there is no such GPU.
    """
    use_device(gpu_id)
    check_pipeline(model)
    try:
        return spacy.load(model)
    except ModuleNotFoundError as error:
        name = str(error.name)
        extra = "runtime" if name in EXPORTED_NEEDS else "torch"
        message = say_missing(name, extra=extra, who="the pipeline")
        raise MissingExtraError(message, name=name, path=model) from error
    except ValueError as error:
        # What spaCy, thinc and msgpack raise for files that are damaged or not of this version.
        if isinstance(error, BionerError):
            raise
        reason = str(error).strip().split("\n")[0]
        raise BionerError(
            f"{model}: cannot be loaded: {reason}; where it was not changed on purpose, copy or "
            "install it again"
        ) from error


def check_pipeline(model: str) -> None:
    """Make sure that there is a pipeline, without loading it; see `load_pipeline`."""
    path = Path(model)
    if path.is_dir() and not (path / "config.cfg").is_file():
        raise BionerError(
            f"{path}: found a folder without config.cfg, expected a pipeline folder "
            "(a training run writes model-best and model-last)"
        )
    if not path.is_dir() and not is_package(model):
        raise BionerError(
            f"{model}: neither a folder nor an installed package, expected a pipeline; "
            "check the path or install the package"
        )


def find_folder(model: str) -> Path:
    """Return the folder of a pipeline that has config.cfg, without loading it.

    RAISES (BionerError): When there is no such pipeline.
    """
    check_pipeline(model)
    folder = Path(model)
    # In the order in which spaCy looks for it.
    if is_package(model):
        package = get_package_path(model)
        folder = find_data(package) or package
    if not (folder / "meta.json").is_file():
        raise BionerError(f"{folder}: found no meta.json, expected a pipeline folder")
    return folder


def find_data(package: Path) -> Optional[Path]:
    """Return the pipeline's own folder in a package's; None without one."""
    return next((path.parent for path in sorted(package.glob("*/config.cfg"))), None)


def fingerprint(folder: Path) -> str:
    """Identify a saved pipeline by its content, so that scores can be tied to what was scored.

    What packaging changes or adds is left out (meta.json, README.md, digests and test documents):
    it does not change what is predicted.
    RETURNS (str): SHA-256 over names, sizes and content of the files, in hexadecimal.
    """
    carried = [f"{SPLIT_FOLDER}/{name}" for name in (DOCUMENTS, EXPECTED)]
    return digest_folder(folder, leave_out=(*_PACKAGED, *carried))


def use_device(gpu_id: int) -> None:
    """Make what is loaded from now on run on the CPU (-1) or on a GPU.

    RAISES (DeviceError): When there is no such GPU.
    """
    check_device(gpu_id)
    if gpu_id < 0:
        spacy.require_cpu()
    else:
        spacy.require_gpu(gpu_id)
