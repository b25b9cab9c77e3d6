"""Draws the plan of an adoption: of the usual steps those that can be ensured beside what is there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from shared.domain.adoption import AdoptionStep, AdoptionWish, Mark
from shared.domain.forge import BranchRules, ForgeName
from shared.domain.plan import Plan, PlanStep
from shared.domain.project import EnvironmentRequest, Process, ProjectRequest, Stack, TeamRequest
from shared.domain.strictness import tightened
from shared.projects.adopting.live import Live, LiveAzure
from shared.projects.drawing import PIPELINE_FILE, Surroundings, draw

ENSURED = frozenset(
    {
        "backlog", "branch_rules", "build_validation", "deployment_environments", "environments", "hook", "labels",
        "pipeline", "review_check", "security", "teams", "topics", "wiki",
    }
)  # fmt: skip
"""Steps that can ensure their part beside what is there."""
_LEFT = {
    "scaffold": "the repository keeps its own files; nothing is pushed to what exists",
    "variable_group": "only a scaffold's pipeline reads it",
}
EXISTING = frozenset({"existing_project", "existing_repository"})
"""Steps that only confirm; they stand in every run of an adopted project."""


class LeftOutError(ValueError):
    """A usual step has no place in this adoption; the message says why."""


def draw_adoption(
    wish: AdoptionWish, rules: BranchRules, name: str, around: Surroundings, live: Live
) -> tuple[Plan, tuple[AdoptionStep, ...]]:
    """The plan for what exists, and the usual steps that are left out of it, each with the reason.

    ``rules`` are what the owner wants, made as strict as the organisation's.
    """
    usual = draw(_as_if_new(wish, rules, name, live), around).steps
    kept: dict[str, PlanStep] = {}
    left: list[AdoptionStep] = []
    for step in usual:
        try:
            kept[step.id] = _adapted(step, wish, rules, live)
        except LeftOutError as reason:
            left.append(
                AdoptionStep(
                    id=step.id, title=step.title, forge=step.forge, mark=Mark.NOT_APPLICABLE, reason=str(reason)
                )
            )
    needs = {step.id: step.depends_on for step in usual}
    steps = [step.model_copy(update={"depends_on": _standing(needs, kept, step.id)}) for step in kept.values()]
    project = _as_if_new(wish, rules, name, live).project_id
    return Plan(project=project, connection=around.connection, steps=tuple(steps)), tuple(left)


def agreed(plan: Plan, steps: Sequence[str]) -> Plan:
    """Of ``plan`` the steps that were agreed to, and those that only confirm."""
    kept = {step.id: step for step in plan.steps if step.kind in EXISTING or step.id in steps}
    needs = {step.id: step.depends_on for step in plan.steps}
    return plan.model_copy(
        update={
            "steps": tuple(
                step.model_copy(update={"depends_on": _standing(needs, kept, step.id)}) for step in kept.values()
            )
        }
    )


def _as_if_new(wish: AdoptionWish, rules: BranchRules, name: str, live: Live) -> ProjectRequest:
    """The request whose steps are looked through; what only steps read that are left out is of no account."""
    process = _process(live) or Process.AGILE
    return ProjectRequest(
        name=name,
        owner=wish.owner,
        stack=wish.stack or Stack.FASTAPI,
        process=process,
        forges=wish.forges,
        rules=rules,
        teams=wish.teams,
        environments=wish.environments,
        topics=wish.topics,
        backlog=wish.backlog,
    )


def _process(live: Live) -> Process | None:
    try:
        return Process(live.azure.project.process) if live.azure else None
    except ValueError:
        return None


def _standing(needs: Mapping[str, Sequence[str]], kept: Mapping[str, PlanStep], step: str) -> tuple[str, ...]:
    """What ``step`` waits for, with whatever a step that is left out would have waited for in its place."""
    found: dict[str, None] = {}
    for needed in needs[step]:
        found |= dict.fromkeys([needed] if needed in kept else _standing(needs, kept, needed))
    return tuple(found)


def _adapted(step: PlanStep, wish: AdoptionWish, rules: BranchRules, live: Live) -> PlanStep:
    """``step`` as it is ensured beside what is there. Raises ``LeftOutError`` where it has no place."""
    code = live.code(step.forge)
    where: dict[str, JsonValue] = {
        "owner": code.repository.ref.owner,
        "repository": code.repository.ref.name,
        "branch": code.branch,
    }
    if live.azure and step.forge is ForgeName.AZURE_DEVOPS:
        where["project"] = live.azure.project.name
    if step.kind == "project" and live.azure:
        project = live.azure.project
        return _existing(step, f"Project {project.name}", {"name": project.name, "id": project.id})
    if step.kind == "repository":
        return _existing(step, f"Repository {code.repository.ref}", {**where, "id": code.repository.id})
    if step.kind not in ENSURED:
        raise LeftOutError(_LEFT.get(step.kind, "people of the project decide about this; it is left as it is"))
    inputs = step.inputs | {name: value for name, value in where.items() if name in step.inputs}
    inputs |= _beside(step, wish, rules, live)
    titles = {
        "branch_rules": f"Rules of {code.branch}",
        "build_validation": f"Green build before a merge into {code.branch}",
        "review_check": f"Review by Doneright before a merge into {code.branch}",
    }
    title = titles.get(step.kind, step.title)
    return step.model_copy(update={"title": title, "inputs": inputs})


def _beside(step: PlanStep, wish: AdoptionWish, rules: BranchRules, live: Live) -> dict[str, JsonValue]:
    """What the inputs of ``step`` are changed to for what is there."""
    match step.kind:
        case "branch_rules":
            if live.code(step.forge).head is None:
                raise LeftOutError("the repository has no commit on a default branch yet")
            return {"rules": _rules(rules, step.forge, live).model_dump(mode="json"), "at_least": True}
        case "build_validation":
            if live.code(step.forge).head is None:
                raise LeftOutError("the repository has no commit on a default branch yet")
            return _build(step, live)
        case "review_check":
            if live.code(step.forge).head is None:
                raise LeftOutError("the repository has no commit on a default branch yet")
        case "deployment_environments" if live.github:
            asked = {name: bool(people) for name, people in live.github.environments.items()}
            return {"environments": _environments(wish.environments, asked)}
        case "environments" if live.azure:
            asked = {name: bool(people) for name, people in live.azure.environments.items()}
            return {"environments": _environments(wish.environments, asked)}
        case "teams" if live.azure:
            return {"teams": _teams(wish.teams, live.azure)}
        case "pipeline" if live.azure:
            _has_place_for_a_pipeline(live.azure)
        case "backlog":
            _has_place_for_a_backlog(wish, live)
    return {}


def _existing(step: PlanStep, title: str, inputs: Mapping[str, JsonValue]) -> PlanStep:
    return step.model_copy(
        update={"kind": f"existing_{step.kind}", "title": f"{title}, which was there", "inputs": dict(inputs)}
    )


def _rules(wanted: BranchRules, forge: ForgeName, live: Live) -> BranchRules:
    """At least ``wanted``, and no less than what holds now."""
    there = live.code(forge).rules
    strict = tightened(wanted, there)
    if forge is ForgeName.GITHUB and live.github:
        # How pull requests are merged is a setting of the repository there, which an unprotected one has as well.
        merges = (strict.allowed_merges & live.github.merges) or live.github.merges
        strict = strict.model_copy(update={"allowed_merges": merges or strict.allowed_merges})
    return strict


def _environments(wanted: Sequence[EnvironmentRequest], asked: Mapping[str, bool]) -> list[JsonValue]:
    """One that asks people already goes on asking them, whoever was named for it."""
    if not wanted:
        raise LeftOutError("no environment was asked for")
    return [
        (one.model_copy(update={"approvers": ()}) if asked.get(one.name.lower()) else one).model_dump(mode="json")
        for one in wanted
    ]


def _teams(wanted: Sequence[TeamRequest], live: LiveAzure) -> list[JsonValue]:
    missing = [team for team in wanted if team.name.lower() not in live.teams]
    if not missing:
        raise LeftOutError("every team is there already, and its members are left to its people")
    return [team.model_dump(mode="json") for team in missing]


def _build(step: PlanStep, live: Live) -> dict[str, JsonValue]:
    """The pipeline whose build is required: the one that is there, else the one that is made."""
    if step.forge is ForgeName.GITHUB or live.azure is None:
        raise LeftOutError(
            "the repository keeps its own workflows, and which of their checks always report is for its people to say"
        )
    if runs := _pipelines_of_the_file(live.azure):
        return {"pipeline": runs[0]}
    if not live.azure.has_pipeline_file:
        raise LeftOutError(f"the repository has no {PIPELINE_FILE} to build by")
    return {}


def _pipelines_of_the_file(live: LiveAzure) -> list[str]:
    repository = live.code.repository.ref.name.lower()
    return [
        one.name
        for one in live.pipelines
        if one.yaml_path.lstrip("/") == PIPELINE_FILE and one.repository.name.lower() == repository
    ]


def _has_place_for_a_pipeline(live: LiveAzure) -> None:
    if runs := _pipelines_of_the_file(live):
        raise LeftOutError(f"the pipeline {runs[0]} runs {PIPELINE_FILE} already")
    if not live.has_pipeline_file:
        raise LeftOutError(f"the repository has no {PIPELINE_FILE} to run")


def _has_place_for_a_backlog(wish: AdoptionWish, live: Live) -> None:
    if live.azure and live.azure.has_items:
        raise LeftOutError("the project has work items of its own")
    if not wish.backlog:
        raise LeftOutError("no backlog was asked for")
    if _process(live) is None:
        raise LeftOutError("the project's process is none whose work item types Doneright knows")
