"""Runs the engine as a process: `python -m local.engine --port N --state FILE`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from . import Engine, PortTakenError, logs

_PORT_TAKEN_EXIT = 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.engine", description="The local durable engine.")
    parser.add_argument("--port", type=_port, default=0, help="TCP port on 127.0.0.1; 0 takes a free one (default)")
    parser.add_argument("--state", type=Path, help="snapshot file; without it the state is kept in memory only")
    parser.add_argument(
        "--snapshot-seconds", type=_seconds, default=3.0, help="longest time between a change and its snapshot (3)"
    )
    parser.add_argument(
        "--log-level", choices=["DEBUG", "INFO", "WARNING", "ERROR"], default="WARNING", help="what goes to stderr"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0 and up to 3600")
    return seconds


def main(arguments: list[str] | None = None) -> int:
    """Run the engine until SIGTERM or SIGINT; returns the exit code (2: port taken, 1: snapshot not writable)."""
    options = _parser().parse_args(arguments)
    logs.configure(options.log_level)
    ending = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    engine = Engine(options.port, options.state, snapshot_seconds=options.snapshot_seconds)
    try:
        address = engine.start()
    except PortTakenError as error:
        print(error, file=sys.stderr)
        return _PORT_TAKEN_EXIT
    except OSError as error:
        print(f"The engine cannot use its snapshot: {error}. Choose another --state FILE.", file=sys.stderr)
        return 1
    print(json.dumps({"ready": True, "address": address}), flush=True)
    while not ending.wait(0.5):  # a bounded wait, so that Ctrl-C is seen on Windows too
        pass
    try:
        engine.stop()
    except OSError as error:
        print(f"The last snapshot could not be written: {error}. Choose another --state FILE.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
