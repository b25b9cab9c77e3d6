"""Draws the plan of a project: which steps, in which order, with which inputs. Pure: the same request, the same plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pydantic import Field, JsonValue

from shared.domain.forge import ForgeName, Frozen, Notification, SecurityFeature
from shared.domain.plan import Plan, PlanStep
from shared.domain.process import ProcessAdditions
from shared.domain.project import ProjectRequest, slug_of
from shared.projects import backlog, further_repositories, labels, wiki
from shared.projects.further_repositories import FirstFiles
from shared.projects.scaffold import slug_for

BRANCH = "main"
TOPIC = "doneright"
PIPELINE_FILE = "azure-pipelines.yml"
SPRINTS = ("Sprint 1", "Sprint 2", "Sprint 3")
"""Where to plan when neither the request nor the process names iterations."""

GITHUB_EVENTS = (
    "check_run",
    "issue_comment",
    "issues",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "push",
    "status",
)
AZURE_DEVOPS_EVENTS = (
    "build.complete",
    "git.pullrequest.created",
    "git.pullrequest.merged",
    "git.pullrequest.updated",
    "git.push",
    "ms.vss-code.git-pullrequest-comment-event",
    "workitem.updated",
)


class Surroundings(Frozen):
    """What a plan takes from outside the request; fixed when the plan is drawn."""

    connection: str
    github_owner: str
    github_hook_url: str
    azure_devops_hook_url: str
    scaffold: str
    """Digest of the packed scaffold in the artifact store."""
    template_version: str
    checks: tuple[str, ...]
    """What the scaffold's workflow reports on every pull request to GitHub; none when no scaffold is pushed."""
    further: Mapping[str, FirstFiles] = Field(default_factory=dict)
    """What each further repository starts with, by its slug."""
    process_additions: ProcessAdditions | None = None
    """What the organisation wants beside the requested process."""
    reviews_block: bool = False
    """Whether the connection's reviews may stop a merge."""


def draw(request: ProjectRequest, around: Surroundings) -> Plan:
    """The plan for ``request``. Steps that do not need one another do not wait for one another."""
    steps: list[PlanStep] = []
    for forge, drawn in ((ForgeName.AZURE_DEVOPS, _azure_devops), (ForgeName.GITHUB, _github)):
        if forge in request.forges:
            main = drawn(request, around)
            steps += [*main, *further_repositories.steps_of(request, forge, main, around.further)]
    return Plan(project=request.project_id, connection=around.connection, steps=tuple(steps))


def digest_of(plan: Plan) -> str:
    """``sha256:`` and the SHA-256 of the plan's JSON."""
    return "sha256:" + hashlib.sha256(plan.model_dump_json().encode()).hexdigest()


def _azure_devops(request: ProjectRequest, around: Surroundings) -> list[PlanStep]:
    forge = ForgeName.AZURE_DEVOPS
    where = {"owner": request.name, "repository": request.name, "branch": BRANCH}
    inherited = _inherited_process(around)
    shown = request.process.upper() if request.process == "cmmi" else request.process.capitalize()
    steps = [
        *inherited,
        PlanStep(
            id="azure_devops.project",
            kind="project",
            forge=forge,
            title=f"Project {request.name} ({around.process_additions.title if around.process_additions else shown})",
            depends_on=tuple(step.id for step in inherited),
            inputs={
                "name": request.name,
                "description": request.description,
                "process": around.process_additions.title if around.process_additions else request.process.value,
                "visibility": request.visibility.value,
            },
        ),
        PlanStep(
            id="azure_devops.repository",
            kind="repository",
            forge=forge,
            title=f"Repository {request.name}",
            depends_on=("azure_devops.project",),
            inputs={
                **where,
                "description": request.description,
                "visibility": request.visibility.value,
                "comes_with_project": True,
            },
        ),
        _scaffold(request, around, forge, where, "azure_devops.repository"),
        _rules(request, forge, where),
        PlanStep(
            id="azure_devops.pipeline",
            kind="pipeline",
            forge=forge,
            title=f"Pipeline from {PIPELINE_FILE}",
            depends_on=("azure_devops.scaffold",),
            inputs={**where, "project": request.name, "name": request.project_id, "yaml_path": f"/{PIPELINE_FILE}"},
        ),
        *_build_validation(
            request, forge, {**where, "project": request.name, "pipeline": request.project_id}, "azure_devops.pipeline"
        ),
        *_review_check(request, around, forge, where),
        PlanStep(
            id="azure_devops.hook",
            kind="hook",
            forge=forge,
            title="Service hooks to Doneright",
            depends_on=("azure_devops.repository",),
            inputs={
                **where,
                "url": around.azure_devops_hook_url,
                "events": list(AZURE_DEVOPS_EVENTS),
                "one_hook": False,
            },
        ),
        PlanStep(
            id="azure_devops.classification",
            kind="classification",
            forge=forge,
            title="Areas and iterations",
            depends_on=("azure_devops.project",),
            inputs={
                "project": request.name,
                "areas": _with_parents(request.areas),
                "iterations": _with_parents(request.iterations),
                "otherwise": list(SPRINTS),
            },
        ),
        PlanStep(
            id="azure_devops.backlog",
            kind="backlog",
            forge=forge,
            title="Backlog: " + ", ".join(backlog.hierarchy(request.process)),
            depends_on=("azure_devops.classification",),
            inputs={
                "project": request.name,
                "items": [item.model_dump(mode="json") for item in backlog.items(request)],
                "area": next(iter(request.areas), ""),
                "iteration": next(iter(request.iterations), ""),
            },
        ),
    ]
    steps.append(
        PlanStep(
            id="azure_devops.wiki",
            kind="wiki",
            forge=forge,
            title="Wiki: " + ", ".join(wiki.PAGES),
            depends_on=("azure_devops.repository",),
            inputs={
                **where,
                "project": request.name,
                "pages": [page.model_dump(mode="json") for page in wiki.pages(request.name)],
            },
        )
    )
    steps.append(
        PlanStep(
            id="azure_devops.variable_group",
            kind="variable_group",
            forge=forge,
            title=f"Variable group {slug_for(request.name)}",
            depends_on=("azure_devops.project",),
            inputs={"project": request.name, "name": slug_for(request.name), "variables": _variables(request)},
        )
    )
    if request.teams:
        steps.append(
            PlanStep(
                id="azure_devops.teams",
                kind="teams",
                forge=forge,
                title="Teams: " + ", ".join(team.name for team in request.teams),
                depends_on=("azure_devops.project",),
                inputs={"project": request.name, "teams": [team.model_dump(mode="json") for team in request.teams]},
            )
        )
    if request.environments:
        steps.append(
            PlanStep(
                id="azure_devops.environments",
                kind="environments",
                forge=forge,
                title="Environments: " + ", ".join(environment.name for environment in request.environments),
                depends_on=("azure_devops.project",),
                inputs={
                    "project": request.name,
                    "environments": [environment.model_dump(mode="json") for environment in request.environments],
                },
            )
        )
    steps.append(_pipeline_permissions(request))
    return [*steps, *_notifications(request, forge, {"project": request.name}, "azure_devops.project")]


def _notifications(
    request: ProjectRequest, forge: ForgeName, where: Mapping[str, JsonValue], after: str
) -> list[PlanStep]:
    wanted: dict[tuple[str, str], Notification] = {}
    for asked in request.notifications:
        for address in asked.to or ("",):
            wanted.setdefault((asked.event, address.lower()), Notification(event=asked.event, address=address))
    if not wanted:
        return []
    return [
        PlanStep(
            id=f"{forge}.notifications",
            kind="notifications",
            forge=forge,
            title="Notifications: " + ", ".join(dict.fromkeys(one.event.replace("_", " ") for one in wanted.values())),
            depends_on=(after,),
            inputs={**where, "notifications": [one.model_dump(mode="json") for one in wanted.values()]},
        )
    ]


def _pipeline_permissions(request: ProjectRequest) -> PlanStep:
    needed = ["azure_devops.pipeline", "azure_devops.variable_group"]
    return PlanStep(
        id="azure_devops.pipeline_permissions",
        kind="pipeline_permissions",
        forge=ForgeName.AZURE_DEVOPS,
        title="Permissions of the pipeline",
        depends_on=(*needed, *(["azure_devops.environments"] if request.environments else [])),
        inputs={
            "project": request.name,
            "pipeline": request.project_id,
            "variable_group": slug_for(request.name),
            "environments": [environment.name for environment in request.environments],
        },
    )


def _inherited_process(around: Surroundings) -> list[PlanStep]:
    if around.process_additions is None:
        return []
    return [
        PlanStep(
            id="azure_devops.inherited_process",
            kind="inherited_process",
            forge=ForgeName.AZURE_DEVOPS,
            title=f"Process {around.process_additions.title}",
            inputs={"additions": around.process_additions.model_dump(mode="json")},
        )
    ]


def _with_parents(paths: Sequence[str]) -> list[JsonValue]:
    """``paths`` with every path above them, parents first, each once whatever its case."""
    found: dict[str, str] = {}
    for path in paths:
        names = path.split("/")
        for length in range(1, len(names) + 1):
            above = "/".join(names[:length])
            found.setdefault(above.lower(), above)
    return list(found.values())


def _variables(request: ProjectRequest) -> dict[str, JsonValue]:
    """What the scaffold's pipeline reads; placeholders under .invalid, where RFC 2606 lets nothing answer."""
    variables: dict[str, JsonValue] = {
        "PROJECT_ID": request.project_id,
        "CONTAINER_REGISTRY": "registry.invalid",
    }
    for environment in request.environments:
        slug = slug_of(environment.name)
        variables[f"{slug.upper().replace('-', '_')}_BASE_URL"] = f"https://{slug}.invalid"
    return variables


def _github(request: ProjectRequest, around: Surroundings) -> list[PlanStep]:
    forge = ForgeName.GITHUB
    where = {"owner": around.github_owner, "repository": request.project_id, "branch": BRANCH}
    return [
        PlanStep(
            id="github.repository",
            kind="repository",
            forge=forge,
            title=f"Repository {around.github_owner}/{request.project_id}",
            inputs={
                **where,
                "description": request.description,
                "visibility": request.visibility.value,
                "comes_with_project": False,
            },
        ),
        _scaffold(request, around, forge, where, "github.repository"),
        _rules(request, forge, where),
        *_build_validation(request, forge, {**where, "checks": list(around.checks)}),
        *_review_check(request, around, forge, where),
        PlanStep(
            id="github.hook",
            kind="hook",
            forge=forge,
            title="Webhook to Doneright",
            depends_on=("github.repository",),
            inputs={**where, "url": around.github_hook_url, "events": list(GITHUB_EVENTS), "one_hook": True},
        ),
        PlanStep(
            id="github.labels",
            kind="labels",
            forge=forge,
            title="Labels of issues and pull requests",
            depends_on=("github.repository",),
            inputs={**where, "labels": [label.model_dump(mode="json") for label in labels.labels()]},
        ),
        PlanStep(
            id="github.topics",
            kind="topics",
            forge=forge,
            title="Topics",
            depends_on=("github.repository",),
            inputs={**where, "topics": list(dict.fromkeys((TOPIC, *request.topics)))},
        ),
        PlanStep(
            id="github.security",
            kind="security",
            forge=forge,
            title="Vulnerability alerts, secret scanning, push protection",
            depends_on=("github.repository",),
            inputs={**where, "features": [feature.value for feature in SecurityFeature]},
        ),
        *_deployment_environments(request, where),
        *_notifications(request, forge, {**where}, "github.repository"),
    ]


def _deployment_environments(request: ProjectRequest, where: dict[str, str]) -> list[PlanStep]:
    if not request.environments:
        return []
    return [
        PlanStep(
            id="github.deployment_environments",
            kind="deployment_environments",
            forge=ForgeName.GITHUB,
            title="Environments: " + ", ".join(environment.name for environment in request.environments),
            depends_on=("github.repository",),
            inputs={
                **where,
                "environments": [environment.model_dump(mode="json") for environment in request.environments],
            },
        )
    ]


def _scaffold(
    request: ProjectRequest, around: Surroundings, forge: ForgeName, where: dict[str, str], after: str
) -> PlanStep:
    return PlanStep(
        id=f"{forge}.scaffold",
        kind="scaffold",
        forge=forge,
        title=f"Scaffold ({request.stack}) in one commit",
        depends_on=(after,),
        inputs={
            **where,
            "scaffold": around.scaffold,
            "stack": request.stack.value,
            "template_version": around.template_version,
        },
    )


def _rules(request: ProjectRequest, forge: ForgeName, where: dict[str, str]) -> PlanStep:
    return PlanStep(
        id=f"{forge}.branch_rules",
        kind="branch_rules",
        forge=forge,
        title=f"Rules of {BRANCH}",
        # The rules forbid the very push that the scaffold makes, and GitHub protects only branches that exist.
        depends_on=(f"{forge}.scaffold",),
        inputs={**where, "rules": request.rules.model_dump(mode="json")},
    )


def _review_check(
    request: ProjectRequest, around: Surroundings, forge: ForgeName, where: dict[str, str]
) -> list[PlanStep]:
    if not around.reviews_block:
        return []
    # Both change the list of required checks, which is read and written whole.
    after = ("branch_rules", "build_validation") if request.rules.require_build else ("branch_rules",)
    return [
        PlanStep(
            id=f"{forge}.review_check",
            kind="review_check",
            forge=forge,
            title=f"Review by Doneright before a merge into {BRANCH}",
            depends_on=tuple(f"{forge}.{one}" for one in after),
            inputs={**where},
        )
    ]


def _build_validation(
    request: ProjectRequest, forge: ForgeName, inputs: Mapping[str, JsonValue], *after: str
) -> list[PlanStep]:
    if not request.rules.require_build:
        return []
    return [
        PlanStep(
            id=f"{forge}.build_validation",
            kind="build_validation",
            forge=forge,
            title=f"Green build before a merge into {BRANCH}",
            # GitHub keeps it within the branch's rules, and an earlier policy would bar the scaffold's push.
            depends_on=(f"{forge}.branch_rules", *after),
            inputs=inputs,
        )
    ]
