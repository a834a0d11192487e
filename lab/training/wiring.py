"""From options to objects: the model, its data, and the trainer around them."""

import dataclasses
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import Logger
from torch import nn
from torch.optim import Optimizer

from lab.config.plan import Plan
from lab.config.schema import Config, SaveFailure
from lab.data.token_file import TokenFile
from lab.model import GPTConfig, GPTModel
from lab.optim.parameter_groups import decay_groups
from lab.optim.schedules import make_schedule
from lab.runs import checkpoint
from lab.runs.checkpoint_schema import CheckpointDict
from lab.runs.events import EventLog
from lab.system.signals import Signals
from lab.tokenizer import Tokenizer
from lab.training import arithmetic, finetune, instantiate, slurm
from lab.training.alerts import Alerts
from lab.training.callbacks import Record, Samples
from lab.training.checkpointing import AtomicCheckpointIO, Checkpoints
from lab.training.datamodule import LabData
from lab.training.display import Display
from lab.training.hparams import Hparams
from lab.training.logged_values import Points
from lab.training.module import GPTModule
from lab.training.run_control import Steering


def make_model(config: Config) -> GPTModel:
    """The decoder, freshly initialised under the seed."""
    torch.manual_seed(config.seed)
    return GPTModel(config.model)


def make_optimizer(config: Config, model: nn.Module, device: str) -> Optimizer:
    """The optimizer of the options over the decay groups of the model."""
    arguments = {k: v for k, v in dataclasses.asdict(config.optimizer).items() if k != "weight_decay"}
    # One kernel for all weights instead of several for each, where the optimizer has one. Not in fp16: there the
    # fused step would divide the gradients by the scaler's factor only after they have been clipped.
    has_fused = instantiate.has_parameter(arguments["_target_"], "fused")
    if has_fused and config.trainer.precision != "16-mixed" and device != "mps":
        arguments["fused"] = True
    found: Optimizer = instantiate.make(
        "optimizer", arguments, Optimizer, decay_groups(model, config.optimizer.weight_decay)
    )
    return found


def make_module(
    config: Config,
    plan: Plan,
    tokens: TokenFile,
    tokenizer: Tokenizer,
    device: str,
    initial: GPTModel | None = None,
) -> GPTModule:
    """The model with all that its training needs; with the weights of ``initial`` instead of random ones, if given."""
    model = make_model(config)
    if initial is not None:
        finetune.take_weights(model, initial)
    if config.trainer.compile:
        # Block by block: they are alike, so that one compilation serves all. In place: a wrapper module would put
        # its own name into every key of a checkpoint.
        for block in model.blocks:
            block.compile()
    return GPTModule(
        model,
        lambda built: make_optimizer(config, built, device),
        make_schedule(config, plan),
        tokenizer.byte_lengths(),
        windows_per_step=plan.windows_per_step,
        log_every=plan.log_every,
        seed=config.seed,
        metadata=checkpoint.metadata(config, tokens, plan),
    )


def choose(config: Config, device: str) -> dict[str, Any]:
    """The loggers and callbacks of the options, by option. Nothing is written by any of them yet, and the optimizer is
    tried on a model of no size: what cannot be had is told before the run begins.

    Raises:
        LabError: naming the first of them that cannot be made, is no logger or callback, or has no place to write.
    """
    make_optimizer(config, GPTModel(GPTConfig(1, 1, 1, 1, vocab_size=2)), device)
    loggers = {f"logger.{name}": node for name, node in config.logger.items()}
    found = {option: instantiate.make(option, node, Logger) for option, node in loggers.items()}
    for option, logger in found.items():
        instantiate.refuse_unwritable(option, logger)
    callbacks = {f"callbacks.{name}": node for name, node in config.callbacks.items()}
    return found | {option: instantiate.make(option, node, L.Callback) for option, node in callbacks.items()}


def make_trainer(
    config: Config,
    plan: Plan,
    run_folder: Path,
    device: str,
    tokenizer: Tokenizer,
    loggers: list[Logger],
    further: list[L.Callback],
    record: Record,
    log: EventLog,
    signals: Signals,
    earlier: CheckpointDict | None = None,
) -> L.Trainer:
    """Lightning's trainer with our callbacks and ``further`` ones; its own bar, summary and checkpoints are off.
    ``earlier`` is the checkpoint that the run continues from."""
    samples = Samples(config.sample, tokenizer, config.seed) if config.sample.max_tokens else None
    checkpoints = None
    if config.save:
        checkpoints = Checkpoints(
            run_folder / checkpoint.FOLDER,
            eval_every=plan.eval_every,
            save_every=config.save_every,
            keep=config.keep,
            go_on_if_full=config.if_save_fails is SaveFailure.go_on,
            log=log,
        )
    steering = Steering(
        run_folder,
        total_steps=plan.total_steps,
        eval_every=plan.eval_every,
        signals=signals,
        log=log,
        record=record,
        checkpoints=checkpoints,
    )
    display = Display(plan.total_steps, samples)
    own: list[L.Callback | None] = [
        record,
        samples,
        display,
        steering,
        checkpoints,
        Alerts(log),
        Hparams(config, record),
    ]
    callbacks = [callback for callback in own if callback is not None]
    callbacks += further
    accumulate = config.trainer.accumulate_grad_batches
    if device == "gpu":
        arithmetic.allow_tensor_float()
    trainer = L.Trainer(
        accelerator=device,
        devices=config.trainer.devices,
        precision=config.trainer.precision,  # type: ignore[arg-type]
        max_steps=plan.total_steps,
        max_epochs=-1,
        accumulate_grad_batches=accumulate,
        gradient_clip_val=config.trainer.gradient_clip_val,
        # The one place where our unit, optimizer steps, becomes Lightning's, micro-batches.
        val_check_interval=plan.eval_every * accumulate,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=-1,  # the whole evaluation before the first step: the curve begins at ln(vocab_size)
        logger=loggers,
        log_every_n_steps=plan.log_every,
        callbacks=callbacks,
        plugins=[AtomicCheckpointIO(accumulate, earlier), *slurm.environment(config.trainer.devices)],
        enable_checkpointing=config.save,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,  # ours already gives each process its share
        # Under SLURM, Lightning goes on by itself from an hpc_ckpt_*.ckpt that it finds here: we write none there.
        default_root_dir=run_folder / checkpoint.FOLDER,
    )
    trainer._logger_connector = Points(trainer)
    return trainer


def make_data(config: Config, tokens: TokenFile) -> LabData:
    """The windows of the corpus.

    Raises:
        LabError: if the corpus is too small.
    """
    return LabData(tokens.open(), config.data, config.model.context_length, config.seed)
