"""Environments and their approval checks against the simulator, held to the contract, with answers lost."""

import pytest

from shared.domain.forge import Identity
from shared.errors import RefusedError, TransientError

ADA, BO = "ada@acme.example", "bo@acme.example"


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


def checks(sandbox):
    return list(sandbox.project()["checks"].values())


def test_people_are_found_by_address_and_name_in_any_case(forge):
    ada = forge.identity(ADA)
    assert ada == forge.identity("ADA@acme.example")
    assert ada.name == "Ada"
    assert ada.descriptor.startswith("aad.")
    assert forge.identity("nobody@acme.example") is None


def test_people_of_one_name_are_told_apart_by_address(forge, monkeypatch):
    area = forge._client.area("identity")
    twins = [area.read_identities(search_filter="General", filter_value=name)[0] for name in (ADA, BO)]
    twins[1].provider_display_name = "Ada"
    monkeypatch.setattr(area, "read_identities", lambda **asked: [*twins, None])
    with pytest.raises(RefusedError, match="2 people") as caught:
        forge.identity("ada")
    assert "e-mail" in caught.value.remedy
    assert forge.identity(BO).id == twins[1].id
    assert forge.identity("ad") is None


def test_an_environment_is_created_once(sandbox, forge):
    assert forge.environments("Shop") == ()
    assert forge.environments("Nowhere") == ()
    sandbox.lose_answer("POST", "/distributedtask/environments")
    with pytest.raises(TransientError):
        forge.create_environment("Shop", "staging", "d")
    assert sandbox.fired() == 1
    made = forge.create_environment("Shop", "Staging", "d")
    assert forge.environments("Shop") == (made,)
    assert made.name == "staging"
    assert made.url.endswith(f"/acme/Shop/_environments/{made.id}")


def test_an_environment_nobody_shows_is_waited_for(monkeypatch, forge):
    forge.create_environment("Shop", "staging", "d")
    monkeypatch.setattr(forge, "environments", lambda project: ())
    with pytest.raises(TransientError):
        forge.create_environment("Shop", "staging", "d")


@pytest.mark.parametrize("people", [(ADA,), (ADA, BO)])
def test_approvers_are_asked_by_one_check(sandbox, forge, people):
    made = forge.create_environment("Shop", "production", "d")
    wanted = [forge.identity(name) for name in people]
    assert forge.approvers("Shop", made) == frozenset()
    sandbox.lose_answer("POST", "/pipelines/checks/configurations")
    with pytest.raises(TransientError):
        forge.require_approval("Shop", made, wanted)
    assert sandbox.fired() == 1
    forge.require_approval("Shop", made, wanted)
    assert forge.approvers("Shop", made) == {one.id for one in wanted}
    (check,) = checks(sandbox)
    assert check["version"] == 1
    assert check["settings"]["minRequiredApprovers"] == 1
    assert check["settings"]["requesterCannotBeApprover"] is (len(people) > 1)
    assert check["resource"]["id"] == made.id


def test_a_check_that_is_there_keeps_what_it_says_and_gets_who_is_missing(sandbox, forge):
    made = forge.create_environment("Shop", "production", "d")
    forge.require_approval("Shop", made, [forge.identity(ADA)])
    checks(sandbox)[0]["settings"] |= {"instructions": "Ask the weather first", "minRequiredApprovers": 2}
    forge.require_approval("Shop", made, [forge.identity(BO)])
    (check,) = checks(sandbox)
    assert {one["displayName"] for one in check["settings"]["approvers"]} == {"Ada", "Bo"}
    assert check["settings"]["instructions"] == "Ask the weather first"
    assert check["settings"]["minRequiredApprovers"] == 2


def test_another_environments_check_is_not_this_ones(forge):
    one, other = (forge.create_environment("Shop", name, "d") for name in ("staging", "production"))
    forge.require_approval("Shop", one, [forge.identity(ADA)])
    assert forge.approvers("Shop", other) == frozenset()


def test_an_approver_the_service_does_not_know_is_refused(forge):
    made = forge.create_environment("Shop", "production", "d")
    with pytest.raises(RefusedError, match="approver"):
        forge.require_approval("Shop", made, [Identity(id="00000000-0000-0000-0000-000000000009", name="x")])
