"""What commands print alike: figures in columns, and how far a long piece of work has come."""

import codecs
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lab.files import strict_json

_SECONDS_BETWEEN_LINES = 10.0


def table(title: str, rows: dict[str, str]) -> None:
    """Prints ``rows`` in two columns under a title; plain text, so that it reads the same in a log file. A value of
    several lines stays in its column."""
    width = max(len(name) for name in rows)
    rows = {name: value.replace("\n", "\n" + " " * (width + 4)) for name, value in rows.items()}
    print(f"\n{title}", *(f"  {name:<{width}}  {value}" for name, value in rows.items()), sep="\n", flush=True)


def columns(rows: Sequence[Sequence[str]], numbers: bool = True) -> list[str]:
    """A line for each row, its cells under each other: the first column to the left, the others, if they hold
    ``numbers``, to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if numbers and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def print_json(value: Any, indent: int | None = None) -> None:
    """Prints ``value`` as JSON: readable where the stream is UTF-8, as JSON is; elsewhere in ASCII, with escapes."""
    encoding = sys.stdout.encoding or "utf-8"  # a stream in memory has none
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    print(strict_json.dumps(value, indent=indent, ascii_only=not is_utf8), flush=True)


def duration(seconds: float) -> str:
    """``75`` as ``1:15``, ``3675`` as ``1:01:15``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@contextmanager
def showing(what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """Shows the progress of ``what`` ("scoring") over ``total`` things ("tokens"); call the result with each share.

    On standard error: in a terminal as a bar, elsewhere as a line now and then; with the rate and, unless ``total`` is
    None because nobody knows it, the time left.
    """
    console = Console(stderr=True)
    began = last = time.monotonic()
    done = 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total, rate="")

        def advance(share: int) -> None:
            nonlocal done, last
            done += share
            now = time.monotonic()
            rate = done / max(1e-9, now - began)
            if console.is_terminal:
                bar.update(task, completed=done, rate=f"{rate:,.0f} {unit}/s")
            elif now - last > _SECONDS_BETWEEN_LINES:
                last = now
                so_far, left = f"{done:,}", ""
                if total is not None:
                    so_far, left = f"{done:,}/{total:,}", f"  {duration(max(0, total - done) / rate)} left"
                print(f"{what}  {so_far} {unit}  {rate:,.0f} {unit}/s{left}", file=sys.stderr, flush=True)

        if not console.is_terminal:
            print(what if total is None else f"{what}  {total:,} {unit}", file=sys.stderr, flush=True)
        yield advance
