"""The forges of the pacing row refuse what exceeds their limits, and the row's bound is the least anybody needs."""

from datetime import timedelta

import pytest

from bench import pacing
from bench.forge_calls import Request
from bench.limited_forges import Limited, LimitedAzureDevOps, LimitedGitHub
from bench.result import BenchError
from shared.adapters.github.limits import pace_of, request_of
from shared.adapters.pacing import Pacing
from shared.domain.forge import ForgeName
from shared.errors import TransientError
from tests.fakes.storage import MemoryClock

CREATE = Request(*request_of("POST", "/x"), together=0)
READ = Request(*request_of("GET", "/x"), together=0)


@pytest.fixture
def clock():
    return MemoryClock()


def test_github_refuses_the_81st_creation_of_a_minute_and_the_501st_of_an_hour(clock):
    github = LimitedGitHub(clock)
    for _ in range(6):
        assert all(github.answer(CREATE, "x")[0] for _ in range(80))
        let_in, advice, failure = github.answer(CREATE, "x")
        assert not let_in
        assert advice.hold == 60
        assert isinstance(failure, TransientError)
        clock.advance(timedelta(seconds=60))
    assert sum(github.answer(CREATE, "x")[0] for _ in range(80)) == 20
    assert github.spent["content"] == 500
    assert github.bound() == 360


def test_github_refuses_the_5001st_request_of_an_hour_and_tells_when_it_ends(clock):
    github = LimitedGitHub(clock)
    for _ in range(10):
        assert all(github.answer(READ, "x")[0] for _ in range(500))
        clock.advance(timedelta(seconds=60))
    let_in, advice, _ = github.answer(READ, "x")
    assert not let_in
    assert advice.allowance.remaining == 0
    assert github.bound() == 4999 // 900 * 60


def test_azure_devops_shows_what_is_left_and_blocks_beyond_it(clock):
    azure = LimitedAzureDevOps(clock)
    answers = [azure.answer(READ, "create_project") for _ in range(201)]
    assert [let_in for let_in, _, _ in answers] == [True] * 200 + [False]
    assert answers[10][1].capacity.used == 0
    assert answers[149][1].capacity.used == 0.75
    assert answers[200][1].hold == 30


def test_without_limits_all_is_counted(clock):
    github, azure = LimitedGitHub(clock), LimitedAzureDevOps(clock)
    github.lift()
    azure.lift()
    assert all(github.answer(CREATE, "x")[0] for _ in range(1100))
    assert all(azure.answer(READ, "project")[0] for _ in range(2000))
    assert github.bound() == 2 * 3600 + 60
    assert azure.bound() == 2 * 300


class _Fake:
    def make(self, name):
        return f"made {name}"

    def other(self):
        return "free"


def test_a_creation_of_a_try_that_was_broken_off_is_not_paid_twice(clock):
    recorded = {(ForgeName.GITHUB, "make"): [READ, CREATE, CREATE]}
    github = LimitedGitHub(clock)
    pace = pace_of(Pacing(clock), "https://api.github.com", "t")
    forge = Limited(_Fake(), ForgeName.GITHUB, pace, github, recorded, {})
    assert forge.other() == "free"
    for number in range(39):
        assert forge.make(str(number)) == f"made {number}"
    with pace.call("h", CREATE.costs) as call:
        github.answer(CREATE, "x")
        call.end(answered=True)
    with pytest.raises(TransientError):
        forge.make("last")
    clock.advance(timedelta(seconds=60))
    assert forge.make("last") == "made last"
    assert github.spent["content"] == 81
    assert github.refused == 0


def test_bootstraps_that_stay_within_the_limits_are_no_measurement(monkeypatch, tmp_path):
    recorded = {(ForgeName.GITHUB, "comment"): [READ, CREATE]}
    monkeypatch.setattr(pacing, "record", lambda: (recorded, {}))
    monkeypatch.setattr(pacing, "QUICK_RUNS", 2)
    with pytest.raises(BenchError, match="nothing is measured"):
        pacing.run(tmp_path, quick=True)


def test_bootstraps_slowed_by_the_limits_all_complete(monkeypatch, tmp_path):
    recorded = {
        (ForgeName.GITHUB, "comment"): [READ, CREATE],
        (ForgeName.GITHUB, "create_label"): [CREATE],
        (ForgeName.GITHUB, "labels"): [READ],
        (ForgeName.AZURE_DEVOPS, "create_work_item"): [READ] * 12,
        (ForgeName.AZURE_DEVOPS, "work_items"): [READ],
    }
    monkeypatch.setattr(pacing, "record", lambda: (recorded, {}))
    monkeypatch.setattr(pacing, "QUICK_RUNS", 12)
    (result,) = pacing.run(tmp_path, quick=True)
    assert (result.unit, result.peer_name) == ("bootstraps/h", "the limits' own bound")
    assert 0.5 < result.ratio <= 1.05
