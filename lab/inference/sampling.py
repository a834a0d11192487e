"""From logits to text: how the next token is chosen."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lab.inference.kv_cache import KVCache
from lab.model import GPTModel


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn from the model's distribution. The defaults take that distribution as it is."""

    temperature: float = 1.0
    """Below 1, likely tokens become likelier still; above 1, all more alike; 0 always takes the likeliest."""
    top_k: int | None = None
    """Only the k likeliest tokens can be drawn; None: all."""
    top_p: float | None = None
    """Only the fewest tokens that together have this probability can be drawn; None: all."""


@dataclass
class Step:
    """One more token for each text."""

    token_ids: Tensor
    """``(batch,)`` int64, on the CPU: what was drawn."""
    logits: Tensor
    """``(batch, vocab_size)`` fp32, on the CPU: the model's own, before temperature and the rest."""


def next_token_probabilities(logits: Tensor, sampling: Sampling) -> Tensor:
    """The distribution that the next token is drawn from: ``(batch, vocab_size)`` to the same shape.

    Dividing by a ``temperature`` below 1 stretches the differences between the logits and makes the likely tokens
    likelier; above 1 it evens them out; 0 stands for the limit, all probability on the likeliest token.

    Each of the tens of thousands of other tokens is next to impossible, but together they are not, and a single one
    of them derails a text. ``top_k`` keeps the k likeliest (Fan et al. 2018, https://arxiv.org/abs/1805.04833).
    ``top_p``, applied after the two others, keeps the fewest that together have the probability p: few where the
    model is sure, many where it isn't (nucleus sampling, Holtzman et al. 2020, https://arxiv.org/abs/1904.09751).
    """
    if sampling.temperature == 0:
        return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    if sampling.top_k is not None:
        weakest = logits.topk(min(sampling.top_k, logits.shape[-1])).values[..., -1:]  # (B, 1)
        logits = logits.masked_fill(logits < weakest, -torch.inf)
    logits = logits - logits.amax(-1, keepdim=True)  # the same distribution, and no overflow however small the divisor
    # A divisor that fp32 would round to 0 or to infinity turns the likeliest, or the left out, into NaN (0/0, inf/inf).
    fp32 = torch.finfo(torch.float32)
    probabilities = torch.softmax(logits / min(max(sampling.temperature, fp32.tiny), fp32.max), dim=-1)
    if sampling.top_p is not None:
        ranked, order = probabilities.sort(dim=-1, descending=True, stable=True)
        # A token stays if those before it have not reached p yet; so the likeliest always does.
        kept = ranked.cumsum(-1) - ranked < sampling.top_p
        kept[..., 0] = True
        probabilities = torch.zeros_like(probabilities).scatter_(-1, order, ranked * kept)
        probabilities = probabilities / probabilities.sum(-1, keepdim=True)
    return probabilities


def draw(logits: Tensor, sampling: Sampling, generators: Sequence[torch.Generator]) -> Tensor:
    """A token for each row, ``(batch, vocab_size)`` to ``(batch,)`` int64: row r with the numbers of generator r.

    The token is the first to arrive where each comes after a time that is drawn from an exponential distribution, at a
    rate of its probability. With ``top_k``, only those few have to be looked at, and the time of each is that of its
    place in the vocabulary: so they are drawn as if all had been looked at (as ``torch.multinomial`` does), for a
    fraction of the work.
    """
    if sampling.temperature == 0:
        return logits.argmax(-1)
    vocab_size = logits.shape[-1]
    if sampling.top_k is not None and sampling.top_k < vocab_size:
        ranked = logits.topk(sampling.top_k + 1)  # (B, k + 1), the likeliest first
        # If the first that is left out were as likely as the last that is not, both could be drawn: done below.
        if bool((ranked.values[:, -1] < ranked.values[:, -2]).all()):
            candidates = ranked.indices[:, :-1]  # (B, k)
            probabilities = next_token_probabilities(ranked.values[:, :-1], replace(sampling, top_k=None))
            # In float64, as torch draws them: in float32, one in 2^24 would be a time of zero, and win.
            draws = [
                torch.rand(vocab_size, dtype=torch.float64, generator=g)[row]
                for g, row in zip(generators, candidates, strict=True)
            ]
            times = -torch.log1p(-torch.stack(draws))  # (B, k)
            first = (probabilities / times.to(probabilities.dtype)).argmax(-1, keepdim=True)  # (B, 1)
            return candidates.gather(-1, first)[:, 0]
    probabilities = next_token_probabilities(logits, sampling)
    return torch.cat([torch.multinomial(p, 1, generator=g) for p, g in zip(probabilities, generators, strict=True)])


@torch.inference_mode()
def stream(
    model: GPTModel,
    prompts: Sequence[Sequence[int]],
    max_tokens: int,
    sampling: Sampling = Sampling(),
    *,
    seed: int | None = None,
    among: Tensor | None = None,
) -> Iterator[Step]:
    """The tokens that continue each of ``prompts``, one by one. Texts of a batch do not influence each other.

    Text r draws its random numbers from a generator of its own, seeded with ``seed + r``; without a seed, they are new
    each time. The global random state is left alone, and so is the mode of the model (training or evaluation).
    Where ``among``, ``(vocab_size,)`` bool on the CPU, is false, a token cannot be drawn: it is left out before
    ``sampling`` sees the others.

    Positions are learnt, and there are ``context_length`` of them: a text that has filled them cannot simply move up.
    Then its older half drops out of sight, and the newer half is read again from position 0. So the model always
    sees between half a context and a whole one, and one token in ``context_length / 2`` costs a longer read.
    A prompt longer than the context is seen from its last ``context_length`` tokens on.

    Raises:
        ValueError: if there is no prompt, or one without a token, or if what the model predicts are no numbers.
    """
    if not prompts or not all(prompts):
        raise ValueError("every text needs at least one token to begin with")
    context_length = model.config.context_length
    generators = [_generator(seed, row) for row in range(len(prompts))]
    was_training = model.training
    model.eval()
    try:
        cache = KVCache(model, len(prompts))
        seen = [list(prompt[-context_length:]) for prompt in prompts]
        hidden = cache.read_texts(seen)  # (B, C)
        for made in range(1, max_tokens + 1):
            logits = model.head(hidden).float().cpu()  # (B, C) -> (B, V)
            if not all(math.isfinite(end) for end in (logits.min().item(), logits.max().item())):  # of NaN, both are
                raise ValueError("the model has NaN or infinity for a score of the next token: its weights are damaged")
            possible = logits if among is None else logits.masked_fill(~among, -torch.inf)
            token_ids = draw(possible, sampling, generators)  # (B,)
            yield Step(token_ids, logits)
            if made < max_tokens:
                hidden = _read_on(cache, seen, token_ids)
    finally:
        model.train(was_training)


def generate(
    model: GPTModel,
    prompts: Sequence[Sequence[int]],
    max_tokens: int,
    sampling: Sampling = Sampling(),
    *,
    seed: int | None = None,
    among: Tensor | None = None,
) -> list[list[int]]:
    """Each of ``prompts`` with its continuation of ``max_tokens`` tokens; the rest as in ``stream``."""
    texts = [list(prompt) for prompt in prompts]
    for step in stream(model, prompts, max_tokens, sampling, seed=seed, among=among):
        for text, token in zip(texts, step.token_ids.tolist(), strict=True):
            text.append(token)
    return texts


def _generator(seed: int | None, row: int) -> torch.Generator:
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed + row)
    return generator


def _read_on(cache: KVCache, seen: list[list[int]], token_ids: Tensor) -> Tensor:
    """Adds a token to each text, and to what the cache knows of it. Returns ``(batch, emb_dim)``."""
    context_length = cache.model.config.context_length
    for text, token in zip(seen, token_ids.tolist(), strict=True):
        text.append(token)
    positions = torch.tensor([[min(len(text), context_length) - 1] for text in seen])  # (B, 1)
    hidden = cache.read(token_ids[:, None], positions)[:, 0]  # (B, C)
    full = [row for row, text in enumerate(seen) if len(text) > context_length]
    if full:
        for row in full:
            del seen[row][: -max(1, context_length // 2)]
        hidden[full] = cache.read_texts([seen[row] for row in full], torch.tensor(full))
    return hidden
