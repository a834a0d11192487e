"""What runs beside the steps: samples, and a stop when nothing gets better."""

from pathlib import Path

from support.commands import Finished, tiny

from lab.runs import events


def test_tensorboard_shows_the_samples(kept: Finished) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(kept.run / "tensorboard"))
    events.Reload()
    texts = events.Tensors("sample/text_summary")
    assert [t.step for t in texts] == [0, 3, 6, 7]
    assert b"The fox" in texts[-1].tensor_proto.string_val[0]


def test_each_evaluation_draws_its_sample_anew(tmp_path: Path) -> None:
    options = ("trainer.max_steps=4", "sample.max_tokens=6", "optimizer.lr=1e-30", "save=true")
    first = tiny(tmp_path, *options, "eval_every=1").run
    texts = {event["step"]: event["text"] for event in events.read(first) if event["kind"] == "sample"}
    assert len(set(texts.values())) == 5
    seldom = tiny(tmp_path, *options, "eval_every=2").run
    assert texts.items() > {e["step"]: e["text"] for e in events.read(seldom) if e["kind"] == "sample"}.items()


def test_early_stopping_ends_a_run_that_gets_no_better(tmp_path: Path) -> None:
    done = tiny(tmp_path, "callbacks=early_stopping", "optimizer.lr=3", "trainer.max_steps=40", "eval_every=1")
    assert done.results["steps"] < 40
