"""Which pipelines may use a variable group or an environment of Azure Pipelines."""

from __future__ import annotations

from collections.abc import Sequence

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.forge import PipelineResource


class PipelinePermissionCalls(ProjectCalls):
    """The pipeline permission part of ``AzureDevOpsForge``."""

    def permitted_pipelines(self, project: str, resource: PipelineResource) -> frozenset[str] | None:
        """Ids of the pipelines that may use ``resource``; ``None`` when every pipeline may."""
        area = self._client.area("pipeline_permissions")
        try:
            found = area.get_pipeline_permissions_for_resource(project, resource.kind.value, resource.id)
        except NotFoundError:
            return frozenset()
        if found.all_pipelines and found.all_pipelines.authorized:
            return None
        return frozenset(str(one.id) for one in found.pipelines or [] if one.authorized)

    def set_pipeline_permissions(
        self, project: str, resources: Sequence[PipelineResource], pipeline_id: str, *, allowed: bool
    ) -> None:
        """Let the pipeline use each of ``resources``, or none of them; other pipelines keep what they may."""
        models = self._client.models("pipeline_permissions")
        wanted = [
            models.ResourcePipelinePermissions(
                pipelines=[models.PipelinePermission(id=int(pipeline_id), authorized=allowed)],
                resource=models.Resource(id=resource.id, type=resource.kind.value),
            )
            for resource in resources
        ]
        self._client.area("pipeline_permissions").update_pipeline_permisions_for_resources(wanted, project)
