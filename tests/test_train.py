"""The main job through the front door: run the real command, read what it wrote."""

import json
import math
import os
import pty
import re
import shlex
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from support.commands import ROOT, TINY, Finished, lab, scalars, train, train_here

from lab.runs import events
from lab.runs.results import read_results

RESULT_KEYS = (
    "train_loss val_loss best_val_loss best_step perplexity bits_per_byte tokens_seen tokens_per_second steps seconds "
    "model corpus parameters versions git_revision"
)


def tiny(folder: Path, *arguments: str) -> Finished:
    """A tiny run inside this process that must succeed."""
    done = train_here(folder, *TINY, *arguments)
    assert done.code == 0, done.out + done.err
    return done


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """One run with everything on, which several tests look at from different sides."""
    folder = tmp_path_factory.mktemp("kept")
    return train(
        folder,
        *TINY,
        "corpus=fables",
        "save=true",
        "save_every=2",
        "keep=2",
        "trainer.max_steps=7",
        "trainer.accumulate_grad_batches=2",
        "eval_every=3",
        "log_every=1",
    )


def test_results_hold_every_figure_and_they_fit_together(kept: Finished) -> None:
    results = kept.results
    assert results.keys() >= set(RESULT_KEYS.split())
    assert results["steps"] == 7
    assert results["tokens_seen"] == 7 * 2 * 4 * 16
    assert results["perplexity"] == pytest.approx(math.exp(results["val_loss"]))
    curve = scalars(kept.run)
    assert results["val_loss"] == pytest.approx(curve["val_loss"][7], rel=1e-6)
    assert results["best_val_loss"] == pytest.approx(min(curve["val_loss"].values()), rel=1e-6)
    assert results["train_loss"] == pytest.approx(curve["train_loss"][7], rel=1e-6)
    assert results["val_loss"] < 10.9


def test_curves_have_a_point_at_each_step_and_evaluation(kept: Finished) -> None:
    curve = scalars(kept.run)
    every_step = "train_loss train_perplexity grad_norm learning_rate tokens_per_second tokens_seen epoch"
    for tag in every_step.split():
        assert sorted(curve[tag]) == [1, 2, 3, 4, 5, 6, 7], tag
    for tag in ("val_loss", "val_perplexity", "val_bits_per_byte"):
        assert sorted(curve[tag]) == [0, 3, 6, 7], tag
    assert curve["tokens_seen"][7] == 7 * 2 * 4 * 16
    assert curve["learning_rate"][1] == pytest.approx(3e-4)
    assert curve["learning_rate"][7] < curve["learning_rate"][1]


def test_the_speed_leaves_out_the_first_step_and_all_that_is_no_training(kept: Finished) -> None:
    rates = scalars(kept.run)["tokens_per_second"]
    seconds = sum(2 * 4 * 16 / rates[step] for step in range(2, 8))
    assert kept.results["tokens_per_second"] == pytest.approx(6 * 2 * 4 * 16 / seconds, rel=0.05)


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


def test_only_the_asked_for_checkpoints_are_there(kept: Finished) -> None:
    names = sorted(path.name for path in (kept.run / "checkpoints").iterdir())
    assert names == ["best.ckpt", "last.ckpt", "step-00000004.ckpt", "step-00000006.ckpt"]
    last = torch.load(kept.run / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 7
    assert last["lab"]["config"]["model"]["emb_dim"] == 32


def test_the_run_folder_says_how_it_was_made(kept: Finished) -> None:
    from omegaconf import OmegaConf

    config = OmegaConf.load(kept.run / "config.yaml")
    assert config.trainer.accumulate_grad_batches == 2
    assert config.schedule.name == "cosine"
    assert "${" not in (kept.run / "config.yaml").read_text()
    samples = [event for event in events.read(kept.run) if event["kind"] == "sample"]
    assert [sample["step"] for sample in samples] == [0, 3, 6, 7]
    assert all(sample["text"].startswith("The fox") for sample in samples)


def test_tensorboard_shows_the_samples(kept: Finished) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(kept.run / "tensorboard"))
    events.Reload()
    texts = events.Tensors("sample/text_summary")
    assert [t.step for t in texts] == [0, 3, 6, 7]
    assert b"The fox" in texts[-1].tensor_proto.string_val[0]


def test_a_pipe_gets_plain_lines_and_every_figure_of_the_summary(kept: Finished) -> None:
    assert "\x1b" not in kept.out
    assert re.search(r"step 7/7  loss \d+\.\d+  val \d+\.\d+  [\d,]+ tokens/s", kept.out)
    for word in (
        "parameters",
        "53,7",
        "steps",
        "device",
        "output",
        "validation loss",
        "yardstick",
        "tensorboard --log",
    ):
        assert word in kept.out, word
    assert "python -m lab.generate checkpoint=" in kept.out
    assert "arning" not in kept.out + kept.err
    assert kept.err == ""


def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "lab.train", *TINY, "trainer.max_steps=3", "data.max_val_tokens=100"]
    terminal = {"TERM": "xterm-256color", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **terminal}
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=slave, stderr=slave, stdin=slave)
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 65536):
            seen += chunk
    except OSError:  # Linux's way to say that the other side of a terminal is closed
        pass
    assert process.wait(60) == 0, seen.decode()
    assert "━" in seen.decode()
    assert "3/3" in seen.decode()


def test_the_summary_says_what_the_run_is_made_of(tmp_path: Path) -> None:
    typed = ("optimizer.lr=1e-2", "trainer.accumulate_grad_batches=2", "seed=7", "trainer.max_steps=1", "schedule=wsd")
    out = tiny(tmp_path, *typed, "sample.prompt=He said, 'no'", "experiment=warmup").out
    assert re.search(r"^  batch +4 windows of 16 tokens, 2 times before a step$", out, re.MULTILINE)
    assert re.search(r"^  optimizer +AdamW, lr 0\.01, weight_decay 0\.1, betas \[0\.9, 0\.95\]", out, re.MULTILINE)
    assert re.search(r"^ +lr: wsd, 0 steps of warmup, down to 0 of lr at step 1$", out, re.MULTILINE)
    assert re.search(r"^  seed +7$", out, re.MULTILINE)
    told = out[out.index("  changed ") : out.index("  device ")].removeprefix("  changed ")
    words = ["model.emb_dim=32", "schedule=wsd", "schedule.warmup_steps=0", "optimizer.lr=0.01", "eval_every=10"]
    assert set(words) <= set(told.split())
    assert "schedule.name=" not in told
    again = tiny(tmp_path, *shlex.split(told))
    assert again.out.splitlines()[1:11] == out.splitlines()[1:11]


def test_a_figure_on_the_screen_says_of_which_step_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.training.display.Display._SECONDS_BETWEEN_LINES", -1.0)
    lines = [line for line in tiny(tmp_path, "trainer.max_steps=4", "eval_every=2").out.splitlines() if "/4 " in line]
    told = {line.split("/")[0].split()[1]: line for line in lines}
    assert re.search(r" val \d+\.\d+ at step 2  ", told["3"])
    assert re.search(r" val \d+\.\d+  ", told["4"])
    lines = tiny(tmp_path, "trainer.max_steps=4", "eval_every=3", "log_every=2").out.splitlines()
    assert any(re.match(r"step 3/4  loss \d+\.\d+ at step 2  val \d+\.\d+  ", line) for line in lines)


def test_who_overfits_one_batch_is_measured_by_that_batch(tmp_path: Path) -> None:
    options = ("experiment=overfit", "data.max_train_tokens=65", "optimizer.lr=1e-2", "trainer.max_steps=40")
    done = tiny(tmp_path, *options)
    assert done.results["train_loss"] < 0.5 < done.results["unigram_train_loss"]
    assert done.results["val_loss"] > done.results["unigram_val_loss"]
    assert re.search(r"yardstick +5\.\d+ for counting the tokens of the one batch .* is better on it", done.out)
    assert re.search(r"training loss +0\.\d+ nats a token", done.out)
    done = tiny(tmp_path, *options, "data.max_train_tokens=129")
    assert re.search(r"yardstick .* the model is no better, but on its training text it is", done.out)


def test_what_a_callback_logs_arrives_at_its_step(tmp_path: Path) -> None:
    own = ("log_every=3", "trainer.accumulate_grad_batches=2", "+callbacks.mine._target_=support.callbacks.EachStep")
    run = tiny(tmp_path, "trainer.max_steps=8", *own, "save=true").run
    assert scalars(run)["mine"] == {3: 3.0, 6: 6.0, 8: 8.0}
    assert all(passes > 0 for passes in scalars(run)["epoch"].values())
    told = [event for event in events.read(run) if "mine" in event]
    assert [(event["step"], events.figures(event)["mine"]) for event in told] == [(3, 3.0), (6, 6.0), (8, 8.0)]
    assert all(event["time"] > 1e9 for event in told)
    more = (
        "trainer.max_steps=13",
        *own[2:],
        "+callbacks.rate._target_=lightning.pytorch.callbacks.LearningRateMonitor",
    )
    run = tiny(tmp_path, "resume=last", *more).run
    assert scalars(run)["mine"] == {3: 3.0, 6: 6.0, 8: 8.0, 9: 9.0, 12: 12.0, 13: 13.0}
    assert {8, 11} <= next(set(curve) for name, curve in scalars(run).items() if name.startswith("lr-"))


def test_each_evaluation_draws_its_sample_anew(tmp_path: Path) -> None:
    options = ("trainer.max_steps=4", "sample.max_tokens=6", "optimizer.lr=1e-30", "save=true")
    first = tiny(tmp_path, *options, "eval_every=1").run
    texts = {event["step"]: event["text"] for event in events.read(first) if event["kind"] == "sample"}
    assert len(set(texts.values())) == 5
    seldom = tiny(tmp_path, *options, "eval_every=2").run
    assert texts.items() > {e["step"]: e["text"] for e in events.read(seldom) if e["kind"] == "sample"}.items()


def test_a_continued_run_counts_its_passes_as_they_were(tmp_path: Path) -> None:
    tiny(tmp_path, "trainer.max_steps=2", "data.max_train_tokens=161", "save=true")
    done = tiny(tmp_path, "resume=last", "trainer.max_steps=4", "data.batch_size=6")
    assert "steps      2 more of 96 tokens, 2 passes over 10 windows in all" in done.out


def test_nothing_is_kept_unless_asked_for(tmp_path: Path) -> None:
    done = tiny(tmp_path, "trainer.max_steps=2")
    assert not list(tmp_path.rglob("*.ckpt"))
    assert "save=true" in done.out
    assert "nothing" in done.out


def test_three_steps_are_a_complete_little_run(tmp_path: Path) -> None:
    done = tiny(tmp_path, "trainer.max_steps=3")
    curve = scalars(done.run)
    assert sorted(curve["train_loss"]) == [1, 2, 3]
    assert sorted(curve["val_loss"]) == [0, 1, 2, 3]
    assert curve["learning_rate"][1] == pytest.approx(3e-4)  # no warmup longer than the run


def test_the_same_seed_gives_the_same_losses_bit_for_bit(tmp_path: Path) -> None:
    options = ("trainer.max_steps=5", "log_every=1")
    for _ in range(2):
        tiny(tmp_path, *options)
    other = tiny(tmp_path, *options, "seed=43")
    one, two, three = (scalars(run) for run in sorted(other.runs, key=lambda run: run.stat().st_mtime_ns))
    for tag in ("train_loss", "val_loss", "grad_norm"):
        assert one[tag] == two[tag]
        assert one[tag] != three[tag]


def test_dropout_and_shuffling_do_not_depend_on_evaluations_or_workers(tmp_path: Path) -> None:
    options = ("trainer.max_steps=6", "log_every=1", "model.drop_rate=0.3")
    plain = scalars(tiny(tmp_path, *options, "eval_every=6").run)
    often = scalars(tiny(tmp_path, *options, "eval_every=1", "sample.max_tokens=9").run)
    workers = scalars(tiny(tmp_path, *options, "eval_every=6", "data.num_workers=2").run)
    assert plain["train_loss"] == often["train_loss"] == workers["train_loss"]


def test_accumulated_micro_batches_equal_the_larger_batch(tmp_path: Path) -> None:
    options = (
        "trainer.max_steps=6",
        "log_every=1",
        "data.max_val_tokens=200",
        "model.drop_rate=0",
        "optimizer.lr=1e-2",
    )
    large = scalars(tiny(tmp_path, *options, "data.batch_size=6").run)
    small = scalars(tiny(tmp_path, *options, "data.batch_size=2", "trainer.accumulate_grad_batches=3").run)
    for tag in ("train_loss", "grad_norm", "tokens_seen", "epoch", "learning_rate"):
        assert sorted(large[tag]) == sorted(small[tag])
        assert all(small[tag][step] == pytest.approx(value, rel=1e-4) for step, value in large[tag].items()), tag


def test_epochs_count_passes_over_the_windows(tmp_path: Path) -> None:
    text = tmp_path / "t.txt"
    text.write_text("one two three four five six seven eight nine ten " * 100)
    done = tiny(tmp_path, "corpus=text", "corpus.path=t.txt", "trainer.max_epochs=2", "log_every=1")
    n_windows = (int(1000 * 0.9) - 1) // 16
    assert done.results["steps"] == math.ceil(2 * n_windows / 4)
    last = max(scalars(done.run)["epoch"].items())
    assert last == (done.results["steps"], pytest.approx(done.results["steps"] * 4 / n_windows))


@pytest.mark.parametrize("name", ["my notes (1), final.txt", "a=b#c'd\"e.txt", "123", "{x}[y]${z}.txt", "höhle 🦊.txt"])
def test_a_text_of_ones_own_under_any_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("The miller counted his sacks and the fox counted the miller. " * 40)
    done = tiny(tmp_path, "corpus=text", f"corpus.path={name}", "trainer.max_steps=1", "data.max_val_tokens=50")
    assert done.results["corpus"]["n_tokens"] > 400


def test_the_path_of_a_text_starts_where_the_command_is_typed(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a.md").write_text("Snow fell on the mill, and nobody had counted on that. " * 40)
    done = lab(tmp_path / "here", "train", *TINY, "corpus=text", "corpus.path=.", "trainer.max_steps=1")
    assert done.code == 0, done.err


def test_a_sweep_makes_one_folder_a_job_and_nothing_leaks(tmp_path: Path) -> None:
    options = (*TINY, "trainer.max_steps=4", "log_every=1")
    sweep = train(tmp_path, "-m", "optimizer.lr=1e-2,1e-3", *options)
    jobs = sweep.runs
    assert [job.name for job in jobs] == ["0", "1"]
    assert jobs[0].parent.parent.parent == tmp_path / "multirun"
    for job, lr in zip(jobs, ("1e-2", "1e-3"), strict=True):
        (tmp_path / lr).mkdir()
        alone = train_here(tmp_path / lr, *options, f"optimizer.lr={lr}")
        assert scalars(job)["train_loss"] == scalars(alone.run)["train_loss"]
        assert scalars(job)["val_loss"] == scalars(alone.run)["val_loss"]
        assert (job / "results.json").is_file()


def test_a_failing_job_does_not_keep_a_sweep_from_finishing(tmp_path: Path) -> None:
    options = ("trainer.max_steps=4", "schedule.warmup_steps=0")
    done = train_here(tmp_path, "-m", "optimizer.lr=1e38,1e-3", *TINY, *options)
    assert done.code == 1
    assert "diverged" in done.err
    assert [(job / "results.json").is_file() for job in done.runs] == [False, True]


def test_runs_that_start_in_the_same_second_do_not_share_a_folder(tmp_path: Path) -> None:
    where = "hydra.run.dir=${unused_folder:outputs/day/now}"
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda _: lab(tmp_path, "train", *TINY, "trainer.max_steps=1", where), range(3)))
    assert [done.code for done in ended] == [0, 0, 0]
    assert sorted(run.name for run in ended[0].runs) == ["now", "now-2", "now-3"]


def test_the_run_folder_can_be_chosen(tmp_path: Path) -> None:
    tiny(tmp_path, "trainer.max_steps=1", "hydra.run.dir=my/run")
    assert (tmp_path / "my" / "run" / "results.json").is_file()


def test_other_loggers_by_one_word(tmp_path: Path) -> None:
    run = tiny(tmp_path, "trainer.max_steps=2", "logger=csv", "eval_every=1").run
    header, *rows = (run / "csv" / "metrics.csv").read_text().splitlines()
    assert {"train_loss", "val_loss", "step"} <= set(header.split(","))
    assert rows
    run = tiny(tmp_path, "trainer.max_steps=1", "logger=none").run
    assert not (run / "tensorboard").exists()
    both = tiny(tmp_path, "trainer.max_steps=1", "logger=[tensorboard,csv]").run
    assert (both / "tensorboard").exists()
    assert (both / "csv").exists()


def test_early_stopping_ends_a_run_that_gets_no_better(tmp_path: Path) -> None:
    done = tiny(tmp_path, "callbacks=early_stopping", "optimizer.lr=3", "trainer.max_steps=40", "eval_every=1")
    assert done.results["steps"] < 40


def test_bfloat16_trains_on_a_cpu(tmp_path: Path) -> None:
    done = tiny(tmp_path, "trainer.precision=bf16-mixed", "trainer.max_steps=2")
    assert done.results["val_loss"] < 11


def test_warnings_that_somebody_can_act_on_are_told(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as outside of pytest
        first = tiny(tmp_path, "trainer.max_steps=2", "save=true", "callbacks=early_stopping")
        assert first.err == ""
        options = ("callbacks=none", "data.num_workers=9", "save=false")
        second = tiny(tmp_path, "trainer.max_steps=3", "resume=last", *options)
    callbacks, workers = second.err.splitlines()
    assert callbacks.startswith("warning: the run that is continued had callbacks that this one has not: ")
    assert "EarlyStopping" in callbacks
    assert workers.startswith("warning: This DataLoader will create 9 worker processes")


def test_plain_gradient_descent_and_other_schedules(tmp_path: Path) -> None:
    for options in (("optimizer=sgd", "schedule=constant"), ("schedule=wsd",)):
        curve = scalars(tiny(tmp_path, *options, "trainer.max_steps=10", "eval_every=10").run)
        assert len(curve["learning_rate"]) == 10
    assert curve["learning_rate"][10] < curve["learning_rate"][8] == pytest.approx(3e-4)


@pytest.mark.slow
@pytest.mark.parametrize("options", [("model=small", "corpus=verdict")])
def test_the_command_from_the_first_page_works_as_typed(
    options: tuple[str, ...], tmp_path: Path, corpora: Path
) -> None:
    if not (corpora / "the-verdict.txt").is_file():
        pytest.skip("verdict must be fetched, and no file of it is in LAB_CORPORA")
    done = train(tmp_path, *options, "trainer.max_steps=1", "sample.max_tokens=2", env={"LAB_CORPORA": str(corpora)})
    assert done.results["parameters"] == 51_213_824
    assert done.results["corpus"]["n_tokens"] == 5145


@pytest.mark.slow
def test_a_validation_text_shorter_than_one_window(tmp_path: Path, corpora: Path) -> None:
    if not (corpora / "the-verdict.txt").is_file():
        pytest.skip("verdict must be fetched, and no file of it is in LAB_CORPORA")
    options = ("model=medium", "corpus=verdict", "data.batch_size=1", "trainer.max_steps=1", "eval_every=1")
    done = train(tmp_path, *options, env={"LAB_CORPORA": str(corpora), "OMP_NUM_THREADS": "2"})
    assert done.results["parameters"] == 124_439_808


@pytest.mark.slow
def test_the_default_run_learns_more_than_word_counts(tmp_path: Path) -> None:
    done = train(tmp_path, env={"OMP_NUM_THREADS": "2"})
    assert done.results["parameters"] == 17_670_400
    assert done.results["best_val_loss"] < done.results["unigram_val_loss"] - 0.3


@pytest.mark.slow
def test_overfit_learns_its_batch_by_heart(tmp_path: Path) -> None:
    done = train(tmp_path, "experiment=overfit", env={"OMP_NUM_THREADS": "2"})
    assert done.results["train_loss"] < 0.1


@pytest.mark.slow
def test_compiled_training_gives_the_same_losses(tmp_path: Path) -> None:
    options = (*TINY, "trainer.max_steps=3", "model.drop_rate=0", "data.max_val_tokens=100")
    plain = scalars(train(tmp_path, *options).run)
    compiled = scalars(train(tmp_path, *options, "trainer.compile=true").run)
    assert compiled["train_loss"] == pytest.approx(plain["train_loss"], abs=1e-4)


def test_what_a_shell_is_given_to_paste_does_what_it_says(tmp_path: Path) -> None:
    """Also where the run stands in a folder of its own, and a prompt is full of what a shell would run."""
    (tmp_path / "text.txt").write_text("The fox said `hello`. " * 40)
    prompt = 'The `touch x` $HOME $(touch y) "fox"\'s !!'
    done = train_here(
        tmp_path,
        *TINY,
        "trainer.max_steps=2",
        "save=true",
        "corpus=text",
        "corpus.path=text.txt",
        f"sample.prompt={prompt}",
        "hydra.job.chdir=true",
        "hydra.run.dir=it's/run $1",
    )
    assert done.code == 0, done.err
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in done.out.partition("\nnext\n")[2].splitlines()}
    assert shlex.split(lines["curves"]) == ["tensorboard", "--logdir", "it's"]
    words = shlex.split(lines["generate"])
    assert words[3:] == ["checkpoint=it's/run $1/checkpoints/best.ckpt", f"prompt={prompt}"]
    assert (tmp_path / words[3].partition("=")[2]).is_file()
    assert list((tmp_path / "it's/run $1/tensorboard").glob("events*"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["it's", "text.txt"]
    again = ("resume=it's/run $1/checkpoints/", "hydra.job.chdir=true", "trainer.max_steps=3", "hydra.run.dir=on")
    assert train_here(tmp_path, *again).code == 0
    assert (tmp_path / "on/results.json").is_file()


def test_whatever_a_run_writes_is_json_for_every_reader(tmp_path: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    wild = ("optimizer.lr=3", "schedule=constant", "trainer.gradient_clip_val=null", "trainer.max_steps=6")
    done = train_here(tmp_path, *TINY, *wild, "save=true", "hydra.run.dir=run")
    assert done.code == 0, done.err
    for file in (tmp_path / "run").glob("*.json*"):
        for text in file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]:
            json.loads(text, parse_constant=refuse)
    assert json.loads((tmp_path / "run/results.json").read_text())["perplexity"] == "Infinity"
    assert read_results(tmp_path / "run").perplexity == math.inf
