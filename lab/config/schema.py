"""The schema of every option: its type, its default, its range, and what it does.

Hydra composes a run from the files in ``conf/`` on top of these dataclasses, so that a misspelt option or a word where
a number belongs is refused before anything starts. What a type cannot say is in ``LIMITS`` and ``check``.

Lengths are in optimizer steps or tokens, never in micro-batches.
"""

import dataclasses
import difflib
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any

from lab.config import devices
from lab.config.corpus_schema import CorpusConfig, CorpusSource, check_corpus
from lab.config.limits import LIMITS, Limit
from lab.config.naming import check_naming
from lab.config.optimizer_schema import AdafactorConfig, MuonConfig, OptimizerConfig, check_optimizer
from lab.errors import LabError, is_text, shown
from lab.files import user_code
from lab.parts.config import ModelConfig

if TYPE_CHECKING:
    from omegaconf import DictConfig


class SaveFailure(Enum):
    """What a run does when a checkpoint cannot be written."""

    stop = "stop"
    go_on = "go_on"


class ScheduleName(StrEnum):
    """How the learning rate moves; see lab/optim/schedules.py."""

    constant = "constant"
    cosine = "cosine"
    wsd = "wsd"


@dataclass
class DataConfig:
    """How the tokens are cut into windows and batches."""

    batch_size: int = 4
    """Windows in a micro-batch, on each device."""
    stride: int | None = None
    """Tokens from one training window to the next; null: model.context_length, so that nothing overlaps."""
    shuffle: bool = True
    """A new order of the training windows in each epoch."""
    val_fraction: float = 0.1
    """Share of the tokens, at the end of the corpus, that is kept for validation. Here and in the next option GPT-2's
    tokens are meant, whatever the tokenizer: so all of them are measured on the same text."""
    max_val_tokens: int | None = 65536
    """Upper bound on the validation tokens, so that a large corpus is not mostly evaluated; null: none."""
    max_train_tokens: int | None = None
    """Upper bound on the training tokens, to see what a model makes of little text; null: none."""
    document_mask: bool = False
    """Documents in a window do not look at each other, and each counts its positions from its own beginning; see
    lab/parts/documents.py for what it costs."""
    num_workers: int = 0
    """Processes that cut batches. 0 is right here: cutting one takes well under a millisecond."""


class TokenizerName(Enum):
    """Where the vocabulary comes from; see lab/tokenizers."""

    gpt2 = "gpt2"
    bytes = "bytes"
    chars = "chars"
    bpe = "bpe"
    hf = "hf"


@dataclass
class TokenizerConfig:
    """How a text becomes tokens."""

    name: TokenizerName = TokenizerName.gpt2
    """gpt2, bytes, chars, bpe (learnt from the training text) or hf (a tokenizer of somebody else's)."""
    vocab_size: int | None = None
    """bpe only: how many tokens are learnt, the 256 bytes and the end of text among them."""
    path: str | None = None
    """hf only: a tokenizer.json, or the folder of a model that has one; relative to where the command is typed."""


@dataclass
class ScheduleConfig:
    """How the learning rate moves over the run."""

    name: str = ScheduleName.cosine.value
    """constant, cosine, wsd (warmup, stable, decay), or a function of one's own, as FILE.py:NAME."""
    warmup_steps: int | None = None
    """Optimizer steps of linear rise; null: a tenth of the run, 100 at most."""
    min_lr_ratio: float = 0.1
    """The learning rate at the end, as a share of the peak."""
    decay_fraction: float = 0.2
    """wsd only: the share of the run that the final descent takes."""
    total_steps: int | None = None
    """Optimizer steps until the end of the descent; null: the length of the run."""


@dataclass
class TrainerConfig:
    """How long, on what, and in which arithmetic."""

    max_epochs: int = 4
    """Passes over the training windows; without effect where max_steps is given."""
    max_steps: int | None = None
    """Optimizer steps; null: as many as max_epochs takes."""
    accumulate_grad_batches: int = 1
    """Micro-batches whose gradients are added up for one optimizer step."""
    gradient_clip_val: float | None = 1.0
    """Longest gradient (norm over all weights) that is not scaled down; null: no limit."""
    accelerator: str = "auto"
    """cpu, gpu, mps, or auto for the best there is."""
    devices: int | str = 1
    """How many of them on each machine, a process for each; auto: all GPUs that there are. A CPU may be shared by
    several processes, too, which is for trying things out."""
    num_nodes: int = 1
    """Machines, each with as many devices: torchrun or srun starts the processes there."""
    strategy: str = "auto"
    """What several devices share: ddp (the batch), fsdp (the batch, the weights, and what the optimizer remembers of
    them: for models that fit into no device whole); auto: ddp."""
    checkpoints: str = "consolidated"
    """With strategy=fsdp: consolidated (one file, for which the first process gathers each tensor) or sharded (each
    process writes its own part, into a folder beside the file). Whatever opens the one opens the other."""
    precision: str = "auto"
    """32-true, bf16-mixed, 16-mixed (on GPUs only) or bf16-true: the number format of the arithmetic; auto: bf16-mixed
    where the processor or GPU computes in bf16, else 32-true. A run that goes on keeps what it has begun with. A recent
    NVIDIA GPU multiplies what is left in fp32 as TensorFloat-32; the start of a run says so."""
    compile: bool = False
    """Let torch.compile fuse the model: faster after a first, slow step."""

    @property
    def processes(self) -> int:
        """Of the whole run: one for each device on each machine. Known once ``check`` has settled the devices."""
        return int(self.devices) * self.num_nodes


@dataclass
class SampleConfig:
    """The text that is generated at each evaluation, to see the model learn."""

    prompt: str = "The fox"
    """How the sample begins."""
    max_tokens: int = 40
    """Tokens to add to it; 0: no samples."""
    temperature: float = 0.8
    """Below 1 the likely tokens become likelier still; 0 always takes the likeliest."""
    top_k: int | None = 50
    """Only the k likeliest tokens can be drawn; null: all."""


@dataclass
class Config:
    """A whole run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)
    logger: dict[str, Any] = field(default_factory=dict)
    """Lightning loggers by name, each with a _target_."""
    callbacks: dict[str, Any] = field(default_factory=dict)
    """Further Lightning callbacks by name, each with a _target_."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """Further figures of each evaluation by name: `+metrics.mine=my_idea.py:fn`, a function of logits and targets or a
    torchmetrics.Metric; or an object with a _target_."""
    parts: list[str] | None = None
    """Python files of the user's own, relative to where the command is typed: `parts=my_idea.py`. Options of this run
    may name what they define, as `my_idea.py:Name`; a file that such an option names need not stand here, too."""
    save: bool = False
    """Keep checkpoints: best.ckpt and last.ckpt, and the weights of some moments."""
    save_every: int | None = None
    """With save=true, also a checkpoint every so many optimizer steps."""
    keep: int = 3
    """How many of the periodic checkpoints stay; the oldest go first."""
    snapshots: int | None = None
    """With save=true, at how many moments, spread over the run from step 0 on, the weights alone are kept, to look back
    at; null: ten, or fewer where they would take more than 2 GiB; with save_every only those of step 0."""
    if_save_fails: SaveFailure = SaveFailure.stop
    """What happens when a checkpoint cannot be written: stop, or go_on with a warning."""
    resume: str | None = None
    """Continue from a checkpoint: its path, a run folder, `last` for the newest under outputs/, or `auto`: what is in
    hydra.run.dir, if anything is. Options that are not given again are those of the run that is continued."""
    init_from: str | None = None
    """Begin with the weights of a trained model instead of random ones (fine-tuning): `gpt2` or another name on the
    Hugging Face hub, a folder of Hugging Face's, a .safetensors file of lab.export, a checkpoint, or a run folder. Only
    the weights are taken. A run that is continued with resume= does not look there again."""
    eval_every: int | None = None
    """Optimizer steps between evaluations; null: ten evaluations a run, at most 500 steps apart."""
    log_every: int | None = None
    """Optimizer steps between logged training metrics; null: up to 1,000 points a run."""
    seed: int = 42
    """Decides the first weights, the order of the windows, and dropout."""
    name: str = ""
    """What to call the run in lists; it can be renamed later. With -m, each run of the sweep has it, with
    what sets the run apart."""
    tags: list[str] | None = None
    """Words to find the run by: `tags=night` or `tags=[night,lr]`."""
    notes: str = ""
    """What you want to remember of the run."""


CHECKPOINTS = ("consolidated", "sharded")
ACCELERATORS = ("auto", "cpu", "gpu", "mps")
STRATEGIES = ("auto", "ddp", "fsdp")
PRECISIONS = ("auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true")


def check(composed: "DictConfig") -> Config:
    """The composed options as plain, resolved dataclasses, once every rule holds.

    Hydra's own check has gaps: ``+model.zz=1`` adds an option that nothing reads, and ranges are beyond it.

    Raises:
        LabError: naming the first option that is wrong.
    """
    from omegaconf import OmegaConf  # here: to open a checkpoint, the dataclasses do
    from omegaconf.errors import OmegaConfBaseException

    _refuse_unknown(composed, Config, "")
    try:
        config = OmegaConf.to_object(composed)
    except OmegaConfBaseException as error:  # some are ValueErrors, too
        raise LabError(f"{error.full_key}: {str(error).splitlines()[0]}") from error
    except ValueError as error:  # ModelConfig's own rules
        raise LabError(f"model: {error}") from error
    assert isinstance(config, Config)
    devices.settle(config.trainer)
    for key, limit in LIMITS.items():
        _check_limit(config, key, limit)
    _check_together(config)
    _settle_vocabulary(config)
    return config


def to_plain(value: Any) -> Any:
    """A configuration as dicts, lists, strings and numbers, fit for YAML, JSON and checkpoints.

    Not by way of OmegaConf, which would take a ``${`` in a path or a prompt for an interpolation once more.
    """
    if dataclasses.is_dataclass(value):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value.name if isinstance(value, Enum) else value


def _refuse_unknown(node: "DictConfig", schema: type, prefix: str) -> None:
    from omegaconf import DictConfig, OmegaConf

    known = {f.name: f for f in dataclasses.fields(schema)}
    for key in node:
        name = str(key)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"the options here are {', '.join(known)}"
            raise LabError(f"there is no option {prefix}{name}; {hint}")
        child = node._get_node(name)
        kind = OmegaConf.get_type(child) if isinstance(child, DictConfig) else None
        if isinstance(child, DictConfig) and kind is not None and dataclasses.is_dataclass(kind):
            _refuse_unknown(child, kind, f"{prefix}{name}.")


def _check_limit(config: Config, key: str, limit: Limit) -> None:
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part, None)
    for number in value if isinstance(value, tuple | list) else [value]:
        if number is not None:
            limit.check(key, number)


def _check_choice(option: str, value: str, choices: type[Enum]) -> None:
    if value not in (known := [choice.name for choice in choices]) and not user_code.is_reference(value):
        raise LabError(f"{option}={shown(value)} does not fit: choose one of {', '.join(known)}, or FILE.py:NAME")


def _settle_vocabulary(config: Config) -> None:
    """Gives the model the vocabulary of its tokenizer, as far as the options alone tell how large that is."""
    tokenizer, asked, default = config.tokenizer, config.model.vocab_size, ModelConfig().vocab_size
    if tokenizer.vocab_size is not None and tokenizer.name is not TokenizerName.bpe:
        raise LabError(f"tokenizer.vocab_size= goes with tokenizer=bpe: {tokenizer.name.name} has a size of its own")
    if tokenizer.path is not None and tokenizer.name is not TokenizerName.hf:
        raise LabError(f"tokenizer.path= goes with tokenizer=hf, and not with tokenizer={tokenizer.name.name}")
    if tokenizer.name is TokenizerName.bpe and tokenizer.vocab_size is None:
        raise LabError("tokenizer=bpe needs a size: add tokenizer.vocab_size=2048, say")
    sizes = {TokenizerName.gpt2: default, TokenizerName.bytes: 257, TokenizerName.bpe: tokenizer.vocab_size}
    known = sizes.get(tokenizer.name)
    if known is None:
        return
    if asked not in (known, default):
        raise LabError(f"model.vocab_size={asked}: the tokenizer decides it, and it has {known} tokens")
    config.model.vocab_size = known


def _check_trainer(trainer: TrainerConfig) -> None:
    words = {"accelerator": ACCELERATORS, "precision": PRECISIONS, "strategy": STRATEGIES, "checkpoints": CHECKPOINTS}
    for name, choices in words.items():
        if (word := getattr(trainer, name)) not in choices:
            raise LabError(f"trainer.{name}={word} is unknown: choose one of {', '.join(choices)}")
    if trainer.checkpoints == "sharded" and trainer.strategy != "fsdp":
        raise LabError(
            "trainer.checkpoints=sharded goes with trainer.strategy=fsdp, where each process has a part of the "
            "weights: leave it out, or take trainer=fsdp"
        )


def _check_together(config: Config) -> None:
    _check_choice("corpus.source", config.corpus.source, CorpusSource)
    _check_choice("schedule.name", config.schedule.name, ScheduleName)
    if user_code.is_reference(config.corpus.source):
        config.corpus.name = user_code.split(config.corpus.source)[1]
    check_corpus(config.corpus)
    _check_trainer(config.trainer)
    whole = isinstance(config.optimizer, MuonConfig | AdafactorConfig)
    if config.trainer.strategy == "fsdp" and config.trainer.processes > 1 and whole:
        raise LabError(
            "trainer.strategy=fsdp leaves each device a part of every matrix, and this optimizer needs whole ones: "
            "take optimizer=adamw, or trainer.strategy=ddp"
        )
    if (stride := config.data.stride) is not None and stride > (context := config.model.context_length):
        raise LabError(
            f"data.stride={stride} leaves out the text between two windows: it must be at most "
            f"model.context_length={context}"
        )
    check_optimizer(config.optimizer, config.model.tie_embeddings)
    if not is_text(config.sample.prompt):
        raise LabError("sample.prompt= has bytes that are not UTF-8: type it as UTF-8")
    if not config.sample.prompt and config.sample.max_tokens:
        raise LabError("sample.prompt is empty: give a few words to begin with, or sample.max_tokens=0 for no samples")
    check_naming(config.name, config.tags or (), config.notes)
    for option in ("save_every", "snapshots"):
        if getattr(config, option) and not config.save:
            raise LabError(
                f"{option} keeps checkpoints, but save=false keeps none: add save=true, or leave {option} out"
            )
