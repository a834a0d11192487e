"""Llama and Qwen3 as Hugging Face keeps them: the twins of a model with RMSNorm, SwiGLU and rotary positions, to and
fro.

The two differ in one thing, Qwen3's norms on queries and keys. Both compute what ours does; they keep queries, keys and
values, and gate and up, as matrices of their own, where ours has one for all (``lab.parts``).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lab.errors import LabError
from lab.interchange.weights import Joined, Part
from lab.model import GPTConfig
from lab.parts.config import ModelConfig
from lab.parts.swiglu import default_width

TYPES = {"llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM"}
"""``model_type`` in ``config.json``, and the class of transformers."""

_SIZES = {
    "emb_dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "context_length": "max_position_embeddings",
    "vocab_size": "vocab_size",
    "hidden_dim": "intermediate_size",
}

_ENDS = {
    "token_embedding.weight": ["model.embed_tokens.weight"],
    "final_norm.scale": ["model.norm.weight"],
    "head.weight": ["lm_head.weight"],
}
_BLOCK = {
    "norm1.scale": ["input_layernorm.weight"],
    "norm2.scale": ["post_attention_layernorm.weight"],
    "attention.qk_norm.queries.scale": ["self_attn.q_norm.weight"],
    "attention.qk_norm.keys.scale": ["self_attn.k_norm.weight"],
    "attention.qkv": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    "attention.project": ["self_attn.o_proj"],
    "feed_forward.expand": ["mlp.gate_proj", "mlp.up_proj"],
    "feed_forward.project": ["mlp.down_proj"],
}
"""Our name, and theirs, one below the other in ours."""


def names(n_layers: int) -> dict[str, list[str]]:
    """Our names of all parameters that such a model can have, to theirs."""
    found = dict(_ENDS)
    for layer in range(n_layers):
        for ours, theirs in _BLOCK.items():
            for end in ("",) if ours.endswith(".scale") else (".weight", ".bias"):
                found[f"blocks.{layer}.{ours}{end}"] = [f"model.layers.{layer}.{name}{end}" for name in theirs]
    return found


def unlike(config: GPTConfig) -> list[str]:
    """Why no Llama and no Qwen3 computes what a model of ``config`` does; empty for one that has such a twin."""
    wanted = {"norm": "rmsnorm", "feed_forward": "swiglu", "position": "rope", "block": "pre_norm"}
    wanted["attention"] = "multi_head"
    reasons = [
        f"model.{option} is {getattr(config, option, 'another')} and would have to be {value}"
        for option, value in wanted.items()
        if getattr(config, option, None) != value
    ]
    if getattr(config, "sliding_window", None) is not None:
        reasons.append("model.sliding_window is set")
    if getattr(config, "qk_norm", False) and (config.bias or config.qkv_bias):
        reasons.append("there are biases, and with model.qk_norm=true it would be Qwen3, which has none")
    return reasons


def their_config(config: ModelConfig) -> dict[str, Any]:
    """``config.json`` of the twin."""
    kind = "qwen3" if config.qk_norm else "llama"
    biased = config.qkv_bias or config.bias
    return {
        "architectures": [TYPES[kind]],
        "model_type": kind,
        **{theirs: getattr(config, ours) for ours, theirs in _SIZES.items()},
        "intermediate_size": config.hidden_dim or default_width(config.emb_dim),
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_size,
        "hidden_act": "silu",
        "rms_norm_eps": config.norm_eps,
        # transformers 5 reads the first, earlier versions the second.
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_base},
        "rope_theta": config.rope_base,
        "attention_bias": biased,
        **({} if config.qk_norm else {"mlp_bias": biased}),
        "attention_dropout": config.drop_rate,
        "initializer_range": 0.02,
        "tie_word_embeddings": config.tie_embeddings,
        "use_cache": True,
        "torch_dtype": "float32",
    }


def their_tensors(state: Mapping[str, Tensor], config: ModelConfig) -> dict[str, Tensor]:
    """Our weights under their names. Where they have a bias and ours doesn't, it is zero, which computes the same."""
    tensors: dict[str, Tensor] = {}
    heads = config.kv_heads * config.head_size
    widths = {"attention.qkv": [config.n_heads * config.head_size, heads, heads]}
    biased = config.qkv_bias or config.bias
    for ours, theirs in names(config.n_layers).items():
        if ours == "head.weight" and config.tie_embeddings:
            continue
        tensor = state.get(ours)
        if tensor is None:
            if not (ours.endswith(".bias") and biased):
                continue
            tensor = torch.zeros(len(state[ours.replace(".bias", ".weight")]))
        sizes = next((size for part, size in widths.items() if part in ours), None) or len(tensor) // len(theirs)
        for name, piece in zip(theirs, tensor.split(sizes), strict=True):
            tensors[name] = piece.contiguous()
    return tensors


def our_config(found: Mapping[str, Any], path: Path) -> ModelConfig:
    """Their options as ours.

    Raises:
        LabError: if they describe something that the lab does not compute.
    """
    kind = found["model_type"]
    sizes: dict[str, Any] = {ours: _whole(found, theirs, path) for ours, theirs in _SIZES.items()}
    heads, kv_heads = sizes["n_heads"], _whole(found, "num_key_value_heads", path, sizes["n_heads"])
    if sizes["hidden_dim"] == default_width(sizes["emb_dim"]):
        sizes["hidden_dim"] = None  # as the presets say it
    attention_bias = found.get("attention_bias", False)
    rope = found.get("rope_parameters") or found.get("rope_scaling") or {}
    base = rope.get("rope_theta", found.get("rope_theta", 10000.0)) if isinstance(rope, dict) else None
    if reasons := [
        f"{option} is {json.dumps(found[option])[:40]} and would have to be {json.dumps(wanted)}"
        for option, wanted in {
            "hidden_act": "silu",
            "mlp_bias": attention_bias,
            "use_sliding_window": False,
            "rope_interleaved": False,
            "pretraining_tp": 1,
        }.items()
        if option in found and found[option] != wanted
    ]:
        raise LabError(f"{path} describes a variant of {kind} that the lab does not compute: {'; '.join(reasons)}")
    if attention_bias and "mlp_bias" not in found:
        raise LabError(f"{path} has biases in attention and none beside it, which the lab does not compute")
    kinds = {rope.get("rope_type", rope.get("type", "default"))} if isinstance(rope, dict) else {"?"}
    if kinds != {"default"} or isinstance(base, bool) or not isinstance(base, int | float):
        raise LabError(f"{path} stretches its positions ({json.dumps(rope)[:80]}), which the lab does not compute")
    eps = found.get("rms_norm_eps", 1e-6)
    if isinstance(eps, bool) or not isinstance(eps, int | float):
        raise LabError(f"{path}: rms_norm_eps is {json.dumps(eps)[:40]}, and must be a number")
    head_dim = _whole(found, "head_dim", path, 128 if kind == "qwen3" else max(1, sizes["emb_dim"] // heads))
    try:
        return ModelConfig(
            **sizes,
            drop_rate=0.0,
            n_kv_heads=None if kv_heads == heads else kv_heads,
            head_dim=None if head_dim * heads == sizes["emb_dim"] else head_dim,
            qkv_bias=bool(attention_bias),
            bias=bool(attention_bias),
            tie_embeddings=found.get("tie_word_embeddings") is True,
            norm="rmsnorm",
            feed_forward="swiglu",
            position="rope",
            qk_norm=kind == "qwen3",
            rope_base=float(base),
            norm_eps=float(eps),
        )
    except ValueError as error:
        raise LabError(f"{path}: {error}") from error


def _whole(found: Mapping[str, Any], name: str, path: Path, default: int | None = None) -> int:
    value = found.get(name)
    value = default if value is None else value
    if type(value) is not int or value < 1:
        raise LabError(f"{path}: {name} is {json.dumps(value)[:40]}, and must be a whole number, at least 1")
    return value


def our_parts(stored: Mapping[str, Part]) -> dict[str, Part | Joined]:
    """The tensors of a folder by our names; what has no place in such a model keeps its own."""
    layers = {name.split(".")[2] for name in stored if name.startswith("model.layers.") and name.count(".") > 2}
    left = {name: part for name, part in stored.items() if not name.endswith(".rotary_emb.inv_freq")}
    found: dict[str, Part | Joined] = {}
    for ours, theirs in names(len(layers)).items():
        if all(name in left for name in theirs):
            pieces = [left.pop(name) for name in theirs]
            found[ours] = pieces[0] if len(pieces) == 1 else Joined(pieces)
    return {**found, **left}
