"""What a sweep's folder may say about how it goes on: it may have come from anywhere."""

from pathlib import Path

import pytest
import yaml

from lab.errors import LabError
from lab.sweeps import going_on


def sweep(folder: Path, *said: str, hydra: tuple[str, ...] = ("hydra.mode=MULTIRUN",)) -> Path:
    parts: dict[str, object] = {name: {} for name in ("model", "corpus", "data", "optimizer", "trainer")}
    told = {"overrides": {"hydra": list(hydra), "task": list(said)}}
    (folder / "multirun.yaml").write_text(yaml.safe_dump({**parts, "hydra": told}))
    return folder


def test_what_was_typed_is_handed_on(tmp_path: Path) -> None:
    said = ["model=nano,small", "optimizer.lr=1e-3,1e-4", "+optimizer.options.beta=0.9", "sample.prompt='a, b'"]
    hydra = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.sweep.subdir='lr=${optimizer.lr}'")
    sweep(tmp_path, *said, hydra=(*hydra, "hydra.sweep.dir='elsewhere'", "hydra.mode=MULTIRUN"))
    found = going_on.words(tmp_path, ["resume=x", "hydra.launcher.n_jobs=4"])
    place = [f"hydra.sweep.dir='{tmp_path}'", "hydra.sweeper.goes_on=true", "hydra.mode=MULTIRUN"]
    assert found == [hydra[0], hydra[2], *said, "hydra.launcher.n_jobs=4", *place]


@pytest.mark.parametrize(
    "word",
    [
        "parts=['evil.py']",
        "model.norm='evil.py:Norm',layernorm",
        "optimizer._target_=os.system",
        "+callbacks.x._target_=os.system",
        "logger.tensorboard.save_dir='/etc'",
        "init_from='somebody/model'",
        "corpus.url=http://example.org",
        "hydra.launcher.setup=[reboot]",
        "hydra.launcher._target_=os.system",
        "hydra.sweeper.params.optimizer._target_=os.system",
        "hydra.callbacks.x._target_=os.system",
        "hydra.job.env_set.LD_PRELOAD=evil.so",
        "hydra.sweep.subdir='../../x'",
        "seed=${unused_folder:/tmp/x}",
        "model='../x'",
        "nosuch=1",
    ],
)
def test_code_and_places_are_obeyed_only_if_they_are_typed(word: str, tmp_path: Path) -> None:
    sweep(tmp_path, "seed=1,2", word)
    with pytest.raises(LabError, match="only obeyed if it is typed"):
        going_on.words(tmp_path, [])


def test_what_is_typed_again_is_taken(tmp_path: Path) -> None:
    sweep(tmp_path, "model.norm='my.py:Norm'", "seed=1,2")
    assert "model.norm='my.py:Norm'" in going_on.words(tmp_path, ["resume=x", "model.norm=my.py:Norm"])


@pytest.mark.parametrize("text", ["", "[]", "model: {}\ncorpus: {}\ndata: {}\noptimizer: {}\ntrainer: {}\nhydra: 3\n"])
def test_a_damaged_account(text: str, tmp_path: Path) -> None:
    (tmp_path / "multirun.yaml").write_text(text)
    with pytest.raises(LabError, match=r"no sweep has written it|does not say what the sweep was"):
        going_on.words(tmp_path, [])


def test_only_a_sweep_is_one(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "sweep").mkdir()
    sweep(tmp_path / "sweep")
    for word in ("resume=run", "resume=last", "resume=auto", "resume=null", "resume=", "seed=1"):
        assert going_on.named([word], tmp_path) is None
    assert going_on.named(["seed=1", "resume=sweep"], tmp_path) == tmp_path / "sweep"
