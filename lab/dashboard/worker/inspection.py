"""What is asked of a model, and the answers: in terms of ``lab.inspection.internals``, as plain values."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from lab.dashboard.schemas import Model, Number
from lab.inspection import internals
from lab.inspection.embedding_map import EmbeddingMap, common_tokens, embedding_map
from lab.inspection.internals import Activations, Look
from lab.model import GPTModel
from lab.tokenizers.contract import TextTokenizer, token_text

MOST_NUMBERS = 1_500_000
"""In one answer."""

_DIGITS = 7
"""After the point, of the numbers that come by the hundred thousand."""


class PromptToken(Model):
    """A token of the prompt."""

    token_id: int
    text: str


class Seen(Model):
    """What all answers have in common."""

    tokens: list[PromptToken] = Field(description="The prompt, as far as the model sees it.")
    cropped: int = Field(description="Tokens at the beginning of the prompt that do not fit into the context.")


class Candidate(Model):
    """A token that could come next."""

    token_id: int
    text: str
    probability: Number


class Head(Model):
    """One head's map."""

    layer: int
    head: int
    weights: list[list[float]] = Field(
        description="(seq, seq): how much each position (row) takes from each (column); rows sum to 1."
    )


class Attention(Seen):
    """Where each position looks."""

    view: Literal["attention"]
    n_layers: int
    n_heads: int
    heads: list[Head]


class Statistics(Model):
    """Of many activations."""

    mean: Number
    std: Number
    sparsity: Number = Field(description="The share of them that is nearly zero (below 0.01).")
    counts: list[int] = Field(description="How many fall between two edges.")
    edges: list[float]


class LayerActivations(Model):
    """What goes on in a layer."""

    residual: Statistics = Field(description="The stream behind the block.")
    attention: Statistics = Field(description="What attention adds to it.")
    feed_forward: Statistics = Field(description="The hidden units, behind the GELU.")
    n_units: int
    dead_units: list[int] = Field(description="Hidden units that are nearly zero at every position of this prompt.")


class ActivationsView(Seen):
    """How large the numbers are on their way through the model."""

    view: Literal["activations"]
    residual_norms: list[list[Number]] = Field(
        description="(n_layers + 1, seq): the length of the residual stream, from the embedding on."
    )
    layers: list[LayerActivations]


class LensCell(Model):
    """What a layer would predict at a position."""

    top: list[Candidate]
    rank: int | None = Field(description="Of the token that really comes next, 1 for the likeliest.")
    probability: Number | None = Field(description="Of the token that really comes next.")


class LogitLens(Seen):
    """What each layer would predict if it were the last."""

    view: Literal["logit-lens"]
    layers: list[list[LensCell]] = Field(description="(n_layers, seq).")


class PositionLoss(Model):
    """A position and what came after it."""

    loss: Number | None = Field(description="Of the next token, in nats; none at the last position.")
    entropy: Number = Field(description="How undecided the model was, in nats.")
    top: list[Candidate]


class TokenLoss(Seen):
    """How surprised the model was by each token."""

    view: Literal["token-loss"]
    positions: list[PositionLoss]
    mean_loss: Number | None


class Neighbor(Model):
    """A token close by."""

    token_id: int
    text: str
    similarity: Number = Field(description="Cosine of the angle between the embeddings.")


class NeighborsOf(Model):
    """A token and those whose embeddings are closest."""

    token: PromptToken
    neighbors: list[Neighbor]


class Neighbors(Seen):
    """Which tokens the model holds to be alike."""

    view: Literal["neighbors"]
    of: list[NeighborsOf]


class MapPoint(PromptToken):
    """A token on the map."""

    x: Number
    y: Number
    in_prompt: bool


class EmbeddingMapView(Seen):
    """Embeddings of the prompt's tokens and of common ones, on a plane."""

    view: Literal["embedding-map"]
    points: list[MapPoint] = Field(description="The prompt's tokens first; the same in every checkpoint.")
    explained: list[Number] = Field(description="The share of the variance along x, and along y.")


class Ablation(Seen):
    """What each head is worth."""

    view: Literal["ablate"]
    loss_changes: list[list[Number]] = Field(
        description="(n_layers, n_heads): how the mean loss changes without the head, in nats a token."
    )


View = Annotated[
    Attention | ActivationsView | LogitLens | TokenLoss | Neighbors | EmbeddingMapView | Ablation,
    Field(discriminator="view"),
]
ViewName = Literal["attention", "activations", "logit-lens", "token-loss", "neighbors", "embedding-map", "ablate"]


@dataclass(frozen=True)
class Question:
    """What somebody wants to see of a model."""

    prompt: str
    top_k: int
    """Candidates, or neighbours, to list."""
    most_tokens: int
    """The end of the prompt that is looked at, at most."""
    layer: int | None = None
    """Only this one, from 0 on; None: all."""
    head: int | None = None


def inspect(model: GPTModel, tokenizer: TextTokenizer, view: ViewName, question: Question) -> dict[str, Any]:
    """The answer to a question, as the plain values of one of the models above.

    Raises:
        ValueError: if there is no such layer or head, or the answer would be too large.
    """
    top_k, layer, head = question.top_k, question.layer, question.head
    everything = tokenizer.encode(question.prompt) or [tokenizer.endoftext]
    ids = everything[-min(question.most_tokens, model.config.context_length) :]
    token_ids = torch.tensor(ids, device=model.token_embedding.weight.device)
    answer: dict[str, Any] = {
        "view": view,
        "tokens": [_token(tokenizer, token) for token in ids],
        "cropped": len(everything) - len(ids),
    }
    if view == "neighbors":
        close = {token: internals.neighbors(model, token, top_k) for token in dict.fromkeys(ids)}
        return answer | {"of": [_neighbors(tokenizer, token, found) for token, found in close.items()]}
    if view == "embedding-map":
        shown = common_tokens(min(tokenizer.vocab_size, model.config.vocab_size), ids)
        return answer | _map(embedding_map(model, shown), set(ids), tokenizer)
    if view == "ablate":
        return answer | {"loss_changes": _plain(internals.ablate_heads(model, token_ids))}
    if view == "attention":
        _check_size(model, len(ids), layer, head)
    look = internals.look(model, token_ids, top_k=top_k)
    match view:
        case "attention":
            return answer | _attention(look, layer, head)
        case "activations":
            return answer | {"residual_norms": _plain(look.residual_norms), "layers": [_layer(x) for x in look.layers]}
        case "logit-lens":
            return answer | {"layers": _lens(look, tokenizer)}
        case "token-loss":
            return answer | _losses(look, tokenizer)


def _check_size(model: GPTModel, seq: int, layer: int | None, head: int | None) -> None:
    n_layers, n_heads = model.config.n_layers, model.config.n_heads
    for name, value, count in (("layer", layer, n_layers), ("head", head, n_heads)):
        if value is not None and value >= count:
            raise ValueError(f"there is no {name} {value}: they go from 0 to {count - 1}")
    maps = (n_layers if layer is None else 1) * (n_heads if head is None else 1)
    if maps * seq * seq > MOST_NUMBERS:
        raise ValueError(
            f"{maps} attention maps of {seq} tokens are {maps * seq * seq:,} numbers, and {MOST_NUMBERS:,} are the "
            "most: choose a layer or a head, or a shorter prompt"
        )


def _attention(look: Look, layer: int | None, head: int | None) -> dict[str, Any]:
    n_layers, n_heads = look.attention.shape[:2]
    rounded = look.attention.double().mul(10**_DIGITS).round().div(10**_DIGITS)
    heads = [
        {"layer": i, "head": j, "weights": rounded[i, j].tolist()}
        for i in (range(n_layers) if layer is None else [layer])
        for j in (range(n_heads) if head is None else [head])
    ]
    return {"n_layers": n_layers, "n_heads": n_heads, "heads": heads}


def _layer(found: internals.Layer) -> dict[str, Any]:
    return {
        "residual": _statistics(found.residual),
        "attention": _statistics(found.attention),
        "feed_forward": _statistics(found.feed_forward),
        "n_units": found.n_units,
        "dead_units": _plain(found.dead_units),
    }


def _statistics(found: Activations) -> dict[str, Any]:
    return {name: _plain(getattr(found, name)) for name in ("mean", "std", "sparsity", "counts", "edges")}


def _lens(look: Look, tokenizer: TextTokenizer) -> list[list[dict[str, Any]]]:
    lens = look.logit_lens
    n_layers, seq, _ = lens.top_token_ids.shape
    return [
        [
            {
                "top": _candidates(tokenizer, lens.top_token_ids[i, t], lens.top_probabilities[i, t]),
                "rank": int(lens.ranks[i, t]) if t < seq - 1 else None,
                "probability": _plain(lens.probabilities[i, t]) if t < seq - 1 else None,
            }
            for t in range(seq)
        ]
        for i in range(n_layers)
    ]


def _losses(look: Look, tokenizer: TextTokenizer) -> dict[str, Any]:
    losses = _plain(look.token_losses)
    positions = [
        {
            "loss": losses[t] if t < len(losses) else None,
            "entropy": _plain(look.entropy[t]),
            "top": _candidates(tokenizer, look.top_token_ids[t], look.top_probabilities[t]),
        }
        for t in range(len(look.token_ids))
    ]
    return {"positions": positions, "mean_loss": _plain(look.token_losses.mean()) if len(losses) else None}


def _candidates(tokenizer: TextTokenizer, ids: torch.Tensor, probabilities: torch.Tensor) -> list[dict[str, Any]]:
    return [
        {**_token(tokenizer, token), "probability": probability}
        for token, probability in zip(ids.tolist(), probabilities.tolist(), strict=True)
    ]


def _neighbors(tokenizer: TextTokenizer, token: int, found: list[tuple[int, float]]) -> dict[str, Any]:
    close = [{**_token(tokenizer, other), "similarity": cosine} for other, cosine in found]
    return {"token": _token(tokenizer, token), "neighbors": close}


def _map(found: EmbeddingMap, prompt: set[int], tokenizer: TextTokenizer) -> dict[str, Any]:
    points = [
        {**_token(tokenizer, token), "x": x, "y": y, "in_prompt": token in prompt}
        for token, (x, y) in zip(found.token_ids, found.coordinates.tolist(), strict=True)
    ]
    return {"points": points, "explained": list(found.explained)}


def _token(tokenizer: TextTokenizer, token: int) -> dict[str, Any]:
    return {"token_id": token, "text": token_text(tokenizer, token)}


def _plain(value: Any) -> Any:
    """A tensor as numbers and lists. NaN and infinity get their names where an answer is checked, by ``Number``."""
    return value.tolist() if isinstance(value, torch.Tensor) else value
