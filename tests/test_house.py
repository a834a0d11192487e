"""The rules of the house: what may import what, what lies where, and that the README tells the truth."""

import ast
import dataclasses
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

LAB = ROOT / "lab"
ROOMS = sorted(path.stem for path in LAB.glob("*.py") if path.stem != "__init__")


def imports(room: str) -> set[str]:
    """The rooms of the lab that a room imports when it is imported itself, or ever."""
    found = set()
    for node in ast.walk(ast.parse((LAB / f"{room}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "lab":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lab."):
            found.add(str(node.module).removeprefix("lab."))
    return found & set(ROOMS)


def test_imports_point_one_way() -> None:
    rooms = {room: imports(room) for room in ROOMS}
    done: set[str] = set()
    while len(done) < len(rooms):
        ready = {room for room, needs in rooms.items() if room not in done and needs <= done}
        assert ready, f"a circle among {sorted(set(rooms) - done)}"
        done |= ready
    assert imports("model") == set()
    assert imports("kvcache") == imports("internals") == {"model"}
    assert imports("sampling") == {"kvcache", "model"}


FREE = "model kvcache sampling explain windows optim loss tokenizer scoring tasks internals"


def test_nothing_stands_on_the_dashboard_and_its_imports_point_one_way() -> None:
    found = {}
    for path in [*LAB.glob("*.py"), *(LAB / "dashboard").glob("*.py")]:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lab.dashboard"):
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found.setdefault(name, set()).update(inner if node.module == "lab.dashboard" else {str(node.module)})
    assert all(name.startswith("lab.dashboard.") for name in found)
    rooms = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (LAB / "dashboard").glob("*.py")}
    done: set[str] = set()
    while len(done) < len(rooms):
        ready = {room for room in rooms - done if found.get(room, set()) & rooms <= done}
        assert ready, f"a circle among {sorted(rooms - done)}"
        done |= ready


@pytest.mark.parametrize("room", FREE.split())
def test_what_a_learner_may_take_away_needs_no_framework(room: str) -> None:
    heavy = {"hydra", "omegaconf", "lightning", "torchmetrics"}
    code = f"import sys, lab.{room}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_top_level_is_the_promised_one() -> None:
    command = ["git", "-C", str(ROOT), "ls-tree", "--name-only", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git clone")
    visible = {name for name in done.stdout.split() if not name.startswith(".")}
    assert visible == {"pyproject.toml", "conf", "lab", "corpora", "multirun", "tests", "README.md"}


def test_tests_mirror_the_rooms() -> None:
    """Rooms without a test file of their own are tested through the commands that use them."""
    through = {
        "errors": "arguments chosen typed",
        "metrics": "hparams points",
        "train": "build machine notices module callbacks screen errors eventlogger runfolder memory saving bench",
        "control": "steering alerts plainfile",
        "resume": "continuing events inheriting newest strictjson",
        "faults": "checkpoint",
        "checkpoint_schema": "schema digest resumable",
        "config": "changed cli classic footprint manual summary",
        "data": "text",
        "corpus": "textfiles treewalk utf8",
        "sampling": "explain kvcache",
        "generate": "options pretrained conversation speaker textstream",
        "terminal": "command stdio",
        "inspect": "figures portrait",
        "huggingface": "hftokenizer weights",
        "export": "modelcard",
    }
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests").glob("test_*.py")}
    covered = set(" ".join(through.values()).split())
    assert set(ROOMS) - tested - covered == set()


def test_the_fables_are_prose_of_their_own() -> None:
    files = sorted((ROOT / "corpora" / "fables").glob("*.txt"))
    texts = [file.read_text(encoding="ascii") for file in files]
    assert sum(map(len, texts)) > 60_000
    sentences: dict[str, str] = {}
    for file, text in zip(files, texts, strict=True):
        title, blank, *_ = text.splitlines()
        assert title
        assert not blank
        # A quotation and who says it are one sentence: a closing quote ends one only before a capital letter.
        for sentence in re.split(r'(?<=[.!?])(?:"?\s+(?=["A-Z])|\n+)', text):
            words = " ".join(re.findall(r"[a-z']+", sentence.lower()))
            if words:
                assert sentences.setdefault(words, file.name) == file.name or len(words.split()) < 2, (words, file.name)


def test_the_readme_is_true() -> None:
    from lab import cli
    from lab.config import check
    from lab.model import GPTModel

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    import torch

    for preset in cli.choices("model"):
        with torch.device("meta"):
            model = GPTModel(check(cli.compose_config([f"model={preset}"])).model)
        row = next(line for line in text.splitlines() if line.startswith(f"| `{preset}` | "))
        assert f"{model.num_parameters():,} | {model.num_parameters(False):,} |" in row
    from lab import evaluate, export, portrait, speaker
    from lab.options import parse

    small = {
        "generate": speaker.Options,
        "evaluate": evaluate.Options,
        "export": export.Options,
        "inspect": portrait.Options,
    }
    known = {*cli.options(), *(f.name for schema in small.values() for f in dataclasses.fields(schema))}
    for option in re.findall(r"`((?:[a-z]+\.)?[a-z_]+)=", text):
        assert option in known or option.startswith("hydra."), option
    typed = re.findall(r"^python -m lab\.(\w+) (.*)$", text, re.MULTILINE)
    assert {command for command, _ in typed} > small.keys()
    for command, words in typed:
        if command in small:
            parse([w for w in shlex.split(words, comments=True) if "=" in w], small[command])
    for module in set(re.findall(r"python -m (lab\.[a-z]+)", text)):
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module
    for path in re.findall(r"\]\(((?:\.github|corpora|lab|conf|tests)[^)]*)\)", text):
        assert (ROOT / path).exists(), path
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    exec(code[1], {})


@pytest.mark.slow
def test_a_wheel_trains_from_any_folder(tmp_path: Path) -> None:
    """Built, installed into an empty environment beside the dependencies of this one, and run far from the clone."""
    subprocess.run([sys.executable, "-m", "build", "--wheel", "-o", tmp_path, ROOT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as parts:
        assert {"lab/py.typed", f"{wheel.name.rsplit('-py3', 1)[0]}.dist-info/licenses/.github/LICENSE"} <= set(
            parts.namelist()
        )
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True, capture_output=True)
    (site,) = (tmp_path / "env" / "lib").glob("python3*/site-packages")
    here = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "borrowed.pth").write_text(f"import sys; sys.path.append({here!r})\n")
    away = tmp_path / "away"
    away.mkdir()
    where = subprocess.run([python, "-c", "import lab; print(lab.__file__)"], cwd=away, capture_output=True, text=True)
    assert str(site) in where.stdout
    options = ["model.emb_dim=16", "model.n_layers=1", "model.n_heads=1", "model.context_length=16"]
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "lab-train", *options, "trainer.max_steps=1", "data.max_val_tokens=99"],
        cwd=away,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(away.glob("outputs/*/*/results.json"))
