"""Ensures the pipeline definition made from the scaffold's YAML."""

from __future__ import annotations

from shared.domain.forge import PipelineDefinition
from shared.domain.plan import PlanStep, StepOutcome
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
        boards.create_pipeline(project, planned)
        found = boards.pipeline(project, name)
        if found is None:
            return waiting(f"pipeline {name} was created and does not show yet")
    if (
        found.yaml_path.lstrip("/") != path.lstrip("/")
        or found.repository.name.lower() != planned.repository.name.lower()
    ):
        return failed(
            f"a pipeline named {name!r} exists that runs {found.yaml_path} of {found.repository}",
            "Rename or remove it, then try again.",
            found.url,
        )
    return (applied if created else confirmed)(found.url, id=found.id, yaml_path=found.yaml_path)


STEP = StepDefinition(
    kind="pipeline",
    title="Pipeline",
    ensures="A YAML pipeline of the project's name runs the scaffold's azure-pipelines.yml.",
    reads_back="The definition: repository, path of the YAML file.",
    reverses="Nothing of its own: the project's reversal removes it.",
    ensure=ensure,
)
