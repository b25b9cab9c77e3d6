"""Areas and iterations of an Azure DevOps project, each created once, and which of them the default team plans with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.forge import Classification, TeamPlanning
from shared.errors import ConflictError

# The service nests no deeper: https://learn.microsoft.com/azure/devops/organizations/settings/work/object-limits
_DEEPEST = 14


class ClassificationCalls(ProjectCalls):
    """The area and iteration part of ``AzureDevOpsForge``; a path is the names below the root, joined by ``/``."""

    def classification(self, project: str, kind: Classification) -> Mapping[str, str]:
        """Path → identifier of every node, the root's path empty; nothing when the project is not there."""
        root = self._root(project, kind)
        return {} if root is None else dict(_walk(root, ""))

    def create_classification_node(self, project: str, kind: Classification, path: str) -> None:
        """Create the node below its parent, which must be there; without effect when it is there."""
        parent, _, name = path.rpartition("/")
        wanted = self._client.models("work_item_tracking").WorkItemClassificationNode(name=name)
        area = self._client.area("work_item_tracking")
        try:
            area.create_or_update_classification_node(wanted, project, kind.value, path=parent or None)
        except ConflictError:
            if path.lower() not in {there.lower() for there in self.classification(project, kind)}:
                raise

    def delete_classification_node(self, project: str, kind: Classification, path: str) -> None:
        """Delete the node with those below it; its work items go to the root. Without effect when it is not there."""
        root = self._root(project, kind)
        if root is None:
            return
        area = self._client.area("work_item_tracking")
        try:
            area.delete_classification_node(project, kind.value, path=path, reclassify_id=root.id)
        except NotFoundError:
            return

    def team_planning(self, project: str) -> TeamPlanning:
        """What the project's default team plans with."""
        context, work = self._default_team(project), self._client.area("work")
        settings = work.get_team_settings(context)
        areas = work.get_team_field_values(context)
        return TeamPlanning(
            backlog_iteration=str(settings.backlog_iteration.id or ""),
            iterations=frozenset(str(one.id) for one in work.get_team_iterations(context) or []),
            sees_every_area=any(one.include_children and _is_root(one, project) for one in areas.values or []),
        )

    def set_backlog_iteration(self, project: str, identifier: str) -> None:
        """Let the default team's backlog hold what is in the iteration of that identifier and below."""
        patch = self._client.models("work").TeamSettingsPatch(backlog_iteration=identifier)
        self._client.area("work").update_team_settings(patch, self._default_team(project))

    def add_team_iteration(self, project: str, identifier: str) -> None:
        """Let the default team plan in the iteration of that identifier; without effect when it does."""
        wanted = self._client.models("work").TeamSettingsIteration(id=identifier)
        self._client.area("work").post_team_iteration(wanted, self._default_team(project))

    def set_sees_every_area(self, project: str, whether: bool) -> None:
        """Let the default team see the root area with, or without, those below; its other areas stay."""
        context, work, models = self._default_team(project), self._client.area("work"), self._client.models("work")
        found = work.get_team_field_values(context)
        root = next((str(one.value) for one in found.values or [] if _is_root(one, project)), None)
        root = root or self._project(project).name
        others = [one for one in found.values or [] if not _is_root(one, project)]
        patch = models.TeamFieldValuesPatch(
            default_value=found.default_value or root,
            values=[models.TeamFieldValue(value=root, include_children=whether), *others],
        )
        work.update_team_field_values(patch, context)

    def _default_team(self, project: str) -> Any:
        # An address that names no team means the default one, whatever people call it by now.
        return self._client.models("work").TeamContext(project=project)

    def _root(self, project: str, kind: Classification) -> Any:
        try:
            area = self._client.area("work_item_tracking")
            return area.get_classification_node(project, kind.value, depth=_DEEPEST)
        except NotFoundError:
            return None


def _is_root(area: Any, project: str) -> bool:
    return str(area.value).lower() == project.lower()


def _walk(node: Any, path: str) -> Iterator[tuple[str, str]]:
    yield path, str(node.identifier)
    for child in node.children or []:
        yield from _walk(child, f"{path}/{child.name}" if path else str(child.name))
