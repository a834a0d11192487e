"""A model of somebody else's, in the shape of a nanoGPT checkout."""

from pathlib import Path

_MODEL = """
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class GPTConfig:
    block_size: int
    vocab_size: int
    n_layer: int
    n_head: int
    n_embd: int
    dropout: float
    bias: bool


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config.n_embd
        self.block_size = config.block_size
        self.tokens = nn.Embedding(config.vocab_size, width)
        self.places = nn.Embedding(config.block_size, width)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, config.n_head, 4 * width, config.dropout, "gelu", batch_first=True,
                                       norm_first=True, bias=config.bias)
            for _ in range(config.n_layer)
        )
        self.norm = nn.LayerNorm(width, bias=config.bias)
        for table in (self.tokens, self.places):
            nn.init.normal_(table.weight, std=0.02)
        print("a model that talks")

    def forward(self, idx, targets=None):
        x = self.tokens(idx) + self.places(torch.arange(idx.shape[1]))
        mask = nn.Transformer.generate_square_subsequent_mask(idx.shape[1])
        for block in self.blocks:
            x = block(x, src_mask=mask, is_causal=True)
        logits = self.norm(x) @ self.tokens.weight.T
        if targets is None:
            return logits, None
        return logits, nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):
        for _ in range(max_new_tokens):
            logits, _ = self(idx[:, -self.block_size :])
            idx = torch.cat((idx, logits[:, -1:].argmax(-1)), dim=1)
        return idx
"""


def write_nanogpt(folder: Path, breaks: str = "") -> None:
    """A checkout with the same number of parameters as the lab's model; ``breaks`` is a line of Python that its
    model begins with."""
    folder.mkdir()
    broken = _MODEL.replace("super().__init__()\n", f"super().__init__()\n        {breaks}\n", 1) if breaks else _MODEL
    (folder / "model.py").write_text(broken, encoding="utf-8")
