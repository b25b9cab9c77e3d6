"""The step of an adopted project: it confirms, and never makes, changes or removes."""

from __future__ import annotations

import pytest

from shared.domain.forge import ForgeName
from shared.domain.plan import PlanStep, ReversalState, StepState
from shared.projects.steps.existing_project import ensure, reverse


@pytest.fixture
def step(bench):
    found = bench.app.azure.put_project("Legacy Shop", process="scrum")
    return PlanStep(
        id="azure_devops.project",
        kind="existing_project",
        forge=ForgeName.AZURE_DEVOPS,
        title="Project",
        inputs={"name": "Legacy Shop", "id": found.id},
    )


def test_it_is_confirmed_and_nothing_is_changed(bench, step):
    outcome = ensure(bench._context(), step)
    assert outcome.state is StepState.CONFIRMED
    assert outcome.observed["process"] == "scrum"
    assert bench.app.azure.changes() == []


def test_one_that_was_renamed_is_the_same(bench, step):
    found = bench.app.azure.projects.pop("legacy shop")
    bench.app.azure.projects["new shop"] = found.model_copy(update={"name": "New Shop"})
    assert "renamed since" in ensure(bench._context(), step).reason


def test_another_one_of_its_name_is_another(bench, step):
    found = bench.app.azure.projects.pop("legacy shop")
    bench.app.azure.projects["legacy shop"] = found.model_copy(update={"id": "another"})
    outcome = ensure(bench._context(), step)
    assert outcome.state is StepState.FAILED
    assert "not there any more" in outcome.reason


def test_it_is_never_removed(bench, step):
    assert reverse(bench._context(), step).state is ReversalState.KEPT
    assert "legacy shop" in bench.app.azure.projects
