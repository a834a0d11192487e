"""What can be configured, and what would come of it."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, Response
from pydantic import Field

from lab.config.corpora import preset
from lab.config.plan import Plan, make_plan, refuse_senseless
from lab.config.schema import Config, DataConfig, TokenizerConfig, TokenizerName, to_plain
from lab.dashboard.api.dependencies import SettingsDep
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import corpora, form_schema, overrides
from lab.dashboard.options.corpora import CorpusInfo
from lab.dashboard.options.form_schema import Description, Sizes
from lab.dashboard.schemas import Model, Value
from lab.dashboard.store import inside_root
from lab.data.prepare import make_tokenizer, read_corpus, split
from lab.data.windows import Windows
from lab.errors import LabError
from lab.files import atomic
from lab.optim.schedules import make_schedule
from lab.tokenizers.view import view

router = APIRouter(prefix="/api", tags=["options and texts"])

_CURVE = 200
_MERGES = 24
_TOKENS_OF_GPT2 = {"bytes": 4.0, "chars": 4.0}
"""How many tokens of another tokenizer one of GPT-2's is about, where a text is too long to be counted."""


class Overrides(Model):
    """Options that differ from the defaults."""

    overrides: dict[str, Value] = Field(default_factory=dict)


class FieldError(Model):
    """What does not fit."""

    field: str | None
    message: str


class LearningRate(Model):
    """The learning rate to be; both lists are equally long."""

    steps: list[int] = Field(description="Optimizer steps, from 1 on.")
    values: list[float]


class Length(Model):
    """How long the run would be."""

    corpus_tokens: int
    training_tokens: int = Field(description="Of them, those that are trained on.")
    validation_tokens: int
    n_windows: int = Field(description="Training windows: what one pass passes over.")
    window_tokens: int = Field(description="Tokens of a window.")
    exact: bool = Field(description="Whether the tokens were counted; else they are estimated from the size.")
    total_steps: int
    tokens_per_step: int
    epochs: float
    warmup_steps: int
    eval_every: int


class Resolved(Model):
    """What would come of the options."""

    errors: list[FieldError]
    command: str | None = Field(description="The same run, typed.")
    config: dict[str, Any] | None = Field(description="Every option.")
    sizes: Sizes | None
    length: Length | None = Field(description="Unknown while the text is not on this machine, or there is an error.")
    learning_rate: LearningRate | None


class NewCorpus(Model):
    """A text to upload."""

    name: str
    text: str = Field(min_length=1)
    replace: bool = Field(
        default=False, description="Whether it may take the place of an uploaded text of the same name."
    )


class TokenizeRequest(Model):
    """A text, and what shall cut it."""

    text: str
    tokenizer: Literal["gpt2", "bytes", "chars", "bpe"] = "gpt2"
    vocab_size: Literal[512, 1024, 2048, 4096, 8192] = Field(
        default=2048, description="Tokens that bpe learns, from the training text of the fables."
    )


class Token(Model):
    """A piece of a text, as the model sees it."""

    token_id: int
    text: str = Field(description="Bytes that are no whole character by themselves show as U+FFFD.")
    bytes: str = Field(description="In hexadecimal.")


class Merge(Model):
    """Two pieces that byte-pair encoding has joined."""

    left: str
    right: str


class Tokens(Model):
    """A text in tokens."""

    tokens: list[Token]
    characters: int
    bytes: int
    vocab_size: int = Field(description="Tokens that the tokenizer knows.")
    merges: list[Merge] = Field(description="What byte-pair encoding joined first, in its order.")


@router.get("/config")
def get_config() -> Description:
    """Groups and options, with types, ranges, defaults and what they do."""
    return form_schema.description()


@router.post("/config/resolve")
def resolve(settings: SettingsDep, given: Overrides) -> Resolved:
    """What would come of these options; what does not fit is told by option."""
    config, errors = form_schema.compose(given.overrides, settings)
    command = None
    if config is not None:
        command = overrides.command_line(overrides.words(given.overrides, settings))
    found = Resolved(
        errors=[FieldError(field=field, message=message) for field, message in errors],
        command=command,
        config=to_plain(config) if config else None,
        sizes=None,
        length=None,
        learning_rate=None,
    )
    if config is not None:
        try:
            found.sizes = form_schema.sizes(config)
        except LabError as error:
            found.errors.append(FieldError(field="model.emb_dim", message=str(error)))
        try:
            found.length, plan = _length(config, settings.root)
        except LabError as error:
            field = overrides.field_of(str(error), given.overrides)
            found.errors.append(FieldError(field=field or "corpus", message=str(error)))
        else:
            found.learning_rate = _learning_rate(config, plan) if plan else None
    return found


def _length(config: Config, root: Path) -> tuple[Length | None, Plan | None]:
    size = corpora.size(config.corpus, root)
    if size is None:
        return None, None
    n_tokens, border = size[0], None
    if config.tokenizer.name is not TokenizerName.gpt2:
        n_tokens, border = _in_other_tokens(config, root, *size)
    # Only lengths matter here: an array that is one and the same zero all along takes no memory.
    tokens = np.broadcast_to(np.uint16(0), (n_tokens,))
    train, val = split(tokens, config.data, config.model.context_length, border)
    plan = make_plan(config, len(Windows(train, config.model.context_length, config.data.stride)))
    refuse_senseless(config, plan)
    length = Length(
        corpus_tokens=n_tokens,
        training_tokens=len(train),
        validation_tokens=len(val),
        n_windows=plan.n_windows,
        window_tokens=config.model.context_length,
        exact=size[1],
        total_steps=plan.total_steps,
        tokens_per_step=plan.tokens_per_step,
        epochs=plan.epochs,
        warmup_steps=plan.warmup_steps,
        eval_every=plan.eval_every,
    )
    return length, plan


def _in_other_tokens(config: Config, root: Path, n_tokens: int, exact: bool) -> tuple[int, int | None]:
    """The length of a text under a tokenizer that is not GPT-2's, and how much of it trains, if that is known."""
    if not exact:
        return round(n_tokens * _TOKENS_OF_GPT2.get(config.tokenizer.name.name, 1.0)), None
    tokenizer = make_tokenizer(config.tokenizer, config.corpus, config.data, root)
    read = read_corpus(config.corpus, root, tokenizer)
    return read.tokens.n_tokens, read.border(config.data)


def _learning_rate(config: Config, plan: Plan) -> LearningRate:
    schedule = make_schedule(config, plan)
    points = min(plan.total_steps, _CURVE)
    # In whole numbers: there may be more steps than an array can number.
    steps = [i * (plan.total_steps - 1) // max(1, points - 1) for i in range(points)]
    # The n-th step is made with the rate after n - 1 finished ones; the run writes it at n.
    return LearningRate(
        steps=[step + 1 for step in steps], values=[config.optimizer.lr * schedule(step) for step in steps]
    )


@router.get("/corpora")
def get_corpora(settings: SettingsDep) -> list[CorpusInfo]:
    """What can be trained on."""
    return corpora.listed(settings)


@router.post("/corpora", status_code=201)
def upload(settings: SettingsDep, new: NewCorpus) -> CorpusInfo:
    """Keeps a text to train on."""
    path = corpora.upload_path(new.name, settings)
    inside_root.refuse_links_to(path, settings.uploads.parent)
    if path.exists() and not new.replace:
        raise ApiError(409, f"there is an uploaded text {new.name} already: choose another name, or replace it", "name")
    data = new.text.encode("utf-8")
    if b"\0" in data:
        raise ApiError(422, "this is not a text: a zero byte stands in it", "text")
    try:
        with atomic.writing(path) as file:
            file.write(data)
    except OSError as error:
        raise ApiError(503, f"the text cannot be written ({error.strerror}): make room") from error
    return next(info for info in corpora.listed(settings) if info.source == "upload" and info.name == new.name)


@router.delete("/corpora/{name}", status_code=204)
def delete(settings: SettingsDep, name: str) -> Response:
    """Deletes an uploaded text."""
    path = corpora.upload_path(name, settings)
    if path not in list(corpora.uploaded(settings)):
        raise ApiError(404, f"there is no uploaded text {name}", "name")
    path.unlink(missing_ok=True)
    return Response(status_code=204)


@router.post("/tokenize")
def tokenize(settings: SettingsDep, given: TokenizeRequest) -> Tokens:
    """A text as the model sees it."""
    most = settings.max_prompt
    if len(given.text) > most:
        raise ApiError(413, f"the text has {len(given.text):,} characters, and {most:,} are the most", "text")
    config = TokenizerConfig(TokenizerName[given.tokenizer], given.vocab_size if given.tokenizer == "bpe" else None)
    tokenizer = make_tokenizer(config, preset("fables"), DataConfig(), settings.root)
    try:
        seen = view(tokenizer, given.text, _MERGES)
    except ValueError as error:
        raise ApiError(422, str(error), "text") from error
    tokens = [
        Token(token_id=one.token_id, text=one.data.decode("utf-8", "replace"), bytes=one.data.hex())
        for one in seen.pieces
    ]
    return Tokens(
        tokens=tokens,
        characters=len(given.text),
        bytes=seen.n_bytes,
        vocab_size=seen.vocab_size,
        merges=[Merge(left=left, right=right) for left, right in seen.merges],
    )
