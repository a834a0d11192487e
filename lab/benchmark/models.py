"""The models of the sides: the lab's, and those of others at the same sizes. Each is imported only in its process."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lab.config.schema import Config
from lab.interchange.huggingface import gpt2_config
from lab.model import GPTConfig

_ADAMW = {"lr": 3e-4, "betas": (0.9, 0.95), "weight_decay": 0.1}
"""Of the others' optimizer: what conf/optimizer/adamw.yaml says, in torch's words."""


@dataclass
class Rival:
    """A model of somebody else's, as its users would train it."""

    model: nn.Module
    loss: Callable[[nn.Module, Tensor, Tensor], Tensor]
    """``(model, inputs, targets)``, both ``(batch, seq)``, to the mean cross-entropy."""
    continued: Callable[[nn.Module, Tensor, int], Tensor]
    """``(model, prompt, n)``, the prompt ``(1, seq)``: the text with ``n`` tokens more, drawn at temperature 0.8 of the
    50 likeliest."""
    differs: list[str] = field(default_factory=list)
    """In what it computes something else than the lab."""

    def optimizer(self, fused: bool) -> Optimizer:
        """AdamW over its parameters: torch's default, or ``fused`` in one kernel."""
        return torch.optim.AdamW(self.model.parameters(), fused=fused or None, **_ADAMW)  # type: ignore[arg-type]


def rival(side: str, config: Config, folder: str | None = None) -> Rival:
    """The model of the side ``hugging-face``, ``nanogpt`` (its checkout is ``folder``) or ``litgpt``.

    Raises:
        Exception: whatever the other package does where it cannot.
    """
    torch.manual_seed(config.seed)
    if side == "hugging-face":
        return _hugging_face(config.model)
    return _nanogpt(config.model, Path(folder or ".")) if side == "nanogpt" else _litgpt(config.model)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def _hugging_face(shape: GPTConfig) -> Rival:
    from transformers import GPT2Config, GPT2LMHeadModel

    no_end: Any = {"bos_token_id": None, "eos_token_id": None}  # fresh weights would end a text after any token
    config = GPT2Config(**gpt2_config(shape), **no_end)

    def continued(model: nn.Module, prompt: Tensor, n: int) -> Tensor:
        options: Any = {"max_new_tokens": n, "do_sample": True, "temperature": 0.8, "top_k": 50, "use_cache": True}
        made: Tensor = model.generate(prompt, attention_mask=torch.ones_like(prompt), pad_token_id=0, **options)  # type: ignore[operator]
        return made

    differs = [] if shape.bias and shape.qkv_bias else ["has all biases"]
    return Rival(GPT2LMHeadModel(config), lambda m, x, y: _cross_entropy(m(x).logits, y), continued, differs)


def _nanogpt(shape: GPTConfig, folder: Path) -> Rival:
    spec = spec_from_file_location("nanogpt_model", folder / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    config = module.GPTConfig(
        block_size=shape.context_length,
        vocab_size=shape.vocab_size,
        n_layer=shape.n_layers,
        n_head=shape.n_heads,
        n_embd=shape.emb_dim,
        dropout=shape.drop_rate,
        bias=shape.bias,
    )

    def continued(model: nn.Module, prompt: Tensor, n: int) -> Tensor:
        made: Tensor = model.generate(prompt, n, temperature=0.8, top_k=50)  # type: ignore[operator]
        return made

    return Rival(module.GPT(config), lambda m, x, y: m(x, y)[1], continued)


def _litgpt(shape: GPTConfig) -> Rival:
    from litgpt import GPT
    from litgpt import Config as LitConfig
    from litgpt.generate.base import generate

    model = GPT(
        LitConfig(
            block_size=shape.context_length,
            vocab_size=shape.vocab_size,
            padded_vocab_size=shape.vocab_size,
            n_layer=shape.n_layers,
            n_embd=shape.emb_dim,
            n_head=shape.n_heads,
            parallel_residual=False,
            bias=shape.bias,
            attn_bias=shape.qkv_bias,
            gelu_approximate="tanh",
        )
    )
    model.apply(model._init_weights)
    if shape.tie_embeddings:
        model.lm_head.weight = model.transformer.wte.weight

    def continued(model: nn.Module, prompt: Tensor, n: int) -> Tensor:
        made: Any = model
        length = prompt.shape[1] + n
        made.max_seq_length = length
        made.set_kv_cache(batch_size=1)
        text: Tensor = generate(made, prompt[0], length, temperature=0.8, top_k=50)
        made.clear_kv_cache()
        return text[None]

    differs = ["has rotary positions in place of learnt ones", *(["has no dropout"] if shape.drop_rate else [])]
    return Rival(model, lambda m, x, y: _cross_entropy(m(x), y), continued, differs)
