"""The README of an exported model says what is known, and nothing of anybody's machine."""

from typing import Any

import torch
import yaml

from lab.interchange.model_card import text
from lab.interchange.pretrained import Pretrained
from lab.model import GPTConfig, GPTModel
from lab.parts import ModelConfig, build_model
from lab.runs.checkpoint_schema import CorpusMetadata, Metadata


def model(**changes: Any) -> GPTModel:
    with torch.device("meta"):
        return GPTModel(GPTConfig(**{"emb_dim": 8, "n_layers": 2, "n_heads": 2, "context_length": 16, **changes}))


def metadata(**options: Any) -> Metadata:
    corpus: CorpusMetadata = {"name": "a|b\nc", "n_tokens": 5, "fingerprint": "abc"}
    return {"format": 2, "config": options, "plan": {}, "tokenizer": "gpt2", "corpus": corpus}


def test_a_model_of_unknown_origin_has_a_shape_and_nothing_else() -> None:
    found = text(Pretrained(model(), "x"), "my-model")
    _, header, body = found.split("---\n", 2)
    assert yaml.safe_load(header)["library_name"] == "transformers"
    assert "base_model" not in header
    assert "# my-model" in body
    assert f"| parameters | {model().num_parameters():,}, " in body
    assert "| context | 16 tokens |" in body
    assert "shares its matrix" in body
    assert "a matrix of its own" in text(Pretrained(model(tie_embeddings=False), "x"), "m")
    for part in ("The training", "How well it does", "zeros"):
        assert part not in body


def test_the_training_and_its_figures_are_told_and_stay_in_their_cells() -> None:
    figures = {"val_step": 1200, "val_loss": 3.25, "val_perplexity": 25.79, "tokens_seen": 51200}
    optimizer = {"_target_": "torch.optim.AdamW", "lr": 0.5}
    found = text(Pretrained(model(), "x", metadata(optimizer=optimizer, seed=7), 1500, figures), "m")
    assert "| corpus | a\\|b c, 5 tokens (fingerprint abc) |" in found
    assert "| steps | 1,500 |" in found
    assert "| tokens seen | 51,200 |" in found
    assert "| optimizer | target torch.optim.AdamW, lr 0.5 |" in found
    assert "| first weights | random |" in found
    assert "after step 1,200" in found
    assert "| validation loss | 3.2500 nats a token |" in found
    assert "bits per byte |" not in found


def test_a_path_on_somebodys_machine_is_nobodys_business() -> None:
    found = text(Pretrained(model(), "x", metadata(init_from="/home/ann/secret"), 1), "m")
    assert "secret" not in found
    assert "those of another model" in found
    public = text(Pretrained(model(), "x", metadata(init_from="gpt2"), 1), "m")
    assert "base_model: openai-community/gpt2" in public
    assert "| first weights | those of openai-community/gpt2 |" in public


def test_biases_that_stand_there_as_zeros_are_explained() -> None:
    found = text(Pretrained(model(bias=False), "x"), "it's")
    assert "trained with model.bias=false. Hugging" in found
    assert """checkpoint='it'"'"'s'""" in found
    assert 'from_pretrained("it\'s")' in found


def test_a_llama_is_not_called_a_gpt2() -> None:
    shape = ModelConfig(norm="rmsnorm", feed_forward="swiglu", position="rope", bias=False, qkv_bias=False)
    with torch.device("meta"):
        llama = build_model(shape)
    _, header, body = text(Pretrained(llama, "x"), "my-model").split("---\n", 2)
    assert "llama" in yaml.safe_load(header)["tags"]
    assert "A Llama written by gpt-lab" in body
    assert "| position | rope |" in body
    assert "GPT-2 has every bias" not in body
    assert "A GPT-2 written by" in text(Pretrained(model(), "x"), "my-model")
