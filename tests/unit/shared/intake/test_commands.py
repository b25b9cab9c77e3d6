"""Commands in comments: who may give them, what they do, and that each refusal is answered where it was asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.audit import AuditTag
from shared.domain.decision import Choice
from shared.domain.delivery import DeliveryState, Envelope
from shared.domain.forge import ForgeName
from shared.domain.run import ProjectState
from shared.domain.run_activities import Asking
from shared.intake.commands import word_in
from shared.intake.envelopes import wrap
from shared.intake.handling import handle
from shared.projects import deciding
from tests.fakes.app import App, a_connection
from tests.fakes.forges import Fault
from tests.unit.shared.projects.test_run import Run


@pytest.fixture
def run():
    app = App()
    app.connect_to()
    run = Run(app)
    app.github.fail("create_repository", Fault.REFUSED)
    run.apply_all()
    due = app.clock.now() + timedelta(hours=1)
    deciding.ask(app.ports, Asking(run=run.input, project=run.project, round=1, due=due))
    return run


def says(
    app: App, body: str, *, login: str = "mona", kind: str = "User", number: int = 5, issue: int = 77, action="created"
):
    payload = {
        "action": action,
        "comment": {"id": number, "body": body, "user": {"login": login, "type": kind}, "html_url": "https://x/5"},
        "issue": {"id": issue, "number": 7, "title": "New project", "labels": [{"name": "new-project"}]},
        "repository": {"full_name": "acme/requests"},
    }
    import json

    envelope: Envelope = wrap(
        forge=ForgeName.GITHUB, delivery=f"d-{number}", event="issue_comment", text=json.dumps(payload),
        received_at=app.clock.now(), correlation="c", artifacts=app.artifacts, large=24_000,
    )  # fmt: skip
    return handle(app.ports, envelope, deadline_seconds=60, pause_seconds=1)


def decision(run):
    return run.app.ports.project(run.project).question.decision


@pytest.mark.parametrize("choice", Choice)
def test_somebody_with_write_access_decides(run, choice):
    handling = says(run.app, f"Let us go on.\r\n\r\n/doneright {choice}\r\n")
    assert handling.state is DeliveryState.HANDLED
    assert (handling.wake.instance, handling.wake.event) == (run.input.instance, "decision.1")
    assert decision(run).choice is choice
    assert decision(run).source == "comment-5"
    assert "mona" not in decision(run).actor


def test_the_same_comment_twice_is_no_second_decision(run):
    says(run.app, "/doneright retry")
    said = len(run.comments())
    assert says(run.app, "/doneright retry").wake is not None
    assert len(run.comments()) == said


def test_somebody_without_write_access_is_answered_and_changes_nothing(run):
    handling = says(run.app, "/doneright accept", login="robin")
    assert handling.state is DeliveryState.IGNORED
    assert decision(run) is None
    answer = run.comments()[-1]
    assert "robin may not write to acme/requests" in answer
    assert "@" not in answer.replace("@\u200b", "")
    assert AuditTag.COMMAND_REFUSED in run.app.tags(run.project)


def test_a_refusal_is_answered_once_however_often_it_is_delivered(run):
    says(run.app, "/doneright accept", login="robin")
    said = len(run.comments())
    says(run.app, "/doneright accept", login="robin")
    assert len(run.comments()) == said


@pytest.mark.parametrize("body", ["/doneright", "/doneright perhaps", "/doneright COMPENSATE-ALL"])
def test_what_is_no_command_is_answered_with_those_there_are(run, body):
    says(run.app, body)
    for choice in Choice:
        assert f"/doneright {choice}" in run.comments()[-1]
    assert decision(run) is None


def test_a_second_decision_comes_too_late(run):
    says(run.app, "/doneright retry")
    says(run.app, "/doneright compensate", number=6)
    assert "decided already" in run.comments()[-1]
    assert decision(run).choice is Choice.RETRY


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": "Bot"}, "programs give no commands"),
        ({"issue": 99}, "no request that Doneright took up"),
        ({"action": "edited"}, "nothing follows from a comment being edited"),
    ],
)
def test_what_is_not_said_to_us_by_a_person_is_ignored_without_an_answer(run, changed, reason):
    said = len(run.comments())
    handling = says(run.app, "/doneright retry", **changed)
    assert (handling.state, handling.wake) == (DeliveryState.IGNORED, None)
    assert reason in handling.reason
    assert len(run.comments()) == said


def test_talk_costs_no_call_to_the_forge(run):
    before = len(run.app.github.calls)
    assert says(run.app, "What happened here?").state is DeliveryState.IGNORED
    assert len(run.app.github.calls) == before


def test_a_paused_connection_holds_the_command(run):
    run.app.connect_to(a_connection(paused=True))
    assert says(run.app, "/doneright retry").state is DeliveryState.HELD
    assert decision(run) is None


def test_a_request_that_has_ended_refuses(run):
    says(run.app, "/doneright accept")
    record = run.app.ports.project(run.project)
    run.app.ports.projects.put("projects", record.id, record.model_copy(update={"state": ProjectState.ACCEPTED}))
    assert says(run.app, "/doneright retry", number=6).wake is None
    assert "decided already" in run.comments()[-1]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("/doneright retry", "retry"),
        ("/doneright   RETRY  ", "retry"),
        ("text\n/doneright accept\nmore", "accept"),
        ("/doneright", ""),
        ("> /doneright retry", None),
        (" /doneright retry", None),
        ("please /doneright retry", None),
        ("/doneright retry now", None),
        ("/donerightly retry", None),
        ("```\n/doneright retry\n```", None),
        ("~~~~\n/doneright retry\n~~~~\n/doneright accept", "accept"),
        ("```\n/doneright retry", None),
        ("<!-- \n/doneright retry\n-->", None),
        ("<!--\n/doneright retry", None),
        ("", None),
    ],
)
def test_a_command_is_a_line_of_its_own_outside_of_code(body, word):
    assert word_in(body) == word


@given(st.text(alphabet="/doneright \n`~<!->retry", max_size=60))
def test_no_comment_raises(body):
    found = word_in(body)
    assert found is None or "/doneright" in body
