"""What follows from a delivery: a run, a record, or nothing with its reason; and never more than once."""

from __future__ import annotations

import json

import pytest

from shared.domain.audit import AuditTag
from shared.domain.delivery import DeliveryState, Envelope, RequestState
from shared.domain.forge import ForgeName
from shared.domain.run import ProjectRecord, ProjectState
from shared.errors import RefusedError
from shared.intake.handling import handle
from shared.projects.admission import admit
from shared.projects.ports import PROJECTS, REQUESTS
from tests.fakes.app import App, a_connection, a_request, an_issue, form
from tests.fakes.app import an_ended_request as ended
from tests.fakes.app import issues_payload as payload


def envelope(app: App, content, event="issues", forge=ForgeName.GITHUB, **changes):
    given = {"forge": forge, "id": "d-1", "event": event, "received_at": app.clock.now(), "body": json.dumps(content)}
    return Envelope.model_validate(given | changes)


def handled(app: App, content, **changes):
    return handle(app.ports, envelope(app, content, **changes), deadline_seconds=60, pause_seconds=0.5)


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    return app


def test_a_labelled_issue_starts_a_run(app):
    handling = handled(app, payload())
    assert handling.state is DeliveryState.HANDLED
    run = handling.start
    assert run
    assert (run.instance, run.run, run.connection) == ("github-issue-77.1", 1, "acme")
    assert (run.origin.requester, run.origin.issue) == ("casey", 7)
    assert app.artifacts.get(run.form).decode() == form()
    assert (run.step_deadline_seconds, run.step_pause_seconds) == (60, 0.5)


def test_doubled_deliveries_and_labels_start_the_same_instance(app):
    starts = [handled(app, payload() | {"action": action}, id=ident).start for action, ident in
              [("opened", "a"), ("labeled", "b"), ("opened", "c")]]  # fmt: skip
    assert {start.instance for start in starts if start} == {"github-issue-77.1"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (payload(labels=[]) | {"action": "labeled"}, "no label new-project"),
        (payload(labels=[{"name": "bug"}]) | {"action": "reopened"}, "no label"),
        (payload(labels=[]) | {"repository": {"full_name": "acme/other"}}, "no label"),
        (payload(labels=[], state="closed") | {"action": "edited"}, "no label"),
        (payload(labels=[], pull_request={"url": "x"}), "no label"),
        (payload(state="closed"), "is closed"),
        (payload() | {"action": "closed"}, "being closed"),
        (payload() | {"repository": {"full_name": "acme/other"}}, "no connection takes requests from acme/other"),
    ],
)
def test_what_is_no_request_is_ignored_with_the_reason(app, content, reason):
    handling = handled(app, content)
    assert handling.state is DeliveryState.IGNORED
    assert reason in handling.reason
    assert handling.start is None


def test_labels_count_whatever_their_case(app):
    assert handled(app, payload(labels=[{"name": "New-Project"}])).start


def test_a_paused_connection_holds_what_arrives(app):
    app.connect_to(a_connection(paused=True))
    handling = handled(app, payload())
    assert (handling.state, handling.connection, handling.start) == (DeliveryState.HELD, "acme", None)


OVER = [state for state in RequestState if state is not RequestState.RUNNING]


@pytest.mark.parametrize("state", OVER)
def test_the_same_request_again_is_a_duplicate(app, state):
    ended(app, state)
    handling = handled(app, payload())
    assert handling.state is DeliveryState.DUPLICATE
    assert f"is {state}" in handling.reason


@pytest.mark.parametrize(
    "changes",
    [{}, {"replay": 1}, {"content": payload(body=form(Owner="robin")) | {"action": "edited"}}],
    ids=["again", "replayed", "edited"],
)
def test_a_run_that_has_not_ended_is_offered_again_as_it_was_begun(app, changes):
    begun = app.run_for(an_issue())
    assert admit(app.ports, begun).admitted
    handling = handled(app, **{"content": payload()} | changes)
    assert (handling.state, handling.again, handling.start) == (DeliveryState.HANDLED, True, begun)


def test_a_run_whose_start_was_not_kept_cannot_be_offered_again(app):
    ended(app, RequestState.RUNNING)
    record, etag = app.ports.requests.get(REQUESTS, "github-issue-77")
    app.ports.requests.replace(REQUESTS, "github-issue-77", record.model_copy(update={"start": None}), etag)
    assert handled(app, payload()).state is DeliveryState.DUPLICATE
    assert handled(app, payload(), replay=1).state is DeliveryState.DUPLICATE


@pytest.mark.parametrize("state", OVER)
def test_an_edit_starts_a_new_run_after_a_refusal_only(app, state):
    ended(app, state)
    handling = handled(app, payload(body=form(Owner="robin")) | {"action": "edited"})
    if state is RequestState.REFUSED:
        assert handling.start
        assert handling.start.instance == "github-issue-77.2"
    else:
        assert handling.state is DeliveryState.DUPLICATE


@pytest.mark.parametrize("state", OVER)
def test_a_replay_goes_past_an_ended_run(app, state):
    ended(app, state)
    handling = handled(app, payload(), replay=1)
    assert handling.start
    assert (handling.start.run, handling.again) == (2, False)


def test_a_claimed_body_is_read_from_the_store(app):
    digest = app.artifacts.put(json.dumps(payload()).encode(), "application/json")
    assert handled(app, None, body="", claim=digest).start


@pytest.mark.parametrize("content", [{"action": "opened"}, payload(number=None), payload(id="x")])
def test_a_malformed_event_is_refused_naming_its_fields(app, content):
    with pytest.raises(RefusedError, match=r"is not what that event promises: .*(issue|repository)"):
        handled(app, content)


def a_project(app: App, name: str = "Order Desk"):
    request = a_request(name=name)
    run = app.api_run(request)
    now = app.clock.now()
    record = ProjectRecord(
        id=request.project_id,
        name=name,
        connection="acme",
        subject=run.subject,
        run=1,
        instance=run.instance,
        state=ProjectState.COMPLETED,
        request=request,
        origin=run.origin,
        created_at=now,
        started_at=now,
    )
    app.ports.projects.put(PROJECTS, record.id, record)


def build(**changes):
    resource = {"id": 9, "buildNumber": "9.1", "result": "succeeded", "project": {"name": "order desk"}}
    return {"eventType": "build.complete", "resource": resource | changes}


@pytest.mark.parametrize("changes", [{}, {"project": None, "definition": {"name": "order-desk"}}])
def test_a_build_of_our_project_is_recorded_once(app, changes):
    a_project(app)
    for _ in range(2):
        handling = handled(app, build(**changes), event="build.complete", forge=ForgeName.AZURE_DEVOPS)
        assert handling.state is DeliveryState.HANDLED
    assert app.tags("order-desk") == [AuditTag.AZURE_DEVOPS_BUILD_COMPLETED]
    assert app.events("order-desk")[0].detail == {"build": "9.1", "result": "succeeded", "delivery": "d-1"}


@pytest.mark.parametrize("repository", ["acme/requests", "ACME/Order-Desk"])
@pytest.mark.parametrize("action", ["opened", "edited"])
def test_an_issue_that_is_no_request_is_a_case_to_be_sorted(app, repository, action):
    a_project(app)
    content = payload(labels=[{"name": "bug"}]) | {"action": action, "repository": {"full_name": repository}}
    handling = handled(app, content)
    assert (handling.state, handling.start, handling.connection) == (DeliveryState.HANDLED, None, "acme")
    assert handling.case is not None
    assert (handling.case.repository, handling.case.number) == (repository, 7)


def test_a_case_waits_while_its_connection_is_paused_and_needs_the_connection_s_own_account(app):
    a_project(app)
    stranger = payload(labels=[]) | {"repository": {"full_name": "elsewhere/order-desk"}}
    assert handled(app, stranger).state is DeliveryState.IGNORED
    app.connect_to(a_connection(paused=True))
    assert handled(app, payload(labels=[])).state is DeliveryState.HELD


def test_a_build_of_a_stranger_is_ignored(app):
    a_project(app)
    content = build(project={"name": "Other"}, definition={"name": "order-desk"})
    handling = handled(app, content, event="build.complete", forge=ForgeName.AZURE_DEVOPS)
    assert handling.state is DeliveryState.IGNORED
    assert app.tags("order-desk") == []
    assert "'Other'" in handling.reason


def test_a_build_is_found_among_more_projects_than_one_page(app):
    for number in range(1001):
        a_project(app, f"A {number:04}")
    a_project(app)
    handling = handled(app, build(), event="build.complete", forge=ForgeName.AZURE_DEVOPS)
    assert handling.state is DeliveryState.HANDLED


def test_other_events_change_nothing(app):
    handling = handled(app, {}, event="push")
    assert (handling.state, handling.subject) == (DeliveryState.IGNORED, "")
    assert "push" in handling.reason
