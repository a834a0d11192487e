"""Every token scored exactly once, with the context that was promised: against float64, one target at a time."""

import copy
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.data.windows import evaluation_batches
from lab.evaluation import scoring
from lab.evaluation.scoring import score_continuations, score_text, window_batches
from lab.model import GPTConfig, GPTModel

VOCAB, CONTEXT = 23, 6
TOKENS = st.lists(st.integers(0, VOCAB - 1), min_size=2, max_size=40)
BYTE_LENGTHS = np.arange(VOCAB)
few = settings(max_examples=60, deadline=None)


def made(seed: int = 0) -> GPTModel:
    """A model of random weights large enough to have strong opinions."""
    torch.manual_seed(seed)
    config = GPTConfig(emb_dim=8, n_layers=2, n_heads=2, context_length=CONTEXT, vocab_size=VOCAB, drop_rate=0.5)
    model = GPTModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.4)
    return model.eval()


MODEL = made()
EXACT = copy.deepcopy(MODEL).double()


def log_probabilities(context: Sequence[int]) -> torch.Tensor:
    """Of what comes after ``context``, ``(vocab_size,)`` float64, by the plain forward pass."""
    with torch.no_grad():
        return EXACT(torch.tensor([list(context)]))[0, -1].log_softmax(-1)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.integers(0, 70), st.integers(1, 12), st.integers(1, 5))
def test_each_target_is_scored_exactly_once(data, n_tokens: int, context_length: int, batch_size: int) -> None:
    stride = data.draw(st.integers(1, context_length))
    scored: Counter[int] = Counter()
    for batch in window_batches(n_tokens, context_length, stride, batch_size):
        assert 1 <= batch.rows <= batch_size
        assert 1 <= batch.seq <= context_length
        for row in range(batch.rows):
            start = batch.start + row * stride
            assert start + batch.seq < n_tokens  # the last target is a token of the text
            for place in range(batch.skip, batch.seq):
                target, n_context = start + place + 1, place + 1
                scored[target] += 1
                assert n_context >= min(target, context_length - stride)
    assert scored == dict.fromkeys(range(1, n_tokens), 1)


@given(st.integers(0, 70), st.integers(1, 12), st.integers(1, 5))
def test_without_overlap_the_windows_are_those_of_a_run(n_tokens: int, context_length: int, batch_size: int) -> None:
    ours = window_batches(n_tokens, context_length, context_length, batch_size)
    tokens = np.zeros(n_tokens, dtype=np.uint16)
    assert [(b.start, b.rows, b.seq) for b in ours] == evaluation_batches(tokens, context_length, batch_size)


@few
@given(TOKENS, st.integers(1, CONTEXT), st.integers(1, 4))
def test_a_text_is_scored_as_by_hand(tokens: list[int], stride: int, batch_size: int) -> None:
    nll, correct = 0.0, 0
    for target in range(1, len(tokens)):
        # The first window that reaches the target, and what lies in it before the target.
        window = max(0, math.ceil((target - CONTEXT) / stride))
        predicted = log_probabilities(tokens[window * stride : target])
        nll -= predicted[tokens[target]].item()
        correct += int(predicted.argmax()) == tokens[target]
    shares: list[int] = []
    text = np.array(tokens, dtype=np.uint16)
    score = score_text(MODEL, text, BYTE_LENGTHS, stride=stride, batch_size=batch_size, advance=shares.append)
    assert score.nll == pytest.approx(nll, rel=1e-5)
    assert score.correct == correct
    assert score.tokens == sum(shares) == len(tokens) - 1
    assert score.n_bytes == sum(tokens[1:])  # token i stands for i bytes here
    assert score.loss == pytest.approx(nll / score.tokens, rel=1e-5)
    assert score.perplexity == pytest.approx(math.exp(score.loss))
    assert score.bits_per_byte == pytest.approx(score.nll / max(1, score.n_bytes) / math.log(2))


PAIRS = st.lists(
    st.tuples(
        st.lists(st.integers(0, VOCAB - 1), min_size=1, max_size=12),
        st.lists(st.integers(0, VOCAB - 1), min_size=1, max_size=CONTEXT),
    ),
    min_size=1,
    max_size=9,
)


@few
@given(PAIRS, st.integers(1, 8))
def test_a_continuation_is_scored_as_by_hand_in_any_company(pairs, batch_size: int) -> None:
    shares: list[int] = []
    found = score_continuations(MODEL, pairs, batch_size=batch_size, advance=shares.append)
    assert sum(shares) == len(pairs)
    for (context, continuation), score in zip(pairs, found, strict=True):
        kept = context[max(0, len(context) + len(continuation) - 1 - CONTEXT) :]
        predicted = [log_probabilities(kept + continuation[:n]) for n in range(len(continuation))]
        expected = sum(p[token].item() for p, token in zip(predicted, continuation, strict=True))
        assert score.log_likelihood == pytest.approx(expected, rel=1e-5)
        assert score.greedy == all(int(p.argmax()) == t for p, t in zip(predicted, continuation, strict=True))


def test_what_a_greedy_model_writes_is_greedy() -> None:
    context = [3, 1]
    continuation: list[int] = []
    for _ in range(4):
        continuation.append(int(log_probabilities(context + continuation).argmax()))
    other = [*continuation[:-1], (continuation[-1] + 1) % VOCAB]
    right, wrong = score_continuations(MODEL, [(context, continuation), (context, other)])
    assert (right.greedy, wrong.greedy) == (True, False)


def test_the_mode_of_the_model_is_left_and_dropout_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    text = np.arange(VOCAB, dtype=np.uint16)
    expected = score_text(model, text, BYTE_LENGTHS).nll
    model.train()
    assert score_text(model, text, BYTE_LENGTHS).nll == expected
    assert model.training


def test_only_a_few_rows_of_logits_are_held_at_a_time() -> None:
    model, rows = made(), []
    model.head.register_forward_hook(lambda module, inputs, logits: rows.append(len(logits)))
    text = np.arange(3000, dtype=np.uint16) % VOCAB
    score_text(model, text, BYTE_LENGTHS, batch_size=400)
    assert sum(rows) == 2999
    assert max(rows) <= scoring._ROWS


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same() -> None:
    text = np.random.default_rng(0).integers(0, VOCAB, 500).astype(np.uint16)
    pairs = [([1, 2, 3], [4, 5]), ([6], [7, 8, 9]), ([10] * 9, [11])]
    there = made().cuda()
    for stride in (2, CONTEXT):
        score, expected = (score_text(m, text, BYTE_LENGTHS, stride=stride) for m in (there, MODEL))
        assert score.nll == pytest.approx(expected.nll, rel=1e-4)
        assert (score.correct, score.n_bytes) == (expected.correct, expected.n_bytes)
    for found, wanted in zip(score_continuations(there, pairs), score_continuations(MODEL, pairs), strict=True):
        assert found.log_likelihood == pytest.approx(wanted.log_likelihood, rel=1e-4)
        assert found.greedy == wanted.greedy


@pytest.mark.parametrize("stride", [-1, CONTEXT + 1])
def test_a_stride_that_leaves_gaps_is_refused(stride: int) -> None:
    with pytest.raises(ValueError, match=f"stride={stride}"):
        score_text(MODEL, np.arange(9, dtype=np.uint16), BYTE_LENGTHS, stride=stride)


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(ValueError, match="1 tokens"):
        score_text(MODEL, np.zeros(1, dtype=np.uint16), BYTE_LENGTHS)
    for pair in [([], [1]), ([1], []), ([1], [1] * (CONTEXT + 1))]:
        with pytest.raises(ValueError, match="cannot be scored"):
            score_continuations(MODEL, [pair])


def test_a_perplexity_beyond_every_float_is_infinite() -> None:
    assert scoring.perplexity(1e4) == math.inf
    assert scoring.perplexity(0) == 1
