"""The checks that decide whether the tree is sound: tests, format, lint, types, imports, security, coverage, docs."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from local.stack.configuration import ROOT, STATE

PRODUCT = ("functions", "orchestrations", "shared", "local", "function_app.py")
COVERAGE_FLOOR = 90
COVERAGE_DATA = ROOT / ".coverage"


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _run(command: list[str], **environ: str) -> int:
    return subprocess.run(command, cwd=ROOT, env=os.environ | environ, check=False).returncode


def test(options: list[str]) -> int:
    """Everything but the long matrices, on two workers, with the lines that ran written down."""
    # Python's own monitoring (PEP 669) tells lines at no cost that could be measured; branches it cannot tell in 3.13.
    return _pytest(["-m", "not slow", *options], COVERAGE_CORE="sysmon")


def test_all(options: list[str]) -> int:
    """Everything, with branches traced, which doubles the time of a test, and with new examples for each property."""
    return _pytest(["--cov-branch", "--hypothesis-profile=searching", *options])


def _pytest(options: list[str], **environ: str) -> int:
    for data in ROOT.glob(".coverage*"):
        data.unlink()
    command = [sys.executable, "-m", "pytest", "--cov", "--cov-report=", "-n", "2", "--dist", "loadgroup", *options]
    # The engines that tests end on purpose would else print each closed stream.
    return _run(command, GRPC_VERBOSITY="NONE", **environ)


def check(options: list[str]) -> int:
    """Run every static check, and hold coverage and generated docs to what the last test run and the code say."""
    parser = argparse.ArgumentParser(prog="make check")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended by itself")
    parser.add_argument("--quick", action="store_true", help="leave the coverage out")
    given = parser.parse_args(options)
    fix = given.fix
    python = sys.executable
    checks: list[tuple[str, list[str]]] = [
        ("format", [_tool("ruff"), "format", *([] if fix else ["--check"]), "."]),
        ("lint", [_tool("ruff"), "check", *(["--fix"] if fix else []), "."]),
        ("types, strict", [_tool("mypy"), "--strict", "shared", "orchestrations"]),
        ("types", [_tool("mypy"), "functions", "local", "function_app.py"]),
        ("imports", [_tool("lint-imports"), "--no-cache"]),
        ("security", [_tool("bandit"), "-q", "-r", *PRODUCT, "-c", "pyproject.toml", "--severity-level", "medium"]),
        ("generated docs", [python, "-m", "docs.generate", "--check"]),
    ]
    failed = [name for name, command in checks if not _passes(name, partial(_run, command))]
    if not given.quick and not _passes("coverage", _coverage):
        failed.append("coverage")
    if failed:
        print(f"doneright: {len(failed)} checks failed: {', '.join(failed)}", file=sys.stderr)
        return 1
    return 0


def _passes(name: str, run: Callable[[], int]) -> bool:
    started = time.monotonic()
    print(f"── {name}", flush=True)
    code = run()
    print(f"── {name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - started:.1f} s\n", flush=True)
    return code == 0


def _coverage() -> int:
    if not COVERAGE_DATA.exists():
        print("no coverage was measured yet: running the tests first")
        if code := test([]):
            return code
    return _run([sys.executable, "-m", "coverage", "report", f"--fail-under={COVERAGE_FLOOR}"])


def lock(options: list[str]) -> int:
    """Compile requirements.in and requirements-dev.in to exact versions, naming no index."""
    common = ["uv", "pip", "compile", "--python-version", "3.13", "--universal", "--quiet", *options]
    common += ["--no-emit-index-url", "--no-header", "--no-annotate", "--prerelease=if-necessary-or-explicit"]
    if not shutil.which("uv"):
        print("doneright: `make lock` needs uv: pip install uv", file=sys.stderr)
        return 2
    for name in ("requirements", "requirements-dev"):
        if code := _run([*common, f"{name}.in", "-o", f"{name}.txt"]):
            return code
    return 0


def clean(_: list[str]) -> int:
    """Remove the state of the local stack."""
    shutil.rmtree(STATE, ignore_errors=True)
    print(f"doneright: removed {STATE}")
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "test": test,
    "test-all": test_all,
    "check": check,
    "lock": lock,
    "clean": clean,
}
