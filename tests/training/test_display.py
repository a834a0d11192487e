"""What a run shows: its summary, a line or a bar while it trains, and what to type next."""

import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.commands import ROOT, TINY, Finished, tiny, train_here

from lab.config.compose import compose_config
from lab.config.schema import check
from lab.training import display


def test_a_pipe_gets_plain_lines_and_every_figure_of_the_summary(kept: Finished) -> None:
    assert "\x1b" not in kept.out
    assert re.search(r"step 7/7  loss \d+\.\d+  val \d+\.\d+  [\d,]+ tokens/s", kept.out)
    for word in (
        "parameters",
        "53,7",
        "steps",
        "device",
        "output",
        "validation loss",
        "yardstick",
        "tensorboard --log",
    ):
        assert word in kept.out, word
    assert "python -m lab.generate checkpoint=" in kept.out
    assert "arning" not in kept.out + kept.err
    assert kept.err == ""


def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "lab.train", *TINY, "trainer.max_steps=3", "data.max_val_tokens=100"]
    terminal = {"TERM": "xterm-256color", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **terminal}
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=slave, stderr=slave, stdin=slave)
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 65536):
            seen += chunk
    except OSError:  # Linux's way to say that the other side of a terminal is closed
        pass
    assert process.wait(60) == 0, seen.decode()
    assert "━" in seen.decode()
    assert "3/3" in seen.decode()


def test_the_summary_says_what_the_run_is_made_of(tmp_path: Path) -> None:
    typed = ("optimizer.lr=1e-2", "trainer.accumulate_grad_batches=2", "seed=7", "trainer.max_steps=1", "schedule=wsd")
    out = tiny(tmp_path, *typed, "sample.prompt=He said, 'no'", "experiment=warmup").out
    assert re.search(r"^  batch +4 windows of 16 tokens, 2 times before a step$", out, re.MULTILINE)
    assert re.search(r"^  optimizer +AdamW, lr 0\.01, weight_decay 0\.1, betas \[0\.9, 0\.95\]", out, re.MULTILINE)
    assert re.search(r"^ +lr: wsd, 0 steps of warmup, down to 0 of lr at step 1$", out, re.MULTILINE)
    assert re.search(r"^  seed +7$", out, re.MULTILINE)
    told = out[out.index("  changed ") : out.index("  device ")].removeprefix("  changed ")
    words = ["model.emb_dim=32", "schedule=wsd", "schedule.warmup_steps=0", "optimizer.lr=0.01", "eval_every=10"]
    assert set(words) <= set(told.split())
    assert "schedule.name=" not in told
    again = tiny(tmp_path, *shlex.split(told))
    assert again.out.splitlines()[1:11] == out.splitlines()[1:11]


def test_a_figure_on_the_screen_says_of_which_step_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.training.display.Display._SECONDS_BETWEEN_LINES", -1.0)
    lines = [line for line in tiny(tmp_path, "trainer.max_steps=4", "eval_every=2").out.splitlines() if "/4 " in line]
    told = {line.split("/")[0].split()[1]: line for line in lines}
    assert re.search(r" val \d+\.\d+ at step 2  ", told["3"])
    assert re.search(r" val \d+\.\d+  ", told["4"])
    lines = tiny(tmp_path, "trainer.max_steps=4", "eval_every=3", "log_every=2").out.splitlines()
    assert any(re.match(r"step 3/4  loss \d+\.\d+ at step 2  val \d+\.\d+  ", line) for line in lines)


def test_what_a_shell_is_given_to_paste_does_what_it_says(tmp_path: Path) -> None:
    """Also where the run stands in a folder of its own, and a prompt is full of what a shell would run."""
    (tmp_path / "text.txt").write_text("The fox said `hello`. " * 40)
    prompt = 'The `touch x` $HOME $(touch y) "fox"\'s !!'
    done = train_here(
        tmp_path,
        *TINY,
        "trainer.max_steps=2",
        "save=true",
        "corpus=text",
        "corpus.path=text.txt",
        f"sample.prompt={prompt}",
        "hydra.job.chdir=true",
        "hydra.run.dir=it's/run $1",
    )
    assert done.code == 0, done.err
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in done.out.partition("\nnext\n")[2].splitlines()}
    assert shlex.split(lines["curves"]) == ["tensorboard", "--logdir", "it's"]
    words = shlex.split(lines["generate"])
    assert words[3:] == ["checkpoint=it's/run $1/checkpoints/best.ckpt", f"prompt={prompt}"]
    assert (tmp_path / words[3].partition("=")[2]).is_file()
    assert list((tmp_path / "it's/run $1/tensorboard").glob("events*"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["it's", "text.txt"]
    again = ("resume=it's/run $1/checkpoints/", "hydra.job.chdir=true", "trainer.max_steps=3", "hydra.run.dir=on")
    assert train_here(tmp_path, *again).code == 0
    assert (tmp_path / "on/results.json").is_file()


@pytest.mark.parametrize(
    ("changed", "said"),
    [([], True), (["save=true", "seed=7", "logger=csv"], True), (["keep=1", "data.stride=8"], False)],
)
def test_after_the_default_run_it_says_what_to_try_next(
    changed: list[str], said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever changed what is trained knows already how to; a seed or a logger is no such change."""
    monkeypatch.setattr("lab.config.changed_options.words", lambda _: changed)
    lines = tiny(tmp_path, "trainer.max_steps=1").out.partition("\nnext\n")[2].splitlines()
    commands = [line.partition("python -m ")[2] for line in lines if "experiment" in line]
    assert commands == said * [
        "lab.train experiment=five_minutes save=true",
        'lab.experiment idea="optimizer.lr=1e-3" seeds=3',
    ]


def test_a_gpu_with_room_for_larger_batches_is_told_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda: (64 * 2**30, 80 * 2**30))
    config = check(compose_config(["trainer.precision=bf16-mixed"]))
    run = SimpleNamespace(config=config, device="gpu", plan=SimpleNamespace(n_windows=10**6))
    said = display._larger_batch(run)  # type: ignore[arg-type]
    assert re.fullmatch(r"; 64 GiB are free, which would hold data\.batch_size=\d+ \(estimated\)", said)
    assert config.data.batch_size == 4
    run.device = "cpu"
    assert display._larger_batch(run) == ""  # type: ignore[arg-type]
