"""`make serve`: the whole stack until Ctrl-C, its state kept for the next start."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from local.stack import Configuration, Ports, PortTakenError, Stack, StackError
from local.stack.configuration import STATE, given_settings


def main(arguments: list[str]) -> int:
    """0 after Ctrl-C or SIGTERM, 1 when a part of the stack ended by itself, 2 when it could not start."""
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--state", type=Path, default=None, help="where the state is kept")
    options = parser.parse_args(arguments)
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    try:
        ports = Ports.fixed(os.environ)
        # Kept state is full of addresses, so each set of ports has a state of its own.
        name = f"serve-{ports.host}-{ports.github}-{ports.azure_devops}-{ports.storage}"
        state = (options.state or STATE / name).absolute()
        stack = Stack(Configuration(ports=ports, state=state, settings=given_settings(os.environ)))
        ready = stack.start(lambda part: print(f"doneright: starting the {part}…", file=sys.stderr, flush=True))
    except (PortTakenError, StackError) as error:
        _say(error)
        return 2
    try:
        print(ready.line(), flush=True)
        print(
            f"doneright: GitHub {ready.github}/acme/requests · Azure DevOps {ready.azure_devops}/acme · "
            f"API {ready.host}/api/openapi.json · logs {ready.logs} · Ctrl-C ends it",
            file=sys.stderr,
        )
        while not asked.wait(0.5):
            if dead := stack.dead():
                for child in dead:
                    _say(child.death())
                _say(f"stopped, as its parts need each other; the state is kept in {state}: start again")
                return 1
    finally:
        stack.stop()
    _say("stopped; the state is kept")
    return 0


def _say(what: object) -> None:
    for line in str(what).splitlines():
        print(f"doneright: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
