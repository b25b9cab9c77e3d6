"""Reads a project's backlog from each of its forges, in few calls, and judges it."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.backlog import Backlog, BacklogView, JudgedBacklog
from shared.domain.forge import ForgeName, IssueSnapshot, RepositoryRef
from shared.domain.run import ProjectRecord
from shared.errors import RefusedError
from shared.planning.hierarchy import judge, ladder_of, tree
from shared.planning.levels import backlog_of
from shared.planning.ports import PlanningPorts
from shared.projects.ports import ConnectedForges

MOST_PARENTS = 50
"""Parents that are closed or stand in other repositories, each a question of its own."""
_PAGE = 100


def repository_of(ports: PlanningPorts, record: ProjectRecord) -> RepositoryRef:
    """The project's repository on GitHub."""
    return RepositoryRef(owner=ports.projects.connection(record.connection).github.organization, name=record.id)


def view(ports: PlanningPorts, project_id: str) -> BacklogView:
    """The project's backlogs with all that is wrong in them. A forge that refuses is told, and hides no other."""
    record = ports.project(project_id)
    judged = []
    for forge in sorted(record.request.forges):
        try:
            backlog = read(ports, record, forge)
        except RefusedError as error:
            place = record.name if forge is ForgeName.AZURE_DEVOPS else str(repository_of(ports, record))
            judged.append(
                JudgedBacklog(
                    forge=forge, place=place, hierarchy="", items=0, calls=0, findings=(), unavailable=error.reason
                )
            )
            continue
        findings = judge(backlog)
        judged.append(
            JudgedBacklog(
                forge=forge,
                place=backlog.place,
                hierarchy=backlog.ladder.described(),
                items=len(backlog.entries),
                calls=backlog.calls,
                findings=findings,
                tree=tree(backlog, findings),
            )
        )
    return BacklogView(project=record.id, name=record.name, backlogs=tuple(judged))


def read(ports: PlanningPorts, record: ProjectRecord, forge: ForgeName, *, described: bool = False) -> Backlog:
    """The backlog on one forge. Raises ``RefusedError`` where it cannot be read."""
    connected = ports.projects.connect(ports.projects.connection(record.connection))
    if forge is ForgeName.GITHUB:
        return _on_github(connected, repository_of(ports, record), record, described=described)
    if connected.tracker is None:
        raise RefusedError("the connection has no Azure DevOps organisation", "Add one to the connection.")
    return connected.tracker.backlog(record.name, described=described)


def _on_github(connected: ConnectedForges, ref: RepositoryRef, record: ProjectRecord, *, described: bool) -> Backlog:
    listed = list(connected.issues.listed_issues(ref))
    calls = len(listed) // _PAGE + 1
    there = {f"{issue.ref}#{issue.number}" for issue in listed}
    wanted = sorted({issue.parent for issue in listed if issue.parent} - there)[:MOST_PARENTS]
    above = list(_parents(connected, wanted))
    return backlog_of(
        ref, [*listed, *above], ladder_of(record.request.process), calls=calls + len(wanted), described=described
    )


def _parents(connected: ConnectedForges, wanted: list[str]) -> Iterator[IssueSnapshot]:
    """The parents that the list of open issues does not hold; those that are not shown are left out."""
    for name in wanted:
        repository, _, number = name.rpartition("#")
        try:
            yield connected.issues.issue(RepositoryRef.parse(repository), int(number))
        except RefusedError:
            continue
