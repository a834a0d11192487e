"""The real command: what it writes opens in transformers and here, and says how the run went."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors import safe_open
from support.commands import TINY, Finished, lab, train_here

from lab import export
from lab.files import atomic
from lab.interchange import weights
from lab.interchange.pretrained import open_pretrained
from lab.model import GPTConfig, GPTModel
from lab.parts.config import ModelConfig


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    done = train_here(
        tmp_path_factory.mktemp("trained"), *TINY, "trainer.max_steps=3", "optimizer.lr=1e-2", "save=true"
    )
    assert done.code == 0
    return done


def here(folder: Path, *arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> tuple[int, str, str]:
    """Runs lab.export inside this process. Returns its exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["export", *arguments])
    monkeypatch.chdir(folder)
    capsys.readouterr()
    code: Any = 0
    try:
        export.main()
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    return int(code), printed.out, printed.err


def test_a_trained_model_opens_in_transformers(trained: Finished, monkeypatch: Any) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    done = lab(trained.folder, "export", "checkpoint=last", "to=my model")
    assert (done.code, done.err) == (0, "")
    folder = trained.folder / "my model"
    assert {path.name for path in folder.iterdir()} == {
        *("config.json", "generation_config.json", "model.safetensors", "README.md", "vocab.json", "merges.txt"),
        *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    }
    assert "\npython -m lab.generate checkpoint='my model'\n" in (folder / "README.md").read_text()
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in folder.iterdir())
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    theirs, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    ours = open_pretrained("last", trained.folder).model
    token_ids = tokenizer("The fox and the miller", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        assert (theirs(token_ids).logits - ours(token_ids)).abs().max() <= 1e-4
    text = str(tokenizer.decode(theirs.generate(token_ids, max_new_tokens=5, do_sample=False)[0]))
    said = lab(
        trained.folder,
        "generate",
        f"checkpoint={folder}",
        "prompt=The fox and the miller",
        "temperature=0",
        "max_tokens=5",
    )
    assert said.out == text + "\n"


def test_the_card_has_the_numbers_of_the_run(trained: Finished, capsys: Any, monkeypatch: Any) -> None:
    assert here(trained.folder, "to=carded", capsys=capsys, monkeypatch=monkeypatch)[0] == 0
    empty, header, body = (trained.folder / "carded" / "README.md").read_text().split("---\n", 2)
    assert empty == ""
    assert yaml.safe_load(header)["library_name"] == "transformers"
    results = trained.results
    rows = {cells[1].strip(): cells[2].strip() for line in body.splitlines() if len(cells := line.split("|")) == 4}
    assert rows["validation loss"] == f"{results['val_loss']:.4f} nats a token"
    assert float(rows["perplexity"].replace(",", "")) == pytest.approx(math.exp(results["val_loss"]), rel=1e-3)
    assert rows["bits per byte"] == f"{results['bits_per_byte']:.4f}"
    assert (rows["steps"], rows["tokens seen"]) == ("3", f"{results['tokens_seen']:,}")
    assert rows["parameters"].startswith(f"{results['parameters']:,}")
    assert rows["corpus"].startswith("fables, 53771 tokens")
    assert f"torch {torch.__version__}" in rows["versions"]
    assert rows["first weights"] == "random"
    assert str(trained.folder) not in body


def test_weights_alone_with_the_shape_as_metadata(trained: Finished, capsys: Any, monkeypatch: Any) -> None:
    code, out, _ = here(trained.folder, "to=sub/tiny.safetensors", capsys=capsys, monkeypatch=monkeypatch)
    assert code == 0
    assert "sub/tiny.safetensors" in out
    path = trained.folder / "sub" / "tiny.safetensors"
    ours = open_pretrained("last", trained.folder).model
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == {name for name, _ in ours.named_parameters()}
        assert ModelConfig(**json.loads(file.metadata()["gpt_config"])) == ours.config
    back = open_pretrained("sub/tiny.safetensors", trained.folder).model
    assert back.config == ours.config
    for name, tensor in ours.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor), name
    code, _, _ = here(
        trained.folder, "checkpoint=sub/tiny.safetensors", "to=again", capsys=capsys, monkeypatch=monkeypatch
    )
    assert code == 0
    assert "How well it does" not in (trained.folder / "again" / "README.md").read_text()  # not known of a bare file
    assert here(trained.folder, "to=plain", "format=safetensors", capsys=capsys, monkeypatch=monkeypatch)[0] == 0
    assert (trained.folder / "plain").read_bytes() == path.read_bytes()


def test_a_model_without_biases_exports_with_zeros_and_says_so(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    model = GPTModel(GPTConfig(emb_dim=8, n_layers=1, n_heads=1, context_length=8, bias=False, qkv_bias=False)).eval()
    weights.write_model(model, tmp_path / "m.safetensors")
    assert here(tmp_path, "checkpoint=m.safetensors", "to=m", capsys=capsys, monkeypatch=monkeypatch)[0] == 0
    assert "model.bias=false and model.qkv_bias=false" in (tmp_path / "m" / "README.md").read_text()
    token_ids = torch.arange(8)[None]
    assert torch.allclose(open_pretrained("m", tmp_path).model(token_ids), model(token_ids), atol=1e-6)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["checkpoint=last"], "to= is missing"),
        (["to="], "to= is empty"),
        (["to=x.gguf"], ".gguf is a format that is not written here"),
        (["to=taken/x.PTH"], ".pth is a format that is not written here"),
        (["to=x", "format="], "format= is unknown"),
        (["to=x", "checkpoint="], "checkpoint= is empty"),
        (["--to=x"], "there is no option --to: write to=x"),
        (["to=x", "format=onnx"], "format=onnx is unknown: choose one of huggingface, safetensors"),
        (["to=x", "checkpoint=nowhere"], "checkpoint=nowhere: there is no such file or folder"),
        (["to=x", "chekpoint=last"], "did you mean checkpoint=?"),
        (["to=taken"], "is there already"),
        (["to=taken/file.txt"], "is there already"),
        (["to=taken/file.txt/x"], "could not be written"),
    ],
)
def test_mistakes_in_one_sentence(
    trained: Finished, typed: list[str], said: str, capsys: Any, monkeypatch: Any
) -> None:
    (trained.folder / "taken").mkdir(exist_ok=True)
    (trained.folder / "taken" / "file.txt").write_text("precious")
    code, out, err = here(trained.folder, *typed, capsys=capsys, monkeypatch=monkeypatch)
    assert (code, out) == (1, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert (trained.folder / "taken" / "file.txt").read_text() == "precious"


def test_an_empty_folder_may_be_filled(trained: Finished, capsys: Any, monkeypatch: Any) -> None:
    (trained.folder / "empty").mkdir()
    assert here(trained.folder, "to=empty", capsys=capsys, monkeypatch=monkeypatch)[0] == 0
    assert (trained.folder / "empty" / "config.json").is_file()


def test_a_failed_export_leaves_nothing(trained: Finished, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "write_text", full)  # after the weights have been written
    source = f"checkpoint={trained.run}"
    code, _, err = here(tmp_path, source, "to=m", capsys=capsys, monkeypatch=monkeypatch)
    assert code == 1
    assert "could not be written (No space left on device), and nothing was left there" in err
    assert list(tmp_path.iterdir()) == []


def test_help(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    code, out, _ = here(tmp_path, "--help", capsys=capsys, monkeypatch=monkeypatch)
    assert code == 0
    assert all(f"  {name} " in out for name in ("to", "checkpoint", "format"))
