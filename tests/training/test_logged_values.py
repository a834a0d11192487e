"""Points of a user's own arrive at their step."""

from pathlib import Path

from support.commands import scalars, tiny

from lab.runs import events


def test_what_a_callback_logs_arrives_at_its_step(tmp_path: Path) -> None:
    own = ("log_every=3", "trainer.accumulate_grad_batches=2", "+callbacks.mine._target_=support.callbacks.EachStep")
    run = tiny(tmp_path, "trainer.max_steps=8", *own, "save=true").run
    assert scalars(run)["mine"] == {3: 3.0, 6: 6.0, 8: 8.0}
    assert all(passes > 0 for passes in scalars(run)["epoch"].values())
    told = [event for event in events.read(run) if "mine" in event]
    assert [(event["step"], event["mine"]) for event in told] == [(3, 3.0), (6, 6.0), (8, 8.0)]
    assert all(event["time"] > 1e9 for event in told)
    more = (
        "trainer.max_steps=13",
        *own[2:],
        "+callbacks.rate._target_=lightning.pytorch.callbacks.LearningRateMonitor",
    )
    run = tiny(tmp_path, "resume=last", *more).run
    assert scalars(run)["mine"] == {3: 3.0, 6: 6.0, 8: 8.0, 9: 9.0, 12: 12.0, 13: 13.0}
    assert {8, 11} <= next(set(curve) for name, curve in scalars(run).items() if name.startswith("lr-"))
