"""What ${...} in the configuration files stands for."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.commands import TINY, lab


def test_runs_that_start_in_the_same_second_do_not_share_a_folder(tmp_path: Path) -> None:
    where = "hydra.run.dir=${unused_folder:outputs/day/now}"
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda _: lab(tmp_path, "train", *TINY, "trainer.max_steps=1", where), range(3)))
    assert [done.code for done in ended] == [0, 0, 0]
    assert sorted(run.name for run in ended[0].runs) == ["now", "now-2", "now-3"]
