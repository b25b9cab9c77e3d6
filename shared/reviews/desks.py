"""Where a ticket stands on its forge, and how it is made to stand elsewhere: an issue's labels, a work item's tag and state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from shared.domain.change import LinkedItem
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.lifecycle import LifecycleState, Reading, TicketLifecycle
from shared.domain.project import Process
from shared.errors import RefusedError
from shared.policies.mirroring import mirrored, read_names, read_work_item, relabelled
from shared.ports import IssueTracker, RepositorySettings, WorkTracker
from shared.projects.ports import ConnectedForges


@dataclass(frozen=True)
class Seen:
    """A ticket as it was read."""

    reading: Reading
    tagged: bool
    """Whether a label or tag says a state, and not the board alone."""
    names: tuple[str, ...]
    """Every label or tag."""
    revision: int = 0
    type: str = ""
    state: str = ""
    """The board's."""


class Desk(Protocol):
    """One ticket."""

    def read(self) -> Seen:
        """As it stands now. Raises ``RefusedError`` when it is not there."""
        ...

    def put(self, seen: Seen, to: LifecycleState) -> None:
        """Let it say ``to`` and no other state. Raises ``ConflictError`` where it is seen to have changed since."""
        ...


def seen_in(lifecycle: TicketLifecycle, item: LinkedItem, process: Process | None) -> Seen:
    """The ticket as it read when the change was looked at."""
    reading = (
        read_names(lifecycle, item.tags)
        if item.forge is ForgeName.GITHUB or process is None
        else read_work_item(lifecycle, process, item.type, item.state, item.tags)
    )
    return Seen(reading, _is_tagged(lifecycle, item.tags), item.tags, type=item.type, state=item.state)


def desk_of(connected: ConnectedForges, lifecycle: TicketLifecycle, item: LinkedItem, process: Process | None) -> Desk:
    """The ticket on its own forge, which need not be the change's."""
    if item.forge is ForgeName.GITHUB:
        return _Issue(connected.issues, connected.settings, lifecycle, RepositoryRef.parse(item.project), item.id)
    return _Card(connected.tracker, lifecycle, item.id, process)


@dataclass(frozen=True)
class _Issue:
    issues: IssueTracker
    settings: RepositorySettings | None
    lifecycle: TicketLifecycle
    ref: RepositoryRef
    number: int

    def read(self) -> Seen:
        labels = self.issues.issue(self.ref, self.number).labels
        return Seen(read_names(self.lifecycle, labels), _is_tagged(self.lifecycle, labels), tuple(labels))

    def put(self, seen: Seen, to: LifecycleState) -> None:
        wanted = self.lifecycle.label_of(to)
        held = {name.casefold() for name in seen.names}
        if wanted.name.casefold() not in held:
            if self.settings is not None:
                self.settings.create_label(self.ref, wanted)
            self.issues.add_issue_label(self.ref, self.number, wanted.name)
        keep = {name.casefold() for name in relabelled(self.lifecycle, seen.names, to)}
        for label in seen.names:
            if label.casefold() not in keep:
                self.issues.remove_issue_label(self.ref, self.number, label)


@dataclass(frozen=True)
class _Card:
    tracker: WorkTracker | None
    lifecycle: TicketLifecycle
    number: int
    process: Process | None

    def read(self) -> Seen:
        entry = next(iter(self._boards().entries([self.number])), None)
        if entry is None:
            raise RefusedError("the work item is not there", "It was deleted, or may not be seen.")
        reading = (
            read_names(self.lifecycle, entry.tags)
            if self.process is None
            else read_work_item(self.lifecycle, self.process, entry.type, entry.state, entry.tags)
        )
        tagged = _is_tagged(self.lifecycle, entry.tags)
        return Seen(reading, tagged, entry.tags, revision=entry.revision, type=entry.type, state=entry.state)

    def put(self, seen: Seen, to: LifecycleState) -> None:
        board = mirrored(self.lifecycle, to, self.process, seen.type).board
        tags = relabelled(self.lifecycle, seen.names, to)
        if board and board.casefold() != seen.state.casefold():
            self._boards().set_work_item_state(self.number, board, tags=tags, revision=seen.revision)
        elif set(tags) != set(seen.names):
            self._boards().set_work_item_tags(self.number, tags, revision=seen.revision)

    def _boards(self) -> WorkTracker:
        if self.tracker is None:
            raise RefusedError("the connection has no Azure DevOps", "Add it to the connection.")
        return self.tracker


def _is_tagged(lifecycle: TicketLifecycle, names: Iterable[str]) -> bool:
    ours = {lifecycle.name_of(state).casefold() for state in LifecycleState}
    return any(" ".join(name.casefold().split()) in ours for name in names)
