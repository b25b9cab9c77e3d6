"""What the simulator knows survives a save and a load: the same answers, unfinished runs and deliveries included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.sandbox.azure_devops.seed import apply
from local.sandbox.seed import SeedError
from local.sandbox.state import State
from tests.unit.local.sandbox.azure_devops.support import (
    SEED,
    ZERO,
    Raw,
    Receiver,
    Simulator,
    change,
    connector,
    fields,
    push,
    wait_until,
)

pytestmark = pytest.mark.stack


def test_a_second_life_answers_as_the_first(location_cache: Path, tmp_path: Path, receiver: Receiver) -> None:
    first = Simulator(build_seconds=60.0).start()
    first.app.state.deliveries.retry_seconds = 60.0
    clients = connector(first)().clients_v7_1
    git, tracker = clients.get_git_client(), clients.get_work_item_tracking_client()
    repository = git.create_repository({"name": "kept"}, "Shop")
    tip = push(git, repository, "main", ZERO, change("add", "/ci.yml", "steps: [{script: a}]"))
    parent = tracker.create_work_item(fields(System_Title="p"), "Shop", "Epic")
    link = {
        "op": "add",
        "path": "/relations/-",
        "value": {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": parent.url},
    }
    child = tracker.create_work_item([*fields(System_Title="c"), link], "Shop", "Feature")
    definition = clients.get_build_client().create_definition(
        {
            "name": "d",
            "process": {"type": 2, "yamlFilename": "ci.yml"},
            "repository": {"id": repository.id, "type": "TfsGit"},
        },
        "Shop",
    )
    run = clients.get_build_client().queue_build({"definition": {"id": definition.id}}, "Shop")
    hook = {
        "publisherId": "tfs",
        "eventType": "workitem.created",
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "publisherInputs": {},
        "consumerInputs": {"url": receiver.url, "basicAuthPassword": "s"},
    }
    subscription = clients.get_service_hooks_client().create_subscription(hook)
    receiver.answers = [503]
    told = tracker.create_work_item(fields(System_Title="told"), "Shop", "Task")
    wait_until(lambda: clients.get_service_hooks_client().get_subscription(subscription.id).status == "onProbation")
    reads = [
        f"/Shop/_apis/git/repositories/{repository.id}/items?recursionLevel=full",
        f"/Shop/_apis/git/repositories/{repository.id}/commits/{tip}",
        f"/_apis/wit/workItems/{child.id}?$expand=all",
        f"/Shop/_apis/build/definitions/{definition.id}",
        "/_apis/projects",
        "/_apis/graph/groups",
    ]

    def answers(simulator: Simulator) -> list[Any]:
        client = Raw(simulator)
        found = [json.loads(client("GET", path).text.replace(simulator.url, "BASE")) for path in reads]
        client.client.close()
        return found

    before = answers(first)
    first.stop()
    first.state.save(tmp_path / "state.json")
    second = Simulator(state=State.load(tmp_path / "state.json"), build_seconds=0.05).start()
    try:
        assert answers(second) == before
        clients = connector(second)().clients_v7_1
        # A run that was under way goes on, and the delivery that failed is tried again.
        wait_until(lambda: clients.get_build_client().get_build("Shop", run.id).status == "completed")
        wait_until(lambda: len(receiver.got) == 2)
        assert [b["resource"]["id"] for b in receiver.events()] == [told.id, told.id]
        wait_until(lambda: clients.get_service_hooks_client().get_subscription(subscription.id).status == "enabled")
        again = clients.get_work_item_tracking_client().create_work_item(fields(System_Title="n"), "Shop", "Task")
        assert again.id == told.id + 1
        assert push(clients.get_git_client(), repository, "main", tip, change("add", "/b", "2")) != tip
    finally:
        second.stop()


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ({"organizations": [{"name": "a b"}]}, "organizations.0.name"),
        (
            {"organizations": [{"name": "a", "users": [{"name": "x", "mail": "x@y", "permissions": ["king"]}]}]},
            "permissions",
        ),
        (
            {"organizations": [{"name": "a", "projects": [{"name": "P", "process": "Waterfall"}]}]},
            "organizations.0.projects.0.process",
        ),
        ({"organizations": [{"name": "a", "moons": 1}]}, "moons"),
        ([], ""),
    ],
)
def test_a_wrong_seed_is_refused_by_field_and_changes_nothing(part: Any, where: str) -> None:
    state = State()
    with pytest.raises(SeedError) as caught:
        apply(state, part)
    assert where in json.dumps(caught.value.errors if hasattr(caught.value, "errors") else str(caught.value))
    assert not state.data.get("azure_devops", {}).get("organizations")


def test_a_seed_applied_again_adds_and_keeps() -> None:
    state = State()
    apply(state, SEED)
    once = json.dumps(state.data)
    apply(state, SEED)
    assert json.dumps(state.data) == once
    apply(
        state,
        {
            "organizations": [
                {"name": "Fabrikam", "extensions": ["x"], "projects": [{"name": "More", "repositories": ["a", "b"]}]}
            ]
        },
    )
    org = state.data["azure_devops"]["organizations"]["fabrikam"]
    assert org["extensions"] == ["ms.vss-governance-hub", "x"]
    more = next(p for p in org["projects"].values() if p["name"] == "More")
    assert [r["name"] for r in more["repositories"].values()] == ["More", "a", "b"]


def test_an_unseeded_state_is_named() -> None:
    from local.sandbox.azure_devops.service import Service

    service = Service(State({"azure_devops": {"organizations": []}}), "http://x")
    with pytest.raises(TypeError, match="seed"):
        service.organization("fabrikam")
