"""On how many devices a run is: what was typed, what there are, and what has started its processes."""

from collections.abc import Sequence
from typing import Protocol

from lab.errors import LabError, shown
from lab.system import device
from lab.system.ranks import Place

AUTO = "auto"


class Trainer(Protocol):
    """What is asked here of ``lab.config.schema.TrainerConfig``."""

    accelerator: str
    devices: int | str
    num_nodes: int


def settle(trainer: Trainer) -> None:
    """Puts the number that ``auto`` comes to on this machine in its place.

    Raises:
        LabError: if it is neither a number nor ``auto``.
    """
    if trainer.devices == AUTO:
        trainer.devices = device.count(device.choose(trainer.accelerator))
    elif not isinstance(trainer.devices, int):
        raise LabError(f"trainer.devices={shown(str(trainer.devices))}: give a number, or {AUTO} for all GPUs")


def of_launcher(words: Sequence[str], place: Place) -> list[str]:
    """The words that say how many processes torchrun or srun has started, to be added to those that were typed.

    Raises:
        LabError: if something else was typed.
    """
    there = {"trainer.devices": place.local_world_size, "trainer.num_nodes": place.nodes}
    flags = {
        "torchrun": {"trainer.devices": "--nproc_per_node", "trainer.num_nodes": "--nnodes"},
        "srun": {"trainer.devices": "--ntasks-per-node", "trainer.num_nodes": "--nodes"},
    }
    for word in words:
        name, _, value = word.lstrip("+").partition("=")
        if name in there and value not in (AUTO, str(there[name])):
            flag = flags.get(place.started_by, {}).get(name)
            instead = f"give {place.started_by} {flag}={shown(value)}, or " if flag else ""
            on_each = " on each machine" if name == "trainer.devices" and place.nodes > 1 else ""
            what = f"{there[name]} processes{on_each}"
            if name == "trainer.num_nodes":
                what = f"processes on {there[name]} machines"
            raise LabError(
                f"{place.started_by} has started {what} for {name}={shown(value)}: {instead}leave out {name}"
            )
    return [f"{name}={number}" for name, number in there.items()]


def refuse_unstarted(trainer: Trainer, place: Place) -> None:
    """Refuses several machines where nothing has started a process on each.

    Raises:
        LabError: saying what would.
    """
    if trainer.num_nodes > 1 and place.is_alone:
        raise LabError(
            f"trainer.num_nodes={trainer.num_nodes}: a process must be started for each device of each machine, by "
            f"torchrun --nnodes={trainer.num_nodes} --nproc_per_node={trainer.devices} -m lab.train, or by SLURM "
            "(--sbatch prints the file for it)"
        )


def with_words(words: Sequence[str], settled: Sequence[str]) -> list[str]:
    """``words`` with those that are ``settled`` in the place of what was typed."""
    names = {word.partition("=")[0] for word in settled}
    return [*(word for word in words if word.lstrip("+").partition("=")[0] not in names), *settled]
