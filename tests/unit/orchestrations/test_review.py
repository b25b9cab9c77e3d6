"""A review ends with one voice on the forge: judged, told, and looked at again where somebody asked meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrations.review import MOST_ROUNDS
from shared.agents.health import HealthState, view_of
from shared.domain.audit import AuditTag
from shared.domain.connection import Mode
from shared.domain.forge import ForgeName
from shared.domain.publication import CheckConclusion, Permission
from shared.domain.pull_request import PullRequestState
from shared.domain.review import AgentName, AgentReport, ReviewState, Ruling
from shared.errors import DefectError, RefusedError, TransientError
from shared.intake.change_events import ChangeNews, Written
from shared.intake.reviewing import what_follows
from shared.reviews import recording
from shared.reviews.words import spoken_of
from tests.fakes.changes import HEAD, UNKNOWN, file, person
from tests.fakes.forges import Fault
from tests.fakes.review_runs import PROJECT, ReviewWorld

NEXT = "9" * 40


@pytest.fixture(params=list(ForgeName))
def world(request, monkeypatch):
    return ReviewWorld(monkeypatch, request.param)


def test_a_pull_request_gets_a_verdict_a_summary_and_a_check(world):
    ref = world.open()
    reviewed = world.reviewed(ref)
    assert reviewed.ruling is Ruling.FAILED
    assert len(world.forge.summaries(ref)) == 1
    assert world.forge.conclusion(ref) is CheckConclusion.FAILED
    record = world.record(ref)
    assert (record.state, record.done, record.ruling) == (ReviewState.COMPLETED, 1, Ruling.FAILED)
    published = AuditTag.GITHUB_REVIEW_PUBLISHED
    if ref.forge is ForgeName.AZURE_DEVOPS:
        published = AuditTag.AZURE_DEVOPS_REVIEW_PUBLISHED
    assert world.app.tags(PROJECT) == [AuditTag.REVIEW_JUDGED, published]


def test_before_the_first_verdict_the_check_waits_and_after_it_never_again(world):
    ref = world.open()
    world.reviewed(ref)
    world.reviewed(ref)
    conclusions = [one.conclusion for one in world.forge.checks(ref)]
    assert conclusions[0] is CheckConclusion.PENDING
    assert CheckConclusion.PENDING not in conclusions[1:]


def test_whoever_asks_while_it_runs_is_answered_by_another_round_of_the_same_run(world):
    ref = world.open()
    follows = world.news(ref)
    world.between["judge_change"] = lambda: world.news(ref)
    run = world.run(follows)
    assert run.completed
    record = world.record(ref)
    assert (record.run, record.wanted, record.done, record.state) == (1, 2, 2, ReviewState.COMPLETED)
    assert len(world.forge.summaries(ref)) == 1


def test_who_asks_while_it_ends_is_not_lost(world):
    ref = world.open()
    follows = world.news(ref)
    world.between["conclude_review"] = lambda: world.news(ref)
    world.run(follows)
    assert world.record(ref).done == 2


def test_the_same_event_twice_starts_one_run(world):
    ref = world.open()
    first, second = world.news(ref), world.news(ref)
    assert (len(first.start), len(second.start)) == (1, 0)


def test_a_newer_push_supersedes_quietly(world):
    ref = world.open()
    follows = world.news(ref)
    world.between["collect_evidence"] = lambda: world.forge.alter(ref, head=NEXT)
    run = world.run(follows)
    assert "superseded" in run.output["reason"]
    assert world.forge.summaries(ref) == []
    assert recording.heads_of(world.app.reviews, ref)[0].state is ReviewState.SUPERSEDED


def test_a_push_during_the_judging_is_seen_before_a_word_is_said(world):
    ref = world.open()
    follows = world.news(ref)
    world.between["publish_review"] = lambda: world.forge.alter(ref, head=NEXT)
    run = world.run(follows)
    assert "another head" in run.output["reason"]
    assert world.forge.summaries(ref) == []
    assert [one for one in world.forge.checks(ref) if one.conclusion is CheckConclusion.PASSED] == []


@pytest.mark.parametrize("state", [PullRequestState.MERGED, PullRequestState.CLOSED])
def test_one_that_is_closed_meanwhile_is_not_judged(world, state):
    ref = world.open()
    follows = world.news(ref)
    world.forge.alter(ref, state=state)
    run = world.run(follows)
    assert state in run.output["reason"]
    assert world.forge.checks(ref) == []


def test_one_that_vanished_ends_without_a_verdict(world):
    ref = world.open()
    follows = world.news(ref)
    world.forge.vanish(ref)
    assert "not there any more" in world.run(follows).output["reason"]


def test_what_the_forge_does_not_answer_is_tried_again_and_said_once(world):
    ref = world.open()
    for method in ("look_at", "say", "set_check", "own_words"):
        world.forge.fail(method, Fault.TRANSIENT)
    world.forge.fail("say", Fault.LOST)
    world.reviewed(ref)
    assert len(world.forge.summaries(ref)) == 1
    assert world.record(ref).state is ReviewState.COMPLETED


def test_a_review_that_breaks_says_so_on_the_check_and_passes_nothing(world, monkeypatch):
    ref = world.open()
    follows = world.news(ref)

    def broken(change):
        raise RefusedError("the forge refuses the files", "Grant contents:read.")

    monkeypatch.setattr(world.forge, "changed_files", broken)
    run = world.run(follows)
    assert "refuses the files" in run.output["reason"]
    assert world.forge.conclusion(ref) is CheckConclusion.INCONCLUSIVE
    assert world.record(ref).state is ReviewState.FAILED
    assert AuditTag.REVIEW_FAILED in world.app.tags(PROJECT)


def test_files_that_could_not_be_had_never_pass(world):
    ref = world.open()
    world.forge.change_files(ref, UNKNOWN)
    reviewed = world.reviewed(ref)
    assert reviewed.of("no_secrets").outcome == "not_available"
    assert reviewed.ruling is not Ruling.PASSED


def test_a_connection_that_advises_blocks_nothing(monkeypatch):
    world = ReviewWorld(monkeypatch, ForgeName.GITHUB, mode=Mode.ADVISORY)
    ref = world.open()
    reviewed = world.reviewed(ref)
    assert (reviewed.ruling, reviewed.advisory) == (Ruling.FAILED, True)
    assert world.forge.conclusion(ref) is CheckConclusion.ADVISORY


def test_the_policy_is_read_where_the_change_goes_and_never_from_the_change(world):
    ref = world.open()
    change = world.forge.change(ref)
    place = (str(ref.repository).lower(), ".doneright/policy.yaml")
    world.forge.contents[(*place, change.head)] = b"stages: {integration: {no_secrets: off}}"
    world.forge.contents[(*place, change.base)] = b"stages: {integration: {changelog_has_entry: enforced}}"
    reviewed = world.reviewed(ref)
    assert reviewed.of("changelog_has_entry").enforcement == "enforced"
    assert reviewed.of("no_secrets").enforcement == "enforced"
    assert reviewed.policy_source.startswith(change.base)


def test_a_policy_that_cannot_be_read_is_told_and_the_wider_levels_hold(world):
    ref = world.open()
    change = world.forge.change(ref)
    path = (str(ref.repository).lower(), ".doneright/policy.yaml", change.base)
    world.forge.contents[path] = b"stages: {integration: {no_secrts: off}}"
    reviewed = world.reviewed(ref)
    assert "perhaps no_secrets" in reviewed.policy_faults[0]
    assert reviewed.of("no_secrets").enforcement == "enforced"


def test_a_comment_that_asks_for_a_review_gets_one_and_an_answer(world):
    ref = world.open()
    world.forge.permissions[str(ref.repository).lower(), "noor"] = Permission.WRITE
    world.run(world.news(ref))
    world.run(world.news(ref, said="/doneright review"))
    assert world.record(ref).run == 2
    assert world.forge.answers(ref)


def merged_and_told(world, ref, said, head):
    written = Written(comment="issue:10", author=person("noor"), body=said)
    news = ChangeNews(
        forge=ref.forge, repository=ref.repository, number=ref.number, head=head, reason="somebody commented",
        written=written, closed=True,
    )  # fmt: skip
    at = world.app.clock.now()
    return what_follows(world.app.reviews, news, project=PROJECT, connection=world.connection.id, at=at)


@pytest.mark.parametrize("head", ["", HEAD])
@pytest.mark.parametrize("word", ["accept", "reject"])
def test_merged_work_is_accepted_or_rejected_and_not_reviewed_again(world, word, head):
    ref = world.open()
    world.forge.permissions[str(ref.repository).lower(), "noor"] = Permission.ADMIN
    world.run(world.news(ref))
    world.forge.alter(ref, state=PullRequestState.MERGED)
    for _ in range(2):
        assert merged_and_told(world, ref, f"/doneright {word}", head).start == ()
    assert spoken_of(world.app.reviews, ref).accepted is (word == "accept")
    assert len(world.forge.answers(ref)) == 1
    assert world.record(ref).wanted == 1


def test_a_merged_pull_request_gets_no_review_for_the_asking(world):
    ref = world.open()
    world.forge.permissions[str(ref.repository).lower(), "noor"] = Permission.WRITE
    world.run(world.news(ref))
    world.forge.alter(ref, state=PullRequestState.MERGED)
    follows = merged_and_told(world, ref, "/doneright review", HEAD)
    assert follows.start == ()
    assert "the pull request is merged" in follows.reason
    assert len(world.forge.answers(ref)) == 1


def test_a_stranger_is_answered_and_starts_nothing(world):
    ref = world.open()
    world.run(world.news(ref))
    assert world.news(ref, said="/doneright review", by="stranger").start == ()
    assert "may not write" in world.forge.answers(ref)[0][1]


def test_a_check_that_ended_looks_at_the_newest_head_alone(world):
    ref = world.open()
    world.run(world.news(ref))
    world.forge.alter(ref, head=NEXT)
    world.app.clock.advance(timedelta(seconds=1))
    world.run(world.news(ref))

    def ended(commit):
        news = ChangeNews(forge=ref.forge, repository=ref.repository, commit=commit, reason="unit ended")
        return what_follows(
            world.app.reviews, news, project=PROJECT, connection=world.connection.id, at=world.app.clock.now()
        )

    assert ended(HEAD).start == ()
    assert [one.head for one in ended(NEXT).start] == [NEXT]
    assert "no pull request under review" in ended("7" * 40).reason


@pytest.mark.parametrize(
    "breaks",
    [
        KeyError("token=ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"),
        RecursionError(),
        DefectError("no"),
        OSError("disk"),
    ],
)
def test_an_agent_that_breaks_says_so_and_ends_no_review(world, breaks):
    def hear(agent, evidence):
        if agent is AgentName.QUALITY:
            raise breaks
        return AgentReport(agent=agent, seconds=2)

    world.app.heard, world.app.hear = (AgentName.SECURITY, AgentName.QUALITY), hear
    ref = world.open()
    reviewed = world.reviewed(ref)
    assert reviewed.ruling is Ruling.FAILED
    assert [one.trouble.split(":")[0] for one in reviewed.agents] == ["", "the agent broke"]
    assert type(breaks).__name__ in reviewed.agents[1].trouble
    assert "ghp_" not in reviewed.agents[1].trouble
    health = view_of(world.app.reviews.health, model="", model_trouble="")
    assert {one.agent: one.state for one in health.agents if one.asked} == {
        AgentName.QUALITY: HealthState.TROUBLED, AgentName.SECURITY: HealthState.HEALTHY
    }  # fmt: skip


def test_an_agent_that_asks_for_patience_is_heard_again(world):
    tries = []

    def hear(agent, evidence):
        tries.append(agent)
        if len(tries) == 1:
            raise TransientError("storage answers 503")
        return AgentReport(agent=agent)

    world.app.heard, world.app.hear = (AgentName.QUALITY,), hear
    (report,) = world.reviewed(world.open()).agents
    assert (report.trouble, len(tries)) == ("", 2)
    (kept,) = [one for _, _, one in world.app.reviews.health.list()]
    assert (kept.asked, kept.failed) == (1, 0)


def test_discussions_without_end_begin_a_new_history(world):
    ref = world.open(file("README.md", "a\n", "b\n"))
    follows = world.news(ref)
    engine = world.engine()
    real = engine._activities["conclude_review"]

    def asked_again(payload):
        world.news(ref)
        return real(payload)

    engine._activities["conclude_review"] = asked_again
    world.run(follows, engine)
    assert engine.names().count("judge_change") == MOST_ROUNDS


def test_what_is_let_go_for_a_while_is_told_to_the_sweep_and_blocks_again_afterwards(world):
    ref = world.open()
    first = world.reviewed(ref)
    assert world.record(ref).waived_until is None
    criterion = next(one.criterion for one in first.findings if one.blocks and one.criterion != "no_secrets")
    day = world.app.clock.now().date() + timedelta(days=3)
    said = f"/doneright waive {criterion} until {day} because it is asked for on Monday"
    world.forge.permissions[str(ref.repository).lower(), "noor"] = Permission.ADMIN
    world.run(world.news(ref, said=said))
    ends = world.record(ref).waived_until
    assert ends is not None
    assert ends > world.app.clock.now()
    world.app.clock.advance(ends - world.app.clock.now())
    judged = world.reviewed(ref)
    (finding,) = [one for one in judged.findings if one.criterion == criterion]
    assert (finding.blocks, finding.waiver) == (True, None)
    assert world.record(ref).waived_until is None
