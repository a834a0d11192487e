"""Going on with a sweep: ``resume=`` on its folder, which says what was typed for it.

A folder may come from anywhere. What its ``multirun.yaml`` says chooses among the files of ``conf/`` and sets plain
values; whatever names code, an address or a place to write is only obeyed if it is typed again.
"""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.config import quoting
from lab.config.choices import HYDRA_GROUPS, group_choices, group_names
from lab.config.groups import option_names
from lab.errors import LabError, shown
from lab.files.paths import typed_path
from lab.files.safe_files import read_object
from lab.runs.ownership import refuse_other_sweep
from lab.sweeps.conductor import SWEEP_FILE

_TYPED_AGAIN = ("init_from", "parts", "corpus.url", "corpus.sha256", "corpus.source", "corpus.name")
"""Options that say which code is run, or what is fetched."""
_GROUPS_OF_OBJECTS = ("logger.", "callbacks.", "metrics.")
_OF_LAUNCHERS = (
    *("n_jobs", "timeout_min", "cpus_per_task", "gpus_per_node", "mem_gb", "nodes", "tasks_per_node", "partition"),
    *("account", "qos", "constraint", "array_parallelism", "signal_delay_s", "max_num_timeout"),
)
"""Options of launchers that are numbers and names; ``setup``, say, is lines of shell."""
_OF_SWEEPERS = ("max_batch_size", "n_trials", "seed", "prune", "startup_trials")
_SUBFOLDER = re.compile(r"([\w=,-]|\.(?!\.)|\$\{[\w.]+\}|\$\{hydra:job\.\w+\})+")
_NO_VALUES = re.compile(r"\$\{|\.py\W*:")


def named(words: Sequence[str], start_folder: Path) -> Path | None:
    """The folder of the sweep that ``resume=`` names among ``words``, if it is one."""
    for word in words:
        name, _, value = word.partition("=")
        if name == "resume" and value not in ("", "auto", "last", "null"):
            folder = typed_path(value, start_folder)
            return folder if (folder / SWEEP_FILE).exists() else None
    return None


def words(folder: Path, options: Sequence[str]) -> list[str]:
    """What to hand to Hydra, to go on with the sweep in ``folder``.

    Args:
        folder: that of the sweep.
        options: what was typed now, flags left out.

    Raises:
        LabError: if the sweep cannot be made out, or something else is wanted than it.
    """
    refuse_other_sweep(folder)
    said = _said(folder)
    typed = [quoting.quote_literals([word])[0] for word in options if not word.startswith("resume=")]
    for word in typed:
        if word not in said and not _name(word).startswith(("hydra/launcher", "hydra.launcher.", "hydra.sweeper.")):
            raise LabError(
                f"{shown(word)} is not what the sweep in {folder} was started with, and a sweep goes on as it is: "
                "leave it out, or start another one"
            )
    if bad := [word for word in said if word not in typed and not _is_plain(word)]:
        raise LabError(
            f"the sweep in {folder} was started with {shown(shlex.join(bad), 200)}, which is only obeyed if it is "
            "typed: type it again behind resume="
        )
    names = set(map(_name, typed))
    kept = [word for word in said if word not in typed and _name(word) not in names]
    place = [quoting.quoted("hydra.sweep.dir", str(folder)), "hydra.sweeper.goes_on=true", "hydra.mode=MULTIRUN"]
    return [*kept, *typed, *place]


def _said(folder: Path) -> list[str]:
    """The overrides that the sweep was started with, in Hydra's grammar; but for those that say again where it is."""
    found: Any = read_object(folder / SWEEP_FILE, yaml.safe_load)
    try:
        overrides = found["hydra"]["overrides"]
        said = [*overrides["hydra"], *overrides["task"]]
    except (KeyError, TypeError) as error:
        raise LabError(f"{folder / SWEEP_FILE} does not say what the sweep was: start it anew") from error
    if not all(isinstance(word, str) for word in said):
        raise LabError(f"{folder / SWEEP_FILE} is damaged: start the sweep anew")
    settled = ("hydra.sweep.dir", "hydra.mode", "hydra.sweeper.goes_on")
    return [word for word in said if _name(word) not in settled]


def _name(word: str) -> str:
    return word.partition("=")[0].lstrip("+")


def _is_plain(word: str) -> bool:
    """Does it do no more than choose among the lab's own files, or set a plain value?"""
    name, _, value = word.partition("=")
    key = name.lstrip("+").removeprefix("hydra.sweeper.params.")
    if key == "hydra.sweep.subdir":
        return _SUBFOLDER.fullmatch(value.strip("'")) is not None
    if _NO_VALUES.search(value) or "_target_" in key:
        return False
    if key in group_names() or key in HYDRA_GROUPS:
        return set(re.findall(r"\w+", value)) <= {*group_choices(key), "null"}
    if key.startswith("hydra."):
        _, room, option = [*key.split("."), ""][:3]
        return key.count(".") == 2 and option in {"launcher": _OF_LAUNCHERS, "sweeper": _OF_SWEEPERS}.get(room, ())
    if key.startswith("optimizer.options."):  # what only the class knows: numbers and switches
        return re.fullmatch(r"[-+\w.,]+", value) is not None
    return key in option_names() and key not in _TYPED_AGAIN and not key.startswith(_GROUPS_OF_OBJECTS)
