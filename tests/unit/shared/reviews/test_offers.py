"""What agents proposed is offered after the verdict, where the connection wants it; what fails there breaks no review."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrations import activities
from shared.agents.quality import analyse
from shared.domain.audit import AuditTag
from shared.domain.connection import Mode
from shared.domain.forge import ForgeName
from shared.domain.pull_request import BranchChange, PullRequestState
from shared.domain.review import AgentName, AgentReport, ReviewState, Ruling
from shared.errors import NotSupportedError
from tests.fakes.changes import evidence, file, item
from tests.fakes.pull_requests import OfferingAzureDevOps, OfferingGitHub
from tests.fakes.review_runs import PROJECT, ReviewWorld

CODE = "def half(n: int) -> int:\n    if n < 0:\n        raise ValueError('n')\n    return n // 2\n"
PATH = "tests/unit/test_sums_half_proposed.py"
BRANCH = "doneright/tests-7"
OFFERED = {
    ForgeName.GITHUB: AuditTag.GITHUB_TESTS_OFFERED,
    ForgeName.AZURE_DEVOPS: AuditTag.AZURE_DEVOPS_TESTS_OFFERED,
}
NEXT = "9" * 40


class Plans:
    """Keeps cases, or has no licence to."""

    def __init__(self, licensed: bool = True) -> None:
        self.licensed = licensed
        self.held: dict[tuple[str, str, str], list[Any]] = {}

    def mirror(self, project, plan, suite, cases):
        if not self.licensed:
            raise NotSupportedError("the organisation has no test plans", "Buy the licence.")
        self.held[project, plan, suite] = list(cases)
        return list(range(1, len(cases) + 1))


class Proposing(ReviewWorld):
    """A pull request whose code lacks tests, in a repository that branches can be written to."""

    def __init__(self, monkeypatch, forge=ForgeName.GITHUB, **connection):
        super().__init__(monkeypatch, forge, **connection)
        self.app.heard = (AgentName.QUALITY,)
        self.app.hear = lambda agent, seen: AgentReport(agent=agent, opinions=analyse(seen))
        self.host = OfferingGitHub() if forge is ForgeName.GITHUB else OfferingAzureDevOps()
        self.app.offering[forge] = self.host

    def propose(self, **rest):
        """Push the code, and open it."""
        ref = self.open(file("app/sums.py", None, CODE), **rest)
        place = ref.repository
        if self.name is ForgeName.AZURE_DEVOPS:
            self.host.create_project(place.owner, description="", process="Agile", private=True)
        self.host.create_repository(place, description="", private=True)
        self.host.commit_files(place, "main", {"README.md": b"x\n"}, message="begin")
        change = self.forge.change(ref)
        written = BranchChange(added={"app/sums.py": CODE.encode()})
        head = self.host.write_branch(
            place,
            change.source,
            written,
            onto=self.host.branch_head(place, "main"),
            replacing=None,
            message="feat: half",
        )
        self.forge.alter(ref, head=head)
        return ref

    def pulls(self, ref):
        return self.host.repo(ref.repository).pulls


@pytest.fixture(params=list(ForgeName))
def world(request, monkeypatch):
    return Proposing(monkeypatch, request.param, propose_tests=True)


def test_proposed_tests_become_a_branch_after_the_verdict_and_once(world):
    ref = world.propose()
    for _ in range(2):
        reviewed = world.reviewed(ref)
        assert reviewed.ruling is Ruling.FAILED
    (pull,) = world.pulls(ref)
    assert (pull.source, pull.target, pull.draft) == (BRANCH, world.forge.change(ref).source, True)
    assert world.host.content(ref.repository, PATH, BRANCH)
    tags = world.app.tags(PROJECT)
    assert tags.count(OFFERED[world.name]) == 1
    assert AuditTag.OFFER_FAILED not in tags
    assert tags.index(OFFERED[world.name]) > tags.index(AuditTag.REVIEW_JUDGED) + 1


def test_the_summary_says_where_the_branch_is(world):
    ref = world.propose()
    assert world.reviewed(ref).offered == BRANCH
    (summary,) = world.forge.summaries(ref)
    assert f"`{BRANCH}`" in summary.body


@pytest.mark.parametrize(
    ("change", "connection"),
    [
        ({}, {}),
        ({"fork": True}, {"propose_tests": True}),
        ({"source": "doneright/tests-6"}, {"propose_tests": True}),
        ({}, {"propose_tests": True, "paused": True}),
        ({}, {"propose_tests": True, "mode": Mode.ADVISORY}),
    ],
)
def test_nothing_is_written_where_nobody_wants_or_may_have_it(monkeypatch, change, connection):
    settings = {key: value for key, value in connection.items() if key != "mode"}
    world = Proposing(monkeypatch, **settings)
    if "mode" in connection:
        world.connection = world.app.connect_to(world.connection.model_copy(update={"mode": connection["mode"]}))
    ref = world.propose(**change)
    assert world.reviewed(ref).offered == ""
    assert world.pulls(ref) == []
    assert BRANCH not in world.forge.summaries(ref)[0].body
    assert AuditTag.OFFER_FAILED not in world.app.tags(PROJECT)


@pytest.mark.parametrize("meanwhile", [{"head": NEXT}, {"state": PullRequestState.MERGED}])
def test_a_change_that_moved_on_is_offered_nothing(world, meanwhile):
    ref = world.propose()
    world.between["offer_proposals"] = lambda: world.forge.alter(ref, **meanwhile)
    assert world.run(world.news(ref)).completed
    assert world.pulls(ref) == []


def test_a_branch_that_somebody_works_on_is_told_on_record_and_the_verdict_stands(world):
    ref = world.propose()
    place = ref.repository
    written = BranchChange(added={"mine.py": b"1\n"})
    main = world.host.branch_head(place, "main")
    world.host.write_branch(place, BRANCH, written, onto=main, replacing=None, message="mine")
    assert world.reviewed(ref).ruling is Ruling.FAILED
    (event,) = [one for one in world.app.events(PROJECT) if one.tag is AuditTag.OFFER_FAILED]
    assert "somebody works on the branch" in event.detail["reason"]
    assert world.record(ref).state is ReviewState.COMPLETED


def test_an_offer_that_breaks_ends_no_review(world, monkeypatch):
    ref = world.propose()

    def broken(payload):
        raise KeyError("tree")

    monkeypatch.setattr(activities, "offer_proposals", broken)
    run = world.run(world.news(ref))
    assert run.output["ruling"] == Ruling.FAILED
    assert world.record(ref).state is ReviewState.COMPLETED
    (event,) = [one for one in world.app.events(PROJECT) if one.tag is AuditTag.OFFER_FAILED]
    assert "KeyError" in event.detail["reason"]


def test_proposed_cases_are_kept_in_test_plans_for_the_one_requirement(monkeypatch):
    world = Proposing(monkeypatch, ForgeName.AZURE_DEVOPS, mirror_test_cases=True)
    world.app.cases = plans = Plans()
    ref = world.propose()
    world.forge.look_otherwise(ref, items=(item(12, forge=ForgeName.AZURE_DEVOPS),))
    assert world.reviewed(ref).offered == ""
    (((project, plan, suite), cases),) = plans.held.items()
    assert (project, plan, suite) == (ref.repository.owner, "Doneright", ref.repository.name)
    assert {one.requirement for one in cases} == {12}
    assert world.app.tags(PROJECT).count(AuditTag.AZURE_DEVOPS_CASES_MIRRORED) == 1
    assert world.pulls(ref) == []


def test_an_organisation_without_test_plans_is_told_so(monkeypatch):
    world = Proposing(monkeypatch, ForgeName.AZURE_DEVOPS, mirror_test_cases=True, propose_tests=True)
    world.app.cases = Plans(licensed=False)
    ref = world.propose()
    world.reviewed(ref)
    (event,) = [one for one in world.app.events(PROJECT) if one.tag is AuditTag.OFFER_FAILED]
    assert (event.detail["what"], "no test plans" in event.detail["reason"]) == ("cases", True)
    assert len(world.pulls(ref)) == 1


def test_cases_for_a_change_on_github_are_kept_nowhere(monkeypatch):
    world = Proposing(monkeypatch, ForgeName.GITHUB, mirror_test_cases=True)
    world.app.cases = plans = Plans()
    world.reviewed(world.propose())
    assert plans.held == {}


def test_the_evidence_here_lacks_tests():
    assert [one.patch.keys() for one in analyse(evidence(file("app/sums.py", None, CODE)))] == [{PATH}]
