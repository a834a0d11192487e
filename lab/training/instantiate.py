"""Objects of the user's choice: loggers, callbacks, the optimizer. The only caller of ``hydra.utils.instantiate``,
which runs whatever a ``_target_`` names: nothing out of a checkpoint and nothing that came over a network may ever
reach it."""

import inspect
import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf
from torch.optim import Optimizer

from lab.errors import LabError
from lab.files import user_code

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger


def make(option: str, node: Any, kind: type, *arguments: Any) -> Any:
    """The object that ``node``, a dict with a ``_target_``, describes.

    Raises:
        LabError: if it cannot be made, or is none of ``kind``.
    """
    if not isinstance(node, dict) or not isinstance(target := node.get("_target_"), str) or not target:
        raise LabError(f"{option} has no _target_, the class that it is an object of: see the files in conf/")
    try:
        if user_code.is_reference(target):
            options = instantiate(OmegaConf.create({k: v for k, v in node.items() if k != "_target_"}), _convert_="all")
            made = user_code.load(f"{option}._target_", target)(*arguments, **options)
        else:
            made = instantiate(OmegaConf.create(node), *arguments, _convert_="all")
    except LabError:
        raise
    except (Exception, SystemExit) as error:
        raise LabError(_cannot_be_made(option, target, error)) from error
    if not isinstance(made, kind):
        what = f"a {type(made).__name__}" if made is not None else "nothing"
        raise LabError(
            f"{option}: {target} makes {what}, and a {kind.__module__.partition('.')[0]} {kind.__name__} is needed: "
            f"choose another {option}._target_"
        )
    return made


def has_parameter(target: str, name: str) -> bool:
    """Does the class that ``target`` names take an argument ``name``? False for what is no class."""
    return name in _signature(target)


def parameters(target: str) -> list[str] | None:
    """The options that the class which ``target`` names takes, without what it is an optimizer of; None if it takes
    any, or is no class."""
    found = _signature(target)
    if not found or any(one.kind is inspect.Parameter.VAR_KEYWORD for one in found.values()):
        return None
    return list(found)[1:]


def _signature(target: str) -> Mapping[str, inspect.Parameter]:
    try:
        made = user_code.load("optimizer._target_", target) if user_code.is_reference(target) else get_class(target)
        return inspect.signature(made).parameters
    except LabError:
        raise
    except Exception:  # said when it is to be made
        return {}


def refuse_unwritable(option: str, logger: "Logger") -> None:
    """Makes the folder of a logger now, before anything of the run is written.

    Raises:
        LabError: if it cannot be made.
    """
    folder = getattr(logger, "log_dir", None) or logger.save_dir
    if not isinstance(folder, str | Path):
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(
            f"{option} cannot write to {folder} ({error.strerror}): give another {option}.save_dir, or logger=none"
        ) from error


def blame(error: Exception, objects: Mapping[str, Any]) -> LabError | None:
    """The sentence for an error that came out of one of ``objects``, by option: then an option of it makes no sense.

    None if it came from elsewhere, or from a class of the user's own, who wants to see where.
    """
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        if str(frame.f_globals.get("__name__")).startswith("lab."):
            return None  # ours, if only called from there
        made = frame.f_locals.get("self")
        option = next((option for option, known in objects.items() if known is made), None)
        if isinstance(made, Optimizer):
            option = "optimizer"
        if option is not None and type(made).__module__.partition(".")[0] in ("lab", "lightning", "torch"):
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            return LabError(f"{option}: {type(made).__name__} failed ({said[:200]}): change its options")
    return None


def _cannot_be_made(option: str, target: str, error: BaseException) -> str:
    cause = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    said = user_code.where(cause)
    if package := re.search(r"Requirement '([\w-]+)", said):
        return f"{option} needs the package {package[1]}: type pip install {package[1]}, or choose another logger="
    return f"{option}: {target} cannot be made ({said[:200]}): change its _target_ or its options"
