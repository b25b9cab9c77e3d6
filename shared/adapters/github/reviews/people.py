"""Decides who somebody is on GitHub, whether told by REST or by GraphQL, and who Doneright is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shared.adapters import looks
from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.credentials import AppInstallation
from shared.adapters.github.graph import ask
from shared.adapters.github.repositories import repository_path
from shared.adapters.github.reviews.marks import is_marked
from shared.domain.change import Person
from shared.domain.forge import RepositoryRef
from shared.domain.publication import Permission

BOT = "[bot]"
GHOST = Person(id="10137", login="ghost", name="Deleted user")
"""Who GitHub names where an account was deleted."""


class IdentityCalls:
    """The part of ``GitHubForge`` that knows people."""

    _client: GitHubClient
    _own: Person | None = None
    _asking = threading.Lock()

    @property
    def calls(self) -> int:
        """Questions asked of GitHub so far, by this object."""
        return self._client.calls

    def counting_here[A](self, ask: Callable[[], A]) -> Callable[[], A]:
        """``ask``, which knows what this thread was told; questions are counted whichever thread asks them."""
        return looks.carried(ask)

    def own_identity(self) -> Person:
        """Who GitHub takes us for: the App's bot (``slug[bot]``), or whose token it is. Asked once."""
        if self._own is None:
            with self._asking:
                if self._own is None:
                    self._met(ask(self._client, "query Viewer { viewer { login databaseId name } }", {}).data["viewer"])
        assert self._own is not None  # noqa: S101 - set by the line above
        return self._own

    def permission(self, repository: RepositoryRef, login: str) -> Permission:
        """What ``login`` may do in the repository; ``maintain`` counts as write and ``triage`` as read.

        https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        found = self._client.get(repository_path(repository) + path("/collaborators/{}/permission", login))
        held = str((found or {}).get("permission") or "none")
        return Permission(held) if held in set(Permission) else Permission.READ

    def _met(self, viewer: Mapping[str, Any]) -> None:
        """Remember whom GitHub took us for."""
        login = str(viewer["login"])
        app = isinstance(self._client.credentials, AppInstallation)
        if app and not login.endswith(BOT):
            login += BOT
        self._own = Person(
            id=str(viewer.get("databaseId") or login), login=login, name=viewer.get("name") or "", bot=app
        )

    def _wrote(self, node: Mapping[str, Any]) -> bool:
        """Whether Doneright said it. The owner of a token speaks for themselves too; there, only what is marked is ours."""
        own = self.own_identity()
        by_us = bool(node.get("viewerDidAuthor")) or (own.bot and person(node.get("author")).login == own.login)
        return by_us and (own.bot or is_marked(node.get("body") or ""))


def person(actor: Mapping[str, Any] | None) -> Person:
    """Somebody as GraphQL tells; it leaves the ``[bot]`` off that REST and webhooks write."""
    if actor is None:
        return GHOST
    bot = actor.get("__typename") == "Bot"
    login = str(actor["login"])
    return Person(
        id=str(actor.get("databaseId") or login),
        login=login if not bot or login.endswith(BOT) else login + BOT,
        name=actor.get("name") or "",
        bot=bot,
    )


def account(user: Mapping[str, Any] | None) -> Person:
    """Somebody as REST tells."""
    if user is None:
        return GHOST
    return Person(id=str(user["id"]), login=user["login"], name=user.get("name") or "", bot=user.get("type") == "Bot")


def moment(text: str | None) -> datetime | None:
    """A time as GitHub writes it."""
    return datetime.fromisoformat(text) if text else None
