"""Trains a GPT: ``python -m lab.train model=small corpus=verdict``."""

import contextlib
import errno
import math
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import get_original_cwd
from omegaconf import DictConfig

from lab.commands import entry, train_help
from lab.config import quoting, resolvers, typed_overrides
from lab.config.groups import CONF_FOLDER, register
from lab.config.schema import Config, check, to_plain
from lab.errors import FolderTaken, Interrupted, LabError
from lab.files.paths import typed_path
from lab.runs import command_files, ownership
from lab.runs.folder import (
    alone_in,
    existing,
    has_begun,
    has_finished,
    note_end,
    refuse_used,
    take_away,
    write_config,
    write_end,
)
from lab.runs.results import Results, read_results, write_results
from lab.runs.state import write_state
from lab.system.signals import Signals
from lab.training import slurm
from lab.training.prepared import Prepared
from lab.training.results import collect

if TYPE_CHECKING:
    import lightning as L

    from lab.training.datamodule import LabData
    from lab.training.module import GPTModule

_PRINTING = {"--cfg", "-c", "--info", "-i", "--hydra-help", "--shell-completion", "-sc", "--version"}
"""What Hydra answers without training anything."""

failures: list[str] = []
"""One sentence for each job of this process that failed."""
there: set[Path] = set()
"""What was there before the run of this process, of the places that it may take."""


def train(config: Config, run_folder: Path, start_folder: Path) -> Results:
    """One run from the options to its results. Returns what it also writes to ``results.json``.

    Raises:
        LabError: if something that the user can mend is in the way.
        Interrupted: if the run was told to end before its time; the results up to there are written.
    """
    # Imported here, because Lightning takes seconds: a misspelt option should be told at once.
    import lightning as L
    from lightning.pytorch.loggers import Logger

    from lab.config.plan import make_plan, refuse_senseless
    from lab.data.prepare import anchor, read_corpus
    from lab.runs import checkpoint
    from lab.runs.events import EventLog
    from lab.system.malloc import keep_freed_memory
    from lab.tokenizer import Tokenizer
    from lab.training import (
        arithmetic,
        display,
        finetune,
        library_warnings,
        memory_estimate,
        resume,
        resume_check,
        wiring,
    )
    from lab.training.callbacks import Record
    from lab.training.event_logger import EventLogger

    keep_freed_memory()
    with Signals() as signals, alone_in(run_folder), library_warnings.as_lines():
        continued = resume.find(config.resume, start_folder, run_folder) if config.resume else None
        earlier = checkpoint.load(continued) if continued else None
        if continued is None or resume.run_folder_of(continued) != run_folder.resolve():
            refuse_used(run_folder, anew=config.resume == "auto")
        device = arithmetic.accelerator(config.trainer)
        memory_estimate.refuse_what_cannot_fit(config, device)
        objects = wiring.choose(config, device)
        chosen_loggers = [made for made in objects.values() if isinstance(made, Logger)]
        ownership.refuse_curves_of_others(chosen_loggers, run_folder)
        resume.clean_up(run_folder)
        if config.trainer.compile:
            arithmetic.try_compiling(device)
        tokenizer = Tokenizer()
        if config.model.vocab_size != tokenizer.vocab_size:
            asked, known = config.model.vocab_size, tokenizer.vocab_size
            raise LabError(f"model.vocab_size={asked}: the tokenizer decides it, and it has {known} tokens")
        anchor(config.corpus, start_folder)
        corpus = read_corpus(config.corpus, start_folder)
        tokens = corpus.tokens
        data = wiring.make_data(config, tokens)
        if earlier is not None and continued is not None:
            checkpoint.refuse_other_run(earlier, config, tokens, continued)
            resume_check.refuse_unfit(earlier, config, device, continued)
        plan = make_plan(config, len(data.windows), earlier["lab"]["plan"] if earlier else None)
        refuse_senseless(config, plan)
        prepared = Prepared(config, plan, corpus, data)
        # A run that was stopped early has finished before its last step, and is not to be prolonged by being restarted.
        finished = config.resume == "auto" and has_finished(run_folder, plan.total_steps)
        if earlier is not None and (finished or earlier["global_step"] >= plan.total_steps):
            sentence = f"nothing left to do: {continued} is at step {earlier['global_step']} of {plan.total_steps}"
            sentence += ", and the run has finished" if finished else ""
            if config.resume != "auto":
                raise LabError(f"{sentence}; give a larger trainer.max_steps or trainer.max_epochs")
            print(sentence)  # for a scheduler that starts the command again, that is success
            return read_results(run_folder)
        initial = None
        if earlier is not None:  # what it began with is told on, and not looked at again
            config.init_from = resume.first_weights(earlier)
        elif config.init_from is not None:
            write_state(run_folder, "running", step=0, total_steps=plan.total_steps)  # it may take a while
            initial = finetune.open_initial(config, start_folder)
        # They were meant for an earlier process; what comes from now on is meant for this one.
        for _, command in command_files.commands(run_folder):
            command.unlink(missing_ok=True)
        # The log first: whoever reads that the run is running finds a log that has begun again, too.
        carried = resume.carry_over(continued, earlier, run_folder) if earlier and continued else []
        # The files of curves would show what came after the checkpoint as well: they are written again from the log.
        ownership.make_room_for(chosen_loggers, run_folder)
        done = int(earlier["global_step"]) if earlier else 0
        write_state(run_folder, "running", step=done, total_steps=plan.total_steps)
        write_config(run_folder, config)

        L.seed_everything(config.seed, verbose=False)
        module = wiring.make_module(config, plan, tokens, tokenizer, device, initial.model if initial else None)
        weights = finetune.described(config, initial) if initial else None
        del initial  # its memory is worth more than it
        record = Record()
        with contextlib.closing(EventLog(run_folder)) as log:
            loggers: list[Logger] = [EventLogger(log), *chosen_loggers]
            further = [made for made in objects.values() if isinstance(made, L.Callback)]
            try:
                resume.replay(carried, chosen_loggers)
                trainer = wiring.make_trainer(
                    config, plan, run_folder, device, tokenizer, loggers, further, record, log, signals, earlier
                )
                for logger in loggers:
                    logger.log_hyperparams(to_plain(config))
                if trainer.is_global_zero:
                    described = f"{arithmetic.device_name(device)}, {arithmetic.arithmetic(config.trainer, device)}"
                    display.start(prepared, module.model, described, run_folder, earlier, weights)
                interrupted = _fit(trainer, module, data, continued)
            except Exception as error:
                told = None if isinstance(error, LabError) else _mendable(error, config, run_folder, objects)
                if told is None:
                    raise
                raise told from error
            results = collect(prepared, trainer, module, record, interrupted, continued)
            if trainer.is_global_zero:
                write_results(run_folder, results)
                write_end(run_folder, log, results)
                display.finish(results, config, plan, run_folder, start_folder)
        if interrupted is None and signals.received is not None:
            interrupted = signals.interruption()  # too late for this run, not for the rest of a sweep
        if interrupted is not None:
            raise interrupted
        return results


def _fit(trainer: "L.Trainer", module: "GPTModule", data: "LabData", resume: Path | None) -> Interrupted | None:
    """Trains to the end. Returns what has interrupted it, if anything has."""
    from lab.training import checkpointing

    try:
        trainer.fit(module, data, ckpt_path=resume, weights_only=True)
    except Interrupted as stop:
        return stop
    except Exception as error:
        if checkpointing.is_taking_up(trainer) and not isinstance(error, LabError | Warning | OSError):
            raise checkpointing.cannot_take_up(resume, error) from error
        raise
    return None


def _mendable(error: Exception, config: Config, run_folder: Path, objects: dict[str, Any]) -> LabError | None:
    """The sentence for an error that ended a training and that no programmer needs to see; None: it is a bug."""
    from lab.runs import checkpoint
    from lab.system import malloc
    from lab.training import arithmetic, instantiate

    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        again = checkpoint.how_to_go_on(run_folder)
        return LabError(f"there is no room left in {run_folder} ({error.strerror}): make room, then {again}")
    if config.trainer.compile and arithmetic.is_of_compiling(error):
        return arithmetic.cannot_compile(error)
    if malloc.ran_out(error):
        return LabError(
            f"the memory is too small for data.batch_size={config.data.batch_size}: halve it (and double "
            "trainer.accumulate_grad_batches, for the same steps), or take a smaller model"
        )
    return instantiate.blame(error, objects)


def job(composed: DictConfig) -> float:
    """What Hydra calls for a run, or for each job of a sweep. Returns the best validation loss, for sweepers that seek
    the best options; infinity for a run that failed, so that the other jobs of a sweep still get their turn."""
    hydra_config = HydraConfig.get()
    run_folder = Path(hydra_config.runtime.output_dir)
    try:
        config = check(composed)
        if hydra_config.mode == RunMode.MULTIRUN and config.trainer.devices > 1:
            raise LabError(
                "a sweep over several devices would be started once more by each of its processes: "
                "use trainer.devices=1 with -m, or start the runs one by one"
            )
        best = train(config, run_folder, Path(get_original_cwd())).best_val_loss
        return math.inf if best is None else best
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        failures.append(str(error))
        taken = isinstance(error, FolderTaken)  # by somebody who has the say about what becomes of it
        if hydra_config.mode == RunMode.RUN and (taken or not has_begun(run_folder)):
            take_away(run_folder, there, keep_lock=taken)
        elif not taken:
            note_end(run_folder, "failed", str(error))
        return math.inf
    except Interrupted as stop:
        note_end(run_folder, "stopped", stop.reason)
        if stop.exit_code:  # by a signal, which means the whole sweep
            # Only with both does the same command, started again, go on from what was saved.
            if stop.reason in slurm.WARNINGS and composed.save and composed.resume == "auto":
                slurm.requeue()
            raise
        return math.inf
    except Exception as error:
        note_end(run_folder, "failed", f"{type(error).__name__}: {error}")
        raise


def main() -> None:
    """The command line."""
    # A run does not end because its terminal, or the disk of its log, has. What only prints has nothing else to do.
    entry.run_composing(_start, train_help.text, output_matters=bool(_PRINTING & set(sys.argv[1:])))
    if failures:
        sys.exit(1)


def _start() -> None:
    register()
    resolvers.unused_folder.cache_clear()  # another run of this very process, in a notebook, has another folder
    failures.clear()
    if "${" in str(Path.cwd()):
        raise LabError(f"{Path.cwd()} has ${{ in its name, which Hydra takes for one of its own: go to another folder")
    words = sys.argv[1:]
    typed_overrides.refuse_senseless(words)
    there.clear()
    there.update(existing(words))
    inherited: list[str] = []
    if any(word.startswith("resume=") for word in words):
        from lab.training.resume import inherited_overrides

        inherited = inherited_overrides(words, Path.cwd())
    options, flags = typed_overrides.split_flags(words)
    for word in options:
        if word.startswith("hydra.sweep.dir="):
            ownership.refuse_other_sweep(typed_path(word.partition("=")[2], Path.cwd()))
    # Hydra finds its flags at either end of the options, and not between them.
    sys.argv[1:] = [*inherited, *quoting.quote_literals(options), *flags]
    try:
        hydra.main(version_base="1.3", config_path=str(CONF_FOLDER), config_name="train")(job)()
    except OSError as error:
        in_job = any(frame.f_code is job.__code__ for frame, _ in traceback.walk_tb(error.__traceback__))
        if in_job or not error.filename:
            raise
        # Hydra makes the folder of a run, or of a sweep, before the job, and has only a traceback to say that it can't.
        raise resolvers.cannot_be_made(Path(error.filename), error) from error


if __name__ == "__main__":
    main()
