"""One look at a pull request on Azure Repos: all that people, machines and boards say of it, asked side by side."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from shared.adapters.ahead import file_there, files_expected
from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.reviews import checks, voices
from shared.adapters.azure_devops.reviews.asking import (
    STATES,
    head_of_pull,
    is_sha,
    part,
    person,
    pushes_expected,
    pushes_of,
    sha,
    short,
    statuses_of,
    utc,
)
from shared.adapters.azure_devops.reviews.checks import CheckCalls
from shared.adapters.azure_devops.reviews.files import FileCalls
from shared.adapters.azure_devops.reviews.history import HistoryCalls
from shared.adapters.azure_devops.reviews.items import ItemCalls
from shared.adapters.azure_devops.reviews.templates import TemplateCalls
from shared.adapters.azure_devops.reviews.words import WordCalls
from shared.adapters.later import chained
from shared.domain.change import (
    Change,
    ChangeRef,
    Check,
    LinkedItem,
    Looked,
    Part,
    PersonReview,
    Thread,
    Unknown,
)
from shared.domain.evidence import Finding
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.publication import Stand
from shared.domain.pull_request import PullRequestState
from shared.errors import RefusedError, TransientError

_CHANGES = 100


class LookingCalls(CheckCalls, FileCalls, HistoryCalls, ItemCalls, TemplateCalls, WordCalls):
    """The part of ``AzureDevOpsForge`` that looks at pull requests."""

    def look_at(self, ref: ChangeRef) -> Looked | None:
        """The pull request with its commits, people's words, checks and work items; ``None`` when it is not there.

        About thirteen questions: one for each level of work items above, for each linked item with comments and for each
        build with stages. Commits beyond a hundred, and messages that the list cuts short, take more.
        """
        asked_pull = self._later(lambda: self._pull_request(ref, include_commits=True, include_work_item_refs=True))
        expected: Future[list[Any]] | None = self._client.looks.remembered(pushes_expected(ref))
        asked_iterations = expected or self._later(lambda: self._iterations(ref))
        asked_threads = self._later(lambda: part(lambda: self._threads(ref)))
        asked_statuses = self._later(lambda: part(lambda: self._statuses(ref)))
        asked_process = self._later(lambda: self._process_of(ref.repository.owner))
        try:
            pull = asked_pull.result()
        except NotFoundError:
            return None
        iterations = asked_iterations.result()
        head, iteration = head_of_pull(pull, iterations)
        project, source, target = ref.repository.owner, short(pull.source_ref_name), short(pull.target_ref_name)
        repository, fork = pull.repository, pull.fork_source is not None
        asked_evaluations = self._later(
            lambda: part(lambda: self._evaluations(project, repository.project.id, ref.number))
        )
        # What ran in a fork ran what the fork wanted.
        asked_builds = self._later(
            lambda: part(lambda: [] if fork else self._branch_builds(project, repository.id, source, head))
        )
        asked_on_head = self._later(lambda: part(lambda: self._commit_statuses(ref, head)))
        asked_items = self._later(lambda: part(lambda: self._linked(_item_ids(pull))))
        asked_template = self._later(lambda: part(lambda: self._template_for(ref, target)))
        asked_position = self._later(lambda: self._position(ref, target, head))
        wanted: Sequence[str] = self._client.looks.remembered(files_expected(ref)) or ()
        asked_files = chained(self._counting(lambda: self._files_at_base(ref, pull, asked_position, wanted)))
        asked_commits = self._later(lambda: part(lambda: self._commits(ref, pull, head)))
        linked = asked_items.result()
        asked_above: Future[Part[dict[int, Any]]] = self._later(lambda: part(lambda: self._above(_known(linked))))
        asked_said = [
            self._later(lambda one=one: part(lambda: self._said_on(one)))  # type: ignore[misc]
            for one in _known(linked)
            if int(one.fields.get("System.CommentCount") or 0)
        ]
        evaluations, builds = asked_evaluations.result(), asked_builds.result()
        asked_policy_checks = self._later(lambda: self._policy_checks(project, _known(evaluations), head))
        asked_branch_checks = self._later(lambda: self._build_checks(project, _known(builds)))
        threads, statuses = asked_threads.result(), asked_statuses.result()
        # Whoever announces the review next need not ask for them again.
        self._client.looks.enter(pushes_of(ref), iterations)
        if not isinstance(statuses, Unknown):
            self._client.looks.keep(statuses_of(ref), statuses)
        for question, content in asked_files.result().items():
            self._client.looks.enter(question, (content,))
        change = self._pull_shown(ref, pull, head, iteration, asked_position.result(), iterations)
        return Looked(
            change=change,
            commits=asked_commits.result(),
            items=self._linked_items(linked, asked_above.result(), asked_said),
            reviews=_reviews(pull, threads, iterations, evaluations, head),
            threads=_threads(threads),
            checks=_checks(
                asked_on_head.result(),
                statuses,
                evaluations,
                builds,
                asked_policy_checks.result(),
                asked_branch_checks.result(),
                iteration=iteration,
                head=head,
            ),
            template=asked_template.result(),
            process=asked_process.result(),
        )

    def stand(self, ref: ChangeRef) -> Stand | None:
        """The head, the state and everything Doneright said there, as they are now: two questions at once."""
        asked = self._later(lambda: self.head_of(ref)), self._later(lambda: part(lambda: self._threads(ref)))
        own = self.own_identity().id
        stands, threads = asked[0].result(), asked[1].result()
        if stands is None:
            return None
        return Stand(
            head=stands[0],
            state=stands[1],
            words=threads if isinstance(threads, Unknown) else self._words_among(ref, threads, own),
        )

    def head_of(self, ref: ChangeRef) -> tuple[str, PullRequestState] | None:
        """Only the head and state as they are now: one question, never remembered. ``None`` when it is not there."""
        try:
            found = self._pull_request(ref)
        except NotFoundError:
            return None
        head = sha(found.last_merge_source_commit)
        if not head:
            head, _ = head_of_pull(found, self._iterations(ref))
        return head, STATES.get(str(found.status), PullRequestState.OPEN)

    def changes(self, repository: RepositoryRef, *, open_only: bool, limit: int) -> Sequence[Change]:
        """The latest pull requests, newest first, a question for each hundred; none for a repository not there.

        The list cuts descriptions short and knows neither merge bases nor pushes: ``look_at`` one for those.
        """
        wanted = self._client.models("git").GitPullRequestSearchCriteria(status="active" if open_only else "all")
        found: list[Any] = []
        while len(found) < limit:
            top = min(_CHANGES, limit - len(found))
            try:
                with self._client.anew():
                    page = self._client.area("git").get_pull_requests(
                        repository.name, wanted, project=repository.owner, skip=len(found), top=top
                    )
            except NotFoundError:
                return ()
            found += page or []
            if len(page or []) < top:
                break
        shown = []
        for one in sorted(found, key=lambda pull: -pull.pull_request_id):
            ref = ChangeRef(forge=ForgeName.AZURE_DEVOPS, repository=repository, number=one.pull_request_id)
            if head := sha(one.last_merge_source_commit):
                shown.append(self._pull_shown(ref, one, head, 0, None, ()))
        return tuple(shown)

    def alerts(self, change: Change) -> Part[tuple[Finding, ...]]:
        """Not to be had: GitHub Advanced Security for Azure DevOps is a product of its own, on a host of its own."""
        return Unknown(
            reason=f"Azure DevOps tells no alerts of {change.ref.repository}: Advanced Security is not connected",
            supported=False,
        )

    def _files_at_base(
        self, ref: ChangeRef, pull: Any, position: Future[Any], files: Sequence[str]
    ) -> dict[tuple[str, ...], bytes | None]:
        """What ``file_at`` will be asked for; what is refused now is left for it to tell."""
        base = _base_of(pull, position.result())
        found: dict[tuple[str, ...], bytes | None] = {}
        for path in files if base else ():
            try:
                found[file_there(ref.repository, path, base)] = self._read_at(ref.repository, path, base)
            except (RefusedError, TransientError):
                continue
        return found

    def file_at(self, repository: RepositoryRef, path: str, commit: str) -> bytes | None:
        """A file at a commit or branch; ``None`` when it is not there."""
        told: tuple[bytes | None] | None = self._client.looks.entered(file_there(repository, path, commit))
        return self._read_at(repository, path, commit) if told is None else told[0]

    def _read_at(self, repository: RepositoryRef, path: str, commit: str) -> bytes | None:
        kind = "commit" if is_sha(commit) else "branch"
        version = self._client.models("git").GitVersionDescriptor(version=commit, version_type=kind)
        try:
            with self._client.anew():
                found = self._client.area("git").get_item_content(
                    repository.name, f"/{path.lstrip('/')}", project=repository.owner, version_descriptor=version
                )
        except NotFoundError:
            return None
        return b"".join(found)

    def _pull_shown(
        self, ref: ChangeRef, found: Any, head: str, iteration: int, position: Any, iterations: Sequence[Any]
    ) -> Change:
        same = next((one for one in iterations if int(one.id) == iteration), None)
        merge_base = str(getattr(position, "common_commit", None) or "") or (
            sha(same.common_ref_commit) if same else ""
        )
        merging = str(found.merge_status or "").lower()
        # The service words merges that it may not do, or could not try, in the same place.
        conflicts = {"conflicts": True, "succeeded": False, "rejectedbypolicy": False}.get(merging)
        created = utc(found.creation_date) or datetime.fromtimestamp(0, UTC)
        return Change(
            ref=ref,
            title=found.title or "",
            body=found.description or "",
            url=self._web_page(ref),
            state=STATES.get(str(found.status), PullRequestState.OPEN),
            draft=bool(found.is_draft),
            author=person(found.created_by),
            source=short(found.source_ref_name),
            target=short(found.target_ref_name),
            head=head,
            base=_base_of(found, position),
            merge_base=merge_base,
            behind=getattr(position, "behind_count", None),
            conflicts=conflicts,
            fork=found.fork_source is not None,
            labels=tuple(one.name for one in found.labels or [] if one.active is not False),
            created_at=created,
            updated_at=max(
                (at for one in iterations if (at := utc(one.updated_date or one.created_date))), default=None
            ),
            merge_commit=sha(found.last_merge_commit),
            iteration=iteration,
            auto_merge=found.auto_complete_set_by is not None,
        )

    def _linked_items(
        self,
        linked: Part[list[Any]],
        above: Part[dict[int, Any]],
        said: Sequence[Future[Part[tuple[str, ...]]]],
    ) -> Part[tuple[LinkedItem, ...]]:
        if isinstance(linked, Unknown):
            return linked
        if isinstance(above, Unknown):
            return above
        with_comments = [one for one in linked if int(one.fields.get("System.CommentCount") or 0)]
        comments: dict[int, tuple[str, ...]] = {}
        for one, asked in zip(with_comments, said, strict=True):
            found = asked.result()
            if isinstance(found, Unknown):
                return found
            comments[int(one.id)] = found
        projects = {str(one.fields.get("System.TeamProject") or "") for one in (*linked, *above.values())}
        processes = {name.lower(): self._process_of(name) for name in sorted(projects)}
        return tuple(self._linked_item(one, above, comments.get(int(one.id), ()), processes) for one in linked)


def _base_of(pull: Any, position: Any) -> str:
    return str(getattr(position, "base_commit", None) or "") or sha(pull.last_merge_target_commit)


def _item_ids(pull: Any) -> list[int]:
    return sorted({int(one.id) for one in pull.work_item_refs or []})


def _known[A](found: Part[list[A]]) -> list[A]:
    return [] if isinstance(found, Unknown) else found


def _threads(found: Part[list[Any]]) -> Part[tuple[Thread, ...]]:
    return found if isinstance(found, Unknown) else voices.threads(found)


def _reviews(
    pull: Any, threads: Part[list[Any]], iterations: Sequence[Any], evaluations: Part[list[Any]], head: str
) -> Part[tuple[PersonReview, ...]]:
    if isinstance(threads, Unknown):
        return threads
    resets = checks.resets_on_push(_known(evaluations))
    return voices.reviews(pull, threads, iterations, reset_on_push=resets, head=head)


def _checks(
    on_head: Part[list[Any]],
    statuses: Part[list[Any]],
    evaluations: Part[list[Any]],
    builds: Part[list[Any]],
    policy_checks: Sequence[Check],
    branch_checks: Sequence[Check],
    *,
    iteration: int,
    head: str,
) -> Part[tuple[Check, ...]]:
    """Unknown as soon as one source of checks is: a list that lacks some would pass for all."""
    for source in (on_head, statuses, evaluations, builds):
        if isinstance(source, Unknown):
            return source
    return checks.merged(
        _known(on_head),
        _known(statuses),
        _known(evaluations),
        policy_checks,
        branch_checks,
        iteration=iteration,
        head=head,
    )
