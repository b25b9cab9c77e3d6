"""A decision by a call or a button: taken once, refused with every reason, and the waiting run is woken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.decisions import decide_project
from functions.projects import show_project, view_project
from shared.domain.decision import Choice
from shared.domain.run_activities import Asking
from shared.projects import deciding
from tests.fakes.app import a_connection
from tests.fakes.forges import Fault
from tests.unit.shared.projects.test_run import Run

HTML = {"accept": "text/html"}
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8", "accept": "text/html"}
ROUTE = {"id": "order-desk"}


@pytest.fixture
def run(app):
    app.connect_to(a_connection())
    run = Run(app)
    app.github.fail("create_repository", Fault.REFUSED)
    run.apply_all()
    due = app.clock.now() + timedelta(hours=1)
    deciding.ask(app.ports, Asking(run=run.input, project=run.project, round=1, due=due))
    return run


def decide(call, client, body, **params):
    headers = params.pop("headers", None)
    return call(decide_project, "POST", body, route=ROUTE, headers=headers, client=client, **params)


def test_a_decision_is_on_record_and_wakes_the_run(call, client, app, run):
    answer = decide(call, client, {"decision": "retry"})
    assert answer.status == 202
    assert answer.body["decision"] == "retry"
    assert answer.headers["Location"].endswith("/api/projects/order-desk")
    assert client.raised == [(run.input.instance, "decision.1")]
    assert app.ports.project("order-desk").question.decision.choice is Choice.RETRY


def test_the_same_call_again_is_no_second_decision_and_wakes_again(call, client, run):
    decide(call, client, {"decision": "accept"})
    assert decide(call, client, {"decision": "accept"}).status == 202
    assert len(client.raised) == 2


def test_another_decision_comes_too_late(call, client, run):
    decide(call, client, {"decision": "accept"})
    answer = decide(call, client, {"decision": "compensate"})
    assert answer.status == 409
    assert "decided already" in answer.body["detail"]


@pytest.mark.parametrize("body", [{}, {"decision": "perhaps"}, {"decision": "retry", "why": "x"}, {"decision": None}])
def test_what_is_no_decision_is_refused_by_field(call, client, run, body):
    answer = decide(call, client, body)
    assert answer.status == 400
    assert {fault["field"] for fault in answer.body["errors"]} <= {"decision", "why"}
    assert client.raised == []


def test_a_project_nobody_knows_is_not_found(call, client, app):
    assert decide(call, client, {"decision": "retry"}).status == 404


def test_a_project_that_does_not_ask_refuses(call, client, app):
    app.connect_to(a_connection())
    Run(app)
    answer = decide(call, client, {"decision": "retry"})
    assert answer.status == 409
    assert "waits for no decision" in answer.body["detail"]


def test_a_button_of_the_page_decides_and_leads_back(call, client, run):
    shown = call(show_project, route=ROUTE, headers=HTML, code="a&b")
    assert 'action="/api/projects/order-desk/decision?code=a%26b"' in shown.body
    answer = decide(call, client, b"decision=compensate", headers=FORM, code="a&b")
    assert answer.status == 303
    assert answer.headers["Location"] == "/api/projects/order-desk?code=a%26b"
    assert client.raised == [(run.input.instance, "decision.1")]


@pytest.mark.parametrize("body", [b"", b"decision=", b"decision=perhaps", b"\xff", b"&".join([b"a=b"] * 30)])
def test_a_form_that_says_nothing_is_refused(call, client, run, body):
    assert decide(call, client, body, headers=FORM).status == 400


def test_a_page_that_may_only_be_read_has_no_buttons(call, app, run):
    token = app.ports.links.token("view", "order-desk")
    shown = call(view_project, route=ROUTE, headers=HTML, token=token, code="guess")
    assert "<form" not in shown.body
    assert "/doneright retry" in shown.body


def test_a_run_the_engine_has_lost_keeps_its_decision(call, client, app, run):
    client.lost = True
    assert decide(call, client, {"decision": "accept"}).status == 202
    assert app.ports.project("order-desk").question.decision.choice is Choice.ACCEPT
