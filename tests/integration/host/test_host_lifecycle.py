"""A host that is killed loses nothing, one that is asked to stop drains, and one that cannot start says why."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[3]


def test_killed_in_an_activity_it_is_redelivered(stack: Any, until: Callable[..., Any]) -> None:
    instance = stack.begin("slow", 2)
    until(lambda: stack.traced("slow_activity started"))
    stack.kill_host()
    stack.start_host()
    assert stack.ended(instance, 60)["output"] == "slow done"
    assert len(stack.traced("slow_activity started")) == 2


def test_killed_in_a_queue_message_it_reappears(stack: Any, until: Callable[..., Any]) -> None:
    stack.request("POST", "/api/enqueue", content="slow 1")
    until(lambda: stack.traced("message slow 1"))
    stack.kill_host()
    assert not stack.traced("done slow 1")
    stack.start_host()
    until(lambda: stack.traced("done slow 1"), 30)
    assert [line.split(" ")[3] for line in stack.traced("message slow 1")] == ["1", "2"]


def test_a_timer_missed_while_down_fires_once_past_due(stack: Any, until: Callable[..., Any]) -> None:
    stack.kill_host(signal.SIGTERM)
    missed = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    (stack.state / "timers.json").write_text(json.dumps({"tick": {"last": missed, "next": missed}}))
    before = len(stack.traced("tick"))
    stack.start_host()
    until(lambda: len(stack.traced("tick")) > before)
    assert stack.traced("tick")[before:] == ["tick True"]


def test_a_timer_fires_on_its_schedule(stack: Any, until: Callable[..., Any]) -> None:
    stack.kill_host(signal.SIGTERM)
    stack.schedule = "* * * * * *"
    before = len(stack.traced("tick False"))
    stack.start_host()
    until(lambda: len(stack.traced("tick False")) >= before + 3)
    stack.kill_host(signal.SIGTERM)
    stack.schedule = "0 0 0 1 1 *"
    stack.start_host()


def test_asked_to_stop_it_drains_and_exits_0(stack: Any, until: Callable[..., Any]) -> None:
    instance = stack.begin("slow", 1)
    until(lambda: stack.status(instance)["runtimeStatus"] == "Running")
    before = len(stack.traced("slow_activity ended"))
    assert stack.kill_host(signal.SIGTERM) == 0
    stack.start_host()
    assert stack.ended(instance, 60)["output"] == "slow done"
    assert len(stack.traced("slow_activity ended")) > before


def test_it_reconnects_when_the_engine_is_gone_for_a_while(
    tmp_path: Path, stack: Any, until: Callable[..., Any]
) -> None:
    state = tmp_path / "engine.json"

    def engine(port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "local.engine", "--port", str(port), "--state", str(state)]
        started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert started.stdout is not None
        assert json.loads(started.stdout.readline())["ready"]
        return started

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    first = engine(port)
    stack.kill_host(signal.SIGTERM)
    former, stack.engine = stack.engine, f"127.0.0.1:{port}"
    second = None
    try:
        stack.start_host()
        assert stack.run("fan_out", 2)["output"] == 2
        waiting = stack.begin("approval")
        until(lambda: stack.status(waiting).get("customStatus"))
        first.terminate()
        first.wait()
        assert stack.durable("GET", f"/instances/{waiting}").status_code in (503, 504)
        second = engine(port)
        until(lambda: stack.durable("GET", f"/instances/{waiting}").status_code == 202)
        assert stack.durable("POST", f"/instances/{waiting}/raiseEvent/approval", json=1).status_code == 202
        assert stack.ended(waiting, 30)["output"] == {"approved": 1}
    finally:
        stack.kill_host(signal.SIGTERM)
        stack.engine = former
        for child in (first, second):
            if child is not None:
                child.kill()
                child.wait()
                assert child.stdout is not None
                child.stdout.close()
        stack.start_host()


def run_host(app: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a host that is expected to end by itself."""
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    inherited = {"PATH": os.environ["PATH"], "DONERIGHT_HOST_STATE_DIR": str(app / "state"), **measured}
    return subprocess.run(
        [sys.executable, "-m", "local.host", "--app", str(app), *arguments],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


HTTP_APP = """
import azure.functions as func
app = func.FunctionApp()
@app.route(route="hello")
def hello(req: func.HttpRequest) -> str:
    return "hello"
"""


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    """A folder with a small HTTP app."""
    (tmp_path / "function_app.py").write_text(HTTP_APP)
    return tmp_path


def test_a_taken_port_is_named_in_one_line(app_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run_host(app_dir, "--port", port)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert f"port {port} is taken" in line


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("host.json", '{"version": "2.0", "extensions": {"queues": {"batchSize": 99}}}', "extensions.queues.batchSize"),
        ("host.json", '{"version": "2.0", "colour": "red"}', "colour: unknown setting"),
        ("host.json", '{"version": "1.0"}', "version"),
        ("host.json", "{", "not valid JSON at line 1"),
        ("host.json", '{"logging": {"logLevel": {"default": "Loud"}}}', "unknown log level 'Loud'"),
        ("local.settings.json", '{"IsEncrypted": true}', "IsEncrypted"),
        ("local.settings.json", '{"Valuse": {}}', "Valuse: unknown setting"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(app_dir: Path, name: str, content: str, said: str) -> None:
    (app_dir / name).write_text(content)
    ended = run_host(app_dir, "--port", "0")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert said in line


def test_an_app_that_cannot_be_indexed_shows_its_own_exception(app_dir: Path) -> None:
    (app_dir / "function_app.py").write_text("import azure.functions as func\nraise LookupError('no luck')\n")
    ended = run_host(app_dir, "--port", "0")
    assert ended.returncode == 3
    assert "LookupError: no luck" in ended.stderr
    assert "line 2" in ended.stderr


def test_a_missing_app_is_named(tmp_path: Path) -> None:
    ended = run_host(tmp_path, "--port", "0")
    assert ended.returncode == 3
    assert "function_app.py does not exist" in ended.stderr


def test_a_binding_the_host_does_not_run_is_named(app_dir: Path) -> None:
    (app_dir / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n"
        "@app.blob_trigger(arg_name='blob', path='a/b', connection='C')\ndef f(blob: func.InputStream):\n    pass\n"
    )
    ended = run_host(app_dir, "--port", "0")
    assert ended.returncode == 3
    assert "'blobTrigger'" in ended.stderr


def test_a_missing_connection_is_named(app_dir: Path) -> None:
    (app_dir / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n"
        "@app.queue_trigger(arg_name='m', queue_name='q', connection='OrdersStorage')\n"
        "def f(m: func.QueueMessage):\n    pass\n"
    )
    ended = run_host(app_dir, "--port", "0")
    assert ended.returncode == 2
    assert "the app setting OrdersStorage" in ended.stderr


def test_keys_are_made_private_and_stay(app_dir: Path) -> None:
    keys = app_dir / "keys" / "keys.json"
    environment = {"DONERIGHT_HOST_KEYS_FILE": str(keys)}
    with socket.socket() as taken:  # the keys are read before the port is tried
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        run_host(app_dir, "--port", port, **environment)
        first = keys.read_text()
        run_host(app_dir, "--port", port, **environment)
    assert keys.read_text() == first
    assert keys.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(first)["masterKey"]) >= 40


def test_a_malformed_engine_address_is_named(app_dir: Path) -> None:
    ended = run_host(app_dir, "--port", "0", "--engine", "http://here")
    assert ended.returncode == 2
    assert "'http://here' is not of the form HOST:PORT" in ended.stderr
