"""The step of an adopted repository: it confirms, and never makes, changes or removes."""

from __future__ import annotations

import pytest

from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.plan import PlanStep, ReversalState, StepState
from shared.projects.steps.existing_repository import ensure, reverse

REF = RepositoryRef(owner="acme", name="legacy")


@pytest.fixture
def step(bench, either):
    found = bench.forge(either).put_repository(REF).shown
    return PlanStep(
        id=f"{either}.repository",
        kind="existing_repository",
        forge=ForgeName(either),
        title="Repository",
        inputs={"owner": "acme", "repository": "legacy", "branch": "main", "id": found.id},
    )


def test_it_is_confirmed_and_nothing_is_changed(bench, either, step):
    outcome = ensure(bench._context(), step)
    assert outcome.state is StepState.CONFIRMED
    assert bench.forge(either).changes() == []


def test_one_that_is_gone_fails(bench, either, step):
    bench.forge(either).delete_repository(REF)
    outcome = ensure(bench._context(), step)
    assert outcome.state is StepState.FAILED
    assert outcome.remedy


def test_another_one_of_its_name_fails(bench, either, step):
    stored = bench.forge(either).stored(REF)
    stored.shown = stored.shown.model_copy(update={"id": "another"})
    assert "another repository" in ensure(bench._context(), step).reason


def test_one_that_was_renamed_is_the_same(bench, either, step):
    stored = bench.forge(either).stored(REF)
    stored.shown = stored.shown.model_copy(update={"ref": RepositoryRef(owner="acme", name="renamed")})
    assert "renamed since" in ensure(bench._context(), step).reason


def test_it_is_never_removed(bench, either, step):
    assert reverse(bench._context(), step).state is ReversalState.KEPT
    assert bench.forge(either).repository(REF) is not None
