"""What is drawn, from which distribution, and what the model is shown."""

import math
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from lab.inference.kv_cache import KVCache
from lab.inference.sampling import Sampling, draw, generate, next_token_probabilities, stream
from lab.inference.token_choice import explain_choice
from lab.model import GPTConfig, GPTModel
from lab.tokenizer import Tokenizer

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


def exact(logits: np.ndarray, temperature: float, top_k: int | None = None, top_p: float | None = None) -> np.ndarray:
    """The definition in float64: keep the k largest, divide, exponentiate, normalise; then the fewest with p."""
    order = np.argsort(-logits, kind="stable")
    weights = np.zeros_like(logits)
    kept = order[:top_k]
    weights[kept] = np.exp((logits[kept] - logits.max()) / temperature)
    weights /= weights.sum()
    if top_p is not None:
        mass = 0.0
        for token in order:
            if mass >= top_p:
                weights[token] = 0.0
            mass += weights[token]
        weights /= weights.sum()
    return weights


different_logits = st.lists(st.integers(-4000, 4000), min_size=1, max_size=30, unique=True).map(
    lambda numbers: [number / 100 for number in numbers]
)


@few
@given(different_logits, st.floats(0.05, 5), st.none() | st.integers(1, 40))
def test_the_distribution_is_the_definition(logits: list[float], temperature: float, top_k: int | None) -> None:
    found = next_token_probabilities(torch.tensor([logits], dtype=torch.float64), Sampling(temperature, top_k))[
        0
    ].numpy()
    np.testing.assert_allclose(found, exact(np.array(logits), temperature, top_k), rtol=1e-9, atol=1e-12)


@few
@given(different_logits, st.integers(1, 40))
def test_exactly_the_k_likeliest_can_be_drawn(logits: list[float], top_k: int) -> None:
    found = next_token_probabilities(torch.tensor([logits], dtype=torch.float64), Sampling(50.0, top_k))[0]
    assert set(found.nonzero().flatten().tolist()) == set(np.argsort(logits)[-top_k:].tolist())


@few
@given(different_logits, st.none() | st.integers(1, 5))
def test_temperature_0_is_the_likeliest_token(logits: list[float], top_k: int | None) -> None:
    found = next_token_probabilities(torch.tensor([logits, logits[::-1]]), Sampling(0, top_k))
    expected = torch.zeros(2, len(logits))
    expected[0, int(np.argmax(logits))] = expected[1, int(np.argmax(logits[::-1]))] = 1
    assert torch.equal(found, expected)


@pytest.mark.parametrize("temperature", [1e4, 1e-3, 1e-30, 1e-38, 1e-50, 5e-324])
@pytest.mark.parametrize("top_k", [None, 2])
def test_any_temperature_makes_a_distribution(temperature: float, top_k: int | None) -> None:
    found = next_token_probabilities(torch.tensor([[1.0, -20.0, 30.0, 5.0]]), Sampling(temperature, top_k))
    assert found.sum().item() == pytest.approx(1)
    assert found.argmax() == 2


@pytest.mark.parametrize("top_p", [None, 1e-300, 1.0])
def test_an_endless_temperature_draws_from_what_is_left_alike(top_p: float | None) -> None:
    logits = torch.tensor([[1.0, -20.0, 30.0, 5.0]])
    for temperature in (1e39, 1e300, 1.7e308):
        found = next_token_probabilities(logits, Sampling(temperature, 2, top_p))
        expected = [0.0, 0.0, 1.0, 0.0] if top_p == 1e-300 else [0.0, 0.0, 0.5, 0.5]
        assert found[0].tolist() == pytest.approx(expected)


def chi_square(drawn: Tensor, probabilities: np.ndarray, may_miss: bool = False) -> float:
    """How far the counts are from the expected ones, in standard deviations of that distance."""
    counts = np.bincount(drawn.numpy(), minlength=len(probabilities))
    possible = probabilities > 0
    if counts[~possible].any():
        assert may_miss, "a token was drawn that has no probability"
        return math.inf
    expected = counts.sum() * probabilities[possible]
    statistic = ((counts[possible] - expected) ** 2 / expected).sum()
    freedom = possible.sum() - 1
    return float((statistic - freedom) / math.sqrt(2 * freedom))


@few
@given(different_logits, st.floats(0.05, 5), st.none() | st.integers(1, 40), st.floats(0.01, 0.99))
def test_top_p_keeps_the_fewest_that_together_have_p(
    logits: list[float], temperature: float, top_k: int | None, top_p: float
) -> None:
    before = exact(np.array(logits), temperature, top_k)
    mass = np.cumsum(np.sort(before)[::-1])
    assume(np.abs(mass - top_p).min() > 1e-9)  # at the very border, rounding decides
    found = next_token_probabilities(torch.tensor([logits], dtype=torch.float64), Sampling(temperature, top_k, top_p))
    np.testing.assert_allclose(found[0].numpy(), exact(np.array(logits), temperature, top_k, top_p), atol=1e-12)


LAWS = [(1.0, None, None), (2.5, None, None), (1.5, 5, None), (1.3, None, 0.7), (1.3, 12, 0.8)]


@pytest.mark.parametrize(("temperature", "top_k", "top_p"), LAWS)
def test_tokens_are_drawn_from_the_distribution(temperature: float, top_k: int | None, top_p: float | None) -> None:
    model, prompt = lively(), [3, 7]
    texts = generate(model, [prompt] * 10_000, 1, Sampling(temperature, top_k, top_p), seed=0)
    with torch.no_grad():
        logits = model.eval()(torch.tensor([prompt]))[0, -1].double().numpy()
    drawn = torch.tensor([text[-1] for text in texts])
    assert chi_square(drawn, exact(logits, temperature, top_k, top_p)) < 6
    assert chi_square(drawn, exact(logits, temperature * 1.3, top_k, top_p), may_miss=True) > 12  # the test has teeth


@few
@given(st.integers(2, 400), st.integers(1, 60), st.sampled_from([0.3, 1.0, 4.0]), st.none() | st.floats(0.05, 0.95))
def test_a_token_is_drawn_from_its_candidates_as_if_from_all(
    vocab_size: int, top_k: int, temperature: float, top_p: float | None
) -> None:
    """The race of the whole vocabulary, by its definition, and torch's own draw of one token from it."""
    seed = 1000 * vocab_size + top_k
    logits = torch.randn(3, vocab_size, generator=torch.Generator().manual_seed(seed)) * 3
    sampling = Sampling(temperature, top_k, top_p)
    found = draw(logits, sampling, [torch.Generator().manual_seed(seed + row) for row in range(3)])
    for row, probabilities in enumerate(next_token_probabilities(logits, sampling)):
        numbers = torch.rand(vocab_size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed + row))
        race = probabilities.double() / -torch.log1p(-numbers)
        assert race[found[row]] == pytest.approx(race.max().item(), rel=1e-5)
        exponential = torch.empty(vocab_size).exponential_(generator=torch.Generator().manual_seed(seed + row))
        if torch.equal(exponential, -torch.log1p(-numbers).float()):  # some builds of torch draw them otherwise
            drawn = torch.multinomial(probabilities, 1, generator=torch.Generator().manual_seed(seed + row))
            assert race[found[row]] == pytest.approx(race[drawn].item(), rel=1e-5)


def test_of_equally_likely_tokens_none_is_left_out_by_chance() -> None:
    logits = torch.tensor([[0.0, 2.0, 2.0, 2.0, -1.0]])
    drawn = {int(draw(logits, Sampling(1.0, 2), [torch.Generator().manual_seed(seed)])) for seed in range(60)}
    assert drawn == {1, 2, 3}


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_told(wrong: float) -> None:
    model = lively(tie_embeddings=False)
    with torch.no_grad():
        model.head.weight[7].fill_(wrong)
    with pytest.raises(ValueError, match="NaN or infinity"):
        generate(model, [[1, 2]], 3)


def as_documented(model: GPTModel, prompt: list[int], max_tokens: int) -> list[int]:
    """Greedy text by whole passes, with what drops out of sight spelled out."""
    context_length = model.config.context_length
    text, seen = list(prompt), prompt[-context_length:]
    with torch.no_grad():
        for _ in range(max_tokens):
            token = int(model(torch.tensor([seen]))[0, -1].argmax())
            text.append(token)
            seen = [*seen, token]
            if len(seen) > context_length:
                seen = seen[-max(1, context_length // 2) :]
    return text


@pytest.mark.parametrize("context_length", [1, 2, 5, 6])
@pytest.mark.parametrize("prompt", [[4], [1, 2, 3, 4, 5, 6], list(range(10))])
def test_greedy_text_is_what_a_loop_over_the_whole_model_would_write(prompt: list[int], context_length: int) -> None:
    """Also beyond the context length, where the older half drops out of sight."""
    model = lively(tie_embeddings=False, context_length=context_length).eval()
    assert generate(model, [prompt], 25, Sampling(0)) == [as_documented(model, prompt, 25)]


shapes = st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 4]), st.integers(2, 12), st.booleans(), st.booleans())


@few
@given(shapes, st.data())
def test_read_bit_by_bit_the_logits_are_those_of_the_whole(shape: tuple[int, int, int, bool, bool], data: Any) -> None:
    n_layers, n_heads, context_length, tied, bias = shape
    model = lively(
        n_layers=n_layers, n_heads=n_heads, context_length=context_length, tie_embeddings=tied, bias=bias
    ).eval()
    batch = data.draw(st.integers(1, 3))
    token_ids = torch.randint(20, (batch, context_length), generator=torch.Generator().manual_seed(3))
    cuts = sorted(data.draw(st.sets(st.integers(1, context_length - 1))))
    cache = KVCache(model, batch)
    with torch.no_grad():
        pieces = [
            cache.read(token_ids[:, start:end], torch.arange(start, end).expand(batch, -1))
            for start, end in zip([0, *cuts], [*cuts, context_length], strict=True)
        ]
        found, expected = model.head(torch.cat(pieces, dim=1)), model(token_ids)
    assert (found - expected).abs().max() < 1e-4


@few
@given(st.lists(st.lists(st.integers(0, 19), min_size=1, max_size=9), min_size=1, max_size=5), st.integers(0, 99))
def test_texts_of_a_batch_are_what_each_would_be_alone(prompts: list[list[int]], seed: int) -> None:
    """Prompts of all lengths, shorter and longer than the context of 6, and far beyond it."""
    model = lively()
    together = generate(model, prompts, 20, Sampling(1.2, 8), seed=seed)
    alone = [generate(model, [prompt], 20, Sampling(1.2, 8), seed=seed + row)[0] for row, prompt in enumerate(prompts)]
    assert together == alone


def test_the_cache_is_allocated_once() -> None:
    model = lively(context_length=16).eval()
    cache = KVCache(model, 2)
    places = [tensor.data_ptr() for tensor in (*cache.keys, *cache.values)]
    size = sum(tensor.numel() for tensor in (*cache.keys, *cache.values))
    assert size == 2 * 2 * 1 * 16 * 16  # keys and values, texts, layers, positions, emb_dim
    with torch.no_grad():
        for position in range(16):
            cache.read(torch.tensor([[1], [2]]), torch.full((2, 1), position))
    assert [tensor.data_ptr() for tensor in (*cache.keys, *cache.values)] == places
    assert sum(tensor.numel() for tensor in (*cache.keys, *cache.values)) == size


def test_each_token_is_read_once_until_the_context_is_full() -> None:
    model, seen = lively(context_length=8), []
    model.token_embedding.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].shape[1]))
    generate(model, [[1, 2, 3]], 20)
    # The prompt, 5 single tokens, then a reading of 4 now and again instead of one of 8 for every token.
    assert seen[:6] == [3, 1, 1, 1, 1, 1]
    assert sum(seen) < 3 * (3 + 20)
    assert max(seen) <= 4


def test_the_shape_and_the_prompt() -> None:
    prompts = [[1, 2], [3, 4, 5]]
    texts = generate(lively(), prompts, 5)
    assert [len(text) for text in texts] == [7, 8]
    assert [text[:-5] for text in texts] == prompts
    assert generate(lively(), prompts, 0) == prompts
    for wrong in ([], [[1], []]):
        with pytest.raises(ValueError, match="at least one token"):
            generate(lively(), wrong, 1)


def test_one_seed_one_text() -> None:
    model = lively()
    first, again, other = (generate(model, [[1, 2]], 30, seed=seed) for seed in (5, 5, 6))
    assert first == again != other
    assert generate(model, [[1, 2]], 30) != generate(model, [[1, 2]], 30)


def test_the_global_random_state_is_left_alone() -> None:
    """Or the samples would change the training that they look in on."""
    model = lively().train()
    before = torch.get_rng_state()
    generate(model, [[1]], 5, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_left_as_it_was_and_dropout_is_off(training: bool) -> None:
    model = lively().train(training)
    texts = {tuple(generate(model, [[1]], 12, Sampling(0))[0]) for _ in range(5)}
    assert model.training == training
    assert all(module.training == training for module in model.modules())
    assert len(texts) == 1  # dropout at 0.2 would have made others


def test_the_mode_is_left_as_it_was_when_generation_fails() -> None:
    model = lively().train()
    with pytest.raises(IndexError):
        generate(model, [[99]], 1)  # no such token
    assert model.training


def test_a_stream_yields_what_generate_returns() -> None:
    model, prompts = lively(), [[1, 2], [3, 4]]
    sampling = Sampling(1.3, 7)
    steps = list(stream(model, prompts, 15, sampling, seed=4))
    assert [tuple(step.token_ids.shape) for step in steps] == [(2,)] * 15
    assert [tuple(step.logits.shape) for step in steps] == [(2, 20)] * 15
    texts = generate(model, prompts, 15, sampling, seed=4)
    assert [text[2:] for text in texts] == torch.stack([step.token_ids for step in steps], dim=1).tolist()


def test_a_stream_may_be_left_early() -> None:
    """The mode comes back, and the code between two tokens never runs in inference mode."""
    model = lively().train()
    tokens = stream(model, [[1]], 100)
    next(tokens)
    assert not torch.is_inference_mode_enabled()
    assert isinstance(tokens, Generator)
    tokens.close()
    assert model.training


def test_no_gradients_are_kept() -> None:
    model = lively()
    generate(model, [[1]], 3)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    model.loss(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).backward()  # still trainable


@few
@given(different_logits, st.integers(0, 29), st.integers(0, 40))
def test_a_choice_is_explained_by_the_definition(logits: list[float], token_id: int, n_alternatives: int) -> None:
    token_id %= len(logits)
    found = explain_choice(torch.tensor(logits), token_id, n_alternatives, Tokenizer())
    law = exact(np.array(logits, dtype=np.float32).astype(np.float64), 1.0)
    assert found.probability == pytest.approx(law[token_id], abs=1e-12)
    assert found.log_prob == pytest.approx(math.log(found.probability) if found.probability else found.log_prob)
    assert found.rank == sorted(logits, reverse=True).index(logits[token_id])
    positive = law[law > 0]
    assert found.entropy == pytest.approx(-(positive * np.log(positive)).sum(), abs=1e-9)
    assert [other.token_id for other in found.alternatives] == np.argsort(-np.array(logits))[:n_alternatives].tolist()
    assert [other.probability for other in found.alternatives] == pytest.approx(
        law[np.argsort(-law)][:n_alternatives], abs=1e-12
    )


@few
@given(different_logits, st.floats(0.05, 5), st.none() | st.integers(1, 40), st.randoms())
def test_among_others_is_the_distribution_without_the_rest(
    logits: list[float], temperature: float, top_k: int | None, chance: Any
) -> None:
    """Left out before ``top_k`` counts the likeliest, and what is left is drawn as if there were nothing else."""
    among = np.array([chance.random() < 0.5 for _ in logits])
    among[chance.randrange(len(logits))] = True
    masked = torch.tensor([logits], dtype=torch.float64).masked_fill(~torch.from_numpy(among), -math.inf)
    found = next_token_probabilities(masked, Sampling(temperature, top_k))[0].numpy()
    assert not found[~among].any()
    expected = exact(np.array(logits)[among], temperature, top_k)
    np.testing.assert_allclose(found[among], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("top_k", [None, 3, 15])
def test_what_is_not_among_is_never_drawn_and_the_rest_as_before(top_k: int | None) -> None:
    """A text in which nothing was drawn that is left out is the same without leaving it out."""
    model, sampling = lively(), Sampling(1.0, top_k)
    free = generate(model, [[1]], 60, sampling, seed=3)[0]
    seen = torch.zeros(20, dtype=torch.bool)
    seen[free] = True
    assert generate(model, [[1]], 60, Sampling(1.0, 1), seed=3, among=~seen)[0][1:] != free[1:]
    narrow = torch.tensor([token in (2, 5, 11, 17) for token in range(20)])
    drawn = generate(model, [[1]], 60, sampling, seed=3, among=narrow)[0][1:]
    assert set(drawn) <= {2, 5, 11, 17}
    assert len(set(drawn)) > 1
    step = next(iter(stream(model, [[1]], 1, sampling, seed=3, among=narrow)))
    assert torch.equal(step.logits, next(iter(stream(model, [[1]], 1, sampling, seed=3))).logits)  # the model's own
    assert generate(model, [[1]], 60, sampling, seed=3, among=torch.ones(20, dtype=torch.bool))[0] == free
