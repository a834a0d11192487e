"""Words as they are typed, before Hydra sees them."""

from pathlib import Path

from support.commands import TINY, train_here


def test_flags_may_stand_between_the_options(tmp_path: Path) -> None:
    done = train_here(tmp_path, *TINY, "-m", "trainer.max_steps=1", "seed=1,2", "logger=none")
    assert (done.code, len(done.runs)) == (0, 2), done.err
