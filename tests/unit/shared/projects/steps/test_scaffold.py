"""The scaffold step: one commit, file for file, on a branch nobody else has written to."""

from __future__ import annotations

import pytest

from shared.domain.plan import StepState
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


def test_the_second_time_it_is_confirmed(bench, step):
    assert bench.twice(step).state is StepState.CONFIRMED


def test_what_people_push_later_is_theirs(bench, either, step):
    bench.made(step)
    bench.forge(either).stored(bench.ref(step)).branches["main"]["new.py"] = b"x"
    assert bench.attempt(step).state is StepState.CONFIRMED


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
