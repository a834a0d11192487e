"""Mistakes, typed as people make them: one sentence, a non-zero exit code, no traceback, nothing lost."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import ROOT, TINY, lab, train_here

from lab.system.malloc import ran_out

# What is typed, and what the sentence must say.
MISTAKES = [
    (["optimizer.lrr=1"], ["optimizer.lrr", "did you mean optimizer.lr?"]),
    (["modle=nano"], ["modle", "did you mean model?"]),
    (["lr=1e-3"], ["lr", "did you mean optimizer.lr?"]),
    (["+model.zz=1"], ["model.zz"]),
    (["+model.n_layer=3"], ["model.n_layer", "did you mean model.n_layers?"]),
    (["++brand.new=1"], ["brand"]),
    (["model=huge"], ["model=huge", "large, medium, nano, small"]),
    (["model=nanoo"], ["did you mean nano?"]),
    (["corpus=bible"], ["corpus=bible", "fables, shakespeare, stdlib, text, verdict"]),
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


@pytest.mark.parametrize("n_tokens", [4, 5, 9, 30])
def test_the_advice_for_a_text_that_is_too_small_works(tmp_path: Path, n_tokens: int) -> None:
    (tmp_path / "mine.txt").write_text("fox " * (n_tokens - 1) + "fox")
    typed = [*TINY, "model.context_length=64", "trainer.max_steps=2", "corpus=text", "corpus.path=mine.txt"]
    done = train_here(tmp_path, *typed)
    assert done.code == 1
    advice = done.err.strip().partition("a longer text, or ")[2].split()
    assert advice, done.err
    done = train_here(tmp_path, *typed, *advice)
    assert (done.code, done.err) == (0, "")


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


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["callbacks=early_stopping", "callbacks.early_stopping.monitor=nothing"], "`nothing` which is not available"),
        (["logger=csv", "logger.csv.flush_logs_every_n_steps=0"], "logger.csv: CSVLogger failed (ZeroDivisionError"),
        (["+logger.tensorboard.colour=red"], "logger.tensorboard: TensorBoardLogger failed (TypeError"),
    ],
)
def test_an_option_that_only_shows_in_the_run_to_be_wrong(typed: list[str], said: str, tmp_path: Path) -> None:
    done = train_here(tmp_path, *TINY, "trainer.max_steps=1", "hydra.run.dir=run", *typed)
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err
    assert json.loads((tmp_path / "run" / "state.json").read_text())["state"] == "failed"


def test_a_callback_of_the_users_own_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "homemade.py").write_text(
        "import lightning\nclass Mine(lightning.Callback):\n    def on_train_start(self, *_):\n        1 / 0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        train_here(tmp_path, *TINY, "trainer.max_steps=1", "+callbacks.mine._target_=homemade.Mine")


def test_a_refused_start_leaves_every_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "note.txt").write_text("precious")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "config.yaml").write_text("ours: true")
    untouched = sorted(tmp_path.rglob("*"))
    assert train_here(tmp_path, *TINY, "trainer.max_steps=1", "hydra.run.dir=theirs").code == 1
    for place in ("mine", "new/deep", ".", "notes"):
        assert train_here(tmp_path, *TINY, "optimizer.lr=nan", f"hydra.run.dir={place}").code == 1
    assert train_here(tmp_path, *TINY, "seed=-1").code == 1
    assert train_here(tmp_path, *TINY, "data.batch_size=100000", "hydra.run.dir=new").code == 1
    assert sorted(tmp_path.rglob("*")) == untouched
    assert train_here(tmp_path, *TINY, "trainer.max_steps=1", "hydra.run.dir=notes").code == 0
    before = sorted(tmp_path.rglob("*"))
    assert train_here(tmp_path, *TINY, "optimizer.lr=nan", "hydra.run.dir=notes").code == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_memory_that_has_run_out_is_told_from_a_bug() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert ran_out(caught.value)
    assert not ran_out(RuntimeError("shapes do not match"))


COMMANDS = {
    "bench": [
        (["--pairs", "0"], "--pairs: 0 does not fit: it must be a whole number, at least 1"),
        (["--pairs", "nan"], "--pairs: nan does not fit"),
        (["--lr=3"], "there is no flag --lr: write optimizer.lr=3"),
        (["model.n_layers=1000000000"], "TiB of memory"),
        (["model=huge"], "model=huge is unknown"),
    ],
    "control": [
        ([], "the following arguments are required"),
        (["somewhere", "dance"], "invalid choice: 'dance' (choose from"),
        (["somewhere", "pause", "--timeout", "-1"], "--timeout: -1 does not fit: it must be a number, at least 0"),
        (["somewhere", "pause", "--timeout", "nan"], "--timeout: nan does not fit"),
    ],
    "dashboard.__main__": [
        (["--port", "99999"], "--port: 99999 does not fit: it must be a whole number, at least 0 and at most 65535"),
        (["--host", "999.1.1.1"], "--host 999.1.1.1 is no address"),
        (["--host", ""], "--host is empty"),
        (["--root", ""], "--root is empty"),
        (["--prot", "1"], "unrecognized arguments: --prot"),
    ],
    "summary": [
        (["--model=small"], "there is no flag --model: write model=small"),
        (["-m"], "'-m' is no option"),
        (["model.emb_dim=100000000000"], "torch cannot count"),
    ],
}


@pytest.mark.parametrize(
    ("command", "typed", "said"), [(command, *case) for command, cases in COMMANDS.items() for case in cases]
)
def test_other_commands_tell_it_in_one_sentence_too(
    command: str, typed: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [command, *typed])
    with pytest.raises(SystemExit) as stop:
        importlib.import_module(f"lab.{command}").main()
    told = capsys.readouterr()
    assert (stop.value.code, told.out) == (1, "")
    assert told.err.startswith("error: ")
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_help_of_the_build_builds_nothing(tmp_path: Path) -> None:
    done = lab(tmp_path, "dashboard.build", "--help", env={"PATH": str(tmp_path)})  # there is no npm to run
    assert (done.code, done.err) == (0, "")
    assert "python -m lab.dashboard.build" in done.out
    done = lab(tmp_path, "dashboard.build", "--fast", env={"PATH": str(tmp_path)})
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: unrecognized arguments: --fast")


def test_a_summary_of_a_tower_builds_none_of_it(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lab import summary

    monkeypatch.setattr(sys, "argv", ["summary", "model.n_layers=1000000000"])
    summary.main()
    assert "1000000000" in capsys.readouterr().out


def test_the_process_itself_says_one_sentence_and_exits_with_1(folder: Path) -> None:
    done = lab(folder, "train", "optimizer.lrr=1")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: there is no option optimizer.lrr")
    assert "Traceback" not in done.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there(folder: Path) -> None:
    done = train_here(folder, "trainer=gpu")
    assert done.code == 1
    assert "no GPU" in done.err


@pytest.mark.parametrize("accelerator", ["cpu", pytest.param("auto", id="a machine without a GPU")])
def test_an_arithmetic_that_would_be_replaced_by_another(
    folder: Path, accelerator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    done = train_here(folder, *TINY, f"trainer.accelerator={accelerator}", "trainer.precision=16-mixed")
    assert done.code == 1
    assert re.fullmatch(r"error: trainer\.precision=16-mixed .* CPU: take bf16-mixed or 32-true\n", done.err)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
def test_bfloat16_on_a_gpu_that_has_none(folder: Path, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, answer in (
        ("is_available", True),
        ("device_count", 1),
        ("get_device_name", "Tesla T4"),
        ("is_bf16_supported", False),
    ):
        monkeypatch.setattr(torch.cuda, name, lambda *_, answer=answer: answer)
    done = train_here(folder, "trainer=gpu", f"trainer.precision={precision}")
    assert done.code == 1
    assert f"trainer.precision={precision}: Tesla T4 has no such arithmetic: take 16-mixed or 32-true\n" in done.err


def test_an_apple_gpu_where_torch_would_switch_autocast_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this machine has an Apple GPU")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    done = train_here(folder, "trainer.accelerator=mps", "trainer.precision=bf16-mixed")
    assert done.code == 1
    assert "trainer.precision=bf16-mixed: Apple GPU has no such arithmetic" in done.err


def test_compiling_without_a_compiler_is_told_before_the_run_begins(folder: Path) -> None:
    place = folder / "uncompiled"
    place.mkdir()
    environment = {"CXX": "/bin/false", "TORCHINDUCTOR_CACHE_DIR": str(place / "cache")}
    done = lab(place, "train", *TINY, "trainer.compile=true", "hydra.run.dir=run", env=environment)
    assert done.code == 1
    assert re.fullmatch(r"error: trainer\.compile=true .*C\+\+ compiler.* trainer\.compile=false\n", done.err)
    assert not (place / "run" / "events.jsonl").exists()


def test_a_compilation_that_fails_later_is_told_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.exc import BackendCompilerFailed

    def fail(*_: object, **__: object) -> None:
        raise BackendCompilerFailed("inductor", RuntimeError("C++ compile error\nand a page of it"), None)

    monkeypatch.setattr("lab.training.arithmetic.try_compiling", lambda device: None)
    monkeypatch.setattr("lightning.Trainer.fit", fail)
    done = train_here(folder, *TINY, "trainer.compile=true")
    assert done.code == 1
    assert re.fullmatch(r"error: trainer\.compile=true .*C\+\+ compile error.* trainer\.compile=false\n", done.err)


def test_the_benchmark_refuses_what_it_would_not_measure(folder: Path) -> None:
    done = lab(folder, "bench", "trainer.precision=bf16-mixed")
    assert done.code == 1
    assert done.err.startswith("error: trainer.precision: lab.bench takes plain steps (fp32,")


def test_more_devices_than_there_are(folder: Path) -> None:
    done = train_here(folder, *TINY, "trainer.devices=64")
    assert done.code == 1
    assert "trainer.devices=64" in done.err


def test_a_sweep_over_several_devices_is_refused(folder: Path) -> None:
    done = train_here(folder, "-m", *TINY, "trainer.devices=2", "seed=1,2")
    assert done.code == 1
    assert "sweep over several devices" in done.err


def test_an_output_folder_that_cannot_be_made(folder: Path) -> None:
    (folder / "outputs").unlink(missing_ok=True) if (folder / "outputs").is_file() else None
    place = folder / "taken"
    place.mkdir()
    (place / "outputs").write_text("a file, not a folder")  # stops root, too, whom permissions do not
    done = train_here(place, *TINY, "trainer.max_steps=1")
    assert done.code == 1
    assert "output folder" in done.err
    assert len(done.err.strip().splitlines()) == 1
    done = train_here(place, *TINY, "trainer.max_steps=1", "hydra.run.dir=outputs/run")
    assert done.code == 1
    assert done.err.startswith(f"error: the output folder {place / 'outputs/run'} cannot be made")
    assert len(done.err.strip().splitlines()) == 1


def test_loss_that_explodes_stops_at_once_and_keeps_what_was_saved(folder: Path) -> None:
    place = folder / "exploding"
    place.mkdir()
    options = ("optimizer.lr=1e38", "schedule.warmup_steps=0", "trainer.max_steps=50", "eval_every=1", "save=true")
    done = train_here(place, *TINY, *options, "data.max_val_tokens=200")
    assert done.code == 1
    assert "diverged" in done.err
    assert "at step" in done.err
    assert "optimizer.lr" in done.err
    assert not (done.run / "results.json").exists()


def test_a_checkpoint_of_another_model_is_refused_with_the_differences(folder: Path) -> None:
    place = folder / "other"
    place.mkdir()
    assert train_here(place, *TINY, "trainer.max_steps=1", "save=true").code == 0
    done = train_here(place, *TINY, "model.n_layers=3", "trainer.max_steps=2", "resume=last")
    assert done.code == 1
    assert "model.n_layers was 2 and is 3" in done.err
    done = train_here(place, *TINY, "corpus=stdlib", "trainer.max_steps=2", "resume=last")
    assert done.code == 1
    assert "corpus was fables and is stdlib" in done.err


def test_a_bug_is_not_dressed_up_as_a_mistake(tmp_path: Path) -> None:
    """Errors that are ours keep their traceback."""
    code = "import lab.train as t; t.check = lambda c: 1 / 0; t.main()"
    command = [sys.executable, "-c", code, *TINY]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" in done.stderr
