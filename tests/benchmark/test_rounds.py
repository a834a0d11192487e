"""Which rounds count: the rule, with sides and disturbances that are made up."""

from collections.abc import Iterator
from typing import Any

from lab.benchmark.processes import Sample, SideFailed
from lab.benchmark.rounds import Round, take


class Fake:
    """A side that takes ``each`` seconds, and fails at its ``fails``-th sample."""

    def __init__(self, each: float, fails: int | None = None) -> None:
        self.each, self.fails = each, fails
        self.counts: list[int] = []
        self.closed = False
        self.facts: dict[str, Any] = {}

    def sample(self, count: int) -> Sample:
        if len(self.counts) == self.fails:
            raise SideFailed("it had enough")
        self.counts.append(count)
        return Sample(count * self.each, count, 1)

    def close(self) -> None:
        self.closed = True


class Shares:
    """What others take, round by round."""

    def __init__(self, *shares: float) -> None:
        self._shares: Iterator[float] = iter(shares)

    def begin(self) -> None:
        """Nothing is measured."""

    def share(self) -> float:
        return next(self._shares, 0.0)


def counted(sides: dict[str, Fake], n_rounds: int, *shares: float) -> tuple[list[Round], list[tuple[str, str]]]:
    failed: list[tuple[str, str]] = []
    told: list[int] = []
    rounds = take(sides, n_rounds, 0.1, Shares(*shares), failed=lambda *why: failed.append(why), tell=told.append)
    assert told == sorted(told)
    return rounds, failed


def test_two_rounds_warm_up_and_the_order_is_turned_round() -> None:
    rounds, failed = counted({"lab": Fake(1), "other": Fake(2)}, 3)
    assert [one.counts for one in rounds] == ["no: warm-up", "no: warm-up", "yes", "yes", "yes"]
    assert [one.order for one in rounds[:3]] == [("other", "lab"), ("lab", "other"), ("other", "lab")]
    assert failed == []


def test_a_disturbed_round_is_taken_again() -> None:
    rounds, _ = counted({"lab": Fake(1)}, 2, 0.9, 0.9, 0.05, 0.2, 0.1)
    assert [one.counts for one in rounds[2:]] == ["yes", "no: others were busy", "yes"]
    assert rounds[3].others == 0.2


def test_what_stays_disturbed_counts_in_the_end_and_says_so() -> None:
    rounds, _ = counted({"lab": Fake(1)}, 3, 0, 0, *[0.5] * 9)
    assert [one.counts for one in rounds[2:]] == ["yes, though others were busy"] * 3 + ["no: others were busy"] * 3


def test_a_side_that_fails_is_closed_and_the_others_go_on() -> None:
    other = Fake(1, fails=3)
    rounds, failed = counted({"lab": Fake(1), "other": other}, 4)
    assert failed == [("other", "it had enough")]
    assert other.closed
    assert [set(one.samples) for one in rounds] == [{"lab", "other"}] * 3 + [{"lab"}] * 3


def test_short_work_is_done_as_often_on_each_side() -> None:
    quick, slow = Fake(0.001), Fake(0.01)
    counted({"quick": quick, "slow": slow}, 1)
    assert quick.counts == slow.counts
    assert quick.counts[0] == 1
    assert quick.counts[-1] == 250
