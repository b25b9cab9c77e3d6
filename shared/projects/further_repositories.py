"""Draws what a project's further repositories need: the main repository's own steps, about another repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from shared.domain.forge import ForgeName, Frozen
from shared.domain.plan import PlanStep
from shared.domain.project import ProjectRequest, RepositoryRequest
from shared.projects.scaffold import slug_for

OF_EVERY_REPOSITORY: Mapping[ForgeName, frozenset[str]] = {
    # Service hooks of Azure DevOps cover the whole project, and so do its boards, wiki, teams and environments.
    ForgeName.AZURE_DEVOPS: frozenset({"branch_rules", "repository", "review_check", "scaffold"}),
    ForgeName.GITHUB: frozenset(
        {"branch_rules", "hook", "labels", "repository", "review_check", "scaffold", "security", "topics"}
    ),
}
"""Kinds of steps that each repository needs."""

OF_A_STACK: Mapping[ForgeName, frozenset[str]] = {
    ForgeName.AZURE_DEVOPS: frozenset({"build_validation", "pipeline", "pipeline_permissions", "variable_group"}),
    # A workflow makes the environment it names, with nobody to approve, where none is there yet.
    ForgeName.GITHUB: frozenset({"build_validation", "deployment_environments"}),
}
"""Kinds of steps that stand on the pipeline or workflow of a scaffold, or without which that cannot run as it should."""


class FirstFiles(Frozen):
    """What a further repository starts with."""

    scaffold: str
    """Digest of the packed files in the artifact store."""
    checks: tuple[str, ...] = ()
    """What its workflow reports on every pull request to GitHub; none without a stack."""


def steps_of(
    request: ProjectRequest, forge: ForgeName, main: Sequence[PlanStep], files: Mapping[str, FirstFiles]
) -> Iterator[PlanStep]:
    """The steps of every further repository on ``forge``, drawn after those of the ``main`` one.

    ``files`` says what each of them starts with, by its slug.
    """
    for repository in request.repositories_on(forge):
        yield from _steps(repository, main, _kinds(repository, forge), files[repository.slug])


def of_further(step_id: str, slug: str) -> str:
    """The id of the step that does for the repository of that slug what ``step_id`` does for the main one."""
    return f"{step_id}.{slug}"


def _kinds(repository: RepositoryRequest, forge: ForgeName) -> frozenset[str]:
    return OF_EVERY_REPOSITORY[forge] | (OF_A_STACK[forge] if repository.stack else frozenset())


def _steps(
    repository: RepositoryRequest, main: Sequence[PlanStep], kinds: frozenset[str], files: FirstFiles
) -> Iterator[PlanStep]:
    own = {step.id for step in main if step.kind in kinds}
    # What only a stack needs is no repository's to wait for that has none.
    others = {step.id for step in main if step.kind not in kinds and step.kind in OF_A_STACK[step.forge]}
    for step in main:
        if step.id in own:
            yield step.model_copy(
                update={
                    "id": of_further(step.id, repository.slug),
                    "title": _title(step, repository),
                    "depends_on": tuple(_needs(step.depends_on, own, others, repository.slug)),
                    "inputs": step.inputs | _inputs(step, repository, files),
                }
            )


def _needs(needed: Iterable[str], own: set[str], others: set[str], slug: str) -> Iterator[str]:
    for one in needed:
        if one not in others:
            yield of_further(one, slug) if one in own else one


def _title(step: PlanStep, repository: RepositoryRequest) -> str:
    match step.kind:
        case "repository":
            place = f"{step.inputs['owner']}/" if step.forge is ForgeName.GITHUB else ""
            return f"Repository {place}{repository.name}"
        case "scaffold":
            return f"{repository.name}: " + (
                f"scaffold ({repository.stack}) in one commit" if repository.stack else "README"
            )
        case "variable_group":
            return f"Variable group {slug_for(repository.name)}"
    return f"{repository.name}: {step.title[0].lower()}{step.title[1:]}"


def _inputs(step: PlanStep, repository: RepositoryRequest, files: FirstFiles) -> dict[str, JsonValue]:
    """What of a step's inputs is this repository's own."""
    inputs: dict[str, JsonValue] = {"repository": repository.name} if "repository" in step.inputs else {}
    match step.kind:
        case "repository":
            inputs |= {"description": repository.description, "comes_with_project": False}
        case "scaffold":
            inputs |= {"scaffold": files.scaffold, "stack": repository.stack.value if repository.stack else ""}
        case "pipeline":
            inputs |= {"name": repository.slug}
        case "build_validation" if step.forge is ForgeName.AZURE_DEVOPS:
            inputs |= {"pipeline": repository.slug}
        case "build_validation":
            inputs |= {"checks": list(files.checks)}
        case "variable_group":
            inputs |= {"name": slug_for(repository.name)}
        case "pipeline_permissions":
            inputs |= {"pipeline": repository.slug, "variable_group": slug_for(repository.name)}
    return inputs
