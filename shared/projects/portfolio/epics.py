"""Seeds a portfolio's epics in each project's backlog, each once, and links them to the same epic in the others.

A project's planning stays in one place: on its boards where it has them, as an issue where it is on GitHub alone.
"""

from __future__ import annotations

from shared.domain.audit import TENANT, AuditTag
from shared.domain.forge import ForgeName
from shared.domain.portfolio import (
    SEEDED,
    EpicTask,
    PortfolioEpic,
    SeededEpic,
    SeedState,
)
from shared.domain.project import ProjectRequest
from shared.errors import DefectError, RefusedError
from shared.projects.portfolio import boards, issues
from shared.projects.portfolio.boards import Seeded
from shared.projects.portfolio.ports import PortfolioPorts
from shared.projects.portfolio.running import portfolio_of, record

SEEDED_TAGS = {
    ForgeName.GITHUB: AuditTag.GITHUB_EPIC_SEEDED,
    ForgeName.AZURE_DEVOPS: AuditTag.AZURE_DEVOPS_EPIC_SEEDED,
}
LINKED_TAGS = {
    ForgeName.GITHUB: AuditTag.GITHUB_EPIC_LINKED,
    ForgeName.AZURE_DEVOPS: AuditTag.AZURE_DEVOPS_EPIC_LINKED,
}
FAILED_TAGS = {
    ForgeName.GITHUB: AuditTag.GITHUB_EPIC_FAILED,
    ForgeName.AZURE_DEVOPS: AuditTag.AZURE_DEVOPS_EPIC_FAILED,
}
NO_ISSUES = "this deployment's GitHub adapter makes no issues"
NO_LINKS = "this deployment's adapters do not link across projects"


def forge_of(request: ProjectRequest) -> ForgeName:
    """Where the project plans its work."""
    return ForgeName.AZURE_DEVOPS if ForgeName.AZURE_DEVOPS in request.forges else ForgeName.GITHUB


def seed(ports: PortfolioPorts, task: EpicTask) -> SeedState:
    """The epic with its features is in the project's backlog, and was read back there.

    What was seeded once and removed by people since stays removed. Raises ``TransientError`` while the forge does not
    show what was made.
    """
    epic, request = _named(ports, task)
    before = _before(ports, task, epic, request)
    connection = ports.projects.connection(task.run.connection)
    try:
        if before.forge is ForgeName.AZURE_DEVOPS:
            tracker = ports.projects.connect(connection).tracker
            if tracker is None:
                raise RefusedError(f"connection {connection.id} has no Azure DevOps organisation", "Add it to it.")
            seeded = boards.seed(tracker, task.run.id, epic, request, frozenset(before.made))
        else:
            writer = ports.reach(connection).issues
            if writer is None:
                return _keep(ports, task, before, {"state": SeedState.UNSUPPORTED, "reason": NO_ISSUES})
            seeded = issues.seed(writer, connection, task.run.id, epic, request, frozenset(before.made))
    except RefusedError as error:
        return _failed(ports, task, before, error)
    # What an earlier try made and lost the answer to is found again, and on record all the same.
    if new := set(seeded.made) - set(before.made):
        made = {"portfolio": task.run.id, "epic": epic.title, "items": len(new), "number": seeded.number}
        for log in (task.project, TENANT):
            record(ports, log, SEEDED_TAGS[before.forge], task, f"seed.{epic.key}.{task.project}", **made)
    return _keep(ports, task, before, _outcome(seeded))


def link(ports: PortfolioPorts, task: EpicTask) -> SeedState:
    """The epic in this project is linked to the same epic in every other that has it, and was read back so."""
    epic, request = _named(ports, task)
    mine = _before(ports, task, epic, request)
    if mine.state not in SEEDED or not mine.number:
        return mine.state
    others = _siblings(ports, task, epic)
    connection = ports.projects.connection(task.run.connection)
    reach = ports.reach(connection)
    on_azure = mine.forge is ForgeName.AZURE_DEVOPS
    if not others:
        return _keep(ports, task, mine, {"linked": SeedState.CONFIRMED, "link_reason": "", "others": 0})
    if (reach.links if on_azure else reach.issues) is None:
        return _keep(ports, task, mine, {"linked": SeedState.UNSUPPORTED, "link_reason": NO_LINKS})
    try:
        if on_azure and reach.links:
            made = boards.link(reach.links, request, mine, others)
        elif reach.issues:
            made = issues.link(reach.issues, connection, request, task.run.id, mine, others)
        else:
            raise DefectError(f"no adapter links {mine.forge}")
    except RefusedError as error:
        changes: dict[str, object] = {
            "linked": SeedState.FAILED,
            "link_reason": f"{error.reason} {error.remedy}".strip(),
        }
        record(
            ports, task.project, FAILED_TAGS[mine.forge], task, f"link.{epic.key}.{task.project}", reason=error.reason
        )
        return _keep(ports, task, mine, changes)
    if made or mine.others != len(others):
        told = {"portfolio": task.run.id, "epic": epic.title, "others": [other.project for other in others]}
        record(ports, task.project, LINKED_TAGS[mine.forge], task, f"link.{epic.key}.{task.project}", **told)
    state = SeedState.APPLIED if made else SeedState.CONFIRMED
    return _keep(ports, task, mine, {"linked": state, "link_reason": "", "others": len(others)})


def end_broken(ports: PortfolioPorts, task: EpicTask) -> SeedState:
    """Write down that seeding or linking broke without an outcome."""
    epic, request = _named(ports, task)
    before = _before(ports, task, epic, request)
    if before.state in SEEDED and before.number:
        return _keep(ports, task, before, {"linked": SeedState.FAILED, "link_reason": task.reason})
    return _failed(ports, task, before, RefusedError(task.reason, "Send the file again to try again."))


def _outcome(seeded: Seeded) -> dict[str, object]:
    gone = "" if seeded.number else "it was seeded before, and people have removed it since"
    return {
        "state": SeedState.APPLIED if seeded.created else SeedState.CONFIRMED,
        "reason": gone,
        "remedy": "",
        "number": seeded.number,
        "url": seeded.url,
        "made": seeded.made,
    }


def _siblings(ports: PortfolioPorts, task: EpicTask, epic: PortfolioEpic) -> list[SeededEpic]:
    rows = [seeded for _, _, seeded in ports.epics.list(task.run.id, 100_000)]
    members = {member.project_id for member in portfolio_of(ports, task.run.plan).members(epic)}
    return sorted(
        (
            seeded
            for seeded in rows
            if seeded.epic == epic.key
            and seeded.project in members - {task.project}
            and seeded.state in SEEDED
            and seeded.number
        ),
        key=lambda seeded: seeded.project,
    )


def _named(ports: PortfolioPorts, task: EpicTask) -> tuple[PortfolioEpic, ProjectRequest]:
    portfolio = portfolio_of(ports, task.run.plan)
    epic, request = portfolio.epic(task.epic), portfolio.request(task.project)
    if epic is None or request is None:
        raise DefectError(f"{task.epic} in {task.project} is not in the portfolio {task.run.id}")
    return epic, request


def _before(ports: PortfolioPorts, task: EpicTask, epic: PortfolioEpic, request: ProjectRequest) -> SeededEpic:
    found = ports.epics.get(task.run.id, _row(task))
    if found:
        return found[0]
    return SeededEpic(
        epic=epic.key, title=epic.title, project=task.project, forge=forge_of(request), state=SeedState.FAILED
    )


def _failed(ports: PortfolioPorts, task: EpicTask, before: SeededEpic, error: RefusedError) -> SeedState:
    step = f"seed.{task.epic}.{task.project}"
    record(ports, task.project, FAILED_TAGS[before.forge], task, step, portfolio=task.run.id, reason=error.reason)
    return _keep(ports, task, before, {"state": SeedState.FAILED, "reason": error.reason, "remedy": error.remedy})


def _keep(ports: PortfolioPorts, task: EpicTask, before: SeededEpic, changes: dict[str, object]) -> SeedState:
    after = before.model_copy(update=changes)
    ports.epics.put(task.run.id, _row(task), after)
    return (after.linked or after.state) if "linked" in changes else after.state


def _row(task: EpicTask) -> str:
    return f"{task.epic}.{task.project}"
