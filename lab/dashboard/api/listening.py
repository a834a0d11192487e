"""Answers for somebody who may leave before they are there: who flips through tabs asks for more than is looked at."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from lab.dashboard.http_errors import ApiError

T = TypeVar("T")


async def while_heard(request: Request, answer: Coroutine[Any, Any, T]) -> T:
    """What ``answer`` comes to. Once the connection of ``request`` is closed, it is cancelled: nobody waits for it.

    Raises:
        ApiError: as ``answer``; or if whoever asked has left.
    """
    working, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ApiError(503, "whoever asked for this has left")
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
