"""How fast the lab is beside Hugging Face's GPT-2, litgpt, nanoGPT and tiktoken: ``python -m lab.bench``."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_args

import torch

from lab.benchmark import cases, figure, machine, outcome, report
from lab.benchmark.cases import KINDS, Wanted
from lab.benchmark.measure import measure
from lab.benchmark.outcome import Outcome
from lab.benchmark.progress import Progress
from lab.commands import entry
from lab.commands.options import help_text, parse, place, split
from lab.commands.training_options import training_config
from lab.config.changed_options import flat
from lab.config.limits import Limit
from lab.config.schema import PRECISIONS
from lab.errors import LabError, shown
from lab.files import atomic
from lab.files.paths import typed_path
from lab.files.safe_files import refuse_replacing
from lab.inference.weight_format import Weights
from lab.interchange.huggingface import unlike_gpt2
from lab.system import bfloat16
from lab.training import memory_estimate

_HEAD = """\
Measures the lab beside others, in one go: same sizes, batch, threads and data, each side in a process of its own.

    python -m lab.bench quick                    one model, fp32, not compiled: within 5 minutes on 2 idle cores
    python -m lab.bench                          everything; says beforehand how long it will take
    python -m lab.bench what=training model=nano,small precision=32-true,bf16-mixed nanogpt=~/nanoGPT pairs=7 to=bench
    python -m lab.bench what=tokenization corpus=verdict

Sides: Hugging Face's GPT-2 and litgpt where they are installed, nanoGPT where nanogpt= says; tiktoken's encode_ordinary
for tokenization; slices at random places for data loading; a bare loop for what the Trainer adds.

The rule: in each round, every side works once, and the order is turned round from one to the next. The first two rounds
warm up and never count (one, where processes are started). A round in which other processes took more than others= of
the machine's processor time is taken again at the end, at most as many as were asked for; what is missing then is made
up from such rounds, and the result says so. Nothing else is ever dropped. Figures are medians, and quartiles of the
ratios round by round. Of its products' speed: the time of the model's matrix products alone, in the same number format
and with as many threads, taken in turns with the rest, over the time of the whole step. Of its memory's speed: the time
that reading the weights alone takes, once for each token. Where compiled models are measured, lab-eager is the lab's
without, which is what a CPU gets unless it is asked for more.

All other words are options of lab.train, for all sides.
"""


_FORMATS = [name for name in PRECISIONS if name != "auto"]
"""A figure is one of a number format, and not of whichever a machine would choose."""


@dataclass
class Options:
    """What can be given as option=value."""

    what: str = ",".join(KINDS)
    """What is measured, with commas: training, generation, tokenization, loading (of data), startup (to the first
    step), overhead (of the Trainer over a bare loop)."""
    model: str = "nano"
    """Presets, with commas."""
    precision: str | None = None
    """Number formats, with commas; left out: 32-true, and bf16-mixed where the processor has it (not in quick)."""
    weights: str | None = None
    """Number formats to generate in, with commas; left out: fp32, and bf16 and int8 where the processor has bf16 (not
    in quick)."""
    compile: str = ""
    """false, true or both, with a comma; left out: both (in quick: false)."""
    pairs: int | None = None
    """Rounds that count, of start-up half as many; null: 12 (in quick: 3)."""
    threads: int | None = None
    """Of each process; null: as many as torch takes."""
    others: float = 0.1
    """The share of the machine's processor time from which on others have disturbed a round; 1: never."""
    nanogpt: str | None = place(None)
    """The folder of a nanoGPT checkout; its model.py is run in a process of its own."""
    fused: bool = False
    """AdamW in one kernel for the others, too; torch's default is several."""
    quick: bool = False
    """Less of everything; `quick` alone says it, too."""
    to: list[str] = field(default_factory=list)
    """A file for all figures: .json, or a picture of the ratios, .svg, .png or .pdf (needs matplotlib); a name without
    an ending makes both, NAME.json and NAME.svg. May be given several times."""


LIMITS = {"pairs": Limit(1, 1000), "threads": Limit(1, 1024), "others": Limit(0, 1)}


def main() -> None:
    """The command line."""
    entry.run_composing(_start, lambda: help_text(_HEAD, Options, LIMITS))


def _start() -> None:
    own, rest = _split(sys.argv[1:])
    options = parse(own, Options, LIMITS)
    bench(options, rest, Path.cwd())


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Options of this command, and those of lab.train. ``--pairs 12`` is how the first used to be typed."""
    typed = re.sub(r"(^|\0)--pairs[\0=]", r"\1pairs=", "\0".join(words)).split("\0") if words else []
    typed = ["quick=true" if word == "quick" else word for word in typed]
    return split(typed, Options)


def bench(options: Options, words: Sequence[str], start_folder: Path) -> None:
    """Measures, prints, and writes if asked to.

    Raises:
        LabError: if an option makes no sense, a file cannot be written, or the lab's own side fails.
    """
    wanted = _wanted(options, words, start_folder)
    for model in wanted.models:
        _refuse_what_is_not_measured([f"model={model}", *words], wanted.precisions[0])
    targets = [target for text in options.to for target in _targets(text, start_folder)]
    threads = options.threads or torch.get_num_threads()
    n_rounds = options.pairs or (3 if options.quick else 12)
    _tell_what_is_left_out(options, wanted)
    found = cases.make(wanted, machine.flops_per_second(threads))
    outcomes: list[Outcome] = []
    try:
        progress = Progress(found, n_rounds)
        for case in found:
            progress.begin(case)
            failed = progress.line
            rounds = case.rounds(n_rounds)
            outcomes.append(measure(case, rounds, threads, options.others, progress.show, failed=failed))
            progress.end()
            print(f"\n{report.as_text(outcomes[-1:])}", flush=True)
    finally:  # what was measured before somebody lost patience is not lost
        for target in targets if outcomes else []:
            _write(target, outcomes, threads)
    broken = [one for one in outcomes if any(side.side == "lab" and side.error for side in one.sides)]
    if broken:
        raise LabError(f"the lab's own side failed in {broken[0].case.label}: what it said is above")


def _wanted(options: Options, words: Sequence[str], start_folder: Path) -> Wanted:
    native = bfloat16.native()[0] and not options.quick
    precisions = _list("precision", options.precision or ("32-true,bf16-mixed" if native else "32-true"), _FORMATS)
    if "16-mixed" in precisions:
        raise LabError("precision=16-mixed is for GPUs, and lab.bench measures on the CPU: take bf16-mixed or 32-true")
    weights = _list("weights", options.weights or ("fp32,bf16,int8" if native else "fp32"), get_args(Weights))
    compiled = _list("compile", options.compile or ("false" if options.quick else "false,true"), ("false", "true"))
    folder = None
    if options.nanogpt is not None:
        folder = typed_path(options.nanogpt, start_folder)
        if not (folder / "model.py").is_file():
            raise LabError(f"nanogpt={options.nanogpt} has no model.py: give the folder of a nanoGPT checkout")
    return Wanted(
        kinds=_list("what", options.what, KINDS),
        models=_list("model", options.model, None),
        precisions=precisions,
        compiled=[word == "true" for word in compiled],
        weights=cast(list[Weights], weights),
        words=[*words, "trainer.accelerator=cpu"],  # a run would take the GPU, if there is one
        nanogpt=None if folder is None else str(folder.absolute()),
        fused=options.fused,
    )


def _list(option: str, text: str, known: Sequence[str] | None) -> list[str]:
    found = list(dict.fromkeys(text.split(",")))
    for word in found:
        if not word or (known is not None and word not in known):
            choices = "a preset, or several with commas" if known is None else f"of {', '.join(known)}, with commas"
            raise LabError(f"{option}={shown(text)} does not fit: give {choices}")
    return found


def _refuse_what_is_not_measured(words: Sequence[str], precision: str) -> None:
    """All sides take plain steps; a figure for anything else would be one of something that did not happen.

    Raises:
        LabError: naming the option to leave out.
    """
    for option in ("precision", "compile"):
        if any(word.startswith(f"trainer.{option}=") for word in words):
            raise LabError(f"trainer.{option}: lab.bench measures several of them: write {option}= in its place")
    config = training_config([*words, f"trainer.precision={precision}"])
    plain = {
        "trainer.accumulate_grad_batches": 1,
        "trainer.devices": 1,
        "optimizer._target_": "torch.optim.AdamW",
        "resume": None,
        "init_from": None,
    }
    options = flat(config)
    for name, value in plain.items():
        if options[name] != value:
            raise LabError(f"{name}: lab.bench takes plain steps (AdamW, one batch, fresh weights): leave it out")
    if reasons := unlike_gpt2(config.model):
        raise LabError(f"lab.bench measures beside transformers' GPT-2: {'; '.join(reasons)}")
    if config.trainer.accelerator not in ("auto", "cpu"):
        raise LabError(f"trainer.accelerator={config.trainer.accelerator}: lab.bench measures on the CPU: leave it out")
    memory_estimate.refuse_what_cannot_fit(config, "cpu")


def _tell_what_is_left_out(options: Options, wanted: Wanted) -> None:
    there = cases.rivals(wanted.nanogpt)
    if "hugging-face" not in there:
        print('hugging-face is left out: transformers is not installed (pip install -e ".[test]" in a clone brings it)')
    if "litgpt" not in there:
        print('litgpt is left out: it is not installed (pip install -e ".[rivals]" in a clone brings it)')
    if "nanogpt" not in there:
        print("nanogpt is left out: nanogpt=FOLDER says where a checkout of it lies")
    if "training" in wanted.kinds and options.precision is None and not bfloat16.native()[0]:
        print(
            "bf16 is left out: this processor has no such arithmetic of its own, and would emulate it; "
            "precision=bf16-mixed measures that"
        )


def _targets(text: str, start_folder: Path) -> list[Path]:
    path = typed_path(text, start_folder)
    targets = [path] if path.suffix else [path.with_suffix(".json"), path.with_suffix(".svg")]
    if targets[0].suffix.lower() not in (".json", *figure.KINDS):
        raise LabError(f"to={text} has no ending that says what to write: .json, .svg, .png or .pdf; or leave it out")
    for target in targets:
        refuse_replacing(target, {"machine", "cases"})
    return targets


def _write(path: Path, outcomes: Sequence[Outcome], threads: int) -> None:
    try:
        if path.suffix.lower() == ".json":
            told = {"machine": machine.described(threads), "cases": [outcome.as_json(one) for one in outcomes]}
            atomic.write_json(path, told)
        else:
            figure.save(outcomes, path)
    except OSError as error:
        raise LabError(f"{path} cannot be written ({error.strerror or error})") from error
    except ModuleNotFoundError:
        print(f"{path} is not drawn: figures need matplotlib, pip install matplotlib", file=sys.stderr)


if __name__ == "__main__":
    main()
