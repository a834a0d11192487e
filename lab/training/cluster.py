"""The processes of a run as Lightning takes them: where this one stands, and what they share."""

import inspect
import os
from typing import Any

from lightning.fabric.plugins.environments import ClusterEnvironment, LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch.nn.parallel import DistributedDataParallel

from lab.config.schema import TrainerConfig
from lab.system import ranks, rendezvous


class Processes(ClusterEnvironment):
    """What ``lab.system.ranks`` says, in Lightning's words."""

    def __init__(self, place: ranks.Place) -> None:
        super().__init__()
        self.place = place

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return rendezvous.address()[0]

    @property
    def main_port(self) -> int:
        return rendezvous.address()[1]

    @staticmethod
    def detect() -> bool:
        return False  # it is chosen outright

    def world_size(self) -> int:
        return self.place.world_size

    def set_world_size(self, size: int) -> None:
        """Nothing: it is what it is."""

    def global_rank(self) -> int:
        return self.place.rank

    def set_global_rank(self, rank: int) -> None:
        """Nothing, likewise."""

    def local_rank(self) -> int:
        return self.place.local_rank

    def node_rank(self) -> int:
        return self.place.node


def environment() -> list[ClusterEnvironment]:
    """What Lightning is to take this process for, where it would otherwise ask the variables of SLURM: they tell how
    many tasks a job may have, and not whether ``srun`` has started them."""
    place = ranks.mine()
    if not place.is_alone:
        return [Processes(place)]
    return [LightningEnvironment()] if "SLURM_NTASKS" in os.environ else []


def strategy(options: TrainerConfig) -> Strategy | str:
    """How the processes of a run share its work."""
    if options.processes == 1:
        return "auto"
    if options.strategy == "fsdp":
        from lab.training.sharding import Sharded  # with its import of torch.distributed.tensor

        return Sharded(options.processes, in_shards=options.checkpoints == "sharded")
    # Buffers are the same in all of them (tables of positions), and need not be sent around before each forward pass.
    known = inspect.signature(DistributedDataParallel).parameters
    name = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"  # torch before 2.13
    arguments: dict[str, Any] = {name: False, "gradient_as_bucket_view": True}
    return DDPStrategy(**arguments)
