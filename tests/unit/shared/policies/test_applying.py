"""A criterion is let go only for what is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions.load import definition_of_done
from shared.domain.definition import AppliesWhen, ChangeKind, WorkItemKind
from shared.policies.applying import Applicability, Facts, applied

NOTHING = Facts(labels=(), paths=(), change_kinds=(), work_item_kinds=())
YES, NO, UNKNOWN = Applicability.APPLIES, Applicability.NOT_APPLICABLE, Applicability.UNKNOWN


@pytest.mark.parametrize(
    ("when", "facts", "expected"),
    [
        (AppliesWhen(), Facts(), YES),
        (AppliesWhen(labels=("Security",)), Facts(labels=("bug", "security")), YES),
        (AppliesWhen(labels=("security",)), Facts(labels=("bug",)), NO),
        (AppliesWhen(labels=("security",)), Facts(), UNKNOWN),
        (AppliesWhen(paths=("infra/**",)), Facts(paths=("infra/app/main.bicep",)), YES),
        (AppliesWhen(paths=("infra/**",)), Facts(paths=("docs/infra/main.md",)), NO),
        (AppliesWhen(paths=("**/migrations/**",)), Facts(paths=("shop/migrations/0001.py",)), YES),
        (AppliesWhen(paths=("**/migrations/**",)), Facts(paths=("migrations/0001.py",)), YES),
        (AppliesWhen(paths=("*.sql",)), Facts(paths=("deep/down.sql",)), NO),
        (AppliesWhen(paths=("requirements*.txt", "package.json")), Facts(paths=("package.json",)), YES),
        (
            AppliesWhen(change_kinds=(ChangeKind.BREAKING,)),
            Facts(change_kinds=(ChangeKind.FEATURE, ChangeKind.BREAKING)),
            YES,
        ),
        (AppliesWhen(work_item_kinds=(WorkItemKind.BUG,)), Facts(work_item_kinds=(WorkItemKind.TASK,)), NO),
        (AppliesWhen(labels=("a",), paths=("b",)), Facts(labels=("a",), paths=("c",)), NO),
        (AppliesWhen(labels=("a",), paths=("b",)), Facts(labels=("a",)), UNKNOWN),
        (AppliesWhen(labels=("a",), paths=("b",)), Facts(paths=("c",)), NO),
    ],
)
def test_conditions(when: AppliesWhen, facts: Facts, expected: Applicability) -> None:
    found = applied(when, facts)
    assert found.applicability is expected
    assert bool(found.reason) is (expected is not YES)


@given(st.sampled_from(definition_of_done().criteria), st.sets(st.sampled_from(list(Facts.model_fields))))
def test_knowing_less_never_lets_a_criterion_go(criterion, forgotten: set[str]) -> None:
    some = Facts(
        labels=("security",),
        paths=("src/auth/login.py",),
        change_kinds=(ChangeKind.FEATURE,),
        work_item_kinds=(WorkItemKind.BUG,),
    )
    less = some.model_copy(update=dict.fromkeys(forgotten))
    known, known_less = applied(criterion.applies_when, some), applied(criterion.applies_when, less)
    if known.applicability is YES:
        assert known_less.applicability in {YES, UNKNOWN}


def test_a_documentation_change_is_asked_less_than_a_breaking_one() -> None:
    def asked(kind: ChangeKind) -> set[str]:
        facts = NOTHING.model_copy(update={"change_kinds": (kind,), "paths": ("README.md",)})
        return {
            one.id for one in definition_of_done().criteria if applied(one.applies_when, facts).applicability is YES
        }

    assert "breaking_change_has_migration_guide" in asked(ChangeKind.BREAKING) - asked(ChangeKind.DOCUMENTATION)
    assert "change_is_approved" in asked(ChangeKind.DOCUMENTATION)


def test_sign_in_code_is_reviewed_by_security() -> None:
    when = definition_of_done().by_id()["security_review_is_done"].applies_when
    assert applied(when, Facts(paths=("shop/auth/tokens.py",))).applicability is YES
    assert applied(when, Facts(paths=("shop/cart.py",))).applicability is NO
