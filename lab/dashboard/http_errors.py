"""Everything that can go wrong, in one shape: ``{"error": {"message": "...", "field": "optimizer.lr"}}``."""

import logging
import os
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from lab.errors import LabError
from lab.files.safe_files import readable


class ApiError(Exception):
    """A request that cannot be answered, and why: one sentence, and the field at fault if there is one."""

    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field


class ErrorDetail(BaseModel):
    """What is wrong."""

    message: str = Field(description="One sentence: what is wrong, and what to do.")
    field: str | None = Field(default=None, description="The field or option at fault.")


class ErrorBody(BaseModel):
    """The answer to every request that fails."""

    error: ErrorDetail


RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody, "description": "The request makes no sense."},
    401: {"model": ErrorBody, "description": "The token is missing or wrong."},
    403: {"model": ErrorBody, "description": "The request comes from another site."},
    404: {"model": ErrorBody, "description": "There is no such thing."},
    409: {"model": ErrorBody, "description": "Not in this state."},
    413: {"model": ErrorBody, "description": "Too large."},
    422: {"model": ErrorBody, "description": "A field does not fit."},
    429: {"model": ErrorBody, "description": "Too much at once."},
    503: {"model": ErrorBody, "description": "Not now."},
}
"""For the schema: every route can answer with these."""


def body(message: str, field: str | None = None) -> dict[str, Any]:
    """The shape itself."""
    return {"error": {"message": message, "field": field}}


def install(app: FastAPI) -> None:
    """Makes ``app`` answer in this shape, whatever goes wrong."""

    @app.exception_handler(ApiError)
    def _(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(body(readable(error.message), error.field), error.status)

    @app.exception_handler(LabError)
    def _(_: Request, error: LabError) -> JSONResponse:
        return JSONResponse(body(readable(str(error))), 422)

    @app.exception_handler(RequestValidationError)
    def _(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        # The first part of a place says where in the request it is (body, query, path): not part of the field's name.
        # Where JSON itself is broken, it is a place in the text.
        named = first["type"] != "json_invalid"
        field = (".".join(str(part) for part in first["loc"][1:]) or None) if named else None
        what = first["msg"][:1].lower() + first["msg"][1:]
        return JSONResponse(body(f"{field or 'the request'}: {what}", field), 422)

    @app.exception_handler(OSError)
    def _(_: Request, error: OSError) -> JSONResponse:
        # A folder that may not be written to, a full disk, a file that has just been deleted.
        logging.getLogger("lab.dashboard").warning("%s", error)
        named = readable(os.fsdecode(error.filename)) if error.filename is not None else "the file system"
        return JSONResponse(body(f"{named}: {(error.strerror or 'it cannot be used').lower()}"), 503)

    @app.exception_handler(HTTPException)
    def _(request: Request, error: HTTPException) -> JSONResponse:
        words = {404: f"there is no {request.url.path}", 405: f"{request.url.path} does not know {request.method}"}
        message = words.get(error.status_code, str(error.detail))
        return JSONResponse(body(message), error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    def _(request: Request, error: Exception) -> JSONResponse:
        logging.getLogger("lab.dashboard").exception("%s %s", request.method, request.url.path, exc_info=error)
        return JSONResponse(body("this is a bug in the server: its own output says more"), 500)
