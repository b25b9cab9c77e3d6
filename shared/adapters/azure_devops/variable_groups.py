"""Variable groups of Azure Pipelines, each created once and never overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.forge import VariableGroup
from shared.errors import ConflictError, TransientError


class VariableGroupCalls(ProjectCalls):
    """The variable group part of ``AzureDevOpsForge``."""

    def variable_group(self, project: str, name: str) -> VariableGroup | None:
        """The group of that name, secrets as empty texts; ``None`` when it or the project is not there."""
        try:
            found = self._client.area("task_agent").get_variable_groups(project, group_name=name)
        except NotFoundError:
            return None
        # A name with * would find several.
        same = [one for one in found or [] if one.name.lower() == name.lower()]
        return self._variable_group(project, same[0]) if same else None

    def create_variable_group(
        self, project: str, name: str, description: str, variables: Mapping[str, str]
    ) -> VariableGroup:
        """Create the group with ``variables``, none of them secret; or return the one of that name as it is.

        Raises ``RefusedError`` when the project is not there.
        """
        found = self.variable_group(project, name)
        if found is not None:
            return found
        models = self._client.models("task_agent")
        owner = models.ProjectReference(id=self._project(project).id, name=project)
        wanted = models.VariableGroupParameters(
            name=name,
            description=description,
            type="Vsts",
            variables={key: models.VariableValue(value=value, is_secret=False) for key, value in variables.items()},
            variable_group_project_references=[
                models.VariableGroupProjectReference(name=name, description=description, project_reference=owner)
            ],
        )
        try:
            return self._variable_group(project, self._client.area("task_agent").add_variable_group(wanted))
        except ConflictError as error:
            found = self.variable_group(project, name)
            if found is None:
                raise TransientError(error.reason, retry_after=2) from None
            return found

    def delete_variable_group(self, project: str, group: VariableGroup) -> None:
        """Delete the group for good; without effect when it or the project is not there."""
        found = self.project(project)
        if found is None:
            return
        try:
            self._client.area("task_agent").delete_variable_group(int(group.id), [found.id])
        except NotFoundError:
            return

    def _variable_group(self, project: str, found: Any) -> VariableGroup:
        url = (
            self._client.page(project, "_library")
            + f"?itemType=VariableGroups&view=VariableGroupView&variableGroupId={found.id}"
        )
        return VariableGroup(
            id=str(found.id),
            name=found.name,
            variables={key: _value(value) for key, value in (found.variables or {}).items()},
            url=url,
        )


def _value(found: Any) -> str:
    value = found.get("value") if isinstance(found, Mapping) else found.value
    return value or ""
