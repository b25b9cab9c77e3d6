"""Ensures the pipeline may use its variable group and environments, so that its first run does not wait for a grant."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from shared.domain.forge import PipelineResource, ResourceKind
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.projects.steps.step import StepContext, StepDefinition, applied, confirmed, failed, text, texts
from shared.projects.undoing import creating, done, goes_along, listed, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """The pipeline was once let use each of its resources that are there."""
    boards = context.boards()
    project, name = text(step, "project"), text(step, "pipeline")
    pipeline = boards.pipeline(project, name)
    if pipeline is None:
        return failed(f"there is no pipeline {name} to permit anything to", "Make it again, or reconcile the project.")
    found = _resources(context, step)
    grants = {label: _grant(project, resource, pipeline.id) for label, resource in found.items()}
    # Granted once. A permission that people took away since is not given back.
    due = [label for label, grant in grants.items() if not context.ledger.intended(done(grant))]
    granted = [label for label in due if not _holds(context, project, found[label], pipeline.id)]
    if granted:
        with ExitStack() as intents:
            for label in granted:
                intents.enter_context(creating(context.ledger, grants[label]))
            boards.set_pipeline_permissions(project, [found[label] for label in granted], pipeline.id, allowed=True)
    lost = [label for label in granted if not _holds(context, project, found[label], pipeline.id)]
    for label in due:
        if label not in lost:
            context.ledger.intend(done(grants[label]))
    if lost:
        return failed(
            f"pipeline {name} was let use {listed(lost)}, and read back without that permission",
            "Permit it under the security of the resource, then try again.",
            pipeline.url,
        )
    # Also where the answer to an earlier try was lost.
    made = any(context.ledger.intended(grants[label]) for label in due)
    return (applied if made else confirmed)(pipeline.url, f"{len(found)} resources", resources=[*found])


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The permissions this run gave are taken from the pipeline again."""
    if along := goes_along(context, step):
        return along
    boards = context.boards()
    project, name = text(step, "project"), text(step, "pipeline")
    pipeline = boards.pipeline(project, name)
    number = pipeline.id if pipeline else ""
    found = _resources(context, step) if pipeline else {}
    grants = {label: _grant(project, resource, number) for label, resource in found.items()}
    mine = {label: grant for label, grant in grants.items() if context.ledger.made_here(grant)}
    return take_back(
        context.ledger,
        mine,
        # One that every pipeline has by now is no longer this pipeline's own to lose.
        lambda: [label for label in mine if number in (boards.permitted_pipelines(project, found[label]) or ())],
        lambda label: boards.set_pipeline_permissions(project, [found[label]], number, allowed=False),
        marks=[done(grant) for grant in mine.values()],
        nothing="no permission was given by this run",
    )


def _holds(context: StepContext, project: str, resource: PipelineResource, pipeline: str) -> bool:
    permitted = context.boards().permitted_pipelines(project, resource)
    return permitted is None or pipeline in permitted


def _resources(context: StepContext, step: PlanStep) -> Mapping[str, PipelineResource]:
    """What the pipeline uses and the project has, by the words for people."""
    boards = context.boards()
    project, wanted = text(step, "project"), {name.lower() for name in texts(step, "environments")}
    group = boards.variable_group(project, text(step, "variable_group"))
    found = {} if group is None else {f"variable group {group.name}": (ResourceKind.VARIABLE_GROUP, group.id)}
    for environment in boards.environments(project) if wanted else ():
        if environment.name.lower() in wanted:
            found[f"environment {environment.name}"] = (ResourceKind.ENVIRONMENT, environment.id)
    return {label: PipelineResource(kind=kind, id=number) for label, (kind, number) in found.items()}


def _grant(project: str, resource: PipelineResource, pipeline: str) -> str:
    # By the service's own numbers: what is made again under the same name was never permitted.
    return f"azure_devops.pipeline_permission:{project.lower()}/{resource.kind}/{resource.id}/{pipeline}"


STEP = StepDefinition(
    kind="pipeline_permissions",
    title="Permissions of the pipeline",
    ensures="The pipeline may use the project's variable group and environments, so that its first run does not stop to "
    "ask for permission.",
    reads_back="Which pipelines each resource admits.",
    reverses="Goes with the project when this run made that; else takes from the pipeline the permissions this run gave. One "
    "that every pipeline has by now stays.",
    ensure=ensure,
    reverse=reverse,
)
