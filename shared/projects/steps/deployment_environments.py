"""Ensures the repository's environments, and that nobody deploys to them past the people who must agree."""

from __future__ import annotations

from shared.domain.forge import DeploymentEnvironment, ForgeName
from shared.domain.plan import PlanStep, Reversal, StepOutcome, StepState
from shared.domain.project import EnvironmentRequest
from shared.errors import DefectError, NotSupportedError
from shared.ports import RepositorySettings
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    repository_ref,
    waiting,
)
from shared.projects.undoing import creating, goes_along, stands, take_back
from shared.projects.unguarded import not_asked, unguarded

HERE = ForgeName.GITHUB


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned environment exists and asks exactly its approvers; one that names nobody keeps whom it asks."""
    settings = context.repository_settings()
    ref = repository_ref(step)
    planned = _planned(step)

    def found() -> dict[str, DeploymentEnvironment]:
        return {environment.name.lower(): environment for environment in settings.deployment_environments(ref)}

    before = found()
    unmet = [wanted for wanted in planned if not _met(wanted, before)]
    if unknown := _unknown(settings, unmet):
        return failed(
            f"GitHub knows no person or team {', '.join(unknown)}",
            "Name approvers by their GitHub login, or as organisation/team.",
        )
    unapproved: list[str] = []
    changed = False

    def put(environment: DeploymentEnvironment) -> None:
        if environment.name.lower() in before:
            settings.set_deployment_environment(ref, environment)
            return
        with creating(context.ledger, _resource(step, environment.name)):
            settings.set_deployment_environment(ref, environment)

    for wanted in unmet:
        environment = DeploymentEnvironment(name=wanted.name, reviewers=wanted.approvers_on(HERE))
        try:
            put(environment)
            changed = True
        except NotSupportedError:
            if not environment.reviewers:
                raise
            # The plan has no approvals here. The environment itself is still of use, and what it lacks is told.
            unapproved.append(wanted.name)
            if wanted.name.lower() not in before:
                put(environment.model_copy(update={"reviewers": ()}))
                changed = True
    after = found() if changed else before
    if lost := [wanted.name for wanted in planned if wanted.name.lower() not in after]:
        return waiting(f"created and not shown yet: {', '.join(lost)}")
    if wrong := [wanted.name for wanted in planned if wanted.name not in unapproved and not _met(wanted, after)]:
        return failed(
            f"set, and asking others than planned: {', '.join(wrong)}",
            "Somebody else sets these environments at the same time; agree on one of you, then try again.",
        )
    names = [wanted.name for wanted in planned]
    url = after[names[-1].lower()].url if names else ""
    if unapproved:
        return StepOutcome(
            state=StepState.UNSUPPORTED,
            reason=f"{', '.join(names)} exist; the forge's plan offers no approval for {', '.join(unapproved)}, "
            "so nobody is asked before a deployment there",
            remedy="Upgrade the plan of the account, make the repository public, or guard deployments elsewhere.",
            url=url,
        )
    if gap := unguarded(planned, HERE, url):
        return gap
    return (applied if changed else confirmed)(
        url, f"{len(names)} environments" + not_asked(planned, HERE), environments=list(names)
    )


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The environments this run made are gone."""
    if along := goes_along(context, step):
        return along
    settings = context.repository_settings()
    ref = repository_ref(step)
    resources = {wanted.name.lower(): _resource(step, wanted.name) for wanted in _planned(step)}
    return take_back(
        context.ledger,
        {name: resource for name, resource in resources.items() if context.ledger.made_here(resource)},
        lambda: {environment.name.lower() for environment in settings.deployment_environments(ref)},
        lambda name: settings.delete_deployment_environment(ref, name),
        stands=lambda: stands(context, step),
        nothing="no environment was made by this run",
    )


def _resource(step: PlanStep, name: str) -> str:
    return f"{step.forge}.environment:{str(repository_ref(step)).lower()}:{name.lower()}"


def _planned(step: PlanStep) -> list[EnvironmentRequest]:
    raw = step.inputs.get("environments")
    if not isinstance(raw, list):
        raise DefectError(f"step {step.id}: input 'environments' is not a list")
    return [EnvironmentRequest.model_validate(item) for item in raw]


def _met(wanted: EnvironmentRequest, found: dict[str, DeploymentEnvironment]) -> bool:
    environment = found.get(wanted.name.lower())
    if environment is None:
        return False
    # Any one reviewer lets a deployment through, so one too many is as wrong as one too few.
    asked = {login.lower() for login in environment.reviewers}
    approvers = wanted.approvers_on(HERE)
    return not approvers or asked == {login.lower() for login in approvers}


def _unknown(settings: RepositorySettings, unmet: list[EnvironmentRequest]) -> list[str]:
    names = dict.fromkeys(name for wanted in unmet for name in wanted.approvers_on(HERE))
    return [name for name in names if not _is_there(settings, name)]


def _is_there(settings: RepositorySettings, name: str) -> bool:
    organization, slash, team = name.partition("/")
    return settings.has_team(organization, team) if slash else settings.has_account(name)


STEP = StepDefinition(
    kind="deployment_environments",
    title="Environments of the repository",
    ensures="Every environment of the request exists and asks those of its approvers who have a login or team in the "
    "request before a deployment; an environment whose approvers have none is named.",
    reads_back="Every environment with the people it asks; approvals the forge's plan does not offer are named.",
    reverses="Goes with the repository when this run made that; else deletes the environments this run made, with the rules, "
    "secrets and deployments people added to them since. One that was there before stays, with the people it asks now.",
    ensure=ensure,
    reverse=reverse,
)
