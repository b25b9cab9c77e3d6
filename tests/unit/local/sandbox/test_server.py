"""`python -m local.sandbox` as a process: ready line, signals, kept state, refusals."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from local.sandbox.__main__ import parse

ROOT = Path(__file__).parents[4]
SEED = {
    "github": {
        "users": [{"login": "ada", "token": "t"}],
        "organizations": [{"login": "octo", "members": {"ada": "admin"}}],
    }
}


def _start(*arguments):
    command = [sys.executable, "-m", "local.sandbox", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.stack
def test_serves_saves_and_restores(tmp_path):
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED))
    common = ("--github-port", 0, "--azure-devops-port", 0, "--state", tmp_path / "state", "--seed", seed)
    names = []
    for name in ("one", "two"):
        process = _start(*common)
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            ready = json.loads(line)
            assert ready["ready"] is True
            headers = {"Authorization": "token t"}
            made = httpx.post(
                f"{ready['github']}/orgs/octo/repos", json={"name": name}, headers=headers, trust_env=False
            )
            assert made.status_code == 201
            assert httpx.request("OPTIONS", f"{ready['azure_devops']}/_apis", trust_env=False).status_code < 500
            names = [
                r["name"]
                for r in httpx.get(
                    f"{ready['github']}/orgs/octo/repos?sort=full_name", headers=headers, trust_env=False
                ).json()
            ]
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            process.stdout.close()
            process.stderr.close()
    assert names == ["one", "two"]


@pytest.mark.stack
def test_a_taken_port_is_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = _start("--github-port", port, "--azure-devops-port", 0)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, "")
    assert errors.count("\n") == 1
    assert f"port {port} for GitHub is not free" in errors


@pytest.mark.stack
@pytest.mark.parametrize(
    ("content", "reason"), [("{", "seed.json"), ('{"github": {"users": [{"login": 1}]}}', "github.users.0.login")]
)
def test_a_bad_seed_is_one_clear_line(tmp_path, content, reason):
    seed = tmp_path / "seed.json"
    seed.write_text(content)
    process = _start("--github-port", 0, "--azure-devops-port", 0, "--seed", seed)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.count("\n"), reason in errors) == (2, 1, True)


def test_command_line():
    options = parse(["--min-project-seconds", "2"])
    assert (options.github_port, options.azure_devops_port, options.max_project_seconds) == (7081, 7082, 2.0)
    with pytest.raises(SystemExit):
        parse(["--min-project-seconds", "-1"])
