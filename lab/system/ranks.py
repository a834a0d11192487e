"""Who am I, among the processes of a run? The one place that answers.

A run on several devices has a process for each. All of them train; only the first, rank 0, writes files, prints, and
listens to commands. What started them says so in the environment: torchrun, SLURM's srun, Lightning's launcher, or the
run itself (see ``lab.training.processes``). A process without a word of it is alone, and the first.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab.errors import LabError

LAUNCHER = "LAB_LAUNCHER"
"""The pid of the run's first process, for those that it has started."""


@dataclass(frozen=True)
class Place:
    """Where a process stands among those of its run."""

    rank: int = 0
    """Its number, from 0."""
    world_size: int = 1
    """How many there are."""
    local_rank: int = 0
    """Its number on its machine, which is that of its device."""
    local_world_size: int = 1
    """How many there are on each machine."""
    started_by: str = ""
    """What people call the thing that has started them; empty: there is but one, and nothing."""

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        return self.world_size == 1

    @property
    def nodes(self) -> int:
        """How many machines there are."""
        return self.world_size // self.local_world_size

    @property
    def node(self) -> int:
        """The number of its machine, from 0."""
        return self.rank // self.local_world_size


def mine(environment: Mapping[str, str] | None = None) -> Place:
    """The place of this process, by its ``environment``.

    Raises:
        LabError: if what has started it says things that do not fit together.
    """
    told = os.environ if environment is None else environment
    if "LOCAL_RANK" in told or "RANK" in told:
        return _of_launcher(told)
    return _of_srun(told)


def is_first() -> bool:
    """Is this the process that writes, prints and listens?"""
    return mine().is_first


def _of_launcher(told: Mapping[str, str]) -> Place:
    """torchrun sets all of these; Lightning's launcher no RANK and no LOCAL_WORLD_SIZE."""
    world_size = _number(told, "WORLD_SIZE", 1)
    if world_size == 1:
        return Place()
    names = {"TORCHELASTIC_RUN_ID": "torchrun", LAUNCHER: "the run itself"}
    started_by = next((name for variable, name in names.items() if variable in told), "its launcher")
    node = _number(told, "NODE_RANK", _number(told, "GROUP_RANK", 0))
    local_rank = _number(told, "LOCAL_RANK", _number(told, "RANK", 0))
    local_world_size = _number(told, "LOCAL_WORLD_SIZE", world_size)
    rank = _number(told, "RANK", node * local_world_size + local_rank)
    return _checked(Place(rank, world_size, local_rank, local_world_size, started_by))


def _of_srun(told: Mapping[str, str]) -> Place:
    """SLURM_NTASKS says how many tasks a job may have, and not whether srun has started them; that of a step does."""
    world_size = _number(told, "SLURM_STEP_NUM_TASKS", 1)
    if world_size == 1 or "SLURM_NTASKS" not in told:
        return Place()
    nodes = _number(told, "SLURM_STEP_NUM_NODES", _number(told, "SLURM_NNODES", 1))
    each = told.get("SLURM_STEP_TASKS_PER_NODE", str(-(-world_size // nodes)))
    if not (found := re.fullmatch(r"(\d+)(\(x\d+\))?", each)):
        raise LabError(f"srun has started {each} processes on its nodes: give srun --ntasks-per-node, the same for all")
    rank, local_rank = _number(told, "SLURM_PROCID", 0), _number(told, "SLURM_LOCALID", 0)
    return _checked(Place(rank, world_size, local_rank, int(found[1]), "srun"))


def _checked(place: Place) -> Place:
    fits = 0 <= place.rank < place.world_size and 0 <= place.local_rank < place.local_world_size
    if not fits or place.world_size % place.local_world_size:
        raise LabError(
            f"{place.started_by} calls this process {place.rank} of {place.world_size}, and {place.local_rank} of "
            f"{place.local_world_size} on its machine: start the same number of processes on each"
        )
    return place


def _number(told: Mapping[str, str], name: str, otherwise: int) -> int:
    text = told.get(name, "")
    if text and not re.fullmatch(r"\d+", text):
        raise LabError(f"the environment variable {name}={text} is no number: unset it, or let torchrun set it")
    return int(text) if text else otherwise
