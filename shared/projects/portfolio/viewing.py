"""What people and scripts see of a portfolio: each project and each epic, with what failed and why."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.domain.audit import TENANT
from shared.domain.faults import FieldFault
from shared.domain.forge import Frozen
from shared.domain.portfolio import (
    GOOD,
    UNFINISHED,
    Entry,
    EntryState,
    PortfolioRecord,
    PortfolioState,
    SeededEpic,
    entry_state,
)
from shared.projects.portfolio.ports import PORTFOLIOS, PortfolioPorts
from shared.projects.portfolio.running import MOST, portfolio_of


class EntryView(Frozen):
    """A project of a portfolio as it is shown."""

    project: str
    name: str
    state: EntryState
    reason: str
    remedy: str
    faults: tuple[FieldFault, ...] = ()
    instance: str
    status_url: str
    view_url: str = Field(description="The project's page, readable by whoever holds the link; empty without a run.")


class EpicView(Frozen):
    """A portfolio epic as it is shown."""

    key: str
    title: str
    projects: tuple[str, ...]
    seeded: tuple[SeededEpic, ...]


class PortfolioRow(Frozen):
    """A portfolio in a list."""

    id: str
    name: str
    connection: str
    state: PortfolioState
    started_at: datetime
    finished_at: datetime | None


class PortfolioView(Frozen):
    """A portfolio as it is shown."""

    id: str
    name: str
    connection: str
    state: PortfolioState
    reason: str
    run: int
    instance: str
    file: str = Field(description="Digest of the file as it was sent, in the artifact store.")
    created_at: datetime
    started_at: datetime
    finished_at: datetime | None
    done: int = Field(description="Projects that ended well.")
    failed: int = Field(description="Projects that ended otherwise.")
    waiting: int = Field(description="Projects that wait for a person's decision.")
    total: int
    projects: tuple[EntryView, ...]
    left_out: tuple[EntryView, ...] = Field(description="Named by an earlier file and not by this one; never deleted.")
    epics: tuple[EpicView, ...]
    record_url: str


def view(ports: PortfolioPorts, portfolio: str) -> PortfolioView | None:
    """The portfolio as it stands; ``None`` when there is none."""
    found = ports.portfolios.get(PORTFOLIOS, portfolio)
    if found is None:
        return None
    record = found[0]
    entries = sorted((entry for _, _, entry in ports.entries.list(portfolio, MOST)), key=lambda entry: entry.order)
    planned = portfolio_of(ports, record.start.plan)
    wanted = {request.project_id: request.name for request in planned.projects}
    known = {entry.project: entry for entry in entries}
    # Between its start and its first activity a run has written nothing down yet.
    rows = tuple(_entry(ports, record, known.get(project), project, name) for project, name in wanted.items())
    states = [row.state for row in rows]
    seeded = [row for _, _, row in ports.epics.list(portfolio, MOST)]
    return PortfolioView(
        id=record.id,
        name=record.name,
        connection=record.connection,
        state=record.state,
        reason=record.reason,
        run=record.start.run,
        instance=record.start.instance,
        file=record.start.file,
        created_at=record.created_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
        done=sum(state in GOOD for state in states),
        failed=sum(state not in GOOD and state not in UNFINISHED for state in states),
        waiting=sum(state is EntryState.AWAITING_DECISION for state in states),
        total=len(rows),
        projects=rows,
        left_out=tuple(
            _left_out(ports, entry) for entry in entries if entry.project not in wanted
        ),
        epics=tuple(
            EpicView(
                key=epic.key,
                title=epic.title,
                projects=tuple(member.project_id for member in planned.members(epic)),
                seeded=tuple(
                    row for member in planned.members(epic) for row in seeded
                    if row.epic == epic.key and row.project == member.project_id
                ),
            )
            for epic in planned.epics
        ),
        record_url=ports.projects.links.api(f"audit/{TENANT}"),
    )  # fmt: skip


def listed(ports: PortfolioPorts) -> list[PortfolioRow]:
    """Every portfolio, the latest first."""
    rows = [found for _, _, found in ports.portfolios.list(PORTFOLIOS, 10_000)]
    return [
        PortfolioRow(
            id=row.id,
            name=row.name,
            connection=row.connection,
            state=row.state,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )
        for row in sorted(rows, key=lambda row: row.started_at, reverse=True)
    ]


def _entry(ports: PortfolioPorts, record: PortfolioRecord, entry: Entry | None, project: str, name: str) -> EntryView:
    if entry is None or entry.run != record.start.instance:
        return _shown(ports, project, name, EntryState.PENDING)
    if entry.state is not EntryState.RUNNING:
        return _shown(ports, project, name, entry.state, entry)
    live = ports.projects.project(project)
    if live is None or live.instance != entry.instance:
        return _shown(ports, project, name, EntryState.RUNNING, entry)
    state = entry_state(live.state)
    # What its run came to is written down by the portfolio's own next step.
    reason = live.reason
    if state is EntryState.AWAITING_DECISION and not reason:
        reason = "a step failed for good; its page asks how to go on"
    return _shown(ports, project, name, state, entry.model_copy(update={"reason": reason}))


def _left_out(ports: PortfolioPorts, entry: Entry) -> EntryView:
    return _shown(ports, entry.project, entry.name, EntryState.LEFT_OUT, entry)


def _shown(ports: PortfolioPorts, project: str, name: str, state: EntryState, entry: Entry | None = None) -> EntryView:
    links = ports.projects.links
    return EntryView(
        project=project,
        name=name,
        state=state,
        reason=entry.reason if entry else "",
        remedy=entry.remedy if entry else "",
        faults=entry.faults if entry else (),
        instance=entry.instance if entry else "",
        status_url=links.api(f"projects/{project}"),
        view_url=links.status(project) if entry and entry.instance else "",
    )
