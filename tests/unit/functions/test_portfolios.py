"""Portfolios over HTTP: one file, refused whole with every path, begun once, shown to scripts and browsers."""

from __future__ import annotations

import json

import pytest
import yaml
from durabletask.client import OrchestrationStatus

from functions import portfolios
from orchestrations import activities
from shared.domain.audit import TENANT, AuditTag
from shared.domain.portfolio import EntryState, PortfolioEnd, PortfolioRun, PreviewRun
from shared.errors import TransientError
from shared.projects.portfolio import running
from shared.projects.portfolio.ports import PORTFOLIOS
from tests.fakes.app import a_connection
from tests.fakes.portfolios import EPIC, a_file, carry_out
from tests.unit.functions.conftest import user_function

HTML = {"accept": "text/html"}
YAML = {"content-type": "application/yaml"}


@pytest.fixture
def send(app, client, call):
    def sent(file, headers=None, **params):
        return call(portfolios.create_portfolio, "POST", file, headers=headers, client=client, **params)

    return sent


@pytest.fixture
def made(app, monkeypatch):
    """Carry a file out to its end."""
    services = app.services()
    monkeypatch.setattr(activities, "services", lambda: services)
    return lambda file=None: carry_out(app, file)


@pytest.fixture(autouse=True)
def connected(app):
    app.connect_to()


def fields(answer):
    return {fault["field"] for fault in answer.body["errors"]}


def test_a_file_is_begun_and_its_file_kept(app, client, send):
    answer = send(a_file())
    assert answer.status == 202
    assert answer.headers["Location"] == "https://doneright.example/api/portfolios/shop"
    assert answer.body == {
        "id": "shop", "instance": "portfolio-shop.1", "status_url": "https://doneright.example/api/portfolios/shop"
    }  # fmt: skip
    name, payload = client.started["portfolio-shop.1"]
    assert name == "portfolio"
    run = PortfolioRun.model_validate(payload)
    assert json.loads(app.artifacts.get(run.file)) == a_file()
    assert run.at_once == 10
    assert len(json.dumps(payload)) < 10_000


def test_the_same_file_again_is_the_same_run_whatever_its_language(client, send):
    first = send(a_file())
    again = send(yaml.safe_dump(a_file()).encode(), YAML)
    assert (again.status, again.body["instance"]) == (202, first.body["instance"])
    assert len(client.started) == 1


def test_another_file_waits_until_the_run_has_ended(app, send):
    send(a_file())
    answer = send(a_file("Order Desk"))
    assert answer.status == 409
    assert "another file" in answer.body["detail"]
    assert answer.body["remedy"]


def test_a_run_the_engine_ended_unheard_is_put_on_record_and_another_begun(app, client, send):
    first = send(a_file())
    client.ends[first.body["instance"]] = OrchestrationStatus.TERMINATED
    answer = send(a_file())
    assert answer.body["instance"] == "portfolio-shop.2"
    assert AuditTag.PORTFOLIO_FAILED in app.tags(TENANT)


def test_every_fault_of_the_file_and_of_what_is_there_is_told_at_once(app, send):
    app.connect_to(a_connection(azure_devops=None))
    file = a_file()
    file["projects"][0]["stack"] = "cobol"
    file["projects"][2]["forges"] = ["github"]
    answer = send(file)
    assert answer.status == 400
    assert {"projects.0.stack", "projects.1.forges"} <= fields(answer)
    assert "projects.2.forges" not in fields(answer)
    assert "nothing was begun" in answer.body["detail"]
    assert app.portfolios.portfolios.get(PORTFOLIOS, "shop") is None


def test_a_weaker_rule_than_the_organisations_is_a_fault_and_a_default_is_made_as_strict(app, client, send):
    app.connect_to(a_connection(least_rules={"minimum_reviewers": 2}))
    file = a_file("Order Desk", "Price List")
    file["projects"][0]["rules"] = {"minimum_reviewers": 1}
    assert fields(send(file)) == {"projects.0.rules.minimum_reviewers"}
    del file["projects"][0]["rules"]
    answer = send(file)
    run = PortfolioRun.model_validate(client.started[answer.body["instance"]][1])
    portfolio = running.portfolio_of(app.portfolios, run.plan)
    assert {request.rules.minimum_reviewers for request in portfolio.projects} == {2}


@pytest.mark.parametrize("connection", ["nowhere", "Not An Id", 7])
def test_a_connection_that_is_none_is_a_fault_beside_the_others(send, connection):
    file = a_file(connection=connection)
    file["projects"][0]["stack"] = "cobol"
    answer = send(file)
    assert answer.status == 400
    assert fields(answer) == {"connection", "projects.0.stack"}


def test_a_paused_connection_begins_nothing_and_still_answers_a_dry_run(app, client, send):
    app.connect_to(a_connection(paused=True))
    assert send(a_file()).status == 409
    assert client.started == {}
    assert send(a_file("Order Desk"), dry_run="true").status == 200


def test_names_of_projects_that_are_not_of_this_portfolio_are_taken(made, send):
    made(a_file("Order Desk", name="Other"))
    answer = send(a_file())
    assert answer.status == 409
    assert fields(answer) == {"projects.0.name"}
    assert "order-desk exists" in answer.body["errors"][0]["problem"]


def test_a_changed_file_is_refused_field_by_field_where_a_project_would_be_another(made, send):
    made()
    file = a_file()
    file["projects"][1]["stack"] = "flask"
    file["projects"][2]["process"] = "scrum"
    answer = send(file)
    assert answer.status == 409
    assert fields(answer) == {"projects.1.stack", "projects.2.process"}


def test_a_changed_file_is_planned_as_its_difference(app, made, send):
    made()
    file = a_file("Order Desk", "Web Shop", "New Shop")
    file["projects"][1]["description"] = "Sells."
    answer = send(file, dry_run="true")
    assert answer.status == 200, answer.body
    assert [(row["project"], row["difference"]) for row in answer.body["projects"]] == [
        ("order-desk", "none"), ("web-shop", "change"), ("new-shop", "make")
    ]  # fmt: skip
    assert answer.body["projects"][1]["fields"] == ["description"]
    assert answer.body["removed"] == ["price-list"]
    assert answer.body["would_succeed"] is True


def test_what_is_no_longer_named_is_listed_and_left_alone(app, made, call):
    made()
    made(a_file("Order Desk"))
    shown = call(portfolios.show_portfolio, route={"id": "shop"}).body
    assert [row["project"] for row in shown["left_out"]] == ["price-list", "web-shop"]
    assert {row["state"] for row in shown["left_out"]} == {EntryState.LEFT_OUT}
    assert (shown["state"], shown["total"]) == ("completed", 1)
    assert app.ports.project("price-list") is not None
    assert "acme/price-list" in app.github.names()
    # Named again, it is one of them again.
    made()
    assert call(portfolios.show_portfolio, route={"id": "shop"}).body["left_out"] == []


def test_a_dry_run_that_would_fail_says_where(app, send):
    app.azure.put_project("Price List", process="scrum", private=True, ready=True, description="other's")
    answer = send(a_file("Order Desk", "Price List"), dry_run="true")
    assert answer.status == 200
    assert answer.body["would_succeed"] is False
    assert [row["would_succeed"] for row in answer.body["projects"]] == [True, False]
    assert "azure_devops" in answer.body["projects"][1]["reason"]


def test_an_owner_nobody_could_tell_about_is_said(app, send):
    app.unreachable["acme"] = TransientError("GitHub is away")
    answer = send(a_file("Order Desk", "Price List"))
    assert answer.status == 202, "the runs ask again"


def test_a_large_dry_run_goes_on_in_the_background(app, client, send, call):
    names = [f"Project {n}" for n in range(6)]
    answer = send(a_file(*names), dry_run="true")
    assert answer.status == 202
    assert answer.headers["Location"].endswith("/api/portfolios/shop/dry-run")
    name, payload = client.started[answer.body["instance"]]
    assert name == "portfolio_preview"
    assert PreviewRun.model_validate(payload).id == "shop"
    shown = call(portfolios.show_portfolio_dry_run, route={"id": "shop"})
    assert (shown.body["state"], shown.body["done"], shown.body["total"]) == ("running", 0, 6)
    assert send(a_file(*names), dry_run="true").body["instance"] == answer.body["instance"]
    client.ends[answer.body["instance"]] = OrchestrationStatus.FAILED
    assert send(a_file(*names), dry_run="true").body["instance"] != answer.body["instance"]
    assert app.portfolios.portfolios.get(PORTFOLIOS, "shop") is None


@pytest.mark.parametrize("function", [portfolios.show_portfolio, portfolios.show_portfolio_dry_run])
def test_what_is_not_there_is_said(call, function):
    answer = call(function, route={"id": "nothing"})
    assert (answer.status, bool(answer.body["remedy"])) == (404, True)
    assert call(portfolios.show_portfolio, route={"id": "nothing"}, headers=HTML).type == "text/html"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [(b"{", None, 400), (b"a: [", YAML, 400), (b"[]", None, 400), (b" " * (1024 * 1024 + 1), None, 413)],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(send, content, headers, status):
    answer = send(content, headers)
    assert answer.status == status
    assert answer.body["remedy"]


def test_portfolios_are_shown_to_scripts_and_browsers(app, made, call):
    empty = call(portfolios.list_portfolios, headers=HTML).body
    assert "There is no portfolio yet" in empty
    made(a_file(epics=[EPIC]))
    (row,) = call(portfolios.list_portfolios).body["portfolios"]
    assert (row["id"], row["state"]) == ("shop", "completed")
    listed = call(portfolios.list_portfolios, headers=HTML, code="k&y").body
    assert '/api/portfolios/shop?code=k%26y"' in listed
    shown = call(portfolios.show_portfolio, route={"id": "shop"}).body
    assert (shown["done"], shown["total"], shown["waiting"]) == (3, 3, 0)
    assert [seeded["project"] for seeded in shown["epics"][0]["seeded"]] == ["order-desk", "web-shop"]
    html = call(portfolios.show_portfolio, route={"id": "shop"}, headers=HTML).body
    assert "3 of 3" in html
    assert "no longer changes by itself" in html


def test_a_file_that_has_only_arrived_shows_every_project_as_not_begun(send, call):
    send(a_file())
    shown = call(portfolios.show_portfolio, route={"id": "shop"}).body
    assert {row["state"] for row in shown["projects"]} == {"pending"}
    assert shown["state"] == "running"


def test_another_connection_cannot_take_a_portfolio(app, made, send):
    made()
    app.connect_to(a_connection(id="second"))
    answer = send(a_file("Own Shop", connection="second"))
    assert answer.status == 409
    assert "belongs to connection acme" in answer.body["detail"]


def test_the_timer_takes_up_what_the_engine_lost_and_ends_what_it_ended(app, client, send, caplog):
    send(a_file("Order Desk", id="one"))
    send(a_file("Price List", id="two"))
    client.started.clear()
    client.ends["portfolio-two.1"] = OrchestrationStatus.FAILED
    user_function(portfolios.take_up_portfolios)(None, client)
    assert list(client.started) == ["portfolio-one.1"]
    assert app.portfolios.portfolios.get(PORTFOLIOS, "two")[0].state == "failed"
    user_function(portfolios.take_up_portfolios)(None, client)
    assert list(client.started) == ["portfolio-one.1"]
    client.away = True
    user_function(portfolios.take_up_portfolios)(None, client)
    assert "could not be taken up" in caplog.text


def test_an_engine_that_does_not_answer_is_a_503(client, send):
    client.away = True
    assert send(a_file()).status == 503
    client.away = False
    assert send(a_file()).status == 202, "the run that was kept is started"


def test_a_run_is_concluded_once(app, made):
    made()
    run = app.portfolios.portfolios.get(PORTFOLIOS, "shop")[0].start
    assert running.conclude(app.portfolios, PortfolioEnd(run=run, reason="too late")) == "completed"
    assert app.portfolios.portfolios.get(PORTFOLIOS, "shop")[0].reason == ""
