"""A connection says who may ask and where requests come from; what cannot work is refused when it is made."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain import shapes
from shared.domain.connection import MOST_REPOSITORIES, MOST_REQUESTERS, ConnectionSettings
from shared.domain.faults import faults_of
from tests.fakes.app import a_connection


def test_requesters_are_cleaned():
    assert a_connection(requesters=[" @Casey", "Acme/Leads"]).requesters == ("casey", "acme/leads")


def told(**changes):
    """Field → problem of settings that are refused."""
    with pytest.raises(ValidationError) as caught:
        a_connection(**changes)
    return {fault.field: fault.problem for fault in faults_of(caught.value, model=ConnectionSettings)}


@pytest.mark.parametrize(
    "bad",
    [
        "", "a b", "a/b/c", "/a", "a/", "<script>", "a" * 40, "x" * 10_000, "-a", "a@b", "größe", "a\n", "a\u202eb",
        "acme/" + "t" * 101, "acme/-x", "a" * 40 + "/b", "@@a", "a[bot]/b", "a\x00",
    ],
)  # fmt: skip
def test_what_is_neither_login_nor_team_is_refused_by_its_place(bad):
    if bad.strip() == "a":
        assert a_connection(requesters=[bad]).requesters == ("a",)
        return
    said = told(requesters=["casey", bad])
    assert list(said) == ["requesters.1"]
    assert "a GitHub login" in said["requesters.1"]
    assert len(said["requesters.1"]) < 200


@pytest.mark.parametrize("mention", ["@here", "@channel", "@Everyone", " @all "])
def test_mentions_of_everybody_are_nobodys_login(mention):
    assert "nobody's login" in told(requesters=[mention])["requesters.0"]


@pytest.mark.parametrize(
    "good", ["a", "a-b", "A" * 39, "casey_acme", "acme/team.one_two-3", "renovate[bot]", "here", "1st"]
)
def test_logins_and_teams_are_taken(good):
    assert a_connection(requesters=[good]).requesters == (good.lower(),)


def test_requesters_and_repositories_are_bounded():
    assert len(a_connection(requesters=["a"] * MOST_REQUESTERS).requesters) == MOST_REQUESTERS
    assert "100 are the most" in told(requesters=["a"] * (MOST_REQUESTERS + 1))["requesters"]
    many = {"organization": "acme", "request_repositories": ["acme/x"] * (MOST_REPOSITORIES + 1)}
    assert "50 are the most" in told(github=many)["github.request_repositories"]


@given(st.text(max_size=150))
def test_whatever_is_taken_as_a_requester_can_be_asked_for_on_the_forge(text):
    try:
        (taken,) = a_connection(requesters=[text]).requesters
    except ValidationError:
        return
    assert re.fullmatch(r"[a-z0-9_.\[\]-]+(/[a-z0-9_.-]+)?", taken)
    assert len(taken) <= 140


@pytest.mark.parametrize(
    "bad",
    ["requests", "a/b/c", "a/", "/b", "a b/c", "a/b c", "a/.", "a/..", "<a>/b", "a" * 60 + "/b", "a/" + "b" * 101],
)
def test_repositories_are_full_names(bad):
    said = told(github={"organization": "acme", "request_repositories": ["acme/ok", bad]})
    assert list(said) == ["github.request_repositories.1"]
    assert "owner/name" in said["github.request_repositories.1"]


@pytest.mark.parametrize("good", ["acme/requests", "acme/.github", "A-1/_x.y", "casey_acme/notes"])
def test_full_names_are_taken(good):
    github = {"organization": "acme", "request_repositories": [good]}
    assert a_connection(github=github).github.request_repositories == (good,)


def test_requests_are_taken_whatever_the_case():
    assert a_connection().takes_requests_from("ACME/Requests")
    assert not a_connection().takes_requests_from("acme/other")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "https://user:pw@dev.azure.com/acme",
        "https://dev.azure.com/acme?x=1",
        "https://",
        "https://x/a b",
        "https://dev.azure.com",
        "https://dev.azure.com/",
        "https://./acme",
        "https://-a.example/acme",
        "https://a..b/acme",
        "https://dev.azure.com:0/acme",
        "https://dev.azure.com:99999/acme",
        "https://dev.azure.com/../acme",
        "https://dev.azure.com/a%2Fb",
        "https://dev.azure.com/%2e%2e/acme",
        "https://dev.azure.com/%zz",
        "https://dev.azure.com/a%",
        "https://x/" + "a" * 300,
        "https://" + "a" * 64 + ".example/acme",
        "javascript:alert(1)",
    ],
)
def test_addresses_that_no_link_can_be_made_of_are_refused(url):
    with pytest.raises(ValidationError, match="organization_url"):
        a_connection(azure_devops={"organization_url": url, "credential": {"kind": "entra"}})


@pytest.mark.parametrize(
    "url",
    [
        "https://dev.azure.com/acme", "https://acme.visualstudio.com", "http://127.0.0.1:7082/acme",
        "https://ado.example:8443/tfs/Default%20Collection/",
    ],
)  # fmt: skip
def test_addresses_of_organizations_are_taken(url):
    azure = a_connection(azure_devops={"organization_url": url, "credential": {"kind": "entra"}}).azure_devops
    assert azure
    assert azure.organization_url == url


@pytest.mark.parametrize("field", ["api_url", "web_url"])
def test_addresses_of_github_are_held_to_the_same(field):
    assert "port" in told(github={"organization": "acme", field: "https://github.example:70000"})[f"github.{field}"]


@pytest.mark.parametrize(
    ("credential", "field"),
    [
        ({"kind": "entra", "client_id": "<script>"}, "client_id"),
        ({"kind": "pat", "token_secret": "s" * 128}, "token_secret"),
        ({"kind": "pat", "token_secret": "ghp_abc"}, "token_secret"),
        ({"kind": "pat"}, "token_secret"),
    ],
)
def test_credentials_are_told_by_the_path_their_json_has(credential, field):
    said = told(azure_devops={"organization_url": "https://dev.azure.com/acme", "credential": credential})
    assert list(said) == [f"azure_devops.credential.{field}"]
    assert "ghp_abc" not in str(said)


@pytest.mark.parametrize("app_id", [0, -1, 2**53, 1.5, "x"])
def test_the_id_of_an_app_is_a_number_all_can_read(app_id):
    credential = {"kind": "app", "app_id": app_id, "private_key_secret": "k"}
    assert list(told(github={"organization": "acme", "credential": credential})) == ["github.credential.app_id"]


@pytest.mark.parametrize("name", ["", "a/b", "a b", "-a", "a" * 60, "<a>"])
def test_organizations_are_logins(name):
    with pytest.raises(ValidationError, match="organization"):
        a_connection(github={"organization": name})


def test_repository_address_is_percent_encoded():
    azure = a_connection(
        azure_devops={"organization_url": "https://dev.azure.com/acme/", "credential": {"kind": "entra"}}
    ).azure_devops
    assert azure
    assert azure.repository_url("Größe 1") == "https://dev.azure.com/acme/Gr%C3%B6%C3%9Fe%201/_git/Gr%C3%B6%C3%9Fe%201"


def test_ids_are_bounded():
    with pytest.raises(ValidationError, match="id"):
        ConnectionSettings.model_validate({"id": "A_B", "github": {"organization": "acme"}})


def test_roles_are_those_of_the_definition_and_the_approvers():
    from shared.domain.definition import OwnerRole

    assert set(re.findall(r"[a-z_]{4,}", shapes.ROLE.pattern)) == {*OwnerRole, "approver"}
    given = {"approver": ["@Octo", "Acme/Leads"], "tester": ["Sam@Contoso.com"]}
    assert a_connection(roles=given).roles == {"approver": ("octo", "acme/leads"), "tester": ("sam@contoso.com",)}


@pytest.mark.parametrize(
    ("roles", "field", "says"),
    [
        ({"boss": ["octo"]}, "roles.boss", "is not a role: approver"),
        ({"tester": ["octo", "a b"]}, "roles.tester.1", "e-mail address"),
        ({"tester": ["@here"]}, "roles.tester.0", "nobody's login"),
        ({"tester": ["octo"] * 51}, "roles.tester", "50 are the most"),
    ],
)
def test_a_role_nobody_knows_and_a_holder_nobody_can_be_are_refused_by_place(roles, field, says):
    assert says in told(roles=roles)[field]
