"""Who speaks on a pull request and what is known of it, each asked for when the first command needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from shared.domain.change import ChangeRef, Person
from shared.domain.connection import Connection
from shared.domain.definition import OwnerRole
from shared.domain.publication import Permission
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Finding, Reviewed
from shared.errors import RefusedError
from shared.reviews import recording, roles
from shared.reviews.ports import ReviewForge, ReviewPorts


@dataclass(frozen=True)
class Hearing:
    """Who speaks, where, and what is known there."""

    ports: ReviewPorts
    forge: ReviewForge
    connection: Connection
    ref: ChangeRef
    author: Person
    at: datetime

    @cached_property
    def permission(self) -> Permission:
        """What the speaker may do in the repository."""
        return self.forge.permission(self.ref.repository, self.author.login)

    @cached_property
    def reviewed(self) -> Reviewed | None:
        """The last review that came to a verdict."""
        for record in recording.heads_of(self.ports, self.ref):
            try:
                if found := recording.reviewed_of(self.ports, record):
                    return found
            except RefusedError:
                continue  # past its retention
        return None

    @cached_property
    def head(self) -> str:
        """The head as it is now. Raises ``RefusedError`` for a pull request that is gone."""
        return self._standing[0]

    @cached_property
    def _standing(self) -> tuple[str, PullRequestState]:
        found = self.forge.head_of(self.ref)
        if found is None:
            raise RefusedError("the pull request is not there any more", "")
        return found

    @cached_property
    def is_by_author(self) -> bool:
        """Whether the author of the pull request speaks."""
        reviewed = self.reviewed
        if reviewed is not None:
            return same_person(reviewed.author, self.author.login)
        looked = self.forge.look_at(self.ref)
        if looked is None:
            raise RefusedError("the pull request is not there any more", "")
        return looked.change.author.id == self.author.id or same_person(looked.change.author.login, self.author.login)

    def must_be_open(self) -> None:
        """Raises ``RefusedError`` where nothing that is said can change a verdict any more."""
        state = self._standing[1]
        if state is not PullRequestState.OPEN:
            raise RefusedError(f"the pull request is {state.replace('_', ' ')}", "Say it on one that is open.")

    def must_hold(self, role: str) -> None:
        """Raises ``RefusedError`` unless the speaker holds ``role``."""
        speaker = roles.Speaker(login=self.author.login, permission=self.permission, author=self.is_by_author)
        if reason := roles.missing(self.ports, self.connection, role, speaker):
            raise RefusedError(reason, f"Ask {_whom(self.connection, role)} to say it.")

    def finding(self, criterion: str) -> Finding | None:
        """What the last review found."""
        return self.reviewed.of(criterion) if self.reviewed else None

    @property
    def actor(self) -> str:
        """The speaker, as the log calls him."""
        return self.ports.pseudonyms.of(self.author.login, self.connection.id)


def same_person(one: str, other: str) -> bool:
    """Whether two logins are one; neither forge tells them apart by case."""
    return one.casefold() == other.casefold()


def _whom(connection: Connection, role: str) -> str:
    named = roles.holders(connection).get(role, ())
    if named:
        return "one of them" if len(named) > 1 else "whoever is named"
    if role == roles.APPROVER:
        return "an administrator of the repository"
    return "the author" if role == OwnerRole.AUTHOR else "somebody else who may write to the repository"
