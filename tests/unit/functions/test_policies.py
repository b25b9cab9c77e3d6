"""Policies over HTTP: shown with the level that decides, set, checked line by line, and tried on what was reviewed."""

from __future__ import annotations

import pytest
from durabletask.client import OrchestrationStatus

from functions.policies import (
    check_policy,
    set_organisation_policy,
    set_project_policy,
    show_organisation_policy,
    show_policy,
    show_simulation,
    simulate_policy_on_reviews,
)
from orchestrations import activities
from orchestrations.simulation import simulation
from shared.domain.audit import TENANT, AuditTag
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.project import RequestOrigin
from shared.domain.run import ProjectRecord, ProjectState
from shared.domain.simulation import SimulationState
from shared.policies.parsing import POLICY_FILE
from shared.reviews.simulations import kept
from tests.fakes.app import T0, a_request
from tests.fakes.changes import a_change, a_ref
from tests.fakes.forges import Fault
from tests.replay.engine import Engine

ROUTE = {"project": "order-desk"}
STRICT = "stages: {development: {change_is_small: enforced}}"
YAML = {"content-type": "application/yaml"}


@pytest.fixture
def desk(app):
    app.connect_to()
    record = ProjectRecord(
        id="order-desk", name="Order Desk", connection="acme", subject="s", run=1, instance="s.1",
        state=ProjectState.COMPLETED, request=a_request(), origin=RequestOrigin(subject="s", requester="casey"),
        created_at=T0, started_at=T0,
    )  # fmt: skip
    app.ports.projects.put("projects", record.id, record)
    ref = RepositoryRef(owner="acme", name="order-desk")
    app.github.create_repository(ref, description="", private=True)
    app.github.commit_files(ref, "main", {"README.md": b"x"}, message="first")
    return app


def rule(body, criterion):
    return next(one for one in body["rules"] if one["criterion"] == criterion)


# Shown and set.


def test_without_a_word_of_anybody_the_shipped_policy_holds(call, desk):
    answer = call(show_policy, route=ROUTE)
    assert answer.status == 200
    found = rule(answer.body, "change_is_small")
    assert (found["enforcement"], found["decided_by"]) == ("advisory", "shipped")
    assert answer.body["said"] == []


def test_what_a_project_says_holds_and_is_told_with_its_level(call, desk):
    answer = call(set_project_policy, "PUT", STRICT.encode(), route=ROUTE, headers=YAML)
    assert answer.status == 200
    found = rule(answer.body, "change_is_small")
    assert (found["enforcement"], found["decided_by"]) == ("enforced", "project")
    (said,) = call(show_policy, route=ROUTE).body["said"]
    assert (said["level"], said["text"]) == ("project", STRICT)
    assert desk.tags("order-desk") == [AuditTag.POLICY_CHANGED]


def test_an_organisation_sets_its_own_in_place_of_the_shipped(call, desk):
    route = {"id": "acme"}
    assert call(show_organisation_policy, route=route).status == 404
    off = {"stages": {"integration": {"no_secrets": "off"}}}
    answer = call(set_organisation_policy, "PUT", {"policy": off}, route=route)
    assert (answer.status, answer.body["level"], answer.body["of"]) == (200, "organisation", "acme")
    assert call(show_organisation_policy, route=route).body == answer.body
    assert rule(call(show_policy, route=ROUTE).body, "no_secrets")["enforcement"] == "off"
    assert desk.tags(TENANT)[-1] is AuditTag.POLICY_CHANGED


def test_what_weakens_is_kept_told_and_without_effect(call, desk):
    weak = "stages: {integration: {no_secrets: off}}"
    answer = call(set_project_policy, "PUT", {"policy": weak}, route=ROUTE)
    assert rule(answer.body, "no_secrets")["enforcement"] == "enforced"
    (weakening,) = answer.body["weakenings"]
    assert (weakening["criterion"], weakening["level"], weakening["demanded"]) == ("no_secrets", "project", "enforced")


@pytest.mark.parametrize("set_", [set_project_policy, set_organisation_policy])
def test_a_policy_at_fault_is_refused_by_field_and_line_and_nothing_is_set(call, desk, set_):
    route = ROUTE if set_ is set_project_policy else {"id": "acme"}
    answer = call(set_, "PUT", b"version: 1\nstages:\n  nowhere: {}\n", route=route, headers=YAML)
    assert answer.status == 400
    (fault,) = answer.body["errors"]
    assert (fault["field"], fault["line"]) == ("stages.nowhere", 3)
    assert desk.reviews.policies.list(None) == []


def test_a_repository_adds_what_stands_on_its_default_branch(call, desk):
    desk.review_forges[ForgeName.GITHUB].contents["acme/order-desk", POLICY_FILE, "main"] = STRICT.encode()
    for params in ({"forge": "github"}, {"repository": "order-desk"}, {"repository": "ACME/Order-Desk"}):
        answer = call(show_policy, route=ROUTE, **params)
        assert answer.status == 200
        assert answer.body["repository"] == "acme/order-desk"
        assert rule(answer.body, "change_is_small")["decided_by"] == "repository"
        assert answer.body["said"][0]["of"] == "acme/order-desk@main"


def test_a_repository_whose_policy_cannot_be_read_is_told_and_the_wider_levels_hold(call, desk):
    forge = desk.review_forges[ForgeName.GITHUB]
    forge.contents["acme/order-desk", POLICY_FILE, "main"] = b"\xff"
    answer = call(show_policy, route=ROUTE, forge="github")
    assert "is not UTF-8" in answer.body["faults"][0]
    assert rule(answer.body, "change_is_small")["decided_by"] == "shipped"
    forge.fail("file_at", Fault.REFUSED)
    assert "the forge refuses" in call(show_policy, route=ROUTE, forge="github").body["faults"][0]


@pytest.mark.parametrize(
    ("params", "says"),
    [({"repository": "other"}, "no such repository"), ({"forge": "gitlab"}, "no such repository"),
     ({"forge": "azure_devops"}, "is not there")],
)  # fmt: skip
def test_a_repository_that_is_none_is_not_found(call, desk, params, says):
    answer = call(show_policy, route=ROUTE, **params)
    assert answer.status == 404
    assert says in answer.body["detail"]
    assert answer.body["remedy"]


@pytest.mark.parametrize(
    ("function", "method", "route"),
    [
        (show_policy, "GET", {"project": "gone"}),
        (set_project_policy, "PUT", {"project": "gone"}),
        (show_organisation_policy, "GET", {"id": "gone"}),
        (set_organisation_policy, "PUT", {"id": "gone"}),
    ],
)
def test_what_is_not_there_is_not_found(call, desk, function, method, route):
    assert call(function, method, {"policy": ""}, route=route).status == 404


# Checked.


def test_every_fault_is_named_by_field_and_line(call, desk):
    text = "version: 0\nstages:\n  integration:\n    ci_is_gren: enforced\n    no_secrets: strict\n"
    answer = call(check_policy, "POST", text.encode(), headers=YAML)
    assert (answer.status, answer.body["valid"]) == (200, False)
    assert [(one["field"], one["line"]) for one in answer.body["faults"]] == [
        ("version", 1), ("stages.integration.ci_is_gren", 4), ("stages.integration.no_secrets", 5),
    ]  # fmt: skip
    assert "perhaps ci_is_green" in answer.body["faults"][1]["problem"]


def test_a_sound_policy_is_told_sound_with_what_it_asks_in_vain(call, desk):
    weak = {"stages": {"integration": {"no_secrets": "off", "ci_is_green": "enforced"}}}
    alone = call(check_policy, "POST", {"policy": weak})
    assert (alone.body["valid"], alone.body["criteria"], alone.body["weakenings"]) == (True, 2, [])
    there = call(check_policy, "POST", {"policy": weak, "project": "order-desk"})
    assert [one["criterion"] for one in there.body["weakenings"]] == ["no_secrets"]
    wide = call(check_policy, "POST", {"policy": weak, "project": "order-desk", "level": "organisation"})
    assert wide.body["weakenings"] == []
    text = b"stages: {integration: {no_secrets: off}}"
    said = call(check_policy, "POST", text, headers=YAML, project="order-desk", level="project")
    assert [one["level"] for one in said.body["weakenings"]] == ["project"]
    assert desk.reviews.policies.list(None) == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xfe", YAML, 400),
        (b"not json", {}, 400),
        ({}, {}, 400),
        ({"policy": 5}, {}, 400),
        ({"policy": "", "level": "shipped"}, {}, 400),
        ({"policy": "", "more": 1}, {}, 400),
        ({"policy": "", "project": "gone"}, {}, 404),
    ],
)
def test_a_question_that_is_none_is_refused(call, desk, body, headers, status):
    answer = call(check_policy, "POST", body, headers=headers)
    assert answer.status == status
    assert answer.body["detail"]


# Tried.


def tried(call, client, **changes):
    body = {"policy": STRICT, "project": "order-desk"} | changes
    return call(simulate_policy_on_reviews, "POST", body, client=client)


def carried_out(app, client, ident, monkeypatch):
    services = app.services()
    monkeypatch.setattr(activities, "services", lambda: services)
    names = ("simulate_policy", "break_off_simulation")
    name, payload = client.started[ident]
    assert name == "simulation"
    engine = Engine({"simulation": simulation}, {one: getattr(activities, one) for one in names})
    return engine.run(name, ident, payload)


def test_a_simulation_is_accepted_carried_out_and_shown(call, client, desk, monkeypatch):
    ref = a_ref().model_copy(update={"repository": RepositoryRef(owner="acme", name="order-desk")})
    desk.review_forges[ForgeName.GITHUB].open(a_change(ref=ref))
    answer = tried(call, client, last=5, forge="github")
    assert answer.status == 202
    ident = answer.body["id"]
    assert answer.headers["Location"].endswith(f"/api/policies/simulations/{ident}")
    running = call(show_simulation, route={"id": ident}, client=client)
    assert (running.status, running.body["state"], running.headers["Retry-After"]) == (200, "running", "2")
    run = carried_out(desk, client, ident, monkeypatch)
    assert run.output["result"].startswith("sha256:")
    shown = call(show_simulation, route={"id": ident}, client=client).body
    assert (shown["state"], shown["result"]["counts"]) == ("completed", {"not reviewed": 1})
    assert shown["result"]["changes"][0]["reason"] == "there is no review of it"
    assert desk.tags("order-desk") == [AuditTag.POLICY_SIMULATED]


def test_yaml_with_the_rest_in_the_address_is_taken(call, client, desk):
    answer = call(
        simulate_policy_on_reviews, "POST", STRICT.encode(), headers=YAML, client=client, project="order-desk", last="7"
    )
    assert answer.status == 202
    assert kept(desk.reviews, answer.body["id"]).asked.last == 7


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"last": 0}, "last"), ({"last": 101}, "last"), ({"level": "shipped"}, "level"), ({"forge": "gitlab"}, "forge"),
     ({"project": ""}, "project"), ({"policy": "stages: {nowhere: {}}"}, "stages.nowhere")],
)  # fmt: skip
def test_what_cannot_be_tried_is_refused_by_field(call, client, desk, changes, field):
    answer = tried(call, client, **changes)
    assert answer.status == 400
    assert field in [one["field"] for one in answer.body["errors"]]
    assert client.started == {}


def test_an_unknown_project_or_simulation_is_not_found(call, client, desk):
    assert tried(call, client, project="gone").status == 404
    assert call(show_simulation, route={"id": "simulation-0"}, client=client).status == 404


def test_an_engine_that_is_away_leaves_no_simulation_running(call, client, desk):
    client.away = True
    assert tried(call, client).status == 503
    ((_, _, record),) = desk.reviews.simulations.list("simulations")
    assert record.state is SimulationState.FAILED
    assert "it was not begun" in record.reason


def test_a_run_that_ended_without_a_word_is_told(call, client, desk):
    ident = tried(call, client).body["id"]
    client.ends[ident] = OrchestrationStatus.TERMINATED
    shown = call(show_simulation, route={"id": ident}, client=client).body
    assert (shown["state"], shown["reason"]) == ("failed", "its run ended as terminated")


def test_what_became_impossible_meanwhile_is_told(call, client, desk, monkeypatch):
    ident = tried(call, client).body["id"]
    monkeypatch.setattr(desk.reviews.projects, "get", lambda *_: None)
    run = carried_out(desk, client, ident, monkeypatch)
    assert run.output["result"] == ""
    monkeypatch.undo()
    assert kept(desk.reviews, ident).state is SimulationState.FAILED


def test_a_forge_that_asks_for_patience_gets_it(call, client, desk, monkeypatch):
    ident = tried(call, client).body["id"]
    desk.review_forges[ForgeName.GITHUB].fail("changes", Fault.TRANSIENT, 2)
    run = carried_out(desk, client, ident, monkeypatch)
    assert run.output["reason"] == ""
    assert kept(desk.reviews, ident).state is SimulationState.COMPLETED


def test_an_activity_that_breaks_ends_the_simulation_with_its_reason(call, client, desk, monkeypatch):
    ident = tried(call, client).body["id"]
    desk.artifacts.tamper(kept(desk.reviews, ident).asked.policy, b"altered")
    run = carried_out(desk, client, ident, monkeypatch)
    assert "was altered" in run.output["reason"]
    assert "was altered" in kept(desk.reviews, ident).reason
