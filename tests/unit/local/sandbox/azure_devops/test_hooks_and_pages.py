"""Service hooks reach their receiver signed, hide secrets and stop after 410; pages show what is there."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.unit.local.sandbox.azure_devops.support import Receiver, refused, wait_until

pytestmark = pytest.mark.stack


def subscribe(clients: Any, receiver: Receiver, event: str, project: str = "Shop", **filters: str) -> Any:
    project_id = clients.get_core_client().get_project(project).id
    return clients.get_service_hooks_client().create_subscription(
        {
            "publisherId": "pipelines" if "pipelines" in event else "tfs",
            "eventType": event,
            "consumerId": "webHooks",
            "consumerActionId": "httpRequest",
            "publisherInputs": {"projectId": project_id, **filters},
            "consumerInputs": {
                "url": receiver.url,
                "basicAuthUsername": "u",
                "basicAuthPassword": "p",
                "httpHeaders": "X-Key: k",
            },
        }
    )


def create(clients: Any, kind: str = "Task", project: str = "Shop") -> Any:
    return clients.get_work_item_tracking_client().create_work_item(
        [{"op": "add", "path": "/fields/System.Title", "value": "t"}], project, kind
    )


def test_events_are_filtered_signed_and_kept(clients: Any, receiver: Receiver) -> None:
    hooks = clients.get_service_hooks_client()
    subscription = subscribe(clients, receiver, "workitem.created", workItemType="Bug")
    assert (
        subscription.consumer_inputs["basicAuthPassword"] == subscription.consumer_inputs["httpHeaders"] == "********"
    )
    create(clients, "Task")
    create(clients, "Bug", "Formal")
    bug = create(clients, "Bug")
    wait_until(lambda: receiver.got)
    headers, body = receiver.got[0]
    assert headers["authorization"] == "Basic " + base64.b64encode(b"u:p").decode()
    assert (headers["x-key"], body["eventType"], body["resource"]["id"]) == ("k", "workitem.created", bug.id)
    assert (body["subscriptionId"], len(receiver.got)) == (subscription.id, 1)
    kept = wait_until(lambda: [n for n in hooks.get_notifications(subscription.id) if n.result == "succeeded"])
    assert kept[0].details.event_type == "workitem.created"
    hooks.delete_subscription(subscription.id)


def test_a_receiver_that_is_gone_disables_and_one_that_is_busy_is_tried_again(clients: Any, receiver: Receiver) -> None:
    hooks = clients.get_service_hooks_client()
    subscription = subscribe(clients, receiver, "workitem.created")
    receiver.answers = [503, 200, 410]
    create(clients)
    wait_until(lambda: len(receiver.got) == 2)
    wait_until(lambda: hooks.get_subscription(subscription.id).status == "enabled")
    create(clients)
    wait_until(lambda: hooks.get_subscription(subscription.id).status == "disabledBySystem")
    hooks.delete_subscription(subscription.id)


def test_only_administrators_subscribe(connect: Any, receiver: Receiver) -> None:
    refused(lambda: subscribe(connect("dev").clients_v7_1, receiver, "git.push"), "Edit subscriptions")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "fabrikam"),
        ("/fabrikam", "The web shop."),
        ("/fabrikam/Shop", "Agile"),
        ("/fabrikam/Shop/_git", "Shop"),
        ("/fabrikam/Shop/_git/Shop", "empty"),
        ("/fabrikam/Shop/_boards", "Stories"),
        ("/fabrikam/Shop/_backlogs", "Backlog"),
        ("/fabrikam/Shop/_build", "Pipelines"),
        ("/fabrikam/Shop/_environments", "Approvals"),
        ("/fabrikam/Shop/_wiki", "Wikis"),
        ("/fabrikam/Shop/_settings", "Deliveries"),
    ],
)
def test_pages(simulator: Any, clients: Any, path: str, shown: str) -> None:
    create(clients, "User Story")
    answer = httpx.get(simulator.url + path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert shown in answer.text


def test_a_work_item_links_to_its_page(simulator: Any, clients: Any) -> None:
    item = create(clients)
    address = item._links.additional_properties["html"]["href"]
    assert "History" in httpx.get(address, headers={"Accept": "text/html"}).text
    assert httpx.get(f"{simulator.url}/fabrikam/None", headers={"Accept": "text/html"}).status_code == 404
