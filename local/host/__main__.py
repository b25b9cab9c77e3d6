"""Starts the host from the command line and guarantees a clear exit: 0 drained, 2 a setting is wrong, 3 the app cannot be indexed."""

import argparse
import sys
from pathlib import Path

from local.host.logs import LEVELS


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line; wrong use ends the process with exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Runs a Functions app on this machine.")
    parser.add_argument(
        "--app", type=Path, required=True, metavar="DIR", help="folder that holds function_app.py and host.json"
    )
    parser.add_argument(
        "--port",
        type=int,
        default=None,
        metavar="N",
        help="HTTP port; 0 picks a free one (default: Host.LocalHttpPort, else 7071)",
    )
    parser.add_argument(
        "--engine",
        default=None,
        metavar="HOST:PORT",
        help="address of the durable engine; needed by apps with durable functions",
    )
    parser.add_argument(
        "--log-level", default=None, choices=sorted(LEVELS), help="overrides host.json's logging.logLevel"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the host until a signal ends it; returns the exit code."""
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    from local.host.server import run  # imported late: a usage error must not wait for the SDKs to load

    return run(options.app, options.port, options.engine, options.log_level)


if __name__ == "__main__":
    raise SystemExit(main())
