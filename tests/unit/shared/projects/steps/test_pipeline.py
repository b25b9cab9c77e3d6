"""The pipeline step: one definition that runs the scaffold's file, and none that runs something else."""

from __future__ import annotations

import pytest

from shared.domain.forge import PipelineDefinition
from shared.domain.plan import ReversalState, StepState
from shared.errors import TransientError
from tests.fakes.forges import Fault

STEP = "azure_devops.pipeline"


def test_it_is_made_and_read_back(bench):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.observed == {"id": "1", "yaml_path": "/azure-pipelines.yml"}


def test_the_second_time_it_is_confirmed(bench):
    assert bench.twice(STEP).state is StepState.CONFIRMED


def test_one_that_runs_something_else_is_refused_and_untouched(bench):
    theirs = PipelineDefinition(name="order-desk", repository=bench.ref(STEP), yaml_path="/deploy.yml")
    bench.app.azure.pipelines["order desk", "order-desk"] = theirs
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "runs /deploy.yml" in outcome.reason
    assert outcome.remedy
    assert bench.app.azure.changes() == []
    assert list(bench.app.azure.pipelines.values()) == [theirs]


def test_an_answer_lost_after_the_effect_leaves_exactly_one(bench):
    bench.app.azure.fail("create_pipeline", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    assert bench.attempt(STEP).state is StepState.CONFIRMED
    assert bench.app.azure.changes() == ["create_pipeline"]


def test_it_waits_until_the_service_shows_it(bench):
    bench.app.azure.pipelines_unseen = 1
    assert bench.attempt(STEP).state is StepState.WAITING
    assert bench.attempt(STEP).state is StepState.CONFIRMED


def test_taken_back_one_that_was_made_to_run_something_else_stays(bench):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    bench.made(STEP)
    pipelines = bench.app.azure.pipelines
    (key,) = pipelines
    pipelines[key] = pipelines[key].model_copy(update={"yaml_path": "/deploy.yml"})
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert "changed since" in reversal.reason
    assert list(pipelines) == [key]


def test_taken_back_one_that_is_gone_already_is_forgotten(bench):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    before = bench.intents()
    bench.made(STEP)
    bench.app.azure.pipelines.clear()
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert "delete_pipeline" not in bench.app.azure.calls
    assert bench.intents() == before
