"""Who may ask: the person at this machine, through a page of this server or a script with the token.

A server on 127.0.0.1 can be reached by every web page in the browser next to it. Three kinds of attack follow, and each
has its check here, before anything else looks at a request:

- *DNS rebinding*: a page's own name is made to point to 127.0.0.1. The Host header still has that name.
- *Cross-site requests*: another page sends requests here, with this browser's cookies. Its name is in Origin and in
  Sec-Fetch-Site; the cookie is SameSite=Strict; and a write needs a header that no form can send.
- *Other users of this machine* can reach the port, too: without the token, nothing but the health is answered.
"""

import asyncio
import hmac
import json
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.dashboard import request_json
from lab.dashboard.http_errors import ApiError, body
from lab.dashboard.settings import Settings

WRITE_HEADER = "x-lab"
OPEN_PATHS = ("/api/health",)
UPLOAD_PATH = "/api/corpora"
_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_PATIENCE = 30.0
"""Seconds in which a request's body must have arrived."""

_HEADERS = {
    # Styles inline, because the component library sets them so; scripts only from here, never inline.
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """ASGI middleware, for HTTP and WebSocket alike.

    Args:
        app: what is guarded.
        settings: host, port, token and caps.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.answering = 0
        names = {"localhost", "127.0.0.1", "[::1]"}
        if settings.host not in ("0.0.0.0", "::"):
            names.add(f"[{settings.host}]" if ":" in settings.host else settings.host.lower())
        self.any_host = settings.host in ("0.0.0.0", "::")
        self.hosts = {f"{name}:{settings.port}" for name in names} | (names if settings.port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        send = _with_headers(send)
        try:
            headers = Headers(scope=scope)
            self._check_sender(headers, scope)
            if scope["type"] == "http" and await self._welcomed(headers, scope, send):
                return
            self._check_token(headers, scope)
            if scope["type"] == "websocket":
                await self.app(scope, receive, send)
                return
            self._check_write(headers, scope)
            if self.answering >= self.settings.max_requests:
                raise ApiError(503, f"{self.answering} requests are being answered already: try again in a moment")
            self.answering += 1
            try:
                await self.app(scope, await self._read(headers, scope, receive), send)
            finally:
                self.answering -= 1
        except ApiError as refused:
            await _refuse(scope, receive, send, refused)

    def _check_sender(self, headers: Headers, scope: Scope) -> None:
        hosts = headers.getlist("host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if not (host in self.hosts or (self.any_host and _is_address(host))):
            raise ApiError(403, "this server answers to its own address only: open the link that it printed")
        origins = headers.getlist("origin")
        if origins and (len(origins) > 1 or origins[0].lower() not in (f"http://{host}", f"https://{host}")):
            raise ApiError(403, "requests from other sites are refused")
        # A link followed from elsewhere is harmless: it only shows the page, and the cookie does not come along.
        followed = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not followed:
            raise ApiError(403, "requests from other sites are refused")

    async def _welcomed(self, headers: Headers, scope: Scope, send: Send) -> bool:
        """Turns the token in the printed link into a cookie, and takes it out of the address."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == "token"]
        if scope["method"] != "GET" or scope["path"].startswith("/api/") or not given:
            return False
        if not _is_token(given[0], self.settings):
            if "text/html" in headers.get("accept", ""):
                return False  # the page says it, and asks for the right one
            raise ApiError(401, "the token in this link is not this server's: open the link that it printed")
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # A path that begins with two slashes would be another server's address.
        place = quote("/" + scope["path"].lstrip("/\\")) + (f"?{rest}" if rest else "")
        cookie = f"{_cookie(self.settings)}={self.settings.token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"
        answer = [(b"location", place.encode()), (b"set-cookie", cookie.encode())]
        await send({"type": "http.response.start", "status": 303, "headers": answer})
        await send({"type": "http.response.body", "body": b""})
        return True

    def _check_token(self, headers: Headers, scope: Scope) -> None:
        path = scope["path"]
        # The page itself holds nothing worth hiding; without the token it says how to come by it.
        if path in OPEN_PATHS or not path.startswith("/api/"):
            return
        if token_in(headers, self.settings) != "right":
            raise ApiError(
                401, "the token is missing or wrong: open the link that the server printed, or send it as Bearer"
            )

    def _check_write(self, headers: Headers, scope: Scope) -> None:
        if scope["method"] not in _WRITES:
            return
        if headers.get(WRITE_HEADER) != "1":
            raise ApiError(403, "a request that changes something needs the header X-Lab: 1")
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if has_body and kind != "application/json":
            raise ApiError(415, "a request with a body needs Content-Type: application/json")

    async def _read(self, headers: Headers, scope: Scope, receive: Receive) -> Receive:
        """Reads the body up to its cap, and returns a channel that hands it out again."""
        limit = self.settings.max_upload if scope["path"] == UPLOAD_PATH else self.settings.max_body
        too_large = ApiError(413, f"the body of this request is larger than {limit:,} bytes")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 20 or int(length) > limit:
            raise too_large
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(_PATIENCE):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        break
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > limit:
                        raise too_large
                    more = message.get("more_body", False)
        except TimeoutError:
            raise ApiError(408, f"the body of this request did not arrive within {_PATIENCE:g} seconds") from None
        content = b"".join(parts)
        if content and scope["method"] in _WRITES:
            request_json.parse(content)
        whole: Message | None = {"type": "http.request", "body": content, "more_body": False}

        async def again() -> Message:
            nonlocal whole
            if whole is None:
                return await receive()  # only the end of the connection is still to come
            message, whole = whole, None
            return message

        return again


def token_in(headers: Headers, settings: Settings) -> Literal["right", "wrong", "missing"]:
    """Whether a request comes with the token, as a cookie or as Bearer."""
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    given = [bearer.strip()] if kind.lower() == "bearer" else []
    given += [value for value in [cookie_parser(headers.get("cookie", "")).get(_cookie(settings))] if value]
    if any(_is_token(one, settings) for one in given):
        return "right"
    return "wrong" if given else "missing"


def _is_token(given: str, settings: Settings) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), settings.token.encode())


def _cookie(settings: Settings) -> str:
    # Cookies know no ports: two servers on one machine would take each other's.
    return f"lab_token_{settings.port}"


def _is_address(host: str) -> bool:
    """Is it a bare address and not a name? A name can be pointed anywhere by whoever owns it; an address cannot."""
    name = host.rpartition(":")[0] if not host.endswith("]") else host
    return name == "localhost" or name.startswith("[") or name.replace(".", "").isdecimal()


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


async def _refuse(scope: Scope, receive: Receive, send: Send, refused: ApiError) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4401 if refused.status == 401 else 4403})
        return
    content = json.dumps(body(refused.message, refused.field)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    if refused.status in (408, 413):
        headers.append((b"connection", b"close"))  # the rest of the body is not wanted
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
