"""A narrower level tightens and never weakens, whatever the rules are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.forge import BranchRules, MergeKind
from shared.domain.strictness import tightened, weakened

RULES = st.builds(
    BranchRules,
    minimum_reviewers=st.integers(0, 6),
    allowed_merges=st.frozensets(st.sampled_from(list(MergeKind)), min_size=1),
    **{
        name: st.booleans()
        for name, field in BranchRules.model_fields.items()
        if field.annotation is bool
    },
)  # fmt: skip


@given(RULES, RULES)
def test_tightened_rules_are_as_strict_as_both_and_need_no_more_tightening(asked, least):
    rules = tightened(asked, least)
    assert tightened(rules, least) == rules
    assert weakened(BranchRules(**rules.model_dump()), least) == ()
    assert rules.minimum_reviewers == max(asked.minimum_reviewers, least.minimum_reviewers)
    assert rules.allowed_merges
    assert rules.allowed_merges <= least.allowed_merges


@given(RULES, RULES)
def test_every_field_that_was_set_weaker_is_named_and_no_other(asked, least):
    rules = tightened(asked, least).model_dump()
    wrong = {f"rules.{name}" for name, value in asked.model_dump().items() if rules[name] != value}
    assert {fault.field for fault in weakened(asked, least)} == wrong


@given(RULES)
def test_without_rules_of_the_organisation_everything_stays(asked):
    assert tightened(asked, None) == asked
    assert weakened(asked, None) == ()


def test_what_was_left_at_its_default_is_tightened_and_no_fault():
    least = BranchRules(minimum_reviewers=2, require_linked_work_items=True)
    assert weakened(BranchRules(), least) == ()
    assert tightened(BranchRules(), least).minimum_reviewers == 2


@pytest.mark.parametrize(
    ("asked", "example"),
    [
        ({"minimum_reviewers": 1}, "2"),
        ({"allow_force_push": True}, "false"),
        ({"require_resolved_comments": False}, "true"),
        ({"allowed_merges": ["merge", "squash"]}, "squash"),
    ],
)
def test_a_weaker_field_is_named_with_what_is_demanded(asked, example):
    least = BranchRules(minimum_reviewers=2)
    (fault,) = weakened(BranchRules.model_validate(asked), least)
    assert fault.field == f"rules.{next(iter(asked))}"
    assert fault.example == example
    assert example in fault.problem
