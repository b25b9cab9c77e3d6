"""Runs one command of the local stack, setting up what it needs first. Works on any Python 3 that is there."""

from __future__ import annotations

import argparse
import os
import runpy
import subprocess
import sys

from local import setting_up

COMMANDS = {
    "setup": "make the virtual environment and install the node packages",
    "demo": "play the story: from a GitHub issue to an Azure DevOps project, on record",
    "serve": "run the whole stack until Ctrl-C",
    "test": "run the tests a fresh machine can run in minutes",
    "test-all": "run the long matrices too",
    "check": "format, lint, types, imports, security, coverage floor, generated docs",
    "bench": "measure against named peers; writes bench/results.json",
    "docs": "generate the reference pages",
    "lock": "compile the pinned requirements",
    "clean": "remove the state of the local stack",
}
MODULES = {"demo": "local.demo", "serve": "local.serve", "bench": "bench", "docs": "docs.generate"}
NODE_TEST_PACKAGES = frozenset({"test", "test-all", "check"})


def main(arguments: list[str]) -> int:
    """Exit code of the command; 2 when what it needs is not there."""
    listing = "\n".join(f"  {name:9} {text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m local", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=f"commands:\n{listing}"
    )
    parser.add_argument("command", choices=list(COMMANDS), metavar="command")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="handed to the command")
    parsed = parser.parse_args(arguments)
    try:
        python = setting_up.ready(node_for_tests=parsed.command in NODE_TEST_PACKAGES)
    except setting_up.NotThereError as error:
        print(f"doneright: {error}", file=sys.stderr)
        return 2
    if not setting_up.runs_in(python):
        # The command's libraries live in the virtual environment; go on there, in the same process where possible.
        command = [str(python), "-m", "local", *arguments]
        if os.name == "nt":
            return subprocess.call(command)
        os.execv(command[0], command)  # noqa: S606  # nosec B606
    return run(parsed.command, parsed.options)


def run(command: str, options: list[str]) -> int:
    """Run ``command`` in this interpreter, which has every library."""
    if command in {"setup"}:
        print("doneright: everything is set up")
        return 0
    if command in MODULES:
        sys.argv = [MODULES[command], *options]
        runpy.run_module(MODULES[command], run_name="__main__", alter_sys=True)
        return 0
    from local import checking

    return checking.COMMANDS[command](options)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
