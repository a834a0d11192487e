"""What is found out about a run before anything of it is written: what cannot be, is refused here."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lab.config import changed_options, precision
from lab.config.plan import Plan, make_plan, refuse_senseless
from lab.config.schema import Config
from lab.data.prepare import Corpus, anchor, read_corpus
from lab.runs import checkpoint, ownership
from lab.runs.folder import refuse_used
from lab.tokenizers.contract import TextTokenizer
from lab.training import arithmetic, floor, memory_estimate, resume, resume_check, vocabulary
from lab.training.chosen import Chosen, choose
from lab.training.datamodule import LabData, make_data
from lab.training.floor import Floor
from lab.training.resume import Earlier


@dataclass(frozen=True)
class Preparation:
    """A run that could begin."""

    config: Config
    run_folder: Path
    start_folder: Path
    """Where the command was typed: paths in the options are relative to it."""
    device: str
    """``cpu``, ``gpu`` or ``mps``."""
    chosen: Chosen
    tokenizer: TextTokenizer
    corpus: Corpus
    data: LabData
    plan: Plan
    earlier: Earlier | None
    """What it goes on from."""
    floor: Floor | None = None
    """What no model can do better than, where that is known."""
    about_precision: str | None = None
    """What there is to say of the number format: how it was chosen, or that it is slow here."""

    @property
    def first_step(self) -> int:
        """Optimizer steps that are finished already."""
        return self.earlier.step if self.earlier else 0

    @cached_property
    def changed(self) -> list[str]:
        """Where the options differ from the defaults, as one would type it: known by reading all of conf/ once more."""
        return changed_options.words(self.config)


def prepare(config: Config, run_folder: Path, start_folder: Path) -> Preparation:
    """Everything that a run with these options needs. Only leftovers of a killed process are removed.

    Args:
        config: the options.
        run_folder: where the run will live; this process holds its lock.
        start_folder: the folder that paths in the options are relative to.

    Raises:
        LabError: naming the first thing that is in the way.
    """
    earlier = resume.open_earlier(config.resume, start_folder, run_folder)
    if earlier is None or earlier.run_folder != run_folder.resolve():
        refuse_used(run_folder, anew=config.resume == "auto")
    device, chosen, about_precision = _machine(config)
    ownership.refuse_curves_of_others(chosen.loggers.values(), run_folder)
    if config.save:
        resume_check.refuse_unsavable(config, device)
    resume.clean_up(run_folder)
    if config.trainer.compile:
        arithmetic.try_compiling(device)
    anchor(config.corpus, start_folder)
    tokenizer = vocabulary.choose(config, earlier, start_folder)
    memory_estimate.refuse_what_cannot_fit(config, device)  # once more, with what is known of the vocabulary now
    corpus = read_corpus(config.corpus, start_folder, tokenizer)
    data = make_data(corpus, config)
    if earlier is not None:
        checkpoint.refuse_other_run(earlier.checkpoint, config, corpus.tokens, earlier.path, tokenizer.definition)
        resume_check.refuse_unfit(earlier.checkpoint, config, device, earlier.path)
    plan = make_plan(config, len(data.windows), earlier.plan if earlier else None)
    refuse_senseless(config, plan)
    least = floor.of_corpus(config.corpus, corpus, data.pieces, tokenizer)
    about = (config, run_folder, start_folder, device, chosen)
    return Preparation(*about, tokenizer, corpus, data, plan, earlier, least, about_precision)


def _machine(config: Config) -> tuple[str, Chosen, str | None]:
    """The device, once the training may fit into it, the objects of the options, and what there is to say of the
    number format, which is settled here."""
    device = arithmetic.accelerator(config.trainer)
    about_precision = precision.settle(config.trainer)
    memory_estimate.refuse_what_cannot_fit(config, device)
    return device, choose(config, device), about_precision
