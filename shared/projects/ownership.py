"""Decides whether a request's owner exists, by asking the forge that would know the form of the name.

Code owners that do not exist guard nothing: GitHub drops them silently. What a forge cannot tell is unknown, which is
said and refuses nobody.
"""

from __future__ import annotations

from pydantic import Field

from shared.domain.connection import Connection
from shared.domain.faults import FieldFault
from shared.domain.forge import ForgeName, Frozen
from shared.domain.project import ProjectRequest
from shared.errors import RefusedError
from shared.projects.ports import ConnectedForges, ProjectPorts

LOGIN = "octocat"
ADDRESS = "casey@contoso.com"


class Ownership(Frozen):
    """What the forges say about an owner: known when there is neither a fault nor an unknown."""

    faults: tuple[FieldFault, ...] = ()
    unknown: str = Field(default="", description="Why nobody could tell whether the owner exists.")


def look_up(ports: ProjectPorts, request: ProjectRequest, connection: Connection) -> Ownership:
    """Whether the owner of ``request`` exists. Raises ``TransientError`` when a forge does not answer.

    An owner the project was admitted with before is not asked about again: who has left must not stop its repair.
    """
    existing = ports.project(request.project_id)
    if existing and existing.request.owner.casefold() == request.owner.casefold():
        return Ownership()
    try:
        return _asked(ports.connect(connection), request, connection)
    except RefusedError as error:
        return Ownership(unknown=error.reason)


def _asked(connected: ConnectedForges, request: ProjectRequest, connection: Connection) -> Ownership:
    organization, slash, team = request.owner.partition("/")
    if slash:
        return _team(connected, request, connection, organization, team)
    if "@" in request.owner:
        return _address(connected, request)
    return _login(connected, request)


def _team(
    connected: ConnectedForges, request: ProjectRequest, connection: Connection, organization: str, team: str
) -> Ownership:
    home = connection.github.organization
    if ForgeName.GITHUB in request.forges and organization.casefold() != home.casefold():
        # https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
        return _nobody(f"the repository is made in {home}, where teams of {organization} own nothing", f"{home}/{team}")
    if connected.settings is None:
        return Ownership(unknown="the connection reaches no forge that knows teams by this name")
    if connected.settings.has_team(organization, team):
        return Ownership()
    return _nobody(f"GitHub's organisation {organization} has no team {team}", LOGIN)


def _address(connected: ConnectedForges, request: ProjectRequest) -> Ownership:
    if connected.tracker is None:
        return Ownership(
            unknown="GitHub tells nobody whose an e-mail address is, and the connection has no other forge"
        )
    if connected.tracker.identity(request.owner) is not None:
        return Ownership()
    if ForgeName.AZURE_DEVOPS not in request.forges:
        return Ownership(unknown="Azure DevOps does not know the address, and GitHub tells nobody whose it is")
    return _nobody(f"Azure DevOps knows nobody with the address {request.owner}", LOGIN)


def _login(connected: ConnectedForges, request: ProjectRequest) -> Ownership:
    if connected.settings is None:
        return Ownership(unknown="the connection reaches no forge that knows people by this name")
    if connected.settings.has_account(request.owner):
        return Ownership()
    if ForgeName.GITHUB in request.forges or connected.tracker is None:
        return _nobody(f"GitHub knows no person {request.owner}", LOGIN)
    if connected.tracker.identity(request.owner) is not None:
        return Ownership()
    return _nobody(f"neither GitHub nor Azure DevOps knows a person {request.owner}", ADDRESS)


def _nobody(problem: str, example: str) -> Ownership:
    return Ownership(faults=(FieldFault(field="owner", problem=problem, example=example),))
