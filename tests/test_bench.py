"""The benchmark: what it measures, and what it would not."""

from pathlib import Path

from support.commands import lab


def test_the_benchmark_refuses_what_it_would_not_measure(tmp_path: Path) -> None:
    done = lab(tmp_path, "bench", "trainer.precision=bf16-mixed")
    assert done.code == 1
    assert done.err.startswith("error: trainer.precision: lab.bench takes plain steps (fp32,")
