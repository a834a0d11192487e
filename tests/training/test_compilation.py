"""What is compiled once, and what never is."""

from pathlib import Path

import pytest
import torch
from support.commands import TINY, train_here

from lab.model import GPTConfig, GPTModel
from lab.training.compilation import compile_blocks, is_compiled, uncompiled


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what torch's compiler warns of, a test would make an error of
def test_a_run_compiles_its_blocks_twice_whatever_comes_by(tmp_path: Path) -> None:
    """Once for training and once for evaluation, for all blocks; the third graph is the trial before the run. The last
    batch of an evaluation, which is smaller, and the sample, which grows, come at each evaluation and are compiled at
    none."""
    import torch._dynamo
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()
    words = ("tokenizer=bytes", "trainer.compile=true", "trainer.max_steps=5", "eval_every=2", "model.drop_rate=0")
    done = train_here(tmp_path, *TINY, *words)
    assert done.code == 0, done.err
    assert counters["stats"]["unique_graphs"] == 3


def test_a_model_that_was_never_compiled_is_left_alone() -> None:
    model = GPTModel(GPTConfig(8, 2, 2, 4, vocab_size=5))
    assert not is_compiled(model)
    with uncompiled(model):  # and no compiler is loaded for it
        model(torch.zeros(1, 2, dtype=torch.int64))
    names = list(model.state_dict())
    compile_blocks(model)
    assert is_compiled(model)
    assert list(model.state_dict()) == names
