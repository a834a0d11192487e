"""What ``lab.inspection.internals`` found, drawn: each function takes numbers and returns a matplotlib figure,
which ``save`` saves.

matplotlib is an extra (``pip install matplotlib``) and imported only when something is drawn. The figures are made
without pyplot, so that nothing global is left behind, and one at a time, so that a server may draw from several
threads. Colours come from maps that read the same with any colour vision: viridis for amounts, purple to orange
around zero for changes.

``words`` are the texts of the prompt's tokens; ``name`` gives the text of any token id.
"""

import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lab.files import atomic
from lab.inspection.internals import NEAR_ZERO, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW = 16
"""Tokens side by side where each is written out."""
_SHOWN = 64
"""Where each token is written out, the last so many of a longer prompt are drawn: a figure has to fit on a screen."""
_SIDE = 256
"""Points along the edge of one head's square, at most."""
_MAP, _BLANK = "viridis", "#eeeeee"
_DARK = 0.6
"""Below this part of the colour scale, letters are white."""
_STYLE: Any = {
    "text.parse_math": False,  # a dollar sign in a prompt is a dollar sign
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "svg.hashsalt": "lab",  # the same figure gives the same file
}

_ONE_AT_A_TIME = threading.Lock()  # matplotlib's settings belong to the process


def save(draw: Callable[[], "Figure"], path: Path) -> None:
    """Writes the figure that ``draw`` makes to ``path``, atomically; its ending, .png or .svg, decides the format.

    Raises:
        ImportError: if matplotlib is not installed.
        OSError: if the file cannot be written.
    """
    import matplotlib

    kind = path.suffix.removeprefix(".")
    with _ONE_AT_A_TIME, matplotlib.rc_context(_STYLE):
        figure = draw()
        with atomic.writing(path) as file:
            figure.savefig(file, format=kind, dpi=130, metadata={"Date": None} if kind == "svg" else None)


def visible(text: str, longest: int = 12) -> str:
    """A token's text for a figure: blanks can be seen, and what the font lacks becomes a box."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    shown = text.replace(" ", "·").replace("\n", "↵").replace("\t", "→")
    shown = "".join(c if c.isprintable() and font.get_char_index(ord(c)) else "□" for c in shown)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def attention(seen: Look, words: Sequence[str]) -> "Figure":
    """All heads of all layers as one picture: row of a square = who looks, column = at whom."""
    layers, heads, seq, _ = seen.attention.shape
    # Of a long prompt, each point shows the largest of several weights: a mean would wash out the thin lines.
    side = min(seq, _SIDE)
    squares = torch.nn.functional.adaptive_max_pool2d(seen.attention.float(), side)  # (L, H, side, side)
    gap = max(1, side // 10)
    step = side + gap
    # One image for all squares: a figure of its own for each of 384 heads would take minutes to draw.
    mosaic = torch.full((layers * step - gap, heads * step - gap), math.nan)
    past = torch.ones(side, side, dtype=torch.bool).tril()
    for layer in range(layers):
        for head in range(heads):
            square = squares[layer, head].masked_fill(~past, math.nan)
            mosaic[layer * step : layer * step + side, head * step : head * step + side] = square
    inches = min(3.2, max(1.0, 13 / heads), 40 / layers)
    points = min(9.0, 0.8 * 72 * inches / step)  # the size of letters that fits a row
    labelled = points >= 4.5 and side == seq
    figure, (axes,) = _figure(max(7.6, heads * inches + 2.0), max(2.6, layers * inches + 1.3))
    image = axes.imshow(mosaic.numpy(), cmap=_map(), norm=_root_scale(), aspect="equal", interpolation="nearest")
    told = "Attention: how much each token (row) takes from itself and the tokens before it (column)"
    figure.suptitle(told, x=0.01, ha="left", fontsize=11)
    middle = (side - 1) / 2
    across = [head * step + middle for head in range(heads)]
    down = [layer * step + middle for layer in range(layers)]
    if labelled:
        rows = [visible(word, 9) for word in words]
        axes.set_yticks([n * step + i for n in range(layers) for i in range(seq)], rows * layers, fontsize=points)
        axes.set_xticks([n * step + i for n in range(heads) for i in range(seq)], rows * heads, fontsize=points)
        axes.tick_params(axis="x", rotation=90)
        axes.tick_params(length=0, pad=1)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel(f"in each square, from left to right: the token looked at, position 0 to {seq - 1}")
        axes.set_ylabel(f"from top to bottom: the token that looks, 0 to {seq - 1}")
    named = {"length": 0, "labelsize": 9}
    top = axes.secondary_xaxis("top")
    top.set_xticks(across, [f"head {head}" for head in range(heads)])
    top.tick_params(**named)
    right = axes.secondary_yaxis("right")
    right.set_yticks(down, [f"layer {layer}" for layer in range(layers)], rotation=90, va="center")
    right.tick_params(**named)
    for edge in [*axes.spines.values(), *top.spines.values(), *right.spines.values()]:
        edge.set_visible(False)
    _scale(figure, image, "attention weight (each row sums to 1)")
    return figure


def residual_norms(seen: Look, words: Sequence[str]) -> "Figure":
    """A line for each depth: how long the vector of each token has become."""
    depths, seq = seen.residual_norms.shape
    figure, (axes,) = _figure(max(7.0, min(14.0, 2.5 + 0.28 * seq)), 4.2)
    for depth, norms in enumerate(seen.residual_norms.tolist()):
        label = "embedding" if depth == 0 else f"after layer {depth - 1}"
        colour, marker = _map()(0.95 * depth / max(1, depths - 1)), "o" if seq <= _SHOWN else None
        axes.plot(norms, color=colour, marker=marker, markersize=3, label=label)
    axes.set_title("The residual stream grows: every layer adds to each token's vector")
    axes.set_ylabel("length of the vector (Euclidean norm)")
    _positions(axes, words)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    # The deepest line lies on top in the plot, so it stands on top here.
    figure.legend(handles[::-1], labels[::-1], loc="outside right center", frameon=False, ncols=1 + depths // 20)
    return figure


def activations(seen: Look) -> "Figure":
    """Histograms of the numbers in each layer, with their statistics."""
    parts = {
        "residual": "residual stream after the layer",
        "attention": "what attention adds",
        "feed_forward": "feed-forward units (after GELU)",
    }
    figure, grid = _figure(13, 1.0 + 1.7 * len(seen.layers), len(seen.layers), len(parts))
    for index, axes in enumerate(grid):
        number, (part, title) = index // len(parts), list(parts.items())[index % len(parts)]
        layer = seen.layers[number]
        found = getattr(layer, part)
        axes.stairs(found.counts.numpy(), found.edges.numpy(), fill=True, color=_map()(0.35))
        axes.set_yscale("symlog", linthresh=1)  # a few extreme values matter, and zero counts must stay possible
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
        facts = f"mean {found.mean:.2g}, deviation {found.std:.2g}, {found.sparsity:.1%} near zero"
        if part == "feed_forward":
            facts += f"\n{len(layer.dead_units):,} of {layer.n_units:,} units silent"
        axes.set_title(facts, fontsize=8, color="#333333")
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
        if index % len(parts) == 0:
            axes.set_ylabel(f"layer {number}\nhow many values")
        if number == len(seen.layers) - 1:
            axes.set_xlabel(title)
    figure.suptitle(
        f"Activations in each layer, over this prompt (near zero: below {NEAR_ZERO:g}; "
        "silent: near zero at every token of this prompt)",
        x=0.01,
        ha="left",
        fontsize=11,
    )
    return figure


def logit_lens(seen: Look, words: Sequence[str], name: Callable[[int], str]) -> "Figure":
    """What each layer would say next. Colour: the probability of the token that came; word: the likeliest one."""
    guesses = seen.logit_lens.top_token_ids[:, :, 0]  # (L, T)
    layers, seq = guesses.shape
    nothing = torch.full((layers, 1), math.nan)
    shares = torch.cat([seen.logit_lens.probabilities.float(), nothing], dim=1)  # the last token has no successor yet
    first, pieces = _rows(seq)
    width = max(4, len(pieces[0]))
    figure, grid = _figure(2.2 + 0.82 * width, 1.0 + len(pieces) * (0.28 * layers + 0.95), len(pieces), 1)
    norm = _root_scale()
    for axes, piece in zip(grid, pieces, strict=True):
        image = axes.imshow(shares[:, piece].numpy(), cmap=_map(), norm=norm, aspect="auto", origin="lower")
        for layer in range(layers):
            for column, position in enumerate(piece):
                guess = int(guesses[layer, position])
                right = position + 1 < seq and guess == int(seen.token_ids[position + 1])
                share = float(shares[layer, position])
                dark = math.isfinite(share) and norm(share) < _DARK
                axes.text(
                    column,
                    layer,
                    visible(name(guess), 9),
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    fontweight="bold" if right else "normal",
                    color="white" if dark else "black",
                )
        axes.set_yticks(range(layers), [f"layer {layer}" for layer in range(layers)])
        axes.set_xticks(range(len(piece)), [visible(words[p], 9) for p in piece], fontsize=8)
        axes.set_xlim(-0.5, width - 0.5)
        above = axes.secondary_xaxis("top")
        after = [visible(words[p + 1], 9) if p + 1 < seq else "?" for p in piece]
        above.set_xticks(range(len(piece)), after, fontsize=8, color="#555555")
        for side in (axes, above):
            side.tick_params(length=0)
        _bare(axes, above)
    grid[-1].set_xlabel("below each block: the token that was read; above it: the one that came next")
    figure.suptitle(
        f"Logit lens: the likeliest next token at each depth, bold if right{_part(first, seq)}", x=0.01, ha="left"
    )
    _scale(figure, image, "probability of the token that came")
    return figure


def token_losses(seen: Look, words: Sequence[str]) -> "Figure":
    """A bar over each token of the text: how much it surprised the model."""
    seq = len(words)
    losses = [math.nan, *seen.token_losses.tolist()]
    first, pieces = _rows(seq)
    width = max(4, len(pieces[0]))
    highest = max([loss for loss in losses if math.isfinite(loss)], default=1.0) or 1.0
    figure, grid = _figure(1.6 + 0.78 * width, 0.9 + 1.55 * len(pieces), len(pieces), 1)
    for axes, piece in zip(grid, pieces, strict=True):
        heights = [losses[p] if math.isfinite(losses[p]) else 0.0 for p in piece]
        bars = axes.bar(range(len(piece)), heights, width=0.75, color=[_map()(0.95 * h / highest) for h in heights])
        axes.bar_label(bars, [f"{losses[p]:.1f}" if math.isfinite(losses[p]) else "–" for p in piece], fontsize=7.5)
        axes.set_xticks(range(len(piece)), [visible(words[p], 10) for p in piece], fontsize=9)
        axes.set_xlim(-0.5, width - 0.5)
        axes.set_ylim(0, 1.18 * highest)
        axes.set_ylabel("loss (nats)")
        axes.tick_params(axis="x", length=0)
        axes.spines[["top", "right"]].set_visible(False)
    mean = sum(losses[1:]) / max(1, seq - 1)
    told = f"mean {mean:.2f} nats" if seq > 1 else "nothing predicts the first token"
    figure.suptitle(
        f"Surprise: the loss at each token of the text ({told}){_part(first, seq)}", x=0.01, ha="left", fontsize=11
    )
    return figure


def head_ablation(changes: Tensor) -> "Figure":
    """The change in loss, ``(L, n_heads)``, without each head."""
    layers, heads = changes.shape
    furthest = float(changes.nan_to_num(0.0, 0.0, 0.0).abs().max()) or 1.0
    digits = min(6, max(2, 2 - math.floor(math.log10(furthest))))
    figure, (axes,) = _figure(max(7.4, 2.6 + 0.72 * heads), max(2.6, 1.6 + 0.42 * layers))
    image = axes.imshow(changes.numpy(), cmap="PuOr_r", vmin=-furthest, vmax=furthest, aspect="auto")
    for layer in range(layers):
        for head in range(heads):
            change = float(changes[layer, head])
            axes.text(
                head,
                layer,
                f"{change:+.{digits}f}" if math.isfinite(change) else "–",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if abs(change) > 0.6 * furthest else "black",
            )
    axes.set_xticks(range(heads), [str(head) for head in range(heads)])
    axes.set_yticks(range(layers), [str(layer) for layer in range(layers)])
    axes.set_xlabel("head")
    axes.set_ylabel("layer")
    axes.set_title("What each head is worth: the change in loss without it")
    axes.tick_params(length=0)
    _bare(axes)
    _scale(figure, image, "nats a token\n(positive: the head helps)")
    return figure


def neighbors(found: dict[int, list[tuple[int, float]]], name: Callable[[int], str]) -> "Figure":
    """A line for each token: the tokens with the most similar embeddings, nearest first."""
    rows = [(token, near[:8]) for token, near in list(found.items())[-_SHOWN:]]
    columns = max((len(near) for _, near in rows), default=0)
    figure, (axes,) = _figure(2.2 + 1.35 * max(3, columns), 1.2 + 0.27 * len(rows))
    similar = torch.full((len(rows), max(1, columns)), math.nan)
    for row, (_, near) in enumerate(rows):
        for column, (token, cosine) in enumerate(near):
            similar[row, column] = cosine
            axes.text(
                column,
                row,
                f"{visible(name(token))}  {cosine:.2f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if cosine < _DARK else "black",
            )
    image = axes.imshow(similar.numpy(), cmap=_map(), vmin=0, vmax=1, aspect="auto")
    axes.set_yticks(range(len(rows)), [visible(name(token)) for token, _ in rows])
    axes.set_xticks(range(columns), [str(column + 1) for column in range(columns)])
    axes.set_xlabel("nearest, second nearest, ...")
    axes.set_title("Neighbours: the tokens with the most similar embeddings")
    axes.tick_params(length=0)
    _bare(axes)
    _scale(figure, image, "cosine similarity")
    return figure


def _figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple["Figure", list[Any]]:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=0.07, w_pad=0.07))
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def _scale(figure: "Figure", image: Any, label: str) -> None:
    """A colour bar of a handy size, however tall the figure."""
    shrink = min(1.0, 5 / figure.get_figheight())
    figure.colorbar(image, ax=figure.axes, label=label, shrink=shrink, aspect=24, anchor=(0, 1))


def _map() -> Any:
    import matplotlib

    return matplotlib.colormaps[_MAP].with_extremes(bad=_BLANK)


def _root_scale() -> Any:
    """0 to 1, with more of the colours for small shares: most weights and probabilities are."""
    from matplotlib.colors import PowerNorm

    return PowerNorm(0.5, vmin=0, vmax=1)


def _positions(axes: Any, words: Sequence[str]) -> None:
    if len(words) <= _SHOWN:
        axes.set_xticks(range(len(words)), [visible(word) for word in words], rotation=90, fontsize=8)
        axes.set_xlabel("token")
    else:
        axes.set_xlabel("position in the prompt")


def _rows(seq: int) -> tuple[int, list[range]]:
    """The first position that is drawn, and the positions in rows of nearly the same length."""
    first = max(0, seq - _SHOWN)
    length = math.ceil((seq - first) / math.ceil((seq - first) / _ROW))
    return first, [range(at, min(at + length, seq)) for at in range(first, seq, length)]


def _bare(*axes: Any) -> None:
    for one in axes:
        for edge in one.spines.values():
            edge.set_visible(False)


def _part(first: int, seq: int) -> str:
    return f", the last {seq - first} of {seq} tokens" if first else ""
