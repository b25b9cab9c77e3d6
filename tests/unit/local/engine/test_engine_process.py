"""The engine as a process: ready line, exits, taken port, and workers and engines that are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from durabletask.client import TaskHubGrpcClient

from local.engine import Engine, PortTakenError
from local.engine.__main__ import main
from local.engine.logs import JsonFormatter

ROOT = Path(__file__).parents[4]


@pytest.fixture
def processes():
    started: list[subprocess.Popen] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _engine(processes, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", "local.engine", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    processes.append(process)
    return process


def _address(process):
    line = json.loads(process.stdout.readline())
    assert line["ready"] is True
    return line["address"]


def _worker(processes, address, code):
    source = (
        textwrap.dedent("""
        import logging, os, sys, threading, time
        from durabletask.worker import TaskHubGrpcWorker
        worker = TaskHubGrpcWorker(host_address=sys.argv[1], logger=logging.getLogger("quiet"))
        """)
        + textwrap.dedent(code)
        + "\nworker.start()\nprint('up', flush=True)\nthreading.Event().wait()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", source, address], stdout=subprocess.PIPE, text=True)
    processes.append(process)
    return process


@pytest.mark.stack
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_save_and_exit_quickly_with_connected_workers(processes, tmp_path, number):
    state = tmp_path / "state"
    engine = _engine(processes, "--port", "0", "--state", str(state))
    address = _address(engine)
    worker = _worker(processes, address, "worker.add_orchestrator(lambda ctx, _: None)")
    worker.stdout.readline()
    client = TaskHubGrpcClient(host_address=address)
    client.schedule_new_orchestration("unknown", instance_id="kept")
    began = time.monotonic()
    engine.send_signal(number)
    assert engine.wait(3) == 0
    assert time.monotonic() - began < 3
    assert engine.stderr.read() == ""
    assert state.exists()
    client.close()
    again = _engine(processes, "--state", str(state))
    client = TaskHubGrpcClient(host_address=_address(again))
    assert client.get_orchestration_state("kept") is not None
    client.close()


@pytest.mark.stack
def test_killed_worker_mid_activity_loses_nothing(processes, tmp_path):
    address = _address(_engine(processes))
    code = f"""
        def act(ctx, value):
            open(os.path.join({str(tmp_path)!r}, str(os.getpid())), "w").close()
            if SLOW:
                time.sleep(60)
            return value
        def orch(ctx, value):
            return (yield ctx.call_activity(act, input=value))
        worker.add_activity(act); worker.add_orchestrator(orch)
    """
    first = _worker(processes, address, code.replace("SLOW", "True"))
    client = TaskHubGrpcClient(host_address=address)
    instance = client.schedule_new_orchestration("orch", input="done")
    end = time.monotonic() + 10
    while not list(tmp_path.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.02)
    first.kill()
    _worker(processes, address, code.replace("SLOW", "False"))
    assert client.wait_for_orchestration_completion(instance, timeout=15).get_output() == "done"
    assert len(list(tmp_path.iterdir())) == 2
    client.close()


@pytest.mark.stack
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
def test_half_open_connection_is_noticed(processes, bench, eventually):
    engine = bench.engine(keepalive_seconds=2)
    worker = _worker(
        processes,
        bench.address,
        """
        def orch(ctx, _):
            os.kill(os.getpid(), 19)  # stops this process: its socket stays open and silent
            time.sleep(60)  # the stop reaches this thread a moment later
        worker.add_orchestrator(orch)
        """,
    )
    worker.stdout.readline()
    client = bench.client()
    instance = client.schedule_new_orchestration("orch")
    eventually(lambda: engine.backend._leases._issued >= 1)
    eventually(lambda: len(engine.backend._leases) == 0)

    def orch(ctx, _):
        return "finished elsewhere"

    bench.worker(orchestrators=(orch,))
    assert client.wait_for_orchestration_completion(instance, timeout=10).get_output() == "finished elsewhere"


@pytest.mark.stack
def test_killed_engine_keeps_its_last_snapshot(processes, tmp_path):
    state = tmp_path / "state"
    engine = _engine(processes, "--state", str(state), "--snapshot-seconds", "0.05")
    client = TaskHubGrpcClient(host_address=_address(engine))
    client.schedule_new_orchestration("o", instance_id="i")
    end = time.monotonic() + 10
    while not state.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    engine.kill()
    engine.wait()
    client.close()
    again = _engine(processes, "--state", str(state))
    client = TaskHubGrpcClient(host_address=_address(again))
    assert client.get_orchestration_state("i").name == "o"
    client.close()


def test_a_taken_port_is_one_line_and_exit_code_2(capsys):
    engine = Engine()
    port = engine.start().rpartition(":")[2]
    try:
        assert main(["--port", port]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        assert f"Port {port}" in printed.err
    finally:
        engine.stop()
        engine.stop()  # a second time does nothing
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTakenError):
            Engine(taken.getsockname()[1]).start()


def test_a_snapshot_that_cannot_be_read_is_one_line(tmp_path, capsys):
    assert main(["--state", str(tmp_path)]) == 1
    assert "Choose another --state" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--port", "x"], ["--port", "70000"], ["--snapshot-seconds", "0"], ["--snapshot-seconds", "soon"]],
)
def test_bad_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_logs_are_json_lines():
    import logging

    try:
        raise ValueError("why")
    except ValueError:
        record = logging.LogRecord("n", logging.ERROR, "f", 1, "it %s", ("broke",), sys.exc_info())
    record.instance = "i"
    line = json.loads(JsonFormatter().format(record))
    assert (line["level"], line["message"], line["instance"]) == ("ERROR", "it broke", "i")
    assert "ValueError: why" in line["exception"]
    assert os.linesep not in JsonFormatter().format(record)
