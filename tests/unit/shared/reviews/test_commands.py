"""Commands on a pull request: who may give them, what each does, and that each is answered once and stands on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.audit import AuditTag
from shared.domain.definition import OwnerRole
from shared.domain.forge import ForgeName
from shared.domain.publication import Permission
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Outcome, Remark
from shared.errors import TransientError
from shared.reviews import words
from shared.reviews.grammar import MOST_COMMANDS
from shared.reviews.markdown import COMMENT_LIMITS, size
from shared.reviews.said import lines_in
from shared.reviews.words import spoken_of
from tests.fakes.changes import EARLIER, HEAD, person
from tests.fakes.forges import Fault
from tests.fakes.review_forge import OURSELVES
from tests.fakes.talk import Talk, a_finding

LINK = "https://contoso.example/notes/1"
DAY = "2026-02-10"
EVERY_COVERAGE = (
    "overall_coverage_holds", "unit_coverage_holds", "integration_coverage_holds", "critical_coverage_holds",
    "new_code_coverage_holds", "coverage_is_not_decreased",
)  # fmt: skip


@pytest.fixture(params=[ForgeName.GITHUB, ForgeName.AZURE_DEVOPS])
def talk(request):
    return Talk(request.param)


def spoken(talk):
    return spoken_of(talk.ports, talk.ref)


# Who is heard at all.


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ({"body": "What is this?"}, "says nothing"),
        ({"author": person("dependabot", bot=True)}, "programs give no commands"),
        ({"edited": True}, "no new command"),
        ({"author": OURSELVES.model_copy(update={"bot": False})}, "said it itself"),
        ({"connection": "gone"}, "no connection gone"),
    ],
)
def test_what_nobody_said_to_us_starts_nothing_and_is_not_answered(talk, rest, reason):
    followed = talk.says(**({"body": "/doneright review"} | rest))
    assert (followed.look_again, followed.answered) == (False, False)
    assert reason in followed.reason
    assert talk.forge.written() == []
    assert talk.events() == []


def test_talk_costs_no_call_to_the_forge(talk):
    talk.says("What happened here? `/doneright review` perhaps.")
    assert talk.forge.called == []


def test_a_person_whose_token_doneright_uses_may_still_speak(talk, monkeypatch):
    me = person("noor")
    monkeypatch.setattr(talk.forge, "own_identity", lambda: me)
    assert talk.says("/doneright review", by="noor").look_again
    ours = talk.forge.answers(talk.ref)[-1][1]
    assert talk.says(ours + "\n/doneright review", by="noor").reason == "Doneright said it itself"
    app = {"organization": "acme", "credential": {"kind": "app", "app_id": 1, "private_key_secret": "k"}}
    azure = {"organization_url": "https://dev.azure.example/acme", "credential": {"kind": "entra"}}
    talk.connect(github=app, azure_devops=azure)
    assert talk.says("/doneright review", by="noor").reason == "Doneright said it itself"


@pytest.mark.parametrize("login", ["ruth", "stranger"])
def test_without_write_access_nothing_is_followed_and_it_is_said_once(talk, login):
    followed = talk.says(f"/doneright review\n/doneright waive change_is_small until {DAY} because I say so", by=login)
    assert (followed.look_again, followed.answered) == (False, True)
    assert f"{login} may not write to contoso/desk" in talk.answer
    assert [event.tag for event in talk.events()] == [AuditTag.COMMAND_REFUSED]
    assert spoken(talk).waivers == ()


# Each command.


def test_review_looks_again_and_names_the_head(talk):
    followed = talk.says("/doneright review", by="mira")
    assert (followed.look_again, followed.answered, followed.reason) == (True, True, "")
    assert HEAD[:8] in talk.answer
    (event,) = talk.events()
    assert (event.tag, event.detail["head"]) == (AuditTag.COMMAND_FOLLOWED, HEAD)
    assert "mira" not in event.actor


@pytest.mark.parametrize("state", [PullRequestState.MERGED, PullRequestState.CLOSED])
@pytest.mark.parametrize(
    "line",
    [
        "review",
        f"attest edge_cases_are_handled {LINK}",
        f"waive change_is_small until {DAY} because it is so",
        "choose design 1",
    ],
)
def test_what_can_change_no_verdict_any_more_is_refused(talk, state, line):
    talk.forge.alter(talk.ref, state=state)
    followed = talk.says(f"/doneright {line}")
    assert not followed.look_again
    assert f"the pull request is {state}" in followed.reason


def test_a_pull_request_that_is_gone_is_told(talk):
    talk.forge.vanish(talk.ref)
    followed = talk.says("/doneright review")
    assert (followed.look_again, followed.answered) == (False, False)
    assert "not there any more" in followed.reason


def test_help_is_a_table_of_every_command(talk):
    assert not talk.says("/doneright help").look_again
    for form in (
        "review",
        "explain GATE",
        "attest CRITERION LINK",
        "waive GATE until DATE",
        "accept",
        "choose design N",
    ):
        assert f"`/doneright {form}" in talk.answer


def test_explain_tells_why_what_was_found_what_to_do_and_how_long_that_takes(talk):
    talk.reviewed(
        a_finding(
            "change_is_small", reason="900 changed lines in 3 files; 500 are the most", remedy="Split it by folder."
        )
    )
    assert not talk.says("/doneright explain change_is_small").look_again
    for part in ("Reviewers find fewer faults", "900 changed lines", "Split it by folder", "takes hours", "blocks"):
        assert part in talk.answer


def test_explain_tells_of_a_waiver_in_force_and_of_a_review_that_is_missing(talk):
    talk.says(f"/doneright waive change_is_small until {DAY} because it moves files")
    talk.says("/doneright explain change_is_small")
    assert f"Waived until {DAY}" in talk.answer
    assert "it moves files" in talk.answer
    assert "No review" in talk.answer


def test_explain_of_a_word_of_a_person_says_how_to_give_it(talk):
    talk.reviewed()
    talk.says("/doneright explain edge_cases_are_handled")
    assert "`/doneright attest edge_cases_are_handled LINK`" in talk.answer
    assert "did not ask for it" in talk.answer


def test_explain_of_a_gate_tells_of_each_criterion_that_it_decides(talk):
    talk.reviewed(a_finding("overall_coverage_holds"), a_finding("unit_coverage_holds", Outcome.MET))
    talk.says("/doneright explain coverage_holds")
    for criterion in ("overall_coverage_holds", "unit_coverage_holds", "coverage_is_not_decreased"):
        assert f"`{criterion}`" in talk.answer


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("change_is_smal", "change\\_is\\_small"),
        ("coverage_hold", "coverage\\_holds"),
        ("zzzzzz", "names those there are"),
    ],
)
def test_a_name_nobody_knows_is_answered_with_the_nearest(talk, name, near):
    followed = talk.says(f"/doneright explain {name}")
    assert f"there is no gate or criterion {name}" in followed.reason
    assert near in talk.answer.replace("change_is_small", "change\\_is\\_small").replace(
        "coverage_holds", "coverage\\_holds"
    )


def test_an_attestation_is_kept_with_link_role_and_head(talk):
    followed = talk.says(f"/doneright attest edge_cases_are_handled {LINK}", by="otis")
    assert followed.look_again
    (kept,) = spoken(talk).attestations
    assert (kept.criterion, kept.link, kept.by, kept.head) == ("edge_cases_are_handled", LINK, "otis", HEAD)
    assert kept.role is OwnerRole.REVIEWER
    (event,) = talk.events()
    assert event.tag is AuditTag.ATTESTATION_RECORDED
    assert event.detail == {"criterion": kept.criterion, "link": LINK, "role": "reviewer", "head": HEAD}


def test_what_the_author_alone_can_say_only_the_author_says(talk):
    line = f"/doneright attest functionality_works {LINK}"
    assert "only the author" in talk.says(line, by="otis").reason
    assert talk.says(line, by="mira").look_again


def test_what_somebody_else_has_to_judge_the_author_does_not(talk):
    followed = talk.says(f"/doneright attest edge_cases_are_handled {LINK}", by="mira")
    assert "the author of a pull request is never its reviewer" in followed.reason
    # Evidence for which the author is responsible is judged by a reviewer.
    evidence = f"/doneright attest commits_carry_their_tests {LINK}"
    assert "never its reviewer" in talk.says(evidence, by="mira").reason
    assert talk.says(evidence, by="otis").look_again
    assert spoken(talk).attestations[0].role is OwnerRole.REVIEWER


def test_a_gate_that_decided_is_not_talked_over(talk):
    line = f"/doneright attest ci_is_green {LINK}"
    assert "no review has asked" in talk.says(line, by="otis").reason
    for outcome in (Outcome.UNMET, Outcome.MET, Outcome.ERROR, Outcome.NOT_APPLICABLE):
        talk.reviewed(a_finding("ci_is_green", outcome))
        assert "the gate ci_is_green decided" in talk.says(line, by="otis").reason
    assert spoken(talk).attestations == ()


@pytest.mark.parametrize("outcome", [Outcome.NOT_AVAILABLE, Outcome.NOT_SUPPORTED])
def test_what_no_gate_could_see_a_person_may_say_but_never_the_author(talk, outcome):
    talk.reviewed(a_finding("ci_is_green", outcome))
    line = f"/doneright attest ci_is_green {LINK}"
    assert "the author of a pull request is never its reviewer" in talk.says(line, by="mira").reason
    assert talk.says(line, by="otis").look_again


def test_an_attestation_may_be_given_another_link_later(talk):
    talk.reviewed(a_finding("ci_is_green", Outcome.NOT_AVAILABLE))
    talk.says(f"/doneright attest ci_is_green {LINK}", by="otis")
    talk.reviewed(a_finding("ci_is_green", Outcome.MET, attestation=spoken(talk).attestations[0]))
    assert talk.says(f"/doneright attest ci_is_green {LINK}/2", by="otis").look_again
    assert [one.link for one in spoken(talk).attestations] == [f"{LINK}/2"]


def test_a_gate_of_several_criteria_is_attested_only_where_one_was_undecided(talk):
    talk.reviewed(a_finding("overall_coverage_holds", Outcome.NOT_AVAILABLE), a_finding("unit_coverage_holds"))
    assert talk.says(f"/doneright attest coverage_holds {LINK}", by="otis").look_again
    assert [one.criterion for one in spoken(talk).attestations] == ["overall_coverage_holds"]
    talk.reviewed(
        a_finding("overall_coverage_holds", Outcome.NOT_AVAILABLE),
        a_finding("unit_coverage_holds", Outcome.NOT_AVAILABLE),
    )
    assert "may be any of 2 criteria" in talk.says(f"/doneright attest coverage_holds {LINK}", by="otis").reason


def test_what_is_not_asked_of_a_change_is_neither_attested_nor_waived(talk):
    for line in (
        f"attest quality_signs_off_the_release {LINK}",
        f"waive rollback_is_rehearsed until {DAY} because it is so",
    ):
        assert "is not asked of a change" in talk.says(f"/doneright {line}").reason


def test_a_waiver_is_kept_until_the_end_of_its_day(talk):
    followed = talk.says(f"/doneright waive change_is_small until {DAY} because it moves files, and nothing else")
    assert followed.look_again
    (waiver,) = spoken(talk).waivers
    assert waiver.until == datetime(2026, 2, 10, 23, 59, 59, tzinfo=UTC)
    assert (waiver.criterion, waiver.because, waiver.by) == (
        "change_is_small", "it moves files, and nothing else", "noor",
    )  # fmt: skip
    assert words.waiver_of(spoken(talk), "change_is_small", waiver.until - timedelta(seconds=1)) == waiver
    assert words.waiver_of(spoken(talk), "change_is_small", waiver.until) is None
    (event,) = talk.events()
    assert (event.tag, event.detail["because"]) == (AuditTag.WAIVER_GRANTED, waiver.because)
    assert DAY in talk.answer


def test_only_an_approver_waives_and_never_the_author(talk):
    line = f"/doneright waive change_is_small until {DAY} because it is so"
    assert "administrator of the repository" in talk.says(line, by="otis").reason
    talk.forge.permissions["contoso/desk", "mira"] = Permission.ADMIN
    assert "the author of a pull request is never its approver" in talk.says(line, by="mira").reason
    assert "the author of a pull request is never its approver" in talk.says(line, by="MIRA").reason
    talk.reviewed(a_finding("change_is_small"))
    assert "never its approver" in talk.says(line, by="Mira", author=person("Mira", id="another")).reason
    assert spoken(talk).waivers == ()
    assert talk.says(line, by="noor").look_again


def test_named_approvers_waive_and_administrators_then_do_not(talk):
    talk.connect(roles={"approver": ["otis", "acme/leads"]})
    line = f"/doneright waive change_is_small until {DAY} because it is so"
    assert "it takes the role of approver" in talk.says(line, by="noor").reason
    assert talk.says(line, by="Otis").look_again
    talk.team("noor")
    assert talk.says(line, by="noor").look_again


@pytest.mark.parametrize(
    ("name", "day", "says"),
    [
        ("change_is_small", "2026-01-30", "2026-01-30 is past"),
        ("change_is_small", "2026-05-02", "more than 90 days ahead"),
        ("no_secrets", "2026-02-15", "more than 14 days ahead, because no_secrets is critical"),
    ],
)
def test_a_waiver_has_its_bounds(talk, name, day, says):
    talk.reviewed(a_finding("no_secrets"))
    assert says in talk.says(f"/doneright waive {name} until {day} because it is so").reason
    assert "Name a day from 2026-01-31 to" in talk.answer
    assert spoken(talk).waivers == ()


@pytest.mark.parametrize(
    ("name", "day"),
    [("change_is_small", "2026-01-31"), ("change_is_small", "2026-05-01"), ("no_secrets", "2026-02-14")],
)
def test_the_first_and_the_last_day_are_taken(talk, name, day):
    assert talk.says(f"/doneright waive {name} until {day} because it is so").look_again


def test_waiving_a_secret_reminds_of_the_harm(talk):
    talk.says("/doneright waive no_secrets until 2026-02-03 because it is a made-up key")
    assert "The harm remains" in talk.answer


def test_a_gate_of_several_criteria_is_waived_only_where_it_stands_in_the_way(talk):
    line = f"/doneright waive coverage_holds until {DAY} because the old module has no tests"
    assert "none of them was found unmet" in talk.says(line).reason
    talk.reviewed(
        a_finding("overall_coverage_holds"),
        a_finding("unit_coverage_holds", Outcome.NOT_AVAILABLE),
        a_finding("new_code_coverage_holds", Outcome.MET),
    )
    talk.says(line)
    assert [one.criterion for one in spoken(talk).waivers] == ["overall_coverage_holds", "unit_coverage_holds"]
    assert [event.tag for event in talk.events()][-2:] == [AuditTag.WAIVER_GRANTED] * 2


def test_the_threshold_gate_is_no_name(talk):
    assert (
        "no gate or criterion threshold" in talk.says(f"/doneright waive threshold until {DAY} because it is so").reason
    )


def test_the_product_owner_accepts_and_rejects(talk):
    talk.connect(roles={"product_owner": ["otis"]})
    assert "role of product owner" in talk.says("/doneright accept", by="noor").reason
    assert talk.says("/doneright accept", by="otis").look_again
    assert spoken(talk).accepted is True
    talk.says("/doneright reject because it is not what was asked", by="otis")
    assert spoken(talk).accepted is False
    assert [event.tag for event in talk.events()][-2:] == [AuditTag.WORK_ACCEPTED, AuditTag.WORK_REJECTED]
    assert talk.events()[-1].detail == {"because": "it is not what was asked"}


def test_a_design_is_chosen_among_those_there_are(talk):
    talk.reviewed(a_finding("design_options_are_weighed", Outcome.MET, measured={"options": 2}))
    assert "there is no design 3: the last review found 2" in talk.says("/doneright choose design 3").reason
    assert talk.says("/doneright choose design 2").look_again
    assert spoken(talk).design == 2
    assert talk.events()[-1].tag is AuditTag.DESIGN_DECIDED


# Several, wrong, repeated.


def test_several_commands_are_followed_in_order_and_answered_together(talk):
    followed = talk.says(
        f"/doneright explian x\n/doneright waive change_is_small until {DAY} because it is so\n"
        f"/doneright attest edge_cases_are_handled {LINK}\n/doneright review"
    )
    assert followed.look_again
    assert "'explian' is no command" in followed.reason
    assert talk.answers == 1
    order = [talk.answer.index(part) for part in ("explian", "nothing is blocked", "On record as", "looks at")]
    assert order == sorted(order)
    assert [event.tag for event in talk.events()] == [
        AuditTag.COMMAND_REFUSED, AuditTag.WAIVER_GRANTED, AuditTag.ATTESTATION_RECORDED, AuditTag.COMMAND_FOLLOWED,
    ]  # fmt: skip


def test_a_line_that_is_none_is_answered_with_one_that_is_right(talk):
    talk.says("/doneright waive change_is_small because it is small")
    assert "lacks `until` and the last day" in talk.answer
    assert "For example: `/doneright waive change_is_small until 2026-02-14 because" in talk.answer
    talk.says("/doneright zzz")
    assert "`/doneright help`" in talk.answer


def test_more_commands_than_a_talk_has_are_left_out_and_told(talk):
    talk.says("/doneright help\n" * (MOST_COMMANDS + 3))
    assert "3 more were left out" in talk.answer
    assert len(talk.events()) == MOST_COMMANDS + 1


def test_the_same_comment_twice_is_followed_once(talk):
    line = f"/doneright waive change_is_small until {DAY} because it is so"
    first = talk.says(line, comment="same")
    again = talk.says(line, comment="same")
    assert (first.look_again, again.look_again) == (True, True)
    assert "already" in again.reason
    assert talk.answers == 1
    assert len(talk.events()) == 1


def test_a_refused_comment_delivered_again_asks_for_no_other_look(talk):
    for _ in range(2):
        assert not talk.says("/doneright review", by="ruth", comment="same").look_again
    assert talk.answers == 1


@pytest.mark.parametrize("method", ["permission", "head_of", "own_words", "answer"])
@pytest.mark.parametrize("fault", [Fault.TRANSIENT, Fault.LOST])
def test_a_forge_that_fails_halfway_is_asked_again_and_nothing_is_said_twice(talk, method, fault):
    line = f"/doneright review\n/doneright waive change_is_small until {DAY} because it is so"
    talk.forge.fail(method, fault)
    with pytest.raises(TransientError):
        talk.says(line, comment="same")
    followed = talk.says(line, comment="same")
    assert (followed.look_again, followed.answered) == (True, True)
    assert talk.answers == 1
    assert len(talk.events()) == 2
    assert len(spoken(talk).waivers) == 1
    assert spoken(talk).under_way == {}


def test_a_record_that_fails_halfway_is_written_once(talk):
    talk.audit.lose_answers(1)
    with pytest.raises(TransientError):
        talk.says("/doneright review", comment="same")
    assert talk.says("/doneright review", comment="same").look_again
    assert len(talk.events()) == 1


def test_two_workers_that_hear_the_same_comment_answer_once(talk):
    def meanwhile():
        with pytest.raises(TransientError, match="is being followed"):
            talk.says("/doneright review", comment="same")

    talk.forge.before["permission"] = meanwhile
    assert talk.says("/doneright review", comment="same").answered
    assert talk.answers == 1


def test_a_worker_that_died_is_not_waited_for_for_ever(talk):
    assert words.take(talk.ports, talk.ref, "same") is None
    with pytest.raises(TransientError):
        talk.says("/doneright review", comment="same")
    talk.clock.advance(timedelta(minutes=3))
    assert talk.says("/doneright review", comment="same").answered


def test_a_conversation_that_is_locked_undoes_nothing(talk):
    talk.forge.fail("answer", Fault.REFUSED)
    followed = talk.says(f"/doneright waive change_is_small until {DAY} because it is so")
    assert (followed.look_again, followed.answered) == (True, False)
    assert len(spoken(talk).waivers) == 1


def test_no_answer_is_a_command_calls_anybody_or_lets_anything_act(talk):
    bad = "/doneright waive change_is_small until 2026-02-10 because @everyone <img src=x> [a](javascript:b) #12 !3"
    talk.says(bad)
    talk.says("/doneright explain change_is_small\n/doneright @everyone\n/doneright <b>\n/doneright help")
    for _, body in talk.forge.answers(talk.ref):
        assert lines_in(body) == ()
        assert "@everyone" not in body
        assert " <img" not in body
        assert "](javascript" not in body


def test_a_verdict_about_an_earlier_head_still_explains(talk):
    talk.reviewed(a_finding("change_is_small"), head=EARLIER)
    talk.says("/doneright explain change_is_small")
    assert EARLIER[:8] in talk.answer


def test_a_permission_that_cannot_be_asked_for_is_told(talk):
    talk.forge.fail("permission", Fault.REFUSED)
    followed = talk.says("/doneright review")
    assert (followed.look_again, followed.answered) == (False, True)
    assert "the forge refuses" in followed.reason
    assert [event.tag for event in talk.events()] == [AuditTag.COMMAND_REFUSED]


def test_explain_shows_where_and_how_evidence_is_shown(talk):
    remarks = (
        Remark(message="a.py alone changes 900 lines", path="a.py"),
        Remark(message="here as well", path="b.py", line=3),
        Remark(message="and as a whole"),
    )
    talk.reviewed(a_finding("change_is_small", remarks=remarks), a_finding("commits_carry_their_tests"))
    talk.says("/doneright explain change_is_small")
    assert "a.py alone changes 900 lines (a.py)" in talk.answer
    assert "here as well (b.py, line 3)" in talk.answer
    assert "- and as a whole" in talk.answer
    talk.says("/doneright explain commits_carry_their_tests")
    assert "Known by evidence that somebody shows" in talk.answer


def test_an_answer_that_is_too_long_is_cut_between_commands(talk):
    talk.reviewed(*(a_finding(one, reason="x" * 1_900) for one in EVERY_COVERAGE))
    talk.says("/doneright explain coverage_holds\n" * MOST_COMMANDS)
    body = talk.forge.answers(talk.ref)[-1][1]
    assert size(body) <= COMMENT_LIMITS[talk.ref.forge]
    if talk.ref.forge is ForgeName.GITHUB:
        assert body.endswith("ask again one by one.")


def test_a_review_past_its_retention_is_as_none(talk, monkeypatch):
    talk.reviewed(a_finding("change_is_small"))
    monkeypatch.setattr(talk.ports.artifacts, "_stored", {})
    talk.says("/doneright explain change_is_small")
    assert "No review of this pull request" in talk.answer
    assert (
        "never its approver"
        in talk.says(f"/doneright waive ci_is_green until {DAY} because it is so", by="mira").reason
    )


def test_a_pull_request_that_vanishes_while_it_is_spoken_of_is_told(talk):
    talk.forge.before["look_at"] = lambda: talk.forge.vanish(talk.ref)
    followed = talk.says(f"/doneright waive ci_is_green until {DAY} because it is so")
    assert "not there any more" in followed.reason
