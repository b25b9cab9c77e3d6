"""Variable groups against the simulator, held to the contract, with answers lost."""

import pytest

from shared.errors import RefusedError, TransientError
from tests.integration.adapters.serving import late

VARIABLES = {"PROJECT_ID": "shop", "CONTAINER_REGISTRY": "registry.invalid"}


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


def test_a_group_is_created_once(sandbox, forge, monkeypatch):
    assert forge.variable_group("Shop", "shop") is None
    assert forge.variable_group("Nowhere", "shop") is None
    sandbox.lose_answer("POST", "/distributedtask/variablegroups")
    with pytest.raises(TransientError):
        forge.create_variable_group("Shop", "shop", "d", VARIABLES)
    assert sandbox.fired() == 1
    made = forge.create_variable_group("Shop", "Shop", "d", {"OTHER": "x"})
    assert made == forge.variable_group("Shop", "shop")
    assert made.variables == VARIABLES
    assert made.url.endswith(f"variableGroupId={made.id}")
    late(monkeypatch, forge, "variable_group")
    assert forge.create_variable_group("Shop", "shop", "d", VARIABLES) == made
    assert len(sandbox.project()["variable_groups"]) == 1
    with pytest.raises(RefusedError, match="no project"):
        forge.create_variable_group("Nowhere", "shop", "d", VARIABLES)


def test_a_name_with_a_star_finds_no_other_group(forge):
    forge.create_variable_group("Shop", "shop", "d", VARIABLES)
    assert forge.variable_group("Shop", "sh*") is None


def test_secrets_are_shown_as_empty(sandbox, forge):
    made = forge.create_variable_group("Shop", "shop", "d", VARIABLES)
    sandbox.project()["variable_groups"][made.id]["variables"]["KEY"] = {"value": "s3cr3t", "isSecret": True}
    assert forge.variable_group("Shop", "shop").variables == {**VARIABLES, "KEY": ""}


def test_a_group_nobody_shows_is_waited_for(forge, monkeypatch):
    forge.create_variable_group("Shop", "shop", "d", VARIABLES)
    monkeypatch.setattr(forge, "variable_group", lambda project, name: None)
    with pytest.raises(TransientError):
        forge.create_variable_group("Shop", "shop", "d", VARIABLES)
