"""Permissions of pipelines against the simulator, held to the contract, with answers lost."""

import pytest

from shared.domain.forge import PipelineResource, ResourceKind
from shared.errors import RefusedError, TransientError


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


@pytest.fixture
def resources(forge):
    group = forge.create_variable_group("Shop", "shop", "What it reads.", {"A": "1"})
    place = forge.create_environment("Shop", "production", "Deployments.")
    return [
        PipelineResource(kind=ResourceKind.VARIABLE_GROUP, id=group.id),
        PipelineResource(kind=ResourceKind.ENVIRONMENT, id=place.id),
    ]


def test_a_pipeline_is_let_use_a_resource_and_others_keep_theirs(sandbox, forge, resources):
    for resource in resources:
        assert forge.permitted_pipelines("Shop", resource) == frozenset()
        forge.set_pipeline_permissions("Shop", [resource], "7", allowed=True)
        sandbox.lose_answer("PATCH", "(?i)/pipelines/pipelinepermissions")
        with pytest.raises(TransientError):
            forge.set_pipeline_permissions("Shop", [resource], "8", allowed=True)
        forge.set_pipeline_permissions("Shop", [resource], "8", allowed=True)
        assert forge.permitted_pipelines("Shop", resource) == {"7", "8"}
        forge.set_pipeline_permissions("Shop", [resource], "8", allowed=False)
        assert forge.permitted_pipelines("Shop", resource) == {"7"}


def test_a_resource_open_to_all_says_so(sandbox, forge, resources):
    group = resources[0]
    sandbox.project()["permitted"][f"{group.kind}/{group.id}"] = {"all": True, "pipelines": []}
    assert forge.permitted_pipelines("Shop", group) is None


def test_nothing_is_permitted_where_there_is_no_project(forge, resources):
    assert forge.permitted_pipelines("Nowhere", resources[0]) == frozenset()


def test_whoever_may_not_permit_is_refused(sandbox, forge, resources):
    with pytest.raises(RefusedError):
        sandbox.forge("ada-pat").set_pipeline_permissions("Shop", [resources[0]], "7", allowed=True)
