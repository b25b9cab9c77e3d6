"""The commands a newcomer types, run as they are typed."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
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
def _serving(state: Path, ports: Ports, stop: signal.Signals, **settings: str) -> Iterator[dict[str, Any]]:
    with _served(state, ports, **settings) as (process, ready):
        yield ready
        process.send_signal(stop)
        _, said = process.communicate(timeout=40)
        assert process.returncode == 0, said
        assert "Traceback" not in said


@contextmanager
def _served(state: Path, ports: Ports, **settings: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        _command("local.serve", "--state", str(state)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environ(**_ports(ports), **settings),
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("{"), process.communicate(timeout=40)[1]
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=40)


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


def _delivered(ready: dict[str, Any], title: str) -> list[int]:
    """What the sandbox's two hooks were answered when the owner opens an issue."""
    headers = {"Authorization": f"token {ready['github_tokens']['mona']}"}
    with httpx.Client(base_url=ready["github"], headers=headers, timeout=30) as github:
        opened = (
            github.post("/repos/acme/requests/issues", json={"title": title}).raise_for_status().json()["created_at"]
        )
        places = ("/orgs/acme", "/repos/acme/requests")
        hooks = [f"{place}/hooks/{hook['id']}" for place in places for hook in github.get(f"{place}/hooks").json()]
        deadline = time.monotonic() + 20
        while True:
            rows = [github.get(f"{hook}/deliveries").json()[:1] for hook in hooks]
            answers = [int(row["status_code"]) for found in rows for row in found if row["delivered_at"] >= opened]
            if len(answers) == len(hooks) and all(answers):
                return answers
            assert time.monotonic() < deadline, rows
            time.sleep(0.1)


def _signed(ready: dict[str, Any], secret: str) -> int:
    """The status of a delivery that is signed with ``secret``."""
    body = b'{"zen": "Keep it logically awesome."}'
    headers = {
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-GitHub-Event": "ping",
        "Content-Type": "application/json",
    }
    return httpx.post(f"{ready['host']}/api/webhooks/github", content=body, headers=headers, timeout=30).status_code


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_serve_uses_the_settings_it_is_given_and_leaves_nothing_in_the_temporary_folder(tmp_path: Path) -> None:
    ports, new, old = Ports.free(), "new-secret-of-the-team", "old-secret-of-the-team"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    azure = "azure-secret-of-the-team"
    state = tmp_path / "state"
    with _serving(state, ports, signal.SIGTERM, TMPDIR=str(temporary)) as own:
        pass
    given = {
        "DONERIGHT_GITHUB_WEBHOOK_SECRETS": f"{new} {old}",
        "DONERIGHT_AZURE_DEVOPS_WEBHOOK_SECRETS": azure,
        "DONERIGHT_REQUEST_LABEL": "of-the-team",
        "DONERIGHT_DRIFT_SCHEDULE": "0 0 4 * * *",
        "DONERIGHT_SIGNING_KEY": "",
        "TMPDIR": str(temporary),
    }
    with _serving(state, ports, signal.SIGTERM, **given) as ready:
        assert (ready["github_webhook_secret"], ready["azure_devops_webhook_secret"]) == (new, azure)
        statuses = [_signed(ready, secret) for secret in (new, old, own["github_webhook_secret"])]
        assert statuses == [202, 202, 401]
        for secret, status in ((azure, 202), (own["azure_devops_webhook_secret"], 401)):
            headers = {"X-Doneright-Secret": secret}
            answer = httpx.post(f"{ready['host']}/api/webhooks/azure-devops", headers=headers, json={}, timeout=30)
            assert answer.status_code == status
        # The hooks of the kept state were told the secret in force.
        assert _delivered(ready, "Signed") == [202, 202]
        assert "T04:00:00" in (state / "host" / "timers.json").read_text(encoding="utf-8")
    # Without the settings the stack's own secrets are in force again.
    with _serving(state, ports, signal.SIGTERM, TMPDIR=str(temporary)) as again:
        assert again["github_webhook_secret"] == own["github_webhook_secret"] != new
        assert _delivered(again, "Signed again") == [202, 202]
    assert [path.name for path in temporary.iterdir()] == []


@pytest.mark.xdist_group("demo")
def test_wrong_settings_are_named_and_nothing_is_started(tmp_path: Path) -> None:
    ports = Ports.free()
    served = subprocess.run(
        _command("local.serve", "--state", str(tmp_path)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=_environ(
            **_ports(ports),
            DONERIGHT_GITHUB_WEBHOOK_SECRETS="first-first-first second-second-second third-third-third",
            DONERIGHT_SWEEP_LOOKBACK_HOURS="100",
        ),
    )
    assert served.returncode == 2
    assert served.stdout == ""
    secrets, hours = served.stderr.splitlines()
    assert secrets == (
        "doneright: DONERIGHT_GITHUB_WEBHOOK_SECRETS is wrong: 3 secrets given; 2 are valid at a time: "
        "leave the new one and the one before it"
    )
    assert hours.startswith("doneright: DONERIGHT_SWEEP_LOOKBACK_HOURS is wrong: ")
    assert not (tmp_path / "logs").exists()


@pytest.mark.xdist_group("demo")
def test_a_schedule_the_host_refuses_is_named_by_its_setting(tmp_path: Path) -> None:
    served = subprocess.run(
        _command("local.serve", "--state", str(tmp_path)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env=_environ(**_ports(Ports.free()), DONERIGHT_DRIFT_SCHEDULE="daily"),
    )
    assert served.returncode == 2
    assert "the host exited with code 2" in served.stderr
    assert "schedule %DONERIGHT_DRIFT_SCHEDULE%: 'daily' is neither" in served.stderr
    assert "Traceback" not in served.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="finds the stack's children in /proc")
@pytest.mark.xdist_group("demo")
def test_a_part_that_dies_is_named_with_its_signal_and_its_log(tmp_path: Path) -> None:
    with _served(tmp_path / "state", Ports.free()) as (process, ready):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
        engine = next(
            int(pid) for pid in children if b"local.engine" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        )
        os.kill(engine, signal.SIGKILL)
        _, said = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "doneright: the engine was killed by SIGKILL; it said last:" in said
    assert f"its log: {Path(ready['logs']) / 'engine.log'}" in said
    last = said.strip().splitlines()[-1]
    assert f"the state is kept in {tmp_path / 'state'}: start again" in last
    assert "Traceback" not in said
