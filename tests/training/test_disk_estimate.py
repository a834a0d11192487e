"""What checkpoints take: as foretold, and as found on the disk."""

from pathlib import Path

import pytest
from support.commands import train_here
from support.runs import OPTIONS, write_tale

from lab.config import compose
from lab.config.schema import check
from lab.training import disk_estimate


@pytest.mark.parametrize("words", [("optimizer=adamw",), ("optimizer=muon", "save_every=3", "keep=2", "snapshots=4")])
def test_a_run_takes_what_was_foretold(tmp_path: Path, words: tuple[str, ...]) -> None:
    write_tale(tmp_path)
    options = (*OPTIONS, "tokenizer=bytes", "model.emb_dim=96", "sample.max_tokens=0", *words)
    foretold = disk_estimate.kept(check(compose.compose_config(list(options))), 12)
    assert train_here(tmp_path, *options, "hydra.run.dir=run").code == 0
    files = {path.name: path.stat().st_size for path in (tmp_path / "run" / "checkpoints").iterdir()}
    alone = [size for name, size in files.items() if name.startswith("weights-")]
    assert len(alone) == foretold.snapshots
    assert len(files) - len(alone) == foretold.whole
    assert sum(files.values()) == pytest.approx(foretold.total_bytes, rel=0.05)


def test_large_models_keep_fewer() -> None:
    def kept(*words: str) -> int:
        return disk_estimate.most(check(compose.compose_config(list(words))))

    assert [kept(f"model={name}") for name in ("nano", "small", "medium", "large")] == [10, 10, 4, 1]
    assert kept("model=large", "snapshots=7", "save=true") == 7
    assert kept("model=nano", "save_every=5", "save=true") == 1
