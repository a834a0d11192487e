"""Number formats and compilation: what the machine can do is done, and what it cannot is refused."""

import re
from pathlib import Path

import pytest
import torch
from support.commands import TINY, lab, scalars, tiny, train, train_here


def test_bfloat16_trains_on_a_cpu(tmp_path: Path) -> None:
    done = tiny(tmp_path, "trainer.precision=bf16-mixed", "trainer.max_steps=2")
    assert done.results["val_loss"] < 11


@pytest.mark.slow
def test_compiled_training_gives_the_same_losses(tmp_path: Path) -> None:
    options = (*TINY, "trainer.max_steps=3", "model.drop_rate=0", "data.max_val_tokens=100")
    plain = scalars(train(tmp_path, *options).run)
    compiled = scalars(train(tmp_path, *options, "trainer.compile=true").run)
    assert compiled["train_loss"] == pytest.approx(plain["train_loss"], abs=1e-4)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there(tmp_path: Path) -> None:
    done = train_here(tmp_path, "trainer=gpu")
    assert done.code == 1
    assert "no GPU" in done.err


@pytest.mark.parametrize("accelerator", ["cpu", pytest.param("auto", id="a machine without a GPU")])
def test_an_arithmetic_that_would_be_replaced_by_another(
    tmp_path: Path, accelerator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    done = train_here(tmp_path, *TINY, f"trainer.accelerator={accelerator}", "trainer.precision=16-mixed")
    assert done.code == 1
    assert re.fullmatch(r"error: trainer\.precision=16-mixed .* CPU: take bf16-mixed or 32-true\n", done.err)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
def test_bfloat16_on_a_gpu_that_has_none(tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, answer in (
        ("is_available", True),
        ("device_count", 1),
        ("get_device_name", "Tesla T4"),
        ("is_bf16_supported", False),
    ):
        monkeypatch.setattr(torch.cuda, name, lambda *_, answer=answer: answer)
    done = train_here(tmp_path, "trainer=gpu", f"trainer.precision={precision}")
    assert done.code == 1
    assert f"trainer.precision={precision}: Tesla T4 has no such arithmetic: take 16-mixed or 32-true\n" in done.err


def test_an_apple_gpu_where_torch_would_switch_autocast_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this machine has an Apple GPU")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    done = train_here(tmp_path, "trainer.accelerator=mps", "trainer.precision=bf16-mixed")
    assert done.code == 1
    assert "trainer.precision=bf16-mixed: Apple GPU has no such arithmetic" in done.err


@pytest.mark.slow
def test_compiling_without_a_compiler_is_told_before_the_run_begins(tmp_path: Path) -> None:
    place = tmp_path / "uncompiled"
    place.mkdir()
    environment = {"CXX": "/bin/false", "TORCHINDUCTOR_CACHE_DIR": str(place / "cache")}
    done = lab(place, "train", *TINY, "trainer.compile=true", "hydra.run.dir=run", env=environment)
    assert done.code == 1
    assert re.fullmatch(r"error: trainer\.compile=true .*C\+\+ compiler.* trainer\.compile=false\n", done.err)
    assert not (place / "run" / "events.jsonl").exists()


def test_a_compilation_that_fails_later_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.exc import BackendCompilerFailed

    def fail(*_: object, **__: object) -> None:
        raise BackendCompilerFailed("inductor", RuntimeError("C++ compile error\nand a page of it"), None)

    monkeypatch.setattr("lab.training.arithmetic.try_compiling", lambda device: None)
    monkeypatch.setattr("lightning.Trainer.fit", fail)
    done = train_here(tmp_path, *TINY, "trainer.compile=true")
    assert done.code == 1
    assert re.fullmatch(r"error: trainer\.compile=true .*C\+\+ compile error.* trainer\.compile=false\n", done.err)


def test_more_devices_than_there_are(tmp_path: Path) -> None:
    done = train_here(tmp_path, *TINY, "trainer.devices=4096")
    assert done.code == 1
    assert "trainer.devices=4096: this machine has" in done.err


@pytest.mark.slow
def test_a_training_in_bfloat16_ends_where_one_in_fp32_does(tmp_path: Path) -> None:
    words = (
        *("tokenizer=bytes", "trainer.max_steps=300", "eval_every=300", "sample.max_tokens=0"),
        "optimizer.lr=1e-3",  # at 3e-3 it leaves the frequencies of single bytes behind, and when it does is chance
        "data.max_val_tokens=5000",  # over 300, the two differ by chance more than by their rounding
    )
    losses = [
        tiny(tmp_path, *words, f"trainer.precision={precision}").results["val_loss"]
        for precision in ("32-true", "bf16-mixed")
    ]
    assert losses[0] < 3.2
    assert losses[1] == pytest.approx(losses[0], abs=0.02)
