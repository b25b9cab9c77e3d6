"""Runs the durable engine on 127.0.0.1 and keeps its state in a file.

What is lost when: a stop (SIGTERM, SIGINT, `Engine.stop`) loses nothing. A `kill -9` of the engine, or a power cut,
loses at most what happened since the last snapshot, which is taken `snapshot_seconds` after a change at the latest
(3 s unless told otherwise); workers then do that part again, so activities must be idempotent, as Durable Functions
always asks. A `kill -9` of a worker loses nothing: its work is given out again as soon as its connection is gone.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import grpc
import grpc.aio

from . import snapshot, snapshot_file
from .backend import Backend
from .service import Service

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"
_GRACE_SECONDS = 0.3


class PortTakenError(RuntimeError):
    """The engine's port is in use."""


class Engine:
    """A durable engine: `start()` serves it, `stop()` saves and ends it.

    Args:
        port: TCP port on 127.0.0.1; 0 takes a free one.
        state: the snapshot file, read on start; None keeps everything in memory.
        snapshot_seconds: longest time between a change and its snapshot.
        keepalive_seconds: how long a silent connection is trusted before it is asked for a sign of life, and again
            how long that may take; a worker that does not answer loses its work to others.
        max_history_size: most events an instance's history may have.
    """

    def __init__(
        self,
        port: int = 0,
        state: Path | None = None,
        *,
        snapshot_seconds: float = 3.0,
        keepalive_seconds: float = 10.0,
        max_history_size: int = 10_000,
    ) -> None:
        self.backend = Backend(max_history_size=max_history_size)
        self._port = port
        self._state = state
        self._snapshot_seconds = snapshot_seconds
        self._keepalive_ms = int(keepalive_seconds * 1000)
        self._saved_changes = 0
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._threads: list[threading.Thread] = []
        self.restored: str | None = None
        """What start did with a snapshot that could not be used, in one line; None when there was none such."""

    def start(self) -> str:
        """Restore the state, serve, and return the address ("127.0.0.1:PORT").

        Raises:
            PortTakenError: the port is in use.
            OSError: the snapshot cannot be read or moved aside.
        """
        self._restore()
        started: Future[int] = Future()
        serving = threading.Thread(target=self._serve, args=(started,), name="engine-grpc", daemon=True)
        serving.start()
        port = started.result()
        self._threads = [serving]
        self.backend.start_timers()
        if self._state is not None:
            saving = threading.Thread(target=self._save_regularly, name="engine-snapshots", daemon=True)
            saving.start()
            self._threads.append(saving)
        _log.info("engine started", extra={"port": port})
        return f"{HOST}:{port}"

    def stop(self) -> None:
        """Disconnect everyone, save, and end. Calling it again does nothing.

        Raises:
            OSError: the last snapshot cannot be written.
        """
        if self._loop is None or self._ending is None:
            return
        self.backend.stop_timers()
        self._stop.set()
        self._loop.call_soon_threadsafe(self._ending.set)
        for thread in self._threads:
            thread.join()
        self._loop = None
        self.save()
        _log.info("engine stopped")

    def save(self) -> bool:
        """Write a snapshot if anything changed since the last; returns whether it did.

        Raises:
            OSError: the file cannot be written.
        """
        if self._state is None or self.backend.changes == self._saved_changes:
            return False
        began = time.perf_counter()
        picture = snapshot.take(self.backend)
        held = time.perf_counter() - began
        content = snapshot_file.encode(snapshot.records_of(picture))
        snapshot_file.write(self._state, content)
        self._saved_changes = picture.changes
        _log.info(
            "snapshot written",
            extra={
                "bytes": len(content),
                "instances": len(picture.instances),
                "lock_seconds": round(held, 4),
                "seconds": round(time.perf_counter() - began, 4),
            },
        )
        return True

    def _restore(self) -> None:
        if self._state is None or not self._state.exists():
            return
        try:
            snapshot.restore(self.backend, snapshot_file.decode(self._state.read_bytes()))
            self._saved_changes = self.backend.changes
        except snapshot_file.SnapshotError as error:
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
            aside = self._state.with_name(f"{self._state.name}.unusable-{stamp}")
            self._state.replace(aside)
            self.backend.reset()
            self.restored = (
                f"The engine's snapshot {self._state} cannot be used: {error}. It was moved to {aside} and the engine "
                "starts empty; to keep the old state, stop the engine, open that file with the engine that wrote it, "
                "or restore a copy of it."
            )
            _log.error(self.restored)

    def _save_regularly(self) -> None:
        while not self._stop.wait(self._snapshot_seconds):
            try:
                self.save()
            except OSError as error:
                _log.error("the snapshot could not be written; trying again: %s", error)

    def _serve(self, started: Future[int]) -> None:
        asyncio.run(self._serve_until_stopped(started))

    async def _serve_until_stopped(self, started: Future[int]) -> None:
        server = grpc.aio.server(
            options=[
                # Histories may be large: what is too large is refused by payload, with a reason, not by the transport.
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),  # two engines must not share one port unnoticed
                ("grpc.keepalive_time_ms", self._keepalive_ms),
                ("grpc.keepalive_timeout_ms", self._keepalive_ms),
                ("grpc.http2.ping_timeout_ms", self._keepalive_ms),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.max_pings_without_data", 0),
                ("grpc.http2.min_ping_interval_without_data_ms", 1000),
                ("grpc.http2.max_ping_strikes", 0),
            ]
        )
        service = Service(self.backend)
        service.add_to(server)
        try:
            port = server.add_insecure_port(f"{HOST}:{self._port}")
        except RuntimeError:
            started.set_exception(
                PortTakenError(
                    f"Port {self._port} on {HOST} is taken: stop the program that has it, or choose another port."
                )
            )
            return
        await server.start()
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        started.set_result(port)
        await self._ending.wait()
        service.close()
        await server.stop(_GRACE_SECONDS)
