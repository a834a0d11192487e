"""One run, from the options to its results."""

import contextlib
import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lightning as L

from lab.alerts.watch import Watch
from lab.config.schema import Config, to_plain
from lab.errors import Interrupted, LabError
from lab.model import GPTModel
from lab.runs import checkpoint, command_files, notes, ownership
from lab.runs.events import Event, EventLog
from lab.runs.folder import alone_in, has_finished, write_config, write_end
from lab.runs.results import Results, read_results, write_results
from lab.runs.state import write_state
from lab.runs.yardsticks import Yardsticks, write_yardsticks
from lab.system import ranks
from lab.system.malloc import keep_freed_memory, ran_out
from lab.system.signals import Signals
from lab.training import arithmetic, display, finetune, library_warnings, processes, resume, yardsticks
from lab.training.alerts import Alerts, setting
from lab.training.callbacks import Record
from lab.training.checkpointing import cannot_take_up
from lab.training.lightning_internals import is_taking_up
from lab.training.module import GPTModule
from lab.training.preparation import Preparation, prepare
from lab.training.processes import Others
from lab.training.results import collect
from lab.training.trainer import make_callbacks, make_loggers, make_module, make_trainer


@dataclass(frozen=True)
class Trained:
    """A run that has come to an end."""

    results: Results
    """What ``results.json`` says."""
    model: GPTModel | None
    """With its last weights; None if there was nothing left to do."""
    interrupted: Interrupted | None
    """What has ended it before its time."""


def train(config: Config, run_folder: Path, start_folder: Path, words: Sequence[str] = ()) -> Results:
    """One run from the options to its results. Returns what it also writes to ``results.json``.

    Args:
        config: the options.
        run_folder: the run's own folder; it exists.
        start_folder: the folder that paths in the options are relative to.
        words: the command line, for the other processes of a run on several devices.

    Raises:
        LabError: if something that the user can mend is in the way.
        Interrupted: if the run was told to end before its time; the results up to there are written.
    """
    trained = train_model(config, run_folder, start_folder, words=words)
    if trained.interrupted is not None:
        raise trained.interrupted
    return trained.results


def train_model(
    config: Config, run_folder: Path, start_folder: Path, bar: L.Callback | None = None, words: Sequence[str] = ()
) -> Trained:
    """As ``train``, with the model; told to end, it returns what there is. ``bar`` is shown in place of all that is
    otherwise printed. On several devices, each process of the run comes here, and the first returns the results."""
    keep_freed_memory()
    with Signals() as signals, alone_in(run_folder), library_warnings.as_lines():
        run = prepare(config, run_folder, start_folder)
        if (sentence := _nothing_left(run)) is not None:
            if config.resume != "auto":
                raise LabError(f"{sentence}; give a larger trainer.max_steps or trainer.max_epochs")
            print(sentence)  # for a scheduler that starts the command again, that is success
            return Trained(read_results(run_folder), None, None)
        with processes.beside(run, words) as others, _mistakes_in_one_sentence(run, others):
            trained = _train(run, others, signals, bar)
        if trained.interrupted is None and signals.received is not None:
            # Too late for this run, not for the rest of a sweep.
            return replace(trained, interrupted=signals.interruption())
        return trained


def _train(run: Preparation, others: Others, signals: Signals, bar: L.Callback | None) -> Trained:
    """From a run that could begin to one that has ended."""
    module, weights = _make_module(run)
    carried = _begin(run) if ranks.is_first() else []
    with contextlib.closing(EventLog(run.run_folder)) as log:
        record = Record()
        levels = yardsticks.measure(run) if ranks.is_first() else Yardsticks()
        write_yardsticks(run.run_folder, levels)
        theirs = list(run.chosen.loggers.values())
        told = Alerts(log, Watch(setting(run, levels)), theirs, prints=bar is None)
        loggers = make_loggers(run, log, told)
        resume.replay(carried, theirs)
        told.catch_up(run.first_step, carried)
        trainer = make_trainer(run, loggers, make_callbacks(run, record, log, signals, told, bar))
        for logger in loggers:
            logger.log_hyperparams(to_plain(run.config))
        if ranks.is_first() and bar is None:
            display.start(run, module.model, weights)
        interrupted = _fit(run, trainer, module)
        others.over.set()
        if not ranks.is_first():
            return Trained(Results(), module.model, interrupted)
        results = collect(run, trainer, module, record, levels, interrupted)
        write_results(run.run_folder, results)
        write_end(run.run_folder, log, results)
        if bar is None:
            display.finish(run, results)
    return Trained(results, module.model, interrupted)


def _nothing_left(run: Preparation) -> str | None:
    """What to say if the run that is to go on has come to its end."""
    if run.earlier is None:
        return None
    # A run that was stopped early has finished before its last step, and is not to be prolonged by being restarted.
    finished = run.config.resume == "auto" and has_finished(run.run_folder, run.plan.total_steps)
    if not finished and run.earlier.step < run.plan.total_steps:
        return None
    sentence = f"nothing left to do: {run.earlier.path} is at step {run.earlier.step} of {run.plan.total_steps}"
    return f"{sentence}, and the run has finished" if finished else sentence


def _make_module(run: Preparation) -> tuple[GPTModule, str | None]:
    """The module, with the weights that ``init_from`` names if the run begins with those; and what to say of them."""
    config, initial = run.config, None
    if run.earlier is not None:
        config.init_from = run.earlier.first_weights  # told on, and not looked at again
    elif config.init_from is not None:
        write_state(run.run_folder, "running", step=0, total_steps=run.plan.total_steps)  # it may take a while
        initial = finetune.open_initial(config, run.start_folder)
    L.seed_everything(config.seed, verbose=False)
    module = make_module(run, initial.model if initial else None)
    return module, finetune.described(config, initial) if initial else None


def _begin(run: Preparation) -> list[Event]:
    """Makes the run folder that of this run. Returns the earlier points of its curve, to be drawn again."""
    # They were meant for an earlier process; what comes from now on is meant for this one.
    for _, file in command_files.commands(run.run_folder):
        file.unlink(missing_ok=True)
    # The log first: whoever reads that the run is running finds a log that has begun again, too.
    carried = resume.carry_over(run.earlier, run.run_folder) if run.earlier else []
    # The files of curves would show what came after the checkpoint as well: they are written again from the log.
    ownership.make_room_for(run.chosen.loggers.values(), run.run_folder)
    write_state(run.run_folder, "running", step=run.first_step, total_steps=run.plan.total_steps)
    notes.keep_typed(run.run_folder, run.config)
    write_config(run.run_folder, run.config)
    return carried


def _fit(run: Preparation, trainer: L.Trainer, module: GPTModule) -> Interrupted | None:
    """Trains to the end. Returns what has interrupted it, if anything has."""
    path = run.earlier.path if run.earlier else None
    try:
        trainer.fit(module, run.data, ckpt_path=path, weights_only=True)
    except Interrupted as stop:
        return stop
    except Exception as error:
        if is_taking_up(trainer) and not isinstance(error, LabError | Warning | OSError):
            raise cannot_take_up(path, error) from error
        raise
    return None


@contextlib.contextmanager
def _mistakes_in_one_sentence(run: Preparation, others: Others) -> Iterator[None]:
    """Turns what ends a training and no programmer needs to see into a ``LabError``. A bug stays what it is."""
    try:
        yield
    except Exception as error:
        said = None if isinstance(error, LabError) else _mendable(error, run)
        if processes.is_lost(error):  # first of all: it comes out of whatever waited for a message, an optimizer say
            said = others.lost()
        if said is None:
            raise
        raise said from error


def _mendable(error: Exception, run: Preparation) -> LabError | None:
    """The sentence for an error that ended a training and that no programmer needs to see; None: it is a bug."""
    config = run.config
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        again = checkpoint.how_to_go_on(run.run_folder)
        return LabError(f"there is no room left in {run.run_folder} ({error.strerror}): make room, then {again}")
    if config.trainer.compile and arithmetic.is_of_compiling(error):
        return arithmetic.cannot_compile(error)
    if ran_out(error):
        return LabError(
            f"the memory is too small for data.batch_size={config.data.batch_size}: halve it (and double "
            "trainer.accumulate_grad_batches, for the same steps), or take a smaller model"
        )
    return run.chosen.blame(error)
