"""Trains a GPT: ``python -m lab.train model=small corpus=verdict``."""

import contextlib
import logging
import math
import platform
import subprocess
import sys
import warnings
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import get_original_cwd
from omegaconf import DictConfig

from lab import atomic, cli, manual
from lab.config import CONF_FOLDER, Config, check, register, to_plain
from lab.errors import LabError

failures: list[str] = []
"""One sentence for each job of this process that failed."""


def train(config: Config, run_folder: Path, start_folder: Path) -> dict[str, Any]:
    """One run from the options to its results. Returns what it also writes to ``results.json``.

    Raises:
        LabError: if something that the user can mend is in the way.
    """
    # Imported here, because Lightning takes seconds: a misspelt option should be told at once.
    import lightning as L

    from lab import build, checkpoint, screen
    from lab.callbacks import Record
    from lab.data import tokenized_corpus
    from lab.metrics import unigram_loss
    from lab.plan import make_plan
    from lab.tokenizer import Tokenizer

    _silence()
    device = build.accelerator(config.trainer)
    tokenizer = Tokenizer()
    config.model.vocab_size = tokenizer.vocab_size
    tokens = tokenized_corpus(config.corpus, start_folder)
    data = build.make_data(config, tokens)
    plan = make_plan(config, len(data.windows))
    resume = checkpoint.find(config.resume, start_folder) if config.resume else None
    if resume is not None:
        checkpoint.refuse_other_run(checkpoint.load(resume), config, tokens, resume)
    atomic.write_text(run_folder / "config.yaml", yaml.safe_dump(to_plain(config), sort_keys=False, allow_unicode=True))

    L.seed_everything(config.seed, verbose=False)
    module = build.make_module(config, plan, tokens, tokenizer, device)
    trainer = build.make_trainer(config, plan, run_folder, device, tokenizer)
    for logger in trainer.loggers:
        logger.log_hyperparams(to_plain(config))
    if trainer.is_global_zero:
        screen.start(config, plan, tokens, data, module.model, build.device_name(device), run_folder)
    trainer.fit(module, data, ckpt_path=resume, weights_only=True)

    record = next(c for c in trainer.callbacks if isinstance(c, Record))  # type: ignore[attr-defined]
    train_tokens = (trainer.global_step - record.started_step) * plan.tokens_per_step
    results = {
        "train_loss": module.train_loss,
        "val_loss": record.val["val_loss"],
        "best_val_loss": record.best["val_loss"],
        "best_step": record.best_step,
        "perplexity": record.val["val_perplexity"],
        "bits_per_byte": record.val["val_bits_per_byte"],
        # What counting single tokens reaches, without any network: the level to beat.
        "unigram_val_loss": unigram_loss(data.train_tokens, data.val_tokens[1:], tokenizer.vocab_size),
        "tokens_seen": trainer.global_step * plan.tokens_per_step,
        "tokens_per_second": train_tokens / max(1e-9, record.train_seconds),
        "steps": trainer.global_step,
        "seconds": record.total_seconds,
        "model": asdict(config.model),
        "corpus": {"name": config.corpus.name, "fingerprint": tokens.fingerprint, "n_tokens": tokens.n_tokens},
        "parameters": module.model.num_parameters(),
        "seed": config.seed,
        "versions": _versions(),
        "git_revision": _git_revision(),
    }
    if trainer.is_global_zero:
        atomic.write_json(run_folder / "results.json", results)
        screen.finish(results, config, run_folder)
    return results


def job(composed: DictConfig) -> float:
    """What Hydra calls for a run, or for each job of a sweep. Returns the best validation loss, for sweepers that seek
    the best options; infinity for a run that failed, so that the other jobs of a sweep still get their turn."""
    hydra_config = HydraConfig.get()
    try:
        config = check(composed)
        if hydra_config.mode == RunMode.MULTIRUN and config.trainer.devices > 1:
            raise LabError(
                "a sweep over several devices would be started once more by each of its processes: "
                "use trainer.devices=1 with -m, or start the runs one by one"
            )
        results = train(config, Path(hydra_config.runtime.output_dir), Path(get_original_cwd()))
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        failures.append(str(error))
        return math.inf
    return float(results["best_val_loss"])


def main() -> None:
    """The command line."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(manual.text())
        return
    cli.run(_start)
    if failures:
        sys.exit(1)


def _start() -> None:
    register()
    cli.unused_folder.cache_clear()  # another run of this very process, in a notebook or a test, has another folder
    failures.clear()
    sys.argv[1:] = cli.quote_literals(sys.argv[1:])
    hydra.main(version_base="1.3", config_path=str(CONF_FOLDER), config_name="train")(job)()


def _silence() -> None:
    """Keeps off the screen what its reader can do nothing about."""
    # Lightning and Hydra both print Lightning's log; what matters of it is in our own summary.
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)


def _versions() -> dict[str, str]:
    """Of everything that could make a difference between two runs."""
    found = {"python": platform.python_version()}
    for package in ("gpt-lab", "torch", "lightning", "hydra-core", "tiktoken", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _git_revision() -> str | None:
    """The commit of the code, with ``-dirty`` if there are uncommitted changes; None outside a clone."""
    command = [
        "git",
        "-C",
        str(Path(__file__).resolve().parent.parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
    ]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None


if __name__ == "__main__":
    main()
