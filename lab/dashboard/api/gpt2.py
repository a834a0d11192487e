"""GPT-2 itself, where its weights are on this machine: a model to ask beside one's own. Nothing is fetched here."""

from pathlib import Path

from fastapi import APIRouter
from pydantic import Field

from lab.dashboard.http_errors import ApiError
from lab.dashboard.schemas import Model
from lab.dashboard.store.run_folders import Runs
from lab.interchange import hub

router = APIRouter(prefix="/api", tags=["models"])

_COMMAND = 'python -m lab.generate checkpoint=gpt2 prompt="The fox"'


class Gpt2(Model):
    """Which of the GPT-2 models can be asked."""

    names: list[str] = Field(description="To be used like the id of a checkpoint; empty: none is on this machine.")
    command: str = Field(description="What fetches the smallest of OpenAI's, 548 MB, to where it is looked for.")


@router.get("/gpt2")
def gpt2() -> Gpt2:
    """GPT-2's weights in the cache of Hugging Face on this machine, the usual one first."""
    return Gpt2(names=[name for name in hub.GPT2 if hub.at_hand(name) is not None], command=_COMMAND)


def model_path(runs: Runs, wanted: str) -> Path:
    """The file of a checkpoint by its id, or the folder of a GPT-2 by its name.

    Raises:
        ApiError: if there is none.
    """
    if wanted not in hub.GPT2:
        return runs.checkpoint(wanted)
    folder = hub.at_hand(wanted)
    if folder is None:
        raise ApiError(404, f"the weights of {wanted} are not on this machine: `{_COMMAND}` fetches gpt2", "checkpoint")
    return folder
