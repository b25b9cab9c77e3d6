"""Shows the results as a table, keeps them as JSON, and copies them into the documentation."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.table import Table

from bench.peer_packages import node
from bench.result import BenchError, Result

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def write_json(results: Sequence[Result], file: Path) -> None:
    """``results`` as a list of objects with the members of ``Result``."""
    text = json.dumps([result.model_dump() for result in results], indent=2)
    file.write_text(text + "\n", encoding="utf-8")


def goal_text(result: Result) -> str:
    """The goal as it is read: a bound of the ratio."""
    return f"{'≤' if result.lower_is_better else '≥'} {result.goal:g}"


def figure(value: float) -> str:
    """A measured value with three or four digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(results: Sequence[Result]) -> Table:
    """All rows, missed goals plainly so."""
    shown = Table(
        title="Doneright beside its peers (medians; ratio = ours / peer)", title_justify="left", box=box.SIMPLE
    )
    for heading in ("what", "unit", "ours", "peer", "beside", "ratio", "goal", ""):
        shown.add_column(heading, justify="right" if heading in {"ours", "peer", "ratio", "goal"} else "left")
    for result in results:
        shown.add_row(
            result.name,
            result.unit,
            figure(result.ours),
            figure(result.peer),
            result.peer_name,
            f"{result.ratio:.2f}",
            goal_text(result),
            "[green]met[/green]" if result.met else "[red]missed[/red]",
        )
    return shown


def markdown(results: Sequence[Result]) -> str:
    """The same table for the documentation."""
    lines = ["| what | unit | ours | peer | | ratio | goal | |", "|---|---|---:|---:|---|---:|---:|---|"]
    lines += [
        f"| {r.name} | {r.unit} | {figure(r.ours)} | {figure(r.peer)} | {r.peer_name} | {r.ratio:.2f} "
        f"| {goal_text(r)} | {'met' if r.met else '**missed**'} |"
        for r in results
    ]
    return "\n".join(lines)


def machine() -> str:
    """Where it was measured: cores and versions, no names."""
    version = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with {os.cpu_count()} cores of {platform.machine()}, "
        f"{platform.system()}, Python {platform.python_version()}, node {version.removeprefix('v')}; "
        f"load average when it began: {os.getloadavg()[0]:.1f}."
        if hasattr(os, "getloadavg")
        else f"Measured with {os.cpu_count()} cores, Python {platform.python_version()}, node {version}."
    )


def update_page(page: Path, results: Sequence[Result], described: str) -> None:
    """Replace the run that ``page`` shows.

    Raises:
        BenchError: the page has no place for it.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"{page} must hold the lines {BEGIN} and {END}, between which the run goes")
    page.write_text(f"{before}{BEGIN}\n{described}\n\n{markdown(results)}\n{END}{after}", encoding="utf-8")
