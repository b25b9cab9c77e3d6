"""Guarantees that work given to a worker is either completed under its own token or given out again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from .records import Activity, Entity, Instance, WorkKind

Filter = dict[str, frozenset[str]] | None


@dataclass
class WorkerStream:
    """One open GetWorkItems call: what it accepts, how much at once, and what it has."""

    filters: dict[WorkKind, Filter]
    capacity: dict[WorkKind, int]
    """Most items of a kind at once; 0 means no limit."""
    wake: Callable[[], None]
    held: dict[str, Lease] = field(default_factory=dict)
    held_count: dict[WorkKind, int] = field(default_factory=lambda: dict.fromkeys(WorkKind, 0))

    def has_room(self, kind: WorkKind) -> bool:
        """Whether the worker can take one more item of this kind."""
        most = self.capacity[kind]
        return most <= 0 or self.held_count[kind] < most

    def accepts(self, kind: WorkKind) -> Callable[[str, str | None], bool]:
        """A test of name and version, as the worker's filter says (no filter: everything)."""
        wanted = self.filters[kind]
        if wanted is None:
            return lambda _name, _version: True

        def matches(name: str, version: str | None) -> bool:
            versions = wanted.get(name)
            return versions is not None and (not versions or (version or "") in versions)

        return matches


@dataclass(frozen=True)
class Lease:
    """One work item in a worker's hands."""

    token: str
    kind: WorkKind
    target: Instance | Activity | Entity
    stream: WorkerStream
    size: int = 0


class Leases:
    """All work items in workers' hands, by completion token. Tokens never repeat, not even after a restart."""

    def __init__(self) -> None:
        self._epoch = uuid.uuid4().hex[:12]
        self._issued = 0
        self._by_token: dict[str, Lease] = {}

    def __len__(self) -> int:
        return len(self._by_token)

    def next_token(self) -> str:
        """A completion token never used before."""
        self._issued += 1
        return f"{self._epoch}-{self._issued}"

    def grant(self, lease: Lease) -> None:
        """Record that a stream was given an item."""
        self._by_token[lease.token] = lease
        lease.stream.held[lease.token] = lease
        lease.stream.held_count[lease.kind] += 1

    def find(self, token: str, kind: WorkKind) -> Lease | None:
        """The lease of a token, or None when it is unknown, over, or of another kind."""
        lease = self._by_token.get(token)
        return lease if lease is not None and lease.kind is kind else None

    def settle(self, token: str, kind: WorkKind) -> Lease | None:
        """End a lease because its work came back; None when the token is stale."""
        lease = self.find(token, kind)
        if lease is None:
            return None
        self._end(lease)
        stream = lease.stream
        if stream.capacity[kind] > 0 and stream.held_count[kind] == stream.capacity[kind] - 1:
            stream.wake()
        return lease

    def revoke_all(self, stream: WorkerStream) -> list[Lease]:
        """End every lease of a stream that is gone and return them, oldest first."""
        lost = list(stream.held.values())
        for lease in lost:
            self._end(lease)
        return lost

    def _end(self, lease: Lease) -> None:
        del self._by_token[lease.token]
        del lease.stream.held[lease.token]
        lease.stream.held_count[lease.kind] -= 1
