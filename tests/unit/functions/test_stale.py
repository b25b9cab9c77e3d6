"""Idle projects over HTTP: listed for scripts and browsers, removed by call or by typing the name on the page."""

from __future__ import annotations

import pytest

from functions.stale import list_stale, remove_project
from shared.domain.run import ProjectState
from tests.unit.shared.projects.stale.test_stale import long_ago
from tests.unit.shared.projects.test_run import Run

ROUTE = {"id": "order-desk"}
HTML = {"accept": "text/html"}
FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}


@pytest.fixture
def made(app):
    app.connect_to()
    run = Run(app)
    run.apply_all()
    run.conclude()
    long_ago(app)
    return run


def listing(call, **params):
    return call(list_stale, connection="acme", **params)


def test_they_are_listed_with_every_fact_and_its_date(call, made):
    answer = listing(call)
    assert answer.status == 200
    (row,) = answer.body["projects"]
    assert (row["project"], row["why"]) == ("order-desk", ["empty", "stale"])
    assert all(fact["at"] for place in row["places"] for fact in place["facts"])
    assert (answer.body["days"], answer.body["left_off"]) == (90, 0)


def test_what_is_not_quiet_long_enough_is_not_listed(call, made, app):
    app.github.commits["order-desk"] = 2
    assert listing(call, days="300").body["projects"] == []


def test_the_page_asks_for_the_name_where_it_was_opened_with_a_key(call, made):
    page = listing(call, headers=HTML, code="key").body
    assert 'action="/api/projects/order-desk/removal?code=key"' in page
    assert 'name="name"' in page
    assert "<form" not in listing(call, headers=HTML).body


@pytest.mark.parametrize(
    "params",
    [{}, {"connection": "nothing"}, {"connection": "acme", "days": "-1"}, {"connection": "acme", "limit": "0"}],
)
def test_a_question_that_cannot_be_answered_is_refused(call, made, params):
    assert call(list_stale, **params).status == 400


def test_removal_by_name_starts_its_run_once(call, client, app, made):
    listing(call)
    for _ in range(2):
        answer = call(remove_project, "POST", {"name": "Order Desk"}, route=ROUTE, client=client)
        assert (answer.status, answer.body["instance"]) == (202, "remove-order-desk.1")
    assert client.started["remove-order-desk.1"][0] == "removal"
    assert app.ports.project("order-desk").state is ProjectState.REMOVING


def test_the_pages_form_removes_too(call, client, made):
    listing(call)
    answer = call(remove_project, "POST", b"name=Order+Desk", route=ROUTE, headers=FORM, client=client, code="key")
    assert (answer.status, answer.headers["Location"]) == (303, "/api/projects/order-desk?code=key")


@pytest.mark.parametrize("body", [{"name": "order desk"}, {"name": ""}, {}, {"name": "Order Desk", "force": True}])
def test_another_name_or_field_is_refused(call, client, made, body):
    listing(call)
    answer = call(remove_project, "POST", body, route=ROUTE, client=client)
    assert answer.status == 400
    assert answer.body["errors"]
    assert client.started == {}


def test_what_was_not_listed_is_refused_unless_it_is_said_to_be_wanted(call, client, made):
    refused = call(remove_project, "POST", {"name": "Order Desk"}, route=ROUTE, client=client)
    assert refused.status == 409
    assert "even_if_active" in refused.body["remedy"]
    body = {"name": "Order Desk", "even_if_active": True}
    assert call(remove_project, "POST", body, route=ROUTE, client=client).status == 202


def test_what_doneright_did_not_make_is_not_found(call, client, made):
    answer = call(remove_project, "POST", {"name": "Attic"}, route={"id": "attic"}, client=client)
    assert answer.status == 404
    assert "only what it made" in answer.body["remedy"]


def test_a_form_that_cannot_be_read_is_refused(call, client, made):
    assert call(remove_project, "POST", b"name=%ff\xff", route=ROUTE, headers=FORM, client=client).status == 400
