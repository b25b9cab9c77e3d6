"""Backlogs written down in one line an item, for tests of what is wrong with them."""

from __future__ import annotations

from typing import Any

from shared.domain.backlog import Backlog, Entry, Ladder, Standing
from shared.domain.forge import ForgeName
from shared.domain.project import Process
from shared.planning.hierarchy import ladder_of


def entry(id_: int, type_: str, title: str = "", parent: int | None = None, **more: Any) -> Entry:
    """An open item; ``state`` Closed and Removed say what they mean."""
    standing = {"Closed": Standing.CLOSED, "Removed": Standing.REMOVED}.get(more.get("state", ""), Standing.OPEN)
    given = {"state": "New", "standing": standing, "project": "Order Desk", "area": "Order Desk"} | more
    return Entry(id=id_, type=type_, title=title or f"{type_} number {id_}", parent=parent, **given)


def a_backlog(*entries: Entry, ladder: Ladder | None = None, elsewhere: tuple[Entry, ...] = ()) -> Backlog:
    """Those entries in a project of the Agile process."""
    return Backlog(
        forge=ForgeName.AZURE_DEVOPS,
        place="Order Desk",
        ladder=ladder or ladder_of(Process.AGILE),
        entries=entries,
        elsewhere=elsewhere,
    )
