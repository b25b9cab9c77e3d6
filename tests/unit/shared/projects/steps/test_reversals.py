"""Every step takes back what its own run made, forgets it, and leaves everything else alone."""

from __future__ import annotations

import pytest

from shared.domain.plan import ReversalState, StepState
from shared.domain.project import TeamRequest
from shared.errors import TransientError
from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault
from tests.fakes.steps import Bench

BEFORE = {
    "azure_devops": ("azure_devops.project", "azure_devops.repository", "azure_devops.scaffold"),
    "github": ("github.repository", "github.scaffold"),
}
"""What another run made before the step under test."""

REMOVALS = {
    "azure_devops.backlog": "delete_work_item",
    "azure_devops.branch_rules": "remove_branch_rules",
    "azure_devops.build_validation": "remove_required_builds",
    "azure_devops.classification": "delete_classification_node",
    "azure_devops.environments": "delete_environment",
    "azure_devops.hook": "delete_hook",
    "azure_devops.notifications": "delete_notification",
    "azure_devops.pipeline": "delete_pipeline",
    "azure_devops.pipeline_permissions": "set_pipeline_permissions",
    "azure_devops.teams": "delete_team",
    "azure_devops.variable_group": "delete_variable_group",
    "azure_devops.wiki": "delete_wiki",
    "github.branch_rules": "remove_branch_rules",
    "github.build_validation": "remove_required_builds",
    "github.deployment_environments": "delete_deployment_environment",
    "github.hook": "delete_hook",
    "github.labels": "delete_label",
    "github.security": "disable_security",
    "github.topics": "set_topics",
}
"""Steps whose work can be taken out of a project or repository that stays, and the call that does it."""

NEEDS = {
    "azure_devops.build_validation": ("azure_devops.pipeline",),
    "azure_devops.pipeline_permissions": (
        "azure_devops.pipeline",
        "azure_devops.variable_group",
        "azure_devops.environments",
    ),
}
"""What a step needs besides."""

ALONE = list(REMOVALS)
CREATES = ("create_", "set_", "enable_", "protect_", "require_")


@pytest.fixture
def bench():
    app = App()
    app.azure.put_person("ada@acme.example")
    asked = a_request(
        backlog=("Take an order",),
        topics=("orders",),
        notifications=[{"event": "build_failed"}, {"event": "work_item_assigned", "to": ["crew@acme.example"]}],
        teams=[TeamRequest(name="Crew", members=("ada@acme.example",)), TeamRequest(name="Audit", role="reader")],
    )
    plan, scaffolds = plan_for(app.ports, asked, app.connect_to(a_connection()), 2026)
    for packed in scaffolds.values():
        app.artifacts.put(packed, "application/zip")
    return Bench(app, plan)


def test_every_step_of_a_plan_is_tried_here(bench):
    containers = {step for steps in BEFORE.values() for step in steps}
    # GitHub can be told nothing by that step, so there is nothing to take back.
    assert {step.id for step in bench.plan.steps} == containers | set(ALONE) | {"github.notifications"}


def prepared(bench, step):
    """The step's project or repository is an earlier run's; returns the step's forge."""
    forge = step.partition(".")[0]
    bench.made(*BEFORE[forge], *NEEDS.get(step, ()))
    bench.of_an_earlier_run()
    return bench.forge(forge)


def own_intents(bench, before):
    return sorted(set(bench.intents()) - set(before))


@pytest.mark.parametrize("step", ALONE)
def test_what_the_run_made_is_removed_and_forgotten(bench, step):
    prepared(bench, step)
    before = bench.intents()
    bench.made(step)
    assert own_intents(bench, before), "what is created is written down first"
    assert bench.reversed(step).state is ReversalState.REMOVED
    assert bench.intents() == before


@pytest.mark.parametrize("step", ALONE)
def test_it_is_made_again_afterwards(bench, step):
    prepared(bench, step)
    bench.made(step)
    bench.reversed(step)
    outcome = bench.attempt(step)
    assert outcome.state is StepState.APPLIED
    assert bench.attempt(step).state is StepState.CONFIRMED


@pytest.mark.parametrize("step", ALONE)
def test_taken_back_twice_it_is_gone_once(bench, step):
    forge = prepared(bench, step)
    bench.made(step)
    bench.reversed(step)
    changes = forge.changes()
    assert bench.reversed(step).state is ReversalState.KEPT
    assert forge.changes() == changes


@pytest.mark.parametrize("step", ALONE)
def test_what_an_earlier_run_made_stays(bench, step):
    forge = prepared(bench, step)
    bench.made(step)
    bench.of_an_earlier_run()
    intents, changes = bench.intents(), forge.changes()
    assert bench.reversed(step).state is ReversalState.KEPT
    assert bench.attempt(step).state is StepState.CONFIRMED
    assert (bench.intents(), forge.changes()) == (intents, changes)


@pytest.mark.parametrize("step", ALONE)
def test_what_was_there_before_any_run_stays(bench, step):
    forge = prepared(bench, step)
    before = bench.intents()
    bench.made(step)
    for resource in own_intents(bench, before):
        bench.app.ports.ledger(bench.plan.project).withdraw(resource)
    changes = len(forge.changes())
    bench.attempt(step)
    made = forge.changes()[changes:]
    assert [call for call in made if call.startswith("create_")] == [], "it is there, as planned"
    assert bench.reversed(step).state is ReversalState.KEPT
    assert forge.changes()[changes:] == made


@pytest.mark.parametrize("step", ALONE)
def test_a_removal_whose_answer_was_lost_counts(bench, step):
    forge = prepared(bench, step)
    before = bench.intents()
    bench.made(step)
    forge.fail(REMOVALS[step], Fault.LOST)
    with pytest.raises(TransientError):
        bench.reverse(step)
    assert own_intents(bench, before), "not forgotten before it was seen to be gone"
    assert bench.reversed(step).state is ReversalState.REMOVED
    assert bench.intents() == before


@pytest.mark.parametrize("step", ALONE)
def test_a_creation_whose_answer_was_lost_is_taken_back(bench, step):
    forge = prepared(bench, step)
    before = bench.intents()
    bench.made(step)
    create = next(call for call in reversed(forge.changes()) if call.startswith(CREATES))
    bench.reversed(step)
    forge.fail(create, Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(step)
    assert bench.reversed(step).state is ReversalState.REMOVED
    assert bench.intents() == before
    assert bench.attempt(step).state is StepState.APPLIED


OUTSIDE = {"azure_devops.notifications"}
"""What stands in the organisation, where a project that is removed leaves it."""


@pytest.mark.parametrize("step", sorted(OUTSIDE))
def test_what_stands_outside_the_project_is_taken_back_though_the_run_made_that(bench, step):
    name = step.partition(".")[0]
    bench.made(*BEFORE[name], *NEEDS.get(step, ()))
    before = bench.intents()
    bench.made(step)
    assert bench.reversed(step).state is ReversalState.REMOVED
    assert bench.intents() == before


@pytest.mark.parametrize("step", [step for step in ALONE if step not in OUTSIDE])
def test_it_goes_with_what_the_run_made_around_it(bench, step):
    name = step.partition(".")[0]
    bench.made(*BEFORE[name], *NEEDS.get(step, ()), step)
    forge = bench.forge(name)
    forge.calls.clear()
    reversal = bench.reversed(step)
    assert reversal.state is ReversalState.WITH_CONTAINER
    assert reversal.reason == ("goes with the repository" if name == "github" else "goes with the project")
    assert forge.calls == []
    for container in reversed(BEFORE[name]):
        bench.reversed(container)
    assert bench.intents() == []
    assert forge.names() == []
