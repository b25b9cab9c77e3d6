"""Reads what is to be adopted as it stands on the forges, and tells it as facts; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.adoption import AdoptionWish, LiveFact
from shared.domain.connection import Connection
from shared.domain.faults import FieldFault
from shared.domain.forge import (
    BranchRules,
    ForgeName,
    Hook,
    MergeKind,
    PipelineDefinition,
    Repository,
    RepositoryRef,
    SecurityFeature,
    TeamProject,
)
from shared.errors import DefectError, NotSupportedError, RefusedError
from shared.ports import Forge, WorkTracker
from shared.projects.drawing import PIPELINE_FILE
from shared.projects.ports import ConnectedForges


class NotThereError(RefusedError):
    """What is to be adopted does not exist, or the credential may not see it."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        super().__init__("what is to be adopted is not there", "Correct the names, or let the connection see it.")
        self.faults = tuple(faults)


@dataclass(frozen=True)
class LiveCode:
    """A repository as it stands."""

    repository: Repository
    branch: str
    head: str | None
    rules: BranchRules | None
    rules_unread: str
    """Why the rules could not be read; empty when they were."""
    hooks: tuple[Hook, ...]


@dataclass(frozen=True)
class LiveGitHub:
    """A GitHub repository with what is set beside its code."""

    code: LiveCode
    labels: frozenset[str]
    topics: tuple[str, ...]
    security: Mapping[SecurityFeature, bool]
    environments: Mapping[str, tuple[str, ...]]
    """Lower-case name → who is asked."""
    merges: frozenset[MergeKind]


@dataclass(frozen=True)
class LiveAzure:
    """An Azure DevOps project with the repository that is adopted."""

    project: TeamProject
    code: LiveCode
    has_pipeline_file: bool
    pipelines: tuple[PipelineDefinition, ...]
    environments: Mapping[str, int]
    """Lower-case name → how many are asked."""
    wiki_pages: frozenset[str] | None
    """Paths; None without a wiki."""
    teams: frozenset[str]
    """Lower-case names of the wished teams that are there."""
    has_items: bool


@dataclass(frozen=True)
class Live:
    """What is to be adopted as it stands."""

    github: LiveGitHub | None = None
    azure: LiveAzure | None = None
    facts: tuple[LiveFact, ...] = field(default=())

    def code(self, forge: ForgeName) -> LiveCode:
        """The repository on ``forge``."""
        there = self.github if forge is ForgeName.GITHUB else self.azure
        if there is None:
            raise DefectError(f"nothing on {forge} is to be adopted")
        return there.code


def read(connected: ConnectedForges, connection: Connection, wish: AdoptionWish) -> Live:
    """What ``wish`` names, as it stands. Raises ``NotThereError`` naming each field that names nothing."""
    faults: list[FieldFault] = []
    github = _github(connected, connection, wish, faults) if wish.github_repository else None
    azure = _azure(connected, wish, faults) if wish.azure_devops_project else None
    if faults:
        raise NotThereError(faults)
    return Live(github=github, azure=azure, facts=(*_facts_of_github(github), *_facts_of_azure(azure)))


def _github(
    connected: ConnectedForges, connection: Connection, wish: AdoptionWish, faults: list[FieldFault]
) -> LiveGitHub | None:
    forge, settings = connected.forges[ForgeName.GITHUB], connected.settings
    if settings is None:
        raise DefectError("a connection without GitHub's repository settings")
    ref = RepositoryRef(owner=connection.github.organization, name=wish.github_repository)
    repository = forge.repository(ref)
    if repository is None:
        problem = f"{ref.owner} has no such repository, or this connection may not see it"
        faults.append(FieldFault(field="github_repository", problem=problem))
        return None
    ref = repository.ref
    return LiveGitHub(
        code=_code(forge, repository),
        labels=frozenset(label.name.lower() for label in settings.labels(ref)),
        topics=tuple(settings.topics(ref)),
        security=settings.security(ref),
        environments={one.name.lower(): one.reviewers for one in settings.deployment_environments(ref)},
        merges=settings.merge_kinds(ref),
    )


def _azure(connected: ConnectedForges, wish: AdoptionWish, faults: list[FieldFault]) -> LiveAzure | None:
    boards, forge = connected.tracker, connected.forges.get(ForgeName.AZURE_DEVOPS)
    if boards is None or forge is None:
        problem = "the connection has no Azure DevOps organisation"
        faults.append(FieldFault(field="azure_devops_project", problem=problem))
        return None
    project = boards.project(wish.azure_devops_project)
    if project is None or not project.ready:
        problem = "the organisation has no such project, or this connection may not see it"
        faults.append(FieldFault(field="azure_devops_project", problem=problem))
        return None
    repository = forge.repository(RepositoryRef(owner=project.name, name=wish.azure_devops_repository or project.name))
    if repository is None:
        problem = f"the project {project.name} has no such repository; name the one to adopt"
        faults.append(FieldFault(field="azure_devops_repository", problem=problem))
        return None
    code = _code(forge, repository)
    wiki = boards.wiki(project.name)
    return LiveAzure(
        project=project,
        code=code,
        has_pipeline_file=code.head is not None and PIPELINE_FILE in forge.file_digests(repository.ref, code.head),
        pipelines=tuple(boards.pipeline_definitions(project.name)),
        environments=_places(boards, project.name),
        wiki_pages=frozenset(boards.wiki_pages(project.name, wiki)) if wiki else None,
        teams=frozenset(team.name.lower() for team in wish.teams if boards.team(project.name, team.name)),
        has_items=boards.has_work_items(project.name),
    )


def _places(boards: WorkTracker, project: str) -> dict[str, int]:
    return {one.name.lower(): len(boards.approvers(project, one)) for one in boards.environments(project)}


def _code(forge: Forge, repository: Repository) -> LiveCode:
    branch = repository.default_branch or ""
    head = forge.branch_head(repository.ref, branch) if branch else None
    rules, unread = None, ""
    if head:
        try:
            rules = forge.branch_rules(repository.ref, branch)
        except NotSupportedError as error:
            unread = error.reason
    return LiveCode(repository, branch, head, rules, unread, tuple(forge.hooks(repository.ref)))


def _facts_of_code(forge: ForgeName, code: LiveCode) -> list[LiveFact]:
    rules = code.rules
    demands = f"demands {rules.minimum_reviewers} reviewers" if rules else code.rules_unread or "has no rules"
    return [
        LiveFact(forge=forge, what="repository", found=str(code.repository.ref), url=code.repository.url),
        LiveFact(
            forge=forge,
            what="default branch",
            found=f"{code.branch}: {demands}" if code.branch else "none: the repository has no commit yet",
        ),
        LiveFact(forge=forge, what="hooks", found=str(len(code.hooks))),
    ]


def _facts_of_github(live: LiveGitHub | None) -> list[LiveFact]:
    if live is None:
        return []
    on = sorted(feature.value for feature, is_on in live.security.items() if is_on)
    return [
        *_facts_of_code(ForgeName.GITHUB, live.code),
        LiveFact(forge=ForgeName.GITHUB, what="labels", found=str(len(live.labels))),
        LiveFact(forge=ForgeName.GITHUB, what="topics", found=", ".join(live.topics) or "none"),
        LiveFact(forge=ForgeName.GITHUB, what="security", found=", ".join(on) or "nothing switched on"),
        LiveFact(forge=ForgeName.GITHUB, what="environments", found=", ".join(sorted(live.environments)) or "none"),
        LiveFact(forge=ForgeName.GITHUB, what="merges", found=", ".join(sorted(live.merges))),
    ]


def _facts_of_azure(live: LiveAzure | None) -> list[LiveFact]:
    if live is None:
        return []
    forge = ForgeName.AZURE_DEVOPS
    pages = "none" if live.wiki_pages is None else f"{len(live.wiki_pages)} pages"
    return [
        LiveFact(forge=forge, what="project", found=live.project.name, url=live.project.url),
        LiveFact(forge=forge, what="process", found=live.project.process or "unknown"),
        *_facts_of_code(forge, live.code),
        LiveFact(forge=forge, what="pipelines", found=", ".join(one.name for one in live.pipelines) or "none"),
        LiveFact(forge=forge, what="environments", found=", ".join(sorted(live.environments)) or "none"),
        LiveFact(forge=forge, what="wiki", found=pages),
        LiveFact(forge=forge, what="backlog", found="has work items" if live.has_items else "empty"),
    ]
