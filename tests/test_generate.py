"""A trained model continues texts: the real command, and what it prints."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from support.commands import ROOT, Finished, lab


def test_the_command_prints_the_text_alone(trained: Finished) -> None:
    prompt = "Über 🦊, \"quoted\" = 'x' # (1, 2) {a} ${b}"
    utf8 = {"PYTHONIOENCODING": "utf-8"}
    done = lab(trained.folder, "generate", "checkpoint=last", f"prompt={prompt}", "max_tokens=5", "seed=1", env=utf8)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(prompt)
    assert len(done.out) > len(prompt) + 1


def test_a_seed_gives_the_same_text_and_another_one_another(here: Any, trained: Finished) -> None:
    def text(*arguments: str) -> str:
        code, out, err = here("prompt=The fox", *arguments)
        assert (code, err) == (0, "")
        return out

    assert text("seed=1") == text("seed=1") != text("seed=2")
    assert text("temperature=0") == text("temperature=0", "seed=5")
    assert text(f"checkpoint={trained.run}", "seed=1") == text("seed=1")
    assert text("max_tokens=0") == "The fox\n"
    assert text("prompt=", "max_tokens=3", "seed=1") != "\n"  # from end-of-text on
    assert text("top_p=0.0001", "seed=1") == text("temperature=0")
    assert text("top_k=1", "seed=1") == text("temperature=0")
    assert text("top_k=null", "seed=1") != text("top_k=2", "seed=1")
    assert text("max_tokens=100", "seed=1").startswith(text("max_tokens=20", "seed=1")[:-1])  # past the context, too


def test_the_smallest_and_the_largest_numbers_are_numbers(here: Any) -> None:
    def text(*words: str) -> str:
        code, out, err = here("prompt=The fox", "seed=1", "max_tokens=3", *words)
        assert (code, err) == (0, "")
        return out

    likeliest = text("temperature=0")
    for words in (["temperature=1e-50"], ["temperature=5e-324"], ["top_p=1e-300"], ["temperature=1e300", "top_k=1"]):
        assert text(*words) == likeliest
    assert text("temperature=1e308", "top_k=1000000000000", "top_p=1e-300")


@pytest.mark.usefixtures("in_a_terminal")
def test_ctrl_c_ends_it_with_130_and_a_closed_pipe_quietly(trained: Finished) -> None:
    command = [sys.executable, "-m", "lab.generate", "prompt=The fox", "max_tokens=1000000"]
    options: dict[str, Any] = {
        "cwd": trained.folder,
        "env": {**os.environ, "PYTHONPATH": str(ROOT)},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    with subprocess.Popen(command, **options) as process:
        assert process.stdout is not None
        assert process.stdout.read(30).startswith(b"The fox")
        process.send_signal(signal.SIGINT)
        try:
            rest, err = process.communicate(timeout=300)
        finally:
            process.kill()
        assert (process.returncode, err) == (130, b"")
        assert rest.endswith(b"\n")
    with subprocess.Popen(command, **options) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(30).startswith(b"The fox")
        process.stdout.close()
        process.wait(timeout=300)
        assert process.stderr.read() == b""
        assert process.returncode == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tempreature=1", "did you mean temperature=?"),
        ("temperature=-1", "temperature=-1 is out of range"),
        ("temperature=warm", "it must be a number"),
        ("top_k=0", "top_k=0 is out of range: it must be at least 1"),
        ("top_p=0", "top_p=0 is out of range"),
        ("top_p=1.1", "top_p=1.1 is out of range"),
        ("num_samples=0", "num_samples=0 is out of range"),
        ("max_tokens=1.5", "a whole number"),
        ("interactive=maybe", "it must be true or false"),
        ("format=xml", "choose text or json"),
        ("checkpoint=nowhere.ckpt", "checkpoint=nowhere.ckpt: there is no such file"),
        ("prompt", "'prompt' has no value"),
        ("--prompt=x", "there is no option --prompt: write prompt=x"),
        ("--max-tokens", "write max_tokens=VALUE"),
        ("The fox", "there is no option The fox"),
        ("", "no option without a name"),
        ("prompt_file=", "prompt_file= is empty"),
        ("seed=4294967296", "at most 4294967295"),
        ("temperature=1e400", "it must be a finite number"),
        ("prompt=caf\udce9", "type it as UTF-8"),
    ],
)
def test_mistakes_in_one_sentence(typed: str, said: str, here: Any) -> None:
    code, out, err = here(typed)
    assert (code, out.strip()) == (1, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_help_names_every_option(here: Any) -> None:
    code, out, _ = here("--help")
    assert code == 0
    for name in ("checkpoint", "prompt", "temperature", "top_k", "top_p", "num_samples", "stop", "interactive"):
        assert f"\n  {name} (" in out or f"\n  {name}  " in out, name
