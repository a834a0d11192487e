"""Models as Hugging Face keeps them: a folder with ``config.json`` and ``model.safetensors``, to and fro. GPT-2 is
here, its younger relatives in ``lab.interchange.llama``.

Both sides compute the same function; they differ in names, and in that Hugging Face's GPT-2 keeps the matrices of its
linear layers the other way round, (in, out) instead of torch's (out, in): its layer is called Conv1D, after the code
that OpenAI published. Needs no transformers.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lab.errors import LabError
from lab.files import atomic, strict_json
from lab.interchange import llama, weights
from lab.interchange.weights import Joined, Part, TensorFile
from lab.model import GPTConfig, GPTModel
from lab.parts.config import ModelConfig
from lab.runs.tensors import n_blocks

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
"""Which of several weight files holds which tensor, where a model is too large for one."""

_LINEAR = {
    "attention.qkv": "attn.c_attn",
    "attention.project": "attn.c_proj",
    "feed_forward.expand": "mlp.c_fc",
    "feed_forward.project": "mlp.c_proj",
}
_NORMS = {"norm1": "ln_1", "norm2": "ln_2"}

# What older versions of transformers also wrote: the triangle that hides the future, and the score it hides with.
_CONSTANTS = re.compile(r"h\.\d+\.attn\.(masked_)?bias")

_SIZES = {
    "emb_dim": ("n_embd", "hidden_size", 768),
    "n_layers": ("n_layer", "num_hidden_layers", 12),
    "n_heads": ("n_head", "num_attention_heads", 12),
    "context_length": ("n_positions", "max_position_embeddings", 1024),
    "vocab_size": ("vocab_size", "vocab_size", 50257),
}
"""Our name, theirs, the one it goes by for other models, and what is meant where it is left out."""

_LARGEST_JSON = 64 * 2**20


def is_folder(path: Path) -> bool:
    """Is ``path`` a folder that looks like one of Hugging Face's?"""
    return (path / CONFIG_FILE).is_file()


def layer_names(layer: int) -> dict[str, str]:
    """Our names of a block's parameters, to theirs."""
    ours, theirs = f"blocks.{layer}", f"h.{layer}"
    names = {}
    for our_name, their_name in _NORMS.items():
        names[f"{ours}.{our_name}.scale"] = f"{theirs}.{their_name}.weight"
        names[f"{ours}.{our_name}.shift"] = f"{theirs}.{their_name}.bias"
    for our_name, their_name in _LINEAR.items():
        for kind in ("weight", "bias"):
            names[f"{ours}.{our_name}.{kind}"] = f"{theirs}.{their_name}.{kind}"
    return names


def all_names(n_layers: int) -> dict[str, str]:
    """Our names of all parameters to theirs, without the prefix ``transformer.`` that theirs may have."""
    names = {
        "token_embedding.weight": "wte.weight",
        "position_embedding.weight": "wpe.weight",
        "final_norm.scale": "ln_f.weight",
        "final_norm.shift": "ln_f.bias",
        "head.weight": "lm_head.weight",
    }
    for layer in range(n_layers):
        names |= layer_names(layer)
    return names


def write_model(model: GPTModel, folder: Path) -> None:
    """Writes ``config.json``, ``generation_config.json`` and ``model.safetensors`` into ``folder``.

    Raises:
        LabError: if transformers has no model that computes the same.
        OSError: if there is no room, say.
    """
    refuse_without_twin(model.config)
    shape = model.config
    if isinstance(shape, ModelConfig) and twin(shape) != "gpt2":
        tensors, config = llama.their_tensors(model.state_dict(), shape), llama.their_config(shape)
    else:
        tensors, config = _their_tensors(model), gpt2_config(shape)
    weights.write(tensors, folder / WEIGHTS_FILE, {"format": "pt"})  # transformers insists on that
    endoftext = shape.vocab_size - 1
    tokens = {"bos_token_id": endoftext, "eos_token_id": endoftext}
    atomic.write_json(folder / CONFIG_FILE, config | tokens)
    atomic.write_json(folder / "generation_config.json", tokens | {"pad_token_id": endoftext})


def twin(shape: GPTConfig) -> str:
    """The ``model_type`` of transformers' model that computes the same, of a shape that has one."""
    if isinstance(shape, ModelConfig) and not llama.unlike(shape):
        return "qwen3" if shape.qk_norm else "llama"
    return "gpt2"


def refuse_without_twin(shape: GPTConfig) -> None:
    """Makes sure that transformers has a model that computes what a model of this shape does.

    Raises:
        LabError: with what would have to be different.
    """
    if (as_gpt2 := unlike_gpt2(shape)) and (as_llama := llama.unlike(shape)):
        nearer = min((as_gpt2, "GPT-2"), (as_llama, "Llama or Qwen3"), key=lambda reasons: len(reasons[0]))
        raise LabError(
            f"transformers has no model that computes the same; for {nearer[1]}, {'; '.join(nearer[0])}. "
            "format=safetensors writes the weights for this lab"
        )


def unlike_gpt2(shape: GPTConfig) -> list[str]:
    """Why GPT-2 does not compute what a model of this shape does: options that are not GPT-2's."""
    free = ("hidden_dim", "norm_eps", "rope_base")
    own: list[Field[Any]] = [
        f for f in fields(ModelConfig) if f.name not in (*free, *(g.name for g in fields(GPTConfig)))
    ]
    return [
        f"model.{f.name} is {value} and would have to be {'null' if f.default is None else f.default}"
        for f in own
        if (value := getattr(shape, f.name, f.default)) not in (f.default, *_same_as_default(f.name, shape))
    ]


def _same_as_default(option: str, shape: GPTConfig) -> list[int]:
    return {"n_kv_heads": [shape.n_heads], "head_dim": [shape.emb_dim // shape.n_heads]}.get(option, [])


def _their_tensors(model: GPTModel) -> dict[str, Tensor]:
    """Their GPT-2 has all biases. A model that does without gets biases of zero, which compute the same."""
    shape, state = model.config, model.state_dict()
    tensors = {}
    for ours, theirs in all_names(shape.n_layers).items():
        if ours == "head.weight":
            if not shape.tie_embeddings:
                tensors[theirs] = state[ours].contiguous()
            continue
        matrix = ours.replace(".bias", ".weight").replace(".shift", ".scale")
        tensor = state[ours] if ours in state else torch.zeros(len(state[matrix]))
        tensors[f"transformer.{theirs}"] = (tensor.t() if _is_transposed(ours) else tensor).contiguous()
    return tensors


def gpt2_config(shape: GPTConfig) -> dict[str, Any]:
    """What transformers' ``GPT2Config`` says of a GPT-2 of this shape, but for its special tokens."""
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        **{theirs: getattr(shape, ours) for ours, (theirs, _, _) in _SIZES.items()},
        "n_ctx": shape.context_length,
        "n_inner": getattr(shape, "hidden_dim", None),
        "activation_function": "gelu_new",
        "layer_norm_epsilon": getattr(shape, "norm_eps", 1e-5),
        "scale_attn_weights": True,
        "attn_pdrop": shape.drop_rate,
        "embd_pdrop": shape.drop_rate,
        "resid_pdrop": shape.drop_rate,
        "initializer_range": 0.02,
        "tie_word_embeddings": shape.tie_embeddings,
        "use_cache": True,
        "torch_dtype": "float32",
    }


def _is_transposed(ours: str) -> bool:
    return ours.startswith("blocks.") and ours.endswith(".weight")


def open_folder(folder: Path) -> GPTModel:
    """The model in a Hugging Face folder, in evaluation mode, fp32, on the CPU. Safetensors only.

    Raises:
        LabError: if it is a model or a variant that we do not compute, damaged, or not what it says.
    """
    found = read_json(folder / CONFIG_FILE)
    if found.get("model_type") in llama.TYPES:
        shape = llama.our_config(found, folder / CONFIG_FILE)
        there = llama.our_parts({name: Part(file, name) for name, file in _tensors(folder).items()})
        # As many layers as there are weights for: a config may say a billion.
        called = {ours: " with ".join(theirs) for ours, theirs in llama.names(n_blocks(there)).items()}
        return weights.assemble(shape, _tied(shape, there), folder, called)
    config = _our_config(found, folder / CONFIG_FILE)
    stored = {name.removeprefix("transformer."): (file, name) for name, file in _tensors(folder).items()}
    stored = {name: place for name, place in stored.items() if not _CONSTANTS.fullmatch(name)}
    # What is called here as we call it is known; what is not keeps its name, and will be told as too much.
    depth = len({name.split(".")[1] for name in stored if name.startswith("h.")})
    names = all_names(depth)
    ours = {theirs: our_name for our_name, theirs in names.items()}
    parts = {
        ours.get(name, name): Part(*place, transposed=_is_transposed(ours.get(name, name)))
        for name, place in stored.items()
    }
    return weights.assemble(config, _tied(config, parts), folder, names)


def _tied(config: GPTConfig, parts: Mapping[str, Part | Joined]) -> dict[str, Part | Joined]:
    """The parts, without a head that only repeats the token embedding; one that doesn't makes the config say so."""
    left = dict(parts)
    if config.tie_embeddings and "head.weight" in left:
        config.tie_embeddings = _same(left["head.weight"], left.get("token_embedding.weight"))
        if config.tie_embeddings:
            del left["head.weight"]
    return left


def _same(head: Part | Joined, embedding: Part | Joined | None) -> bool:
    """Is a head that is said to be shared really the token embedding, and not a matrix of its own?"""
    if embedding is None or head.shape != embedding.shape:
        return False
    return torch.equal(head.read(), embedding.read())


def _our_config(found: dict[str, Any], path: Path) -> ModelConfig:
    """Their options as ours.

    Raises:
        LabError: if they describe something that ``GPTModel`` does not compute.
    """
    if found.get("model_type") != "gpt2":
        known = ", ".join(("gpt2", *llama.TYPES))
        raise LabError(f"{path} describes a model of the type {found.get('model_type')}: the lab opens {known}")
    sizes: dict[str, Any] = {}
    for ours, (theirs, alias, default) in _SIZES.items():
        value = found.get(theirs, found.get(alias, default))
        if type(value) is not int or value < 1:
            raise LabError(f"{path}: {theirs} is {json.dumps(value)[:40]}, and must be a whole number, at least 1")
        sizes[ours] = value
    reasons = _unlike_ours(found)
    if reasons:
        raise LabError(f"{path} describes a variant of GPT-2 that the lab does not compute: {'; '.join(reasons)}")
    inner = _number(found, "n_inner", path, int)
    drop_rate = found.get("resid_pdrop", 0.1)
    if isinstance(drop_rate, bool) or not isinstance(drop_rate, int | float):
        drop_rate = 0.1
    try:
        return ModelConfig(
            **sizes,
            drop_rate=drop_rate,
            tie_embeddings=found.get("tie_word_embeddings") is not False,
            hidden_dim=None if inner == 4 * sizes["emb_dim"] else inner,
            norm_eps=_number(found, "layer_norm_epsilon", path, float) or 1e-5,
        )
    except ValueError as error:
        raise LabError(f"{path}: {error}") from error


def _number(found: dict[str, Any], name: str, path: Path, kind: type) -> Any:
    value = found.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
        raise LabError(f"{path}: {name} is {json.dumps(value)[:40]}, and must be a number")
    return value


def _unlike_ours(found: dict[str, Any]) -> list[str]:
    """Why the model would compute something else than ours does: one reason for each option that makes it so."""
    expected: dict[str, tuple[Any, ...]] = {
        "activation_function": ("gelu_new", "gelu_pytorch_tanh"),  # two names for the tanh approximation
        "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,),
        "add_cross_attention": (False,),
    }
    return [
        f"{option} is {json.dumps(found[option])[:40]} and would have to be {json.dumps(allowed[0])}"
        for option, allowed in expected.items()
        if option in found and found[option] not in allowed
    ]


def _tensors(folder: Path) -> dict[str, TensorFile]:
    """All tensors of the folder by the names they are stored under, and the file that holds each."""
    if (folder / WEIGHTS_FILE).is_file():
        file = TensorFile(folder / WEIGHTS_FILE)
        return dict.fromkeys(file.shapes, file)
    if not (folder / INDEX_FILE).is_file():
        pickled = [path.name for path in sorted(folder.glob("pytorch_model*.bin"))[:1]]
        because = f": {pickled[0]} is not opened, because a pickle can run code" if pickled else ""
        raise LabError(
            f"{folder} has no {WEIGHTS_FILE}{because}; save_pretrained of transformers writes weights as safetensors"
        )
    where = read_json(folder / INDEX_FILE).get("weight_map")
    if not isinstance(where, dict) or not all(isinstance(name, str) for name in where.values()):
        raise LabError(f"{folder / INDEX_FILE} has no weight_map that says which file holds which tensor")
    if outside := [name for name in where.values() if Path(name).name != name]:
        raise LabError(f"{folder / INDEX_FILE} names a file outside its folder, {outside[0]}: that is not opened")
    files = {name: TensorFile(folder / name) for name in sorted(set(where.values()))}
    if absent := [tensor for tensor, name in where.items() if tensor not in files[name].shapes]:
        raise LabError(f"{folder} is not complete: {where[absent[0]]} lacks {weights.listed(absent)}")
    return {tensor: files[name] for tensor, name in where.items()}


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file from elsewhere.

    Raises:
        LabError: if it cannot be read as one.
    """
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ValueError(f"{path.stat().st_size:,} bytes")
        found = strict_json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabError(f"{path} cannot be read as JSON ({error}): get it again") from error
    if not isinstance(found, dict):
        raise LabError(f"{path} is not a JSON object: get it again")
    return found
