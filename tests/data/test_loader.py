"""From a corpus to batches: what trains, what validates, and what is too small for either."""

import pytest
import torch

from lab.data import get_dataloader
from lab.errors import LabError
from lab.tokenizer import Tokenizer


def test_get_dataloader() -> None:
    text = "The fox had a plan, and the plan had a hole. " * 40
    tokens = torch.tensor(Tokenizer().encode(text))
    loader = get_dataloader(text, batch_size=3, context_length=8, shuffle=False)
    batches = list(loader)
    n_windows = (len(tokens) - 1) // 8
    assert len(loader) == len(batches) == n_windows // 3
    for i, (inputs, targets) in enumerate(batches):
        assert inputs.shape == targets.shape == (3, 8)
        assert inputs.dtype == targets.dtype == torch.int64
        assert torch.equal(inputs.flatten(), tokens[24 * i : 24 * i + 24])
        assert torch.equal(targets.flatten(), tokens[24 * i + 1 : 24 * i + 25])


def test_get_dataloader_options() -> None:
    text = "one two three four five six seven eight nine ten eleven"  # 11 tokens

    def sizes(**options: object) -> list[int]:
        return [len(inputs) for inputs, _ in get_dataloader(text, context_length=4, **options)]  # type: ignore[arg-type]

    assert sizes(batch_size=2, stride=2) == [2, 2]  # windows at 0, 2, 4, 6
    assert sizes(batch_size=3, stride=2) == [3]
    assert sizes(batch_size=3, stride=2, drop_last=False) == [3, 1]
    assert sizes(batch_size=2) == [2]  # windows at 0 and 4


def test_get_dataloader_shuffles_by_the_global_seed() -> None:
    text = " ".join(str(i) for i in range(300))

    def epoch(seed: int) -> list[list[int]]:
        torch.manual_seed(seed)
        return [inputs.flatten().tolist() for inputs, _ in get_dataloader(text, context_length=8)]

    assert epoch(1) == epoch(1)
    assert epoch(1) != epoch(2)


def test_get_dataloader_has_the_fables_ready() -> None:
    inputs, targets = next(iter(get_dataloader()))
    assert inputs.shape == targets.shape == (4, 256)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    assert len(Tokenizer().decode(inputs[0].tolist()).split()) > 100


@pytest.mark.parametrize("text", ["", "too short"])
def test_get_dataloader_refuses_a_text_without_a_window(text: str) -> None:
    with pytest.raises(LabError):
        get_dataloader(text, context_length=8)
