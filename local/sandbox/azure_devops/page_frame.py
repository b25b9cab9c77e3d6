"""Gives every page of a project the same breadcrumbs, tabs and addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from local.sandbox.azure_devops.service import Service, Tree
from local.sandbox.browser.page import Link, Page, Tab, Table


def href(*parts: str) -> str:
    """A path of percent-encoded segments; slashes inside a segment stay."""
    return "/" + "/".join(quote(part) for part in parts)


@dataclass(frozen=True)
class View:
    """What is looked at: organization, project, the rest of the path and the query."""

    service: Service
    org: Tree
    project: Tree
    rest: tuple[str, ...]
    query: Mapping[str, str]

    def href(self, *parts: str) -> str:
        """A path below the project."""
        return href(self.org["name"], self.project["name"], *parts)


_TABS = (
    ("Summary", ()),
    ("Boards", ("_boards",)),
    ("Backlog", ("_backlogs",)),
    ("Repos", ("_git",)),
    ("Pipelines", ("_build",)),
    ("Environments", ("_environments",)),
    ("Wiki", ("_wiki",)),
    ("Settings", ("_settings",)),
)


def frame(view: View, tab: str, title: str, **parts: Any) -> Page:
    """A page of the project with `tab` current; `parts` go to the page."""
    crumbs = [Link("Organisations", "/"), Link(view.org["name"], href(view.org["name"]))]
    if tab != "Summary":
        crumbs.append(Link(view.project["name"], view.href()))
    tabs = [Tab(name, view.href(*where), current=name == tab) for name, where in _TABS]
    return Page(title=title, breadcrumbs=crumbs, tabs=tabs, **parts)


def table(*, columns: Sequence[str], rows: Sequence[Sequence[Any]], **parts: Any) -> Table:
    """A table; what its cells may be is checked where it is made."""
    return Table(columns=columns, rows=rows, **parts)
