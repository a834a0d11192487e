"""Hugging Face's GPT-2 and ours: the same weights, the same logits, to and fro; and folders that want no good.

The independent reference is transformers: what it opens, what it writes, and what it computes.
"""

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from lab.errors import LabError
from lab.interchange import huggingface
from lab.model import GPTConfig, GPTModel

SHAPE = GPTConfig(emb_dim=24, n_layers=2, n_heads=3, context_length=20, vocab_size=97)


def random_model(shape: GPTConfig, seed: int = 0) -> GPTModel:
    """Every number random, norms and biases as well, and large enough that a wrong one shows."""
    generator = torch.Generator().manual_seed(seed)
    model = GPTModel(shape).eval()
    for parameter in model.parameters():
        parameter.data.normal_(0.3, 0.4, generator=generator)
    return model


def tokens(shape: GPTConfig) -> torch.Tensor:
    return torch.randint(0, shape.vocab_size, (3, shape.context_length), generator=torch.Generator().manual_seed(1))


def by_transformers(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder).eval()


def their_model(**changes: Any) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(3)
    sizes = {"n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": 20, "vocab_size": 97}
    special = {"bos_token_id": 96, "eos_token_id": 96, "initializer_range": 0.3}
    return GPT2LMHeadModel(GPT2Config(**sizes | special | changes)).eval()


@torch.no_grad()
def assert_same_logits(ours: GPTModel, theirs: Any) -> None:
    token_ids = tokens(ours.config)
    mine, other = ours(token_ids), theirs(token_ids).logits
    assert mine.std() > 0.01
    assert (mine - other).abs().max() <= 1e-4 * max(1.0, other.abs().max().item())


@st.composite
def shapes(draw: st.DrawFn) -> GPTConfig:
    n_heads = draw(st.integers(1, 4))
    return GPTConfig(
        emb_dim=n_heads * draw(st.integers(4, 12)),
        n_layers=draw(st.integers(1, 3)),
        n_heads=n_heads,
        context_length=draw(st.integers(1, 40)),
        vocab_size=draw(st.integers(20, 150)),
        qkv_bias=draw(st.booleans()),
        bias=draw(st.booleans()),
        tie_embeddings=draw(st.booleans()),
        drop_rate=draw(st.sampled_from([0.0, 0.2])),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=shapes(), seed=st.integers(0, 1000))
def test_there_it_computes_the_same_and_it_comes_back_bit_for_bit(
    shape: GPTConfig, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("there")
    model = random_model(shape, seed)
    huggingface.write_model(model, folder)
    assert_same_logits(model, by_transformers(folder))

    back = huggingface.open_folder(folder)
    assert (back.config.bias, back.config.qkv_bias) == (True, True)  # theirs has them all: zeros where ours had none
    assert back.config.drop_rate == shape.drop_rate
    assert back.config.tie_embeddings == shape.tie_embeddings
    assert (back.head.weight is back.token_embedding.weight) == shape.tie_embeddings
    before, after = dict(model.named_parameters()), dict(back.named_parameters())
    assert before.keys() <= after.keys()
    for name, parameter in after.items():
        assert parameter.requires_grad
        assert torch.equal(parameter, before[name] if name in before else torch.zeros_like(parameter)), name
    assert_same_logits(back, by_transformers(folder))


@pytest.mark.parametrize("shards", [None, "20KB"])
@pytest.mark.parametrize("tied", [True, False])
def test_what_transformers_writes_opens_here(tmp_path: Path, tied: bool, shards: str | None) -> None:
    theirs = their_model(tie_word_embeddings=tied)
    theirs.save_pretrained(tmp_path, **({"max_shard_size": shards} if shards else {}))
    assert (tmp_path / huggingface.INDEX_FILE).exists() == bool(shards)
    ours = huggingface.open_folder(tmp_path)
    assert_same_logits(ours, theirs)
    # ... and back there, bit for bit.
    (tmp_path / "back").mkdir()
    huggingface.write_model(ours, tmp_path / "back")
    before, after = theirs.state_dict(), by_transformers(tmp_path / "back").state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("number_format", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_full_without_a_loss(tmp_path: Path, number_format: torch.dtype) -> None:
    theirs = their_model().to(number_format)
    theirs.save_pretrained(tmp_path)
    ours = huggingface.open_folder(tmp_path)
    assert {parameter.dtype for parameter in ours.parameters()} == {torch.float32}
    assert_same_logits(ours, theirs.float())


def rewrite(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    """Changes the tensors of a folder."""
    path = folder / "model.safetensors"
    changed = change(load_file(path))
    save_file({name: tensor.contiguous() for name, tensor in changed.items()}, path, {"format": "pt"})


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder as transformers writes it."""
    their_model().save_pretrained(tmp_path)
    return tmp_path


OLD_LAYOUTS = {
    "without prefix": lambda w: {name.removeprefix("transformer."): t for name, t in w.items()},
    "with constants": lambda w: (
        w
        | {"transformer.h.0.attn.bias": torch.ones(1, 1, 20, 20), "transformer.h.1.attn.bias": torch.ones(1, 1, 20, 20)}
        | {"transformer.h.0.attn.masked_bias": torch.tensor(-1e4)}
    ),
    "with the shared head": lambda w: w | {"lm_head.weight": w["transformer.wte.weight"].clone()},
    "with a head of its own after all": lambda w: w | {"lm_head.weight": w["transformer.wte.weight"] * 2},
}


@pytest.mark.parametrize("layout", OLD_LAYOUTS)
def test_older_layouts(written: Path, layout: str) -> None:
    rewrite(written, OLD_LAYOUTS[layout])
    ours = huggingface.open_folder(written)
    assert_same_logits(ours, by_transformers(written))
    assert ours.config.tie_embeddings == (layout != "with a head of its own after all")


def test_the_plain_decoder_opens_too(tmp_path: Path) -> None:
    theirs = their_model()
    theirs.transformer.save_pretrained(tmp_path)
    assert_same_logits(huggingface.open_folder(tmp_path), theirs)


HOSTILE_CONFIGS: list[tuple[dict[str, Any], str]] = [
    ({"model_type": "bert"}, "type bert: the lab opens gpt2, llama, qwen3"),
    ({"model_type": None}, "type None"),
    ({"n_embd": 3 * 10**8}, "should be"),
    ({"n_embd": 3 * 10**30}, "no model can have emb_dim"),
    ({"n_embd": 0}, "n_embd is 0"),
    ({"n_embd": "24"}, 'n_embd is "24", and must be a whole number'),
    ({"n_embd": 24.0}, "must be a whole number"),
    ({"n_embd": 25}, "not divisible by n_heads=3"),
    ({"n_head": True}, "n_head is true"),
    ({"n_head": 10**9}, "not divisible"),
    ({"n_layer": 10**9}, "1,000,000,000 layers, and its weights have 2"),
    ({"n_layer": 1}, "says that the model has 1 layers, and its weights have 2"),
    ({"n_positions": 10**12}, "wpe.weight is 20 x 24 and should be 1,000,000,000,000 x 24"),
    ({"vocab_size": 10**9}, "wte.weight is 97 x 24 and should be 1,000,000,000 x 24"),
    ({"vocab_size": -1}, "vocab_size is -1"),
    ({"resid_pdrop": 1.5}, "drop_rate=1.5"),
    ({"activation_function": "relu"}, 'activation_function is "relu" and would have to be "gelu_new"'),
    ({"activation_function": "gelu"}, 'activation_function is "gelu"'),
    ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is true and would have to be false"),
    ({"scale_attn_weights": False}, "scale_attn_weights"),
    ({"n_inner": 50}, "does not hold the model that it describes"),
    ({"n_inner": "50"}, 'n_inner is "50", and must be a number'),
    ({"layer_norm_epsilon": True}, "layer_norm_epsilon is true, and must be a number"),
    ({"add_cross_attention": True}, "add_cross_attention"),
    ({"tie_word_embeddings": False}, "it lacks lm_head.weight"),
]


@pytest.mark.parametrize(("changes", "said"), HOSTILE_CONFIGS, ids=lambda value: json.dumps(value)[:40])
def test_a_config_that_does_not_fit_is_one_sentence(written: Path, changes: dict[str, Any], said: str) -> None:
    path = written / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(LabError) as told:
        huggingface.open_folder(written)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "changes", [{"activation_function": "gelu_pytorch_tanh"}, {"reorder_and_upcast_attn": True}, {"n_inner": 96}]
)
def test_variants_that_compute_the_same_are_opened(written: Path, changes: dict[str, Any]) -> None:
    path = written / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    assert_same_logits(huggingface.open_folder(written), by_transformers(written))


def test_a_config_with_little_in_it_means_what_transformers_takes_it_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(LabError, match="has 12 layers, and its weights have 0"):
        huggingface.open_folder(tmp_path)


HOSTILE_WEIGHTS: list[tuple[str, Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], str]] = [
    ("missing", lambda w: {k: v for k, v in w.items() if ".ln_f." not in k}, "it lacks ln_f.weight, ln_f.bias"),
    ("many missing", lambda w: {k: v for k, v in w.items() if "attn" not in k}, "h.0.attn.c_proj.weight, 5 more"),
    ("extra", lambda w: w | {"score.weight": torch.zeros(2)}, "more than its model with a language-modelling head"),
    ("a layer more", lambda w: w | {"transformer.h.2.ln_1.bias": torch.zeros(24)}, "2 layers, and its weights have 3"),
    ("integers", lambda w: w | {"transformer.wte.weight": w["transformer.wte.weight"].long()}, "number format I64"),
    ("double", lambda w: {k: v.double() for k, v in w.items()}, "number format F64"),
    ("turned", lambda w: w | {"transformer.wte.weight": w["transformer.wte.weight"].T}, "24 x 97 and should be"),
    ("empty", lambda w: {k: v[:0] for k, v in w.items()}, "should be"),
    ("scalar", lambda w: w | {"transformer.ln_f.bias": torch.tensor(1.0)}, "is a single number and should be 24"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"), [case[1:] for case in HOSTILE_WEIGHTS], ids=[c[0] for c in HOSTILE_WEIGHTS]
)
def test_weights_that_do_not_fit_are_one_sentence(written: Path, change: Any, said: str) -> None:
    rewrite(written, change)
    with pytest.raises(LabError) as told:
        huggingface.open_folder(written)
    assert said in str(told.value)
    assert str(written) in str(told.value)
    assert "\n" not in str(told.value)


def test_no_weights_or_pickled_ones(written: Path) -> None:
    (written / "model.safetensors").unlink()
    with pytest.raises(LabError, match=r"has no model\.safetensors; "):
        huggingface.open_folder(written)
    (written / "pytorch_model.bin").write_bytes(b"anything")
    with pytest.raises(LabError, match=r"pytorch_model\.bin is not opened, because a pickle can run code"):
        huggingface.open_folder(written)


def test_an_index_cannot_reach_out_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    their_model().save_pretrained(folder, max_shard_size="20KB")
    index = json.loads((folder / huggingface.INDEX_FILE).read_text())
    name, shard = next(iter(index["weight_map"].items()))
    shutil.copy(folder / shard, tmp_path / "outside.safetensors")

    def told(weight_map: Any) -> str:
        (folder / huggingface.INDEX_FILE).write_text(json.dumps(index | {"weight_map": weight_map}))
        with pytest.raises(LabError) as refused:
            huggingface.open_folder(folder)
        return str(refused.value)

    assert "names a file outside its folder" in told(index["weight_map"] | {name: "../outside.safetensors"})
    assert "there is no file" in told(index["weight_map"] | {name: "absent.safetensors"})
    assert "lacks no.such.tensor" in told(index["weight_map"] | {"no.such.tensor": shard})
    assert "has no weight_map" in told([1, 2])
    assert "has no weight_map" in told({name: 7})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    huggingface.write_model(random_model(SHAPE), folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=st.sampled_from(["config.json", "model.safetensors"]), data=st.data())
def test_damage_anywhere_is_a_sentence_or_a_model(
    file: str, data: st.DataObject, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """Never another exception, never a large allocation: whatever is opened has the size of its file."""
    for name, content in whole.items():
        (tmp_path / name).write_bytes(content)
    bytes_ = bytearray(whole[file])
    if data.draw(st.booleans()):
        bytes_ = bytes_[: data.draw(st.integers(0, len(bytes_) - 1))]
    for _ in range(data.draw(st.integers(0, 4))):
        if bytes_:
            bytes_[data.draw(st.integers(0, min(len(bytes_), 3000) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / file).write_bytes(bytes_)
    with contextlib.suppress(LabError):
        model = huggingface.open_folder(tmp_path)
        assert sum(p.numel() * 4 for p in model.parameters()) <= 2 * len(whole["model.safetensors"])
