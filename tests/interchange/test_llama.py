"""Models of Llama's and Qwen3's recipe, against transformers' own."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import lab, scalars, train_here
from support.runs import OPTIONS, write_tale

from lab.errors import LabError
from lab.interchange import huggingface
from lab.interchange.llama import unlike
from lab.model import GPTConfig, GPTModel
from lab.parts import ModelConfig, build_model

RECIPE: dict[str, Any] = {
    "norm": "rmsnorm",
    "feed_forward": "swiglu",
    "position": "rope",
    "bias": False,
    "qkv_bias": False,
    "emb_dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "context_length": 24,
    "vocab_size": 50,
    "drop_rate": 0.0,
}


def model_of(**options: Any) -> GPTModel:
    torch.manual_seed(1)
    model = build_model(ModelConfig(**{**RECIPE, **options})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    return model


def theirs(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings(action="ignore"):
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, "Llama"),
        ({"n_kv_heads": 2, "rope_base": 5e5}, "Llama"),
        ({"tie_embeddings": False, "norm_eps": 1e-3, "hidden_dim": 40}, "Llama"),
        ({"bias": True, "qkv_bias": True}, "Llama"),
        ({"qk_norm": True}, "Qwen3"),
        ({"qk_norm": True, "n_kv_heads": 1, "head_dim": 10}, "Qwen3"),
    ],
)
def test_out_and_back(options: dict[str, Any], kind: str, tmp_path: Path) -> None:
    model = model_of(**options)
    (tmp_path / "a").mkdir()
    huggingface.write_model(model, tmp_path / "a")
    twin = theirs(tmp_path / "a")
    assert type(twin).__name__ == f"{kind}ForCausalLM"
    ids = torch.randint(50, (2, 24), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(twin(ids).logits, model(ids), rtol=0, atol=1e-4)
        greedy = twin.generate(ids[:1, :5], max_new_tokens=12, do_sample=False, eos_token_id=None, pad_token_id=0)
        mine = ids[:1, :5]
        for _ in range(12):
            mine = torch.cat((mine, model(mine)[:, -1:].argmax(-1)), dim=1)
    assert torch.equal(greedy, mine)
    # As transformers writes it, too.
    twin.save_pretrained(tmp_path / "b")
    for folder in ("a", "b"):
        back = huggingface.open_folder(tmp_path / folder)
        assert back.config == model.config
        assert all(torch.equal(tensor, back.state_dict()[name]) for name, tensor in model.state_dict().items())


def test_a_bias_on_queries_alone_goes_out_with_zeros(tmp_path: Path) -> None:
    model = model_of(qkv_bias=True)
    huggingface.write_model(model, tmp_path)
    ids = torch.arange(24)[None]
    with torch.no_grad():
        torch.testing.assert_close(theirs(tmp_path)(ids).logits, model(ids), rtol=0, atol=1e-4)
        torch.testing.assert_close(huggingface.open_folder(tmp_path)(ids), model(ids))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"position": "alibi"}, "for Llama or Qwen3, model.position is alibi and would have to be rope"),
        ({"sliding_window": 8}, "for Llama or Qwen3, model.sliding_window is set"),
        ({"block": "post_norm"}, "model.block is post_norm and would have to be pre_norm"),
        ({"qk_norm": True, "bias": True}, "there are biases, and with model.qk_norm=true it would be Qwen3"),
        (
            {"norm": "layernorm", "feed_forward": "gelu", "position": "learned", "n_kv_heads": 2},
            "for GPT-2, model.n_kv_heads is 2 and would have to be null",
        ),
    ],
)
def test_what_has_no_twin_is_refused_with_the_reason(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=said) as told:
        huggingface.write_model(model_of(**options), tmp_path)
    assert "format=safetensors" in str(told.value)
    assert not list(tmp_path.iterdir())


def test_gpt2_is_no_llama() -> None:
    assert len(unlike(GPTConfig())) == 5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden_act": "gelu"}, "hidden_act is .gelu. and would have to be .silu."),
        ({"mlp_bias": True}, "mlp_bias is true and would have to be false"),
        ({"rope_parameters": {"rope_type": "llama3", "factor": 8.0, "rope_theta": 1e4}}, "stretches its positions"),
        ({"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2.0}}, "stretches its positions"),
        ({"num_key_value_heads": 3}, "n_heads=4 is not divisible by n_kv_heads=3"),
        ({"num_key_value_heads": "2"}, "num_key_value_heads is .2., and must be a whole number"),
        ({"hidden_size": 33}, "and should be|is not divisible"),
        ({"num_hidden_layers": 3}, "3 layers, and its weights have 2"),
        ({"num_hidden_layers": 10**9}, "1,000,000,000 layers, and its weights have 2"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps is .small., and must be a number"),
        ({"model_type": "mamba"}, "type mamba: the lab opens gpt2, llama, qwen3"),
        ({"model_type": "qwen3"}, "is not complete: it lacks model.layers.0.self_attn.q_norm.weight"),
        ({"intermediate_size": 48}, "does not hold the model that it describes"),
    ],
)
def test_a_folder_that_says_something_else(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    huggingface.write_model(model_of(), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(LabError, match=said):
        huggingface.open_folder(tmp_path)


def test_a_model_that_was_published_like_smollm2(tmp_path: Path) -> None:
    """bf16, tied, grouped queries, positions of another base, and options that change nothing."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=24, intermediate_size=64, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2,
        max_position_embeddings=32, rms_norm_eps=1e-5, tie_word_embeddings=True, vocab_size=70_000,
        rope_parameters={"rope_type": "default", "rope_theta": 100_000}, initializer_range=0.2,
    )  # fmt: skip
    twin: Any = LlamaForCausalLM(config).eval()
    twin.to(torch.bfloat16)
    twin.save_pretrained(tmp_path)
    model = huggingface.open_folder(tmp_path)
    ids = torch.randint(70_000, (1, 32))
    with torch.no_grad():
        # Opened again in fp32: a model that was cast to bf16 has rounded its angles, too.
        torch.testing.assert_close(model(ids), theirs(tmp_path)(ids).logits, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_a_run_of_llamas_recipe_goes_out_comes_in_and_goes_on(tmp_path: Path) -> None:
    """From training to transformers and back to fine-tuning, with a tokenizer of its own."""
    write_tale(tmp_path)
    recipe = ["model.norm=rmsnorm", "model.feed_forward=swiglu", "model.position=rope", "model.n_kv_heads=1"]
    recipe += ["model.bias=false", "model.qkv_bias=false", "tokenizer=bpe", "tokenizer.vocab_size=300"]
    done = train_here(tmp_path, *OPTIONS, *recipe, "hydra.run.dir=run")
    assert done.code == 0, done.err
    done = lab(tmp_path, "export", "checkpoint=run", "to=out")
    assert done.code == 0, done.err
    from transformers import AutoTokenizer

    tokenizer, twin = AutoTokenizer.from_pretrained(tmp_path / "out"), theirs(tmp_path / "out")
    ids = tokenizer("On day 3 the fox", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        expected = twin.generate(ids, max_new_tokens=6, do_sample=False, eos_token_id=None, pad_token_id=0)
    for checkpoint in ("run", "out"):
        words = ("prompt=On day 3 the fox", "max_tokens=6", "temperature=0")
        done = lab(tmp_path, "generate", f"checkpoint={checkpoint}", *words)
        assert done.out.rstrip("\n") == tokenizer.decode(expected[0])
    # The options that fit are told, and fit.
    more = (*OPTIONS, "init_from=out", "trainer.max_steps=1")
    done = train_here(tmp_path, *more, "hydra.run.dir=refused")
    assert done.code == 1
    advised = re.findall(r"model\.\w+=\S+", done.err.partition("give ")[2])
    assert {"model.norm=rmsnorm", "model.n_kv_heads=1", "model.qkv_bias=false"} < set(advised)
    done = train_here(tmp_path, *more, *advised, "hydra.run.dir=tuned")
    assert done.code == 0, done.err
    assert scalars(tmp_path / "tuned")["val_loss"]
