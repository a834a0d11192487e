"""The README of an exported model: what it is, how it was trained, how well it did, how it is opened."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from lab import __version__
from lab.files.paths import shown
from lab.interchange.hub import GPT2
from lab.interchange.huggingface import twin
from lab.interchange.pretrained import Pretrained
from lab.parts.config import CHOICES, ModelConfig
from lab.runs.folder import run_folder_of
from lab.runs.results import Results, read_results

_USE = """\
## How to open it

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({quoted})
model = AutoModelForCausalLM.from_pretrained({quoted})
print(tokenizer.decode(model.generate(**tokenizer("The", return_tensors="pt"), max_new_tokens=40)[0]))
```

and in the lab:

```sh
python -m lab.generate checkpoint={typed}
python -m lab.train init_from={typed}
```
"""

_CALLED = {"gpt2": "GPT-2", "llama": "Llama", "qwen3": "Qwen3"}
_GPT2 = asdict(ModelConfig())


def text(found: Pretrained, name: str) -> str:
    """The card as Markdown, with the header of YAML that model hubs read. ``name`` is that of the folder.

    Everything is from the checkpoint and from the ``results.json`` of its run, if that is still beside it; what is
    not known is left out.
    """
    header: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
    }
    options = found.metadata["config"] if found.metadata else {}
    kind = twin(found.model.config)
    header["tags"] = [kind, "gpt-lab"]
    if (public := _public_name(options)) is not None:
        header["base_model"] = public
    parts = [
        f"---\n{yaml.safe_dump(header, sort_keys=False)}---\n\n# {name}",
        f"A {_CALLED[kind]} written by gpt-lab, a laboratory for learning how GPTs are trained.",
        _table("The model", _shape(found)),
    ]
    if found.metadata is not None:
        parts.append(_table("The training", _training(found, options)))
    if figures := _figures(found):
        parts.append(_table(f"How well it does, after step {found.figures['val_step']:,}", figures))
    if note := _exactness(found):
        parts.append(note)
    use = _USE.format(typed=shown(Path(name), Path()), quoted=json.dumps(name, ensure_ascii=False))
    return "\n\n".join([*parts, use])


def _shape(found: Pretrained) -> dict[str, str]:
    shape = found.model.config
    return {
        "parameters": f"{found.model.num_parameters():,}, "
        f"of which {found.model.num_parameters(False):,} are not embeddings",
        "layers": f"{shape.n_layers}",
        "heads": f"{shape.n_heads}",
        "emb_dim": f"{shape.emb_dim}",
        "context": f"{shape.context_length:,} tokens",
        "vocabulary": f"{shape.vocab_size:,} tokens, {_vocabulary(found)}",
        **{o: str(v) for o in CHOICES if (v := getattr(shape, o, None)) is not None and v != _GPT2[o]},
        "head": "shares its matrix with the token embedding" if shape.tie_embeddings else "a matrix of its own",
    }


def _vocabulary(found: Pretrained) -> str:
    names = {"gpt2": "GPT-2's", "bytes": "the bytes", "chars": "characters", "bpe": "learnt from the training text"}
    return names.get(found.tokenizer.name, "a tokenizer of its own")


def _training(found: Pretrained, options: dict[str, Any]) -> dict[str, str]:
    assert found.metadata is not None
    corpus = found.metadata["corpus"]
    optimizer, trainer = options.get("optimizer"), options.get("trainer")
    results = read_results(run_folder_of(found.path)) if found.path else Results()
    rows = {
        "corpus": f"{corpus['name']}, {corpus.get('n_tokens')} tokens (fingerprint {corpus['fingerprint']})",
        "steps": f"{found.step:,}",
        "tokens seen": f"{found.figures['tokens_seen']:,}" if "tokens_seen" in found.figures else None,
        "first weights": _first_weights(options),
        "optimizer": _listed(optimizer, ("_target_", "lr", "weight_decay")),
        "arithmetic": _listed(trainer, ("precision",)),
        "seed": options.get("seed"),
        "versions": _listed(results.versions, tuple(results.versions)),
        "code": results.git_revision,
        "exported by": f"gpt-lab {__version__}",
    }
    return {name: str(value) for name, value in rows.items() if value is not None}


def _first_weights(options: dict[str, Any]) -> str:
    if options.get("init_from") is None:
        return "random"
    return f"those of {_public_name(options) or 'another model'}"


def _public_name(options: dict[str, Any]) -> str | None:
    """The full name of the model that a run began with, if it is one of GPT-2's sizes: any other value of init_from
    may be a path on somebody's machine, and that is nobody's business."""
    init_from = options.get("init_from")
    return GPT2.get(init_from) if isinstance(init_from, str) else None


def _figures(found: Pretrained) -> dict[str, str]:
    figures = found.figures
    units = {"val_loss": "nats a token", "val_perplexity": "", "val_bits_per_byte": ""}
    names = {"val_loss": "validation loss", "val_perplexity": "perplexity", "val_bits_per_byte": "bits per byte"}
    return {
        names[key]: f"{figures[key]:,.4f} {unit}".strip()
        for key, unit in units.items()
        if key in figures and "val_step" in figures
    }


def _exactness(found: Pretrained) -> str | None:
    """What is not as it was, and why that makes no difference."""
    shape = found.model.config
    absent = [name for name in ("bias", "qkv_bias") if not getattr(shape, name)]
    kind = twin(shape)
    if not absent or (kind != "gpt2" and len(absent) == 2):
        return None
    options = " and ".join(f"model.{name}=false" for name in absent)
    return (
        f"The model was trained with {options}. Hugging Face's {_CALLED[kind]} has every bias, so those stand here as "
        "zeros, which compute exactly the same; a training that goes on from this folder would move them."
    )


def _listed(values: Any, keys: tuple[str, ...]) -> str | None:
    if not isinstance(values, dict):
        return None
    return ", ".join(f"{key.strip('_')} {values[key]}" for key in keys if key in values) or None


def _table(title: str, rows: dict[str, str]) -> str:
    # A bar or a line break in a value would end its cell.
    cells = {name: " ".join(value.replace("|", "\\|").split()) for name, value in rows.items()}
    return "\n".join(
        [f"## {title}", "", "| | |", "|---|---|", *(f"| {name} | {cell} |" for name, cell in cells.items())]
    )
