"""A connection says who may ask and where requests come from; what cannot work is refused when it is made."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.domain.connection import ConnectionSettings
from tests.fakes.app import a_connection


def test_requesters_are_cleaned():
    assert a_connection(requesters=[" @Casey", "Acme/Leads"]).requesters == ("casey", "acme/leads")


@pytest.mark.parametrize("bad", ["", "a b", "a/b/c", "/a", "a/"])
def test_what_is_neither_login_nor_team_is_refused(bad):
    with pytest.raises(ValidationError, match="neither a login nor"):
        a_connection(requesters=[bad])


@pytest.mark.parametrize("bad", ["requests", "a/b/c", "a/", "/b", "a b/c", "a/b c"])
def test_repositories_are_full_names(bad):
    with pytest.raises(ValidationError, match="is not owner/name"):
        a_connection(github={"organization": "acme", "request_repositories": [bad]})


def test_requests_are_taken_whatever_the_case():
    assert a_connection().takes_requests_from("ACME/Requests")
    assert not a_connection().takes_requests_from("acme/other")


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "https://user:pw@dev.azure.com/acme", "https://dev.azure.com/acme?x=1", "https://", "https://x/a b"],
)
def test_addresses_that_no_link_can_be_made_of_are_refused(url):
    with pytest.raises(ValidationError, match="organization_url"):
        a_connection(azure_devops={"organization_url": url, "credential": {"kind": "entra"}})


@pytest.mark.parametrize("name", ["", "a/b", "a b", "-a"])
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
