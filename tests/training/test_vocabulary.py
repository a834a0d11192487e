"""A run with each tokenizer, from the first command to the last: its checkpoint says what its tokens mean."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from support.commands import Finished, inside, train_here
from support.runs import OPTIONS, assert_same_run, write_tale
from support.tokenizers import sentencepiece_like, wide, write_json

from lab import evaluate, export, generate
from lab.interchange.pretrained import open_pretrained
from lab.runs import checkpoint
from lab.tokenizers import definition

SMALL = (*OPTIONS, "logger=tensorboard", "trainer.max_steps=4", "eval_every=2", "model.emb_dim=8", "model.n_layers=1")
WORDS = {
    "bytes": ["tokenizer=bytes"],
    "chars": ["tokenizer=chars"],
    "bpe": ["tokenizer=bpe", "tokenizer.vocab_size=300", "data.batch_size=2"],
    "wide": ["tokenizer=hf", "tokenizer.path=wide.json", "data.batch_size=2"],
    "llama": ["tokenizer=hf", "tokenizer.path=llama.json"],
}


def begin(folder: Path, name: str) -> Finished:
    write_tale(folder)
    write_json(folder / "wide.json", wide())
    write_json(folder / "llama.json", sentencepiece_like())
    done = train_here(folder, *SMALL, *WORDS[name], "save_every=2", "hydra.run.dir=run")
    assert done.code == 0, done.err
    return done


def text_of(folder: Path, checkpoint_: str) -> str:
    words = [f"checkpoint={checkpoint_}", "prompt=The fox", "max_tokens=12", "temperature=0"]
    code, out, err = inside(generate.main, folder, *words)
    assert code == 0, err
    return out


@pytest.mark.parametrize(
    "name", [name if name == "wide" else pytest.param(name, marks=pytest.mark.slow) for name in WORDS]
)
def test_every_tokenizer_from_training_to_export(name: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    begin(tmp_path, name)
    for file in ("wide.json", "llama.json"):
        (tmp_path / file).unlink()  # nothing below needs what it was made from
    opened = open_pretrained("run", tmp_path)
    assert opened.model.token_embedding.weight.shape[0] == opened.tokenizer.vocab_size

    results = json.loads((tmp_path / "run" / "results.json").read_text())
    code, out, err = inside(evaluate.main, tmp_path, "checkpoint=run", "format=json")
    assert code == 0, err
    measured = json.loads(out)
    assert measured["loss"] == pytest.approx(results["val_loss"], rel=1e-5)
    assert measured["bits_per_byte"] == pytest.approx(results["bits_per_byte"], rel=1e-5)
    # Counted once more, from the text: all of it is the training text and the validation text.
    whole = json.loads(inside(evaluate.main, tmp_path, "checkpoint=run", "format=json", "split=all")[1])
    n_bytes = len((tmp_path / "tale.txt").read_bytes())
    first = opened.tokenizer.decode_bytes(opened.tokenizer.encode((tmp_path / "tale.txt").read_text())[:1])
    assert whole["bytes"] == n_bytes - len(first) + (name == "llama")
    assert whole["bits_per_byte"] == pytest.approx(
        whole["loss"] * whole["tokens"] / 0.6931471805599453 / whole["bytes"]
    )

    for words in (["to=exported"], ["to=weights.safetensors"]):
        assert inside(export.main, tmp_path, "checkpoint=run", *words)[0] == 0
    spoken = text_of(tmp_path, "run")
    assert spoken.startswith("The fox")
    assert text_of(tmp_path, "exported") == text_of(tmp_path, "weights.safetensors") == spoken

    theirs = AutoTokenizer.from_pretrained(tmp_path / "exported")
    for text in ("The fox met the crow.", "naïve 🦊\n\n  two", "<a|b>"):
        assert theirs(text, add_special_tokens=False)["input_ids"] == opened.tokenizer.encode(text)
    assert theirs.eos_token_id == opened.tokenizer.endoftext
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "exported")
    assert model.config.eos_token_id == opened.tokenizer.endoftext
    ids = torch.tensor([opened.tokenizer.encode("The fox")])
    assert torch.allclose(model(ids).logits, opened.model(ids), atol=1e-4)


@pytest.mark.parametrize("name", ["bpe", pytest.param("llama", marks=pytest.mark.slow)])
def test_a_run_goes_on_with_its_tokenizer_and_with_no_other(name: str, tmp_path: Path) -> None:
    begin(tmp_path, name)
    write_json(tmp_path / "llama.json", sentencepiece_like(words=3))  # another one now, and not looked at
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    done = train_here(tmp_path, "resume=run/checkpoints/step-00000002.ckpt", "trainer.max_steps=4", "hydra.run.dir=on")
    assert done.code == 0, done.err
    assert_same_run(tmp_path / "run", tmp_path / "on")
    refused = {
        "tokenizer=chars": f"the tokenizer was {definition.called(described(tmp_path))} and is chars",
        **({"tokenizer.vocab_size=299": "tokenizer.vocab_size was 300 and is 299"} if name == "bpe" else {}),
        **({"tokenizer.path=llama.json": "tokenizer.path=llama.json is another one"} if name == "llama" else {}),
    }
    for word, sentence in refused.items():
        again = train_here(tmp_path, "resume=run", "trainer.max_steps=6", word, "hydra.run.dir=no")
        assert again.code == 1
        assert sentence in again.err
        assert "Traceback" not in again.err
        assert not (tmp_path / "no").exists() or not list((tmp_path / "no").glob("checkpoints"))


def described(folder: Path) -> definition.Definition:
    return checkpoint.read_metadata(folder / "run" / "checkpoints" / "last.ckpt")[0]["tokenizer"]


@pytest.mark.slow
def test_weights_bring_their_tokenizer_along(tmp_path: Path) -> None:
    begin(tmp_path, "bpe")
    assert inside(export.main, tmp_path, "checkpoint=run", "to=exported")[0] == 0
    same = [*SMALL, "data.batch_size=2", "init_from=exported"]
    done = train_here(tmp_path, *same, "hydra.run.dir=tuned")
    assert done.code == 0, done.err
    tuned, first = open_pretrained("tuned", tmp_path), open_pretrained("run", tmp_path)
    assert tuned.tokenizer.encode("The fox") == first.tokenizer.encode("The fox")
    assert tuned.tokenizer.name == "hf"
    again = train_here(tmp_path, "resume=tuned", "trainer.max_steps=5", "hydra.run.dir=on")
    assert again.code == 0, again.err
    refused = train_here(tmp_path, *same, "tokenizer=bytes", "hydra.run.dir=no")
    assert refused.code == 1
    assert "init_from=exported was trained with a tokenizer of its own (hf), and tokenizer=bytes makes" in refused.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tokenizer=bytes", "model.vocab_size=300"], "model.vocab_size=300: the tokenizer decides it, and it has 257"),
        (["tokenizer=chars", "model.vocab_size=5"], "model.vocab_size=5: the tokenizer decides it"),
        (["tokenizer=hf"], "tokenizer=hf needs tokenizer.path="),
        (["tokenizer=hf", "tokenizer.path=nowhere"], "has no tokenizer.json"),
        (["tokenizer=bytes", "tokenizer.vocab_size=300"], "tokenizer.vocab_size= goes with tokenizer=bpe"),
        (["tokenizer.path=a.json"], "tokenizer.path= goes with tokenizer=hf"),
        (["tokenizer=bpe", "tokenizer.vocab_size=null"], "tokenizer=bpe needs a size"),
        (["tokenizer=bpe", "tokenizer.vocab_size=256"], "tokenizer.vocab_size=256 is out of range"),
        (["tokenizer=words"], "tokenizer=words"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(words: list[str], sentence: str, tmp_path: Path) -> None:
    write_tale(tmp_path)
    done = train_here(tmp_path, *SMALL, *words)
    assert done.code == 1
    assert sentence in done.err
    assert done.err.count("\n") == 1
