"""Links an issue and the project and work items it names to each other, once, with one comment that is kept up to date."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.audit import AuditTag
from shared.domain.backlog import Entry
from shared.domain.connection import Connection
from shared.domain.forge import IssueSnapshot
from shared.domain.issue_category import Belonging
from shared.planning.ports import Asker, PlanningPorts
from shared.projects.answers import plain

MARK = "<!-- doneright:links -->"


def link(
    ports: PlanningPorts,
    connection: Connection,
    asker: Asker,
    issue: IssueSnapshot,
    where: Belonging,
    found: Sequence[Entry],
    log: str,
) -> None:
    """Link each work item that ``issue`` names to it, and say on the issue what it belongs to.

    An issue in the project's own repository that names no work item needs neither. What nobody may know from the
    issue itself, such as the title of a work item, is not said there.
    """
    connected = ports.projects.connect(connection)
    there = f"{issue.ref}#{issue.number}"
    entries = {entry.id: entry for entry in found}
    for number in where.work_items:
        if connected.tracker is not None and connected.tracker.add_work_item_link(
            number, issue.url, f"{there} names this"
        ):
            ports.record(
                log,
                AuditTag.AZURE_DEVOPS_ITEM_LINKED,
                asker,
                f"link.{there}.{number}",
                entries[number].url,
                issue=issue.url,
            )
    own = bool(where.project) and issue.ref.name.casefold() == where.project.casefold()
    wanted = where.work_items or (where.project and not own)
    said = next((one for one in connected.issues.comments(issue.ref, issue.number) if MARK in one.body), None) if wanted else None  # fmt: skip
    if not wanted:
        return
    body = _words(where, [entries[number] for number in where.work_items], ports, own=own)
    if said is not None and said.body.replace("\r\n", "\n").strip() == body.strip():
        return
    if said is None:
        connected.issues.comment(issue.ref, issue.number, body)
    else:
        connected.issues.edit_comment(issue.ref, said.id, body)
    ports.record(
        log,
        AuditTag.GITHUB_ISSUE_LINKED,
        asker,
        f"link.{there}",
        issue.url,
        belongs_to=where.project,
        why=where.reason,
        work_items=list(where.work_items),
    )


def _words(where: Belonging, entries: Sequence[Entry], ports: PlanningPorts, *, own: bool) -> str:
    lines = []
    record = ports.projects.project(where.project) if where.project and not own else None
    if record is not None:
        lines.append(f"This belongs to **{plain(record.name)}**: {plain(where.reason)}.")
    if entries:
        # A bare AB#12 would be a mention of its own.
        named = ", ".join(f"[work item {entry.id}]({entry.url})" for entry in entries)
        lines.append(f"Linked with {named}.")
    return "\n\n".join([*lines, MARK])
