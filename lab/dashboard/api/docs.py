"""The API's documentation at /api/docs: Swagger UI, with its files from an installed package."""

from importlib.resources import as_file, files

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

from lab.dashboard.http_errors import ApiError

router = APIRouter(include_in_schema=False)

# The package replaces FastAPI's own pages by its own, with scripts inside them; of it, only the two files are wanted.
_FILES = files("fastapi_offline") / "static"
_SERVED = ("swagger-ui.css", "swagger-ui-bundle.js")

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>gpt-lab: API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css"><div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script><script src="/api/docs/start.js"></script>
"""

# A file of its own, because the content security policy allows no script inside a page.
_START = """SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#docs",
  requestInterceptor: (request) => ({ ...request, headers: { ...request.headers, "X-Lab": "1" } }),
});
"""


@router.get("/api/docs")
def page() -> HTMLResponse:
    """Every route with its fields, to read and to try."""
    return HTMLResponse(_PAGE)


@router.get("/api/docs/{name}")
def file(name: str) -> Response:
    """One of its files."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _SERVED:
        raise ApiError(404, f"there is no /api/docs/{name[:60]}")
    with as_file(_FILES / name) as path:
        return FileResponse(path)
