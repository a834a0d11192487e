"""What is drawn, from which distribution, and what the model is shown."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from lab.model import GPTConfig, GPTModel
from lab.sampling import generate, next_token_probabilities, stream

few = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def lively(**changes: Any) -> GPTModel:
    """A model whose predictions are far from even."""
    torch.manual_seed(1)
    shape = {"emb_dim": 16, "n_layers": 1, "n_heads": 2, "context_length": 6, "vocab_size": 20, "drop_rate": 0.2}
    model = GPTModel(GPTConfig(**{**shape, **changes}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5)
    return model


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def exact(logits: np.ndarray, temperature: float, top_k: int | None) -> np.ndarray:
    """The definition in float64: keep the k largest, divide, exponentiate, normalise."""
    kept = np.argsort(-logits, kind="stable")[:top_k]
    weights = np.zeros_like(logits)
    weights[kept] = np.exp((logits[kept] - logits.max()) / temperature)
    return weights / weights.sum()


different_logits = st.lists(st.integers(-4000, 4000), min_size=1, max_size=30, unique=True).map(
    lambda numbers: [number / 100 for number in numbers]
)


@few
@given(different_logits, st.floats(0.05, 5), st.none() | st.integers(1, 40))
def test_the_distribution_is_the_definition(logits: list[float], temperature: float, top_k: int | None) -> None:
    found = next_token_probabilities(torch.tensor([logits], dtype=torch.float64), temperature, top_k)[0].numpy()
    np.testing.assert_allclose(found, exact(np.array(logits), temperature, top_k), rtol=1e-9, atol=1e-12)


@few
@given(different_logits, st.integers(1, 40))
def test_exactly_the_k_likeliest_can_be_drawn(logits: list[float], top_k: int) -> None:
    found = next_token_probabilities(torch.tensor([logits], dtype=torch.float64), 50.0, top_k)[0]
    assert set(found.nonzero().flatten().tolist()) == set(np.argsort(logits)[-top_k:].tolist())


@few
@given(different_logits, st.none() | st.integers(1, 5))
def test_temperature_0_is_the_likeliest_token(logits: list[float], top_k: int | None) -> None:
    found = next_token_probabilities(torch.tensor([logits, logits[::-1]]), 0, top_k)
    expected = torch.zeros(2, len(logits))
    expected[0, int(np.argmax(logits))] = expected[1, int(np.argmax(logits[::-1]))] = 1
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    "temperature",
    [
        1e4,
        1e-3,
        1e-30,
        1e-38,
    ],
)
@pytest.mark.parametrize("top_k", [None, 2])
def test_any_temperature_makes_a_distribution(temperature: float, top_k: int | None) -> None:
    found = next_token_probabilities(torch.tensor([[1.0, -20.0, 30.0, 5.0]]), temperature, top_k)
    assert found.sum().item() == pytest.approx(1)
    assert found.argmax() == 2


def test_rows_of_a_batch_have_their_own_top_k() -> None:
    found = next_token_probabilities(torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]), 1.0, 1)
    assert torch.equal(found, torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))


def chi_square(drawn: Tensor, probabilities: np.ndarray) -> float:
    """How far the counts are from the expected ones, in standard deviations of that distance."""
    counts = np.bincount(drawn.numpy(), minlength=len(probabilities))
    possible = probabilities > 0
    assert counts[~possible].sum() == 0
    expected = counts.sum() * probabilities[possible]
    statistic = ((counts[possible] - expected) ** 2 / expected).sum()
    freedom = possible.sum() - 1
    return float((statistic - freedom) / math.sqrt(2 * freedom))


@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, None), (2.5, None), (1.5, 5)])
def test_tokens_are_drawn_from_the_distribution(temperature: float, top_k: int | None) -> None:
    model, prompt = lively(), torch.tensor([[3, 7]])
    text = generate(model, prompt.repeat(20_000, 1), 1, temperature=temperature, top_k=top_k, generator=seeded(0))
    with torch.no_grad():
        logits = model.eval()(prompt)[0, -1].double().numpy()
    assert chi_square(text[:, -1], exact(logits, temperature, top_k)) < 6
    assert chi_square(text[:, -1], exact(logits, temperature * 1.2, top_k)) > 12  # the test has teeth


@pytest.mark.parametrize("prompt", [[4], [1, 2, 3, 4, 5, 6], list(range(10))])
def test_greedy_text_is_what_a_loop_over_the_whole_model_would_write(prompt: list[int]) -> None:
    """Also beyond the context length of 6, where the oldest tokens drop out of sight."""
    model = lively(tie_embeddings=False).eval()
    expected = list(prompt)
    with torch.no_grad():
        for _ in range(12):
            expected.append(int(model(torch.tensor([expected[-6:]]))[0, -1].argmax()))
    assert generate(model, torch.tensor([prompt]), 12, temperature=0).tolist() == [expected]


def test_the_model_sees_as_much_of_the_text_as_fits() -> None:
    model, seen = lively(), []
    model.token_embedding.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0][0].tolist()))
    text = generate(model, torch.tensor([[7, 8, 9]]), 10)[0].tolist()
    assert seen == [text[max(0, end - 6) : end] for end in range(3, 13)]


def test_the_shape_and_the_prompt() -> None:
    prompt = torch.randint(20, (3, 4))
    text = generate(lively(), prompt, 5)
    assert text.shape == (3, 9)
    assert text.dtype == torch.int64
    assert torch.equal(text[:, :4], prompt)
    assert torch.equal(generate(lively(), prompt, 0), prompt)


def test_one_seed_one_text() -> None:
    model, prompt = lively(), torch.tensor([[1, 2]])
    first, again, other = (generate(model, prompt, 30, generator=seeded(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_generator_of_its_own_leaves_the_global_one_alone() -> None:
    """Or the samples would change the training that they look in on."""
    model = lively().train()
    before = torch.get_rng_state()
    generate(model, torch.tensor([[1]]), 5, generator=seeded(0))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_left_as_it_was_and_dropout_is_off(training: bool) -> None:
    model = lively().train(training)
    texts = {tuple(generate(model, torch.tensor([[1]]), 12, temperature=0)[0].tolist()) for _ in range(5)}
    assert model.training == training
    assert all(module.training == training for module in model.modules())
    assert len(texts) == 1  # dropout at 0.2 would have made others


def test_the_mode_is_left_as_it_was_when_generation_fails() -> None:
    model = lively().train()
    with pytest.raises(IndexError):
        generate(model, torch.tensor([[99]]), 1)  # no such token
    assert model.training


def test_a_stream_yields_what_generate_returns() -> None:
    model, prompt = lively(), torch.tensor([[1, 2], [3, 4]])
    options: dict[str, Any] = {"temperature": 1.3, "top_k": 7}
    tokens = list(stream(model, prompt, 15, **options, generator=seeded(4)))
    assert [tuple(token.shape) for token in tokens] == [(2, 1)] * 15
    text = generate(model, prompt, 15, **options, generator=seeded(4))
    assert torch.equal(torch.cat([prompt, *tokens], dim=1), text)


def test_a_stream_may_be_left_early() -> None:
    """The mode comes back, and the code between two tokens never runs in inference mode."""
    model = lively().train()
    tokens = stream(model, torch.tensor([[1]]), 100)
    next(tokens)
    assert not torch.is_inference_mode_enabled()
    tokens.close()
    assert model.training


def test_no_gradients_are_kept() -> None:
    model = lively()
    generate(model, torch.tensor([[1]]), 3)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    model.loss(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).backward()  # still trainable
