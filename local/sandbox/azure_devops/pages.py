"""Describes the simulator's pages: which page a path shows, and the frame all pages of a project share."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from local.sandbox.azure_devops import pages_code, pages_delivery, pages_work
from local.sandbox.azure_devops.page_frame import View, frame, href, table
from local.sandbox.azure_devops.processes_model import find_process
from local.sandbox.azure_devops.service import Service
from local.sandbox.browser.page import Badge, Icon, InlineCode, KeyValues, Link, Markdown, Page, Time, instant
from local.sandbox.state import State

_SECTIONS = {
    "_git": pages_code.repository_page,
    "_boards": pages_work.boards_page,
    "_backlogs": pages_work.backlog_page,
    "_workitems": pages_work.work_item_page,
    "_build": pages_delivery.build_page,
    "_environments": pages_delivery.environments_page,
    "_wiki": pages_delivery.wiki_page,
    "_settings": pages_delivery.settings_page,
}


def page(state: State, path: str, query: Mapping[str, str], *, base_url: str = "") -> Page | None:
    """The page of a path, None when there is none."""
    service = Service(state, base_url)
    parts = [part for part in path.split("/") if part]
    if not parts:
        return _organizations(service)
    org = service.organization(parts[0])
    if org is None:
        return None
    if len(parts) == 1:
        return _organization(View(service, org, {}, (), query))
    wanted = parts[1].lower()
    project = next((p for p in org["projects"].values() if wanted in {p["id"], p["name"].lower()}), None)
    if project is None:
        return None
    view = View(service, org, project, tuple(parts[2:]), query)
    if len(parts) == 2:
        return _project(view)
    section = _SECTIONS.get(parts[2].lower())
    return section(view) if section else None


def _organizations(service: Service) -> Page:
    rows = [
        [Link(o["name"], "/" + quote(o["name"]), Icon.ORGANISATION), len(o["projects"]), len(o["users"])]
        for o in service.organizations.values()
    ]
    return Page(
        title="Organisations", blocks=[table(columns=["Name", "Projects", "People"], rows=rows, numeric=[1, 2])]
    )


def _organization(view: View) -> Page:
    org = view.org
    rows = []
    for project in sorted(org["projects"].values(), key=lambda p: p["name"].lower()):
        process = find_process(org, project["process"]).name
        link = Link(project["name"], href(org["name"], project["name"]), Icon.PROJECT)
        rows.append(
            [link, project["description"], process, Badge(project["state"]), Time(instant(project["last_update"]))]
        )
    people = [[u["name"], u["mail"], [Badge(p) for p in u.get("permissions", [])]] for u in org["users"].values()]
    return Page(
        title=org["name"],
        icon=Icon.ORGANISATION,
        breadcrumbs=[Link("Organisations", "/")],
        blocks=[
            table(
                title="Projects",
                columns=["Name", "Description", "Process", "State", "Updated"],
                rows=rows,
                empty="No projects yet.",
            ),
            table(title="People", columns=["Name", "Mail", "Permissions"], rows=people),
        ],
        aside=[KeyValues([("Extensions", [Badge(e) for e in org["extensions"]])], title="Installed")],
    )


def _project(view: View) -> Page:
    org, project = view.org, view.project
    items = [w for w in org["work_items"].values() if w["project"] == project["id"]]
    teams = [[t["name"], t["description"], len(t["members"])] for t in project["teams"].values()]
    repositories = [
        [
            Link(r["name"], view.href("_git", r["name"]), Icon.REPOSITORY),
            InlineCode((r["default_branch"] or "empty").removeprefix("refs/heads/")),
        ]
        for r in project["repositories"].values()
    ]
    facts = KeyValues(
        [
            ("Process", find_process(org, project["process"]).name),
            ("Visibility", project["visibility"]),
            ("State", Badge(project["state"])),
            ("Created", Time(instant(project["created"]))),
            ("Work items", Link(str(len(items)), view.href("_backlogs"))),
            ("Identifier", InlineCode(project["id"])),
        ],
        title="About",
    )
    description = [Markdown(project["description"], title="Description")] if project["description"] else []
    return frame(
        view,
        "Summary",
        project["name"],
        blocks=[
            *description,
            table(title="Repositories", columns=["Name", "Default branch"], rows=repositories),
            table(title="Teams", columns=["Name", "Description", "Members"], rows=teams, numeric=[2]),
        ],
        aside=[facts],
        icon=Icon.PROJECT,
    )
