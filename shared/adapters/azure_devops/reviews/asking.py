"""How the review calls ask: several questions at a time, a refused part told as unknown, people as Doneright names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import batched
from typing import Any

from shared.adapters import looks
from shared.adapters.azure_devops.processes import ProcessCalls
from shared.adapters.azure_devops.repositories import RepositoryCalls
from shared.adapters.later import later
from shared.domain.change import ChangeRef, Part, Person, Unknown
from shared.domain.publication import OWN_MARK
from shared.domain.pull_request import PullRequestState
from shared.errors import NotSupportedError, RefusedError, TransientError

AT_A_TIME = 32
"""Questions of all reviews of this process under way together; how fast they go out is the pace's matter."""
AT_ONCE = 4
"""Changes of one pull request that are made together, since the service takes each by itself."""

STATES = {"completed": PullRequestState.MERGED, "abandoned": PullRequestState.CLOSED}
_BRANCH = "refs/heads/"
# Kinds of subjects that no person signs in as: build services, Entra service principals, services of the product.
# https://learn.microsoft.com/rest/api/azure/devops/graph/subject-query
_PROGRAMS = ("svc.", "aadsp.", "s2s.")
_SHA = re.compile(r"[0-9a-f]{40}")
# Who we are, and the process of a project, for the reviews of one while.
_WHILE = 600.0


class AskingCalls(ProcessCalls, RepositoryCalls):
    """What all review calls of ``AzureDevOpsForge`` share."""

    @property
    def calls(self) -> int:
        """Questions asked of the service so far by this object, for the thread that wants to know.

        The object is shared, so one review's questions are told from those of others that run beside it.
        """
        return self._client.tally[0]

    def counting_here[A](self, ask: Callable[[], A]) -> Callable[[], A]:
        """``ask``, for another thread to call: its questions count as asked by this one, whose looks it knows."""
        return looks.carried(self._counting(ask))

    def _counting[A](self, ask: Callable[[], A]) -> Callable[[], A]:
        tally = self._client.tally

        def asking() -> A:
            with self._client.counting_for(tally):
                return ask()

        return asking

    def _later[A](self, ask: Callable[[], A]) -> Future[A]:
        """``ask`` under way. What runs so must not wait for another of these: all places might be taken by the waiting."""
        return later(self._counting(ask), AT_A_TIME)

    def _a_few_at_once[A](self, asks: Sequence[Callable[[], A]]) -> list[A]:
        """Each answer, in their order; those that are under way beside one that fails end before it is told."""
        groups = batched([self._counting(ask) for ask in asks], AT_ONCE, strict=False)
        return [answer for some in groups for answer in looks.together(some)]

    def own_identity(self) -> Person:
        """Who the service takes us for; asked once in ten minutes."""
        return self._client.standing("own identity", _WHILE, self._ask_who)

    def _ask_who(self) -> Person:
        found = self._client.area("location").get_connection_data().authenticated_user
        account = (found.properties or {}).get("Account")
        login = account.get("$value") if isinstance(account, dict) else account
        name = found.custom_display_name or found.provider_display_name or ""
        # With a person's token we are that person.
        program = str(found.subject_descriptor or "").startswith(_PROGRAMS)
        return Person(id=str(found.id).lower(), login=str(login or name or found.id), name=name, bot=program)

    def _process_of(self, project: str) -> str:
        """cmmi, agile, scrum or basic: of an inherited process, its parent; empty where the service does not tell."""

        def ask() -> str:
            found = self.project(project)
            if found is None or not found.process or found.process in {"agile", "basic", "cmmi", "scrum"}:
                return found.process if found else ""
            inherited = self.process(found.process)
            return inherited.parent if inherited else ""

        try:
            return self._client.standing(("process", project.lower()), _WHILE, ask)
        except RefusedError:
            return ""

    def _pull_request(self, ref: ChangeRef, **options: Any) -> Any:
        with self._client.anew():
            return self._client.area("git").get_pull_request(
                ref.repository.name, ref.number, project=ref.repository.owner, **options
            )

    def _iterations(self, ref: ChangeRef) -> list[Any]:
        """Its pushes, oldest first."""
        with self._client.anew():
            found = self._client.area("git").get_pull_request_iterations(
                ref.repository.name, ref.number, project=ref.repository.owner
            )
        return sorted(found or [], key=lambda one: int(one.id))

    def _pushes_of(self, ref: ChangeRef, head: str) -> list[Any]:
        """The pushes that brought ``head``, as this use case knows them, or asked anew where it knows none."""
        known: list[Any] = self._client.looks.entered(pushes_of(ref)) or []
        if not (found := bringing(known, head)):
            known = self._iterations(ref)
            self._client.looks.enter(pushes_of(ref), known)
            found = bringing(known, head)
        return found

    def _threads(self, ref: ChangeRef) -> list[Any]:
        """Its threads that were not deleted, oldest first."""
        with self._client.anew():
            found = self._client.area("git").get_threads(ref.repository.name, ref.number, project=ref.repository.owner)
        return sorted((one for one in found or [] if not one.is_deleted), key=lambda one: int(one.id))

    def _web_page(self, ref: ChangeRef) -> str:
        return self._client.page(ref.repository.owner, "_git", ref.repository.name, "pullrequest", str(ref.number))


def pushes_of(ref: ChangeRef) -> tuple[str, str]:
    """Under which a look at a change remembers its pushes."""
    return "pushes", ref.key


def pushes_expected(ref: ChangeRef) -> tuple[str, str]:
    """Under which it finds the pushes that were asked for ahead of it."""
    return "pushes expected", ref.key


def statuses_of(ref: ChangeRef) -> tuple[str, str]:
    """Under which it remembers the statuses of its pushes."""
    return "statuses", ref.key


def part[A](ask: Callable[[], A]) -> Part[A]:
    """What ``ask`` answers, or why the service refuses it."""
    try:
        return ask()
    except RefusedError as refusal:
        return Unknown(reason=refusal.reason, supported=not isinstance(refusal, NotSupportedError))


def person(found: Any) -> Person:
    """Somebody as embedded in other answers."""
    descriptor = str(getattr(found, "descriptor", None) or "")
    name = str(found.display_name or "")
    return Person(
        id=str(found.id).lower(),
        login=str(found.unique_name or name or found.id),
        name=name,
        bot=descriptor.startswith(_PROGRAMS),
    )


def speaker(found: Any, body: str) -> Person:
    """Who wrote ``body``; what carries a marker of ours, under this identity or an earlier one, a program wrote."""
    who = person(found)
    return who.model_copy(update={"bot": True}) if OWN_MARK in body else who


def short(ref_name: Any) -> str:
    """A branch without ``refs/heads/``."""
    return str(ref_name or "").removeprefix(_BRANCH)


def sha(commit: Any) -> str:
    """The id of a commit as embedded in other answers; empty for none."""
    return str(getattr(commit, "commit_id", None) or "").lower()


def is_sha(text: str) -> bool:
    """Whether it can be nothing but a whole commit or blob id."""
    return _SHA.fullmatch(text) is not None


def utc(at: datetime | None) -> datetime | None:
    """The moment in UTC, which the service means where it names no zone."""
    if at is None:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def plain(value: Any) -> str:
    """A property of a thread, which comes as ``{"$type", "$value"}`` or as it is."""
    found = value.get("$value") if isinstance(value, dict) else value
    return "" if found is None else str(found)


def bringing(pushes: Sequence[Any], head: str) -> list[Any]:
    """Those of the pushes that brought ``head``, oldest first."""
    return [one for one in pushes if sha(one.source_ref_commit) == head]


def head_of_pull(found: Any, iterations: list[Any]) -> tuple[str, int]:
    """The head and the number of the push that brought it.

    Raises ``TransientError`` in the moment after opening in which the service knows neither.
    """
    head = sha(found.last_merge_source_commit) or (sha(iterations[-1].source_ref_commit) if iterations else "")
    if not head:
        raise TransientError("Azure DevOps has not looked at the pull request's commits yet", retry_after=2)
    newest = (bringing(iterations, head) or iterations)[-1:]
    return head, int(newest[0].id) if newest else 0
