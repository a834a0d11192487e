"""How fast a training step is, against Hugging Face's GPT-2 at the same shape: ``python -m lab.bench``.

Absolute times say more about a machine and its other users than about a program. So each side runs in a process of
its own, both take turns step by step, the order changing from pair to pair, and what is reported is the median of the
ratios. Needs the ``test`` extra, which brings transformers.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import torch

from lab.commands import entry
from lab.commands.flags import Parser, number
from lab.commands.training_options import training_config
from lab.config.changed_options import flat
from lab.config.limits import Limit
from lab.config.schema import Config
from lab.errors import LabError
from lab.interchange.huggingface import unlike_gpt2
from lab.training import memory_estimate


def main() -> None:
    """The command line."""
    entry.run_composing(_start)


def _start() -> None:
    parser = Parser(prog="python -m lab.bench", description=__doc__)
    parser.add_argument(
        "--pairs", type=number(int, Limit(1, 100_000)), default=12, help="steps that count (default 12)"
    )
    parser.add_argument("--side", choices=list(_SIDES), help=argparse.SUPPRESS)  # what the two child processes are told
    parser.add_argument("options", nargs="*", help="options of lab.train, such as model=small")
    arguments, unknown = parser.parse_known_intermixed_args()
    config = training_config([*arguments.options, *unknown])
    _refuse_what_is_not_measured(config)
    memory_estimate.refuse_what_cannot_fit(config, "cpu")
    if arguments.side:
        _serve(_SIDES[arguments.side](config))
    else:
        _compare(config, arguments.options, arguments.pairs)


def _refuse_what_is_not_measured(config: Config) -> None:
    """Both sides take plain steps; a figure for anything else would be one of something that did not happen.

    Raises:
        LabError: naming the option to leave out.
    """
    plain = {
        "trainer.precision": "32-true",
        "trainer.compile": False,
        "trainer.accumulate_grad_batches": 1,
        "trainer.devices": 1,
        "optimizer._target_": "torch.optim.AdamW",
    }
    options = flat(config)
    for name, value in plain.items():
        if options[name] != value:
            raise LabError(f"{name}: lab.bench takes plain steps (fp32, not compiled, AdamW, one batch): leave it out")
    if reasons := unlike_gpt2(config.model):
        raise LabError(f"lab.bench measures beside transformers' GPT-2: {'; '.join(reasons)}")
    if config.trainer.accelerator not in ("auto", "cpu"):
        raise LabError(f"trainer.accelerator={config.trainer.accelerator}: lab.bench measures on the CPU: leave it out")


def _compare(config: Config, options: list[str], pairs: int) -> None:
    if find_spec("transformers") is None:
        raise LabError('the comparison needs transformers: type pip install -e ".[test]" in a clone')
    sides = {
        name: subprocess.Popen(
            [sys.executable, "-m", "lab.bench", "--side", name, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for name in _SIDES
    }
    try:
        _report(config, sides, pairs)
    except (BrokenPipeError, ValueError) as error:  # it has ended, and has said why
        raise LabError("one of the two sides has ended early: what it says is above") from error
    finally:
        for child in sides.values():
            child.kill()
            child.communicate()


def _report(config: Config, sides: "dict[str, subprocess.Popen[str]]", pairs: int) -> None:
    def step(name: str) -> tuple[float, float]:
        """Seconds of one step and megabytes at the peak so far."""
        child = sides[name]
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("step\n")
        child.stdin.flush()
        seconds, peak = child.stdout.readline().split()
        return float(seconds), float(peak)

    times: dict[str, list[float]] = {name: [] for name in sides}
    peaks = dict.fromkeys(sides, 0.0)
    for pair in range(pairs + 2):  # the first two warm up
        for name in list(sides)[:: 1 if pair % 2 else -1]:
            seconds, peaks[name] = step(name)
            if pair >= 2:
                times[name].append(seconds)
    tokens = config.data.batch_size * config.model.context_length
    for name in sides:
        rate = tokens / statistics.median(times[name])
        print(f"{name:<16}{rate:>10,.0f} tokens/s{peaks[name]:>10,.0f} MB at the peak")
    ratios = [theirs / ours for ours, theirs in zip(times["lab"], times["hugging-face"], strict=True)]
    print(
        f"ratio           {statistics.median(ratios):>10.2f} (median of {pairs} pairs, "
        f"{min(ratios):.2f} to {max(ratios):.2f}); memory {peaks['lab'] / peaks['hugging-face']:.2f}"
    )


def _serve(step: Callable[[], None]) -> None:
    """Runs one step for each line on standard input and answers with its time and the peak memory."""
    for _ in sys.stdin:
        began = time.perf_counter()
        step()
        seconds = time.perf_counter() - began
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, flush=True)


def _batch(config: Config) -> tuple[torch.Tensor, torch.Tensor]:
    tokens = torch.randint(0, config.model.vocab_size, (config.data.batch_size, config.model.context_length + 1))
    return tokens[:, :-1], tokens[:, 1:]


def _lab(config: Config) -> Callable[[], None]:
    """A step as lab/training/module.py takes it, without Lightning around."""
    from lab.system.malloc import keep_freed_memory
    from lab.training.loss import next_token_loss
    from lab.training.wiring import make_model, make_optimizer

    keep_freed_memory()
    model = make_model(config).train()
    optimizer = make_optimizer(config, model, "cpu")

    def step() -> None:
        inputs, targets = _batch(config)
        loss = next_token_loss(model.hidden(inputs), model.head.weight, targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def _hugging_face(config: Config) -> Callable[[], None]:
    """The same step as one would write it with transformers."""
    from transformers import GPT2Config, GPT2LMHeadModel

    shape = config.model
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=shape.vocab_size,
            n_positions=shape.context_length,
            n_embd=shape.emb_dim,
            n_layer=shape.n_layers,
            n_head=shape.n_heads,
            resid_pdrop=shape.drop_rate,
            embd_pdrop=shape.drop_rate,
            attn_pdrop=shape.drop_rate,
        )
    ).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1)

    def step() -> None:
        inputs, targets = _batch(config)
        logits = model(inputs).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


_SIDES: dict[str, Callable[[Config], Callable[[], None]]] = {"lab": _lab, "hugging-face": _hugging_face}


if __name__ == "__main__":
    main()
