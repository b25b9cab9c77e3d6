"""Ensures the environments deployments go to, and that the named people are asked before one is deployed to."""

from __future__ import annotations

from shared.domain.forge import Environment, ForgeName, Identity
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.domain.project import EnvironmentRequest
from shared.errors import DefectError
from shared.ports import WorkTracker
from shared.projects.steps.step import StepContext, StepDefinition, applied, confirmed, failed, text, waiting
from shared.projects.undoing import creating, goes_along, take_back
from shared.projects.unguarded import not_asked, unguarded

HERE = ForgeName.AZURE_DEVOPS


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned environment exists, and asks at least its planned approvers."""
    boards = context.boards()
    project = text(step, "project")
    planned = _planned(step)
    people, unknown = _people(boards, planned)
    if unknown:
        return failed(
            f"Azure DevOps knows nobody called {', '.join(unknown)}",
            f"Add {', '.join(unknown)} to the organisation, or name the approvers as they sign in to it; then try again.",
        )
    found = _by_name(boards, project)
    changed = 0
    for environment in planned:
        if environment.name.lower() not in found:
            with creating(context.ledger, _resource(project, environment.name)):
                boards.create_environment(project, environment.name, f"Deployments of {project}.")
            changed += 1
    if changed:
        found = _by_name(boards, project)
    if lost := [environment.name for environment in planned if environment.name.lower() not in found]:
        return waiting(f"created and not shown yet: {', '.join(lost)}")
    for environment in planned:
        wanted = [people[name] for name in environment.approvers_on(HERE)]
        there = found[environment.name.lower()]
        if not wanted or {one.id for one in wanted} <= boards.approvers(project, there):
            continue
        boards.require_approval(project, there, wanted)
        changed += 1
        if missing := {one.id for one in wanted} - boards.approvers(project, there):
            names = ", ".join(one.name for one in wanted if one.id in missing)
            return failed(
                f"the approval check of {there.name} was set, and read back without {names}",
                "Look at the environment's approvals and checks, then try again.",
                there.url,
            )
    url = found[planned[0].name.lower()].url if planned else ""
    if gap := unguarded(planned, HERE, url):
        return gap
    asked = sum(bool(environment.approvers) for environment in planned)
    return (applied if changed else confirmed)(
        url,
        f"{len(planned)} environments, {asked} with approval" + not_asked(planned, HERE),
        environments=[environment.name for environment in planned],
    )


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The environments this run made are gone."""
    if along := goes_along(context, step):
        return along
    boards = context.boards()
    project = text(step, "project")
    resources = {environment.name.lower(): _resource(project, environment.name) for environment in _planned(step)}
    shown: dict[str, Environment] = {}

    def there() -> dict[str, Environment]:
        shown.clear()
        shown.update(_by_name(boards, project))
        return shown

    return take_back(
        context.ledger,
        {name: resource for name, resource in resources.items() if context.ledger.made_here(resource)},
        there,
        lambda name: boards.delete_environment(project, shown[name]),
        nothing="no environment was made by this run",
    )


def _resource(project: str, name: str) -> str:
    return f"azure_devops.environment:{project.lower()}/{name.lower()}"


def _planned(step: PlanStep) -> list[EnvironmentRequest]:
    raw = step.inputs.get("environments")
    if not isinstance(raw, list):
        raise DefectError(f"step {step.id}: input 'environments' is not a list")
    return [EnvironmentRequest.model_validate(item) for item in raw]


def _people(boards: WorkTracker, planned: list[EnvironmentRequest]) -> tuple[dict[str, Identity], list[str]]:
    """Everybody who is to approve, looked up before anything is made, and those who are not there."""
    names = dict.fromkeys(name for environment in planned for name in environment.approvers_on(HERE))
    found = {name: boards.identity(name) for name in names}
    return (
        {name: one for name, one in found.items() if one is not None},
        [name for name, one in found.items() if one is None],
    )


def _by_name(boards: WorkTracker, project: str) -> dict[str, Environment]:
    return {environment.name.lower(): environment for environment in boards.environments(project)}


STEP = StepDefinition(
    kind="environments",
    title="Environments",
    ensures="Every environment of the request exists, and waits for one of those of its approvers who have an e-mail "
    "address in the request; an environment whose approvers have none is named.",
    reads_back="The environments by name, and whom the approval check of each asks.",
    reverses="Goes with the project when this run made that; else deletes the environments this run made, with their checks "
    "and deployment history. One that was there before stays, with the approvers it asks now.",
    ensure=ensure,
    reverse=reverse,
)
