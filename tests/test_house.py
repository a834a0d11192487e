"""The rules of the house: what may import what, what lies where, and that the README tells the truth."""

import ast
import dataclasses
import getpass
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from support.commands import ROOT

from lab.interchange.weights import write_model
from lab.model import GPTConfig
from lab.parts import build_model

LAB = ROOT / "lab"
FLOORS = (
    *("errors", "files", "system", "terminal", "model", "kernels", "parts", "tokenizer", "tokenizers", "config"),
    *(
        "optim",
        "data",
        "runs",
        "alerts",
        "comparison",
        "sweeps",
        "inference",
        "evaluation",
        "inspection",
        "interchange",
    ),
    *("training", "profiling", "benchmark", "commands"),
)
"""From the ground up: a room, or a file on the ground of ``lab/``, imports only what stands before it here."""
DASHBOARD_FLOORS = ("ground", "store", "trainings", "options", "live", "worker", "api", "shell")
_SHELL = ("app", "serve", "build", "__main__")


def modules() -> dict[str, set[str]]:
    """Every module of the lab, and the modules of the lab that it imports: at once, or ever."""
    known = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in LAB.rglob("*.py")
        if "node_modules" not in path.parts
    }
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "lab":
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found[name] |= {other if other in known else str(node.module) for other in inner}
            elif isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names if alias.name in known}
    return found


def room(module: str) -> str:
    """The folder that a module lives in, or its own name if it stands on the ground of ``lab/``."""
    return module.split(".")[1] if "." in module else module


def floor_of_dashboard(module: str) -> str:
    """The folder within the dashboard; of its single files, those that put it together are the roof."""
    parts = module.split(".")[2:]
    if not parts or parts[0] in _SHELL:
        return "shell"
    return parts[0] if parts[0] in DASHBOARD_FLOORS else "ground"


def test_rooms_import_downwards() -> None:
    commands = {path.stem for path in LAB.glob("*.py")} - {"__init__", *FLOORS}
    assert {path.name for path in LAB.iterdir() if (path / "__init__.py").is_file()} <= {*FLOORS, "dashboard"}
    for module, imported in modules().items():
        mine = room(module)
        for other in imported - {"lab"}:
            theirs = room(other)
            if theirs == mine and mine != "lab":
                continue
            assert theirs in FLOORS or theirs == mine, f"{module} imports {other}, and nothing stands on a command"
            if mine in FLOORS:
                assert FLOORS.index(theirs) < FLOORS.index(mine), f"{module} imports {other}, from above it"
            else:
                assert mine in commands | {"dashboard"}, f"{mine} has no place in FLOORS"


def test_the_rooms_of_the_dashboard_import_downwards() -> None:
    for module, imported in modules().items():
        for other in imported:
            if module.startswith("lab.dashboard") and other.startswith("lab.dashboard."):
                mine, theirs = floor_of_dashboard(module), floor_of_dashboard(other)
                assert DASHBOARD_FLOORS.index(theirs) <= DASHBOARD_FLOORS.index(mine), f"{module} imports {other}"


def test_no_circle_anywhere() -> None:
    found = modules()
    done: set[str] = set()
    while len(done) < len(found):
        ready = {name for name, needs in found.items() if name not in done and needs - {name} <= done | {"lab"}}
        assert ready, f"a circle among {sorted(set(found) - done)}"
        done |= ready


def test_the_model_stands_alone() -> None:
    found = modules()
    assert found["lab.model"] == set()
    assert found["lab.inference.kv_cache"] == found["lab.inspection.internals"] == {"lab.model"}
    assert found["lab.inference.sampling"] == {"lab.inference.kv_cache", "lab.model"}


def test_every_room_says_what_lives_in_it() -> None:
    for folder in [path.parent for path in LAB.rglob("__init__.py") if "node_modules" not in path.parts]:
        said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert said, folder
        if folder.parent == LAB:
            assert "May import:" in said or folder.name == "dashboard", folder


FREE = (
    "model kernels.head_loss kernels.attention parts tokenizer tokenizers.definition data inference.kv_cache "
    "inference.sampling inference.generation inference.text_stream inference.token_choice evaluation.scoring "
    "evaluation.tasks inspection.internals inspection.figures optim.parameter_groups optim.schedules training.loss "
    "comparison.verdict"
)
"""What a learner may take away: no Hydra, no Lightning."""


@pytest.fixture(scope="module")
def with_torch_alone() -> list[str]:
    """The name of each, and the frameworks that came along when a process with nothing but torch imported it."""
    script = """
import os, sys, torch
for room in sys.argv[1:]:
    if not (child := os.fork()):
        try:
            __import__(f"lab.{room}")
            print(room, *sorted({"hydra", "lightning", "torchmetrics"} & set(sys.modules)), flush=True)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
"""
    command = [sys.executable, "-c", script, *FREE.split()]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="imports each room into a fork of one process")
@pytest.mark.parametrize("room", FREE.split())
def test_what_a_learner_may_take_away_needs_no_framework(room: str, with_torch_alone: list[str]) -> None:
    assert room in with_torch_alone  # and nothing behind its name


FRAMEWORKS = ["lightning", "torchmetrics", "hydra"]
TORCH = ["torch", *FRAMEWORKS]
FIRST = {
    "train --help": TORCH,
    "summary": ["lightning", "torchmetrics", "torch._dynamo", "sympy", "matplotlib", "transformers", "tensorboard"],
    "generate max_tokens=1": [*FRAMEWORKS, "omegaconf", "torch._dynamo", "sympy", "matplotlib", "requests"],
    "control --help": [*TORCH, "numpy", "omegaconf"],
    "compare --help": [*TORCH, "numpy", "omegaconf", "matplotlib"],
    "dashboard --help": [*TORCH, "numpy", "omegaconf", "fastapi"],
}
"""Command lines, and what takes long to import and they have no use for."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts its commands from one process")
def test_no_command_waits_for_what_it_has_no_use_for(tmp_path: Path) -> None:
    """Each from a process that has imported nothing, to its end."""
    write_model(build_model(GPTConfig(emb_dim=8, n_layers=1, n_heads=1, context_length=8)), tmp_path / "a.safetensors")
    script = """
import os, runpy, sys
for line in sys.argv[1:]:
    if not (child := os.fork()):
        name, *words = line.split()
        sys.argv = ["lab", *words]
        sys.stdout = open(os.devnull, "w")
        try:
            runpy.run_module(f"lab.{name}", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            assert not end.code, line
        print(line, *sorted(sys.modules), sep="|", file=sys.stderr, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
    lines = [f"{line} checkpoint=a.safetensors" if line.startswith("generate") else line for line in FIRST]
    done = subprocess.run(
        [sys.executable, "-c", script, *lines],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line.split("|") for line in done.stderr.splitlines() if "|" in line]
    assert [line for line, *_ in told] == lines, done.stderr
    for (line, *imported), useless in zip(told, FIRST.values(), strict=True):
        assert not set(useless) & set(imported), line


def test_the_top_level_is_the_promised_one() -> None:
    command = ["git", "-C", str(ROOT), "ls-tree", "--name-only", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git clone")
    visible = {name for name in done.stdout.split() if not name.startswith(".")}
    assert visible == {"pyproject.toml", "conf", "lab", "corpora", "multirun", "tests", "README.md"}


THROUGH = {
    "benchmark": "child figure generation loading machine measure models overhead pacing processes progress "
    "report tokenization training",
    "commands": "inspection_report train",
    "dashboard": "app schemas",
    "dashboard/api": "dependencies docs listening origins rates",
    "dashboard/live": "messages",
    "dashboard/options": "composition form_schema length",
    "dashboard/trainings": "processes summaries",
    "dashboard/worker": "ablation client generation inspection process structure walk",
    "files": "run_files",
    "inspection": "figures report",
    "interchange": "pretrained",
    "profiling": "ranges report step",
    "runs": "optimizer_state",
    "sweeps": "plugins pruning",
    "training": "cluster preparation run trainer",
}
"""Files without a test file of their own, by room: they are tested through the commands that use them."""


def test_tests_mirror_the_rooms() -> None:
    """Each file of the lab has its tests where one looks for them, or stands in ``THROUGH``."""
    files = [path.relative_to(LAB) for path in LAB.rglob("*.py") if "node_modules" not in path.parts]
    files = [path for path in files if path.name not in ("__init__.py", "__main__.py")]
    expected = {path.parent / f"test_{path.name}" for path in files}
    tests = {path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    through = {Path(room) / f"test_{name}.py" for room, names in THROUGH.items() for name in names.split()}
    assert expected - tests == through
    whole = {
        Path("test_house.py"),
        Path("test_errors.py"),
        Path("runs/test_faults.py"),
        Path("training/test_parity.py"),
    }
    assert {path.parent for path in tests - whole} <= {path.parent for path in expected}


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
    from lab.config import compose
    from lab.config.choices import group_choices
    from lab.config.groups import option_names
    from lab.config.schema import check

    text = (ROOT / "README.md").read_text(encoding="utf-8")

    for preset in group_choices("model"):
        with torch.device("meta"):
            model = build_model(check(compose.compose_config([f"model={preset}"])).model)
        row = next(line for line in text.splitlines() if line.startswith(f"| `{preset}` | "))
        assert f"{model.num_parameters():,} | {model.num_parameters(False):,} |" in row
    from lab import bench, evaluate, export
    from lab.commands import generation, inspection_report
    from lab.commands.options import parse

    small = {
        "generate": generation.Options,
        "evaluate": evaluate.Options,
        "export": export.Options,
        "inspect": inspection_report.Options,
    }
    schemas = (*small.values(), bench.Options)
    known = {*option_names(), *(f.name for schema in schemas for f in dataclasses.fields(schema))}
    for option in re.findall(r"`((?:[a-z]+\.)?[a-z_]+)=", text):
        assert option in known or option.startswith("hydra."), option
    typed = re.findall(r"^python -m lab\.(\w+) (.*)$", text, re.MULTILINE)
    assert {command for command, _ in typed} > small.keys()
    for command, words in typed:
        if command in small:
            parse([w for w in shlex.split(words, comments=True) if "=" in w], small[command])
    for module in set(re.findall(r"python -m (lab\.[a-z_]+)", text)):
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
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # may lead back here
    away = tmp_path / "away"
    away.mkdir()
    where = subprocess.run(
        [python, "-c", "import lab; print(lab.__file__)"], cwd=away, env=environment, capture_output=True, text=True
    )
    assert str(site) in where.stdout
    options = ["model.emb_dim=16", "model.n_layers=1", "model.n_heads=1", "model.context_length=16"]
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "lab-train", *options, "trainer.max_steps=1", "data.max_val_tokens=99"],
        cwd=away,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(away.glob("outputs/*/*/results.json"))


def test_model_and_tools_can_be_imported_without_the_machine_around_them() -> None:
    """Each module in turn, so that the first one that brings in too much is named."""
    script = """
import sys
for module in ("model", "training.loss", "optim.parameter_groups", "data.windows", "inference.sampling"):
    before = {m for m in sys.modules if m.startswith("lab.")}
    exec(f"import lab.{module}" if module != "model" else "from lab.model import GPTModel, GPTConfig")
    found = {"hydra", "omegaconf", "lightning", "pytorch_lightning"} & set(sys.modules)
    assert not found, (module, found)
    print(module, *sorted({m for m in sys.modules if m.startswith("lab.")} - before))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "model lab.model"  # the file that can be taken along alone


def test_only_a_test_that_fails_leaves_its_files_behind(tmp_path: Path) -> None:
    """A run of them all writes tens of gigabytes; kept, three fill a disk, and the next fails for want of room."""
    ours = tmp_path / "ours"
    ours.mkdir()
    test = "def test_{0}(tmp_path):\n    (tmp_path / '{0}').write_text('')\n    assert '{0}' == 'passes'\n"
    (ours / "test_ours.py").write_text(test.format("passes") + test.format("fails"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [*(sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider"), "-c", ROOT / "pyproject.toml", ours],
        cwd=ours,
        env={**environment, "PYTEST_DEBUG_TEMPROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    left = {path.name for path in (tmp_path / f"pytest-of-{getpass.getuser()}").rglob("*") if path.is_file()}
    assert left == {"fails"}
