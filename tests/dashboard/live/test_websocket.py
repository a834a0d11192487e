"""What is told live: everything that stands in the log, to whoever listens."""

import asyncio
import json
import socket as socket_
from typing import Any

import httpx
import pytest
from support.server import Server, folder_of, in_state, talk, train, write_run

from lab.files.run_files import EVENTS_FILE
from lab.runs import events


def test_what_is_said_live_is_what_stands_in_the_log(server: Server, client: httpx.Client) -> None:
    """From the first event on, over a connection that breaks in the middle and comes back: no gap, no double."""
    run_id = train(client, **{"trainer.max_steps": 150, "eval_every": 20})

    async def listen(since: int, enough: int | None) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        async with server.socket() as socket:
            assert json.loads(await socket.recv())["type"] == "hello"
            await socket.send(json.dumps({"type": "since", "runs": {run_id: since}}))
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == "events" and message["run"] == run_id:
                    told += message["events"]
                    if enough is not None and len(told) >= enough:
                        return told
                if told and told[-1]["kind"] == "state" and told[-1]["state"] == "finished":
                    return told

    first = talk(listen(-1, 40))
    rest = talk(listen(first[-1]["seq"], None))
    in_state(client, run_id, "finished")
    lines = (folder_of(server, client, run_id) / EVENTS_FILE).read_text().splitlines()
    assert first + rest == [json.loads(line) for line in lines]
    page = client.get(f"/api/runs/{run_id}/events", params={"after": 10, "limit": 5}).json()
    assert page["events"] == [json.loads(line) for line in lines][11:16]
    assert page["more"] is True


def test_numbers_that_json_has_no_word_for_arrive_by_name(server: Server, client: httpx.Client) -> None:
    folder = server.root / "outputs" / "odd"
    folder.mkdir(parents=True)
    log = events.EventLog(folder)
    for step, value in enumerate([1.0, float("nan"), float("inf"), -float("inf")], start=1):
        log.metrics(step, {"train_loss": value})
    log.close()
    with (folder / EVENTS_FILE).open("a") as file:
        file.write('{"seq": 4, "kind": "metrics", "step": 5, "train_l')  # the trainer is just writing this
    (found,) = [r for r in client.get("/api/runs").json() if r["path"] == "outputs/odd"]
    series = client.get(f"/api/runs/{found['id']}/metrics").json()["series"]["train_loss"]
    assert series["values"] == [1.0, "NaN", "Infinity", "-Infinity"]
    with (folder / EVENTS_FILE).open("a") as file:
        file.write('oss": 2.0}\n')
    series = client.get(f"/api/runs/{found['id']}/metrics").json()["series"]["train_loss"]
    assert series["values"][-1] == 2.0


@pytest.mark.slow
def test_a_client_that_does_not_listen_gets_a_gap_and_holds_up_nobody(server: Server) -> None:
    folder = server.root / "outputs" / "fast"
    write_run(folder, 1)
    with server.client() as client:
        (run_id,) = [r["id"] for r in client.get("/api/runs").json() if r["path"] == "outputs/fast"]
    points = 60_000

    def write(start: int, end: int) -> None:
        with (folder / EVENTS_FILE).open("a") as file:
            for seq in range(start, end):
                file.write(json.dumps({"seq": seq, "kind": "sample", "step": seq, "text": "x" * 300}) + "\n")

    async def conversation() -> None:
        # A small buffer on its side: the system's own would hold megabytes for it.
        narrow = socket_.socket()
        narrow.setsockopt(socket_.SOL_SOCKET, socket_.SO_RCVBUF, 1 << 16)
        narrow.connect(("127.0.0.1", server.port))
        narrow.setblocking(False)
        async with server.socket(max_queue=1, sock=narrow) as slow, server.socket() as quick:
            for socket in (slow, quick):
                assert json.loads(await socket.recv())["type"] == "hello"
                await socket.send(json.dumps({"type": "since", "runs": {run_id: 0}}))
            told = 0
            for start in range(1, points, 2000):  # little by little, so that who listens keeps up
                end = min(start + 2000, points)
                await asyncio.to_thread(write, start, end)
                while told < end - 1:
                    message = json.loads(await quick.recv())
                    assert message["type"] != "gap"
                    if message["type"] == "events" and message["run"] == run_id:
                        assert [e["seq"] for e in message["events"]] == list(
                            range(told + 1, told + 1 + len(message["events"]))
                        )
                        told += len(message["events"])
            heard, seen_gap = 0, False
            while heard < points - 1:  # now it listens, and finds that it has missed something
                message = json.loads(await slow.recv())
                if message.get("run") != run_id:
                    continue
                if message["type"] == "gap":
                    seen_gap = True
                    assert message["after"] == heard
                    heard = message["upto"]
                elif message["type"] == "events":
                    assert message["events"][0]["seq"] == heard + 1
                    heard = message["events"][-1]["seq"]
            assert seen_gap
            await slow.send(json.dumps({"type": "since", "runs": {run_id: points - 1000}}))
            again: list[int] = []
            while len(again) < 999:
                message = json.loads(await slow.recv())
                if message["type"] == "events":
                    again += [e["seq"] for e in message["events"]]
            assert again == list(range(points - 999, points))

    talk(conversation())


@pytest.mark.slow
def test_two_hundred_clients_hear_everything(server: Server) -> None:
    folder = server.root / "outputs" / "crowd"
    write_run(folder, 1)
    with server.client() as client:
        (run_id,) = [r["id"] for r in client.get("/api/runs").json() if r["path"] == "outputs/crowd"]

    async def listen(ready: asyncio.Barrier) -> list[int]:
        async with server.socket() as socket:
            await socket.recv()
            await socket.send(json.dumps({"type": "since", "runs": {run_id: 0}}))
            await ready.wait()
            told: list[int] = []
            while len(told) < 300:
                message = json.loads(await socket.recv())
                if message["type"] == "events" and message["run"] == run_id:
                    told += [e["seq"] for e in message["events"]]
            return told

    async def crowd() -> None:
        ready = asyncio.Barrier(201)
        clients = [asyncio.create_task(listen(ready)) for _ in range(200)]
        await ready.wait()
        for seq in range(1, 301):
            with (folder / EVENTS_FILE).open("a") as file:
                file.write(json.dumps({"seq": seq, "kind": "metrics", "step": seq, "train_loss": 1.0}) + "\n")
            await asyncio.sleep(0.01)
        for told in await asyncio.gather(*clients):
            assert told == list(range(1, 301))

    talk(crowd())
