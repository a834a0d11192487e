"""What the person at the terminal sees of a run."""

import re
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import lightning as L
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lab.config.plan import Plan
from lab.config.schema import Config, ScheduleName, to_plain
from lab.data.mixture import MixedOrder
from lab.files import user_code
from lab.files.paths import shown
from lab.files.run_files import CHECKPOINTS_FOLDER
from lab.model import GPTModel
from lab.optim import usual_rates
from lab.parts.config import own_parts
from lab.runs.results import Results
from lab.terminal import duration, table
from lab.training import arithmetic, disk_estimate, memory_estimate
from lab.training.callbacks import Samples
from lab.training.module import GPTModule
from lab.training.preparation import Preparation
from lab.training.resume import Earlier

_BENEATH = r"\+*(save|save_every|keep|snapshots|if_save_fails|log_every|eval_every|seed|logger|sample|callbacks)\b"
"""The options that leave a run the default one: they change what is seen and kept of it, not what is trained."""


def start(run: Preparation, model: GPTModel, weights: str | None = None) -> None:
    """What is about to happen, before it does. ``weights`` says where the first weights are from if they are not
    random."""
    config, corpus, plan = run.config, run.corpus, run.plan
    shape = config.model
    device = f"{arithmetic.device_name(run.device)}, {arithmetic.arithmetic(config.trainer, run.device)}"
    if run.about_precision:
        device += f"\n{run.about_precision}"
    table(
        "gpt-lab",
        {
            "model": f"{model.num_parameters():,} parameters ({model.num_parameters(False):,} without embeddings): "
            f"{shape.n_layers} layers, {shape.n_heads} heads, emb_dim {shape.emb_dim}, context {shape.context_length}",
            "corpus": f"{config.corpus.name}: {corpus.tokens.n_tokens:,} tokens, "
            f"{sum(len(piece.train) for piece in run.data.pieces):,} to train on, "
            f"{sum(len(piece.val) for piece in run.data.pieces):,} to validate with",
            **corpus.told(),
            **_parts(run),
            **({"best possible": run.floor.told()} if run.floor else {}),
            "steps": f"{_steps(plan, run.earlier)}; evaluation every {plan.eval_every}",
            **_continuing(run.earlier, config, plan),
            **({"weights": weights} if weights else {}),
            "batch": _batch(config) + _larger_batch(run),
            "optimizer": _optimizer(config, plan),
            "seed": str(config.seed),
            "changed": _wrapped(run.changed) or "nothing: these are the defaults",
            "device": device,
            "output": str(run.run_folder),
            "saving": _saving(config, plan),
        },
    )


def _saving(config: Config, plan: Plan) -> str:
    """What will be left of the weights."""
    if not config.save:
        return "nothing: the weights are gone when this ends; save=true keeps them"
    kept = disk_estimate.kept(config, plan.total_steps)
    several = f", and the weights of {kept.snapshots} moments," if kept.snapshots else ""
    return f"best.ckpt and last.ckpt{several} in checkpoints/: up to {kept.total_bytes / 2**20:,.0f} MiB"


def _parts(run: Preparation) -> dict[str, str]:
    """Of a mixture: each part's share, and how often the whole run passes over it."""
    order = run.data.order
    if not isinstance(order, MixedOrder):
        return {}
    done, used = (run.earlier.step, run.earlier.position) if run.earlier else (0, 0)
    position = used + (run.plan.total_steps - done) * run.plan.windows_per_step
    passes, counts = run.data.passes(position), order.counts(position)
    rows = zip(passes, counts, order.sizes, strict=True)
    return {
        "parts": "\n".join(
            f"{name}: {count / position:.1%}, {passes[name]:.3g} passes over {size:,} windows"
            for name, count, size in rows
        )
    }


def _wrapped(words: list[str]) -> str:
    """In lines of some 90 columns, no word broken: they are there to be copied."""
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > 90:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{word}"
    return "\n".join(lines)


def _steps(plan: Plan, earlier: Earlier | None) -> str:
    """How many optimizer steps are to be taken, and how often the text is passed over in all."""
    done = earlier.step if earlier else 0
    used = earlier.position if earlier else 0  # the earlier part may have had batches of another size
    passes = (used + (plan.total_steps - done) * plan.windows_per_step) / plan.n_windows
    what = f"{plan.total_steps - done:,} more" if earlier else f"{plan.total_steps:,}"
    return f"{what} of {plan.tokens_per_step:,} tokens, {passes:.3g} passes over {plan.n_windows:,} windows" + (
        " in all" if earlier else ""
    )


def _batch(config: Config) -> str:
    trainer = config.trainer
    text = f"{config.data.batch_size} windows of {config.model.context_length} tokens"
    if trainer.accumulate_grad_batches > 1:
        text += f", {trainer.accumulate_grad_batches} times before a step"
    if trainer.processes > 1:
        nodes = f" on each of {trainer.num_nodes} machines" if trainer.num_nodes > 1 else ""
        text += f", on each of {trainer.devices} devices{nodes} ({'fsdp' if trainer.strategy == 'fsdp' else 'ddp'})"
    return text


def _larger_batch(run: Preparation) -> str:
    """What a GPU has room for: small batches leave most of it idle. Proposed, never chosen: it makes another run."""
    if run.device != "gpu":
        return ""
    free, _ = torch.cuda.mem_get_info()
    size = memory_estimate.roomy_batch(run.config, run.device, free, run.plan.n_windows)
    return f"; {free / 2**30:,.0f} GiB are free, which would hold data.batch_size={size} (estimated)" if size else ""


def _optimizer(config: Config, plan: Plan) -> str:
    """The optimizer with its numbers, and how its learning rate moves."""
    options = to_plain(config.optimizer)
    name = re.split(r"[.:]", options.pop("_target_"))[-1]
    own = options.pop("options")
    numbers = ", ".join(f"{key} {value}" for key, value in {**options, **own}.items() if value is not None)
    rate = f"{config.schedule.name}, {plan.warmup_steps} steps of warmup"
    if config.schedule.name in (ScheduleName.cosine, ScheduleName.wsd):
        rate += f", down to {config.schedule.min_lr_ratio:g} of lr at step {plan.schedule_steps}"
    trained = config.init_from is not None
    warning = usual_rates.warning(config.optimizer, config.model.emb_dim, begins_trained=trained)
    return f"{name}, {numbers}\nlr: {rate}" + (f"\n{warning}" if warning else "")


def _continuing(earlier: Earlier | None, config: Config, plan: Plan) -> dict[str, str]:
    """Where a run goes on, and what became of its schedule if it was prolonged."""
    if earlier is None:
        return {}
    text = f"after step {earlier.step}"
    if plan.schedule_steps != plan.total_steps and config.schedule.name != ScheduleName.constant:
        text += (
            f"; the learning rate still comes down until step {plan.schedule_steps}, as first planned "
            f"(schedule.total_steps={plan.total_steps} would stretch it)"
        )
    return {"continued": text}


def finish(run: Preparation, results: Results) -> None:
    """What came out, and what to type next where the command was typed."""
    rows = {}
    steps, total_steps = results.steps or 0, results.total_steps or 0
    if results.status == "interrupted":
        rows["interrupted"] = f"{results.reason}, after step {steps} of {total_steps}"
    elif steps < total_steps:
        rows["stopped"] = f"early, after step {steps} of {total_steps}"
    if results.train_loss is not None:
        step = _at(results.train_step, steps)
        rows["training loss"] = f"{results.train_loss:.4f} nats a token{step}, of the last batch"
    if results.val_loss is not None:
        step = _at(results.val_step, steps)
        rows |= {
            "validation loss": f"{results.val_loss:.4f} nats a token{step} "
            f"(perplexity {results.perplexity:,.1f}, {results.bits_per_byte:.3f} bits per byte)",
            "best": f"{results.best_val_loss:.4f} at step {results.best_step}",
            **({"yardstick": _yardstick(results, run.plan)} if results.unigram_val_loss is not None else {}),
            **_bits_of_parts(results),
            **_above_floor(results),
        }
    in_all = f"{duration(results.seconds or 0.0)} in all" + (", earlier parts included" if results.parent else "")
    rate = results.tokens_per_second
    rows["speed"] = f"{rate:,.0f} tokens/s in training, {in_all}" if rate is not None else in_all
    table("results", rows)
    table("next", _next(run, results.status == "interrupted"))


def _next(run: Preparation, interrupted: bool) -> dict[str, str]:
    """Command lines to paste into the shell that the run was started from."""
    config, run_folder, start_folder = run.config, run.run_folder, run.start_folder
    commands = {}
    if (tensorboard := config.logger.get("tensorboard")) is not None:
        chosen = Path(tensorboard.get("save_dir") or run_folder)
        curves = run_folder.parent if chosen == run_folder else chosen
        commands["curves"] = f"tensorboard --logdir {shown(curves, start_folder)}"
    # A checkpoint does not keep code: whoever opens it gives the file again.
    files = dict.fromkeys(user_code.split(part)[0] for part in own_parts(config.model).values())
    own = "".join(f" parts={shlex.quote(file)}" for file in files)
    own_for_training = f" {shlex.quote('parts=[' + ','.join(files) + ']')}" if len(files) > 1 else own
    if config.save and interrupted:
        commands["continue"] = f"python -m lab.train resume={shown(run_folder, start_folder)}{own_for_training}"
    if config.save:
        best = run_folder / CHECKPOINTS_FOLDER / "best.ckpt"
        checkpoint = shown(best if best.exists() else run_folder, start_folder)
        commands["generate"] = (
            f"python -m lab.generate checkpoint={checkpoint}{own} prompt={shlex.quote(config.sample.prompt)}"
        )
    else:
        commands["keep it"] = "the same command with save=true keeps the weights, to generate with and to continue"
    if all(re.match(_BENEATH, word) for word in run.changed):
        commands["better"] = "python -m lab.train experiment=five_minutes save=true"
        commands["an idea"] = 'python -m lab.experiment idea="optimizer.lr=1e-3" seeds=3'
    return commands


def _yardstick(results: Results, plan: Plan) -> str:
    """What the loss is worth. A run whose text is one batch is to learn it by heart, and is asked for nothing else."""
    validation, training = results.unigram_val_loss, results.unigram_train_loss
    assert validation is not None
    assert training is not None
    learnt = results.train_loss is not None and results.train_loss < training
    if plan.n_windows <= plan.windows_per_step:
        better = "better" if learnt else "no better"
        return f"{training:.4f} for counting the tokens of the one batch that it trains on: the model is {better} on it"
    text = f"{validation:.4f} for counting single tokens: the model "
    if results.val_loss is not None and results.val_loss < validation:
        return f"{text}is better"
    if results.best_val_loss is not None and results.best_val_loss < validation:
        return f"{text}was better at step {results.best_step}, and is no longer"
    seen = _at(results.val_step, results.steps)
    text += f"was no better{seen}" if seen else "is no better"
    return f"{text}, but on its training text it is ({training:.4f})" if learnt else text


def _bits_of_parts(results: Results) -> dict[str, str]:
    parts = results.parts or {}
    each = [f"{name} {told['bits_per_byte']:.3f}" for name, told in parts.items() if told["bits_per_byte"] is not None]
    return {"bits per byte": ", ".join(each)} if each else {}


def _above_floor(results: Results) -> dict[str, str]:
    """How far the model is from the best possible one, where that is known."""
    if results.floor_bits_per_byte is None or results.bits_per_byte is None:
        return {}
    above = results.bits_per_byte - results.floor_bits_per_byte
    known = f"{results.floor_bits_per_byte:.4f} bits per byte, for a model that knows the grammar"
    return {"best possible": f"{known}: you are {above:.4f} bits a byte above it"}


def _at(step: int | None, now: int | None) -> str:
    """Of which step a figure is, where that is not the present one."""
    return "" if step == now else f" at step {step}"


class Display(L.Callback):
    """A progress bar in a terminal; elsewhere a line at each evaluation, and one every half minute in between."""

    _SECONDS_BETWEEN_LINES = 30.0

    def __init__(self, total_steps: int, samples: Samples | None) -> None:
        self.total_steps = total_steps
        self.samples = samples
        self.console = Console(file=sys.stdout)
        self.bar: Progress | None = None
        self.val_loss: float | None = None
        self.val_step = 0
        self.first_step = 0
        self.began = 0.0
        self.last_line = 0.0

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        self.first_step, self.began = trainer.global_step, time.monotonic()
        self.last_line = self.began
        print(flush=True)
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("step"),
                MofNCompleteColumn(),
                BarColumn(bar_width=None),
                TextColumn("{task.description}"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self.bar.start()
            self.bar.add_task("", total=self.total_steps, completed=self.first_step)

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: Any) -> None:
        if not trainer.is_global_zero:
            return
        assert isinstance(module, GPTModule)
        if self.bar is not None:
            task = self.bar.tasks[0].id
            self.bar.update(task, completed=trainer.global_step, description=self._figures(module, trainer.global_step))
        elif time.monotonic() - self.last_line > self._SECONDS_BETWEEN_LINES:
            self._line(trainer, module)

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        assert isinstance(module, GPTModule)
        self.val_loss, self.val_step = float(trainer.callback_metrics["val_loss"]), trainer.global_step
        self._line(trainer, module)
        if self.samples is not None and self.samples.latest is not None:
            # One line, so that the curve above it stays readable; the whole text is in events.jsonl.
            text = " ".join(self.samples.latest.split())
            print(f"    {text[:200]}{'...' if len(text) > 200 else ''}", flush=True)

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: L.Trainer, module: L.LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def _line(self, trainer: L.Trainer, module: GPTModule) -> None:
        self.last_line = time.monotonic()
        step = trainer.global_step
        line = f"step {step:>{len(str(self.total_steps))}}/{self.total_steps}  {self._figures(module, step)}"
        done = step - self.first_step
        if self.began and done and step < self.total_steps:
            left = (self.last_line - self.began) / done * (self.total_steps - step)
            line += f"  {duration(left)} left"
        print(line, flush=True)

    def _figures(self, module: GPTModule, step: int) -> str:
        figures = []
        if module.train_loss is not None:
            figures.append(f"loss {module.train_loss:.3f}{_at(module.clock[0], step)}")
        if self.val_loss is not None:
            figures.append(f"val {self.val_loss:.3f}{_at(self.val_step, step)}")
        if module.rate is not None:
            figures.append(f"{module.rate:,.0f} tokens/s")
        return "  ".join(figures)
