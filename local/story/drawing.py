"""Draws the steps of a project as they stand, for a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

LOOKS = {
    "pending": ("·", "dim"),
    "running": ("▶", "cyan"),
    "waiting": ("…", "yellow"),
    "applied": ("✔", "green"),
    "confirmed": ("✔", "green"),
    "unsupported": ("-", "dim"),
    "failed": ("✘", "bold red"),
    "skipped": ("»", "dim"),
}


def drawn(view: dict[str, Any]) -> Group:
    """The steps of a project as they stand."""
    bar = Progress(TextColumn("    {task.completed:.0f} of {task.total:.0f}"), BarColumn(40), transient=True)
    bar.add_task("", total=view["total"] or 1, completed=view["done"])
    table = Table(box=None, padding=(0, 1, 0, 4), show_header=False)
    for step in view["steps"]:
        sign, style = LOOKS[step["state"]]
        seconds = f"{step['seconds']:.1f} s" if step["seconds"] is not None else ""
        forge = "Azure DevOps" if step["forge"] == "azure_devops" else "GitHub"
        table.add_row(Text(f"{sign} {step['title']}", style), forge, seconds, Text(step["state"], style))
    return Group(table, bar)
