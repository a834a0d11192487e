"""Every configuration file composes, every experiment runs, and the help text knows every option."""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import ROOT, TINY, lab, train_here

from lab.config import classic_flags, compose
from lab.config.docs import field_docs, first_line
from lab.config.groups import group_choices, group_names, option_names
from lab.config.schema import LIMITS, Config, check
from lab.errors import LabError
from lab.model import GPTConfig, GPTModel
from lab.training import memory_estimate

FILES = [(group, choice) for group in group_names() for choice in group_choices(group)]


@pytest.mark.parametrize(("group", "choice"), FILES)
def test_every_file_composes_and_says_who_should_choose_it(group: str, choice: str) -> None:
    extra = ["corpus.path=x.txt"] if choice == "text" else []
    check(compose.compose_config([f"{group}={choice}", *extra]))
    assert len(first_line(group, choice)) > 20


@pytest.mark.parametrize(
    "experiment",
    [pytest.param(e, marks=pytest.mark.slow) if e == "verdict" else e for e in group_choices("experiment")],
)
def test_every_experiment_runs_for_two_steps(experiment: str, tmp_path: Path, corpora: Path, monkeypatch) -> None:
    config = check(compose.compose_config([f"experiment={experiment}"]))
    if config.corpus.name == "verdict" and not (corpora / "the-verdict.txt").is_file():
        pytest.skip("verdict must be fetched, and no file of it is in LAB_CORPORA")
    monkeypatch.setenv("LAB_CORPORA", str(corpora))
    done = train_here(tmp_path, f"experiment={experiment}", "trainer.max_steps=2", "eval_every=2", "trainer=cpu")
    assert done.code == 0, done.err
    assert done.results["steps"] == 2


def test_the_readme_and_the_messages_name_the_same_options_for_the_classic_flags() -> None:
    table = re.findall(r"^\| (`--.*?) \| (`.*?`) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    pairs = {}
    for flags, options in table:
        pairs |= zip(re.findall(r"`(--[\w-]+)`", flags), re.findall(r"`([\w.]+)=`", options), strict=True)
    assert pairs == classic_flags.CLASSIC
    known = [*option_names(), "hydra.run.dir"]
    assert set(pairs.values()) <= set(known)


def test_flags_may_stand_between_the_options(tmp_path: Path) -> None:
    done = train_here(tmp_path, *TINY, "-m", "trainer.max_steps=1", "seed=1,2", "logger=none")
    assert (done.code, len(done.runs)) == (0, 2), done.err


def test_the_classic_options_have_the_promised_defaults() -> None:
    config = check(compose.compose_config([]))
    assert config.model.emb_dim == 256
    assert config.corpus.name == "fables"
    assert (config.data.batch_size, config.optimizer.lr, config.save, config.seed) == (4, 3e-4, False, 42)
    assert config.trainer.gradient_clip_val == 1.0
    assert config.optimizer.weight_decay == 0.1
    assert tuple(config.optimizer.betas) == (0.9, 0.95)  # type: ignore[attr-defined]


def test_the_schema_and_the_files_agree_on_defaults() -> None:
    """A value lives in two places, the dataclass and the default file of its group: they must not drift apart."""
    composed = check(compose.compose_config(["logger=none"]))
    plain = Config()
    for group in ("model", "data", "schedule", "trainer", "sample"):
        assert getattr(composed, group) == getattr(plain, group), group


@pytest.mark.parametrize("key", LIMITS)
def test_every_limit_belongs_to_an_option_and_is_enforced(key: str) -> None:
    extra = ["optimizer=sgd"] if key == "optimizer.momentum" else []
    limit = LIMITS[key]
    bad = [limit.low - 1] if limit.low is not None else []
    bad += [limit.high + 1] if limit.high is not None else []
    assert bad
    for number in bad:
        value = f"[{number},{number}]" if key == "optimizer.betas" else f"{number:g}"
        with pytest.raises(LabError, match=key.split(".")[-1]):
            check(compose.compose_config([*extra, f"{key}={value}"]))


def test_help_is_complete(tmp_path: Path) -> None:
    done = lab(tmp_path, "train", "--help")
    assert done.code == 0
    for _, choice in FILES:
        assert choice in done.out
    options = [key for key in option_names() if key not in group_names() and not key.startswith("logger.")]
    assert len(options) > 40
    for key in options:
        assert f"  {key} " in done.out, key
    assert not list(tmp_path.iterdir())


def test_a_further_optimizer_is_one_more_file(tmp_path: Path) -> None:
    for part in ("lab", "conf", "corpora"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("frontend", "__pycache__"))
    said = "# For the test.\ndefaults: [sgd_schema, _self_]\n_target_: torch.optim.RMSprop\nlr: 1e-3\n"
    (tmp_path / "conf" / "optimizer" / "rmsprop.yaml").write_text(said)
    code = (
        "import sys; from lab import train; from lab.dashboard.options import form_schema\n"
        "(group,) = [g for g in form_schema.description().groups if g.name == 'optimizer']\n"
        "print([choice.name for choice in group.choices])\n"
        "for words in (['-h'], sys.argv[1:], ['resume=part', 'trainer.max_steps=2']):\n"
        "    sys.argv[1:] = words; train.main()\n"
    )
    options = (*TINY, "optimizer=rmsprop", "trainer.max_steps=1", "save=true", "hydra.run.dir=part")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, *options], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "['adamw', 'rmsprop', 'sgd']" in done.stdout
    assert "    rmsprop         For the test." in done.stdout
    assert "  optimizer.momentum (0.9" in done.stdout
    (continued,) = tmp_path.glob("outputs/*/*/config.yaml")
    assert "_target_: torch.optim.RMSprop" in continued.read_text()


def test_every_option_is_documented() -> None:
    def walk(schema: type) -> None:
        documented = field_docs(schema)
        for f in dataclasses.fields(schema):
            nested = dataclasses.is_dataclass(f.default_factory)
            if nested:
                walk(f.default_factory)  # type: ignore[arg-type]
            elif not f.name.startswith("_"):
                assert len(documented.get(f.name, "")) > 10, f"{schema.__name__}.{f.name}"

    walk(Config)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_literal_options_arrive_as_typed(value: str) -> None:
    if value == "null":
        return
    composed = compose.compose_config([f"corpus.path={value}", "corpus=text"])
    assert composed.corpus.path == value


def test_printing_the_options_runs_nothing(tmp_path: Path) -> None:
    done = lab(tmp_path, "train", "--cfg", "job", "model=small")
    assert done.code == 0
    assert "emb_dim: 512" in done.out
    assert not (tmp_path / "outputs").exists()


def test_the_memory_of_training_follows_the_options() -> None:

    def kinds(*options: str) -> dict[str, float]:
        config = check(compose.compose_config(options))
        with torch.device("meta"):
            model = GPTModel(config.model)
        return {k: v / model.num_parameters() for k, v in memory_estimate.training_memory(config).items()}

    for options, kept, optimizer in (
        ((), 4, 8),
        (("trainer.precision=bf16-mixed",), 4, 8),
        (("trainer.precision=bf16-true",), 2, 4),
        (("optimizer=sgd",), 4, 4),
        (("optimizer=sgd", "optimizer.momentum=0"), 4, 0),
    ):
        found = kinds(*options)
        assert (found["weights"], found["gradients"], found["optimizer"]) == (kept, kept, optimizer)
    assert kinds("trainer.precision=bf16-true")["activations"] == kinds("trainer.precision=bf16-mixed")["activations"]


def test_tab_completion(tmp_path: Path) -> None:
    import os
    import shutil
    import subprocess
    import sys

    script = Path(sys.executable).parent / "lab-train"
    if not script.exists():
        script = Path(shutil.which("lab-train") or "")
    if not script.is_file():
        pytest.skip("the lab-train script is not installed in this environment")
    line = "lab-train model="
    env = {**os.environ, "COMP_LINE": line, "COMP_POINT": str(len(line))}
    done = subprocess.run([script, "-sc", "query=bash"], env=env, capture_output=True, text=True, check=False)
    assert {"model=nano", "model=small", "model=medium", "model=large"} <= set(done.stdout.split())


def test_summary_counts_to_the_parameter(tmp_path: Path) -> None:
    for preset, total, inner in (
        ("nano", "17,670,400", "4,739,072"),
        ("small", "51,213,824", "25,220,096"),
        ("medium", "124,439,808", "85,056,000"),
        ("large", "354,823,168", "302,311,424"),
    ):
        done = lab(tmp_path, "summary", f"model={preset}") if preset == "small" else None
        text = done.out if done else _summary(preset)
        assert f"{total} ({inner} without embeddings)" in text
    assert lab(tmp_path, "summary", "model=tall").err.startswith("error: model=tall is unknown")


@settings(max_examples=30, deadline=None)
@given(st.booleans(), st.booleans(), st.booleans(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 9))
def test_the_counted_parameters_are_those_of_the_model(
    bias: bool, qkv_bias: bool, tied: bool, emb_dim: int, n_layers: int, context_length: int
) -> None:
    sizes = {"emb_dim": emb_dim, "n_layers": n_layers, "n_heads": 1, "context_length": context_length, "vocab_size": 11}
    shape = GPTConfig(**sizes, bias=bias, qkv_bias=qkv_bias, tie_embeddings=tied)
    model = GPTModel(shape)
    assert memory_estimate.parameters(shape) == model.num_parameters()
    assert memory_estimate.inner_parameters(shape) == model.num_parameters(include_embeddings=False)


def _summary(preset: str) -> str:
    import contextlib
    import io

    from lab.summary import show

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        show(check(compose.compose_config([f"model={preset}"])))
    return out.getvalue()


def test_the_bare_command_trains_with_the_promised_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Config] = []

    def train(config: Config, *_: Path) -> dict[str, float]:
        asked.append(config)
        return {"best_val_loss": 1.0}

    monkeypatch.setattr("lab.train.train", train)
    assert train_here(tmp_path).code == 0
    (config,) = asked
    assert (config.data.batch_size, config.optimizer.lr, config.save) == (4, 3e-4, False)
    assert (config.corpus.name, config.trainer.gradient_clip_val) == ("fables", 1.0)
