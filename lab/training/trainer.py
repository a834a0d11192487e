"""A prepared run as Lightning takes it: the module, the callbacks, the trainer around them."""

from functools import cache, partial

import lightning as L
from lightning.pytorch.loggers import Logger

from lab.config.schema import SaveFailure
from lab.files.run_files import CHECKPOINTS_FOLDER
from lab.model import GPTModel
from lab.optim.schedules import make_schedule
from lab.runs import checkpoint, distributions
from lab.runs.events import EventLog
from lab.system.signals import Signals
from lab.training import arithmetic, cluster, disk_estimate, finetune, wiring
from lab.training.alerts import Alerts
from lab.training.callbacks import Record, Samples
from lab.training.checkpointing import AtomicCheckpointIO, Checkpoints
from lab.training.compilation import compile_blocks
from lab.training.display import Display
from lab.training.distributions import Distributions
from lab.training.event_logger import EventLogger
from lab.training.floor import FloorLine
from lab.training.hparams import Hparams
from lab.training.lightning_internals import Unprofiled, count_logged_points_in_steps
from lab.training.metrics import PartMetrics
from lab.training.module import GPTModule
from lab.training.occurring import occurring
from lab.training.preparation import Preparation
from lab.training.run_control import RunControl
from lab.training.snapshots import Snapshots
from lab.training.spent import Spent


def make_module(run: Preparation, initial: GPTModel | None = None) -> GPTModule:
    """The model with all that its training needs; with the weights of ``initial`` instead of random ones, if given."""
    config, plan = run.config, run.plan
    model = wiring.make_model(config)
    if initial is not None:
        finetune.take_weights(model, initial)
    if config.trainer.compile:
        compile_blocks(model)
    module = GPTModule(
        model,
        lambda built: wiring.make_optimizer(config, built, run.device),
        make_schedule(config, plan),
        run.tokenizer.byte_lengths(),
        plan=plan,
        seed=config.seed,
        metadata=checkpoint.metadata(config, run.corpus.tokens, plan, run.tokenizer.definition),
    )
    module.occurring = cache(partial(occurring, run))
    module.own_metrics = run.chosen.metrics
    module.part_metrics = PartMetrics(list(run.corpus.parts))
    module.document_end = run.tokenizer.endoftext if config.data.document_mask else None
    return module


def make_callbacks(
    run: Preparation,
    record: Record,
    log: EventLog,
    signals: Signals,
    alerts: Alerts,
    bar: L.Callback | None = None,
) -> list[L.Callback]:
    """What accompanies the training: the lab's own callbacks, then those of the options. ``bar`` shows how far it has
    come, in place of the lab's display."""
    config, plan = run.config, run.plan
    samples = Samples(config.sample, run.tokenizer, config.seed) if config.sample.max_tokens else None
    checkpoints = _checkpoints(run, log) if config.save else None
    control = RunControl(
        run.run_folder,
        total_steps=plan.total_steps,
        eval_every=plan.eval_every,
        signals=signals,
        log=log,
        record=record,
        checkpoints=checkpoints,
    )
    display = bar or Display(plan.total_steps, samples)
    # In this order: the record knows of an evaluation before anybody saves, the sample is there before it is shown.
    least = FloorLine(run.floor) if run.floor else None
    own = [
        record,
        Spent(run.first_step),
        least,
        samples,
        _distributions(run),
        display,
        control,
        checkpoints,
        _snapshots(run, log, checkpoints) if checkpoints else None,
        alerts,
        Hparams(config, record),
    ]
    return [callback for callback in own if callback is not None] + list(run.chosen.callbacks.values())


def _distributions(run: Preparation) -> Distributions:
    earlier = distributions.read(run.earlier.run_folder) if run.earlier else []
    return Distributions(
        run.run_folder, run.plan.eval_every, [moment for moment in earlier if moment["step"] <= run.first_step]
    )


def _checkpoints(run: Preparation, log: EventLog) -> Checkpoints:
    return Checkpoints(
        run.run_folder / CHECKPOINTS_FOLDER,
        eval_every=run.plan.eval_every,
        save_every=run.config.save_every,
        keep=run.config.keep,
        go_on_if_full=run.config.if_save_fails is SaveFailure.go_on,
        log=log,
    )


def _snapshots(run: Preparation, log: EventLog, checkpoints: Checkpoints) -> Snapshots | None:
    if not (most := disk_estimate.most(run.config)):
        return None
    earlier = run.earlier.run_folder if run.earlier else None
    return Snapshots(checkpoints, most, total_steps=run.plan.total_steps, log=log, earlier=earlier)


def make_loggers(run: Preparation, log: EventLog, alerts: Alerts) -> list[Logger]:
    """The event log, which every run has, and the loggers of the options."""
    return [EventLogger(log, alerts.see), *run.chosen.loggers.values()]


def make_trainer(run: Preparation, loggers: list[Logger], callbacks: list[L.Callback]) -> L.Trainer:
    """Lightning's trainer; its own bar, summary and checkpoints are off."""
    options, plan = run.config.trainer, run.plan
    accumulate = options.accumulate_grad_batches
    if run.device == "gpu":
        arithmetic.allow_tensor_float()
    trainer = L.Trainer(
        accelerator=run.device,
        devices=options.devices,
        num_nodes=options.num_nodes,
        strategy=cluster.strategy(options),
        precision=options.precision,  # type: ignore[arg-type]
        max_steps=plan.total_steps,
        max_epochs=-1,
        accumulate_grad_batches=accumulate,
        gradient_clip_val=options.gradient_clip_val,
        # The one place where our unit, optimizer steps, becomes Lightning's, micro-batches.
        val_check_interval=plan.eval_every * accumulate,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=-1,  # the whole evaluation before the first step: the curve begins at ln(vocab_size)
        logger=loggers,
        log_every_n_steps=plan.log_every,
        callbacks=callbacks,
        plugins=[
            AtomicCheckpointIO(accumulate, run.earlier.checkpoint if run.earlier else None),
            *cluster.environment(),
        ],
        enable_checkpointing=run.config.save,
        enable_progress_bar=False,
        enable_model_summary=False,
        profiler=Unprofiled(),  # lab.profile is another matter
        use_distributed_sampler=False,  # ours already gives each process its share
        # Under SLURM, Lightning goes on by itself from an hpc_ckpt_*.ckpt that it finds here: we write none there.
        default_root_dir=run.run_folder / CHECKPOINTS_FOLDER,
    )
    count_logged_points_in_steps(trainer)
    return trainer
