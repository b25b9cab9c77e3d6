"""Decides what a portfolio would do with each project, and what stands against it; starts and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain.connection import Connection
from shared.domain.faults import FieldFault
from shared.domain.portfolio import Difference, Entry, fields_that_differ
from shared.domain.project import ProjectRequest, RequestOrigin
from shared.domain.run import UNDER_WAY, ProjectRecord, ProjectState
from shared.domain.strictness import tightened, weakened
from shared.errors import TransientError
from shared.projects.admission import API_REQUESTER, faults_with, objection
from shared.projects.ownership import Ownership, look_up
from shared.projects.portfolio.ports import PortfolioPorts

SETTLED = frozenset({ProjectState.COMPLETED, ProjectState.ACCEPTED})


@dataclass(frozen=True)
class Weighed:
    """The projects of a file as the connection takes them."""

    requests: Mapping[int, ProjectRequest]
    """By place in the file, as strict as the organisation's rules."""
    faults: tuple[FieldFault, ...]
    """What is wrong with the requests themselves."""
    conflicts: tuple[FieldFault, ...]
    """What of them stands against projects that are there."""
    unknown: Mapping[str, str]
    """By owner: why nobody could tell whether that owner exists."""


def weigh(
    ports: PortfolioPorts, requests: Mapping[int, ProjectRequest], connection: Connection, portfolio: str
) -> Weighed:
    """What of valid ``requests`` this deployment, ``connection`` or what exists does not allow, each with its path."""
    mine = {entry.project: entry for _, _, entry in ports.entries.list(portfolio)} if portfolio else {}
    faults: list[FieldFault] = []
    conflicts: list[FieldFault] = []
    strict: dict[int, ProjectRequest] = {}
    owners = _Owners(ports, connection)
    for place, asked in requests.items():
        request = asked.model_copy(update={"rules": tightened(asked.rules, connection.least_rules)})
        strict[place] = request
        found = [
            *faults_with(request, connection),
            *weakened(asked.rules, connection.least_rules),
            *owners.faults(request),
        ]
        faults += _placed(place, found)
        existing = ports.projects.project(request.project_id)
        conflicts += _placed(place, _against(existing, request, connection, mine))
    return Weighed(strict, tuple(faults), tuple(conflicts), owners.unknown)


def difference(record: ProjectRecord | None, request: ProjectRequest) -> Difference:
    """What a run would do with a project that nothing stands against."""
    if record is None:
        return Difference.MAKE
    if record.state in UNDER_WAY:
        return Difference.WAIT
    if record.state not in SETTLED:
        return Difference.RETRY
    return Difference.CHANGE if fields_that_differ(record.request, request) else Difference.NONE


def removed(ports: PortfolioPorts, portfolio: str, named: Iterable[str]) -> list[Entry]:
    """Projects that an earlier file of the portfolio named and this one does not. They are listed, never deleted."""
    kept = set(named)
    rows = [entry for _, _, entry in ports.entries.list(portfolio) if entry.project not in kept]
    return sorted(rows, key=lambda entry: entry.name)


def _against(
    record: ProjectRecord | None, request: ProjectRequest, connection: Connection, mine: Mapping[str, Entry]
) -> tuple[FieldFault, ...]:
    if record is None:
        return ()
    entry = mine.get(record.id)
    if entry is None or not entry.instance or record.subject != f"api-{record.id}":
        return (
            FieldFault(
                field="name",
                problem=f"{record.name!r} is taken: the project {record.id} exists and is not of this portfolio",
                example=f"{record.name} 2",
            ),
        )
    if record.state in UNDER_WAY and record.connection == connection.id:
        return ()  # its run is waited for; what differs is told by field when it is asked for
    origin = RequestOrigin(subject=f"api-{record.id}", requester=API_REQUESTER)
    against = objection(record, origin, connection, request)
    return against.faults if against else ()


def _placed(place: int, faults: Iterable[FieldFault]) -> list[FieldFault]:
    return [fault.model_copy(update={"field": f"projects.{place}.{fault.field}"}) for fault in faults]


class _Owners:
    """Asks about each owner once, and about none once a forge does not answer."""

    def __init__(self, ports: PortfolioPorts, connection: Connection) -> None:
        self.unknown: dict[str, str] = {}
        self._ports = ports
        self._connection = connection
        self._known: dict[tuple[str, tuple[str, ...]], Ownership] = {}
        self._silent = ""

    def faults(self, request: ProjectRequest) -> tuple[FieldFault, ...]:
        asked = (request.owner.casefold(), tuple(sorted(request.forges)))
        if asked not in self._known:
            self._known[asked] = self._look_up(request)
        found = self._known[asked]
        if found.unknown:
            self.unknown[request.owner] = found.unknown
        return found.faults

    def _look_up(self, request: ProjectRequest) -> Ownership:
        if self._silent:
            return Ownership(unknown=self._silent)
        try:
            return look_up(self._ports.projects, request, self._connection)
        except TransientError as error:
            # The run that begins asks again, as often as it takes.
            self._silent = error.reason
            return Ownership(unknown=error.reason)
