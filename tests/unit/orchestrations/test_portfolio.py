"""A portfolio over its real activities: every project by its own run, failures told by project, nothing done twice."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from orchestrations import activities
from shared.domain.audit import TENANT, AuditTag
from shared.domain.decision import Choice, Decision
from shared.domain.portfolio import EntryState, PortfolioState, SeedState
from shared.domain.run import ProjectState
from shared.errors import DefectError, TransientError
from shared.projects import asking, deciding
from shared.projects.portfolio import previewing
from shared.projects.portfolio.ports import PORTFOLIOS
from shared.projects.portfolio.viewing import view
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault
from tests.fakes.portfolios import EPIC, NAMES, a_file, a_portfolio, begin, carry_out, engine


@pytest.fixture
def app(monkeypatch):
    app = App()
    app.connect_to()
    services = app.services()
    monkeypatch.setattr(activities, "services", lambda: services)
    return app


def states(app):
    return {row.project: row.state for row in view(app.portfolios, "shop").projects}


def changes(app):
    return [len(forge.changes()) for forge in (app.github, app.azure)]


def test_every_project_is_made_by_a_run_of_its_own(app):
    driven, instance = carry_out(app)
    assert instance.output == {"state": "completed", "reason": ""}
    assert sorted(app.github.names()) == ["acme/order-desk", "acme/price-list", "acme/web-shop"]
    assert states(app) == dict.fromkeys(["order-desk", "price-list", "web-shop"], EntryState.COMPLETED)
    assert {"api-order-desk.1", "api-price-list.1", "api-web-shop.1"} <= set(driven.instances)
    assert all(len(json.dumps(payload)) < 100_000 for _, payload in driven.called)
    shown = view(app.portfolios, "shop")
    assert (shown.state, shown.done, shown.total, shown.failed) == (PortfolioState.COMPLETED, 3, 3, 0)
    assert shown.finished_at


def test_no_more_are_under_way_than_the_setting_lets(app):
    driven, instance = carry_out(app, a_file("A1", "B1", "C1", "D1", "E1"), at_once=2)
    begun = [action for turn in instance.turns for action in turn.actions if "start runbook bootstrap" in action]
    assert len(begun) == 5
    assert sum("start runbook bootstrap" in action for action in instance.turns[2].actions) <= 1
    ended = 0
    for turn in instance.turns:
        ended += sum(event.HasField("subOrchestrationInstanceCompleted") for event in turn.events)
        started = sum(
            "start runbook bootstrap" in action
            for earlier in instance.turns[: instance.turns.index(turn) + 1]
            for action in earlier.actions
        )
        assert started - ended <= 2
    assert driven.names().count("begin_portfolio_project") == 5


def test_running_it_again_changes_nothing(app):
    carry_out(app, a_file(epics=[EPIC]))
    before = changes(app)
    driven, instance = carry_out(app, a_file(epics=[EPIC]))
    assert instance.id == "portfolio-shop.2"
    assert instance.output["state"] == "completed"
    assert changes(app) == before
    assert set(states(app).values()) == {EntryState.UNCHANGED}
    assert not [name for name in driven.instances if name.startswith("api-")]
    assert {row.state for epic in view(app.portfolios, "shop").epics for row in epic.seeded} == {SeedState.CONFIRMED}


def test_one_that_fails_stops_no_other_and_is_told_with_its_reason(app):
    app.github.fail("create_repository", Fault.REFUSED)
    _, instance = carry_out(app)
    assert instance.output["state"] == "partly_failed"
    assert Counter(states(app).values()) == {EntryState.COMPLETED: 2, EntryState.FAILED: 1}
    failed = next(row for row in view(app.portfolios, "shop").projects if row.state is EntryState.FAILED)
    assert failed.remedy
    (told,) = [event for event in app.events(TENANT) if event.tag is AuditTag.PORTFOLIO_FAILED]
    assert told.detail["ends"] == {failed.project: "failed"}
    assert told.detail["failed"] == 1


def test_the_same_file_again_tries_what_failed_and_nothing_else(app):
    app.github.fail("create_repository", Fault.REFUSED)
    carry_out(app)
    _, again = carry_out(app)
    assert again.output["state"] == "completed"
    assert Counter(states(app).values()) == {EntryState.UNCHANGED: 2, EntryState.COMPLETED: 1}


def test_every_project_and_the_tenant_have_it_on_record_with_the_file(app):
    carry_out(app)
    record = app.portfolios.portfolios.get(PORTFOLIOS, "shop")[0]
    assert json.loads(app.artifacts.get(record.start.file)) == a_file()
    assert app.tags(TENANT) == [AuditTag.PORTFOLIO_RECEIVED, AuditTag.PORTFOLIO_COMPLETED]
    assert {event.artifacts for event in app.events(TENANT)} == {(record.start.file,)}
    for project in ("order-desk", "price-list", "web-shop"):
        assert app.tags(project)[-1] is AuditTag.PROJECT_ENLISTED
        assert app.events(project)[-1].detail == {"portfolio": "shop", "state": "completed"}


def test_an_advisory_connection_makes_nothing_and_is_no_failure(app):
    app.connect_to(a_connection(mode="advisory"))
    _, instance = carry_out(app, a_file(epics=[EPIC]))
    assert instance.output["state"] == "completed"
    assert set(states(app).values()) == {EntryState.ADVISED}
    assert changes(app) == [0, 0]


def test_a_project_that_waits_for_a_person_gives_its_place_to_others(app):
    app.github.fail("create_repository", Fault.REFUSED)
    driven, run = engine(), begin(app, at_once=1, decision_seconds=3600)
    seen = []

    def decide_at_last(payload):
        shown = view(app.portfolios, "shop")
        seen.append((shown.waiting, dict(states(app))))
        answer = activities.look_at_portfolio(payload)
        if shown.done == 2:
            deciding.decide(app.ports, "order-desk", Choice.ACCEPT, actor="p", source="api")
            driven.scripted_events["api-order-desk.1"] = ["decision.1"]
        return answer

    driven._activities["look_at_portfolio"] = decide_at_last
    # Nothing looks any more once the others are done, so the decision comes with the first event there is.
    ended = activities.end_portfolio_project

    def end(payload):
        answer = ended(payload)
        if view(app.portfolios, "shop").done == 2 and payload["project"] != "order-desk":
            deciding.decide(app.ports, "order-desk", Choice.ACCEPT, actor="p", source="api")
            driven.scripted_events["api-order-desk.1"] = ["decision.1"]
        return answer

    driven._activities["end_portfolio_project"] = end
    instance = driven.run("portfolio", run.instance, run.model_dump(mode="json"))
    assert any(waiting == 1 for waiting, _ in seen)
    assert instance.output["state"] == "completed"
    assert states(app) == {
        "order-desk": EntryState.ACCEPTED, "price-list": EntryState.COMPLETED, "web-shop": EntryState.COMPLETED
    }  # fmt: skip
    record = app.ports.project("order-desk")
    assert isinstance(record.question.decision, Decision)


def test_a_run_that_is_under_way_already_is_waited_for_and_not_begun_twice(app):
    kept = asking.ask(
        app.ports, a_request(), a_connection(), "api", deadline_seconds=60, pause_seconds=1.0, decision_seconds=0
    )
    driven, run = engine(), begin(app)
    looks = []

    def look(payload):
        looks.append(payload["projects"])
        if len(looks) == 3:
            # Whoever asked first starts it at last, as the sweep would.
            driven._start("bootstrap", kept.instance, kept.start.model_dump_json(), None)
        return activities.look_at_portfolio(payload)

    driven._activities["look_at_portfolio"] = look
    instance = driven.run("portfolio", run.instance, run.model_dump(mode="json"))
    assert instance.output["state"] == "completed"
    assert len(looks) >= 4
    assert not [action for turn in instance.turns for action in turn.actions if action.endswith(kept.instance)]
    assert states(app)["order-desk"] is EntryState.COMPLETED


def test_a_request_that_is_refused_meanwhile_is_told_field_by_field(app):
    run = begin(app)
    asking.ask(
        app.ports, a_request(description="Another"), a_connection(), "api",
        deadline_seconds=60, pause_seconds=1.0, decision_seconds=0,
    )  # fmt: skip
    driven = engine()
    instance = driven.run("portfolio", run.instance, run.model_dump(mode="json"))
    assert instance.output["state"] == "partly_failed"
    row = next(row for row in view(app.portfolios, "shop").projects if row.project == "order-desk")
    assert row.state is EntryState.REFUSED
    assert [fault.field for fault in row.faults] == ["description"]


@pytest.mark.parametrize("activity", ["begin_portfolio_project", "end_portfolio_project", "draw_portfolio"])
def test_a_defect_about_one_project_ends_the_run_and_is_told(app, activity):
    real, broken = getattr(activities, activity), []

    def break_once(payload):
        if payload.get("project", "price-list") == "price-list" and not payload.get("reason"):
            broken.append(payload)
            raise DefectError("broken")
        return real(payload)

    driven, run = engine(), begin(app)
    driven._activities[activity] = break_once
    instance = driven.run("portfolio", run.instance, run.model_dump(mode="json"))
    assert broken
    if activity == "draw_portfolio":
        assert instance.output["state"] == "failed"
        assert "broken" in view(app.portfolios, "shop").reason
        return
    assert instance.output["state"] == "partly_failed"
    assert states(app)["web-shop"] is EntryState.COMPLETED


def test_a_bootstrap_that_breaks_in_the_engine_is_settled_and_told(app):
    driven, run = engine(), begin(app)
    real = activities.conclude_run

    def conclude(payload):
        if payload["project"] == "price-list":
            raise DefectError("storage is gone")
        return real(payload)

    driven._activities["conclude_run"] = conclude
    instance = driven.run("portfolio", run.instance, run.model_dump(mode="json"))
    assert instance.output["state"] == "completed"
    # Its steps had all succeeded and were read back: settling it completes it.
    assert app.ports.project("price-list").state is ProjectState.COMPLETED


def test_looks_that_fail_are_repeated(app):
    asked = asking.ask(
        app.ports, a_request(), a_connection(), "api", deadline_seconds=60, pause_seconds=1.0, decision_seconds=0
    )
    driven, run, looks = engine(), begin(app), []

    def look(payload):
        looks.append(1)
        if len(looks) == 1:
            raise DefectError("no")
        if len(looks) == 2:
            driven._start("bootstrap", asked.instance, asked.start.model_dump_json(), None)
        return activities.look_at_portfolio(payload)

    driven._activities["look_at_portfolio"] = look
    assert driven.run("portfolio", run.instance, run.model_dump(mode="json")).output["state"] == "completed"


def test_a_dry_run_looks_at_every_project_and_changes_nothing(app):
    carry_out(app, a_file("Order Desk"))
    before = changes(app)
    run = previewing.begin(app.portfolios, a_portfolio(), app.ports.connection("acme"), 2)
    assert previewing.begin(app.portfolios, a_portfolio(), app.ports.connection("acme"), 2) == run
    driven = engine()
    instance = driven.run("portfolio_preview", run.instance, run.model_dump(mode="json"))
    assert instance.output == {"projects": 3, "would_succeed": 3, "reason": ""}
    shown = previewing.newest(app.portfolios, "shop")
    assert shown.would_succeed
    assert [row.project for row in shown.projects] == ["order-desk", "price-list", "web-shop"]
    assert [row.difference for row in shown.projects] == ["none", "make", "make"]
    assert shown.projects[1].changes
    assert changes(app) == before
    assert app.ports.project("price-list") is None


def test_a_dry_run_of_one_that_cannot_be_looked_at_stops_no_other(app):
    real = activities.preview_portfolio_project

    def look(payload):
        if payload["project"] == "price-list" and not payload["reason"]:
            raise DefectError("broken")
        return real(payload)

    driven = engine()
    driven._activities["preview_portfolio_project"] = look
    run = previewing.begin(app.portfolios, a_portfolio(), app.ports.connection("acme"), 2)
    instance = driven.run("portfolio_preview", run.instance, run.model_dump(mode="json"))
    assert instance.output == {"projects": 3, "would_succeed": 2, "reason": ""}
    shown = previewing.newest(app.portfolios, "shop")
    assert (shown.state, shown.would_succeed) == ("completed", False)
    assert "broken" in shown.projects[1].reason


def test_a_dry_run_that_cannot_begin_says_so(app):
    driven = engine()

    def broken(payload):
        raise TransientError("no storage")

    driven._activities["list_portfolio_projects"] = broken
    run = previewing.begin(app.portfolios, a_portfolio(), app.ports.connection("acme"), 2)
    driven.run("portfolio_preview", run.instance, run.model_dump(mode="json"))
    shown = previewing.newest(app.portfolios, "shop")
    assert (shown.state, shown.would_succeed) == ("failed", False)
    assert shown.reason


def test_names_of_the_file_are_those_of_the_projects():
    assert [request.name for request in a_portfolio().projects] == list(NAMES)
