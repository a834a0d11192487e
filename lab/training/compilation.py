"""What of a model is compiled, and what is not: a compilation takes seconds, and is worth it for what comes again."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lab.model import GPTModel


def compile_blocks(model: GPTModel) -> None:
    """Lets ``torch.compile`` fuse each block.

    Block by block: they are alike, so that one compilation serves all. In place: a wrapper module would put its own
    name into every key of a checkpoint. For fixed sizes: batches of training are all of one size, and so are those of
    an evaluation but for its last; code for any size, which torch would make as soon as it has seen two, is slower in
    every step.
    """
    for block in model.blocks:
        block.compile(dynamic=False)


def is_compiled(model: GPTModel) -> bool:
    """Has ``compile_blocks`` been called for it?"""
    return any(block._compiled_call_impl is not None for block in model.blocks)


@contextmanager
def uncompiled(model: GPTModel, when: bool = True) -> Iterator[None]:
    """Within it the blocks run as they are written: for sizes that come once (a prompt that grows token by token, the
    rest of a text), of which each would be compiled, until torch gives up and compiles nothing more."""
    if when and is_compiled(model):  # else a part of torch is loaded that takes seconds
        with torch.compiler.set_stance("force_eager"):
            yield
    else:
        yield
