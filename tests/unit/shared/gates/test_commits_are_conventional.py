"""Messages of people are read; those that git writes by itself are let be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.review import Outcome
from shared.gates.commits_are_conventional import TYPES
from tests.fakes.changes import UNKNOWN, asked, asked_for, commit, evidence, judged

GATE = "commits_are_conventional"


def found(*messages, wanted=None):
    return judged(GATE, evidence(commits=tuple(commit(one) for one in messages)), wanted or asked(GATE))


@pytest.mark.parametrize(
    "message",
    [
        "feat: export orders",
        "fix(export): keep leading zeros",
        "feat!: drop the old export",
        "refactor(api)!: rename it\n\nBREAKING CHANGE: the old name is gone",
        "docs: say how\n\nIn more words.\n\nRefs #12\nReviewed-by: Noor",
        "chore(deps): raise versions\r\n\r\nBy a program.",
        'Revert "feat: export orders"\n\nThis reverts commit 1234567.',
        'Revert "Revert "feat: export orders""',
        "revert: feat: export orders",
    ],
)
def test_conventional_messages_are_met(message):
    one = found(message)
    assert one.outcome is Outcome.MET, one.reason


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Export orders", "is not `type: summary`"),
        ("feat:export", "is not `type: summary`"),
        ("feat: ", "is not `type: summary`"),
        ("", "is not `type: summary`"),
        ("feat: export\nwith a body", "lacks the blank line"),
        ("wip: try", "has the type 'wip'"),
        ("fixup! feat: export", "waits to be folded"),
        ("squash! feat: export", "waits to be folded"),
        ('Revert "Export orders"', "takes back what has no type"),
    ],
)
def test_others_are_not_and_the_reason_is_told(message, words):
    one = found(message)
    assert one.outcome is Outcome.UNMET
    assert words in one.reason
    assert len(one.remarks) == 1


def test_one_among_many_is_enough_and_is_named():
    one = found("feat: a", "Oops", "fix: b")
    assert one.outcome is Outcome.UNMET
    assert one.measured == {"commits": 3, "unconventional": 1}
    assert "'Oops'" in one.reason


def test_left_over_fixups_have_their_own_remedy():
    assert "autosquash" in found("fixup! feat: export").remedy
    assert "Reword" in found("Oops").remedy


@pytest.mark.parametrize(
    "message",
    [
        "Merge branch 'main' into feature/12",
        "Merge pull request #3 from x/y",
        "Merged PR 12: x",
        "Merge remote-tracking branch 'o/m'",
    ],
)
def test_merges_are_let_be_and_prove_nothing(message):
    assert found(message).outcome is Outcome.NOT_APPLICABLE
    assert found(message, "feat: a").measured["commits"] == 1
    assert found("Merge the two exports").outcome is Outcome.UNMET


def test_no_commits_and_unknown_commits_differ():
    assert found().outcome is Outcome.NOT_APPLICABLE
    assert judged(GATE, evidence(commits=UNKNOWN), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


def test_a_policy_may_name_the_types():
    wanted = asked_for(types=("feat", "wip"))
    assert found("wip: try", wanted=wanted).outcome is Outcome.MET
    assert found("fix: a", wanted=wanted).outcome is Outcome.UNMET


@given(
    st.sampled_from(TYPES),
    st.text(st.characters(categories=("L", "N"), include_characters=" -_"), max_size=20),
    st.booleans(),
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60),
)
def test_whatever_is_built_by_the_rules_is_met(type_, scope, breaking, summary):
    message = f"{type_}{f'({scope})' if scope.strip() else ''}{'!' if breaking else ''}: {summary}"
    assert found(message).outcome is Outcome.MET


@given(st.text(max_size=200))
def test_any_message_is_judged(message):
    assert found(message).outcome in {Outcome.MET, Outcome.UNMET, Outcome.NOT_APPLICABLE}
