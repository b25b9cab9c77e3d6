"""Teams and their memberships against the simulator, held to the contract, with answers lost."""

import pytest

from shared.domain.project import TeamRole
from shared.errors import RefusedError, TransientError
from tests.integration.adapters.serving import late


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


def test_a_team_is_created_once(sandbox, forge, monkeypatch):
    assert forge.team("Shop", "Crew") is None
    assert forge.team("Nowhere", "Crew") is None
    sandbox.lose_answer("POST", "/teams")
    with pytest.raises(TransientError):
        forge.create_team("Shop", "Crew", "d")
    assert sandbox.fired() == 1
    made = forge.create_team("Shop", "crew", "d")
    assert made == forge.team("Shop", "Crew")
    assert made.descriptor.startswith("vssgp.")
    late(monkeypatch, forge, "team")
    assert forge.create_team("Shop", "Crew", "d") == made
    assert [team["name"] for team in sandbox.project()["teams"].values()].count("Crew") == 1


def test_the_name_of_a_group_is_refused(forge):
    with pytest.raises(RefusedError, match="already exists"):
        forge.create_team("Shop", "Contributors", "d")


@pytest.mark.parametrize(
    ("role", "name"),
    [
        (TeamRole.READER, "Readers"),
        (TeamRole.CONTRIBUTOR, "Contributors"),
        (TeamRole.ADMINISTRATOR, "Project Administrators"),
    ],
)
def test_a_team_joins_and_leaves_the_group_of_its_role(sandbox, forge, role, name):
    team, group = forge.create_team("Shop", "Crew", "d"), forge.role_group("Shop", role)
    assert group.name == name
    assert team.descriptor not in forge.members(group)
    sandbox.lose_answer("PUT", "/graph/memberships")
    with pytest.raises(TransientError):
        forge.add_member(group, team)
    assert sandbox.fired() == 1
    forge.add_member(group, team)
    assert team.descriptor in forge.members(group)
    forge.remove_member(group, team)
    forge.remove_member(group, team)
    assert team.descriptor not in forge.members(group)


def test_people_become_members_once(sandbox, forge):
    team, ada = forge.create_team("Shop", "Crew", "d"), forge.identity("ada@acme.example")
    forge.add_member(team, ada)
    forge.add_member(team, ada)
    assert ada.descriptor in forge.members(team)
    (crew,) = [one for one in sandbox.project()["teams"].values() if one["name"] == "Crew"]
    assert crew["members"].count(ada.id) == 1


def test_a_group_that_is_gone_is_named(sandbox, forge):
    for group in sandbox.project()["groups"].values():
        if group["name"] == "Readers":
            group["name"] = "Lookers"
    with pytest.raises(RefusedError, match="no group Readers"):
        forge.role_group("Shop", TeamRole.READER)


def test_a_reader_may_not_give_access(sandbox, forge):
    team, ada = forge.create_team("Shop", "Crew", "d"), forge.identity("ada@acme.example")
    with pytest.raises(RefusedError) as caught:
        sandbox.forge("bo-pat").add_member(team, ada)
    assert caught.value.remedy
