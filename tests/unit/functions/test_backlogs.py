"""Backlogs over HTTP: shown as data and as a page, mended and sorted only as asked."""

from __future__ import annotations

import json

import pytest

from functions.backlogs import categorise_issues, normalise_backlog, show_backlog
from functions.deliveries import handle_delivery
from shared.domain.delivery import DeliveryState
from shared.domain.forge import RepositoryRef
from tests.fakes.app import issues_payload
from tests.fakes.backlogs import entry
from tests.fakes.forges import Fault
from tests.fakes.planning import SHOP, PlanningApp

CRASH = "App crashes when saving: exception"
HERE = {"id": "order-desk"}


@pytest.fixture
def planned(monkeypatch):
    app = PlanningApp()
    app.connect_to()
    app.a_project()
    app.github.put_repository(RepositoryRef(owner="acme", name="order-desk"))
    app.azure.put(
        entry(1, "Epic", "Shop <b>"), entry(2, "Feature", "Pay"), entry(3, "Risk", "Odd"), entry(4, "Task", "Lost")
    )
    services = app.services()
    monkeypatch.setattr("functions.backlogs.services", lambda: services)
    monkeypatch.setattr("functions.deliveries.services", lambda: services)
    return app


def test_a_backlog_is_data_for_scripts_and_a_tree_for_browsers(planned, call):
    shown = call(show_backlog, route=HERE)
    assert shown.status == 200
    azure = shown.body["backlogs"][0]
    assert [finding["fix"]["id"] for finding in azure["findings"] if finding["fix"]] == ["azure_devops:2-under-1"]
    page = call(show_backlog, route=HERE, headers={"accept": "text/html"})
    assert (page.status, page.type) == (200, "text/html")
    assert "azure_devops:2-under-1" in page.body
    assert "Shop &lt;b&gt;" in page.body
    assert "Level skipped" not in page.body
    assert "Orphan:" in page.body
    planned.azure.fail("backlog", Fault.REFUSED)
    assert "Cannot be read" in call(show_backlog, route=HERE, headers={"accept": "text/html"}).body
    assert planned.azure.changes() == []


def test_an_ordered_and_an_empty_backlog_say_so(planned, call):
    planned.azure.shown.clear()
    planned.github.put_issue(1, "Shop", labels=("epic",))
    page = call(show_backlog, route=HERE, headers={"accept": "text/html"}).body
    assert "There is no item yet." in page
    assert "Every open item is where its process wants it." in page


def test_a_dry_run_needs_no_body_and_changes_nothing(planned, call):
    dry = call(normalise_backlog, "POST", route=HERE, dry_run="true")
    assert dry.status == 200
    assert [fix["id"] for fix in dry.body["fixes"]] == ["azure_devops:2-under-1"]
    boxed = call(normalise_backlog, "POST", {"all": True, "containers": True}, route=HERE, dry_run="1")
    assert [fix["container"] for fix in boxed.body["fixes"]] == ["", "User Story"]
    assert planned.azure.changes() == []


def test_fixes_are_applied_by_name(planned, call):
    done = call(normalise_backlog, "POST", {"fixes": ["azure_devops:2-under-1"]}, route=HERE)
    assert done.status == 200
    assert [(one["fix"], one["state"]) for one in done.body["outcomes"]] == [("azure_devops:2-under-1", "applied")]
    again = call(normalise_backlog, "POST", {"fixes": ["azure_devops:2-under-1"]}, route=HERE)
    assert [one["state"] for one in again.body["outcomes"]] == ["already"]
    planned.azure.fail("set_work_item_parent", Fault.TRANSIENT, retry_after=8)
    late = call(normalise_backlog, "POST", {"all": True, "containers": True}, route=HERE)
    assert late.headers["Retry-After"] == "8"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "either fixes"),
        ({"all": True, "fixes": ["azure_devops:2-under-1"]}, "either fixes"),
        ({"fixes": ["2-under-1"]}, "fixes"),
        ({"fixes": ["azure_devops:2-under-1; drop"]}, "fixes"),
        ({"all": True, "force": True}, "force"),
        (b"", "JSON"),
    ],
)
def test_a_body_that_chooses_nothing_or_anything_is_refused(planned, call, body, field):
    refused = call(normalise_backlog, "POST", body, route=HERE)
    assert refused.status == 400
    assert field in json.dumps(refused.body)
    assert planned.azure.changes() == []


@pytest.mark.parametrize("function", [show_backlog, normalise_backlog, categorise_issues])
def test_an_unknown_project_is_told(planned, call, function):
    assert call(function, "POST", {"all": True}, route={"id": "nothing"}).status == 404


def test_issues_are_categorised_on_request(planned, call):
    planned.github.put_issue(1, CRASH)
    dry = call(categorise_issues, "POST", route=HERE, dry_run="true")
    assert dry.body["counts"]["bug"] == 1
    assert planned.github.changes() == []
    done = call(categorise_issues, "POST", route=HERE)
    assert done.status == 200
    assert planned.github.issues_at(SHOP)[1].labels == ("category: bug",)
    planned.github.put_issue(2, CRASH)
    planned.github.fail("listed_issues", Fault.TRANSIENT)
    planned.azure.fail("backlog", Fault.TRANSIENT, retry_after=3)
    late = call(categorise_issues, "POST", route=HERE)
    assert (late.status, late.headers["Retry-After"]) == (503, "3")


class Message:
    """A message of the queue."""

    dequeue_count = 1

    def __init__(self, app, payload):
        given = {
            "forge": "github",
            "id": "d-1",
            "event": "issues",
            "received_at": app.clock.now().isoformat(),
            "body": json.dumps(payload),
        }
        self._text = json.dumps(given).encode()

    def get_body(self):
        return self._text


def test_an_opened_issue_is_sorted_when_its_delivery_is_handled(planned):
    planned.github.put_issue(7, CRASH)
    opened = issues_payload(title=CRASH, labels=[]) | {"repository": {"full_name": "acme/order-desk"}}
    function = handle_delivery._function.get_user_function()
    for _ in range(2):
        getattr(function, "client_function", function)(Message(planned, opened), client=None)
    record = planned.keeper.find("d-1")
    assert record is not None
    assert record.state is DeliveryState.HANDLED
    assert record.reason.startswith("bug: bug with")
    assert planned.github.issues_at(SHOP)[7].labels == ("category: bug",)
    assert len(planned.events("order-desk")) == 1
