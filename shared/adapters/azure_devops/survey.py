"""What an Azure DevOps organisation holds and when something last happened there, read with few calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.pipelines import PipelineCalls
from shared.domain.activity import Activity, ActivityFact, ActivityKind, Place, Places
from shared.domain.forge import ForgeName, PipelineDefinition, RepositoryRef

_PAGE = 200
_YAML_PROCESS = 2
SEED_TAG = "doneright"


class SurveyCalls(PipelineCalls):
    """The survey part of ``AzureDevOpsForge``."""

    def pipeline_definitions(self, project: str) -> Sequence[PipelineDefinition]:
        """Every YAML pipeline of the project; none for a project that is not there."""
        area = self._client.area("build")
        try:
            # The list leaves out which file a definition runs, and the package drops it even where it is sent along.
            found = [area.get_definition(project, listed.id) for listed in area.get_definitions(project)]
        except NotFoundError:
            return ()
        return tuple(self._described(project, one) for one in found if (one.process or {}).get("type") == _YAML_PROCESS)

    def has_work_items(self, project: str) -> bool:
        """Whether the project has any work item."""
        return bool(self._newest_items(project, ""))

    def inventory(self) -> Places:
        """Every project of the organisation that is well formed; a call for each two hundred."""
        core, calls = self._client.area("core"), 0
        found: list[Any] = []
        while True:
            page = core.get_projects(state_filter="wellFormed", top=_PAGE, skip=len(found))
            calls += 1
            found += page
            if len(page) < _PAGE:
                break
        return Places(
            places=tuple(
                Place(
                    forge=ForgeName.AZURE_DEVOPS,
                    id=one.id,
                    ref=RepositoryRef(owner=one.name, name=one.name),
                    url=self._client.page(one.name),
                )
                for one in found
            ),
            calls=calls,
        )

    def activity(self, place: Place, since: datetime) -> Activity:
        """When somebody last pushed, wrote and ran something; six calls, one more for each further repository.

        Fewer where a push or a work item since ``since`` shows that people work there.
        """
        project = place.ref.owner
        pushed, commits, calls = self._pushes(place)
        facts = [ActivityFact(kind=ActivityKind.PUSH, at=pushed)]
        if commits > 1 and _since(facts, since):
            return Activity(facts=tuple(facts), commits=commits, calls=calls)
        own = bool(self._newest_items(project, f"AND [System.Tags] NOT CONTAINS '{SEED_TAG}' "))
        item, looks = self._latest_item(project)
        facts.append(item)
        calls += 1 + looks
        if not _since(facts, since):
            facts.append(self._latest_run(project))
            facts.append(self._latest_pull_request(project))
            calls += 2
        return Activity(facts=tuple(facts), commits=commits, own_items=own, calls=calls)

    def _pushes(self, place: Place) -> tuple[datetime | None, int, int]:
        """The latest push of all repositories, the most pushes one of them had (2 for more), and the calls it took."""
        git = self._client.area("git")
        latest: datetime | None = None
        most, calls = 0, 1
        for repository in git.get_repositories(project=place.id):
            if not repository.default_branch:
                continue
            pushes = git.get_pushes(repository.id, project=place.id, top=2)
            calls += 1
            most = max(most, len(pushes))
            at = _utc(pushes[0].date) if pushes else None
            latest = max(filter(None, (latest, at)), default=None)
        return latest, most, calls

    def _newest_items(self, project: str, condition: str) -> list[int]:
        """The id of the work item that was changed last, of those that meet ``condition``."""
        models, area = self._client.models("work_item_tracking"), self._client.area("work_item_tracking")
        name = project.replace("'", "''")
        query = (
            "SELECT [System.Id] FROM WorkItems "  # noqa: S608 - WIQL, quoted as it demands  # nosec B608
            f"WHERE [System.TeamProject] = '{name}' {condition}"
            "ORDER BY [System.ChangedDate] DESC"
        )
        answer = area.query_by_wiql(models.Wiql(query=query), team_context=models.TeamContext(project=project), top=1)
        return [found.id for found in answer.work_items or []]

    def _latest_item(self, project: str) -> tuple[ActivityFact, int]:
        ids = self._newest_items(project, "")
        if not ids:
            return ActivityFact(kind=ActivityKind.WORK_ITEM, at=None), 1
        models, area = self._client.models("work_item_tracking"), self._client.area("work_item_tracking")
        wanted = models.WorkItemBatchGetRequest(ids=ids, fields=["System.Title", "System.ChangedDate"])
        (item,) = area.get_work_items_batch(wanted, project=project)
        at = datetime.fromisoformat(str(item.fields["System.ChangedDate"]))
        return ActivityFact(
            kind=ActivityKind.WORK_ITEM, at=_utc(at), what=f"#{item.id} {item.fields['System.Title']}"
        ), 2

    def _latest_run(self, project: str) -> ActivityFact:
        runs = self._client.area("build").get_builds(project, top=1, query_order="queueTimeDescending")
        if not runs:
            return ActivityFact(kind=ActivityKind.PIPELINE_RUN, at=None)
        (run,) = runs[:1]
        at = run.finish_time or run.queue_time
        return ActivityFact(kind=ActivityKind.PIPELINE_RUN, at=_utc(at), what=str(run.build_number or ""))

    def _latest_pull_request(self, project: str) -> ActivityFact:
        criteria = self._client.models("git").GitPullRequestSearchCriteria(status="all")
        pulls: Sequence[Any] = self._client.area("git").get_pull_requests_by_project(project, criteria, top=1)
        if not pulls:
            return ActivityFact(kind=ActivityKind.PULL_REQUEST, at=None)
        pull = pulls[0]
        at = pull.closed_date or pull.creation_date
        return ActivityFact(kind=ActivityKind.PULL_REQUEST, at=_utc(at), what=f"!{pull.pull_request_id} {pull.title}")


def _utc(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _since(facts: Sequence[ActivityFact], since: datetime) -> bool:
    return any(fact.at is not None and fact.at >= since for fact in facts)
