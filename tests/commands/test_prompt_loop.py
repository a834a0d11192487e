"""A conversation with a model, with and without a terminal."""

import os
import pty
import shlex
import subprocess
import sys
from typing import Any

import pytest
from support.commands import ROOT, Finished


def test_the_prompt_loop_without_a_terminal(here: Any) -> None:
    lines = [
        "/temperature 0",
        "/max_tokens 4",
        "The fox",
        "",
        "/temperature warm",
        "/top_k 0",
        "/nonsense",
        "/settings",
        "/stop  the",
        "/help",
        "The crow",
        "/quit",
        "never",
    ]
    code, out, err = here("interactive=true", stdin="\n".join(lines).encode())
    assert code == 0
    first = here("prompt=The fox", "temperature=0", "max_tokens=4")[1]
    second = here(f"prompt={first[:-1]}", "temperature=0", "max_tokens=4")[1]  # an empty line goes on
    third = here("prompt=The crow", "temperature=0", "max_tokens=4", "stop= the")[1]
    assert out == first + second + third
    for said in (
        "temperature=warm does not fit",
        "top_k=0 is out of range",
        "there is no /nonsense",
        "temperature=0.0, top_k=50",
        "/quit",
    ):
        assert said in err


def test_a_line_that_is_no_text_does_not_end_the_prompt_loop(here: Any) -> None:
    lines = [
        b"/max_tokens 2",
        b"/seed 1",
        b"caf\xe9",
        b"\xed\xa0\x80",
        b"/stop caf\xe9",
        b"/\xff",
        b"The\0fox",
        b"The fox",
    ]
    code, out, err = here("interactive=true", stdin=b"\n".join(lines))
    assert code == 0
    assert err.count("not UTF-8") == 3
    assert "there is no /" in err
    assert out.startswith("The\0fox")
    assert "\nThe fox" in out
    assert (
        out.splitlines()[-1:] == here("prompt=The fox", "max_tokens=2", "seed=1")[1].splitlines()[-1:]
    )  # and no stop is set


@pytest.mark.parametrize("option", ["interactive=true", "prompt_file=-"])
def test_a_closed_standard_input_is_no_empty_text(option: str, trained: Finished) -> None:
    command = f"exec {shlex.quote(sys.executable)} -m lab.generate {option} <&-"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", command], cwd=trained.folder, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: standard input is closed")


def test_the_prompt_loop_in_a_terminal(trained: Finished) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "lab.generate", "interactive=true", "temperature=0", "max_tokens=3"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=trained.folder, env=env, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""

    def wait_for(text: bytes) -> None:
        nonlocal seen
        while text not in seen:
            seen += os.read(master, 65536)
        seen = seen.split(text, 1)[1]

    wait_for(b"> ")
    os.write(master, b"The fox\n")
    wait_for(b"The fox")  # the echo
    wait_for(b"The fox")  # the text
    wait_for(b"> ")
    os.write(master, b"\x1b[A\n")  # arrow up: the history brings the line back
    wait_for(b"The fox")
    wait_for(b"> ")
    os.write(master, b"\x04")  # Ctrl-D
    try:
        while os.read(master, 65536):
            pass
    except OSError:  # Linux's way to say that the other side of a terminal is closed
        pass
    assert process.wait(300) == 0
    os.close(master)
