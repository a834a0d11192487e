"""TensorBoard's table of runs: their options and how they ended."""

import pytest
from support.commands import Finished, scalars

from lab.config import compose
from lab.config.schema import check
from lab.training.callbacks import Record
from lab.training.hparams import Hparams


def test_tensorboard_lists_the_run_with_its_options_and_figures(kept: Finished) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    told = EventAccumulator(str(kept.run / "tensorboard"))
    told.Reload()
    experiment, begun, ended = (
        HParamsPluginData.FromString(told.summary_metadata[f"_hparams_/{tag}"].plugin_data.content)
        for tag in ("experiment", "session_start_info", "session_end_info")
    )
    options = begun.session_start_info.hparams
    assert options["model.emb_dim"].number_value == 32
    assert options["optimizer.lr"].number_value == pytest.approx(3e-4)
    assert options["optimizer.betas"].string_value == "[0.9, 0.95]"
    assert options["schedule.warmup_steps"].string_value == "null"
    assert options["save"].string_value == "true"
    assert {column.name for column in experiment.experiment.hparam_infos} == set(options)
    figures = {column.name.tag for column in experiment.experiment.metric_infos}
    assert figures >= {"val_loss", "best_val_loss", "train_loss"}
    assert figures <= scalars(kept.run).keys()
    assert scalars(kept.run)["best_val_loss"][7] == pytest.approx(kept.results["best_val_loss"], rel=1e-6)
    assert ended.session_end_info.status == 1  # STATUS_SUCCESS


def test_options_of_the_table_are_numbers_or_words() -> None:
    config = check(compose.compose_config(["logger=csv", "save=true", "eval_every=null"]))
    options = Hparams(config, Record.__new__(Record)).options
    assert (options["optimizer.lr"], options["save"], options["eval_every"]) == (3e-4, "true", "null")
    assert options["optimizer.betas"] == "[0.9, 0.95]"
    assert all(isinstance(value, int | float | str) and not isinstance(value, bool) for value in options.values())
    assert not any(name.startswith("logger.") for name in options)
