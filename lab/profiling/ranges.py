"""Marks the parts of a training step, so that torch's profiler sees where each of its operations belongs.

A mark is a range with a name; what runs in it, and in no inner one, is that part's. Of the backward pass nobody calls
anything by name: its operations are found again by the number that autograd gives to each operation of the forward pass
(``lab.profiling.attribution``).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.profiler import record_function

from lab.model import GPTModel
from lab.profiling.parts import BLOCKS, DATA, EMBEDDING, HEAD, OPTIMIZER, REST, part_of
from lab.training.datamodule import LabData
from lab.training.module import GPTModule

PREFIX = "part: "
"""Of the name of a range that stands for a part."""
STEP = "step"
"""The name of the range around a whole optimizer step."""


@contextmanager
def part(name: str) -> Iterator[None]:
    """What runs in the block belongs to the part ``name``."""
    with record_function(PREFIX + name):
        yield


def marked(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """``function``, its calls being the part ``name``."""

    def call(*args: Any, **kwargs: Any) -> Any:
        with part(name):
            return function(*args, **kwargs)

    return call


def mark(module: GPTModule, data: LabData, compiled: bool) -> None:
    """Marks all parts of a training. They stay marked: the model is good for nothing else."""
    model = module.model
    for name, found in model.named_modules():
        in_block = name.startswith("blocks.")
        if not name or name == "blocks" or (compiled and in_block):
            continue
        _mark_module(found, part_of(name, found))
    if compiled:
        _mark_compiled(model)
    hook: Any = module
    model.hidden = marked(model.hidden, EMBEDDING)  # type: ignore[method-assign] # but for what is called in it
    hook.training_step = marked(module.training_step, HEAD)  # likewise
    hook.backward = marked(module.backward, REST)
    hook.configure_gradient_clipping = marked(module.configure_gradient_clipping, OPTIMIZER)
    batches = data.train_dataloader
    data.train_dataloader = lambda: _Marked(batches())  # type: ignore[method-assign, assignment, return-value]


class _Marked:
    """A loader whose batches are cut in a range of their own."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __iter__(self) -> Iterator[Any]:
        batches = iter(self._loader)
        while True:
            with part(DATA):
                try:
                    batch = next(batches)
                except StopIteration:
                    return
            yield batch


def _mark_module(module: nn.Module, name: str) -> None:
    open_ranges: list[Any] = []

    def enter(*_: Any) -> None:
        found = record_function(PREFIX + name)
        found.__enter__()
        open_ranges.append(found)

    def leave(*_: Any) -> None:
        open_ranges.pop().__exit__(None, None, None)

    module.register_forward_pre_hook(enter)
    module.register_forward_hook(leave, always_call=True)


def _mark_compiled(model: GPTModel) -> None:
    """A hook of the module would be compiled with it, and mark nothing."""
    for block in model.blocks:
        found: Any = block
        found._compiled_call_impl = marked(found._compiled_call_impl, BLOCKS)
