"""Ensures the pipeline definition made from the scaffold's YAML."""

from __future__ import annotations

from shared.domain.forge import PipelineDefinition
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    repository_ref,
    text,
    waiting,
)
from shared.projects.undoing import creating, goes_along, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Pipeline of the planned name runs the planned file of the planned repository."""
    boards = context.boards()
    project, name, path = text(step, "project"), text(step, "name"), text(step, "yaml_path")
    planned = PipelineDefinition(
        name=name, repository=repository_ref(step), yaml_path=path, branch=text(step, "branch")
    )
    found = boards.pipeline(project, name)
    created = found is None
    if found is None:
        with creating(context.ledger, _resource(step)):
            boards.create_pipeline(project, planned)
        found = boards.pipeline(project, name)
        if found is None:
            return waiting(f"pipeline {name} was created and does not show yet")
    if _runs_another(found, planned):
        return failed(
            f"a pipeline named {name!r} exists that runs {found.yaml_path} of {found.repository}",
            "Rename or remove it, then try again.",
            found.url,
        )
    return (applied if created else confirmed)(found.url, id=found.id, yaml_path=found.yaml_path)


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The pipeline this run made is gone."""
    if along := goes_along(context, step):
        return along
    boards = context.boards()
    project, name = text(step, "project"), text(step, "name")
    planned = PipelineDefinition(name=name, repository=repository_ref(step), yaml_path=text(step, "yaml_path"))
    mine = {name: _resource(step)} if context.ledger.made_here(_resource(step)) else {}
    found = boards.pipeline(project, name) if mine else None

    def remove(_: str) -> None:
        if found is not None:
            boards.delete_pipeline(project, found.id)

    return take_back(
        context.ledger,
        mine,
        lambda: mine if boards.pipeline(project, name) else {},
        remove,
        changed=mine if found and _runs_another(found, planned) else (),
        nothing=f"this run did not make the pipeline {name}",
    )


def _runs_another(found: PipelineDefinition, planned: PipelineDefinition) -> bool:
    return (
        found.yaml_path.lstrip("/") != planned.yaml_path.lstrip("/")
        or found.repository.name.lower() != planned.repository.name.lower()
    )


def _resource(step: PlanStep) -> str:
    return f"azure_devops.pipeline:{text(step, 'project').lower()}/{text(step, 'name').lower()}"


STEP = StepDefinition(
    kind="pipeline",
    title="Pipeline",
    ensures="A YAML pipeline of the project's name runs the scaffold's azure-pipelines.yml.",
    reads_back="The definition: repository, path of the YAML file.",
    reverses="Goes with the project when this run made that; else deletes the pipeline this run made, with its runs, unless "
    "somebody made it run another file or repository since.",
    ensure=ensure,
    reverse=reverse,
)
