"""An owner nobody knows is named, one a forge cannot tell about is unknown, and one admitted before is not asked about."""

from __future__ import annotations

import pytest

from shared.errors import RefusedError, TransientError
from shared.projects.admission import admit
from shared.projects.ownership import Ownership, look_up
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault

GITHUB, AZURE = frozenset({"github"}), frozenset({"azure_devops"})


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    app.github.teams["acme/leads"] = {"casey"}
    app.azure.put_person("Jo@acme.example")
    app.azure.put_person("jo")
    return app


def asked(app: App, owner: str, connection=None, **changes) -> Ownership:
    return look_up(app.ports, a_request(owner=owner, **changes), connection or a_connection())


@pytest.mark.parametrize("owner", ["casey", "Casey", "acme/leads", "ACME/Leads", "jo@acme.example"])
@pytest.mark.parametrize("forges", [GITHUB, AZURE, GITHUB | AZURE])
def test_somebody_a_forge_knows_is_known(app, owner, forges):
    assert asked(app, owner, forges=forges) == Ownership()
    assert app.github.changes() == app.azure.changes() == []


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        ("noboddy", "GitHub knows no person noboddy"),
        ("acme/nobodies", "organisation acme has no team nobodies"),
        ("nobody@acme.example", "nobody with the address nobody@acme.example"),
    ],
)
def test_somebody_nobody_knows_is_a_fault_of_the_field_with_an_example(app, owner, words):
    found = asked(app, owner)
    (fault,) = found.faults
    assert fault.field == "owner"
    assert words in fault.problem
    assert fault.example
    assert not found.unknown


def test_a_team_of_another_organisation_owns_nothing_on_github(app):
    app.github.teams["other/leads"] = set()
    (fault,) = asked(app, "other/leads").faults
    assert fault.example == "acme/leads"
    assert asked(app, "other/leads", forges=AZURE) == Ownership()


def test_a_sign_in_name_of_azure_devops_will_do_where_nothing_is_made_on_github(app):
    assert asked(app, "jo", forges=AZURE) == Ownership()
    assert asked(app, "jo", forges=GITHUB).faults
    assert "neither" in asked(app, "noboddy", forges=AZURE).faults[0].problem


@pytest.mark.parametrize(
    ("owner", "forge", "call"),
    [
        ("casey", "github", "has_account"),
        ("acme/leads", "github", "has_team"),
        ("jo@acme.example", "azure", "identity"),
    ],
)
def test_a_forge_that_may_not_tell_leaves_the_owner_unknown(app, owner, forge, call):
    for fault in (Fault.REFUSED, Fault.UNSUPPORTED):
        getattr(app, forge).fail(call, fault)
        found = asked(app, owner)
        assert found.unknown
        assert not found.faults
    getattr(app, forge).fail(call, Fault.TRANSIENT)
    with pytest.raises(TransientError):
        asked(app, owner)


def test_an_address_without_azure_devops_is_unknown(app):
    alone = a_connection(azure_devops=None)
    assert "e-mail" in asked(app, "casey@acme.example", alone, forges=GITHUB).unknown
    assert "does not know the address" in asked(app, "casey@acme.example", forges=GITHUB).unknown


def test_a_connection_that_cannot_be_used_leaves_the_owner_unknown(app):
    app.unreachable["acme"] = RefusedError("the secret gh is not there", "Store it.")
    assert asked(app, "casey").unknown == "the secret gh is not there"


def test_who_was_admitted_before_is_not_asked_about_again_so_that_repairs_go_on(app):
    admit(app.ports, app.api_run(a_request()))
    app.github.accounts.clear()
    app.github.calls.clear()
    assert asked(app, "Casey") == Ownership()
    assert app.github.calls == []
    assert asked(app, "mona").faults, "another owner is looked up"
