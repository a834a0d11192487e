"""What there is to choose from in ``conf/``: found by looking, without Hydra, which takes longer to import."""

from functools import cache
from pathlib import Path

import yaml

import lab

CONF_FOLDER = next(
    folder
    for here in [Path(lab.__file__).resolve().parent]
    # Installed as a wheel, the configuration lies inside the package; in a clone it lies beside it.
    for folder in (here / "conf", here.parent / "conf")
    if folder.is_dir()
)


def group_choices(group: str) -> list[str]:
    """The files of a configuration group."""
    return sorted(file.stem for file in (CONF_FOLDER / group).glob("*.yaml"))


HYDRA_GROUPS = ("hydra/launcher", "hydra/sweeper")
"""Hydra's own groups of which there are files in ``conf/``: they say how a sweep is run, and nothing about a run."""


def group_names() -> list[str]:
    """The configuration groups of a run: the folders of ``conf/``."""
    return sorted(folder.name for folder in CONF_FOLDER.iterdir() if folder.is_dir() and folder.name != "hydra")


def first_sentence(group: str, choice: str) -> str:
    """The first lines of a configuration file's comment, to the end of a sentence: who should choose it."""
    found: list[str] = []
    for line in (CONF_FOLDER / group / f"{choice}.yaml").read_text(encoding="utf-8").splitlines():
        comment = line.startswith("# ") and not line.startswith("# @")
        if comment:
            found.append(line[2:].strip())
        if found and (not comment or line.rstrip().endswith(".")):
            break
    return " ".join(found)


@cache
def defaults() -> dict[str, str | None]:
    """Which file of each group is chosen unless another is."""
    listed = yaml.safe_load((CONF_FOLDER / "train.yaml").read_text(encoding="utf-8"))["defaults"]
    return {group: choice for entry in listed if isinstance(entry, dict) for group, choice in entry.items()}


def based_on(group: str, choice: str) -> list[str]:
    """The files and schemas of its group that a file is laid over, by name."""
    said = yaml.safe_load((CONF_FOLDER / group / f"{choice}.yaml").read_text(encoding="utf-8")) or {}
    return [name for name in said.get("defaults", []) if isinstance(name, str) and name != "_self_"]
