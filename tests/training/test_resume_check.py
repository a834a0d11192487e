"""Whether a checkpoint is one of the run that is to go on."""

from pathlib import Path

from support.commands import TINY, train_here


def test_a_checkpoint_of_another_model_is_refused_with_the_differences(tmp_path: Path) -> None:
    place = tmp_path / "other"
    place.mkdir()
    assert train_here(place, *TINY, "trainer.max_steps=1", "save=true").code == 0
    done = train_here(place, *TINY, "model.n_layers=3", "trainer.max_steps=2", "resume=last")
    assert done.code == 1
    assert "model.n_layers was 2 and is 3" in done.err
    done = train_here(place, *TINY, "corpus=stdlib", "trainer.max_steps=2", "resume=last")
    assert done.code == 1
    assert "corpus was fables and is stdlib" in done.err
