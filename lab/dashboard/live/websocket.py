"""Live: everything that the runs log, to everybody who watches.

Nobody queues anything for a client. Each has its own place in each log, and is sent what lies behind it as fast as it
takes it. A client that has fallen too far behind is told so and skips ahead; it holds up neither the others nor a
training, and costs no memory. One that comes back says what it has, and gets exactly the rest.
"""

import asyncio
import contextlib
import json
import logging

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from starlette.types import Message

import lab
from lab.dashboard import request_json
from lab.dashboard.http_errors import ApiError
from lab.dashboard.live.messages import Gap, Hello, ListChanged, RunChanged, RunRemoved, Since, Snapshot
from lab.dashboard.live.watch import Watch
from lab.dashboard.schemas import Model, RunSummary

router = APIRouter()

_BATCH = 256
"""Events in a message."""
_TOO_FAR = 4096
"""Events that a client may be behind before it skips ahead."""
_PATIENCE = 30.0
"""Seconds that a client may take for one message."""
_FIRST_WORD = 5.0
"""Seconds to wait for a client's first word before it is sent what comes from now on."""
_SILENCE = 20.0
"""Seconds without a change after which the bell is looked at anyway."""


@router.websocket("/api/ws")
async def live(socket: WebSocket) -> None:
    """Hello, snapshot, and from then on what happens. The client begins with a ``Since``."""
    app = socket.app
    if app.state.clients >= app.state.settings.max_clients:
        await socket.close(1013, "too many clients")
        return
    app.state.clients += 1
    code = 1000
    try:
        await socket.accept()
        client = _Client(socket, app.state.watch)
        await client.serve()
    except _Gibberish:
        code = 1003
    except (WebSocketDisconnect, TimeoutError, RuntimeError):
        pass  # it is gone, or as good as gone
    except Exception:
        logging.getLogger("lab.dashboard").exception("a WebSocket client")
    finally:
        app.state.clients -= 1
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(code)


class _Gibberish(Exception):
    """A client has said something that is no message."""


class _Client:
    def __init__(self, socket: WebSocket, watch: Watch) -> None:
        self.socket = socket
        self.watch = watch
        self.places = dict(watch.seqs)
        """The number of the last event that was sent, for each run."""
        self.asked: dict[str, int] = {}
        """Runs that are being sent from an earlier place, as asked for, up to this number: there, being behind is no
        fault."""
        self.known: dict[str, RunSummary] = {}
        """The runs as it was told of them last."""
        self.shown: set[str] | None = None
        """Of which it wants to be told; None: of all."""
        self.shape = watch.shape
        self.words = asyncio.Event()

    async def serve(self) -> None:
        await self._send(Hello(type="hello", version=lab.__version__, runs=self.places))
        with contextlib.suppress(TimeoutError):
            self._since(await asyncio.wait_for(self.socket.receive(), _FIRST_WORD))
        self.known, self.shape = self._wanted(), self.watch.shape
        await self._send(Snapshot(type="snapshot", runs=list(self.known.values())))
        listening = asyncio.create_task(self._listen())
        try:
            while not listening.done():
                ring = asyncio.create_task(self.watch.bell.wait())
                word = asyncio.create_task(self.words.wait())
                self.words.clear()
                if not await self._tell():
                    await asyncio.wait({ring, word, listening}, timeout=_SILENCE, return_when=asyncio.FIRST_COMPLETED)
                ring.cancel()
                word.cancel()
            await listening  # raises what ended it
        finally:
            listening.cancel()

    async def _listen(self) -> None:
        while True:
            self._since(await self.socket.receive())
            self.words.set()

    def _since(self, message: Message) -> None:
        try:
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code") or 1005)
            wanted = Since.model_validate(request_json.parse(message.get("text") or ""))
        except (ApiError, ValidationError):
            raise _Gibberish from None
        for run_id, seq in wanted.runs.items():
            self.places[run_id] = seq
            self.asked[run_id] = self.watch.seqs.get(run_id, -1)
        if wanted.shown is not None:
            self.shown = set(wanted.shown)
            self.known = {run_id: run for run_id, run in self.known.items() if run_id in self.shown}

    def _wanted(self) -> dict[str, RunSummary]:
        every = self.watch.summaries
        return dict(every) if self.shown is None else {run: every[run] for run in self.shown if run in every}

    async def _tell(self) -> bool:
        """Sends what is new; returns whether there was so much that there may be more."""
        for run_id, summary in self._wanted().items():
            known = self.known.get(run_id)
            if known is not summary and known != summary:  # the same object, of thousands that nothing happened to
                self.known[run_id] = summary
                await self._send(RunChanged(type="run", run=summary))
        for run_id in [known for known in self.known if known not in self.watch.summaries]:
            del self.known[run_id]
            await self._send(RunRemoved(type="removed", run=run_id))
        if self.shown is not None and self.shape != self.watch.shape:
            self.shape = self.watch.shape
            await self._send(ListChanged(type="list", total=len(self.watch.summaries)))
        more = False
        for run_id, seq in list(self.watch.seqs.items()):
            place = self.places.setdefault(run_id, -1)
            if seq <= place:
                continue
            if seq - place > _TOO_FAR and place >= self.asked.get(run_id, -1):
                self.places[run_id] = seq
                await self._send(Gap(type="gap", run=run_id, after=place, upto=seq))
                continue
            lines = await asyncio.to_thread(self.watch.lines, run_id, place, _BATCH)
            if lines:
                self.places[run_id] = lines[-1].seq
                # The lines are JSON already: they go out as they stand in the log.
                events = ",".join(line.text for line in lines)
                await self._send_text(f'{{"type":"events","run":{json.dumps(run_id)},"events":[{events}]}}')
            more = more or len(lines) == _BATCH
        return more

    async def _send(self, message: Model) -> None:
        await self._send_text(message.model_dump_json())

    async def _send_text(self, text: str) -> None:
        await asyncio.wait_for(self.socket.send_text(text), _PATIENCE)
