"""The built page."""

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from lab.dashboard.http_errors import ApiError

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).resolve().parents[1] / "static"
"""Where the built page lies."""

_MISSING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>gpt-lab</title>
<body style="font-family: system-ui; max-width: 40rem; margin: 4rem auto; line-height: 1.5; padding: 0 1rem">
<h1>The page is not built yet</h1>
<p>In a clone it has to be built once. Type</p><pre>python -m lab.dashboard.build</pre>
<p>and load this page again. The server works without it: <a href="/api/docs">the API's documentation</a>.</p>"""


@router.get("/{path:path}")
def serve(request: Request, path: str) -> Response:
    """A file of the page; for every other address the page itself, which knows what to show there."""
    if path.startswith("api/"):
        raise ApiError(404, f"there is no /{path}")
    if not (STATIC / "index.html").is_file():
        return HTMLResponse(_MISSING)
    try:
        target = (STATIC / path).resolve()
        is_file = bool(path) and target.is_file() and target.is_relative_to(STATIC)
    except (OSError, ValueError):  # too long, or with a zero byte: no name of a file
        is_file = False
    if is_file:
        # Built files carry a hash of their content in their name.
        forever = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
        headers = {"cache-control": forever, "vary": "accept-encoding"}
        packed = target.with_name(f"{target.name}.gz")
        if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
            kind, _ = mimetypes.guess_type(target.name)
            return FileResponse(packed, media_type=kind, headers=headers | {"content-encoding": "gzip"})
        return FileResponse(target, headers=headers)
    if path.startswith("assets/"):
        raise ApiError(404, f"there is no /{path}")
    return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})
