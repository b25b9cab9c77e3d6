"""Ensures the teams of the request with their members and role, and gives back no access that people took away since."""

from __future__ import annotations

import hashlib

from shared.domain.forge import Identity
from shared.domain.plan import PlanStep, Reversal, ReversalState, StepOutcome
from shared.domain.project import TeamRequest, TeamRole
from shared.errors import DefectError
from shared.ports import WorkTracker
from shared.projects.steps.step import Ledger, StepContext, StepDefinition, applied, confirmed, failed, text, waiting
from shared.projects.undoing import creating, done, goes_along, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned team was there once with all its members and its role."""
    boards = context.boards()
    project = text(step, "project")
    planned = _planned(step)
    due = [team for team in planned if not context.ledger.intended(done(_resource(project, team)))]
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
            with creating(context.ledger, _resource(project, asked)):
                boards.create_team(project, asked.name, f"{asked.role.capitalize()}s of {project}.")
            changed += 1
            team = boards.team(project, asked.name)
            if team is None:
                return waiting(f"team {asked.name} was created and does not show yet")
        group = boards.role_group(project, asked.role)
        changed += _join(context, group, {_in_role(project, asked): team})
        changed += _join(context, team, {_member(project, asked, name): people[name] for name in asked.members})
        if asked.role is TeamRole.READER:
            changed += _leave(boards, boards.role_group(project, TeamRole.CONTRIBUTOR), team)
        there = boards.members(team)
        if problem := _wrong(
            boards, asked, team, group, [name for name, one in people.items() if one.descriptor in there]
        ):
            return failed(problem, "Look at the team's members and permissions, then try again.")
        # Beside those we put in there, the service may have made its creator a member.
        context.ledger.intend(done(_resource(project, asked)), reference=_seal(there))
    return (applied if changed else confirmed)(
        reason=f"{len(planned)} teams", teams=[f"{team.name} ({team.role})" for team in planned]
    )


def _join(context: StepContext, group: Identity, members: dict[str, Identity]) -> int:
    boards = context.boards()
    there = boards.members(group) if members else frozenset()
    missing = {resource: member for resource, member in members.items() if member.descriptor not in there}
    for resource, member in missing.items():
        with creating(context.ledger, resource):
            boards.add_member(group, member)
    return len(missing)


def _leave(boards: WorkTracker, group: Identity, member: Identity) -> int:
    """The service may make every new team a contributor, which is more than a reader asked for."""
    if member.descriptor not in boards.members(group):
        return 0
    boards.remove_member(group, member)
    return 1


def _wrong(boards: WorkTracker, asked: TeamRequest, team: Identity, group: Identity, there: list[str]) -> str:
    if team.descriptor not in boards.members(group):
        return f"team {asked.name} was added to {group.name}, and read back outside it"
    lost = [name for name in asked.members if name not in there]
    return f"team {asked.name} was read back without {', '.join(lost)}" if lost else ""


def _people(boards: WorkTracker, due: list[TeamRequest]) -> tuple[dict[str, Identity], list[str]]:
    """Everybody who is to be a member, looked up before anything is made, and those who are not there."""
    found = {name: boards.identity(name) for name in dict.fromkeys(name for team in due for name in team.members)}
    return (
        {name: one for name, one in found.items() if one is not None},
        [name for name, one in found.items() if one is None],
    )


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The teams this run made are gone, and so are the memberships it gave to teams that were there before."""
    if along := goes_along(context, step):
        return along
    boards = context.boards()
    project = text(step, "project")
    planned = _planned(step)
    made = {team.name: team for team in planned if context.ledger.made_here(_resource(project, team))}
    shown: dict[str, Identity] = {}

    def there() -> dict[str, Identity]:
        shown.clear()
        shown.update({name: found for name in made if (found := boards.team(project, name))})
        return shown

    changed = [name for name, team in there().items() if _changed(context, project, made[name], team)]
    marks = [
        mark for name, team in made.items() if name not in changed for mark in _marks(context.ledger, project, team)
    ]
    teams = take_back(
        context.ledger,
        {name: _resource(project, team) for name, team in made.items()},
        there,
        lambda name: boards.delete_team(project, shown[name]),
        marks=marks,
        changed=changed,
        nothing="no team was made by this run",
    )
    if teams.state is ReversalState.WAITING:
        return teams
    outcomes = [teams, *(_out_of(context, project, team) for team in planned if team.name not in made)]
    ends = [one for state in (ReversalState.WAITING, ReversalState.REMOVED) for one in outcomes if one.state is state]
    return ends[0] if ends else teams


def _out_of(context: StepContext, project: str, asked: TeamRequest) -> Reversal:
    """The memberships that this run gave to, and in, a team that was there before are gone."""
    boards = context.boards()
    resources = {name: _member(project, asked, name) for name in asked.members} | {asked.role: _in_role(project, asked)}
    mine = {name: resource for name, resource in resources.items() if context.ledger.made_here(resource)}
    pairs: dict[str, tuple[Identity, Identity]] = {}
    team = boards.team(project, asked.name) if mine else None
    if team:
        for name in mine:
            person = team if name == asked.role else boards.identity(name)
            if person:
                pairs[name] = (boards.role_group(project, asked.role) if name == asked.role else team, person)
    return take_back(
        context.ledger,
        mine,
        lambda: [name for name, (group, one) in pairs.items() if one.descriptor in boards.members(group)],
        lambda name: boards.remove_member(*pairs[name]),
        marks=[done(_resource(project, asked))],
        nothing=f"this run gave nothing to team {asked.name}",
    )


def _changed(context: StepContext, project: str, asked: TeamRequest, team: Identity) -> bool:
    """Whether people put somebody into the team, or took somebody out of it, since it was read back."""
    there = context.boards().members(team)
    if sealed := context.ledger.reference(done(_resource(project, asked))):
        return _seal(there) != sealed
    # Never read back, it may hold its creator beside ours; whoever else is in there was put there by people.
    ours = {one.descriptor for name in asked.members if (one := context.boards().identity(name))}
    return len(there - ours) > 1


def _seal(members: frozenset[str]) -> str:
    return hashlib.sha256("\n".join(sorted(members)).encode()).hexdigest()


def _marks(ledger: Ledger, project: str, team: TeamRequest) -> list[str]:
    """What goes with the team itself."""
    members = [_in_role(project, team), *(_member(project, team, name) for name in team.members)]
    return [done(_resource(project, team)), *(one for one in members if ledger.intended(one))]


def _resource(project: str, team: TeamRequest) -> str:
    return f"azure_devops.team:{project.lower()}/{team.name.lower()}"


def _in_role(project: str, team: TeamRequest) -> str:
    return f"azure_devops.role:{project.lower()}/{team.role}/{team.name.lower()}"


def _member(project: str, team: TeamRequest, name: str) -> str:
    return f"azure_devops.member:{project.lower()}/{team.name.lower()}/{name.lower()}"


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
    reverses="Goes with the project when this run made that; else deletes the teams this run made, and takes members and "
    "roles this run gave to other teams from them. A team whose members people changed since stays; a reading team that "
    "was taken out of the contributors stays out.",
    ensure=ensure,
    reverse=reverse,
)
