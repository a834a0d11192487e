"""Who runs the jobs of a sweep: Hydra's launchers, how many jobs each runs at a time, and with how many threads.

There is none for Ray: Hydra's own, 1.2.2, is held at cloudpickle 2, below what joblib needs, and knows Python to 3.11.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from lab.errors import LabError

MISSING = 'pip install "gpt-lab[sweeps]", or in a clone: pip install -e ".[sweeps]"'
"""How to get what the launchers and the search need."""


def make(hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> Launcher:
    """The launcher of the options.

    Raises:
        LabError: if it is not installed.
    """
    target = str(config.hydra.launcher.get("_target_"))
    plugins = Plugins.instance()
    if target not in plugins.class_name_to_class:
        chosen = OmegaConf.to_container(config.hydra.runtime.choices).get("hydra/launcher")  # type: ignore[union-attr]
        raise LabError(f"hydra/launcher={chosen} needs more packages: {MISSING}")
    return plugins.instantiate_launcher(hydra_context=hydra_context, task_function=task_function, config=config)


def kind(launcher: Launcher) -> str:
    """``basic``, ``joblib``, ``local`` or ``slurm``; the name of its class for one of somebody else's."""
    names = {"BasicLauncher": "basic", "JoblibLauncher": "joblib", "LocalLauncher": "local", "SlurmLauncher": "slurm"}
    return names.get(type(launcher).__name__, type(launcher).__name__)


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def at_once(launcher: Launcher, jobs: int) -> int:
    """How many of ``jobs`` run at a time."""
    found = {"basic": 1, "joblib": _joblibs(launcher), "local": _locals(launcher)}.get(kind(launcher), jobs)
    return max(1, min(jobs, found))


def _joblibs(launcher: Any) -> int:
    wanted = getattr(launcher, "joblib", {}).get("n_jobs", -1) or -1
    return int(wanted) if wanted > 0 else cores() + 1 + int(wanted)  # -1: all cores, -2: all but one


def _locals(launcher: Any) -> int:
    return cores() // int(getattr(launcher, "params", {}).get("cpus_per_task") or 1)


@contextmanager
def sharing_threads(launcher: Any, together: int) -> Iterator[None]:
    """Within it, processes that are started take their share of the cores for their arithmetic, unless the user has
    said how many threads there are to be. On a cluster, the job's own cores say it."""
    joblibs = getattr(launcher, "joblib", {})
    wanted, chosen = joblibs.get("n_jobs"), os.environ.get("OMP_NUM_THREADS")
    if kind(launcher) == "joblib":
        joblibs["n_jobs"] = together  # joblib would share the cores among more processes than there are jobs
    if kind(launcher) in ("joblib", "local") and not chosen:
        each = getattr(launcher, "params", {}).get("cpus_per_task") or max(1, cores() // together)
        os.environ["OMP_NUM_THREADS"] = str(each)
    try:
        yield
    finally:
        if kind(launcher) == "joblib":
            joblibs["n_jobs"] = wanted
        if not chosen:
            os.environ.pop("OMP_NUM_THREADS", None)
