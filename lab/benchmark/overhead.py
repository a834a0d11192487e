"""What Lightning and the lab's callbacks add to a step: a whole run with all that a run does, but for evaluations,
beside a bare loop of the same step on the same batches."""

from pathlib import Path
from typing import Any

from lab.benchmark.child import Orders
from lab.benchmark.pacing import Paced
from lab.benchmark.training import lab_step
from lab.config.schema import Config

_STEPS = 1000
"""Of the run that is measured, as far as its intervals go: it writes a point each step, as runs of that length do."""
_NEVER = 10**9


def serve(config: Config, job: dict[str, Any], orders: Orders) -> None:
    """Takes the steps that it is told to: in a run (the side ``lab``), or without one (``bare``)."""
    config.log_every = config.log_every or 1
    config.trainer.max_steps = config.eval_every = _NEVER
    config.schedule.total_steps = config.schedule.total_steps or _STEPS
    if job["side"] == "lab":
        _run(config, Path(job["folder"]), orders)
    else:
        _bare(config, orders)


def _run(config: Config, folder: Path, orders: Orders) -> None:
    from lab.training.run import train

    for logger in config.logger.values():
        if "save_dir" in logger:
            logger["save_dir"] = str(folder)
    Paced.orders = orders
    config.callbacks["bench"] = {"_target_": f"{Paced.__module__}.{Paced.__name__}"}
    train(config, folder, Path.cwd())


def _bare(config: Config, orders: Orders) -> None:
    from lab.data.prepare import read_corpus
    from lab.training import vocabulary
    from lab.training.datamodule import make_data

    found = read_corpus(config.corpus, Path.cwd(), vocabulary.choose(config, None, Path.cwd()))
    data = make_data(found, config)
    step, facts = lab_step(config)
    stream = iter(data.train_dataloader())
    orders.serve(lambda: step(*next(stream)), **facts)
