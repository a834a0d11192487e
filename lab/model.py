"""GPT-2's decoder, in the order in which a token meets its parts.

A GPT answers one question, over and over: given the tokens so far, which one comes next? To answer it, each token
becomes a vector of ``emb_dim`` numbers, and the vectors walk through ``n_layers`` identical blocks. In each block two
things happen to them. *Attention* lets every position gather what it needs from the positions before it; the
*feed-forward* network then works on each position by itself. At the end, every vector is compared with the embedding
of each token of the vocabulary, and the closest ones are the model's guesses.

    token ids (batch, seq)
        |  token embedding + position embedding
    x   (batch, seq, emb_dim)  <- the residual stream
        |  n_layers x TransformerBlock:   x = x + attention(norm1(x))
        |                                 x = x + feed_forward(norm2(x))
        |  final LayerNorm
        |  output head
    logits (batch, seq, vocab_size)

Sources: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" (GPT-2); Vaswani et al. 2017,
"Attention Is All You Need", https://arxiv.org/abs/1706.03762. Chapters 3 and 4 of Raschka's *Build a Large Language
Model (From Scratch)* build the same parts. This file needs torch and nothing else: take it with you. Later models
changed one part or another: what they put in its place stands in ``lab/parts``, a short file each, made to fit here.

The letters in the shape comments: B batch, T positions in the sequence, K positions that can be looked at, C emb_dim,
H n_heads, D = C / H head size, V vocab_size.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


@dataclass
class GPTConfig:
    """The shape of a GPT; a ValueError if the numbers do not make one. The defaults are the ``nano`` preset."""

    emb_dim: int = 256
    """Length of the vector that stands for a token (GPT-2: 768 to 1600)."""
    n_layers: int = 6
    """Transformer blocks, one after the other."""
    n_heads: int = 8
    """Attention heads in each block; each works on emb_dim / n_heads of the numbers."""
    context_length: int = 256
    """The most tokens the model can look at, in tokens. Longer texts are cut into windows of this length."""
    drop_rate: float = 0.1
    """Share of activations set to zero at random while training, 0 to 1 (1 not included)."""
    qkv_bias: bool = True
    """A bias on the query, key and value projections, as GPT-2 has it."""
    bias: bool = True
    """Biases everywhere else: in the other linear layers and as the shift of each LayerNorm."""
    tie_embeddings: bool = True
    """The output head shares its matrix with the token embedding."""
    activation_checkpointing: bool = False
    """Recompute each block's activations in the backward pass: about a third more work for much less memory."""
    vocab_size: int = 50257
    """Size of the vocabulary. The tokenizer decides it: 50,257 for GPT-2's."""

    def __post_init__(self) -> None:
        for name in ("emb_dim", "n_layers", "n_heads", "context_length", "vocab_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if not 0 <= self.drop_rate < 1:
            raise ValueError(f"drop_rate={self.drop_rate} must be at least 0 and below 1")
        if self.emb_dim % self.n_heads and getattr(self, "head_dim", None) is None:
            raise ValueError(
                f"emb_dim={self.emb_dim} is not divisible by n_heads={self.n_heads}: each head takes an equal share"
            )


class LayerNorm(nn.Module):
    """Brings each token's vector to mean 0 and variance 1, then lets the model choose a scale and a shift.

    Without it, the size of the numbers drifts from layer to layer, and no single learning rate suits all of them.
    The statistics are over the ``emb_dim`` numbers of one token, never over the batch: a text must not come out
    differently because of its neighbours. Ba et al. 2016, https://arxiv.org/abs/1607.06450.
    """

    def __init__(self, emb_dim: int, bias: bool = True, eps: float = 1e-5) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(emb_dim))
        self.shift = nn.Parameter(torch.zeros(emb_dim)) if bias else None
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """``(..., emb_dim)`` to the same shape."""
        # scale * (x - mean) / sqrt(var + eps) + shift, in one fused kernel. The variance divides by emb_dim, not by
        # emb_dim - 1, because GPT-2's does; eps keeps a constant vector from dividing by zero.
        return F.layer_norm(x, self.scale.shape, self.scale, self.shift, eps=self.eps)


class GELU(nn.Module):
    """x * P(Z <= x) for a standard normal Z: a ReLU with a soft corner. Hendrycks and Gimpel 2016,
    https://arxiv.org/abs/1606.08415.

    A ReLU's gradient is exactly zero for every negative input, and a unit that is stuck there learns nothing more.
    GELU lets a little through. GPT-2 was trained with the tanh approximation, so its weights want just that one:
    0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return F.gelu(x, approximate="tanh")


class Dropout(nn.Module):
    """Sets each number to zero with probability ``drop_rate`` while training, and scales the others up to make up for
    it; afterwards it does nothing. Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html.

    A model that can rely on no single number has to spread what it knows, and learns less by heart.
    """

    def __init__(self, drop_rate: float) -> None:
        super().__init__()
        self.drop_rate = drop_rate

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        if not self.training or self.drop_rate == 0 or x.device.type != "cpu":
            return F.dropout(x, self.drop_rate, self.training)
        # On a CPU, drawing the random numbers is a tenth of a training step. One draw has 64 bits, and 16 of them
        # are enough to decide with a probability that is right to the fifth digit: four decisions a draw.
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        numbers = draws.view(torch.int16)[: x.numel()].view(x.shape)  # even over -32768 ... 32767
        dropped = round(self.drop_rate * 2**16)
        kept = torch.ge(numbers, dropped - 2**15, out=torch.empty_like(x))  # ones and zeros as numbers to multiply by
        return x * kept.mul_(2**16 / (2**16 - dropped))


class FeedForward(nn.Module):
    """Two linear layers around a GELU, applied to every position by itself.

    Attention moves information between positions; this is where the model works on what has arrived. The middle is
    four times wider (Vaswani et al. 2017, section 3.3): two thirds of a block's weights live here.
    """

    def __init__(self, config: GPTConfig, hidden_dim: int | None = None) -> None:
        super().__init__()
        hidden_dim = hidden_dim or 4 * config.emb_dim
        self.expand = nn.Linear(config.emb_dim, hidden_dim, bias=config.bias)
        self.gelu = GELU()
        self.project = nn.Linear(hidden_dim, config.emb_dim, bias=config.bias)
        self.dropout = Dropout(config.drop_rate)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, seq, emb_dim)`` to the same shape."""
        x = self.gelu(self.expand(x))  # (B, T, C) -> (B, T, 4C)
        x = self.project(x)  # (B, T, 4C) -> (B, T, C)
        return self.dropout(x)


class LayerCache(Protocol):
    """What one layer remembers of texts that are written on, token by token (see ``lab/inference/kv_cache.py``).

    An earlier position's key and value do not change when the text goes on: computed once, they can be kept.
    """

    @property
    def positions(self) -> Tensor:
        """``(batch, seq)`` int64: where in its text each new token stands, and its column in what is returned below."""

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Takes the new positions' keys and values, ``(batch, n_heads, seq, head_dim)``.
        Returns those of all ``known`` positions, from 0 on and the new ones among them, ``(batch, n_heads, known,
        head_dim)``, and which of these each new position may look at, ``(batch, 1, seq, known)`` bool.
        """
        ...


class MultiHeadAttention(nn.Module):
    """Every position looks back and takes a weighted average of what it finds (Vaswani et al. 2017, section 3.2).

    Each position sends out three vectors: a *query* (what am I looking for?), a *key* (what have I got?) and a
    *value* (what do I hand over?). How well a query fits a key, measured by their dot product, decides how much of
    the value flows. Several heads do this side by side, each in its own D dimensions, because one average can answer
    only one question: a head that looks for the subject of the verb cannot at the same time look for the last comma.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.n_kv_heads = config.n_heads  # every head has keys and values of its own
        self.head_dim = config.emb_dim // config.n_heads
        # One matrix makes queries, keys and values for all heads: one large product is faster than 3 H small ones.
        self.qkv = nn.Linear(config.emb_dim, 3 * config.emb_dim, bias=config.qkv_bias)
        self.weights_dropout = Dropout(config.drop_rate)
        self.project = nn.Linear(config.emb_dim, config.emb_dim, bias=config.bias)
        self.dropout = Dropout(config.drop_rate)
        self.spelled_out = False
        """Take the steps one by one where one call would do: for whoever wants to look at the weights between them,
        which pass through ``weights_dropout``."""
        self.in_blocks: Callable[..., Tensor] | None = None  # lab/kernels/attention.py, where it was put here

    def forward(self, x: Tensor, cache: LayerCache | None = None) -> Tensor:
        """``(batch, seq, emb_dim)`` to the same shape. With a ``cache``, x are the next positions of longer texts."""
        queries, keys, values = self.split_heads(x)  # each (B, H, T, D)
        visible = None  # without a cache: everything up to the position itself
        if cache is not None:
            keys, values, visible = cache.extend(keys, values)  # (B, H, K, D) twice, (B, 1, T, K)
        return self.merge_heads(self.attend(queries, keys, values, visible))  # (B, H, T, D) -> (B, T, C)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor | None) -> Tensor:
        """What ``attend_step_by_step`` says, by the fastest way there is."""
        drop_rate = self.weights_dropout.drop_rate if self.training else 0.0
        # Dropout on a CPU has no fused kernel: torch would take the same steps, with slower random numbers.
        if self.spelled_out or (drop_rate and queries.device.type == "cpu"):
            if self.in_blocks is not None and not self.spelled_out:
                return self.in_blocks(queries, keys, values, visible, drop_rate, self.attend_step_by_step)
            return self.attend_step_by_step(queries, keys, values, visible)
        # All of its steps in one call. The fused kernels behind it ("flash" attention, Dao et al. 2022,
        # https://arxiv.org/abs/2205.14135) never write the T x T matrix to memory, which is most of the cost.
        causal = visible is None
        return F.scaled_dot_product_attention(queries, keys, values, visible, is_causal=causal, dropout_p=drop_rate)

    def split_heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of ``(batch, seq, emb_dim)``, each ``(batch, n_heads, seq, head_dim)``."""
        batch, seq, _ = x.shape
        qkv = self.qkv(x)  # (B, T, C) -> (B, T, 3C)
        qkv = qkv.view(batch, seq, 3, self.n_heads, self.head_dim)  # a head is just a slice of D numbers
        queries, keys, values = qkv.permute(2, 0, 3, 1, 4)  # (3, B, H, T, D)
        return queries, keys, values

    def merge_heads(self, context: Tensor) -> Tensor:
        """Puts the heads' results side by side again, and lets a last layer mix them.

        ``(batch, n_heads, seq, head_dim)`` to ``(batch, seq, emb_dim)``.
        """
        context = context.transpose(1, 2).flatten(2)  # (B, H, T, D) -> (B, T, H, D) -> (B, T, C)
        return self.dropout(self.project(context))

    def attend_step_by_step(self, queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor | None) -> Tensor:
        """Attention with every intermediate matrix in the open: slower, and the version to read.

        Takes queries ``(batch, n_heads, seq, head_dim)`` and the keys and values of ``known`` positions. ``visible``
        says which of these each query may look at, ``(batch, 1, seq, known)`` bool (or what its scores gain); None:
        they are the queries' own positions, and each looks back. Returns the context vectors, shaped as the queries.
        """
        scores = queries @ keys.transpose(-2, -1)  # (B, H, T, D) @ (B, H, D, K) -> (B, H, T, K); K = T in training

        # Why 1/sqrt(D): the dot product of two random vectors of D numbers with variance 1 has variance D. Undamped,
        # large heads would push softmax to where one weight is nearly 1, the others nearly 0, and the gradient gone.
        scores = scores / math.sqrt(self.head_dim)

        # No looking ahead: the token at position j is the answer that position j - 1 has to guess. A score of minus
        # infinity becomes a weight of exactly zero.
        if visible is None:
            visible = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()  # (T, T)
        scores = scores.masked_fill(~visible, -torch.inf) if visible.dtype == torch.bool else scores + visible

        weights = torch.softmax(scores, dim=-1)  # (B, H, T, K), each row sums to 1
        weights = self.weights_dropout(weights)
        return weights @ values  # (B, H, T, K) @ (B, H, K, D) -> (B, H, T, D)


class TransformerBlock(nn.Module):
    """Attention, then feed-forward, each as an addition to the residual stream.

    Why "x + ...": the gradient of a sum flows back undivided, so that the lowest layer hears from the loss as directly
    as the highest (He et al. 2015, https://arxiv.org/abs/1512.03385). A block writes a correction, not a replacement.

    Why the norm comes first (pre-LayerNorm): the first transformers normalised after the addition, and thereby the
    stream itself, in every layer; deep ones would not train without a long, careful warmup. Norming only what a
    sublayer *reads* leaves the path from the embedding to the output free (Xiong et al. 2020, section 3,
    https://arxiv.org/abs/2002.04745).
    """

    def __init__(self, config: GPTConfig, parts: "Parts | None" = None) -> None:
        super().__init__()
        parts = parts or GPT2
        self.norm1 = parts.norm(config.emb_dim, config.bias)
        self.attention = parts.attention(config)
        self.norm2 = parts.norm(config.emb_dim, config.bias)
        self.feed_forward = parts.feed_forward(config)

    def forward(self, x: Tensor, cache: LayerCache | None = None) -> Tensor:
        """``(batch, seq, emb_dim)`` to the same shape."""
        x = x + self.attention(self.norm1(x), cache)  # (B, T, C)
        return x + self.feed_forward(self.norm2(x))  # (B, T, C)


@dataclass(frozen=True)
class Parts:
    """What a model is built of: for each part, what makes one. Positions may be told in attention instead (None)."""

    norm: Callable[[int, bool], nn.Module]
    attention: Callable[[GPTConfig], MultiHeadAttention]
    feed_forward: Callable[[GPTConfig], nn.Module]
    block: Callable[[GPTConfig, "Parts"], TransformerBlock]
    position_embedding: Callable[[GPTConfig], nn.Module] | None


GPT2 = Parts(
    *(LayerNorm, MultiHeadAttention, FeedForward, TransformerBlock),
    position_embedding=lambda config: nn.Embedding(config.context_length, config.emb_dim),
)


class GPTModel(nn.Module):
    """The whole decoder: token ids in, a score for every possible next token out. Built of GPT-2's parts, or others."""

    def __init__(self, config: GPTConfig, parts: Parts = GPT2) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.emb_dim)
        # Attention is a weighted sum, and a sum does not know the order of its terms: without this table, "dog bites
        # man" and "man bites dog" would look alike. GPT-2 learns one vector for each position.
        self.position_embedding = parts.position_embedding(config) if parts.position_embedding else None
        self.dropout = Dropout(config.drop_rate)
        self.blocks = nn.ModuleList(parts.block(config, parts) for _ in range(config.n_layers))
        self.final_norm = parts.norm(config.emb_dim, config.bias)
        self.head = nn.Linear(config.emb_dim, config.vocab_size, bias=False)
        if config.tie_embeddings:
            # Why tie: both matrices hold one vector for each token, one to read it and one to write it, and tokens
            # that mean alike should be close in both. Sharing saves 38 of GPT-2's 163 million weights and gives rare
            # tokens more to learn from (Press and Wolf 2017, https://arxiv.org/abs/1608.05859).
            self.head.weight = self.token_embedding.weight
        self._init_weights()

    def _init_weights(self) -> None:
        """GPT-2's initialisation: normal with deviation 0.02, biases zero, residual projections smaller."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, mean=0.0, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        # Why the residual projections start smaller: each block adds to the stream twice, and the variance of a sum
        # of 2 n independent terms grows with 2 n. Dividing each term's deviation by sqrt(2 n) keeps the stream at the
        # output as large as it was at the input, at any depth (GPT-2 paper, section 2.3).
        for name, parameter in self.named_parameters():
            if name.endswith("project.weight"):
                nn.init.normal_(parameter, mean=0.0, std=0.02 / math.sqrt(2 * self.config.n_layers))

    def embed(self, token_ids: Tensor, positions: Tensor | None = None) -> Tensor:
        """The start of the residual stream: ``(batch, seq)`` int64 to ``(batch, seq, emb_dim)``.

        ``positions`` says where in its text each token stands, ``(batch, seq)`` int64; by default, from 0 on.

        Raises:
            ValueError: if the sequence is longer than ``context_length``.
        """
        seq = token_ids.shape[1]
        if seq > self.config.context_length:
            raise ValueError(
                f"a sequence of {seq} tokens does not fit into a context of {self.config.context_length}: "
                "the model knows nothing of the positions beyond"
            )
        x = self.token_embedding(token_ids)  # (B, T, C)
        if self.position_embedding is not None:
            positions = torch.arange(seq, device=token_ids.device) if positions is None else positions  # (T,)
            x = x + self.position_embedding(positions)  # (B, T, C) + (T, C)
        return self.dropout(x)

    def hidden(self, token_ids: Tensor, cache: Sequence[LayerCache] | None = None) -> Tensor:
        """Everything but the head: ``(batch, seq)`` to ``(batch, seq, emb_dim)``, after the final norm.

        The logits are this times the head's matrix. Whoever wants only a loss, or only the last position, can spare
        the ``(batch, seq, vocab_size)`` tensor, which is by far the largest of the whole model.
        """
        x = self.embed(token_ids, None if cache is None else cache[0].positions)  # (B, T) -> (B, T, C)
        for layer, block in enumerate(self.blocks):
            if self.config.activation_checkpointing and self.training:
                # Keeps only x between the blocks and computes the rest again when the backward pass asks for it
                # (Chen et al. 2016, https://arxiv.org/abs/1604.06174).
                x = checkpoint(block, x, cache and cache[layer], use_reentrant=False)
            else:
                x = block(x, None if cache is None else cache[layer])  # (B, T, C)
        return self.final_norm(x)

    def forward(self, token_ids: Tensor) -> Tensor:
        """``(batch, seq)`` int64 to logits, ``(batch, seq, vocab_size)``.

        The logits at position i are the scores of the candidates for position i + 1; softmax makes them probabilities.
        """
        return self.head(self.hidden(token_ids))  # (B, T, C) -> (B, T, V)

    def loss(self, token_ids: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats a token: minus the log-probability that the model gave to what really came next.

        ``token_ids`` and ``targets`` are ``(batch, seq)``; ``targets`` is the text one token further on. A model that
        knows nothing scores ln(vocab_size) = 10.82. Returns a scalar.
        """
        logits = self(token_ids)  # (B, T, V)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())  # (B * T, V), (B * T,) -> ()

    def num_parameters(self, include_embeddings: bool = True) -> int:
        """How many numbers are learnt. A tied head counts once.

        ``include_embeddings=False`` leaves out the token and position tables and the head: what remains is the
        network proper, the figure that scaling laws speak of (Kaplan et al. 2020, https://arxiv.org/abs/2001.08361).
        """
        total = sum(parameter.numel() for parameter in self.parameters())
        if include_embeddings:
            return total
        tables = (self.token_embedding, self.position_embedding, None if self.config.tie_embeddings else self.head)
        return total - sum(parameter.numel() for table in tables if table for parameter in table.parameters())
