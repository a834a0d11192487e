"""The samples of a training use the words of its text, and no others; so does what its checkpoints write."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.commands import inside, tiny

from lab import generate as command
from lab.inference.sampling import generate
from lab.tokenizer import Tokenizer
from lab.training import callbacks

FOX, MILL = "the fox and the crow sat by the river. ", "a miller had three sons and one cat. "


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What each sample drew, as tokens: a text could be cut into others."""
    found: list[list[int]] = []

    def noted(model: Any, prompts: Any, *others: Any, **named: Any) -> list[list[int]]:
        texts = generate(model, prompts, *others, **named)
        found.append(texts[0][len(prompts[0]) :])
        return texts

    monkeypatch.setattr(callbacks, "generate", noted)
    return found


def test_an_untrained_model_writes_in_the_words_of_its_text(tmp_path: Path, drawn: list[list[int]]) -> None:
    (tmp_path / "fox.txt").write_text(FOX * 200)
    options = ("corpus=text", "corpus.path=fox.txt", "sample.max_tokens=40", "save=true", "hydra.run.dir=run")
    tiny(tmp_path, *options, "trainer.max_steps=1")
    assert len(drawn) == 2  # before the first step, and after it
    known = set(Tokenizer().encode(FOX * 2))
    assert {token for text in drawn for token in text} <= known
    assert len(set(drawn[0])) > 5  # and not one of them over and over
    for name in ("weights-00000000", "last"):
        tokens, alternatives = written(tmp_path, f"run/checkpoints/{name}.ckpt")
        assert len(tokens) > 5
        assert tokens | alternatives <= known
        assert not written(tmp_path, f"run/checkpoints/{name}.ckpt", "all_tokens=true")[0] <= known
    tiny(tmp_path, "resume=run", "trainer.max_steps=2", "hydra.run.dir=longer")
    assert written(tmp_path, "longer")[0] <= known


def written(folder: Path, checkpoint: str, *words: str) -> tuple[set[int], set[int]]:
    """The tokens that ``lab.generate`` writes, and those that it names beside them."""
    options = ("prompt=The fox", "format=json", "max_tokens=40", "top_k=null", "seed=1", "temperature=1")
    code, out, err = inside(command.main, folder, f"checkpoint={checkpoint}", *options, *words)
    assert code == 0, err
    lines: Sequence[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    tokens = [line for line in lines if "index" in line]
    return {line["token_id"] for line in tokens}, {a["token_id"] for line in tokens for a in line["alternatives"]}


def test_those_of_all_parts_of_a_mixture(tmp_path: Path, drawn: list[list[int]]) -> None:
    (tmp_path / "fox.txt").write_text(FOX * 200)
    (tmp_path / "mill.txt").write_text(MILL * 200)
    options = ("corpus=mix", "corpus.parts=[fox.txt,mill.txt]", "trainer.max_steps=1", "sample.max_tokens=200")
    tiny(tmp_path, *options)
    known = [set(Tokenizer().encode(text * 2)) for text in (FOX, MILL)]
    assert set(drawn[0]) <= known[0] | known[1]
    assert set(drawn[0]) - known[0]
    assert set(drawn[0]) - known[1]


def test_weights_of_another_run_may_say_more(tmp_path: Path, drawn: list[list[int]]) -> None:
    (tmp_path / "fox.txt").write_text(FOX * 200)
    tiny(tmp_path, "trainer.max_steps=1", "save=true", "hydra.run.dir=first")
    del drawn[:]
    options = ("corpus=text", "corpus.path=fox.txt", "trainer.max_steps=1", "sample.max_tokens=40")
    tiny(tmp_path, *options, "init_from=first", "save=true", "hydra.run.dir=tuned")
    known = set(Tokenizer().encode(FOX * 2))
    assert not set(drawn[0]) <= known
    assert not written(tmp_path, "tuned")[0] <= known
