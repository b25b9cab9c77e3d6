"""What a GitHub account holds and when something last happened there, read with as few calls as GitHub allows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.adapters.github.client import PAGE_SIZE, GitHubClient, path
from shared.adapters.github.errors import EmptyRepositoryError, NotFoundError
from shared.adapters.github.repositories import RepositoryCalls, repository_path
from shared.domain.activity import Activity, ActivityFact, ActivityKind, Place, Places
from shared.domain.forge import ForgeName, MergeKind, RepositoryRef
from shared.errors import RefusedError

_MERGES = {
    MergeKind.MERGE: "allow_merge_commit",
    MergeKind.SQUASH: "allow_squash_merge",
    MergeKind.REBASE: "allow_rebase_merge",
}
_SETTING_UP = timedelta(hours=1)
"""What is pushed later than this after the creation is no first commit any more."""


class SurveyCalls(RepositoryCalls):
    """The survey part of ``GitHubForge``."""

    _client: GitHubClient
    _organization: str | None

    def merge_kinds(self, ref: RepositoryRef) -> frozenset[MergeKind]:
        """How pull requests of the repository may be merged now. Raises ``RefusedError`` when it is not there."""
        found = self._client.request("GET", repository_path(ref))[1]
        return frozenset(kind for kind, name in _MERGES.items() if found.get(name))

    def inventory(self) -> Places:
        """Every repository of the organisation, the one pushed to longest ago first; a call for each hundred."""
        if not self._organization:
            raise RefusedError("no GitHub organisation is set", "Name it in the connection.")
        url = path("/orgs/{}/repos", self._organization)
        listed = list(self._client.pages(url, sort="pushed", direction="asc"))
        return Places(places=tuple(_place(data) for data in listed), calls=1 + max(0, len(listed) - 1) // PAGE_SIZE)

    def activity(self, place: Place, since: datetime) -> Activity:
        """When somebody last pushed, wrote and ran something; at most three calls, none where a push says it all."""
        facts = [ActivityFact(kind=ActivityKind.PUSH, at=place.pushed_at)]
        grown = place.pushed_at and place.created_at and place.pushed_at > place.created_at + _SETTING_UP
        if grown and _since(facts, since):
            return Activity(facts=tuple(facts), commits=2, calls=0)
        commits = self._commits(place.ref)
        if commits == 0:
            # GitHub tells the creation as the push of a repository that nobody pushed to.
            facts = [ActivityFact(kind=ActivityKind.PUSH, at=None)]
        facts.append(self._latest_issue(place.ref))
        if _since(facts, since):
            return Activity(facts=tuple(facts), commits=commits, own_items=facts[-1].at is not None, calls=2)
        own = facts[-1].at is not None
        facts.append(self._latest_run(place.ref))
        return Activity(facts=tuple(facts), commits=commits, own_items=own, calls=3)

    def _commits(self, ref: RepositoryRef) -> int:
        """Of the default branch: 0, 1, or 2 for two and more."""
        try:
            return len(self._client.request("GET", repository_path(ref) + "/commits", parameters={"per_page": 2})[1])
        except EmptyRepositoryError:
            return 0

    def _latest_issue(self, ref: RepositoryRef) -> ActivityFact:
        query = {"state": "all", "sort": "updated", "direction": "desc", "per_page": 1}
        try:
            found = self._client.request("GET", repository_path(ref) + "/issues", parameters=query)[1]
        except NotFoundError:
            found = []
        if not found:
            return ActivityFact(kind=ActivityKind.ISSUE, at=None)
        return ActivityFact(
            kind=ActivityKind.ISSUE,
            at=_moment(found[0]["updated_at"]),
            what=f"#{found[0]['number']} {found[0]['title']}",
        )

    def _latest_run(self, ref: RepositoryRef) -> ActivityFact:
        try:
            found = self._client.request("GET", repository_path(ref) + "/actions/runs", parameters={"per_page": 1})[1]
        except NotFoundError:
            found = {}
        runs = found.get("workflow_runs") or []
        if not runs:
            return ActivityFact(kind=ActivityKind.PIPELINE_RUN, at=None)
        run = runs[0]
        return ActivityFact(
            kind=ActivityKind.PIPELINE_RUN, at=_moment(run["created_at"]), what=str(run.get("name") or "")
        )


def _place(data: Mapping[str, Any]) -> Place:
    return Place(
        forge=ForgeName.GITHUB,
        id=str(data["id"]),
        ref=RepositoryRef(owner=data["owner"]["login"], name=data["name"]),
        url=data["html_url"],
        created_at=_moment(data["created_at"]),
        pushed_at=_moment(data.get("pushed_at")),
        archived=bool(data.get("archived")),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _since(facts: list[ActivityFact], since: datetime) -> bool:
    return any(fact.at is not None and fact.at >= since for fact in facts)
