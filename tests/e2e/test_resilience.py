"""What must hold whatever breaks: killed hosts, faulty forges, many starts at once."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from shared.domain.project import slug_of
from tests.e2e.world import World, form

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(400)]

KILLS_A_RUN = 4
RUNS = 5


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """The end state of a bootstrap nobody disturbed; filled by the first test that makes one."""
    return {}


def _clean(world: World, undisturbed: dict[str, Any]) -> dict[str, Any]:
    if not undisturbed:
        world.open_issue("casey", form("Calm Shop", Process="Scrum"))
        assert world.ended("calm-shop")["state"] == "completed"
        undisturbed.update(world.state_of("Calm Shop", "calm-shop"))
    return undisturbed


@pytest.mark.parametrize("run", [0, *(pytest.param(run, marks=pytest.mark.slow) for run in range(1, RUNS))])
def test_a_host_killed_at_random_instants_ends_in_the_same_state(
    world: World, undisturbed: dict[str, Any], run: int
) -> None:
    calm = _clean(world, undisturbed)
    instants = random.Random(f"kill {run}")
    name = f"Killed Shop {run}"
    number = world.open_issue("casey", form(name, Process="Scrum"))
    for _ in range(KILLS_A_RUN):
        time.sleep(instants.uniform(0.05, 0.9))
        world.stack.children["host"].kill()
        world.stack.start_host()
    view = world.ended(slug_of(name), seconds=150)
    assert view["state"] == "completed", [s for s in view["steps"] if s["state"] == "failed"]
    assert world.state_of(name, slug_of(name)) == calm
    answers = world.until(
        "both answers", lambda: world.answers(number) if len(world.answers(number)) == 2 else None, 60
    )
    assert answers is not None
    assert len(answers) == 2
    assert world.api.get(f"/api/audit/{slug_of(name)}/verify").json()["ok"] is True
    events = world.api.get(f"/api/audit/{slug_of(name)}?limit=500").json()["events"]
    keys = [(event["instance"], event["step"]) for event in events]
    assert len(keys) == len(set(keys))


LOSSES = 2


@pytest.mark.parametrize("origin", ["issue", pytest.param("call", marks=pytest.mark.slow)])
def test_a_run_its_engine_lost_again_and_again_is_taken_up_by_the_sweep(
    world: World, undisturbed: dict[str, Any], origin: str
) -> None:
    calm = _clean(world, undisturbed)
    name = f"Lost {origin.capitalize()} Shop"
    slug = slug_of(name)
    stack = world.stack
    snapshot = stack.configuration.state / "engine.snapshot"
    before = snapshot.read_bytes()
    number = 0
    if origin == "issue":
        number = world.open_issue("casey", form(name, Process="Scrum"))
    else:
        body = {"connection": "acme", "name": name, "owner": "casey", "stack": "fastapi", "process": "scrum"}
        body |= {"description": "Made by a test.", "rules": {"minimum_reviewers": 1}}
        assert world.api.post("/api/projects", json=body).status_code == 202
    for loss in range(LOSSES):
        view = world.until("a run that is under way", lambda: world.project(slug))
        assert view is not None
        assert view["state"] == "running"
        stack.children["engine"].kill()
        # As the file is when no snapshot fell between the start and the kill, which is a matter of chance.
        snapshot.write_bytes(before)
        stack.start_engine(int(stack._engine_address.rpartition(":")[2]))
        # A sweep that was asked for before the kill may take the run up before anybody sees it gone.
        world.until(
            "an engine that has lost the run",
            lambda v=view, n=loss: _is_unknown(world, v["instance"]) or len(_restarts(world, slug)) > n,
        )
        world.until("the run to be taken up", lambda n=loss: _swept(world) and len(_restarts(world, slug)) > n)
    view = world.ended(slug, seconds=150)
    assert view["state"] == "completed", [s for s in view["steps"] if s["state"] != "applied"]
    assert view["run"] == 1
    assert _swept(world)
    assert world.state_of(name, slug) == calm
    assert len(_restarts(world, slug)) == LOSSES
    assert world.api.get(f"/api/audit/{slug}/verify").json()["ok"] is True
    if number:
        world.until("both answers", lambda: len(world.answers(number)) == 2, 20)


def _is_unknown(world: World, instance: str) -> bool:
    answer = httpx.get(
        f"{world.ready.host}/runtime/webhooks/durabletask/instances/{instance}",
        params={"code": world.stack.secrets["durable_key"]},
        timeout=30,
    )
    return answer.status_code == 404


def _restarts(world: World, slug: str) -> list[dict[str, Any]]:
    events = world.api.get(f"/api/audit/{slug}?limit=500").json()["events"]
    return [event for event in events if event["tag"] == "doneright:run:restarted"]


def _swept(world: World) -> bool:
    answer = httpx.post(
        f"{world.ready.host}/admin/functions/sweep",
        json={"input": ""},
        headers={"x-functions-key": world.stack.secrets["master_key"]},
        timeout=60,
    )
    assert answer.status_code == 202, answer.text
    return True


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("throttled", {"kind": "rate_limited", "method": "*", "path": ".*", "count": 3, "skip": 2, "seconds": 1}),
    ("broken", {"kind": "server_error", "method": "*", "path": ".*", "count": 4, "skip": 3}),
    ("down", {"kind": "unavailable", "method": "*", "path": ".*", "count": 3, "skip": 1}),
    ("reset", {"kind": "connection_reset", "method": "*", "path": ".*", "count": 4, "skip": 2}),
    ("lost posts", {"kind": "answer_lost", "method": "POST", "path": ".*", "count": 6}),
    ("lost puts", {"kind": "answer_lost", "method": "PUT", "path": ".*", "count": 3}),
]


QUICK = {("throttled", "github"), ("reset", "azure_devops"), ("lost posts", "azure_devops"), ("lost puts", "github")}
"""What every change tries of the faults, each effect once; the long run tries every fault on every forge."""


@pytest.mark.parametrize(
    ("title", "rule", "forge"),
    [
        pytest.param(
            title, rule, forge, id=f"{title}-{forge}", marks=[] if (title, forge) in QUICK else pytest.mark.slow
        )
        for title, rule in FAULTS
        for forge in ("github", "azure_devops")
    ],
)
def test_a_faulty_forge_delays_and_doubles_nothing(
    world: World, undisturbed: dict[str, Any], title: str, rule: dict[str, Any], forge: str
) -> None:
    calm = _clean(world, undisturbed)
    name = f"{title.capitalize()} {forge.replace('_', ' ')}"
    answer = world.api.post(
        "/api/projects",
        json={"connection": "acme", "name": name, "owner": "casey", "stack": "fastapi", "process": "scrum"},
    )
    assert answer.status_code == 202, answer.text
    world.fault(forge, **rule)
    view = world.ended(slug_of(name), seconds=180)
    assert view["state"] == "completed", [s for s in view["steps"] if s["state"] != "applied"]
    assert world.state_of(name, slug_of(name)) == calm


def test_an_expired_credential_fails_with_its_remedy(world: World) -> None:
    answer = world.api.post(
        "/api/projects",
        json={"connection": "acme", "name": "Expired Shop", "owner": "casey", "stack": "fastapi"},
    )
    assert answer.status_code == 202
    world.fault("azure_devops", kind="expired_token", method="*", path=".*", count=50)
    view = world.ended("expired-shop", seconds=120)
    world.forget()
    assert view["state"] == "awaiting_decision"
    failed = [step for step in view["steps"] if step["state"] == "failed"]
    assert [step["id"] for step in failed] == ["azure_devops.project"]
    assert "expired" in failed[0]["reason"]
    assert failed[0]["remedy"]
    states = {step["id"]: step["state"] for step in view["steps"]}
    assert {states[s] for s in states if s.startswith("github.")} == {"applied"}
    # The credential is good again, and so is the project after a decision.
    assert world.api.post("/api/projects/expired-shop/decision", json={"decision": "retry"}).status_code == 202
    world.until("the completion", lambda: (world.project("expired-shop") or {}).get("state") == "completed")


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_concurrent_starts_give_no_error(world: World, count: int) -> None:
    before, first = len(world.host_errors()), 9_000_000 + 10_000 * count
    world.fault("github", method="*", path=".*", kind="webhook_dropped", event="issues", count=2000)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: world.open_issue("casey", f"issue {n}", labels=()), range(count)))
    payloads = [
        {
            "action": "opened",
            "issue": {
                "id": first + n,
                "number": number,
                "title": "New project",
                "body": form(f"Mass {count} {n}", Owner=""),
                "user": {"login": "casey"},
                "labels": [{"name": "new-project"}],
                "state": "open",
            },
            "repository": {"full_name": "acme/requests"},
        }
        for n, number in enumerate(numbers)
    ]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda payload: world.deliver(payload, "issues"), payloads))
    assert {answer.status_code for answer in answers} == {202}
    key = {"code": world.stack.secrets["durable_key"]}

    def settled() -> bool:
        counts: dict[str, int] = {}
        token = ""
        while True:
            page = httpx.get(
                f"{world.ready.host}/runtime/webhooks/durabletask/instances",
                params=key | {"instanceIdPrefix": f"github-issue-{first // 1000}", "top": "1000"},
                headers={"x-ms-continuation-token": token} if token else {},
                timeout=60,
            )
            assert page.status_code == 200, page.text
            for instance in page.json():
                counts[instance["runtimeStatus"]] = counts.get(instance["runtimeStatus"], 0) + 1
            token = page.headers.get("x-ms-continuation-token", "")
            if not token:
                break
        assert set(counts) <= {"Completed", "Running", "Pending"}, counts
        return counts == {"Completed": count}

    world.until(f"{count} ends", settled, 240)
    assert world.host_errors()[before:] == []
