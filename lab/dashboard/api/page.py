"""The built page."""

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from lab.dashboard.http_errors import ApiError

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).resolve().parents[1] / "static"
"""Where the built page lies."""

_MISSING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>gpt-lab</title>
<body style="font-family: system-ui; max-width: 40rem; margin: 4rem auto; line-height: 1.5; padding: 0 1rem">
<h1>The page is not built yet</h1>
<p>In a clone it has to be built once. Type</p><pre>python -m lab.dashboard.build</pre>
<p>and load this page again. The server works without it: <a href="/api/docs">the API's documentation</a>.</p>"""


_COMING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>gpt-lab</title>
<meta http-equiv="refresh" content="2">
<body style="font-family: system-ui; max-width: 40rem; margin: 4rem auto; line-height: 1.5; padding: 0 1rem">
<h1>The page is being built</h1>
<p>It is loaded again by itself in a moment.</p>"""


@router.get("/{path:path}")
def serve(request: Request, path: str) -> Response:
    """A file of the page; for every other address the page itself, which knows what to show there."""
    if path.startswith("api/"):
        raise ApiError(404, f"there is no /{path}")
    packs = "gzip" in request.headers.get("accept-encoding", "")
    found = _file(path, packs)
    if found is not None:
        return found
    index = _file("index.html", packs)
    if index is not None and path.startswith("assets/"):
        raise ApiError(404, f"there is no /{path}")
    if index is not None:
        return index
    if not STATIC.is_dir():
        return HTMLResponse(_MISSING)
    if path.startswith("assets/"):
        raise ApiError(503, "the page is being built: try again in a moment")
    return HTMLResponse(_COMING, 503)


def _file(path: str, packs: bool) -> Response | None:
    """A file of the page, packed if there is such a one and it may be; None if it is not there, or not any more: who
    builds the page anew takes its files away at any moment."""
    try:
        target = (STATIC / path).resolve()
        if not target.is_relative_to(STATIC.resolve()):
            return None
        packed = target.with_name(f"{target.name}.gz")
        packs = packs and packed.is_file()
        content = (packed if packs else target).read_bytes()
    except (OSError, ValueError):  # a folder; too long, or with a zero byte: no name of a file
        return None
    # Built files carry a hash of their content in their name.
    forever = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
    headers = {"cache-control": forever, "vary": "accept-encoding"}
    if packs:
        headers["content-encoding"] = "gzip"
    return Response(content, media_type=mimetypes.guess_type(target.name)[0], headers=headers)
