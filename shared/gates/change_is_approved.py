"""Somebody other than its author approved exactly what would be merged, and nobody's request for changes stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.change import Change, ChangeEvidence, PersonReview, ReviewState, Unknown
from shared.domain.definition import GateId, OwnerRole
from shared.domain.review import Effort, Judgement
from shared.gates import Asked, Gate

_MOST_NAMED = 10
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Words:
    """The latest word of each person that decides something."""

    approved: tuple[PersonReview, ...]
    """On the head."""
    outdated: tuple[PersonReview, ...]
    """On an earlier push."""
    unplaced: tuple[PersonReview, ...]
    """On nobody knows which push."""
    against: tuple[PersonReview, ...]


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether as many people as ``approvals`` approved the head, or as many holders of a role as ``role_approvals``."""
    if isinstance(evidence.reviews, Unknown):
        return Judgement.unseen("the reviews", evidence.reviews)
    if "role_approvals" not in asked.thresholds:
        words = _words(evidence.change, evidence.reviews)
        return _counted(words, asked.figure("approvals", 1), "approvals", "Ask a reviewer to approve.")
    roles = asked.entries("roles") or (OwnerRole.SECURITY_ENGINEER.value,)
    told = " or ".join(role.replace("_", " ") for role in roles)
    holders = {login.casefold() for role in roles for login in evidence.roles.get(role, ())}
    if not holders:
        return Judgement.not_available(
            f"nobody is named who holds the role of {told}, so nobody can tell whose approval it would be",
            remedy=f"Name the logins of those who hold the role of {told} in the connection.",
        )
    words = _words(evidence.change, (one for one in evidence.reviews if one.reviewer.login.casefold() in holders))
    remedy = f"Ask somebody in the role of {told} to review: {', '.join(sorted(holders)[:5])}."
    return _counted(words, asked.figure("role_approvals", 1), "role_approvals", remedy)


def _words(change: Change, reviews: Iterable[PersonReview]) -> _Words:
    latest: dict[str, PersonReview] = {}
    # Those without a time stay where the forge puts them.
    given = list(reviews)
    if all(one.at for one in given):
        given.sort(key=lambda one: one.at or _LONG_AGO)
    for one in given:
        person = one.reviewer
        own = person.id == change.author.id or person.login.casefold() == change.author.login.casefold()
        # A comment takes no approval back and gives none.
        if not own and one.state is not ReviewState.COMMENTED:
            latest[person.id or person.login.casefold()] = one
    approvals = [one for one in latest.values() if one.state is ReviewState.APPROVED and not one.reviewer.bot]
    return _Words(
        approved=tuple(one for one in approvals if one.commit == change.head),
        outdated=tuple(one for one in approvals if one.commit not in {change.head, ""}),
        unplaced=tuple(one for one in approvals if not one.commit),
        against=tuple(one for one in latest.values() if one.state is ReviewState.CHANGES_REQUESTED),
    )


def _counted(words: _Words, wanted: float, name: str, remedy: str) -> Judgement:
    measured = {name: len(words.approved)}
    if words.against:
        return Judgement.unmet(
            f"{_logins(words.against)} asked for changes",
            measured=measured,
            remedy="Make the changes, or settle it with whoever asked for them, and ask for another review.",
        )
    if len(words.approved) >= wanted:
        return Judgement.met(
            f"approved on the head by {_logins(words.approved) or 'nobody, as nobody is asked'}", measured=measured
        )
    if len(words.approved) + len(words.unplaced) >= wanted:
        return Judgement.not_available(
            f"the forge does not say on which push {_logins(words.unplaced)} approved",
            measured=measured,
            remedy="Ask for the approval of the newest push.",
        )
    parts = [f"{len(words.approved)} of {wanted:g} approvals on the head"]
    if words.outdated:
        parts.append(f"{_logins(words.outdated)} approved an earlier push")
        remedy = f"Ask {_logins(words.outdated)} to look at what was pushed since, and to approve again."
    return Judgement.unmet("; ".join(parts), measured=measured, remedy=remedy)


def _logins(reviews: Iterable[PersonReview]) -> str:
    logins = [one.reviewer.login for one in reviews]
    return ", ".join(logins[:_MOST_NAMED]) + (
        f" and {len(logins) - _MOST_NAMED} more" if len(logins) > _MOST_NAMED else ""
    )


GATE = Gate(
    id=GateId.CHANGE_IS_APPROVED,
    motivation="Nobody sees their own mistakes, and an approval of an earlier push says nothing of what came after.",
    reads=("change", "reviews", "roles"),
    effort=Effort.HOURS,
    remedy="Ask a reviewer to approve; a push after an approval needs a new one.",
    evaluate=evaluate,
    takes=("approvals", "role_approvals", "roles"),
)
