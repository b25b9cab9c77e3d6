"""Composes the host of one app, starts its parts in order, and drains them when a signal asks."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import re
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any

import uvicorn
from azure_functions_runtime import start_threadpool_executor

from local.host import logs
from local.host.admin import AdminApi
from local.host.app import App, IndexingError, Trigger, index
from local.host.app_settings import check_settings
from local.host.cors import CorsPolicy
from local.host.durable import DurableWorker
from local.host.durable_client import WEBHOOK_PATH, client_configuration
from local.host.durable_http import DurableHttpApi
from local.host.http import HostApplication
from local.host.invoke import Invoker
from local.host.keys import HostKeys, load_keys
from local.host.protocol import HostProtocol
from local.host.queue_outputs import QueueOutputs
from local.host.queues import QueueListeners
from local.host.routes import Router
from local.host.settings import (
    HostSettings,
    LocalSettings,
    SettingsError,
    apply_values,
    read_host_settings,
    read_local_settings,
)
from local.host.timers import TimerListeners

LOGGER = logging.getLogger("Host.General")
DEFAULT_PORT = 7071
DRAIN_SECONDS = 5.0
ENGINE_ADDRESS = re.compile(r"[^:/\s]+:\d{1,5}")
EXIT_DRAINED, EXIT_SETTINGS, EXIT_INDEXING = 0, 2, 3


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to the host: it has more to drain than HTTP."""
        yield


def run(app_dir: Path, port: int | None, engine: str | None, log_level: str | None) -> int:
    """Run the host of an app until SIGTERM or SIGINT; returns the process's exit code."""
    state_dir = Path(os.environ.get("DONERIGHT_HOST_STATE_DIR") or ".doneright/host").absolute()
    keys_file = Path(os.environ.get("DONERIGHT_HOST_KEYS_FILE") or state_dir / "keys.json").absolute()
    directory = app_dir.absolute()
    try:
        settings = read_host_settings(directory)
        local = read_local_settings(directory)
        apply_values(local, os.environ)
        logs.configure(settings.logging.log_level, log_level)
        if engine is not None and ENGINE_ADDRESS.fullmatch(engine) is None:
            raise SettingsError(f"--engine {engine!r} is not of the form HOST:PORT, such as 127.0.0.1:4001")
        keys = load_keys(keys_file)
        listener = _listen(port if port is not None else local.host.local_http_port or DEFAULT_PORT)
    except (SettingsError, ValueError) as error:
        _refuse(error)
        return EXIT_SETTINGS
    os.environ.setdefault("PYTHON_THREADPOOL_THREAD_COUNT", "32")
    start_threadpool_executor()
    try:
        app = index(directory)
        if settings.functions:
            app = App(
                app.directory,
                {name: function for name, function in app.functions.items() if name in settings.functions},
            )
        router = Router(app.of(Trigger.HTTP), settings.extensions.http.route_prefix)
        check_settings(directory)
    except SettingsError as error:
        _refuse(error)
        return EXIT_SETTINGS
    except IndexingError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        print(f"host: {error}", file=sys.stderr)
        return EXIT_INDEXING
    try:
        code = _loop_runner()(
            _serve(
                app,
                router=router,
                settings=settings,
                local=local,
                keys=keys,
                listener=listener,
                engine=engine,
                state_dir=state_dir,
            )
        )
    except SettingsError as error:
        _refuse(error)
        code = EXIT_SETTINGS
    logging.shutdown()
    sys.stdout.flush()
    # Threads of synchronous functions that outlive the drain would keep the process; their work is redelivered.
    os._exit(code)


def _refuse(error: Exception) -> None:
    for line in str(error).splitlines():
        print(f"host: {line}", file=sys.stderr)


def _loop_runner() -> Callable[[Coroutine[Any, Any, int]], int]:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run
    return uvloop.run


def _stop_asked() -> asyncio.Event:
    """An event that SIGTERM or Ctrl-C sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # the loops of Windows have no signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


def _listen(port: int) -> socket.socket:
    listener = socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # without the protocol, asyncio leaves Nagle's algorithm on
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = "is taken by another process" if isinstance(error, OSError) else "is not a port number"
        raise SettingsError(f"port {port} {reason}; choose another with --port (0 picks a free one)") from error
    listener.setblocking(False)
    return listener


def _http_server(application: HostApplication) -> _Server:
    config = uvicorn.Config(
        application,
        loop="none",
        http=HostProtocol,
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(DRAIN_SECONDS),
        timeout_keep_alive=120,
    )
    return _Server(config)


async def _serve(
    app: App,
    *,
    router: Router,
    settings: HostSettings,
    local: LocalSettings,
    keys: HostKeys,
    listener: socket.socket,
    engine: str | None,
    state_dir: Path,
) -> int:
    stop = _stop_asked()
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    extensions = settings.extensions

    outputs = QueueOutputs(extensions.queues, os.environ)
    invoker = Invoker(outputs, settings.function_timeout)
    queues = QueueListeners(app.of(Trigger.QUEUE), invoker, outputs, extensions.queues, os.environ)
    timers = TimerListeners(app.of(Trigger.TIMER), invoker, state_dir / "timers.json", os.environ)
    cors = CorsPolicy(local.host.cors, local.host.cors_credentials) if local.host.cors else None
    application = HostApplication(app, router, keys, invoker, cors)
    application.mount(
        "/admin", AdminApi(app, router, keys, {Trigger.TIMER: timers.run_by_hand, Trigger.QUEUE: queues.run_by_hand})
    )

    durable: DurableWorker | None = None
    if engine is not None:
        durable = DurableWorker(app, invoker, extensions.durable_task, engine)
        invoker.bind_durable_client(client_configuration(engine, base_url, extensions.durable_task, keys))
        orchestrators = {function.durable_name for function in app.of(Trigger.ORCHESTRATION)}
        entities = {function.durable_name.lower() for function in app.of(Trigger.ENTITY)}
        api = DurableHttpApi(durable.stub, keys, extensions.durable_task, orchestrators, entities)
        application.mount(WEBHOOK_PATH, api)
    else:
        needing = sorted(function.name for function in app.functions.values() if function.client_inputs)
        if needing:
            raise SettingsError(
                f"the functions {', '.join(needing)} use a durable client; name the engine with --engine 127.0.0.1:PORT"
            )

    server = _http_server(application)
    try:
        await queues.prepare()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        if durable is not None:
            durable.start()
        queues.start()
        timers.start()
        print(json.dumps({"ready": True, "url": base_url, "functions": sorted(app.functions)}), flush=True)
        # What is loaded by now lives as long as the process; the collector need not walk it again and again.
        gc.collect()
        gc.freeze()
        LOGGER.info("Serving %d functions of %s at %s", len(app.functions), app.directory, base_url)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        LOGGER.info("Stopping: no new work is taken, %d invocations are running", invoker.running)
        server.should_exit = True
        parts: list[Coroutine[Any, Any, None]] = [
            queues.stop(DRAIN_SECONDS),
            timers.stop(DRAIN_SECONDS),
            _ended(serving),
        ]
        if durable is not None:
            parts.append(durable.stop(DRAIN_SECONDS))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS + 1):
                await asyncio.gather(*parts)
    finally:
        await outputs.close()
    LOGGER.info("Stopped")
    return EXIT_DRAINED


async def _ended(task: asyncio.Task[None]) -> None:
    await task
