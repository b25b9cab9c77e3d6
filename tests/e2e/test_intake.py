"""Webhooks as the forges really send them: every published example, large ones, doubled, dropped, reordered, forged."""

from __future__ import annotations

import base64
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.stack.seed import REQUESTS
from shared.domain.project import slug_of
from tests.e2e.conftest import contracts_folder
from tests.e2e.world import World, form

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

PACKAGE = Path(__file__).resolve().parents[2] / "node_modules" / "@octokit" / "webhooks-examples"


def _package_examples() -> list[tuple[str, Any]]:
    files = sorted(PACKAGE.rglob("api.github.com/index.json")) or sorted(PACKAGE.rglob("index.json"))
    if not files:
        pytest.skip("the npm package @octokit/webhooks-examples is not installed: run `make setup` for tests")
    return [
        (event["name"], payload)
        for event in json.loads(files[0].read_text(encoding="utf-8"))
        for payload in event["examples"]
    ]


def _contract_examples() -> list[tuple[str, Any]]:
    folder = contracts_folder()
    if folder is None:
        pytest.skip("the official contracts folder is absent: set DONERIGHT_CONTRACTS to it")
    examples = json.loads((folder / "github" / "webhook_examples.json").read_text(encoding="utf-8"))
    pairs: list[tuple[str, Any]] = []
    for entry in examples if isinstance(examples, list) else examples.items():
        name, payloads = (entry["name"], entry["examples"]) if isinstance(entry, dict) else entry
        pairs += [(name, payload) for payload in payloads]
    return pairs


def _deliver_all(world: World, examples: list[tuple[str, Any]]) -> None:
    before = len(world.host_errors())
    idents = [str(uuid.uuid4()) for _ in examples]
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(
                lambda pair: world.deliver(pair[0][1], pair[0][0], **{"x-github-delivery": pair[1]}),
                zip(examples, idents, strict=True),
            )
        )
    assert {answer.status_code for answer in answers} == {202}
    for ident in idents:
        record = world.until(f"delivery {ident}", lambda ident=ident: world.delivery(ident), 60)
        assert record["state"] in {"ignored", "handled", "duplicate"}, record
        assert record["reason"] or record["state"] == "handled"
    assert world.host_errors()[before:] == []


@pytest.mark.contract
def test_every_published_webhook_example_is_taken_without_an_error(world: World) -> None:
    _deliver_all(world, _package_examples())


@pytest.mark.contract
@pytest.mark.slow
def test_every_webhook_example_of_the_contracts_is_taken_without_an_error(world: World) -> None:
    _deliver_all(world, _contract_examples())


@pytest.mark.contract
def test_every_service_hook_sample_is_taken_without_an_error(world: World) -> None:
    folder = contracts_folder()
    if folder is None:
        pytest.skip("the official contracts folder is absent: set DONERIGHT_CONTRACTS to it")
    before = len(world.host_errors())
    credentials = base64.b64encode(f"doneright:{world.ready.azure_devops_webhook_secret}".encode()).decode()
    idents = []
    for file in sorted((folder / "azure_devops" / "events").glob("*.json")):
        answer = httpx.post(
            f"{world.ready.host}/api/webhooks/azure-devops",
            content=file.read_bytes(),
            headers={"authorization": f"Basic {credentials}", "content-type": "application/json"},
            timeout=30,
        )
        assert answer.status_code == 202, (file.name, answer.text)
        idents.append(answer.json()["accepted"])
    assert len(idents) >= 20
    for ident in idents:
        record = world.until(f"delivery {ident}", lambda ident=ident: world.delivery(ident), 60)
        assert record["state"] in {"ignored", "handled"}, record
    assert world.host_errors()[before:] == []


@pytest.mark.parametrize("size", [1024 * 1024, 25 * 1024 * 1024])
def test_a_large_body_is_taken_and_handled(world: World, size: int) -> None:
    payload: dict[str, Any] = {"action": "opened", "padding": ""}
    payload["padding"] = "x" * (size - len(json.dumps(payload)))
    ident = str(uuid.uuid4())
    body = json.dumps(payload).encode()
    assert len(body) == size
    answer = world.deliver(body, "push", **{"x-github-delivery": ident})
    assert answer.status_code == 202, answer.text
    record = world.until("the delivery", lambda: world.delivery(ident), 60)
    assert record is not None
    assert record["state"] == "ignored"
    assert record["envelope"]["claim"].startswith("sha256:")
    assert record["envelope"]["body"] == ""


def test_a_body_over_the_limit_is_refused(world: World) -> None:
    answer = world.deliver(b'{"a":"' + b"x" * (25 * 1024 * 1024) + b'"}', "push")
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": "sha256=" + "0" * 64},
        {"x-hub-signature-256": "sha1=abc"},
    ],
    ids=["unsigned", "wrong", "old algorithm"],
)
def test_a_forged_webhook_is_refused_and_leaves_nothing(world: World, headers: dict[str, str]) -> None:
    ident = str(uuid.uuid4())
    answer = world.deliver({"action": "opened"}, "issues", **{"x-github-delivery": ident, **headers})
    assert answer.status_code == 401
    assert world.delivery(ident) is None


def test_a_forged_service_hook_is_refused(world: World) -> None:
    url = f"{world.ready.host}/api/webhooks/azure-devops"
    wrong = base64.b64encode(b"doneright:guess").decode()
    for headers in ({}, {"authorization": f"Basic {wrong}"}, {"x-doneright-secret": "guess"}):
        answer = httpx.post(url, json={"eventType": "build.complete"}, headers=headers, timeout=30)
        assert answer.status_code == 401, headers


def test_a_body_that_is_not_json_is_refused(world: World) -> None:
    assert world.deliver(b"not json", "issues").status_code == 400
    assert world.deliver(b"[1, 2]", "issues").status_code == 400


def test_opened_and_labeled_by_two_hooks_make_one_project(world: World) -> None:
    number = world.open_issue("casey", form("Doubled Shop", Process="Basic"))
    assert world.ended("doubled-shop")["state"] == "completed"
    state = world.state_of("Doubled Shop", "doubled-shop")
    assert (state["projects"], state["github repositories"], state["webhooks"]) == (1, 1, 1)
    issue = world.github("mona").get(f"/repos/{REQUESTS}/issues/{number}").json()
    about = [
        record
        for record in world.api.get("/api/deliveries?limit=1000").json()["deliveries"]
        if record["subject"] == f"github-issue-{issue['id']}"
    ]
    # Two hooks, and GitHub fires opened and labeled: four deliveries, of which one started the run.
    assert len(about) >= 4
    assert [record["state"] for record in about].count("handled") == 1
    world.until("both answers", lambda: len(world.answers(number)) == 2, 20)


@pytest.mark.parametrize("fault", ["webhook_duplicated", "webhook_reordered"])
def test_disordered_deliveries_make_one_project(world: World, fault: str) -> None:
    name = f"{fault.removeprefix('webhook_').capitalize()} Shop"
    world.fault("github", method="*", path=".*", kind=fault, event="issues", count=4)
    world.open_issue("casey", form(name, Process="Basic"))
    assert world.ended(slug_of(name))["state"] == "completed"
    state = world.state_of(name, slug_of(name))
    assert (state["projects"], state["github repositories"], state["github commits"]) == (1, 1, 1)


def test_a_request_whose_webhooks_were_all_dropped_is_swept(world: World) -> None:
    world.fault("github", method="*", path=".*", kind="webhook_dropped", event="issues", count=20)
    world.open_issue("casey", form("Swept Shop", Process="Basic"))
    assert world.project("swept-shop") is None
    answer = httpx.post(
        f"{world.ready.host}/admin/functions/sweep",
        json={"input": ""},
        headers={"x-functions-key": world.stack.secrets["master_key"]},
        timeout=60,
    )
    assert answer.status_code == 202, answer.text
    assert world.ended("swept-shop")["state"] == "completed"
    tags = [event["tag"] for event in world.api.get("/api/audit/_doneright?limit=500").json()["events"]]
    assert "doneright:delivery:swept" in tags


def test_a_service_hook_that_was_dropped_is_swept_too(world: World) -> None:
    body = {"connection": "acme", "name": "Built Shop", "owner": "casey", "stack": "fastapi", "process": "basic"}
    assert world.api.post("/api/projects", json=body).status_code == 202
    assert world.ended("built-shop")["state"] == "completed"
    world.fault("azure_devops", method="*", path=".*", kind="webhook_dropped", event="build.complete", count=20)
    definition = world.azure.get("/Built%20Shop/_apis/build/definitions").json()["value"][0]["id"]
    queued = world.azure.post("/Built%20Shop/_apis/build/builds", json={"definition": {"id": definition}})
    assert queued.status_code == 200, queued.text
    number = queued.json()["id"]

    def built() -> bool:
        found = world.azure.get(f"/Built%20Shop/_apis/build/builds/{number}").json()
        return bool(found["status"] == "completed")

    world.until("the build", built, 30)
    build = {"instance": f"azure-devops-build-{number}", "tag": "azure_devops:build:completed"}

    def recorded() -> bool:
        events = world.api.get("/api/audit/built-shop?limit=500").json()["events"]
        return any({k: event[k] for k in build} == build for event in events)

    assert not recorded()

    def swept() -> bool:
        answer = httpx.post(
            f"{world.ready.host}/admin/functions/sweep",
            json={"input": ""},
            headers={"x-functions-key": world.stack.secrets["master_key"]},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text
        return recorded()

    world.until("the build on record", swept, 30)


def test_a_delivery_that_cannot_be_handled_is_kept_with_its_reason_and_replayed(world: World) -> None:
    ident = str(uuid.uuid4())
    broken = {"action": "opened", "issue": {"number": "not a number"}, "repository": {"full_name": REQUESTS}}
    assert world.deliver(broken, "issues", **{"x-github-delivery": ident}).status_code == 202

    def poisoned() -> dict[str, Any] | None:
        record = world.delivery(ident)
        return record if record and record["state"] == "poisoned" else None

    record = world.until("the poisoned delivery", poisoned, 30)
    assert record is not None
    assert "issue.id" in record["reason"]
    listed = world.api.get("/api/deliveries?state=poisoned").json()["deliveries"]
    assert ident in {entry["id"] for entry in listed}
    answer = world.api.post(f"/api/deliveries/{ident}/replay")
    assert answer.status_code == 202
    assert answer.json()["envelope"]["replay"] == 1


def test_a_replay_starts_again_past_an_ended_run(world: World) -> None:
    number = world.open_issue("casey", form("Replayed Shop", Process="Basic"))
    assert world.ended("replayed-shop")["run"] == 1
    issue = world.github("mona").get(f"/repos/{REQUESTS}/issues/{number}").json()
    started = next(
        record
        for record in world.api.get("/api/deliveries?limit=1000").json()["deliveries"]
        if record["subject"] == f"github-issue-{issue['id']}" and record["state"] == "handled"
    )
    assert world.api.post(f"/api/deliveries/{started['id']}/replay").status_code == 202
    view = world.ended("replayed-shop", run=2)
    assert view["state"] == "completed"
    assert {step["state"] for step in view["steps"]} == {"confirmed"}


def test_an_unknown_delivery_cannot_be_replayed(world: World) -> None:
    assert world.api.post("/api/deliveries/nobody/replay").status_code == 404


def test_a_refusal_and_its_header_name_one_correlation(world: World) -> None:
    answer = world.api.get("/api/projects/no-such-project")
    assert answer.status_code == 404
    assert answer.json()["correlation"] == answer.headers["x-correlation-id"]
    assert len(answer.headers.get_list("x-correlation-id")) == 1


def test_without_a_key_the_api_refuses(world: World) -> None:
    for path in ("projects", "connections", "deliveries", "audit/x", "projects/x"):
        answer = httpx.get(f"{world.ready.host}/api/{path}", timeout=30)
        assert answer.status_code == 401, path
    forged = httpx.get(f"{world.ready.host}/api/view/doubled-shop?token={'0' * 32}", timeout=30)
    assert forged.status_code == 401
