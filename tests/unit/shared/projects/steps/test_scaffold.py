"""The scaffold step: one commit, file for file, on a branch nobody else has written to."""

from __future__ import annotations

import pytest

from shared.domain.plan import ReversalState, StepState
from shared.errors import TransientError
from shared.projects import bundle
from tests.fakes.forges import Fault


@pytest.fixture
def step(bench, either):
    bench.made(*(["azure_devops.project"] if either == "azure_devops" else []), f"{either}.repository")
    return f"{either}.scaffold"


def test_every_file_is_there_and_read_back(bench, either, step):
    outcome = bench.attempt(step)
    assert outcome.state is StepState.APPLIED
    files = bench.forge(either).stored(bench.ref(step)).branches["main"]
    planned = bundle.unpack(bench.app.artifacts.get(bench.plan.step(step).inputs["scaffold"]))
    assert files == planned.files
    assert outcome.observed["files"] == len(files)


def test_the_second_time_it_is_confirmed_by_the_head_alone(bench, either, step):
    assert bench.twice(step).state is StepState.CONFIRMED
    assert bench.forge(either).calls[-2:] == ["repository_page", "branch_head"]


def test_what_people_push_later_is_theirs_and_costs_one_read_more(bench, either, step):
    bench.made(step)
    bench.forge(either).stored(bench.ref(step)).branches["main"]["new.py"] = b"x"
    outcome = bench.attempt(step)
    assert outcome.state is StepState.CONFIRMED
    assert "history of main" in outcome.reason
    assert bench.forge(either).calls[-3:] == ["repository_page", "branch_head", "is_ancestor"]


def test_a_newer_template_is_not_held_against_a_project_made_from_an_older_one(bench, either, step):
    bench.made(step)
    bench.forge(either).stored(bench.ref(step)).branches["main"]["new.py"] = b"x"
    newer = bundle.pack({"other.txt": b"newer"})
    digest = bench.app.artifacts.put(newer, bundle.MEDIA_TYPE)
    assert bench.attempt(step, scaffold=digest, template_version="9.9.9").state is StepState.CONFIRMED


def test_a_replaced_history_fails_with_the_lost_commit_and_both_ways_out(bench, either, step):
    first = str(_head(bench, either, step))
    bench.forge(either).force_push(bench.ref(step), "main", {"theirs.py": b"x"})
    before = bench.forge(either).changes()
    for _ in range(2):
        outcome = bench.attempt(step)
        assert outcome.state is StepState.FAILED
        assert first in outcome.reason
        assert "history of main was replaced" in outcome.reason
        assert f"git fetch origin {first}" in outcome.remedy
    assert bench.forge(either).changes() == before, "what somebody pushed is never overwritten"


def test_a_history_that_was_joined_again_is_confirmed(bench, either, step):
    first = _head(bench, either, step)
    forge, ref = bench.forge(either), bench.ref(step)
    forge.force_push(ref, "main", {"theirs.py": b"x"})
    assert bench.attempt(step).state is StepState.FAILED
    forge.stored(ref).roots["main"] = first
    assert bench.attempt(step).state is StepState.CONFIRMED


def test_a_branch_that_was_emptied_is_made_again_and_the_new_commit_remembered(bench, either, step):
    bench.made(step)
    bench.forge(either).stored(bench.ref(step)).branches.clear()
    newer = bundle.pack({"other.txt": b"newer"})
    digest = bench.app.artifacts.put(newer, bundle.MEDIA_TYPE)
    assert bench.attempt(step, scaffold=digest).state is StepState.APPLIED
    bench.forge(either).stored(bench.ref(step)).branches["main"]["new.py"] = b"x"
    assert bench.attempt(step, scaffold=digest).state is StepState.CONFIRMED


def _head(bench, either, step):
    bench.made(step)
    return bench.forge(either).branch_head(bench.ref(step), "main")


def test_somebody_elses_commits_are_refused_and_untouched(bench, either, step):
    bench.forge(either).stored(bench.ref(step)).branches["main"] = {"theirs": b"x"}
    before = list(bench.forge(either).changes())
    outcome = bench.attempt(step)
    assert outcome.state is StepState.FAILED
    assert "did not make" in outcome.reason
    assert bench.forge(either).changes() == before


def test_an_answer_lost_after_the_effect_leaves_exactly_one(bench, either, step):
    bench.forge(either).fail("commit_files", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(step)
    assert bench.attempt(step).state is StepState.APPLIED
    assert bench.forge(either).changes().count("commit_files") == 1


def test_files_that_read_back_otherwise_fail_with_the_remedy(bench, either, step):
    bench.forge(either).spoil_commits = True
    outcome = bench.attempt(step)
    assert outcome.state is StepState.FAILED
    assert "1 files on main are not as rendered" in outcome.reason
    assert outcome.remedy


def test_a_commit_that_does_not_show_yet_is_waited_for(bench, either, step, monkeypatch):
    monkeypatch.setattr(bench.forge(either), "branch_head", lambda ref, branch: None)
    assert bench.attempt(step).state is StepState.WAITING


def test_it_goes_with_the_repository_the_run_made(bench):
    bench.made("github.repository", "github.scaffold")
    assert bench.reversed("github.scaffold").state is ReversalState.WITH_CONTAINER


def test_in_a_repository_that_stays_the_first_commit_stays_and_is_remembered(bench):
    bench.made("github.repository")
    bench.of_an_earlier_run()
    bench.made("github.scaffold")
    intents, changes = bench.intents(), bench.app.github.changes()
    reversal = bench.reversed("github.scaffold")
    assert reversal.state is ReversalState.KEPT
    assert "default branch" in reversal.reason
    assert (bench.intents(), bench.app.github.changes()) == (intents, changes)
    bench.of_an_earlier_run()
    assert "did not make" in bench.reversed("github.scaffold").reason
