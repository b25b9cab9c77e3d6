"""Starts Azurite, the engine and the host on free ports, once a module, and ends each by its process id."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[3]
SAMPLE_APP = Path(__file__).parent / "sample_app"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
KEYS = {
    "masterKey": "master-key",
    "functionKeys": {"default": "function-key"},
    "systemKeys": {"durabletask_extension": "durable-key"},
}
WEBHOOKS = "/runtime/webhooks/durabletask"


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for[T](ask: Callable[[], T | None], seconds: float = 20.0) -> T:
    """Ask until the answer is true, or fail the test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


class Stack:
    """Azurite, the engine and one host that can be stopped, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trace_file = folder / "trace.log"
        self.log_file = folder / "host.log"
        self.state = folder / "state"
        self._children: list[subprocess.Popen[bytes]] = []
        self.host: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.queue_port = free_port()
        self.storage = (
            f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={ACCOUNT_KEY};"
            f"QueueEndpoint=http://127.0.0.1:{self.queue_port}/devstoreaccount1"
        )
        self.keys_file = folder / "keys.json"
        self.keys_file.write_text(json.dumps(KEYS))
        self.client = httpx.Client(timeout=20)
        self.engine = ""
        self.schedule = "0 0 0 1 1 *"

    def start(self) -> None:
        """Start everything."""
        azurite = [
            str(ROOT / "node_modules/.bin/azurite"),
            "--silent",
            "--skipApiVersionCheck",
            "--inMemoryPersistence",
            "--disableTelemetry",
        ]
        ports = ["--blobPort", str(free_port()), "--queuePort", str(self.queue_port), "--tablePort", str(free_port())]
        self._children.append(subprocess.Popen([*azurite, *ports], cwd=self.folder, stdout=subprocess.DEVNULL))
        engine = subprocess.Popen(
            [sys.executable, "-m", "local.engine", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE
        )
        self._children.append(engine)
        assert engine.stdout is not None
        self.engine = json.loads(engine.stdout.readline())["address"]
        wait_for(self._storage_answers)
        self.start_host()

    def _storage_answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.queue_port)) == 0

    def start_host(self) -> None:
        """Start the host and wait until it says it is ready."""
        environment = {
            **os.environ,
            "AzureWebJobsStorage": self.storage,
            "SAMPLE_DEAD_STORAGE": self.storage.replace(str(self.queue_port), "9"),
            "SAMPLE_QUEUE": "sample-in",
            "SAMPLE_SCHEDULE": self.schedule,
            "SAMPLE_TRACE": str(self.trace_file),
            "DONERIGHT_HOST_KEYS_FILE": str(self.keys_file),
            "DONERIGHT_HOST_STATE_DIR": str(self.state),
            "DONERIGHT_HOST_QUEUE_LEASE_SECONDS": "2",
        }
        command = [sys.executable, "-m", "local.host", "--app", str(SAMPLE_APP), "--port", "0", "--engine", self.engine]
        with self.log_file.open("ab") as log:
            self.host = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log)
        assert self.host.stdout is not None
        line = self.host.stdout.readline()
        assert line, self.log_file.read_text()
        ready = json.loads(line)
        assert ready["ready"] is True
        self.url = ready["url"]

    def kill_host(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal the host and wait for its end; returns the exit code."""
        assert self.host is not None
        self.host.send_signal(number)
        code = self.host.wait(timeout=20)
        assert self.host.stdout is not None
        self.host.stdout.close()
        return code

    def stop(self) -> None:
        """End every process."""
        self.client.close()
        for child in [self.host, *self._children]:
            if child is None:
                continue
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
            if child.stdout is not None:
                child.stdout.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the host."""
        return self.client.request(method, self.url + path, **options)

    def durable(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the durable HTTP API with its system key."""
        return self.request(method, WEBHOOKS + path, headers={"x-functions-key": "durable-key"}, **options)

    def begin(self, name: str, value: Any = None, instance_id: str | None = None) -> str:
        """Start an orchestration through the durable HTTP API; returns its instance id."""
        path = f"/orchestrators/{name}" + (f"/{instance_id}" if instance_id else "")
        answer = self.durable("POST", path, **({} if value is None else {"json": value}))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def status(self, instance_id: str, **query: str) -> dict[str, Any]:
        """The status document of an instance."""
        return dict(self.durable("GET", f"/instances/{instance_id}", params=query).json())

    def ended(self, instance_id: str, seconds: float = 20.0) -> dict[str, Any]:
        """Wait until an instance has ended; returns its status document."""
        terminal = ("Completed", "Failed", "Terminated")

        def ask() -> dict[str, Any] | None:
            status = self.status(instance_id)
            return status if status.get("runtimeStatus") in terminal else None

        return wait_for(ask, seconds)

    def run(self, name: str, value: Any = None) -> dict[str, Any]:
        """Start an orchestration and wait for its end."""
        return self.ended(self.begin(name, value))

    def traced(self, *beginning: str) -> list[str]:
        """The lines the sample app traced that begin so."""
        if not self.trace_file.exists():
            return []
        return [line for line in self.trace_file.read_text().splitlines() if line.startswith(beginning)]

    def logged(self) -> list[dict[str, Any]]:
        """The host's log, parsed: every line must be a JSON object."""
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One running stack a module."""
    started = Stack(tmp_path_factory.mktemp("stack"))
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """``wait_for``, which test modules cannot import from here."""
    return wait_for
