"""A run that begins with the weights of a trained model, wherever they are from."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from support.commands import TINY, Finished, train_here

from lab import export
from lab.config import compose
from lab.config.schema import Config, check
from lab.errors import LabError
from lab.interchange import huggingface, weights
from lab.interchange.pretrained import Pretrained, open_pretrained
from lab.model import GPTModel
from lab.parts.config import ModelConfig
from lab.runs import checkpoint, events
from lab.training import finetune

SHAPE = tuple(option for option in TINY if option.startswith("model."))
OTHERS = tuple(option for option in TINY if not option.startswith("model."))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of a few steps, and beside it its model as a Hugging Face folder and as a safetensors file."""
    done = train_here(tmp_path_factory.mktemp("first"), *TINY, "trainer.max_steps=4", "optimizer.lr=1e-2", "save=true")
    assert done.code == 0
    for target in ("exported", "weights.safetensors"):
        export.export(export.Options(to=target, checkpoint=str(done.run)), done.folder)
    return done


def val_losses(run: Path) -> dict[int, float]:
    return {event["step"]: events.figures(event)["val_loss"] for event in events.read(run) if "val_loss" in event}


@pytest.mark.parametrize("kind", ["exported", "weights.safetensors", "run", "best.ckpt"])
def test_the_curve_begins_where_the_other_run_ended(trained: Finished, kind: str, tmp_path: Path) -> None:
    named = {"run": trained.run, "best.ckpt": trained.run / "checkpoints" / "last.ckpt"}.get(
        kind, trained.folder / kind
    )
    done = train_here(tmp_path, *TINY, f"init_from={named}", "trainer.max_steps=2", "log_every=1")
    assert done.code == 0, done.err
    losses = val_losses(done.run)
    assert losses[0] == val_losses(trained.run)[4]  # the very same arithmetic: not a digit between them
    assert set(losses) == {0, 1, 2}
    assert losses[2] != losses[0]
    assert done.results["steps"] == 2
    assert re.search(rf"weights +those of {re.escape(str(named))}", done.out)
    assert ("after step 4" in done.out) == (kind in ("run", "best.ckpt"))
    assert yaml.safe_load((done.run / "config.yaml").read_text())["init_from"] == str(named)
    rates = [
        points["learning_rate"] for points in map(events.figures, events.read(done.run)) if "learning_rate" in points
    ]
    assert len(rates) == 2  # a schedule of its own, from its beginning


def test_a_shorter_context_takes_the_first_positions(trained: Finished, tmp_path: Path) -> None:
    options = [option for option in TINY if "context" not in option]
    done = train_here(
        tmp_path, *options, "model.context_length=8", f"init_from={trained.folder / 'exported'}", "trainer.max_steps=1"
    )
    assert done.code == 0, done.err
    assert "with the first 8 of its 16 positions" in done.out
    model = GPTModel(ModelConfig(emb_dim=32, n_layers=2, n_heads=2, context_length=8))
    source = open_pretrained(str(trained.run), tmp_path).model
    finetune.take_weights(model, source)
    token_ids = torch.arange(8)[None]
    assert torch.equal(model.eval()(token_ids), source(token_ids))


def test_other_shapes_are_listed_with_the_options_that_fit(trained: Finished, tmp_path: Path) -> None:
    done = train_here(tmp_path, *OTHERS, f"init_from={trained.folder / 'exported'}", "model.bias=false")
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    for said in (
        "model.emb_dim is 256 and there 32",
        "model.n_layers is 6 and there 2",
        "model.n_heads is 8 and there 2",
        "model.bias is false and there true",
        "model.context_length is 256 and there 16",
        "give model.emb_dim=32 model.n_layers=2 model.n_heads=2 model.context_length=16 instead",
    ):
        assert said in done.err
    assert (
        json.loads((done.runs or list(tmp_path.glob("outputs/*/*")))[0].joinpath("state.json").read_text())["state"]
        == "failed"
    )


def test_the_preset_that_fits_is_named(tmp_path: Path) -> None:
    """GPT-2's own sizes, without their weight: what does the sentence for init_from=gpt2 say?"""
    sizes = {"medium": (768, 12, 12), "large": (1024, 24, 16)}
    for preset, (emb_dim, n_layers, n_heads) in sizes.items():
        found = ModelConfig(emb_dim=emb_dim, n_layers=n_layers, n_heads=n_heads, context_length=1024)
        assert finetune._fitting(found) == f"model={preset}"
    xl = ModelConfig(emb_dim=1600, n_layers=48, n_heads=25, context_length=1024)
    assert finetune._fitting(xl) == "model.emb_dim=1600 model.n_layers=48 model.n_heads=25 model.context_length=1024"
    untied = ModelConfig(tie_embeddings=False)
    assert finetune.differences(ModelConfig(), untied) == ["model.tie_embeddings is true and there false"]
    assert finetune._fitting(untied) == "model.tie_embeddings=false"


def test_a_continued_run_needs_no_look_at_what_it_began_with(trained: Finished, tmp_path: Path) -> None:
    """Interrupted or not, with the folder or without: the same weights in the end."""
    shutil.copytree(trained.folder / "exported", tmp_path / "base, 'of (it)")
    options = [*TINY, "optimizer.lr=1e-3", "save=true", "save_every=2", "trainer.max_steps=4"]
    whole = train_here(tmp_path, *options, "init_from=base, 'of (it)")
    assert whole.code == 0, whole.err
    shutil.rmtree(tmp_path / "base, 'of (it)")
    for extra in ([], ["init_from=base, 'of (it)"]):  # as a scheduler would type it again
        rest = train_here(tmp_path, f"resume={whole.run / 'checkpoints' / 'step-00000002.ckpt'}", *extra)
        assert rest.code == 0, rest.err
        states = [checkpoint.load(run / "checkpoints" / "last.ckpt")["state_dict"] for run in (whole.run, rest.run)]
        assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())
        assert "\n  weights " not in rest.out  # the line that says what a run begins with
        assert yaml.safe_load((rest.run / "config.yaml").read_text())["init_from"] == "base, 'of (it)"  # for the record
    export.export(export.Options(to="again", checkpoint=str(rest.run)), tmp_path)
    card = (tmp_path / "again" / "README.md").read_text()
    assert "| first weights | those of another model |" in card
    assert "base, 'of" not in card  # a path on somebody's machine


def test_a_resumed_run_takes_no_first_weights_from_a_checkpoint(trained: Finished) -> None:
    """A checkpoint could name anything to be fetched."""
    from lab.training.resume import inherited_overrides

    path = trained.folder / "named.ckpt"
    found = checkpoint.load(trained.run / "checkpoints" / "last.ckpt")
    found["lab"]["config"]["init_from"] = "evil/model"
    checkpoint.save(found, path)
    inherited = inherited_overrides([f"resume={path}"], trained.folder)
    assert inherited
    assert not [word for word in inherited if "init_from" in word]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nowhere", "init_from=nowhere: there is no such file or folder"),
        ("torn.safetensors", "torn.safetensors is damaged or not a safetensors file"),
        ("other", "has a vocabulary of 97 tokens"),
        ("", "init_from= is empty"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(named: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "torn.safetensors").write_bytes(b"torn")
    (tmp_path / "other").mkdir()
    shape = ModelConfig(emb_dim=8, n_layers=1, n_heads=1, context_length=8, vocab_size=97)
    huggingface.write_model(GPTModel(shape), tmp_path / "other")
    done = train_here(tmp_path, *TINY, f"init_from={named}")
    assert done.code == 1
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_an_untied_model_is_fine_tuned_as_it_is(tmp_path: Path) -> None:
    model = GPTModel(ModelConfig(emb_dim=32, n_layers=2, n_heads=2, context_length=16, tie_embeddings=False))
    weights.write_model(model, tmp_path / "m.safetensors")
    typed: Any = ["init_from=m.safetensors", "model.tie_embeddings=false", "trainer.max_steps=1"]
    assert train_here(tmp_path, *TINY, *typed).code == 0
    done = train_here(tmp_path, *TINY, "init_from=m.safetensors")
    assert "model.tie_embeddings is true and there false" in done.err


@pytest.mark.parametrize(
    "typed",
    [
        [],
        ["model.bias=false"],
        ["model=small", "model.n_heads=4", "model.tie_embeddings=false"],
        ["model.emb_dim=65", "model.n_heads=5", "model.context_length=2048"],
    ],
)
def test_weights_fit_with_what_is_advised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: list[str]) -> None:
    """Added to what was typed, over several shapes, of presets and of none."""

    def options_of(words: list[str]) -> Config:
        composed = check(compose.compose_config(words))
        composed.init_from = "x"
        return composed

    chosen = next((word.partition("=")[2] for word in typed if word.startswith("model=")), "nano")
    monkeypatch.setattr(finetune, "defaults", lambda: {"model": chosen})
    monkeypatch.setattr(finetune, "refuse_damaged", lambda _: None)  # these models are shapes without numbers
    for found in (
        ModelConfig(emb_dim=768, n_layers=12, n_heads=12, context_length=1024),
        ModelConfig(emb_dim=1600, n_layers=48, n_heads=25, context_length=1024),
        ModelConfig(emb_dim=48, n_layers=1, n_heads=3, context_length=8, qkv_bias=False),
    ):
        with torch.device("meta"):
            model = GPTModel(found)
        monkeypatch.setattr(finetune, "open_pretrained", lambda *_, model=model: Pretrained(model, "x"))
        with pytest.raises(LabError, match="init_from=x does not fit") as refused:
            finetune.open_initial(options_of(typed), tmp_path)
        advice = [word for word in str(refused.value).rpartition("; ")[2].split() if "=" in word]
        assert finetune.open_initial(options_of([*typed, *advice]), tmp_path).model is model


def test_no_options_are_advised_where_none_can_fit() -> None:
    assert finetune._advice(ModelConfig(), ModelConfig(vocab_size=50304)).startswith("its vocabulary is another one")
