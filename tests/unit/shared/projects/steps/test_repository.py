"""The repository step: makes one, finds its own again, and leaves everybody else's alone."""

from __future__ import annotations

import pytest

from shared.domain.forge import RepositoryRef
from shared.domain.plan import ReversalState, StepState
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


def test_taken_back_it_is_deleted_and_forgotten_with_all_it_held(bench):
    bench.made(STEP, "github.scaffold", "github.branch_rules", "github.labels", "github.hook")
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert (bench.app.github.names(), bench.intents()) == ([], [])
    assert bench.reversed(STEP).state is ReversalState.KEPT
    for step in (STEP, "github.scaffold", "github.branch_rules", "github.hook"):
        assert bench.attempt(step).state is StepState.APPLIED


def test_a_deletion_whose_answer_was_lost_counts(bench):
    bench.made(STEP)
    bench.app.github.fail("delete_repository", Fault.LOST)
    with pytest.raises(TransientError):
        bench.reverse(STEP)
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert bench.app.github.calls.count("delete_repository") == 1
    assert bench.intents() == []


def test_one_that_does_not_show_yet_is_deleted_all_the_same(bench):
    bench.app.github.lag = 5
    assert bench.attempt(STEP).state is StepState.WAITING
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert bench.app.github.names() == []


def test_one_that_was_renamed_since_is_deleted_under_its_name(bench):
    bench.made(STEP)
    github = bench.app.github
    stored = github.stored(bench.ref(STEP))
    stored.shown = stored.shown.model_copy(update={"ref": RepositoryRef(owner="acme", name="orders")})
    github._repositories["acme/orders"] = stored
    bench.reverse(STEP)
    assert "acme/orders" not in github._repositories


def test_one_that_shows_after_it_was_deleted_is_looked_at_again(bench, monkeypatch):
    bench.made(STEP)
    monkeypatch.setattr(bench.app.github, "delete_repository", lambda ref: None)
    reversal = bench.reverse(STEP)
    assert reversal.state is ReversalState.WAITING
    assert bench.intents()


@pytest.mark.parametrize("whose", ["an earlier run's", "somebody else's"])
def test_taken_back_another_ones_stays(bench, whose):
    if whose == "somebody else's":
        bench.app.github.put_repository(bench.ref(STEP))
        bench.attempt(STEP)
    else:
        bench.made(STEP)
        bench.of_an_earlier_run()
        bench.made(STEP)
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert bench.app.github.names() == ["acme/order-desk"]


def test_taken_back_the_one_that_has_its_name_now_stays(bench):
    bench.made(STEP)
    stored = bench.app.github.stored(bench.ref(STEP))
    stored.shown = stored.shown.model_copy(update={"id": "r9"})
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert "another one is called acme/order-desk now" in reversal.reason
    assert bench.app.github.names() == ["acme/order-desk"]
    assert bench.intents() == []


def test_the_one_that_came_with_the_project_goes_with_it_or_stays(bench):
    bench.made("azure_devops.project", "azure_devops.repository")
    assert bench.reversed("azure_devops.repository").state is ReversalState.WITH_CONTAINER
    bench.of_an_earlier_run()
    assert bench.reversed("azure_devops.repository").state is ReversalState.KEPT
    assert bench.app.azure.names() == ["Order Desk/Order Desk"]


def test_one_made_in_somebody_elses_project_goes_alone_with_its_marks(bench):
    bench.made("azure_devops.repository", "azure_devops.scaffold", "azure_devops.pipeline")
    kept = [one for one in bench.intents() if ".pipeline:" in one]
    assert bench.reversed("azure_devops.scaffold").state is ReversalState.WITH_CONTAINER
    assert bench.reversed("azure_devops.repository").state is ReversalState.REMOVED
    assert bench.app.azure.names() == []
    assert bench.intents() == kept


@pytest.mark.parametrize("whose", ["description", "commits"])
def test_one_made_by_hand_while_the_run_waited_stays(bench, whose):
    github, ref = bench.app.github, bench.ref(STEP)
    github.fail("create_repository", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    github.put_repository(ref, description="By hand" if whose == "description" else "")
    if whose == "commits":
        github.commit_files(ref, "main", {"a": b"theirs"}, message="Begin")
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert "somebody else's" in reversal.reason
    assert whose[:-1] in reversal.reason
    assert github.names() == ["acme/order-desk"]
    assert bench.intents() == []


def test_one_of_azure_repos_made_by_hand_while_the_run_waited_stays(bench):
    azure, ref = bench.app.azure, bench.ref("azure_devops.repository")
    azure.fail("create_repository", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        bench.attempt("azure_devops.repository")
    azure.put_repository(ref, description="never kept there")
    azure.commit_files(ref, "main", {"a": b"theirs"}, message="Begin")
    assert bench.reversed("azure_devops.repository").state is ReversalState.KEPT
    assert azure.names() == ["Order Desk/Order Desk"]
