"""Measures every row, or one, shows the table and writes ``bench/results.json``: ``python -m bench``.

A missed goal is a result, not a failure: the exit code is 0 unless a row could not be measured (1).
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Protocol

from rich.console import Console

from bench import report
from bench.processes import ROOT
from bench.result import BenchError, Result
from local.stack import StackError

RESULTS = ROOT / "bench" / "results.json"
PAGE = ROOT / "docs" / "explanation" / "performance.md"
ROWS: Mapping[str, str] = {
    "durable": "bench.durable",
    "http": "bench.http_overhead",
    "intake": "bench.intake",
    "delivery": "bench.delivery",
    "evidence": "bench.evidence",
    "indexing": "bench.indexing",
    "audit": "bench.audit_row",
    "pacing": "bench.pacing",
    "bootstrap": "bench.bootstrap_time",
    "calls": "bench.bootstrap_calls",
    "review": "bench.reviews",
    "events": "bench.review_events",
}


class Row(Protocol):
    """What a row's module offers."""

    def __call__(self, folder: Path, *, quick: bool) -> list[Result]:
        """Measure, keeping logs and state in ``folder``."""


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line; wrong use ends the process with exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Doneright beside named peers.")
    parser.add_argument("--only", choices=list(ROWS), metavar="NAME", help=f"one row: {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds; the figures wobble more")
    parser.add_argument(
        "--page", action="store_true", help="also copy the run into docs/explanation/performance.md (whole runs only)"
    )
    options = parser.parse_args(arguments)
    if options.page and (options.only or options.quick):
        parser.error("--page keeps whole runs only; leave out --only and --quick")
    return options


def measure(names: list[str], rows: Mapping[str, Row], console: Console, results: list[Result], *, quick: bool) -> int:
    """Measure the rows in order into ``results``; how many rows broke. A row that breaks is named with its reason."""
    broken = 0
    with tempfile.TemporaryDirectory(prefix="doneright-bench-") as folder:
        for name in names:
            began = time.monotonic()
            try:
                with console.status(f"measuring {name}…"):
                    found = rows[name](Path(folder) / name, quick=quick)
            except (BenchError, StackError) as error:
                broken += 1
                console.print(f"{name}: could not be measured: {error}", style="red", markup=False)
                continue
            results += found
            missed = sum(not result.met for result in found)
            told = f"{len(found)} results, {missed} goals missed" if missed else f"{len(found)} results, all goals met"
            console.print(f"{name}: {told} ({time.monotonic() - began:.0f} s)", markup=False)
    return broken


def _stop(*_: object) -> None:
    """As Ctrl-C does, so that every child is ended on the way out."""
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """Run the bench; returns the exit code. What was measured before it was stopped is kept: a run takes a while."""
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _stop)
    progress = Console(stderr=True)
    described = report.machine()
    names = [options.only] if options.only else list(ROWS)
    rows: dict[str, Row] = {name: import_module(ROWS[name]).run for name in names}
    results: list[Result] = []
    broken = 0
    try:
        broken = measure(names, rows, progress, results, quick=options.quick)
        stopped = False
    except KeyboardInterrupt:
        progress.print(f"stopped; what was measured stands in {RESULTS.name}")
        stopped = True
    report.write_json(results, RESULTS)
    # A pipe has no width of its own; 80 columns would break every name.
    Console(width=None if sys.stdout.isatty() else 140).print(report.table(results))
    if stopped:
        return 130
    if broken:
        progress.print(f"{broken} of {len(names)} rows could not be measured", style="red")
        return 1
    if options.page:
        report.update_page(PAGE, results, described)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
