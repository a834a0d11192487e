"""Mistakes, typed as people make them: one sentence, a non-zero exit code, no traceback, nothing lost."""

from pathlib import Path

import pytest
import torch
from support.commands import TINY, train_here

# What is typed, and what the sentence must say.
MISTAKES = [
    (["optimizer.lrr=1"], ["optimizer.lrr", "did you mean optimizer.lr?"]),
    (["modle=nano"], ["modle", "did you mean model?"]),
    (["lr=1e-3"], ["lr", "did you mean optimizer.lr?"]),
    (["+model.zz=1"], ["model.zz"]),
    (["+model.n_layer=3"], ["model.n_layer", "did you mean model.n_layers?"]),
    (["++brand.new=1"], ["brand"]),
    (["model=huge"], ["model=huge", "gpt1_nano, large, llama_nano", "medium, nano, qwen3_nano, small"]),
    (["model=nanoo"], ["did you mean nano?"]),
    (["corpus=bible"], ["corpus=bible", "fables, fineweb_edu, grammar, hf, mix, shakespeare, stdlib, text"]),
    (["experiment=none"], ["experiment=none", "overfit"]),
    (["model"], ["'model' is no option", "option=value"]),
    (["optimizer.lr=fast"], ["optimizer.lr=fast", "a number"]),
    (["trainer.max_steps=1.5"], ["trainer.max_steps=1.5", "a whole number"]),
    (["save=maybe"], ["save=maybe", "true or false"]),
    (["schedule.name=cosin"], ["schedule.name=cosin", "constant, cosine, wsd"]),
    (["optimizer.lr=-1"], ["optimizer.lr=-1", "above 0"]),
    (["optimizer.lr=0"], ["optimizer.lr=0", "above 0"]),
    (["optimizer.lr=nan"], ["optimizer.lr=nan", "above 0"]),
    (["optimizer.betas=[0.9,1.0]"], ["optimizer.betas=1", "below 1"]),
    (["optimizer=sgd", "optimizer.betas=[0.9,0.99]"], ["optimizer.betas", "optimizer that is chosen"]),
    (["model.drop_rate=1.5"], ["drop_rate=1.5", "below 1"]),
    (["model.n_heads=7"], ["emb_dim=256", "n_heads=7", "divisible"]),
    (["model.n_layers=0"], ["n_layers=0", "at least 1"]),
    (["data.batch_size=0"], ["data.batch_size=0", "at least 1"]),
    (["data.val_fraction=1"], ["data.val_fraction=1", "below 1"]),
    (["trainer.max_steps=-5"], ["trainer.max_steps=-5", "at least 1"]),
    (["eval_every=0"], ["eval_every=0", "at least 1"]),
    (["seed=-1"], ["seed=-1", "at least 0"]),
    (["trainer.precision=fp8"], ["trainer.precision=fp8", "bf16-mixed"]),
    (["trainer.accelerator=tpu"], ["trainer.accelerator=tpu", "cpu, gpu"]),
    (["corpus=text"], ["corpus.path="]),
    (["corpus=text", "corpus.path=nowhere.txt"], ["nowhere.txt", "there is no file"]),
    (["corpus=text", "corpus.path=empty.txt"], ["empty"]),
    (["corpus=text", "corpus.path=binary.bin"], ["binary.bin", "not a text"]),
    (["corpus=text", "corpus.path=latin1.txt"], ["latin1.txt", "not UTF-8"]),
    (["corpus=text", "corpus.path=images"], ["images", "no text in it"]),
    (["corpus=text", "corpus.path=short.txt"], ["too small", "4 tokens", "17", "model.context_length="]),
    (["corpus=text", "corpus.path=broken.jsonl"], ["broken.jsonl, line 2"]),
    (["resume=nowhere.ckpt"], ["nowhere.ckpt", "no such file"]),
    (["resume=last"], ["resume=last", "save=true"]),
    (["resume=short.txt"], ["short.txt", "not a checkpoint"]),
    (["resume=foreign.pt"], ["foreign.pt", "not a checkpoint of this lab"]),
    (["resume=https://example.org/a.ckpt"], ["fetch the file first"]),
    (["save_every=5"], ["save_every", "save=true"]),
    (["model.vocab_size=1000"], ["model.vocab_size=1000", "50257"]),
    (["foo=(,"], ["'foo=(,' cannot be read"]),
    (["logger.tensorboard.name=My run #1"], ["as \"logger.tensorboard.name='My run #1'\""]),
    (["hydra/launcher=nosuch"], ["hydra/launcher=nosuch is unknown: choose one of basic"]),
    (["hydra/job_logging=defalt"], ["did you mean default?"]),
    (["logger=[csv,nosuch]"], ["logger=nosuch is unknown: choose one of csv, mlflow, none, tensorboard, wandb"]),
    (["sample.prompt="], ["sample.prompt is empty"]),
    (["--epochs", "5"], ["no flag --epochs", "write trainer.max_epochs=5;"]),
    (["--lr=0.1"], ["no flag --lr", "write optimizer.lr=0.1;"]),
    (["-lr", "0.1"], ["write optimizer.lr=0.1;"]),
    (["--batch_size=8"], ["write data.batch_size=8;"]),
    (["--save"], ["write save=true;"]),
    (["--resume"], ["write resume=VALUE;"]),
    (["--foo"], ["'--foo' is no option", "option=value"]),
    (["--"], ["'--' is no option"]),
    (["--cfg", "foo"], ["--cfg", "job"]),
    (["--shell-completion"], ["install=bash"]),
    (["-m"], ["no option here has several values", "leave out -m"]),
    (["seed=3", "-m"], ["no option here has several values"]),
    (["seed=1,2"], ["seed=1,2 has several values", "-m"]),
    (["optimizer.lr=0,001"], ["a decimal number has a point"]),
    (["~model"], ["~model", "leave it out"]),
    (["~trainer.max_steps"], ["~trainer.max_steps", "leave it out"]),
    (["~logger"], ["logger=none"]),
    (["model="], ["model= is no choice", "nano"]),
    (["data=null"], ["data=null is no choice", "default"]),
    (["model=[nano,small]"], ["a run has one model"]),
    (["corpus=notes.txt"], ["corpus=text corpus.path=FILE"]),
    (["corpus=./notes.txt"], ["corpus=./notes.txt is unknown", "corpus=text corpus.path=FILE"]),
    (["hydra=1"], ["hydra.run.dir="]),
    (["=3"], ["'=3' is no option"]),
    (["model..emb_dim=3"], ["'model..emb_dim=3' is no option"]),
    (["seed=1\n2"], [r"'seed=1\n2' cannot be read"]),
    (["+seed=3"], ["seed is there already", "leave out the +"]),
    (["seed=null"], ["seed=null does not fit", "needs a value"]),
    (["sample=3"], ["sample=3 does not fit", "sample.prompt="]),
    (["epochs=5"], ["did you mean trainer.max_epochs?"]),
    (["steps=5"], ["did you mean trainer.max_steps?"]),
    (["out=x"], ["did you mean hydra.run.dir?"]),
    (["optimizer.lr=1e400"], ["optimizer.lr=inf", "a finite number"]),
    (["seed=4294967296"], ["seed=4294967296 is out of range", "4294967295"]),
    (["optimizer.lr=${nix}"], ["optimizer.lr", "'nix' not found"]),
    (["optimizer.betas=0.9"], ["optimizer.betas=0.9 does not fit", "[0.9,0.95]"]),
    (["optimizer.betas=[0.9]"], ["optimizer.betas=[0.9] does not fit", "two numbers"]),
    (["data.stride=17"], ["data.stride=17", "at most model.context_length=16"]),
    (["data.num_workers=100000"], ["data.num_workers=100000 is out of range"]),
    (["corpus.source=url"], ["corpus.url="]),
    (["sample.prompt=caf\udce9"], ["sample.prompt", "not UTF-8"]),
    (["hydra.run.dir="], ["hydra.run.dir= is empty"]),
    (["resume="], ["resume= is empty"]),
    (["resume=auto"], ["hydra.run.dir=FOLDER"]),
    (["optimizer._target_=os.system"], ["optimizer"]),
    (["+callbacks.mine=3"], ["callbacks.mine", "_target_"]),
    (["+callbacks.mine._target_=builtins.dict"], ["builtins.dict makes a dict", "lightning Callback"]),
    (["+callbacks.mine._target_=builtins.print"], ["builtins.print makes nothing"]),
    (["+callbacks.mine._target_=sys.exit"], ["sys.exit cannot be made"]),
    (["+callbacks.mine._target_="], ["callbacks.mine has no _target_"]),
    (["+logger.mine._target_=builtins.dict"], ["logger.mine", "lightning Logger"]),
    (["optimizer._target_=builtins.dict"], ["optimizer", "torch Optimizer"]),
    (["optimizer._target_=torch.optim.LBFGS"], ["torch.optim.LBFGS cannot be made", "options"]),
    (["logger.tensorboard.save_dir=/proc/x"], ["logger.tensorboard cannot write to /proc/x", "save_dir"]),
    (["logger=csv", "logger.csv.save_dir=short.txt"], ["logger.csv cannot write to", "short.txt"]),
    (["model.emb_dim=1000000000"], ["TiB of memory", "there are", "model.emb_dim"]),
    (["model.n_layers=1000000000"], ["TiB of memory", "model.n_layers"]),
    (["data.batch_size=1000000000000"], ["TiB for a batch", "data.batch_size"]),
    (["data.batch_size=100000"], ["data.batch_size=100000 is more than the 3,", "windows"]),
    (["schedule.warmup_steps=500", "trainer.max_steps=20"], ["schedule.warmup_steps=500 is longer", "20 steps"]),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of every wrong kind."""
    folder = tmp_path_factory.mktemp("mistakes")
    (folder / "empty.txt").write_text("")
    (folder / "binary.bin").write_bytes(bytes(range(256)))
    (folder / "latin1.txt").write_bytes("déjà vu ".encode("latin1") * 100)
    (folder / "images").mkdir()
    (folder / "images" / "cat.png").write_bytes(b"\x89PNG")
    (folder / "short.txt").write_text("far too short indeed")
    (folder / "broken.jsonl").write_text('{"text": "good"}\n{"words": "bad"}\n')
    torch.save({"weights": torch.zeros(3)}, folder / "foreign.pt")
    return folder


@pytest.mark.parametrize(("typed", "said"), MISTAKES, ids=lambda value: " ".join(value)[:40])
def test_one_sentence(typed: list[str], said: list[str], folder: Path) -> None:
    tiny = [] if typed[0].startswith(("model.", "+model.")) else TINY
    done = train_here(folder, *tiny, "trainer.max_steps=1", *typed)
    assert done.code == 1, done.out
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("error: ")
    assert len(lines[0]) < 320
    for words in said:
        assert words in lines[0]
    assert not (folder / "outputs").exists(), "a run that has not begun has no folder"
