"""Who holds a role: those who are named, else whoever the forge lets near enough, and never the author."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.definition import OwnerRole
from shared.domain.publication import Permission
from shared.errors import RefusedError
from shared.reviews import roles
from shared.reviews.roles import APPROVER, Speaker
from tests.fakes.app import a_connection
from tests.fakes.talk import Talk

NAMED = {"approver": ["Noor", "Acme/Leads"], "security_engineer": ["sam@contoso.com"]}


def speaker(login="otis", permission=Permission.WRITE, *, author=False):
    return Speaker(login=login, permission=permission, author=author)


def test_holders_are_told_in_lower_case_and_roles_of_nobody_are_left_out():
    found = roles.holders(a_connection(roles=NAMED | {"tester": []}))
    assert found == {"approver": ("noor", "acme/leads"), "security_engineer": ("sam@contoso.com",)}
    assert roles.holders(a_connection()) == {}


def test_members_of_a_named_team_are_found_among_those_who_are_asked_about():
    talk = Talk()
    talk.team("otis")
    connection = a_connection(roles=NAMED)
    found = roles.holders_among(talk.ports, connection, ["Otis", "ruth", "Noor"])
    assert found == {"approver": ("noor", "otis"), "security_engineer": ("sam@contoso.com",)}


def test_without_teams_that_can_be_asked_nobody_is_in_one():
    talk = Talk()
    assert roles.holders_among(talk.ports, a_connection(roles=NAMED), ["otis"])["approver"] == ("noor",)
    assert "others are named" in roles.missing(talk.ports, a_connection(roles=NAMED), APPROVER, speaker())


@pytest.mark.parametrize(
    ("role", "who", "named", "missing"),
    [
        (APPROVER, speaker(permission=Permission.ADMIN), {}, ""),
        (APPROVER, speaker(), {}, "administrator"),
        (APPROVER, speaker("noor"), NAMED, ""),
        (APPROVER, speaker("NOOR"), NAMED, ""),
        (APPROVER, speaker(permission=Permission.ADMIN), NAMED, "others are named"),
        (APPROVER, speaker("noor", author=True), NAMED, "author of a pull request is never its approver"),
        (APPROVER, speaker("noor", Permission.READ), NAMED, "write access"),
        ("security_engineer", speaker("Sam@contoso.com"), NAMED, ""),
        ("security_engineer", speaker(), NAMED, "role of security engineer"),
        (OwnerRole.TESTER, speaker(), NAMED, ""),
        (OwnerRole.TESTER, speaker(author=True), {}, "never its tester"),
        (OwnerRole.TESTER, speaker(permission=Permission.READ), {}, "write access"),
        (OwnerRole.AUTHOR, speaker(author=True), {}, ""),
        (OwnerRole.AUTHOR, speaker(permission=Permission.ADMIN), {}, "only the author"),
    ],
)
def test_who_holds_a_role(role, who, named, missing):
    said = roles.missing(Talk().ports, a_connection(roles=named), role, who)
    assert missing in said
    assert bool(said) == bool(missing)


def test_teams_that_nobody_may_see_make_nobody_a_holder_and_a_speaker_is_told():
    talk = Talk()

    def hidden(*_):
        raise RefusedError("the teams cannot be seen", "Grant members: read.")

    talk.ports = replace(talk.ports, belongs=hidden)
    connection = a_connection(roles=NAMED)
    assert roles.holders_among(talk.ports, connection, ["otis"])["approver"] == ("noor",)
    talk.connect(roles=NAMED)
    followed = talk.says("/doneright waive ci_is_green until 2026-02-10 because it is so", by="otis")
    assert followed.reason == "the teams cannot be seen"
    assert "Grant members" in talk.answer
