"""The runbooks over their real activities and in-memory forges: a request becomes a project, once, on record."""

from __future__ import annotations

import json

import pytest

from orchestrations import activities
from shared.domain.audit import TENANT, AuditTag
from shared.domain.delivery import RequestState
from shared.domain.forge import ForgeName
from shared.domain.plan import Plan
from shared.domain.run import ProjectState
from shared.errors import RefusedError, TransientError
from shared.projects.ports import REQUESTS
from tests.fakes.app import App, a_connection, an_issue, form
from tests.fakes.forges import Fault
from tests.replay.engine import Engine
from tests.replay.story import RUNBOOKS


@pytest.fixture
def app(monkeypatch):
    app = App()
    app.connect_to()
    services = app.services()
    monkeypatch.setattr(activities, "services", lambda: services)
    return app


def run(app: App, issue=None, number: int = 1):
    given = app.run_for(issue or an_issue(), number)
    engine = Engine(RUNBOOKS, {activity.__name__: activity for activity in activities.ACTIVITIES})
    return engine, engine.run("bootstrap", given.instance, given.model_dump(mode="json"))


def said(app: App) -> list[str]:
    return [comment.body for comment in app.github.said["acme/requests", 7]]


def test_a_request_becomes_a_project_on_both_forges(app):
    engine, instance = run(app)
    assert instance.output == {"state": "completed", "project": "order-desk", "reason": ""}
    assert app.github.names() == ["acme/order-desk"]
    assert app.azure.names() == ["Order Desk/Order Desk"]
    assert "is ready" in said(app)[-1]
    tags = app.tags("order-desk")
    assert tags[0] is AuditTag.REQUEST_RECEIVED
    assert AuditTag.PROJECT_COMPLETED in tags
    assert all(len(json.dumps(payload)) < 100_000 for _, payload in engine.called)


def test_running_it_again_changes_nothing(app):
    run(app)
    before = [len([c for c in forge.changes() if c != "comment"]) for forge in (app.github, app.azure)]
    _, again = run(app, number=2)
    assert again.output["state"] == "completed"
    assert [len([c for c in forge.changes() if c != "comment"]) for forge in (app.github, app.azure)] == before


@pytest.mark.parametrize("method", ["create_repository", "commit_files", "protect_branch", "create_hook", "comment"])
def test_lost_answers_leave_one_of_everything(app, method):
    app.github.fail(method, Fault.LOST, 2)
    _, instance = run(app)
    assert instance.output["state"] == "completed"
    assert app.github.names() == ["acme/order-desk"]
    assert len({body.split("\n")[0] for body in said(app)}) == len(said(app))


def test_a_stranger_is_refused_and_nothing_is_touched(app):
    _, instance = run(app, an_issue(author="mallory"))
    assert instance.output["state"] == "refused"
    assert "not on the list" in said(app)[0]
    assert app.github.names() == app.azure.names() == []


def test_an_advisory_connection_shows_its_plan_and_touches_nothing(app):
    app.connect_to(a_connection(mode="advisory"))
    _, instance = run(app)
    assert instance.output["state"] == "advised"
    assert app.github.names() == app.azure.names() == []
    assert "Repository acme/order" in said(app)[-1]


def test_a_refused_step_fails_the_project_and_skips_what_needs_it(app):
    app.github.fail("create_repository", Fault.REFUSED)
    _, instance = run(app)
    assert instance.output["state"] == "failed"
    assert app.ports.project("order-desk").state is ProjectState.FAILED
    tags = app.tags("order-desk")
    plan = Plan.model_validate_json(app.artifacts.get(app.ports.project("order-desk").plan))
    after_it = [step for step in plan.steps if step.forge is ForgeName.GITHUB and step.depends_on]
    assert tags.count(AuditTag.STEP_SKIPPED) == len(after_it) > 1
    assert AuditTag.AZURE_DEVOPS_STEP_APPLIED in tags


@pytest.mark.parametrize("error", [RefusedError("the token expired", "Renew it."), TransientError("GitHub is away", 1)])
def test_a_request_that_could_not_be_weighed_is_on_record_and_can_be_run_again(app, error):
    app.unreachable["acme"] = error
    _, instance = run(app)
    assert instance.output["state"] == "failed"
    assert app.ports.requests.get(REQUESTS, "github-issue-77")[0].state is RequestState.FAILED
    assert app.tags(TENANT) == [AuditTag.REQUEST_REFUSED]
    app.unreachable.clear()
    _, again = run(app, number=2)
    assert again.output["state"] == "completed"


def test_an_incomplete_request_is_answered_field_by_field(app):
    run(app, an_issue(form(Owner="", Stack="COBOL")))
    (answer,) = said(app)
    assert "| Owner |" in answer
    assert "| Stack |" in answer
