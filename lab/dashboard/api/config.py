"""What can be configured, and what would come of it."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from lab.config.choices import group_names
from lab.config.corpora import preset
from lab.config.plan import Plan
from lab.config.schema import Config, DataConfig, TokenizerConfig, TokenizerName, to_plain
from lab.dashboard.api import origins, rates
from lab.dashboard.api.dependencies import CatalogueDep, InferenceDep, JobsDep, RunsDep, SettingsDep
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import corpora, cost, form_schema, length, overrides, request
from lab.dashboard.options.command_line import command_line
from lab.dashboard.options.composition import Composed
from lab.dashboard.options.corpora import CorpusInfo
from lab.dashboard.options.cost import Memory
from lab.dashboard.options.form_schema import Description, Sizes
from lab.dashboard.options.offered import absent
from lab.dashboard.options.request import Origin, RunRequest
from lab.dashboard.schemas import Model
from lab.dashboard.settings import Settings
from lab.dashboard.store import inside_root
from lab.data.prepare import make_tokenizer
from lab.errors import LabError
from lab.files import atomic
from lab.optim.schedules import make_schedule
from lab.tokenizers.view import view

router = APIRouter(prefix="/api", tags=["options and texts"])

_CURVE = 200
_MERGES = 24


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
    command: str | None = Field(description="The same, typed in the server's root.")
    config: dict[str, Any] | None = Field(description="Every option, without those that are swept over.")
    choices: dict[str, str | None] = Field(description="Which file of each group is chosen, by whomever.")
    absent: list[str] = Field(description="Options and groups that do not exist with these choices, or do nothing.")
    sizes: Sizes | None
    length: Length | None = Field(description="Unknown while the text is not on this machine, or there is an error.")
    learning_rate: LearningRate | None


class Like(Model):
    """A run that was made before."""

    id: str
    name: str
    path: str


class Cost(Model):
    """What runs would take of this machine."""

    runs: int = Field(description="How many they are.")
    seconds: float | None = Field(description="Of all together, about; unknown while their text is not here.")
    like: Like | None = Field(description="A run that was as fast as these are taken to be; null: it was measured.")
    memory: Memory = Field(description="Of the one that takes most.")


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
def resolve(settings: SettingsDep, runs: RunsDep, inference: InferenceDep, given: RunRequest) -> Resolved:
    """What would come of a request; what does not fit is told by option. Nothing is started."""
    origin = origins.find(settings, runs, inference, given.parent)
    composed, errors = form_schema.compose(given.overrides, lambda some: request.compose(some, settings, origin))
    if composed is not None:
        errors += _swept_errors(given, settings, origin)
    shown = composed or _groups_alone(given, settings, origin)
    found = Resolved(
        errors=[FieldError(field=field, message=message) for field, message in errors],
        command=None if errors else command_line(request.words(given, settings, origin)),
        config=to_plain(composed.config) if composed else None,
        choices=shown.choices if shown else {},
        absent=absent(shown, origin is not None) if shown else [],
        sizes=None,
        length=None,
        learning_rate=None,
    )
    if composed is not None:
        _add_what_it_comes_to(found, composed.config, given, settings)
    return found


def _groups_alone(given: RunRequest, settings: Settings, origin: Origin | None) -> Composed | None:
    """What the choices of files come to, where something else does not fit: what there is to mend must be on show."""
    some = {key: value for key, value in given.overrides.items() if key in (*group_names(), "corpus.path")}
    try:
        return request.compose(some, settings, origin)
    except ApiError:
        return None


def _swept_errors(given: RunRequest, settings: Settings, origin: Origin | None) -> list[tuple[str | None, str]]:
    """What is wrong with the values that are swept over, once for each option."""
    found: dict[str | None, str] = {}
    for key, values in given.sweep.items():
        try:
            request.words(given.model_copy(update={"overrides": {}, "sweep": {key: values}}), settings, origin)
            for value in values:
                request.compose({**given.overrides, key: value}, settings, origin)
        except ApiError as error:
            found[key] = error.message
    try:
        request.words(given, settings, origin)
    except ApiError as error:
        found.setdefault(error.field, error.message)
    return list(found.items())


def _add_what_it_comes_to(found: Resolved, config: Config, given: RunRequest, settings: Settings) -> None:
    try:
        found.sizes = form_schema.sizes(config)
    except LabError as error:
        found.errors.append(FieldError(field="model.emb_dim", message=str(error)))
    try:
        planned = length.planned(config, settings.root)
    except LabError as error:
        field = overrides.field_of(str(error), given.overrides)
        found.errors.append(FieldError(field=field or "corpus", message=str(error)))
        return
    if planned is not None:
        plan = planned.plan
        found.length = Length(
            corpus_tokens=planned.n_tokens,
            training_tokens=planned.n_train_tokens,
            validation_tokens=planned.n_val_tokens,
            n_windows=plan.n_windows,
            window_tokens=config.model.context_length,
            exact=planned.exact,
            total_steps=plan.total_steps,
            tokens_per_step=plan.tokens_per_step,
            epochs=plan.epochs,
            warmup_steps=plan.warmup_steps,
            eval_every=plan.eval_every,
        )
        found.learning_rate = _learning_rate(config, plan)


@router.post("/config/cost")
def get_cost(
    settings: SettingsDep,
    runs: RunsDep,
    jobs: JobsDep,
    catalogue: CatalogueDep,
    inference: InferenceDep,
    given: RunRequest,
) -> Cost:
    """How long what is asked for would take on this machine, and whether it fits into its memory."""
    origin = origins.find(settings, runs, inference, given.parent)
    kinds = cost.kinds(given, settings, origin)
    found = Cost(runs=given.runs, seconds=None, like=None, memory=cost.memory_of((config for config, _ in kinds), jobs))
    summaries = catalogue.now()
    seconds, first = 0.0, origin.step or 0 if origin else 0
    for config, times in kinds:
        planned = length.planned(config, settings.root)
        if planned is None:
            return found
        past = cost.nearest(config, summaries, runs)
        if past is not None:
            found.like = Like(id=past.run.id, name=past.run.name, path=past.run.path)
            seconds += times * cost.flops(config, planned, first) / past.flops_per_second
        else:
            seconds += times * cost.seconds_by_rate(config, planned, first, rates.of(inference, config))
    found.seconds = seconds
    return found


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
