"""Decides which of two sets of branch rules demands more, so that a narrower level can tighten and never weaken."""

from __future__ import annotations

from shared.domain.faults import FieldFault
from shared.domain.forge import BranchRules

_TRUE_IS_STRICTER = (
    "reset_approvals_on_push",
    "require_resolved_comments",
    "require_linked_work_items",
    "require_build",
    "enforce_for_administrators",
)
_FALSE_IS_STRICTER = ("author_may_approve", "allow_force_push", "allow_deletion")


def tightened(rules: BranchRules, least: BranchRules | None) -> BranchRules:
    """``rules``, made as strict as ``least`` wherever they demand less.

    Where both allow merges and none in common, only those of ``least`` are left.
    """
    if least is None:
        return rules
    stricter: dict[str, object] = {
        "minimum_reviewers": max(rules.minimum_reviewers, least.minimum_reviewers),
        "allowed_merges": (rules.allowed_merges & least.allowed_merges) or least.allowed_merges,
    }
    stricter |= {name: getattr(rules, name) or getattr(least, name) for name in _TRUE_IS_STRICTER}
    stricter |= {name: getattr(rules, name) and getattr(least, name) for name in _FALSE_IS_STRICTER}
    return rules.model_copy(update=stricter)


def weakened(rules: BranchRules, least: BranchRules | None) -> tuple[FieldFault, ...]:
    """Where ``rules`` were explicitly set to demand less than ``least``; what was left at its default is no fault."""
    if least is None:
        return ()
    stricter = tightened(rules, least)
    return tuple(
        FieldFault(
            field=f"rules.{name}",
            problem=f"is weaker than the organisation's rules, which demand {_shown(stricter, name)} at least",
            example=_shown(stricter, name),
        )
        for name in type(rules).model_fields
        if name in rules.model_fields_set and getattr(rules, name) != getattr(stricter, name)
    )


def _shown(rules: BranchRules, name: str) -> str:
    value = rules.model_dump(mode="json")[name]
    if isinstance(value, list):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
