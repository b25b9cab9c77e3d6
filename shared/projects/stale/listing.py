"""Lists the projects of a connection that are empty, or in which nothing happened for a time, with the dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.domain.activity import (
    Activity,
    IdleListing,
    Idleness,
    IdleProject,
    Listed,
    Place,
    PlaceView,
    Unread,
)
from shared.domain.connection import Connection
from shared.domain.forge import ForgeName
from shared.domain.run import UNDER_WAY, ProjectRecord, ProjectState
from shared.errors import RefusedError, TransientError
from shared.projects.adopting.planning import held_by
from shared.projects.ports import PROJECTS, ConnectedForges, ProjectPorts
from shared.projects.stale.ports import StalePorts

LISTINGS = "listings"
AT_ONCE = 8
"""Places looked at together; the forges' own limits hold all the same."""
NEVER = datetime.min.replace(tzinfo=UTC)
NOT_THERE = frozenset({ProjectState.COMPENSATED, ProjectState.REMOVED, ProjectState.ADVISED, ProjectState.ADOPTABLE})
"""States of projects of which nothing of Doneright's is on a forge."""


@dataclass(frozen=True)
class _Group:
    """What is listed in one line: a project of Doneright's with all its places, or a place of somebody else's."""

    record: ProjectRecord | None
    places: tuple[Place, ...]


def listed(ports: StalePorts, connection: Connection, *, days: int, limit: int) -> IdleListing:
    """The empty and stale projects of ``connection``, the longest quiet first.

    What was listed of Doneright's own is remembered: a removal is held against it.

    Args:
        ports: the projects', and where listings are remembered.
        connection: whose organisations are looked at.
        days: how long nothing may have happened; 0 lists everything.
        limit: how many repositories and projects are looked at, those pushed to longest ago first.
    """
    now = ports.projects.clock.now()
    since = now - timedelta(days=days)
    connected = ports.projects.connect(connection)
    found, unread, calls = _places(connected)
    records = _records(ports.projects, connection)
    groups = _groups(found, records, reached=frozenset(connected.forges) - {ForgeName(one.name) for one in unread})
    looked, left = groups[:limit], groups[limit:]
    rows: list[IdleProject] = []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for group, row in zip(looked, pool.map(lambda one: _look(connected, one, since), looked), strict=True):
            calls += row.calls
            unread += row.unread
            if row.unread or not (why := _why(group, row.activities, since)):
                continue
            rows.append(_shown(group, row.activities, why))
    for one in rows:
        if one.project:
            seen = {f"{place.forge}.{fact.kind}": fact.at for place in one.places for fact in place.facts}
            ports.listings.put(LISTINGS, one.project, Listed(project=one.project, at=now, why=one.why, seen=seen))
    return IdleListing(
        connection=connection.id,
        days=days,
        since=since,
        at=now,
        projects=tuple(sorted(rows, key=lambda row: (row.latest or NEVER, row.name))),
        looked_at=sum(len(group.places) for group in looked),
        left_off=sum(len(group.places) for group in left),
        calls=calls,
        unread=tuple(unread),
    )


def activity_of(ports: ProjectPorts, record: ProjectRecord, since: datetime) -> list[tuple[Place, Activity]]:
    """What happened in the places of one project. Raises ``TransientError`` when a forge does not answer."""
    connected = ports.connect(ports.connection(record.connection))
    found, unread, _ = _places(connected)
    if unread:
        raise TransientError(f"{unread[0].name} could not be read: {unread[0].reason}")
    mine = held_by(record)
    places = [place for place in found if _key(place) in mine]
    return [(place, connected.forges[place.forge].activity(place, since)) for place in places]


@dataclass(frozen=True)
class _Looked:
    activities: tuple[Activity, ...] = ()
    calls: int = 0
    unread: tuple[Unread, ...] = ()


def _look(connected: ConnectedForges, group: _Group, since: datetime) -> _Looked:
    try:
        activities = tuple(connected.forges[place.forge].activity(place, since) for place in group.places)
    except (TransientError, RefusedError) as error:
        name = group.record.name if group.record else str(group.places[0].ref)
        return _Looked(unread=(Unread(name=name, reason=error.reason, remedy=getattr(error, "remedy", "Ask again.")),))
    return _Looked(activities=activities, calls=sum(one.calls for one in activities))


def _places(connected: ConnectedForges) -> tuple[list[Place], list[Unread], int]:
    found: list[Place] = []
    unread: list[Unread] = []
    calls = 0
    for name, forge in sorted(connected.forges.items()):
        try:
            held = forge.inventory()
        except (TransientError, RefusedError) as error:
            unread.append(Unread(name=name, reason=error.reason, remedy=getattr(error, "remedy", "Ask again.")))
            continue
        found += held.places
        calls += held.calls
    return found, unread, calls


def _records(ports: ProjectPorts, connection: Connection) -> list[ProjectRecord]:
    return [
        record
        for _, _, record in ports.projects.list(PROJECTS, limit=100_000)
        if record.connection == connection.id and record.state not in NOT_THERE | UNDER_WAY
    ]


def _key(place: Place) -> tuple[ForgeName, str]:
    return place.forge, place.ref.name.lower()


def _groups(
    places: Sequence[Place], records: Iterable[ProjectRecord], *, reached: frozenset[ForgeName]
) -> list[_Group]:
    """A project whose forges were not all reached is in no group: half of it says nothing about the whole."""
    by_key: Mapping[tuple[ForgeName, str], Place] = {_key(place): place for place in places}
    groups: list[_Group] = []
    taken: set[tuple[ForgeName, str]] = set()
    for record in records:
        held = held_by(record)
        taken |= held
        if all(forge in reached for forge, _ in held):
            groups.append(_Group(record, tuple(by_key[key] for key in sorted(held) if key in by_key)))
    groups += [_Group(None, (place,)) for place in places if _key(place) not in taken]
    return sorted(groups, key=lambda one: min((place.pushed_at or NEVER for place in one.places), default=NEVER))


def _why(group: _Group, activities: Sequence[Activity], since: datetime) -> tuple[Idleness, ...]:
    if not group.places:
        return (Idleness.GONE,)
    scaffold = 1 if group.record and not group.record.adoption else 0
    empty = all(one.commits is not None and one.commits <= scaffold and one.own_items is False for one in activities)
    stale = all((latest := one.latest()) is None or latest < since for one in activities)
    return tuple(why for why, holds in ((Idleness.EMPTY, empty), (Idleness.STALE, stale)) if holds)


def _shown(group: _Group, activities: Sequence[Activity], why: tuple[Idleness, ...]) -> IdleProject:
    views = tuple(
        PlaceView(
            forge=place.forge,
            name=place.ref.name,
            url=place.url,
            created_at=place.created_at,
            archived=place.archived,
            facts=activity.facts,
        )
        for place, activity in zip(group.places, activities, strict=True)
    )
    return IdleProject(
        project=group.record.id if group.record else "",
        name=group.record.name if group.record else group.places[0].ref.name,
        why=why,
        latest=max(filter(None, (one.latest() for one in activities)), default=None),
        places=views,
    )
