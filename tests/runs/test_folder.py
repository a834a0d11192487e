"""The folder of a run: what it says, who may write there, and what a refused start leaves of it."""

from pathlib import Path

from support.commands import TINY, Finished, tiny, train_here

from lab.runs import events


def test_the_run_folder_says_how_it_was_made(kept: Finished) -> None:
    from omegaconf import OmegaConf

    config = OmegaConf.load(kept.run / "config.yaml")
    assert config.trainer.accumulate_grad_batches == 2
    assert config.schedule.name == "cosine"
    assert "${" not in (kept.run / "config.yaml").read_text()
    samples = [event for event in events.read(kept.run) if event["kind"] == "sample"]
    assert [sample["step"] for sample in samples] == [0, 3, 6, 7]
    assert all(sample["text"].startswith("The fox") for sample in samples)


def test_the_run_folder_can_be_chosen(tmp_path: Path) -> None:
    tiny(tmp_path, "trainer.max_steps=1", "hydra.run.dir=my/run")
    assert (tmp_path / "my" / "run" / "results.json").is_file()


def test_a_refused_start_leaves_every_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "note.txt").write_text("precious")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "config.yaml").write_text("ours: true")
    untouched = sorted(tmp_path.rglob("*"))
    assert train_here(tmp_path, *TINY, "trainer.max_steps=1", "hydra.run.dir=theirs").code == 1
    for place in ("mine", "new/deep", ".", "notes"):
        assert train_here(tmp_path, *TINY, "optimizer.lr=nan", f"hydra.run.dir={place}").code == 1
    assert train_here(tmp_path, *TINY, "seed=-1").code == 1
    assert train_here(tmp_path, *TINY, "data.batch_size=100000", "hydra.run.dir=new").code == 1
    assert sorted(tmp_path.rglob("*")) == untouched
    assert train_here(tmp_path, *TINY, "trainer.max_steps=1", "hydra.run.dir=notes").code == 0
    before = sorted(tmp_path.rglob("*"))
    assert train_here(tmp_path, *TINY, "optimizer.lr=nan", "hydra.run.dir=notes").code == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_an_output_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "outputs").unlink(missing_ok=True) if (tmp_path / "outputs").is_file() else None
    place = tmp_path / "taken"
    place.mkdir()
    (place / "outputs").write_text("a file, not a folder")  # stops root, too, whom permissions do not
    done = train_here(place, *TINY, "trainer.max_steps=1")
    assert done.code == 1
    assert "output folder" in done.err
    assert len(done.err.strip().splitlines()) == 1
    done = train_here(place, *TINY, "trainer.max_steps=1", "hydra.run.dir=outputs/run")
    assert done.code == 1
    assert done.err.startswith(f"error: the output folder {place / 'outputs/run'} cannot be made")
    assert len(done.err.strip().splitlines()) == 1
