"""Ensures the teams of the request with their members and role, and gives back no access that people took away since."""

from __future__ import annotations

from shared.domain.forge import Identity
from shared.domain.plan import PlanStep, StepOutcome
from shared.domain.project import TeamRequest, TeamRole
from shared.errors import DefectError
from shared.ports import WorkTracker
from shared.projects.steps.step import StepContext, StepDefinition, applied, confirmed, failed, text, waiting


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned team was there once with all its members and its role."""
    boards = context.boards()
    project = text(step, "project")
    planned = _planned(step)
    due = [team for team in planned if not context.ledger.intended(_done(project, team))]
    if not due:
        # Made once. Whom people added or took out since, and which team they removed, is theirs.
        still = sum(boards.team(project, team.name) is not None for team in planned)
        return confirmed(reason=f"{still} of {len(planned)} teams are still there")
    people, unknown = _people(boards, due)
    if unknown:
        return failed(
            f"Azure DevOps knows nobody called {', '.join(unknown)}",
            f"Add {', '.join(unknown)} to the organisation, or name the members as they sign in to it; then try again.",
        )
    changed = 0
    for asked in due:
        team = boards.team(project, asked.name)
        if team is None:
            boards.create_team(project, asked.name, f"{asked.role.capitalize()}s of {project}.")
            changed += 1
            team = boards.team(project, asked.name)
            if team is None:
                return waiting(f"team {asked.name} was created and does not show yet")
        group = boards.role_group(project, asked.role)
        changed += _join(boards, group, [team]) + _join(boards, team, [people[name] for name in asked.members])
        if asked.role is TeamRole.READER:
            changed += _leave(boards, boards.role_group(project, TeamRole.CONTRIBUTOR), team)
        if problem := _wrong(boards, asked, team, group, people):
            return failed(problem, "Look at the team's members and permissions, then try again.")
        context.ledger.intend(_done(project, asked))
    return (applied if changed else confirmed)(
        reason=f"{len(planned)} teams", teams=[f"{team.name} ({team.role})" for team in planned]
    )


def _join(boards: WorkTracker, group: Identity, members: list[Identity]) -> int:
    there = boards.members(group) if members else frozenset()
    missing = [member for member in members if member.descriptor not in there]
    for member in missing:
        boards.add_member(group, member)
    return len(missing)


def _leave(boards: WorkTracker, group: Identity, member: Identity) -> int:
    """The service may make every new team a contributor, which is more than a reader asked for."""
    if member.descriptor not in boards.members(group):
        return 0
    boards.remove_member(group, member)
    return 1


def _wrong(
    boards: WorkTracker, asked: TeamRequest, team: Identity, group: Identity, people: dict[str, Identity]
) -> str:
    if team.descriptor not in boards.members(group):
        return f"team {asked.name} was added to {group.name}, and read back outside it"
    there = boards.members(team) if asked.members else frozenset()
    lost = [name for name in asked.members if people[name].descriptor not in there]
    return f"team {asked.name} was read back without {', '.join(lost)}" if lost else ""


def _people(boards: WorkTracker, due: list[TeamRequest]) -> tuple[dict[str, Identity], list[str]]:
    """Everybody who is to be a member, looked up before anything is made, and those who are not there."""
    found = {name: boards.identity(name) for name in dict.fromkeys(name for team in due for name in team.members)}
    return (
        {name: one for name, one in found.items() if one is not None},
        [name for name, one in found.items() if one is None],
    )


def _done(project: str, team: TeamRequest) -> str:
    return f"azure_devops.team:{project.lower()}/{team.name.lower()}:done"


def _planned(step: PlanStep) -> list[TeamRequest]:
    raw = step.inputs.get("teams")
    if not isinstance(raw, list):
        raise DefectError(f"step {step.id}: input 'teams' is not a list")
    return [TeamRequest.model_validate(item) for item in raw]


STEP = StepDefinition(
    kind="teams",
    title="Teams",
    ensures="Every team of the request exists with its members, in the project's group of its role.",
    reads_back="The team, its members, and that the group of its role holds it.",
    reverses="Nothing of its own: the project's reversal removes them.",
    ensure=ensure,
)
