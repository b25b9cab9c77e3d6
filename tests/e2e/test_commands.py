"""The commands a newcomer types, run as they are typed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.stack import Ports

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


@pytest.mark.xdist_group("demo")
def test_the_demo_plays_to_its_end_and_prints_a_verified_root() -> None:
    played = subprocess.run(
        _command("local.demo"), cwd=ROOT, capture_output=True, text=True, timeout=150, check=False, env=_environ()
    )
    assert played.returncode == 0, played.stdout[-3000:] + played.stderr[-3000:]
    assert re.search(r"Log root\s+[0-9a-f]{64}", played.stdout)
    assert "no write on either forge" in played.stdout
    assert played.stdout.count("✔ ") >= 24, "six acts and eighteen steps"
    assert "Traceback" not in played.stdout + played.stderr


def _environ(**more: str) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("DONERIGHT_")} | {"COLUMNS": "120"} | more


def _ports(ports: Ports) -> dict[str, str]:
    return {
        "DONERIGHT_HOST_PORT": str(ports.host),
        "DONERIGHT_GITHUB_PORT": str(ports.github),
        "DONERIGHT_AZURE_DEVOPS_PORT": str(ports.azure_devops),
        "DONERIGHT_STORAGE_PORT": str(ports.storage),
    }


@contextmanager
def _serving(state: Path, ports: Ports, stop: signal.Signals) -> Iterator[dict[str, Any]]:
    process = subprocess.Popen(
        _command("local.serve", "--state", str(state)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environ(**_ports(ports)),
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("{"), process.communicate(timeout=10)[1] if process.poll() is not None else line
        yield json.loads(line)
    finally:
        if process.poll() is None:
            process.send_signal(stop)
        _, said = process.communicate(timeout=40)
    assert process.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.xdist_group("demo")
def test_serve_says_where_everything_is_and_keeps_its_state(tmp_path: Path) -> None:
    ports = Ports.free()
    with _serving(tmp_path / "state", ports, signal.SIGTERM) as ready:
        assert ready["ready"] is True
        assert ready["host"] == f"http://127.0.0.1:{ports.host}"
        assert {
            "github",
            "azure_devops",
            "storage",
            "function_key",
            "github_webhook_secret",
            "azure_devops_webhook_secret",
        } <= set(ready)
        headers = {"x-functions-key": ready["function_key"]}
        made = httpx.post(
            f"{ready['host']}/api/projects?dry_run=false",
            json={"connection": "acme", "name": "Kept", "owner": "mona", "stack": "fastapi", "process": "basic"},
            headers=headers,
            timeout=30,
        )
        assert made.status_code == 202, made.text
    with _serving(tmp_path / "state", ports, signal.SIGINT) as again:
        assert again["function_key"] == ready["function_key"]
        # The run went on where it was stopped.
        deadline = 60.0
        while True:
            view = httpx.get(f"{again['host']}/api/projects/kept", headers=headers, timeout=30)
            if view.status_code == 200 and view.json()["state"] == "completed":
                break
            deadline -= 0.25
            assert deadline > 0, view.text[:500]
            time.sleep(0.25)
    for port in (ports.host, ports.github, ports.azure_devops, ports.storage):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"something still listens on {port}"


@pytest.mark.xdist_group("demo")
def test_a_taken_port_is_named_in_one_clear_line(tmp_path: Path) -> None:
    ports = Ports.free()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports.azure_devops))
        taken.listen()
        served = subprocess.run(
            _command("local.serve", "--state", str(tmp_path)),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=_environ(**_ports(ports)),
        )
    assert served.returncode == 2
    assert served.stdout == ""
    assert served.stderr.strip().splitlines() == [
        f"doneright: port {ports.azure_devops} is taken: stop what listens there, "
        "or set DONERIGHT_AZURE_DEVOPS_PORT to another"
    ]


@pytest.mark.parametrize("value", ["0", "no port", "70000"])
def test_a_wrong_port_is_refused(tmp_path: Path, value: str) -> None:
    served = subprocess.run(
        _command("local.serve", "--state", str(tmp_path)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=_environ(DONERIGHT_HOST_PORT=value),
    )
    assert served.returncode == 2
    assert "DONERIGHT_HOST_PORT" in served.stderr
    assert len(served.stderr.strip().splitlines()) == 1
