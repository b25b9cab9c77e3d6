"""The repository step: makes one, finds its own again, and leaves everybody else's alone."""

from __future__ import annotations

import pytest

from shared.domain.plan import StepState
from shared.errors import RefusedError, TransientError
from tests.fakes.forges import Fault

STEP = "github.repository"


def test_it_is_made_and_read_back(bench):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.url == "https://github.example/acme/order-desk"
    assert bench.app.github.names() == ["acme/order-desk"]


def test_the_second_time_it_is_confirmed(bench):
    assert bench.twice(STEP).state is StepState.CONFIRMED


def test_somebody_elses_is_refused_and_untouched(bench):
    bench.app.github.put_repository(bench.ref(STEP))
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "was not made by this request" in outcome.reason
    assert outcome.remedy
    assert bench.app.github.changes() == []


def test_an_answer_lost_after_the_effect_leaves_exactly_one(bench):
    bench.app.github.fail("create_repository", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert bench.app.github.names() == ["acme/order-desk"]
    assert bench.app.github.changes() == ["create_repository"]


def test_it_waits_until_the_forge_shows_it(bench):
    bench.app.github.lag = 1
    assert bench.attempt(STEP).state is StepState.WAITING
    assert bench.attempt(STEP).state is StepState.APPLIED


def test_another_visibility_than_planned_fails_with_the_remedy(bench):
    bench.app.github.private_as_made = False
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "is public, planned private" in outcome.reason
    assert "visibility" in outcome.remedy


def test_the_one_that_comes_with_the_project_is_ours(bench):
    bench.app.azure.put_project("Order Desk")
    assert bench.attempt("azure_devops.repository").state is StepState.APPLIED
    assert bench.attempt("azure_devops.repository").state is StepState.CONFIRMED
    assert bench.app.azure.changes() == []


def test_one_that_somebody_removed_from_the_project_is_made_again(bench):
    assert bench.attempt("azure_devops.repository").state is StepState.APPLIED
    assert bench.app.azure.names() == ["Order Desk/Order Desk"]


def test_what_appears_after_a_refused_creation_is_not_ours(bench):
    bench.app.github.fail("create_repository", Fault.REFUSED)
    with pytest.raises(RefusedError):
        bench.attempt("github.repository")
    ref = bench.ref("github.repository")
    bench.app.github.create_repository(ref, description="theirs", private=True)
    outcome = bench.attempt("github.repository")
    assert outcome.state is StepState.FAILED
    assert "was not made by this request" in outcome.reason
