"""Holds the state of every organization of the simulator and the few things all resources need: clock, addresses, ids."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from local.sandbox.state import State

type Clock = Callable[[], datetime]
type Tree = dict[str, Any]

EMPTY_GUID = "00000000-0000-0000-0000-000000000000"


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """A moment as the service writes it, with milliseconds and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_time(text: str) -> datetime:
    """A moment as the service reads it; raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def new_id() -> str:
    """A fresh GUID."""
    return str(uuid.uuid4())


def stable_id(*parts: str) -> str:
    """A GUID that is the same for the same parts, so that seeds give the same ids on every start."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "azure-devops-simulator:" + "/".join(parts)))


@dataclass
class Service:
    """One simulator: its state, clock, public address and the delays of slow operations."""

    state: State
    base_url: str
    clock: Clock = utc_now
    project_seconds: tuple[float, float] = (2.0, 4.0)
    build_seconds: float = 1.5
    completion_seconds: float = 0.0
    """How long after it was asked for a pull request is completed; at once by default."""
    emitters: list[Callable[[Tree, str, Tree], None]] = field(default_factory=list)
    """Called with (organization, event type, event facts) for every event that service hooks may want."""

    @property
    def organizations(self) -> Tree:
        """Organizations by lower-cased name."""
        root: Tree = self.state.data.setdefault("azure_devops", {})
        organizations = root.setdefault("organizations", {})
        if isinstance(organizations, list):
            raise TypeError("the seed has not been applied: call seed.apply_seed first")
        return organizations

    def organization(self, name: str) -> Tree | None:
        """The organization of that name, whatever its case."""
        found: Tree | None = self.organizations.get(name.lower())
        return found

    def now(self) -> datetime:
        """The simulator's time."""
        return self.clock()

    def stamp(self) -> str:
        """The simulator's time as text."""
        return iso(self.clock())

    def after(self, seconds: float) -> str:
        """A moment `seconds` from now as text."""
        return iso(self.clock() + timedelta(seconds=seconds))

    def reached(self, moment: str) -> bool:
        """Whether a stored moment is past."""
        return self.clock() >= parse_time(moment)

    def number(self, organization: Tree, kind: str, start: int = 1) -> int:
        """The next number of a kind within an organization."""
        return self.state.next_id(f"azure_devops:{organization['name'].lower()}:{kind}", start)

    def url(self, organization: Tree, *segments: str, **query: Any) -> str:
        """An absolute address under the organization; segments are percent-encoded, slashes kept."""
        tail = "".join("/" + quote(str(s), safe="/$:@") for s in segments if s != "")
        params = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in query.items())
        return f"{self.base_url}/{quote(organization['name'])}{tail}" + (f"?{params}" if params else "")

    def emit(self, organization: Tree, event: str, facts: Tree) -> None:
        """Tell service hooks what happened."""
        for emitter in self.emitters:
            emitter(organization, event, facts)

    def changed(self) -> None:
        """Mark the state as differing from what is on disk."""
        self.state.changed()
