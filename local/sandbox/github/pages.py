"""Describes the pages of the GitHub simulator: organisations, repositories and what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from local.sandbox.browser.page import (
    Badge,
    Icon,
    Link,
    Page,
    Table,
    Time,
    instant,
)
from local.sandbox.github.hub import Hub
from local.sandbox.github.pages_forms import new_issue_page
from local.sandbox.github.pages_hooks import (
    app_page,
    hooks_table,
    installation_page,
    new_app_page,
    organization_hook_page,
    repository_hooks_page,
)
from local.sandbox.github.pages_repository import (
    actions_page,
    branches_page,
    file_page,
    repository_page,
    rules_page,
    run_page,
)
from local.sandbox.github.pages_work import issue_list, issue_page, pull_page
from local.sandbox.state import State


def page(state: State, path: str, query: Mapping[str, str]) -> Page | None:
    """The page at `path`; None where there is none."""
    hub = Hub(state, "")
    if path == "/":
        return _home(hub)
    for pattern, draw in _PAGES:
        found = re.fullmatch(pattern, path)
        if found:
            return draw(hub, query, **found.groupdict())
    return None


def _home(hub: Hub) -> Page:
    rows = [
        [
            Link(o["login"], f"/{o['login']}", Icon.ORGANISATION),
            o["plan"],
            len(o["members"]),
            len(hub.repos_of(o["login"])),
        ]
        for o in hub.table("orgs").values()
    ]
    people = [[u["login"], u.get("name"), u["type"]] for u in hub.table("users").values()]
    return Page(
        title="Organisations",
        blocks=[
            Table(
                title="Organisations", columns=["Name", "Plan", "Members", "Repositories"], rows=rows, numeric=[2, 3]
            ),
            Table(title="People", columns=["Login", "Name", "Kind"], rows=people),
        ],
    )


def organization_page(hub: Hub, _: Mapping[str, str], org: str) -> Page | None:
    found = hub.org(org)
    if found is None:
        return None
    login = found["login"]
    rows = [
        [
            Link(r["name"], f"/{login}/{r['name']}", Icon.REPOSITORY),
            Badge("private" if r["private"] else "public"),
            r["description"],
            sum(i["state"] == "open" for i in r["issues"].values()),
            Time(instant(r["updated_at"])),
        ]
        for r in hub.repos_of(login)
    ]
    teams = [[t["name"], ", ".join(t["members"]), len(t["repos"])] for t in found["teams"].values()]
    installed = [i for i in hub.table("installations").values() if i["account"].lower() == login.lower()]
    apps = [
        [
            hub.table("apps")[str(i["app_id"])]["name"],
            i["id"],
            i["repository_selection"],
            Time(instant(i["created_at"])),
        ]
        for i in installed
    ]
    return Page(
        title=login,
        breadcrumbs=[Link("Organisations", "/")],
        icon=Icon.ORGANISATION,
        status=Badge(f"{found['plan']} plan"),
        blocks=[
            Table(
                title="Repositories",
                columns=["Name", "Visibility", "Description", "Open", "Updated"],
                rows=rows,
                numeric=[3],
            ),
            Table(title="Teams", columns=["Name", "Members", "Repositories"], rows=teams, numeric=[2]),
            Table(title="Members", columns=["Login", "Role"], rows=[[n, role] for n, role in found["members"].items()]),
            Table(title="Apps installed", columns=["App", "Installation", "Repositories", "Since"], rows=apps),
            hooks_table(found["hooks"].values(), f"/organizations/{login}/settings/hooks"),
        ],
        actions=[Link("Register an App", f"/organizations/{login}/settings/apps/new")],
    )


_R = r"/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)"
_PAGES: list[tuple[str, Callable[..., Page | None]]] = [
    (r"/organizations/(?P<org>[\w-]+)/settings/apps/new", new_app_page),
    (
        r"/organizations/(?P<org>[\w-]+)/settings/hooks/(?P<number>\d+)(?:/deliveries/(?P<delivery>\d+))?",
        organization_hook_page,
    ),
    (r"/organizations/(?P<org>[\w-]+)/settings/installations/(?P<number>\d+)", installation_page),
    (r"/apps/(?P<slug>[\w-]+)(?:/installations/new|/deliveries/(?P<delivery>\d+))?", app_page),
    (r"/(?P<org>[\w-]+)", organization_page),
    (_R, repository_page),
    (_R + r"/tree/(?P<ref>.+)", repository_page),
    (_R + r"/blob/(?P<rest>.+)", file_page),
    (_R + r"/(?P<kind>issues|pulls)", issue_list),
    (_R + r"/issues/new(?:/(?P<choose>choose))?", new_issue_page),
    (_R + r"/issues/(?P<number>\d+)", issue_page),
    (_R + r"/pull/(?P<number>\d+)", pull_page),
    (_R + r"/actions", actions_page),
    (_R + r"/actions/runs/(?P<number>\d+)", run_page),
    (_R + r"/branches", branches_page),
    (_R + r"/rules", rules_page),
    (_R + r"/settings/hooks(?:/(?P<number>\d+)(?:/deliveries/(?P<delivery>\d+))?)?", repository_hooks_page),
]
