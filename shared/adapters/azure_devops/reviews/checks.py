"""What machines say of a pull request on Azure Repos: its statuses, builds that policies want, builds of its branch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.protection import PolicyType
from shared.adapters.azure_devops.reviews.asking import AskingCalls, short, utc
from shared.domain.change import ChangeRef, Check, CheckState
from shared.errors import RefusedError

OWN_GENRE = "doneright"
_PAGE = 200
_MOST_STATUSES = 1_000
_OF_BUILDS = "continuous-integration"
_BUILDS = 100
# One question each.
_MOST_TIMELINES = 10
_STATUSES = {
    "succeeded": CheckState.PASSED,
    "partiallysucceeded": CheckState.NEUTRAL,
    "failed": CheckState.FAILED,
    "error": CheckState.FAILED,
    "notapplicable": CheckState.SKIPPED,
}
# https://learn.microsoft.com/rest/api/azure/devops/policy/evaluations/list
_EVALUATIONS = {
    "approved": CheckState.PASSED,
    "rejected": CheckState.FAILED,
    "broken": CheckState.FAILED,
    "notapplicable": CheckState.SKIPPED,
}
_RESULTS = {
    "succeeded": CheckState.PASSED,
    "partiallysucceeded": CheckState.NEUTRAL,
    "failed": CheckState.FAILED,
    "canceled": CheckState.FAILED,
}
_DID_NOT_RUN = {"skipped", "canceled", "abandoned"}


class CheckCalls(AskingCalls):
    """The part of ``AzureDevOpsForge`` that reads checks."""

    def _statuses(self, ref: ChangeRef) -> list[Any]:
        with self._client.anew():
            found = self._client.area("git").get_pull_request_statuses(
                ref.repository.name, ref.number, project=ref.repository.owner
            )
        return sorted(found or [], key=lambda one: int(one.id or 0))

    def _commit_statuses(self, ref: ChangeRef, head: str) -> list[Any]:
        """What tools posted on the head itself; Azure Pipelines does for its builds, which are told by themselves."""
        try:
            with self._client.anew():
                found = self._client.area("git").get_statuses(
                    head, ref.repository.name, project=ref.repository.owner, top=_MOST_STATUSES, latest_only=True
                )
        except NotFoundError:
            return []  # a commit of a fork, or one that a force-push left behind
        told = [one for one in found or [] if _lower(one.context.genre if one.context else "") != _OF_BUILDS]
        return sorted(told, key=lambda one: int(one.id or 0))

    def _evaluations(self, project: str, project_id: str, number: int) -> list[Any]:
        """How each policy stands that applies to the pull request."""
        artifact = f"vstfs:///CodeReview/CodeReviewId/{project_id}/{number}"
        found: list[Any] = []
        while True:
            with self._client.anew():
                page = self._client.area("policy").get_policy_evaluations(project, artifact, top=_PAGE, skip=len(found))
            found += page or []
            if len(page or []) < _PAGE:
                return [one for one in found if one.configuration.is_enabled and not one.configuration.is_deleted]

    def _branch_builds(self, project: str, repository_id: str, branch: str, head: str) -> list[Any]:
        """The latest build of each pipeline that ran ``head`` on its branch."""
        with self._client.anew():
            found = self._client.area("build").get_builds(
                project,
                repository_id=repository_id,
                repository_type="TfsGit",
                branch_name=f"refs/heads/{branch}",
                query_order="queueTimeDescending",
                top=_BUILDS,
            )
        latest: dict[int, Any] = {}
        for build in found or []:
            if str(build.source_version or "").lower() == head:
                latest.setdefault(int(build.definition.id), build)
        return list(latest.values())

    def _stages(self, project: str, builds: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Names of the stages and jobs that ran in each of the builds; those not told are left out."""
        told: dict[int, tuple[str, ...]] = {}
        for build in list(dict.fromkeys(builds))[:_MOST_TIMELINES]:
            try:
                with self._client.anew():
                    timeline = self._client.area("build").get_build_timeline(project, build)
            except RefusedError:
                continue  # without its stages the build still tells how it ended
            told[build] = _ran(timeline.records if timeline else [])
        return told

    def _policy_checks(self, project: str, evaluations: Sequence[Any], head: str) -> list[Check]:
        """The builds that policies want, required where the policy blocks."""
        wanted = [one for one in evaluations if _type_of(one) == PolicyType.BUILD]
        builds = [int(build) for one in wanted if (build := _context(one).get("buildId"))]
        stages = self._stages(project, builds)
        checks = []
        for one in wanted:
            context, build = _context(one), int(_context(one).get("buildId") or 0)
            # A build that counts no more is still said to have passed.
            expired = bool(context.get("isExpired"))
            state = CheckState.PENDING if expired else _EVALUATIONS.get(_lower(one.status), CheckState.PENDING)
            ran_on = str(context.get("lastMergeSourceCommitId") or "").lower()
            checks.append(
                Check(
                    name=_name_of(one, context),
                    state=state,
                    required=bool(one.configuration.is_blocking),
                    commit=ran_on or (head if build else ""),
                    url=self._build_page(project, build) if build else "",
                    summary="The build counts no more; queue it again" if expired else "",
                    started_at=utc(one.started_date) if build else None,
                    ended_at=utc(one.completed_date),
                    stages=stages.get(build, ()),
                )
            )
        return checks

    def _build_checks(self, project: str, builds: Sequence[Any]) -> list[Check]:
        stages = self._stages(project, [int(one.id) for one in builds])
        return [
            Check(
                name=str(one.definition.name),
                state=_RESULTS.get(_lower(one.result), CheckState.PENDING)
                if _lower(one.status) == "completed"
                else CheckState.PENDING,
                commit=str(one.source_version or "").lower(),
                url=self._build_page(project, int(one.id)),
                summary=f"{one.build_number} on {short(one.source_branch)}: {one.result or one.status}",
                started_at=utc(one.start_time),
                ended_at=utc(one.finish_time),
                stages=stages.get(int(one.id), ()),
            )
            for one in builds
        ]

    def _build_page(self, project: str, build: int) -> str:
        return self._client.page(project, "_build", "results") + f"?buildId={build}"


def merged(
    commit_statuses: Sequence[Any],
    statuses: Sequence[Any],
    evaluations: Sequence[Any],
    policy_builds: Sequence[Check],
    branch_builds: Sequence[Check],
    *,
    iteration: int,
    head: str,
) -> tuple[Check, ...]:
    """All checks on the head, each name once: what a policy says of it counts before what ran beside."""
    told = {check.name: check for check in (*branch_builds, *commit_checks(commit_statuses, head))}
    told |= {check.name: check for check in status_checks(statuses, iteration=iteration, head=head)}
    for check in policy_builds:
        # Of two policies over one pipeline the one that blocks counts.
        known = told.get(check.name)
        if known is None or not known.required:
            told[check.name] = check
    for one in evaluations:
        if _type_of(one) != PolicyType.STATUS:
            continue
        settings = one.configuration.settings or {}
        name = status_name(settings.get("statusGenre"), settings.get("statusName"))
        state = _EVALUATIONS.get(_lower(one.status), CheckState.PENDING)
        known = told.get(name) or Check(name=name, state=state, ours=name.startswith(f"{OWN_GENRE}/"))
        required = known.required or bool(one.configuration.is_blocking)
        told[name] = known.model_copy(update={"required": required, "state": state})
    return tuple(told[name] for name in sorted(told))


def status_checks(statuses: Sequence[Any], *, iteration: int, head: str) -> list[Check]:
    """The latest status of each genre and name that is about the newest push, or about the pull request as a whole."""
    latest: dict[str, Any] = {}
    for one in statuses:
        if one.context is not None and int(one.iteration_id or 0) in {0, iteration}:
            latest[status_name(one.context.genre, one.context.name)] = one
    return [_status_check(name, one, head if one.iteration_id else "") for name, one in latest.items()]


def commit_checks(statuses: Sequence[Any], head: str) -> list[Check]:
    """The latest status of each genre and name on the head itself."""
    latest = {status_name(one.context.genre, one.context.name): one for one in statuses if one.context is not None}
    return [_status_check(name, one, head) for name, one in latest.items()]


def _status_check(name: str, one: Any, commit: str) -> Check:
    return Check(
        name=name,
        state=_STATUSES.get(_lower(one.state), CheckState.PENDING),
        commit=commit,
        url=one.target_url or "",
        summary=one.description or "",
        started_at=utc(one.creation_date),
        ended_at=utc(one.updated_date),
        ours=_lower(one.context.genre) == OWN_GENRE,
    )


def status_name(genre: Any, name: Any) -> str:
    """Genre and name as one, as people read them."""
    return f"{genre}/{name}" if genre else str(name)


def resets_on_push(evaluations: Sequence[Any]) -> bool:
    """Whether a policy takes the votes back with each push."""
    return any(
        _type_of(one) == PolicyType.MINIMUM_REVIEWERS and (one.configuration.settings or {}).get("resetOnSourcePush")
        for one in evaluations
    )


def _ran(records: Sequence[Any]) -> tuple[str, ...]:
    names = [
        str(one.name)
        for one in sorted(records or [], key=lambda one: (one.type != "Stage", one.order or 0))
        if one.type in {"Stage", "Job"} and one.name != "__default" and _lower(one.result) not in _DID_NOT_RUN
    ]
    return tuple(dict.fromkeys(names))


def _context(evaluation: Any) -> dict[str, Any]:
    return evaluation.context if isinstance(evaluation.context, dict) else {}


def _name_of(evaluation: Any, context: dict[str, Any]) -> str:
    settings = evaluation.configuration.settings or {}
    named = context.get("buildDefinitionName") or settings.get("displayName")
    return str(named or f"build {settings.get('buildDefinitionId')}")


def _type_of(evaluation: Any) -> str:
    return str(evaluation.configuration.type.id).lower()


def _lower(value: Any) -> str:
    return str(value or "").lower()
