"""Attention in blocks against the same steps one by one, with the same masks."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.commands import ROOT
from support.gradients import assert_same_gradients
from torch import Tensor, nn

from lab.kernels import attention
from lab.kernels.attention import attend_in_blocks, block_rows, draw_seed, dropout_mask
from lab.model import GPTConfig, MultiHeadAttention
from lab.parts import ModelConfig, build_model
from lab.parts.sliding_window import within


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks of few queries, so that small shapes have borders between them, and are not too small for any."""
    monkeypatch.setattr(attention, "_FEW", 0)
    monkeypatch.setattr(attention, "_FEWEST", 4)
    monkeypatch.setattr(attention, "_MOST", 8)


class Given(nn.Module):
    """In the place of dropout: multiplies by a mask that is there already."""

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.mask, self.drop_rate = mask, 0.0

    def forward(self, x: Tensor) -> Tensor:
        return x * self.mask


def vectors(seq: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of 2 texts, 3 heads and 5 numbers a head, laid out as a model has them."""

    def made() -> Tensor:
        return torch.randn(2, seq, 3, 5, dtype=dtype).transpose(1, 2).requires_grad_()

    return made(), made(), made()


def what_is_visible(kind: str, seq: int, dtype: torch.dtype) -> Tensor | None:
    distances = torch.arange(seq)[:, None] - torch.arange(seq)
    if kind == "window":
        return within(distances, 3)
    if kind == "text":  # another one for each text
        return torch.stack([within(distances, window) for window in (2, seq)])[:, None]
    bias = (-torch.rand(3, 1, 1, dtype=dtype) * distances).masked_fill(distances < 0, -torch.inf)
    return {"past": None, "bias": bias, "learnt bias": bias.requires_grad_()}[kind]


def step_by_step(queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor | None, mask: Tensor) -> Tensor:
    shape = GPTConfig(emb_dim=queries.shape[1] * queries.shape[3], n_heads=queries.shape[1])
    plain = MultiHeadAttention(shape)
    plain.weights_dropout = Given(mask)  # type: ignore[assignment]
    return plain.attend_step_by_step(queries, keys, values, visible)


@pytest.mark.parametrize("kind", ["past", "window", "text", "bias", "learnt bias"])
@pytest.mark.parametrize("seq", [1, 8, 21])
@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 0.1)])
def test_in_blocks_is_step_by_step(kind: str, seq: int, dtype: torch.dtype, close: float) -> None:
    torch.manual_seed(seq)
    inputs, visible = vectors(seq, dtype), what_is_visible(kind, seq, dtype)
    learnt = [*inputs, visible] if visible is not None and visible.requires_grad else list(inputs)
    direction = torch.randn(2, 3, seq, 5, dtype=dtype)
    torch.manual_seed(7)
    mask = dropout_mask((2, 3, seq, seq), visible, draw_seed(), 0.3, dtype)
    expected = step_by_step(*inputs, visible, mask)
    torch.manual_seed(7)
    found = attend_in_blocks(*inputs, visible, 0.3)
    torch.testing.assert_close(found, expected, rtol=close, atol=close)
    assert_same_gradients(found, expected, learnt, direction, rtol=close, atol=close)


def test_the_gradient_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)

    def attend(queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tensor:
        torch.manual_seed(3)  # the same mask each time
        return attend_in_blocks(queries, keys, values, visible, 0.3)

    bias = what_is_visible("learnt bias", 11, torch.float64)
    assert bias is not None
    inputs = (*vectors(11), bias)
    assert torch.autograd.gradcheck(attend, inputs, fast_mode=True)


def test_a_mask_drops_its_share_independently() -> None:
    """Of one another are: rows, heads, texts, the four decisions of a draw, blocks, and masks of other seeds."""
    torch.manual_seed(1)
    masks = [dropout_mask((2, 2, 400, 400), None, draw_seed(), 0.1, torch.float32) for _ in range(2)]
    past = torch.ones(400, 400, dtype=torch.bool).tril()
    kept = [(mask > 0)[..., past].double() for mask in masks]  # (B, H, what a query sees)
    one = masks[0]
    assert torch.unique(one[..., past]).tolist() == pytest.approx([0, 1 / 0.9], rel=1e-4)
    assert kept[0].mean().item() == pytest.approx(0.9, abs=0.003)
    lower = (one > 0).double()
    pairs = {
        "seeds": (kept[0], kept[1]),
        "texts": (kept[0][0], kept[0][1]),
        "heads": (kept[0][:, 0], kept[0][:, 1]),
        "neighbours": (lower[..., 100:, :99], lower[..., 100:, 1:100]),
        "rows": (lower[..., 100:-1, :99], lower[..., 101:, :99]),
        "blocks": (lower[..., 104:-8, :99], lower[..., 112:, :99]),
    }
    for name, (left, right) in pairs.items():
        found = torch.corrcoef(torch.stack((left.flatten(), right.flatten())))[0, 1].item()
        assert abs(found) < 5 / left.numel() ** 0.5, name


def tiny(**options: object) -> ModelConfig:
    sizes = {"emb_dim": 16, "n_layers": 2, "n_heads": 2, "context_length": 21, "vocab_size": 11, "drop_rate": 0.3}
    return ModelConfig(**{**sizes, **options})  # type: ignore[arg-type]


PARTS = [
    {},
    {"position": "rope", "n_kv_heads": 1, "qk_norm": True},
    {"position": "alibi", "sliding_window": 4},
    {"activation_checkpointing": True},
]


@pytest.mark.parametrize("options", PARTS, ids=str)
def test_every_part_trains_through_it(options: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each layer, with a mask of its own, and the same one whenever the seed is the same."""
    torch.manual_seed(0)
    model = build_model(tiny(**options)).train()
    seeds: list[int] = []

    def noted() -> Tensor:
        seed = draw_seed()
        seeds.append(int(seed))
        return seed

    monkeypatch.setattr(attention, "draw_seed", noted)
    ids = torch.randint(11, (2, 21))
    results: list[list[Tensor]] = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        model.zero_grad()
        loss = model.loss(ids, ids)
        forward = len(seeds)
        loss.backward()
        if options.get("activation_checkpointing"):  # each layer's second time draws what its first has drawn
            assert set(seeds[forward:]) == set(seeds[forward - 2 : forward])
        results.append([loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)])
    assert len(set(seeds)) == 2 * 2
    assert all(map(torch.equal, results[0], results[1]))
    assert not torch.equal(results[0][0], results[2][0])


def test_activation_checkpointing_changes_nothing() -> None:
    found = []
    for on in (False, True):
        torch.manual_seed(0)
        model = build_model(tiny(activation_checkpointing=on)).train()
        torch.manual_seed(4)
        ids = torch.arange(21)[None] % 11
        model.loss(ids, ids).backward()
        found.append([p.grad for p in model.parameters()])
    assert all(map(torch.equal, *found))


def test_it_is_compiled_without_a_break() -> None:
    """Traced as one operation, forward and backward, and equal to what is not compiled."""
    compiled = torch.compile(attend_in_blocks, backend="aot_eager", fullgraph=True)
    found = []
    for attend in (attend_in_blocks, compiled):
        torch.manual_seed(2)
        inputs = vectors(21)
        bias = what_is_visible("learnt bias", 21, torch.float64)
        assert bias is not None
        context = attend(*inputs, bias, 0.3)
        found.append([context, *torch.autograd.grad(context.sum(), [*inputs, bias])])
    for plain, other in zip(*found, strict=True):
        torch.testing.assert_close(plain, other)


def test_under_autocast_products_are_in_its_numbers() -> None:
    inputs = vectors(21, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = attend_in_blocks(*inputs, None, 0.3)
    assert found.dtype == torch.bfloat16
    found.sum().backward()
    assert inputs[0].grad is not None
    assert inputs[0].grad.dtype == torch.float32


def test_few_weights_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, few = vectors(9), 2 * 3 * 9 * 9
    for limit, expected in ((few, True), (few - 1, False)):
        monkeypatch.setattr(attention, "_FEW", limit)
        torch.manual_seed(0)
        found = attend_in_blocks(*inputs, None, 0.3, lambda queries, *_: torch.zeros_like(queries))
        assert (not found.any()) == expected


def test_the_chapter_by_itself_takes_the_plain_steps() -> None:
    assert MultiHeadAttention(GPTConfig(emb_dim=16, n_heads=2)).in_blocks is None


_PEAK = """
import torch
from lab.parts import ModelConfig, build_model

def resident(key):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))

sizes = dict(emb_dim=64, n_layers=2, n_heads=4, vocab_size=64, drop_rate=0.1)
for seq in (64, 2048, 4096):
    model = build_model(ModelConfig(**sizes, context_length=seq)).train()
    before = resident("VmRSS")
    open("/proc/self/clear_refs", "w").write("5")  # the peak from here on
    ids = torch.zeros(1, seq, dtype=torch.int64)
    model.loss(ids, ids).backward()
    print(resident("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is measured with Linux's /proc")
def test_memory_grows_with_the_context_and_not_with_its_square() -> None:
    """One layer's weights, their mask and their product at 4,096 would be 800 MB, four times those at 2,048."""
    done = subprocess.run([sys.executable, "-c", _PEAK], cwd=ROOT, capture_output=True, text=True, check=False)
    if "Permission denied" in done.stderr:
        pytest.skip("this system lets nobody reset the peak of a process")
    assert done.returncode == 0, done.stderr
    _, short, long = map(int, done.stdout.split())
    assert long < 3 * short
    assert long < 300 * 2**20


def test_a_block_is_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert block_rows(32, 256, 256) == 64  # nano at its default batch
    assert block_rows(8, 4096, 4096) == 32
    assert block_rows(1, 100, 100) == 100
