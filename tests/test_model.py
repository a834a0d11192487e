"""The model against float64 arithmetic written out here, and against the numbers that GPT-2 is known by."""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor, nn

from lab.inspection.internals import attention_weights
from lab.model import GELU, Dropout, GPTConfig, GPTModel, LayerNorm, MultiHeadAttention

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PRESETS: dict[str, tuple[dict[str, Any], int, int]] = {
    "nano": ({}, 17_670_400, 4_739_072),
    "small": ({"emb_dim": 512, "n_layers": 8, "n_heads": 8, "context_length": 512}, 51_213_824, 25_220_096),
    "medium": ({"emb_dim": 768, "n_layers": 12, "n_heads": 12, "context_length": 1024}, 124_439_808, 85_056_000),
    "large": ({"emb_dim": 1024, "n_layers": 24, "n_heads": 16, "context_length": 1024}, 354_823_168, 302_311_424),
}
"""Shape, parameters, parameters without embeddings."""


def tiny(**changes: Any) -> GPTConfig:
    shape = {"emb_dim": 16, "n_layers": 2, "n_heads": 4, "context_length": 12, "drop_rate": 0.0, "vocab_size": 40}
    return GPTConfig(**{**shape, **changes})


def awake(config: GPTConfig, seed: int = 0) -> GPTModel:
    """A model whose every parameter matters: at the real initialisation attention is nearly even and biases are 0."""
    torch.manual_seed(seed)
    model = GPTModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.4)
    return model.eval()


def spelled_out(model: GPTModel) -> GPTModel:
    """The same model, on the path that shows every step of attention."""
    other = copy.deepcopy(model)
    for block in other.blocks:
        block.attention.spelled_out = True
    return other


AWAKE = awake(tiny())


def ids(*shape: int, seed: int = 0, vocab_size: int = 40) -> Tensor:
    return torch.randint(vocab_size, shape, generator=torch.Generator().manual_seed(seed))


def reference_logits(model: GPTModel, token_ids: list[int]) -> np.ndarray:
    """GPT-2's forward pass for one text in float64 NumPy: a loop over heads, and in each over positions."""
    weights = {name: value.detach().double().numpy() for name, value in model.state_dict().items()}
    n_heads = model.config.n_heads
    head_dim = model.config.emb_dim // n_heads

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights.get(f"{name}.bias", 0.0)

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return centred / deviation * weights[f"{name}.scale"] + weights.get(f"{name}.shift", 0.0)

    def gelu(x: np.ndarray) -> np.ndarray:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    x = weights["token_embedding.weight"][token_ids] + weights["position_embedding.weight"][: len(token_ids)]
    for layer in range(model.config.n_layers):
        at = f"blocks.{layer}"
        queries, keys, values = np.split(linear(norm(x, f"{at}.norm1"), f"{at}.attention.qkv"), 3, axis=-1)
        context = np.zeros_like(x)
        for head in range(n_heads):
            own = slice(head * head_dim, (head + 1) * head_dim)
            for i in range(len(token_ids)):
                scores = np.exp(keys[: i + 1, own] @ queries[i, own] / math.sqrt(head_dim))
                context[i, own] = scores / scores.sum() @ values[: i + 1, own]
        x = x + linear(context, f"{at}.attention.project")
        x = x + linear(gelu(linear(norm(x, f"{at}.norm2"), f"{at}.feed_forward.expand")), f"{at}.feed_forward.project")
    return linear(norm(x, "final_norm"), "head")


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("bias", "qkv_bias"), [(True, True), (False, True), (True, False), (False, False)])
def test_the_forward_pass_is_gpt2s(tied: bool, bias: bool, qkv_bias: bool) -> None:
    model = awake(tiny(tie_embeddings=tied, bias=bias, qkv_bias=qkv_bias)).double()
    text = ids(1, 12)
    np.testing.assert_allclose(
        model(text)[0].detach().numpy(), reference_logits(model, text[0].tolist()), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_parameter_counts_of_the_presets(preset: str) -> None:
    shape, total, without_embeddings = PRESETS[preset]
    with torch.device("meta"):
        model = GPTModel(GPTConfig(**shape))
    assert model.num_parameters() == total
    assert model.num_parameters(include_embeddings=False) == without_embeddings


def test_an_untied_head_counts_once_more() -> None:
    with torch.device("meta"):
        model = GPTModel(GPTConfig(tie_embeddings=False))
    assert model.num_parameters() == 17_670_400 + 50257 * 256
    assert model.num_parameters(include_embeddings=False) == 4_739_072


@pytest.mark.parametrize("tied", [True, False])
def test_the_tied_head_is_the_embedding_itself(tied: bool) -> None:
    model = GPTModel(tiny(tie_embeddings=tied))
    assert (model.head.weight is model.token_embedding.weight) == tied
    names = [name for name, _ in model.named_parameters()]
    assert ("head.weight" in names) == (not tied)


@pytest.mark.parametrize(("option", "names"), [("qkv_bias", ("qkv.bias",)), ("bias", ("shift", "project.bias"))])
def test_biases_can_be_left_out(option: str, names: tuple[str, ...]) -> None:
    with_them = [name for name, _ in GPTModel(tiny()).named_parameters()]
    without = [name for name, _ in GPTModel(tiny(**{option: False})).named_parameters()]
    assert any(name.endswith(names) for name in with_them)
    assert not any(name.endswith(names) for name in without)


def test_first_loss_of_a_real_nano() -> None:
    torch.manual_seed(0)
    model = GPTModel(GPTConfig())
    text = ids(1, 65, vocab_size=50257)
    assert abs(model.loss(text[:, :-1], text[:, 1:]).item() - math.log(50257)) < 0.2


def test_loss_is_minus_the_mean_log_probability_of_what_came_next() -> None:
    model = awake(tiny()).double()
    text = ids(3, 9)
    total = 0.0
    for row in text.tolist():
        for logits, target in zip(reference_logits(model, row[:-1]), row[1:], strict=True):
            total -= logits[target] - math.log(np.exp(logits).sum())
    assert model.loss(text[:, :-1], text[:, 1:]).item() == pytest.approx(total / 24, rel=1e-10)


@pytest.mark.parametrize("n_layers", [2, 8])
def test_first_weights(n_layers: int) -> None:
    """The smallest matrix has 16,384 draws: its own deviation is known to half a percent."""
    torch.manual_seed(0)
    model = GPTModel(tiny(emb_dim=128, n_layers=n_layers, vocab_size=500, context_length=200))
    seen = set()
    for name, parameter in model.named_parameters():
        kind = "residual" if "project.weight" in name else name.rsplit(".", 1)[-1]
        seen.add(kind)
        if kind in ("bias", "shift"):
            assert (parameter == 0).all(), name
        elif kind == "scale":
            assert (parameter == 1).all(), name
        else:
            deviation = 0.02 / math.sqrt(2 * n_layers) if kind == "residual" else 0.02
            assert parameter.std().item() == pytest.approx(deviation, rel=0.025), name
            assert abs(parameter.mean().item()) < 5 * deviation / math.sqrt(parameter.numel()), name
    assert seen == {"residual", "weight", "bias", "scale", "shift"}


def test_both_attention_paths_have_the_same_outputs_and_gradients() -> None:
    torch.manual_seed(0)
    attention = MultiHeadAttention(tiny(emb_dim=64, n_heads=4))
    nn.init.normal_(attention.qkv.weight, std=0.2)
    x, upstream = torch.randn(2, 33, 64), torch.randn(2, 33, 64)

    def gradients(output: Tensor, x: Tensor) -> list[Tensor]:
        return list(torch.autograd.grad((output * upstream).sum() / 100, [x, *attention.parameters()]))

    fused_input, plain_input = x.clone().requires_grad_(), x.clone().requires_grad_()
    fused = attention(fused_input)
    attention.spelled_out = True
    plain = attention(plain_input)
    assert (fused - plain).abs().max() <= 1e-5
    for ours, theirs in zip(gradients(fused, fused_input), gradients(plain, plain_input), strict=True):
        assert theirs.abs().max() > 1e-3  # not a comparison of zeros
        assert (ours - theirs).abs().max() <= 1e-5


def test_both_paths_through_the_model_have_the_same_outputs_and_gradients() -> None:
    torch.manual_seed(0)
    model = GPTModel(tiny(emb_dim=32, context_length=32, n_layers=3))
    text, targets = ids(2, 32), ids(2, 32, seed=1)
    other = spelled_out(model)
    fused, plain = model(text), other(text)
    assert (fused - plain).abs().max() <= 1e-5
    assert [tuple(w.shape) for w in attention_weights(model, text)] == [(2, 4, 32, 32)] * 3

    def gradients(logits: Tensor, model: GPTModel) -> tuple[Tensor, ...]:
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return torch.autograd.grad(loss, list(model.parameters()))

    for ours, theirs in zip(gradients(fused, model), gradients(plain, other), strict=True):
        assert (ours - theirs).abs().max() <= 1e-5


@few
@given(st.integers(1, 12), st.integers(0, 2**31))
def test_attention_weights_are_an_average_over_the_past(seq: int, seed: int) -> None:
    for weights in attention_weights(AWAKE, ids(2, seq, seed=seed)):
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, seq), rtol=0, atol=1e-6)
        assert (weights >= 0).all()
        assert (weights.triu(diagonal=1) == 0).all()


@few
@given(st.lists(st.integers(0, 39), min_size=1, max_size=12), st.data())
def test_a_later_token_changes_no_earlier_logit(text: list[int], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(text) - 1))
    other = list(text)
    other[position] = (text[position] + data.draw(st.integers(1, 39))) % 40
    model = AWAKE
    with torch.no_grad():
        before, after = model(torch.tensor([text]))[0], model(torch.tensor([other]))[0]
    torch.testing.assert_close(after[:position], before[:position], rtol=0, atol=1e-5)
    assert (after[position] - before[position]).abs().max() > 1e-3  # where it stands, it is seen


def test_texts_of_a_batch_do_not_see_each_other() -> None:
    model, text = awake(tiny()), ids(3, 12)
    alone = torch.cat([model(row[None]) for row in text])
    torch.testing.assert_close(model(text), alone, rtol=0, atol=1e-5)


def test_the_order_of_the_tokens_matters() -> None:
    model = awake(tiny())
    assert not torch.allclose(model(torch.tensor([[1, 2, 3]]))[0, -1], model(torch.tensor([[2, 1, 3]]))[0, -1])


@few
@given(hnp.arrays(np.float64, (3, 8), elements=st.floats(-1e3, 1e3)), st.booleans())
def test_layer_norm(x: np.ndarray, bias: bool) -> None:
    torch.manual_seed(0)
    norm = LayerNorm(8, bias).double()
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    expected = expected * norm.scale.detach().numpy()
    if norm.shift is not None:
        expected = expected + norm.shift.detach().numpy()
    assert (norm.shift is not None) == bias
    np.testing.assert_allclose(norm(torch.from_numpy(x)).detach().numpy(), expected, rtol=1e-7, atol=1e-7)


@few
@given(st.floats(-50, 50))
def test_gelu(x: float) -> None:
    expected = 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    assert GELU()(torch.tensor(x, dtype=torch.float64)).item() == pytest.approx(expected, rel=1e-10, abs=1e-12)
    exact = 0.5 * x * (1 + math.erf(x / math.sqrt(2)))
    assert abs(expected - exact) < 1e-3  # the approximation deserves the name


def test_dropout_is_for_training_only() -> None:
    text = ids(2, 12)
    for model in (awake(tiny(drop_rate=0.5)), spelled_out(awake(tiny(drop_rate=0.5)))):
        model.train()
        assert not torch.equal(model(text), model(text))
        model.eval()
        assert torch.equal(model(text), model(text))
        torch.testing.assert_close(attention_weights(model, text)[0].sum(-1), torch.ones(2, 4, 12))


def test_dropout_sits_where_gpt2_has_it() -> None:
    """On the embeddings, on the attention weights, and on what each sublayer adds to the stream."""

    def share_of_zeros(x: Tensor) -> float:
        return (x == 0).double().mean().item()

    model = awake(tiny(drop_rate=0.3)).train()
    block, x = model.blocks[0], torch.randn(200, 12, 16)
    assert share_of_zeros(model.embed(ids(200, 12))) == pytest.approx(0.3, abs=0.02)
    assert share_of_zeros(block.attention(x)) == pytest.approx(0.3, abs=0.02)
    assert share_of_zeros(block.feed_forward(x)) == pytest.approx(0.3, abs=0.02)
    past = torch.ones(12, 12, dtype=torch.bool).tril()
    weights = attention_weights(model, ids(200, 12))[0]
    assert share_of_zeros(weights[..., past]) == pytest.approx(0.3, abs=0.02)


def test_training_drops_attention_weights_too() -> None:
    attention = awake(tiny(drop_rate=0.3)).blocks[0].attention.train()
    attention.dropout.drop_rate = 0.0  # leaves the weights' own
    x = torch.randn(2, 12, 16)
    assert not torch.equal(attention(x), attention(x))
    attention.weights_dropout.drop_rate = 0.0
    assert torch.equal(attention(x), attention(x))


def test_the_fused_kernel_is_told_to_drop_them(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []

    def kernel(queries: Tensor, *_: Tensor, dropout_p: float, **__: Any) -> Tensor:
        told.append(dropout_p)
        return queries

    monkeypatch.setattr(nn.functional, "scaled_dot_product_attention", kernel)
    attention = MultiHeadAttention(tiny(drop_rate=0.3)).to("meta")  # a device that has such kernels, and no numbers
    for mode in (True, False):
        attention.train(mode)(torch.empty(2, 12, 16, device="meta"))
    assert told == [0.3, 0.0]


@pytest.mark.parametrize("drop_rate", [0.0, 0.3])
def test_activation_checkpointing_changes_memory_and_nothing_else(drop_rate: float) -> None:
    text = ids(2, 13)
    losses, gradients, forward_passes = [], [], []
    for on in (False, True):
        model = awake(tiny(drop_rate=drop_rate, activation_checkpointing=on)).train()
        passes: list[int] = []
        for block in model.blocks:
            block.register_forward_pre_hook(lambda *_, passes=passes: passes.append(1))
        torch.manual_seed(3)
        loss = model.loss(text[:, :-1], text[:, 1:])
        loss.backward()
        losses.append(loss.detach())
        gradients.append([parameter.grad for parameter in model.parameters()])
        forward_passes.append(len(passes))
    assert torch.equal(*losses)
    for without, with_it in zip(*gradients, strict=True):
        assert torch.equal(without, with_it)
    assert forward_passes == [2, 4]  # each block once, and once more in the backward pass


def test_every_parameter_gets_a_gradient() -> None:
    model = awake(tiny()).train()
    text = ids(2, 13)
    model.loss(text[:, :-1], text[:, 1:]).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_a_text_longer_than_the_context_is_refused() -> None:
    model = GPTModel(tiny())
    assert model(ids(1, 12)).shape == (1, 12, 40)
    for method in (model, model.hidden, model.embed):
        with pytest.raises(ValueError, match=r"13 tokens .* context of 12"):
            method(ids(1, 13))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, 0) for name in ("emb_dim", "n_layers", "n_heads", "context_length", "vocab_size")],
        *[(name, -4) for name in ("emb_dim", "n_layers", "n_heads", "context_length", "vocab_size")],
        *[("drop_rate", share) for share in (1.0, -0.1, 1.5, math.nan)],
        ("n_heads", 3),
    ],
)
def test_numbers_that_make_no_model_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        tiny(**{name: value})


@given(rate=st.sampled_from([0.05, 0.1, 0.5, 0.9]), seed=st.integers(0, 2**31))
@settings(max_examples=12, deadline=None)
def test_dropout_drops_its_share_and_keeps_the_mean(rate: float, seed: int) -> None:
    torch.manual_seed(seed)
    x = torch.ones(400, 250, requires_grad=True)
    y = Dropout(rate)(x)
    kept = y != 0
    n = x.numel()
    assert abs(kept.float().mean().item() - (1 - rate)) < 6 * math.sqrt(rate * (1 - rate) / n)
    assert torch.unique(y).numel() == 2
    assert y.max().item() == pytest.approx(1 / (1 - rate), rel=1e-4)
    # Neighbours in a draw of 64 bits are independent of one another.
    together = (kept[:, :-1] & kept[:, 1:]).float().mean().item()
    assert together == pytest.approx((1 - rate) ** 2, abs=6 * math.sqrt(0.25 / n))
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, y.detach())  # what was dropped gets no gradient, the rest gets the same scale


def test_dropout_follows_the_seed_and_rests_outside_training() -> None:
    layer, x = Dropout(0.3), torch.randn(3, 5, 7)
    torch.manual_seed(1)
    first = layer(x)
    second = layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert not torch.equal(first, second)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)
