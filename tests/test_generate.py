"""A trained model speaks: the real command, and what it prints."""

import contextlib
from pathlib import Path

import pytest
from conftest import TINY, Finished, lab, train_here


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("trained")
    done = train_here(folder, *TINY, "trainer.max_steps=2", "save=true")
    assert done.code == 0
    return done


def here(folder: Path, *arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch) -> tuple[str, str]:
    """Runs lab.generate inside this process. Returns what it printed on standard output and on standard error."""
    import sys

    from lab import generate

    monkeypatch.setattr(sys, "argv", ["generate", *arguments])
    monkeypatch.chdir(folder)
    capsys.readouterr()
    with contextlib.suppress(SystemExit):
        generate.main()
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_the_command_prints_the_text_alone(trained: Finished) -> None:
    prompt = "Über 🦊, \"quoted\" = 'x' # (1, 2) {a} ${b}"
    done = lab(trained.folder, "generate", "checkpoint=last", f"prompt={prompt}", "max_tokens=5", "seed=1")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(prompt)
    assert len(done.out) > len(prompt) + 1


def test_a_seed_gives_the_same_text_and_another_one_another(trained: Finished, capsys, monkeypatch) -> None:
    def text(*arguments: str) -> str:
        return here(trained.folder, "prompt=The fox", *arguments, capsys=capsys, monkeypatch=monkeypatch)[0]

    assert text("seed=1") == text("seed=1") != text("seed=2")
    assert text("temperature=0") == text("temperature=0", "seed=5")
    assert text(f"checkpoint={trained.run}", "seed=1") == text("seed=1")
    assert len(text("max_tokens=0")) == len("The fox\n")
    assert text("prompt=", "max_tokens=3", "seed=1") != "\n"  # from end-of-text on
    assert text("max_tokens=40", "seed=1").startswith("The fox")  # past the context of 16


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tempreature=1", "did you mean temperature=?"),
        ("temperature=-1", "temperature=-1 is out of range"),
        ("temperature=warm", "it must be a number"),
        ("top_k=-3", "top_k=-3 is out of range"),
        ("max_tokens=1.5", "a whole number"),
        ("checkpoint=nowhere.ckpt", "checkpoint=nowhere.ckpt: there is no such file"),
    ],
)
def test_mistakes_in_one_sentence(trained: Finished, typed: str, said: str, capsys, monkeypatch) -> None:
    out, err = here(trained.folder, typed, capsys=capsys, monkeypatch=monkeypatch)
    assert out == ""
    assert said in err
    assert len(err.strip().splitlines()) == 1
