"""Measures the webhook intake of the whole app on the whole stack beside a Probot app on the same storage.

The first rows let the app handle what it takes in meanwhile, as it does when it serves; Probot only queues. The other
rows leave the handling out by ``functions`` of host.json, so that both sides do the same.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench import peer_packages
from bench.load import Job, Loaded, load
from bench.payload import issues_body, signed_headers
from bench.processes import ROOT, running
from bench.result import BenchError, Result, compare
from local.stack import Configuration, Ports, Stack
from shared.adapters.storage.account import StorageAccount
from shared.services import DELIVERIES_QUEUE

GOAL = 1.0
PEER = "Probot app"
PATH = "/api/webhooks/github"
PEER_QUEUE = "bench-probot"
INTAKE_ALONE = ("receive_github", "create_connection")
PATIENCE = 60.0


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Requests a second and latencies at 50 connections."""
    peer_packages.install()
    rounds, seconds = (2, 1.5) if quick else (4, 3.0)
    rows: list[Result] = []
    for name, handling in (("intake, handling meanwhile", True), ("intake alone", False)):
        ours, peer = _measure(folder / ("whole" if handling else "alone"), rounds, seconds, handling=handling)
        rows.append(
            compare(name, "requests/s", _each(ours, "rate"), peer_name=PEER, peer=_each(peer, "rate"), goal=GOAL)
        )
        rows += [
            compare(f"{name}: {at}", "ms", _each(ours, at), peer_name=PEER, peer=_each(peer, at), goal=GOAL)
            for at in ("p50", "p95", "p99")
        ]
    return rows


def _each(side: list[Loaded], name: str) -> list[float]:
    return [getattr(loaded, name) for loaded in side]


def _measure(folder: Path, rounds: int, seconds: float, *, handling: bool) -> tuple[list[Loaded], list[Loaded]]:
    app = ROOT if handling else _intake_alone(folder / "app")
    configuration = Configuration(
        ports=Ports.free(),
        state=folder / "state",
        app=app,
        settings={"DONERIGHT_SWEEP_SCHEDULE": "0 0 0 1 1 *"},  # nothing else happens meanwhile
    )
    body = issues_body()
    ours: list[Loaded] = []
    peer: list[Loaded] = []
    with Stack(configuration) as stack:
        ready = stack.ready()
        environ = {
            "NODE_ENV": "production",
            "BENCH_STORAGE": ready.storage,
            "BENCH_QUEUE": PEER_QUEUE,
            "BENCH_SECRET": ready.github_webhook_secret,
        }
        command = [peer_packages.node(), str(peer_packages.PEERS / "intake.js")]
        with running("probot", command, folder, environ) as probot, _account(ready.storage) as account:
            headers = signed_headers(ready.github_webhook_secret, body, "{unique}")
            sides = (
                (ready.host, DELIVERIES_QUEUE, ours),
                (str(probot["url"]), PEER_QUEUE, peer),
            )
            for number in range(rounds):
                for url, queue, loads in sides if number % 2 else sides[::-1]:
                    _refuses_a_forgery(url, headers, body)
                    loaded = load(
                        Job(
                            url=url + PATH,
                            method="POST",
                            headers=headers,
                            body=body,
                            expected=202,
                            warm_up=1.0 if number else 2.0,
                            seconds=seconds,
                        )
                    )
                    loads.append(loaded)
                    if queue == DELIVERIES_QUEUE and handling:
                        _was_handled(ready.host, ready.function_key, loaded.last, account)
                    else:
                        _was_queued(account, queue, loaded)
    return ours, peer


@contextmanager
def _account(connection_string: str) -> Iterator[StorageAccount]:
    account = StorageAccount(connection_string=connection_string)
    try:
        yield account
    finally:
        account.close()


def _intake_alone(folder: Path) -> Path:
    """The same app with host.json naming only the functions that take in."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "function_app.py", folder)
    settings = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    (folder / "host.json").write_text(json.dumps({**settings, "functions": INTAKE_ALONE}), encoding="utf-8")
    return folder


def _refuses_a_forgery(url: str, headers: dict[str, str], body: str) -> None:
    """A side that verifies nothing would be fast."""
    forged = headers | {"X-GitHub-Delivery": "forged", "X-Hub-Signature-256": "sha256=" + "0" * 64}
    answer = httpx.post(url + PATH, content=body, headers=forged, timeout=30)
    if answer.status_code not in {400, 401}:
        raise BenchError(f"{url} answered {answer.status_code} to a forged delivery")


def _was_queued(account: StorageAccount, queue: str, loaded: Loaded) -> None:
    """Every accepted delivery is on the queue; empty it for the next round."""
    client = account.queue(queue)
    waiting = client.get_queue_properties().approximate_message_count or 0
    client.clear_messages()
    if waiting < loaded.requests:
        raise BenchError(f"{loaded.requests} deliveries were accepted and {waiting} are on queue {queue}")


def _was_handled(host: str, key: str, delivery: str, account: StorageAccount) -> None:
    """Leave the peer an idle machine: wait until the last delivery is on record and nothing waits."""
    client = account.queue(DELIVERIES_QUEUE)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not client.get_queue_properties().approximate_message_count:
            answer = httpx.get(f"{host}/api/deliveries/{delivery}", headers={"x-functions-key": key}, timeout=30)
            if answer.status_code == 200:
                return
        time.sleep(0.2)
    raise BenchError(f"deliveries were not handled within {PATIENCE:.0f} s; the last was {delivery}")
