"""Weights shared out: each process keeps a part of every tensor, and has it whole only while it is computed with.

FSDP2 of torch (Zhao et al. 2023, https://arxiv.org/abs/2304.11277, with each tensor split along its first dimension): a
block's weights are gathered before its forward and its backward pass and let go after them, and its gradients are
summed into shares. Weights, gradients and what the optimizer remembers take 1/N of the memory each on N devices; what
travels is half as much again as with DDP.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from lab.model import GPTModel
from lab.optim.parameter_groups import decay_groups
from lab.runs import shards
from lab.training.checkpointing import AtomicCheckpointIO


def share_out(model: GPTModel, mesh: DeviceMesh) -> None:
    """Leaves this process of ``mesh`` (one dimension) its share of each weight of ``model``, in place."""
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    # What is outside the blocks stays whole from the forward pass to the end of the backward pass: the loss takes the
    # head's matrix by itself, and not by the way of a module.
    fully_shard(model, mesh=mesh, reshard_after_forward=False)
    register_fsdp_forward_method(model, "hidden")


class Sharded(ModelParallelStrategy):
    """Lightning's strategy for such models. Its checkpoints are as those of every other run: one file, each tensor
    whole; or in shards (``lab.runs.shards``), which nobody has to gather. Of both, any number of processes goes on.

    Args:
        processes: how many share the weights, on all machines together.
        in_shards: which of the two it writes.
    """

    def __init__(self, processes: int, in_shards: bool = False) -> None:
        self.in_shards = in_shards
        super().__init__(data_parallel_size=processes, tensor_parallel_size=1, save_distributed_checkpoint=False)

    @property
    def lightning_restore_optimizer(self) -> bool:
        return True

    def lightning_module_state_dict(self) -> dict[str, Any]:
        """The weights, whole, in the first process; nothing in the others, which take part. For a checkpoint in shards,
        what each has of them."""
        assert self.lightning_module is not None
        return self._whole(self.lightning_module.state_dict())

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The same of what the optimizer remembers, numbered as by itself."""
        return self._whole(getattr(optimizer, "_optimizer", optimizer).state_dict())

    def save_checkpoint(self, checkpoint: dict[str, Any], filepath: Any, storage_options: Any | None = None) -> None:
        if self.in_shards:
            disk, path = self.checkpoint_io, Path(filepath)
            assert isinstance(disk, AtomicCheckpointIO)
            name = self.broadcast(shards.new_name(checkpoint["global_step"]))
            rest = disk.save_shards(checkpoint, path.parent / name)
            if rest is None:
                return
            checkpoint = rest
        if self.is_global_zero:
            self.checkpoint_io.save_checkpoint(checkpoint, filepath, storage_options=storage_options)

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:
        return self.checkpoint_io.load_checkpoint(checkpoint_path)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        """Each process takes its shares."""
        assert self.lightning_module is not None
        for name, mine in self.lightning_module.state_dict().items():
            mine.copy_(_share(checkpoint["state_dict"][name], mine))

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        module: Any = self.lightning_module
        parameters = [parameter for group in decay_groups(module.model, 0.0) for parameter in group["params"]]
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            shares = {
                place: {name: _share(value, parameters[place]) for name, value in kept.items()}
                for place, kept in state["state"].items()
            }
            optimizer.load_state_dict({**state, "state": shares})

    def _whole(self, tree: dict[str, Any]) -> dict[str, Any]:
        """``tree`` with each tensor whole and on the CPU, in the first process; as it is, for shards."""
        if self.in_shards:
            return tree
        seen: dict[int, Tensor] = {}  # a tied weight is one tensor in the file, too

        def whole(tensor: Tensor) -> Tensor | None:
            known = seen.get(id(tensor))
            if known is None:
                full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
                known = seen[id(tensor)] = full.detach().cpu() if self.is_global_zero else full.new_empty(0).cpu()
            return known

        return {key: _mapped(value, whole) for key, value in tree.items()}


def _mapped(tree: Any, function: Callable[[Tensor], Any]) -> Any:
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, Mapping):
        return {key: _mapped(value, function) for key, value in tree.items()}
    return [_mapped(value, function) for value in tree] if isinstance(tree, list) else tree


def _share(value: Any, like: Tensor) -> Any:
    """Of a tensor that is as large as a weight, what this process has of that weight; anything else as it is."""
    if not isinstance(value, Tensor) or not isinstance(like, DTensor) or value.shape != like.shape:
        return value
    # Each process has read the whole: nobody need send it anything.
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
