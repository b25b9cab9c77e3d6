"""Teams of an Azure DevOps project, their members, and the project's groups that say what a team may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.forge import Identity
from shared.domain.project import TeamRole
from shared.errors import RefusedError

# https://learn.microsoft.com/azure/devops/organizations/security/permissions#project-level-groups
_GROUPS = {
    TeamRole.READER: "Readers",
    TeamRole.CONTRIBUTOR: "Contributors",
    TeamRole.ADMINISTRATOR: "Project Administrators",
}


class TeamCalls(ProjectCalls):
    """The team part of ``AzureDevOpsForge``."""

    def team(self, project: str, name: str) -> Identity | None:
        """The team of that name; ``None`` when it or the project is not there."""
        try:
            found = self._client.area("core").get_team(project, name, expand_identity=True)
        except NotFoundError:
            return None
        if found.project_id:
            # The role of the team is looked up next, by the project's id.
            self._client.looks.lasting(("project", project.lower()), lambda: str(found.project_id))
        return self._team(found)

    def create_team(self, project: str, name: str, description: str) -> Identity:
        """Create the team, or return the one of that name. Raises ``RefusedError`` when a group has the name."""
        found = self.team(project, name)
        if found is not None:
            return found
        wanted = self._client.models("core").WebApiTeam(name=name, description=description)
        try:
            return self._team(self._client.area("core").create_team(wanted, project))
        except RefusedError:
            # A name in use is told from other faults only by words; so look who has it.
            found = self.team(project, name)
            if found is None:
                raise
            return found

    def delete_team(self, project: str, team: Identity) -> None:
        """Delete the team with its memberships; without effect when it is not there."""
        try:
            self._client.area("core").delete_team(project, team.id)
        except NotFoundError:
            return

    def role_group(self, project: str, role: TeamRole) -> Identity:
        """The project's own group whose members may do what ``role`` says.

        Raises ``RefusedError`` when the project is not there, or somebody removed or renamed the group.
        """
        scope = self._client.area("graph").get_descriptor(self._project_id(project)).value
        for group in self._groups(scope):
            if group.display_name == _GROUPS[role]:
                return Identity(id=group.origin_id or "", name=group.display_name, descriptor=group.descriptor)
        raise RefusedError(
            f"Project {project} has no group {_GROUPS[role]}", "Give the group its name back in the project's settings"
        )

    def members(self, group: Identity) -> frozenset[str]:
        """Descriptors of the direct members of a group or team."""
        found = self._client.area("graph").list_memberships(group.descriptor, direction="down", depth=1)
        return frozenset(one.member_descriptor for one in found or [])

    def add_member(self, group: Identity, member: Identity) -> None:
        """Put ``member`` into a group or team; without effect when it is in there."""
        self._client.area("graph").add_membership(member.descriptor, group.descriptor)

    def remove_member(self, group: Identity, member: Identity) -> None:
        """Take ``member`` out of a group or team; without effect when it is not in there."""
        try:
            self._client.area("graph").remove_membership(member.descriptor, group.descriptor)
        except NotFoundError:
            return

    def _groups(self, scope: str) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.area("graph").list_groups(scope_descriptor=scope, continuation_token=token)
            yield from page.graph_groups or []
            token = page.continuation_token
            if not token:
                return

    def _team(self, found: Any) -> Identity:
        descriptor = getattr(found.identity, "subject_descriptor", None)
        if not descriptor:
            descriptor = self._client.area("graph").get_descriptor(found.id).value
        return Identity(id=found.id, name=found.name, descriptor=descriptor)
