"""Keeps the runs of portfolios: one at a time for each, every project through the same door as a single request."""

from __future__ import annotations

from shared.domain.audit import TENANT, AuditTag, NewAuditEvent
from shared.domain.connection import Connection
from shared.domain.delivery import RequestState
from shared.domain.keys import encode_key
from shared.domain.portfolio import (
    GOOD,
    Difference,
    DrawnEpic,
    DrawnPortfolio,
    Entry,
    EntryBegun,
    EntryState,
    EntryTask,
    EpicTask,
    Looked,
    LookTask,
    Portfolio,
    PortfolioEnd,
    PortfolioRecord,
    PortfolioRun,
    PortfolioState,
    SeedState,
    as_json,
    entry_state,
)
from shared.domain.project import RequestOrigin
from shared.domain.run import UNDER_WAY, ProjectState
from shared.errors import ConflictError, DefectError, RefusedError
from shared.projects import asking, lost
from shared.projects.admission import API_REQUESTER
from shared.projects.portfolio.ports import PORTFOLIOS, PortfolioPorts
from shared.projects.portfolio.weighing import difference
from shared.projects.ports import REQUESTS

MOST = 100_000
MOST_TOLD = 100
"""Projects that an event of the record names one by one."""


def begin(
    ports: PortfolioPorts,
    portfolio: Portfolio,
    file: tuple[bytes, str],
    connection: Connection,
    requester: str,
    *,
    at_once: int,
    deadline_seconds: int,
    pause_seconds: float,
    decision_seconds: int,
) -> PortfolioRun:
    """The run that is to be started: the one under way with the same file, else a new one on record.

    ``file`` is what was sent, with its media type. Raises ``RefusedError`` while the connection is paused, and while
    the portfolio is being carried out from another file or belongs to another connection.
    """
    if connection.paused:
        raise RefusedError(f"connection {connection.id} is paused", "Resume it, then ask again.")
    plan = ports.projects.artifacts.put(as_json(portfolio), "application/json")
    kept = ports.projects.artifacts.put(*file)
    while True:
        found = ports.portfolios.get(PORTFOLIOS, portfolio.id)
        record = found[0] if found else None
        if record and record.connection != connection.id:
            raise RefusedError(
                f"the portfolio {portfolio.id} belongs to connection {record.connection}", "Give this one another id."
            )
        if record and record.state is PortfolioState.RUNNING:
            if record.start.plan == plan:
                return record.start
            raise RefusedError(
                f"the portfolio {portfolio.id} is being carried out at this moment, from another file",
                "Wait until its run has ended, then send this one again.",
            )
        number = record.start.run + 1 if record else 1
        subject = f"portfolio-{portfolio.id}"
        run = PortfolioRun(
            instance=encode_key(f"{subject}.{number}"),
            id=portfolio.id,
            run=number,
            connection=connection.id,
            plan=plan,
            file=kept,
            origin=RequestOrigin(subject=subject, requester=requester),
            at_once=at_once,
            step_deadline_seconds=deadline_seconds,
            step_pause_seconds=pause_seconds,
            decision_seconds=decision_seconds,
        )
        now = ports.projects.clock.now()
        begun = PortfolioRecord(
            id=portfolio.id,
            name=portfolio.name,
            connection=connection.id,
            state=PortfolioState.RUNNING,
            start=run,
            created_at=record.created_at if record else now,
            started_at=now,
        )
        try:
            if found:
                ports.portfolios.replace(PORTFOLIOS, portfolio.id, begun, found[1])
            else:
                ports.portfolios.create(PORTFOLIOS, portfolio.id, begun)
        except ConflictError:
            continue  # somebody sent a file at the same moment: weigh theirs
        return run


def portfolio_of(ports: PortfolioPorts, plan: str) -> Portfolio:
    """The portfolio stored under that digest."""
    return Portfolio.model_validate_json(ports.projects.artifacts.get(plan))


def draw(ports: PortfolioPorts, run: PortfolioRun) -> DrawnPortfolio:
    """Write down every project of the file as not begun, in the file's order. Doing it again changes nothing."""
    portfolio = portfolio_of(ports, run.plan)
    record(ports, TENANT, AuditTag.PORTFOLIO_RECEIVED, run, "draw", projects=len(portfolio.projects), number=run.run)
    before = {entry.project: entry for _, _, entry in ports.entries.list(run.id, MOST)}
    for order, request in enumerate(portfolio.projects):
        known = before.pop(request.project_id, None)
        if known and known.run == run.instance:
            continue
        fresh = Entry(
            project=request.project_id,
            name=request.name,
            order=order,
            run=run.instance,
            instance=known.instance if known else "",
        )
        ports.entries.put(run.id, request.project_id, fresh)
    for gone in before.values():
        if gone.state is not EntryState.LEFT_OUT:
            left = {"state": EntryState.LEFT_OUT, "run": run.instance, "reason": "", "remedy": "", "faults": ()}
            ports.entries.put(run.id, gone.project, gone.model_copy(update=left))
    return DrawnPortfolio(
        projects=tuple(request.project_id for request in portfolio.projects),
        epics=tuple(
            DrawnEpic(key=epic.key, projects=tuple(member.project_id for member in portfolio.members(epic)))
            for epic in portfolio.epics
        ),
    )


def begin_entry(ports: PortfolioPorts, task: EntryTask) -> EntryBegun:
    """Ask for one project as a call would, and say how the portfolio goes on with it."""
    run, entry = task.run, _entry(ports, task)
    portfolio = portfolio_of(ports, run.plan)
    request = portfolio.request(task.project)
    if request is None:
        raise DefectError(f"{task.project} is not in the portfolio {run.id}")
    existing = ports.projects.project(task.project)
    if existing and difference(existing, request) is Difference.NONE and existing.connection == run.connection:
        ports.entries.put(run.id, task.project, entry.model_copy(update={"state": EntryState.UNCHANGED}))
        return EntryBegun(stands=True)
    asked = asking.ask(
        ports.projects,
        request,
        ports.projects.connection(run.connection),
        API_REQUESTER if run.origin.requester == "api" else run.origin.requester,
        deadline_seconds=run.step_deadline_seconds,
        pause_seconds=run.step_pause_seconds,
        decision_seconds=run.decision_seconds,
    )
    if not isinstance(asked, asking.Asked):
        refused = {
            "state": EntryState.REFUSED, "reason": asked.reason, "remedy": asked.remedy, "faults": asked.faults
        }  # fmt: skip
        ports.entries.put(run.id, task.project, entry.model_copy(update=refused))
        return EntryBegun()
    begun = {"state": EntryState.RUNNING, "instance": asked.instance}
    ports.entries.put(run.id, task.project, entry.model_copy(update=begun))
    # A run that was asked for before may be under way: whoever asked starts it, and the sweep where they could not.
    return EntryBegun(start=None if asked.again else asked.start, watch=asked.again or asked.start is None)


def look(ports: PortfolioPorts, task: LookTask) -> Looked:
    """Which of the runs under way have ended, and which wait for a person."""
    ended, parked = [], []
    for project in task.projects:
        instance = _entry(ports, EntryTask(run=task.run, project=project)).instance
        found = ports.projects.project(project)
        record = found if found and found.instance == instance else None
        if record and record.state is ProjectState.AWAITING_DECISION:
            parked.append(project)
        if (record and record.state not in UNDER_WAY) or (record is None and not _awaited(ports, project, instance)):
            ended.append(project)
    return Looked(ended=tuple(ended), parked=tuple(parked))


def end_entry(ports: PortfolioPorts, task: EntryTask) -> EntryState:
    """Write down what a project's run came to, and in the project's own log that it is part of the portfolio."""
    run, entry = task.run, _entry(ports, task)
    request = ports.projects.requests.get(REQUESTS, f"api-{task.project}")
    kept = request[0] if request and entry.instance and request[0].instance == entry.instance else None
    if task.reason and kept and kept.start and kept.state is RequestState.RUNNING:
        # Its run broke in the engine without writing its end down.
        lost.settle(ports.projects, kept.start, f"FAILED ({task.reason})")
    found = ports.projects.project(task.project)
    project = found if found and entry.instance and found.instance == entry.instance else None
    if project is None:
        state = EntryState.FAILED if task.reason else EntryState.REFUSED
        reason = task.reason or "its request was refused when it was weighed; the record has the reason"
    elif project.state in UNDER_WAY:
        state, reason = EntryState.FAILED, task.reason or "its run did not end"
    else:
        state, reason = entry_state(project.state), project.reason
    ended = {"state": state, "reason": reason, "remedy": "" if state in GOOD else "Send the file again to try again."}
    ports.entries.put(run.id, task.project, entry.model_copy(update=ended))
    if project:
        record(ports, project.id, AuditTag.PROJECT_ENLISTED, run, f"enlist.{project.id}", portfolio=run.id, state=state)
    return state


def conclude(ports: PortfolioPorts, end: PortfolioEnd) -> PortfolioState:
    """Write down what the portfolio came to, project by project."""
    run = end.run
    entries = [entry for _, _, entry in ports.entries.list(run.id, MOST) if entry.run == run.instance]
    named = [entry for entry in entries if entry.state is not EntryState.LEFT_OUT]
    bad = [entry for entry in named if entry.state not in GOOD]
    epics = [
        seeded
        for _, _, seeded in ports.epics.list(run.id, MOST)
        if SeedState.FAILED in {seeded.state, seeded.linked} and seeded.project in {entry.project for entry in named}
    ]
    if end.reason or (named and len(bad) == len(named)):
        state = PortfolioState.FAILED
    else:
        state = PortfolioState.PARTLY_FAILED if bad or epics else PortfolioState.COMPLETED
    tag = AuditTag.PORTFOLIO_COMPLETED if state is PortfolioState.COMPLETED else AuditTag.PORTFOLIO_FAILED
    told: dict[str, object] = {entry.project: entry.state for entry in bad[:MOST_TOLD]}
    told |= {f"{seeded.project}/{seeded.epic}": seeded.state for seeded in epics[:MOST_TOLD]}
    record(ports, TENANT, tag, run, "conclude", state=state, projects=len(named), failed=len(bad), ends=told)
    while True:
        found = ports.portfolios.get(PORTFOLIOS, run.id)
        if found is None:
            raise DefectError(f"the portfolio {run.id} is not on record")
        kept, etag = found
        if kept.start.instance != run.instance or kept.state is not PortfolioState.RUNNING:
            return kept.state if kept.start.instance == run.instance else state
        ended = {"state": state, "reason": end.reason, "finished_at": ports.projects.clock.now()}
        try:
            ports.portfolios.replace(PORTFOLIOS, run.id, kept.model_copy(update=ended), etag)
        except ConflictError:
            continue
        return state


def under_way(ports: PortfolioPorts) -> list[PortfolioRun]:
    """Runs of portfolios that have not ended, to be offered to an engine that may have lost them."""
    rows = ports.portfolios.list(PORTFOLIOS, MOST)
    return [found.start for _, _, found in rows if found.state is PortfolioState.RUNNING]


def record(
    ports: PortfolioPorts, log: str, tag: AuditTag, run: PortfolioRun | EpicTask, step: str, **detail: object
) -> None:
    """Append to a log on behalf of a portfolio's run; the event refers to the file."""
    of = run.run if isinstance(run, EpicTask) else run
    ports.projects.audit.append(
        log,
        NewAuditEvent.model_validate(
            {
                "tag": tag,
                "instance": of.instance,
                "step": step,
                "subject": f"portfolio {of.id}",
                "actor": ports.projects.pseudonyms.of(of.origin.requester, of.connection),
                "detail": detail,
                "artifacts": (of.file,),
            }
        ),
    )


def _entry(ports: PortfolioPorts, task: EntryTask) -> Entry:
    found = ports.entries.get(task.run.id, task.project)
    if found is None or found[0].run != task.run.instance:
        raise DefectError(f"{task.project} is not in the run {task.run.instance}")
    return found[0]


def _awaited(ports: PortfolioPorts, project: str, instance: str) -> bool:
    """Whether the request for ``project`` is on its way to be weighed."""
    found = ports.projects.requests.get(REQUESTS, f"api-{project}")
    return bool(found and found[0].instance == instance and found[0].state is RequestState.RUNNING)
