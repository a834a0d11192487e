"""A token's way through the model, against float64 arithmetic written out here from the raw weights."""

import copy
import math
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lab.inspection.internals import NEAR_ZERO, look
from lab.inspection.walk import FIRST, Walk, walk
from lab.model import GPTModel
from lab.parts import ModelConfig, build_model

exactly: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-9}
SHAPE: dict[str, Any] = {"emb_dim": 24, "n_layers": 3, "n_heads": 4, "context_length": 12, "vocab_size": 40}
IDS = torch.randint(40, (9,), generator=torch.Generator().manual_seed(3))


def awake(**changes: Any) -> GPTModel:
    """A small float64 model whose every parameter matters."""
    torch.manual_seed(1)
    model = build_model(ModelConfig(**{**SHAPE, **changes}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.4)
        block: Any
        for block in model.blocks:  # some units sleep
            block.feed_forward.expand.weight[:5] *= 1e-4
            block.feed_forward.expand.bias[:5] *= 1e-4
    return model.eval().double()


class Reference:
    """The forward pass over one text by the weights' names, with what one head does at one position."""

    def __init__(self, model: GPTModel, ids: list[int], layer: int, head: int, position: int) -> None:
        self.config = cast(Any, model.config)
        self.weights = {name: value.detach().double().numpy() for name, value in model.state_dict().items()}
        self.head, self.position = head, position
        self.token = self.weights["token_embedding.weight"][ids]
        x = self.token.copy()
        if self.config.position == "learned":
            x = x + self.weights["position_embedding.weight"][: len(ids)]
        self.embedded = x
        for number in range(self.config.n_layers):
            self.watched = number == layer
            if self.watched:
                self.before = x
            x = self.block(x, f"blocks.{number}")
            if self.watched:
                self.after = x
        self.last = x
        self.logits = self.norm(x, "final_norm") @ self.weights["head.weight"].T

    def block(self, x: np.ndarray, at: str) -> np.ndarray:
        if self.config.block == "post_norm":
            attended = self.attention(x, at)
            middle = self.norm(x + attended, f"{at}.norm1")
            fed = self.feed_forward(middle, at)
            after = self.norm(middle + fed, f"{at}.norm2")
        else:
            attended = self.attention(self.norm(x, f"{at}.norm1"), at)
            middle = x + attended
            fed = self.feed_forward(self.norm(middle, f"{at}.norm2"), at)
            after = middle + fed
        if self.watched:
            self.attended, self.middle, self.fed = attended, middle, fed
        return after

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        if self.config.norm == "rmsnorm":
            return self.rms(x, self.weights[f"{name}.scale"])
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return centred / spread * self.weights[f"{name}.scale"] + self.weights[f"{name}.shift"]

    @staticmethod
    def rms(x: np.ndarray, scale: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5) * scale

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"].T + self.weights.get(f"{name}.bias", 0.0)

    def turned(self, vector: np.ndarray, position: int) -> np.ndarray:
        half = len(vector) // 2
        result = np.zeros_like(vector)
        for pair in range(half):
            angle = position / self.config.rope_base ** (2 * pair / len(vector))
            one, other = vector[pair], vector[pair + half]
            result[pair] = one * math.cos(angle) - other * math.sin(angle)
            result[pair + half] = other * math.cos(angle) + one * math.sin(angle)
        return result

    def attention(self, x: np.ndarray, at: str) -> np.ndarray:
        config, seq = self.config, len(x)
        size, heads, shared = config.head_size, config.n_heads, config.kv_heads
        made = self.linear(x, f"{at}.attention.qkv")
        context = np.zeros((seq, heads * size))
        for head in range(heads):
            group = head // (heads // shared)
            columns = [slice(head * size, (head + 1) * size)]
            columns += [slice((heads + group) * size, (heads + group + 1) * size)]
            columns += [slice((heads + shared + group) * size, (heads + shared + group + 1) * size)]
            queries, keys, values = (made[:, part] for part in columns)
            stages = {"projected": queries}
            if config.qk_norm:
                queries = stages["normed"] = self.rms(queries, self.weights[f"{at}.attention.qk_norm.queries.scale"])
                keys = self.rms(keys, self.weights[f"{at}.attention.qk_norm.keys.scale"])
            if config.position == "rope":
                queries = stages["turned"] = np.stack([self.turned(q, i) for i, q in enumerate(queries)])
                keys = np.stack([self.turned(k, i) for i, k in enumerate(keys)])
            for i in range(seq):
                products = [sum(float(a) * float(b) for a, b in zip(queries[i], k, strict=True)) for k in keys]
                slope = 2.0 ** (-8 * (head + 1) / heads) if config.position == "alibi" else 0.0
                gains = [-slope * (i - j) for j in range(seq)]
                visible = [j <= i and i - j < (config.sliding_window or seq) for j in range(seq)]
                powers = [
                    math.exp(p / math.sqrt(size) + g) if seen else 0.0
                    for p, g, seen in zip(products, gains, visible, strict=True)
                ]
                weights = np.array(powers) / sum(powers)
                context[i, columns[0]] = weights @ values
                if self.watched and (head, i) == (self.head, self.position):
                    self.steps = {"products": products, "weights": weights, "keys": keys, "values": values}
                    self.steps |= {"visible": visible, "context": weights @ values, "group": group}
                    self.gains = [g if seen else 0.0 for g, seen in zip(gains, visible, strict=True)]
                    self.stages = {name: stage[i] for name, stage in stages.items()}
        return self.linear(context, f"{at}.attention.project")

    def feed_forward(self, x: np.ndarray, at: str) -> np.ndarray:
        inner = self.linear(x, f"{at}.feed_forward.expand")
        if self.config.feed_forward == "swiglu":
            gate, up = np.split(inner, 2, axis=-1)
            hidden = gate / (1 + np.exp(-gate)) * up
        else:
            hidden = 0.5 * inner * (1 + np.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3)))
        if self.watched:
            self.hidden = hidden
        return self.linear(hidden, f"{at}.feed_forward.project")


MODELS: dict[str, dict[str, Any]] = {
    "gpt2": {},
    "llama": {
        "norm": "rmsnorm",
        "feed_forward": "swiglu",
        "position": "rope",
        "n_kv_heads": 2,
        "tie_embeddings": False,
    },
    "qwen3": {"norm": "rmsnorm", "position": "rope", "qk_norm": True, "n_kv_heads": 1, "head_dim": 10},
    "alibi": {"position": "alibi", "sliding_window": 3},
    "gpt1": {"block": "post_norm", "position": "none"},
}


def same(found: Any, expected: np.ndarray) -> None:
    """``Numbers`` and the vector they are said to be of."""
    assert found.size == len(expected)
    np.testing.assert_allclose(found.first.numpy(), expected[:FIRST], **exactly)
    mean = sum(expected) / len(expected)
    assert found.mean == pytest.approx(mean, abs=1e-9)
    assert found.std == pytest.approx(math.sqrt(sum((v - mean) ** 2 for v in expected) / len(expected)), abs=1e-9)
    assert found.norm == pytest.approx(math.sqrt(sum(v * v for v in expected)), abs=1e-9)


@pytest.mark.parametrize(("layer", "head", "position"), [(0, 0, 8), (1, 3, 4), (2, 2, 0)])
@pytest.mark.parametrize("name", MODELS)
def test_every_step_is_that_of_the_reference(name: str, layer: int, head: int, position: int) -> None:
    model = awake(**MODELS[name])
    seen = walk(model, IDS, layer=layer, head=head, position=position)
    told = Reference(model, IDS.tolist(), layer, head, position)
    steps = seen.attention
    assert steps is not None
    assert steps.stages.keys() == told.stages.keys()
    for stage, vector in told.stages.items():
        # lab.parts.rope turns in float32
        np.testing.assert_allclose(steps.stages[stage].numpy(), vector, rtol=1e-5, atol=1e-6)
    close: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-6} if told.config.position == "rope" else exactly
    for field in ("keys", "values", "products", "weights", "context"):
        np.testing.assert_allclose(getattr(steps, field).numpy(), np.array(told.steps[field]), **close)
    size = len(told.stages["projected"])
    np.testing.assert_allclose(steps.scores.numpy(), np.array(told.steps["products"]) / math.sqrt(size), **close)
    assert steps.visible.tolist() == told.steps["visible"]
    assert steps.key_head == told.steps["group"]
    assert (steps.bias is not None) == (name == "alibi")
    if steps.bias is not None:
        np.testing.assert_allclose(steps.bias.numpy(), told.gains, **exactly)
    assert torch.equal(steps.query, list(steps.stages.values())[-1])
    if name in ("gpt2", "alibi", "gpt1"):  # exact throughout; of the others, float32 has been at the numbers
        the_rest_is_that_of_the_reference(seen, told, model)


def the_rest_is_that_of_the_reference(seen: Walk, told: Reference, model: GPTModel) -> None:
    at = told.position
    same(seen.token_vector, told.token[at])
    assert (seen.position_vector is None) == (model.position_embedding is None)
    same(seen.embedded, told.embedded[at])
    same(seen.block_before, told.before[at])
    same(seen.block_after, told.after[at])
    assert seen.attention is not None
    same(seen.attention.output, told.attended[at])
    units = told.hidden[at]
    assert seen.feed_forward.n_units == len(units) == 96
    assert seen.feed_forward.active == sum(abs(v) >= NEAR_ZERO for v in units) < 96
    best = sorted(range(96), key=lambda unit: -abs(units[unit]))[:FIRST]
    assert seen.feed_forward.strongest.tolist() == best
    np.testing.assert_allclose(seen.feed_forward.values.numpy(), units[best], **exactly)
    same(seen.feed_forward.output, told.fed[at])
    for found, stream, added in (
        (seen.attention_adds, told.before[at], told.attended[at]),
        (seen.feed_forward_adds, told.middle[at], told.fed[at]),
    ):
        assert found is not None
        lengths = [math.sqrt(sum(v * v for v in vector)) for vector in (stream, added, stream + added)]
        assert (found.before, found.added, found.after) == pytest.approx(lengths, abs=1e-9)
        assert found.cosine == pytest.approx(float(stream @ added) / (lengths[0] * lengths[1]), abs=1e-9)
    same(seen.final_norm.before, told.last[at])
    same(seen.final_norm.after, told.norm(told.last, "final_norm")[at])
    assert seen.final_norm.scale is not None
    np.testing.assert_allclose(seen.final_norm.scale.numpy(), told.weights["final_norm.scale"][:FIRST], **exactly)
    row = told.logits[at]
    order = sorted(range(40), key=lambda token: -row[token])[:8]
    assert seen.prediction.token_ids.tolist() == order
    np.testing.assert_allclose(seen.prediction.logits.numpy(), row[order], **exactly)
    assert seen.prediction.log_sum == pytest.approx(math.log(sum(math.exp(v) for v in row)), abs=1e-9)
    shares = [math.exp(v) / sum(math.exp(w) for w in row) for v in row[order]]
    np.testing.assert_allclose(seen.prediction.probabilities.numpy(), shares, **exactly)


@pytest.mark.parametrize("name", MODELS)
def test_a_norm_can_be_recomputed_from_what_is_told(name: str) -> None:
    seen = walk(awake(**MODELS[name]), IDS, layer=1, position=5)
    for step in (seen.norm1, seen.norm2, seen.final_norm):
        assert step is not None
        assert step.scale is not None
        assert step.eps == 1e-5
        x, before = step.before.first, step.before
        if step.shift is None:  # an RMSNorm: the mean of the squares is the norm's square over the size
            expected = x / math.sqrt(before.norm**2 / before.size + step.eps) * step.scale
        else:
            expected = (x - before.mean) / math.sqrt(before.std**2 + step.eps) * step.scale + step.shift
        np.testing.assert_allclose(step.after.first.numpy(), expected.numpy(), **exactly)


@pytest.mark.parametrize("name", MODELS)
def test_the_weights_are_those_of_the_attention_view(name: str) -> None:
    model = awake(**MODELS[name]).float()
    maps = look(model, IDS).attention
    for layer, head, position in ((0, 1, 8), (2, 3, 5), (1, 0, 0)):
        steps = walk(model, IDS, layer=layer, head=head, position=position).attention
        assert steps is not None
        assert torch.equal(steps.weights.float(), maps[layer, head, position])
        scores = steps.scores if steps.bias is None else steps.scores + steps.bias
        shares = torch.softmax(scores.masked_fill(~steps.visible, -torch.inf), dim=0)
        torch.testing.assert_close(shares, steps.weights, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(steps.weights @ steps.values, steps.context, rtol=1e-5, atol=1e-5)
        assert steps.weights.sum() == pytest.approx(1, abs=1e-6)


class Squeeze(nn.Module):
    """A part of somebody's own: neither scale nor shift, nor a last matrix."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x)


def test_parts_of_ones_own_are_told_as_far_as_they_go() -> None:
    model = awake()
    block: Any = model.blocks[1]
    block.norm1, block.feed_forward = Squeeze(), Squeeze()
    seen = walk(model, IDS, layer=1, position=4)
    assert seen.norm1 is not None
    assert (seen.norm1.scale, seen.norm1.shift, seen.norm1.eps) == (None, None, None)
    assert seen.norm1.after.norm == pytest.approx(float(torch.tanh(seen.norm1.before.first).norm()), abs=9)
    assert seen.feed_forward.n_units == 24
    assert seen.attention is not None
    block.attention.attend = lambda *given: given[2]  # no weights: a head that takes only its own value
    found = walk(model, IDS, layer=1)
    assert found.attention is None
    assert found.attention_adds is not None
    block.attention.forward = lambda x, cache=None: x  # none of the steps at all
    found = walk(model, IDS, layer=1)
    assert found.attention is None
    assert found.block_after.norm > 0


def test_the_model_is_left_as_it_was_found() -> None:
    model = awake(**MODELS["qwen3"])
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    names = [sorted(vars(module)) for module in model.modules()]
    random = torch.get_rng_state()
    seen, again = walk(model, IDS), walk(copy.deepcopy(model).eval(), IDS)
    assert model.training
    assert [sorted(vars(module)) for module in model.modules()] == names
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert seen.prediction.log_sum == again.prediction.log_sum
    assert seen.position == len(IDS) - 1


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"layer": 3}, "no layer 3: they go from 0 to 2"),
        ({"head": 4}, "no head 4: they go from 0 to 3"),
        ({"position": 9}, "no position 9: they go from 0 to 8"),
        ({"position": -1}, "no position -1"),
    ],
)
def test_what_is_not_there_is_named(where: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        walk(awake(), IDS, **where)
    with pytest.raises(ValueError, match="at least one token"):
        walk(awake(), torch.zeros(0, dtype=torch.long))
