"""What can be resolved and is not waits for somebody, whoever began it."""

from __future__ import annotations

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, asked, evidence, judged, thread

GATE = "comments_are_resolved"


def test_resolved_threads_and_plain_comments_wait_for_nobody():
    threads = (thread(("noor", "Why?"), id="a", resolved=True), thread(("otis", "Nice."), id="b", resolvable=False))
    found = judged(GATE, evidence(threads=threads), asked(GATE))
    assert found.outcome is Outcome.MET
    assert found.measured == {"open": 0, "resolved": 1}


def test_an_open_thread_waits_and_its_place_is_told():
    found = judged(GATE, evidence(threads=(thread(("noor", "Why?"), path="src/a.py", line=7),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert "src/a.py:7 by noor" in found.reason


def test_it_says_nothing_beside_the_code_that_would_wait_itself():
    assert judged(GATE, evidence(threads=(thread(("noor", "Why?"), path="a.py"),)), asked(GATE)).remarks == ()


def test_outdated_threads_wait_as_well_and_so_do_those_of_programs():
    threads = (thread(("noor", "Why?"), id="a", outdated=True), thread(("linter[bot]", "No test."), id="b"))
    assert judged(GATE, evidence(threads=threads), asked(GATE)).measured["open"] == 2


def test_a_thread_nobody_wrote_in_waits_about_the_whole():
    found = judged(GATE, evidence(threads=(thread(),)), asked(GATE))
    assert "the change as a whole" in found.reason


def test_many_are_counted_and_few_are_named():
    threads = tuple(thread(("noor", "?"), id=str(number), path=f"{number}.py") for number in range(9))
    found = judged(GATE, evidence(threads=threads), asked(GATE))
    assert "4 more" in found.reason
    assert "5.py" not in found.reason


def test_a_policy_may_allow_some():
    seen = evidence(threads=(thread(("noor", "?"), id="a"), thread(("noor", "?"), id="b")))
    assert judged(GATE, seen, asked(GATE, open=2)).outcome is Outcome.MET
    assert judged(GATE, seen, asked(GATE, open=1)).outcome is Outcome.UNMET


def test_unknown_threads_are_not_resolved():
    assert judged(GATE, evidence(threads=UNKNOWN), asked(GATE)).outcome is Outcome.NOT_AVAILABLE
    assert judged(GATE, evidence(), asked(GATE)).outcome is Outcome.MET


def test_the_longest_paths_are_shown_by_their_end():
    path = "folder/" * 500 + "a.py"
    found = judged(
        GATE, evidence(threads=tuple(thread(("noor", "?"), id=str(n), path=path) for n in range(9))), asked(GATE)
    )
    assert found.outcome is Outcome.UNMET
    assert "folder/a.py by noor" in found.reason


def test_our_own_remarks_count_only_once_somebody_answered_them():
    ours = "<!-- doneright:remark:ab12 -->\nA key is in this line."
    assert judged(GATE, evidence(threads=(thread(("doneright", ours)),)), asked(GATE)).outcome is Outcome.MET
    answered = thread(("doneright", ours), ("noor", "Is it?"))
    assert judged(GATE, evidence(threads=(answered,)), asked(GATE)).outcome is Outcome.UNMET
