"""What training has cost, evaluation by evaluation, also over the parts of a continued run."""

from pathlib import Path

from support.commands import tiny

from lab.runs import events


def spent(run: Path) -> dict[int, dict[str, float]]:
    return {e["step"]: events.figures(e) for e in events.read(run) if "spent_tokens" in e}


def test_tokens_and_flops_are_exact_and_times_go_on_where_the_run_does(tmp_path: Path) -> None:
    options = ("trainer.max_steps=4", "eval_every=2", "save=true", "optimizer.lr=1e-3")
    first = tiny(tmp_path, *options)
    found = spent(first.run)
    assert [found[step]["spent_tokens"] for step in (0, 2, 4)] == [0, 2 * 4 * 16, 4 * 4 * 16]
    # By hand: every matrix of two blocks of width 32 and the head, six operations a weight; 12 L d T for attention.
    by_hand = 6 * (first.results["parameters"] - 16 * 32) + 12 * 2 * 32 * 16
    if not first.results["model"]["tie_embeddings"]:
        by_hand -= 6 * 50_257 * 32
    assert found[4]["spent_flops"] == by_hand * 4 * 4 * 16
    assert found[0]["spent_seconds"] == 0
    assert 0 < found[2]["spent_seconds"] < found[4]["spent_seconds"]
    more = tiny(tmp_path, f"resume={first.run}", "trainer.max_steps=6")
    going_on = spent(more.run)
    assert going_on[4] == found[4]
    assert going_on[6]["spent_seconds"] > found[4]["spent_seconds"]
    assert going_on[6]["spent_processor_seconds"] > found[4]["spent_processor_seconds"]
    assert going_on[6]["spent_tokens"] == 6 * 4 * 16
