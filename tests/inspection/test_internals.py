"""What is seen inside a model, against float64 arithmetic written out here: loops, and none of the model's code."""

import copy
import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from lab.inspection.internals import NEAR_ZERO, ablate_heads, look, neighbors, to_plain
from lab.model import GPTConfig, GPTModel

few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
exactly: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-9}


def awake(seed: int = 0, **changes: Any) -> GPTModel:
    """A small float64 model whose every parameter matters: at the real initialisation heads and biases are idle."""
    torch.manual_seed(seed)
    shape = {"emb_dim": 24, "n_layers": 3, "n_heads": 4, "context_length": 12, "drop_rate": 0.2, "vocab_size": 40}
    model = GPTModel(GPTConfig(**{**shape, **changes}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.4)
    return model.eval().double()


def ids(seq: int, seed: int = 0, vocab_size: int = 40) -> Tensor:
    return torch.randint(vocab_size, (seq,), generator=torch.Generator().manual_seed(seed))


class Reference:
    """GPT-2's forward pass over one text, number by number where it matters, with everything kept."""

    def __init__(self, model: GPTModel, token_ids: list[int]) -> None:
        self.weights = {name: value.detach().double().numpy() for name, value in model.state_dict().items()}
        n_heads, size = model.config.n_heads, model.config.emb_dim // model.config.n_heads
        seq = len(token_ids)
        x = np.stack(
            [self.weights["token_embedding.weight"][t] + self.weights["position_embedding.weight"][i]
             for i, t in enumerate(token_ids)]
        )  # fmt: skip
        self.residuals, self.attended, self.hidden, self.attention, self.lens = [x], [], [], [], []
        for layer in range(model.config.n_layers):
            at = f"blocks.{layer}"
            normed = self.norm(x, f"{at}.norm1")
            qkv = self.linear(normed, f"{at}.attention.qkv")
            width = n_heads * size
            context, weights = np.zeros((seq, width)), np.zeros((n_heads, seq, seq))
            for head in range(n_heads):
                for i in range(seq):
                    query = qkv[i, head * size : (head + 1) * size]
                    scores = []
                    for j in range(i + 1):
                        key = qkv[j, width + head * size : width + (head + 1) * size]
                        scores.append(sum(float(a) * float(b) for a, b in zip(query, key, strict=True)))
                    powers = [math.exp(s / math.sqrt(size) - max(scores) / math.sqrt(size)) for s in scores]
                    for j, power in enumerate(powers):
                        weights[head, i, j] = power / sum(powers)
                        value = qkv[j, 2 * width + head * size : 2 * width + (head + 1) * size]
                        context[i, head * size : (head + 1) * size] += weights[head, i, j] * value
            attended = self.linear(context, f"{at}.attention.project")
            x = x + attended
            before = self.linear(self.norm(x, f"{at}.norm2"), f"{at}.feed_forward.expand")
            hidden = 0.5 * before * (1 + np.tanh(math.sqrt(2 / math.pi) * (before + 0.044715 * before**3)))
            x = x + self.linear(hidden, f"{at}.feed_forward.project")
            self.residuals.append(x)
            self.attended.append(attended)
            self.hidden.append(hidden)
            self.attention.append(weights)
            logits = self.norm(x, "final_norm") @ self.weights["head.weight"].T
            powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
            self.lens.append(powers / powers.sum(axis=-1, keepdims=True))
        self.losses = [-math.log(self.lens[-1][i, token]) for i, token in enumerate(token_ids[1:])]

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"].T + self.weights.get(f"{name}.bias", 0.0)

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return centred / deviation * self.weights[f"{name}.scale"] + self.weights.get(f"{name}.shift", 0.0)


MODEL, IDS = awake(), ids(11)
REFERENCE = Reference(MODEL, IDS.tolist())


def test_attention_norms_and_losses_are_those_of_the_reference() -> None:
    seen = look(MODEL, IDS)
    np.testing.assert_allclose(seen.attention.numpy(), REFERENCE.attention, **exactly)
    lengths = [[math.sqrt(sum(v * v for v in row)) for row in stream] for stream in REFERENCE.residuals]
    np.testing.assert_allclose(seen.residual_norms.numpy(), lengths, **exactly)
    np.testing.assert_allclose(seen.token_losses.numpy(), REFERENCE.losses, **exactly)
    entropy = [-sum(p * math.log(p) for p in row) for row in REFERENCE.lens[-1]]
    np.testing.assert_allclose(seen.entropy.numpy(), entropy, **exactly)


def test_the_logit_lens_is_that_of_the_reference() -> None:
    seen = look(MODEL, IDS, top_k=3)
    for layer, shares in enumerate(REFERENCE.lens):
        for position, row in enumerate(shares):
            best = sorted(range(len(row)), key=lambda token: -row[token])[:3]
            assert seen.logit_lens.top_token_ids[layer, position].tolist() == best
            np.testing.assert_allclose(seen.logit_lens.top_probabilities[layer, position], row[best], **exactly)
            if position + 1 < len(IDS):
                share = row[IDS[position + 1]]
                assert seen.logit_lens.ranks[layer, position] == 1 + sum(other > share for other in row)
                np.testing.assert_allclose(seen.logit_lens.probabilities[layer, position], share, **exactly)
    assert torch.equal(seen.top_token_ids, seen.logit_lens.top_token_ids[-1])
    assert torch.equal(seen.top_probabilities, seen.logit_lens.top_probabilities[-1])
    assert len(set(seen.logit_lens.ranks.flatten().tolist())) > 5  # ranks of many kinds were compared


def test_statistics_are_those_of_the_reference() -> None:
    model = awake()
    with torch.no_grad():
        block: Any
        for block in model.blocks:
            block.feed_forward.expand.weight[:7] *= 1e-4
            block.feed_forward.expand.bias[:7] = torch.tensor([0.0, -20, 1e-3, 0.05, -9, 3, -0.2]).double()
    seen, reference = look(model, IDS, bins=9), Reference(model, IDS.tolist())
    for layer, found in enumerate(seen.layers):
        for part, values in (
            (found.residual, reference.residuals[layer + 1]),
            (found.attention, reference.attended[layer]),
            (found.feed_forward, reference.hidden[layer]),
        ):
            flat = values.ravel()
            assert part.mean == pytest.approx(sum(flat) / len(flat), abs=1e-9)
            assert part.std == pytest.approx(math.sqrt(sum((v - part.mean) ** 2 for v in flat) / len(flat)), abs=1e-9)
            assert part.sparsity == pytest.approx(sum(abs(v) < 0.01 for v in flat) / len(flat), abs=1e-12)
            counts, edges = np.histogram(flat, bins=9)
            np.testing.assert_allclose(part.edges.numpy(), edges, **exactly)
            assert part.counts.tolist() == counts.tolist()
        columns = reference.hidden[layer].T
        dead = [unit for unit, column in enumerate(columns) if all(abs(v) < NEAR_ZERO for v in column)]
        assert found.dead_units == dead
        assert {0, 1, 2, 4} <= set(dead)
        assert not {3, 5, 6} & set(dead)
        assert found.n_units == len(columns) == 96
        assert found.feed_forward.sparsity > 4 / 96


def test_ablation_is_a_model_without_the_heads_columns() -> None:
    for model, token_ids in ((MODEL, IDS), (awake(3, n_layers=2, n_heads=3, tie_embeddings=False), ids(5, seed=4))):
        whole = np.mean(Reference(model, token_ids.tolist()).losses)
        changes = ablate_heads(model, token_ids)
        size = model.config.emb_dim // model.config.n_heads
        assert changes.shape == (model.config.n_layers, model.config.n_heads)
        for layer in range(model.config.n_layers):
            for head in range(model.config.n_heads):
                without = copy.deepcopy(model)
                with torch.no_grad():
                    without.blocks[layer].attention.project.weight[:, head * size : (head + 1) * size] = 0
                expected = np.mean(Reference(without, token_ids.tolist()).losses) - whole
                assert float(changes[layer, head]) == pytest.approx(expected, abs=1e-9)
        assert changes.abs().min() > 1e-6


def test_neighbours_are_those_of_a_loop() -> None:
    table = MODEL.token_embedding.weight.tolist()

    def cosine(a: list[float], b: list[float]) -> float:
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    for token in (0, 17, 39):
        expected = sorted(((cosine(table[token], row), t) for t, row in enumerate(table) if t != token), reverse=True)
        found = neighbors(MODEL, token, 6)
        assert [t for t, _ in found] == [t for _, t in expected[:6]]
        np.testing.assert_allclose([c for _, c in found], [c for c, _ in expected[:6]], **exactly)
    assert len(neighbors(MODEL, 0, 1000)) == 39
    assert neighbors(MODEL, 0, 0) == []
    with pytest.raises(ValueError, match="not in a vocabulary of 40"):
        neighbors(MODEL, -1, 3)


@few
@given(
    seq=st.integers(1, 12),
    n_layers=st.integers(1, 3),
    n_heads=st.sampled_from([1, 2, 3]),
    head_dim=st.integers(1, 5),
    tied=st.booleans(),
    bias=st.booleans(),
    top_k=st.integers(1, 60),
    bins=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_shapes_and_laws(
    seq: int, n_layers: int, n_heads: int, head_dim: int, tied: bool, bias: bool, top_k: int, bins: int, seed: int
) -> None:
    emb_dim = n_heads * head_dim
    shape = {"emb_dim": emb_dim, "n_layers": n_layers, "n_heads": n_heads}
    model = awake(seed, **shape, tie_embeddings=tied, bias=bias, qkv_bias=bias).float()
    token_ids = ids(seq, seed=seed)
    seen = look(model, token_ids, top_k=top_k, bins=bins)
    k = min(top_k, 40)
    assert seen.attention.shape == (n_layers, n_heads, seq, seq)
    assert seen.residual_norms.shape == (n_layers + 1, seq)
    assert seen.logit_lens.top_token_ids.shape == seen.logit_lens.top_probabilities.shape == (n_layers, seq, k)
    assert seen.logit_lens.ranks.shape == seen.logit_lens.probabilities.shape == (n_layers, seq - 1)
    assert seen.token_losses.shape == (seq - 1,)
    assert seen.top_token_ids.shape == seen.top_probabilities.shape == (seq, k)
    assert seen.entropy.shape == (seq,)
    torch.testing.assert_close(seen.attention.sum(dim=-1), torch.ones(n_layers, n_heads, seq))
    assert not seen.attention.triu(diagonal=1).any()
    for layer in seen.layers:
        assert layer.residual.counts.sum() == layer.attention.counts.sum() == seq * emb_dim
        assert layer.feed_forward.counts.sum() == seq * 4 * emb_dim
        assert layer.residual.counts.shape == (bins,)
        assert layer.residual.edges.shape == (bins + 1,)
    with torch.no_grad():
        expected = model(token_ids[None])[0]
    top = torch.softmax(expected, dim=-1).topk(k).values
    torch.testing.assert_close(seen.top_probabilities, top, rtol=1e-5, atol=1e-5)
    if seq > 1:
        losses = torch.nn.functional.cross_entropy(expected[:-1], token_ids[1:], reduction="none")
        torch.testing.assert_close(seen.token_losses, losses, rtol=1e-5, atol=1e-5)
    changes = ablate_heads(model, token_ids)
    assert changes.shape == (n_layers, n_heads)
    assert changes.isfinite().all() if seq > 1 else changes.isnan().all()
    json.dumps(seen.to_plain(), allow_nan=False)


def test_the_model_is_left_as_it_was_found() -> None:
    model = awake()
    model.train()
    model.blocks[1].eval()
    modes = [module.training for module in model.modules()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    seen = look(model, IDS)
    changes = ablate_heads(model, IDS)
    neighbors(model, 1, 3)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert not seen.attention.requires_grad
    # In training mode, too, it is the model without dropout that is seen.
    torch.testing.assert_close(seen.token_losses, look(MODEL, IDS).token_losses)
    torch.testing.assert_close(changes, ablate_heads(MODEL, IDS))
    with pytest.raises(ValueError, match="does not fit"):
        look(model, ids(13))
    assert [module.training for module in model.modules()] == modes


def test_two_models_and_two_prompts_look_different() -> None:
    for other in (look(awake(seed=1), IDS), look(MODEL, ids(11, seed=1))):
        seen = look(MODEL, IDS)
        for name in ("attention", "residual_norms", "token_losses", "top_probabilities", "entropy"):
            assert not torch.allclose(getattr(seen, name), getattr(other, name)), name
        assert not torch.allclose(seen.logit_lens.probabilities, other.logit_lens.probabilities)
        assert [a.feed_forward.std for a in seen.layers] != [b.feed_forward.std for b in other.layers]
    assert not torch.allclose(ablate_heads(MODEL, IDS), ablate_heads(awake(seed=1), IDS))
    assert neighbors(MODEL, 3, 5) != neighbors(awake(seed=1), 3, 5)


@pytest.mark.parametrize(
    ("token_ids", "said"),
    [
        (torch.zeros(0, dtype=torch.long), "at least one token"),
        (torch.zeros(2, 3, dtype=torch.long), "a row"),
        (torch.zeros(13, dtype=torch.long), "13 tokens does not fit into a context of 12"),
        (torch.tensor([3, 40]), "vocabulary of 40"),
        (torch.tensor([-1]), "vocabulary of 40"),
    ],
)
def test_what_is_no_prompt_is_refused(token_ids: Tensor, said: str) -> None:
    for see in (look, ablate_heads):
        with pytest.raises(ValueError, match=said):
            see(MODEL, token_ids)


def test_a_broken_model_is_shown_as_broken() -> None:
    model = awake()
    with torch.no_grad():
        model.blocks[1].feed_forward.project.weight.fill_(torch.nan)
    seen = look(model, IDS)
    assert seen.residual_norms[1].isfinite().all()
    assert seen.residual_norms[2].isnan().all()
    assert seen.layers[1].residual.counts.sum() == 0
    assert (seen.logit_lens.ranks[1] == 40).all()  # last, not first
    plain = seen.to_plain()
    assert plain["token_losses"] == [None] * 10
    assert plain["layers"][1]["residual"]["mean"] is None
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_plain_values_keep_what_float32_holds() -> None:
    values = torch.randn(1000) * 10.0 ** torch.randint(-20, 20, (1000,))
    assert torch.tensor(to_plain(values)).allclose(values, rtol=1e-6, atol=0)
    assert to_plain(torch.tensor([math.inf, -math.inf, math.nan, 1.5])) == [None, None, None, 1.5]
    assert to_plain({"a": (torch.tensor(3), [True, "x"])}) == {"a": [3, [True, "x"]]}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_model_on_the_gpu() -> None:
    model = copy.deepcopy(MODEL).cuda()
    seen, expected = look(model, IDS), look(MODEL, IDS)
    torch.testing.assert_close(seen.attention, expected.attention)
    torch.testing.assert_close(seen.token_losses, expected.token_losses)
    torch.testing.assert_close(ablate_heads(model, IDS), ablate_heads(MODEL, IDS))
    assert [t for t, _ in neighbors(model, 1, 5)] == [t for t, _ in neighbors(MODEL, 1, 5)]
