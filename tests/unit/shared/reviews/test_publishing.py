"""Whatever is retried, doubled or lost, a review stands on its pull request once, and its words before its check."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.definitions.load import definition_of_done
from shared.domain.change import ChangedFile, Part, Unknown
from shared.domain.forge import ForgeName
from shared.domain.policy import Enforcement
from shared.domain.publication import SUMMARY_MARKER, CheckConclusion
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Finding, Outcome, Remark, Reviewed
from shared.errors import TransientError
from shared.reviews import remarking
from shared.reviews.publishing import BLOCKED, JUST_NOW, READY, Published, announce, publish
from tests.fakes.changes import HEAD, file
from tests.fakes.forges import Fault
from tests.fakes.reviewed import APP, a_remark, a_reviewed, an_opinion, blocked, green, inconclusive
from tests.fakes.talk import Talk, a_finding

FILES = (file("src/app.py", None, APP),)
BOTH = pytest.mark.parametrize("forge", list(ForgeName))
NEXT = "f6" * 20


class Stage(Talk):
    """A pull request, and reviews of it that are published."""

    def tell(self, reviewed: Reviewed, files: Part[tuple[ChangedFile, ...]] = FILES) -> Published:
        """Publish once."""
        return publish(self.forge, self.ports, reviewed, self.forge.change(self.ref), files)

    def insist(self, reviewed: Reviewed, files: Part[tuple[ChangedFile, ...]] = FILES) -> tuple[Published, int]:
        """Publish as an activity does: again after each failure; what came of it, and how many tries it took."""
        for tries in range(1, 20):
            try:
                return self.tell(reviewed, files), tries
            except TransientError:
                continue
        raise AssertionError("it never got through")

    def push(self, head: str = NEXT) -> None:
        """Let there be another head."""
        self.forge.alter(self.ref, head=head)

    @property
    def summary(self) -> str:
        (word,) = self.forge.summaries(self.ref)
        return word.body


@BOTH
def test_a_review_is_said_once_in_every_way_and_the_check_comes_last(forge: ForgeName) -> None:
    stage = Stage(forge)
    told = stage.tell(blocked(forge))
    assert stage.forge.conclusion(stage.ref) is CheckConclusion.FAILED
    assert stage.summary.startswith(SUMMARY_MARKER)
    assert len(stage.forge.remarks(stage.ref)) == len(told.said) == 2
    assert stage.forge.change(stage.ref).labels == (BLOCKED,)
    written = stage.forge.written()
    assert written == ["remark", "upload_sarif", "set_labels", "say", "set_check"]
    check = stage.forge.check(stage.ref)
    assert check is not None
    assert check.title.startswith("Blocked: 2 criteria")
    assert check.details_url == stage.ports.links.review(blocked(forge).review)
    assert [(one.path, one.line) for one in check.annotations] == [("src/app.py", 5), ("src/app.py", 4)]
    assert SUMMARY_MARKER not in check.summary and check.summary in stage.summary
    assert told.check and told.summary and not told.superseded
    assert told.listed == 1  # about a file as a whole


@BOTH
def test_saying_it_again_writes_nothing_but_the_check(forge: ForgeName) -> None:
    stage = Stage(forge)
    first = stage.tell(blocked(forge))
    words = stage.forge.words(stage.ref)
    stage.forge.called.clear()
    second = stage.tell(blocked(forge))
    assert stage.forge.words(stage.ref) == words
    assert stage.forge.written() == ["upload_sarif", "set_check"]
    assert second.said == () and second.summary == first.summary
    if forge is ForgeName.GITHUB:
        assert len(stage.forge.uploads(stage.ref)) == 1


WRITES = ["remark", "upload_sarif", "set_labels", "say", "set_check"]
READS = ["stand", "own_words"]


@BOTH
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.TRANSIENT])
@pytest.mark.parametrize("method", [*WRITES, *READS])
@pytest.mark.parametrize("times", [1, 3])
def test_each_call_that_is_lost_or_refused_for_now_is_made_good(
    forge: ForgeName, method: str, fault: Fault, times: int
) -> None:
    stage = Stage(forge)
    stage.forge.fail(method, fault, times)
    told, tries = stage.insist(blocked(forge))
    without_effect = fault is Fault.TRANSIENT
    if forge is ForgeName.GITHUB or method != "upload_sarif" or without_effect:
        # What was lost had its effect, and may not be asked for again.
        # What is read back after the summary is read first of all by whoever tries again.
        failures = 1 if method == "own_words" else times
        assert tries == failures + 1 if without_effect else tries > 1
    undisturbed = Stage(forge)
    undisturbed.tell(blocked(forge))
    said = [word.body for word in undisturbed.forge.words(undisturbed.ref)]
    assert sorted(word.body for word in stage.forge.words(stage.ref)) == sorted(said)
    assert len(stage.forge.summaries(stage.ref)) == 1
    assert stage.forge.change(stage.ref).labels == (BLOCKED,)
    assert stage.forge.conclusion(stage.ref) is CheckConclusion.FAILED
    assert told.check


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.TRANSIENT])
@pytest.mark.parametrize("method", ["edit_word", "resolve", "set_labels", "delete_word", "remark", "set_check"])
def test_faults_while_a_later_review_corrects_an_earlier_one(method: str, fault: Fault) -> None:
    stage = Stage()
    stage.tell(blocked())
    stage.forge.hear(stage.ref, stage.summary)  # another worker's, by a race
    stage.push()
    stage.forge.fail(method, fault)
    other = a_finding("no_secrets", remarks=(a_remark(line=2, rule="Private Key"),))
    stage.insist(a_reviewed(other, head=NEXT), (file("src/app.py", None, APP),))
    assert len(stage.forge.summaries(stage.ref)) == 1
    assert "Blocked: 1 criterion is not met" in stage.summary
    assert sum(remarking.is_settled(word) for word in stage.forge.words(stage.ref)) == 2
    (still,) = stage.forge.remarks(stage.ref, resolved=False)
    assert "Private Key" not in still.body and "no_secrets" in still.body


def test_a_batch_that_breaks_off_is_carried_on_and_says_nothing_twice() -> None:
    text = "".join(f"key{number}\n" for number in range(40))
    remarks = tuple(a_remark(line=number, message=f"Key {number}") for number in range(1, 21))
    stage = Stage()
    stage.forge.break_off["remark"] = 7
    files = (file("src/app.py", None, text),)
    told, tries = stage.insist(a_reviewed(a_finding("no_secrets", remarks=remarks)), files)
    assert tries == 2
    assert len(told.said) == 13
    bodies = [word.body for word in stage.forge.remarks(stage.ref)]
    assert len(bodies) == len(set(bodies)) == 20


def test_a_summary_that_somebody_else_said_meanwhile_leaves_one() -> None:
    stage = Stage()

    def meanwhile() -> None:
        stage.forge.hear(stage.ref, f"{SUMMARY_MARKER}\nof another worker")

    stage.forge.before["say"] = meanwhile
    told = stage.tell(blocked())
    (word,) = stage.forge.summaries(stage.ref)
    assert word.id == told.summary
    assert "Blocked" in word.body
    assert "another worker" not in word.body


@pytest.mark.parametrize("moment", ["remark", "upload_sarif", "set_labels", "say", "set_check"])
def test_two_workers_at_once_leave_each_thing_said_once(moment: str) -> None:
    stage = Stage()
    stage.forge.before[moment] = lambda: stage.tell(blocked())
    stage.tell(blocked())
    assert len(stage.forge.summaries(stage.ref)) == 1
    prints = [word.fingerprint for word in stage.forge.remarks(stage.ref)]
    assert len(prints) == len(set(prints)) == 2


def test_what_stands_twice_and_cannot_be_taken_back_is_told() -> None:
    stage = Stage()
    stage.tell(blocked())
    stage.forge.hear(stage.ref, stage.summary)
    stage.forge.fail("delete_word", Fault.REFUSED)
    told = stage.tell(blocked())
    assert any("could not be taken back" in one for one in told.trouble)
    stage.tell(blocked())
    assert len(stage.forge.summaries(stage.ref)) == 1


def test_answers_in_equal_words_all_stay() -> None:
    stage = Stage()
    for _ in range(2):
        stage.forge.hear(stage.ref, "<!-- doneright:answer:1 -->\nOn record.")
    stage.tell(blocked())
    assert sum("On record." in word.body for word in stage.forge.words(stage.ref)) == 2


def test_of_two_summaries_the_younger_goes() -> None:
    stage = Stage()
    older = stage.forge.hear(stage.ref, f"{SUMMARY_MARKER}\nold")
    stage.forge.hear(stage.ref, f"{SUMMARY_MARKER}\nyounger")
    told = stage.tell(green())
    (word,) = stage.forge.summaries(stage.ref)
    assert word.id == older.id == told.summary
    assert "Passed" in word.body


def test_a_remark_that_stands_twice_is_taken_back_once() -> None:
    stage = Stage()
    stage.tell(blocked())
    first = stage.forge.remarks(stage.ref)[0]
    stage.forge.hear(stage.ref, first.body, path=first.path, line=first.line)
    stage.tell(blocked())
    assert [word.id for word in stage.forge.remarks(stage.ref) if word.fingerprint == first.fingerprint] == [first.id]


def test_what_is_fixed_is_settled_with_its_words_kept_and_said_anew_when_it_comes_back() -> None:
    stage = Stage()
    stage.tell(blocked())
    stage.push()
    told = stage.tell(green(head=NEXT))
    assert len(told.resolved) == 2
    settled = [word for word in stage.forge.words(stage.ref) if remarking.is_settled(word)]
    assert len(settled) == 2
    for word in settled:
        assert word.resolved
        assert "Settled: not found any more at `f6f6f6f6`" in word.body
        assert "An AWS access key" in word.body or "`export` is tested" in word.body
    again = stage.tell(green(head=NEXT))
    assert again.resolved == ()
    stage.push(HEAD)
    back = stage.tell(blocked())
    assert set(back.said) == set(told.resolved)
    assert len(stage.forge.remarks(stage.ref, resolved=False)) == 2
    assert len(stage.forge.words(stage.ref)) == 5


def test_a_remark_that_a_person_resolved_is_not_said_again() -> None:
    stage = Stage()
    stage.tell(blocked())
    stage.forge.resolve(stage.ref, stage.forge.remarks(stage.ref))
    before = stage.forge.words(stage.ref)
    told = stage.tell(blocked())
    assert told.said == ()
    assert stage.forge.words(stage.ref) == before


def test_a_settled_remark_offers_its_suggestion_no_more() -> None:
    stage = Stage()
    fixed = a_remark(suggestion="    key = vault()")
    stage.tell(a_reviewed(a_finding("no_secrets", remarks=(fixed,))))
    (word,) = stage.forge.remarks(stage.ref)
    assert "```suggestion\n    key = vault()\n```" in word.body
    stage.tell(green())
    word = stage.forge.words(stage.ref)[0]
    assert remarking.is_settled(word)
    assert "suggestion" not in word.body


def test_words_that_changed_are_brought_up_to_date_in_their_place() -> None:
    stage = Stage()
    stage.tell(a_reviewed(a_finding("no_secrets", remarks=(a_remark(message="One key"),))))
    told = stage.tell(a_reviewed(a_finding("no_secrets", remarks=(a_remark(message="One key, since Monday"),))))
    (word,) = stage.forge.remarks(stage.ref)
    assert "since Monday" in word.body
    assert told.said == ()


def test_a_forge_that_tidies_line_ends_is_not_edited_for_it() -> None:
    stage = Stage()
    stage.tell(blocked())
    for word in stage.forge.words(stage.ref):
        stage.forge.edit_word(stage.ref, word, word.body.replace("\n", "\r\n") + "\r\n")
    stage.forge.called.clear()
    stage.tell(blocked())
    assert "edit_word" not in stage.forge.written()


@pytest.mark.parametrize(
    "change",
    [{"head": NEXT}, {"state": PullRequestState.CLOSED}, {"state": PullRequestState.MERGED}],
    ids=["pushed", "closed", "merged"],
)
def test_a_head_that_was_left_is_told_nothing(change: dict[str, Any]) -> None:
    stage = Stage()
    stage.forge.alter(stage.ref, **change)
    told = stage.tell(blocked())
    assert told.superseded
    assert stage.forge.written() == []


def test_a_pull_request_that_vanished_is_told_nothing() -> None:
    stage = Stage()
    change = stage.forge.change(stage.ref)
    stage.forge.vanish(stage.ref)
    told = publish(stage.forge, stage.ports, blocked(), change, FILES)
    assert told.superseded
    assert stage.forge.written() == []


@pytest.mark.parametrize("moment", ["stand", "remark", "upload_sarif", "set_labels"])
def test_a_push_while_it_is_being_told_leaves_the_summary_to_its_successor(moment: str) -> None:
    stage = Stage()

    def pushed_meanwhile() -> None:
        stage.push()
        stage.clock.advance(JUST_NOW)

    stage.forge.after[moment] = pushed_meanwhile
    told = stage.tell(blocked())
    assert told.superseded
    assert stage.forge.summaries(stage.ref) == []
    assert "set_check" not in stage.forge.written()
    stage.tell(green(head=NEXT))
    assert "Passed" in stage.summary
    assert stage.forge.remarks(stage.ref, resolved=False) == []


@pytest.mark.parametrize("moment", ["stand", "remark", "upload_sarif", "set_labels", "say", "own_words"])
def test_a_push_in_the_very_moment_is_told_by_its_successor_in_the_same_place(moment: str) -> None:
    stage = Stage()
    stage.forge.after[moment] = stage.push
    stage.tell(blocked())
    stage.tell(green(head=NEXT))
    assert "Passed" in stage.summary
    assert stage.forge.remarks(stage.ref, resolved=False) == []
    assert stage.forge.conclusion(stage.ref) is CheckConclusion.PASSED


def test_a_head_that_was_just_looked_at_is_not_looked_at_again() -> None:
    quick, slow = Stage(), Stage()
    slow.forge.after["remark"] = lambda: slow.clock.advance(JUST_NOW)
    for stage in (quick, slow):
        stage.forge.called.clear()
        stage.tell(blocked())
    assert quick.forge.called.count("stand") == 1
    assert slow.forge.called.count("stand") == 2


@BOTH
def test_more_remarks_than_fit_beside_the_code_are_listed(forge: ForgeName) -> None:
    text = "".join(f"key{number}\n" for number in range(60))
    remarks = tuple(a_remark(line=number, message=f"Key {number}.") for number in range(1, 51))
    stage = Stage(forge)
    files = (file("src/app.py", None, text),)
    told = stage.tell(a_reviewed(a_finding("no_secrets", remarks=remarks), forge=forge), files)
    assert len(stage.forge.remarks(stage.ref)) == 30
    assert told.listed == 20
    said = {word.body for word in stage.forge.remarks(stage.ref)}
    for number in range(1, 51):
        beside = any(f"Key {number}." in body for body in said)
        assert beside is not (f"Key {number}. |" in stage.summary)
    assert "Further remarks: 20" in stage.summary


def test_what_stands_there_is_not_settled_for_want_of_room() -> None:
    text = "".join(f"key{number}\n" for number in range(60))
    low = a_remark(line=55, severity="low", message="Key 55.")
    stage = Stage()
    files = (file("src/app.py", None, text),)
    stage.tell(a_reviewed(a_finding("no_secrets", remarks=(low,))), files)
    more = tuple(a_remark(line=number, message=f"Key {number}.") for number in range(1, 51))
    told = stage.tell(a_reviewed(a_finding("no_secrets", remarks=(*more, low))), files)
    assert told.resolved == ()
    assert len(told.said) == 29
    assert len(stage.forge.remarks(stage.ref, resolved=False)) == 30


def test_lines_out_of_reach_are_told_and_never_dropped() -> None:
    stage = Stage()
    stage.forge.unreachable.add(("src/app.py", 5))
    told = stage.tell(blocked())
    assert len(told.unplaced) == 1
    assert any("An AWS access key" in word.body for word in stage.forge.remarks(stage.ref))
    words = stage.forge.words(stage.ref)
    stage.tell(blocked())
    assert stage.forge.words(stage.ref) == words


def test_the_summary_of_a_check_fits_by_its_bytes() -> None:
    stage = Stage()
    reason = "語" * 700
    findings = (a_finding(one, reason=reason, remedy=reason) for one in definition_of_done().by_id())
    stage.tell(a_reviewed(*findings))
    check = stage.forge.check(stage.ref)
    assert check is not None
    assert 20_000 < len(check.summary.encode()) <= 65_000
    assert check.summary.rstrip().endswith("`.")
    assert len(stage.summary) > len(check.summary)


def test_remarks_outside_the_diff_stand_in_the_summary() -> None:
    stage = Stage()
    reviewed = a_reviewed(a_finding("no_secrets", remarks=(a_remark(path="elsewhere.py"),)))
    told = stage.tell(reviewed)
    assert stage.forge.remarks(stage.ref) == []
    assert told.listed == 1
    assert "elsewhere.py:5" in stage.summary


def test_files_that_are_not_known_leave_the_places_to_the_forge() -> None:
    stage = Stage()
    told = stage.tell(blocked(), Unknown(reason="HTTP 502"))
    assert len(told.said) == 2


def test_a_forge_that_takes_no_remarks_leaves_them_to_the_summary() -> None:
    stage = Stage()
    stage.forge.fail("remark", Fault.REFUSED)
    told = stage.tell(blocked())
    assert told.said == ()
    assert told.listed == 2
    assert "An AWS access key" in stage.summary
    assert any("remarks could not be said" in one for one in told.trouble)


def test_a_forge_whose_comments_cannot_be_read_is_told_by_the_check_alone() -> None:
    stage = Stage()
    stage.forge.unread = Unknown(reason="the comments may not be read")
    told = stage.tell(blocked())
    assert stage.forge.words(stage.ref) == []
    check = stage.forge.check(stage.ref)
    assert check is not None and "An AWS access key" in check.summary
    assert told.summary == ""
    assert any("comments cannot be read" in one for one in told.trouble)


def test_comments_that_can_be_read_no_more_are_told_as_trouble() -> None:
    stage = Stage()

    def hidden_meanwhile() -> None:
        stage.forge.unread = Unknown(reason="the comments may not be read")
        stage.clock.advance(JUST_NOW)

    stage.forge.after["remark"] = hidden_meanwhile
    told = stage.tell(blocked())
    assert stage.forge.summaries(stage.ref) == []
    assert told.said and told.check and told.summary == ""
    assert [one for one in told.trouble if "comments cannot be read" in one]


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("upload_sarif", "code scanning took no findings"),
        ("set_labels", "labels could not be set"),
        ("say", "the summary could not be written"),
        ("set_check", "the check could not be set"),
    ],
)
def test_what_a_forge_refuses_for_good_is_told_and_stops_nothing_else(method: str, words: str) -> None:
    stage = Stage()
    stage.forge.fail(method, Fault.REFUSED)
    told = stage.tell(blocked())
    assert any(words in one and f"Grant what {method} needs." in one for one in told.trouble)
    assert len(stage.forge.written()) == 5
    if method != "set_check":
        assert stage.forge.conclusion(stage.ref) is CheckConclusion.FAILED


PLACED = a_remark(line=4, severity="low", rule="length", message="It is long")
DISCUSSED = "comments_are_resolved"


def an_advice(outcome: Outcome = Outcome.UNMET) -> Finding:
    return a_finding("change_is_small", outcome, enforcement=Enforcement.ADVISORY, remarks=(PLACED,))


def still_open(stage: Stage) -> int:
    return len(stage.forge.remarks(stage.ref, resolved=False))


@BOTH
def test_a_connection_that_only_advises_leaves_no_discussion_that_would_hold_a_merge(forge: ForgeName) -> None:
    stage = Stage(forge)
    told = stage.tell(a_reviewed(a_finding("no_secrets", remarks=(a_remark(),)), forge=forge, advisory=True))
    assert len(told.said) == 1
    (remark,) = stage.forge.remarks(stage.ref)
    assert remark.resolved and not remarking.is_settled(remark), "said, and in nobody's way"


@BOTH
def test_advice_is_in_the_way_of_nothing_once_the_change_passed(forge: ForgeName) -> None:
    stage = Stage(forge)
    key = a_finding("no_secrets", remarks=(a_remark(),))
    stage.tell(a_reviewed(key, an_advice(), a_finding(DISCUSSED, Outcome.MET), forge=forge))
    assert still_open(stage) == 2, "what blocks and what advises, with its suggestion"
    passed = a_reviewed(
        a_finding("no_secrets", Outcome.MET), an_advice(), a_finding(DISCUSSED, Outcome.MET), forge=forge
    )
    stage.tell(passed)
    assert still_open(stage) == 0
    said = stage.forge.remarks(stage.ref)
    assert sorted(remarking.is_settled(word) for word in said) == [False, True], "the advice stands as it was said"
    stage.forge.called.clear()
    stage.tell(passed)
    assert "resolve" not in stage.forge.called


@BOTH
def test_advice_whose_line_is_out_of_reach_is_in_the_way_of_nothing_either(forge: ForgeName) -> None:
    stage = Stage(forge)
    stage.forge.unreachable.add((PLACED.path, PLACED.line or 0))
    met = a_finding(DISCUSSED, Outcome.MET)
    stage.tell(a_reviewed(a_finding("no_secrets", remarks=(a_remark(),)), an_advice(), met, forge=forge))
    stage.tell(a_reviewed(a_finding("no_secrets", Outcome.MET), an_advice(), met, forge=forge))
    # A plain comment on GitHub is no discussion, and stays to be read.
    assert still_open(stage) == (0 if forge is ForgeName.AZURE_DEVOPS else 1)


@BOTH
def test_advice_that_is_said_with_a_verdict_that_passed_begins_in_nobodys_way(forge: ForgeName) -> None:
    stage = Stage(forge)
    stage.tell(a_reviewed(a_finding("no_secrets", Outcome.MET), an_advice(), forge=forge))
    assert still_open(stage) == 0
    assert ("resolve" in stage.forge.called) == (forge is ForgeName.GITHUB), (
        "where threads can begin resolved, none is asked for"
    )


def test_what_people_may_have_answered_is_theirs_to_close() -> None:
    stage = Stage(ForgeName.GITHUB)
    unread = a_finding(DISCUSSED, enforcement=Enforcement.ADVISORY)
    stage.tell(a_reviewed(a_finding("no_secrets"), an_advice(), unread))
    stage.tell(a_reviewed(a_finding("no_secrets", Outcome.MET), an_advice(), unread))
    assert still_open(stage) == 1


def test_a_forge_that_resolves_nothing_is_told_and_the_verdict_stands() -> None:
    stage = Stage(ForgeName.GITHUB)
    stage.forge.fail("resolve", Fault.REFUSED)
    told = stage.tell(a_reviewed(a_finding("no_secrets", Outcome.MET), an_advice()))
    assert [one for one in told.trouble if "blocking nothing" in one]
    assert stage.forge.conclusion(stage.ref) is CheckConclusion.PASSED


@pytest.mark.parametrize("method", ["resolve", "edit_word"])
def test_settling_that_is_refused_is_told_and_tried_again_by_the_next_review(method: str) -> None:
    stage = Stage()
    stage.tell(blocked())
    stage.forge.fail(method, Fault.REFUSED)
    told = stage.tell(green())
    assert told.resolved == ()
    assert any("could not be marked so" in one for one in told.trouble)
    assert len(stage.tell(green()).resolved) == 2


def test_rewording_that_is_refused_is_told() -> None:
    stage = Stage()
    stage.tell(a_reviewed(a_finding("no_secrets", remarks=(a_remark(message="One key"),))))
    stage.forge.fail("edit_word", Fault.REFUSED)
    told = stage.tell(a_reviewed(a_finding("no_secrets", remarks=(a_remark(message="One key, since Monday"),))))
    assert any("brought up to date" in one for one in told.trouble)


def test_a_fork_gets_its_verdict_and_no_upload() -> None:
    stage = Stage()
    stage.forge.alter(stage.ref, fork=True)
    stage.forge.fail("set_labels", Fault.REFUSED)
    told = stage.tell(blocked())
    assert "upload_sarif" not in stage.forge.called
    assert stage.forge.conclusion(stage.ref) is CheckConclusion.FAILED
    assert any("fork" in one for one in told.trouble)
    assert any("labels" in one for one in told.trouble)


def test_azure_repos_has_no_code_scanning_and_that_is_told() -> None:
    stage = Stage(ForgeName.AZURE_DEVOPS)
    told = stage.tell(blocked(ForgeName.AZURE_DEVOPS))
    assert any("code scanning is not supported" in one for one in told.trouble)
    log = json.loads(stage.ports.artifacts.get(told.sarif))
    assert log["version"] == "2.1.0"


def test_the_record_holds_the_review_and_its_findings() -> None:
    stage = Stage()
    told = stage.tell(blocked())
    assert Reviewed.model_validate_json(stage.ports.artifacts.get(told.reviewed)) == blocked()
    assert told.reviewed in stage.summary
    (uploaded,) = stage.forge.uploads(stage.ref)
    scanned = json.loads(uploaded)["runs"][0]["results"]
    kept = json.loads(stage.ports.artifacts.get(told.sarif))["runs"][0]["results"]
    assert 0 < len(scanned) < len(kept)


@pytest.mark.parametrize(
    ("make", "label", "conclusion"),
    [
        (blocked, BLOCKED, CheckConclusion.FAILED),
        (inconclusive, BLOCKED, CheckConclusion.INCONCLUSIVE),
        (green, READY, CheckConclusion.PASSED),
    ],
)
def test_labels_follow_the_verdict(make: Callable[..., Reviewed], label: str, conclusion: CheckConclusion) -> None:
    stage = Stage()
    stage.forge.alter(stage.ref, labels=("bug", BLOCKED, READY))
    stage.tell(make())
    assert stage.forge.change(stage.ref).labels == ("bug", label)
    assert stage.forge.conclusion(stage.ref) is conclusion
    stage.tell(make(advisory=True))
    assert stage.forge.change(stage.ref).labels == ("bug",)
    assert stage.forge.conclusion(stage.ref) is CheckConclusion.ADVISORY


def test_labels_that_stand_cost_no_call() -> None:
    stage = Stage()
    stage.forge.alter(stage.ref, labels=(READY,))
    stage.tell(green())
    stage.tell(green(advisory=True))
    assert stage.forge.called.count("set_labels") == 1


def test_an_inconclusive_review_says_why_and_asks_somebody() -> None:
    stage = Stage()
    stage.tell(inconclusive())
    assert "the changed files are not known: HTTP 502" in stage.summary
    assert "security engineer" in stage.summary
    check = stage.forge.check(stage.ref)
    assert check is not None and "could not be determined (no_secrets)" in check.title


def test_the_pending_check_links_to_where_it_can_be_followed() -> None:
    stage = Stage()
    announce(stage.forge, stage.ref, HEAD, "https://doneright.example/r", "review-1")
    check = stage.forge.check(stage.ref)
    assert check is not None
    assert (check.conclusion, check.details_url, check.external_id) == (
        CheckConclusion.PENDING, "https://doneright.example/r", "review-1",
    )  # fmt: skip


def test_a_check_that_cannot_be_announced_stops_no_review() -> None:
    stage = Stage()
    stage.forge.fail("set_check", Fault.REFUSED)
    assert announce(stage.forge, stage.ref, HEAD, "https://doneright.example/r") == ""
    stage.forge.fail("set_check", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        announce(stage.forge, stage.ref, HEAD, "https://doneright.example/r")


def test_a_suggestion_that_holds_a_marker_of_ours_is_not_offered() -> None:
    stage = Stage()
    hostile = a_remark(suggestion="<!-- doneright:summary -->\nx", end_line=6)
    stage.tell(a_reviewed(a_finding("no_secrets", remarks=(hostile,))))
    (word,) = stage.forge.remarks(stage.ref)
    assert "suggestion" not in word.body
    assert len(stage.forge.summaries(stage.ref)) == 1


def test_a_suggestion_of_nothing_takes_the_lines_away() -> None:
    stage = Stage()
    stage.tell(a_reviewed(a_finding("no_secrets", remarks=(a_remark(suggestion=""),))))
    (word,) = stage.forge.remarks(stage.ref)
    assert word.body.endswith("```suggestion\n```")


def test_advice_and_opinions_say_what_they_are() -> None:
    stage = Stage()
    advice = a_finding(
        "commits_are_conventional", enforcement=Enforcement.ADVISORY,
        remarks=(Remark(message="Odd", path="src/app.py", line=2, help_url="https://help.example/r", rule="R1"),),
    )  # fmt: skip
    opinion = an_opinion(source="model")
    agents = blocked().agents[0].model_copy(update={"opinions": (opinion,)})
    stage.tell(a_reviewed(advice, agents=(agents,)))
    first, second = stage.forge.remarks(stage.ref)
    assert "**Advice** (`commits_are_conventional`, medium)" in first.body
    assert "[R1](<https://help.example/r>)" in first.body
    assert "the quality agent, by a model" in second.body
    assert "Blocks" not in first.body + second.body


TEXT = "".join(f"key{number}\n" for number in range(1, 41))
acts = st.one_of(
    st.tuples(st.just("review"), st.frozensets(st.integers(1, 40), max_size=40)),
    st.tuples(st.just("resolve"), st.integers(0, 5)),
    st.tuples(st.just("double"), st.integers(0, 5)),
    st.tuples(
        st.sampled_from([Fault.LOST, Fault.TRANSIENT]),
        st.sampled_from(
            ["remark", "say", "edit_word", "resolve", "delete_word", "set_labels", "set_check", "own_words", "stand"]
        ),
    ),
    st.tuples(st.just("break_off"), st.integers(0, 12)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, min_size=1, max_size=8), st.frozensets(st.integers(1, 40), max_size=40))
def test_whatever_happened_before_each_thing_stands_once_and_none_is_lost(
    happened: list[tuple[Any, Any]], last: frozenset[int]
) -> None:
    stage = Stage()
    files = (file("src/app.py", None, TEXT),)
    for what, how in [*happened, ("review", last)]:
        words = stage.forge.words(stage.ref)
        match what:
            case "review":
                remarks = tuple(a_remark(line=number, message=f"Key {number}.") for number in sorted(how))
                stage.insist(a_reviewed(a_finding("no_secrets", remarks=remarks)), files)
            case "resolve":
                stage.forge.board._planned.clear()
                stage.forge.resolve(stage.ref, words[how : how + 1])
            case "double" if how < len(words):
                stage.forge.hear(stage.ref, words[how].body, path=words[how].path, line=words[how].line)
            case "break_off":
                stage.forge.break_off["remark"] = how
            case Fault.LOST | Fault.TRANSIENT:
                stage.forge.fail(how, what)
    standing = [word for word in stage.forge.remarks(stage.ref) if not remarking.is_settled(word)]
    prints = [word.fingerprint for word in standing]
    assert len(prints) == len(set(prints))
    beside = {number for number in range(1, 41) if any(f"\nKey {number}.\n" in word.body for word in standing)}
    listed = {number for number in range(1, 41) if f"| Key {number}. |" in stage.summary}
    assert beside | listed == last
    assert not beside & listed
    assert stage.forge.conclusion(stage.ref) is CheckConclusion.FAILED
