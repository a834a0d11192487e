"""What goes on inside a model while it reads a prompt.

A loss says how well a model predicts, and nothing of how. This room takes a model apart on a single text: who attends
to whom, how the residual stream grows, which units of the feed-forward networks are silent, what each layer would
predict if it were the last one, and what each attention head is worth. It needs torch and ``lab.model`` and computes
nothing that the model computes: it listens to the model's own parts, by torch's forward hooks, while attention takes
the spelled-out path. Training runs none of it.

    seen = look(model, torch.tensor(tokenizer.encode("The fox")))
    seen.attention[0, 3]      # layer 0, head 3: (seq, seq)
    seen.to_plain()           # the same as dicts and lists, for JSON

All functions leave the model as they found it (its mode, its gradients, its hooks), accept a model on any device, and
return tensors on the CPU. L is n_layers, T the tokens of the prompt.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lab.model import GPTModel, TransformerBlock

NEAR_ZERO = 1e-2
"""An activation of a smaller absolute value counts as zero. GELU is never exactly zero for a negative input, only
ever closer to it: the threshold stands for what a ReLU would have cut off."""


@dataclass
class Activations:
    """How the numbers of one tensor, ``(T, width)``, are distributed."""

    mean: float
    std: float
    """Standard deviation, dividing by the number of values."""
    sparsity: float
    """Share of values x with |x| < NEAR_ZERO, 0 to 1."""
    counts: Tensor
    """``(bins,)`` int64, how many finite values fall between two edges; the last bin includes its upper edge."""
    edges: Tensor
    """``(bins + 1,)``, evenly spaced from the smallest to the largest finite value."""


@dataclass
class Layer:
    """The statistics of one block."""

    residual: Activations
    """Of the residual stream after the block."""
    attention: Activations
    """Of what attention adds to the stream, after its output projection."""
    feed_forward: Activations
    """Of the hidden units of the feed-forward network: what its last matrix reads, in GPT-2 4 * emb_dim after GELU."""
    n_units: int
    """Hidden units of the feed-forward network; emb_dim, its output, for one that has no last matrix ``project``."""
    dead_units: list[int]
    """The hidden units with |x| < NEAR_ZERO at every position of this prompt, ascending.

    A prompt is a small sample: a unit that is silent here may wake at another text, and the fewer tokens, the more
    units are listed. Only one that is silent on many texts is dead indeed.
    """


@dataclass
class Lens:
    """The logit lens: the final norm and the head applied to the residual stream after each block.

    It shows at which depth a prediction takes shape. Its last row is the model's own output. nostalgebraist 2020,
    "interpreting GPT: the logit lens", https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru.
    """

    top_token_ids: Tensor
    """``(L, T, top_k)`` int64, the likeliest next tokens at each position, likeliest first."""
    top_probabilities: Tensor
    """``(L, T, top_k)``, theirs."""
    ranks: Tensor
    """``(L, T - 1)`` int64, the place of the actual next token, 1 for the likeliest: one more than the number of
    tokens that are likelier."""
    probabilities: Tensor
    """``(L, T - 1)``, that of the actual next token."""


@dataclass
class Look:
    """One forward pass, seen from inside."""

    token_ids: Tensor
    """``(T,)`` int64, the prompt."""
    attention: Tensor
    """``(L, n_heads, T, T)``: row i says how much position i takes from each position."""
    residual_norms: Tensor
    """``(L + 1, T)``, Euclidean length of each token's vector: as embedded, then after each block."""
    layers: list[Layer]
    """L of them."""
    logit_lens: Lens
    token_losses: Tensor
    """``(T - 1,)``, in nats: the surprise at tokens 1 to T - 1. Nothing predicts token 0."""
    top_token_ids: Tensor
    """``(T, top_k)`` int64, what the model expects after each position, likeliest first."""
    top_probabilities: Tensor
    """``(T, top_k)``, theirs."""
    entropy: Tensor
    """``(T,)``, of the prediction at each position, in nats: 0 if it is certain, ln(vocab_size) if it knows nothing."""

    def to_plain(self) -> dict[str, Any]:
        """As nested dicts and lists of the same names, for JSON; NaN and infinity become None."""
        plain: dict[str, Any] = to_plain(self)
        return plain


@torch.no_grad()
def look(model: GPTModel, token_ids: Tensor, *, top_k: int = 5, bins: int = 32) -> Look:
    """Sends a prompt, ``(T,)`` int64, once through the model, block by block, and notes what can be seen.

    Dropout is off. ``top_k`` is limited to the vocabulary. The attention weights take L * n_heads * T * T numbers.

    Raises:
        ValueError: if the prompt is empty, longer than ``context_length`` or has a token that the model lacks, or if
            ``top_k`` or ``bins`` is below 1; if the model has parts that cannot be looked into.
    """
    if top_k < 1 or bins < 1:
        raise ValueError(f"top_k={top_k} and bins={bins} must be at least 1")
    blocks = open_blocks(model)
    token_ids = token_ids.detach()
    with evaluating(model), listening() as listen:
        weights = [listen(block.attention.weights_dropout) for block in blocks]  # each (1, H, T, T)
        attended = [listen(block.attention) for block in blocks]  # (1, T, C)
        hidden = [hidden_units(block, listen) for block in blocks]  # (1, T, 4C)
        stream = [listen(model.dropout), *(listen(block) for block in blocks)]  # (1, T, C)
        model.hidden(checked(model, token_ids)[None])
        layers, lenses = [], []
        for layer in range(len(blocks)):
            silent = (hidden[layer].value[0].abs() < NEAR_ZERO).all(dim=0)  # (4C,)
            layers.append(
                Layer(
                    residual=_statistics(stream[layer + 1].value, bins),
                    attention=_statistics(attended[layer].value, bins),
                    feed_forward=_statistics(hidden[layer].value, bins),
                    n_units=len(silent),
                    dead_units=silent.nonzero().flatten().tolist(),
                )
            )
            log_probabilities = _log_probabilities(model, stream[layer + 1].value)[0]  # (T, V)
            lenses.append(_lens(log_probabilities, token_ids.to(log_probabilities.device), top_k))
    # After the last block, the lens is the model's own prediction.
    lens = Lens(*(torch.stack([getattr(one, field.name) for one in lenses]) for field in dataclasses.fields(Lens)))
    following = token_ids[1:, None].to(log_probabilities.device)  # (T - 1, 1)
    return Look(
        token_ids=token_ids.cpu(),
        attention=torch.stack([heard.value[0].cpu() for heard in weights]),
        residual_norms=torch.stack([heard.value[0].norm(dim=-1) for heard in stream]).cpu(),
        layers=layers,
        logit_lens=lens,
        token_losses=-log_probabilities[:-1].gather(1, following)[:, 0].cpu(),
        top_token_ids=lens.top_token_ids[-1],
        top_probabilities=lens.top_probabilities[-1],
        entropy=torch.special.entr(log_probabilities.exp()).sum(dim=-1).cpu(),
    )


@torch.no_grad()
def ablate_heads(model: GPTModel, token_ids: Tensor) -> Tensor:
    """How much worse the model predicts the prompt without each of its heads: ``(L, n_heads)``, in nats a token.

    The mean loss with the head's share of the output projection's input set to zero, minus the mean loss of the whole
    model. Positive: the head helps on this text; negative: it harms. One head is missing at a time, so two heads that
    can stand in for each other look idle both (Michel et al. 2019, https://arxiv.org/abs/1905.10650). All NaN for a
    prompt of one token, which has no loss.

    Raises:
        ValueError: as ``look``.
    """
    with evaluating(model):
        ids = checked(model, token_ids)
        blocks, n_heads = open_blocks(model), model.config.n_heads
        changes = torch.full((len(blocks), n_heads), math.nan)
        if len(ids) == 1:
            return changes
        x = model.embed(ids[None])  # (1, T, C)
        losses = []
        for layer, block in enumerate(blocks):
            # Below its layer, a missing head changes nothing: all variants start from the same x, and go on from here
            # side by side as a batch of n_heads.
            with _without_each_head(block):
                variants = block(x)  # (H, T, C): row h lacks head h
            for above in blocks[layer + 1 :]:
                variants = above(variants)
            # One at a time through the head: the logits are by far the largest tensor.
            losses.append(torch.stack([mean_loss(model, variant[None], ids) for variant in variants]))
            x = block(x)
        return (torch.stack(losses) - mean_loss(model, x, ids)).cpu()


@torch.no_grad()
def attention_weights(model: GPTModel, token_ids: Tensor) -> list[Tensor]:
    """Who looks where in each of several texts: ``(batch, seq)`` int64 to L tensors ``(batch, n_heads, seq, seq)``.

    Row i says how much position i takes from each position: it sums to 1 and is 0 right of the diagonal. The model
    stays in the mode it is in: in training mode, dropout has already been at the weights.
    """
    with _spelled_out(model), listening() as listen:
        weights = [listen(block.attention.weights_dropout) for block in open_blocks(model)]
        model.hidden(token_ids)
    return [heard.value for heard in weights]


@torch.no_grad()
def neighbors(model: GPTModel, token_id: int, k: int) -> list[tuple[int, float]]:
    """The ``k`` tokens whose embeddings point most nearly the same way: (token id, cosine similarity), nearest first.

    The token itself is left out, and ``k`` is limited to the others.

    Raises:
        ValueError: if the model has no such token, or ``k`` is negative.
    """
    table = model.token_embedding.weight  # (V, C)
    if not 0 <= token_id < len(table):
        raise ValueError(f"token {token_id} is not in a vocabulary of {len(table)}")
    if k < 0:
        raise ValueError(f"k={k} must be at least 0")
    cosines = torch.cosine_similarity(table, table[token_id][None], dim=-1)  # (V,)
    cosines[token_id] = -torch.inf
    found = cosines.topk(min(k, len(table) - 1))
    return list(zip(found.indices.tolist(), found.values.tolist(), strict=True))


def to_plain(value: Any) -> Any:
    """Dataclasses as dicts and tensors as nested lists, of what JSON knows: NaN and infinity, which it has not, become
    None. Numbers are rounded to 7 significant digits, which is what float32 holds."""
    if isinstance(value, Tensor):
        return to_plain(value.tolist())
    if isinstance(value, list | tuple):
        return [to_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: to_plain(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value


class Heard:
    """What the last call of a part of the model gave."""

    value: Tensor


@contextmanager
def listening() -> Iterator[Callable[..., Heard]]:
    """Yields a function that keeps the output of a part of the model, or what goes into it; afterwards nobody listens
    any more."""
    with ExitStack() as hooks:

        def listen(part: nn.Module, at_input: bool = False) -> Heard:
            heard = Heard()

            def keep(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
                heard.value = (inputs[0] if at_input else output).detach()

            hooks.callback(part.register_forward_hook(keep).remove)
            return heard

        yield listen


def hidden_units(block: TransformerBlock, listen: Callable[..., Heard]) -> Heard:
    project = getattr(block.feed_forward, "project", None)
    return listen(project, at_input=True) if isinstance(project, nn.Module) else listen(block.feed_forward)


@contextmanager
def _without_each_head(block: TransformerBlock) -> Iterator[None]:
    """One text becomes a batch of n_heads: in row h, head h's share of the projection's input is zero."""
    heads = block.attention
    present = 1 - torch.eye(heads.n_heads, device=heads.project.weight.device)  # (H, H)
    mask = present.repeat_interleave(heads.head_dim, dim=1)[:, None]  # (H, 1, C)
    hook = heads.project.register_forward_pre_hook(lambda _, inputs: (inputs[0] * mask.to(inputs[0].dtype),))
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def _spelled_out(model: GPTModel) -> Iterator[None]:
    """Attention takes its steps one by one, so that the weights between them can be seen."""
    before = [block.attention.spelled_out for block in open_blocks(model)]
    for block in open_blocks(model):
        block.attention.spelled_out = True
    try:
        yield
    finally:
        for block, spelled_out in zip(open_blocks(model), before, strict=True):
            block.attention.spelled_out = spelled_out


@contextmanager
def evaluating(model: GPTModel) -> Iterator[None]:
    """Switches dropout off and spells attention out; afterwards each part is back in the mode it was in."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with _spelled_out(model):
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def open_blocks(model: GPTModel) -> list[TransformerBlock]:
    """The blocks, once it is certain that they have what is listened to: those of a user's own may be anything."""
    for block in model.blocks:
        attention = getattr(block, "attention", None)
        named = [attention] if isinstance(block, TransformerBlock) else [block, attention]
        if not (isinstance(block, TransformerBlock) or hasattr(block, "feed_forward")) or not all(
            hasattr(attention, name) for name in ("weights_dropout", "spelled_out", "n_heads", "head_dim", "project")
        ):
            kinds = " and ".join(type(part).__name__ for part in named)
            raise ValueError(
                f"the model cannot be looked into: {kinds} is not built like lab.model.MultiHeadAttention in a "
                "lab.model.TransformerBlock, whose weights can be seen"
            )
    return list(model.blocks)  # type: ignore[arg-type]


def checked(model: GPTModel, token_ids: Tensor) -> Tensor:
    """``token_ids`` on the model's device, once it is certain that the model can read them."""
    config = model.config
    if token_ids.ndim != 1 or len(token_ids) == 0:
        raise ValueError(
            f"a prompt is a row of at least one token, and this one has the shape {tuple(token_ids.shape)}"
        )
    if len(token_ids) > config.context_length:
        raise ValueError(
            f"a prompt of {len(token_ids)} tokens does not fit into a context of {config.context_length}: shorten it"
        )
    # On a GPU, an id outside the table would stop the whole process.
    if token_ids.min() < 0 or token_ids.max() >= config.vocab_size:
        raise ValueError(f"the prompt has a token that is not in a vocabulary of {config.vocab_size}")
    return token_ids.to(model.token_embedding.weight.device)


def _log_probabilities(model: GPTModel, x: Tensor) -> Tensor:
    """What the model would predict if the residual stream ended here: ``(batch, T, C)`` to ``(batch, T, V)``."""
    logits = model.head(model.final_norm(x))
    # Half precision is too coarse for the tail of a distribution over 50,257 tokens.
    return torch.log_softmax(logits, dim=-1, dtype=torch.promote_types(logits.dtype, torch.float32))


def mean_loss(model: GPTModel, x: Tensor, token_ids: Tensor) -> Tensor:
    """Mean loss in nats a token, from the last residual stream, ``(1, T, C)``."""
    return -_log_probabilities(model, x)[0, :-1].gather(1, token_ids[1:, None]).mean()


def _lens(log_probabilities: Tensor, token_ids: Tensor, top_k: int) -> Lens:
    """One layer of the lens, from its ``(T, V)``."""
    vocab_size = log_probabilities.shape[-1]
    top = log_probabilities.topk(min(top_k, vocab_size))
    actual = log_probabilities[:-1].gather(1, token_ids[1:, None])  # (T - 1, 1)
    # "Not less or equal" is "greater", but that a NaN is greater, too: a broken model must not come out as the best.
    ahead = (~(log_probabilities[:-1] <= actual)).sum(dim=-1)
    return Lens(
        top_token_ids=top.indices.cpu(),
        top_probabilities=top.values.exp().cpu(),
        ranks=(ahead + 1).clamp(max=vocab_size).cpu(),
        probabilities=actual[:, 0].exp().cpu(),
    )


def _statistics(x: Tensor, bins: int) -> Activations:
    # In float64, since the sums run over thousands of values; on the CPU, since GPUs have no histogram with edges, and
    # Apple's no float64.
    values = x.flatten().cpu().double()
    finite = values[values.isfinite()]
    low, high = (finite.min().item(), finite.max().item()) if len(finite) else (0.0, 0.0)
    if low == high:  # an interval of no width has no bins
        low, high = low - 0.5, high + 0.5
    edges = torch.linspace(low, high, bins + 1, dtype=torch.float64)
    return Activations(
        mean=values.mean().item(),
        std=values.std(correction=0).item(),
        sparsity=(values.abs() < NEAR_ZERO).double().mean().item(),
        counts=torch.histogram(finite, edges).hist.long(),
        edges=edges,
    )
