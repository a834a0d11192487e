"""Which learning rate to begin with: ``python -m lab.find_lr model=small``. It trains for a minute, and
keeps nothing of it.

The learning-rate range test of Smith 2017 (https://arxiv.org/abs/1506.01186): a short training of the very model, with
its optimizer, on its text, in which the rate rises from step to step. What is proposed is a third of the rate at which
the smoothed loss is lowest.
"""

import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from lab.commands import entry
from lab.commands.flags import Parser, number
from lab.commands.training_options import training_config
from lab.config import precision, typed_code
from lab.config.limits import Limit
from lab.config.plan import make_plan, refuse_senseless
from lab.config.schema import Config
from lab.errors import LabError
from lab.files import atomic
from lab.files.paths import typed_path
from lab.training.lr_range_test import FROM_LOWEST, Curve, range_test, rising

_RATE = Limit(0, 1e6, open_low=True)
_ROWS = 24
"""Of the table."""


@dataclass(frozen=True)
class Flags:
    """What this command takes beside the options of ``lab.train``."""

    low: float
    high: float
    steps: int
    out: str | None


def main() -> None:
    """The command line."""
    entry.run_composing(_start)


def _start() -> None:
    parser = Parser(prog="python -m lab.find_lr", description=__doc__)
    parser.add_argument("--low", type=number(float, _RATE), default=1e-5, help="the first rate (default 1e-5)")
    parser.add_argument("--high", type=number(float, _RATE), default=1.0, help="the last rate (default 1)")
    parser.add_argument("--steps", type=number(int, Limit(20, 100_000)), default=120, help="steps (default 120)")
    parser.add_argument("--out", help="folder for the curve: lr.json, lr.csv, and lr.png if matplotlib is there")
    parser.add_argument("options", nargs="*", help="options of lab.train, such as model=small optimizer=muon")
    typed, unknown = parser.parse_known_intermixed_args()
    words = [*typed.options, *unknown]
    config = training_config(words)
    flags = Flags(typed.low, typed.high, int(typed.steps), typed.out)
    if flags.low >= flags.high:
        raise LabError(f"--low {flags.low:g} is not below --high {flags.high:g}: the rate is to rise")
    folder = _folder(flags.out)
    with typed_code.allowed(words, config.parts, Path.cwd()):
        curve = _measure(config, flags)
    if folder is not None and curve.losses:
        _write(curve, folder)
    _report(curve, flags)


def _folder(out: str | None) -> Path | None:
    """Where the curve goes, made now: a minute later is late to hear that it cannot be."""
    if out is None:
        return None
    folder = typed_path(out, Path.cwd())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"--out {folder} cannot be made ({error.strerror}): choose another folder") from error
    taken = [name for name in ("lr.json", "lr.csv", "lr.png") if (folder / name).exists()]
    if taken:
        raise LabError(f"--out {folder} has a {taken[0]} already: choose another folder")
    return folder


def _measure(config: Config, flags: Flags) -> Curve:
    """Trains as ``lab.train`` would, as far as one step goes; nothing is written."""
    # Imported here, because Lightning takes seconds: a misspelt option should be told at once.
    from lab.data.prepare import read_corpus
    from lab.system.device import torch_device
    from lab.training import arithmetic, finetune, memory_estimate, vocabulary, wiring
    from lab.training.datamodule import make_data

    for option, value, plain in (
        ("resume", config.resume, None),
        ("trainer.devices", config.trainer.processes, 1),
        ("trainer.precision", config.trainer.precision == "16-mixed", False),
    ):
        if value != plain:
            raise LabError(f"{option}: lab.find_lr begins anew, on one device, and not in 16-mixed: leave it out")
    device = arithmetic.accelerator(config.trainer)
    precision.settle(config.trainer)
    memory_estimate.refuse_what_cannot_fit(config, device)
    corpus = read_corpus(config.corpus, Path.cwd(), vocabulary.choose(config, None, Path.cwd()))
    data = make_data(corpus, config)
    refuse_senseless(config, make_plan(config, len(data.windows)))
    model = wiring.make_model(config)
    if config.init_from is not None:
        finetune.take_weights(model, finetune.open_initial(config, Path.cwd()).model)
    if config.trainer.precision == "bf16-true":
        model.to(torch.bfloat16)
    model.to(torch_device(device))
    optimizer = wiring.make_optimizer(config, model, device)
    print(f"{flags.steps} steps, rate from {flags.low:g} to {flags.high:g}\n\n{'rate':>10}{'loss':>10}", flush=True)
    rows = _Rows(max(1, flags.steps // _ROWS))
    rates = [*rising(flags.low, flags.high, flags.steps), flags.high]  # the last step only shows the one before
    return range_test(config, model, optimizer, data, rates=rates, tell=rows.tell)


class _Rows:
    """Prints the mean of every few losses, at their last rate."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.losses: list[float] = []

    def tell(self, rate: float, loss: float) -> None:
        self.losses.append(loss)
        if len(self.losses) == self.every:
            print(f"{rate:>10.1e}{sum(self.losses) / self.every:>10.3f}", flush=True)
            self.losses.clear()


def _report(curve: Curve, flags: Flags) -> None:
    if len(curve.losses) < 10:
        raise LabError(f"the training diverges at once: begin with a smaller rate than --low {flags.low:g}")
    lowest, smoothed = curve.lowest, curve.smoothed
    ended = "" if len(curve.losses) == flags.steps else f"; diverged at {curve.rates[-1]:.1e}"
    print(f"\nlowest     {smoothed[lowest]:.3f} (smoothed) at {curve.rates[lowest]:.1e}{ended}")
    if curve.proposed is None:
        if smoothed[lowest] > 0.95 * curve.losses[0]:
            raise LabError("no rate makes the loss fall by a twentieth: give more --steps, or a larger --high")
        raise LabError(f"the loss still falls at the largest rate: give a larger --high than {flags.high:g}")
    print(f"proposed   optimizer.lr={curve.proposed:g}, a third of that: where to begin, not the last word")


def _write(curve: Curve, folder: Path) -> None:
    smoothed = curve.smoothed
    columns = {"rates": curve.rates, "losses": curve.losses, "smoothed": smoothed}
    rule = f"the rate of the lowest smoothed loss, divided by {FROM_LOWEST:g}"
    atomic.write_json(
        folder / "lr.json", {"proposed": curve.proposed, "rule": rule, "lowest": curve.rates[curve.lowest], **columns}
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("rate", "loss", "smoothed"))
    writer.writerows(zip(*columns.values(), strict=True))
    atomic.write_text(folder / "lr.csv", text.getvalue())
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("figure     none: pip install matplotlib draws it", file=sys.stderr)
    else:
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        axes.semilogx(curve.rates, curve.losses, color="0.75", label="loss of a batch")
        axes.semilogx(curve.rates, smoothed, label="smoothed")
        if curve.proposed is not None:
            axes.axvline(curve.proposed, linestyle="--", color="0.3", label=f"proposed: {curve.proposed:g}")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss, nats a token")
        axes.legend()
        figure.savefig(folder / "lr.png", dpi=150)
    print(f"curve      {folder}")


if __name__ == "__main__":
    main()
