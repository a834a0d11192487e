"""A model's weights alone in a file, which may be somebody's."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from lab.errors import LabError
from lab.interchange import weights
from lab.interchange.pretrained import open_pretrained
from lab.model import GPTConfig, GPTModel


@pytest.mark.parametrize(
    "options", [{"bias": False, "qkv_bias": False}, {"tie_embeddings": False}, {"drop_rate": 0.3, "n_heads": 4}]
)
def test_our_own_file_keeps_models_that_hugging_face_has_no_twin_for(options: dict[str, Any], tmp_path: Path) -> None:
    model = GPTModel(GPTConfig(emb_dim=16, n_layers=2, **{"n_heads": 2, **options}, context_length=8, vocab_size=30))
    weights.write_model(model, tmp_path / "m.safetensors")
    back = weights.open_model(tmp_path / "m.safetensors")
    assert asdict(model.config).items() <= asdict(back.config).items()
    assert back.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(tensor, back.state_dict()[name]) for name, tensor in model.state_dict().items())
    assert (back.head.weight is back.token_embedding.weight) == model.config.tie_embeddings


def rewritten(path: Path, change: Any) -> None:
    """Changes metadata and tensors of a safetensors file."""
    from safetensors.torch import save_file

    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(metadata, tensors)
    save_file(tensors, path, metadata)


def said_config(**changes: Any) -> Any:
    def change(metadata: dict[str, str], _: Any) -> None:
        metadata["gpt_config"] = json.dumps(json.loads(metadata["gpt_config"]) | changes)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (said_config(n_layers=10**9), "1,000,000,000 layers, and its weights have 2"),
        (said_config(emb_dim=10**30), "no model can have emb_dim"),
        (said_config(emb_dim=10**8), "should be"),
        (said_config(emb_dim="16"), "emb_dim is '16'"),
        (said_config(bias=1), "bias is 1"),
        (said_config(drop_rate=True), "drop_rate is True"),
        (said_config(zz=1), "it has an option 'zz'"),
        (said_config(n_heads=3), "not divisible"),
        (lambda metadata, _: metadata.update(gpt_config="[1]"), "not an object"),
        (lambda metadata, _: metadata.update(gpt_config='{"emb_dim": 16}'), "does not say n_layers"),
        (said_config(**{"\n\x1b[31m": 1}), "it has an option '\\n\\x1b[31m'"),
        (lambda metadata, _: metadata.update(gpt_config="{"), "describes no model"),
        (lambda metadata, _: metadata.pop("gpt_config"), "does not say which model its weights belong to"),
        (lambda _, tensors: tensors.pop("final_norm.scale"), "it lacks final_norm.scale"),
        (lambda _, tensors: tensors.update(more=torch.zeros(1)), "holds more than"),
    ],
)
def test_a_file_that_lies_is_one_sentence(change: Any, said: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    weights.write_model(GPTModel(GPTConfig(emb_dim=16, n_layers=2, n_heads=2, context_length=8, vocab_size=30)), path)
    rewritten(path, change)
    with pytest.raises(LabError) as told:
        open_pretrained("m.safetensors", tmp_path)
    assert said in str(told.value)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_torn_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    weights.write_model(GPTModel(GPTConfig(emb_dim=16, n_layers=2, n_heads=2, context_length=8, vocab_size=30)), path)
    content = path.read_bytes()
    for length in (0, 5, 100, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(LabError, match=r"m\.safetensors is damaged or not a safetensors file"):
            open_pretrained("m.safetensors", tmp_path)
