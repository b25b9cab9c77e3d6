"""One Azurite for the session, on free ports, and both implementations of every storage port."""

from __future__ import annotations

import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError

from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.transport import PooledTransport

ROOT = Path(__file__).resolve().parents[3]
AZURITE = ROOT / "node_modules" / ".bin" / "azurite"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # Azurite's, public

BOTH = pytest.mark.parametrize("kind", ["memory", pytest.param("azurite", marks=pytest.mark.stack)])


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], str] | None:
    blob, queue, table = ports = _free_ports(3)
    switches = ["--silent", "--skipApiVersionCheck", "--inMemoryPersistence", "--disableTelemetry"]
    process = subprocess.Popen(
        [AZURITE, *switches, "--blobPort", str(blob), "--queuePort", str(queue), "--tablePort", str(table)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        if all(_listens(port) for port in ports):
            account = "devstoreaccount1"
            endpoints = {"Blob": blob, "Queue": queue, "Table": table}
            urls = "".join(f"{name}Endpoint=http://127.0.0.1:{port}/{account};" for name, port in endpoints.items())
            return process, f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={KEY};{urls}"
        time.sleep(0.05)
    process.kill()
    process.wait()
    return None


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of a running Azurite."""
    if not AZURITE.exists():
        pytest.skip("Azurite is not installed: run npm ci")
    for _ in range(3):  # a free port may be taken before Azurite binds it
        started = _start(tmp_path_factory.mktemp("azurite"))
        if started:
            break
    else:
        pytest.fail("Azurite did not start")
    process, connection_string = started
    yield connection_string
    process.terminate()
    process.wait(timeout=20)


class LossyTransport(PooledTransport):
    """Loses what it is told to lose, and does not wait between retries.

    Attributes:
        answers: how many answers to transactions are lost after their effect.
        requests: how many transactions never reach the service.
        busy: how many transactions are answered 503 although they took effect.
        seen: every request, as ``METHOD path``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0
        self.requests = 0
        self.busy = 0
        self.seen: list[str] = []

    def sleep(self, duration: float) -> None:
        del duration

    def send(self, request: Any, **more: Any) -> Any:
        self.seen.append(f"{request.method} {request.url}")
        transaction = request.url.endswith("$batch")
        if transaction and self.requests:
            self.requests -= 1
            raise ServiceResponseError("connection reset before the request was read")
        response = super().send(request, **more)
        if transaction and self.answers:
            self.answers -= 1
            response.close()
            raise ServiceResponseError("connection reset before the answer was read")
        if transaction and self.busy:
            self.busy -= 1
            response.status_code = 503
        return response


@pytest.fixture
def lossy() -> Iterator[LossyTransport]:
    """A transport to make an account with."""
    with LossyTransport() as transport:
        yield transport


@pytest.fixture(scope="session")
def account(azurite: str) -> Iterator[StorageAccount]:
    """An account on Azurite, shared as a process shares it."""
    account = StorageAccount(connection_string=azurite)
    yield account
    account.close()


@pytest.fixture
def unique() -> Callable[[str], str]:
    """A name nobody used before."""
    return lambda prefix: f"{prefix}{uuid.uuid4().hex[:12]}"
