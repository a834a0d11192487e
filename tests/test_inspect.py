"""``python -m lab.inspect``: the real command, the numbers and the pictures it saves."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import ROOT, TINY, Finished, lab, train_here

from lab import inspect
from lab.inspection import report
from lab.inspection.internals import ablate_heads, look, neighbors
from lab.interchange.pretrained import open_pretrained
from lab.model import GPTConfig, GPTModel
from lab.tokenizer import Tokenizer

PROMPT = "The $x$ fox and_the crow^2"
FIGURES = {
    "attention",
    "residual_norms",
    "activations",
    "logit_lens",
    "token_losses",
    "neighbors",
    "head_ablation",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("trained")
    done = train_here(folder, *TINY, "trainer.max_steps=2", "save=true")
    assert done.code == 0
    return done


def here(folder: Path, *arguments: str, capsys, monkeypatch) -> tuple[int, str, str]:
    """Runs lab.inspect inside this process. Returns its exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["inspect", *arguments])
    monkeypatch.chdir(folder)
    capsys.readouterr()
    code = 0
    try:
        inspect.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_command_writes_numbers_and_pictures(trained: Finished, tmp_path: Path) -> None:
    to = tmp_path / "a" / "b"
    done = lab(trained.folder, "inspect", "checkpoint=last", f"prompt={PROMPT}", f"to={to}", "top_k=3")
    assert done.code == 0, done.err  # on a new machine, matplotlib tells there that it collects the fonts
    files = {file.name for file in to.iterdir()}
    assert files == {"internals.json"} | {f"{name}.png" for name in FIGURES}
    assert set(re.findall(r"wrote (.*)", done.out)) == {str(to / name) for name in files}
    for file in to.glob("*.png"):
        assert file.read_bytes().startswith(b"\x89PNG")
        assert file.stat().st_size > 5_000

    found = json.loads((to / "internals.json").read_text(), parse_constant=pytest.fail)
    source = open_pretrained("last", trained.folder)
    tokenizer = Tokenizer()
    token_ids = tokenizer.encode(PROMPT)
    assert (found["step"], found["prompt"], found["left_out"]) == (2, PROMPT, 0)
    assert Path(found["checkpoint"]) == Path(source.source)
    assert found["config"]["n_layers"] == 2
    assert "".join(found["tokens"]) == PROMPT
    # The numbers are those of the library, asked by itself.
    expected = look(source.model, torch.tensor(token_ids), top_k=3)
    assert {k: found[k] for k in vars(expected)} == json.loads(json.dumps(expected.to_plain()))
    torch.testing.assert_close(
        torch.tensor(found["head_ablation"]), ablate_heads(source.model, torch.tensor(token_ids)), rtol=1e-5, atol=1e-6
    )
    for token in token_ids:
        pairs = [(int(t), c) for t, c in found["neighbors"][str(token)]]
        assert [t for t, _ in pairs] == [t for t, _ in neighbors(source.model, token, 3)]
        assert found["vocabulary"][str(token)] == tokenizer.decode([token])
    mentioned = {t for layer in found["logit_lens"]["top_token_ids"] for row in layer for t in row}
    assert mentioned <= {int(t) for t in found["vocabulary"]}


def test_the_pictures_show_the_tokens_as_they_are(trained: Finished, tmp_path: Path, capsys, monkeypatch) -> None:
    prompt = "a $b$ c^2_d\n🦊 中"
    run = {"capsys": capsys, "monkeypatch": monkeypatch}
    code, _, err = here(trained.folder, f"prompt={prompt}", f"to={tmp_path}", "format=svg", "ablate=false", **run)
    assert (code, err) == (0, "")
    assert {file.name for file in tmp_path.iterdir()} == {"internals.json"} | {
        f"{name}.svg" for name in FIGURES - {"head_ablation"}
    }
    assert json.loads((tmp_path / "internals.json").read_text())["head_ablation"] is None
    for name in ("attention", "residual_norms", "logit_lens", "token_losses"):
        # matplotlib draws letters as outlines, and notes beside them in a comment which text they are.
        texts = re.findall(r"<!-- (.*?) -->", (tmp_path / f"{name}.svg").read_text(encoding="utf-8"))
        assert {"a", "·$", "b", "$", "^", "2", "_", "d", "↵"} <= {text.strip() for text in texts}, name
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    here(trained.folder, f"prompt={prompt}", f"to={tmp_path}", "format=svg", "ablate=false", **run)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_two_checkpoints_give_other_pictures(trained: Finished, tmp_path: Path, capsys, monkeypatch) -> None:
    other = train_here(tmp_path, *TINY, "trainer.max_steps=2", "save=true", "seed=7")
    for name, folder in (("one", trained.folder), ("other", other.folder)):
        to = f"to={tmp_path / name}"
        code, _, _ = here(folder, f"prompt={PROMPT}", to, capsys=capsys, monkeypatch=monkeypatch)
        assert code == 0
    for name in FIGURES:
        assert (tmp_path / "one" / f"{name}.png").read_bytes() != (tmp_path / "other" / f"{name}.png").read_bytes()
    one, two = (json.loads((tmp_path / name / "internals.json").read_text()) for name in ("one", "other"))
    assert one["tokens"] == two["tokens"]
    for key in ("attention", "residual_norms", "layers", "logit_lens", "token_losses", "head_ablation", "neighbors"):
        assert one[key] != two[key], key


@pytest.mark.parametrize(("prompt", "left_out", "seen"), [("x", 0, 1), ("one two" * 20, 24, 16)])
def test_short_and_long_prompts(
    trained: Finished, tmp_path: Path, prompt: str, left_out: int, seen: int, capsys, monkeypatch
) -> None:
    code, out, err = here(trained.folder, f"prompt={prompt}", f"to={tmp_path}", capsys=capsys, monkeypatch=monkeypatch)
    assert (code, err) == (0, "")
    found = json.loads((tmp_path / "internals.json").read_text())
    assert (found["left_out"], len(found["tokens"]), len(found["token_losses"])) == (left_out, seen, seen - 1)
    assert prompt.endswith("".join(found["tokens"]))
    assert (f"the first {left_out} are left out" in out) == (left_out > 0)
    assert (tmp_path / "token_losses.png").is_file()
    assert (found["head_ablation"][0][0] is None) == (seen == 1)


def test_a_broken_model_can_be_drawn(tmp_path: Path) -> None:
    from lab.inspection import figures

    model = GPTModel(GPTConfig(emb_dim=8, n_layers=2, n_heads=2, context_length=80, vocab_size=50)).eval()
    project: Any = model.blocks[1].feed_forward.project
    torch.nn.init.constant_(project.weight, torch.nan)
    ids = torch.arange(70) % 50
    seen, words = look(model, ids), [f"w{token}" for token in ids.tolist()]
    pictures = {
        "attention": lambda: figures.attention(seen, words),
        "residual_norms": lambda: figures.residual_norms(seen, words),
        "activations": lambda: figures.activations(seen),
        "logit_lens": lambda: figures.logit_lens(seen, words, str),
        "token_losses": lambda: figures.token_losses(seen, words),
        "head_ablation": lambda: figures.head_ablation(ablate_heads(model, ids)),
        "neighbors": lambda: figures.neighbors({3: neighbors(model, 3, 2)}, str),
    }
    for name, draw in pictures.items():
        figures.save(draw, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 2_000


def test_without_matplotlib_the_numbers_are_written(trained: Finished, tmp_path: Path, capsys, monkeypatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = here(trained.folder, "prompt=x y", f"to={tmp_path}", capsys=capsys, monkeypatch=monkeypatch)
    assert code == 1
    assert "type `pip install matplotlib`" in err
    assert len(err.strip().splitlines()) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["internals.json"]
    assert json.loads((tmp_path / "internals.json").read_text())["tokens"] == ["x", " y"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["prompt="], "prompt= is empty"),
        ([], "prompt= is missing"),
        (["prompt=\udcff"], "prompt= cannot be read"),
        (["prompt=x", "checkpoint=nowhere.ckpt"], "checkpoint=nowhere.ckpt: there is no such file"),
        (["prompt=x", "to=a-file"], "a-file cannot be written (File exists)"),
        (["prompt=x", "to=/proc/nobody"], "the folder /proc/nobody cannot be written"),
        (["prompt=x", "format=gif"], "choose png or svg"),
        (["prompt=x", "ablate=maybe"], "it must be true or false"),
        (["prompt=x", "top_k=0"], "top_k=0 is out of range"),
        (["promt=x"], "did you mean prompt=?"),
    ],
)
def test_mistakes_in_one_sentence(trained: Finished, typed: list[str], said: str, capsys, monkeypatch) -> None:
    (trained.folder / "a-file").touch()
    code, _, err = here(trained.folder, *typed, capsys=capsys, monkeypatch=monkeypatch)
    assert code == 1
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_disk_that_is_full_is_told(trained: Finished, tmp_path: Path, capsys, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "_write_json", full)
    code, _, err = here(trained.folder, "prompt=x", f"to={tmp_path}", capsys=capsys, monkeypatch=monkeypatch)
    assert code == 1
    assert "No space left on device" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "words"), [("lab", ["-m", "lab.inspect"]), ("lab", ["-m", "lab.summary"]), (".", ["lab/generate.py"])]
)
def test_the_standard_librarys_module_of_the_same_name_is_found(folder: str, words: list[str], tmp_path: Path) -> None:
    """From inside lab/, Python would take lab/inspect.py for its own module, which everything imports."""
    done = subprocess.run(
        [sys.executable, *words, "--help"],
        cwd=ROOT / folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "lab." in done.stdout


def test_looking_needs_no_lightning_and_no_matplotlib() -> None:
    heavy = {"lightning", "torchmetrics", "matplotlib"}
    code = f"import sys, lab.inspect, lab.inspection.figures; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
