"""Decides how far the ticket behind a change moves in its lifecycle, and explains why it goes no further. Pure.

A ticket moves step by step along legal moves, each guarded by what the review found. A ticket that never said where it
stands is taken up where a change that names it shows it to be: it has a branch.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.change import Change, Part, PersonReview, Unknown
from shared.domain.change import ReviewState as Opinion
from shared.domain.definition import DefinitionOfDone, OwnerRole
from shared.domain.forge import Frozen
from shared.domain.lifecycle import IllegalMove, LifecycleState, Moved, Reading, TicketLifecycle
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Finding, Spoken
from shared.policies.moving import move, shortest_way
from shared.reviews.judging import asked_of_a_change, satisfied

_LIFE = tuple(LifecycleState)
_ENDS = frozenset({LifecycleState.REJECTED, LifecycleState.DEPLOYED})
"""What a change does not take a ticket out of by itself."""
_BRANCHED = LifecycleState.BRANCHED


@dataclass(frozen=True)
class Ground:
    """What moves rest on."""

    lifecycle: TicketLifecycle
    definition: DefinitionOfDone
    satisfied: frozenset[str]
    """Criteria that stand in nobody's way."""
    wanted: LifecycleState | None
    """Where the change shows its tickets to be; ``None``: it says nothing of them."""
    roles: frozenset[OwnerRole] = frozenset()
    """Who said, on the pull request, what only they may say."""


class Journey(Frozen):
    """How far a ticket comes."""

    origin: LifecycleState | None = None
    to: LifecycleState | None = None
    passed: tuple[LifecycleState, ...] = ()
    adopted: bool = False
    held: IllegalMove | None = None
    problem: str = ""

    @property
    def moves(self) -> bool:
        """Whether it ends elsewhere than it began."""
        return self.to is not None and (self.adopted or self.to is not self.origin)


def ground_of(
    change: Change,
    reviews: Part[tuple[PersonReview, ...]],
    findings: tuple[Finding, ...],
    spoken: Spoken,
    *,
    lifecycle: TicketLifecycle,
    definition: DefinitionOfDone,
    merged: bool,
) -> Ground:
    """What the tickets behind ``change`` are moved by; ``merged`` says that it was merged since it was looked at."""
    seen = {one.criterion for one in findings}
    # What a review leaves out of its findings, the policy has switched off.
    off = {one.id for one in definition.criteria if asked_of_a_change(one) and one.id not in seen}
    roles: set[OwnerRole] = set()
    if not change.draft:
        # Whoever offers a change to be merged says that it does what its ticket describes.
        roles.add(OwnerRole.AUTHOR)
    if spoken.accepted is not None:
        roles.add(OwnerRole.PRODUCT_OWNER)
    if spoken.design is not None:
        roles.add(OwnerRole.ARCHITECT)
    return Ground(
        lifecycle=lifecycle,
        definition=definition,
        satisfied=satisfied(findings) | off,
        wanted=_wanted(change, reviews, spoken, merged=merged),
        roles=frozenset(roles),
    )


def journey(ground: Ground, reading: Reading, *, tagged: bool) -> Journey:
    """Where a ticket goes that reads so; ``tagged`` says whether a label or tag of its own says a state."""
    if ground.wanted is None:
        return Journey(origin=reading.state)
    if reading.state is None and (tagged or _has_ended(reading)):
        return Journey(problem=reading.problem)
    if reading.state is not None and (tagged or reading.state in _ENDS or not _before(reading.state, _BRANCHED)):
        return _from(ground, reading.state)
    if reading.candidates and not _before(reading.candidates[0], _BRANCHED):
        # The board says that it is further than a branch, and not how far: the least that it may be.
        return _from(ground, reading.candidates[0], adopted=True)
    return _adopted(ground)


def _has_ended(reading: Reading) -> bool:
    """Whether the board says that it is over, and not how it ended."""
    return bool(reading.candidates) and set(reading.candidates) <= _ENDS


def words_of(found: Journey, ticket: str) -> str:
    """What became of a ticket, for whoever reads the verdict; empty where nothing did."""
    if found.problem:
        return f"{ticket} stays as it is: {found.problem}"
    parts: list[str] = []
    if found.moves and found.to:
        begun = " (taken up)" if found.adopted else f" from {_said(found.origin)}"
        parts.append(f"{ticket} moves{begun} to {_said(found.to)}")
    if found.held:
        where = "it goes no further" if parts else f"{ticket} stays {_said(found.held.origin)}"
        missing = "; ".join(f"{one.criterion}: {one.remedy}" for one in found.held.missing[:3])
        more = f" and {len(found.held.missing) - 3} more" if len(found.held.missing) > 3 else ""
        told = f"{where}: {found.held.reason}" + (f" ({missing}{more})" if missing else "")
        parts.append(told)
    return "; ".join(parts)


def _wanted(
    change: Change, reviews: Part[tuple[PersonReview, ...]], spoken: Spoken, *, merged: bool
) -> LifecycleState | None:
    if merged or change.state is PullRequestState.MERGED:
        return LifecycleState.MERGED
    if change.state is not PullRequestState.OPEN:
        return None
    if spoken.accepted is False:
        return LifecycleState.REJECTED
    if change.draft:
        return LifecycleState.BRANCHED
    asked_for_changes = not isinstance(reviews, Unknown) and any(
        one.state is Opinion.CHANGES_REQUESTED and one.commit in {"", change.head} for one in reviews
    )
    return LifecycleState.IMPLEMENTED if asked_for_changes else LifecycleState.IN_REVIEW


def _adopted(ground: Ground) -> Journey:
    """A ticket that said nothing is taken up with its branch, if the branch names it as the policy asks."""
    if ground.wanted is LifecycleState.REJECTED:
        return _from(ground, LifecycleState.BRANCHED, adopted=True)
    first = _step(ground, LifecycleState.THREAT_MODELLED, LifecycleState.BRANCHED)
    if isinstance(first, IllegalMove):
        return Journey(problem=f"its branch does not show it: {first.reason}", held=first)
    return _from(ground, LifecycleState.BRANCHED, adopted=True)


def _from(ground: Ground, origin: LifecycleState, *, adopted: bool = False) -> Journey:
    wanted = ground.wanted or origin
    back = _back(ground, origin)
    if back is not None:
        return Journey(origin=origin, to=back, passed=(back,), adopted=adopted)
    if _is_there(origin, wanted):
        return Journey(origin=origin, to=origin, adopted=adopted)
    at = origin
    passed: list[LifecycleState] = []
    for state in _way(ground, origin, wanted):
        step = _step(ground, at, state)
        if isinstance(step, IllegalMove):
            return Journey(origin=origin, to=at, passed=tuple(passed), adopted=adopted, held=step)
        at = step.to
        passed.append(at)
    return Journey(origin=origin, to=at, passed=tuple(passed), adopted=adopted)


def _is_there(origin: LifecycleState, wanted: LifecycleState) -> bool:
    """Whether a change that shows ``wanted`` moves nothing: being further on is no reason to go back."""
    if origin is wanted:
        return True
    if wanted is LifecycleState.REJECTED or origin in _ENDS:
        return False
    if origin is LifecycleState.MERGED:
        # Another change of the same ticket was merged: that the ticket is merged says nothing of this one.
        return False
    return _before(wanted, origin)


def _back(ground: Ground, origin: LifecycleState) -> LifecycleState | None:
    """Where a ticket goes back to by what is seen: a review that asks for changes, tests that fail or are gone."""
    asked = origin is LifecycleState.IN_REVIEW and ground.wanted is LifecycleState.IMPLEMENTED
    tested = ground.lifecycle.move(LifecycleState.IMPLEMENTED, LifecycleState.TESTED)
    untested = (
        origin is LifecycleState.TESTED
        and ground.wanted in {LifecycleState.IMPLEMENTED, LifecycleState.IN_REVIEW}
        and tested is not None
        and not set(tested.guards) <= ground.satisfied
    )
    if not (asked or untested):
        return None
    step = _step(ground, origin, LifecycleState.IMPLEMENTED)
    return step.to if isinstance(step, Moved) else None


def _way(ground: Ground, origin: LifecycleState, wanted: LifecycleState) -> tuple[LifecycleState, ...]:
    """The states to pass. Where Doneright may not take the way, it tries the move itself, which explains the way."""
    if wanted is LifecycleState.REJECTED or origin in {*_ENDS, LifecycleState.MERGED}:
        return (wanted,)
    way = shortest_way(ground.lifecycle, origin, wanted)
    first = ground.lifecycle.move(origin, way[0]) if way else None
    if first is None or (first.by and not ground.roles.intersection(first.by)):
        return (wanted,)
    return way


def _step(ground: Ground, origin: LifecycleState, to: LifecycleState) -> Moved | IllegalMove:
    found = ground.lifecycle.move(origin, to)
    role = next((one for one in found.by if one in ground.roles), None) if found else None
    return move(ground.lifecycle, ground.definition, origin, to, ground.satisfied, role)


def _before(one: LifecycleState, other: LifecycleState) -> bool:
    return _LIFE.index(one) < _LIFE.index(other)


def _said(state: LifecycleState | None) -> str:
    return state.replace("_", " ") if state else "nowhere"
