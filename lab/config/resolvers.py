"""The folder of a run, for Hydra: one that nobody else has."""

from functools import cache
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from lab.errors import LabError


def run_folder() -> str:
    """The folder of the run in progress, as Hydra has made it; where a configuration is only looked at, ``outputs``."""
    if not HydraConfig.initialized() or OmegaConf.is_missing(HydraConfig.get().runtime, "output_dir"):
        return "outputs"
    return HydraConfig.get().runtime.output_dir


@cache
def unused_folder(wanted: str) -> str:
    """As ``make_unused``, for Hydra. The cache makes it one answer a process, because Hydra asks several times."""
    try:
        return str(make_unused(Path(wanted)))
    except OSError as error:
        raise cannot_be_made(Path(wanted), error) from error


def make_unused(wanted: Path) -> Path:
    """``wanted``, made now; or, if somebody has it already, ``wanted-2``, ``wanted-3`` and so on.

    Two runs that start in the same second ask for the same name. Making a folder is atomic: only one of them gets it.

    Raises:
        OSError: if it cannot be made.
    """
    number = 1
    while True:
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder


def cannot_be_made(folder: Path, error: OSError) -> LabError:
    """The sentence for a run folder that is no use."""
    return LabError(
        f"the output folder {folder.absolute()} cannot be made ({error.strerror}): "
        "go to a folder where you may write, or give hydra.run.dir=FOLDER"
    )


def register() -> None:
    """Makes these functions known to OmegaConf, under the names by which ``conf/`` calls them."""
    OmegaConf.register_new_resolver("unused_folder", unused_folder, replace=True)
    OmegaConf.register_new_resolver("run_folder", run_folder, replace=True)
