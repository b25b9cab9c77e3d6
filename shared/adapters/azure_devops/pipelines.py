"""YAML pipelines of Azure Pipelines, found by name and created once."""

from __future__ import annotations

from typing import Any

from shared.adapters.azure_devops.errors import AlreadyThereError, NotFoundError
from shared.adapters.azure_devops.repositories import RepositoryCalls
from shared.domain.forge import PipelineDefinition, RepositoryRef
from shared.errors import RefusedError

# https://learn.microsoft.com/rest/api/azure/devops/build/definitions/list
_DEFINITIONS = "dbeaf647-6167-421a-bda9-c9327b25e2e6"
_YAML_PROCESS = 2
_FROM_YAML = 2


class PipelineCalls(RepositoryCalls):
    """The pipeline part of ``AzureDevOpsForge``."""

    def pipeline(self, project: str, name: str) -> PipelineDefinition | None:
        """The YAML pipeline of that name; ``None`` when it or the project is not there, or it is a classic one."""
        area = self._client.area("build")
        try:
            # The package's own call would drop what the list was asked for beyond its references.
            answer = area._send(
                http_method="GET",
                location_id=_DEFINITIONS,
                version="7.1-preview.7",
                route_values={"project": area._serialize.url("project", project, "str")},
                query_parameters={"name": name, "includeAllProperties": "true"},
            )
        except NotFoundError:
            return None
        found = area._deserialize("[BuildDefinition]", area._unwrap_collection(answer))
        definition = next((one for one in found if one.name.lower() == name.lower()), None)
        # A classic one is none of ours.
        if definition is None or (definition.process or {}).get("type") != _YAML_PROCESS:
            return None
        return self._described(project, definition)

    def create_pipeline(self, project: str, definition: PipelineDefinition) -> PipelineDefinition:
        """Create the pipeline, triggered as its YAML says, on the default queue; or return the one that is there.

        Raises ``RefusedError`` when a pipeline of the name runs another file or repository, or the repository is not
        there.
        """
        found = self.pipeline(project, definition.name)
        if found is not None:
            return _matching(found, definition)
        repository = self._required(definition.repository)
        models = self._client.models("build")
        wanted = models.BuildDefinition(
            name=definition.name,
            path="\\",
            type="build",
            queue_status="enabled",
            repository=models.BuildRepository(
                id=repository.id,
                name=repository.name,
                type="TfsGit",
                url=repository.remote_url,
                default_branch=f"refs/heads/{definition.branch}",
            ),
            process={"type": _YAML_PROCESS, "yamlFilename": definition.yaml_path.removeprefix("/")},
            triggers=[{"triggerType": "continuousIntegration", "settingsSourceType": _FROM_YAML}],
        )
        try:
            created = self._client.area("build").create_definition(wanted, project)
        except AlreadyThereError as error:
            found = self.pipeline(project, definition.name)
            if found is None:
                raise RefusedError(error.reason, "Rename or remove the classic pipeline of this name") from None
            return _matching(found, definition)
        return self._described(project, created)

    def delete_pipeline(self, project: str, pipeline_id: str) -> None:
        """Delete the pipeline with its runs; without effect when it is not there."""
        try:
            self._client.area("build").delete_definition(project, int(pipeline_id))
        except NotFoundError:
            return

    def _described(self, project: str, definition: Any) -> PipelineDefinition:
        return PipelineDefinition(
            id=str(definition.id),
            name=definition.name,
            repository=RepositoryRef(owner=project, name=definition.repository.name or ""),
            yaml_path=str(definition.process.get("yamlFilename", "")).removeprefix("/"),
            branch=(definition.repository.default_branch or "").removeprefix("refs/heads/"),
            url=self._client.page(project, "_build") + f"?definitionId={definition.id}",
        )


def _matching(found: PipelineDefinition, wanted: PipelineDefinition) -> PipelineDefinition:
    same_file = found.yaml_path == wanted.yaml_path.removeprefix("/")
    if not same_file or found.repository.name.lower() != wanted.repository.name.lower():
        raise RefusedError(
            f"Pipeline {found.name} exists already and runs {found.yaml_path} of {found.repository}",
            "Rename or remove it, or choose another name",
        )
    return found
