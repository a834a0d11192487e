"""Who am I, by what torchrun, srun, Lightning's launcher and the run itself put into the environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import LabError
from lab.system.ranks import LAUNCHER, Place, mine

JOB = {"SLURM_NTASKS": "8", "SLURM_JOB_ID": "1", "SLURM_PROCID": "0"}
"""Of a batch script itself, in which nothing has been started yet."""


@pytest.mark.parametrize(
    "told", [{}, JOB, {"RANK": "0", "WORLD_SIZE": "1"}, {"LOCAL_RANK": "0"}, {"SLURM_PROCID": "3"}]
)
def test_a_process_without_a_word_of_others_is_alone(told: dict[str, str]) -> None:
    assert mine(told) == Place()
    assert mine(told).is_first
    assert mine(told).is_alone


@given(st.integers(1, 5), st.integers(1, 8), st.data())
def test_each_of_them_says_the_same(nodes: int, each: int, data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, nodes * each - 1))
    node, local, world = rank // each, rank % each, nodes * each
    numbers = {"RANK": rank, "WORLD_SIZE": world, "LOCAL_RANK": local, "LOCAL_WORLD_SIZE": each, "GROUP_RANK": node}
    torchrun = {name: str(number) for name, number in numbers.items()} | {"TORCHELASTIC_RUN_ID": "none"}
    numbers = {"PROCID": rank, "LOCALID": local, "NODEID": node, "STEP_NUM_TASKS": world, "STEP_NUM_NODES": nodes}
    srun = {f"SLURM_{name}": str(number) for name, number in numbers.items()} | {"SLURM_NTASKS": str(world)}
    srun["SLURM_STEP_TASKS_PER_NODE"] = f"{each}(x{nodes})" if nodes > 1 else str(each)
    if world == 1:
        assert mine(torchrun) == mine(srun) == Place()
        return
    for told, name in ((torchrun, "torchrun"), (srun, "srun"), ({**srun, **torchrun}, "torchrun")):
        assert mine(told) == Place(rank, world, local, each, name)
        assert mine(told).nodes == nodes
        assert mine(told).node == node
        assert mine(told).is_first == (rank == 0)
    ours = {**torchrun, LAUNCHER: "7"}
    del ours["TORCHELASTIC_RUN_ID"]
    assert mine({**JOB, **ours}).started_by == "the run itself"
    without = {name: value for name, value in srun.items() if name != "SLURM_STEP_TASKS_PER_NODE"}
    assert mine(without) == mine(srun)


def test_lightnings_launcher_says_no_rank() -> None:
    told = {"LOCAL_RANK": "1", "NODE_RANK": "0", "WORLD_SIZE": "2"}
    assert mine(told) == Place(1, 2, 1, 2, "its launcher")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"RANK": "2", "WORLD_SIZE": "2"}, "calls this process 2 of 2"),
        ({"RANK": "0", "WORLD_SIZE": "3", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}, "the same number of processes"),
        ({"RANK": "one", "WORLD_SIZE": "2"}, "RANK=one is no number"),
        (
            {"SLURM_NTASKS": "3", "SLURM_STEP_NUM_TASKS": "3", "SLURM_STEP_TASKS_PER_NODE": "2,1"},
            "srun has started 2,1 processes on its nodes",
        ),
    ],
)
def test_what_does_not_fit_together_is_said(told: dict[str, str], said: str) -> None:
    with pytest.raises(LabError, match=said):
        mine(told)
