"""The LightningModule: what one step of training is, and one of validation."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from lab.config.plan import Plan
from lab.data.windows import Batch
from lab.errors import LabError
from lab.evaluation.scoring import perplexity
from lab.model import GPTModel, LayerCache
from lab.optim.parameter_groups import keep_order
from lab.optim.schedules import Schedule
from lab.parts.cost import flops_per_token
from lab.parts.documents import separate_documents
from lab.runs.checkpoint_schema import Metadata
from lab.system import ranks
from lab.system.device import seed_generators
from lab.training.compilation import uncompiled
from lab.training.divergence import Divergence, diverged
from lab.training.lightning_internals import QuickModule
from lab.training.loss import next_token_loss
from lab.training.metrics import LanguageModelMetrics, PartMetrics, model_flops_utilization, peak_flops
from lab.training.own_metrics import OwnMetrics


class GPTModule(QuickModule):
    """A ``GPTModel`` in training.

    Metrics are written at the number of *finished* optimizer steps: the point at step 100 says how the model did after
    100 updates. Nothing is computed or moved off the device for a point that is not written.

    Args:
        model: the decoder; kept as ``self.model`` and callable by itself.
        make_optimizer: makes the optimizer of the model.
        schedule: finished steps to a factor on the learning rate.
        byte_lengths: ``(vocab_size,)``, the bytes of each token, for bits per byte.
        plan: how many windows make an optimizer step, and how many steps lie between written points.
        seed: with the place in the run, decides every dropout mask.
        metadata: what a checkpoint says of itself.
    """

    def __init__(
        self,
        model: GPTModel,
        make_optimizer: Callable[[GPTModel], Optimizer],
        schedule: Schedule,
        byte_lengths: np.ndarray,
        *,
        plan: Plan,
        seed: int,
        metadata: Metadata,
    ) -> None:
        super().__init__()
        self.model = model
        self.make_optimizer = make_optimizer
        self.schedule = schedule
        self.windows_per_step = plan.windows_per_step
        self.log_every = plan.log_every
        self.seed = seed
        self.metadata = metadata
        self.metrics = LanguageModelMetrics()
        self.part_metrics = PartMetrics([])
        """Of each part of a mixture by itself, in the order in which they are validated."""
        self.bits_of_parts: dict[str, float] = {}
        """Bits per byte of each part at the last validation."""
        self.document_end: int | None = None
        """The token at which documents end that must not look at each other; None: they may."""
        self.own_metrics = OwnMetrics({})
        """Of the user's own, evaluated with the loss."""
        self.occurring: Callable[[], Tensor | None] = lambda: None
        """Which tokens stand in the training text (``lab.training.occurring``): its samples are drawn from them."""
        self.byte_lengths: Tensor
        # Moves to the device with the module, but it is the tokenizer's knowledge: not part of a checkpoint.
        self.register_buffer("byte_lengths", torch.from_numpy(byte_lengths), persistent=False)
        self.flops_per_token = flops_per_token(model.config)

        self.train_loss: float | None = None
        """Training loss at the last written point, nats a token."""
        self.rate: float | None = None
        """Tokens per second from the last written point but one to the last, evaluations not counted."""
        self.evaluation_began = 0.0
        self.skipped = 0.0
        """Seconds in which nothing was trained."""
        self.loss_sum: Tensor | None = None
        """Loss summed over the micro-batches of the step in progress."""
        self.grad_norm: Tensor | None = None
        """Length of the last gradient, before clipping."""
        self.divergence = Divergence()
        self.full_shape: torch.Size | None = None
        """Of the first batch of an evaluation, as most of them are: what is worth being compiled."""
        self.clock = (0, 0.0)
        """Step and time of training of the last written point, for the rate."""
        self.warm: tuple[int, float] | None = None
        """The same after the first step of this process."""

    @property
    def overall_rate(self) -> float | None:
        """Tokens per second of this process up to the last written point. Its first step does not count, in which
        memory is asked for and blocks are compiled, unless there was no other; None before the first point."""
        if self.warm is None or self.clock[0] <= self.warm[0]:
            return self.rate
        return (self.clock[0] - self.warm[0]) * self._tokens_per_step / max(1e-9, self.clock[1] - self.warm[1])

    @property
    def _tokens_per_step(self) -> int:
        return self.windows_per_step * self.model.config.context_length

    def _training_time(self) -> float:
        return time.perf_counter() - self.skipped

    @property
    def is_shared_out(self) -> bool:
        """Has each process only a share of every weight? Then all of them must take part in a forward pass."""
        return isinstance(self.trainer.strategy, ModelParallelStrategy)

    def configure_model(self) -> None:
        if self.is_shared_out:
            from lab.training.sharding import share_out  # with an import of what few runs need

            assert self.device_mesh is not None
            share_out(self.model, self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.make_optimizer(self.model)
        self.learnt = list(self.model.parameters())  # to look for them in all modules takes a while: not in each step
        self.fresh_groups = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
        # A checkpoint brings what the optimizer remembers of each weight; how it steps is what the options say now.
        fresh = optimizer.state_dict()["param_groups"]
        optimizer.register_load_state_dict_pre_hook(lambda _, state: {**state, "param_groups": fresh})
        keep_order(optimizer, self.model)
        # "step" is an optimizer step; Lightning's default would move the schedule once an epoch.
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": LambdaLR(optimizer, self.schedule), "interval": "step"},
        }

    def on_train_start(self) -> None:
        # The schedule's factor is that of this step, and the rate that it scales the one of the options.
        scheduler: Any = self.lr_schedulers()
        for group, fresh in zip(self.trainer.optimizers[0].param_groups, self.fresh_groups, strict=True):
            group.update(fresh)
            group["initial_lr"] = fresh["lr"]
            group["lr"] = fresh["lr"] * self.schedule(self.global_step)
        scheduler.base_lrs = [fresh["lr"] for fresh in self.fresh_groups]
        self.clock = (self.global_step, self._training_time())

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Dropout's random numbers are a function of the place in the run, not of what was drawn before. A run that is
        # continued in the middle draws the same masks, and so does one that evaluated more often.
        # Two devices with a micro-batch each draw what one draws in two.
        micro_batch = self._micro_batch(batch_idx) * self.trainer.world_size + self.global_rank
        place = [self.seed, self.global_step, micro_batch, 0]
        seed_generators(self.device, int(np.random.SeedSequence(place).generate_state(1)[0]))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        inputs, targets = batch  # (B, T), (B, T)
        hidden = self.model.hidden(inputs, self._separated(inputs))
        loss = next_token_loss(hidden, self.model.head.weight, targets)
        if self._is_due():
            first = self._micro_batch(batch_idx) == 0
            self.loss_sum = loss.detach() if first or self.loss_sum is None else self.loss_sum + loss.detach()
        return loss

    def _separated(self, inputs: Tensor) -> Sequence[LayerCache] | None:
        return separate_documents(inputs, self.document_end, self.model.config.n_layers)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Scales the gradient down to a norm of ``gradient_clip_val`` if it is longer. Pascanu et al. 2013, section
        3.2, https://arxiv.org/abs/1211.5063: one bad batch may set the direction of a step, not its size.

        Raises:
            LabError: if the gradient is not finite, before it can reach the weights; on a GPU it may be told later.
        """
        limit = math.inf if gradient_clip_val is None else float(gradient_clip_val)
        norm: Any = torch.nn.utils.clip_grad_norm_(self.learnt, limit)
        self.grad_norm = norm.full_tensor() if self.is_shared_out else norm
        # A loss that is NaN or infinite makes a gradient that is. In fp16 an overflow is part of the game: the scaler
        # skips the step and carries on with a smaller factor.
        if self.trainer.precision != "16-mixed":
            self.divergence.judge(self.grad_norm, self.global_step + 1, optimizer)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)  # runs the last micro-batch, too: it is what Lightning calls a closure
        # Here, and not in a later hook, because the learning rate is still the one that was used.
        if self._is_due():
            self._write_training_point(self.global_step + 1)
        if self.warm is None:
            self.warm = (self.global_step + 1, self._training_time())

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        if self.global_step == self.trainer.max_steps:
            # Lightning evaluates once more before it stops, also where the last step is no multiple of the interval.
            self.trainer.should_stop = True

    def on_validation_start(self) -> None:
        self.divergence.stop()
        self.evaluation_began = time.perf_counter()

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        inputs, targets = batch
        self.full_shape = self.full_shape or inputs.shape
        with uncompiled(self.model, when=inputs.shape != self.full_shape):
            hidden = self.model.hidden(inputs, self._separated(inputs))
        if not self.trainer.datamodule.counts(batch_idx, dataloader_idx):  # type: ignore[attr-defined]
            return
        head = self.model.head.weight
        nll = next_token_loss(hidden, head, targets, reduction="sum")
        self.own_metrics.update(hidden, head, targets)
        n_bytes = self.byte_lengths[targets].sum()
        self.metrics.update(nll, targets.numel(), n_bytes)
        self.part_metrics.update(dataloader_idx, nll, targets.numel(), n_bytes)

    def on_validation_epoch_end(self) -> None:
        figures = {f"val_{name}": value.item() for name, value in self.metrics.compute().items()}
        self.metrics.reset()
        self.bits_of_parts = self.part_metrics.compute()
        figures |= {f"val_bits_per_byte/{name}": bits for name, bits in self.bits_of_parts.items()}
        figures |= self.own_metrics.compute()
        if not math.isfinite(figures["val_loss"]):
            raise LabError(diverged(f"the validation loss became {figures['val_loss']}", self.global_step))
        # For callbacks (best checkpoint, early stopping), which look metrics up by name.
        self.log_dict(figures, logger=False)
        self.write(figures, self.global_step)

    def on_validation_end(self) -> None:
        if self.is_shared_out:
            self.model.reshard()  # type: ignore[operator]
        # Tokens per second are those of training: the time that went into evaluating does not count.
        self.skip_time(time.perf_counter() - self.evaluation_began)

    def skip_time(self, seconds: float) -> None:
        """Leaves out a time in which nothing was trained from the tokens per second."""
        self.skipped += seconds

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.divergence.stop()
        checkpoint["lab"] = self.metadata
        if ranks.is_first() and (found := self.occurring()) is not None:
            checkpoint["occurring"] = found.to(torch.uint8)

    def write(self, figures: dict[str, float], step: int) -> None:
        """Sends figures to every logger, at ``step`` finished optimizer steps."""
        for logger in self.loggers:
            logger.log_metrics(figures, step=step)

    def _write_training_point(self, step: int) -> None:
        assert self.loss_sum is not None
        assert self.grad_norm is not None
        self.divergence.stop()
        # .item() waits for the device, so that the clock measures finished work.
        loss_sum = self.trainer.strategy.reduce(self.loss_sum, reduce_op="mean")  # all have the same number of tokens
        self.train_loss = loss_sum.item() / self.trainer.accumulate_grad_batches
        last_step, last_time = self.clock
        self.clock = (step, self._training_time())
        self.rate = (step - last_step) * self._tokens_per_step / max(1e-9, self.clock[1] - last_time)
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        windows = data.position + self.windows_per_step  # this step is not counted there yet
        figures = {
            "train_loss": self.train_loss,
            "train_perplexity": perplexity(self.train_loss),
            "grad_norm": self.grad_norm.item(),
            "learning_rate": self.trainer.optimizers[0].param_groups[0]["lr"],
            "tokens_per_second": self.rate,
            "tokens_seen": float(windows * self.model.config.context_length),
            "epoch": windows / len(data.windows),
        }
        if self.device.type == "cuda" and (peak := peak_flops(torch.cuda.get_device_name(self.device))):
            figures["mfu"] = model_flops_utilization(self.rate, self.flops_per_token, peak * self.trainer.world_size)
        self.write(figures, step)

    def _micro_batch(self, batch_idx: int) -> int:
        """Which of the micro-batches of its optimizer step this is, from 0."""
        return batch_idx % self.trainer.accumulate_grad_batches

    def _is_due(self) -> bool:
        """Will the step in progress be written?"""
        step = self.global_step + 1
        return step % self.log_every == 0 or step == self.trainer.max_steps
