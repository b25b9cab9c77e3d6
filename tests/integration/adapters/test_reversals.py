"""A whole plan made on both simulators and taken back again: with its project and repository, and step by step."""

import importlib
import time

import httpx
import pytest
from pydantic import SecretStr

from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.azure_devops import AzureDevOpsForge
from shared.adapters.azure_devops import PersonalAccessToken as AzureDevOpsToken
from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.domain.plan import ReversalState, StepState
from shared.domain.project import EnvironmentRequest, TeamRequest
from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.steps import Bench
from tests.integration.adapters.serving import UtcClock, served

CONTAINERS = {"azure_devops.project", "azure_devops.repository", "github.repository"}
STAYS = {"azure_devops.scaffold", "github.scaffold"}
"""Out of a repository that stays, no forge takes the first commit."""

SEED = {
    "github": {
        "users": [{"login": "casey", "token": "t", "scopes": ["repo", "workflow", "delete_repo", "admin:org"]}],
        "organizations": [{"login": "acme", "plan": "enterprise", "members": {"casey": "admin"}}],
    },
    "azure_devops": {
        "organizations": [
            {
                "name": "acme",
                "users": [
                    {"name": "D", "mail": "d@acme.example", "token": "t", "permissions": ["collection_administrator"]},
                    {"name": "Ada", "mail": "ada@acme.example", "token": "a", "permissions": ["reader"]},
                ],
                "projects": [{"name": "Other", "process": "Agile"}],
            }
        ]
    },
}


def _contract(forge):
    try:
        return importlib.import_module(f"local.sandbox.{forge}.contract").load()
    except FileNotFoundError:
        return None


@pytest.fixture
def sandboxes():
    state = State()
    apply_seed(state, SEED)
    held = {forge: _contract(forge) for forge in ("github", "azure_devops")}
    with (
        served(lambda url: build_github(state, base_url=url, contract=held["github"])) as (github, _),
        served(
            lambda url: build_azure_devops(
                state, base_url=url, contract=held["azure_devops"], min_project_seconds=0.05, max_project_seconds=0.1
            )
        ) as (azure, azure_app),
    ):
        yield github, azure, state, azure_app.state.service.organization("acme")
        for forge, url in (("github", github), ("azure_devops", azure)):
            assert not held[forge] or httpx.get(f"{url}/_violations").json() == []


@pytest.fixture
def bench(sandboxes):
    return benched(sandboxes)


def benched(sandboxes, app=None, **more):
    github, azure, *_ = sandboxes
    app = app or App()
    app.github = GitHubForge(PersonalAccessToken(token=SecretStr("t")), clock=UtcClock(), base_url=github)
    app.azure = AzureDevOpsForge(f"{azure}/acme", AzureDevOpsToken(token=SecretStr("t")), clock=UtcClock())
    asked = a_request(
        description="Takes orders.",
        topics=("orders",),
        backlog=("Take an order",),
        teams=[TeamRequest(name="Crew", members=("ada@acme.example",)), TeamRequest(name="Audit", role="reader")],
        environments=[EnvironmentRequest(name="staging"), EnvironmentRequest(name="production")],
        **more,
    )
    plan, scaffolds = plan_for(app.ports, asked, app.connect_to(a_connection()), 2026)
    for packed in scaffolds.values():
        app.artifacts.put(packed, "application/zip")
    return Bench(app, plan)


def make(bench, steps):
    for step in steps:
        memory = {}
        for _ in range(200):
            outcome = bench.attempt(step, memory=memory)
            memory = outcome.observed
            if outcome.state is not StepState.WAITING:
                break
            time.sleep(0.02)
        assert outcome.state in {StepState.APPLIED, StepState.CONFIRMED}, (step, outcome)


def take_back(bench, steps):
    """What each came to, in the order they are taken back."""
    came_to = {}
    for step in reversed(steps):
        memory = {}
        for _ in range(200):
            reversal = bench.reverse(step, memory=memory)
            memory = reversal.observed
            if reversal.state is not ReversalState.WAITING:
                break
            time.sleep(0.02)
        came_to[step] = reversal.state
    return came_to


def test_a_plan_is_taken_back_with_its_project_and_repository(bench, sandboxes):
    *_, state, organization = sandboxes
    steps = [step.id for step in bench.plan.steps]
    make(bench, steps)
    came_to = take_back(bench, steps)
    gone = {"azure_devops.project", "github.repository"}
    assert {step for step, end in came_to.items() if end is ReversalState.REMOVED} == gone
    assert {step for step, end in came_to.items() if end is ReversalState.WITH_CONTAINER} == set(steps) - gone
    assert [project["name"] for project in organization["projects"].values()] == ["Other"]
    assert state.data["github"]["repos"] == {}
    assert bench.intents() == []
    make(bench, steps)
    assert all(bench.attempt(step).state is StepState.CONFIRMED for step in steps)


def test_repositories_added_to_a_project_that_stays_are_taken_back_alone(bench, sandboxes):
    *_, state, organization = sandboxes
    make(bench, [step.id for step in bench.plan.steps])
    bench.of_an_earlier_run()
    further = [{"name": "web-shop", "stack": "react"}, {"name": "notes"}]
    later = benched(sandboxes, app=bench.app, repositories=further)
    later.instance = bench.instance
    before = later.intents()
    steps = [step.id for step in later.plan.steps]
    make(later, steps)
    project = next(p for p in organization["projects"].values() if p["name"] == "Order Desk")

    def standing():
        held = [one["name"] for one in project["repositories"].values() if not one.get("deleted")]
        return sorted(held), sorted(one["name"] for one in state.data["github"]["repos"].values())

    everywhere = standing()
    assert {"notes", "web-shop"} <= set(everywhere[0]) & set(everywhere[1])
    came_to = take_back(later, steps)
    assert [sorted(set(now) & {"notes", "web-shop"}) for now in standing()] == [[], []]
    assert len(standing()[1]) == 1
    assert came_to["github.repository"] is came_to["azure_devops.project"] is ReversalState.KEPT
    assert later.intents() == before
    make(later, steps)


def test_a_plan_is_taken_back_step_by_step_out_of_what_an_earlier_run_made(bench, sandboxes):
    *_, state, organization = sandboxes
    steps = [step.id for step in bench.plan.steps]
    make(bench, [step for step in steps if step in CONTAINERS])
    (repository,) = state.data["github"]["repos"].values()
    project = next(p for p in organization["projects"].values() if p["name"] == "Order Desk")

    def held():
        kinds = ("wikis", "variable_groups", "environments", "policies", "definitions", "teams")
        standing = {kind: [one for one in project[kind].values() if not one.get("deleted")] for kind in kinds}
        return {kind: len(ones) for kind, ones in standing.items()} | {"labels": sorted(repository["labels"])}

    before = held()
    bench.of_an_earlier_run()
    make(bench, steps)
    assert [kind for kind, many in held().items() if many == before[kind]] == [], "all of it was made"
    came_to = take_back(bench, steps)
    assert {step for step, end in came_to.items() if end is ReversalState.KEPT} == CONTAINERS | STAYS
    assert {step for step, end in came_to.items() if end is ReversalState.REMOVED} == set(steps) - CONTAINERS - STAYS
    assert held() == before
    assert (repository["topics"], repository["hooks"], repository["environments"]) == ([], {}, {})
    assert not repository["protection"]
    assert not repository["vulnerability_alerts"]
    assert organization["work_items"] == {}
    assert organization["subscriptions"] == {}
    assert ReversalState.REMOVED not in take_back(bench, steps).values(), "there is nothing left to remove"
    make(bench, steps)
    assert all(bench.attempt(step).state is StepState.CONFIRMED for step in steps)
