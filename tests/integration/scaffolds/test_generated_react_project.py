"""A generated React project passes its own gates, and its production server answers, through npm and make."""

import json
import os
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not all(map(shutil.which, ("make", "node", "npm"))), reason="needs make, node and npm"),
]


def environment() -> dict[str, str]:
    # Nothing of this run's own settings may reach the generated project's.
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("APP_", "MAKE", "MFLAGS", "NODE_", "VITEST", "npm_")) and name != "SMOKE_BASE_URL"
    } | {"CI": "true"}


def run(root: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=root, env=environment(), capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@contextmanager
def served(root: Path, **settings: str) -> Iterator[tuple[str, list[str]]]:
    """The built server on a free port; its log is complete once the block has ended."""
    log: list[str] = []
    with subprocess.Popen(
        [shutil.which("node") or "node", "dist/server/main.mjs"],
        cwd=root,
        env=environment() | {"APP_PORT": "0"} | settings,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            log.append(server.stdout.readline())
            yield f"http://127.0.0.1:{json.loads(log[0])['port']}", log
        finally:
            server.send_signal(signal.SIGTERM)
            log.extend(server.stdout)
            assert server.wait(timeout=30) == 0


def test_a_generated_react_project_passes_its_own_gates(generate: Callable[..., Path]) -> None:
    root = generate(
        stack="react",
        project_name="Order \"Desk\" & 'Co' 東京 😀 \\ {{ x }} </title>",
        description='Takes "orders" from shops.\n\n- and \\ tells the `warehouse` ${x}\n1. <b>now</b>',
    )
    locked = (root / "package-lock.json").read_bytes()
    run(root, "make", "setup")
    run(root, "make", "check")
    tested = run(root, "make", "test")
    assert "warning" not in tested.lower()
    counted = {}
    for gate in ("unit", "smoke", "integration"):
        run(root, "make", gate)
        suites = ET.parse(root / f"reports/junit-{gate}.xml").getroot()  # noqa: S314 - our own file
        assert (suites.get("failures"), suites.get("errors")) == ("0", "0")
        assert not suites.findall(".//skipped")
        counted[gate] = int(suites.get("tests", "0"))
    assert counted["unit"] >= 80
    assert counted["smoke"] >= 5
    assert counted["integration"] >= 25
    coverage = ET.parse(root / "reports/coverage.xml").getroot()  # noqa: S314 - our own file
    assert float(coverage.get("line-rate", "0")) >= 0.85
    assert (root / "package-lock.json").read_bytes() == locked
    offered = run(root, "make", "help")
    assert all(f"  {target} " in offered for target in ("setup", "run", "test", "check", "build", "serve"))

    with served(root, APP_ENVIRONMENT="staging", APP_API_URL="https://api.example.com/v1") as (url, log):
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{url}/readyz").status_code == 200
        assert httpx.get(f"{url}/config.json").json() == {
            "environment": "staging",
            "apiUrl": "https://api.example.com/v1",
            "tracesUrl": None,
        }
        page = httpx.get(url, headers={"X-Correlation-ID": "look-1"})
        assert "connect-src 'self' https://api.example.com;" in page.headers["Content-Security-Policy"]
        assert page.headers["X-Correlation-ID"] == "look-1"
        assert "&lt;/title&gt;" in page.text
    records = [json.loads(line) for line in log]
    assert [record.get("path") for record in records if record["message"] == "request served"] == [
        "/healthz",
        "/readyz",
        "/config.json",
        "/",
    ]
    assert [record["correlation_id"] for record in records if record.get("path") == "/"] == ["look-1"]
    assert {record["environment"] for record in records} == {"staging"}

    # What is needed to build must not be needed to run: the image holds dist alone.
    shutil.rmtree(root / "node_modules")
    with served(root) as (url, _):
        assert httpx.get(f"{url}/healthz").status_code == 200

    refused = subprocess.run(
        ["node", "dist/server/main.mjs"],
        cwd=root,
        env=environment() | {"APP_PORT": "99999"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (refused.returncode, refused.stdout) == (78, "")
    assert "APP_PORT: must be at most 65535" in refused.stderr
