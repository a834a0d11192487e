"""Which measurements the options come to, and how long they are said to take."""

import pytest

from lab.benchmark import cases
from lab.benchmark.cases import KINDS, Wanted, make

ALL = Wanted(
    kinds=KINDS,
    models=["nano"],
    precisions=["32-true"],
    compiled=[False],
    words=[],
    weights=["fp32"],
    nanogpt=None,
    fused=False,
)


@pytest.fixture(autouse=True)
def hugging_face_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "find_spec", lambda name: name == "transformers" or None)


def test_a_quick_benchmark_is_said_to_take_less_than_five_minutes() -> None:
    """On two cores that do a hundred thousand million operations a second."""
    found = make(ALL, 1e11)
    assert [case.what for case in found] == [*KINDS, "overhead"]
    assert 100 < sum(case.seconds(5) for case in found) < 300


def test_a_model_a_format_and_a_way_of_computing_each_are_a_case() -> None:
    wanted = Wanted(
        ["training"], ["nano", "small"], ["32-true", "bf16-mixed"], [False, True], ["seed=3"], ["fp32"], "there", True
    )
    found = make(wanted, 1e11)
    assert len({case.label for case in found}) == len(found) == 8
    for case in found:
        eager = ("lab-eager",) if case.label.endswith("compiled") else ()
        assert case.sides == ("lab", *eager, "hugging-face", "nanogpt", "products")
        assert case.words[1] == "seed=3"
        assert case.more == {"nanogpt": "there", "fused": True}
    small = next(case for case in found if case.words[0] == "model=small")
    assert small.amount == 4 * 512


def test_a_run_is_measured_in_the_format_that_was_asked_for() -> None:
    """A run that chooses its format itself would be held against others in another one."""
    for case in make(ALL, 1e11):
        if case.what in ("training", "startup", "overhead"):
            assert "trainer.precision=32-true" in case.words


def test_the_text_is_that_of_the_options() -> None:
    own = Wanted(["tokenization"], ["nano"], ["32-true"], [False], ["corpus=fables"], ["fp32"], None, False)
    (chosen,), (default,) = make(own, 1e11), [case for case in make(ALL, 1e11) if case.what == "tokenization"]
    assert chosen.words[-1] == "corpus=fables"
    assert default.words[-1] == "corpus=stdlib"
