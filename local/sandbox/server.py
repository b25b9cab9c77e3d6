"""Serves both simulators, and advisories, from one process and one event loop, and keeps their state across restarts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette

from local.sandbox.faults import FaultRules
from local.sandbox.seed import SeedError, apply_seed
from local.sandbox.state import State, StateUnreadableError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
SAVE_EVERY_SECONDS = 1.0
STATE_FILE = "sandbox.json"


@dataclass(frozen=True)
class Options:
    """What the command line asks for; a port of 0 takes a free one."""

    github_port: int
    azure_devops_port: int
    state: Path | None
    seed: Path | None
    contracts: bool
    min_project_seconds: float
    max_project_seconds: float


class UnusableError(Exception):
    """The sandbox cannot start; the message is one line saying why and what to do."""


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us: two of them share one loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(port: int, name: str) -> socket.socket:
    """Listen on 127.0.0.1:`port`; raises UnusableError when it is taken."""
    # asyncio switches Nagle's delay off only on sockets that say they are TCP; with it each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it would allow two servers on one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        raise UnusableError(f"port {port} for {name} is not free on {HOST} ({error}); choose another") from error
    listener.setblocking(False)
    return listener


def read_state(options: Options) -> State:
    """The saved state, or a fresh one with the seed applied; raises UnusableError."""
    try:
        state = State.load(options.state / STATE_FILE if options.state else None)
    except StateUnreadableError as error:
        raise UnusableError(str(error)) from error
    if options.seed and state.empty:
        try:
            apply_seed(state, json.loads(options.seed.read_text(encoding="utf-8")))
        except (OSError, ValueError, SeedError) as error:
            raise UnusableError(f"{options.seed}: {error}") from error
    return state


def build(state: State, options: Options, github_url: str, azure_devops_url: str) -> tuple[Starlette, Starlette]:
    """Both apps over one state; raises UnusableError when a contract was asked for and is absent."""
    from local.sandbox.azure_devops.app import build_azure_devops
    from local.sandbox.github.app import build_github

    github_contract = azure_devops_contract = None
    if options.contracts:
        from local.sandbox.azure_devops.contract import load as load_azure_devops
        from local.sandbox.github.contract import load as load_github

        try:
            github_contract, azure_devops_contract = load_github(), load_azure_devops()
        except FileNotFoundError as error:
            raise UnusableError(f"--contracts: {error}") from error
    return (
        build_github(state, base_url=github_url, contract=github_contract, faults=FaultRules()),
        build_azure_devops(
            state,
            base_url=azure_devops_url,
            contract=azure_devops_contract,
            faults=FaultRules(),
            min_project_seconds=options.min_project_seconds,
            max_project_seconds=options.max_project_seconds,
        ),
    )


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT, saving every second when changed and at the end; raises UnusableError."""
    from local.sandbox.osv.app import PATH, BesideOsv, build_osv

    with contextlib.ExitStack() as listeners:
        github_socket = listeners.enter_context(bind(options.github_port, "GitHub"))
        azure_devops_socket = listeners.enter_context(bind(options.azure_devops_port, "Azure DevOps"))
        urls = [f"http://{HOST}:{s.getsockname()[1]}" for s in (github_socket, azure_devops_socket)]
        state = read_state(options)
        apps = build(state, options, *urls)
        # Advisories belong to no forge; beside GitHub they need no port of their own.
        servers = [_server(app) for app in (BesideOsv(apps[0], build_osv()), apps[1])]
        _stop_on_signals(servers)
        running = [
            asyncio.create_task(server.serve(sockets=[listener]))
            for server, listener in zip(servers, (github_socket, azure_devops_socket), strict=True)
        ]
        saving = asyncio.create_task(_save_regularly(state, options.state))
        try:
            while not all(server.started for server in servers) and not any(task.done() for task in running):  # noqa: ASYNC110 - uvicorn has no started event
                await asyncio.sleep(0.01)
            ready = {"ready": True, "github": urls[0], "azure_devops": urls[1], "osv": urls[0] + PATH}
            print(json.dumps(ready), flush=True)
            await asyncio.gather(*running)
        finally:
            saving.cancel()
            if options.state:
                state.save(options.state / STATE_FILE)


def _server(app: ASGIApp) -> _Server:
    return _Server(
        uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=3)
    )


def _stop_on_signals(servers: list[_Server]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


async def _save_regularly(state: State, directory: Path | None) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY_SECONDS)
        if directory and state.dirty:
            state.save(directory / STATE_FILE)
