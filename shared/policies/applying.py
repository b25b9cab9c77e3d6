"""Decides whether a criterion is asked of a ticket or change; what is not known about it never lets a criterion go."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from shared.domain.definition import AppliesWhen, ChangeKind, WorkItemKind
from shared.domain.forge import Frozen
from shared.domain.globs import fits


class Facts(Frozen):
    """What is known of a ticket or change; ``None`` is *not known*, an empty list *none*."""

    labels: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = Field(default=None, description="Changed files, from the root, with `/`.")
    change_kinds: tuple[ChangeKind, ...] | None = None
    work_item_kinds: tuple[WorkItemKind, ...] | None = None


class Applicability(StrEnum):
    """Whether a criterion is asked."""

    APPLIES = "applies"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


class Applied(Frozen):
    """Whether, and why not or why nobody knows."""

    applicability: Applicability
    reason: str = ""


def applied(when: AppliesWhen, facts: Facts) -> Applied:
    """Whether a criterion that applies ``when`` is asked under ``facts``.

    One condition that is known not to hold settles it; else one that is not known leaves it open.
    """
    unknown: list[str] = []
    for name, wanted, found in (
        ("labels", when.labels, _matching_labels(when, facts)),
        ("paths", when.paths, _matching_paths(when, facts)),
        ("change kind", when.change_kinds, _common(when.change_kinds, facts.change_kinds)),
        ("work item kind", when.work_item_kinds, _common(when.work_item_kinds, facts.work_item_kinds)),
    ):
        if not wanted:
            continue
        if found is None:
            unknown.append(name)
        elif not found:
            return Applied(applicability=Applicability.NOT_APPLICABLE, reason=f"{name}: none of {', '.join(wanted)}")
    if unknown:
        return Applied(applicability=Applicability.UNKNOWN, reason=f"not known: {', '.join(unknown)}")
    return Applied(applicability=Applicability.APPLIES)


def _matching_labels(when: AppliesWhen, facts: Facts) -> bool | None:
    if facts.labels is None:
        return None
    # Neither forge tells labels apart by case.
    return bool({label.casefold() for label in when.labels} & {label.casefold() for label in facts.labels})


def _matching_paths(when: AppliesWhen, facts: Facts) -> bool | None:
    if facts.paths is None:
        return None
    return any(fits(path, when.paths) for path in facts.paths)


def _common(wanted: tuple[StrEnum, ...], known: tuple[StrEnum, ...] | None) -> bool | None:
    return None if known is None else bool(set(wanted) & set(known))
