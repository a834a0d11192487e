"""The figures by which a run is judged, each explained where it is computed."""

import math
import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics import Metric

_UNITS = 2.0**32
"""Of a sum of losses in one nat. A power of two, so that nothing is lost in multiplying; room for two billion nats."""


class LanguageModelMetrics(Metric):
    """Loss, perplexity and bits per byte over all the tokens seen since the last reset.

    Holds three sums and never the logits: 50,257 numbers a token, of which one was needed. Sums also make the result
    right when batches differ in length, where a mean of means would be wrong, and when several devices add theirs up.
    """

    full_state_update = False
    nll: Tensor
    not_finite: Tensor
    tokens: Tensor
    bytes: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The sum is kept in fixed point: a million losses added up in float32 lose the digits in which two runs
        # differ, float64 is not to be had on every device, and a module cast to bfloat16 takes its floats along.
        # Whole numbers add up exactly, in any order.
        self.add_state("nll", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        # Whole numbers have no NaN, so that is kept count of.
        self.add_state("not_finite", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("tokens", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("bytes", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, nll: Tensor, tokens: int, n_bytes: Tensor) -> None:
        """Adds a batch: its summed negative log-likelihood in nats, its number of targets, their length in bytes."""
        wide = nll if nll.dtype == torch.float64 else nll.float()
        self.not_finite += (~torch.isfinite(wide)).long()
        self.nll += wide.nan_to_num(0, 0, 0).mul(_UNITS).round().long()
        self.tokens += tokens
        self.bytes += n_bytes

    def compute(self) -> dict[str, Tensor]:
        """``loss`` in nats a token; ``perplexity`` = exp(loss); ``bits_per_byte``.

        Perplexity reads as "as unsure as if it chose among that many equally likely tokens". Bits per byte does not
        depend on how the tokenizer cuts the text; eight would mean that nothing has been learnt about it.
        """
        # On the CPU, where there is always a float64.
        nll, tokens, n_bytes = self.nll.cpu().double() / _UNITS, self.tokens.cpu(), self.bytes.cpu()
        if self.not_finite:
            nll.fill_(math.nan)
        loss = nll / tokens
        return {
            "loss": loss,
            "perplexity": loss.exp(),
            "bits_per_byte": nll / math.log(2) / n_bytes.clamp(min=1),
        }


class PartMetrics(nn.Module):
    """Bits per byte of several texts, by name, each by itself. Of none: nothing is measured."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = names
        self._parts = [LanguageModelMetrics() for _ in names]
        self.parts = nn.ModuleList(self._parts)  # they move to the device with it

    def update(self, part: int, nll: Tensor, tokens: int, n_bytes: Tensor) -> None:
        """Adds a batch of the text number ``part``; see ``LanguageModelMetrics``."""
        if self._parts:
            self._parts[part].update(nll, tokens, n_bytes)

    def compute(self) -> dict[str, float]:
        """Of all since the last call, which begins anew."""
        found = {
            name: part.compute()["bits_per_byte"].item() for name, part in zip(self.names, self._parts, strict=True)
        }
        for part in self._parts:
            part.reset()
        return found


def unigram_loss(counts: np.ndarray, targets: np.ndarray) -> float:
    """Loss in nats a token of a model that knows how often each token occurs and nothing about order.

    The yardstick for "has it learnt anything?": a GPT reaches this level by adjusting little more than its output
    biases, and only what lies below it is grammar and sense. ``counts`` and ``targets`` are ``(vocab_size,)``: how
    often each token stands in the training text, and in the text that is scored.

    Counts are smoothed by adding a constant to each (Lidstone), since a token never seen must not have probability 0.
    Of three constants the one that suits ``targets`` best is taken: that favours the yardstick, not the model.
    """
    losses = []
    for alpha in (1.0, 0.1, 0.01):
        log_probabilities = np.log(counts + alpha) - np.log(counts.sum() + alpha * len(counts))
        losses.append(float(-(targets @ log_probabilities) / targets.sum()))
    return min(losses)


# Peak dense bf16 throughput in FLOP/s, from the makers' data sheets. The key is part of the device's name.
_PEAK_FLOPS = {
    "H200": 989e12,
    "H100": 989e12,
    "H100 NVL": 835e12,
    "H100 PCIe": 756e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10": 125e12,
    "T4": 65e12,  # fp16: it has no bf16
    "V100": 125e12,  # fp16, likewise
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
}


def peak_flops(device_name: str) -> float | None:
    """The most FLOP/s that the device could do in bf16, or None where we do not know (every CPU, many GPUs)."""
    # As whole words, the longest first: an "L40" is no "L4", and an "H100 PCIe" is not quite an "H100".
    for key in sorted(_PEAK_FLOPS, key=len, reverse=True):
        if re.search(rf"\b{key}\b", device_name):
            return _PEAK_FLOPS[key]
    return None


def model_flops_utilization(tokens_per_second: float, flops_a_token: int, peak: float) -> float:
    """MFU, 0 to 1: the share of the hardware's peak that the model's own arithmetic used (Chowdhery et al. 2022)."""
    return tokens_per_second * flops_a_token / peak
