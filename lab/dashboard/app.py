"""The server, put together.

A route lives in a module of ``api/`` with a ``router``, which is added to ``_ROUTERS``. It is given what it needs by
``api/dependencies.py``, from ``app.state``: ``settings``, ``runs``, ``jobs``, ``catalogue``, ``inference``. What goes
wrong it raises as ``ApiError``.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

import lab
from lab.dashboard import http_errors
from lab.dashboard.api import (
    comparison,
    config,
    decoder,
    docs,
    gpt2,
    health,
    lists,
    models,
    page,
    runs,
    trainings,
    yardsticks,
)
from lab.dashboard.api.security import Guard
from lab.dashboard.live import websocket
from lab.dashboard.live.messages import ClientMessage, ServerMessage
from lab.dashboard.live.watch import Watch
from lab.dashboard.settings import Settings
from lab.dashboard.store.run_folders import Runs
from lab.dashboard.trainings.catalogue import Catalogue
from lab.dashboard.trainings.processes import Jobs
from lab.dashboard.worker.client import Inference

_ROUTERS = [
    health.router,
    lists.router,  # before the runs, whose ids could be any word
    runs.router,
    yardsticks.router,
    comparison.router,
    trainings.router,
    config.router,
    models.router,
    decoder.router,
    gpt2.router,
    websocket.router,
    docs.router,
    page.router,  # the last one: it answers every other address with the page
]


_MESSAGES: dict[str, Any] = {"ServerMessage": ServerMessage, "ClientMessage": ClientMessage}


def create_app(settings: Settings) -> FastAPI:
    """The whole server for ``settings``, guarded, ready to be served."""
    app = FastAPI(
        title="gpt-lab",
        version=lab.__version__,
        description=__doc__.splitlines()[0] if __doc__ else "",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=http_errors.RESPONSES,
    )
    state = app.state
    state.settings = settings
    state.runs = Runs(settings)
    state.jobs = Jobs(settings, state.runs)
    state.catalogue = Catalogue(state.runs, state.jobs, settings.own)
    state.watch = Watch(state.runs, state.catalogue)
    state.inference = Inference(settings)
    state.clients = 0
    http_errors.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    app.openapi = lambda: _schema(app)  # type: ignore[method-assign]
    app.add_middleware(Guard, settings=settings)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await app.state.watch.start()
    app.state.jobs.start()
    app.state.inference.start()
    yield
    app.state.jobs.stop()
    app.state.inference.stop()
    await app.state.watch.stop()
    app.state.catalogue.close()


def _schema(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI schema, and in it the messages of the WebSocket, for which OpenAPI has no place of its own."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        components = schema["components"]["schemas"]
        for name, kind in _MESSAGES.items():
            found = TypeAdapter(kind).json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
            for inner, definition in found.pop("$defs", {}).items():
                components.setdefault(inner, definition)
            components[name] = found
        app.openapi_schema = schema
    return app.openapi_schema
