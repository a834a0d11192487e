"""The callback by which a job of a search tells what it has reached, and ends if that is not enough."""

import warnings
from pathlib import Path

import lightning as L

from lab.errors import Interrupted, LabError
from lab.sweeps import launching, search
from lab.sweeps.jobs import PRUNED


class Pruning(L.Callback):
    """Reports the validation loss of each evaluation to the trial, and ends the run where the pruner says so.

    Args:
        study: the file of the study.
        trial: its number.
        startup_trials: trials that run to their end before any is pruned.
    """

    def __init__(self, study: str, trial: int, startup_trials: int) -> None:
        self.study = Path(study)
        self.number = trial
        self.startup_trials = startup_trials

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if trainer.sanity_checking or trainer.global_step >= trainer.max_steps:
            return  # nothing is learnt yet, or nothing is saved by stopping
        if trainer.is_global_zero and self._is_hopeless(
            trainer.global_step, float(trainer.callback_metrics["val_loss"])
        ):
            raise Interrupted(PRUNED, 0)

    def _is_hopeless(self, step: int, loss: float) -> bool:
        try:
            import optuna
        except ImportError as error:
            raise LabError(f"a job of a search needs Optuna: {launching.MISSING}") from error
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Read anew each time: the others go on meanwhile.
            study = optuna.load_study(
                study_name="search",
                storage=search.storage(self.study),
                sampler=optuna.samplers.RandomSampler(),
                pruner=search.pruner(self.startup_trials),
            )
            known = study.get_trials(deepcopy=False)[self.number]
            if known.state.is_finished():
                return False  # the run goes on by itself, after its search
            trial = optuna.trial.Trial(study, known._trial_id)
            if step not in known.intermediate_values:  # it may have been reached before, and gone on from
                trial.report(loss, step)
            return bool(trial.should_prune())
