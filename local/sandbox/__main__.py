"""Starts the simulators: `python -m local.sandbox`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from local.sandbox.server import Options, UnusableError, serve


def parse(arguments: list[str] | None = None) -> Options:
    """Read the command line; exits with 2 and a line of reason when it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m local.sandbox", description=__doc__)
    parser.add_argument("--github-port", type=int, default=7081, help="0 takes a free one")
    parser.add_argument("--azure-devops-port", type=int, default=7082, help="0 takes a free one")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep the state here; without it nothing is kept")
    parser.add_argument("--seed", type=Path, metavar="FILE.json", help="applied to an empty state only")
    parser.add_argument("--contracts", action="store_true", help="refuse what the official contracts do not know")
    parser.add_argument("--min-project-seconds", type=float, default=0.0, help="least time a project creation takes")
    parser.add_argument("--max-project-seconds", type=float, default=0.0, help="most time a project creation takes")
    given = parser.parse_args(arguments)
    if not 0 <= given.min_project_seconds <= max(given.max_project_seconds, given.min_project_seconds):
        parser.error("--min-project-seconds must not be negative")
    given.max_project_seconds = max(given.max_project_seconds, given.min_project_seconds)
    return Options(**vars(given))


def main(arguments: list[str] | None = None) -> int:
    """Run; returns the exit code: 0 after a signal, 2 when it cannot start."""
    options = parse(arguments)
    try:
        asyncio.run(serve(options))
    except UnusableError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
